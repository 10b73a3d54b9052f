#include "cli/completion.h"

#include "cli/template.h"
#include "completion_text.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const shells[SHELLS] = {
    [SHELL_BASH] = "bash",
    [SHELL_ZSH] = "zsh",
    [SHELL_FISH] = "fish",
};

bool
completion_shell(const char *name, enum shell *ret)
{
    for (unsigned i = 0; i < SHELLS; i++) {
        if (strcmp(name, shells[i]) == 0) {
            *ret = (enum shell)i;
            return true;
        }
    }
    return false;
}

/* ---- pieces */

/** What stands behind an option or a command. */
enum value {
    VALUE_NONE, /* nothing */
    VALUE_TEXT, /* only the operator knows */
    VALUE_WORDS,
    VALUE_FILE,
    VALUE_DIRECTORY,
    VALUE_ENVIRONMENT,
};

static bool
is_offered(const struct option_spec *spec)
{
    return spec->name && spec->kind != OPTION_REFUSED;
}

static enum value
value_of(const struct option_spec *spec)
{
    if (!spec->argument)
        return VALUE_NONE;
    if (spec->id == OPT_ENV)
        return VALUE_ENVIRONMENT;
    if (spec->kind == OPTION_CHOICE)
        return VALUE_WORDS;
    if (spec->kind == OPTION_FILE)
        return strcmp(spec->argument, "DIR") == 0 ? VALUE_DIRECTORY : VALUE_FILE;
    return VALUE_TEXT;
}

static bool
may_be_left_out(const struct option_spec *spec)
{
    return spec->argument && spec->argument[0] == '[';
}

/** "text json": the choices without their other spellings. */
static void
append_choices(const struct option_spec *spec, struct text *ret)
{
    for (const char *p = spec->values; *p;) {
        text_append(ret, p == spec->values ? "" : " ");
        text_append_bytes(ret, p, strcspn(p, "|,"));
        p += strcspn(p, "|");
        p += *p ? 1 : 0;
    }
}

/** Inside quotes: what would end them, or stand for something else there. */
static void
append_escaped(const char *text, const char *special, const char *before, struct text *ret)
{
    for (; *text; text++) {
        if (strchr(special, *text))
            text_append(ret, before);
        text_append_bytes(ret, text, 1);
    }
}

static void
append_commands_of(const struct option_spec *spec, struct text *ret)
{
    for (unsigned i = 0; i < COMMANDS; i++) {
        if (option_applies(spec, (enum command)i))
            text_printf(ret, " %s", command_spec((enum command)i)->name);
    }
}

/** "-S|--server", with `between` in place of "|" */
static void
append_names(const struct option_spec *spec, const char *between, struct text *ret)
{
    if (spec->letter)
        text_printf(ret, "-%c%s", spec->letter, between);
    text_printf(ret, "--%s", spec->name);
}

static void
each_option(void (*append)(const struct option_spec *spec, struct text *ret), struct text *ret)
{
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (is_offered(spec))
            append(spec, ret);
    }
}

static void
append_commands(const void *ctx, struct text *ret)
{
    (void)ctx;
    for (unsigned i = 0; i < COMMANDS; i++)
        text_printf(ret, "%s%s", i ? " " : "", command_spec((enum command)i)->name);
}

/** The topics of help. */
static void
append_topics(const void *ctx, struct text *ret)
{
    bool first = true;
    (void)ctx;
    for (unsigned i = 0; i < GROUPS; i++) {
        const char *topic = option_group_topic((enum option_group)i);
        if (topic)
            text_printf(ret, "%s%s", first ? "" : " ", topic);
        first = first && !topic;
    }
}

/** Options with a value that is never left out, as a pattern of a case: the next word is not the
 * command. */
static void
append_takers(const void *ctx, struct text *ret)
{
    bool first = true;
    (void)ctx;
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (!spec->name || !spec->argument || may_be_left_out(spec))
            continue;
        text_append(ret, first ? "" : "|");
        append_names(spec, "|", ret);
        first = false;
    }
}

/** The words that may follow a command; shell words, or names of what is looked up. */
static bool
operand_has(const struct command_spec *spec, const char *word)
{
    const char *at = spec->operand ? strstr(spec->operand, word) : NULL;
    const size_t size = strlen(word);
    return at && (at == spec->operand || at[-1] == '|') && (!at[size] || at[size] == '|');
}

/** "list show test": the operand's words that stand for themselves. */
static void
append_operand_words(const struct command_spec *spec, struct text *ret)
{
    bool first = true;
    for (const char *p = spec->operand ? spec->operand : ""; *p;) {
        const size_t size = strcspn(p, "|");
        if (*p >= 'a' && *p <= 'z') {
            text_append(ret, first ? "" : " ");
            text_append_bytes(ret, p, size);
            first = false;
        }
        p += size + (p[size] ? 1 : 0);
    }
}

/** Commands whose operand has the word, as a pattern of a case. */
static void
append_commands_with(const char *word, const char *between, struct text *ret)
{
    bool first = true;
    for (unsigned i = 0; i < COMMANDS; i++) {
        const struct command_spec *spec = command_spec((enum command)i);
        if (!operand_has(spec, word))
            continue;
        text_printf(ret, "%s%s", first ? "" : between, spec->name);
        first = false;
    }
}

static void
append_plan_commands(const void *ctx, struct text *ret)
{
    (void)ctx;
    append_commands_with("PLAN", "|", ret);
}

static void
append_run_commands(const void *ctx, struct text *ret)
{
    (void)ctx;
    append_commands_with("RUN", "|", ret);
}

/** Lines `command) words=(...) ;;` of bash and zsh. */
static void
append_operands(const void *ctx, struct text *ret)
{
    (void)ctx;
    for (unsigned i = 0; i < COMMANDS; i++) {
        const struct command_spec *spec = command_spec((enum command)i);
        TEXT_SCOPED words = {0};
        append_operand_words(spec, &words);
        if (words.used > 0)
            text_printf(ret, "    %s) words=(%s) ;;\n", spec->name, text_string(&words));
    }
}

/* ---- bash */

/** Lines `verify) words=(-S --server ...) ;;`. */
static void
append_bash_options(const void *ctx, struct text *ret)
{
    (void)ctx;
    for (unsigned i = 0; i < COMMANDS; i++) {
        text_printf(ret, "    %s) words=(", command_spec((enum command)i)->name);
        for (unsigned j = 0; j < OPTIONS; j++) {
            const struct option_spec *spec = option_spec((enum option_id)j);
            if (!is_offered(spec) || !option_applies(spec, (enum command)i))
                continue;
            append_names(spec, " ", ret);
            text_append(ret, " ");
        }
        text_append(ret, ") ;;\n");
    }
}

static void
append_bash_all(const struct option_spec *spec, struct text *ret)
{
    append_names(spec, " ", ret);
    text_append(ret, " ");
}

static void
append_bash_all_options(const void *ctx, struct text *ret)
{
    (void)ctx;
    each_option(append_bash_all, ret);
}

/** A line `-S|--server) kind=text ;;`. */
static void
append_bash_value(const struct option_spec *spec, struct text *ret)
{
    static const char *const kinds[] = {
        [VALUE_TEXT] = "text",
        [VALUE_WORDS] = "words",
        [VALUE_FILE] = "file",
        [VALUE_DIRECTORY] = "directory",
        [VALUE_ENVIRONMENT] = "environment",
    };
    const enum value value = value_of(spec);
    if (value == VALUE_NONE)
        return;
    text_append(ret, "    ");
    append_names(spec, "|", ret);
    text_printf(ret, ") kind=%s", may_be_left_out(spec) ? "maybe" : kinds[value]);
    if (value == VALUE_WORDS) {
        text_append(ret, " words=(");
        append_choices(spec, ret);
        text_append(ret, ")");
    }
    text_append(ret, " ;;\n");
}

static void
append_bash_values(const void *ctx, struct text *ret)
{
    (void)ctx;
    each_option(append_bash_value, ret);
}

/* ---- zsh */

static void
append_zsh_text(const char *text, struct text *ret)
{
    for (; *text; text++) {
        if (strchr("[]:\\", *text))
            text_append(ret, "\\");
        text_append(ret, *text == '\'' ? "'\\'" : "");
        text_append_bytes(ret, text, 1);
    }
}

static void
append_zsh_action(const struct option_spec *spec, struct text *ret)
{
    switch (value_of(spec)) {
    case VALUE_WORDS:
        text_append(ret, "(");
        append_choices(spec, ret);
        text_append(ret, ")");
        break;
    case VALUE_FILE:
        text_append(ret, "_files");
        break;
    case VALUE_DIRECTORY:
        text_append(ret, "_files -/");
        break;
    case VALUE_ENVIRONMENT:
        text_append(ret, "_dwclean_environments");
        break;
    case VALUE_NONE:
    case VALUE_TEXT:
        break;
    }
}

/** A line `_dwclean_is verify clean && specs+=('(-S --server)'{-S+,--server=}'[...]:HOST:')`. */
static void
append_zsh_option(const struct option_spec *spec, struct text *ret)
{
    text_append(ret, "    _dwclean_is");
    append_commands_of(spec, ret);
    text_append(ret, " && specs+=(");
    if (spec->kind == OPTION_LIST)
        text_append(ret, "'*'");
    else if (spec->letter)
        text_printf(ret, "'(-%c --%s)'", spec->letter, spec->name);
    if (spec->letter && spec->argument)
        text_printf(ret, "{-%c+,--%s=}", spec->letter, spec->name);
    else if (spec->letter)
        text_printf(ret, "{-%c,--%s}", spec->letter, spec->name);
    else
        text_printf(ret, "--%s%s", spec->name, spec->argument ? "=" : "");
    text_append(ret, "'[");
    append_zsh_text(spec->help, ret);
    text_append(ret, "]");
    if (spec->argument) {
        text_append(ret, may_be_left_out(spec) ? "::" : ":");
        append_zsh_text(spec->argument, ret);
        text_append(ret, ":");
        append_zsh_action(spec, ret);
    }
    text_append(ret, "')\n");
}

static void
append_zsh_options(const void *ctx, struct text *ret)
{
    (void)ctx;
    each_option(append_zsh_option, ret);
}

/** Lines `'verify:is it clean? ...'`. */
static void
append_zsh_commands(const void *ctx, struct text *ret)
{
    (void)ctx;
    for (unsigned i = 0; i < COMMANDS; i++) {
        const struct command_spec *spec = command_spec((enum command)i);
        text_printf(ret, "        '%s:", spec->name);
        append_zsh_text(spec->summary, ret);
        text_append(ret, "'\n");
    }
}

/* ---- fish */

/** A line `complete -c dwclean -n '__dwclean_is verify clean' -s S -l server -x -d '...'`. */
static void
append_fish_option(const struct option_spec *spec, struct text *ret)
{
    const enum value value = value_of(spec);
    text_append(ret, "complete -c dwclean -n '__dwclean_is");
    append_commands_of(spec, ret);
    text_append(ret, "'");
    if (spec->letter)
        text_printf(ret, " -s %c", spec->letter);
    text_printf(ret, " -l %s", spec->name);
    if (value == VALUE_FILE)
        text_append(ret, " -r -F");
    else if (value != VALUE_NONE)
        text_append(ret, may_be_left_out(spec) ? " -f" : " -x");
    if (value == VALUE_DIRECTORY)
        text_append(ret, " -a '(__fish_complete_directories)'");
    if (value == VALUE_ENVIRONMENT)
        text_append(ret, " -a '(__dwclean_names environments)'");
    if (value == VALUE_WORDS) {
        text_append(ret, " -a '");
        append_choices(spec, ret);
        text_append(ret, "'");
    }
    text_append(ret, " -d '");
    append_escaped(spec->help, "'\\", "\\", ret);
    text_append(ret, "'\n");
}

static void
append_fish_options(const void *ctx, struct text *ret)
{
    (void)ctx;
    each_option(append_fish_option, ret);
}

static void
append_fish_commands(const void *ctx, struct text *ret)
{
    (void)ctx;
    for (unsigned i = 0; i < COMMANDS; i++) {
        const struct command_spec *spec = command_spec((enum command)i);
        text_printf(ret, "complete -c dwclean -n '__dwclean_wants 0' -a %s -d '", spec->name);
        append_escaped(spec->summary, "'\\", "\\", ret);
        text_append(ret, "'\n");
    }
}

/** Lines for the word behind a command. */
static void
append_fish_operands(const void *ctx, struct text *ret)
{
    (void)ctx;
    for (unsigned i = 0; i < COMMANDS; i++) {
        const struct command_spec *spec = command_spec((enum command)i);
        TEXT_SCOPED words = {0};
        append_operand_words(spec, &words);
        if (words.used > 0)
            text_printf(ret, "complete -c dwclean -n '__dwclean_wants 1 %s' -a '%s'\n", spec->name,
                        text_string(&words));
    }
    text_append(ret, "complete -c dwclean -n '__dwclean_wants 1 ");
    append_commands_with("PLAN", " ", ret);
    text_append(ret, "' -F\ncomplete -c dwclean -n '__dwclean_wants 1 ");
    append_commands_with("RUN", " ", ret);
    text_append(ret, "' -a 'last (__dwclean_names runs)'\n");
}

/** Options with a value, as words of a list. */
static void
append_fish_takers(const void *ctx, struct text *ret)
{
    bool first = true;
    (void)ctx;
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (!spec->name || !spec->argument || may_be_left_out(spec))
            continue;
        text_append(ret, first ? "" : " ");
        append_names(spec, " ", ret);
        first = false;
    }
}

/* ---- scripts */

#define PARTS(array) array, sizeof(array) / sizeof((array)[0])

bool
completion_script(enum shell shell, struct text *ret, struct err *err)
{
    static const struct template_part bash[] = {
        {"COMMANDS", append_commands},           {"TOPICS", append_topics},
        {"OPTIONS", append_bash_options},        {"ALL_OPTIONS", append_bash_all_options},
        {"VALUES", append_bash_values},          {"OPERANDS", append_operands},
        {"PLAN_COMMANDS", append_plan_commands}, {"RUN_COMMANDS", append_run_commands},
    };
    static const struct template_part zsh[] = {
        {"COMMANDS", append_zsh_commands},
        {"COMMAND_NAMES", append_commands},
        {"TOPICS", append_topics},
        {"OPTIONS", append_zsh_options},
        {"TAKERS", append_takers},
        {"OPERANDS", append_operands},
        {"PLAN_COMMANDS", append_plan_commands},
        {"RUN_COMMANDS", append_run_commands},
    };
    static const struct template_part fish[] = {
        {"COMMANDS", append_fish_commands}, {"COMMAND_NAMES", append_commands},
        {"TOPICS", append_topics},          {"OPTIONS", append_fish_options},
        {"TAKERS", append_fish_takers},     {"OPERANDS", append_fish_operands},
    };
    assert((unsigned)shell < SHELLS && ret && err);
    if (shell == SHELL_BASH)
        return template_fill(completion_bash, PARTS(bash), NULL, ret, err);
    if (shell == SHELL_ZSH)
        return template_fill(completion_zsh, PARTS(zsh), NULL, ret, err);
    return template_fill(completion_fish, PARTS(fish), NULL, ret, err);
}

/* ---- names */

void
completion_environments(const struct config *config, struct text *ret)
{
    size_t count = 0;
    const struct config_environment *all = config_environments(config, &count);
    for (size_t i = 0; i < count; i++)
        text_printf(ret, "%s\n", all[i].name);
}

/** "20261122T071652Z-uat-1f2e": a shell must never find anything else here, whatever lies in the
 * directory. */
static int
is_run_name(const struct dirent *entry)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *name = entry->d_name;
    return name[strspn(name, plain)] == '\0' && name[0] >= '0' && name[0] <= '9' &&
           strspn(name, "0123456789") == 8 && name[8] == 'T';
}

static int
later_first(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*b)->d_name, (*a)->d_name);
}

bool
completion_runs(const char *runs_dir, struct text *ret, struct err *err)
{
    assert(runs_dir && ret && err);
    struct dirent **entries = NULL;
    const int count = scandir(runs_dir, &entries, is_run_name, later_first);
    if (count < 0 && errno != ENOENT)
        return err_errno(err, ERR_STORAGE, errno, "read the directory %s", runs_dir);
    for (int i = 0; i < count; i++) {
        if (i < COMPLETION_RUNS)
            text_printf(ret, "%s\n", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return text_ok(ret, err);
}

bool
completion_answer(const struct config *config, struct text *ret, struct err *err)
{
    assert(config && ret && err);
    const char *what = config_operand(config), *runs_dir = NULL;
    enum shell shell = SHELL_BASH;
    if (completion_shell(what, &shell))
        return completion_script(shell, ret, err);
    if (strcmp(what, "environments") == 0) {
        completion_environments(config, ret);
        return text_ok(ret, err);
    }
    if (strcmp(what, "runs") == 0)
        return config_runs_dir(config, &runs_dir, err) && completion_runs(runs_dir, ret, err);
    (void)err_set(err, ERR_USAGE, "there is no completion for \"%.40s\"", what);
    return err_hint(err, "usage: dwclean %s", command_spec(COMMAND_COMPLETION)->usage);
}
