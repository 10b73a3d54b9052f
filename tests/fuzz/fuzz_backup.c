/* A backup. 'L', a manifest and, behind a line "--", the rows of its project table: @BYTES@ and
 * @SHA@ in the manifest stand for those of the file, and all is sealed. Whatever row is handed on
 * has the digest on record. Else the damage of one file of a good backup: it is found, or every row
 * is still as it was. */
#include "backup/backup_set.h"
#include "base/text.h"
#include "digest_row.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

enum { ROWS = 5, COLUMNS = 6, DOCUMENTS = 2 };

#define TEXT(literal)                                                                              \
    {                                                                                              \
        .bytes = {(const unsigned char *)(literal), sizeof(literal) - 1 }                          \
    }

static const struct column columns[COLUMNS] = {
    {.name = "NAME",
     .type_name = "nvarchar",
     .max_length = 200,
     .collation = "x",
     .nullable = true},
    {.name = "NARROW",
     .type_name = "varchar",
     .max_length = 80,
     .collation = "x",
     .nullable = true},
    {.name = "BYTES", .type_name = "varbinary", .max_length = -1, .nullable = true},
    {.name = "PARTITION", .type_name = "bigint", .max_length = 8},
    {.name = "RECID", .type_name = "bigint", .max_length = 8},
    {.name = "VERSION", .type_name = "timestamp", .max_length = 8, .generated = true},
};
static const struct schema schema = {
    .table = TABLE_PROJECT, .columns = columns, .count = COLUMNS, .unique_key = true};
static const struct column document_column = {.name = "document", .type_name = "json"};
static const struct schema runtime_schema = {
    .table = TABLE_RUNTIME, .columns = &document_column, .count = 1, .unique_key = true};
static const struct field documents[DOCUMENTS] = {TEXT("{\"a\":\"\xC3\xA4\"}"), TEXT("{}")};

static char directory[4096], encrypted[4096];
static struct backup_key key;
static struct text good_rows; /* what the good backup holds, as seen */

static struct row
project_row(int i, struct field fields[COLUMNS], char recid[24])
{
    struct row row = {.id.table = TABLE_PROJECT, .fields = fields, .count = COLUMNS};
    const int size = snprintf(recid, 24, "%d", i);
    fields[0] = (struct field)TEXT("a\0\xE4\0\"\0");
    fields[1] = (struct field){.is_null = i % 2 == 0, .bytes = slice_of("caf\xE9", 4)};
    fields[2] = (struct field)TEXT("\0\1\2\xFF");
    fields[3] = (struct field)TEXT("5637144576");
    fields[4] = (struct field){.bytes = slice_of(recid, (size_t)size)};
    fields[5] = (struct field)TEXT("00000000000007D1");
    (void)snprintf(row.id.key, sizeof(row.id.key), "5637144576:%d", i);
    digest_row(&schema, &row);
    return row;
}

static void
add_rows(struct backup *backup)
{
    struct err err = {0};
    FUZZ_MUST(backup->ops->begin_table(backup, &schema, &err));
    for (int i = 0; i < ROWS; i++) {
        struct field fields[COLUMNS];
        char recid[24];
        const struct row row = project_row(i, fields, recid);
        FUZZ_MUST(backup->ops->add(backup, &row, &err));
    }
    FUZZ_MUST(backup->ops->end_table(backup, &err));
    FUZZ_MUST(backup->ops->begin_table(backup, &runtime_schema, &err));
    for (int i = 0; i < DOCUMENTS; i++) {
        struct row row = {.id.table = TABLE_RUNTIME, .fields = &documents[i], .count = 1};
        (void)snprintf(row.id.key, sizeof(row.id.key), "00000000-0000-0000-0000-00000000000%d", i);
        (void)snprintf(row.id.version, sizeof(row.id.version), "W/\"%d\"", i);
        digest_row(&runtime_schema, &row);
        FUZZ_MUST(backup->ops->add(backup, &row, &err));
    }
    FUZZ_MUST(backup->ops->end_table(backup, &err) && backup->ops->close(backup, &err));
}

/** What a reader hands on; each row has the digest that goes with it. */
struct seen {
    const struct schema *schema;
    struct text text;
    int64_t rows;
};

static bool
take(void *ctx, const struct row *row, struct err *err)
{
    struct seen *seen = ctx;
    struct row again = *row;
    (void)err;
    FUZZ_MUST(row->count == seen->schema->count);
    digest_row(seen->schema, &again);
    FUZZ_MUST(digest_equal(&again.id.digest, &row->id.digest));
    FUZZ_MUST(strcmp(again.id.version, row->id.version) == 0);
    text_printf(&seen->text, "%s %s ", row->id.key, row->id.version);
    text_append_hex(&seen->text, row->id.digest.bytes, DIGEST_BYTES);
    seen->rows++;
    return true;
}

/** False when any part of it is refused. */
static bool
read_all(const char *path, const struct backup_key *with, struct text *ret)
{
    struct backup_reader *reader = NULL;
    struct err err = {0};
    bool ok = true;
    if (!backup_reader_open(path, with, &reader, &err)) {
        fuzz_must_say(&err);
        return false;
    }
    for (unsigned i = 0; i < TABLES && ok; i++) {
        struct seen seen = {.schema = backup_reader_schema(reader, (enum table)i)};
        const struct row_sink sink = {.ctx = &seen, .take = take};
        if (!seen.schema)
            continue;
        ok = backup_reader_rows_of(reader, (enum table)i, &sink, &err);
        if (ok)
            FUZZ_MUST(seen.rows == backup_reader_rows(reader, (enum table)i));
        else
            fuzz_must_say(&err);
        text_printf(ret, "%s %s\n", table_key((enum table)i), text_string(&seen.text));
        text_done(&seen.text);
    }
    backup_reader_free(reader);
    return ok;
}

static void
make(const char *path, const struct backup_key *with)
{
    struct backup *backup = NULL;
    struct err err = {0};
    FUZZ_MUST(backup_set_new(path, "dwclean fuzz", with, &backup, &err));
    add_rows(backup);
    FUZZ_MUST(backup->ops->read_back(backup, TABLE_PROJECT, NULL, &err) &&
              backup->ops->read_back(backup, TABLE_RUNTIME, NULL, &err) &&
              backup->ops->seal(backup, &err));
    backup_set_free(backup);
}

static void
make_good(void)
{
    SECRET_SCOPED text = {0};
    TEXT_SCOPED again = {0};
    struct err err = {0};
    char hex[2 * BACKUP_KEY_BYTES + 1];
    memset(hex, 'a', sizeof(hex) - 1);
    hex[sizeof(hex) - 1] = '\0';
    FUZZ_MUST(secret_set(&text, hex, sizeof(hex) - 1, &err) && backup_key_parse(&text, &key, &err));
    (void)snprintf(directory, sizeof(directory), "%s", fuzz_path("good"));
    (void)snprintf(encrypted, sizeof(encrypted), "%s", fuzz_path("encrypted"));
    make(directory, NULL);
    make(encrypted, &key);
    FUZZ_MUST(read_all(directory, NULL, &good_rows) && read_all(encrypted, &key, &again));
    FUZZ_MUST(strcmp(text_string(&good_rows), text_string(&again)) == 0);
}

/** One file of it is damaged, read, and put right again. */
static void
damaged(uint8_t which, struct fuzz_input *input)
{
    static const char *const plain[] = {"manifest.json", "SEALED.json", "project.ndjson.zst",
                                        "runtime.ndjson.zst"};
    static const char *const secret[] = {"manifest.json", "SEALED.json", "project.ndjson.zst.enc",
                                         "runtime.ndjson.zst.enc"};
    const bool with_key = which & 4;
    char path[2 * 4096];
    size_t size = 0;
    TEXT_SCOPED text = {0};
    (void)snprintf(path, sizeof(path), "%s/%s", with_key ? encrypted : directory,
                   with_key ? secret[which % 4] : plain[which % 4]);
    char *bytes = fuzz_read(path, &size);
    size_t changed_size = size;
    uint8_t *changed = malloc(size);
    FUZZ_MUST(changed);
    memcpy(changed, bytes, size);
    fuzz_damage(input, &changed, &changed_size);
    fuzz_write(path, changed, changed_size);
    if (read_all(with_key ? encrypted : directory, with_key ? &key : NULL, &text))
        FUZZ_MUST(strcmp(text_string(&text), text_string(&good_rows)) == 0);
    fuzz_write(path, bytes, size);
    free(changed);
    free(bytes);
}

/** The manifest with its marks filled in. */
static void
write_manifest(const char *text, const struct digest *digest, size_t size, struct text *ret)
{
    char hex[DIGEST_HEX_BYTES];
    digest_hex(digest, hex);
    while (*text) {
        if (strncmp(text, "@SHA@", 5) == 0) {
            text_append(ret, hex);
            text += 5;
        } else if (strncmp(text, "@BYTES@", 7) == 0) {
            text_printf(ret, "%zu", size);
            text += 7;
        } else {
            text_append_bytes(ret, text++, 1);
        }
    }
}

static void
made_up(struct fuzz_input *input)
{
    TEXT_SCOPED manifest = {0}, seal = {0}, ignored = {0};
    char *packed_path = strdup(fuzz_path("lines/project.ndjson.zst"));
    char *manifest_text = fuzz_line(input);
    const size_t room = ZSTD_compressBound(input->left);
    void *packed = malloc(room);
    char hex[DIGEST_HEX_BYTES];
    FUZZ_MUST(packed && packed_path);
    const size_t size = ZSTD_compress(packed, room, input->at, input->left, 1);
    FUZZ_MUST(!ZSTD_isError(size));
    const struct digest digest = digest_of(packed, size);
    write_manifest(manifest_text, &digest, size, &manifest);
    const struct digest sealed = digest_of(text_string(&manifest), manifest.used);
    digest_hex(&sealed, hex);
    text_printf(&seal,
                "{\"format\":\"dwclean-backup-seal\",\"version\":\"1\",\"sealed_utc\":"
                "\"2026-11-21T21:44:29.123Z\",\"manifest_sha256\":\"%s\"}\n",
                hex);
    fuzz_write(packed_path, packed, size);
    fuzz_write(fuzz_path("lines/manifest.json"), text_string(&manifest), manifest.used);
    fuzz_write(fuzz_path("lines/SEALED.json"), text_string(&seal), seal.used);
    (void)read_all(fuzz_path("lines"), NULL, &ignored);
    free(packed);
    free(packed_path);
    free(manifest_text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const uint8_t which = fuzz_byte(&input);

    if (!directory[0]) {
        make_good();
        fuzz_make_directory(fuzz_path("lines"));
    }
    if (which == 'L')
        made_up(&input);
    else
        damaged(which, &input);
    return 0;
}
