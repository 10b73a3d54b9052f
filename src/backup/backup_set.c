#include "backup/backup_set.h"

#include "base/file.h"
#include "manifest.h"
#include "row_line.h"
#include "storage.h"
#include "zstd_file.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum stage { STAGE_NEW, STAGE_BETWEEN, STAGE_TABLE, STAGE_CLOSED, STAGE_SEALED };

struct backup_set {
    struct backup port; /* first: the port is the set */
    char *directory;
    char *program;
    const struct backup_key *key;
    enum stage stage;
    bool failed;
    struct err first; /* why, when failed */
    struct manifest manifest;
    struct text schemas[TABLES];
    bool read_back[TABLES];
    struct digest manifest_digest;
    enum table table; /* the open one */
    struct zstd_writer *file;
    struct row_line_writer rows;
};

static struct backup_set *
set_of(struct backup *backup)
{
    return (struct backup_set *)backup;
}

/* Every failure goes through here: the first one is kept and makes the backup unusable. */
static bool
fail(struct backup_set *set, const struct err *err)
{
    if (!set->failed) {
        set->failed = true;
        set->first = *err;
    }
    return false;
}

static bool
check_stage(struct backup_set *set, bool allowed, const char *what, struct err *err)
{
    if (set->failed) {
        (void)err_set(err, ERR_STORAGE, "the backup in %s is unusable after an earlier failure",
                      set->directory);
        return err_detail(err, "%s", set->first.primary);
    }
    if (allowed)
        return true;
    (void)err_set(err, ERR_INTERNAL, "%s out of turn in the backup %s", what, set->directory);
    return fail(set, err);
}

static bool
make_directory(struct backup_set *set, struct err *err)
{
    if (set->stage != STAGE_NEW)
        return true;
    if (!storage_make_directory(set->directory, NULL, err))
        return false;
    set->stage = STAGE_BETWEEN;
    return true;
}

static bool
write_head(struct backup_set *set, const char *schema, struct err *err)
{
    TEXT_SCOPED line = {0};

    text_printf(&line, "{\"format\":\"%s\",\"version\":\"%s\",\"schema\":", BACKUP_TABLE_FORMAT,
                BACKUP_FORMAT_VERSION);
    text_append(&line, schema);
    text_append(&line, "}\n");
    return text_ok(&line, err) && zstd_writer_add(set->file, line.data, line.used, err);
}

static bool
open_table(struct backup_set *set, const struct schema *schema, struct err *err)
{
    struct manifest_table *entry = &set->manifest.tables[schema->table];
    struct text *text = &set->schemas[schema->table];

    if (!make_directory(set, err))
        return false;
    const struct crypt_with with = {.key = set->key, .purpose = table_key(schema->table)};
    (void)snprintf(entry->file, sizeof(entry->file), "%s.ndjson.zst%s", table_key(schema->table),
                   set->key ? ".enc" : "");
    stored_schema_append(text, schema);
    if (!text_ok(text, err))
        return false;
    entry->schema_text = text_string(text);
    STORAGE_SCOPED_STRING path = storage_path(set->directory, entry->file);
    if (!path)
        return storage_no_memory(err);
    if (!row_line_writer_init(&set->rows, schema, err) ||
        !zstd_writer_open(path, &with, &set->file, err) ||
        !write_head(set, entry->schema_text, err))
        return false;
    entry->present = true;
    set->table = schema->table;
    set->stage = STAGE_TABLE;
    return true;
}

static bool
begin_table(struct backup *backup, const struct schema *schema, struct err *err)
{
    struct backup_set *set = set_of(backup);
    const bool allowed = (set->stage == STAGE_NEW || set->stage == STAGE_BETWEEN) &&
                         !set->manifest.tables[schema->table].present && schema->count > 0 &&
                         schema->count <= STORED_COLUMNS_MAX;

    if (!check_stage(set, allowed, "a table", err))
        return false;
    return open_table(set, schema, err) || fail(set, err);
}

static bool
add(struct backup *backup, const struct row *row, struct err *err)
{
    struct backup_set *set = set_of(backup);

    if (!check_stage(set, set->stage == STAGE_TABLE && row->id.table == set->table, "a row", err))
        return false;
    if (!row_line_write(&set->rows, row, err) ||
        !zstd_writer_add(set->file, set->rows.line.data, set->rows.line.used, err))
        return fail(set, err);
    set->manifest.tables[set->table].rows++;
    return true;
}

static void
drop_table(struct backup_set *set)
{
    zstd_writer_free(set->file);
    set->file = NULL;
    row_line_writer_done(&set->rows);
    set->rows = (struct row_line_writer){0};
}

static bool
end_table(struct backup *backup, struct err *err)
{
    struct backup_set *set = set_of(backup);
    struct manifest_table *entry = &set->manifest.tables[set->table];

    if (!check_stage(set, set->stage == STAGE_TABLE, "the end of a table", err))
        return false;
    if (!zstd_writer_end(set->file, &entry->bytes, &entry->digest, err))
        return fail(set, err);
    drop_table(set);
    set->stage = STAGE_BETWEEN;
    return true;
}

static bool
write_durable(struct backup_set *set, const char *name, const struct text *text, struct err *err)
{
    STORAGE_SCOPED_STRING path = storage_path(set->directory, name);
    if (!path)
        return storage_no_memory(err);
    return text_ok(text, err) && file_replace(path, text->data, text->used, 0600, err);
}

static bool
write_manifest(struct backup_set *set, struct err *err)
{
    TEXT_SCOPED text = {.max = MANIFEST_MAX_BYTES};

    manifest_append(&text, &set->manifest, set->program);
    if (!write_durable(set, "manifest.json", &text, err))
        return false;
    set->manifest_digest = digest_of(text.data, text.used);
    return true;
}

/* The directory's own entry lies in the run's directory. */
static bool
sync_directories(struct backup_set *set, struct err *err)
{
    STORAGE_SCOPED_STRING parent = storage_path(set->directory, "..");
    if (!parent)
        return storage_no_memory(err);
    return file_sync_directory(set->directory, err) && file_sync_directory(parent, err);
}

static bool
backup_close(struct backup *backup, struct err *err)
{
    struct backup_set *set = set_of(backup);

    if (!check_stage(set, set->stage == STAGE_NEW || set->stage == STAGE_BETWEEN,
                     "the end of the backup", err))
        return false;
    if (!make_directory(set, err) || !write_manifest(set, err) || !sync_directories(set, err))
        return fail(set, err);
    set->stage = STAGE_CLOSED;
    return true;
}

static bool
read_back(struct backup *backup, enum table table, const struct row_sink *sink, struct err *err)
{
    struct backup_set *set = set_of(backup);
    struct backup_reader *reader = NULL;

    const bool allowed = (set->stage == STAGE_CLOSED || set->stage == STAGE_SEALED) &&
                         set->manifest.tables[table].present;

    if (!check_stage(set, allowed, "reading back", err))
        return false;
    if (!backup_reader_open_unsealed(set->directory, set->key, &set->manifest_digest, &reader, err))
        return fail(set, err);
    const bool ok = backup_reader_rows_of(reader, table, sink, err);
    backup_reader_free(reader);
    set->read_back[table] = ok;
    return ok || fail(set, err);
}

static bool
all_read_back(const struct backup_set *set)
{
    for (int i = 0; i < TABLES; i++)
        if (set->manifest.tables[i].rows > 0 && !set->read_back[i])
            return false;
    return true;
}

static bool
seal(struct backup *backup, struct err *err)
{
    struct backup_set *set = set_of(backup);
    TEXT_SCOPED text = {0};

    if (!check_stage(set, set->stage == STAGE_CLOSED && all_read_back(set), "the seal", err))
        return false;
    seal_append(&text, &set->manifest_digest);
    if (!write_durable(set, "SEALED.json", &text, err))
        return fail(set, err);
    set->stage = STAGE_SEALED;
    return true;
}

static const struct backup_ops ops = {
    .begin_table = begin_table,
    .add = add,
    .end_table = end_table,
    .close = backup_close,
    .read_back = read_back,
    .seal = seal,
};

bool
backup_set_new(const char *directory, const char *program, const struct backup_key *key,
               struct backup **ret, struct err *err)
{
    struct backup_set *set = calloc(1, sizeof(*set));

    assert(directory && program);
    if (!set)
        return storage_no_memory(err);
    set->port.ops = &ops;
    set->directory = strdup(directory);
    set->program = strdup(program);
    set->key = key;
    if (key)
        (void)snprintf(set->manifest.key_id, sizeof(set->manifest.key_id), "%s", key->id);
    if (!set->directory || !set->program) {
        backup_set_free(&set->port);
        return storage_no_memory(err);
    }
    *ret = &set->port;
    return true;
}

void
backup_set_free(struct backup *backup)
{
    if (!backup)
        return;
    struct backup_set *set = set_of(backup);
    drop_table(set);
    for (int i = 0; i < TABLES; i++)
        text_done(&set->schemas[i]);
    free(set->directory);
    free(set->program);
    free(set);
}
