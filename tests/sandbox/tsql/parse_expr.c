#include "tsql/dialect.h"
#include "tsql/parse.h"

#include <float.h>

struct expr *
expr_new(struct parser *p, enum expr_kind kind)
{
    struct expr *e = arena_alloc(p->c->arena, sizeof *e);
    e->kind = kind;
    e->line = tok(p)->line;
    return e;
}

bool
is_condition(const struct expr *e)
{
    return e->kind >= EX_COMPARE;
}

static struct expr *
with_args(struct parser *p, enum expr_kind kind, struct expr *a, struct expr *b)
{
    struct expr *e = expr_new(p, kind);
    if (a)
        *PUSH_PTR(p, e->args, e->count) = a;
    if (b)
        *PUSH_PTR(p, e->args, e->count) = b;
    e->line = a ? a->line : e->line;
    return e;
}

static struct expr *
refuse(struct parser *p)
{
    (void)syntax_error(p);
    return NULL;
}

static struct expr *parse_or(struct parser *);
static struct expr *parse_additive(struct parser *);
static struct expr *parse_unary(struct parser *);

/* ---- types ---- */

static const struct {
    const char *name;
    enum sql_type type;
    char shape; /* n characters, d decimal, s scale of seconds, f float, y sysname */
} type_names[] = {
    {"bit", SQL_BIT, ' '},
    {"tinyint", SQL_TINYINT, ' '},
    {"smallint", SQL_SMALLINT, ' '},
    {"int", SQL_INT, ' '},
    {"integer", SQL_INT, ' '},
    {"bigint", SQL_BIGINT, ' '},
    {"decimal", SQL_DECIMAL, 'd'},
    {"dec", SQL_DECIMAL, 'd'},
    {"numeric", SQL_DECIMAL, 'd'},
    {"smallmoney", SQL_SMALLMONEY, ' '},
    {"money", SQL_MONEY, ' '},
    {"real", SQL_REAL, ' '},
    {"float", SQL_FLOAT, 'f'},
    {"date", SQL_DATE, ' '},
    {"time", SQL_TIME, 's'},
    {"datetime2", SQL_DATETIME2, 's'},
    {"datetimeoffset", SQL_DATETIMEOFFSET, 's'},
    {"smalldatetime", SQL_SMALLDATETIME, ' '},
    {"datetime", SQL_DATETIME, ' '},
    {"uniqueidentifier", SQL_UNIQUEIDENTIFIER, ' '},
    {"char", SQL_CHAR, 'n'},
    {"character", SQL_CHAR, 'n'},
    {"varchar", SQL_VARCHAR, 'n'},
    {"nchar", SQL_NCHAR, 'n'},
    {"nvarchar", SQL_NVARCHAR, 'n'},
    {"sysname", SQL_NVARCHAR, 'y'},
    {"binary", SQL_BINARY, 'n'},
    {"varbinary", SQL_VARBINARY, 'n'},
    {"rowversion", SQL_ROWVERSION, ' '},
    {"timestamp", SQL_ROWVERSION, ' '},
    {"xml", SQL_XML, ' '},
    {"text", SQL_TEXT, ' '},
    {"ntext", SQL_NTEXT, ' '},
    {"image", SQL_IMAGE, ' '},
    {"sql_variant", SQL_VARIANT, ' '},
};

static bool
small_number(struct parser *p, int *out)
{
    if (tok(p)->kind != TK_INTEGER || strlen(tok(p)->text) > 6)
        return syntax_error(p);
    *out = (int)strtol(tok(p)->text, NULL, 10);
    p->at++;
    return true;
}

static bool
type_length(struct parser *p, enum sql_type t, bool for_cast, struct sql_typeinfo *out)
{
    int n = for_cast ? 30 : 1, limit = type_is_nchar(t) ? 4000 : 8000;
    if (take_op(p, "(")) {
        if ((t == SQL_VARCHAR || t == SQL_NVARCHAR || t == SQL_VARBINARY) && take_word(p, "max")) {
            *out = type_chars(t, SQL_MAX_LENGTH);
            return want_op(p, ")");
        }
        if (!small_number(p, &n) || !want_op(p, ")"))
            return false;
        if (n < 1)
            return fail(p->c, 1001, "Line %d: Length or precision specification %d is invalid.",
                        tok(p)->line, n);
        if (n > limit)
            return fail(p->c, 131,
                        "The size (%d) given to the type '%s' exceeds the maximum allowed for any "
                        "data type (%d).",
                        n, type_name(t), limit);
    }
    *out = type_chars(t, (uint32_t)n);
    return true;
}

static bool
type_precision(struct parser *p, struct sql_typeinfo *out)
{
    int precision = 18, scale = 0;
    if (take_op(p, "(")) {
        if (!small_number(p, &precision) || (take_op(p, ",") && !small_number(p, &scale)) ||
            !want_op(p, ")"))
            return false;
        if (precision < 1 || precision > 38 || scale > precision)
            return fail(p->c, 2750,
                        "Column or parameter: Specified column precision %d is greater than the "
                        "maximum precision of 38.",
                        precision);
    }
    *out = type_decimal(precision, scale);
    return true;
}

static bool
type_scale(struct parser *p, enum sql_type t, struct sql_typeinfo *out)
{
    int scale = 7;
    if (take_op(p, "(") && (!small_number(p, &scale) || !want_op(p, ")")))
        return false;
    if (scale > 7)
        return fail(p->c, 1002, "Line %d: Specified scale %d is invalid.", tok(p)->line, scale);
    *out = type_of(t);
    out->scale = (uint8_t)scale;
    return true;
}

static bool
type_float(struct parser *p, enum sql_type t, struct sql_typeinfo *out)
{
    int bits = 53;
    *out = type_of(t);
    if (!take_op(p, "("))
        return true;
    if (!small_number(p, &bits) || !want_op(p, ")"))
        return false;
    *out = type_of(bits <= 24 ? SQL_REAL : SQL_FLOAT);
    return true;
}

/* What may follow the name of a type. */
static bool
type_shape(struct parser *p, size_t i, bool for_cast, struct sql_typeinfo *out)
{
    enum sql_type type = type_names[i].type;
    switch (type_names[i].shape) {
    case 'n':
        return type_length(p, take_word(p, "varying") ? SQL_VARCHAR : type, for_cast, out);
    case 'd':
        return type_precision(p, out);
    case 's':
        return type_scale(p, type, out);
    case 'f':
        return type_float(p, type, out);
    case 'y':
        *out = type_chars(SQL_NVARCHAR, 128);
        return true;
    default:
        *out = type_of(type);
        return true;
    }
}

bool
parse_type(struct parser *p, struct sql_typeinfo *out, bool for_cast)
{
    const struct token *t = tok(p);
    if (t->kind != TK_NAME && t->kind != TK_QUOTED)
        return syntax_error(p);
    if (same_name(t->text, "sys") && op_ahead(p, 1, ".")) {
        p->at += 2;
        t = tok(p);
    }
    for (size_t i = 0; t->text && i < sizeof type_names / sizeof type_names[0]; i++) {
        if (same_name(t->text, type_names[i].name)) {
            p->at++;
            return type_shape(p, i, for_cast, out);
        }
    }
    p->c->line = t->line;
    return fail(p->c, 243, "Type %s is not a defined system type.", t->text ? t->text : "?");
}

/* ---- literals ---- */

static bool
decimal_literal(struct parser *p, struct expr *e, const char *text)
{
    return decimal_parse(text, &e->literal) ||
           fail(p->c, 1007,
                "The number '%s' is out of the range for numeric representation "
                "(maximum precision 38).",
                text);
}

static bool
integer_literal(struct parser *p, struct expr *e, const char *text)
{
    if (strlen(text) < 18) {
        long long i = strtoll(text, NULL, 10);
        if (i <= INT32_MAX) {
            e->literal = val_int(i);
            return true;
        }
    }
    return decimal_literal(p, e, text);
}

static bool
float_literal(struct parser *p, struct expr *e, const char *text)
{
    double d = strtod(text, NULL);
    e->literal = val_float(d < 0x1p-1022 ? 0 : d); /* too small is read as 0 */
    return d <= DBL_MAX ||
           fail(p->c, 168,
                "The floating point value '%s' is out of the range of computer representation "
                "(8 bytes).",
                text);
}

static struct expr *
parse_literal(struct parser *p)
{
    const struct token *t = tok(p);
    struct expr *e = expr_new(p, EX_LITERAL);
    bool ok = true;
    p->at++;
    if (t->kind == TK_INTEGER) {
        ok = integer_literal(p, e, t->text);
    } else if (t->kind == TK_DECIMAL) {
        ok = decimal_literal(p, e, t->text);
    } else if (t->kind == TK_FLOAT) {
        ok = float_literal(p, e, t->text);
    } else if (t->kind == TK_MONEY) {
        struct val text = val_utf8(p->c->arena, *t->text ? t->text : "0");
        ok = convert(p->c, &text, type_of(SQL_MONEY), 0, &e->literal);
    } else if (t->kind == TK_HEX) {
        unsigned char *bytes = arena_alloc(p->c->arena, t->value.count + 1);
        for (size_t i = 0; i < t->value.count; i++)
            bytes[i] = (unsigned char)t->value.at[i];
        e->literal = val_bytes(bytes, t->value.count);
    } else {
        e->literal =
            val_string(p->c->arena, t->kind == TK_NSTRING ? SQL_NVARCHAR : SQL_VARCHAR, t->value);
    }
    e->literal.t.nullable = false;
    return ok ? e : NULL;
}

/* ---- functions with a syntax of their own ---- */

static struct expr *
parse_case(struct parser *p)
{
    struct expr *e = expr_new(p, EX_CASE);
    p->at++;
    if (!at_word(p, "WHEN") && !(e->operand = parse_value(p)))
        return NULL;
    while (take_word(p, "WHEN")) {
        struct expr *when = e->operand ? parse_value(p) : parse_condition(p);
        if (!when || !want_word(p, "THEN"))
            return NULL;
        struct expr *then = parse_value(p);
        if (!then)
            return NULL;
        *PUSH_PTR(p, e->args, e->count) = when;
        *PUSH_PTR(p, e->args, e->count) = then;
    }
    if (!e->count)
        return refuse(p);
    if (take_word(p, "ELSE") && !(e->otherwise = parse_value(p)))
        return NULL;
    return want_word(p, "END") ? e : NULL;
}

static struct expr *
parse_cast(struct parser *p, bool try_)
{
    struct expr *e = expr_new(p, EX_CAST);
    e->try_ = try_;
    p->at += 2;
    struct expr *value = parse_value(p);
    if (!value || !want_word(p, "AS") || !parse_type(p, &e->type, true) || !want_op(p, ")"))
        return NULL;
    *PUSH_PTR(p, e->args, e->count) = value;
    return e;
}

static struct expr *
parse_convert(struct parser *p, bool try_)
{
    struct expr *e = expr_new(p, EX_CAST);
    e->try_ = try_;
    p->at += 2;
    if (!parse_type(p, &e->type, true) || !want_op(p, ","))
        return NULL;
    struct expr *value = parse_value(p);
    if (!value || (take_op(p, ",") && !(e->style_arg = parse_value(p))) || !want_op(p, ")"))
        return NULL;
    *PUSH_PTR(p, e->args, e->count) = value;
    return e;
}

static struct expr *
parse_iif(struct parser *p)
{
    struct expr *e = expr_new(p, EX_CASE);
    p->at += 2;
    struct expr *when = parse_condition(p);
    if (!when || !want_op(p, ","))
        return NULL;
    struct expr *then = parse_value(p);
    if (!then || !want_op(p, ",") || !(e->otherwise = parse_value(p)) || !want_op(p, ")"))
        return NULL;
    *PUSH_PTR(p, e->args, e->count) = when;
    *PUSH_PTR(p, e->args, e->count) = then;
    return e;
}

/* NULLIF(a, b) is CASE WHEN a = b THEN NULL ELSE a END. */
static struct expr *
parse_nullif(struct parser *p)
{
    p->at += 2;
    struct expr *a = parse_value(p);
    if (!a || !want_op(p, ","))
        return NULL;
    struct expr *b = parse_value(p);
    if (!b || !want_op(p, ")"))
        return NULL;
    struct expr *equal = with_args(p, EX_COMPARE, a, b), *null = expr_new(p, EX_LITERAL);
    equal->op = '=';
    null->literal = val_null(type_of(SQL_INT));
    null->op = 'n';
    struct expr *e = with_args(p, EX_CASE, equal, null);
    e->otherwise = a;
    return e;
}

static struct expr *
parse_coalesce(struct parser *p, char op)
{
    struct expr *e = expr_new(p, EX_COALESCE);
    e->op = op;
    p->at += 2;
    if (!parse_expr_list(p, &e->args, &e->count) || !want_op(p, ")"))
        return NULL;
    return e->count < 2 || (op == 'i' && e->count != 2) ? refuse(p) : e;
}

static bool
is_aggregate(const char *name)
{
    static const char *const names[] = {"COUNT", "COUNT_BIG", "SUM", "MIN", "MAX", "AVG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (same_name(names[i], name))
            return true;
    return false;
}

static struct expr *
parse_aggregate(struct parser *p)
{
    struct expr *e = expr_new(p, EX_AGGREGATE);
    e->name = tok(p)->text;
    p->at += 2;
    if (at_op(p, "*")) {
        bool count = same_name(e->name, "COUNT") || same_name(e->name, "COUNT_BIG");
        if (!count)
            return refuse(p);
        struct expr *star = expr_new(p, EX_STAR);
        p->at++;
        *PUSH_PTR(p, e->args, e->count) = star;
    } else {
        e->distinct = take_word(p, "DISTINCT");
        if (!e->distinct)
            (void)take_word(p, "ALL");
        struct expr *a = parse_value(p);
        if (!a)
            return NULL;
        *PUSH_PTR(p, e->args, e->count) = a;
    }
    return want_op(p, ")") ? e : NULL;
}

static struct expr *
parse_call(struct parser *p)
{
    const char *name = tok(p)->text;
    struct expr *e = expr_new(p, EX_CALL);
    e->name = name;
    p->at += 2;
    bool part = same_name(name, "DATEADD") || same_name(name, "DATEDIFF") ||
                same_name(name, "DATEPART") || same_name(name, "DATENAME") ||
                same_name(name, "DATEDIFF_BIG");
    if (part) { /* the first argument is a word, not a column */
        struct expr *word = expr_new(p, EX_LITERAL);
        if (tok(p)->kind != TK_NAME || !op_ahead(p, 1, ","))
            return refuse(p);
        word->literal = val_utf8(p->c->arena, tok(p)->text);
        *PUSH_PTR(p, e->args, e->count) = word;
        p->at += 2;
    }
    if (!at_op(p, ")") && !parse_expr_list(p, &e->args, &e->count))
        return NULL;
    return want_op(p, ")") ? e : NULL;
}

static struct expr *
parse_function(struct parser *p)
{
    const char *name = tok(p)->text;
    if (p->c->utf8 && dialect_lacks(name) &&
        (same_name(name, "TRY_CAST") || same_name(name, "TRY_CONVERT"))) {
        (void)fail(p->c, 102, "'%s' is not currently supported", name);
        return NULL;
    }
    if (same_name(name, "CAST") || same_name(name, "TRY_CAST"))
        return parse_cast(p, same_name(name, "TRY_CAST"));
    if (same_name(name, "CONVERT") || same_name(name, "TRY_CONVERT"))
        return parse_convert(p, same_name(name, "TRY_CONVERT"));
    if (same_name(name, "COALESCE"))
        return parse_coalesce(p, 'c');
    if (same_name(name, "ISNULL"))
        return parse_coalesce(p, 'i');
    if (same_name(name, "NULLIF"))
        return parse_nullif(p);
    if (same_name(name, "IIF"))
        return parse_iif(p);
    if (is_aggregate(name))
        return parse_aggregate(p);
    return parse_call(p);
}

/* ---- primaries ---- */

static struct expr *
parse_column(struct parser *p)
{
    struct expr *e = expr_new(p, EX_COLUMN);
    const char *parts[4];
    int count = 0;
    do {
        if (count && at_op(p, "*")) {
            p->at++;
            e->kind = EX_STAR;
            e->table = parts[count - 1];
            return e;
        }
        /* a word behind a point may be any name */
        const char *part =
            count && tok(p)->kind == TK_NAME ? p->tokens.at[p->at++].text : want_name(p);
        if (!part || count == 4)
            return refuse(p);
        parts[count++] = part;
    } while (take_op(p, "."));
    e->name = parts[count - 1];
    e->table = count > 1 ? parts[count - 2] : NULL;
    e->schema = count > 2 ? parts[count - 3] : NULL;
    return e;
}

static struct expr *
parse_parenthesis(struct parser *p)
{
    p->at++;
    if (at_word(p, "SELECT")) {
        struct expr *e = expr_new(p, EX_SUBQUERY);
        e->query = parse_query(p);
        return e->query && want_op(p, ")") ? e : NULL;
    }
    struct expr *e = parse_or(p);
    return e && want_op(p, ")") ? e : NULL;
}

static struct expr *
parse_word_value(struct parser *p)
{
    static const char *const callable[] = {"LEFT",     "RIGHT",  "CONVERT",
                                           "COALESCE", "NULLIF", "TRY_CONVERT"};
    static const char *const bare[] = {"CURRENT_TIMESTAMP", "CURRENT_USER", "SESSION_USER",
                                       "SYSTEM_USER", "USER"};
    const struct token *t = tok(p);
    if (at_word(p, "NULL")) {
        struct expr *e = expr_new(p, EX_LITERAL);
        e->literal = val_null(type_of(SQL_INT));
        e->op = 'n';
        p->at++;
        return e;
    }
    if (at_word(p, "CASE"))
        return parse_case(p);
    for (size_t i = 0; i < sizeof bare / sizeof bare[0]; i++) {
        if (at_word(p, bare[i])) {
            struct expr *e = expr_new(p, EX_CALL);
            e->name = bare[i];
            p->at++;
            return e;
        }
    }
    bool call = t->kind == TK_NAME && op_ahead(p, 1, "(") && !is_reserved(t->text);
    for (size_t i = 0; i < sizeof callable / sizeof callable[0] && !call; i++)
        call = at_word(p, callable[i]) && op_ahead(p, 1, "(");
    return call ? parse_function(p) : parse_column(p);
}

static struct expr *
parse_primary(struct parser *p)
{
    const struct token *t = tok(p);
    struct expr *e;
    if (t->kind >= TK_STRING && t->kind <= TK_HEX)
        return parse_literal(p);
    if (t->kind == TK_VARIABLE || t->kind == TK_GLOBAL) {
        e = expr_new(p, t->kind == TK_VARIABLE ? EX_VARIABLE : EX_GLOBAL);
        e->name = t->text;
        p->at++;
        return e;
    }
    if (at_op(p, "("))
        return parse_parenthesis(p);
    if (t->kind == TK_NAME || t->kind == TK_QUOTED)
        return parse_word_value(p);
    return refuse(p);
}

/* One collation only: COLLATE is accepted and changes nothing. */
static struct expr *
parse_collated(struct parser *p)
{
    struct expr *e = parse_primary(p);
    while (e && take_word(p, "COLLATE"))
        if (!want_name(p))
            e = NULL;
    return e;
}

static struct expr *
parse_signed(struct parser *p)
{
    if (take_op(p, "+"))
        return parse_unary(p);
    enum expr_kind kind = at_op(p, "-") ? EX_NEGATE : EX_COMPLEMENT;
    p->at++;
    struct expr *a = parse_unary(p);
    return a ? with_args(p, kind, a, NULL) : NULL;
}

static struct expr *
parse_unary(struct parser *p)
{
    if (!enter(p))
        return NULL;
    bool sign = at_op(p, "-") || at_op(p, "+") || at_op(p, "~");
    struct expr *e = sign ? parse_signed(p) : parse_collated(p);
    leave(p);
    return e;
}

static bool
value_only(struct parser *p, const struct expr *e)
{
    return !is_condition(e) || syntax_error(p);
}

static struct expr *
parse_binary(struct parser *p, const char *const *ops, struct expr *(*operand)(struct parser *))
{
    struct expr *left = operand(p);
    while (left) {
        const char *found = NULL;
        for (size_t i = 0; ops[i] && !found; i++)
            if (at_op(p, ops[i]))
                found = ops[i];
        if (!found)
            break;
        if (!value_only(p, left))
            return NULL;
        p->at++;
        struct expr *right = operand(p);
        if (!right || !value_only(p, right))
            return NULL;
        left = with_args(p, EX_ARITHMETIC, left, right);
        left->op = found[0];
    }
    return left;
}

static struct expr *
parse_multiplicative(struct parser *p)
{
    static const char *const ops[] = {"*", "/", "%", NULL};
    return parse_binary(p, ops, parse_unary);
}

static struct expr *
parse_additive(struct parser *p)
{
    static const char *const ops[] = {"+", "-", "&", "|", "^", NULL};
    return parse_binary(p, ops, parse_multiplicative);
}

/* ---- conditions ---- */

static struct expr *
parse_in(struct parser *p, struct expr *left)
{
    struct expr *e = with_args(p, EX_IN, left, NULL);
    if (!want_op(p, "("))
        return NULL;
    if (at_word(p, "SELECT")) {
        e->kind = EX_IN_QUERY;
        e->query = parse_query(p);
        return e->query && want_op(p, ")") ? e : NULL;
    }
    return parse_expr_list(p, &e->args, &e->count) && want_op(p, ")") ? e : NULL;
}

static struct expr *
parse_like(struct parser *p, struct expr *left)
{
    struct expr *pattern = parse_additive(p);
    if (!pattern)
        return NULL;
    struct expr *e = with_args(p, EX_LIKE, left, pattern);
    if (take_word(p, "ESCAPE")) {
        struct expr *escape = parse_additive(p);
        if (!escape)
            return NULL;
        *PUSH_PTR(p, e->args, e->count) = escape;
    }
    return e;
}

static struct expr *
parse_between(struct parser *p, struct expr *left)
{
    struct expr *low = parse_additive(p);
    if (!low || !want_word(p, "AND"))
        return NULL;
    struct expr *high = parse_additive(p);
    if (!high)
        return NULL;
    struct expr *e = with_args(p, EX_BETWEEN, left, low);
    *PUSH_PTR(p, e->args, e->count) = high;
    return e;
}

static struct expr *
parse_compare(struct parser *p, struct expr *left)
{
    static const struct {
        const char *text;
        char op;
    } ops[] = {{"=", '='},  {"<>", '!'}, {"!=", '!'}, {"<=", 'l'}, {">=", 'g'},
               {"!>", 'l'}, {"!<", 'g'}, {"<", '<'},  {">", '>'}};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (!take_op(p, ops[i].text))
            continue;
        struct expr *right = parse_additive(p);
        if (!right || !value_only(p, right) || !value_only(p, left))
            return NULL;
        struct expr *e = with_args(p, EX_COMPARE, left, right);
        e->op = ops[i].op;
        return e;
    }
    return left;
}

static struct expr *
parse_predicate(struct parser *p)
{
    if (at_word(p, "EXISTS")) {
        struct expr *e = expr_new(p, EX_EXISTS);
        p->at++;
        if (!want_op(p, "(") || !(e->query = parse_query(p)) || !want_op(p, ")"))
            return NULL;
        return e;
    }
    struct expr *left = parse_additive(p);
    if (!left)
        return NULL;
    if (take_word(p, "IS")) {
        struct expr *e = with_args(p, EX_IS_NULL, left, NULL);
        e->negated = take_word(p, "NOT");
        return want_word(p, "NULL") ? e : NULL;
    }
    bool negated = at_word(p, "NOT");
    if (negated)
        p->at++;
    struct expr *e = NULL;
    if (take_word(p, "IN"))
        e = parse_in(p, left);
    else if (take_word(p, "LIKE"))
        e = parse_like(p, left);
    else if (take_word(p, "BETWEEN"))
        e = parse_between(p, left);
    else if (negated)
        return refuse(p);
    else
        return parse_compare(p, left);
    if (e)
        e->negated = negated;
    return e;
}

static bool
condition_only(struct parser *p, const struct expr *e)
{
    if (is_condition(e))
        return true;
    p->c->line = e->line;
    const struct token *t = tok(p);
    return fail(p->c, 4145,
                "An expression of non-boolean type specified in a context where a condition is "
                "expected, near '%s'.",
                t->text ? t->text : "");
}

static struct expr *
parse_not(struct parser *p)
{
    if (!take_word(p, "NOT"))
        return parse_predicate(p);
    if (!enter(p))
        return NULL;
    struct expr *a = parse_not(p);
    leave(p);
    if (!a || !condition_only(p, a))
        return NULL;
    return with_args(p, EX_NOT, a, NULL);
}

static struct expr *
parse_junction(struct parser *p, const char *word, enum expr_kind kind,
               struct expr *(*operand)(struct parser *))
{
    struct expr *left = operand(p);
    while (left && at_word(p, word)) {
        if (!condition_only(p, left))
            return NULL;
        p->at++;
        struct expr *right = operand(p);
        if (!right || !condition_only(p, right))
            return NULL;
        left = with_args(p, kind, left, right);
    }
    return left;
}

static struct expr *
parse_and(struct parser *p)
{
    return parse_junction(p, "AND", EX_AND, parse_not);
}

static struct expr *
parse_or(struct parser *p)
{
    if (!enter(p))
        return NULL;
    struct expr *e = parse_junction(p, "OR", EX_OR, parse_and);
    leave(p);
    return e;
}

struct expr *
parse_condition(struct parser *p)
{
    struct expr *e = parse_or(p);
    return e && condition_only(p, e) ? e : NULL;
}

struct expr *
parse_value(struct parser *p)
{
    if (at_word(p, "DEFAULT")) {
        struct expr *e = expr_new(p, EX_DEFAULT);
        p->at++;
        return e;
    }
    struct expr *e = parse_additive(p);
    return e && value_only(p, e) ? e : NULL;
}

bool
parse_expr_list(struct parser *p, struct expr ***list, int *count)
{
    do {
        struct expr *e = parse_value(p);
        if (!e)
            return false;
        *PUSH_PTR(p, *list, *count) = e;
    } while (take_op(p, ","));
    return true;
}
