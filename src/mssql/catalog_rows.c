#include "catalog_rows.h"

#include "base/text.h"
#include "sql_text.h"
#include "store.h"
#include "value.h"

#include <string.h>

bool
catalog_table_named(const char *name, enum table *ret)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        if (text_equal_nocase(name, table_name((enum table)i))) {
            *ret = (enum table)i;
            return true;
        }
    }
    return false;
}

bool
catalog_table_by_word(const struct cursor *cursor, enum table *ret, struct err *err)
{
    char word[64];

    if (!cursor_word(cursor, 1, word, sizeof word, err))
        return false;
    return catalog_table_named(word, ret) ||
           err_set(err, ERR_SERVER, "a result names a table that was not asked for");
}

bool
catalog_table_by_bytes(const struct cursor *cursor, struct arena *arena, enum table *ret,
                       struct err *err)
{
    const char *name = "";

    if (!cursor_text(cursor, 1, arena, &name, err))
        return false;
    return catalog_table_named(name, ret) ||
           err_set(err, ERR_SERVER, "a result names a table that was not asked for");
}

/* ---- one function for each result set ---- */

static bool
take_permission(struct catalog_seen *seen, const struct cursor *cursor, struct err *err)
{
    struct catalog_rights *rights;
    enum table which = TABLE_FIELD;

    if (!catalog_table_by_word(cursor, &which, err))
        return false;
    rights = &seen->rights[which];
    return cursor_right(cursor, 2, &rights->may_select, err) &&
           cursor_right(cursor, 3, &rights->may_insert, err) &&
           cursor_right(cursor, 4, &rights->may_delete, err) &&
           cursor_right(cursor, 5, &rights->may_alter, err) &&
           cursor_right(cursor, 6, &rights->may_view_definition, err) &&
           cursor_right(cursor, 7, &rights->may_view_definitions, err);
}

static bool
take_object(struct catalog_seen *seen, const struct cursor *cursor, struct err *err)
{
    struct catalog_table *table;
    enum table which = TABLE_FIELD;

    if (!catalog_table_by_bytes(cursor, seen->arena, &which, err))
        return false;
    table = &seen->tables[which];
    table->seen = true;
    if (!cursor_word(cursor, 2, table->object_type, sizeof table->object_type, err) ||
        !cursor_integer(cursor, 3, 0, &table->temporal_type, err) ||
        !cursor_flag(cursor, 4, &table->memory_optimized, err))
        return false;
    table->object_type[strcspn(table->object_type, " ")] = '\0';
    return true;
}

static bool
column_type(const struct catalog_seen *seen, const struct cursor *cursor, const char **ret,
            struct err *err)
{
    const char *base = "";

    if (!cursor_text(cursor, 4, seen->arena, &base, err))
        return false;
    if (base[0] != '\0') {
        *ret = base;
        return true;
    }
    return cursor_text(cursor, 5, seen->arena, ret, err);
}

/** A number that undo depends on: NULL must not pass for a value. */
static bool
number_up_to(const struct cursor *cursor, int column, int64_t max, int64_t *ret, struct err *err)
{
    if (!cursor_integer(cursor, column, INT64_MIN, ret, err))
        return false;
    if (*ret >= -1 && *ret <= max)
        return true;
    (void)err_set(err, ERR_SERVER, "the server does not say what a column is like");
    return err_detail(err, "value %d of a row about a column", column);
}

static bool
sure_flag(const struct cursor *cursor, int column, bool *ret, struct err *err)
{
    int64_t number = -1;

    if (!number_up_to(cursor, column, 1, &number, err))
        return false;
    *ret = number != 0;
    return true;
}

static bool
fill_column(const struct catalog_seen *seen, const struct cursor *cursor, struct column *column,
            struct err *err)
{
    int64_t length = 0, precision = 0, scale = 0;
    bool generated = false;

    if (!cursor_text(cursor, 3, seen->arena, &column->name, err) ||
        !column_type(seen, cursor, &column->type_name, err) ||
        !number_up_to(cursor, 6, INT16_MAX, &length, err) ||
        !number_up_to(cursor, 7, UINT8_MAX, &precision, err) ||
        !number_up_to(cursor, 8, UINT8_MAX, &scale, err) ||
        !cursor_text(cursor, 9, seen->arena, &column->collation, err) ||
        !sure_flag(cursor, 10, &column->nullable, err) ||
        !sure_flag(cursor, 11, &column->identity, err) ||
        !sure_flag(cursor, 12, &column->computed, err) || !cursor_flag(cursor, 13, &generated, err))
        return false;
    column->max_length = (int32_t)length;
    column->precision = (uint8_t)precision;
    column->scale = (uint8_t)scale;
    if (column->collation[0] == '\0')
        column->collation = NULL;
    column->generated = generated || value_kind_of(column->type_name) == VALUE_ROWVERSION;
    return true;
}

static bool
take_column(struct catalog_seen *seen, const struct cursor *cursor, struct err *err)
{
    struct catalog_table *table;
    struct column *columns;
    enum table which = TABLE_FIELD;

    if (!catalog_table_by_bytes(cursor, seen->arena, &which, err))
        return false;
    table = &seen->tables[which];
    if (table->column_count >= CATALOG_MAX_COLUMNS)
        return err_set(err, ERR_SCHEMA, "%s has more than %d columns", table_name(which),
                       CATALOG_MAX_COLUMNS);
    columns = catalog_room(seen->arena, table->columns, table->column_count, sizeof *columns);
    if (columns == NULL)
        return arena_exhausted(err);
    table->columns = columns;
    return fill_column(seen, cursor, &columns[table->column_count++], err);
}

static bool
take_index(struct catalog_seen *seen, const struct cursor *cursor, struct err *err)
{
    enum table which = TABLE_FIELD;
    int64_t id = -1;
    const char *name = "";

    if (!catalog_table_by_bytes(cursor, seen->arena, &which, err) ||
        !cursor_integer(cursor, 2, 0, &id, err) || !cursor_text(cursor, 3, seen->arena, &name, err))
        return false;
    catalog_add_index_column(&seen->tables[which], id, name);
    return true;
}

/** A name of something on a table; what is switched off says so. */
static bool
add_name(const struct catalog_seen *seen, const struct cursor *cursor, struct catalog_names lists[],
         struct err *err)
{
    const char *name = "";
    const char **items;
    struct catalog_names *list;
    enum table which = TABLE_FIELD;
    bool disabled = false;

    if (!catalog_table_by_bytes(cursor, seen->arena, &which, err) ||
        !cursor_text(cursor, 2, seen->arena, &name, err) || !cursor_flag(cursor, 3, &disabled, err))
        return false;
    list = &lists[which];
    if (list->count >= CATALOG_MAX_NAMES)
        return true; /* one is enough to refuse */
    items = catalog_room(seen->arena, (void *)list->items, list->count, sizeof *items);
    if (items == NULL)
        return arena_exhausted(err);
    list->items = items;
    items[list->count] = disabled ? arena_printf(seen->arena, "%s (disabled)", name) : name;
    if (items[list->count] == NULL)
        return arena_exhausted(err);
    list->count++;
    return true;
}

static bool
take_trigger(struct catalog_seen *seen, const struct cursor *cursor, struct err *err)
{
    return add_name(seen, cursor, seen->triggers, err);
}

static bool
take_foreign_key(struct catalog_seen *seen, const struct cursor *cursor, struct err *err)
{
    return add_name(seen, cursor, seen->foreign_keys, err);
}

static bool
take_policy(struct catalog_seen *seen, const struct cursor *cursor, struct err *err)
{
    return add_name(seen, cursor, seen->policies, err);
}

static bool
take_masked(struct catalog_seen *seen, const struct cursor *cursor, struct err *err)
{
    enum table which = TABLE_FIELD;
    enum right unmask = RIGHT_UNKNOWN;
    const char *name = "";

    if (!catalog_table_by_bytes(cursor, seen->arena, &which, err) ||
        !cursor_text(cursor, 2, seen->arena, &name, err) || !cursor_right(cursor, 3, &unmask, err))
        return false;
    if (unmask != RIGHT_HELD)
        seen->tables[which].masked = name;
    return true;
}

static bool
take_end(struct catalog_seen *seen, const struct cursor *cursor, struct err *err)
{
    (void)cursor;
    (void)err;
    seen->complete = true;
    return true;
}

bool
catalog_rows_take(struct catalog_seen *seen, const struct cursor *cursor, bool *ret_taken,
                  struct err *err)
{
    static const struct {
        const char *set;
        bool (*take)(struct catalog_seen *seen, const struct cursor *cursor, struct err *err);
    } sets[] = {
        {"rs_permission", take_permission}, {"rs_object", take_object},
        {"rs_column", take_column},         {"rs_index", take_index},
        {"rs_trigger", take_trigger},       {"rs_foreign_key", take_foreign_key},
        {"rs_policy", take_policy},         {"rs_masked", take_masked},
        {"rs_catalog", take_end},
    };

    *ret_taken = true;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (cursor_is(cursor, sets[i].set))
            return sets[i].take(seen, cursor, err);
    }
    *ret_taken = false;
    return true;
}

static struct named_list
list_of(const struct catalog_seen *seen, const struct catalog_names *names, enum right may_see)
{
    /* Without the right the catalog answers with no rows: that is no evidence. */
    return (struct named_list){.known = seen->complete && may_see == RIGHT_HELD,
                               .names = names->items,
                               .count = names->count};
}

bool
catalog_rows_finish(struct catalog_seen *seen, enum table which, struct axdb_table_evidence *ret,
                    struct err *err)
{
    const struct catalog_rights *rights = &seen->rights[which];

    seen->tables[which].masking_unknown = !seen->complete;
    if (!catalog_finish(&seen->tables[which], which, seen->arena, ret, err))
        return false;
    ret->triggers = list_of(seen, &seen->triggers[which], rights->may_view_definition);
    ret->foreign_keys = list_of(seen, &seen->foreign_keys[which], rights->may_view_definitions);
    ret->policies = list_of(seen, &seen->policies[which], rights->may_view_definitions);
    return true;
}

/* ---- under the locks ---- */

static bool
take_row(void *ctx, const struct cursor *cursor, struct err *err)
{
    bool taken = false;

    return catalog_rows_take(ctx, cursor, &taken, err); /* another set cannot shift these */
}

bool
mssql_read_catalog(struct axdb_store *store, struct arena *arena,
                   struct axdb_table_evidence ret[AXDB_TABLES], struct err *err)
{
    struct mssql_store *self = mssql_store_of(store);
    struct catalog_seen *seen = arena_alloc(arena, sizeof *seen);
    struct taker taker = {.ctx = seen, .row = take_row};

    if (seen == NULL)
        return arena_exhausted(err);
    if (!self->in_transaction)
        return err_set(err, ERR_INTERNAL, "the catalog was asked for outside the transaction");
    seen->arena = arena;
    if (!mssql_store_run_sql(self, sql_catalog, &taker, err))
        return err_wrap(err, "could not read the catalog under the locks");
    if (!seen->complete)
        return err_set(err, ERR_SERVER, "the server did not describe the tables to the end");
    memset(ret, 0, AXDB_TABLES * sizeof ret[0]);
    for (int i = 0; i < AXDB_TABLES; i++) {
        if (!catalog_rows_finish(seen, (enum table)i, &ret[i], err))
            return false;
    }
    return true;
}
