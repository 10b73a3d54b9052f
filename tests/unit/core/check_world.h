/** A fake world with a runs directory that answers as it is told; for tests of `check`. */
#ifndef CORE_CHECK_WORLD_H
#define CORE_CHECK_WORLD_H

#include "core/run.h"
#include "fake_world.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static struct err probe_err;
static uint64_t probed_bytes;
static int probes;

static inline bool
probe(struct run_store *store, uint64_t expected_bytes, struct run_place *ret, struct err *err)
{
    (void)store;
    probes++;
    probed_bytes = expected_bytes;
    *ret = (struct run_place){.path = "/var/lib/dwclean/runs", .free_bytes = 5000000000};
    if (probe_err.code == ERR_NONE)
        return true;
    *err = probe_err;
    return false;
}

static inline void
world_init(struct fake_world *world)
{
    fake_world_init(world);
    world->run_store.probe = probe;
    probe_err = (struct err){0};
    probed_bytes = 0;
    probes = 0;
}

/** Check a world, which must be the same afterwards. */
static inline struct outcome
checked(struct fake_world *world, const struct run_request *request, struct arena *arena)
{
    const size_t rows = fake_world_rows(world);
    struct outcome outcome;

    run_check(request, &world->ports, arena, &outcome);
    assert_int_equal(fake_world_rows(world), rows);
    assert_int_equal(world->files_created, 0);
    assert_false(world->reports_written);
    assert_false(world->in_transaction);
    assert_false(outcome.changed);
    assert_string_equal(outcome.command, "check");
    assert_true(outcome.verdict && outcome.verdict[0]);
    assert_null(strstr(outcome.verdict, "clean"));
    return outcome;
}

/** The first observation of this check whose text has `word`; NULL for none. */
static inline const struct observation *
seen_by(const struct outcome *outcome, const char *check, const char *word)
{
    for (size_t i = 0; i < outcome->before.observation_count; i++) {
        const struct observation *seen = &outcome->before.observations[i];

        if (strcmp(seen->check, check) == 0 && strstr(seen->text, word))
            return seen;
    }
    return NULL;
}

/** "required missing: text", as a report would say it. */
static inline void
say(const struct observation *seen, char *ret, size_t size)
{
    static const char *const verdicts[] = {"ok", "missing", "unknown"};

    if (seen)
        (void)snprintf(ret, size, "%s %s: %s", seen->required ? "required" : "advisory",
                       verdicts[seen->verdict], seen->text);
    else
        (void)snprintf(ret, size, "nothing");
}

#endif
