#include "backup/journal_file.h"
#include "backup/run_store.h"
#include "backup_sample.h"
#include "scratch.h"

#include <ctype.h>
#include <sys/vfs.h>
#include <sys/wait.h>

enum { TMPFS = 0x01021994 };

struct place {
    char root[PATH_MAX];
    char runs[PATH_MAX];
    struct run_store *store;
};

static struct run_store *
store_at(const char *runs_dir, bool allow_volatile)
{
    static const struct fact versions[] = {{"zstd", "1.5.4"}};
    const struct run_store_options options = {.runs_dir = runs_dir,
                                              .allow_volatile = allow_volatile,
                                              .program = "dwclean test",
                                              .versions = versions,
                                              .version_count = 1};
    struct run_store *store = NULL;
    struct err err;
    assert_true(run_store_new(&options, &store, &err));
    return store;
}

static int
set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));

    assert_non_null(place);
    scratch_make(place->root);
    (void)scratch_path(place->root, "state/dwclean/runs", place->runs);
    place->store = store_at(place->runs, true);
    *state = place;
    return 0;
}

static int
tear_down(void **state)
{
    struct place *place = *state;
    run_store_free(place->store);
    scratch_remove(place->root);
    free(place);
    return 0;
}

static const struct fact facts[] = {{"server", "tcp:sql,1433"}, {"reason", "a \"test\"\n"}};
static const struct run_info info = {
    .command = "clean", .environment = "UAT West/2", .facts = facts, .fact_count = 2};

static struct run_dir *
create(struct run_store *store)
{
    struct run_dir *run = NULL;
    struct err err = {0};
    if (!store->create(store, &info, 1024, &run, &err))
        fail_msg("%s", err.primary);
    return run;
}

static void
a_run_is_named_after_time_and_environment(void **state)
{
    const struct place *place = *state;
    struct run_dir *run = create(place->store);
    const char *id = run->ops->id(run);

    assert_int_equal(strlen(id), strlen("20261121T214429Z-uat-west-2-0123"));
    for (size_t i = 0; i < 8; i++)
        assert_true(isdigit((unsigned char)id[i]));
    assert_int_equal(id[8], 'T');
    assert_memory_equal(id + 15, "Z-uat-west-2-", 13);
    assert_non_null(strstr(run->ops->path(run), id));
    assert_memory_equal(run->ops->path(run), place->runs, strlen(place->runs));
    run->ops->close(run);
}

static void
a_hostile_environment_name_stays_one_plain_component(void **state)
{
    const struct place *place = *state;
    struct run_info hostile = info;
    struct run_dir *run = NULL;
    struct err err;

    hostile.environment = "../../\x1B[2J\xC3\xA4 0123456789012345678901234567890123456789";
    assert_true(place->store->create(place->store, &hostile, 0, &run, &err));
    const char *name = run->ops->id(run);
    assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-TZ"), strlen(name));
    assert_int_equal(strlen(name), 17 + 40 + 5);
    assert_null(strchr(name, '/'));
    run->ops->close(run);
}

static void
everything_is_for_the_owner_only_whatever_the_umask(void **state)
{
    const struct place *place = *state;
    static const mode_t masks[] = {0, 0022, 0777};
    char path[PATH_MAX];
    struct err err;

    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        const mode_t before = umask(masks[i]);
        struct run_dir *run = create(place->store);
        const char *directory = run->ops->path(run);
        assert_true(run->ops->lock_target(run, "target", &err));
        sample_write(run->ops->backup(run));
        assert_true(run->ops->write_file(run, "report.json", "{}", 2, &err));
        assert_true(run->ops->finish(run, &err));
        (void)umask(before);
        assert_int_equal(scratch_mode(place->runs), 0700);
        assert_int_equal(scratch_mode(directory), 0700);
        assert_int_equal(scratch_mode(scratch_path(directory, "backup", path)), 0700);
        static const char *const names[] = {
            "run.json",   "journal.ndjson",       "report.json",
            "SHA256SUMS", "backup/manifest.json", "backup/project.ndjson.zst"};
        for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
            assert_int_equal(scratch_mode(scratch_path(directory, names[n], path)), 0600);
        run->ops->close(run);
    }
}

static void
run_json_says_who_started_what(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    char pid[64];
    size_t size = 0;

    /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
    assert_int_equal(setenv("SUDO_USER", "some\"body", 1), 0);
    struct run_dir *run = create(place->store);
    char *json = scratch_read(scratch_path(run->ops->path(run), "run.json", path), &size);
    (void)snprintf(pid, sizeof(pid), "\"pid\":\"%d\"", (int)getpid());
    assert_non_null(strstr(json, "\"command\":\"clean\""));
    assert_non_null(strstr(json, "\"sudo_user\":\"some\\\"body\""));
    assert_non_null(strstr(json, "\"program\":\"dwclean test\""));
    assert_non_null(strstr(json, "\"zstd\":\"1.5.4\""));
    assert_non_null(strstr(json, "\"reason\":\"a \\\"test\\\"\\n\""));
    assert_non_null(strstr(json, pid));
    assert_non_null(strstr(json, run->ops->id(run)));
    free(json);
    run->ops->close(run);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
    assert_int_equal(unsetenv("SUDO_USER"), 0);
}

/* Status of `sha256sum -c` in the directory: 0 = every file is as written. */
static int
sha256sum_says(const char *directory)
{
    int status = 0;
    const pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        if (chdir(directory) == 0)
            (void)execlp("sha256sum", "sha256sum", "--status", "--strict", "-c", "SHA256SUMS",
                         (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
sha256sum_accepts_a_finished_run_and_finds_a_changed_file(void **state)
{
    const struct place *place = *state;
    struct run_dir *run = create(place->store);
    struct journal *journal = run->ops->journal(run);
    struct plan_file *plan = run->ops->plan(run);
    const struct plan_header header = {.server = "s"};
    struct journal_tail tail = {0};
    char path[PATH_MAX];
    struct err err;
    size_t size = 0;

    assert_true(journal->ops->reserve(journal, 65536, &err));
    assert_true(journal->ops->record(journal, "open", facts, 2, false, &err));
    assert_true(plan->ops->begin(plan, &header, &err));
    assert_true(plan->ops->end(
        plan, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", &err));
    sample_write(run->ops->backup(run));
    assert_true(run->ops->write_file(run, "report.json", "{}\n", 3, &err));
    assert_true(run->ops->finish(run, &err));

    const char *directory = run->ops->path(run);
    assert_int_equal(sha256sum_says(directory), 0);
    char *sums = scratch_read(scratch_path(directory, "SHA256SUMS", path), &size);
    static const char *const names[] = {"  backup/manifest.json\n", "  backup/project.ndjson.zst\n",
                                        "  journal.ndjson\n",       "  plan.ndjson\n",
                                        "  report.json\n",          "  run.json\n"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_non_null(strstr(sums, names[i]));
    free(sums);
    assert_true(journal_read(scratch_path(directory, "journal.ndjson", path), NULL, &tail, &err));
    assert_int_equal(tail.records, 1);

    scratch_write(scratch_path(directory, "report.json", path), "{ }", 3);
    assert_int_equal(sha256sum_says(directory), 1);
    assert_false(run->ops->write_file(run, "late.json", "{}", 2, &err));
    run->ops->close(run);
}

static void
only_plain_names_are_written_into_a_run(void **state)
{
    const struct place *place = *state;
    static const char *const names[] = {"", ".", "..", "../x", "a/b", ".hidden", "a b", "a\n"};
    struct run_dir *run = create(place->store);
    struct err err;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_false(run->ops->write_file(run, names[i], "x", 1, &err));
        assert_int_equal(err.code, ERR_INTERNAL);
    }
    run->ops->close(run);
}

static void
a_second_run_on_the_same_target_is_refused_and_told_who_holds_it(void **state)
{
    const struct place *place = *state;
    struct run_dir *first = create(place->store);
    struct run_dir *second = create(place->store);
    struct err err = {0};
    char pid[32];

    (void)snprintf(pid, sizeof(pid), "process %d", (int)getpid());
    assert_true(first->ops->lock_target(first, "AxDB@sql", &err));
    assert_false(second->ops->lock_target(second, "AxDB@sql", &err));
    assert_int_equal(err.code, ERR_LOCK);
    assert_non_null(strstr(err.primary, first->ops->id(first)));
    assert_non_null(strstr(err.primary, pid));
    assert_true(second->ops->lock_target(second, "Other@sql", &err));
    first->ops->close(first);

    struct run_dir *third = create(place->store);
    assert_true(third->ops->lock_target(third, "AxDB@sql", &err));
    assert_true(third->ops->finish(third, &err));
    struct run_dir *fourth = create(place->store);
    assert_true(fourth->ops->lock_target(fourth, "AxDB@sql", &err));
    third->ops->close(third);
    fourth->ops->close(fourth);
    second->ops->close(second);
}

static void
two_runs_that_share_one_half_exclude_each_other(void **state)
{
    const struct place *place = *state;
    struct run_dir *first = create(place->store);
    struct run_dir *second = create(place->store);
    struct run_dir *third = create(place->store);
    struct err err = {0};

    assert_true(first->ops->lock_target(first, "database|sql|AxDB", &err));
    assert_true(first->ops->lock_target(first, "organization|6f0e", &err));
    /* clean --dataverse-only on the same organization, clean --axdb-only on the same database */
    assert_false(second->ops->lock_target(second, "organization|6f0e", &err));
    assert_int_equal(err.code, ERR_LOCK);
    assert_non_null(strstr(err.primary, first->ops->id(first)));
    assert_false(third->ops->lock_target(third, "database|sql|AxDB", &err));
    assert_int_equal(err.code, ERR_LOCK);
    assert_non_null(strstr(err.primary, first->ops->id(first)));

    /* A refused half does not cost the one that is held. */
    assert_true(second->ops->lock_target(second, "database|sql|Other", &err));
    assert_false(second->ops->lock_target(second, "organization|6f0e", &err));
    assert_false(third->ops->lock_target(third, "database|sql|Other", &err));
    assert_non_null(strstr(err.primary, second->ops->id(second)));

    first->ops->close(first);
    assert_true(third->ops->lock_target(third, "database|sql|AxDB", &err));
    assert_true(third->ops->lock_target(third, "organization|6f0e", &err));
    third->ops->close(third);
    second->ops->close(second);
}

static void
a_run_holds_few_locks_and_each_once(void **state)
{
    const struct place *place = *state;
    struct run_dir *run = create(place->store);
    char target[16];
    struct err err = {0};

    for (int i = 0; i < RUN_DIR_LOCKS; i++) {
        (void)snprintf(target, sizeof(target), "target %d", i);
        assert_true(run->ops->lock_target(run, target, &err));
        assert_true(run->ops->lock_target(run, target, &err));
    }
    assert_false(run->ops->lock_target(run, "one more", &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    run->ops->close(run);
}

static void
slashes_are_never_doubled_in_a_path_that_is_shown(void **state)
{
    const struct place *place = *state;
    char untidy[PATH_MAX];

    (void)snprintf(untidy, sizeof(untidy), "//%s//state/dwclean/runs//", place->root + 1);
    struct run_store *store = store_at(untidy, true);
    struct run_dir *run = create(store);
    assert_null(strstr(run->ops->path(run), "//"));
    assert_memory_equal(run->ops->path(run), place->runs, strlen(place->runs));
    run->ops->close(run);
    run_store_free(store);
}

static void
a_child_that_lives_on_does_not_keep_the_lock(void **state)
{
    const struct place *place = *state;
    struct run_dir *first = create(place->store);
    struct err err = {0};
    int pipe_ends[2];

    assert_true(first->ops->lock_target(first, "AxDB@sql", &err));
    assert_int_equal(pipe(pipe_ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char byte = 0;
        (void)close(pipe_ends[1]);
        _exit(read(pipe_ends[0], &byte, 1) == 0 ? 0 : 1);
    }
    first->ops->close(first);
    struct run_dir *second = create(place->store);
    assert_true(second->ops->lock_target(second, "AxDB@sql", &err));
    second->ops->close(second);
    (void)close(pipe_ends[0]);
    (void)close(pipe_ends[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void
a_file_system_in_memory_is_refused_unless_allowed(void **state)
{
    struct statfs status;
    struct run_dir *run = NULL;
    struct err err = {0};
    char directory[] = "/dev/shm/dwclean-test-XXXXXX";

    (void)state;
    if (statfs("/dev/shm", &status) != 0 || status.f_type != TMPFS || !mkdtemp(directory)) {
        print_message("/dev/shm is not a tmpfs that can be written to: not tested\n");
        skip();
    }
    struct run_store *store = store_at(directory, false);
    assert_false(store->create(store, &info, 0, &run, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, directory));
    assert_non_null(strstr(err.hint, "--volatile-runs-dir"));
    assert_non_null(strstr(err.hint, "--runs-dir"));
    run_store_free(store);

    store = store_at(directory, true);
    assert_true(store->create(store, &info, 0, &run, &err));
    run->ops->close(run);
    run_store_free(store);
    scratch_remove(directory);
}

static void
a_place_that_cannot_be_written_is_refused_by_name(void **state)
{
    const struct place *place = *state;
    char file[PATH_MAX];
    char below[PATH_MAX];
    struct run_dir *run = NULL;
    struct err err = {0};

    scratch_write(scratch_path(place->root, "file", file), "x", 1);
    const char *const places[] = {"/proc/dwclean-runs", file, scratch_path(file, "runs", below)};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct run_store *store = store_at(places[i], true);
        assert_false(store->create(store, &info, 0, &run, &err));
        assert_int_equal(err.code, ERR_STORAGE);
        assert_non_null(strstr(err.primary, i == 0 ? places[0] : file));
        run_store_free(store);
    }
    assert_null(run);
}

static void
a_run_larger_than_the_free_space_is_refused_and_leaves_nothing(void **state)
{
    const struct place *place = *state;
    struct run_dir *run = NULL;
    struct err err = {0};

    assert_false(place->store->create(place->store, &info, UINT64_MAX / 2, &run, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, "MiB free"));
    assert_false(place->store->create(place->store, &info, UINT64_MAX, &run, &err));
    assert_int_equal(rmdir(place->runs), 0);
}

static void
a_relative_directory_is_refused(void **state)
{
    const struct run_store_options options = {.runs_dir = "runs", .program = "dwclean test"};
    struct run_store *store = NULL;
    struct err err = {0};

    (void)state;
    assert_false(run_store_new(&options, &store, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_null(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_is_named_after_time_and_environment),
        TEST(a_hostile_environment_name_stays_one_plain_component),
        TEST(everything_is_for_the_owner_only_whatever_the_umask),
        TEST(run_json_says_who_started_what),
        TEST(sha256sum_accepts_a_finished_run_and_finds_a_changed_file),
        TEST(only_plain_names_are_written_into_a_run),
        TEST(a_second_run_on_the_same_target_is_refused_and_told_who_holds_it),
        TEST(two_runs_that_share_one_half_exclude_each_other),
        TEST(a_run_holds_few_locks_and_each_once),
        TEST(slashes_are_never_doubled_in_a_path_that_is_shown),
        TEST(a_child_that_lives_on_does_not_keep_the_lock),
        TEST(a_file_system_in_memory_is_refused_unless_allowed),
        TEST(a_place_that_cannot_be_written_is_refused_by_name),
        TEST(a_run_larger_than_the_free_space_is_refused_and_leaves_nothing),
        TEST(a_relative_directory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
