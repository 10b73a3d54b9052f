#include "next.h"

#include <stddef.h>

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

/** Both ways to relink, with what each loses (reference dual-write.md, section 1). */
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

void
next_steps(const struct run_request *request, struct arena *arena, struct outcome *outcome)
{
    struct steps steps = {.list = arena_alloc(arena, MAX_STEPS * sizeof *steps.list)};
    const bool verify = outcome->command[0] == 'v';

    switch (outcome->word) {
    case OUTCOME_CLEAN:
        add(&steps, request->axdb && request->dataverse
                        ? "Both sides are clean: the environment can be linked again."
                        : "Only one half was asked for: verify the other one before linking.");
        break;
    case OUTCOME_DONE:
        add(&steps, "Start the application server, or restart it if it ran during the clean-up.");
        add_relink(&steps);
        break;
    case OUTCOME_PLANNED:
        add(&steps, "Run the same command with --maps-are-stopped --yes --plan-id ID instead of "
                    "--dry-run:");
        add(&steps, arena_printf(arena, "--plan-id %s", outcome->plan_id ? outcome->plan_id : "?"));
        break;
    case OUTCOME_RESIDUE:
        add(&steps, verify
                        ? "Stop the maps, then see what would go: dwclean clean --dry-run with the "
                          "same target."
                        : "Find out what writes (maps, application server), stop it, and run clean "
                          "again.");
        break;
    case OUTCOME_PARTIAL:
    case OUTCOME_UNKNOWN:
        add(&steps, "Something changed, or may have. Keep the run directory: it holds the backup.");
        add(&steps, "Run dwclean verify with the same target, then clean again for what is left.");
        break;
    case OUTCOME_REFUSED:
    case OUTCOME_STALE:
    case OUTCOME_NO_ACCESS:
    case OUTCOME_FAILED:
    case OUTCOME_INTERRUPTED:
        if (!verify)
            add(&steps, "Nothing was changed on the target.");
        break;
    }
    outcome->next = steps.list;
    outcome->next_count = steps.count;
}
