#include "backup/backup_set.h"
#include "base/file.h"
#include "lines.h"
#include "manifest.h"
#include "port/row_digest.h"
#include "row_line.h"
#include "storage.h"
#include "zstd_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READER_ARENA_BYTES = 64 * 1024 * 1024, SEAL_MAX_BYTES = 64 * 1024 };

struct backup_reader {
    char *directory;
    const struct backup_key *key;
    struct arena *arena;
    struct manifest manifest;
    struct digest digest; /* of the manifest */
};

/* One table on its way from the disk. */
struct backup_cursor {
    const struct manifest_table *entry;
    char *path;
    int fd;
    struct zstd_reader *zstd;
    struct lines lines;
    bool lines_open;
    struct row_line_reader rows;
    struct row_digester *digester;
    int64_t count;
};

static bool
fault(const struct backup_cursor *reading, struct err *err, const char *why)
{
    return err_set(err, ERR_STORAGE, "%s: line %" PRId64 " %s", reading->path,
                   reading->lines.number, why);
}

/* The file starts with the schema that the manifest holds. */
static bool
check_head(const struct backup_cursor *reading, struct slice line, struct err *err)
{
    STORAGE_SCOPED_JSON json = storage_parse_json((const char *)line.data, line.size);
    TEXT_SCOPED found = {0};
    TEXT_SCOPED expected = {0};
    ARENA_SCOPED arena = arena_new(READER_ARENA_BYTES);
    struct stored_schema schema = {0};

    if (!arena)
        return storage_no_memory(err);
    if (!format_is(json, BACKUP_TABLE_FORMAT) ||
        !stored_schema_parse(cJSON_GetObjectItemCaseSensitive(json, "schema"), arena, &schema))
        return fault(reading, err, "is not the head of a table of format " BACKUP_FORMAT_VERSION);
    stored_schema_append(&found, &schema.schema);
    stored_schema_append(&expected, &reading->entry->schema.schema);
    if (!text_ok(&found, err) || !text_ok(&expected, err))
        return false;
    if (strcmp(text_string(&found), text_string(&expected)) != 0)
        return fault(reading, err, "holds another schema than the manifest");
    return true;
}

static bool
check_row(struct backup_cursor *reading, const struct row *row, struct err *err)
{
    struct row again = *row;

    row_digest(reading->digester, &again);
    if (!digest_equal(&again.id.digest, &row->id.digest))
        return fault(reading, err, "holds a row that does not have the digest on record");
    if (strcmp(again.id.version, row->id.version) != 0)
        return fault(reading, err, "holds a row that does not have the version on record");
    return true;
}

static bool
read_head(struct backup_cursor *reading, struct err *err)
{
    enum line_state state = LINE_END;
    struct slice line = {0};

    if (!lines_next(&reading->lines, &state, &line, err))
        return false;
    if (state != LINE_WHOLE)
        return err_set(err, ERR_STORAGE, "%s holds no head", reading->path);
    return check_head(reading, line, err);
}

/* Behind the last row. */
static bool
check_count(const struct backup_cursor *reading, struct err *err)
{
    if (reading->count == reading->entry->rows)
        return true;
    return err_set(err, ERR_STORAGE, "%s holds %" PRId64 " rows where the manifest has %" PRId64,
                   reading->path, reading->count, reading->entry->rows);
}

bool
backup_cursor_next(struct backup_cursor *reading, struct row *ret, bool *ret_end, struct err *err)
{
    enum line_state state = LINE_END;
    struct slice line = {0};
    struct row row;
    const char *why = NULL;

    if (!lines_next(&reading->lines, &state, &line, err))
        return err_detail(err, "after line %" PRId64, reading->lines.number);
    if (state == LINE_TORN)
        return fault(reading, err, "has no end");
    if (state == LINE_END) {
        if (!check_count(reading, err))
            return false;
        *ret_end = true;
        return true;
    }
    if (!row_line_read(&reading->rows, line, &row, &why))
        return fault(reading, err, why);
    if (!check_row(reading, &row, err))
        return false;
    reading->count++;
    *ret = row;
    *ret_end = false;
    return true;
}

void
backup_cursor_free(struct backup_cursor *cursor)
{
    if (!cursor)
        return;
    if (cursor->lines_open)
        lines_done(&cursor->lines);
    zstd_reader_free(cursor->zstd);
    row_line_reader_done(&cursor->rows);
    row_digester_free(cursor->digester);
    file_close(&cursor->fd);
    free(cursor->path);
    free(cursor);
}

/* Decoding begins where `fd` stands; takes it over, also when it fails. NULL with `err` filled. */
static struct backup_cursor *
new_cursor(const struct manifest_table *entry, const struct backup_key *key, const char *path,
           int fd, struct err *err)
{
    const struct crypt_with with = {.key = key, .purpose = table_key(entry->schema.schema.table)};
    struct backup_cursor *cursor = calloc(1, sizeof(*cursor));
    bool ok = false;

    if (!cursor) {
        file_close(&fd);
        (void)storage_no_memory(err);
        return NULL;
    }
    cursor->entry = entry;
    cursor->fd = fd;
    cursor->path = storage_copy(path);
    cursor->digester = row_digester_new(&entry->schema.schema);
    if (!cursor->path || !cursor->digester)
        (void)storage_no_memory(err);
    else if (row_line_reader_init(&cursor->rows, &entry->schema, err) &&
             zstd_reader_open(cursor->fd, cursor->path, &with, &cursor->zstd, err)) {
        lines_init(&cursor->lines,
                   (struct line_source){.ctx = cursor->zstd, .read = zstd_reader_read},
                   cursor->path, ROW_LINE_MAX_BYTES);
        cursor->lines_open = true;
        ok = read_head(cursor, err);
    }
    if (ok)
        return cursor;
    backup_cursor_free(cursor);
    return NULL;
}

/* Every row from where `fd` stands, which is taken over. */
static bool
decode(const struct manifest_table *entry, const struct backup_key *key, const char *path, int fd,
       struct err *err)
{
    struct backup_cursor *cursor = new_cursor(entry, key, path, fd, err);
    bool ok = cursor != NULL;
    bool end = false;
    struct row row;

    while (ok && !end)
        ok = backup_cursor_next(cursor, &row, &end, err);
    backup_cursor_free(cursor);
    return ok;
}

static bool
rewind_file(int fd, const char *path, struct err *err)
{
    if (lseek(fd, 0, SEEK_SET) == 0)
        return true;
    return err_set(err, ERR_STORAGE, "could not seek in %s", path);
}

/* The file is not what was written: find the first place that shows it. */
static bool
report_damage(const struct manifest_table *entry, const struct backup_key *key, const char *path,
              int *fd, struct err *err)
{
    struct err first = {0};

    if (rewind_file(*fd, path, &first) && decode(entry, key, path, storage_take(fd), &first))
        (void)snprintf(first.primary, sizeof(first.primary),
                       "every row in it still has its digest");
    (void)err_set(err, ERR_STORAGE, "%s is damaged: its SHA-256 is not the one in the manifest",
                  path);
    (void)err_detail(err, "%s%s%s", first.primary, *first.detail ? "; " : "", first.detail);
    return err_hint(err, "Restore the run directory from a copy; do not remove or put back rows "
                         "with this one.");
}

/* Is it encrypted with the key that was given, or not at all? `ret` is what to decrypt with. */
static bool
choose_key(const struct backup_reader *reader, const struct backup_key **ret, struct err *err)
{
    const char *id = reader->manifest.key_id;

    *ret = NULL;
    if (!id[0])
        return true;
    *ret = reader->key;
    if (reader->key && strcmp(reader->key->id, id) == 0)
        return true;
    if (reader->key)
        (void)err_set(err, ERR_STORAGE, "the backup is encrypted with key %s, not with key %s", id,
                      reader->key->id);
    else
        (void)err_set(err, ERR_STORAGE, "the backup is encrypted with key %s", id);
    (void)err_detail(err, "%s", reader->directory);
    return err_hint(err, "Pass the key that the run was made with: --backup-key-file FILE.");
}

bool
backup_cursor_open(struct backup_reader *reader, enum table table, struct backup_cursor **ret,
                   struct err *err)
{
    const struct manifest_table *entry = &reader->manifest.tables[table];
    const struct backup_key *key = NULL;
    struct backup_cursor *cursor = NULL;
    struct digest digest;
    uint64_t bytes = 0;
    FILE_SCOPED fd = -1;

    if (!entry->present)
        return err_set(err, ERR_STORAGE, "%s has no rows of %s", reader->directory,
                       table_name(table));
    STORAGE_SCOPED_STRING path = storage_path(reader->directory, entry->file);
    if (!path)
        return storage_no_memory(err);
    if (!choose_key(reader, &key, err))
        return false;
    if (!storage_open_cold(path, &fd, err) || !storage_digest(fd, path, &digest, &bytes, err))
        return false;
    if (bytes != entry->bytes || !digest_equal(&digest, &entry->digest))
        return report_damage(entry, key, path, &fd, err);
    if (!rewind_file(fd, path, err))
        return false;
    cursor = new_cursor(entry, key, path, storage_take(&fd), err);
    if (!cursor)
        return false;
    *ret = cursor;
    return true;
}

bool
backup_reader_rows_of(struct backup_reader *reader, enum table table, const struct row_sink *sink,
                      struct err *err)
{
    struct backup_cursor *cursor = NULL;
    struct row row;
    bool end = false;
    bool ok = backup_cursor_open(reader, table, &cursor, err) && cursor;

    while (ok && !end) {
        ok = backup_cursor_next(cursor, &row, &end, err);
        if (ok && !end && sink)
            ok = sink->take(sink->ctx, &row, err);
    }
    backup_cursor_free(cursor);
    return ok;
}

static bool
read_small(const char *directory, const char *name, size_t max, char **ret_bytes, size_t *ret_size,
           struct err *err)
{
    STORAGE_SCOPED_STRING path = storage_path(directory, name);
    if (!path)
        return storage_no_memory(err);
    return storage_read_small(path, max, ret_bytes, ret_size, err);
}

static bool
load_manifest(struct backup_reader *reader, const struct digest *expected, struct err *err)
{
    STORAGE_SCOPED_STRING bytes = NULL;
    STORAGE_SCOPED_STRING path = storage_path(reader->directory, "manifest.json");
    size_t size = 0;

    if (!path)
        return storage_no_memory(err);
    if (!read_small(reader->directory, "manifest.json", MANIFEST_MAX_BYTES, &bytes, &size, err))
        return false;
    const struct digest digest = digest_of(bytes, size);
    if (!digest_equal(&digest, expected))
        return err_set(err, ERR_STORAGE, "%s was changed after it was written", path);
    reader->digest = digest;
    return manifest_parse(slice_of(bytes, size), path, reader->arena, &reader->manifest, err);
}

bool
backup_reader_open_unsealed(const char *directory, const struct backup_key *key,
                            const struct digest *manifest, struct backup_reader **ret,
                            struct err *err)
{
    struct backup_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return storage_no_memory(err);
    reader->directory = strdup(directory);
    reader->key = key;
    reader->arena = arena_new(READER_ARENA_BYTES);
    const bool memory = reader->directory && reader->arena;
    if (!memory || !load_manifest(reader, manifest, err)) {
        backup_reader_free(reader);
        return memory ? false : storage_no_memory(err);
    }
    *ret = reader;
    return true;
}

bool
backup_reader_open(const char *directory, const struct backup_key *key, struct backup_reader **ret,
                   struct err *err)
{
    STORAGE_SCOPED_STRING bytes = NULL;
    STORAGE_SCOPED_STRING path = storage_path(directory, "SEALED.json");
    struct digest manifest;
    size_t size = 0;

    if (!path)
        return storage_no_memory(err);
    if (!read_small(directory, "SEALED.json", SEAL_MAX_BYTES, &bytes, &size, err)) {
        (void)err_wrap(err, "the backup is not sealed");
        return err_hint(err, "A backup that is not sealed is no backup: its run has removed "
                             "nothing yet.");
    }
    return seal_parse(slice_of(bytes, size), path, &manifest, err) &&
           backup_reader_open_unsealed(directory, key, &manifest, ret, err);
}

void
backup_reader_free(struct backup_reader *reader)
{
    if (!reader)
        return;
    free(reader->directory);
    arena_free(reader->arena);
    free(reader);
}

const struct schema *
backup_reader_schema(const struct backup_reader *reader, enum table table)
{
    const struct manifest_table *entry = &reader->manifest.tables[table];
    return entry->present ? &entry->schema.schema : NULL;
}

int64_t
backup_reader_rows(const struct backup_reader *reader, enum table table)
{
    return reader->manifest.tables[table].rows;
}

const struct digest *
backup_reader_manifest(const struct backup_reader *reader)
{
    return &reader->digest;
}

const char *
backup_reader_key_id(const struct backup_reader *reader)
{
    return reader->manifest.key_id;
}
