/** A text as the sandbox's T-SQL lexer sees it: it shares no code with the writers of dwclean. */
#ifndef FUZZ_LEXED_H
#define FUZZ_LEXED_H

#include <stddef.h>

enum lexed_kind {
    LEXED_NAME,   /* as UTF-8, quoted in brackets */
    LEXED_WORD,   /* as UTF-8: a name without brackets */
    LEXED_WIDE,   /* N'...': UTF-16LE */
    LEXED_NARROW, /* '...': UTF-16LE */
    LEXED_HEX,    /* the bytes */
    LEXED_NUMBER, /* as written */
    LEXED_OTHER,  /* as written: an operator */
};

struct lexed_token {
    enum lexed_kind kind;
    unsigned char *bytes; /* a NUL behind them */
    size_t size;
};

enum { LEXED_MAX = 64 };

struct lexed {
    int count; /* -1: the server would refuse the text, or there are more than LEXED_MAX */
    struct lexed_token tokens[LEXED_MAX];
};

void lexed_read(const char *sql, size_t size, struct lexed *ret);
void lexed_done(struct lexed *lexed);

#endif
