#include "base/text.h"
#include "checks.h"
#include "core/evidence.h"
#include "core/host.h"
#include "moment.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { AGE_CHARS = sizeof "2026-11-21T20:00:00" - 1 };

/** Compare one pin; true when it holds or is not set. */
static bool
pin_holds(struct observations *list, const char *what, const char *expected, const char *found)
{
    struct observation *seen;

    if (!expected || text_equal_nocase(expected, found))
        return true;
    seen = observe(list, "D-ORG", VERDICT_DIFFERS, "%s is %s, expected %s", what,
                   found[0] ? found : "not known", expected);
    seen->hint = "This is another organization than the one that was meant.";
    return false;
}

static void
check_organization(struct observations *list, const struct run_request *request,
                   const struct runtime_identity *id)
{
    char expected_host[HOST_BYTES] = "";
    bool holds = true;

    if (request->expect_dataverse_host)
        host_of_url(request->expect_dataverse_host, expected_host);
    holds &= pin_holds(list, "organization id", request->expect_org_id, id->organization_id);
    holds &= pin_holds(list, "organization name", request->expect_org_name, id->unique_name);
    holds &= pin_holds(list, "organization host",
                       request->expect_dataverse_host ? expected_host : NULL, id->host);
    if (holds)
        (void)observe(list, "D-ORG", VERDICT_OK, "organization %s (%s) at %s", id->unique_name,
                      id->organization_id, id->host[0] ? id->host : id->dialled_host);
}

/** "created X to Y", as far as it is known. */
static const char *
created_text(const struct runtime_evidence *runtime, char *ret, size_t size)
{
    const char *oldest = runtime->first_created;
    const char *newest = runtime->last_created;
    const bool span = strcmp(oldest, newest) != 0;

    (void)snprintf(ret, size, "created %s%s%s", oldest[0] ? oldest : "at an unknown time",
                   span ? " to " : "", span ? newest : "");
    return ret;
}

/** Rows, of which there are some, that are older than the copy are the source's: shown, never in
 * the status. */
static void
check_age(struct observations *list, const struct run_request *request,
          const struct runtime_evidence *runtime)
{
    char copied[MOMENT_BYTES];
    struct observation *seen;
    size_t older = 0;

    if (!request->restored_at || !moment_parse(request->restored_at, copied))
        return;
    /* both are UTC; the service writes seconds, and a Z */
    for (size_t i = 0; i < runtime->kept_count; i++)
        older += strncmp(runtime->rows[i].created_on, copied, AGE_CHARS) < 0;
    seen =
        observe(list, "D-ROWS", older ? VERDICT_DIFFERS : VERDICT_OK,
                "rows older than the copy (%s): %zu of %s%zu", request->restored_at, older,
                runtime->kept_count < runtime->row_count ? "the first " : "", runtime->kept_count);
    seen->required = false;
    if (older)
        seen->hint = "They came with the copy: dwclean clean --dataverse-only, before the relink.";
}

/** A delete can then not be made for the version that was backed up. */
static void
check_versions(struct observations *list, const struct runtime_evidence *runtime)
{
    struct observation *seen;

    if (list->expect == EXPECT_POST_RELINK || !evidence_without_versions(runtime))
        return;
    seen = observe(list, "D-VERSION", VERDICT_DIFFERS,
                   "%s: a delete cannot be made for the version that was backed up",
                   runtime->identity.optimistic_concurrency
                       ? "there are rows without a version"
                       : "the service does not compare row versions of this table");
    seen->hint =
        "With --allow-no-etag each row is compared with its backup just before its delete; "
        "a change in the moment between is lost.";
}

static void
check_runtime_rows(struct observations *list, const struct run_request *request,
                   const struct runtime_evidence *runtime)
{
    struct observation *seen;
    char created[128];

    if (runtime->row_count == 0 && runtime->identity.may_read_all == RIGHT_MISSING) {
        seen = observe(list, "D-ROWS", VERDICT_UNKNOWN,
                       "0 rows, but the application user may not read the rows of every owner");
        seen->cause = ERR_PERMISSION;
        seen->hint = "Give its role organization-level Read on Dual Write Runtime Configurations.";
        return;
    }
    if (runtime->row_count == 0) {
        (void)observe(list, "D-ROWS", VERDICT_OK, "Dual Write Runtime Configurations: 0 rows");
        return;
    }
    seen = observe(
        list, "D-ROWS", list->expect == EXPECT_POST_RELINK ? VERDICT_OK : VERDICT_DIFFERS,
        "Dual Write Runtime Configurations: %zu %s, %s", runtime->row_count,
        rows_word((int64_t)runtime->row_count), created_text(runtime, created, sizeof created));
    if (seen->verdict == VERDICT_DIFFERS)
        seen->code = HEALTH_STALE_DATAVERSE;
    check_versions(list, runtime);
    check_age(list, request, runtime);
}

static void
check_linked_host(struct observations *list, const char *expected, const char *found)
{
    struct observation *seen;

    if (!expected[0] && list->expect == EXPECT_POST_RELINK) {
        seen = observe(list, "D-LINK", VERDICT_UNKNOWN,
                       "Dataverse reports %s as its finance and operations environment; whether "
                       "that is the one that is meant is not known",
                       found);
        seen->cause = ERR_SERVER;
        seen->hint = "Say which one is meant: --expect-fno-url URL.";
        return;
    }
    seen = observe(list, "D-LINK",
                   expected[0] && strcmp(expected, found) != 0 ? VERDICT_DIFFERS : VERDICT_OK,
                   "Dataverse reports %s as its finance and operations environment", found);
    if (seen->verdict == VERDICT_DIFFERS)
        seen->hint =
            arena_printf(list->arena, "Expected %s. An old link may survive a copy.", expected);
}

static void
check_link(struct observations *list, const struct run_request *request,
           const struct runtime_identity *id)
{
    char expected[HOST_BYTES] = "";
    char found[HOST_BYTES];
    struct observation *seen;

    if (!id->link_known) {
        seen = observe(list, "D-LINK", VERDICT_UNKNOWN,
                       "the link to finance and operations is not known: %s", id->link_detail);
        seen->cause = ERR_SERVER;
        return;
    }
    if (!id->linked) {
        seen = observe(list, "D-LINK",
                       list->expect == EXPECT_POST_RELINK ? VERDICT_DIFFERS : VERDICT_OK,
                       "Dataverse reports no finance and operations link: %s", id->link_detail);
        if (seen->verdict == VERDICT_DIFFERS)
            seen->hint = "The Power Platform integration of this environment is blank: the relink "
                         "is not complete.";
        return;
    }
    if (request->expect_fno_url)
        host_of_url(request->expect_fno_url, expected);
    host_of_url(id->fno_url, found);
    check_linked_host(list, expected, found);
}

void
checks_dataverse(struct observations *list, const struct run_request *request,
                 const struct evidence *evidence)
{
    if (!evidence->runtime) {
        observe_unknown(list, "D-ORG", "Dataverse", &evidence->runtime_err);
        observe_unknown(list, "D-ROWS", "Dataverse", &evidence->runtime_err);
        return;
    }
    check_organization(list, request, &evidence->runtime->identity);
    check_runtime_rows(list, request, evidence->runtime);
    check_link(list, request, &evidence->runtime->identity);
    checks_diagnosis(list, request, evidence);
}
