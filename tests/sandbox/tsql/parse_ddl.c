#include "tsql/parse.h"

static struct stmt *
refuse(struct parser *p)
{
    (void)syntax_error(p);
    return NULL;
}

/* ---- constraints ---- */

static bool
parse_key_columns(struct parser *p, struct constraint_def *c)
{
    if (!want_op(p, "("))
        return false;
    do {
        const char *name = want_name(p);
        if (!name)
            return false;
        bool descending = take_word(p, "DESC");
        if (!descending)
            (void)take_word(p, "ASC");
        int count = c->count;
        *PUSH(p, c->descending, count) = descending;
        *PUSH_PTR(p, c->columns, c->count) = name;
    } while (take_op(p, ","));
    return want_op(p, ")");
}

/* WITH (...), ON [PRIMARY], TEXTIMAGE_ON: storage, of no meaning here. */
static bool
skip_storage(struct parser *p)
{
    if (at_word(p, "WITH") && op_ahead(p, 1, "(")) {
        p->at++;
        if (!skip_parentheses(p))
            return false;
    }
    while (at_word(p, "ON") || at_word(p, "TEXTIMAGE_ON")) {
        p->at++;
        if (!want_name(p))
            return false;
    }
    return true;
}

static bool
parse_references(struct parser *p, struct constraint_def *c)
{
    if (!parse_name(p, &c->references))
        return false;
    if (at_op(p, "(") && !parse_name_list(p, &c->reference_columns, &c->reference_count))
        return false;
    while (at_word(p, "ON") && (word_ahead(p, 1, "DELETE") || word_ahead(p, 1, "UPDATE"))) {
        if (!word_ahead(p, 2, "NO") || !word_ahead(p, 3, "ACTION"))
            return syntax_error(p); /* cascades are not in the subset */
        p->at += 4;
    }
    return true;
}

static bool
parse_key(struct parser *p, struct constraint_def *c, const char *column)
{
    c->nonclustered = take_word(p, "NONCLUSTERED");
    (void)take_word(p, "CLUSTERED");
    if (at_op(p, "(")) {
        if (!parse_key_columns(p, c))
            return false;
    } else if (column) {
        int count = 0;
        *PUSH(p, c->descending, count) = false;
        *PUSH_PTR(p, c->columns, c->count) = column;
    } else {
        return syntax_error(p);
    }
    return skip_storage(p);
}

static bool
parse_check(struct parser *p, struct constraint_def *c)
{
    c->kind = CONSTRAINT_CHECK;
    return want_op(p, "(") && (c->check = parse_condition(p)) != NULL && want_op(p, ")");
}

/* One of PRIMARY KEY, UNIQUE, CHECK, [FOREIGN KEY] REFERENCES. `column` for one in a column. */
static bool
parse_constraint_body(struct parser *p, struct constraint_def *c, const char *column, bool *found)
{
    *found = true;
    if (take_word(p, "PRIMARY")) {
        c->kind = CONSTRAINT_PRIMARY;
        return want_word(p, "KEY") && parse_key(p, c, column);
    }
    if (take_word(p, "UNIQUE")) {
        c->kind = CONSTRAINT_UNIQUE;
        return parse_key(p, c, column);
    }
    if (take_word(p, "CHECK"))
        return parse_check(p, c);
    if (take_word(p, "FOREIGN")) {
        if (!want_word(p, "KEY"))
            return false;
        if (at_op(p, "(") && !parse_name_list(p, &c->columns, &c->count))
            return false;
    }
    if (take_word(p, "REFERENCES")) {
        c->kind = CONSTRAINT_FOREIGN;
        if (!c->count && column)
            *PUSH_PTR(p, c->columns, c->count) = column;
        return parse_references(p, c);
    }
    *found = false;
    return true;
}

/* ---- columns ---- */

static bool
parse_identity(struct parser *p, struct column_def *d)
{
    d->identity = true;
    d->type.identity = true;
    d->not_null = true;
    d->seed = d->increment = 1;
    if (!take_op(p, "("))
        return true;
    int64_t *to[] = {&d->seed, &d->increment};
    for (int i = 0; i < 2; i++) {
        int sign = take_op(p, "-") ? -1 : 1;
        if (tok(p)->kind != TK_INTEGER && tok(p)->kind != TK_DECIMAL)
            return syntax_error(p);
        *to[i] = sign * strtoll(p->tokens.at[p->at++].text, NULL, 10);
        if (i == 0 && !want_op(p, ","))
            return false;
    }
    return want_op(p, ")");
}

static bool
parse_default(struct parser *p, struct column_def *d)
{
    d->default_value = parse_value(p);
    return d->default_value != NULL;
}

/* One property of a column; *found false when there is none more. */
static bool
parse_collation(struct parser *p, struct column_def *d)
{
    d->collation = want_name(p);
    if (!d->collation)
        return false;
    if (!codepage_of_collation(d->collation, &d->type.codepage))
        return fail(p->c, 448, "Invalid collation '%s'.", d->collation);
    if (!type_is_char(d->type.type) || type_is_nchar(d->type.type))
        d->type.codepage = CODEPAGE_DATABASE;
    return true;
}

static bool
parse_property(struct parser *p, struct table_def *t, struct column_def *d, bool *found)
{
    const char *name = NULL;
    *found = true;
    if (take_word(p, "NOT")) {
        d->not_null = true;
        return want_word(p, "NULL");
    }
    if (take_word(p, "NULL")) {
        d->null_given = true;
        return true;
    }
    if (take_word(p, "IDENTITY"))
        return parse_identity(p, d);
    if (take_word(p, "ROWGUIDCOL")) {
        d->rowguid = true;
        return true;
    }
    if (take_word(p, "SPARSE"))
        return true;
    if (take_word(p, "COLLATE"))
        return parse_collation(p, d);
    if (take_word(p, "CONSTRAINT") && !(name = want_name(p)))
        return false;
    if (take_word(p, "DEFAULT")) {
        d->default_name = name;
        return parse_default(p, d);
    }
    struct constraint_def c = {.name = name};
    if (!parse_constraint_body(p, &c, d->name, found))
        return false;
    if (!*found)
        return name == NULL || syntax_error(p);
    *PUSH(p, t->constraints, t->constraint_count) = c;
    if (c.kind == CONSTRAINT_PRIMARY)
        d->not_null = true;
    return true;
}

static bool
parse_column(struct parser *p, struct table_def *t)
{
    struct column_def d = {.name = want_name(p)};
    bool found = true;
    if (!d.name)
        return false;
    if (take_word(p, "AS")) {
        d.compute = parse_value(p);
        d.type.computed = true;
        if (!d.compute)
            return false;
        d.persisted = take_word(p, "PERSISTED");
    } else if (same_name(d.name, "timestamp") && (at_op(p, ",") || at_op(p, ")"))) {
        d.type = type_of(SQL_ROWVERSION);
    } else if (!parse_type(p, &d.type, false)) {
        return false;
    }
    while (found)
        if (!parse_property(p, t, &d, &found))
            return false;
    if (d.type.type == SQL_ROWVERSION && !d.compute)
        d.not_null = !d.null_given;
    d.type.nullable = !d.not_null;
    *PUSH(p, t->columns, t->count) = d;
    return true;
}

static bool
parse_element(struct parser *p, struct table_def *t)
{
    struct constraint_def c = {0};
    bool found = true;
    if (at_word(p, "CONSTRAINT")) {
        p->at++;
        if (!(c.name = want_name(p)))
            return false;
    } else if (!at_word(p, "PRIMARY") && !at_word(p, "UNIQUE") && !at_word(p, "CHECK") &&
               !at_word(p, "FOREIGN")) {
        return parse_column(p, t);
    }
    if (!parse_constraint_body(p, &c, NULL, &found))
        return false;
    if (!found)
        return syntax_error(p);
    *PUSH(p, t->constraints, t->constraint_count) = c;
    return true;
}

static struct stmt *
parse_create_table(struct parser *p, struct stmt *s)
{
    s->kind = ST_CREATE_TABLE;
    if (!parse_name(p, &s->target) || !want_op(p, "("))
        return NULL;
    do {
        if (at_op(p, ")"))
            break;
        if (!parse_element(p, &s->table))
            return NULL;
    } while (take_op(p, ","));
    if (!want_op(p, ")") || !skip_storage(p))
        return NULL;
    if (!s->table.count || s->table.count > 1024)
        return refuse(p);
    return s;
}

static struct stmt *
parse_create_index(struct parser *p, struct stmt *s)
{
    s->kind = ST_CREATE_INDEX;
    s->unique = take_word(p, "UNIQUE");
    if (!take_word(p, "NONCLUSTERED"))
        s->on = take_word(p, "CLUSTERED"); /* `on`: clustered */
    s->constraint = arena_alloc(p->c->arena, sizeof *s->constraint);
    if (!want_word(p, "INDEX") || !(s->word = want_name(p)) || !want_word(p, "ON") ||
        !parse_name(p, &s->target) || !parse_key_columns(p, s->constraint))
        return NULL;
    const char **included = NULL;
    int count = 0;
    if (take_word(p, "INCLUDE") && !parse_name_list(p, &included, &count))
        return NULL;
    if (take_word(p, "WHERE")) {
        s->filtered = true;
        s->where = parse_condition(p);
        if (!s->where)
            return NULL;
    }
    return skip_storage(p) ? s : NULL;
}

/* A trigger is recorded, not run; its body must parse all the same. */
static bool
parse_trigger_head(struct parser *p, struct stmt *s)
{
    struct name name;
    if (!parse_name(p, &name) || !want_word(p, "ON") || !parse_name(p, &s->target))
        return false;
    s->word = name.object;
    s->on = take_word(p, "INSTEAD");
    if (s->on ? !want_word(p, "OF") : !take_word(p, "AFTER") && !want_word(p, "FOR"))
        return false;
    do {
        if (!take_word(p, "INSERT") && !take_word(p, "UPDATE") && !want_word(p, "DELETE"))
            return false;
    } while (take_op(p, ","));
    return want_word(p, "AS");
}

static struct stmt *
parse_create_trigger(struct parser *p, struct stmt *s)
{
    s->kind = ST_CREATE_TRIGGER;
    if (!parse_trigger_head(p, s))
        return NULL;
    struct stmt **tail = &s->body;
    while (tok(p)->kind != TK_END) {
        struct stmt *inner = parse_statement(p);
        if (!inner)
            return NULL;
        *tail = inner;
        tail = &inner->next;
    }
    return s->body ? s : refuse(p);
}

/* CREATE FUNCTION f(@a t) RETURNS TABLE [WITH SCHEMABINDING] AS RETURN SELECT ...: predicates only.
 */
static bool
parse_parameters(struct parser *p, struct stmt *s)
{
    if (!want_op(p, "("))
        return false;
    while (!at_op(p, ")")) {
        struct declaration d = {0};
        bool output = false;
        if (!parse_declaration(p, &d, &output) || output)
            return false;
        *PUSH(p, s->declarations, s->declaration_count) = d;
        if (!take_op(p, ","))
            break;
    }
    return want_op(p, ")");
}

static struct stmt *
parse_create_function(struct parser *p, struct stmt *s)
{
    s->kind = ST_CREATE_FUNCTION;
    if (!parse_name(p, &s->target) || !parse_parameters(p, s) || !want_word(p, "RETURNS") ||
        !want_word(p, "TABLE"))
        return NULL;
    if (take_word(p, "WITH") && !want_name(p))
        return NULL;
    (void)take_word(p, "AS");
    if (!want_word(p, "RETURN"))
        return NULL;
    bool parenthesis = take_op(p, "(");
    s->query = parse_query(p);
    return s->query && (!parenthesis || want_op(p, ")")) ? s : NULL;
}

static bool
parse_predicate(struct parser *p, struct stmt *s)
{
    struct predicate_def d = {0};
    if (!want_word(p, "ADD"))
        return false;
    d.block = take_word(p, "BLOCK");
    if (!d.block && !want_word(p, "FILTER"))
        return false;
    if (!want_word(p, "PREDICATE") || !parse_name(p, &d.function) || !want_op(p, "("))
        return false;
    if (!at_op(p, ")") && !parse_expr_list(p, &d.args, &d.count))
        return false;
    if (!want_op(p, ")") || !want_word(p, "ON") || !parse_name(p, &d.table))
        return false;
    if (d.block && (take_word(p, "AFTER") || take_word(p, "BEFORE")))
        p->at++;
    *PUSH(p, s->predicates, s->predicate_count) = d;
    return true;
}

static struct stmt *
parse_create_policy(struct parser *p, struct stmt *s)
{
    s->kind = ST_CREATE_POLICY;
    s->on = true;
    if (!want_word(p, "POLICY") || !parse_name(p, &s->target))
        return NULL;
    do {
        if (!parse_predicate(p, s))
            return NULL;
    } while (take_op(p, ","));
    if (take_word(p, "WITH")) {
        if (!want_op(p, "(") || !want_word(p, "STATE") || !want_op(p, "="))
            return NULL;
        s->on = take_word(p, "ON");
        if (!s->on && !want_word(p, "OFF"))
            return NULL;
        if (!want_op(p, ")"))
            return NULL;
    }
    return s;
}

struct stmt *
parse_create(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_CREATE_TABLE);
    p->at++;
    if (take_word(p, "TABLE"))
        return parse_create_table(p, s);
    if (take_word(p, "TRIGGER"))
        return parse_create_trigger(p, s);
    if (take_word(p, "FUNCTION"))
        return parse_create_function(p, s);
    if (take_word(p, "SECURITY"))
        return parse_create_policy(p, s);
    if (at_word(p, "UNIQUE") || at_word(p, "INDEX") || at_word(p, "CLUSTERED") ||
        at_word(p, "NONCLUSTERED"))
        return parse_create_index(p, s);
    return refuse(p);
}

/* ---- ALTER ---- */

/* ON or OFF, an `=` before it allowed. */
static bool
parse_switch(struct parser *p, struct stmt *s)
{
    (void)take_op(p, "=");
    s->on = take_word(p, "ON");
    return s->on || want_word(p, "OFF");
}

/* HADR AVAILABILITY GROUP = name, HADR OFF */
static bool
parse_hadr(struct parser *p, struct stmt *s)
{
    s->on = !take_word(p, "OFF");
    return !s->on || (want_word(p, "AVAILABILITY") && want_word(p, "GROUP") && want_op(p, "=") &&
                      want_name(p));
}

/* DELAYED_DURABILITY = word: the word takes the place of the option's name. */
static bool
parse_durability(struct parser *p, struct stmt *s)
{
    static const char *const words[] = {"DISABLED", "ALLOWED", "FORCED"};
    if (!want_op(p, "="))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!take_word(p, words[i]))
            continue;
        s->word = words[i];
        return true;
    }
    return syntax_error(p);
}

static bool
parse_database_option(struct parser *p, struct stmt *s)
{
    static const char *const states[] = {"READ_ONLY",
                                         "READ_WRITE",
                                         "SINGLE_USER",
                                         "MULTI_USER",
                                         "RESTRICTED_USER",
                                         "ONLINE",
                                         "READ_COMMITTED_SNAPSHOT",
                                         "CHANGE_TRACKING",
                                         "HADR",
                                         "DELAYED_DURABILITY"};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (!take_word(p, states[i]))
            continue;
        s->word = states[i];
        if (i < 6)
            return true;
        return i == 8 ? parse_hadr(p, s) : i == 9 ? parse_durability(p, s) : parse_switch(p, s);
    }
    return syntax_error(p);
}

static struct stmt *
parse_alter_database(struct parser *p, struct stmt *s)
{
    s->kind = ST_ALTER_DATABASE;
    if (!take_word(p, "CURRENT") && !(s->target.object = want_name(p)))
        return NULL;
    if (!want_word(p, "SET") || !parse_database_option(p, s))
        return NULL;
    if (!take_word(p, "WITH"))
        return s;
    bool rollback = take_word(p, "ROLLBACK");
    return want_word(p, rollback ? "IMMEDIATE" : "NO_WAIT") ? s : NULL;
}

static struct stmt *
parse_alter_drop(struct parser *p, struct stmt *s)
{
    s->alter = ALTER_DROP_CONSTRAINT;
    if (take_word(p, "COLUMN"))
        s->alter = ALTER_DROP_COLUMN;
    else
        (void)take_word(p, "CONSTRAINT");
    if (take_word(p, "IF")) {
        s->if_exists = true;
        if (!want_word(p, "EXISTS"))
            return NULL;
    }
    s->word = want_name(p);
    return s->word ? s : NULL;
}

static struct stmt *
parse_alter_add(struct parser *p, struct stmt *s)
{
    s->alter = ALTER_ADD;
    do {
        if (!parse_element(p, &s->table))
            return NULL;
    } while (take_op(p, ","));
    return s;
}

static struct stmt *
parse_alter_switch(struct parser *p, struct stmt *s)
{
    s->on = at_word(p, "ENABLE");
    p->at++;
    if (!take_word(p, "TRIGGER")) {
        s->alter = ALTER_TRACKING;
        return want_word(p, "CHANGE_TRACKING") ? s : NULL;
    }
    s->alter = ALTER_TRIGGERS;
    if (take_word(p, "ALL"))
        return s;
    s->word = want_name(p);
    return s->word ? s : NULL;
}

static struct stmt *
parse_alter_table(struct parser *p, struct stmt *s)
{
    s->kind = ST_ALTER_TABLE;
    if (!parse_name(p, &s->target))
        return NULL;
    if (at_word(p, "WITH") && (word_ahead(p, 1, "CHECK") || word_ahead(p, 1, "NOCHECK")))
        p->at += 2;
    if (take_word(p, "ADD"))
        return parse_alter_add(p, s);
    if (take_word(p, "DROP"))
        return parse_alter_drop(p, s);
    if (at_word(p, "ENABLE") || at_word(p, "DISABLE"))
        return parse_alter_switch(p, s);
    return refuse(p);
}

struct stmt *
parse_alter(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_ALTER_TABLE);
    p->at++;
    if (take_word(p, "DATABASE"))
        return parse_alter_database(p, s);
    if (take_word(p, "TABLE"))
        return parse_alter_table(p, s);
    return refuse(p);
}

/* ---- DROP ---- */

static bool
parse_drop_kind(struct parser *p, struct stmt *s)
{
    static const char *const kinds[] = {"TABLE", "INDEX", "TRIGGER", "FUNCTION"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (take_word(p, kinds[i])) {
            s->word = kinds[i];
            return true;
        }
    }
    s->word = "SECURITY POLICY";
    return want_word(p, "SECURITY") && want_word(p, "POLICY");
}

struct stmt *
parse_drop(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_DROP);
    p->at++;
    if (!parse_drop_kind(p, s))
        return NULL;
    s->if_exists = take_word(p, "IF");
    if (s->if_exists && !want_word(p, "EXISTS"))
        return NULL;
    do {
        struct name n;
        if (!parse_name(p, &n))
            return NULL;
        *PUSH(p, s->drops, s->drop_count) = n;
    } while (take_op(p, ","));
    if (same_name(s->word, "INDEX") && take_word(p, "ON") && !parse_name(p, &s->target))
        return NULL;
    return s;
}
