/* Memory that runs out, anywhere: every command is run in arenas that hold more and more, a few
 * bytes at a time, so that allocations fail in turn. What is promised holds nevertheless, and
 * what is said is so. */
#include "scenes.h"

#ifdef __SANITIZE_ADDRESS__
enum { STEP_BYTES = 136 }; /* four times as slow there: a quarter of the sizes, no two in a row */
#else
enum { STEP_BYTES = 32 };
#endif
enum {
    FIRST_LOOK_BYTES = 20000,
    KILOBYTE = 1024,
    ENOUGH_BYTES = 512 * KILOBYTE,
    SETTLED_BYTES = 8000, /* alike for so long: nothing is missing any more */
    FAILED_BYTES = 1632,
};

struct ending {
    int status;
    enum err_code code;
    size_t rows; /* that are left */
};

static bool
ends_alike(const struct ending *a, const struct ending *b)
{
    return a->status == b->status && a->code == b->code && a->rows == b->rows;
}

/** How a command ends in an arena of `bytes`; its promises are looked at. */
static struct ending
run_within(const struct command *command, size_t bytes)
{
    static struct scene scene;
    ARENA_SCOPED before = arena_new(ENOUGH_BYTES);
    ARENA_SCOPED arena = arena_new(bytes);
    struct outcome outcome;

    memset(&scene, 0, sizeof scene);
    command->prepare(&scene, before);
    const size_t at_first = fake_world_rows(&scene.world);
    command->run(&scene.request, &scene.world.ports, arena, &outcome);
    assert_promises(&scene, command, &outcome, at_first);
    return (struct ending){outcome.exit_status, outcome.err.code, fake_world_rows(&scene.world)};
}

static void
memory_that_runs_out_breaks_no_promise(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof every_command / sizeof every_command[0]; i++) {
        const struct ending whole = run_within(&every_command[i], ENOUGH_BYTES);
        /* the first look is that of every command */
        size_t bytes = i < 4 ? 0 : FIRST_LOOK_BYTES, failed = 0, in_a_row = 0;

        /* past the first run that ends well some optional sentence may still be missing */
        for (; in_a_row < SETTLED_BYTES / STEP_BYTES; bytes += STEP_BYTES) {
            assert_true(bytes < ENOUGH_BYTES);
            const struct ending ending = run_within(&every_command[i], bytes);

            if (ending.status == 0)
                assert_int_equal(ending.rows, whole.rows);
            in_a_row = ends_alike(&ending, &whole) ? in_a_row + 1 : 0;
            failed += ending.status != whole.status;
        }
        print_message("%-24s %zu bytes, %zu runs fell short, 0 promises broken\n",
                      every_command[i].name, bytes, failed);
        assert_true(failed > FAILED_BYTES / STEP_BYTES);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_that_runs_out_breaks_no_promise),
    };

    return cmocka_run_group_tests_name("core/memory", tests, NULL, NULL);
}
