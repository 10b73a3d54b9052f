#include "core/situation.h"

#include "core/evidence.h"
#include "core/host.h"
#include "core/origin.h"

#include <inttypes.h>
#include <string.h>

enum { SITUATIONS = 8, REMAINS = 6 };

/** What is to be done in the browser, as the pages say it. */
struct page {
    const char *id, *title;
    const char *remains[REMAINS + 1]; /* NULL-ended */
    const char *source;
};

static const struct page pages[] = {
    {"P1",
     "Relink after finance and operations was restored",
     {"Stop the maps, if they can be reached.",
      "dwclean clean: AxDB, then Dataverse, then both are verified.",
      "Relink: unlink and link again keeps the mappings; Reset link starts from scratch.",
      "Run the maps."},
     "Unlink and relink dual-write environments (Microsoft, 2026)"},
    {"P2",
     "Dataverse was restored or copied",
     {"Stop the maps and unlink, if they can be reached.",
      "dwclean clean --dataverse-only: the rows of AxDB may be right.",
      "Relink: unlink and link again keeps the mappings; Reset link starts from scratch.",
      "Run the maps."},
     "Unlink and relink dual-write environments (Microsoft, 2021)"},
    {"P3",
     "Reset or change linking",
     {"Stop the maps and unlink; check the prerequisites of the new environment.",
      "dwclean clean --axdb-only, with the statement that these rows are meant.",
      "Link to the new environment, or Reset link; afterwards no row may name the old one.",
      "In a new organization party numbers start again: change the numbering of msdyn_partynumber."},
     "Unlink and relink dual-write environments (Microsoft, 2026)"},
    {"P4",
     "What Reset link would do here",
     {NULL},
     "Reset dual-write connections (Microsoft, 2023)"},
    {"P5",
     "Maps that were not stopped",
     {"Stop the maps on the Dual-write page, or make sure that none can be reached.",
      "Reset link with maps that run wants Force Reset set in its wizard.",
      "dwclean asks in every run: type STOPPED, or pass --maps-are-stopped. The answer is kept."},
     "Reset dual-write connections (Microsoft, 2023)"},
    {"P6",
     "Dual-write and the Power Platform integration name different environments",
     {"Integration never set up: set it to the Dataverse environment of dual-write.",
      "Else Reset link: it moves dual-write to the integration's environment, for good.",
      "Until then events, virtual tables and add-ins use the other environment."},
     "Dual-write setup from Lifecycle Services (Microsoft, 2026)"},
    {"P7",
     "Single maps have a wrong or a blank URL",
     {"Stop those maps.",
      "dwclean repair-map --map INTERNAL:EXTERNAL --wrong-url-only for each of them.",
      "Start the maps: that writes their rows anew."},
     "Troubleshoot live synchronization issues (Microsoft, 2026)"},
    {"P8",
     "A pair was refreshed: both sides are another environment's",
     {"Treat both as one unit: unlink the target, refresh both from their partners.",
      "dwclean clean, both halves in one run.",
      "Relink, then run the maps by hand; no initial sync if both came from one linked pair."},
     "Dual-write FAQ (Microsoft, 2022)"},
    {"P9",
     "Not linked: set up, or link from Lifecycle Services",
     {"Set up the Power Platform integration first.",
      "Environment Details, Power Platform Integration, Dual-write application, Configure (about 30 "
      "minutes).",
      "Link to Power Platform environment, then follow the link to the Dual-write page.",
      "dwclean verify --expect post-relink."},
     "Dual-write setup from Lifecycle Services (Microsoft, 2026)"},
};

/** Steps of the scenarios of Reset link, by their numbers. */
static const char *const scenario_steps[][REMAINS + 1] = {
    {NULL},
    {"Scenario 1, same organization: the wizard goes through."},
    {"Scenario 2, another organization: Next replaces the current one for good.",
     "To keep the current one: Cancel, and a support case. The page of Lifecycle Services says that "
     "support no longer relinks by ticket: ask before you rely on it."},
    {"Scenario 3, the integration is blank: the wizard stops.",
     "Put the current Dataverse environment into Power Platform Environment ID, save, and try again."},
    {"Scenario 4, cloud-hosted: the connection set is refreshed as it is.",
     "Another organization means to deploy finance and operations again."},
};

static const char lost_by_reset[] =
    "Lost: maps leave the link; integration keys, company mapping, alerts, logs, sync history.";

/** The evidence, reduced to what decides. */
struct facts {
    const struct evidence *evidence;
    bool urls;                   /* AxDB's rows and the own host are known */
    int64_t foreign, blank, own; /* project rows by what they name */
    const char *foreign_host;    /* the one with most rows */
    int64_t running;             /* project rows whose STATUS is enabled or queueing */
    int64_t runtime_rows;        /* -1 = not known */
    bool link_known, linked;
    char fno[HOST_BYTES]; /* that Dataverse reports */
    bool other_fno;       /* not the one that is pinned */
    bool cloud_hosted;
    enum origin_verdict origin; /* of the runtime configurations; only FOREIGN and OWN decide */
    const char *origin_how;     /* with FOREIGN */
};

static void
count_rows(const struct evidence *evidence, struct facts *ret)
{
    ret->urls = evidence->axdb && evidence->axdb->urls_known && evidence->own_host;
    for (size_t i = 0; ret->urls && i < evidence->host_count; i++) {
        const struct host_count *host = &evidence->hosts[i];

        if (host->own)
            ret->own += host->rows;
        else if (!host->host[0])
            ret->blank += host->rows;
        else
            ret->foreign += host->rows;
        if (!host->own && host->host[0] && !ret->foreign_host)
            ret->foreign_host = host->host;
    }
}

static void
count_running(const struct evidence *evidence, struct facts *ret)
{
    const bool known = evidence->axdb && evidence->axdb->urls_known;

    for (size_t i = 0; known && i < evidence->axdb->url_count; i++)
        if (evidence_is_running(evidence->axdb->urls[i].status))
            ret->running += evidence->axdb->urls[i].rows;
}

static void
gather(const struct run_request *request, const struct evidence *evidence, struct facts *ret)
{
    char expected[HOST_BYTES] = "";

    *ret = (struct facts){.evidence = evidence, .runtime_rows = -1};
    count_rows(evidence, ret);
    count_running(evidence, ret);
    if (request->expect_fno_url)
        host_of_url(request->expect_fno_url, expected);
    if (evidence->origin) {
        ret->origin = evidence->origin->whole;
        ret->origin_how = evidence->origin->how;
    }
    if (evidence->runtime) {
        const struct runtime_identity *id = &evidence->runtime->identity;

        ret->runtime_rows = (int64_t)evidence->runtime->row_count;
        ret->link_known = id->link_known;
        ret->linked = id->link_known && id->linked;
        if (ret->linked)
            host_of_url(id->fno_url, ret->fno);
        ret->other_fno = ret->linked && expected[0] && strcmp(expected, ret->fno) != 0;
    }
    /* hosts of cloud-hosted environments end so (inferred from published URLs) */
    ret->cloud_hosted = strstr(expected[0] ? expected : ret->fno, ".cloudax.");
}

/** Situations under way. */
struct finding {
    struct arena *arena;
    struct situation *list;
    size_t count;
    bool exhausted;
};

/** Add one, with the steps of its page; the caller says what shows it. */
static struct situation *
add(struct finding *finding, const char *id, bool likely, const char *evidence)
{
    struct situation *situation = &finding->list[finding->count++];
    const struct page *page = pages;

    while (strcmp(page->id, id) != 0)
        page++;
    *situation = (struct situation){.id = page->id,
                                    .title = page->title,
                                    .likely = likely,
                                    .evidence = evidence,
                                    .remains = page->remains,
                                    .source = page->source};
    while (page->remains[situation->remain_count])
        situation->remain_count++;
    finding->exhausted |= !evidence;
    return situation;
}

static const char *
name_rows(const struct facts *facts, struct arena *arena)
{
    const char *own = facts->evidence->own_host;

    if (!facts->foreign)
        return arena_printf(arena, "%" PRId64 " project %s no environment; the own is %s",
                            facts->blank, facts->blank == 1 ? "row names" : "rows name", own);
    return arena_printf(arena, "%" PRId64 " project %s %s; the own organization is %s",
                        facts->foreign, facts->foreign == 1 ? "row names" : "rows name",
                        facts->foreign_host, own);
}

/** Rows of AxDB name another environment, or none. */
static void
find_restored(struct finding *finding, const struct facts *facts)
{
    const char *rows = name_rows(facts, finding->arena);

    if (facts->own > 0) {
        (void)add(finding, "P7", false,
                  arena_printf(finding->arena, "%s; %" PRId64 " others name it", rows ? rows : "",
                               facts->own));
        return;
    }
    (void)add(finding, "P1", false, rows);
    if (facts->origin == ORIGIN_FOREIGN)
        (void)add(finding, "P8", false, facts->origin_how);
    else if (facts->runtime_rows > 0 && facts->origin != ORIGIN_OWN)
        (void)add(finding, "P8", true,
                  "only if Dataverse was refreshed too: it has runtime configurations, and whose "
                  "they are is not proven");
}

/** Rows of AxDB name the own organization only: a link that works looks so too. */
static void
find_own(struct finding *finding, const struct run_request *request, const struct facts *facts)
{
    if (request->rows_name_this_environment)
        (void)add(finding, "P3", false,
                  "the rows name the target's own organization, and the operator said that they "
                  "are meant");
    else if (facts->runtime_rows != 0 && facts->origin != ORIGIN_OWN &&
             facts->origin != ORIGIN_FOREIGN)
        (void)add(finding, "P2", true,
                  "only if Dataverse was restored or copied: the rows of AxDB name the target's "
                  "own organization, as those of a working link do");
}

/** Dataverse's rows are proven to be another organization's. With AxDB's rows foreign too that is a
 * pair, and said so already. */
static void
find_copied(struct finding *finding, const struct facts *facts)
{
    for (size_t i = 0; i < finding->count; i++)
        if (strcmp(finding->list[i].id, "P8") == 0)
            return;
    if (facts->origin == ORIGIN_FOREIGN)
        (void)add(finding, "P2", false, facts->origin_how);
}

/** The scenario of Reset link that this likely is; 0 = not known. */
static int
scenario_of(const struct facts *facts)
{
    if (facts->cloud_hosted)
        return 4;
    if (!facts->link_known)
        return 0;
    if (!facts->linked)
        return 3;
    /* own rows, and an integration with another environment: which of the two the wizard of that
     * environment would find is not known here */
    if (!facts->urls || facts->blank || (facts->other_fno && !facts->foreign))
        return 0;
    return facts->foreign ? 2 : facts->own ? 1 : 0;
}

static const char *
show_scenario(const struct facts *facts, struct arena *arena)
{
    if (facts->cloud_hosted)
        return arena_printf(arena, "the finance and operations host is that of a cloud-hosted "
                                   "environment");
    if (!facts->linked)
        return arena_printf(arena, "Dataverse reports no integration: %s",
                            facts->evidence->runtime->identity.link_detail);
    return arena_printf(arena, "the rows name %s, the integration of %s names %s",
                        facts->foreign ? facts->foreign_host : facts->evidence->own_host,
                        facts->evidence->own_host, facts->fno);
}

static void
find_reset(struct finding *finding, const struct facts *facts)
{
    const int scenario = scenario_of(facts);
    const char **remains = arena_alloc(finding->arena, REMAINS * sizeof *remains);
    struct situation *situation;
    size_t count = 0;

    if (!scenario || !remains) {
        finding->exhausted |= !remains;
        return;
    }
    situation = add(finding, "P4", true, show_scenario(facts, finding->arena));
    for (size_t i = 0; scenario_steps[scenario][i]; i++)
        remains[count++] = scenario_steps[scenario][i];
    remains[count++] = lost_by_reset;
    situation->remains = remains;
    situation->remain_count = count;
}

/** Before a relink maps should be stopped. What the rows say of that is the source's in a restored
 * copy, so it is never proven. */
static void
find_running(struct finding *finding, const struct run_request *request, const struct facts *facts)
{
    if (facts->running > 0 && request->expect == EXPECT_PRE_RELINK)
        (void)add(finding, "P5", true,
                  arena_printf(finding->arena,
                               "STATUS of %" PRId64 " project %s is enabled or queueing; in a "
                               "restored copy that is the source's, and says nothing of maps that "
                               "run now",
                               facts->running, facts->running == 1 ? "row" : "rows"));
}

/** Dual-write and the integration name different environments. */
static void
find_mismatch(struct finding *finding, const struct run_request *request, const struct facts *facts)
{
    if (facts->other_fno)
        (void)add(finding, "P6", false,
                  arena_printf(finding->arena, "Dataverse reports %s, expected %s", facts->fno,
                               request->expect_fno_url));
    else if (request->expect == EXPECT_POST_RELINK && facts->linked && facts->foreign)
        (void)add(finding, "P6", true, name_rows(facts, finding->arena));
}

static bool
nothing_is_there(const struct facts *facts)
{
    const struct evidence *evidence = facts->evidence;

    return evidence_rows(evidence, TABLE_PROJECT) == 0 &&
           evidence_rows(evidence, TABLE_FIELD) == 0 && facts->runtime_rows == 0;
}

bool
situations_find(const struct run_request *request, struct arena *arena, struct outcome *outcome)
{
    struct finding finding = {.arena = arena,
                              .list = arena_alloc(arena, SITUATIONS * sizeof *finding.list)};
    struct facts facts;

    if (!finding.list)
        return false;
    gather(request, &outcome->before, &facts);
    if (facts.foreign + facts.blank > 0)
        find_restored(&finding, &facts);
    else if (facts.own > 0 && request->expect == EXPECT_PRE_RELINK)
        find_own(&finding, request, &facts);
    find_copied(&finding, &facts);
    find_mismatch(&finding, request, &facts);
    if (facts.link_known && !facts.linked && nothing_is_there(&facts))
        (void)add(&finding, "P9", false,
                  "neither side has rows, and Dataverse reports no link to finance and operations");
    else if (facts.foreign + facts.blank + facts.own > 0)
        find_reset(&finding, &facts);
    find_running(&finding, request, &facts);
    if (finding.exhausted)
        return false;
    outcome->situations = finding.list;
    outcome->situation_count = finding.count;
    return true;
}
