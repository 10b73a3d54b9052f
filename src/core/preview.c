#include "core/preview.h"

#include "base/arena.h"
#include "base/cancel.h"
#include "core/scope.h"
#include "scope_read.h"

#include <string.h>

enum { ARENA_BYTES = 16 * 1024 * 1024 };

/** A preview under way. */
struct preview {
    const struct preview_job *job;
    const struct preview_sink *out;
    struct statement_sink sink;
    const char *phase, *to;
    bool axdb, runtime; /* halves that are connected */
    bool map;
    enum scope_part parts[TABLES];
};

static bool
take(void *ctx, const struct shown_statement *statement, struct err *err)
{
    const struct preview *preview = ctx;

    return cancel_check(err) &&
           preview->out->take(preview->out->ctx, preview->phase, preview->to, statement, err);
}

/* ---- the rows of one table of the plan ---- */

struct table_rows {
    struct saved_plan *saved;
    enum table table;
};

static bool
next_row(void *ctx, struct row_id *ret, bool *ret_end, struct err *err)
{
    const struct table_rows *rows = ctx;

    do {
        if (!rows->saved->ops->next(rows->saved, ret, ret_end, err))
            return false;
    } while (!*ret_end && ret->table != rows->table);
    return true;
}

/* ---- what is sent to AxDB, table by table ---- */

static bool
read_table(const struct preview *preview, enum table table, struct err *err)
{
    const struct schema *schema = preview->job->saved->ops->schema(preview->job->saved, table);

    return preview->job->axdb->read_rows(&schema, 1, &preview->sink, err);
}

/** Those of the plan, in one batch. */
static bool
read_tables(const struct preview *preview, struct err *err)
{
    const struct schema *schemas[AXDB_TABLES];
    size_t count = 0;

    for (int i = 0; i < AXDB_TABLES; i++)
        if (preview->parts[i] != SCOPE_NOTHING)
            schemas[count++] = preview->job->saved->ops->schema(preview->job->saved, (enum table)i);
    return count == 0 || preview->job->axdb->read_rows(schemas, count, &preview->sink, err);
}

static bool
delete_part(const struct preview *preview, enum table table, struct err *err)
{
    struct table_rows rows = {.saved = preview->job->saved, .table = table};
    const struct row_stream stream = {.ctx = &rows, .next = next_row};

    return rows.saved->ops->rewind(rows.saved, err) &&
           preview->job->axdb->delete_keys(table, &stream, &preview->sink, err);
}

static bool
has_some(const struct preview *preview)
{
    for (int i = 0; i < AXDB_TABLES; i++)
        if (preview->parts[i] == SCOPE_SOME)
            return true;
    return false;
}

/** The tables that go whole first, in one batch. */
static bool
delete_tables(const struct preview *preview, struct err *err)
{
    bool whole[AXDB_TABLES];
    bool any = false;

    for (int i = 0; i < AXDB_TABLES; i++) {
        whole[i] = preview->parts[i] == SCOPE_WHOLE;
        any = any || whole[i];
    }
    if (any && !preview->job->axdb->delete_all(whole, &preview->sink, err))
        return false;
    for (int i = 0; i < AXDB_TABLES; i++)
        if (preview->parts[i] == SCOPE_SOME && !delete_part(preview, (enum table)i, err))
            return false;
    return true;
}

/* ---- the parts of a run, as run.c, repair.c, clear.c have them ---- */

static void
enter(struct preview *preview, const char *phase, bool axdb)
{
    preview->phase = phase;
    preview->to = axdb ? "AxDB" : "Dataverse";
}

static bool
look(struct preview *preview, const char *phase, struct err *err)
{
    const struct preview_job *job = preview->job;

    enter(preview, phase, true);
    if (preview->axdb &&
        (!job->axdb->connect(&preview->sink, err) || !job->axdb->observe(&preview->sink, err)))
        return false;
    enter(preview, phase, false);
    return !preview->runtime || (job->runtime->connect(&preview->sink, err) &&
                                 job->runtime->observe(&preview->sink, err));
}

/** Which rows belong to the map: its project rows, then those of other maps under their names. */
static bool
find_map(struct preview *preview, struct err *err)
{
    enter(preview, "find the map", true);
    if (!preview->map)
        return true;
    for (int reading = 0; reading < 2; reading++)
        if (!read_table(preview, TABLE_PROJECT, err))
            return false;
    return read_table(preview, TABLE_FIELD, err);
}

static bool
read_all(struct preview *preview, const char *phase, struct err *err)
{
    enter(preview, phase, true);
    if (preview->axdb && !read_tables(preview, err))
        return false;
    enter(preview, phase, false);
    return preview->parts[TABLE_RUNTIME] == SCOPE_NOTHING ||
           preview->job->runtime->read_rows(&preview->sink, err);
}

static bool
exclude_others(struct preview *preview, struct err *err)
{
    enter(preview, "lock", true);
    return !preview->axdb || preview->job->axdb->acquire_exclusion(&preview->sink, err);
}

static bool
change_axdb(struct preview *preview, struct err *err)
{
    const struct axdb_statements *axdb = preview->job->axdb;

    enter(preview, "change AxDB", true);
    return !preview->axdb ||
           (axdb->begin_locked(true, &preview->sink, err) && read_tables(preview, err) &&
            delete_tables(preview, err) && (!has_some(preview) || read_tables(preview, err)) &&
            axdb->commit(&preview->sink, err));
}

static bool
change_runtime(struct preview *preview, struct err *err)
{
    struct table_rows rows = {.saved = preview->job->saved, .table = TABLE_RUNTIME};
    const struct row_stream stream = {.ctx = &rows, .next = next_row};

    if (preview->job->summary->states[TABLE_RUNTIME].rows == 0)
        return true;
    enter(preview, "change Dataverse", false);
    return rows.saved->ops->rewind(rows.saved, err) &&
           preview->job->runtime->remove(&stream, &preview->sink, err);
}

/** Under locks, so that no open transaction hides a row of the map. */
static bool
look_at_map(struct preview *preview, struct err *err)
{
    const struct axdb_statements *axdb = preview->job->axdb;

    enter(preview, "look again", true);
    return !preview->map ||
           (axdb->begin_locked(false, &preview->sink, err) && read_tables(preview, err) &&
            read_table(preview, TABLE_PROJECT, err) && axdb->rollback(&preview->sink, err));
}

static bool
change(struct preview *preview, struct err *err)
{
    int64_t rows = 0;

    for (int i = 0; i < TABLES; i++)
        rows += preview->job->summary->states[i].rows;
    /* an empty plan is compared, and that is all */
    return rows == 0 || (exclude_others(preview, err) && read_all(preview, "back up", err) &&
                         change_axdb(preview, err) && change_runtime(preview, err) &&
                         look(preview, "look again", err) && look_at_map(preview, err));
}

static bool
read_scope(struct preview *preview, struct err *err)
{
    const struct plan_header *header = preview->job->saved->ops->header(preview->job->saved);
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct scope_options options;

    if (!arena)
        return arena_exhausted(err);
    if (!scope_read(header->scope, arena, &options, err))
        return false;
    preview->axdb = header->database[0] != '\0';
    preview->runtime = header->organization_id[0] != '\0';
    preview->map = options.map != NULL;
    for (int i = 0; i < TABLES; i++) {
        const bool some = preview->map || (i == TABLE_EVENTS && options.channel_count > 0);

        preview->parts[i] = !preview->job->summary->asked[i] ? SCOPE_NOTHING
                            : some && i != TABLE_RUNTIME     ? SCOPE_SOME
                                                             : SCOPE_WHOLE;
    }
    return true;
}

bool
preview_run(const struct preview_job *job, const struct preview_sink *sink, struct err *err)
{
    struct preview preview = {.job = job, .out = sink};

    preview.sink = (struct statement_sink){.ctx = &preview, .take = take};
    return read_scope(&preview, err) && look(&preview, "look", err) && find_map(&preview, err) &&
           read_all(&preview, "plan again", err) && change(&preview, err);
}
