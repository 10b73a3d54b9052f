/**
 * Rows for the tests of backup format v1: a column of every type that may be backed up, and values
 * that are hard to keep. fixtures/backup-v1/ was made from exactly these: never change them, add
 * another sample instead.
 */
#ifndef SUPPORT_BACKUP_SAMPLE_H
#define SUPPORT_BACKUP_SAMPLE_H

#include "digest_row.h"
#include "port/backup.h"
#include "port/table.h"
#include "test.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SAMPLE_COLUMN(column_name, column_type, ...)                                               \
    {                                                                                              \
        .name = column_name, .type_name = column_type, __VA_ARGS__                                 \
    }
#define SAMPLE_TEXT .collation = "SQL_Latin1_General_CP1_CI_AS", .nullable = true

static const struct column sample_columns[] = {
    SAMPLE_COLUMN("PROJECTNAME", "nvarchar", .max_length = 200, SAMPLE_TEXT),
    SAMPLE_COLUMN("NOTE", "nvarchar", .max_length = -1, SAMPLE_TEXT),
    SAMPLE_COLUMN("FIXED", "nchar", .max_length = 8, SAMPLE_TEXT),
    SAMPLE_COLUMN("NARROW", "varchar", .max_length = 80, SAMPLE_TEXT),
    SAMPLE_COLUMN("NARROWFIXED", "char", .max_length = 4, SAMPLE_TEXT),
    SAMPLE_COLUMN("JOINS", "varbinary", .max_length = -1, .nullable = true),
    SAMPLE_COLUMN("FLAGS", "binary", .max_length = 4, .nullable = true),
    SAMPLE_COLUMN("T", "tinyint", .max_length = 1, .nullable = true),
    SAMPLE_COLUMN("S", "smallint", .max_length = 2, .nullable = true),
    SAMPLE_COLUMN("I", "int", .max_length = 4, .identity = true),
    SAMPLE_COLUMN("B", "bit", .max_length = 1, .nullable = true),
    SAMPLE_COLUMN("D", "decimal", .max_length = 17, .precision = 38, .scale = 6, .nullable = true),
    SAMPLE_COLUMN("M", "money", .max_length = 8, .nullable = true),
    SAMPLE_COLUMN("F", "float", .max_length = 8, .nullable = true),
    SAMPLE_COLUMN("DAY", "date", .max_length = 3, .nullable = true),
    SAMPLE_COLUMN("MOMENT", "datetime2", .max_length = 8, .scale = 7, .nullable = true),
    SAMPLE_COLUMN("OLDMOMENT", "datetime", .max_length = 8, .nullable = true),
    SAMPLE_COLUMN("ZONED", "datetimeoffset", .max_length = 10, .scale = 7, .nullable = true),
    SAMPLE_COLUMN("G", "uniqueidentifier", .max_length = 16, .nullable = true),
    SAMPLE_COLUMN("odd \"name\"\n\\ \xC3\xA4", "nvarchar", .max_length = 20, SAMPLE_TEXT),
    SAMPLE_COLUMN("DOUBLED", "int", .max_length = 4, .computed = true, .nullable = true),
    SAMPLE_COLUMN("PARTITION", "bigint", .max_length = 8, .nullable = false),
    SAMPLE_COLUMN("RECID", "bigint", .max_length = 8, .nullable = false),
    SAMPLE_COLUMN("SYSROWVERSION", "timestamp", .max_length = 8, .generated = true),
};
enum { SAMPLE_COLUMNS = sizeof(sample_columns) / sizeof(sample_columns[0]), SAMPLE_ROWS = 5 };

static const struct schema sample_schema = {
    .table = TABLE_PROJECT, .columns = sample_columns, .count = SAMPLE_COLUMNS, .unique_key = true};

static const struct column sample_document = {.name = "document", .type_name = "json"};
static const struct schema sample_runtime_schema = {
    .table = TABLE_RUNTIME, .columns = &sample_document, .count = 1, .unique_key = true};

/* clang-format off */
#define SAMPLE_BYTES(literal) {.bytes = {(const unsigned char *)(literal), sizeof(literal) - 1}}
#define SAMPLE_NULL {.is_null = true}

static const struct field sample_fields[SAMPLE_ROWS][SAMPLE_COLUMNS] = {
    { /* plain */
        SAMPLE_BYTES("P\0r\0o\0j\0"), SAMPLE_BYTES("a\0 \0b\0"), SAMPLE_BYTES("x\0 \0 \0 \0"),
        SAMPLE_BYTES("narrow"), SAMPLE_BYTES("ab  "), SAMPLE_BYTES("\0\1\2\xFF"), SAMPLE_BYTES("\0\0\0\1"),
        SAMPLE_BYTES("255"), SAMPLE_BYTES("-32768"), SAMPLE_BYTES("-2147483648"), SAMPLE_BYTES("1"),
        SAMPLE_BYTES("-12345678901234567890123456789012.345678"), SAMPLE_BYTES("-922337203685477.5808"),
        SAMPLE_BYTES("1.7976931348623157e+308"), SAMPLE_BYTES("2024-02-29"),
        SAMPLE_BYTES("2024-02-29T12:34:56.1234567"), SAMPLE_BYTES("2024-02-29T12:34:56.997"),
        SAMPLE_BYTES("2024-02-29T12:34:56.1234567+05:30"),
        SAMPLE_BYTES("6F9619FF-8B86-D011-B42D-00CF4FC964FF"), SAMPLE_BYTES("o\0"),
        SAMPLE_BYTES("84"), SAMPLE_BYTES("5637144576"), SAMPLE_BYTES("-9223372036854775808"),
        SAMPLE_BYTES("00000000000007D1"),
    },
    { /* NULL wherever it may be */
        SAMPLE_NULL, SAMPLE_NULL, SAMPLE_NULL, SAMPLE_NULL, SAMPLE_NULL, SAMPLE_NULL, SAMPLE_NULL,
        SAMPLE_NULL, SAMPLE_NULL, SAMPLE_BYTES("0"), SAMPLE_NULL, SAMPLE_NULL, SAMPLE_NULL, SAMPLE_NULL,
        SAMPLE_NULL, SAMPLE_NULL, SAMPLE_NULL, SAMPLE_NULL, SAMPLE_NULL, SAMPLE_NULL, SAMPLE_NULL,
        SAMPLE_BYTES("5637144576"), SAMPLE_BYTES("1"), SAMPLE_BYTES("00000000000007D2"),
    },
    { /* empty wherever it may be */
        SAMPLE_BYTES(""), SAMPLE_BYTES(""), SAMPLE_BYTES(""), SAMPLE_BYTES(""), SAMPLE_BYTES(""),
        SAMPLE_BYTES(""), SAMPLE_BYTES(""), SAMPLE_BYTES("0"), SAMPLE_BYTES("0"), SAMPLE_BYTES("1"),
        SAMPLE_BYTES("0"), SAMPLE_BYTES("0.000000"), SAMPLE_BYTES("0.0000"), SAMPLE_BYTES("0"),
        SAMPLE_BYTES("0001-01-01"), SAMPLE_BYTES("0001-01-01T00:00:00.0000000"),
        SAMPLE_BYTES("1753-01-01T00:00:00.000"), SAMPLE_BYTES("0001-01-01T00:00:00.0000000+00:00"),
        SAMPLE_BYTES("00000000-0000-0000-0000-000000000000"), SAMPLE_BYTES(""), SAMPLE_BYTES("0"),
        SAMPLE_BYTES("5637144576"), SAMPLE_BYTES("2"), SAMPLE_BYTES("00000000000007D3"),
    },
    { /* text that breaks careless writers */
        SAMPLE_BYTES("\"\0\\\0/\0\n\0\r\0\t\0\b\0\f\0\x01\0\x1F\0\x7F\0"),
        SAMPLE_BYTES("\x3D\xD8\x00\xDE" "\x28\x20\x29\x20\xFF\xFE\xFE\xFF\xFF\xFF\xE4\0\x85\0"),
        SAMPLE_BYTES("\x3D\xD8" "a\0b\0c\0"), SAMPLE_BYTES("caf\xE9 \x80\xFF"),
        SAMPLE_BYTES("a\0b\0"), SAMPLE_BYTES("{\"b64\":\"QQ==\"}"), SAMPLE_BYTES("\0\0\0\0"),
        SAMPLE_BYTES("0"), SAMPLE_BYTES("1"), SAMPLE_BYTES("2"), SAMPLE_BYTES("1"),
        SAMPLE_BYTES("99999999999999999999999999999999.999999"), SAMPLE_BYTES("0.0001"),
        SAMPLE_BYTES("-4.9406564584124654e-324"), SAMPLE_BYTES("9999-12-31"),
        SAMPLE_BYTES("9999-12-31T23:59:59.9999999"), SAMPLE_BYTES("9999-12-31T23:59:59.997"),
        SAMPLE_BYTES("9999-12-31T23:59:59.9999999-14:00"),
        SAMPLE_BYTES("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"),
        SAMPLE_BYTES("\0\xDC" "x\0"), SAMPLE_BYTES("4"), SAMPLE_BYTES("5637144576"), SAMPLE_BYTES("3"),
        SAMPLE_BYTES("00000000000007D4"),
    },
    { /* text that looks like an escape, a NUL, an odd length */
        SAMPLE_BYTES("\\\0u\0" "0\0" "0\0" "0\0" "0\0"), SAMPLE_BYTES("a\0\0\0b\0"),
        SAMPLE_BYTES("a\0b"), SAMPLE_BYTES("\\u0000"), SAMPLE_BYTES("\x1B[2J"),
        SAMPLE_BYTES("\xEF\xBB\xBF"), SAMPLE_BYTES("null"), SAMPLE_BYTES("7"), SAMPLE_BYTES("8"),
        SAMPLE_BYTES("9"), SAMPLE_BYTES("0"), SAMPLE_BYTES("-0.000001"), SAMPLE_BYTES("-0.0001"),
        SAMPLE_BYTES("-1e-7"), SAMPLE_BYTES("1900-01-01"), SAMPLE_BYTES("1900-01-01T00:00:00.0000001"),
        SAMPLE_BYTES("1900-01-01T00:00:00.003"), SAMPLE_BYTES("1900-01-01T00:00:00.0000001+14:00"),
        SAMPLE_BYTES("0E984725-C51C-4BF4-9960-E1C80E27ABA0"), SAMPLE_BYTES(" \0 \0"), SAMPLE_NULL,
        SAMPLE_BYTES("5637144577"), SAMPLE_BYTES("1"), SAMPLE_BYTES("00000000000007D5"),
    },
};
static const char *const sample_keys[SAMPLE_ROWS] = {
    "5637144576:-9223372036854775808", "5637144576:1", "5637144576:2", "5637144576:3", "5637144577:1",
};

enum { SAMPLE_DOCUMENTS = 4 };
static const struct field sample_documents[SAMPLE_DOCUMENTS] = {
    SAMPLE_BYTES("{\"@odata.etag\":\"W/\\\"1\\\"\",\"msdyn_name\":\"Customers V3 \xC3\xA4\xF0\x9F\x98\x80\",\"n\":null}"),
    SAMPLE_BYTES("{\"msdyn_name\":\"\\ud83d \\u0000 \\u2028\",\"big\":12345678901234567890}"),
    SAMPLE_BYTES("{\"broken\":\"\xFF\xC0\x80\"}"),
    SAMPLE_BYTES("{\n\t\"a\" : \"\\\\\" }\0"),
};
static const char *const sample_document_keys[SAMPLE_DOCUMENTS] = {
    "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002",
    "00000000-0000-0000-0000-000000000003", "00000000-0000-0000-0000-000000000004",
};
static const char *const sample_etags[SAMPLE_DOCUMENTS] = {
    "W/\"1024\"", "W/\"18446744073709551615\"", "\"\\\"", "*",
};
/* clang-format on */

/** Row i of the project table, with its digest and version. */
static inline struct row
sample_row(size_t i)
{
    struct row row = {
        .id.table = TABLE_PROJECT, .fields = sample_fields[i], .count = SAMPLE_COLUMNS};

    (void)snprintf(row.id.key, sizeof(row.id.key), "%s", sample_keys[i]);
    digest_row(&sample_schema, &row);
    return row;
}

/** Row i of the Dataverse table. */
static inline struct row
sample_runtime_row(size_t i)
{
    struct row row = {.id.table = TABLE_RUNTIME, .fields = &sample_documents[i], .count = 1};

    (void)snprintf(row.id.key, sizeof(row.id.key), "%s", sample_document_keys[i]);
    (void)snprintf(row.id.version, sizeof(row.id.version), "%s", sample_etags[i]);
    digest_row(&sample_runtime_schema, &row);
    return row;
}

/** Both tables into a new backup, closed. */
static inline void
sample_write(struct backup *backup)
{
    struct err err = {0};

    assert_true(backup->ops->begin_table(backup, &sample_schema, &err));
    for (size_t i = 0; i < SAMPLE_ROWS; i++) {
        const struct row row = sample_row(i);
        assert_true(backup->ops->add(backup, &row, &err));
    }
    assert_true(backup->ops->end_table(backup, &err));
    assert_true(backup->ops->begin_table(backup, &sample_runtime_schema, &err));
    for (size_t i = 0; i < SAMPLE_DOCUMENTS; i++) {
        const struct row row = sample_runtime_row(i);
        assert_true(backup->ops->add(backup, &row, &err));
    }
    assert_true(backup->ops->end_table(backup, &err));
    assert_true(backup->ops->close(backup, &err));
}

/** A sink that compares every row with the sample, byte for byte. */
struct sample_check {
    size_t rows;
};

static inline bool
sample_take(void *ctx, const struct row *row, struct err *err)
{
    struct sample_check *check = ctx;
    const struct row expected =
        row->id.table == TABLE_RUNTIME ? sample_runtime_row(check->rows) : sample_row(check->rows);
    (void)err;
    assert_int_equal(row->id.table, expected.id.table);
    assert_string_equal(row->id.key, expected.id.key);
    assert_string_equal(row->id.version, expected.id.version);
    assert_true(digest_equal(&row->id.digest, &expected.id.digest));
    assert_int_equal(row->count, expected.count);
    for (size_t i = 0; i < row->count; i++) {
        assert_int_equal(row->fields[i].is_null, expected.fields[i].is_null);
        assert_true(slice_equal(row->fields[i].bytes, expected.fields[i].bytes));
    }
    check->rows++;
    return true;
}

/** The directory fixtures/backup-v1. The build directory lies somewhere below the sources. */
static inline void
sample_find_fixture(char ret[PATH_MAX])
{
    char up[PATH_MAX] = ".";

    for (int depth = 0; depth < 8; depth++) {
        char seal[PATH_MAX];
        assert_true(snprintf(ret, PATH_MAX, "%s/fixtures/backup-v1", up) < PATH_MAX);
        assert_true(snprintf(seal, PATH_MAX, "%s/SEALED.json", ret) < PATH_MAX);
        if (access(seal, F_OK) == 0)
            return;
        const size_t used = strlen(up);
        (void)snprintf(up + used, sizeof(up) - used, "/..");
    }
    fail_msg("fixtures/backup-v1 was not found above the working directory");
}

#endif
