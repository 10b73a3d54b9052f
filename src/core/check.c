#include "core/evidence.h"
#include "core/run.h"
#include "needs.h"
#include "run_steps.h"

#include <string.h>

/** Put what a run will need in the place of what verify asks. */
static bool
replace_observations(const struct run_request *request, const struct run_ports *ports,
                     struct arena *arena, struct evidence *evidence)
{
    struct needs needs;

    if (!needs_begin(request, evidence, arena, &needs))
        return false;
    if (evidence->axdb_asked)
        needs_of_axdb(&needs);
    if (evidence->runtime_asked)
        needs_of_dataverse(&needs);
    needs_of_runs(&needs, ports->runs);
    evidence->observations = needs.list;
    evidence->observation_count = needs.count;
    return !needs.exhausted;
}

/** A required need could not be looked at, and none is missing. */
static void
judge_unknown(const struct observation *why, struct arena *arena, struct outcome *outcome)
{
    const char *verdict = arena_printf(arena, "not known: %s", why->text);

    outcome->word = run_word_of(why->cause);
    outcome->verdict = verdict ? verdict : why->text;
    if (outcome->err.code != ERR_NONE)
        return;
    /* both sides answered: that what is needed is not known is the error to show */
    (void)err_set(&outcome->err, why->cause, "%s", why->text);
    (void)err_hint(&outcome->err, "%s", why->hint ? why->hint : "");
}

static const char *
missing_verdict(const struct evidence *evidence, struct arena *arena)
{
    const size_t missing = evidence_count(evidence, true, VERDICT_DIFFERS);
    const size_t unknown = evidence_count(evidence, true, VERDICT_UNKNOWN);
    const char *needs = missing == 1 ? "need is" : "needs are";
    const char *verdict = unknown ? arena_printf(arena, "%zu required %s missing, %zu not known",
                                                 missing, needs, unknown)
                                  : arena_printf(arena, "%zu required %s missing", missing, needs);

    return verdict ? verdict : "required needs are missing";
}

static const char *
ready_verdict(const struct evidence *evidence, struct arena *arena)
{
    const size_t advisory = evidence_count(evidence, false, VERDICT_DIFFERS) +
                            evidence_count(evidence, false, VERDICT_UNKNOWN);
    const char *verdict =
        advisory == 0
            ? NULL
            : arena_printf(arena,
                           "everything that a run needs is there; %zu advisory need%s missing "
                           "or not known",
                           advisory, advisory == 1 ? " is" : "s are");

    return verdict ? verdict : "everything that a run needs is there";
}

static void
judge(struct run *run)
{
    struct outcome *outcome = run->outcome;
    const struct evidence *evidence = &outcome->before;
    const struct observation *why;
    const struct err *unread;

    outcome->exit_status = evidence_status(evidence, &why);
    unread = run_unread_half(evidence, outcome->exit_status);
    if (unread)
        outcome->err = *unread;
    if (!why) {
        outcome->word = OUTCOME_READY;
        outcome->verdict = ready_verdict(evidence, run->arena);
    } else if (why->verdict == VERDICT_DIFFERS) {
        outcome->word = OUTCOME_MISSING;
        outcome->verdict = missing_verdict(evidence, run->arena);
    } else {
        judge_unknown(why, run->arena, outcome);
    }
}

/* ---- only: does it answer, and is it what was meant? ---- */

/** What a connection shows, and what is pinned. */
static bool
is_of_connection(const struct observation *seen)
{
    static const char *const checks[] = {"C-CONNECT", "C-TLS",    "C-LOGIN", "C-DB",
                                         "C-SERVER",  "C-SIGNIN", "C-ORG",   "C-LINK"};

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (strcmp(seen->check, checks[i]) == 0)
            return true;
    return seen->required && strcmp(seen->check, "C-RESTORE") == 0;
}

/** Of the needs from `from` on: those of the connection; of a half without an answer, why. */
static void
keep_connection(struct needs *needs, size_t from, bool answered)
{
    size_t kept = from;

    for (size_t i = from; i < needs->count; i++) {
        const struct observation *seen = &needs->list[i];
        const bool why =
            !answered && seen->verdict != VERDICT_OK && strcmp(seen->check, "C-HOST") != 0;

        if (why || is_of_connection(seen))
            needs->list[kept++] = *seen;
    }
    needs->count = kept;
}

static bool
observe_connections(const struct run_request *request, struct arena *arena,
                    struct evidence *evidence)
{
    struct needs needs;
    size_t from;

    if (!needs_begin(request, evidence, arena, &needs))
        return false;
    if (evidence->axdb_asked)
        needs_of_axdb(&needs);
    keep_connection(&needs, 0, evidence->axdb != NULL);
    from = needs.count;
    if (evidence->runtime_asked)
        needs_of_dataverse(&needs);
    keep_connection(&needs, from, evidence->runtime != NULL);
    evidence->observations = needs.list;
    evidence->observation_count = needs.count;
    return !needs.exhausted;
}

static const char *
answer_of(bool asked, bool answered, const char *name, const char *alone)
{
    return !asked ? "" : answered ? alone : name;
}

static void
judge_answers(struct run *run)
{
    struct outcome *outcome = run->outcome;
    const struct evidence *evidence = &outcome->before;
    const char *axdb = answer_of(evidence->axdb_asked, evidence->axdb != NULL,
                                 "AxDB: no answer to work with", "AxDB: ok");
    const char *runtime = answer_of(evidence->runtime_asked, evidence->runtime != NULL,
                                    "Dataverse: no answer to work with", "Dataverse: ok");
    const struct observation *why;

    judge(run);
    (void)evidence_status(evidence, &why);
    outcome->verdict =
        why && why->verdict == VERDICT_DIFFERS
            ? arena_printf(run->arena, "this is not the target that was meant: %s", why->text)
            : arena_printf(run->arena, "%s%s%s", axdb, *axdb && *runtime ? "; " : "", runtime);
    if (!outcome->verdict)
        outcome->verdict = "the environment was looked at";
    if (outcome->word == OUTCOME_MISSING) {
        outcome->word = OUTCOME_REFUSED;
        outcome->exit_status = err_exit_status(ERR_REFUSED);
    }
}

void
run_test_target(const struct run_request *request, const struct run_ports *ports,
                struct arena *arena, struct outcome *ret)
{
    struct run run;
    struct err err = {0};

    run_begin(&run, "env", request, ports, arena, ret);
    run.apart = true;
    if (run_look(&run, &err) &&
        (observe_connections(request, arena, &ret->before) || arena_exhausted(&err)))
        judge_answers(&run);
    else
        run_fail(ret, &err);
    run_end(&run);
}

void
run_check(const struct run_request *request, const struct run_ports *ports, struct arena *arena,
          struct outcome *ret)
{
    struct run run;
    struct err err = {0};

    run_begin(&run, "check", request, ports, arena, ret);
    if (run_look(&run, &err) &&
        (replace_observations(request, ports, arena, &ret->before) || arena_exhausted(&err)))
        judge(&run);
    else
        run_fail(ret, &err);
    run_end(&run);
}
