/** Commands over the world in memory, as a pipeline runs them. Private to the tests of core. */
#ifndef UNIT_CORE_COMMANDS_H
#define UNIT_CORE_COMMANDS_H

#include "core/run.h"
#include "fake_world.h"

typedef void command(const struct run_request *request, const struct run_ports *ports,
                     struct arena *arena, struct outcome *ret);

/** A dry run for the plan-id, then the command itself with it. What is to happen to the world
 * happens in the second. `request` keeps the plan-id. */
static inline void
run_confirmed(command *run, struct fake_world *world, struct run_request *request,
              struct arena *arena, struct outcome *ret)
{
    struct run_request dry = *request;
    const struct fake_world kept = *world;

    world->change_at = FAKE_NEVER;
    world->commit = COMMIT_DONE;
    world->lock_failures = 0;
    world->axdb_gone_after = false;
    dry.dry_run = true;
    dry.plan_id = NULL;
    run(&dry, &world->ports, arena, ret);
    request->plan_id = ret->plan_id;
    world->change_at = kept.change_at;
    world->commit = kept.commit;
    world->lock_failures = kept.lock_failures;
    world->axdb_gone_after = kept.axdb_gone_after;
    fake_world_next(world);
    run(request, &world->ports, arena, ret);
}

#endif
