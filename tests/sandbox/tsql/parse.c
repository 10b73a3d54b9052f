#include "tsql/parse.h"

#define MAX_DEPTH 200

void *
grow(struct parser *p, void *array, int count, size_t size)
{
    /* capacity is the next power of two: room is made when the count reaches one */
    if (count && (count & (count - 1)))
        return array;
    size_t capacity = count ? (size_t)count * 2 : 1;
    void *bigger = arena_alloc(p->c->arena, capacity * size);
    if (count)
        memcpy(bigger, array, (size_t)count * size);
    return bigger;
}

const struct token *
tok_ahead(const struct parser *p, size_t n)
{
    size_t i = p->at + n;
    return &p->tokens.at[i < p->tokens.count ? i : p->tokens.count - 1];
}

const struct token *
tok(const struct parser *p)
{
    return tok_ahead(p, 0);
}

bool
word_ahead(const struct parser *p, size_t n, const char *word)
{
    const struct token *t = tok_ahead(p, n);
    return t->kind == TK_NAME && same_name(t->text, word);
}

bool
op_ahead(const struct parser *p, size_t n, const char *op)
{
    const struct token *t = tok_ahead(p, n);
    return t->kind == TK_OPERATOR && strcmp(t->text, op) == 0;
}

bool
at_word(const struct parser *p, const char *word)
{
    return word_ahead(p, 0, word);
}

bool
at_op(const struct parser *p, const char *op)
{
    return op_ahead(p, 0, op);
}

bool
take_word(struct parser *p, const char *word)
{
    if (!at_word(p, word))
        return false;
    p->at++;
    return true;
}

bool
take_op(struct parser *p, const char *op)
{
    if (!at_op(p, op))
        return false;
    p->at++;
    return true;
}

bool
syntax_error(struct parser *p)
{
    const struct token *t = tok(p);
    if (p->c->error->number)
        return false;
    p->c->line = t->line;
    if (t->kind == TK_NAME && is_reserved(t->text))
        return fail(p->c, 156, "Incorrect syntax near the keyword '%s'.", t->text);
    if (t->kind == TK_END && p->at > 0)
        t = &p->tokens.at[p->at - 1];
    const char *near = t->text;
    if (t->kind == TK_STRING || t->kind == TK_NSTRING)
        near =
            utf8_from_units(p->c->arena, t->value.at, t->value.count < 100 ? t->value.count : 100);
    else if (!near)
        near = utf8_from_units(p->c->arena, p->source.at + t->start,
                               t->end - t->start < 100 ? t->end - t->start : 100);
    return fail(p->c, 102, "Incorrect syntax near '%s'.", near);
}

bool
want_word(struct parser *p, const char *word)
{
    return take_word(p, word) || syntax_error(p);
}

bool
want_op(struct parser *p, const char *op)
{
    return take_op(p, op) || syntax_error(p);
}

bool
at_name(const struct parser *p)
{
    const struct token *t = tok(p);
    return t->kind == TK_QUOTED || (t->kind == TK_NAME && !is_reserved(t->text));
}

const char *
want_name(struct parser *p)
{
    if (!at_name(p)) {
        (void)syntax_error(p);
        return NULL;
    }
    return p->tokens.at[p->at++].text;
}

bool
parse_name(struct parser *p, struct name *out)
{
    const char *parts[4] = {0};
    int count = 0;
    *out = (struct name){0};
    for (;;) {
        if (at_op(p, ".") && count < 4) {
            parts[count++] = NULL; /* db..table */
            p->at++;
            continue;
        }
        const char *part = want_name(p);
        if (!part)
            return false;
        if (count == 4)
            return fail(p->c, 117,
                        "The object name contains more than the maximum number of "
                        "prefixes. The maximum is 3.");
        parts[count++] = part;
        if (!take_op(p, "."))
            break;
    }
    const char **to[] = {&out->object, &out->schema, &out->database, &out->server};
    for (int i = 0; i < count; i++)
        *to[i] = parts[count - 1 - i];
    return true;
}

bool
parse_name_list(struct parser *p, const char ***names, int *count)
{
    if (!want_op(p, "("))
        return false;
    do {
        const char *name = want_name(p);
        if (!name)
            return false;
        *PUSH_PTR(p, *names, *count) = name;
    } while (take_op(p, ","));
    return want_op(p, ")");
}

bool
skip_parentheses(struct parser *p)
{
    int open = 0;
    do {
        if (tok(p)->kind == TK_END)
            return syntax_error(p);
        if (at_op(p, "("))
            open++;
        else if (at_op(p, ")"))
            open--;
        p->at++;
    } while (open > 0);
    return true;
}

bool
enter(struct parser *p)
{
    if (++p->depth > MAX_DEPTH)
        return fail(p->c, 191,
                    "Some part of your SQL statement is nested too deeply. Rewrite the "
                    "query or break it up into smaller queries.");
    return true;
}

void
leave(struct parser *p)
{
    p->depth--;
}

struct stmt *
stmt_new(struct parser *p, enum stmt_kind kind)
{
    struct stmt *s = arena_alloc(p->c->arena, sizeof *s);
    s->kind = kind;
    s->line = tok(p)->line;
    s->start = tok(p)->start;
    return s;
}

/* ---- control of flow ---- */

static bool
at_block_end(const struct parser *p)
{
    return tok(p)->kind == TK_END || at_word(p, "END");
}

/* Statements up to END. */
static bool
parse_sequence(struct parser *p, struct stmt **first)
{
    struct stmt **tail = first;
    for (;;) {
        while (take_op(p, ";"))
            ;
        if (at_block_end(p))
            return true;
        struct stmt *s = parse_statement(p);
        if (!s)
            return false;
        *tail = s;
        tail = &s->next;
    }
}

static struct stmt *
parse_begin_try(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_TRY);
    p->at += 2;
    if (!parse_sequence(p, &s->body) || !want_word(p, "END") || !want_word(p, "TRY"))
        return NULL;
    (void)take_op(p, ";");
    if (!want_word(p, "BEGIN") || !want_word(p, "CATCH") || !parse_sequence(p, &s->otherwise) ||
        !want_word(p, "END") || !want_word(p, "CATCH"))
        return NULL;
    return s;
}

/* BEGIN TRAN, COMMIT, ROLLBACK, SAVE: an optional name follows. */
static struct stmt *
parse_transaction(struct parser *p, enum stmt_kind kind)
{
    struct stmt *s = stmt_new(p, kind);
    p->at++;
    bool tran = take_word(p, "TRAN") || take_word(p, "TRANSACTION");
    if (!tran && kind != ST_COMMIT && kind != ST_ROLLBACK) {
        (void)syntax_error(p);
        return NULL;
    }
    if (!tran)
        (void)take_word(p, "WORK");
    if (tran && (at_name(p) || tok(p)->kind == TK_VARIABLE) && !op_ahead(p, 1, ":") &&
        (tok(p)->kind == TK_QUOTED || tok(p)->line == s->line) && !at_word(p, "THROW"))
        s->word = p->tokens.at[p->at++].text;
    return s;
}

static struct stmt *
parse_begin(struct parser *p)
{
    if (word_ahead(p, 1, "TRY"))
        return parse_begin_try(p);
    if (word_ahead(p, 1, "TRAN") || word_ahead(p, 1, "TRANSACTION"))
        return parse_transaction(p, ST_BEGIN_TRAN);
    struct stmt *s = stmt_new(p, ST_BLOCK);
    p->at++;
    if (!parse_sequence(p, &s->body))
        return NULL;
    if (!s->body || !want_word(p, "END")) {
        (void)syntax_error(p);
        return NULL;
    }
    return s;
}

static struct stmt *
parse_if(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_IF);
    p->at++;
    s->condition = parse_condition(p);
    if (!s->condition)
        return NULL;
    (void)take_op(p, ";");
    s->body = parse_statement(p);
    if (!s->body)
        return NULL;
    if (op_ahead(p, 0, ";") && word_ahead(p, 1, "ELSE"))
        p->at++;
    if (take_word(p, "ELSE")) {
        s->otherwise = parse_statement(p);
        if (!s->otherwise)
            return NULL;
    }
    return s;
}

static struct stmt *
parse_while(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_WHILE);
    p->at++;
    s->condition = parse_condition(p);
    if (!s->condition)
        return NULL;
    p->loops++;
    s->body = parse_statement(p);
    p->loops--;
    return s->body ? s : NULL;
}

static struct stmt *
parse_jump(struct parser *p, enum stmt_kind kind)
{
    struct stmt *s = stmt_new(p, kind);
    if (!p->loops) {
        p->c->line = s->line;
        (void)fail(p->c, kind == ST_BREAK ? 135 : 136,
                   "Cannot use a %s statement outside the scope of a WHILE statement.",
                   kind == ST_BREAK ? "BREAK" : "CONTINUE");
        return NULL;
    }
    p->at++;
    return s;
}

static bool
at_expression(const struct parser *p)
{
    enum token_kind k = tok(p)->kind;
    if (k == TK_OPERATOR)
        return at_op(p, "(") || at_op(p, "-") || at_op(p, "+");
    return k == TK_VARIABLE || k == TK_GLOBAL || (k >= TK_STRING && k <= TK_HEX);
}

static struct stmt *
parse_return(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_RETURN);
    p->at++;
    if (at_expression(p) && !(s->condition = parse_value(p)))
        return NULL;
    return s;
}

static struct stmt *
parse_throw(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_THROW);
    p->at++;
    if (at_expression(p) && !parse_expr_list(p, &s->args, &s->arg_count))
        return NULL;
    if (s->arg_count != 0 && s->arg_count != 3) {
        (void)syntax_error(p);
        return NULL;
    }
    return s;
}

static struct stmt *
parse_raiserror(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_RAISERROR);
    p->at++;
    if (!want_op(p, "(") || !parse_expr_list(p, &s->args, &s->arg_count) || !want_op(p, ")"))
        return NULL;
    if (s->arg_count < 3) {
        (void)syntax_error(p);
        return NULL;
    }
    if (take_word(p, "WITH")) {
        do {
            if (!take_word(p, "NOWAIT") && !take_word(p, "LOG") && !take_word(p, "SETERROR")) {
                (void)syntax_error(p);
                return NULL;
            }
        } while (take_op(p, ","));
    }
    return s;
}

static struct stmt *
parse_one_value(struct parser *p, enum stmt_kind kind)
{
    struct stmt *s = stmt_new(p, kind);
    p->at++;
    if (kind == ST_WAITFOR && !want_word(p, "DELAY"))
        return NULL;
    s->condition = parse_value(p);
    return s->condition ? s : NULL;
}

static struct stmt *
parse_use(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_USE);
    p->at++;
    s->word = want_name(p);
    return s->word ? s : NULL;
}

static struct stmt *
parse_select(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_SELECT);
    s->query = parse_query(p);
    return s->query ? s : NULL;
}

/* insert bulk T (c type, ...) with (...): what follows is a stream of rows. */
static bool
parse_bulk_column(struct parser *p, struct stmt *s)
{
    const char *name = want_name(p);
    struct sql_typeinfo type;
    if (!name || !parse_type(p, &type, false))
        return false;
    *PUSH_PTR(p, s->columns, s->column_count) = name;
    if (take_word(p, "COLLATE") && !want_name(p))
        return false;
    (void)take_word(p, "NOT");
    (void)take_word(p, "NULL");
    return true;
}

static struct stmt *
parse_bulk(struct parser *p)
{
    struct stmt *s = stmt_new(p, ST_BULK);
    p->at += 2;
    if (!parse_name(p, &s->target))
        return NULL;
    if (take_op(p, "(")) {
        do {
            if (!parse_bulk_column(p, s))
                return NULL;
        } while (take_op(p, ","));
        if (!want_op(p, ")"))
            return NULL;
    }
    /* CHECK_CONSTRAINTS, FIRE_TRIGGERS, KEEP_NULLS, TABLOCK, ... */
    bool with = take_word(p, "WITH");
    return !with || (at_op(p, "(") && skip_parentheses(p)) ? s : NULL;
}

static struct stmt *
parse_begin_tran(struct parser *p)
{
    return parse_begin(p);
}

static struct stmt *
parse_commit(struct parser *p)
{
    return parse_transaction(p, ST_COMMIT);
}

static struct stmt *
parse_rollback(struct parser *p)
{
    return parse_transaction(p, ST_ROLLBACK);
}

static struct stmt *
parse_break(struct parser *p)
{
    return parse_jump(p, ST_BREAK);
}

static struct stmt *
parse_continue(struct parser *p)
{
    return parse_jump(p, ST_CONTINUE);
}

static struct stmt *
parse_print(struct parser *p)
{
    return parse_one_value(p, ST_PRINT);
}

static struct stmt *
parse_waitfor(struct parser *p)
{
    return parse_one_value(p, ST_WAITFOR);
}

static struct stmt *
parse_kill(struct parser *p)
{
    return parse_one_value(p, ST_KILL);
}

static struct stmt *
parse_insert_any(struct parser *p)
{
    return word_ahead(p, 1, "BULK") ? parse_bulk(p) : parse_insert(p);
}

static const struct {
    const char *word;
    struct stmt *(*parse)(struct parser *);
} statements[] = {
    {"BEGIN", parse_begin_tran},  {"IF", parse_if},
    {"WHILE", parse_while},       {"BREAK", parse_break},
    {"CONTINUE", parse_continue}, {"RETURN", parse_return},
    {"THROW", parse_throw},       {"RAISERROR", parse_raiserror},
    {"PRINT", parse_print},       {"DECLARE", parse_declare},
    {"SET", parse_set},           {"SELECT", parse_select},
    {"INSERT", parse_insert_any}, {"UPDATE", parse_update},
    {"DELETE", parse_delete},     {"TRUNCATE", parse_truncate},
    {"COMMIT", parse_commit},     {"ROLLBACK", parse_rollback},
    {"EXEC", parse_exec},         {"EXECUTE", parse_exec},
    {"WAITFOR", parse_waitfor},   {"USE", parse_use},
    {"KILL", parse_kill},         {"CREATE", parse_create},
    {"ALTER", parse_alter},       {"DROP", parse_drop},
};

struct stmt *
parse_statement(struct parser *p)
{
    struct stmt *s = NULL;
    bool known = false;
    if (!enter(p))
        return NULL;
    for (size_t i = 0; i < sizeof statements / sizeof statements[0] && !known; i++) {
        known = at_word(p, statements[i].word);
        if (known)
            s = statements[i].parse(p);
    }
    if (!known && at_op(p, "(") && (op_ahead(p, 1, "(") || word_ahead(p, 1, "SELECT"))) {
        s = parse_select(p);
    } else if (!known) {
        (void)syntax_error(p);
    }
    leave(p);
    if (!s) {
        (void)syntax_error(p);
        return NULL;
    }
    s->end = p->at ? p->tokens.at[p->at - 1].end : 0;
    (void)take_op(p, ";");
    return s;
}

/* `dbo.sp_x 1` without EXEC is allowed as the first statement of a batch. */
static struct stmt *
parse_bare_call(struct parser *p)
{
    const struct token *t = tok(p);
    bool call = t->kind == TK_QUOTED || (t->kind == TK_NAME && !is_reserved(t->text));
    if (!call || t->kind != TK_NAME)
        return NULL;
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        if (same_name(t->text, statements[i].word))
            return NULL;
    bool qualified = op_ahead(p, 1, ".");
    const char *name = t->text;
    if (!qualified && strncmp(name, "sp_", 3) != 0 && strncmp(name, "xp_", 3) != 0)
        return NULL;
    struct stmt *s = parse_exec(p);
    if (s)
        s->end = p->at ? p->tokens.at[p->at - 1].end : 0;
    return s;
}

bool
parse_batch(struct vctx *c, struct units source, bool quoted_identifiers, struct batch *out)
{
    struct parser p = {.c = c, .source = source};
    *out = (struct batch){.source = source};
    c->line = 1;
    if (!lex(c, source, quoted_identifiers, &p.tokens))
        return false;
    struct stmt **tail = &out->first;
    struct stmt *call = parse_bare_call(&p);
    if (call) {
        *tail = call;
        tail = &call->next;
    } else if (c->error->number) {
        return false;
    }
    if (!parse_sequence(&p, tail))
        return syntax_error(&p);
    return tok(&p)->kind == TK_END || syntax_error(&p);
}

bool
parse_declarations(struct vctx *c, struct units source, struct declaration **out, int *count)
{
    struct parser p = {.c = c, .source = source};
    *out = NULL;
    *count = 0;
    c->line = 1;
    if (!lex(c, source, true, &p.tokens))
        return false;
    while (tok(&p)->kind != TK_END) {
        struct declaration d = {0};
        bool output = false;
        if (!parse_declaration(&p, &d, &output))
            return syntax_error(&p);
        *PUSH(&p, *out, *count) = d;
        if (!take_op(&p, ","))
            break;
    }
    return tok(&p)->kind == TK_END || syntax_error(&p);
}

char *
stmt_text(struct arena *a, const struct batch *b, const struct stmt *s)
{
    size_t end = s->end > b->source.count ? b->source.count : s->end;
    size_t start = s->start > end ? end : s->start;
    return utf8_from_units(a, b->source.at + start, end - start);
}
