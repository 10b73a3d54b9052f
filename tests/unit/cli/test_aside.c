#include "base/arena.h"
#include "cli/aside.h"
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/** What a piece of work finds and leaves. */
struct job {
    struct arena *arena;
    const char *question;
    char *answer;
    pid_t done_by;
};

static struct job *
make_job(struct aside *aside)
{
    struct job *job = arena_alloc(aside->arena, sizeof *job);

    assert_non_null(job);
    *job = (struct job){.arena = aside->arena, .question = "how many rows"};
    return job;
}

static void
answer(void *ctx)
{
    struct job *job = ctx;

    job->answer = arena_printf(job->arena, "%s: %d", job->question, 17);
    job->done_by = getpid();
}

static void
die(void *ctx)
{
    struct job *job = ctx;

    job->answer = arena_string(job->arena, "half an answer");
    (void)raise(SIGKILL);
}

static void
the_results_of_another_process_are_there_when_it_has_ended(void **state)
{
    struct aside *aside = aside_new();
    struct err err;

    (void)state;
    assert_non_null(aside);
    for (int i = 0; i < 3; i++) {
        struct job *job = make_job(aside);

        assert_true(aside->begin(aside, answer, job));
        assert_true(aside->end(aside, &err));
        assert_string_equal(job->answer, "how many rows: 17");
        assert_int_not_equal(job->done_by, getpid());
    }
    aside_free(aside);
}

static void
a_process_that_dies_is_not_believed(void **state)
{
    struct aside *aside = aside_new();
    struct job *job = make_job(aside);
    struct err err;

    (void)state;
    assert_true(aside->begin(aside, die, job));
    assert_false(aside->end(aside, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_string_equal(err.detail, "signal 9");
    aside_free(aside);
}

/** Ends only by a signal. */
static void
never_end(void *ctx)
{
    (void)ctx;
    for (;;)
        (void)pause();
}

static void
what_still_works_is_ended_with_us(void **state)
{
    struct aside *aside = aside_new();

    (void)state;
    assert_true(aside->begin(aside, never_end, make_job(aside)));
    aside_free(aside);
    /* it was waited for: there is no child any more */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_results_of_another_process_are_there_when_it_has_ended),
        cmocka_unit_test(a_process_that_dies_is_not_believed),
        cmocka_unit_test(what_still_works_is_ended_with_us),
    };

    return cmocka_run_group_tests_name("cli/aside", tests, NULL, NULL);
}
