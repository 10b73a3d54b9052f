#include "redact.h"

#include "backup/journal_file.h"
#include "base/text.h"
#include "storage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { REPORT_MAX_BYTES = 512 * 1024 * 1024, DEPTH_MAX = 32, GUID_CHARACTERS = 36 };

static bool
is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (name && text_equal_nocase(name, names[i]))
            return true;
    return false;
}

/* ---- journal ---- */

/* Facts that are words, numbers, names and keys of ours. Any other may hold what a server said. */
static bool
is_free_fact(const struct journal_record *record, const char *name)
{
    static const char *const names[] = {"command",
                                        "class",
                                        "reason",
                                        "scope",
                                        "undoes",
                                        "server",
                                        "server_name",
                                        "database",
                                        "database_created",
                                        "recovery_fork",
                                        "login",
                                        "encryption",
                                        "organization_id",
                                        "organization_name",
                                        "organization_host",
                                        "application_user",
                                        "check",
                                        "verdict",
                                        "plan_id",
                                        "plan_file",
                                        "plan_file_sha256",
                                        "how",
                                        "maps_are_stopped",
                                        "field",
                                        "project",
                                        "events",
                                        "runtime",
                                        "locked_ms",
                                        "state",
                                        "outcome",
                                        "last_step",
                                        "settle",
                                        "key",
                                        "http_status",
                                        "request_id",
                                        "number",
                                        "rows"};
    /* single rows, by their keys: version, or state and request id */
    const bool row =
        strncmp(record->step, "purge-", 6) == 0 || strncmp(record->step, "return-", 7) == 0;

    return !is_one_of(name, names, sizeof(names) / sizeof(names[0])) &&
           !(row && strlen(name) == GUID_CHARACTERS);
}

static bool
watch_record(void *ctx, const struct journal_record *record, struct err *err)
{
    (void)err;
    for (size_t i = 0; i < record->count; i++)
        if (record->facts[i].value && is_free_fact(record, record->facts[i].name))
            scrub_watch(ctx, record->facts[i].value);
    return true;
}

bool
redact_watch_journal(const char *path, struct scrub *scrub, struct err *err)
{
    const struct journal_sink sink = {.ctx = scrub, .take = watch_record};
    struct journal_tail tail;

    return journal_read(path, &sink, &tail, err);
}

struct journal_redacting {
    const struct scrub *scrub;
    struct text *ret;
};

static void
append_string(struct text *ret, const char *string)
{
    text_append_json(ret, string, strlen(string));
}

static void
append_fact(const struct journal_redacting *redacting, const struct journal_record *record,
            const struct fact *fact)
{
    TEXT_SCOPED scrubbed = {0};

    append_string(redacting->ret, fact->name);
    text_append(redacting->ret, ":");
    if (!fact->value) {
        text_append(redacting->ret, "null");
    } else if (is_free_fact(record, fact->name)) {
        scrub_append(redacting->scrub, fact->value, &scrubbed);
        append_string(redacting->ret, text_string(&scrubbed));
        redacting->ret->broken = redacting->ret->broken || scrubbed.broken;
    } else {
        append_string(redacting->ret, fact->value);
    }
}

static bool
append_record(void *ctx, const struct journal_record *record, struct err *err)
{
    const struct journal_redacting *redacting = ctx;
    struct text *ret = redacting->ret;
    char previous[DIGEST_HEX_BYTES];
    char own[DIGEST_HEX_BYTES];

    digest_hex(record->previous, previous);
    digest_hex(record->digest, own);
    text_printf(ret, "{\"seq\":\"%" PRId64 "\",\"utc\":", record->seq);
    append_string(ret, record->utc);
    text_append(ret, ",\"step\":");
    append_string(ret, record->step);
    text_printf(ret, ",\"previous\":\"%s\",\"original_sha256\":\"%s\",\"facts\":{", previous, own);
    for (size_t i = 0; i < record->count; i++) {
        text_append(ret, i ? "," : "");
        append_fact(redacting, record, &record->facts[i]);
    }
    text_append(ret, "}}\n");
    return text_ok(ret, err);
}

bool
redact_append_journal(const char *path, const struct scrub *scrub, struct text *ret,
                      struct err *err)
{
    struct journal_redacting redacting = {.scrub = scrub, .ret = ret};
    const struct journal_sink sink = {.ctx = &redacting, .take = append_record};
    struct journal_tail tail;

    return journal_read(path, &sink, &tail, err);
}

/* ---- report.json ---- */

/* Members that are ours: words, counts, and what the allow-list has. Any other is free text. */
static const char *const own_members[] = {"schema_version",
                                          "program",
                                          "command",
                                          "outcome",
                                          "code",
                                          "started",
                                          "ended",
                                          "environment",
                                          "class",
                                          "scope",
                                          "undoes",
                                          "settled",
                                          "reason",
                                          "plan_id",
                                          "plan_file",
                                          "plan_file_sha256",
                                          "plan_expires",
                                          "run_id",
                                          "run_path",
                                          "table",
                                          "name",
                                          "host",
                                          "family",
                                          "channel",
                                          "direction",
                                          "handler_class",
                                          "enabled",
                                          "rows",
                                          "check",
                                          "cause",
                                          "health_check_code",
                                          "state",
                                          "key",
                                          "http_status",
                                          "request_id",
                                          "internal_entity",
                                          "external_entity",
                                          "created_on",
                                          "modified_on",
                                          "project",
                                          "status",
                                          "first",
                                          "next",
                                          "taken",
                                          "own_host",
                                          "own_host_source",
                                          "dialled",
                                          "dialled_host",
                                          "server_name",
                                          "machine_name",
                                          "database",
                                          "created",
                                          "recovery_fork",
                                          "login",
                                          "client",
                                          "encryption",
                                          "product",
                                          "replica",
                                          "user_access",
                                          "organization_id",
                                          "unique_name",
                                          "friendly_name",
                                          "user_id",
                                          "url",
                                          "version",
                                          "environment_id",
                                          "fno_url",
                                          "entity_set",
                                          "key_column",
                                          "restored_at",
                                          "restored_from_server",
                                          "restored_from_database",
                                          "backup_finished_at",
                                          "rights",
                                          "ms_per_row",
                                          "before",
                                          "after",
                                          "planned",
                                          "asked",
                                          "backed_up",
                                          "deleted",
                                          "kept",
                                          "restored",
                                          "changed",
                                          "failed",
                                          "unknown",
                                          "gone",
                                          "new",
                                          "fresh",
                                          "differing",
                                          "already_gone",
                                          "already_there",
                                          "back_again",
                                          "backed_up_again",
                                          "written_after_plan",
                                          "not_removed_more",
                                          "not_restored_more",
                                          "written_after_plan_more",
                                          "rows_more",
                                          "locked_ms",
                                          "row_count",
                                          "columns",
                                          "partitions",
                                          "aos_sessions",
                                          "other_sessions",
                                          "fields_without_project",
                                          "projects_without_fields",
                                          "requests_at_once",
                                          "rows_per_minute",
                                          "rows_per_request",
                                          "throttled",
                                          "columns_not_restored",
                                          "user",
                                          "sudo_user",
                                          "step",
                                          "last",
                                          "times",
                                          "steps_more"};

static bool
is_free_member(const char *name)
{
    return !is_one_of(name, own_members, sizeof(own_members) / sizeof(own_members[0]));
}

struct report_redacting {
    struct scrub *watching;    /* the first pass, or */
    const struct scrub *scrub; /* the second */
};

static bool
visit_string(const struct report_redacting *redacting, const char *name, cJSON *item,
             struct err *err)
{
    TEXT_SCOPED scrubbed = {0};

    if (!is_free_member(name))
        return true;
    if (redacting->watching) {
        scrub_watch(redacting->watching, item->valuestring);
        return true;
    }
    scrub_append(redacting->scrub, item->valuestring, &scrubbed);
    if (!text_ok(&scrubbed, err))
        return false;
    if (strcmp(text_string(&scrubbed), item->valuestring) == 0)
        return true;
    return cJSON_SetValuestring(item, text_string(&scrubbed)) || storage_no_memory(err);
}

/* `name` is that of the array, for what has none. NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX */
static bool
visit(const struct report_redacting *redacting, const char *name, cJSON *json, int depth,
      struct err *err)
{
    cJSON *item = NULL;

    if (depth == DEPTH_MAX)
        return err_set(err, ERR_STORAGE, "report.json is nested too deeply");
    cJSON_ArrayForEach(item, json)
    {
        const char *own = item->string ? item->string : name;
        if (cJSON_IsString(item) ? !visit_string(redacting, own, item, err)
                                 : !visit(redacting, own, item, depth + 1, err))
            return false;
    }
    return true;
}

static bool
read_report(const char *path, cJSON **ret, struct err *err)
{
    STORAGE_SCOPED_STRING bytes = NULL;
    struct stat status;
    size_t size = 0;

    *ret = NULL;
    if (lstat(path, &status) != 0 && errno == ENOENT)
        return true;
    if (!storage_read_small(path, REPORT_MAX_BYTES, &bytes, &size, err))
        return false;
    while (size > 0 && bytes[size - 1] == '\n')
        size--;
    *ret = storage_parse_json(bytes, size);
    return *ret || err_set(err, ERR_STORAGE, "%s is not JSON", path);
}

bool
redact_watch_report(const char *path, struct scrub *scrub, struct err *err)
{
    const struct report_redacting redacting = {.watching = scrub};
    STORAGE_SCOPED_JSON json = NULL;

    return read_report(path, &json, err) && (!json || visit(&redacting, "", json, 0, err));
}

bool
redact_append_report(const char *path, const struct scrub *scrub, struct text *ret, struct err *err)
{
    const struct report_redacting redacting = {.scrub = scrub};
    STORAGE_SCOPED_JSON json = NULL;

    if (!read_report(path, &json, err))
        return false;
    if (!json)
        return true;
    if (!visit(&redacting, "", json, 0, err))
        return false;
    STORAGE_SCOPED_STRING printed = cJSON_Print(json);
    if (!printed)
        return storage_no_memory(err);
    text_append(ret, printed);
    text_append(ret, "\n");
    return text_ok(ret, err);
}

/* ---- rows ---- */

/* What may be shown of a row (names, STATUS, flags, channel), and its key, which every plan has. */
static bool
may_be_shown(const char *column)
{
    static const char *const names[] = {"PROJECTNAME",
                                        "INTERNALENTITYNAME",
                                        "EXTERNALENTITYNAME",
                                        "STATUS",
                                        "ISDELETE",
                                        "ISDEBUGMODE",
                                        "REFENTITYNAME",
                                        "REFTABLENAME",
                                        "CHANNEL",
                                        "DIRECTION",
                                        "HANDLERCLASS",
                                        "ENABLED",
                                        "PARTITION",
                                        "RECID",
                                        "msdyn_name",
                                        "msdyn_internalentityname",
                                        "msdyn_externalentityname",
                                        "createdon",
                                        "modifiedon",
                                        "statecode",
                                        "statuscode",
                                        "msdyn_dualwriteruntimeconfigid"};

    return is_one_of(column, names, sizeof(names) / sizeof(names[0]));
}

struct protecting {
    const struct schema *schema;
    struct scrub *scrub;
};

static bool
protect_text(const struct protecting *protecting, const struct column *column, struct slice bytes,
             struct err *err)
{
    const bool wide = strcmp(column->type_name, "nvarchar") == 0 ||
                      strcmp(column->type_name, "nchar") == 0 ||
                      strcmp(column->type_name, "ntext") == 0;
    TEXT_SCOPED text = {0};

    if (!wide || protecting->schema->utf8_text)
        return scrub_value(protecting->scrub, bytes.data, bytes.size, err);
    (void)text_append_utf16le(&text, bytes);
    return text_ok(&text, err) &&
           scrub_value(protecting->scrub, text_string(&text), text.used, err);
}

/* A document of Dataverse: as it stands, and each text in it as a reader sees it. */
static bool
protect_document(const struct protecting *protecting, struct slice bytes, struct err *err)
{
    STORAGE_SCOPED_JSON json = storage_parse_json((const char *)bytes.data, bytes.size);
    const cJSON *item = NULL;

    if (!cJSON_IsObject(json))
        return scrub_value(protecting->scrub, bytes.data, bytes.size, err);
    cJSON_ArrayForEach(item, json)
    {
        if (!cJSON_IsString(item) || may_be_shown(item->string))
            continue;
        if (!scrub_value(protecting->scrub, item->valuestring, strlen(item->valuestring), err))
            return false;
    }
    return true;
}

static bool
protect_row(void *ctx, const struct row *row, struct err *err)
{
    const struct protecting *protecting = ctx;

    for (size_t i = 0; i < row->count && i < protecting->schema->count; i++) {
        const struct column *column = &protecting->schema->columns[i];
        if (row->fields[i].is_null || may_be_shown(column->name))
            continue;
        if (row->id.table == TABLE_RUNTIME
                ? !protect_document(protecting, row->fields[i].bytes, err)
                : !protect_text(protecting, column, row->fields[i].bytes, err))
            return false;
    }
    return true;
}

bool
redact_protect_rows(struct archived_run *run, struct scrub *scrub, struct err *err)
{
    for (unsigned i = 0; i < TABLES; i++) {
        struct protecting protecting = {.schema = run->ops->schema(run, (enum table)i),
                                        .scrub = scrub};
        const struct row_sink sink = {.ctx = &protecting, .take = protect_row};

        if (protecting.schema && !run->ops->read_rows(run, (enum table)i, &sink, err))
            return false;
    }
    return true;
}
