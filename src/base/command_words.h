/** A command line split into words, as base/command.h describes. */
#ifndef BASE_COMMAND_WORDS_H
#define BASE_COMMAND_WORDS_H

#include "base/command.h"

struct command_words {
    char *items[COMMAND_WORDS_MAX + 1]; /* NULL behind the last one */
    size_t count;
};

/**
 * Split `text`, then replace each `mark` (NULL = none) in a word by `value`: what is put in cannot
 * become another word. ERR_USAGE. The caller frees with command_words_done.
 */
MUST_CHECK bool command_words_split(const char *text, const char *mark, const char *value,
                                    struct command_words *ret, struct err *err);
void command_words_done(struct command_words *words);

#endif
