#include "next.h"

#include "core/guard.h"

#include <stddef.h>
#include <string.h>

enum { MAX_STEPS = 10 };

struct steps {
    const char **list;
    size_t count;
};

static void
add(struct steps *steps, const char *step)
{
    if (step && steps->list && steps->count < MAX_STEPS)
        steps->list[steps->count++] = step;
}

/** Both ways to relink, with what each loses. Source: Microsoft, "Unlink and relink dual-write
 *  environments" (2021, 2026) and "Reset dual-write connections" (2023). */
static void
add_relink(struct steps *steps)
{
    add(steps, "Relink in the browser, one of two ways:");
    add(steps,
        "(a) unlink and link again: keeps the mappings; nothing is promised about integration "
        "keys.");
    add(steps, "(b) Reset link: starts from scratch; maps leave the link, and integration keys, "
               "company mapping, alerts, logs and sync history are removed.");
    add(steps,
        "Then run the maps; without running them, finance and operations stays silent towards "
        "Dataverse.");
}

/** The rest of the command line that turns this dry run into a change. */
static void
add_planned(struct steps *steps, const struct run_request *request, struct arena *arena,
            const struct outcome *outcome)
{
    char name[256];

    add(steps, "At a terminal, run the same command without --dry-run: it shows this and asks.");
    add(steps, "In a pipeline, put this in the place of --dry-run:");
    add(steps, arena_printf(arena, "--maps-are-stopped --yes --plan-id %s --runs-dir DIRECTORY",
                            outcome->plan_id ? outcome->plan_id : "?"));
    if (request->env_class != CLASS_PRODUCTION)
        return;
    guard_target_name(request, name, sizeof name);
    add(steps, "Without --env or --class this target counts as production. If it is one, add:");
    add(steps, arena_printf(arena, "--allow-production='%s' --reason TEXT", name));
}

static void
add_residue(struct steps *steps, const struct outcome *outcome)
{
    const struct evidence *seen = &outcome->before;

    for (size_t i = 0; i < seen->observation_count; i++) {
        const struct observation *check = &seen->observations[i];

        if (strcmp(check->check, "D-ORG") == 0 && check->verdict == VERDICT_DIFFERS) {
            add(steps, "This is not the environment that was meant: check --dataverse-url and the "
                       "pins before anything else.");
            return;
        }
    }
    for (size_t i = 0; i < seen->host_count; i++) {
        if (seen->hosts[i].own) {
            add(steps, "Do not clean before you know whose rows these are. If only Dataverse was "
                       "restored: --dataverse-only.");
            return;
        }
    }
    if (outcome->err.code != ERR_NONE)
        add(steps, "Mend the access to the other side first (see the error above), then verify "
                   "again.");
    else
        add(steps, "Stop the maps, then see what would go: dwclean clean --dry-run with the same "
                   "target.");
}

static bool
is_command(const struct outcome *outcome, const char *command)
{
    return strcmp(outcome->command, command) == 0;
}

static void
add_refused(struct steps *steps, const struct outcome *outcome)
{
    if (is_command(outcome, "resume")) { /* its first part may have removed rows */
        add(steps, "This command changed nothing. Keep the directory of the run: it holds the only "
                   "copy of what the run removed.");
        return;
    }
    if (is_command(outcome, "check")) {
        add(steps, "Mend the access first (see the error above), then check again.");
        return;
    }
    if (is_command(outcome, "verify")) {
        if (outcome->before.family_count && outcome->word == OUTCOME_FAILED)
            add(steps, "Look at the channels above. If the event rows are dual-write's: dwclean "
                       "clean --channels all --dry-run.");
        return;
    }
    add(steps, outcome->run_path ? "Nothing was changed on the target. The run directory holds no "
                                   "copy that is needed: it may be deleted."
                                 : "Nothing was changed on the target.");
}

static void
add_clean(struct steps *steps, const struct run_request *request)
{
    if (request->channel_count)
        add(steps, "Event rows of other channels are kept by choice; the relink adds dual-write's "
                   "own again.");
    add(steps, request->axdb && request->dataverse
                   ? "Both sides are clean: the environment can be linked again."
                   : "Only one half was asked for: verify the other one before linking.");
}

static void
add_done(struct steps *steps, const struct run_request *request, const struct outcome *outcome)
{
    if (is_command(outcome, "undo")) {
        add(steps, "The old link is back: do not start maps or the application server before you "
                   "know that this is what you want.");
        add(steps, "To remove the rows again: dwclean clean with the same target.");
        return;
    }
    if (outcome->map_row_count || is_command(outcome, "repair-map")) {
        add(steps, "Start the map in the browser (Data management, Dual-write): that writes its "
                   "rows anew.");
        return;
    }
    if (!request->axdb || !request->dataverse)
        add(steps, "Only one half was cleaned: verify the other one before linking.");
    if (request->axdb)
        add(steps, "Start the application server, or restart it if it ran during the "
                   "clean-up.");
    add_relink(steps);
}

static void
add_unfinished(struct steps *steps, struct arena *arena, const struct outcome *outcome)
{
    const bool undo = is_command(outcome, "undo");

    if (!outcome->changed) {
        add(steps, "Nothing was changed on the target: run the command again.");
        return;
    }
    add(steps, "Something changed, or may have. Keep the run directory: it holds the backup.");
    if (!outcome->run_id)
        return;
    if (undo && outcome->undoes)
        add(steps, arena_printf(arena,
                                "dwclean undo %s --merge with the same target puts back what is "
                                "still missing.",
                                outcome->undoes));
    else
        add(steps, arena_printf(arena,
                                "dwclean resume %s with the same target finds out what is left and "
                                "finishes it.",
                                outcome->run_id));
}

static void
add_missing(struct steps *steps)
{
    add(steps, "Run the statements above as somebody who may, or pass them on to whoever may; "
               "then check again.");
}

void
next_steps(const struct run_request *request, struct arena *arena, struct outcome *outcome)
{
    struct steps steps = {.list = arena_alloc(arena, MAX_STEPS * sizeof *steps.list)};

    switch (outcome->word) {
    case OUTCOME_CLEAN:
        if (!is_command(outcome, "repair-map"))
            add_clean(&steps, request);
        break;
    case OUTCOME_READY:
        add(&steps, "See what would go: dwclean clean --dry-run with the same target.");
        break;
    case OUTCOME_MISSING:
        add_missing(&steps);
        break;
    case OUTCOME_DONE:
        add_done(&steps, request, outcome);
        break;
    case OUTCOME_PLANNED:
        add_planned(&steps, request, arena, outcome);
        break;
    case OUTCOME_RESIDUE:
        if (is_command(outcome, "verify"))
            add_residue(&steps, outcome);
        else
            add(&steps, "Find out what writes (maps, application server), stop it, and run the "
                        "command again.");
        break;
    case OUTCOME_PARTIAL:
    case OUTCOME_UNKNOWN:
        add_unfinished(&steps, arena, outcome);
        break;
    case OUTCOME_REFUSED:
    case OUTCOME_STALE:
    case OUTCOME_NO_ACCESS:
    case OUTCOME_FAILED:
    case OUTCOME_INTERRUPTED:
        add_refused(&steps, outcome);
        break;
    }
    outcome->next = steps.list;
    outcome->next_count = steps.count;
}
