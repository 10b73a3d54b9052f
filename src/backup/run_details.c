#include "run_details.h"

#include "backup/journal_file.h"
#include "backup/plan_ndjson.h"
#include "base/parse.h"
#include "run_entry.h"
#include "run_record.h"
#include "storage.h"
#include "sums.h"

#include <stdlib.h>
#include <string.h>

enum {
    FILES_MAX = 4096,
    MOMENTS_MAX = 5000,
    REPORT_MAX_BYTES = 64 * 1024 * 1024,
    NAME_BYTES = 300,
};

/* ---- run.json ---- */

static bool
copy_facts(const cJSON *object, struct arena *arena, const struct fact **ret, size_t *ret_count,
           struct err *err)
{
    const int size = cJSON_GetArraySize(object);
    struct fact *facts = arena_alloc(arena, ((size_t)size + 1) * sizeof(*facts));
    const cJSON *member = NULL;
    size_t count = 0;

    if (!facts)
        return arena_exhausted(err);
    cJSON_ArrayForEach(member, object)
    {
        const char *value = cJSON_GetStringValue(member);

        facts[count].name = arena_string(arena, member->string ? member->string : "");
        facts[count].value = arena_string(arena, value ? value : "");
        if (!facts[count].name || !facts[count].value)
            return arena_exhausted(err);
        count++;
    }
    *ret = facts;
    *ret_count = count;
    return true;
}

static bool
copy_member(const cJSON *json, const char *name, struct arena *arena, const char **ret,
            struct err *err)
{
    const char *value = storage_json_string(json, name);

    *ret = arena_string(arena, value ? value : "");
    return *ret || arena_exhausted(err);
}

/* What there is; a record that cannot be read has been told as damage. */
static bool
load_record(struct run_details *details, struct arena *arena, struct err *err)
{
    STORAGE_SCOPED_STRING file = storage_path(details->entry.path, "run.json");
    STORAGE_SCOPED_STRING bytes = NULL;
    STORAGE_SCOPED_JSON json = NULL;
    struct err ignored;
    size_t size = 0;

    if (!file)
        return storage_no_memory(err);
    if (storage_read_small(file, RUN_RECORD_MAX_BYTES, &bytes, &size, &ignored)) {
        while (size > 0 && bytes[size - 1] == '\n')
            size--;
        json = storage_parse_json(bytes, size);
    }
    return copy_member(json, "uid", arena, &details->uid, err) &&
           copy_member(json, "sudo_user", arena, &details->sudo_user, err) &&
           copy_member(json, "pid", arena, &details->pid, err) &&
           copy_facts(cJSON_GetObjectItemCaseSensitive(json, "facts"), arena, &details->facts,
                      &details->fact_count, err) &&
           copy_facts(cJSON_GetObjectItemCaseSensitive(json, "versions"), arena, &details->versions,
                      &details->version_count, err);
}

/* ---- the time line ---- */

struct time_line {
    struct run_moment *moments;
    size_t count;
    struct arena *arena;
};

/* Steps whose facts are rows. */
static bool
names_rows(const char *step)
{
    return strncmp(step, "purge-", 6) == 0 || strncmp(step, "return-", 7) == 0;
}

static int64_t
rows_named(const struct journal_record *record)
{
    if (!names_rows(record->step))
        return 0;
    return record->count > 0 && strcmp(record->facts[0].name, "key") == 0 ? 1
                                                                          : (int64_t)record->count;
}

static bool
keep_facts(struct time_line *line, const struct journal_record *record, struct run_moment *moment,
           struct err *err)
{
    struct fact *facts = arena_alloc(line->arena, (record->count + 1) * sizeof(*facts));

    if (!facts)
        return arena_exhausted(err);
    for (size_t i = 0; i < record->count; i++) {
        const char *value = record->facts[i].value;
        facts[i].name = arena_string(line->arena, record->facts[i].name);
        facts[i].value = arena_string(line->arena, value ? value : "");
        if (!facts[i].name || !facts[i].value)
            return arena_exhausted(err);
    }
    moment->facts = facts;
    moment->count = record->count;
    return true;
}

/* More of the same step: one moment, without single facts. */
static bool
add_again(struct time_line *line, const struct journal_record *record, struct err *err)
{
    struct run_moment *moment = &line->moments[line->count - 1];

    moment->records++;
    moment->rows += rows_named(record);
    moment->facts = NULL;
    moment->count = 0;
    moment->last_utc = arena_string(line->arena, record->utc);
    return moment->last_utc || arena_exhausted(err);
}

static bool
take_record(void *ctx, const struct journal_record *record, struct err *err)
{
    struct time_line *line = ctx;

    if (line->count > 0 && strcmp(line->moments[line->count - 1].step, record->step) == 0)
        return add_again(line, record, err);
    if (line->count == MOMENTS_MAX)
        return true;
    struct run_moment *moment = &line->moments[line->count++];
    *moment = (struct run_moment){.step = arena_string(line->arena, record->step),
                                  .utc = arena_string(line->arena, record->utc),
                                  .records = 1,
                                  .rows = rows_named(record)};
    moment->last_utc = moment->utc;
    if (!moment->step || !moment->utc)
        return arena_exhausted(err);
    return names_rows(record->step) || keep_facts(line, record, moment, err);
}

static bool
load_time_line(struct run_details *details, struct arena *arena, struct err *err)
{
    STORAGE_SCOPED_STRING path = storage_path(details->entry.path, "journal.ndjson");
    struct time_line line = {.moments = arena_alloc(arena, MOMENTS_MAX * sizeof(*line.moments)),
                             .arena = arena};
    const struct journal_sink sink = {.ctx = &line, .take = take_record};
    struct journal_tail tail;
    struct err why;

    if (!path || !line.moments)
        return storage_no_memory(err);
    /* up to the fault, which the entry tells */
    if (!journal_read(path, &sink, &tail, &why) && why.code == ERR_INTERNAL) {
        *err = why;
        return false;
    }
    details->moments = line.moments;
    details->moment_count = line.count;
    return true;
}

/* ---- counts ---- */

static bool
count_planned(void *ctx, const struct row_id *row, struct err *err)
{
    struct run_details *details = ctx;

    (void)err;
    details->planned[row->table]++;
    return true;
}

static bool
note_planned_table(void *ctx, const struct schema *schema, struct err *err)
{
    struct run_details *details = ctx;

    (void)err;
    details->planned[schema->table] = 0;
    return true;
}

static void
load_planned(struct run_details *details, const char *path)
{
    const struct plan_sink sink = {
        .ctx = details, .schema = note_planned_table, .row = count_planned};
    struct plan_end end;
    struct err ignored;

    for (unsigned i = 0; i < TABLES; i++)
        details->planned[i] = -1;
    if (!plan_ndjson_read(path, &sink, &end, &ignored))
        for (unsigned i = 0; i < TABLES; i++)
            details->planned[i] = -1;
}

static void
load_after(struct run_details *details, const char *path)
{
    STORAGE_SCOPED_STRING bytes = NULL;
    STORAGE_SCOPED_JSON json = NULL;
    const cJSON *item = NULL;
    struct err ignored;
    size_t size = 0;

    for (unsigned i = 0; i < TABLES; i++)
        details->after[i] = -1;
    if (!storage_read_small(path, REPORT_MAX_BYTES, &bytes, &size, &ignored))
        return;
    while (size > 0 && bytes[size - 1] == '\n')
        size--;
    json = storage_parse_json(bytes, size);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "tables"))
    {
        const char *key = storage_json_string(item, "table");
        const char *rows = storage_json_string(item, "after");
        enum table table = TABLE_FIELD;
        int64_t number = 0;

        if (key && rows && table_from_key(key, &table) && parse_int(rows, 0, INT64_MAX, &number))
            details->after[table] = number;
    }
}

static bool
load_counts(struct run_details *details, struct err *err)
{
    STORAGE_SCOPED_STRING plan = storage_path(details->entry.path, "plan.ndjson");
    STORAGE_SCOPED_STRING report = storage_path(details->entry.path, "report.json");

    if (!plan || !report)
        return storage_no_memory(err);
    load_planned(details, plan);
    load_after(details, report);
    return true;
}

/* ---- files ---- */

struct file_list {
    struct run_file *files;
    size_t count;
    const struct sums *sums;
    struct arena *arena;
};

static bool
take_file(void *ctx, const char *folder, const char *name, uint64_t bytes, struct err *err)
{
    struct file_list *list = ctx;
    struct run_file *file = &list->files[list->count];
    char hex[DIGEST_HEX_BYTES] = "";
    struct digest digest;

    if (list->count == FILES_MAX)
        return true;
    file->name = *folder ? arena_printf(list->arena, "%s/%s", folder, name)
                         : arena_string(list->arena, name);
    if (!file->name)
        return arena_exhausted(err);
    if (sums_find(list->sums, file->name, &digest))
        digest_hex(&digest, hex);
    file->sha256 = arena_string(list->arena, hex);
    file->bytes = bytes;
    list->count++;
    return file->sha256 || arena_exhausted(err);
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct run_file *)a)->name, ((const struct run_file *)b)->name);
}

static bool
load_files(struct run_details *details, struct arena *arena, struct err *err)
{
    SUMS_SCOPED sums = {0};
    struct file_list list = {.files = arena_alloc(arena, FILES_MAX * sizeof(*list.files)),
                             .sums = &sums,
                             .arena = arena};
    const struct run_file_sink sink = {.ctx = &list, .take = take_file};
    struct err ignored;

    if (!list.files)
        return arena_exhausted(err);
    if (!sums_load(details->entry.path, &sums, &ignored))
        sums.text = NULL;
    if (!run_entry_files(details->entry.path, &sink, &ignored) && ignored.code == ERR_INTERNAL) {
        *err = ignored;
        return false;
    }
    qsort(list.files, list.count, sizeof(*list.files), by_name);
    details->files = list.files;
    details->file_count = list.count;
    return true;
}

bool
run_details_load(const char *path, bool named, struct arena *arena, struct run_details *ret,
                 struct err *err)
{
    struct run_details details = {0};

    if (!run_entry_load(path, named, arena, &details.entry, err) ||
        !load_record(&details, arena, err) || !load_time_line(&details, arena, err) ||
        !load_counts(&details, err) || !load_files(&details, arena, err))
        return false;
    *ret = details;
    return true;
}
