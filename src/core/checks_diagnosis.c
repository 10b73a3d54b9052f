#include "base/text.h"
#include "checks.h"
#include "core/host.h"
#include "core/origin.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 4, LIST_BYTES = 512 };

#define HEALTH_NO_TEAM "DWDVEV1007"

/** A list in words, as far as it fits: "a, b and 3 more". */
struct words {
    char text[LIST_BYTES];
    size_t used, shown, left_out;
};

static void
add_word(struct words *words, const char *text)
{
    const size_t size = strlen(text);

    if (words->shown == SHOWN || words->used + size + 2 >= LIST_BYTES) {
        words->left_out++;
        return;
    }
    words->used += (size_t)snprintf(words->text + words->used, LIST_BYTES - words->used, "%s%s",
                                    words->shown++ ? ", " : "", text);
}

static const char *
words_text(struct words *words, struct arena *arena)
{
    const char *text = words->left_out
                           ? arena_printf(arena, "%s and %zu more", words->text, words->left_out)
                           : words->text;

    return text ? text : words->text;
}

/** An advisory observation about a question that was not answered. True when it was made. */
static bool
is_unanswered(struct observations *list, const char *check, const struct diagnosis_part *part,
              const char *what)
{
    struct observation *seen;

    if (part->known)
        return false;
    observe_unknown(list, check, what, &part->why);
    seen = &list->list[list->count - 1];
    seen->required = false;
    /* the hint of the error is about what a run needs, and this is not */
    seen->hint = part->why.code == ERR_PERMISSION
                     ? "No run needs this; a role that may read it would show more."
                     : NULL;
    return true;
}

static struct observation *
advise(struct observations *list, const char *check, enum verdict verdict, const char *text,
       const char *hint)
{
    struct observation *seen = observe(list, check, verdict, "%s", text ? text : "");

    list->exhausted |= !text;
    seen->required = false;
    seen->hint = hint;
    seen->cause = verdict == VERDICT_UNKNOWN ? ERR_SERVER : ERR_NONE;
    return seen;
}

/* ---- organizations in the rows ---- */

/** "org_contosoprod (17 rows), ..." of those whose key makes them names, or of the others. */
static const char *
list_names(const struct runtime_diagnosis *diagnosis, bool sure, struct words *words,
           struct arena *arena)
{
    for (size_t i = 0; i < diagnosis->name_count; i++) {
        const struct organization_name *name = &diagnosis->names[i];
        char text[HOST_BYTES + 64];
        char host[HOST_BYTES] = "";

        if (name->sure != sure)
            continue;
        if (strstr(name->name, "://")) /* no path, no query, no user */
            host_of_url(name->name, host);
        (void)snprintf(text, sizeof text, "%s (%zu %s)", host[0] ? host : name->name, name->rows,
                       rows_word((int64_t)name->rows));
        add_word(words, text);
    }
    words->left_out += diagnosis->more_names;
    return words_text(words, arena);
}

/** How much of the rows was searched; "" = all of them. */
static const char *
tell_extent(const struct runtime_evidence *runtime, const struct runtime_diagnosis *diagnosis,
            char *ret, size_t size)
{
    ret[0] = '\0';
    if (diagnosis->rows_scanned < runtime->row_count)
        (void)snprintf(ret, size, "; %zu of %zu %s searched whole", diagnosis->rows_scanned,
                       runtime->row_count, runtime->row_count == 1 ? "row was" : "rows were");
    return ret;
}

static void
check_names(struct observations *list, const struct evidence *evidence)
{
    const struct runtime_diagnosis *diagnosis = evidence->diagnosis;
    const struct origin *origin = evidence->origin;
    const char *live = evidence->runtime->identity.unique_name;
    const char *against = origin->rows == ORIGIN_CONTRADICTED ? "; they do not agree"
                          : origin->whole == ORIGIN_CONTRADICTED
                              ? "; a plug-in trace contradicts that"
                              : "";
    struct words words = {0};
    char extent[96];
    const enum verdict verdict = origin->whole == ORIGIN_CONTRADICTED ? VERDICT_UNKNOWN
                                 : origin->rows == ORIGIN_FOREIGN     ? VERDICT_DIFFERS
                                                                      : VERDICT_OK;

    if (evidence->runtime->row_count == 0 ||
        is_unanswered(list, "D-ROWS", &diagnosis->names_part, "organizations named in the rows"))
        return;
    (void)tell_extent(evidence->runtime, diagnosis, extent, sizeof extent);
    if (origin->rows != ORIGIN_UNKNOWN)
        (void)advise(list, "D-ROWS", verdict,
                     arena_printf(list->arena,
                                  "organization named in the rows: %s; the live organization is "
                                  "%s%s%s",
                                  list_names(diagnosis, true, &words, list->arena), live, against,
                                  extent),
                     verdict != VERDICT_DIFFERS
                         ? NULL
                         : "Made in another organization: dwclean clean removes them, before "
                           "the relink.");
    else if (diagnosis->name_count > 0)
        (void)advise(list, "D-ROWS", VERDICT_UNKNOWN,
                     arena_printf(list->arena,
                                  "the rows have texts that may or may not name an organization: "
                                  "%s; the live organization is %s%s",
                                  list_names(diagnosis, false, &words, list->arena), live, extent),
                     NULL);
    else
        (void)advise(list, "D-ROWS", VERDICT_UNKNOWN,
                     arena_printf(list->arena, "no organization is named in the rows%s", extent),
                     NULL);
}

/* ---- traces ---- */

static const char *
name_pair(struct arena *arena, const struct origin_trace *trace, const char *live, const char *end)
{
    return arena_printf(arena,
                        "a plug-in trace of %s: the configuration is of %.128s, the organization "
                        "is %.128s; the live organization is %s%s",
                        trace->created_on, trace->match->configured, trace->match->actual, live,
                        end);
}

/** SecureConfig errors in the traces. True when there is something to say. */
static bool
check_pairs(struct observations *list, const struct origin *origin,
            const struct runtime_evidence *runtime)
{
    const char *live = runtime->identity.unique_name;

    if (origin->elsewhere.match)
        (void)advise(list, "D-TRACE", VERDICT_UNKNOWN,
                     name_pair(list->arena, &origin->elsewhere, live,
                               ": the trace may have come with the copy"),
                     "Say when the copy was made: --restored-at TIME leaves older traces out.");
    else if (origin->foreign.match)
        (void)advise(
            list, "D-TRACE", origin->whole == ORIGIN_FOREIGN ? VERDICT_DIFFERS : VERDICT_UNKNOWN,
            name_pair(list->arena, &origin->foreign, live,
                      origin->whole == ORIGIN_FOREIGN ? "" : ", and the rows contradict that"),
            "dwclean explain S01 says what this means.");
    else if (origin->outlived.match)
        (void)advise(list, "D-TRACE", VERDICT_UNKNOWN,
                     name_pair(list->arena, &origin->outlived, live,
                               runtime->row_count ? ": it is older than every runtime configuration"
                                                  : ": there is no runtime configuration now"),
                     NULL);
    else if (origin->vague.match)
        (void)advise(list, "D-TRACE", VERDICT_UNKNOWN,
                     arena_printf(list->arena,
                                  "a plug-in trace of %s shows the SecureConfig error, without two "
                                  "different names",
                                  origin->vague.created_on),
                     NULL);
    else
        return false;
    return true;
}

/** Other errors. Without the time of the copy they may be the source's. */
static void
check_symptoms(struct observations *list, const struct origin *origin, bool dated)
{
    struct words words = {0};

    for (size_t i = 0; i < origin->symptom_count; i++) {
        char text[160];

        (void)snprintf(text, sizeof text, "%s (%s)", origin->symptoms[i]->id,
                       origin->symptoms[i]->title);
        add_word(&words, text);
    }
    (void)advise(list, "D-TRACE", dated ? VERDICT_DIFFERS : VERDICT_UNKNOWN,
                 arena_printf(list->arena, "plug-in traces, the newest of %s, show %s%s",
                              origin->newest, words_text(&words, list->arena),
                              dated ? "" : "; they may be older than the copy"),
                 dated ? "dwclean explain ID says what each means."
                       : "Say when the copy was made: --restored-at TIME.");
}

static void
check_traces(struct observations *list, const struct run_request *request,
             const struct evidence *evidence)
{
    const struct origin *origin = evidence->origin;

    if (is_unanswered(list, "D-TRACE", &evidence->diagnosis->traces_part, "plug-in trace log"))
        return;
    if (check_pairs(list, origin, evidence->runtime)) {
        if (origin->symptom_count)
            check_symptoms(list, origin, request->restored_at);
    } else if (origin->symptom_count)
        check_symptoms(list, origin, request->restored_at);
    else if (origin->traces_taken)
        (void)advise(list, "D-TRACE", VERDICT_OK,
                     arena_printf(list->arena,
                                  "the newest %zu %s of the dual-write plug-ins %s no error that "
                                  "is known here",
                                  origin->traces_taken,
                                  origin->traces_taken == 1 ? "trace" : "traces",
                                  origin->traces_taken == 1 ? "shows" : "show"),
                     NULL);
    else if (origin->traces_older)
        (void)advise(list, "D-TRACE", VERDICT_UNKNOWN,
                     arena_printf(list->arena,
                                  "no trace of the dual-write plug-ins since the copy (%s); %zu "
                                  "older",
                                  request->restored_at, origin->traces_older),
                     NULL);
    else
        (void)advise(list, "D-TRACE", VERDICT_UNKNOWN,
                     "no trace of the dual-write plug-ins; tracing may be off",
                     "Turn the plug-in trace log on (Exception), save a mapped record, verify "
                     "again.");
}

/* ---- plug-in steps ---- */

static void
tell_disabled(struct observations *list, const struct runtime_diagnosis *diagnosis)
{
    struct words words = {0};

    for (size_t i = 0; i < diagnosis->disabled_name_count; i++)
        add_word(&words,
                 diagnosis->disabled_names[i][0] ? diagnosis->disabled_names[i] : "(no name)");
    words.left_out += diagnosis->disabled_steps - diagnosis->disabled_name_count;
    (void)advise(list, "D-PLUGIN", VERDICT_DIFFERS,
                 arena_printf(list->arena, "%zu of %zu plug-in steps of dual-write %s disabled: %s",
                              diagnosis->disabled_steps, diagnosis->plugin_steps,
                              diagnosis->disabled_steps == 1 ? "is" : "are",
                              words_text(&words, list->arena)),
                 "Enable them, or import the dual-write core solution again.");
}

static void
check_plugins(struct observations *list, const struct runtime_diagnosis *diagnosis)
{
    if (is_unanswered(list, "D-PLUGIN", &diagnosis->plugins_part, "plug-in steps"))
        return;
    if (diagnosis->disabled_steps > 0)
        tell_disabled(list, diagnosis);
    else if (diagnosis->plugin_steps == 0)
        (void)advise(list, "D-PLUGIN", VERDICT_UNKNOWN,
                     "no plug-in step of dual-write is visible: not installed, or no right to see "
                     "it",
                     NULL);
    else
        (void)advise(list, "D-PLUGIN", diagnosis->more_steps ? VERDICT_UNKNOWN : VERDICT_OK,
                     arena_printf(list->arena, "%s%zu plug-in %s of dual-write %s enabled",
                                  diagnosis->more_steps ? "the first " : "",
                                  diagnosis->plugin_steps,
                                  diagnosis->plugin_steps == 1 ? "step" : "steps",
                                  diagnosis->plugin_steps == 1 ? "is" : "are"),
                     NULL);
}

/* ---- companies ---- */

static int
compare_trimmed(const char *a, const char *b)
{
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);

    while (a_size && a[a_size - 1] == ' ')
        a_size--;
    while (b_size && b[b_size - 1] == ' ')
        b_size--;
    const int order = strncasecmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int
by_text(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return compare_trimmed(*left, *right);
}

/** Of sorted texts: those that are there more than once; returns how many are blank. */
static size_t
find_doubles(const char *const *texts, size_t count, struct words *words)
{
    size_t blank = 0;
    bool counted = false;

    for (size_t i = 0; i < count; i++) {
        const bool same = i > 0 && compare_trimmed(texts[i - 1], texts[i]) == 0;

        if (texts[i][strspn(texts[i], " ")] == '\0')
            blank++;
        else if (same && !counted)
            add_word(words, texts[i]);
        counted = same;
    }
    return blank;
}

/** Blank codes or names, and those that are there more than once. */
static bool
check_texts(struct observations *list, const struct runtime_diagnosis *diagnosis, bool codes)
{
    const char **texts = arena_alloc(list->arena, (diagnosis->company_count + 1) * sizeof *texts);
    const char *what = codes ? "code" : "name";
    struct words words = {0};
    size_t blank;

    if (!texts) {
        list->exhausted = true;
        return true;
    }
    for (size_t i = 0; i < diagnosis->company_count; i++)
        texts[i] = codes ? diagnosis->companies[i].code : diagnosis->companies[i].name;
    qsort(texts, diagnosis->company_count, sizeof *texts, by_text);
    blank = find_doubles(texts, diagnosis->company_count, &words);
    if (!blank && !words.shown)
        return false;
    (void)advise(list, "D-COMPANY", VERDICT_DIFFERS,
                 words.shown
                     ? arena_printf(list->arena,
                                    "companies: %zu without a %s; %ss there more than "
                                    "once: %s",
                                    blank, what, what, words_text(&words, list->arena))
                     : arena_printf(list->arena, "companies: %zu without a %s", blank, what),
                 "Mend them before the relink: a link cannot be saved with them. If companies of "
                 "both sides differ, Microsoft's health check says DWDVEV1003 or DWFOEV1003.");
    return true;
}

static bool
check_teams(struct observations *list, const struct runtime_diagnosis *diagnosis)
{
    struct words words = {0};
    size_t without = 0;
    struct observation *seen;

    for (size_t i = 0; i < diagnosis->company_count; i++) {
        const struct runtime_company *company = &diagnosis->companies[i];

        if (!company->enabled || company->has_team)
            continue;
        without++;
        add_word(&words, company->code[0] ? company->code : "(no code)");
    }
    if (without == 0)
        return false;
    seen = advise(
        list, "D-COMPANY", VERDICT_DIFFERS,
        arena_printf(list->arena, "%zu %s for dual-write %s no default owning team: %s", without,
                     without == 1 ? "company that is enabled" : "companies that are enabled",
                     without == 1 ? "has" : "have", words_text(&words, list->arena)),
        "Set the default owning team of each.");
    seen->code = HEALTH_NO_TEAM;
    return true;
}

static void
check_companies(struct observations *list, const struct runtime_diagnosis *diagnosis)
{
    bool differs = false;

    if (is_unanswered(list, "D-COMPANY", &diagnosis->companies_part, "companies"))
        return;
    if (diagnosis->company_count == 0) {
        (void)advise(list, "D-COMPANY", VERDICT_UNKNOWN,
                     "no company is visible: there is none, or no right to see them", NULL);
        return;
    }
    differs |= check_texts(list, diagnosis, true);
    differs |= check_texts(list, diagnosis, false);
    differs |= check_teams(list, diagnosis);
    if (!differs)
        (void)advise(list, "D-COMPANY", diagnosis->more_companies ? VERDICT_UNKNOWN : VERDICT_OK,
                     arena_printf(list->arena,
                                  "%s%zu %s: no blank or double code or name, no owning team "
                                  "missing",
                                  diagnosis->more_companies ? "the first " : "",
                                  diagnosis->company_count,
                                  diagnosis->company_count == 1 ? "company" : "companies"),
                     NULL);
}

void
checks_diagnosis(struct observations *list, const struct run_request *request,
                 const struct evidence *evidence)
{
    const struct runtime_diagnosis *diagnosis = evidence->diagnosis;

    if (!diagnosis)
        return;
    assert(evidence->origin); /* these two are a part of every diagnosis */
    check_names(list, evidence);
    check_traces(list, request, evidence);
    if (diagnosis->plugins_part.asked)
        check_plugins(list, diagnosis);
    if (diagnosis->companies_part.asked)
        check_companies(list, diagnosis);
}
