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
static const struct run_info info = {.id = "20261121T214429Z-uat-west-2-0123",
                                     .command = "clean",
                                     .environment = "UAT West/2",
                                     .facts = facts,
                                     .fact_count = 2};

static struct run_dir *
create(struct run_store *store)
{
    struct run_dir *run = NULL;
    struct run_info named = info;
    char id[RUN_ID_BYTES];
    struct err err = {0};
    assert_true(store->new_id(store, info.environment, id, &err));
    named.id = id;
    if (!store->create(store, &named, 1024, &run, &err))
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
    char id[RUN_ID_BYTES];
    struct err err;

    hostile.environment = "../../\x1B[2J\xC3\xA4 0123456789012345678901234567890123456789";
    hostile.id = id;
    assert_true(place->store->new_id(place->store, hostile.environment, id, &err));
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

/* ---- names, and a look beforehand ---- */

static void
only_a_name_that_a_run_can_have_makes_a_directory(void **state)
{
    const struct place *place = *state;
    static const char *const names[] = {
        "",
        "..",
        "20261121T214429Z",
        "20261121T214429Z-0123",
        "20261121T214429Z--0123",
        "20261121T214429Z-uat-012",
        "20261121T214429Z-uat-012G",
        "20261121T214429Z-uat-0A23",
        "20261121T214429Z-UAT-0123",
        "20261121T214429Z-u/t-0123",
        "20261121T214429Z-u t-0123",
        "20261121T214429Z-uat-0123\n",
        "2026112xT214429Z-uat-0123",
        "20261121 214429Z-uat-0123",
        "20261121T214429+-uat-0123",
        "20261121T214429Z_uat-0123",
        "20261121T214429Z-01234567890123456789012345678901234567890-0123",
    };
    struct run_info bad = info;
    struct run_dir *run = NULL;
    struct err err = {0};

    for (size_t i = 0; i <= sizeof(names) / sizeof(names[0]); i++) {
        bad.id = i < sizeof(names) / sizeof(names[0]) ? names[i] : NULL;
        assert_false(place->store->create(place->store, &bad, 0, &run, &err));
        assert_int_equal(err.code, ERR_INTERNAL);
    }
    assert_int_equal(access(place->runs, F_OK), -1);
    bad.id = "20261121T214429Z-0123456789012345678901234567890123456789-0123";
    assert_true(place->store->create(place->store, &bad, 0, &run, &err));
    run->ops->close(run);
    /* never into a directory that is there */
    run = NULL;
    assert_false(place->store->create(place->store, &bad, 0, &run, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, bad.id));
    assert_null(run);
}

static void
a_name_is_given_without_a_trace_on_disk(void **state)
{
    const struct place *place = *state;
    char first[RUN_ID_BYTES];
    char second[RUN_ID_BYTES];
    struct err err;

    assert_true(place->store->new_id(place->store, "uat", first, &err));
    assert_true(place->store->new_id(place->store, NULL, second, &err));
    assert_string_not_equal(first, second);
    assert_non_null(strstr(second, "Z-unnamed-"));
    assert_int_equal(access(place->runs, F_OK), -1);
    assert_int_equal(rmdir(place->root), 0);
    assert_int_equal(mkdir(place->root, 0700), 0);
}

/* How many files and directories are below, itself included. */
static int entries;

static int
count_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)path;
    (void)status;
    (void)kind;
    (void)where;
    entries++;
    return 0;
}

static int
entries_below(const char *directory)
{
    entries = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
    assert_int_equal(nftw(directory, count_entry, 16, FTW_PHYS), 0);
    return entries;
}

static void
a_look_beforehand_tells_the_room_and_leaves_nothing(void **state)
{
    const struct place *place = *state;
    struct run_place found;
    struct err err = {0};

    for (int made = 0; made < 2; made++) {
        const int before = entries_below(place->root);
        memset(&found, 0xFF, sizeof(found));
        assert_true(place->store->probe(place->store, 1024, &found, &err));
        assert_string_equal(found.path, place->runs);
        assert_true(found.free_bytes > 1024);
        memset(&found, 0xFF, sizeof(found));
        assert_false(place->store->probe(place->store, UINT64_MAX / 2, &found, &err));
        assert_int_equal(err.code, ERR_STORAGE);
        assert_non_null(strstr(err.primary, "MiB free"));
        assert_string_equal(found.path, place->runs);
        assert_true(found.free_bytes > 1024);
        assert_int_equal(entries_below(place->root), before);
        struct run_dir *run = create(place->store);
        run->ops->close(run);
    }
}

static void
a_look_beforehand_finds_what_a_run_would_fail_on(void **state)
{
    const struct place *place = *state;
    char file[PATH_MAX];
    char below[PATH_MAX];

    scratch_write(scratch_path(place->root, "file", file), "x", 1);
    const char *const places[] = {"/proc/dwclean-runs", file, scratch_path(file, "runs", below)};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct run_store *store = store_at(places[i], true);
        struct run_place found;
        struct err err = {0};
        assert_false(store->probe(store, 0, &found, &err));
        assert_int_equal(err.code, ERR_STORAGE);
        assert_non_null(strstr(err.primary, i == 0 ? "/proc" : file));
        assert_string_equal(found.path, places[i]);
        run_store_free(store);
    }
}

/* ---- going on with a run ---- */

static struct run_dir *
reopen(const struct place *place, const char *id)
{
    struct run_dir *run = NULL;
    struct err err = {0};

    if (!place->store->reopen(place->store, id, &run, &err))
        fail_msg("%s", err.primary);
    return run;
}

static void
not_reopened(const struct place *place, const char *id, enum err_code code, struct err *err)
{
    struct run_dir *run = NULL;

    *err = (struct err){0};
    assert_false(place->store->reopen(place->store, id, &run, err));
    assert_null(run);
    if (err->code != code)
        fail_msg("code %d: %s", (int)err->code, err->primary);
}

static void
record(struct run_dir *run, const char *step)
{
    struct journal *journal = run->ops->journal(run);
    struct err err = {0};

    if (!journal->ops->record(journal, step, NULL, 0, true, &err))
        fail_msg("%s", err.primary);
}

static void
append(const char *path, const char *name, const char *bytes)
{
    char file[PATH_MAX];
    const int fd = open(scratch_path(path, name, file), O_WRONLY | O_APPEND | O_CLOEXEC);

    assert_true(fd >= 0);
    scratch_fill(fd, bytes, strlen(bytes));
    assert_int_equal(close(fd), 0);
}

static int64_t
records_of(const char *path)
{
    char file[PATH_MAX];
    struct journal_tail tail = {0};
    struct err err = {0};

    if (!journal_read(scratch_path(path, "journal.ndjson", file), NULL, &tail, &err))
        fail_msg("%s", err.primary);
    assert_int_equal(tail.torn_bytes, 0);
    return tail.records;
}

/* A run that was left without an end; its name into `ret`, its directory into `ret_path`. */
static void
leave_run(const struct place *place, char ret[RUN_ID_BYTES], char ret_path[PATH_MAX])
{
    struct run_dir *run = create(place->store);

    record(run, "open");
    record(run, "commit-sent");
    (void)snprintf(ret, RUN_ID_BYTES, "%s", run->ops->id(run));
    (void)snprintf(ret_path, PATH_MAX, "%s", run->ops->path(run));
    run->ops->close(run);
}

/* As leave_run, stopped and finished in order. */
static void
stop_run(const struct place *place, const char *last, char ret[RUN_ID_BYTES],
         char ret_path[PATH_MAX])
{
    struct run_dir *run = create(place->store);
    struct err err;

    record(run, "open");
    record(run, last);
    assert_true(run->ops->write_file(run, "report.json", "{}\n", 3, &err));
    assert_true(run->ops->finish(run, &err));
    (void)snprintf(ret, RUN_ID_BYTES, "%s", run->ops->id(run));
    (void)snprintf(ret_path, PATH_MAX, "%s", run->ops->path(run));
    run->ops->close(run);
}

static void
a_run_goes_on_behind_its_last_whole_record(void **state)
{
    const struct place *place = *state;
    char id[RUN_ID_BYTES];
    char path[PATH_MAX];
    struct err err = {0};

    leave_run(place, id, path);
    append(path, "journal.ndjson", "{\"seq\":\"3\",\"utc\":\"2026-");
    struct run_dir *run = reopen(place, id);
    assert_string_equal(run->ops->id(run), id);
    assert_string_equal(run->ops->path(run), path);
    assert_null(run->ops->plan(run));
    assert_null(run->ops->backup(run));
    record(run, "resumed");
    assert_true(run->ops->lock_target(run, "AxDB@sql", &err));
    assert_true(run->ops->write_file(run, "report.json", "{}\n", 3, &err));
    record(run, "close");
    assert_true(run->ops->finish(run, &err));
    assert_int_equal(records_of(path), 4);
    assert_int_equal(sha256sum_says(path), 0);
    run->ops->close(run);
}

static void
a_stopped_run_goes_on_and_its_sums_are_written_anew(void **state)
{
    const struct place *place = *state;
    char id[RUN_ID_BYTES];
    char path[PATH_MAX];
    struct err err = {0};

    stop_run(place, "stopped", id, path);
    assert_int_equal(sha256sum_says(path), 0);
    /* this try crashes: the old sums cover the front of the journal, and the run goes on again */
    struct run_dir *run = reopen(place, id);
    record(run, "resumed");
    assert_true(run->ops->write_file(run, "report.json", "{ }\n", 4, &err));
    run->ops->close(run);
    assert_int_equal(sha256sum_says(path), 1);
    run = reopen(place, id);
    record(run, "resumed");
    record(run, "close");
    assert_true(run->ops->write_file(run, "report.json", "{  }\n", 5, &err));
    assert_true(run->ops->finish(run, &err));
    assert_int_equal(sha256sum_says(path), 0);
    assert_int_equal(records_of(path), 5);
    run->ops->close(run);
}

static void
what_a_crash_leaves_of_a_replaced_file_does_no_harm(void **state)
{
    const struct place *place = *state;
    static const char *const remains[] = {"SHA256SUMS.tmp", "report.json.tmp", "plan.ndjson.tmp"};
    char id[RUN_ID_BYTES];
    char path[PATH_MAX];
    char file[PATH_MAX];
    struct err err = {0};
    size_t size = 0;

    leave_run(place, id, path);
    for (size_t i = 0; i < sizeof(remains) / sizeof(remains[0]); i++)
        scratch_write(scratch_path(path, remains[i], file), "half", 4);
    struct run_dir *run = reopen(place, id);
    assert_true(run->ops->write_file(run, "report.json", "{}\n", 3, &err));
    record(run, "close");
    assert_true(run->ops->finish(run, &err));
    assert_int_equal(sha256sum_says(path), 0);
    char *sums = scratch_read(scratch_path(path, "SHA256SUMS", file), &size);
    assert_null(strstr(sums, "SHA256SUMS.tmp"));
    assert_null(strstr(sums, "report.json.tmp"));
    free(sums);
    run->ops->close(run);
}

static void
only_one_process_works_on_a_run(void **state)
{
    const struct place *place = *state;
    char id[RUN_ID_BYTES];
    struct err err = {0};
    int status = 0;

    struct run_dir *run = create(place->store);
    (void)snprintf(id, sizeof(id), "%s", run->ops->id(run));
    not_reopened(place, id, ERR_LOCK, &err);
    assert_non_null(strstr(err.primary, id));
    assert_non_null(strstr(err.hint, "fuser"));
    run->ops->close(run);

    run = reopen(place, id);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct run_dir *second = NULL;
        _exit(!place->store->reopen(place->store, id, &second, &err) && err.code == ERR_LOCK ? 0
                                                                                             : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    record(run, "stopped");
    assert_true(run->ops->finish(run, &err));
    struct run_dir *next = reopen(place, id);
    next->ops->close(next);
    run->ops->close(run);
}

static void
a_run_that_has_ended_does_not_go_on(void **state)
{
    const struct place *place = *state;
    char id[RUN_ID_BYTES];
    char path[PATH_MAX];
    char file[PATH_MAX];
    struct err err = {0};

    stop_run(place, "close", id, path);
    not_reopened(place, id, ERR_REFUSED, &err);
    assert_non_null(strstr(err.hint, "undo"));
    assert_int_equal(sha256sum_says(path), 0);
    /* it ended, and crashed before its sums were written: those are left to do */
    assert_int_equal(unlink(scratch_path(path, "SHA256SUMS", file)), 0);
    struct run_dir *run = reopen(place, id);
    assert_true(run->ops->finish(run, &err));
    run->ops->close(run);
    assert_int_equal(sha256sum_says(path), 0);
}

/* Refused, and not a byte of the journal is changed. */
static void
refused_untouched(const struct place *place, const char *id, const char *path, struct err *err)
{
    char file[PATH_MAX];
    size_t before_size = 0;
    size_t after_size = 0;
    char *before = scratch_read(scratch_path(path, "journal.ndjson", file), &before_size);

    not_reopened(place, id, ERR_STORAGE, err);
    char *after = scratch_read(file, &after_size);
    assert_int_equal(before_size, after_size);
    assert_memory_equal(before, after, before_size);
    free(before);
    free(after);
}

static void
a_damaged_journal_is_not_continued_and_not_touched(void **state)
{
    const struct place *place = *state;
    char id[RUN_ID_BYTES];
    char path[PATH_MAX];
    char file[PATH_MAX];
    struct err err = {0};
    size_t size = 0;

    leave_run(place, id, path);
    append(path, "journal.ndjson", "{\"seq\":\"7\"}\n{\"seq\":");
    refused_untouched(place, id, path, &err);
    assert_non_null(strstr(err.primary, "journal.ndjson: line 3"));

    /* Its last record was taken off after it had stopped: the chain alone would not tell. */
    stop_run(place, "stopped", id, path);
    char *bytes = scratch_read(scratch_path(path, "journal.ndjson", file), &size);
    char *end = memrchr(bytes, '\n', size - 1);
    scratch_write(file, bytes, (size_t)(end - bytes) + 1);
    free(bytes);
    refused_untouched(place, id, path, &err);
    assert_non_null(strstr(err.primary, "SHA256SUMS"));
}

static void
only_a_run_of_ours_is_reopened(void **state)
{
    const struct place *place = *state;
    static const char *const names[] = {"",  ".",       "..",   "locks",
                                        "/", "../runs", "last", "20261121T214429Z-uat-0123"};
    char id[RUN_ID_BYTES];
    char other[RUN_ID_BYTES];
    char path[PATH_MAX];
    char moved[PATH_MAX];
    char file[PATH_MAX];
    struct err err = {0};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        not_reopened(place, names[i], ERR_STORAGE, &err);
    assert_non_null(strstr(err.primary, "no run 20261121T214429Z-uat-0123 in "));
    assert_int_equal(access(place->runs, F_OK), -1);

    leave_run(place, id, path);
    assert_true(place->store->new_id(place->store, "moved", other, &err));
    (void)scratch_path(place->runs, other, moved);
    assert_int_equal(symlink(path, moved), 0);
    not_reopened(place, other, ERR_STORAGE, &err);
    assert_int_equal(unlink(moved), 0);
    assert_int_equal(rename(path, moved), 0);
    not_reopened(place, other, ERR_STORAGE, &err);
    assert_non_null(strstr(err.primary, "another run"));
    assert_int_equal(rename(moved, path), 0);
    assert_int_equal(chmod(path, 0777), 0);
    not_reopened(place, id, ERR_STORAGE, &err);
    assert_int_equal(chmod(path, 0700), 0);
    struct run_dir *run = reopen(place, id);
    run->ops->close(run);
    assert_int_equal(unlink(scratch_path(path, "journal.ndjson", file)), 0);
    not_reopened(place, id, ERR_STORAGE, &err);
    assert_int_equal(unlink(scratch_path(path, "run.json", file)), 0);
    not_reopened(place, id, ERR_STORAGE, &err);
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
        TEST(only_a_name_that_a_run_can_have_makes_a_directory),
        TEST(a_name_is_given_without_a_trace_on_disk),
        TEST(a_look_beforehand_tells_the_room_and_leaves_nothing),
        TEST(a_look_beforehand_finds_what_a_run_would_fail_on),
        TEST(a_run_goes_on_behind_its_last_whole_record),
        TEST(a_stopped_run_goes_on_and_its_sums_are_written_anew),
        TEST(what_a_crash_leaves_of_a_replaced_file_does_no_harm),
        TEST(only_one_process_works_on_a_run),
        TEST(a_run_that_has_ended_does_not_go_on),
        TEST(a_damaged_journal_is_not_continued_and_not_touched),
        TEST(only_a_run_of_ours_is_reopened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
