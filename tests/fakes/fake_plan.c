#include "fake_plan.h"

#include "fake_parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static struct fake_plan *
of_file(struct plan_file *file)
{
    return PART_OF(struct fake_plan, file, file);
}

static struct fake_plan *
of_saved(const struct saved_plan *saved)
{
    return PART_OF(struct fake_plan, saved, saved);
}

/* ---- written */

static bool
begin(struct plan_file *file, const struct plan_header *header, struct err *err)
{
    struct fake_plan *plan = of_file(file);
    const char **strings[] = {&plan->header.server,
                              &plan->header.database,
                              &plan->header.database_created,
                              &plan->header.recovery_fork,
                              &plan->header.organization_id,
                              &plan->header.organization_name,
                              &plan->header.organization_host,
                              &plan->header.scope};

    if (fake_fails(plan->world, ERR_STORAGE, err))
        return false;
    plan->header = *header;
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        (void)snprintf(plan->strings[i], sizeof plan->strings[i], "%s", *strings[i]);
        *strings[i] = plan->strings[i];
    }
    plan->count = 0;
    plan->whole = false;
    memset(plan->has_table, 0, sizeof plan->has_table);
    return true;
}

static bool
add_schema(struct plan_file *file, const struct schema *schema, struct err *err)
{
    struct fake_plan *plan = of_file(file);
    struct column *columns = plan->columns[schema->table];

    if (fake_fails(plan->world, ERR_STORAGE, err))
        return false;
    assert(schema->count <= FAKE_PLAN_COLUMNS);
    memcpy(columns, schema->columns, schema->count * sizeof *columns);
    plan->schemas[schema->table] = *schema;
    plan->schemas[schema->table].columns = columns;
    plan->has_table[schema->table] = true;
    return true;
}

static bool
add(struct plan_file *file, const struct row_id *row, struct err *err)
{
    struct fake_plan *plan = of_file(file);

    if (fake_fails(plan->world, ERR_STORAGE, err))
        return false;
    assert(plan->count < FAKE_PLAN_ROWS);
    plan->rows[plan->count++] = *row;
    return true;
}

static bool
end(struct plan_file *file, const char *plan_id, struct err *err)
{
    struct fake_plan *plan = of_file(file);

    if (fake_fails(plan->world, ERR_STORAGE, err))
        return false;
    (void)snprintf(plan->id, sizeof plan->id, "%s", plan_id);
    plan->whole = true;
    return true;
}

/* ---- read */

static const char *
path(const struct saved_plan *saved)
{
    (void)saved;
    return "plan.ndjson";
}

static const char *
sha256(const struct saved_plan *saved)
{
    (void)saved;
    return "00000000000000000000000000000000000000000000000000000000000000ff";
}

static const struct plan_header *
header(const struct saved_plan *saved)
{
    return &of_saved(saved)->header;
}

static const char *
plan_id(const struct saved_plan *saved)
{
    return of_saved(saved)->id;
}

static const struct schema *
schema(const struct saved_plan *saved, enum table table)
{
    const struct fake_plan *plan = of_saved(saved);

    return plan->has_table[table] ? &plan->schemas[table] : NULL;
}

static bool
go_to_start(struct saved_plan *saved, struct err *err)
{
    struct fake_plan *plan = of_saved(saved);

    plan->at = 0;
    plan->readings++;
    return !fake_fails(plan->world, ERR_STORAGE, err);
}

static bool
next(struct saved_plan *saved, struct row_id *ret, bool *ret_end, struct err *err)
{
    struct fake_plan *plan = of_saved(saved);

    if (fake_fails(plan->world, ERR_STORAGE, err))
        return false;
    *ret_end = plan->at == plan->count;
    if (*ret_end)
        return true;
    *ret = plan->rows[plan->at++];
    if (plan->lies_after && plan->readings >= plan->lies_after && plan->at == plan->count)
        ret->digest.bytes[0] ^= 1;
    return true;
}

static void
close_plan(struct saved_plan *saved)
{
    (void)saved;
}

void
fake_plan_init(struct fake_plan *plan, struct fake_world *world)
{
    static const struct plan_file_ops file_ops = {
        .begin = begin, .add_schema = add_schema, .add = add, .end = end};
    static const struct saved_plan_ops saved_ops = {.path = path,
                                                    .sha256 = sha256,
                                                    .header = header,
                                                    .plan_id = plan_id,
                                                    .schema = schema,
                                                    .rewind = go_to_start,
                                                    .next = next,
                                                    .close = close_plan};

    memset(plan, 0, sizeof *plan);
    plan->world = world;
    plan->file.ops = &file_ops;
    plan->saved.ops = &saved_ops;
}
