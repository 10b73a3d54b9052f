#include "core/plan.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "core/rowset.h"

#include <stdio.h>
#include <string.h>

/** One table on its way into the plan. */
struct plan_reader {
    struct rowset set;
    struct plan *plan;
    struct plan_file *file; /* NULL in a dry run */
    struct observer *observer;
    char what[64]; /* for the observer */
};

enum { TOLD_ROWS = 1000 };

static bool
take_row(void *ctx, const struct row *row, struct err *err)
{
    struct plan_reader *reader = ctx;

    if (!cancel_check(err) || !rowset_add(&reader->set, &row->id, err))
        return false;
    if (row->id.table == TABLE_RUNTIME &&
        !runtime_refs_add(&reader->plan->runtime, row->id.key, row->id.version, err))
        return false;
    if (reader->file && !reader->file->ops->add(reader->file, &row->id, err))
        return false;
    if (reader->set.rows % TOLD_ROWS == 0)
        reader->observer->progress(reader->observer, reader->what, reader->set.rows, 0);
    return true;
}

static bool
read_table(struct plan_reader *reader, const struct row_source *source, const struct schema *schema,
           struct err *err)
{
    const struct row_sink sink = {.ctx = reader, .take = take_row};

    if (reader->file && !reader->file->ops->add_schema(reader->file, schema, err))
        return false;
    return row_source_read(source, schema, &sink, &reader->plan->kept_rows[schema->table], err);
}

static bool
plan_table(struct plan *plan, const struct row_source *source, enum table table,
           struct plan_file *file, struct err *err)
{
    struct plan_reader reader = {.plan = plan, .file = file, .observer = source->observer};
    bool ok;

    (void)snprintf(reader.what, sizeof reader.what, "%s read", table_name(table));
    if (!rowset_begin(&reader.set, table, err))
        return false;
    ok = read_table(&reader, source, row_source_schema(source, table), err);
    if (ok) {
        plan->asked[table] = true;
        plan->states[table] = rowset_end(&reader.set);
        if (plan->states[table].rows > TOLD_ROWS)
            reader.observer->progress(reader.observer, reader.what, plan->states[table].rows,
                                      plan->states[table].rows);
    }
    rowset_done(&reader.set);
    return ok;
}

static void
add_string(struct digest_stream *stream, const char *string)
{
    digest_add_slice(stream, slice_of_string(string ? string : ""));
}

void
plan_id_add_schema(struct digest_stream *stream, const struct schema *schema)
{
    add_string(stream, table_name(schema->table));
    digest_add_u64(stream, schema->count);
    for (size_t i = 0; i < schema->count; i++) {
        const struct column *column = &schema->columns[i];

        add_string(stream, column->name);
        add_string(stream, column->type_name);
        add_string(stream, column->collation);
        digest_add_u64(stream, (uint64_t)(int64_t)column->max_length);
        digest_add_u64(stream, (uint64_t)column->precision << 8 | column->scale);
        digest_add_u64(stream, (uint64_t)(column->nullable | column->identity << 1 |
                                          column->computed << 2 | column->generated << 3));
    }
}

struct digest_stream *
plan_id_begin(const struct plan_header *header)
{
    struct digest_stream *stream = digest_new();

    if (!stream)
        return NULL;
    add_string(stream, "dwclean-plan-1");
    add_string(stream, header->server);
    add_string(stream, header->database);
    add_string(stream, header->database_created);
    add_string(stream, header->recovery_fork);
    add_string(stream, header->organization_id);
    add_string(stream, header->organization_name);
    add_string(stream, header->scope);
    return stream;
}

/** NULL in `schemas`: the table is not in the plan. */
static bool
make_id(const struct plan_header *header, const struct schema *const schemas[TABLES],
        const struct table_state states[TABLES], char ret[DIGEST_HEX_BYTES], struct err *err)
{
    struct digest_stream *stream = plan_id_begin(header);
    struct digest digest;

    if (!stream)
        return err_set(err, ERR_INTERNAL, "out of memory");
    for (int i = 0; i < TABLES; i++) {
        if (!schemas[i])
            continue;
        plan_id_add_schema(stream, schemas[i]);
        digest_add_u64(stream, (uint64_t)states[i].rows);
        digest_add(stream, states[i].digest.bytes, DIGEST_BYTES);
    }
    digest = digest_finish(stream);
    digest_hex(&digest, ret);
    digest_free(stream);
    return true;
}

struct plan_header
plan_header_of(const struct evidence *evidence, const char *scope)
{
    struct plan_header header = {.server = "",
                                 .database = "",
                                 .database_created = "",
                                 .recovery_fork = "",
                                 .organization_id = "",
                                 .organization_name = "",
                                 .organization_host = "",
                                 .scope = scope,
                                 .created_utc_ms = clock_utc_ms()};

    header.expires_utc_ms = header.created_utc_ms + (int64_t)PLAN_LIFE_HOURS * 3600 * 1000;
    if (evidence->axdb) {
        header.server = evidence->axdb->identity.dialled;
        header.database = evidence->axdb->identity.database;
        header.database_created = evidence->axdb->identity.created;
        header.recovery_fork = evidence->axdb->identity.recovery_fork;
    }
    if (evidence->runtime) {
        header.organization_id = evidence->runtime->identity.organization_id;
        header.organization_name = evidence->runtime->identity.unique_name;
        header.organization_host = evidence->runtime->identity.host;
    }
    return header;
}

bool
plan_make(const struct row_source *source, struct plan_file *file, struct plan *ret,
          struct err *err)
{
    const struct plan_header header = plan_header_of(source->evidence, source->scope->text);
    const struct schema *schemas[TABLES] = {0};

    bool asked[TABLES];

    *ret = (struct plan){.expires_utc_ms = header.expires_utc_ms};
    if (file && !file->ops->begin(file, &header, err))
        return false;
    for (int i = 0; i < TABLES; i++)
        asked[i] = source->scope->parts[i] != SCOPE_NOTHING;
    row_source_foresee(source, asked);
    for (int i = 0; i < TABLES; i++) {
        const enum table table = (enum table)i;

        if (!asked[table])
            continue;
        if (!plan_table(ret, source, table, file, err))
            return err_wrap(err, "could not plan %s", table_name(table));
        schemas[table] = row_source_schema(source, table);
    }
    if (!make_id(&header, schemas, ret->states, ret->id, err))
        return false;
    return !file || file->ops->end(file, ret->id, err);
}

/* ---- a saved plan ---- */

int64_t
plan_header_expiry(const struct plan_header *header)
{
    const int64_t life_ms = (int64_t)PLAN_LIFE_HOURS * 3600 * 1000;

    return header->expires_utc_ms - header->created_utc_ms > life_ms
               ? header->created_utc_ms + life_ms
               : header->expires_utc_ms;
}

/** The rows of one table, from `row` on; stops at the first row of another one. */
static bool
sum_up_table(struct saved_plan *saved, struct row_id *row, bool *end, struct table_state *ret,
             struct err *err)
{
    const enum table table = row->table;
    ROWSET_SCOPED set = {0};

    if (!rowset_begin(&set, table, err))
        return false;
    while (!*end && row->table == table)
        if (!cancel_check(err) || !rowset_add(&set, row, err) ||
            !saved->ops->next(saved, row, end, err))
            return false;
    *ret = rowset_end(&set);
    return true;
}

/** Tables without rows have a state too. */
static bool
begin_summary(const struct saved_plan *saved, const struct schema *schemas[TABLES],
              struct plan_summary *ret, struct err *err)
{
    for (int i = 0; i < TABLES; i++) {
        ROWSET_SCOPED set = {0};

        schemas[i] = saved->ops->schema(saved, (enum table)i);
        ret->asked[i] = schemas[i] != NULL;
        if (!rowset_begin(&set, (enum table)i, err))
            return false;
        ret->states[i] = rowset_end(&set);
    }
    return true;
}

bool
plan_check_saved(struct saved_plan *saved, struct plan_summary *ret, struct err *err)
{
    const struct schema *schemas[TABLES];
    struct plan_summary summary = {0};
    struct row_id row = {0};
    bool end = false;
    bool seen[TABLES] = {false};
    char id[DIGEST_HEX_BYTES];

    if (!begin_summary(saved, schemas, &summary, err) || !saved->ops->rewind(saved, err) ||
        !saved->ops->next(saved, &row, &end, err))
        return false;
    while (!end) {
        const enum table table = row.table;

        if (seen[table] || !schemas[table])
            return err_set(err, ERR_STORAGE, "the rows of %s are not in order", table_name(table));
        seen[table] = true;
        if (!sum_up_table(saved, &row, &end, &summary.states[table], err)) {
            err->code = err->code == ERR_SERVER ? ERR_STORAGE : err->code;
            return err_wrap(err, "%s", saved->ops->path(saved));
        }
    }
    if (!make_id(saved->ops->header(saved), schemas, summary.states, id, err))
        return false;
    if (strcmp(id, saved->ops->plan_id(saved)) != 0) {
        (void)err_set(err, ERR_STORAGE, "%s does not hold the plan that it names",
                      saved->ops->path(saved));
        (void)err_detail(err, "its last line says %s, its rows make %s", saved->ops->plan_id(saved),
                         id);
        return err_hint(err, "Plan again.");
    }
    *ret = summary;
    return true;
}

void
plan_done(struct plan *plan)
{
    runtime_refs_done(&plan->runtime);
}

bool
plan_is_fresh(const struct plan *plan, struct err *err)
{
    if (clock_utc_ms() < plan->expires_utc_ms)
        return true;
    (void)err_set(err, ERR_STALE, "the plan is older than %d hours", PLAN_LIFE_HOURS);
    return err_hint(err, "Run the command again.");
}

int64_t
plan_rows(const struct plan *plan)
{
    int64_t rows = 0;

    for (int i = 0; i < TABLES; i++)
        rows += plan->asked[i] ? plan->states[i].rows : 0;
    return rows;
}
