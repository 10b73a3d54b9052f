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
    if (!cursor_word(cursor, 2, table->object_type, sizeof table->object_type, err))
        return false;
    table->object_type[strcspn(table->object_type, " ")] = '\0';
    return true;
}

static bool
take_kind(struct catalog_seen *seen, const struct cursor *cursor, struct err *err)
{
    struct catalog_table *table;
    enum table which = TABLE_FIELD;

    if (!catalog_table_by_bytes(cursor, seen->arena, &which, err))
        return false;
    table = &seen->tables[which];
    return cursor_integer(cursor, 2, 0, &table->temporal_type, err) &&
           cursor_flag(cursor, 3, &table->memory_optimized, err);
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

bool
catalog_take_name(const struct catalog_seen *seen, const struct cursor *cursor,
                  struct catalog_effects effects[], struct err *err)
{
    const char *name = "";
    const char **items;
    struct catalog_names *list;
    enum table which = TABLE_FIELD;
    bool disabled = false;

    if (!catalog_table_by_bytes(cursor, seen->arena, &which, err) ||
        !cursor_text(cursor, 2, seen->arena, &name, err) || !cursor_flag(cursor, 3, &disabled, err))
        return false;
    list = disabled ? &effects[which].off : &effects[which].on;
    if (list->count >= CATALOG_MAX_NAMES)
        return true; /* one is enough to refuse */
    items = catalog_room(seen->arena, (void *)list->items, list->count, sizeof *items);
    if (items == NULL)
        return arena_exhausted(err);
    list->items = items;
    items[list->count++] = name;
    return true;
}

static bool
take_trigger(struct catalog_seen *seen, const struct cursor *cursor, struct err *err)
{
    return catalog_take_name(seen, cursor, seen->triggers, err);
}

static bool
take_foreign_key(struct catalog_seen *seen, const struct cursor *cursor, struct err *err)
{
    return catalog_take_name(seen, cursor, seen->foreign_keys, err);
}

static bool
take_policy(struct catalog_seen *seen, const struct cursor *cursor, struct err *err)
{
    return catalog_take_name(seen, cursor, seen->policies, err);
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

bool
catalog_rows_take(struct catalog_seen *seen, const struct cursor *cursor, bool *ret_taken,
                  struct err *err)
{
    static const struct {
        const char *set;
        bool (*take)(struct catalog_seen *seen, const struct cursor *cursor, struct err *err);
    } sets[] = {
        {"rs_permission", take_permission},
        {"rs_object", take_object},
        {"rs_kind", take_kind},
        {"rs_column", take_column},
        {"rs_index", take_index},
        {"rs_trigger", take_trigger},
        {"rs_foreign_key", take_foreign_key},
        {"rs_policy", take_policy},
        {"rs_masked", take_masked},
    };

    *ret_taken = true;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (cursor_is(cursor, sets[i].set))
            return sets[i].take(seen, cursor, err);
    }
    *ret_taken = false;
    return true;
}

void
catalog_rows_forget(struct catalog_seen *seen)
{
    *seen = (struct catalog_seen){.arena = seen->arena, .connection = seen->connection};
}

struct named_list
catalog_list_of(const struct catalog_effects *effects, bool answered, enum right may_see)
{
    /* Without the right the catalog answers with no rows: that is no evidence. */
    return (struct named_list){.known = answered && may_see == RIGHT_HELD,
                               .names = effects->on.items,
                               .count = effects->on.count,
                               .disabled = effects->off.items,
                               .disabled_count = effects->off.count};
}

/**
 * An engine that the test switch lets in and that cannot be asked about rights, masks, security
 * policies or kinds of tables is taken to grant the rights and to have no such thing: it refuses
 * the statement itself. No other engine gets this credit, and triggers get none anywhere.
 */
static void
give_credit(struct catalog_seen *seen, const struct questions *questions, enum table which)
{
    const bool credit = seen->connection->options->utf8_engine;
    struct catalog_table *table = &seen->tables[which];

    table->utf8_text = credit;
    table->kind_unknown = !credit && !question_answered(questions, "kinds");
    table->masking_unknown = !credit && !question_answered(questions, "masks");
    table->keys_unknown = !question_answered(questions, "indexes");
    if (question_answered(questions, "permissions"))
        return;
    seen->rights[which] = (struct catalog_rights){0};
    if (credit)
        seen->rights[which] = (struct catalog_rights){.may_select = RIGHT_HELD,
                                                      .may_insert = RIGHT_HELD,
                                                      .may_delete = RIGHT_HELD,
                                                      .may_alter = RIGHT_HELD,
                                                      .may_view_definition = RIGHT_HELD,
                                                      .may_view_definitions = RIGHT_HELD};
}

bool
catalog_rows_finish(struct catalog_seen *seen, const struct questions *questions, enum table which,
                    struct axdb_table_evidence *ret, struct err *err)
{
    const struct catalog_rights *rights = &seen->rights[which];

    give_credit(seen, questions, which);
    if (!catalog_finish(&seen->tables[which], which, seen->arena, ret, err))
        return false;
    ret->triggers =
        catalog_list_of(&seen->triggers[which], question_answered(questions, "triggers"),
                        rights->may_view_definition);
    ret->foreign_keys =
        catalog_list_of(&seen->foreign_keys[which], question_answered(questions, "foreign-keys"),
                        rights->may_view_definitions);
    ret->policies =
        catalog_list_of(&seen->policies[which],
                        seen->tables[which].utf8_text || question_answered(questions, "policies"),
                        rights->may_view_definitions);
    return true;
}

/* ---- under the locks ---- */

static bool
take_row(void *ctx, const struct cursor *cursor, struct err *err)
{
    bool taken = false;

    return catalog_rows_take(ctx, cursor, &taken, err); /* another set cannot shift these */
}

static bool
pass_over(void *ctx, const struct cursor *cursor, struct err *err)
{
    (void)ctx;
    (void)cursor;
    (void)err;
    return true;
}

static void
forget_nothing(void *ctx)
{
    (void)ctx;
}

bool
mssql_know_catalog(struct mssql_store *store, struct err *err)
{
    struct taker taker = {.row = pass_over};
    struct questions *questions;
    bool good;

    if (store->catalog_asked || !store->connection->options->utf8_engine)
        return true;
    questions = questions_new(sql_catalog, err);
    if (questions == NULL)
        return false;
    good = questions_ask(store, questions, &taker, forget_nothing, err);
    if (good)
        store->catalog_lacks = questions_lacking(questions, questions->count);
    store->catalog_asked = good;
    questions_free(questions);
    return good;
}

bool
mssql_read_catalog(struct axdb_store *store, struct arena *arena,
                   struct axdb_table_evidence ret[AXDB_TABLES], struct err *err)
{
    struct mssql_store *self = mssql_store_of(store);
    struct catalog_seen *seen = arena_alloc(arena, sizeof *seen);
    struct questions *questions = arena_alloc(arena, sizeof *questions);
    struct taker taker = {.ctx = seen, .row = take_row};

    if (seen == NULL || questions == NULL)
        return arena_exhausted(err);
    if (!self->in_transaction)
        return err_set(err, ERR_INTERNAL, "the catalog was asked for outside the transaction");
    seen->arena = arena;
    seen->connection = self->connection;
    if (!questions_add(questions, sql_catalog, err))
        return false;
    if (!questions_ask_strictly(self, questions, self->catalog_lacks, &taker, err))
        return err_wrap(err, "could not read the catalog under the locks");
    memset(ret, 0, AXDB_TABLES * sizeof ret[0]);
    for (int i = 0; i < AXDB_TABLES; i++) {
        if (!catalog_rows_finish(seen, questions, (enum table)i, &ret[i], err))
            return false;
    }
    return true;
}
