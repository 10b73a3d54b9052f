/* What happens when the disk is full, on a small tmpfs that only this process sees. */
#include "backup/backup_set.h"
#include "backup/journal_file.h"
#include "backup/plan_ndjson.h"
#include "backup/run_store.h"
#include "backup_sample.h"
#include "scratch.h"

#include <sched.h>
#include <sys/mount.h>

enum { DISK_BYTES = 24 * 1024 * 1024, MANY_ROWS = 20000, RESERVED_BYTES = 256 * 1024 };

struct place {
    char root[PATH_MAX];
    char runs[PATH_MAX];
    bool mounted;
    struct run_store *store;
    struct run_dir *run;
};

static int
tear_down(void **state)
{
    struct place *place = *state;
    if (place->run)
        place->run->ops->close(place->run);
    run_store_free(place->store);
    if (place->mounted)
        assert_int_equal(umount2(place->root, MNT_DETACH), 0);
    scratch_remove(place->root);
    free(place);
    return 0;
}

static int
set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));

    assert_non_null(place);
    scratch_make(place->root);
    (void)scratch_path(place->root, "runs", place->runs);
    *state = place;
    return 0;
}

/* Skips visibly where mounting is not permitted. */
static void
mount_small(struct place *place, const char *kind)
{
    char options[64];

    (void)snprintf(options, sizeof(options), "size=%d,mode=0700", (int)DISK_BYTES);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", place->root, kind, 0, options) != 0) {
        print_message("mounting a %s is not permitted here (%s): not tested\n", kind,
                      strerrordesc_np(errno));
        skip();
    }
    place->mounted = true;
}

static void
create_run(struct place *place)
{
    const struct run_store_options options = {
        .runs_dir = place->runs, .allow_volatile = true, .program = "dwclean test"};
    const struct run_info info = {
        .id = "20261121T214429Z-uat-0123", .command = "clean", .environment = "uat"};
    struct err err = {0};

    assert_true(run_store_new(&options, &place->store, &err));
    if (!place->store->create(place->store, &info, 0, &place->run, &err))
        fail_msg("%s", err.primary);
}

/* Take every byte that is left. */
static void
fill_disk(const struct place *place)
{
    static const char zeros[4096];
    char path[PATH_MAX];
    const int fd =
        open(scratch_path(place->root, "filler", path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    while (write(fd, zeros, sizeof(zeros)) > 0)
        ;
    assert_int_equal(errno, ENOSPC);
    (void)close(fd);
}

static void
empty_disk(const struct place *place)
{
    char path[PATH_MAX];
    assert_int_equal(unlink(scratch_path(place->root, "filler", path)), 0);
}

static bool
record_many(struct journal *journal, size_t bytes, struct err *err)
{
    const struct fact fact = {"text", "0123456789012345678901234567890123456789"};
    for (size_t used = 0; used < bytes; used += 300)
        if (!journal->ops->record(journal, "purge-intent", &fact, 1, true, err))
            return false;
    return true;
}

static void
reserved_records_are_written_on_a_full_disk(void **state)
{
    struct place *place = *state;
    struct journal_tail tail = {0};
    struct err err = {0};
    char path[PATH_MAX];

    mount_small(place, "tmpfs");
    create_run(place);
    struct journal *journal = place->run->ops->journal(place->run);
    assert_true(record_many(journal, 1000, &err));
    assert_true(journal->ops->reserve(journal, RESERVED_BYTES, &err));
    fill_disk(place);
    if (!record_many(journal, RESERVED_BYTES, &err))
        fail_msg("%s", err.primary);
    assert_false(record_many(journal, DISK_BYTES, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, "journal.ndjson"));
    assert_false(journal->ops->reserve(journal, DISK_BYTES, &err));
    assert_int_equal(err.code, ERR_STORAGE);

    /* A record that did not fit left no half line: with room again, the chain goes on. */
    empty_disk(place);
    assert_true(record_many(journal, 1000, &err));
    (void)scratch_path(place->run->ops->path(place->run), "journal.ndjson", path);
    assert_true(journal_read(path, NULL, &tail, &err));
    assert_int_equal(tail.torn_bytes, 0);
    assert_true(tail.records > RESERVED_BYTES / 300);
}

static void
space_is_reserved_by_writing_where_the_file_system_cannot(void **state)
{
    struct place *place = *state;
    struct journal_tail tail = {0};
    struct err err = {0};
    char path[PATH_MAX];

    mount_small(place, "ramfs");
    create_run(place);
    struct journal *journal = place->run->ops->journal(place->run);
    (void)scratch_path(place->run->ops->path(place->run), "journal.ndjson", path);
    assert_true(record_many(journal, 1000, &err));
    assert_true(journal->ops->reserve(journal, RESERVED_BYTES, &err));
    assert_true(record_many(journal, 1000, &err));
    assert_true(journal_read(path, NULL, &tail, &err));
    assert_int_equal(tail.records, 8);
    assert_int_equal(tail.torn_bytes, 0);
    assert_true(tail.reserved_bytes > RESERVED_BYTES - 3000);
    assert_true(place->run->ops->finish(place->run, &err));
    assert_true(journal_read(path, NULL, &tail, &err));
    assert_int_equal(tail.records, 8);
    assert_int_equal(tail.reserved_bytes, 0);
}

static void
a_backup_that_does_not_fit_fails_by_name_and_stays_unusable(void **state)
{
    struct place *place = *state;
    struct err err = {0};
    bool ok = true;

    mount_small(place, "tmpfs");
    create_run(place);
    struct backup *backup = place->run->ops->backup(place->run);
    assert_true(backup->ops->begin_table(backup, &sample_runtime_schema, &err));
    fill_disk(place);
    struct field document = {.bytes = {NULL, 0}};
    unsigned char noise[4096];
    uint64_t seed = 88172645463325252U;
    for (int i = 0; ok && i < MANY_ROWS; i++) {
        for (size_t n = 0; n < sizeof(noise); n++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            noise[n] = (unsigned char)seed;
        }
        document.bytes = slice_of(noise, sizeof(noise));
        const struct row row = {
            .id = {.table = TABLE_RUNTIME, .key = "k"}, .fields = &document, .count = 1};
        ok = backup->ops->add(backup, &row, &err);
    }
    assert_false(ok);
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, "runtime.ndjson.zst"));
    assert_non_null(strstr(err.primary, "No space left on device"));
    empty_disk(place);
    assert_false(backup->ops->end_table(backup, &err));
    assert_non_null(strstr(err.primary, "unusable"));
    assert_false(backup->ops->close(backup, &err));
    assert_false(backup->ops->seal(backup, &err));
}

static void
a_plan_that_does_not_fit_never_gets_its_name(void **state)
{
    struct place *place = *state;
    const struct plan_header header = {.server = "s"};
    struct row_id row = {.table = TABLE_EVENTS, .key = "1:1"};
    struct err err = {0};
    char path[PATH_MAX];

    mount_small(place, "tmpfs");
    create_run(place);
    struct plan_file *plan = place->run->ops->plan(place->run);
    assert_true(plan->ops->begin(plan, &header, &err));
    fill_disk(place);
    bool ok = true;
    for (int i = 0; ok && i < MANY_ROWS; i++)
        ok = plan->ops->add(plan, &row, &err);
    assert_false(ok);
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, "plan.ndjson"));
    empty_disk(place);
    assert_false(plan->ops->end(
        plan, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", &err));
    (void)scratch_path(place->run->ops->path(place->run), "plan.ndjson", path);
    assert_int_equal(access(path, F_OK), -1);
}

static void
too_little_room_refuses_the_run_before_anything_is_made(void **state)
{
    struct place *place = *state;
    const struct run_store_options options = {
        .runs_dir = place->runs, .allow_volatile = true, .program = "dwclean test"};
    const struct run_info info = {
        .id = "20261121T214429Z-uat-0123", .command = "clean", .environment = "uat"};
    struct err err = {0};

    mount_small(place, "tmpfs");
    assert_true(run_store_new(&options, &place->store, &err));
    assert_false(place->store->create(place->store, &info, DISK_BYTES / 2, &place->run, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, "MiB free"));
    assert_int_equal(rmdir(place->runs), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reserved_records_are_written_on_a_full_disk),
        TEST(space_is_reserved_by_writing_where_the_file_system_cannot),
        TEST(a_backup_that_does_not_fit_fails_by_name_and_stays_unusable),
        TEST(a_plan_that_does_not_fit_never_gets_its_name),
        TEST(too_little_room_refuses_the_run_before_anything_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
