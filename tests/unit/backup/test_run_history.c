#include "backup/run_history.h"
#include "backup/run_store.h"
#include "backup_sample.h"
#include "base/arena.h"
#include "scratch.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

enum { ARENA_BYTES = 64 * 1024 * 1024 };

static const char plan_id[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
static const char first_id[] = "20261120T101112Z-uat-0001";
static const char second_id[] = "20261121T101112Z-uat-0002";

struct place {
    char root[PATH_MAX];
    char runs[PATH_MAX];
    struct run_store *store;
    struct run_history *history;
    struct arena *arena;
};

static int
set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    struct err err;

    assert_non_null(place);
    scratch_make(place->root);
    (void)scratch_path(place->root, "runs", place->runs);
    const struct run_store_options options = {
        .runs_dir = place->runs, .allow_volatile = true, .program = "dwclean/0.1.0"};
    assert_true(run_store_new(&options, &place->store, &err));
    assert_true(run_history_new(place->runs, NULL, &place->history, &err));
    place->arena = arena_new(ARENA_BYTES);
    assert_non_null(place->arena);
    *state = place;
    return 0;
}

static int
tear_down(void **state)
{
    struct place *place = *state;

    run_history_free(place->history);
    run_store_free(place->store);
    arena_free(place->arena);
    scratch_remove(place->root);
    free(place);
    return 0;
}

/* ---- making runs ---- */

static void
record(struct run_dir *run, const char *step, const struct fact *facts, size_t count)
{
    struct journal *journal = run->ops->journal(run);
    struct err err = {0};

    if (!journal->ops->record(journal, step, facts, count, true, &err))
        fail_msg("%s", err.primary);
}

static void
write_plan(struct run_dir *run)
{
    const struct plan_header header = {.server = "sql",
                                       .database = "AxDB",
                                       .organization_name = "org1",
                                       .scope = "",
                                       .created_utc_ms = 1,
                                       .expires_utc_ms = 2};
    struct plan_file *plan = run->ops->plan(run);
    struct err err = {0};

    assert_true(plan->ops->begin(plan, &header, &err));
    assert_true(plan->ops->add_schema(plan, &sample_schema, &err));
    for (size_t i = 0; i < SAMPLE_ROWS; i++) {
        const struct row row = sample_row(i);
        assert_true(plan->ops->add(plan, &row.id, &err));
    }
    assert_true(plan->ops->end(plan, plan_id, &err));
}

static void
write_backup(struct run_dir *run)
{
    struct backup *backup = run->ops->backup(run);
    struct sample_check check = {0};
    const struct row_sink sink = {.ctx = &check, .take = sample_take};
    struct err err = {0};

    sample_write(backup);
    assert_true(backup->ops->read_back(backup, TABLE_PROJECT, &sink, &err));
    check.rows = 0;
    assert_true(backup->ops->read_back(backup, TABLE_RUNTIME, &sink, &err));
    assert_true(backup->ops->seal(backup, &err));
}

static struct run_dir *
create(const struct place *place, const char *id)
{
    const struct fact facts[] = {{"argv", "dwclean clean --env uat"}};
    const struct run_info info = {
        .id = id, .command = "clean", .environment = "uat", .facts = facts, .fact_count = 1};
    struct run_dir *run = NULL;
    struct err err = {0};

    if (!place->store->create(place->store, &info, 0, &run, &err))
        fail_msg("%s", err.primary);
    return run;
}

/* Up to the committed change. */
static struct run_dir *
make_changed(const struct place *place, const char *id)
{
    const struct fact committed[] = {
        {"field", "0"}, {"project", "5"}, {"events", "0"}, {"locked_ms", "7"}};
    const struct fact left[] = {{"00000000-0000-0000-0000-000000000001", "done 204 r1"},
                                {"00000000-0000-0000-0000-000000000002", "gone 404 r2"}};
    struct run_dir *run = create(place, id);

    record(run, "open", NULL, 0);
    write_plan(run);
    record(run, "plan", NULL, 0);
    write_backup(run);
    record(run, "backup-sealed", NULL, 0);
    record(run, "commit-sent", NULL, 0);
    record(run, "committed", committed, 4);
    record(run, "purge-intent", left, 2);
    record(run, "purge-outcome", left, 2);
    return run;
}

static void
finish(struct run_dir *run)
{
    const struct fact outcome = {"outcome", "done"};
    static const char report[] =
        "{\"tables\":[{\"table\":\"project\",\"after\":\"0\"}],\"error\":null}\n";
    struct err err = {0};

    record(run, "verified", &outcome, 1);
    record(run, "close", &outcome, 1);
    assert_true(run->ops->write_file(run, "report.json", report, sizeof(report) - 1, &err));
    if (!run->ops->finish(run, &err))
        fail_msg("%s", err.primary);
    run->ops->close(run);
}

static void
make_done(const struct place *place, const char *id)
{
    finish(make_changed(place, id));
}

static char *
path_in(const struct place *place, const char *id, const char *name, char ret[PATH_MAX])
{
    assert_true(snprintf(ret, PATH_MAX, "%s/%s%s%s", place->runs, id, *name ? "/" : "", name) <
                PATH_MAX);
    return ret;
}

/* ---- the list ---- */

static struct run_list
list(const struct place *place)
{
    struct run_list runs = {0};
    struct err err = {0};

    if (!place->history->list(place->history, place->arena, &runs, &err))
        fail_msg("%s", err.primary);
    return runs;
}

static void
there_is_no_run_without_a_directory(void **state)
{
    const struct run_list runs = list(*state);

    assert_false(runs.exists);
    assert_int_equal(runs.count, 0);
}

static void
runs_are_listed_the_last_one_first_with_what_they_did(void **state)
{
    const struct place *place = *state;

    make_done(place, first_id);
    struct run_dir *run = make_changed(place, second_id);
    struct run_list runs = list(place);
    assert_int_equal(runs.count, 2);
    assert_string_equal(runs.runs[0].id, second_id);
    assert_true(runs.runs[0].running);
    assert_string_equal(runs.runs[1].id, first_id);
    assert_false(runs.runs[1].running);
    assert_null(runs.runs[1].damage);
    assert_int_equal(runs.runs[1].past.progress.axdb_rows[TABLE_PROJECT], 5);
    assert_int_equal(runs.runs[1].past.progress.runtime_rows, 1);
    assert_int_equal(runs.runs[1].backup[TABLE_PROJECT], SAMPLE_ROWS);
    assert_int_equal(runs.runs[1].backup[TABLE_RUNTIME], SAMPLE_DOCUMENTS);
    assert_true(runs.runs[1].backup_bytes > 0 && runs.runs[1].bytes > runs.runs[1].backup_bytes);
    run->ops->close(run);
    runs = list(place);
    assert_false(runs.runs[0].running);
}

static void
a_run_that_was_stopped_in_its_first_moment_is_no_damage(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];

    make_done(place, first_id);
    assert_int_equal(mkdir(path_in(place, second_id, "", path), 0700), 0);
    const struct run_list runs = list(place);
    assert_int_equal(runs.count, 2);
    assert_null(runs.runs[0].damage);
    assert_true(runs.runs[0].unborn);
    assert_false(runs.runs[1].unborn);
}

static void
a_damaged_run_is_listed_with_the_reason(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];

    make_done(place, first_id);
    assert_int_equal(unlink(path_in(place, first_id, "backup/SEALED.json", path)), 0);
    const struct run_list runs = list(place);
    assert_int_equal(runs.count, 1);
    assert_non_null(runs.runs[0].damage);
    assert_non_null(strstr(runs.runs[0].damage, "seal"));
    assert_string_equal(runs.runs[0].past.command, "clean");
}

/* ---- one run ---- */

static void
a_run_is_told_in_full(void **state)
{
    const struct place *place = *state;
    struct run_details details;
    struct err err = {0};

    make_done(place, first_id);
    assert_true(place->history->details(place->history, "last", place->arena, &details, &err));
    assert_string_equal(details.entry.id, first_id);
    assert_int_equal(details.fact_count, 1);
    assert_string_equal(details.facts[0].value, "dwclean clean --env uat");
    assert_int_equal(details.planned[TABLE_PROJECT], SAMPLE_ROWS);
    assert_int_equal(details.planned[TABLE_EVENTS], -1);
    assert_int_equal(details.after[TABLE_PROJECT], 0);
    assert_int_equal(details.after[TABLE_EVENTS], -1);
    assert_string_equal(details.moments[0].step, "open");
    assert_string_equal(details.moments[details.moment_count - 1].step, "close");
    for (size_t i = 0; i < details.moment_count; i++)
        if (strcmp(details.moments[i].step, "purge-outcome") == 0) {
            assert_int_equal(details.moments[i].rows, 2);
            assert_int_equal(details.moments[i].count, 0);
        }
    assert_int_equal(details.file_count, 9);
    assert_string_equal(details.files[0].name, "SHA256SUMS");
    assert_string_equal(details.files[0].sha256, "");
    assert_int_equal(strlen(details.files[1].sha256), 64);
}

/* ---- verification ---- */

struct found {
    size_t checks, failed, notes;
    char text[4096];
};

static bool
take_check(void *ctx, const struct run_check *check, struct err *err)
{
    struct found *found = ctx;
    const size_t used = strlen(found->text);

    (void)err;
    found->checks++;
    found->failed += check->verdict == RUN_CHECK_FAILED;
    found->notes += check->verdict == RUN_CHECK_NOTE;
    if (check->verdict != RUN_CHECK_OK)
        (void)snprintf(found->text + used, sizeof(found->text) - used, "%s: %s\n", check->item,
                       check->text);
    return true;
}

static struct found
verify(const struct place *place, const char *id)
{
    struct found found = {0};
    const struct run_check_sink sink = {.ctx = &found, .take = take_check};
    struct err err = {0};

    if (!place->history->verify(place->history, id, &sink, &err))
        fail_msg("%s", err.primary);
    return found;
}

static void
flip(const char *path, off_t at, unsigned char bits)
{
    unsigned char byte = 0;
    const int fd = open(path, O_RDWR | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= bits;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    assert_int_equal(close(fd), 0);
}

static void
a_byte_that_was_changed_in_any_file_is_found(void **state)
{
    static const unsigned char bits[] = {0x01, 0x20, 0x80};
    const struct place *place = *state;
    struct run_details details;
    struct err err = {0};
    size_t tried = 0;

    make_done(place, first_id);
    const struct found clean = verify(place, first_id);
    if (clean.failed || clean.notes)
        fail_msg("%s", clean.text);
    assert_true(place->history->details(place->history, first_id, place->arena, &details, &err));
    for (size_t i = 0; i < details.file_count; i++) {
        const uint64_t size = details.files[i].bytes;
        const uint64_t places[] = {0, 1, size / 3, size / 2, size - 2, size - 1};
        char path[PATH_MAX];
        (void)path_in(place, first_id, details.files[i].name, path);
        for (size_t j = 0; j < sizeof(places) / sizeof(places[0]); j++) {
            const unsigned char bit = bits[(i + j) % sizeof(bits)];
            flip(path, (off_t)places[j], bit);
            if (verify(place, first_id).failed == 0)
                fail_msg("byte %d of %s", (int)places[j], details.files[i].name);
            flip(path, (off_t)places[j], bit);
            tried++;
        }
    }
    assert_int_equal(verify(place, first_id).failed, 0);
    print_message("%zu bytes in %zu files were changed, and found\n", tried, details.file_count);
}

static void
every_byte_of_the_list_of_sums_counts(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    struct stat status;

    make_done(place, first_id);
    assert_int_equal(stat(path_in(place, first_id, "SHA256SUMS", path), &status), 0);
    for (off_t at = 0; at < status.st_size; at++) {
        /* of a digit a to f: its capital, which means the same */
        flip(path, at, 0x20);
        if (verify(place, first_id).failed == 0)
            fail_msg("byte %d of SHA256SUMS", (int)at);
        flip(path, at, 0x20);
    }
}

static void
a_file_that_was_added_or_taken_away_is_found(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];

    make_done(place, first_id);
    scratch_write(path_in(place, first_id, "notes.txt", path), "x", 1);
    assert_int_equal(verify(place, first_id).failed, 1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(verify(place, first_id).failed, 0);
    assert_int_equal(unlink(path_in(place, first_id, "report.json", path)), 0);
    assert_int_equal(verify(place, first_id).failed, 1);
}

static void
a_torn_last_line_is_said_and_is_no_damage(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    struct run_dir *run = make_changed(place, first_id);

    run->ops->close(run);
    struct found found = verify(place, first_id);
    assert_int_equal(found.failed, 0);
    assert_non_null(strstr(found.text, "never finished"));
    const int fd = open(path_in(place, first_id, "journal.ndjson", path), O_WRONLY | O_APPEND);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "{\"seq\":\"9", 9), 9);
    assert_int_equal(close(fd), 0);
    found = verify(place, first_id);
    assert_int_equal(found.failed, 0);
    assert_non_null(strstr(found.text, "9 bytes of one that a crash cut off"));
}

/* ---- removing ---- */

static bool
let_go(void *ctx, const struct run_entry *entry, struct err *err)
{
    bool *asked = ctx;

    assert_false(entry->running);
    *asked = true;
    return strcmp(entry->id, second_id) != 0 || err_set(err, ERR_STALE, "not this one");
}

static bool
remove_run(const struct place *place, const char *id, struct err *err)
{
    bool asked = false;
    const struct run_remove_guard guard = {.ctx = &asked, .may_go = let_go};

    return place->history->remove(place->history, id, &guard, "{\"run\":\"x\"}", err);
}

static size_t
count_entries(const char *path)
{
    DIR *stream = opendir(path);
    size_t count = 0;

    assert_non_null(stream);
    while (readdir(stream)) /* NOLINT(concurrency-mt-unsafe) */
        count++;
    (void)closedir(stream);
    return count - 2;
}

static void
a_run_is_removed_and_its_name_stays_on_record(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    struct err err = {0};

    make_done(place, first_id);
    if (!remove_run(place, first_id, &err))
        fail_msg("%s", err.primary);
    assert_int_equal(access(path_in(place, first_id, "", path), F_OK), -1);
    assert_int_equal(list(place).count, 0);
    assert_int_equal(list(place).leftover_count, 0);
    assert_int_equal(access(path_in(place, "prune.ndjson", "", path), F_OK), 0);
    assert_int_equal(count_entries(place->runs), 2); /* locks, prune.ndjson */
}

static void
a_run_that_is_at_work_or_not_to_go_stays(void **state)
{
    const struct place *place = *state;
    struct err err = {0};
    char path[PATH_MAX];

    struct run_dir *run = make_changed(place, first_id);
    assert_false(remove_run(place, first_id, &err));
    assert_int_equal(err.code, ERR_LOCK);
    run->ops->close(run);
    make_done(place, second_id);
    assert_false(remove_run(place, second_id, &err));
    assert_int_equal(err.code, ERR_STALE);
    assert_int_equal(list(place).count, 2);
    assert_int_equal(access(path_in(place, "prune.ndjson", "", path), F_OK), -1);
}

static void
links_are_never_followed(void **state)
{
    const struct place *place = *state;
    char outside[PATH_MAX], kept[PATH_MAX], path[PATH_MAX], link[PATH_MAX];
    struct err err = {0};

    assert_int_equal(mkdir(scratch_path(place->root, "outside", outside), 0700), 0);
    scratch_write(scratch_path(outside, "kept", kept), "x", 1);
    make_done(place, first_id);
    assert_int_equal(symlink(outside, path_in(place, first_id, "backup-2", path)), 0);
    assert_int_equal(symlink(kept, path_in(place, first_id, "notes", path)), 0);
    if (!remove_run(place, first_id, &err))
        fail_msg("%s", err.primary);
    assert_int_equal(access(kept, F_OK), 0);
    /* a run that is a link itself is none */
    assert_int_equal(symlink(outside, path_in(place, second_id, "", link)), 0);
    assert_int_equal(list(place).count, 0);
    assert_false(remove_run(place, second_id, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_int_equal(access(kept, F_OK), 0);
}

static void
a_directory_of_somebody_else_is_refused(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    struct err err = {0};

    make_done(place, first_id);
    assert_int_equal(chmod(path_in(place, first_id, "", path), 0777), 0);
    assert_false(remove_run(place, first_id, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_int_equal(access(path, F_OK), 0);
    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(chown(path, 65534, 65534), 0);
    assert_false(remove_run(place, first_id, &err));
    assert_non_null(strstr(err.primary, "another user"));
}

static void
what_an_interrupted_prune_left_is_no_run_and_is_finished(void **state)
{
    const struct place *place = *state;
    char from[PATH_MAX], to[PATH_MAX], name[128];
    struct err err = {0};

    make_done(place, first_id);
    (void)snprintf(name, sizeof(name), ".pruned-%s", first_id);
    assert_int_equal(rename(path_in(place, first_id, "", from), path_in(place, name, "", to)), 0);
    const struct run_list runs = list(place);
    assert_int_equal(runs.count, 0);
    assert_int_equal(runs.leftover_count, 1);
    assert_string_equal(runs.leftovers[0], name);
    if (!place->history->remove_leftover(place->history, name, &err))
        fail_msg("%s", err.primary);
    assert_int_equal(list(place).leftover_count, 0);
    assert_false(place->history->remove_leftover(place->history, "../outside", &err));
}

static void
a_lock_ends_with_its_process(void **state)
{
    const struct place *place = *state;
    struct err err = {0};
    int ready[2];
    char byte = 0;

    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        struct run_dir *run = make_changed(place, first_id);
        if (run->ops->lock_target(run, "axdb s d", &err))
            (void)!write(ready[1], "x", 1);
        (void)pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_true(list(place).runs[0].running);
    struct run_dir *second = create(place, second_id);
    assert_false(second->ops->lock_target(second, "axdb s d", &err));
    assert_int_equal(err.code, ERR_LOCK);
    assert_non_null(strstr(err.primary, first_id));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(second->ops->lock_target(second, "axdb s d", &err));
    second->ops->close(second);
    const struct run_list runs = list(place);
    assert_false(runs.runs[1].running);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(there_is_no_run_without_a_directory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(runs_are_listed_the_last_one_first_with_what_they_did,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_run_that_was_stopped_in_its_first_moment_is_no_damage,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_run_is_listed_with_the_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_run_is_told_in_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_byte_that_was_changed_in_any_file_is_found, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_byte_of_the_list_of_sums_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_was_added_or_taken_away_is_found, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_torn_last_line_is_said_and_is_no_damage, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_run_is_removed_and_its_name_stays_on_record, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_run_that_is_at_work_or_not_to_go_stays, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(links_are_never_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_directory_of_somebody_else_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_an_interrupted_prune_left_is_no_run_and_is_finished,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lock_ends_with_its_process, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
