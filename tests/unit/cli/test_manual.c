/*
 * The manual of the build against the tables: what is in a table and not in a page fails here.
 */
#include "base/file.h"
#include "base/text.h"
#include "cli/manual.h"
#include "cli/template.h"
#include "config/option.h"
#include "test.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = 1 << 20, WORD_BYTES = 64 };

/* The tables as they are written, not as the program reads them. */
static const struct {
    const char *name, *variables, *ini;
    char letter;
} options[] = {
#define OPTION(id, letter, name, argument, kind, values, variables, ini, builtin, group, traits,   \
               commands, help)                                                                     \
    {name, variables, ini, letter},
#include "config/options.def"
#undef OPTION
};

static const char sqlcmd_letters[] = {
#define OPTION(id, letter, name, argument, kind, values, variables, ini, builtin, group, traits,   \
               commands, help)
#define SQLCMD(letter, meaning, hint) letter,
#include "config/options.def"
#undef SQLCMD
#undef OPTION
};

static const struct {
    const char *code, *name, *meaning;
    int status;
} errors[] = {
#define ERR(code, status, name, meaning) {#code, name, meaning, status},
#include "base/err.def"
#undef ERR
};

static const char *const commands[] = {
#define COMMAND(id, name, writes, operand, needed, usage, summary) name,
#include "config/commands.def"
#undef COMMAND
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- pages */

/** A page of the build as plain lines: macros stay, escapes are resolved. */
static void
read_page(const char *name, struct text *ret)
{
    static const struct {
        const char *roff, *plain;
    } escapes[] = {{"\\-", "-"},     {"\\(rs", "\\"}, {"\\(dq", "\""}, {"\\(aq", "'"},
                   {"\\(ga", "`"},   {"\\(ti", "~"},  {"\\(ha", "^"},  {"\\fB", ""},
                   {"\\fI", ""},     {"\\fR", ""},    {"\\&", ""},     {"\\(bu", "*"},
                   {"\\\"", "\\\""}, {"\\e", "\\"}};
    char path[256], *bytes = NULL;
    size_t size = 0;
    struct err err;
    (void)snprintf(path, sizeof(path), "%s/%s", DOC_DIR, name);
    assert_true(file_read(path, PAGE_BYTES, &bytes, &size, &err));
    for (const char *p = bytes; *p;) {
        size_t i = 0;
        while (i < COUNT(escapes) && strncmp(p, escapes[i].roff, strlen(escapes[i].roff)) != 0)
            i++;
        if (i == COUNT(escapes) && *p == '\\')
            fail_msg("%s: an escape that this test does not know: %.10s", name, p);
        text_append_bytes(ret, i < COUNT(escapes) ? escapes[i].plain : p,
                          i < COUNT(escapes) ? strlen(escapes[i].plain) : 1);
        p += i < COUNT(escapes) ? strlen(escapes[i].roff) : 1;
    }
    free(bytes);
}

/** The text below ".SH title". */
static void
section(const char *page, const char *title, struct text *ret)
{
    char start[WORD_BYTES];
    (void)snprintf(start, sizeof(start), "\n.SH %s\n", title);
    const char *at = strstr(page, start);
    if (!at)
        fail_msg("no section %s", title);
    at += strlen(start);
    const char *end = strstr(at, "\n.SH ");
    text_append_bytes(ret, at, end ? (size_t)(end - at) + 1 : strlen(at));
}

/** Is `word`, as a whole, in this line? */
static bool
line_has(const char *line, size_t size, const char *word)
{
    const size_t length = strlen(word);
    for (size_t i = 0; i + length <= size; i++) {
        if (memcmp(line + i, word, length) == 0 && (i == 0 || strchr(" ,\"", line[i - 1])) &&
            (i + length == size || strchr(" ,\".", line[i + length])))
            return true;
    }
    return false;
}

/** Is there an entry for `word`: a line behind .TP or .TQ that has it? */
static bool
has_entry(const char *text, const char *word)
{
    bool tag = false;
    while (*text) {
        const size_t size = strcspn(text, "\n");
        if (tag && line_has(text, size, word))
            return true;
        tag = size == 3 && (strncmp(text, ".TP", 3) == 0 || strncmp(text, ".TQ", 3) == 0);
        text += size + (text[size] ? 1 : 0);
    }
    return false;
}

static void
expect_entry(const char *text, const char *word, const char *where)
{
    if (!has_entry(text, word))
        fail_msg("%s has no entry %s", where, word);
}

static void
expect_no_entry(const char *text, const char *word)
{
    if (has_entry(text, word))
        fail_msg("an entry %s was found", word);
}

/* ---- tests */

static void
every_option_has_an_entry(void **state)
{
    TEXT_SCOPED page = {0};
    TEXT_SCOPED entries = {0};
    (void)state;
    read_page("dwclean.1", &page);
    section(text_string(&page), "OPTIONS", &entries);
    for (size_t i = 0; i < COUNT(options); i++) {
        char word[WORD_BYTES];
        if (!options[i].name)
            continue;
        (void)snprintf(word, sizeof(word), "--%s", options[i].name);
        expect_entry(text_string(&entries), word, "OPTIONS");
        if (!options[i].letter)
            continue;
        (void)snprintf(word, sizeof(word), "-%c", options[i].letter);
        expect_entry(text_string(&entries), word, "OPTIONS");
    }
    expect_no_entry(text_string(&entries), "--no-such-option");
    expect_no_entry(text_string(&entries), "--serve");
}

static void
every_letter_of_sqlcmd_has_an_entry(void **state)
{
    TEXT_SCOPED page = {0};
    TEXT_SCOPED entries = {0};
    (void)state;
    read_page("dwclean.1", &page);
    section(text_string(&page), "OPTIONS", &entries);
    for (size_t i = 0; i < COUNT(sqlcmd_letters); i++)
        expect_entry(text_string(&entries), (const char[]){'-', sqlcmd_letters[i], '\0'},
                     "OPTIONS");
}

static void
every_variable_has_an_entry(void **state)
{
    TEXT_SCOPED page = {0};
    TEXT_SCOPED entries = {0};
    (void)state;
    read_page("dwclean.1", &page);
    section(text_string(&page), "ENVIRONMENT", &entries);
    for (size_t i = 0; i < COUNT(options); i++) {
        for (const char *p = options[i].variables; p && *p;) {
            char word[WORD_BYTES];
            const size_t size = strcspn(p, ",");
            (void)snprintf(word, sizeof(word), "%.*s", (int)size, p);
            expect_entry(text_string(&entries), word, "ENVIRONMENT");
            p += size + (p[size] ? 1 : 0);
        }
    }
    expect_entry(text_string(&entries), "NO_COLOR", "ENVIRONMENT");
    expect_no_entry(text_string(&entries), "DWCLEAN_NOTHING");
    /* for tests only, and not to be told */
    assert_null(strstr(text_string(&page), "DWCLEAN_TEST"));
}

static void
every_key_of_the_file_has_an_entry(void **state)
{
    TEXT_SCOPED page = {0};
    TEXT_SCOPED entries = {0};
    (void)state;
    read_page("dwclean-config.5", &page);
    section(text_string(&page), "KEYS", &entries);
    for (size_t i = 0; i < COUNT(options); i++) {
        if (options[i].ini)
            expect_entry(text_string(&entries), options[i].ini, "KEYS");
    }
    expect_no_entry(text_string(&entries), "password");
}

/** What is below the entry of a status, up to the next one. */
static void
entry_of_status(const char *entries, int status, struct text *ret)
{
    char start[WORD_BYTES];
    (void)snprintf(start, sizeof(start), ".TP\n%d\n", status);
    const char *at = strstr(entries, start);
    if (!at)
        fail_msg("EXIT STATUS has no entry %d", status);
    at += strlen(start);
    const char *end = strstr(at, ".TP\n");
    text_append_bytes(ret, at, end ? (size_t)(end - at) : strlen(at));
}

static void
every_exit_status_has_an_entry_with_its_errors(void **state)
{
    static const int without_error[] = {0, 2, 129, 143};
    TEXT_SCOPED page = {0};
    TEXT_SCOPED entries = {0};
    (void)state;
    read_page("dwclean.1", &page);
    section(text_string(&page), "EXIT STATUS", &entries);
    for (size_t i = 0; i < COUNT(without_error); i++) {
        TEXT_SCOPED entry = {0};
        entry_of_status(text_string(&entries), without_error[i], &entry);
        assert_true(entry.used > 20);
    }
    for (size_t i = 1; i < COUNT(errors); i++) {
        TEXT_SCOPED entry = {0};
        char start[WORD_BYTES];
        entry_of_status(text_string(&entries), errors[i].status, &entry);
        (void)snprintf(start, sizeof(start), "%s: ", errors[i].name);
        const char *at = strstr(text_string(&entry), start);
        if (!at)
            fail_msg("%s is not explained at status %d", errors[i].code, errors[i].status);
        assert_memory_equal(at + strlen(start), errors[i].meaning, strlen(errors[i].meaning));
    }
}

static void
every_command_has_an_entry(void **state)
{
    TEXT_SCOPED page = {0};
    TEXT_SCOPED entries = {0};
    (void)state;
    read_page("dwclean.1", &page);
    section(text_string(&page), "COMMANDS", &entries);
    for (size_t i = 0; i < COUNT(commands); i++) {
        char start[2 * WORD_BYTES];
        (void)snprintf(start, sizeof(start), ".TP\n%s\ndwclean %s", commands[i], commands[i]);
        if (!strstr(text_string(&entries), start))
            fail_msg("COMMANDS has no entry %s", commands[i]);
    }
}

static void
everything_in_the_tables_says_what_it_is(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (!*spec->help)
            fail_msg("option %u, %s, has no text", i, spec->name ? spec->name : spec->ini);
    }
    for (size_t i = 0; i < COUNT(errors); i++)
        assert_true(*errors[i].meaning);
}

static void
append_x(const void *ctx, struct text *ret)
{
    (void)ctx;
    text_append(ret, "x\n");
}

static void
a_template_and_its_parts_fit_or_it_is_an_error(void **state)
{
    static const struct template_part part = {"X", append_x};
    TEXT_SCOPED text = {0};
    struct err err;
    (void)state;
    assert_true(template_fill("a@b @X@\n@lower@ \"${w[@]}\" @", &part, 1, NULL, &text, &err));
    assert_string_equal(text_string(&text), "a@b x\n@lower@ \"${w[@]}\" @");
    assert_false(template_fill("@X@ @Y@", &part, 1, NULL, &text, &err));
    assert_non_null(strstr(err.primary, "@Y@"));
    assert_false(template_fill("nothing", &part, 1, NULL, &text, &err));
    assert_non_null(strstr(err.primary, "@X@"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_has_an_entry),
        cmocka_unit_test(every_letter_of_sqlcmd_has_an_entry),
        cmocka_unit_test(every_variable_has_an_entry),
        cmocka_unit_test(every_key_of_the_file_has_an_entry),
        cmocka_unit_test(every_exit_status_has_an_entry_with_its_errors),
        cmocka_unit_test(every_command_has_an_entry),
        cmocka_unit_test(everything_in_the_tables_says_what_it_is),
        cmocka_unit_test(a_template_and_its_parts_fit_or_it_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
