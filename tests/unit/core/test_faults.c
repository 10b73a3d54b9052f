/* Every command with one thing failing: the n-th call of a port (alone, or with all after it), the
 * n-th allocation, and a stop signal seen at the n-th poll; for all n. What is promised holds
 * nevertheless, and what is said is so. */
#include "base/cancel.h"
#include "core/granted_axdb.h"
#include "core/preview.h"
#include "scenes.h"

#include <stdlib.h>

enum { MEGABYTE = 1048576, MOST_CALLS = 5000 };

/* ---- below core: the linker's --wrap sends these calls here ---- */

static int allocations, allocation_that_fails;
static int polls, poll_that_stops;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
bool __real_cancel_check(struct err *err);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
bool __wrap_cancel_check(struct err *err);

static bool
allocation_fails(void)
{
    return !fake_at_work && ++allocations == allocation_that_fails;
}

void *
__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
    return allocation_fails() ? NULL : __real_realloc(old, size);
}

bool
__wrap_cancel_check(struct err *err)
{
    if (poll_that_stops && ++polls >= poll_that_stops)
        return err_set(err, ERR_INTERRUPTED, "stop signal at poll %d", polls);
    return __real_cancel_check(err);
}

/* NOLINTEND(bugprone-reserved-identifier) */

/* ---- one fault, one run ---- */

enum fault { CALL_FAILS, CALLS_FAIL_FROM, ALLOCATION_FAILS, STOPPED };

static const char *const fault_names[] = {"call n fails", "every call from n on fails",
                                          "allocation n fails", "stopped at poll n"};

struct result {
    int status;
    size_t rows;
    bool came; /* there were so many calls */
};

static void
arm(struct fake_world *world, enum fault fault, int at)
{
    allocations = polls = 0;
    switch (fault) {
    case CALL_FAILS:
        world->fail_at = at;
        break;
    case CALLS_FAIL_FROM:
        world->crash_at = at;
        break;
    case ALLOCATION_FAILS:
        allocation_that_fails = at;
        break;
    case STOPPED:
        poll_that_stops = at;
        break;
    }
}

static bool
has_come(const struct fake_world *world, enum fault fault, int at)
{
    return at <= (fault == ALLOCATION_FAILS ? allocations
                  : fault == STOPPED        ? polls
                                            : world->calls);
}

static struct result
run_with(const struct command *command, enum fault fault, int at)
{
    static struct scene scene;
    ARENA_SCOPED before = arena_new(MEGABYTE);
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct outcome outcome;
    struct result result;

    memset(&scene, 0, sizeof scene);
    command->prepare(&scene, before);
    const size_t at_first = fake_world_rows(&scene.world);

    arm(&scene.world, fault, at);
    command->run(&scene.request, &scene.world.ports, arena, &outcome);
    allocation_that_fails = poll_that_stops = 0;
    assert_promises(&scene, command, &outcome, at_first);
    result = (struct result){.status = outcome.exit_status,
                             .rows = fake_world_rows(&scene.world),
                             .came = has_come(&scene.world, fault, at)};
    /* a stop signal, and nothing else, ends with 130: and then nothing durable has changed */
    if (outcome.exit_status == 130)
        assert_true((fault == STOPPED) && result.rows == at_first);
    return result;
}

static void
sweep(enum fault fault, int must_fall_short)
{
    int fell_short = 0;

    for (size_t i = 0; i < sizeof every_command / sizeof every_command[0]; i++) {
        const struct command *command = &every_command[i];
        const struct result whole = run_with(command, fault, MOST_CALLS);
        int at = 1, short_of = 0;

        for (;; at++) {
            const struct result result = run_with(command, fault, at);

            if (!result.came)
                break;
            assert_true(at < MOST_CALLS);
            if (result.status == 0) /* then it has done all it promises */
                assert_int_equal(result.rows, whole.rows);
            short_of += result.status != whole.status;
        }
        print_message("%-27s %-24s %4d points, %4d fell short, 0 promises broken\n",
                      fault_names[fault], command->name, at - 1, short_of);
        fell_short += short_of;
    }
    assert_true(fell_short >= must_fall_short);
}

static void
a_call_that_fails_breaks_no_promise(void **state)
{
    (void)state;
    sweep(CALL_FAILS, 300);
}

static void
a_world_that_goes_away_breaks_no_promise(void **state)
{
    (void)state;
    sweep(CALLS_FAIL_FROM, 300);
}

static void
an_allocation_that_fails_breaks_no_promise(void **state)
{
    (void)state;
    sweep(ALLOCATION_FAILS, 50);
}

static void
a_stop_signal_breaks_no_promise(void **state)
{
    (void)state;
    sweep(STOPPED, 100);
}

/* ---- a stop signal at one moment ---- */

static enum fake_moment stop_moment;

static void
stop(enum fake_moment moment)
{
    if (moment == stop_moment)
        poll_that_stops = 1; /* from now on every poll sees it */
}

static struct outcome
stopped_at(struct scene *scene, enum fake_moment moment, struct arena *arena)
{
    struct outcome outcome;

    polls = 0;
    stop_moment = moment;
    scene->world.happens = stop;
    run_clean(&scene->request, &scene->world.ports, arena, &outcome);
    poll_that_stops = 0;
    assert_int_equal(scene->world.violations, 0);
    return outcome;
}

static void
a_stop_signal_before_commit_changes_nothing(void **state)
{
    static const struct {
        enum fake_moment moment;
        int lock_failures;
    } cases[] = {{FAKE_BEFORE_LOCK, 0}, {FAKE_BEFORE_LOCK, 1}, {FAKE_BEFORE_DELETE, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static struct scene scene;
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);

        memset(&scene, 0, sizeof scene);
        prepare_clean(&scene, arena);
        const size_t rows = fake_world_rows(&scene.world);

        scene.world.lock_failures = cases[i].lock_failures;
        const struct outcome outcome = stopped_at(&scene, cases[i].moment, arena);

        assert_int_equal(outcome.exit_status, 130);
        assert_false(outcome.changed);
        assert_int_equal(fake_world_rows(&scene.world), rows);
        assert_false(fake_world_journalled(&scene.world, "commit-sent"));
    }
}

/** The word at which a stop signal comes. */
static const char *stop_word;

static void
stop_when_told(struct observer *observer, enum log_level level, const char *text)
{
    (void)observer;
    (void)level;
    if (strstr(text, stop_word))
        poll_that_stops = 1;
}

static void
a_stop_signal_ends_waiting(void **state)
{
    static const struct {
        const char *word;
        int lock_failures, status;
        bool lost;
    } cases[] = {{"trying again", 1, 130, false}, {"waiting to find out", 0, 6, true}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static struct scene scene;
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct outcome outcome;

        memset(&scene, 0, sizeof scene);
        prepare_clean(&scene, arena);
        const size_t rows = fake_world_rows(&scene.world);

        scene.world.lock_failures = cases[i].lock_failures;
        if (cases[i].lost) {
            scene.world.commit = COMMIT_UNKNOWN;
            scene.world.axdb_gone_after = true;
        }
        scene.world.observer.say = stop_when_told;
        stop_word = cases[i].word;
        polls = 0;
        run_clean(&scene.request, &scene.world.ports, arena, &outcome);
        poll_that_stops = 0;
        assert_int_equal(outcome.exit_status, cases[i].status);
        assert_int_equal(scene.world.violations, 0);
        assert_int_equal(fake_world_rows(&scene.world), rows);
        assert_int_equal(fake_world_journalled(&scene.world, "commit-sent"), cases[i].lost);
    }
}

static void
what_has_no_command_fails_without_memory_too(void **state)
{
    const struct granted_axdb_options options = {0};
    const struct preview_job job = {0};
    const struct preview_sink sink = {0};
    struct axdb_server *server = NULL;
    static struct scene scene;
    struct err err = {0};

    (void)state;
    arm(&scene.world, ALLOCATION_FAILS, 1);
    assert_false(granted_axdb_new(&options, &server, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_null(server);
    fake_world_init(&scene.world);
    fake_plan_init(&scene.plan, &scene.world);
    struct preview_job of_plan = job;

    of_plan.saved = &scene.plan.saved;
    arm(&scene.world, ALLOCATION_FAILS, 1);
    assert_false(preview_run(&of_plan, &sink, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    allocation_that_fails = 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_fails_breaks_no_promise),
        cmocka_unit_test(a_world_that_goes_away_breaks_no_promise),
        cmocka_unit_test(an_allocation_that_fails_breaks_no_promise),
        cmocka_unit_test(a_stop_signal_breaks_no_promise),
        cmocka_unit_test(a_stop_signal_before_commit_changes_nothing),
        cmocka_unit_test(a_stop_signal_ends_waiting),
        cmocka_unit_test(what_has_no_command_fails_without_memory_too),
    };

    return cmocka_run_group_tests_name("core/faults", tests, NULL, NULL);
}
