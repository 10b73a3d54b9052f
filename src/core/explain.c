#include "base/text.h"
#include "core/evidence.h"
#include "core/origin.h"
#include "core/run.h"
#include "core/situation.h"
#include "core/symptom.h"
#include "run_steps.h"

#include <string.h>

enum { CHECK_BYTES = 16 };

/* ---- S01: the two names against the live organization ---- */

/** Do the rows, or a trace of this organization, name this one? */
static bool
names_it(const struct evidence *evidence, const char *name)
{
    const struct runtime_diagnosis *diagnosis = evidence->diagnosis;
    const struct origin_trace *trace = &evidence->origin->foreign;

    for (size_t i = 0; i < diagnosis->name_count; i++)
        if (diagnosis->names[i].sure && text_equal_nocase(diagnosis->names[i].name, name))
            return true;
    return trace->match && text_equal_nocase(trace->match->configured, name);
}

/** What rows and traces say, beside the text. `*ret_why` stays when they say nothing. */
static enum confirmation
judge_origin(const struct symptom_match *match, const struct evidence *evidence,
             struct arena *arena, const char **ret_why)
{
    const struct origin *origin = evidence->origin;

    switch (origin->whole) {
    case ORIGIN_UNKNOWN:
        return CONFIRMATION_CONFIRMED;
    case ORIGIN_OWN:
        *ret_why = "the text is from this organization, but the runtime configurations name this "
                   "organization itself: the text may be older than they are";
        return CONFIRMATION_UNDECIDED;
    case ORIGIN_CONTRADICTED:
    default:
        *ret_why = "the text is from this organization, but what the runtime configurations and "
                   "the plug-in traces name does not agree: see D-ROWS and D-TRACE";
        return CONFIRMATION_UNDECIDED;
    case ORIGIN_FOREIGN:
        break;
    }
    if (names_it(evidence, match->configured)) {
        *ret_why = origin->how;
        return CONFIRMATION_CONFIRMED;
    }
    *ret_why = arena_printf(arena, "%s; the text names %s: it may be older", origin->how,
                            match->configured);
    return CONFIRMATION_UNDECIDED;
}

static enum confirmation
judge_names(const struct symptom_match *match, const struct evidence *evidence, struct arena *arena,
            const char **ret_why)
{
    const struct runtime_evidence *runtime = evidence->runtime;

    if (!runtime) {
        *ret_why = "Dataverse was not read: the live organization is not known";
        return CONFIRMATION_UNDECIDED;
    }
    if (!match->actual || !match->configured) {
        const bool proven = evidence->origin->whole == ORIGIN_FOREIGN;

        *ret_why = proven ? evidence->origin->how : "the text does not say both names";
        return proven ? CONFIRMATION_CONSISTENT : CONFIRMATION_UNDECIDED;
    }
    if (!organization_is_live(&runtime->identity, match->actual)) {
        *ret_why = arena_printf(arena,
                                "the text is from organization %s, this is %s: delete nothing here "
                                "because of it",
                                match->actual, runtime->identity.unique_name);
        return CONFIRMATION_CONTRADICTED;
    }
    if (organization_is_live(&runtime->identity, match->configured)) {
        *ret_why = "both names are this organization's";
        return CONFIRMATION_UNDECIDED;
    }
    if (runtime->row_count == 0) {
        *ret_why =
            "the text is from this organization, but the table is empty now: the text may be "
            "older than a clean-up";
        return CONFIRMATION_UNDECIDED;
    }
    *ret_why = arena_printf(arena,
                            "this is organization %s, and %zu runtime configurations are there; "
                            "those that the plug-in refused were made in %s",
                            runtime->identity.unique_name, runtime->row_count, match->configured);
    return judge_origin(match, evidence, arena, ret_why);
}

/* ---- the others: by their checks ---- */

/** The worst observation of a check: differs, then unknown, then ok; NULL = it was not made. */
static const struct observation *
worst_of(const struct evidence *evidence, const char *check)
{
    const struct observation *worst = NULL;

    for (size_t i = 0; i < evidence->observation_count; i++) {
        const struct observation *seen = &evidence->observations[i];

        if (strcmp(seen->check, check) != 0)
            continue;
        if (seen->verdict == VERDICT_DIFFERS)
            return seen;
        if (!worst || seen->verdict == VERDICT_UNKNOWN)
            worst = seen;
    }
    return worst;
}

/** The next word of a list; "" at its end. */
static const char *
next_word(const char *list, char ret[CHECK_BYTES])
{
    const size_t size = strcspn(list, " ");

    memset(ret, 0, CHECK_BYTES);
    memcpy(ret, list, size < CHECK_BYTES ? size : CHECK_BYTES - 1);
    return list + size + strspn(list + size, " ");
}

/** These look at a part of what could be wrong: that they are ok disproves nothing. */
static bool
is_partial(const char *check)
{
    return strcmp(check, "D-TRACE") == 0 || strcmp(check, "D-COMPANY") == 0;
}

/** Rows that Microsoft's health check calls stale are what S08 is about: no other cause. */
static bool
proves(const struct symptom *symptom, const struct observation *seen)
{
    return seen->code && strcmp(symptom->id, "S08") == 0;
}

/** None of the checks differs: what that says. `open` is one that is unknown, or NULL. */
static enum confirmation
conclude(const struct symptom *symptom, const struct observation *open, size_t missing,
         size_t asked, struct arena *arena, const char **ret_why)
{
    if (open)
        *ret_why = arena_printf(arena, "%s: %s", open->check, open->text);
    else if (asked == 0)
        *ret_why = "no check from here can show it";
    else if (missing > 0)
        *ret_why = "not every check that would show it was made";
    else
        *ret_why = arena_printf(arena, "%s: ok, here and now", symptom->checks);
    return open || missing > 0 || asked == 0 ? CONFIRMATION_UNDECIDED : CONFIRMATION_CONTRADICTED;
}

static enum confirmation
judge_checks(const struct symptom *symptom, const struct evidence *evidence, struct arena *arena,
             const char **ret_why)
{
    const struct observation *open = NULL;
    size_t made = 0, asked = 0;
    char check[CHECK_BYTES];

    for (const char *at = symptom->checks; *at;) {
        const struct observation *seen;

        at = next_word(at, check);
        if (strcmp(check, "T-TEXT") == 0)
            continue;
        asked++;
        seen = worst_of(evidence, check);
        if (!seen)
            continue;
        made += !is_partial(check);
        if (seen->verdict == VERDICT_DIFFERS) {
            *ret_why = arena_printf(arena, "%s: %s", check, seen->text);
            return proves(symptom, seen) ? CONFIRMATION_CONFIRMED : CONFIRMATION_CONSISTENT;
        }
        open = seen->verdict == VERDICT_UNKNOWN ? seen : open;
    }
    return conclude(symptom, open, asked - made, asked, arena, ret_why);
}

/** What Dataverse is asked for these: rows and traces always, the rest where a check needs it. */
static unsigned
diagnosis_for(const struct symptom_match *matches, size_t count)
{
    unsigned parts = DIAGNOSE_ORGANIZATION;

    for (size_t i = 0; i < count; i++) {
        parts |= strstr(matches[i].symptom->checks, "D-PLUGIN") ? DIAGNOSE_PLUGINS : 0;
        parts |= strstr(matches[i].symptom->checks, "D-COMPANY") ? DIAGNOSE_COMPANIES : 0;
    }
    return parts;
}

/* ---- all of them ---- */

static bool
judge_matches(struct run *run, const struct symptom_match *matches, size_t count, struct err *err)
{
    const struct run_request *request = &run->request;
    struct explained *list = arena_alloc(run->arena, (count + 1) * sizeof *list);

    if (!list)
        return arena_exhausted(err);
    for (size_t i = 0; i < count; i++) {
        struct explained *one = &list[i];

        *one = (struct explained){.match = &matches[i]};
        if (!request->axdb && !request->dataverse)
            continue;
        one->confirmation =
            strcmp(matches[i].symptom->id, "S01") == 0
                ? judge_names(&matches[i], &run->outcome->before, run->arena, &one->evidence)
                : judge_checks(matches[i].symptom, &run->outcome->before, run->arena,
                               &one->evidence);
        if (!one->evidence)
            return arena_exhausted(err);
    }
    run->outcome->explained = list;
    run->outcome->explained_count = count;
    return true;
}

/** Look for the text, and for an id that stands alone. */
static bool
find_symptoms(struct run *run, struct symptom_match *ret, size_t *ret_count, struct err *err)
{
    const struct run_request *request = &run->request;
    const char *folded;
    char id[CHECK_BYTES];

    if (!symptom_find(request->text, request->text_size, run->arena, ret, ret_count, err))
        return false;
    if (*ret_count || request->text_size >= CHECK_BYTES)
        return true;
    folded = symptom_fold(request->text, request->text_size, false, run->arena);
    if (!folded)
        return arena_exhausted(err);
    (void)next_word(folded, id);
    ret[0] = (struct symptom_match){.symptom = symptom_by_id(id), .excerpt = folded};
    *ret_count = ret[0].symptom ? 1 : 0;
    return true;
}

static void
not_found(struct outcome *outcome)
{
    (void)err_set(&outcome->err, ERR_NOT_FOUND, "the text shows no symptom that dwclean knows");
    (void)err_hint(&outcome->err,
                   "Paste the whole message, in English, with codes such as DWFOEV1004 or "
                   "0x80072560; from a trace, the lines around \"failed\". dwclean explain without "
                   "a text lists the symptoms, also those without a message.");
    outcome->word = OUTCOME_FAILED;
    outcome->verdict = outcome->err.primary;
    outcome->exit_status = err_exit_status(outcome->err.code);
}

static void
explain(struct run *run, const struct symptom_match *matches, size_t count, struct err *err)
{
    struct outcome *outcome = run->outcome;
    const struct observation *why;
    const bool target = run->request.axdb || run->request.dataverse;

    run->diagnose = diagnosis_for(matches, count);
    run->apart = true;
    if ((target && (!run_look(run, err) || (!situations_find(&run->request, run->arena, outcome) &&
                                            !arena_exhausted(err)))) ||
        !judge_matches(run, matches, count, err)) {
        run_fail(outcome, err);
        return;
    }
    outcome->word = OUTCOME_EXPLAINED;
    outcome->verdict = count > 1 ? arena_printf(run->arena, "%zu symptoms", count) : NULL;
    if (!outcome->verdict)
        outcome->verdict = matches[0].symptom->title;
    if (!target)
        return;
    outcome->exit_status = evidence_status(&outcome->before, &why);
    if (outcome->exit_status == 2)
        outcome->word = OUTCOME_RESIDUE;
    else if (why)
        outcome->word = run_word_of(why->cause);
}

void
run_explain(const struct run_request *request, const struct run_ports *ports, struct arena *arena,
            struct outcome *ret)
{
    struct symptom_match *matches = arena_alloc(arena, SYMPTOM_MATCHES * sizeof *matches);
    struct run run;
    struct scope scope;
    struct err err = {0};
    size_t count = 0;

    run_begin(&run, "explain", request, ports, arena, ret);
    if (!matches || !scope_make(request, arena, &scope, &err)) {
        if (!matches)
            (void)arena_exhausted(&err);
        run_fail(ret, &err);
    } else {
        run_set_scope(&run, &scope);
        if (!find_symptoms(&run, matches, &count, &err))
            run_fail(ret, &err);
        else if (count == 0)
            not_found(ret);
        else
            explain(&run, matches, count, &err);
    }
    run_end(&run);
}
