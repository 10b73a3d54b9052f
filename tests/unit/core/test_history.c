#include "core/history.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { RUNS = 8 };

static const int64_t day_ms = 86400000;
/* 2026-11-22T00:00:00Z */
static const int64_t now_ms = INT64_C(1795305600000);

/** A history: the last run first, one a day. */
struct world {
    struct run_entry runs[RUNS];
    char ids[RUNS][32], utc[RUNS][32];
    struct run_list list;
};

static struct run_entry *
add(struct world *world, int day, const char *command, const char *environment)
{
    const size_t at = world->list.count++;
    struct run_entry *run = &world->runs[at];

    assert_in_range(at, 0, RUNS - 1);
    (void)snprintf(world->ids[at], sizeof world->ids[at], "202611%02dT101112Z-%s-%04zu", day,
                   environment, at);
    (void)snprintf(world->utc[at], sizeof world->utc[at], "2026-11-%02dT10:11:12.000Z", day);
    *run = (struct run_entry){.id = world->ids[at],
                              .path = "/runs/x",
                              .past = {.id = world->ids[at],
                                       .command = command,
                                       .environment = environment,
                                       .started_utc = world->utc[at],
                                       .plan = {.scope = ""},
                                       .progress = {.last_step = "close",
                                                    .last_utc = world->utc[at],
                                                    .outcome = "done",
                                                    .undoes = "",
                                                    .axdb_rows = {-1, -1, -1}}}};
    world->list.runs = world->runs;
    return run;
}

/** It removed 3 rows of AxDB and 2 of Dataverse. */
static struct run_entry *
add_done(struct world *world, int day, const char *environment)
{
    struct run_entry *run = add(world, day, "clean", environment);

    run->backup[TABLE_EVENTS] = 3;
    run->backup[TABLE_RUNTIME] = 2;
    run->past.progress.backup_sealed = run->past.progress.commit_sent = true;
    run->past.progress.committed = run->past.progress.purge_begun = true;
    run->past.progress.axdb_rows[TABLE_FIELD] = run->past.progress.axdb_rows[TABLE_PROJECT] = 0;
    run->past.progress.axdb_rows[TABLE_EVENTS] = 3;
    run->past.progress.runtime_rows = 2;
    run->past.progress.verified = run->past.progress.ended = true;
    return run;
}

static struct run_entry *
add_undo(struct world *world, int day, const struct run_entry *of)
{
    struct run_entry *run = add_done(world, day, of->past.environment);

    memset(run->backup, 0, sizeof run->backup);
    run->past.command = "undo";
    run->past.progress.undoes = of->id;
    run->past.progress.purge_begun = false;
    run->past.progress.return_begun = true;
    return run;
}

static const char *
keep(const struct world *world, const struct run_entry *entry, int64_t days)
{
    const struct history_policy policy = {.now_utc_ms = now_ms, .older_than_ms = days * day_ms};

    return history_keep_reason(&world->list, entry, &policy);
}

/* ---- states ---- */

static void
the_state_is_what_the_journal_says(void **state)
{
    struct world world = {0};
    struct run_entry *run = add_done(&world, 1, "uat");
    struct run_progress *progress = &run->past.progress;

    (void)state;
    assert_int_equal(history_state_of(run), HISTORY_DONE);
    progress->ended = false;
    progress->last_step = "purge-outcome";
    assert_int_equal(history_state_of(run), HISTORY_OPEN);
    progress->last_step = "stopped";
    assert_int_equal(history_state_of(run), HISTORY_PARTIAL);
    progress->committed = progress->purge_begun = false;
    assert_int_equal(history_state_of(run), HISTORY_UNKNOWN);
    assert_int_equal(history_rows(run), -1);
    progress->commit_sent = false;
    progress->rolled_back = true;
    assert_int_equal(history_state_of(run), HISTORY_ROLLED_BACK);
    progress->rolled_back = false;
    progress->outcome = "refused";
    assert_int_equal(history_state_of(run), HISTORY_REFUSED);
    progress->last_step = "plan"; /* a later try was cut off */
    assert_int_equal(history_state_of(run), HISTORY_UNCHANGED);
    run->damage = "x";
    assert_int_equal(history_state_of(run), HISTORY_DAMAGED);
    run->running = true;
    assert_int_equal(history_state_of(run), HISTORY_RUNNING);
}

static void
rows_are_those_that_left_or_came_back(void **state)
{
    struct world world = {0};
    struct run_entry *run = add_done(&world, 1, "uat");

    (void)state;
    assert_int_equal(history_rows(run), 5);
    /* settled: no counts are on record, and all rows of the backup are gone */
    for (int i = 0; i < AXDB_TABLES; i++)
        run->past.progress.axdb_rows[i] = -1;
    assert_int_equal(history_rows(run), 5);
    run->past.command = "undo";
    assert_int_equal(history_rows(run), -1);
}

/* ---- copies ---- */

static void
an_undo_of_both_halves_ends_the_only_copy(void **state)
{
    struct world world = {0};
    struct run_entry *undo =
        add_undo(&world, 2, &(struct run_entry){.id = "", .past = {.environment = "uat"}});
    struct run_entry *run = add_done(&world, 1, "uat");

    (void)state;
    assert_int_equal(history_only_copies(&world.list, run), 5);
    undo->past.progress.undoes = run->id;
    assert_int_equal(history_only_copies(&world.list, run), 0);
    assert_ptr_equal(history_undone_by(&world.list, run), undo);
    undo->past.progress.return_begun = false; /* AxDB alone */
    assert_int_equal(history_only_copies(&world.list, run), 2);
    assert_null(history_undone_by(&world.list, run));
    undo->past.progress.return_begun = true;
    undo->past.plan.scope = "undo=00;merge"; /* may have left rows as they were */
    assert_int_equal(history_only_copies(&world.list, run), 5);
    undo->past.plan.scope = "undo=00";
    undo->past.progress.ended = false;
    assert_int_equal(history_only_copies(&world.list, run), 5);
}

static void
a_commit_without_an_answer_may_have_left_the_only_copy(void **state)
{
    struct world world = {0};
    struct run_entry *run = add_done(&world, 1, "uat");

    (void)state;
    run->past.progress.committed = run->past.progress.purge_begun = false;
    assert_int_equal(history_only_copies(&world.list, run), 3);
    run->past.progress.commit_sent = false;
    assert_int_equal(history_only_copies(&world.list, run), 0);
}

/* ---- what may go ---- */

static void
old_runs_go_but_the_newest_of_each_environment(void **state)
{
    struct world world = {0};
    struct run_entry *newest = add_done(&world, 4, "uat");
    struct run_entry *other = add_done(&world, 3, "sit");
    struct run_entry *old = add_done(&world, 2, "UAT");
    struct run_entry *older = add_done(&world, 1, "uat");

    (void)state;
    assert_non_null(keep(&world, newest, 1));
    assert_non_null(keep(&world, other, 1));
    assert_null(keep(&world, old, 1));
    assert_null(keep(&world, older, 1));
    assert_null(keep(&world, older, 20));
    assert_string_equal(keep(&world, older, 21), "it is not old enough");
}

static void
the_newest_run_that_removed_rows_stays_behind_one_that_did_not(void **state)
{
    struct world world = {0};
    struct run_entry *refused = add(&world, 4, "clean", "uat");
    struct run_entry *middle = add(&world, 3, "clean", "uat");
    struct run_entry *removed = add_done(&world, 2, "uat");
    struct run_entry *before = add_done(&world, 1, "uat");

    (void)state;
    assert_non_null(keep(&world, refused, 1));
    assert_null(keep(&world, middle, 1));
    assert_string_equal(keep(&world, removed, 1),
                        "the newest of its environment that removed rows");
    assert_null(keep(&world, before, 1));
}

static void
what_may_still_be_needed_stays_whatever_its_age(void **state)
{
    struct world world = {0};
    (void)add_done(&world, 9, "uat");
    struct run_entry *open = add_done(&world, 8, "uat");
    struct run_entry *unknown = add_done(&world, 7, "uat");
    struct run_entry *damaged = add_done(&world, 6, "uat");
    struct run_entry *running = add_done(&world, 5, "uat");
    struct run_entry *undone = add_done(&world, 3, "uat");
    struct run_entry *undo = add_undo(&world, 4, undone);

    (void)state;
    open->past.progress.ended = false;
    unknown->past.progress.committed = unknown->past.progress.purge_begun = false;
    damaged->damage = "x";
    running->running = true;
    undo->past.progress.ended = false;
    assert_non_null(keep(&world, open, 1));
    assert_non_null(keep(&world, unknown, 1));
    assert_non_null(keep(&world, damaged, 1));
    assert_non_null(keep(&world, running, 1));
    assert_non_null(keep(&world, undo, 1));
    assert_string_equal(keep(&world, undone, 1), "an undo of it is not finished");
    undo->past.progress.ended = true;
    assert_null(keep(&world, undone, 1));
}

static void
the_age_is_that_of_the_last_record(void **state)
{
    struct world world = {0};
    (void)add_done(&world, 20, "uat");
    struct run_entry *run = add_done(&world, 1, "uat");

    (void)state;
    assert_int_equal(history_last_ms(run), now_ms - 21 * day_ms + 36672000);
    run->past.progress.last_utc = "2026-11-21T12:00:00.000Z"; /* resumed yesterday */
    assert_non_null(keep(&world, run, 1));
    run->past.progress.last_utc = "";
    run->past.started_utc = ""; /* only the name is left */
    assert_int_equal(history_last_ms(run), now_ms - 21 * day_ms + 36672000);
    run->id = "nonsense";
    assert_non_null(keep(&world, run, 0));
}

static void
every_state_has_a_name_and_a_key(void **state)
{
    (void)state;
    for (int i = HISTORY_RUNNING; i <= HISTORY_DAMAGED; i++) {
        const char *name = history_state_name((enum history_state)i);
        const char *key = history_state_key((enum history_state)i);

        assert_int_equal(strlen(name), strlen(key));
        assert_null(strchr(key, ' '));
    }
    assert_string_equal(history_state_name(HISTORY_ROLLED_BACK), "rolled back");
    assert_string_equal(history_state_key(HISTORY_ROLLED_BACK), "rolled_back");
}

static void
what_cannot_be_counted_is_not_called_zero(void **state)
{
    struct world world = {0};
    struct run_entry *run = add_done(&world, 1, "uat");

    (void)state;
    assert_int_equal(history_rows(run), 5);
    run->past.progress.axdb_rows[TABLE_EVENTS] = -1; /* settled: the backup's rows are gone */
    assert_int_equal(history_rows(run), 5);
    run->past.command = "undo";
    assert_int_equal(history_rows(run), -1);
    run->past.command = "clean";
    run->past.progress.committed = false;
    assert_int_equal(history_rows(run), -1);
    run->past.progress.commit_sent = false;
    assert_int_equal(history_rows(run), 2);
    run->damage = "x";
    assert_int_equal(history_rows(run), -1);
    run->damage = NULL;
    run->past.progress.purge_begun = false;
    run->past.progress.ended = false;
    run->past.progress.return_begun = true;
    assert_int_equal(history_state_of(run), HISTORY_OPEN);
    run->unborn = true;
    assert_int_equal(history_state_of(run), HISTORY_UNCHANGED);
    run->unborn = false;
    run->past.progress.return_begun = false;
    run->past.progress.last_step = "stopped";
    assert_int_equal(history_state_of(run), HISTORY_UNCHANGED);
    run->past.progress.outcome = "refused";
    assert_int_equal(history_state_of(run), HISTORY_REFUSED);
}

static void
a_run_is_undone_when_every_half_that_it_removed_is_back(void **state)
{
    static const struct {
        bool removed_axdb, removed_runtime, axdb_back, runtime_back, undone;
    } cases[] = {
        {true, true, true, true, true},     {true, true, true, false, false},
        {true, true, false, true, false},   {true, false, true, false, true},
        {true, false, false, false, false}, {false, true, false, true, true},
        {false, true, false, false, false}, {false, false, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world world = {0};
        struct run_entry *run = add_done(&world, 1, "uat");
        struct run_entry *undo = add_undo(&world, 2, run);

        run->past.progress.committed = run->past.progress.commit_sent = cases[i].removed_axdb;
        run->past.progress.purge_begun = cases[i].removed_runtime;
        undo->past.progress.committed = undo->past.progress.commit_sent = cases[i].axdb_back;
        undo->past.progress.return_begun = cases[i].runtime_back;
        assert_ptr_equal(history_undone_by(&world.list, run), cases[i].undone ? undo : NULL);
        assert_int_equal(history_only_copies(&world.list, run),
                         (cases[i].removed_axdb && !cases[i].axdb_back ? 3 : 0) +
                             (cases[i].removed_runtime && !cases[i].runtime_back ? 2 : 0));
    }
}

/** The time of the last record; without one of the beginning; without both of the name. */
static void
the_last_time_is_found_in_what_is_left(void **state)
{
    static const struct {
        const char *last, *began, *id;
        int64_t ms;
    } cases[] = {
        {"2026-11-22T00:00:00.500Z", "2026-11-21T00:00:00Z", "x", INT64_C(1795305600000)},
        {"", "2026-11-22T00:00:00Z", "x", INT64_C(1795305600000)},
        {"torn", "2026-11-22T00:00:00Z", "x", INT64_C(1795305600000)},
        {"2026-11-2xT00:00:00Z", "", "20261122T000000Z-uat-0001", INT64_C(1795305600000)},
        {"", "", "20261122T000000Z", INT64_C(1795305600000)},
        {"", "", "20261122T0000", -1},
        {"", "", "not-the-name-of-a-run", -1},
        {"2026-02-01T00:00:01Z", "", "x", INT64_C(1769904001000)}, /* January counts to 2025 */
        {"2024-02-29T00:00:00Z", "", "x", INT64_C(1709164800000)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct run_entry entry = {
            .id = cases[i].id,
            .past = {.started_utc = cases[i].began, .progress = {.last_utc = cases[i].last}}};

        assert_true(history_last_ms(&entry) == cases[i].ms);
    }
}

static void
what_is_kept_says_why(void **state)
{
    struct world world = {0};
    struct history_policy policy = {.now_utc_ms = now_ms, .environment = "UAT"};
    struct run_entry *newest = add_done(&world, 9, "other");
    struct run_entry *run = add_done(&world, 3, "uat");

    (void)state;
    assert_string_equal(history_keep_reason(&world.list, newest, &policy),
                        "it is of another environment");
    policy.environment = NULL;
    assert_string_equal(history_keep_reason(&world.list, run, &policy),
                        "the newest of its environment that removed rows");
    run->past.progress.committed = run->past.progress.commit_sent = run->past.progress.purge_begun =
        false;
    assert_string_equal(history_keep_reason(&world.list, run, &policy),
                        "the newest of its environment");
    run->past.progress.last_utc = run->past.started_utc = "";
    run->id = "x";
    assert_string_equal(history_keep_reason(&world.list, run, &policy), "it is not old enough");
    run->running = true;
    assert_string_equal(history_keep_reason(&world.list, run, &policy), "a process works on it");
    run->running = false;
    run->damage = "x";
    assert_string_equal(history_keep_reason(&world.list, run, &policy),
                        "it is damaged: what it removed cannot be told");
}

static void
each_state_is_unfinished_or_not(void **state)
{
    static const enum history_state unfinished[] = {HISTORY_OPEN, HISTORY_UNKNOWN, HISTORY_PARTIAL};
    static const enum history_state others[] = {HISTORY_RUNNING,   HISTORY_DONE,
                                                HISTORY_REFUSED,   HISTORY_ROLLED_BACK,
                                                HISTORY_UNCHANGED, HISTORY_DAMAGED};

    (void)state;
    for (size_t i = 0; i < sizeof unfinished / sizeof unfinished[0]; i++)
        assert_true(history_is_unfinished(unfinished[i]));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(history_is_unfinished(others[i]));
}

static void
a_run_is_of_its_environment_or_of_any(void **state)
{
    struct world world = {0};
    const struct run_entry *run = add_done(&world, 1, "uat");

    (void)state;
    assert_true(history_is_of(run, NULL));
    assert_true(history_is_of(run, "UAT"));
    assert_false(history_is_of(run, "prod"));
}

/** While its undo works, a run is kept. */
static void
a_run_whose_undo_works_is_kept(void **state)
{
    struct world world = {0};
    struct run_entry *undo = add(&world, 20, "undo", "uat");
    struct run_entry *run = add_done(&world, 1, "uat");

    (void)state;
    undo->past.progress.undoes = run->id;
    undo->running = true;
    assert_non_null(keep(&world, run, 1));
}

/** A run of Dataverse alone that says it committed has no rows of AxDB to be undone. */
static void
what_removed_no_row_of_axdb_is_undone_by_dataverse_alone(void **state)
{
    struct world world = {0};
    struct run_entry *undo;
    struct run_entry *run;

    (void)state;
    world.list.count = 1;
    run = add_done(&world, 1, "uat");
    memset(run->backup, 0, sizeof run->backup);
    run->backup[TABLE_RUNTIME] = 2;
    world.list.count = 0;
    undo = add_undo(&world, 2, run);
    world.list.count = 2;
    undo->past.progress.committed = undo->past.progress.commit_sent = false;
    assert_ptr_equal(history_undone_by(&world.list, run), undo);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_is_what_the_journal_says),
        cmocka_unit_test(rows_are_those_that_left_or_came_back),
        cmocka_unit_test(an_undo_of_both_halves_ends_the_only_copy),
        cmocka_unit_test(a_commit_without_an_answer_may_have_left_the_only_copy),
        cmocka_unit_test(old_runs_go_but_the_newest_of_each_environment),
        cmocka_unit_test(the_newest_run_that_removed_rows_stays_behind_one_that_did_not),
        cmocka_unit_test(what_may_still_be_needed_stays_whatever_its_age),
        cmocka_unit_test(the_age_is_that_of_the_last_record),
        cmocka_unit_test(every_state_has_a_name_and_a_key),
        cmocka_unit_test(what_cannot_be_counted_is_not_called_zero),
        cmocka_unit_test(a_run_is_undone_when_every_half_that_it_removed_is_back),
        cmocka_unit_test(the_last_time_is_found_in_what_is_left),
        cmocka_unit_test(what_is_kept_says_why),
        cmocka_unit_test(each_state_is_unfinished_or_not),
        cmocka_unit_test(a_run_is_of_its_environment_or_of_any),
        cmocka_unit_test(a_run_whose_undo_works_is_kept),
        cmocka_unit_test(what_removed_no_row_of_axdb_is_undone_by_dataverse_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
