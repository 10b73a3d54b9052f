#include "backup/plan_ndjson.h"
#include "base/file.h"
#include "base/parse.h"
#include "plan_lines.h"
#include "storage.h"
#include "stored_schema.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { SCHEMA_ARENA_BYTES = 16 * 1024 * 1024 };

static const struct plan_sink no_sink;

static bool
fault(const struct lines *lines, struct err *err, const char *why)
{
    return err_set(err, ERR_STORAGE, "%s: line %" PRId64 " %s", lines->path, lines->number, why);
}

bool
plan_line_end(struct slice line, struct plan_end *ret, struct digest *ret_digest)
{
    static const char start[] = "{\"plan_id\":";
    struct plan_end found;
    struct digest id;

    if (line.size < sizeof(start) - 1 || memcmp(line.data, start, sizeof(start) - 1) != 0)
        return false;
    STORAGE_SCOPED_JSON json = storage_parse_json((const char *)line.data, line.size);
    const char *hex = storage_json_string(json, "plan_id");
    const char *digest = storage_json_string(json, "sha256");
    if (!hex || !digest || !digest_from_hex(hex, &id) || !digest_from_hex(digest, ret_digest) ||
        !storage_json_number(json, "rows", INT64_MAX, &found.rows))
        return false;
    digest_hex(&id, found.plan_id);
    *ret = found;
    return true;
}

/* The sum is wrong: is there a line that shows it? */
static bool
damaged(int fd, const char *path, int64_t last_line, struct err *err)
{
    struct line_file file = {.fd = fd, .path = path};
    enum line_state state = LINE_END;
    struct slice line = {0};
    int64_t rows = 0;
    LINES_SCOPED lines;

    lines_init(&lines, line_source_of_file(&file), path, PLAN_LINE_MAX_BYTES);
    if (lseek(fd, 0, SEEK_SET) != 0)
        return err_errno(err, ERR_STORAGE, errno, "seek in %s", path);
    while (lines_next(&lines, &state, &line, err) && lines.number < last_line)
        if (!plan_line_take(&lines, line, &no_sink, &rows, err))
            return err_hint(err, "The file was changed after it was written: plan again.");
    (void)err_set(err, ERR_STORAGE,
                  "%s was changed after it was written: lines 1 to %" PRId64
                  " do not have the sum that line %" PRId64 " says",
                  path, last_line - 1, last_line);
    return err_hint(err, "Plan again.");
}

/* What is summed up while the lines go by. */
struct sums {
    struct digest_stream *own;   /* of every byte before the last line */
    struct digest_stream *whole; /* of every byte */
};

static void
add_line(struct digest_stream *stream, struct slice line)
{
    digest_add(stream, line.data, line.size);
    digest_add(stream, "\n", 1);
}

/* The lines that are rows: what stands behind the head and is no schema, as plan_ndjson.c writes
 * it. */
static bool
is_row(struct slice line, int64_t number)
{
    static const char schema[] = "{\"schema\":";
    return number > 1 &&
           (line.size < sizeof(schema) - 1 || memcmp(line.data, schema, sizeof(schema) - 1) != 0);
}

static bool
check_count(const char *path, int64_t rows, const struct plan_end *last, struct err *err)
{
    if (rows == last->rows)
        return true;
    return err_set(err, ERR_STORAGE, "%s holds %" PRId64 " rows where its last line has %" PRId64,
                   path, rows, last->rows);
}

/* Every byte before the last line against the digest in it, and the rows against their number;
 * nothing may follow. */
static bool
verify_lines(struct lines *lines, const struct sums *sums, int fd, struct plan_end *ret,
             struct err *err)
{
    enum line_state state = LINE_END;
    struct slice line = {0};
    struct digest expected;
    int64_t rows = 0;

    for (;;) {
        if (!lines_next(lines, &state, &line, err))
            return false;
        if (state != LINE_WHOLE)
            return err_set(err, ERR_STORAGE, "%s is not whole: it has no last line", lines->path);
        add_line(sums->whole, line);
        if (plan_line_end(line, ret, &expected))
            break;
        add_line(sums->own, line);
        rows += is_row(line, lines->number);
    }
    const struct digest digest = digest_finish(sums->own);
    if (!digest_equal(&digest, &expected))
        return damaged(fd, lines->path, lines->number, err);
    if (!check_count(lines->path, rows, ret, err))
        return false;
    if (!lines_next(lines, &state, &line, err))
        return false;
    return state == LINE_END || fault(lines, err, "stands behind the last line");
}

static bool
verify(int fd, const char *path, struct plan_end *ret, struct digest *ret_sha256, struct err *err)
{
    struct line_file file = {.fd = fd, .path = path};
    struct sums sums = {.own = digest_new(), .whole = digest_new()};
    LINES_SCOPED lines;
    lines_init(&lines, line_source_of_file(&file), path, PLAN_LINE_MAX_BYTES);
    const bool ok =
        sums.own && sums.whole ? verify_lines(&lines, &sums, fd, ret, err) : storage_no_memory(err);
    if (ok)
        *ret_sha256 = digest_finish(sums.whole);
    digest_free(sums.own);
    digest_free(sums.whole);
    return ok;
}

static bool
header_number(const cJSON *json, const char *name, int64_t *ret)
{
    const char *string = storage_json_string(json, name);
    return string && parse_int(string, INT64_MIN, INT64_MAX, ret);
}

static bool
take_header(const struct lines *lines, const cJSON *json, const struct plan_sink *sink,
            struct err *err)
{
    struct plan_header header = {0};
    const struct {
        const char *name;
        const char **value;
    } members[] = {
        {"server", &header.server},
        {"database", &header.database},
        {"database_created", &header.database_created},
        {"recovery_fork", &header.recovery_fork},
        {"organization_id", &header.organization_id},
        {"organization_name", &header.organization_name},
        {"organization_host", &header.organization_host},
        {"scope", &header.scope},
    };
    const char *format = storage_json_string(json, "format");
    const char *version = storage_json_string(json, "version");

    if (!format || strcmp(format, "dwclean-plan") != 0 || !version || strcmp(version, "1") != 0)
        return err_set(err, ERR_STORAGE, "%s is not a plan of format 1", lines->path);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        *members[i].value = storage_json_string(json, members[i].name);
        if (!*members[i].value)
            return fault(lines, err, "lacks a member of the header");
    }
    if (!header_number(json, "created_utc_ms", &header.created_utc_ms) ||
        !header_number(json, "expires_utc_ms", &header.expires_utc_ms))
        return fault(lines, err, "lacks the times of the header");
    return !sink->header || sink->header(sink->ctx, &header, err);
}

static bool
take_schema(const struct lines *lines, const cJSON *json, const struct plan_sink *sink,
            struct err *err)
{
    ARENA_SCOPED arena = arena_new(SCHEMA_ARENA_BYTES);
    struct stored_schema schema = {0};

    if (!arena)
        return storage_no_memory(err);
    if (!stored_schema_parse(json, arena, &schema))
        return fault(lines, err, "is not a schema");
    return !sink->schema || sink->schema(sink->ctx, &schema.schema, err);
}

static bool
copy_member(const cJSON *json, const char *name, char *ret, size_t size)
{
    const char *string = storage_json_string(json, name);
    if (!string || strlen(string) >= size)
        return false;
    memcpy(ret, string, strlen(string) + 1);
    return true;
}

static bool
take_row(const struct lines *lines, const cJSON *json, const struct plan_sink *sink,
         struct err *err)
{
    struct row_id row;
    const char *table = storage_json_string(json, "table");
    const char *digest = storage_json_string(json, "digest");

    if (!table || !digest || !table_from_key(table, &row.table) ||
        !digest_from_hex(digest, &row.digest) ||
        !copy_member(json, "key", row.key, sizeof(row.key)) ||
        !copy_member(json, "version", row.version, sizeof(row.version)))
        return fault(lines, err, "is not a row of a plan");
    return !sink->row || sink->row(sink->ctx, &row, err);
}

bool
plan_line_take(const struct lines *lines, struct slice line, const struct plan_sink *sink,
               int64_t *rows, struct err *err)
{
    STORAGE_SCOPED_JSON json = storage_parse_json((const char *)line.data, line.size);
    const cJSON *schema = cJSON_GetObjectItemCaseSensitive(json, "schema");

    if (!cJSON_IsObject(json))
        return fault(lines, err, "is not JSON");
    if (lines->number == 1)
        return take_header(lines, json, sink, err);
    if (schema)
        return take_schema(lines, schema, sink, err);
    (*rows)++;
    return take_row(lines, json, sink, err);
}

static bool
deliver(int fd, const char *path, const struct plan_sink *sink, const struct plan_end *last,
        struct err *err)
{
    struct line_file file = {.fd = fd, .path = path};
    enum line_state state = LINE_END;
    struct slice line = {0};
    struct plan_end found;
    struct digest digest;
    int64_t rows = 0;
    LINES_SCOPED lines;

    lines_init(&lines, line_source_of_file(&file), path, PLAN_LINE_MAX_BYTES);
    for (;;) {
        if (!lines_next(&lines, &state, &line, err))
            return false;
        if (state != LINE_WHOLE || plan_line_end(line, &found, &digest))
            break;
        if (!plan_line_take(&lines, line, sink, &rows, err))
            return false;
    }
    return check_count(path, rows, last, err);
}

bool
plan_read_file(int fd, const char *path, const struct plan_sink *sink, struct plan_end *ret,
               struct digest *ret_sha256, struct err *err)
{
    struct plan_end last = {0};

    if (!verify(fd, path, &last, ret_sha256, err))
        return false;
    if (lseek(fd, 0, SEEK_SET) != 0)
        return err_errno(err, ERR_STORAGE, errno, "seek in %s", path);
    if (!deliver(fd, path, sink, &last, err))
        return false;
    *ret = last;
    return true;
}

bool
plan_ndjson_read(const char *path, const struct plan_sink *sink, struct plan_end *ret,
                 struct err *err)
{
    struct digest ignored;
    FILE_SCOPED fd = -1;

    return storage_open(path, &fd, err) &&
           plan_read_file(fd, path, sink ? sink : &no_sink, ret, &ignored, err);
}
