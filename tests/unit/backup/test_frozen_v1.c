/*
 * fixtures/backup-v1 was written once by the first program that knew format v1. Every later one
 * must read it. DWCLEAN_MAKE_BACKUP_V1=DIRECTORY writes the sample there instead of reading it.
 */
#include "backup/backup_set.h"
#include "backup_sample.h"
#include "scratch.h"

static size_t
count_rows(struct backup_reader *reader, enum table table)
{
    struct sample_check check = {0};
    const struct row_sink sink = {.ctx = &check, .take = sample_take};
    struct err err = {0};
    if (!backup_reader_rows_of(reader, table, &sink, &err))
        fail_msg("%s; %s", err.primary, err.detail);
    return check.rows;
}

static void
the_first_backup_of_format_v1_is_still_read_byte_for_byte(void **state)
{
    struct backup_reader *reader = NULL;
    struct err err = {0};
    char directory[PATH_MAX];

    (void)state;
    sample_find_fixture(directory);
    if (!backup_reader_open(directory, NULL, &reader, &err))
        fail_msg("%s", err.primary);
    assert_int_equal(count_rows(reader, TABLE_PROJECT), SAMPLE_ROWS);
    assert_int_equal(count_rows(reader, TABLE_RUNTIME), SAMPLE_DOCUMENTS);
    backup_reader_free(reader);
}

static void
make_sample(const char *directory)
{
    struct backup *backup = NULL;
    struct sample_check check = {0};
    const struct row_sink sink = {.ctx = &check, .take = sample_take};
    struct err err = {0};

    if (!backup_set_new(directory, "dwclean 0.1.0", NULL, &backup, &err))
        fail_msg("%s", err.primary);
    sample_write(backup);
    assert_true(backup->ops->read_back(backup, TABLE_PROJECT, &sink, &err));
    check.rows = 0;
    assert_true(backup->ops->read_back(backup, TABLE_RUNTIME, &sink, &err));
    assert_true(backup->ops->seal(backup, &err));
    backup_set_free(backup);
}

static void
a_new_sample_is_written_where_it_was_asked_for(void **state)
{
    (void)state;
    make_sample(getenv("DWCLEAN_MAKE_BACKUP_V1")); /* NOLINT(concurrency-mt-unsafe) */
}

int
main(void)
{
    const struct CMUnitTest reading[] = {
        cmocka_unit_test(the_first_backup_of_format_v1_is_still_read_byte_for_byte)};
    const struct CMUnitTest writing[] = {
        cmocka_unit_test(a_new_sample_is_written_where_it_was_asked_for)};

    if (getenv("DWCLEAN_MAKE_BACKUP_V1")) /* NOLINT(concurrency-mt-unsafe) */
        return cmocka_run_group_tests(writing, NULL, NULL);
    return cmocka_run_group_tests(reading, NULL, NULL);
}
