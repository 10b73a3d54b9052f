#include "tsql/parse.h"

/* ---- FROM ---- */

static const struct {
    const char *word;
    unsigned hint;
} hints[] = {
    {"NOLOCK", HINT_NOLOCK},
    {"READUNCOMMITTED", HINT_NOLOCK},
    {"READCOMMITTED", 0},
    {"READCOMMITTEDLOCK", HINT_READCOMMITTEDLOCK},
    {"REPEATABLEREAD", HINT_HOLDLOCK},
    {"SERIALIZABLE", HINT_HOLDLOCK},
    {"HOLDLOCK", HINT_HOLDLOCK},
    {"ROWLOCK", 0},
    {"PAGLOCK", 0},
    {"TABLOCK", HINT_TABLOCK},
    {"TABLOCKX", HINT_TABLOCKX},
    {"UPDLOCK", HINT_UPDLOCK},
    {"XLOCK", HINT_XLOCK},
    {"NOWAIT", HINT_NOWAIT},
    {"READPAST", HINT_READPAST},
    {"FORCESEEK", 0},
    {"FORCESCAN", 0},
};

static bool
take_hint(struct parser *p, unsigned *out)
{
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        if (take_word(p, hints[i].word)) {
            *out |= hints[i].hint;
            return true;
        }
    }
    if (take_word(p, "INDEX")) {
        if (take_op(p, "=")) {
            p->at++;
            return true;
        }
        if (!want_op(p, "("))
            return false;
        p->at++;
        return want_op(p, ")");
    }
    return syntax_error(p);
}

bool
parse_hints(struct parser *p, unsigned *out)
{
    if (!at_word(p, "WITH") || !op_ahead(p, 1, "("))
        return true;
    p->at += 2;
    do {
        if (!take_hint(p, out))
            return false;
        (void)take_op(p, ",");
    } while (!at_op(p, ")") && tok(p)->kind == TK_NAME);
    return want_op(p, ")");
}

/* T (NOLOCK) without WITH is still allowed. */
static bool
bare_hints(struct parser *p, unsigned *out)
{
    if (!at_op(p, "("))
        return true;
    p->at++;
    do {
        if (!take_hint(p, out))
            return false;
    } while (take_op(p, ","));
    return want_op(p, ")");
}

static bool
parse_alias(struct parser *p, const char **alias)
{
    if (take_word(p, "AS")) {
        *alias = want_name(p);
        return *alias != NULL;
    }
    if (at_name(p) && !at_word(p, "GO"))
        *alias = p->tokens.at[p->at++].text;
    return true;
}

/* (VALUES (1, 2), (3, 4)) as a query of its own: a chain of UNION ALL. */
static struct query *
parse_values_query(struct parser *p)
{
    struct query *q = arena_alloc(p->c->arena, sizeof *q);
    struct select **tail = &q->first;
    p->at++;
    do {
        struct select *s = arena_alloc(p->c->arena, sizeof *s);
        struct expr **list = NULL;
        int count = 0;
        if (!want_op(p, "(") || !parse_expr_list(p, &list, &count) || !want_op(p, ")"))
            return NULL;
        for (int i = 0; i < count; i++)
            *PUSH(p, s->items, s->count) = (struct item){.expr = list[i]};
        s->all = true;
        *tail = s;
        tail = &s->next;
    } while (take_op(p, ","));
    return q;
}

static bool
parse_derived(struct parser *p, struct from *f)
{
    f->kind = FROM_QUERY;
    p->at++;
    f->query = at_word(p, "VALUES") ? parse_values_query(p) : parse_query(p);
    if (!f->query || !want_op(p, ")") || !parse_alias(p, &f->alias))
        return false;
    if (!f->alias)
        return syntax_error(p);
    return !at_op(p, "(") || parse_name_list(p, &f->columns, &f->column_count);
}

static bool parse_joined(struct parser *, struct from **);

static bool
parse_table(struct parser *p, struct from **out)
{
    struct from *f = arena_alloc(p->c->arena, sizeof *f);
    *out = f;
    if (at_op(p, "(")) {
        if (word_ahead(p, 1, "SELECT") || word_ahead(p, 1, "VALUES"))
            return parse_derived(p, f);
        p->at++;
        return parse_joined(p, out) && want_op(p, ")");
    }
    f->kind = FROM_TABLE;
    return parse_name(p, &f->name) && bare_hints(p, &f->hints) && parse_hints(p, &f->hints) &&
           parse_alias(p, &f->alias) && bare_hints(p, &f->hints) && parse_hints(p, &f->hints);
}

static bool
take_join(struct parser *p, enum join_kind *kind)
{
    if (at_word(p, "CROSS") && word_ahead(p, 1, "JOIN")) {
        p->at += 2;
        *kind = JOIN_CROSS;
        return true;
    }
    if (at_word(p, "INNER") && word_ahead(p, 1, "JOIN"))
        p->at++;
    if (at_word(p, "LEFT")) {
        p->at++;
        (void)take_word(p, "OUTER");
        *kind = JOIN_LEFT;
        return want_word(p, "JOIN");
    }
    *kind = JOIN_INNER;
    return take_word(p, "JOIN");
}

static bool
parse_joined(struct parser *p, struct from **out)
{
    if (!enter(p) || !parse_table(p, out))
        return false;
    enum join_kind kind;
    while (take_join(p, &kind)) {
        struct from *j = arena_alloc(p->c->arena, sizeof *j);
        j->kind = FROM_JOIN;
        j->join = kind;
        j->left = *out;
        if (!parse_table(p, &j->right))
            return false;
        if (kind != JOIN_CROSS && (!want_word(p, "ON") || !(j->on = parse_condition(p))))
            return false;
        *out = j;
    }
    leave(p);
    return !p->c->error->number;
}

bool
parse_from(struct parser *p, struct from **out)
{
    if (!parse_joined(p, out))
        return false;
    while (take_op(p, ",")) {
        struct from *j = arena_alloc(p->c->arena, sizeof *j);
        j->kind = FROM_JOIN;
        j->join = JOIN_CROSS;
        j->left = *out;
        if (!parse_joined(p, &j->right))
            return false;
        *out = j;
    }
    return true;
}

/* ---- SELECT list ---- */

static bool
item_alias(struct parser *p, struct item *item)
{
    bool as = take_word(p, "AS");
    const struct token *t = tok(p);
    if (t->kind == TK_STRING || t->kind == TK_NSTRING) {
        item->alias = utf8_from_units(p->c->arena, t->value.at, t->value.count);
        p->at++;
        return true;
    }
    if (as) {
        item->alias = want_name(p);
        return item->alias != NULL;
    }
    if (at_name(p))
        item->alias = p->tokens.at[p->at++].text;
    return true;
}

static bool
parse_item(struct parser *p, struct item *item)
{
    const struct token *t = tok(p);
    if (at_op(p, "*")) {
        item->expr = expr_new(p, EX_STAR);
        p->at++;
        return true;
    }
    if (t->kind == TK_VARIABLE && op_ahead(p, 1, "=")) {
        item->variable = t->text;
        p->at += 2;
        item->expr = parse_value(p);
        return item->expr != NULL;
    }
    bool aliased = (at_name(p) || t->kind == TK_STRING) && op_ahead(p, 1, "=");
    if (aliased) {
        item->alias = t->text ? t->text : utf8_from_units(p->c->arena, t->value.at, t->value.count);
        p->at += 2;
    }
    item->expr = parse_value(p);
    if (!item->expr)
        return false;
    return aliased || item->expr->kind == EX_STAR || item_alias(p, item);
}

bool
parse_items(struct parser *p, struct item **items, int *count)
{
    do {
        struct item item = {0};
        if (!parse_item(p, &item))
            return false;
        if (*count == 4096)
            return fail(p->c, 1056,
                        "The number of elements in the select list exceeds the maximum "
                        "allowed number of 4096 elements.");
        *PUSH(p, *items, *count) = item;
    } while (take_op(p, ","));
    return true;
}

bool
parse_top(struct parser *p, struct expr **top, bool *percent)
{
    if (!take_word(p, "TOP"))
        return true;
    if (take_op(p, "(")) {
        *top = parse_value(p);
        if (!*top || !want_op(p, ")"))
            return false;
    } else {
        if (tok(p)->kind != TK_INTEGER && tok(p)->kind != TK_VARIABLE && tok(p)->kind != TK_DECIMAL)
            return syntax_error(p);
        size_t at = p->at;
        *top = expr_new(p, EX_LITERAL);
        if (tok(p)->kind == TK_VARIABLE)
            return syntax_error(p);
        (*top)->literal = val_bigint(strtoll(tok(p)->text, NULL, 10));
        p->at = at + 1;
    }
    *percent = false;
    if (at_word(p, "PERCENT") || (at_word(p, "WITH") && word_ahead(p, 1, "TIES")))
        return syntax_error(p); /* not in the subset */
    return true;
}

static bool
parse_group_by(struct parser *p, struct select *s)
{
    if (!take_word(p, "GROUP"))
        return true;
    if (!want_word(p, "BY"))
        return false;
    return parse_expr_list(p, &s->groups, &s->group_count);
}

static bool
parse_into(struct parser *p, struct select *s)
{
    if (!take_word(p, "INTO"))
        return true;
    s->into = arena_alloc(p->c->arena, sizeof *s->into);
    return parse_name(p, s->into);
}

static bool
parse_clauses(struct parser *p, struct select *s)
{
    if (take_word(p, "FROM") && !parse_from(p, &s->from))
        return false;
    if (take_word(p, "WHERE") && !(s->where = parse_condition(p)))
        return false;
    if (!parse_group_by(p, s))
        return false;
    return !take_word(p, "HAVING") || (s->having = parse_condition(p)) != NULL;
}

static struct select *
parse_one_select(struct parser *p)
{
    struct select *s = arena_alloc(p->c->arena, sizeof *s);
    if (!want_word(p, "SELECT"))
        return NULL;
    s->distinct = take_word(p, "DISTINCT");
    if (!s->distinct)
        (void)take_word(p, "ALL");
    if (!parse_top(p, &s->top, &s->top_percent) || !parse_items(p, &s->items, &s->count) ||
        !parse_into(p, s) || !parse_clauses(p, s))
        return NULL;
    return s;
}

/* One SELECT, or a parenthesis around one: appended to the chain. */
static bool
parse_term(struct parser *p, struct select **tail, bool all)
{
    bool parenthesis = take_op(p, "(");
    struct select *s = parse_one_select(p);
    if (!s || (parenthesis && !want_op(p, ")")))
        return false;
    s->all = all;
    *tail = s;
    return true;
}

static bool
want_rows(struct parser *p)
{
    return take_word(p, "ROWS") || want_word(p, "ROW");
}

static bool
parse_offset(struct parser *p, struct query *q)
{
    if (!take_word(p, "OFFSET"))
        return true;
    q->offset = parse_value(p);
    if (!q->offset || !want_rows(p))
        return false;
    if (!take_word(p, "FETCH"))
        return true;
    if (!take_word(p, "NEXT") && !want_word(p, "FIRST"))
        return false;
    q->fetch = parse_value(p);
    return q->fetch && want_rows(p) && want_word(p, "ONLY");
}

static bool
parse_order_by(struct parser *p, struct query *q)
{
    if (!want_word(p, "BY"))
        return false;
    do {
        struct order o = {.expr = parse_value(p)};
        if (!o.expr)
            return false;
        o.descending = take_word(p, "DESC");
        if (!o.descending)
            (void)take_word(p, "ASC");
        *PUSH(p, q->orders, q->order_count) = o;
    } while (take_op(p, ","));
    return parse_offset(p, q);
}

/* OPTION (RECOMPILE, MAXDOP 1, ...) changes nothing here. */
static bool
parse_option(struct parser *p)
{
    if (!at_word(p, "OPTION") || !op_ahead(p, 1, "("))
        return true;
    p->at++;
    return skip_parentheses(p);
}

static bool
parse_query_body(struct parser *p, struct query *q)
{
    struct select **tail = &q->first;
    if (!parse_term(p, tail, false))
        return false;
    while (at_word(p, "UNION")) {
        p->at++;
        bool all = take_word(p, "ALL");
        tail = &(*tail)->next;
        if (!parse_term(p, tail, all))
            return false;
    }
    if (take_word(p, "ORDER") && !parse_order_by(p, q))
        return false;
    return parse_option(p);
}

struct query *
parse_query(struct parser *p)
{
    struct query *q = arena_alloc(p->c->arena, sizeof *q);
    q->line = tok(p)->line;
    if (!enter(p))
        return NULL;
    bool ok = parse_query_body(p, q);
    leave(p);
    return ok ? q : NULL;
}
