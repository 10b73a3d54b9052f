#include "command_words.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

void
command_words_done(struct command_words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
    *words = (struct command_words){.count = 0};
}

/** The end of '...' or "...", its contents appended; NULL when it is never closed. */
static const char *
take_quoted(const char *at, struct text *word)
{
    const char quote = *at++;

    for (; *at && *at != quote; at++) {
        if (quote == '"' && *at == '\\' && (at[1] == '"' || at[1] == '\\'))
            at++;
        text_append_bytes(word, at, 1);
    }
    return *at ? at + 1 : NULL;
}

/** The end of a word, its contents appended; NULL when a quote is open or nothing follows '\'. */
static const char *
take_word(const char *at, struct text *word)
{
    while (at && *at && !strchr(" \t\r\n", *at)) {
        if (*at == '\'' || *at == '"') {
            at = take_quoted(at, word);
        } else if (*at == '\\') {
            if (!at[1])
                return NULL;
            text_append_bytes(word, at + 1, 1);
            at += 2;
        } else {
            text_append_bytes(word, at++, 1);
        }
    }
    return at;
}

/** `word` with its marks replaced, malloc'd; NULL when out of memory. */
static char *
fill_in(const char *word, const char *mark, const char *value)
{
    TEXT_SCOPED filled = {.max = (size_t)COMMAND_TEXT_MAX_BYTES * 4};
    struct err unused;

    for (const char *at = word; *at;) {
        const char *next = mark ? strstr(at, mark) : NULL;

        text_append_bytes(&filled, at, next ? (size_t)(next - at) : strlen(at));
        if (!next)
            break;
        text_append(&filled, value);
        at = next + strlen(mark);
    }
    return text_ok(&filled, &unused) ? strdup(text_string(&filled)) : NULL;
}

static bool
bad_line(const char *why, struct err *err)
{
    (void)err_set(err, ERR_USAGE, "the command line cannot be read: %s", why);
    return err_hint(err, "It is a program and its arguments, with blanks between them and quotes "
                         "around what holds blanks. There is no shell: for pipes or variables "
                         "write a script and name it.");
}

static bool
split(const char *text, const char *mark, const char *value, struct command_words *words,
      struct err *err)
{
    const char *at = text + strspn(text, " \t\r\n");

    if (strlen(text) > COMMAND_TEXT_MAX_BYTES)
        return bad_line("it is too long", err);
    while (*at) {
        TEXT_SCOPED word = {.max = COMMAND_TEXT_MAX_BYTES + 1};

        if (words->count == COMMAND_WORDS_MAX)
            return bad_line("it has too many words", err);
        at = take_word(at, &word);
        if (!at)
            return bad_line("a quote or a backslash at its end is open", err);
        words->items[words->count] = fill_in(text_string(&word), mark, value);
        if (!words->items[words->count])
            return err_set(err, ERR_INTERNAL, "out of memory");
        words->count++;
        at += strspn(at, " \t\r\n");
    }
    if (words->count == 0 || !words->items[0][0])
        return bad_line("it names no program", err);
    return true;
}

bool
command_words_split(const char *text, const char *mark, const char *value,
                    struct command_words *ret, struct err *err)
{
    struct command_words words = {.count = 0};

    if (!split(text, mark, value, &words, err)) {
        command_words_done(&words);
        return false;
    }
    *ret = words;
    return true;
}

bool
command_check(const char *text, struct err *err)
{
    struct command_words words;

    if (!command_words_split(text, NULL, NULL, &words, err))
        return false;
    command_words_done(&words);
    return true;
}
