#include "digest_row.h"
#include "port/runtime_store.h"
#include "test.h"

#include <string.h>

static const struct column columns[] = {
    {.name = "RECID", .type_name = "bigint"},
    {.name = "Alpha", .type_name = "nvarchar", .nullable = true},
    {.name = "SYSROWVERSION", .type_name = "timestamp", .generated = true},
};
static const struct schema schema = {.table = TABLE_FIELD, .columns = columns, .count = 3};

static struct row_id
digest_of_fields(const struct field *fields)
{
    struct row row = {.id.table = TABLE_FIELD, .fields = fields, .count = 3};

    digest_row(&schema, &row);
    return row.id;
}

static void
a_digest_tells_null_from_empty_and_ignores_the_rowversion(void **state)
{
    struct field fields[] = {{.bytes = {(const unsigned char *)"1", 1}},
                             {.bytes = {(const unsigned char *)"", 0}},
                             {.bytes = {(const unsigned char *)"0001", 4}}};
    const struct row_id empty = digest_of_fields(fields);
    struct row_id other;

    (void)state;
    fields[1].is_null = true;
    other = digest_of_fields(fields);
    assert_false(digest_equal(&empty.digest, &other.digest));
    fields[1].is_null = false;
    fields[2].bytes = slice_of("0002", 4);
    other = digest_of_fields(fields);
    assert_true(digest_equal(&empty.digest, &other.digest));
    assert_string_not_equal(empty.version, other.version);
}

static void
a_digest_does_not_depend_on_the_columns_order(void **state)
{
    static const struct column turned[] = {
        {.name = "SYSROWVERSION", .type_name = "timestamp", .generated = true},
        {.name = "Alpha", .type_name = "nvarchar", .nullable = true},
        {.name = "RECID", .type_name = "bigint"},
    };
    static const struct schema other_schema = {.table = TABLE_FIELD, .columns = turned, .count = 3};
    const struct field fields[] = {
        {.bytes = slice_of("1", 1)}, {.bytes = slice_of("x\0", 2)}, {.bytes = slice_of("0001", 4)}};
    const struct field other_fields[] = {fields[2], fields[1], fields[0]};
    const struct row_id id = digest_of_fields(fields);
    struct row row = {.id.table = TABLE_FIELD, .fields = other_fields, .count = 3};

    (void)state;
    digest_row(&other_schema, &row);
    assert_true(digest_equal(&id.digest, &row.id.digest));
    assert_string_equal(id.version, row.id.version);
}

static void
bytes_cannot_move_from_one_column_to_the_next(void **state)
{
    const struct field one[] = {
        {.bytes = slice_of("1", 1)}, {.bytes = slice_of("23", 2)}, {.bytes = slice_of("v", 1)}};
    const struct field two[] = {
        {.bytes = slice_of("12", 2)}, {.bytes = slice_of("3", 1)}, {.bytes = slice_of("v", 1)}};
    const struct row_id a = digest_of_fields(one);
    const struct row_id b = digest_of_fields(two);

    (void)state;
    assert_false(digest_equal(&a.digest, &b.digest));
}

enum { LONG_BYTES = 10000 };

/** As the header says it, piece by piece. */
static void
add_plainly(struct digest_stream *stream, const struct column *column, const struct field *field)
{
    digest_add_slice(stream, slice_of_string(column->name));
    digest_add_slice(stream, slice_of_string(column->type_name));
    digest_add(stream, field->is_null ? "N" : "V", 1);
    digest_add_slice(stream, field->is_null ? slice_of(NULL, 0) : field->bytes);
}

static void
values_of_every_length_are_hashed_as_the_format_says(void **state)
{
    static const size_t sizes[] = {0, 1, 255, 256, 257, 4095, 4096, 4097, LONG_BYTES};
    static unsigned char bytes[LONG_BYTES];
    struct digest_stream *stream = digest_new();
    struct digest digest;
    char version[DIGEST_HEX_BYTES];

    (void)state;
    assert_non_null(stream);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 256);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const struct field fields[] = {{.bytes = slice_of("1", 1)},
                                       {.bytes = slice_of(bytes, sizes[i])},
                                       {.bytes = slice_of(bytes + 1, sizes[i] / 2)}};
        const struct row_id id = digest_of_fields(fields);

        digest_add_slice(stream, slice_of_string(table_name(TABLE_FIELD)));
        add_plainly(stream, &columns[1], &fields[1]);
        add_plainly(stream, &columns[0], &fields[0]);
        digest = digest_finish(stream);
        assert_true(digest_equal(&id.digest, &digest));
        digest_add_slice(stream, slice_of_string(table_name(TABLE_FIELD)));
        add_plainly(stream, &columns[2], &fields[2]);
        digest = digest_finish(stream);
        digest_hex(&digest, version);
        assert_string_equal(id.version, version);
    }
    digest_free(stream);
}

static void
a_row_that_the_server_adds_nothing_to_has_no_version(void **state)
{
    const struct schema two = {.table = TABLE_FIELD, .columns = columns, .count = 2};
    const struct field fields[] = {{.is_null = true}, {.is_null = true}};
    struct row row = {
        .id = {.table = TABLE_FIELD, .version = "before"}, .fields = fields, .count = 2};

    (void)state;
    digest_row(&two, &row);
    assert_string_equal(row.id.version, "");
}

static void
the_etag_of_a_document_stays_its_version(void **state)
{
    const struct field field = {.bytes = slice_of("{}", 2)};
    struct row row = {
        .id = {.table = TABLE_RUNTIME, .version = "W/1"}, .fields = &field, .count = 1};

    (void)state;
    digest_row(runtime_schema(), &row);
    assert_string_equal(row.id.version, "W/1");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_digest_tells_null_from_empty_and_ignores_the_rowversion),
        cmocka_unit_test(a_digest_does_not_depend_on_the_columns_order),
        cmocka_unit_test(bytes_cannot_move_from_one_column_to_the_next),
        cmocka_unit_test(values_of_every_length_are_hashed_as_the_format_says),
        cmocka_unit_test(a_row_that_the_server_adds_nothing_to_has_no_version),
        cmocka_unit_test(the_etag_of_a_document_stays_its_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
