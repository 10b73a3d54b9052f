#include "tsql/ast.h"

#include <pthread.h>

#define MAX_TOKENS ((size_t)8 * 1024 * 1024)

static const char *const reserved[] = {
    "ADD",          "ALL",          "ALTER",        "AND",
    "ANY",          "AS",           "ASC",          "AUTHORIZATION",
    "BACKUP",       "BEGIN",        "BETWEEN",      "BREAK",
    "BROWSE",       "BULK",         "BY",           "CASCADE",
    "CASE",         "CHECK",        "CHECKPOINT",   "CLOSE",
    "CLUSTERED",    "COALESCE",     "COLLATE",      "COLUMN",
    "COMMIT",       "COMPUTE",      "CONSTRAINT",   "CONTAINS",
    "CONTINUE",     "CONVERT",      "CREATE",       "CROSS",
    "CURRENT",      "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP",
    "CURRENT_USER", "CURSOR",       "DATABASE",     "DBCC",
    "DEALLOCATE",   "DECLARE",      "DEFAULT",      "DELETE",
    "DENY",         "DESC",         "DISTINCT",     "DISTRIBUTED",
    "DOUBLE",       "DROP",         "ELSE",         "END",
    "ERRLVL",       "ESCAPE",       "EXCEPT",       "EXEC",
    "EXECUTE",      "EXISTS",       "EXIT",         "EXTERNAL",
    "FETCH",        "FILLFACTOR",   "FOR",          "FOREIGN",
    "FREETEXT",     "FROM",         "FULL",         "FUNCTION",
    "GOTO",         "GRANT",        "GROUP",        "HAVING",
    "HOLDLOCK",     "IDENTITY",     "IDENTITYCOL",  "IDENTITY_INSERT",
    "IF",           "IN",           "INDEX",        "INNER",
    "INSERT",       "INTERSECT",    "INTO",         "IS",
    "JOIN",         "KEY",          "KILL",         "LEFT",
    "LIKE",         "LINENO",       "MERGE",        "NATIONAL",
    "NOCHECK",      "NONCLUSTERED", "NOT",          "NULL",
    "NULLIF",       "OF",           "OFF",          "OFFSETS",
    "ON",           "OPEN",         "OPTION",       "OR",
    "ORDER",        "OUTER",        "OVER",         "PERCENT",
    "PIVOT",        "PLAN",         "PRIMARY",      "PRINT",
    "PROC",         "PROCEDURE",    "PUBLIC",       "RAISERROR",
    "READ",         "RECONFIGURE",  "REFERENCES",   "RESTORE",
    "RESTRICT",     "RETURN",       "REVERT",       "REVOKE",
    "RIGHT",        "ROLLBACK",     "ROWCOUNT",     "ROWGUIDCOL",
    "RULE",         "SAVE",         "SCHEMA",       "SELECT",
    "SESSION_USER", "SET",          "SHUTDOWN",     "SOME",
    "STATISTICS",   "SYSTEM_USER",  "TABLE",        "TEXTSIZE",
    "THEN",         "TO",           "TOP",          "TRAN",
    "TRANSACTION",  "TRIGGER",      "TRUNCATE",     "TRY_CONVERT",
    "UNION",        "UNIQUE",       "UNPIVOT",      "UPDATE",
    "UPDATETEXT",   "USE",          "USER",         "VALUES",
    "VARYING",      "VIEW",         "WAITFOR",      "WHEN",
    "WHERE",        "WHILE",        "WITH",         "WRITETEXT",
};

#define RESERVED_COUNT (sizeof reserved / sizeof reserved[0])

static size_t letter_starts[27]; /* where the words with each letter begin */
static pthread_once_t letters_once = PTHREAD_ONCE_INIT;

static void
find_letters(void)
{
    size_t at = 0;
    for (size_t letter = 0; letter <= 26; letter++) {
        while (at < RESERVED_COUNT && (size_t)(reserved[at][0] - 'A') < letter)
            at++;
        letter_starts[letter] = at;
    }
}

bool
is_reserved(const char *word)
{
    const char first = (char)(word[0] & ~0x20); /* upper case, if it is a letter */
    if (first < 'A' || first > 'Z')
        return false;
    (void)pthread_once(&letters_once, find_letters);
    for (size_t i = letter_starts[first - 'A']; i < letter_starts[first - 'A' + 1]; i++)
        if (same_name(reserved[i], word))
            return true;
    return false;
}

struct lexer {
    struct vctx *c;
    struct units src;
    size_t at;
    int line;
    bool quoted;
    struct token *tokens;
    size_t count, capacity;
};

static uint16_t
peek(const struct lexer *l, size_t ahead)
{
    return l->at + ahead < l->src.count ? l->src.at[l->at + ahead] : 0;
}

static bool
digit(uint16_t u)
{
    return u >= '0' && u <= '9';
}

static bool
letter(uint16_t u)
{
    u |= 0x20;
    return u >= 'a' && u <= 'z';
}

static bool
name_start(uint16_t u)
{
    return (u < 0x80 && (letter(u) || u == '_' || u == '#' || u == '@')) || u >= 0xAA;
}

static bool
name_part(uint16_t u)
{
    return name_start(u) || (u < 0x80 && (digit(u) || u == '$'));
}

static char *
slice(struct lexer *l, size_t from, size_t to)
{
    return utf8_from_units(l->c->arena, l->src.at + from, to - from);
}

static struct token *
push(struct lexer *l, enum token_kind kind, size_t start)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? l->capacity * 2 : l->src.count / 8 + 8;
        struct token *bigger = arena_alloc(l->c->arena, capacity * sizeof *bigger);
        if (l->count)
            memcpy(bigger, l->tokens, l->count * sizeof *bigger);
        l->tokens = bigger;
        l->capacity = capacity;
    }
    struct token *t = &l->tokens[l->count++];
    *t = (struct token){.kind = kind, .line = l->line, .start = start, .end = l->at};
    return t;
}

/* Nested comments count. */
static bool
block_comment(struct lexer *l)
{
    int depth = 0;
    do {
        if (peek(l, 0) == '/' && peek(l, 1) == '*') {
            depth++;
            l->at += 2;
        } else if (peek(l, 0) == '*' && peek(l, 1) == '/') {
            depth--;
            l->at += 2;
        } else {
            if (peek(l, 0) == '\n')
                l->line++;
            l->at++;
        }
    } while (depth && l->at < l->src.count);
    return !depth || fail(l->c, 113, "Missing end comment mark '*/'.");
}

static bool
skip_blank(struct lexer *l, bool *ret_skipped)
{
    uint16_t u = peek(l, 0);
    *ret_skipped = true;
    if (u == '-' && peek(l, 1) == '-') {
        while (l->at < l->src.count && peek(l, 0) != '\n')
            l->at++;
        return true;
    }
    if (u == '/' && peek(l, 1) == '*')
        return block_comment(l);
    if (u > ' ' && u != 0xA0 && u != 0xFEFF) {
        *ret_skipped = false;
        return true;
    }
    if (u == '\n')
        l->line++;
    l->at++;
    return true;
}

/* A backslash right before a line break vanishes with it. */
static bool
continued_line(struct lexer *l)
{
    if (peek(l, 0) != '\\')
        return false;
    size_t skip = peek(l, 1) == '\n' ? 2 : peek(l, 1) == '\r' && peek(l, 2) == '\n' ? 3 : 0;
    l->at += skip;
    l->line += skip != 0;
    return skip != 0;
}

/* Text up to `close`, which counts once when doubled. */
static bool
unclosed(struct lexer *l, const struct units *text, int line)
{
    l->c->line = line;
    return fail(l->c, 105, "Unclosed quotation mark after the character string '%.128s'.",
                utf8_from_units(l->c->arena, text->at, text->count < 128 ? text->count : 128));
}

static bool
quoted(struct lexer *l, uint16_t close, bool literal, struct units *out)
{
    size_t end = l->at;
    int first_line = l->line;
    /* a doubled mark is two units of the source, so the distance to the last one is room enough */
    while (end < l->src.count &&
           (l->src.at[end] != close || (end + 1 < l->src.count && l->src.at[end + 1] == close)))
        end += l->src.at[end] == close ? 2 : 1;
    out->at = arena_alloc(l->c->arena, (end - l->at + 1) * 2);
    out->count = 0;
    while (l->at < l->src.count) {
        if (literal && continued_line(l))
            continue;
        uint16_t u = l->src.at[l->at++];
        if (u == close && peek(l, 0) != close)
            return true;
        if (u == close)
            l->at++;
        l->line += u == '\n';
        out->at[out->count++] = u;
    }
    return unclosed(l, out, first_line);
}

static bool
lex_string(struct lexer *l, enum token_kind kind)
{
    size_t start = l->at;
    struct units value;
    int line = l->line;
    uint16_t close = peek(l, kind == TK_NSTRING);
    l->at += kind == TK_NSTRING ? 2 : 1;
    if (!quoted(l, close, true, &value))
        return false;
    struct token *t = push(l, kind, start);
    t->value = value;
    t->line = line;
    return true;
}

static bool
lex_quoted_name(struct lexer *l)
{
    size_t start = l->at;
    struct units value;
    uint16_t close = peek(l, 0) == '[' ? ']' : '"';
    l->at++;
    if (!quoted(l, close, false, &value))
        return false;
    if (value.count == 0 || value.count > 128)
        return fail(l->c, value.count ? 103 : 1038,
                    value.count ? "The identifier that starts with '%.100s' is too long. Maximum "
                                  "length is 128."
                                : "An object or column name is missing or empty.%s",
                    value.count ? utf8_from_units(l->c->arena, value.at, 64) : "");
    push(l, TK_QUOTED, start)->text = utf8_from_units(l->c->arena, value.at, value.count);
    return true;
}

static bool
lex_name(struct lexer *l)
{
    size_t start = l->at;
    while (name_part(peek(l, 0)))
        l->at++;
    if (l->at - start > 128)
        return fail(l->c, 103,
                    "The identifier that starts with '%.100s' is too long. Maximum length is 128.",
                    slice(l, start, start + 64));
    char *text = slice(l, start, l->at);
    enum token_kind kind = text[0] != '@' ? TK_NAME : text[1] == '@' ? TK_GLOBAL : TK_VARIABLE;
    push(l, kind, start)->text = text;
    return true;
}

static int
hex_value(uint16_t u)
{
    if (u >= '0' && u <= '9')
        return u - '0';
    u |= 0x20;
    return u >= 'a' && u <= 'f' ? u - 'a' + 10 : -1;
}

/* 0x and digits; an odd number has a leading zero. `\` and a line break may stand between. */
static void
lex_hex(struct lexer *l)
{
    size_t start = l->at;
    l->at += 2;
    size_t from = l->at;
    while (hex_value(peek(l, 0)) >= 0)
        l->at++;
    size_t digits = l->at - from;
    struct units value = {arena_alloc(l->c->arena, digits + 2), 0};
    size_t odd = digits % 2;
    unsigned byte = 0;
    for (size_t i = 0; i < digits; i++) {
        byte = byte << 4 | (unsigned)hex_value(l->src.at[from + i]);
        if ((i + odd) % 2 == 1) {
            value.at[value.count++] = (uint16_t)(byte & 0xFF);
            byte = 0;
        }
    }
    push(l, TK_HEX, start)->value = value;
}

static void
lex_number(struct lexer *l, bool money)
{
    size_t start = l->at;
    enum token_kind kind = TK_INTEGER;
    if (money)
        l->at++;
    while (digit(peek(l, 0)) || (peek(l, 0) == '.' && kind == TK_INTEGER)) {
        if (peek(l, 0) == '.')
            kind = TK_DECIMAL;
        l->at++;
    }
    size_t sign = peek(l, 1) == '+' || peek(l, 1) == '-';
    if ((peek(l, 0) | 0x20) == 'e' && (digit(peek(l, 1 + sign)) || !name_part(peek(l, 1)))) {
        kind = TK_FLOAT;
        l->at += 1 + sign;
        while (digit(peek(l, 0)))
            l->at++;
    }
    push(l, money ? TK_MONEY : kind, start)->text = slice(l, start + money, l->at);
}

static bool
lex_operator(struct lexer *l)
{
    static const char *const operators[] = {
        "<=", ">=", "<>", "!=", "!<", "!>", "+=", "-=", "*=", "/=", "%=",
        "&=", "|=", "^=", "::", "(",  ")",  ",",  ";",  ".",  "=",  "<",
        ">",  "+",  "-",  "*",  "/",  "%",  "&",  "|",  "^",  "~",  ":",
    };
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        size_t n = strlen(operators[i]);
        if (peek(l, 0) == (uint16_t)operators[i][0] &&
            (n == 1 || peek(l, 1) == (uint16_t)operators[i][1])) {
            size_t start = l->at;
            l->at += n;
            push(l, TK_OPERATOR, start)->text = operators[i];
            return true;
        }
    }
    l->c->line = l->line;
    return fail(l->c, 102, "Incorrect syntax near '%s'.", slice(l, l->at, l->at + 1));
}

static bool
at_number(uint16_t u, uint16_t next)
{
    return digit(u) || u == '$' || (u == '.' && digit(next));
}

static bool
lex_one(struct lexer *l)
{
    uint16_t u = peek(l, 0), next = peek(l, 1);
    if (u == '\'' || (u == '"' && !l->quoted))
        return lex_string(l, TK_STRING);
    if ((u | 0x20) == 'n' && next == '\'')
        return lex_string(l, TK_NSTRING);
    if (u == '[' || u == '"')
        return lex_quoted_name(l);
    if (name_start(u))
        return lex_name(l);
    if (!at_number(u, next))
        return lex_operator(l);
    if (u == '0' && (next | 0x20) == 'x')
        lex_hex(l);
    else
        lex_number(l, u == '$');
    return true;
}

bool
lex(struct vctx *c, struct units source, bool quoted_identifiers, struct tokens *out)
{
    struct lexer l = {.c = c, .src = source, .line = 1, .quoted = quoted_identifiers};
    while (l.at < source.count) {
        bool skipped;
        c->line = l.line;
        if (!skip_blank(&l, &skipped))
            return false;
        if (!skipped && !lex_one(&l))
            return false;
        if (l.count > MAX_TOKENS)
            return fail(c, 191,
                        "Some part of your SQL statement is nested too deeply. Rewrite the "
                        "query or break it up into smaller queries.");
    }
    push(&l, TK_END, source.count);
    *out = (struct tokens){l.tokens, l.count};
    return true;
}
