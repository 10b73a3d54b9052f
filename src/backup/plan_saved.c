/* A plan of an earlier command: read row by row, with only header and columns in memory. */
#include "backup/plan_ndjson.h"
#include "base/arena.h"
#include "base/file.h"
#include "plan_lines.h"
#include "storage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARENA_BYTES = 32 * 1024 * 1024 };

struct plan_saved {
    struct saved_plan port; /* first: the port is the plan */
    struct arena *arena;
    char *path;
    int fd;
    struct line_file file;
    struct lines lines;
    struct digest_stream *digest; /* of what was read since the last rewind */
    struct digest sha256;         /* of the whole file, when it was opened */
    char sha256_hex[DIGEST_HEX_BYTES];
    struct plan_header header;
    struct schema schemas[TABLES];
    bool has_table[TABLES];
    struct plan_end end;
    struct row_id row; /* what `take_row` was handed */
    bool has_row;
};

static struct plan_saved *
saved_of(struct saved_plan *plan)
{
    return (struct plan_saved *)plan;
}

static const struct plan_saved *
saved_of_const(const struct saved_plan *plan)
{
    return (const struct plan_saved *)plan;
}

/* ---- what is kept */

static bool
keep(struct plan_saved *saved, const char **string, struct err *err)
{
    *string = arena_string(saved->arena, *string);
    return *string || arena_exhausted(err);
}

static bool
take_header(void *ctx, const struct plan_header *header, struct err *err)
{
    struct plan_saved *saved = ctx;
    struct plan_header *kept = &saved->header;

    *kept = *header;
    return keep(saved, &kept->server, err) && keep(saved, &kept->database, err) &&
           keep(saved, &kept->database_created, err) && keep(saved, &kept->recovery_fork, err) &&
           keep(saved, &kept->organization_id, err) && keep(saved, &kept->organization_name, err) &&
           keep(saved, &kept->organization_host, err) && keep(saved, &kept->scope, err);
}

static bool
take_schema(void *ctx, const struct schema *schema, struct err *err)
{
    struct plan_saved *saved = ctx;
    struct column *columns = arena_alloc(saved->arena, (schema->count + 1) * sizeof *columns);

    if (saved->has_table[schema->table])
        return err_set(err, ERR_STORAGE, "%s has the columns of %s twice", saved->path,
                       table_name(schema->table));
    if (!columns)
        return arena_exhausted(err);
    for (size_t i = 0; i < schema->count; i++) {
        columns[i] = schema->columns[i];
        if (!keep(saved, &columns[i].name, err) || !keep(saved, &columns[i].type_name, err) ||
            (columns[i].collation && !keep(saved, &columns[i].collation, err)))
            return false;
    }
    saved->schemas[schema->table] = *schema;
    saved->schemas[schema->table].columns = columns;
    saved->has_table[schema->table] = true;
    return true;
}

static bool
take_row(void *ctx, const struct row_id *row, struct err *err)
{
    struct plan_saved *saved = ctx;

    if (!saved->has_table[row->table])
        return err_set(err, ERR_STORAGE, "%s has rows of %s and not its columns", saved->path,
                       table_name(row->table));
    saved->row = *row;
    saved->has_row = true;
    return true;
}

/* ---- operations */

static const char *
get_path(const struct saved_plan *plan)
{
    return saved_of_const(plan)->path;
}

static const char *
get_sha256(const struct saved_plan *plan)
{
    return saved_of_const(plan)->sha256_hex;
}

static const struct plan_header *
get_header(const struct saved_plan *plan)
{
    return &saved_of_const(plan)->header;
}

static const char *
get_plan_id(const struct saved_plan *plan)
{
    return saved_of_const(plan)->end.plan_id;
}

static const struct schema *
get_schema(const struct saved_plan *plan, enum table table)
{
    const struct plan_saved *saved = saved_of_const(plan);

    return saved->has_table[table] ? &saved->schemas[table] : NULL;
}

static bool
go_to_start(struct saved_plan *plan, struct err *err)
{
    struct plan_saved *saved = saved_of(plan);

    lines_done(&saved->lines);
    lines_init(&saved->lines, line_source_of_file(&saved->file), saved->path, PLAN_LINE_MAX_BYTES);
    (void)digest_finish(saved->digest);
    return lseek(saved->fd, 0, SEEK_SET) == 0 ||
           err_errno(err, ERR_STORAGE, errno, "seek in %s", saved->path);
}

/* The file is the one that was verified, to its last byte. */
static bool
check_end(struct plan_saved *saved, struct err *err)
{
    const struct digest found = digest_finish(saved->digest);

    return digest_equal(&found, &saved->sha256) ||
           err_set(err, ERR_STORAGE, "%s was changed while it was read", saved->path);
}

static bool
next(struct saved_plan *plan, struct row_id *ret, bool *ret_end, struct err *err)
{
    struct plan_saved *saved = saved_of(plan);
    const struct plan_sink sink = {.ctx = saved, .row = take_row};
    enum line_state state = LINE_END;
    struct slice line = {0};
    struct plan_end end;
    struct digest digest;
    int64_t rows = 0;

    saved->has_row = false;
    while (!saved->has_row) {
        if (!lines_next(&saved->lines, &state, &line, err))
            return false;
        if (state != LINE_WHOLE)
            return err_set(err, ERR_STORAGE, "%s was changed while it was read", saved->path);
        digest_add(saved->digest, line.data, line.size);
        digest_add(saved->digest, "\n", 1);
        if (plan_line_end(line, &end, &digest)) {
            *ret_end = true;
            return check_end(saved, err);
        }
        if (!plan_line_take(&saved->lines, line, &sink, &rows, err))
            return false;
    }
    *ret = saved->row;
    *ret_end = false;
    return true;
}

static void
close_plan(struct saved_plan *plan)
{
    struct plan_saved *saved = saved_of(plan);

    lines_done(&saved->lines);
    digest_free(saved->digest);
    arena_free(saved->arena);
    file_close(&saved->fd);
    free(saved->path);
    free(saved);
}

static const struct saved_plan_ops ops = {.path = get_path,
                                          .sha256 = get_sha256,
                                          .header = get_header,
                                          .plan_id = get_plan_id,
                                          .schema = get_schema,
                                          .rewind = go_to_start,
                                          .next = next,
                                          .close = close_plan};

bool
plan_ndjson_open(const char *path, struct saved_plan **ret, struct err *err)
{
    struct plan_saved *saved = calloc(1, sizeof *saved);
    const struct plan_sink sink = {
        .ctx = saved, .header = take_header, .schema = take_schema, .row = take_row};

    if (!saved)
        return storage_no_memory(err);
    saved->port.ops = &ops;
    saved->fd = -1;
    saved->path = storage_copy(path);
    saved->arena = arena_new(ARENA_BYTES);
    saved->digest = digest_new();
    if (saved->path && saved->arena && saved->digest
            ? storage_open(path, &saved->fd, err) &&
                  plan_read_file(saved->fd, saved->path, &sink, &saved->end, &saved->sha256, err)
            : storage_no_memory(err)) {
        saved->file = (struct line_file){.fd = saved->fd, .path = saved->path};
        digest_hex(&saved->sha256, saved->sha256_hex);
        if (go_to_start(&saved->port, err)) {
            *ret = &saved->port;
            return true;
        }
    }
    close_plan(&saved->port);
    return false;
}
