#include "tsql/parse.h"

#define MAX_VALUES_ROWS 1000

static bool
parse_output(struct parser *p, struct stmt *s)
{
    if (!take_word(p, "OUTPUT"))
        return true;
    return parse_items(p, &s->output, &s->output_count);
}

static bool
parse_rows(struct parser *p, struct stmt *s)
{
    int cells = 0;
    do {
        struct expr **list = NULL;
        int count = 0;
        p->c->line = s->line;
        if (s->row_count == MAX_VALUES_ROWS)
            return fail(p->c, 10738,
                        "The number of row value expressions in the INSERT statement exceeds the "
                        "maximum allowed number of 1000 row values.");
        if (!want_op(p, "(") || !parse_expr_list(p, &list, &count) || !want_op(p, ")"))
            return false;
        if (s->row_count && count != s->row_width)
            return fail(p->c, 10709,
                        "The number of columns for each row in a table value constructor must be "
                        "the same.");
        s->row_width = count;
        for (int i = 0; i < count; i++)
            *PUSH_PTR(p, s->rows, cells) = list[i];
        s->row_count++;
    } while (take_op(p, ","));
    return true;
}

static bool
parse_insert_source(struct parser *p, struct stmt *s)
{
    if (at_word(p, "DEFAULT")) {
        p->at++;
        s->default_values = true;
        return want_word(p, "VALUES");
    }
    if (take_word(p, "VALUES"))
        return parse_rows(p, s);
    if (at_word(p, "SELECT") || at_op(p, "(")) {
        s->query = parse_query(p);
        return s->query != NULL;
    }
    return syntax_error(p);
}

struct stmt *
parse_insert(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_INSERT);
    bool percent = false;
    p->at++;
    if (!parse_top(p, &s->top, &percent))
        return NULL;
    (void)take_word(p, "INTO");
    if (!parse_name(p, &s->target) || !parse_hints(p, &s->hints))
        return NULL;
    if (at_op(p, "(") && !word_ahead(p, 1, "SELECT") &&
        !parse_name_list(p, &s->columns, &s->column_count))
        return NULL;
    if (!parse_output(p, s) || !parse_insert_source(p, s))
        return NULL;
    return s;
}

static bool
parse_assignment(struct parser *p, struct assignment *a)
{
    if (tok(p)->kind == TK_VARIABLE) {
        a->variable = p->tokens.at[p->at++].text;
    } else {
        struct name n;
        if (!parse_name(p, &n))
            return false;
        a->column = n.object;
    }
    static const char *const compound[] = {"+=", "-=", "*=", "/=", "%=", "&=", "|=", "^="};
    for (size_t i = 0; i < sizeof compound / sizeof compound[0] && a->column; i++) {
        if (!take_op(p, compound[i]))
            continue;
        struct expr *left = expr_new(p, EX_COLUMN), *right = parse_value(p);
        if (!right)
            return false;
        left->name = a->column;
        a->value = expr_new(p, EX_ARITHMETIC);
        a->value->op = compound[i][0];
        *PUSH_PTR(p, a->value->args, a->value->count) = left;
        *PUSH_PTR(p, a->value->args, a->value->count) = right;
        return true;
    }
    return want_op(p, "=") && (a->value = parse_value(p)) != NULL;
}

struct stmt *
parse_update(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_UPDATE);
    bool percent = false;
    p->at++;
    if (!parse_top(p, &s->top, &percent) || !parse_name(p, &s->target) ||
        !parse_hints(p, &s->hints) || !want_word(p, "SET"))
        return NULL;
    do {
        struct assignment a = {0};
        if (!parse_assignment(p, &a))
            return NULL;
        *PUSH(p, s->assignments, s->assignment_count) = a;
    } while (take_op(p, ","));
    if (!parse_output(p, s))
        return NULL;
    if (at_word(p, "FROM")) /* UPDATE ... FROM is not in the subset */
        return NULL;
    if (take_word(p, "WHERE") && !(s->where = parse_condition(p)))
        return NULL;
    return s;
}

struct stmt *
parse_delete(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_DELETE);
    bool percent = false;
    p->at++;
    if (!parse_top(p, &s->top, &percent))
        return NULL;
    (void)take_word(p, "FROM");
    if (!parse_name(p, &s->target) || !parse_hints(p, &s->hints) || !parse_output(p, s))
        return NULL;
    if (at_word(p, "FROM")) /* DELETE t FROM is not in the subset */
        return NULL;
    if (take_word(p, "WHERE") && !(s->where = parse_condition(p)))
        return NULL;
    return s;
}

struct stmt *
parse_truncate(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_TRUNCATE);
    p->at++;
    return want_word(p, "TABLE") && parse_name(p, &s->target) ? s : NULL;
}

/* ---- EXEC ---- */

static bool
parse_exec_string(struct parser *p, struct stmt *s)
{
    s->kind = ST_EXEC_STRING;
    p->at++;
    s->condition = parse_value(p);
    return s->condition && want_op(p, ")");
}

/* A bare word as an argument is a string. */
static struct expr *
parse_exec_value(struct parser *p)
{
    if (at_name(p) && !op_ahead(p, 1, "(")) {
        struct expr *e = expr_new(p, EX_LITERAL);
        e->literal = val_utf8(p->c->arena, p->tokens.at[p->at++].text);
        return e;
    }
    return parse_value(p);
}

static bool
parse_exec_arg(struct parser *p, struct exec_arg *a)
{
    if (tok(p)->kind == TK_VARIABLE && op_ahead(p, 1, "=")) {
        a->name = tok(p)->text;
        p->at += 2;
    }
    const struct token *first = tok(p);
    a->value = parse_exec_value(p);
    if (!a->value)
        return false;
    if (take_word(p, "OUTPUT") || take_word(p, "OUT")) {
        if (first->kind != TK_VARIABLE || a->value->kind != EX_VARIABLE)
            return fail(p->c, 179,
                        "Cannot use the OUTPUT option when passing a constant to a stored "
                        "procedure.");
        a->output = first->text;
    }
    return true;
}

static bool
at_exec_end(const struct parser *p)
{
    const struct token *t = tok(p);
    if (t->kind == TK_OPERATOR)
        return !(at_op(p, "-") || at_op(p, "+"));
    return t->kind == TK_END || (t->kind == TK_NAME && is_reserved(t->text) &&
                                 !at_word(p, "DEFAULT") && !at_word(p, "NULL"));
}

struct stmt *
parse_exec(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_EXEC);
    if (at_word(p, "EXEC") || at_word(p, "EXECUTE"))
        p->at++;
    if (at_op(p, "("))
        return parse_exec_string(p, s) ? s : NULL;
    if (tok(p)->kind == TK_VARIABLE && op_ahead(p, 1, "=")) {
        s->result = tok(p)->text;
        p->at += 2;
    }
    if (!parse_name(p, &s->target))
        return NULL;
    if (at_exec_end(p))
        return s;
    do {
        struct exec_arg a = {0};
        if (!parse_exec_arg(p, &a))
            return NULL;
        *PUSH(p, s->exec_args, s->exec_count) = a;
    } while (take_op(p, ","));
    return s;
}

/* ---- DECLARE and SET ---- */

bool
parse_declaration(struct parser *p, struct declaration *d, bool *output)
{
    if (tok(p)->kind != TK_VARIABLE)
        return syntax_error(p);
    d->name = p->tokens.at[p->at++].text;
    (void)take_word(p, "AS");
    if (!parse_type(p, &d->type, false))
        return false;
    if (take_op(p, "=") && !(d->value = parse_value(p)))
        return false;
    *output = take_word(p, "OUTPUT") || take_word(p, "OUT");
    return true;
}

struct stmt *
parse_declare(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_DECLARE);
    p->at++;
    do {
        struct declaration d = {0};
        bool output = false;
        if (!parse_declaration(p, &d, &output) || output)
            return NULL;
        *PUSH(p, s->declarations, s->declaration_count) = d;
    } while (take_op(p, ","));
    return s;
}

static struct stmt *
parse_set_variable(struct parser *p, struct stmt *s)
{
    static const char *const compound[] = {"+=", "-=", "*=", "/=", "%=", "&=", "|=", "^="};
    s->kind = ST_SET_VARIABLE;
    s->word = p->tokens.at[p->at++].text;
    for (size_t i = 0; i < sizeof compound / sizeof compound[0] && !s->op; i++)
        if (take_op(p, compound[i]))
            s->op = compound[i][0];
    if (!s->op && !want_op(p, "="))
        return NULL;
    s->value = parse_value(p);
    return s->value ? s : NULL;
}

static bool
parse_on_off(struct parser *p, struct stmt *s)
{
    s->on = take_word(p, "ON");
    return s->on || want_word(p, "OFF");
}

/* The names of options that take a value instead of ON or OFF. */
static bool
takes_value(const char *word)
{
    static const char *const names[] = {"TEXTSIZE",  "LOCK_TIMEOUT", "DEADLOCK_PRIORITY",
                                        "ROWCOUNT",  "LANGUAGE",     "DATEFORMAT",
                                        "DATEFIRST", "CONTEXT_INFO", "QUERY_GOVERNOR_COST_LIMIT"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (same_name(names[i], word))
            return true;
    return false;
}

static bool
parse_option_value(struct parser *p, struct stmt *s)
{
    if (at_name(p)) {
        struct expr *e = expr_new(p, EX_LITERAL);
        e->literal = val_utf8(p->c->arena, p->tokens.at[p->at++].text);
        s->value = e;
        return true;
    }
    s->value = parse_value(p);
    return s->value != NULL;
}

static bool
parse_isolation(struct parser *p, struct stmt *s)
{
    if (!want_word(p, "ISOLATION") || !want_word(p, "LEVEL"))
        return false;
    s->words[0] = "TRANSACTION ISOLATION LEVEL";
    const char *first = tok(p)->text, *second = tok_ahead(p, 1)->text;
    if (!first)
        return syntax_error(p);
    p->at++;
    bool two = same_name(first, "READ") || same_name(first, "REPEATABLE");
    if (!two && !same_name(first, "SERIALIZABLE") && !same_name(first, "SNAPSHOT"))
        return syntax_error(p);
    s->word = first;
    if (two) {
        if (!second || (!same_name(second, "COMMITTED") && !same_name(second, "UNCOMMITTED") &&
                        !same_name(second, "READ")))
            return syntax_error(p);
        s->word = arena_printf(p->c->arena, "%s %s", first, second);
        p->at++;
    }
    return true;
}

struct stmt *
parse_set(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_SET_OPTION);
    p->at++;
    if (tok(p)->kind == TK_VARIABLE)
        return parse_set_variable(p, s);
    do {
        if (tok(p)->kind != TK_NAME) {
            (void)syntax_error(p);
            return NULL;
        }
        *PUSH_PTR(p, s->words, s->word_count) = p->tokens.at[p->at++].text;
    } while (take_op(p, ","));
    const char *word = s->words[0];
    bool ok;
    if (same_name(word, "TRANSACTION")) {
        ok = parse_isolation(p, s);
    } else if (same_name(word, "IDENTITY_INSERT")) {
        ok = parse_name(p, &s->target) && parse_on_off(p, s);
    } else if (same_name(word, "STATISTICS")) {
        p->at++;
        ok = parse_on_off(p, s);
    } else if (takes_value(word)) {
        ok = parse_option_value(p, s);
    } else {
        ok = parse_on_off(p, s);
    }
    return ok ? s : NULL;
}
