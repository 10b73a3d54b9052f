#include "../../../src/backup/manifest.h"
#include "../../../src/backup/zstd_file.h"
#include "backup/backup_set.h"
#include "backup_sample.h"
#include "scratch.h"

enum { LINES_BYTES = 1024 * 1024 };

static const struct crypt_with plain = {0}; /* not encrypted */

struct place {
    char root[PATH_MAX];
    char directory[PATH_MAX];
    struct backup *backup;
};

static int
set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    struct err err;

    assert_non_null(place);
    scratch_make(place->root);
    (void)scratch_path(place->root, "backup", place->directory);
    assert_true(backup_set_new(place->directory, "dwclean test", NULL, &place->backup, &err));
    *state = place;
    return 0;
}

static int
tear_down(void **state)
{
    struct place *place = *state;
    backup_set_free(place->backup);
    scratch_remove(place->root);
    free(place);
    return 0;
}

static bool
read_back(const struct place *place, enum table table, size_t *ret_rows, struct err *err)
{
    struct sample_check check = {0};
    const struct row_sink sink = {.ctx = &check, .take = sample_take};
    const bool ok = place->backup->ops->read_back(place->backup, table, &sink, err);
    *ret_rows = check.rows;
    return ok;
}

static void
seal(const struct place *place)
{
    struct err err;
    size_t rows = 0;
    assert_true(read_back(place, TABLE_PROJECT, &rows, &err));
    assert_int_equal(rows, SAMPLE_ROWS);
    assert_true(read_back(place, TABLE_RUNTIME, &rows, &err));
    assert_int_equal(rows, SAMPLE_DOCUMENTS);
    assert_true(place->backup->ops->seal(place->backup, &err));
}

static void
every_type_comes_back_byte_for_byte(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];

    sample_write(place->backup);
    seal(place);
    assert_int_equal(scratch_mode(place->directory), 0700);
    static const char *const names[] = {"manifest.json", "SEALED.json", "project.ndjson.zst",
                                        "runtime.ndjson.zst"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(scratch_mode(scratch_path(place->directory, names[i], path)), 0600);
}

static void
a_later_process_reads_the_sealed_backup_with_its_schema(void **state)
{
    const struct place *place = *state;
    struct backup_reader *reader = NULL;
    struct sample_check check = {0};
    const struct row_sink sink = {.ctx = &check, .take = sample_take};
    struct err err;

    sample_write(place->backup);
    seal(place);
    assert_true(backup_reader_open(place->directory, NULL, &reader, &err));
    assert_int_equal(backup_reader_rows(reader, TABLE_PROJECT), SAMPLE_ROWS);
    assert_int_equal(backup_reader_rows(reader, TABLE_EVENTS), 0);
    assert_null(backup_reader_schema(reader, TABLE_EVENTS));
    const struct schema *schema = backup_reader_schema(reader, TABLE_PROJECT);
    assert_non_null(schema);
    assert_int_equal(schema->count, SAMPLE_COLUMNS);
    for (size_t i = 0; i < SAMPLE_COLUMNS; i++) {
        const struct column *found = &schema->columns[i];
        const struct column *expected = &sample_columns[i];
        assert_string_equal(found->name, expected->name);
        assert_string_equal(found->type_name, expected->type_name);
        assert_int_equal(found->max_length, expected->max_length);
        assert_int_equal(found->precision, expected->precision);
        assert_int_equal(found->scale, expected->scale);
        assert_int_equal(found->nullable, expected->nullable);
        assert_int_equal(found->identity, expected->identity);
        assert_int_equal(found->computed, expected->computed);
        assert_int_equal(found->generated, expected->generated);
        if (expected->collation)
            assert_string_equal(found->collation, expected->collation);
        else
            assert_null(found->collation);
    }
    assert_true(backup_reader_rows_of(reader, TABLE_PROJECT, &sink, &err));
    assert_int_equal(check.rows, SAMPLE_ROWS);
    assert_false(backup_reader_rows_of(reader, TABLE_EVENTS, &sink, &err));
    backup_reader_free(reader);
}

static void
a_backup_without_a_seal_is_no_backup(void **state)
{
    const struct place *place = *state;
    struct backup_reader *reader = NULL;
    struct err err = {0};

    sample_write(place->backup);
    assert_false(backup_reader_open(place->directory, NULL, &reader, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, "not sealed"));
    assert_null(reader);
}

static void
what_was_not_read_back_cannot_be_sealed(void **state)
{
    const struct place *place = *state;
    struct err err = {0};
    size_t rows = 0;

    sample_write(place->backup);
    assert_true(read_back(place, TABLE_PROJECT, &rows, &err));
    assert_false(place->backup->ops->seal(place->backup, &err));
}

static void
any_changed_byte_of_a_table_is_found_before_a_row_is_handed_over(void **state)
{
    const struct place *place = *state;
    struct digest manifest;
    char path[PATH_MAX];
    size_t size = 0;

    sample_write(place->backup);
    char *bytes = scratch_read(scratch_path(place->directory, "manifest.json", path), &size);
    manifest = digest_of(bytes, size);
    free(bytes);
    bytes = scratch_read(scratch_path(place->directory, "project.ndjson.zst", path), &size);
    for (size_t i = 0; i < size; i++) {
        struct backup_reader *reader = NULL;
        struct sample_check check = {0};
        const struct row_sink sink = {.ctx = &check, .take = sample_take};
        struct err err = {0};
        bytes[i] = (char)(bytes[i] ^ 0x10);
        scratch_write(path, bytes, size);
        bytes[i] = (char)(bytes[i] ^ 0x10);
        assert_true(backup_reader_open_unsealed(place->directory, NULL, &manifest, &reader, &err));
        assert_false(backup_reader_rows_of(reader, TABLE_PROJECT, &sink, &err));
        assert_int_equal(err.code, ERR_STORAGE);
        assert_non_null(strstr(err.primary, "project.ndjson.zst is damaged"));
        assert_true(err.detail[0]);
        assert_int_equal(check.rows, 0);
        backup_reader_free(reader);
    }
    free(bytes);
}

static void
damage_found_by_reading_back_makes_the_backup_unusable(void **state)
{
    const struct place *place = *state;
    struct err err = {0};
    char path[PATH_MAX];
    size_t size = 0;
    size_t rows = 0;

    sample_write(place->backup);
    char *bytes = scratch_read(scratch_path(place->directory, "project.ndjson.zst", path), &size);
    bytes[size / 2] = (char)(bytes[size / 2] ^ 1);
    scratch_write(path, bytes, size);
    assert_false(read_back(place, TABLE_PROJECT, &rows, &err));
    assert_int_equal(rows, 0);
    bytes[size / 2] = (char)(bytes[size / 2] ^ 1);
    scratch_write(path, bytes, size);
    free(bytes);
    assert_false(read_back(place, TABLE_PROJECT, &rows, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, "unusable"));
    assert_false(place->backup->ops->seal(place->backup, &err));
    assert_non_null(strstr(err.primary, "unusable"));
}

/* Replace a table's file by `size` bytes and let manifest and seal agree with it, as somebody would
 * who knows the format; rows stay as the manifest has them. */
static void
forge(const struct place *place, const char *name, const char *bytes, size_t size)
{
    struct digest digest = digest_of(bytes, size);
    char path[PATH_MAX];
    char hex[DIGEST_HEX_BYTES];
    char number[64];
    size_t manifest_size = 0;
    struct text text = {0};

    scratch_write(scratch_path(place->directory, name, path), bytes, size);
    char *manifest =
        scratch_read(scratch_path(place->directory, "manifest.json", path), &manifest_size);
    char *from = strstr(manifest, name);
    assert_non_null(from);
    char *count = strstr(from, "\"bytes\":\"");
    char *sum = strstr(from, "\"sha256\":\"");
    assert_true(count && sum && count < sum);
    digest_hex(&digest, hex);
    memcpy(sum + strlen("\"sha256\":\""), hex, DIGEST_HEX_BYTES - 1);
    (void)snprintf(number, sizeof(number), "\"bytes\":\"%zu\",", size);
    text_append_bytes(&text, manifest, (size_t)(count - manifest));
    text_append(&text, number);
    text_append(&text, sum);
    scratch_write(path, text.data, text.used);
    digest = digest_of(text.data, text.used);
    text_reset(&text);
    seal_append(&text, &digest);
    scratch_write(scratch_path(place->directory, "SEALED.json", path), text.data, text.used);
    text_done(&text);
    free(manifest);
}

/* The lines of a table's file, malloc'd. */
static char *
lines_of(const struct place *place, const char *name, size_t *ret_size)
{
    struct zstd_reader *reader = NULL;
    struct err err;
    char path[PATH_MAX];
    char *lines = malloc(LINES_BYTES);
    size_t size = 0;
    size_t got = 0;

    assert_non_null(lines);
    const int fd = open(scratch_path(place->directory, name, path), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(zstd_reader_open(fd, path, &plain, &reader, &err));
    do {
        assert_true(zstd_reader_read(reader, lines + size, LINES_BYTES - size - 1, &got, &err));
        size += got;
    } while (got > 0);
    zstd_reader_free(reader);
    (void)close(fd);
    lines[size] = '\0';
    *ret_size = size;
    return lines;
}

/* Compress lines again and forge everything that vouches for them. */
static void
forge_lines(const struct place *place, const char *name, const char *lines, size_t size)
{
    struct zstd_writer *writer = NULL;
    struct digest digest;
    struct err err;
    uint64_t bytes = 0;
    size_t file_size = 0;
    char path[PATH_MAX];

    assert_int_equal(unlink(scratch_path(place->directory, name, path)), 0);
    assert_true(zstd_writer_open(path, &plain, &writer, &err));
    assert_true(zstd_writer_add(writer, lines, size, &err));
    assert_true(zstd_writer_end(writer, &bytes, &digest, &err));
    zstd_writer_free(writer);
    char *file = scratch_read(path, &file_size);
    assert_int_equal(file_size, bytes);
    forge(place, name, file, file_size);
    free(file);
}

static void
expect_fault(const struct place *place, enum table table, const char *primary)
{
    struct backup_reader *reader = NULL;
    struct err err = {0};

    assert_true(backup_reader_open(place->directory, NULL, &reader, &err));
    assert_false(backup_reader_rows_of(reader, table, NULL, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    if (!strstr(err.primary, primary))
        fail_msg("\"%s\" where \"%s\" was expected", err.primary, primary);
    backup_reader_free(reader);
}

static void
a_missing_row_is_found_even_when_every_digest_was_forged(void **state)
{
    const struct place *place = *state;
    size_t size = 0;

    sample_write(place->backup);
    seal(place);
    char *lines = lines_of(place, "project.ndjson.zst", &size);
    char *second = strchr(lines, '\n') + 1;
    char *third = strchr(second, '\n') + 1;
    memmove(second, third, size - (size_t)(third - lines) + 1);
    forge_lines(place, "project.ndjson.zst", lines, strlen(lines));
    expect_fault(place, TABLE_PROJECT, "holds 4 rows where the manifest has 5");
    free(lines);
}

static void
a_changed_value_is_found_with_its_line_even_when_every_digest_was_forged(void **state)
{
    const struct place *place = *state;
    size_t size = 0;

    sample_write(place->backup);
    seal(place);
    char *lines = lines_of(place, "project.ndjson.zst", &size);
    char *value = strstr(lines, "-32768");
    assert_non_null(value);
    value[1] = '1';
    forge_lines(place, "project.ndjson.zst", lines, size);
    expect_fault(place, TABLE_PROJECT,
                 "project.ndjson.zst: line 2 holds a row that does not have the digest on record");
    value[1] = '3';
    value = strstr(lines, "00000000000007D1");
    assert_non_null(value);
    value[0] = '1';
    forge_lines(place, "project.ndjson.zst", lines, size);
    expect_fault(place, TABLE_PROJECT,
                 "line 2 holds a row that does not have the version on record");
    free(lines);
}

static void
a_truncated_frame_is_found_even_when_every_digest_was_forged(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    size_t size = 0;

    sample_write(place->backup);
    seal(place);
    char *file = scratch_read(scratch_path(place->directory, "runtime.ndjson.zst", path), &size);
    for (size_t cut = 0; cut < size; cut++) {
        struct backup_reader *reader = NULL;
        struct err err = {0};
        forge(place, "runtime.ndjson.zst", file, cut);
        assert_true(backup_reader_open(place->directory, NULL, &reader, &err));
        assert_false(backup_reader_rows_of(reader, TABLE_RUNTIME, NULL, &err));
        assert_non_null(strstr(err.primary, "runtime.ndjson.zst"));
        backup_reader_free(reader);
    }
    forge(place, "runtime.ndjson.zst", file, size - 1);
    expect_fault(place, TABLE_RUNTIME, "is truncated");
    char *twice = malloc(2 * size + 1);
    assert_non_null(twice);
    memcpy(twice, file, size);
    memcpy(twice + size, file, size);
    forge(place, "runtime.ndjson.zst", twice, 2 * size);
    free(twice);
    expect_fault(place, TABLE_RUNTIME, "has bytes behind its zstd frame");
    free(file);
}

static void
another_schema_in_the_file_than_in_the_manifest_is_found(void **state)
{
    const struct place *place = *state;
    size_t size = 0;

    sample_write(place->backup);
    seal(place);
    char *lines = lines_of(place, "project.ndjson.zst", &size);
    char *type = strstr(lines, "\"smallint\"");
    assert_non_null(type);
    type[1] = 'x';
    forge_lines(place, "project.ndjson.zst", lines, size);
    expect_fault(place, TABLE_PROJECT, "line 1 holds another schema than the manifest");
    free(lines);
}

static void
a_changed_manifest_is_found(void **state)
{
    const struct place *place = *state;
    struct backup_reader *reader = NULL;
    struct err err = {0};
    char path[PATH_MAX];
    size_t size = 0;

    sample_write(place->backup);
    seal(place);
    char *bytes = scratch_read(scratch_path(place->directory, "manifest.json", path), &size);
    char *end = strrchr(bytes, '}');
    assert_non_null(end);
    *end = ' ';
    scratch_write(path, bytes, size);
    free(bytes);
    assert_false(backup_reader_open(place->directory, NULL, &reader, &err));
    assert_non_null(strstr(err.primary, "manifest.json was changed"));
}

static void
a_missing_file_is_named(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    struct err err = {0};
    size_t rows = 0;

    sample_write(place->backup);
    assert_int_equal(unlink(scratch_path(place->directory, "project.ndjson.zst", path)), 0);
    assert_false(read_back(place, TABLE_PROJECT, &rows, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, path));
}

static bool
refuse(void *ctx, const struct row *row, struct err *err)
{
    (void)ctx;
    (void)row;
    return err_set(err, ERR_STALE, "another row");
}

static void
the_error_of_the_sink_reaches_the_caller_and_forbids_the_seal(void **state)
{
    const struct place *place = *state;
    const struct row_sink sink = {.take = refuse};
    struct err err = {0};

    sample_write(place->backup);
    assert_false(place->backup->ops->read_back(place->backup, TABLE_PROJECT, &sink, &err));
    assert_int_equal(err.code, ERR_STALE);
    assert_false(place->backup->ops->seal(place->backup, &err));
    assert_non_null(strstr(err.primary, "unusable"));
    assert_string_equal(err.detail, "another row");
}

static void
empty_tables_and_an_empty_backup_are_backups_too(void **state)
{
    const struct place *place = *state;
    struct backup *backup = place->backup;
    struct err err;
    size_t rows = 0;

    assert_true(backup->ops->begin_table(backup, &sample_schema, &err));
    assert_true(backup->ops->end_table(backup, &err));
    assert_true(backup->ops->close(backup, &err));
    assert_true(read_back(place, TABLE_PROJECT, &rows, &err));
    assert_int_equal(rows, 0);
    assert_true(backup->ops->seal(backup, &err));
}

static void
calls_out_of_turn_are_refused(void **state)
{
    const struct place *place = *state;
    struct backup *backup = place->backup;
    const struct row row = sample_row(0);
    struct err err = {0};

    assert_false(backup->ops->add(backup, &row, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_false(backup->ops->begin_table(backup, &sample_schema, &err));
    assert_int_equal(err.code, ERR_STORAGE);
}

static void
a_directory_that_cannot_be_made_is_named(void **state)
{
    const struct place *place = *state;
    struct err err = {0};

    scratch_write(place->directory, "", 0);
    assert_false(place->backup->ops->begin_table(place->backup, &sample_schema, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, place->directory));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_type_comes_back_byte_for_byte),
        TEST(a_later_process_reads_the_sealed_backup_with_its_schema),
        TEST(a_backup_without_a_seal_is_no_backup),
        TEST(what_was_not_read_back_cannot_be_sealed),
        TEST(any_changed_byte_of_a_table_is_found_before_a_row_is_handed_over),
        TEST(damage_found_by_reading_back_makes_the_backup_unusable),
        TEST(a_missing_row_is_found_even_when_every_digest_was_forged),
        TEST(a_changed_value_is_found_with_its_line_even_when_every_digest_was_forged),
        TEST(a_truncated_frame_is_found_even_when_every_digest_was_forged),
        TEST(another_schema_in_the_file_than_in_the_manifest_is_found),
        TEST(a_changed_manifest_is_found),
        TEST(a_missing_file_is_named),
        TEST(the_error_of_the_sink_reaches_the_caller_and_forbids_the_seal),
        TEST(empty_tables_and_an_empty_backup_are_backups_too),
        TEST(calls_out_of_turn_are_refused),
        TEST(a_directory_that_cannot_be_made_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
