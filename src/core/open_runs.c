#include "open_runs.h"

#include "base/text.h"
#include "core/history.h"
#include "next.h"

#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 512 };

/** The list, from the last run to the first. */
struct minding {
    struct run *run;
    bool axdb_settled, runtime_settled; /* a later run came to its end there */
    bool any;                           /* a later run was seen there */
    size_t damaged;
};

/** The database of this run, not restored since? */
static bool
same_database(const struct run *run, const struct plan_header *then)
{
    const struct axdb_evidence *seen = run->outcome->before.axdb;

    if (!seen || !then->database[0] || !text_equal_nocase(then->database, seen->identity.database))
        return false;
    if (strcmp(then->database_created, seen->identity.created) != 0 ||
        strcmp(then->recovery_fork, seen->identity.recovery_fork) != 0)
        return false;
    return then->recovery_fork[0] || text_equal_nocase(then->server, seen->identity.dialled);
}

static bool
same_organization(const struct run *run, const struct plan_header *then)
{
    const struct runtime_evidence *seen = run->outcome->before.runtime;

    return seen && then->organization_id[0] &&
           text_equal_nocase(then->organization_id, seen->identity.organization_id);
}

static const char *
command_for(const struct run *run, const struct run_entry *entry)
{
    const char *command =
        next_finishing_command(&run->request, run->arena, entry->past.id, entry->past.path,
                               history_is_undo(entry) ? entry->past.progress.undoes : NULL);

    return command ? command : "dwclean resume RUN";
}

static bool
refuse(const struct run *run, const struct run_entry *entry, struct err *err)
{
    (void)err_set(err, ERR_REFUSED,
                  "run %s on the same target has sent a COMMIT whose outcome is not known",
                  entry->id);
    (void)err_detail(err, "%s by %s on %s, last record \"%s\" at %s", entry->past.command,
                     entry->past.user, entry->past.host, entry->past.progress.last_step,
                     entry->past.progress.last_utc);
    return err_hint(
        err,
        "Find out first, with the same sign-in options: %s . Where that cannot tell and "
        "you know it otherwise, move its directory out of the runs directory.",
        command_for(run, entry));
}

static void
tell(struct run *run, const struct run_entry *entry)
{
    const struct run_progress *progress = &entry->past.progress;
    const char *line = arena_printf(
        run->arena,
        "run %s (%s by %s on %s) on the same target is not finished: it came to \"%s\" at %s",
        entry->id, entry->past.command, entry->past.user, entry->past.host, progress->last_step,
        progress->last_utc);
    const char *offer = arena_printf(run->arena, "to finish it instead of planning anew: %s",
                                     command_for(run, entry));

    run_say(run, LOG_LEVEL_WARNING, line ? line : "a run on the same target is not finished");
    if (offer)
        run_say(run, LOG_LEVEL_WARNING, offer);
}

/** A run that was cut off before its change, and that nothing came after. */
static void
tell_unchanged(struct run *run, const struct run_entry *entry)
{
    const char *last = entry->past.progress.last_step;
    const char *line;

    if (strcmp(last, "stopped") == 0 || strcmp(last, "close") == 0)
        return;
    line = arena_printf(run->arena,
                        "run %s on the same target was cut off (last record \"%s\"): nothing was "
                        "changed",
                        entry->id, last);
    if (line)
        run_say(run, LOG_LEVEL_NOTICE, line);
}

/** The undo that goes on with an undo. */
static bool
repeats(const struct run *run, const struct run_entry *entry)
{
    return history_is_undo(entry) && run->outcome->undoes &&
           strcmp(run->outcome->undoes, entry->past.progress.undoes) == 0;
}

/** It changed something, or may have, and did not come to its end. */
static bool
mind_unfinished(struct run *run, const struct run_entry *entry, enum history_state state,
                struct err *err)
{
    const bool undone = run->outcome->undoes && strcmp(run->outcome->undoes, entry->id) == 0;

    /* whether an undo came through is seen under the locks; nothing is purged before. A run that a
     * locked look found mixed has no COMMIT under way: an undo of it is the way on. */
    if (state == HISTORY_UNKNOWN && !history_is_undo(entry) &&
        !(undone && entry->past.progress.mixed))
        return refuse(run, entry, err);
    /* the run that is undone is taken back, not finished */
    if (!undone)
        tell(run, entry);
    return true;
}

/** Is it about a half that no later run has completed? */
static bool
counts(struct minding *minding, const struct run_entry *entry, enum history_state state)
{
    const bool axdb = same_database(minding->run, &entry->past.plan);
    const bool runtime = same_organization(minding->run, &entry->past.plan);
    const bool open = (axdb && !minding->axdb_settled) || (runtime && !minding->runtime_settled);

    if (state == HISTORY_DONE) {
        minding->axdb_settled = minding->axdb_settled || axdb;
        minding->runtime_settled = minding->runtime_settled || runtime;
    }
    return open && state != HISTORY_RUNNING;
}

static bool
mind(struct minding *minding, const struct run_entry *entry, struct err *err)
{
    const enum history_state state = history_state_of(entry);
    const bool newest = !minding->any;

    minding->damaged += state == HISTORY_DAMAGED;
    if (!counts(minding, entry, state))
        return true;
    minding->any = true;
    if (history_is_unfinished(state) && !repeats(minding->run, entry))
        return mind_unfinished(minding->run, entry, state, err);
    if (state == HISTORY_UNCHANGED && newest)
        tell_unchanged(minding->run, entry);
    return true;
}

bool
open_runs_mind(struct run *run, struct err *err)
{
    struct run_history *history = run->ports->history;
    struct minding minding = {.run = run};
    struct run_list list;
    char line[LINE_BYTES];

    if (!history || run->request.resumes)
        return true;
    if (!history->list(history, run->arena, &list, err))
        return run->request.dry_run || err_wrap(err, "the runs of before cannot be read");
    for (size_t i = 0; i < list.count; i++)
        if (!mind(&minding, &list.runs[i], err))
            return false;
    if (minding.damaged == 0)
        return true;
    (void)snprintf(line, sizeof line, "%zu damaged %s not looked at: dwclean runs says which",
                   minding.damaged, minding.damaged == 1 ? "run was" : "runs were");
    run_say(run, LOG_LEVEL_WARNING, line);
    return true;
}
