#include "backup/journal_file.h"
#include "scratch.h"

#include <inttypes.h>

enum { RESERVED_BYTES = 1024 * 1024 };

/* Stand in for the C library's: so many calls are interrupted, and with `sync_fault` one fails. */
static int interruptions, sync_fault;

int
fdatasync(int fd)
{
    if (interruptions > 0) {
        interruptions--;
        errno = EINTR;
        return -1;
    }
    if (sync_fault) {
        errno = sync_fault;
        sync_fault = 0;
        return -1;
    }
    return fsync(fd);
}

struct place {
    char directory[PATH_MAX];
    char path[PATH_MAX];
};

static int
set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    assert_non_null(place);
    scratch_make(place->directory);
    (void)scratch_path(place->directory, "journal.ndjson", place->path);
    *state = place;
    return 0;
}

static int
tear_down(void **state)
{
    struct place *place = *state;
    scratch_remove(place->directory);
    free(place);
    return 0;
}

static void
record(struct journal *journal, const char *step, const char *value)
{
    const struct fact facts[] = {{"table", value}, {"rows", "12"}};
    struct err err;
    assert_true(journal->ops->record(journal, step, facts, 2, true, &err));
}

static void
write_three(const char *path)
{
    struct journal *journal = NULL;
    struct err err;
    assert_true(journal_file_create(path, &journal, &err));
    record(journal, "open", "first");
    record(journal, "begin", "a \"quoted\"\nvalue \\ \x01 \xC3\xA4");
    record(journal, "commit-sent", "third");
    journal_file_close(journal);
}

struct seen {
    int64_t count;
    char steps[256];
    char values[256];
};

static bool
take(void *ctx, const struct journal_record *found, struct err *err)
{
    struct seen *seen = ctx;
    (void)err;
    seen->count++;
    assert_int_equal(found->seq, seen->count);
    assert_int_equal(strlen(found->utc), 24);
    assert_int_equal(found->count, 2);
    assert_string_equal(found->facts[0].name, "table");
    assert_string_equal(found->facts[1].value, "12");
    const size_t used = strlen(seen->steps);
    (void)snprintf(seen->steps + used, sizeof(seen->steps) - used, "%s;", found->step);
    const size_t value = strlen(seen->values);
    (void)snprintf(seen->values + value, sizeof(seen->values) - value, "%s;",
                   found->facts[0].value);
    return true;
}

static void
every_record_is_read_back_in_order(void **state)
{
    const struct place *place = *state;
    struct seen seen = {0};
    const struct journal_sink sink = {.ctx = &seen, .take = take};
    struct journal_tail tail = {0};
    struct err err;

    write_three(place->path);
    assert_true(journal_read(place->path, &sink, &tail, &err));
    assert_int_equal(seen.count, 3);
    assert_string_equal(seen.steps, "open;begin;commit-sent;");
    assert_string_equal(seen.values, "first;a \"quoted\"\nvalue \\ \x01 \xC3\xA4;third;");
    assert_int_equal(tail.records, 3);
    assert_int_equal(tail.torn_bytes, 0);
    assert_int_equal(tail.reserved_bytes, 0);
    assert_int_equal(scratch_mode(place->path), 0600);
}

static void
the_first_record_follows_from_64_zeros_and_the_second_from_the_first(void **state)
{
    const struct place *place = *state;
    char hex[DIGEST_HEX_BYTES];
    size_t size = 0;

    write_three(place->path);
    char *bytes = scratch_read(place->path, &size);
    assert_non_null(strstr(bytes, "\"previous\":\"000000000000000000000000000000000000000000000000"
                                  "0000000000000000\""));
    char *end = strchr(bytes, '\n');
    assert_non_null(end);
    const struct digest digest = digest_of(bytes, (size_t)(end - bytes));
    digest_hex(&digest, hex);
    assert_non_null(strstr(end, hex));
    free(bytes);
}

static void
a_torn_last_line_is_tolerated_and_said(void **state)
{
    const struct place *place = *state;
    size_t size = 0;

    write_three(place->path);
    char *bytes = scratch_read(place->path, &size);
    char *last = memrchr(bytes, '\n', size - 1);
    const size_t whole = (size_t)(last - bytes) + 1;
    for (size_t cut = whole; cut < size; cut++) {
        struct journal_tail tail = {0};
        struct err err;
        scratch_write(place->path, bytes, cut);
        assert_true(journal_read(place->path, NULL, &tail, &err));
        assert_int_equal(tail.records, 2);
        assert_int_equal(tail.torn_bytes, cut - whole);
        assert_int_equal(tail.end_bytes, whole);
    }
    free(bytes);
}

static void
one_changed_byte_in_any_record_that_has_a_successor_is_found(void **state)
{
    const struct place *place = *state;
    size_t size = 0;

    write_three(place->path);
    char *bytes = scratch_read(place->path, &size);
    const size_t vouched = (size_t)((char *)memrchr(bytes, '\n', size - 1) - bytes);
    for (size_t i = 0; i < vouched; i++) {
        struct journal_tail tail = {.records = -1};
        struct err err = {0};
        bytes[i] = (char)(bytes[i] ^ 1);
        scratch_write(place->path, bytes, size);
        bytes[i] = (char)(bytes[i] ^ 1);
        assert_false(journal_read(place->path, NULL, &tail, &err));
        assert_int_equal(err.code, ERR_STORAGE);
        assert_non_null(strstr(err.primary, "journal.ndjson: line "));
        assert_int_equal(tail.records, -1);
    }
    free(bytes);
}

static void
a_record_taken_out_is_found(void **state)
{
    const struct place *place = *state;
    struct journal_tail tail = {0};
    struct err err = {0};
    size_t size = 0;

    write_three(place->path);
    char *bytes = scratch_read(place->path, &size);
    char *second = strchr(bytes, '\n') + 1;
    char *third = strchr(second, '\n') + 1;
    const size_t left = size - (size_t)(third - bytes);
    memmove(second, third, left);
    scratch_write(place->path, bytes, (size_t)(second - bytes) + left);
    assert_false(journal_read(place->path, NULL, &tail, &err));
    assert_non_null(strstr(err.primary, "line 2 has another sequence number"));
    free(bytes);
}

static void
a_reopened_journal_continues_the_chain_without_the_torn_line(void **state)
{
    const struct place *place = *state;
    struct seen seen = {0};
    const struct journal_sink sink = {.ctx = &seen, .take = take};
    struct journal_tail tail = {0};
    struct journal *journal = NULL;
    struct err err;

    write_three(place->path);
    const int fd = open(place->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    scratch_fill(fd, "{\"seq\":\"4\",\"ut", 14);
    assert_int_equal(close(fd), 0);

    assert_true(journal_file_reopen(place->path, &journal, &tail, &err));
    assert_int_equal(tail.torn_bytes, 14);
    record(journal, "committed", "fourth");
    journal_file_close(journal);
    assert_true(journal_read(place->path, &sink, &tail, &err));
    assert_string_equal(seen.steps, "open;begin;commit-sent;committed;");
}

static void
reserved_space_is_not_taken_for_a_record(void **state)
{
    const struct place *place = *state;
    static const char zeros[3 * 1024 * 1024];
    struct journal_tail tail = {0};
    struct journal *journal = NULL;
    struct err err;

    write_three(place->path);
    const int fd = open(place->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    scratch_fill(fd, "{\"seq\":", 7);
    scratch_fill(fd, zeros, sizeof(zeros));
    assert_int_equal(close(fd), 0);

    assert_true(journal_read(place->path, NULL, &tail, &err));
    assert_int_equal(tail.records, 3);
    assert_int_equal(tail.torn_bytes, 7);
    assert_int_equal(tail.reserved_bytes, sizeof(zeros));
    assert_true(journal_file_reopen(place->path, &journal, &tail, &err));
    record(journal, "committed", "fourth");
    journal_file_close(journal);
    assert_true(journal_read(place->path, NULL, &tail, &err));
    assert_int_equal(tail.records, 4);
    assert_int_equal(tail.torn_bytes, 0);
    assert_int_equal(tail.reserved_bytes, 0);
}

static void
reserving_does_not_change_what_is_read(void **state)
{
    const struct place *place = *state;
    struct journal_tail tail = {0};
    struct journal *journal = NULL;
    struct stat status;
    struct err err;

    assert_true(journal_file_create(place->path, &journal, &err));
    record(journal, "open", "first");
    assert_true(journal->ops->reserve(journal, RESERVED_BYTES, &err));
    assert_int_equal(stat(place->path, &status), 0);
    assert_true(status.st_blocks * 512 >= RESERVED_BYTES);
    record(journal, "begin", "second");
    assert_true(journal_read(place->path, NULL, &tail, &err));
    assert_int_equal(tail.records, 2);
    assert_true(journal_file_end(journal, &err));
    assert_int_equal(stat(place->path, &status), 0);
    assert_true(status.st_blocks * 512 < RESERVED_BYTES);
    assert_false(journal->ops->record(journal, "late", NULL, 0, true, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    journal_file_close(journal);
}

static void
a_record_over_the_limit_is_refused_and_leaves_no_trace(void **state)
{
    const struct place *place = *state;
    struct journal_tail tail = {0};
    struct journal *journal = NULL;
    struct err err;
    char *large = malloc(JOURNAL_LINE_MAX_BYTES + 1);

    assert_non_null(large);
    memset(large, 'x', JOURNAL_LINE_MAX_BYTES);
    large[JOURNAL_LINE_MAX_BYTES] = '\0';
    assert_true(journal_file_create(place->path, &journal, &err));
    const struct fact fact = {"large", large};
    assert_false(journal->ops->record(journal, "open", &fact, 1, true, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    record(journal, "open", "first");
    journal_file_close(journal);
    assert_true(journal_read(place->path, NULL, &tail, &err));
    assert_int_equal(tail.records, 1);
    free(large);
}

static void
a_journal_is_never_started_over_another(void **state)
{
    const struct place *place = *state;
    struct journal *journal = NULL;
    struct err err = {0};

    write_three(place->path);
    assert_false(journal_file_create(place->path, &journal, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, place->path));
    assert_null(journal);
}

static bool
refuse(void *ctx, const struct journal_record *found, struct err *err)
{
    (void)ctx;
    (void)found;
    return err_set(err, ERR_STALE, "seen enough");
}

static void
the_error_of_the_sink_reaches_the_caller(void **state)
{
    const struct place *place = *state;
    const struct journal_sink sink = {.take = refuse};
    struct journal_tail tail = {0};
    struct err err = {0};

    write_three(place->path);
    assert_false(journal_read(place->path, &sink, &tail, &err));
    assert_int_equal(err.code, ERR_STALE);
}

/* Records of one purge: the block in the middle of the last ones never reached the disk. */
static void
write_purge(const char *path, const char *last_step, size_t *ret_from, size_t *ret_size)
{
    struct journal *journal = NULL;
    struct stat status;
    struct err err;

    assert_true(journal_file_create(path, &journal, &err));
    record(journal, "open", "first");
    assert_int_equal(stat(path, &status), 0);
    *ret_from = (size_t)status.st_size;
    for (int i = 0; i < 6; i++)
        record(journal, i == 5 ? last_step : "purge-outcome", "a row");
    journal_file_close(journal);
    assert_int_equal(stat(path, &status), 0);
    *ret_size = (size_t)status.st_size;
}

static void
a_hole_that_a_loss_of_power_left_is_a_torn_end(void **state)
{
    const struct place *place = *state;
    struct journal_tail tail = {0};
    struct journal *journal = NULL;
    struct err err = {0};
    size_t from = 0;
    size_t size = 0;

    write_purge(place->path, "purge-outcome", &from, &size);
    char *bytes = scratch_read(place->path, &size);
    for (size_t hole = from; hole < size - 100; hole += 37) {
        char kept[100];
        memcpy(kept, bytes + hole, sizeof(kept));
        memset(bytes + hole, 0, sizeof(kept));
        scratch_write(place->path, bytes, size);
        memcpy(bytes + hole, kept, sizeof(kept));
        if (!journal_read(place->path, NULL, &tail, &err))
            fail_msg("%s", err.primary);
        assert_true(tail.end_bytes <= hole && tail.end_bytes >= from);
        assert_int_equal(tail.end_bytes + tail.torn_bytes, size);
        assert_true(journal_file_reopen(place->path, &journal, &tail, &err));
        record(journal, "resumed", "again");
        journal_file_close(journal);
        const int64_t before = tail.records;
        assert_true(journal_read(place->path, NULL, &tail, &err));
        assert_int_equal(tail.records, before + 1);
        assert_int_equal(tail.torn_bytes, 0);
    }
    free(bytes);
}

static void
a_hole_in_front_of_a_record_that_was_synced_is_damage(void **state)
{
    const struct place *place = *state;
    struct journal_tail tail = {.records = -1};
    struct err err = {0};
    size_t from = 0;
    size_t size = 0;

    write_purge(place->path, "verified", &from, &size);
    char *bytes = scratch_read(place->path, &size);
    memset(bytes + from + 10, 0, 50);
    scratch_write(place->path, bytes, size);
    free(bytes);
    assert_false(journal_read(place->path, NULL, &tail, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, "line 2 is missing"));
    assert_int_equal(tail.records, -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void
an_interrupted_sync_is_made_again_and_a_failed_one_is_not(void **state)
{
    const struct place *place = *state;
    struct journal *journal = NULL;
    struct err err = {0};

    assert_true(journal_file_create(place->path, &journal, &err));
    interruptions = 3;
    record(journal, "commit-sent", "interrupted");
    assert_int_equal(interruptions, 0);
    record(journal, "committed", "trusted as before");

    sync_fault = EIO;
    assert_false(journal->ops->record(journal, "purged", NULL, 0, true, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_false(journal->ops->record(journal, "verified", NULL, 0, true, &err));
    assert_non_null(strstr(err.primary, "cannot be trusted"));
    journal_file_close(journal);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_record_is_read_back_in_order),
        TEST(the_first_record_follows_from_64_zeros_and_the_second_from_the_first),
        TEST(a_torn_last_line_is_tolerated_and_said),
        TEST(one_changed_byte_in_any_record_that_has_a_successor_is_found),
        TEST(a_record_taken_out_is_found),
        TEST(a_reopened_journal_continues_the_chain_without_the_torn_line),
        TEST(reserved_space_is_not_taken_for_a_record),
        TEST(reserving_does_not_change_what_is_read),
        TEST(a_hole_that_a_loss_of_power_left_is_a_torn_end),
        TEST(a_hole_in_front_of_a_record_that_was_synced_is_damage),
        TEST(a_record_over_the_limit_is_refused_and_leaves_no_trace),
        TEST(a_journal_is_never_started_over_another),
        TEST(the_error_of_the_sink_reaches_the_caller),
        TEST(an_interrupted_sync_is_made_again_and_a_failed_one_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
