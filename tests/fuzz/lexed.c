#include "lexed.h"

#include "tsql/ast.h"

#include <stdlib.h>

/* The lexer's only wish of the engine. */
bool
fail(struct vctx *c, int number, const char *format, ...)
{
    (void)c;
    (void)number;
    (void)format;
    return false;
}

static enum lexed_kind
kind_of(const struct token *token)
{
    switch (token->kind) {
    case TK_QUOTED:
        return LEXED_NAME;
    case TK_NAME:
        return LEXED_WORD;
    case TK_STRING:
        return LEXED_NARROW;
    case TK_NSTRING:
        return LEXED_WIDE;
    case TK_HEX:
        return LEXED_HEX;
    case TK_INTEGER:
    case TK_DECIMAL:
    case TK_FLOAT:
    case TK_MONEY:
        return LEXED_NUMBER;
    case TK_VARIABLE:
    case TK_GLOBAL:
    case TK_OPERATOR:
    case TK_END:
    default:
        return LEXED_OTHER;
    }
}

static struct lexed_token
copy(const struct token *token)
{
    struct lexed_token copied = {.kind = kind_of(token)};
    const size_t width = copied.kind == LEXED_HEX ? 1 : 2;
    copied.size = token->text ? strlen(token->text) : token->value.count * width;
    copied.bytes = xcalloc(copied.size + 1, 1);
    if (token->text)
        memcpy(copied.bytes, token->text, copied.size);
    else
        for (size_t i = 0; i < token->value.count; i++) {
            copied.bytes[i * width] = (unsigned char)(token->value.at[i] & 0xFF);
            if (width == 2)
                copied.bytes[i * width + 1] = (unsigned char)(token->value.at[i] >> 8);
        }
    return copied;
}

void
lexed_read(const char *sql, size_t size, struct lexed *ret)
{
    struct arena arena = {0};
    struct vctx context = {.arena = &arena};
    struct tokens tokens = {0};
    ret->count = -1;
    if (lex(&context, units_from_utf8_n(&arena, sql, size), true, &tokens) &&
        tokens.count - 1 <= LEXED_MAX) {
        ret->count = (int)(tokens.count - 1);
        for (int i = 0; i < ret->count; i++)
            ret->tokens[i] = copy(&tokens.at[i]);
    }
    arena_free(&arena);
}

void
lexed_done(struct lexed *lexed)
{
    for (int i = 0; i < lexed->count; i++)
        free(lexed->tokens[i].bytes);
    lexed->count = 0;
}
