#include "catalog.h"

#include "base/text.h"
#include "value.h"

#include <string.h>

void *
catalog_room(struct arena *arena, void *items, size_t count, size_t item_size)
{
    void *more;

    if (count != 0 && (count < 8 || (count & (count - 1)) != 0))
        return items;
    more = arena_alloc(arena, (count == 0 ? 8 : count * 2) * item_size);
    if (more != NULL && count > 0)
        memcpy(more, items, count * item_size);
    return more;
}

static bool
is_key_column(const char *name)
{
    return text_equal_nocase(name, "PARTITION") || text_equal_nocase(name, "RECID");
}

/** A unique index over nothing but the key's columns makes the key unique. */
static void
close_index(struct catalog_table *table)
{
    if (table->index.columns > 0 && table->index.only_key)
        table->unique_key = true;
    table->index = (struct catalog_index){0};
}

void
catalog_add_index_column(struct catalog_table *table, int64_t index_id, const char *column_name)
{
    if (table->index.columns == 0 || table->index.id != index_id) {
        close_index(table);
        table->index = (struct catalog_index){.id = index_id, .only_key = true};
    }
    table->index.columns++;
    table->index.only_key = table->index.only_key && is_key_column(column_name);
}

static const char *
type_fault(const char *object_type)
{
    if (strcmp(object_type, "U") == 0)
        return NULL;
    if (strcmp(object_type, "V") == 0)
        return "is a view";
    if (strcmp(object_type, "SN") == 0)
        return "is a synonym";
    return "is not a table";
}

static bool
has_key_column(const struct catalog_table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (text_equal_nocase(table->columns[i].name, name))
            return value_kind_of(table->columns[i].type_name) == VALUE_INTEGER;
    }
    return false;
}

/** The first column that could not be put back exactly as it was. */
static const struct column *
unsupported_column(const struct catalog_table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (value_kind_of(table->columns[i].type_name) == VALUE_UNSUPPORTED)
            return &table->columns[i];
    }
    return NULL;
}

static bool
column_fault(const struct catalog_table *table, struct arena *arena, const char **ret,
             struct err *err)
{
    const struct column *column = unsupported_column(table);
    const char *fault = NULL;

    if (column != NULL)
        fault = arena_printf(arena, "column %s has type %s", column->name, column->type_name);
    else if (table->masked != NULL)
        fault =
            arena_printf(arena, "column %s is masked or encrypted for this login", table->masked);
    else if (!has_key_column(table, "PARTITION"))
        fault = "column PARTITION is missing or not a whole number";
    else if (!has_key_column(table, "RECID"))
        fault = "column RECID is missing or not a whole number";
    else if (table->masking_unknown)
        fault = "may have masked or encrypted columns: the server does not say";
    else
        return true;
    if (fault == NULL)
        return arena_exhausted(err);
    *ret = fault;
    return true;
}

bool
catalog_finish(const struct catalog_table *table, enum table which, struct arena *arena,
               struct axdb_table_evidence *ret, struct err *err)
{
    struct catalog_table closed = *table;
    const char *fault = NULL;

    close_index(&closed);
    ret->exists = closed.seen && strcmp(closed.object_type, "U") == 0;
    ret->schema = (struct schema){.table = which,
                                  .columns = closed.columns,
                                  .count = closed.column_count,
                                  .unique_key = closed.unique_key && !closed.keys_unknown,
                                  .utf8_text = closed.utf8_text};
    if (!closed.seen)
        return true;
    fault = type_fault(closed.object_type);
    if (fault == NULL && closed.temporal_type != 0)
        fault = "is temporal";
    if (fault == NULL && closed.memory_optimized)
        fault = "is memory-optimised";
    if (fault == NULL && closed.kind_unknown)
        fault = "may be temporal or memory-optimised: the server does not say";
    if (fault == NULL && !column_fault(&closed, arena, &fault, err))
        return false;
    ret->fault = fault;
    ret->fault_is_final = fault != NULL;
    return true;
}
