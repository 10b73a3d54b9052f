#include "core/run.h"

#include "apply.h"
#include "core/confirm.h"
#include "core/guard.h"
#include "core/situation.h"
#include "run_steps.h"

#include <inttypes.h>
#include <string.h>

/* ---- verify ---- */

/** The check that says that this is another target than the one that was meant, or NULL. */
static const struct observation *
wrong_target(const struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->observation_count; i++) {
        const struct observation *seen = &evidence->observations[i];

        if (seen->verdict == VERDICT_DIFFERS &&
            (strcmp(seen->check, "A-PIN") == 0 || strcmp(seen->check, "D-ORG") == 0))
            return seen;
    }
    return NULL;
}

/** Rows that are there and that the scope is about. */
static int64_t
residue_rows(const struct outcome *outcome)
{
    int64_t sum = 0;

    for (int i = 0; i < TABLES; i++) {
        const struct table_outcome *table = &outcome->tables[i];
        const int64_t kept = table->kept_rows > 0 ? table->kept_rows : 0;

        if (table->asked && table->before_rows > kept)
            sum += table->before_rows - kept;
    }
    return sum;
}

/** Of the hosts that are not the target's own, the one with most rows; how many others there are.
 */
static const char *
foreign_host(const struct evidence *evidence, size_t *ret_others)
{
    const char *host = NULL;

    *ret_others = 0;
    for (size_t i = 0; i < evidence->host_count; i++) {
        if (!evidence->hosts[i].host[0] || evidence->hosts[i].own)
            continue;
        if (host)
            ++*ret_others;
        else
            host = evidence->hosts[i].host;
    }
    return host;
}

static bool
own_host_is_named(const struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->host_count; i++)
        if (evidence->hosts[i].own)
            return true;
    return false;
}

/** What residue there is: how many rows, whom they name, and who this is. NULL = out of memory. */
static const char *
name_residue(const struct outcome *outcome, struct arena *arena)
{
    const struct evidence *evidence = &outcome->before;
    const int64_t rows = residue_rows(outcome);
    const char *word = rows == 1 ? "row" : "rows";
    const char *own = evidence->own_host;
    const char *others;
    size_t more;
    const char *host = foreign_host(evidence, &more);

    if (own_host_is_named(evidence))
        return arena_printf(arena,
                            "%" PRId64 " %s; project rows name the target's own organization %s: "
                            "this may be a working link",
                            rows, word, own);
    if (!host)
        return arena_printf(arena,
                            "%" PRId64 " %s where none are expected; no project row names an "
                            "environment",
                            rows, word);
    others = more ? arena_printf(arena, " and %zu more", more) : "";
    return !others ? NULL
           : own   ? arena_printf(arena,
                                  "%" PRId64 " %s of another environment: project rows name %s%s "
                                    "(own: %s)",
                                  rows, word, host, others, own)
                   : arena_printf(arena,
                                  "%" PRId64 " %s: project rows name %s%s (the own host is not "
                                    "known)",
                                  rows, word, host, others);
}

/** What residue there is, in one sentence. */
static const char *
residue_verdict(const struct outcome *outcome, struct arena *arena)
{
    const struct observation *wrong = wrong_target(&outcome->before);
    const char *verdict =
        wrong ? arena_printf(arena, "this is not the target that was meant: %s", wrong->text)
              : name_residue(outcome, arena);

    return verdict ? verdict : "required checks differ";
}

/** After a relink: what shows that the link works, or does not. NULL = out of memory. */
static const char *
link_verdict(const struct outcome *outcome, const struct observation *why, struct arena *arena)
{
    const struct evidence *evidence = &outcome->before;
    int64_t own = 0;

    if (why)
        return arena_printf(arena, "the link is not as it should be: %s", why->text);
    for (size_t i = 0; i < evidence->host_count; i++)
        own += evidence->hosts[i].own ? evidence->hosts[i].rows : 0;
    if (!evidence->axdb)
        return "after the relink: every required check of Dataverse is ok";
    return arena_printf(arena,
                        "after the relink: every required check is ok; %" PRId64
                        " project %s the target's own organization",
                        own, own == 1 ? "row names" : "rows name");
}

/** The sentence for what `verify` found, where it found something or all is well. */
static const char *
verdict_of(const struct run *run, const struct observation *why)
{
    const struct outcome *outcome = run->outcome;

    if (run->request.expect == EXPECT_POST_RELINK) {
        const char *verdict = link_verdict(outcome, why, run->arena);
        return verdict ? verdict : "the link was looked at";
    }
    return why ? residue_verdict(outcome, run->arena)
               : run_clean_verdict(run, "every required check is ok");
}

/** What was found, and in the same breath what was not: a table that is missing is no detail. */
static const char *
with_unknowns(const struct evidence *evidence, const char *verdict, struct arena *arena)
{
    const size_t unknown = evidence_count(evidence, true, VERDICT_UNKNOWN);
    const char *text = NULL;

    for (size_t i = 0; !text && i < evidence->observation_count; i++)
        if (evidence->observations[i].required &&
            evidence->observations[i].verdict == VERDICT_UNKNOWN)
            text = evidence->observations[i].text;
    text = !text ? NULL
           : unknown == 1
               ? arena_printf(arena, "%s; not known: %s", verdict, text)
               : arena_printf(arena, "%s; not known: %s, and %zu more", verdict, text, unknown - 1);
    return text ? text : verdict;
}

/** A required check is unknown and none differs. */
static void
judge_unknown(const struct observation *why, const struct err *unread, struct arena *arena,
              struct outcome *outcome)
{
    const char *verdict = arena_printf(arena, "not known: %s", why->text);

    outcome->word = run_word_of(why->cause);
    outcome->verdict = verdict ? verdict : why->text;
    if (unread)
        return;
    /* both sides answered, and what they said proves nothing: that is the error to show */
    (void)err_set(&outcome->err, why->cause, "%s", why->text);
    (void)err_hint(&outcome->err, "%s", why->hint ? why->hint : "");
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
        outcome->word = OUTCOME_CLEAN;
        outcome->verdict = verdict_of(run, NULL);
    } else if (why->verdict == VERDICT_DIFFERS) {
        outcome->word = OUTCOME_RESIDUE;
        outcome->verdict = verdict_of(run, why);
        if (unread && run->request.expect == EXPECT_PRE_RELINK)
            outcome->verdict = evidence->axdb ? "AxDB has rows; Dataverse was not read"
                                              : "Dataverse has rows; AxDB was not read";
        else
            outcome->verdict = with_unknowns(evidence, outcome->verdict, run->arena);
    } else {
        judge_unknown(why, unread, run->arena, outcome);
    }
}

void
run_verify(const struct run_request *request, const struct run_ports *ports, struct arena *arena,
           struct outcome *ret)
{
    struct run run;
    struct scope scope;
    struct err err = {0};

    run_begin(&run, "verify", request, ports, arena, ret);
    run.diagnose = DIAGNOSE_ALL;
    run.apart = true;
    if (scope_make(request, arena, &scope, &err)) {
        run_set_scope(&run, &scope);
        if (run_look(&run, &err) &&
            (situations_find(&run.request, arena, ret) || arena_exhausted(&err)))
            judge(&run);
        else
            run_fail(ret, &err);
    } else {
        run_fail(ret, &err);
    }
    run_end(&run);
}

/* ---- clean ---- */

enum preparation {
    GO_ON,    /* everything is sealed: change the targets */
    FINISHED, /* there is nothing to change, or it was a dry run: the outcome is filled */
    FAILED,   /* `err` is filled; nothing was changed */
};

/** A plan, and no more: in a dry run, and where nothing is there. */
static enum preparation
plan_only(struct run *run, struct err *err)
{
    /* an empty plan has an id too: a pipeline confirms it without asking what there is to do */
    if (!run_plan(run, err) || !confirm_plan_id(&run->request, &run->plan, err))
        return FAILED;
    if (!situations_find(&run->request, run->arena, run->outcome)) {
        (void)arena_exhausted(err);
        return FAILED;
    }
    run_finish_plan(run,
                    run_nothing_is_there(run) ? run_clean_verdict(run, "nothing to do") : NULL);
    return FINISHED;
}

/** Up to and with the sealed backup. */
static enum preparation
prepare(struct run *run, struct err *err)
{
    const struct run_request *request = &run->request;
    struct scope scope;

    if (!request->dry_run &&
        !guard_statement(request, run->ports->op && run->ports->op->present, err))
        return FAILED;
    if (!scope_make(request, run->arena, &scope, err))
        return FAILED;
    run_set_scope(run, &scope);
    if (request->axdb && !request->dry_run && !run_name(run, err))
        return FAILED;
    /* a plan that does not fit any more is stale, whatever else a guard would say of the rows */
    if (!run_look(run, err) || !apply_same_target(run, err) || !apply_compare(run, err) ||
        !guard_target(request, &run->scope, GUARD_CLEAN, &run->outcome->before, err) ||
        !apply_compare(run, err))
        return FAILED;
    if (request->dry_run || run_nothing_is_there(run))
        return plan_only(run, err);
    if (run_open(run, err) && run_plan(run, err) && run_confirm(run, NULL, err) &&
        run_exclude_others(run, err) && run_back_up(run, err))
        return GO_ON;
    return FAILED;
}

static void
clean(struct run *run)
{
    struct err err = {0};

    run->diagnose = run->request.dry_run ? DIAGNOSE_ORGANIZATION : 0;
    switch (prepare(run, &err)) {
    case GO_ON:
        if (!run_clear_axdb(run, &err) || !run_purge_and_prove(run, &err))
            run_stop(run, &err);
        break;
    case FINISHED:
        break;
    case FAILED:
    default:
        run_fail(run->outcome, &err);
        break;
    }
}

void
run_clean(const struct run_request *request, const struct run_ports *ports, struct arena *arena,
          struct outcome *ret)
{
    struct run run;

    run_begin(&run, "clean", request, ports, arena, ret);
    clean(&run);
    run_end(&run);
}

/* ---- plan, apply ---- */

/** What the request, or the plan, is about. */
static void
clean_or_map(struct run *run)
{
    if (run->request.map)
        run_map(run);
    else
        clean(run);
}

void
run_make_plan(const struct run_request *request, const struct run_ports *ports, struct arena *arena,
              struct outcome *ret)
{
    struct run run;

    run_begin(&run, "plan", request, ports, arena, ret);
    run.request.dry_run = true;
    ret->dry_run = true;
    clean_or_map(&run);
    run_end(&run);
}

void
run_apply(const struct run_request *request, const struct run_ports *ports, struct arena *arena,
          struct outcome *ret)
{
    struct run run;
    struct err err = {0};

    run_begin(&run, "apply", request, ports, arena, ret);
    if (apply_begin(&run, &err))
        clean_or_map(&run);
    else
        run_fail(ret, &err);
    run_end(&run);
}
