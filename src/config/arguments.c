#include "config/arguments.h"

#include "base/text.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 64, LONG_BASE = 256 /* above every letter */ };

/** getopt's two tables, made of ours. */
struct tables {
    char letters[2 + OPTIONS * 3 + 1];
    struct option names[OPTIONS + 1];
};

/** How values of the command line are kept. */
static const struct settings_origin from_argv = {RANK_ARGV, ERR_USAGE, "argv"};

struct reader {
    struct settings *settings;
    struct arguments *ret;
    struct err *err; /* the first fault */
    bool ok;
    int argc;
    char **argv;
};

static int
argument_of(const struct option_spec *spec)
{
    if (!spec->argument)
        return no_argument;
    /* "[tcp:]HOST" is needed; "[MODE]" may be left out. */
    const size_t size = strlen(spec->argument);
    const bool optional =
        spec->argument[0] == '[' && strchr(spec->argument, ']') == spec->argument + size - 1;
    return optional ? optional_argument : required_argument;
}

static void
make_tables(struct tables *ret)
{
    size_t used = 0, names = 0;
    *ret = (struct tables){0};
    /* '+': stop at words, so that each option is seen at its own place. ':': tell a missing value
     * from an unknown letter. */
    ret->letters[used++] = '+';
    ret->letters[used++] = ':';
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        const int argument = argument_of(spec);
        if (spec->letter)
            ret->letters[used++] = spec->letter;
        for (int colons = 0; spec->letter && colons < argument; colons++)
            ret->letters[used++] = ':';
        if (spec->name)
            ret->names[names++] =
                (struct option){.name = spec->name, .has_arg = argument, .val = LONG_BASE + (int)i};
    }
}

/** Keep the first fault only: the rest often follows from it. */
static void
fault(struct reader *reader, const struct err *err)
{
    if (reader->ok)
        *reader->err = *err;
    reader->ok = false;
}

static const struct option_spec *
aliased(const struct option_spec *spec)
{
    return spec->kind == OPTION_ALIAS ? option_by_name(spec->values) : spec;
}

static bool
take(struct reader *reader, const struct option_spec *spec, const char *value, struct err *err)
{
    char name[NAME_BYTES];
    if (spec->kind == OPTION_REFUSED) {
        (void)err_set(err, ERR_USAGE, "%s is refused: %s", option_shown(spec, name, sizeof(name)),
                      spec->help);
        return err_hint(err, "%s", spec->values);
    }
    if (spec->kind == OPTION_IGNORED)
        return true;
    const struct setting *first = &reader->settings->at[RANK_ARGV][spec->id];
    if (first->set && spec->kind == OPTION_FLAG && spec->values)
        spec = option_by_name(spec->values);
    if (first->set && (spec->traits & OPTION_IS_TARGET) && value && strcmp(first->text, value) != 0)
        reader->ret->two_targets = spec;
    if (!value)
        value = spec->builtin && spec->argument ? spec->builtin : "yes";
    return settings_put(reader->settings, spec, value, &from_argv, err);
}

/** sqlcmd's `-N optional`: getopt takes an optional value only when it is attached. */
static const char *
detached_value(const struct reader *reader, const struct option_spec *spec)
{
    struct option_value value;
    struct err ignored;
    if (spec->kind != OPTION_CHOICE || argument_of(spec) != optional_argument ||
        optind >= reader->argc)
        return NULL;
    const char *next = reader->argv[optind];
    if (!option_parse(spec, next, ERR_USAGE, &value, &ignored))
        return NULL;
    optind++;
    return next;
}

static bool
unknown_long(const char *token, struct err *err)
{
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(token + 2, "="), token + 2);
    TEXT_SCOPED shown = {0};
    text_append_shown(&shown, name, strlen(name));
    (void)err_set(err, ERR_USAGE, "unknown option --%s", text_string(&shown));
    const char *nearest = option_nearest_name(name);
    return nearest ? err_hint(err, "Did you mean --%s?", nearest)
                   : err_hint(err, "See dwclean help.");
}

static const struct option_spec *
spec_of(int got)
{
    return got >= LONG_BASE ? option_spec((enum option_id)(got - LONG_BASE))
                            : option_by_letter(got);
}

/** getopt accepts a long name cut short; a script must not depend on that. */
static bool
is_cut_short(const char *token, const struct option_spec *spec)
{
    const size_t size = strlen(spec->name);
    return strncmp(token, "--", 2) == 0 &&
           (strcspn(token + 2, "=") != size || strncmp(token + 2, spec->name, size) != 0);
}

static bool
missing_value(const char *token, const struct option_spec *spec, struct err *err)
{
    char name[NAME_BYTES];
    if (strncmp(token, "--", 2) == 0)
        (void)snprintf(name, sizeof(name), "--%s", spec->name);
    else
        (void)option_shown(spec, name, sizeof(name));
    if (spec->kind == OPTION_REFUSED) {
        (void)err_set(err, ERR_USAGE, "%s is refused: %s", name, spec->help);
        return err_hint(err, "%s", spec->values);
    }
    (void)err_set(err, ERR_USAGE, "%s needs a value", name);
    return err_hint(err, "%s %s", name, spec->argument ? spec->argument : "VALUE");
}

/** `token` is the element of argv that holds the option. */
static bool
one_option(struct reader *reader, int got, const char *token, struct err *err)
{
    const bool is_long = strncmp(token, "--", 2) == 0;
    if (got == '?' && !is_long)
        return optopt == '?'
                   ? settings_put(reader->settings, option_spec(OPT_HELP), "yes", &from_argv, err)
                   : option_unknown_letter(optopt, err);
    if (got == '?' && optopt < LONG_BASE)
        return unknown_long(token, err);
    const struct option_spec *spec = spec_of(got == '?' || got == ':' ? optopt : got);
    assert(spec);
    if (is_cut_short(token, spec))
        return unknown_long(token, err);
    if (got == '?')
        return err_set(err, ERR_USAGE, "--%s takes no value", spec->name);
    if (got == ':')
        return missing_value(token, spec, err);
    const char *value = optarg ? optarg : detached_value(reader, spec);
    return take(reader, aliased(spec), value, err);
}

static void
take_word(struct reader *reader, const char *word)
{
    struct err err;
    if (reader->ret->word_count < ARGUMENTS_MAX_WORDS) {
        reader->ret->words[reader->ret->word_count++] = word;
        return;
    }
    (void)err_set(&err, ERR_USAGE, "too many arguments");
    (void)err_hint(&err, "A text of several words wants quotes.");
    fault(reader, &err);
}

/** Words up to the next option; after "--" all that is left. */
static void
take_words(struct reader *reader, int before)
{
    const bool all = optind > before && strcmp(reader->argv[optind - 1], "--") == 0;
    while (optind < reader->argc &&
           (all || reader->argv[optind][0] != '-' || !reader->argv[optind][1]))
        take_word(reader, reader->argv[optind++]);
}

bool
arguments_read(int argc, char **argv, struct settings *settings, struct arguments *ret,
               struct err *err)
{
    assert(argv && settings && ret && err);
    struct tables tables;
    struct reader reader = {
        .settings = settings, .ret = ret, .err = err, .ok = true, .argc = argc, .argv = argv};

    make_tables(&tables);
    *ret = (struct arguments){0};
    opterr = 0;
    optind = 0; /* glibc: start again */
    int before = 1;
    while (before < argc) {
        struct err found;
        /* getopt is not re-entrant; this program has one thread. */
        /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
        const int got = getopt_long(argc, argv, tables.letters, tables.names, NULL);
        if (got == -1)
            take_words(&reader, before);
        else if (!one_option(&reader, got, argv[before], &found))
            fault(&reader, &found);
        before = optind;
    }
    return reader.ok;
}
