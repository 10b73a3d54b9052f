#include "core/seal.h"

#include "base/cancel.h"
#include "core/rowset.h"

#include <inttypes.h>
#include <stdio.h>

/** One table on its way into the backup, or back from it. */
struct seal_reader {
    struct rowset set;
    struct backup *backup; /* NULL: reading back */
    struct observer *observer;
    char what[64];   /* for the observer */
    int64_t planned; /* rows */
};

enum { TOLD_ROWS = 1000 };

static void
begin_telling(struct seal_reader *reader, const char *done, const struct plan *plan,
              enum table table)
{
    reader->planned = plan->states[table].rows;
    (void)snprintf(reader->what, sizeof reader->what, "%s %s", table_name(table), done);
}

static bool
take_row(void *ctx, const struct row *row, struct err *err)
{
    struct seal_reader *reader = ctx;

    if (!cancel_check(err) || !rowset_add(&reader->set, &row->id, err))
        return false;
    if (reader->backup && !reader->backup->ops->add(reader->backup, row, err))
        return false;
    if (reader->set.rows % TOLD_ROWS == 0 ||
        (reader->set.rows == reader->planned && reader->planned > TOLD_ROWS))
        reader->observer->progress(reader->observer, reader->what, reader->set.rows,
                                   reader->planned);
    return true;
}

static bool
write_table(struct seal_reader *reader, const struct row_source *source,
            const struct schema *schema, struct err *err)
{
    const struct row_sink sink = {.ctx = reader, .take = take_row};
    int64_t kept;

    return reader->backup->ops->begin_table(reader->backup, schema, err) &&
           row_source_read(source, schema, &sink, &kept, err) &&
           reader->backup->ops->end_table(reader->backup, err);
}

static bool
changed_since_plan(enum table table, const struct table_state *plan,
                   const struct table_state *found, struct err *err)
{
    if (plan->rows != found->rows)
        (void)err_set(err, ERR_STALE, "%s has %" PRId64 " rows where the plan has %" PRId64,
                      table_name(table), found->rows, plan->rows);
    else
        (void)err_set(err, ERR_STALE, "rows of %s changed since the plan", table_name(table));
    return err_hint(err, "Something still writes to this table. Stop the maps and other writers, "
                         "then plan again.");
}

static bool
copy_table(const struct plan *plan, const struct row_source *source, enum table table,
           struct backup *backup, struct err *err)
{
    struct seal_reader reader = {.backup = backup, .observer = source->observer};
    struct table_state found;
    bool ok;

    begin_telling(&reader, "backed up", plan, table);
    if (!rowset_begin(&reader.set, table, err))
        return false;
    ok = write_table(&reader, source, row_source_schema(source, table), err);
    found = rowset_end(&reader.set);
    rowset_done(&reader.set);
    if (!ok)
        return err_wrap(err, "could not back up %s", table_name(table));
    if (!table_state_equal(&plan->states[table], &found))
        return changed_since_plan(table, &plan->states[table], &found, err);
    return true;
}

static bool
check_table(const struct plan *plan, enum table table, struct backup *backup,
            struct observer *observer, struct err *err)
{
    struct seal_reader reader = {.observer = observer};
    const struct row_sink sink = {.ctx = &reader, .take = take_row};
    struct table_state found;
    bool ok;

    begin_telling(&reader, "read back", plan, table);
    if (!rowset_begin(&reader.set, table, err))
        return false;
    ok = backup->ops->read_back(backup, table, &sink, err);
    found = rowset_end(&reader.set);
    rowset_done(&reader.set);
    if (!ok)
        return err_wrap(err, "could not read the backup of %s again", table_name(table));
    if (!table_state_equal(&plan->states[table], &found)) {
        (void)err_set(err, ERR_STORAGE, "the backup of %s does not hold what was written to it",
                      table_name(table));
        return err_hint(err, "Do not trust this disk. Nothing was changed; choose another "
                             "--runs-dir.");
    }
    return true;
}

bool
seal_backup(const struct plan *plan, const struct row_source *source, struct backup *backup,
            struct sealed *ret, struct err *err)
{
    struct sealed sealed = {0};

    row_source_foresee(source, plan->asked);
    for (int i = 0; i < TABLES; i++)
        if (plan->asked[i] && !copy_table(plan, source, (enum table)i, backup, err))
            return false;
    if (!backup->ops->close(backup, err))
        return false;
    for (int i = 0; i < TABLES; i++) {
        if (plan->asked[i] && !check_table(plan, (enum table)i, backup, source->observer, err))
            return false;
        sealed.states[i] = plan->states[i];
    }
    if (!backup->ops->seal(backup, err))
        return false;
    sealed.sealed = true;
    *ret = sealed;
    return true;
}
