#include "cli/manual.h"

#include "cli/template.h"
#include "config/option.h"

#include <assert.h>
#include <string.h>

enum { MAX_STATUS = 255, COMMANDS_BYTES = 256 };

/* ---- language of man(7) */

/** What roff would take for something else: an escape, a request at the start of a line, another
 * quote or dash. */
static const char *
roff_of(char letter, bool first)
{
    switch (letter) {
    case '\\':
        return "\\(rs";
    case '-':
        return "\\-";
    case '\'':
        return "\\(aq";
    case '"':
        return "\\(dq";
    case '`':
        return "\\(ga";
    case '^':
        return "\\(ha";
    case '~':
        return "\\(ti";
    case '.':
        return first ? "\\&." : NULL;
    default:
        return NULL;
    }
}

static void
append_roff(const char *text, size_t size, struct text *ret)
{
    for (size_t i = 0; i < size; i++) {
        const char *roff = roff_of(text[i], i == 0);
        text_append_bytes(ret, roff ? roff : text + i, roff ? strlen(roff) : 1);
    }
}

static void
append_plain(const char *text, struct text *ret)
{
    append_roff(text, strlen(text), ret);
}

static void
append_bold(const char *text, size_t size, struct text *ret)
{
    text_append(ret, "\\fB");
    append_roff(text, size, ret);
    text_append(ret, "\\fR");
}

static void
append_italic(const char *text, struct text *ret)
{
    text_append(ret, "\\fI");
    append_plain(text, ret);
    text_append(ret, "\\fR");
}

/** A text of the tables as a sentence in a line of its own. */
static void
append_sentence(const char *text, struct text *ret)
{
    const size_t size = strlen(text);
    append_plain(text, ret);
    text_append(ret, size > 0 && strchr(".?", text[size - 1]) ? "\n" : ".\n");
}

/** "--server" or "-S, --server", in bold. */
static void
append_option_name(const struct option_spec *spec, struct text *ret)
{
    if (spec->letter) {
        append_bold((const char[]){'-', spec->letter}, 2, ret);
        text_append(ret, ", ");
    }
    text_append(ret, "\\fB\\-\\-");
    append_plain(spec->name, ret);
    text_append(ret, "\\fR");
}

/** Names with commas between them, in bold. */
static void
append_bold_list(const char *names, struct text *ret)
{
    while (*names) {
        const size_t size = strcspn(names, ",");
        append_bold(names, size, ret);
        names += size;
        if (*names) {
            text_append(ret, ", ");
            names++;
        }
    }
}

/* ---- what a value may be */

/** "mandatory (m), optional (o), disable": each choice with its other spellings. */
static void
append_choices(const char *values, struct text *ret)
{
    for (const char *p = values; *p;) {
        const size_t whole = strcspn(p, "|"), size = strcspn(p, "|,");
        append_bold(p, size, ret);
        if (size < whole) {
            text_append(ret, " (");
            append_roff(p + size + 1, whole - size - 1, ret);
            text_append(ret, ")");
        }
        p += whole;
        if (*p) {
            text_append(ret, ", ");
            p++;
        }
    }
}

static void
append_values(const struct option_spec *spec, struct text *ret)
{
    const char *dots = NULL;
    if (spec->kind == OPTION_CHOICE) {
        text_append(ret, "One of: ");
        append_choices(spec->values, ret);
        text_append(ret, ".\n");
    }
    if (spec->kind == OPTION_NUMBER || spec->kind == OPTION_DURATION)
        dots = strstr(spec->values, "..");
    if (dots) {
        text_append(ret, "From ");
        append_roff(spec->values, (size_t)(dots - spec->values), ret);
        text_append(ret, " to ");
        append_sentence(dots + 2, ret);
    }
}

static void
append_default(const struct option_spec *spec, struct text *ret)
{
    if (!spec->builtin)
        return;
    text_append(ret, "Default: ");
    append_sentence(spec->builtin, ret);
}

/* ---- commands */

static void
append_commands(const void *ctx, struct text *ret)
{
    (void)ctx;
    for (unsigned i = 0; i < COMMANDS; i++) {
        const struct command_spec *spec = command_spec((enum command)i);
        text_append(ret, ".TP\n");
        append_bold(spec->name, strlen(spec->name), ret);
        text_append(ret, "\ndwclean ");
        append_plain(spec->usage, ret);
        text_append(ret, "\n.br\n");
        append_sentence(spec->summary, ret);
        if (spec->writes)
            text_append(ret, "Changes the target.\n");
    }
}

/* ---- options */

static void
append_traits(const struct option_spec *spec, struct text *ret)
{
    if (spec->traits & OPTION_IS_TARGET)
        text_append(ret, "A command that changes the target takes it from the command line or from "
                         "\\fB\\-\\-env\\fR, never from a variable.\n");
    if (spec->traits & OPTION_IS_PINNED)
        text_append(ret, "With \\fB\\-\\-env\\fR, another value is refused.\n");
}

/** Whose option it is, where it is not one of every command that connects. */
static void
append_whose(const struct option_spec *spec, struct text *ret)
{
    char commands[COMMANDS_BYTES];
    const unsigned all = (1u << COMMANDS) - 1;
    if (spec->commands == option_spec(OPT_SERVER)->commands || spec->commands == all)
        return;
    text_append(ret, ".br\nCommands: ");
    append_sentence(option_commands(spec, commands, sizeof(commands)), ret);
}

/** Where else its value may come from. */
static void
append_origins(const struct option_spec *spec, struct text *ret)
{
    if (spec->variables || spec->ini)
        text_append(ret, ".br\n");
    if (spec->variables) {
        text_append(ret, strchr(spec->variables, ',') ? "Variables: " : "Variable: ");
        append_bold_list(spec->variables, ret);
        text_append(ret, ".\n");
    }
    if (spec->ini) {
        text_append(ret, "Key: ");
        append_bold(spec->ini, strlen(spec->ini), ret);
        text_append(ret, ".\n");
    }
}

static void
append_option(const struct option_spec *spec, struct text *ret)
{
    text_append(ret, ".TP\n");
    append_option_name(spec, ret);
    if (spec->argument) {
        text_append(ret, " ");
        append_italic(spec->argument, ret);
    }
    text_append(ret, "\n");
    append_sentence(spec->help, ret);
    append_values(spec, ret);
    append_default(spec, ret);
    append_traits(spec, ret);
    append_origins(spec, ret);
    append_whose(spec, ret);
}

static void
append_options(const void *ctx, struct text *ret)
{
    static const char *const titles[GROUPS] = {[GROUP_NONE] = "More",
                                               [GROUP_TARGET] = "Target",
                                               [GROUP_SIGNIN] = "Sign-in",
                                               [GROUP_CONNECTION] = "Connection",
                                               [GROUP_SCOPE] = "Which rows",
                                               [GROUP_DECISION] = "Decisions",
                                               [GROUP_OUTPUT] = "Output and files"};
    (void)ctx;
    for (unsigned i = 0; i < GROUPS; i++) {
        const unsigned group = (i + 1) % GROUPS; /* those of no group last */
        text_printf(ret, ".SS %s\n", titles[group]);
        for (unsigned j = 0; j < OPTIONS; j++) {
            const struct option_spec *spec = option_spec((enum option_id)j);
            if (spec->group == (enum option_group)group && spec->name &&
                spec->kind != OPTION_REFUSED)
                append_option(spec, ret);
        }
    }
}

/** What sqlcmd has and dwclean has not: refused by name, then letter by letter. */
static void
append_sqlcmd(const void *ctx, struct text *ret)
{
    const struct sqlcmd_letter *known;
    (void)ctx;
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (spec->kind != OPTION_REFUSED)
            continue;
        text_append(ret, ".TP\n");
        append_option_name(spec, ret);
        text_append(ret, "\nRefused: ");
        append_sentence(spec->help, ret);
        append_sentence(spec->values, ret);
    }
    for (size_t i = 0; (known = option_sqlcmd(i)); i++) {
        text_append(ret, ".TP\n");
        append_bold((const char[]){'-', known->letter}, 2, ret);
        text_append(ret, "\n(");
        append_plain(known->meaning, ret);
        text_append(ret, ")\n");
        append_sentence(known->hint, ret);
    }
}

/* ---- environment */

static void
append_variables_of(const struct option_spec *spec, struct text *ret)
{
    const char *macro = ".TP\n";
    for (const char *p = spec->variables; *p;) {
        const size_t size = strcspn(p, ",");
        text_append(ret, macro);
        append_bold(p, size, ret);
        text_append(ret, "\n");
        macro = ".TQ\n";
        p += size + (p[size] ? 1 : 0);
    }
    if (spec->name) {
        text_append(ret, "As ");
        append_option_name(spec, ret);
        text_append(ret, ":\n");
    }
    append_sentence(spec->help, ret);
    if (spec->kind == OPTION_FLAG)
        text_append(ret, "\\fByes\\fR or \\fBno\\fR.\n");
}

static void
append_variables(const void *ctx, struct text *ret)
{
    (void)ctx;
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (spec->variables && spec->kind != OPTION_SECRET)
            append_variables_of(spec, ret);
    }
}

static void
append_secrets(const void *ctx, struct text *ret)
{
    (void)ctx;
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (spec->variables && spec->kind == OPTION_SECRET)
            append_variables_of(spec, ret);
    }
}

/* ---- exit statuses */

/** Those that no error has. */
static const struct {
    int status;
    const char *meaning;
} outcomes[] = {
    {0, "done and verified, verified clean, a plan written, or a dry run made"},
    {2, "findings: rows of another environment, or a mismatch, even if the other side could not "
        "be read; plan --detailed-exitcode: there is something to do"},
    {129, "interrupted by SIGHUP before anything durable changed"},
    {143, "interrupted by SIGTERM before anything durable changed"},
};

static void
append_status(int status, struct text *ret)
{
    TEXT_SCOPED meaning = {0};
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        if (outcomes[i].status == status)
            append_sentence(outcomes[i].meaning, &meaning);
    }
    for (unsigned i = 0; i < ERR_CODES; i++) {
        const enum err_code code = (enum err_code)i;
        if (code == ERR_NONE || err_exit_status(code) != status)
            continue;
        append_bold(err_name(code), strlen(err_name(code)), &meaning);
        text_append(&meaning, ": ");
        append_sentence(err_meaning(code), &meaning);
        text_append(&meaning, ".br\n");
    }
    if (meaning.used > 0)
        text_printf(ret, ".TP\n\\fB%d\\fR\n%s", status, text_string(&meaning));
}

static void
append_statuses(const void *ctx, struct text *ret)
{
    (void)ctx;
    for (int status = 0; status <= MAX_STATUS; status++)
        append_status(status, ret);
}

/* ---- keys of the configuration file */

static void
append_key(const struct option_spec *spec, struct text *ret)
{
    const char *value = spec->argument ? spec->argument : "VALUE";
    text_append(ret, ".TP\n");
    append_bold(spec->ini, strlen(spec->ini), ret);
    text_append(ret, " = ");
    if (spec->kind == OPTION_FLAG)
        text_append(ret, "\\fByes\\fR|\\fBno\\fR");
    else
        append_italic(value, ret);
    if (spec->kind == OPTION_LIST) {
        text_append(ret, ", ");
        append_italic(value, ret);
        text_append(ret, ", ...");
    }
    text_append(ret, "\n");
    append_sentence(spec->help, ret);
    append_values(spec, ret);
    if (spec->id == OPT_CLASS) /* its default is for a command line without a file */
        text_append(ret, "Required.\n");
    else
        append_default(spec, ret);
    if (spec->name) {
        text_append(ret, "As ");
        append_option_name(spec, ret);
        text_append(ret, ".\n");
    }
    if (spec->traits & OPTION_IS_SECTION_ONLY)
        text_append(ret, "Only in [env \\(dqNAME\\(dq].\n");
}

static void
append_keys(const void *ctx, struct text *ret)
{
    (void)ctx;
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (spec->ini)
            append_key(spec, ret);
    }
}

/* ---- pages */

static void
append_version(const void *ctx, struct text *ret)
{
    const struct manual_about *about = ctx;
    text_append(ret, about->version);
}

static void
append_date(const void *ctx, struct text *ret)
{
    const struct manual_about *about = ctx;
    text_append(ret, about->date);
}

#define PARTS(array) array, sizeof(array) / sizeof((array)[0])

bool
manual_write(enum manual_page page, const char *template, const struct manual_about *about,
             struct text *ret, struct err *err)
{
    static const struct template_part command[] = {
        {"DATE", append_date},           {"VERSION", append_version}, {"COMMANDS", append_commands},
        {"OPTIONS", append_options},     {"SQLCMD", append_sqlcmd},   {"STATUSES", append_statuses},
        {"VARIABLES", append_variables}, {"SECRETS", append_secrets},
    };
    static const struct template_part config[] = {
        {"DATE", append_date},
        {"VERSION", append_version},
        {"KEYS", append_keys},
    };
    assert(template && about && ret && err);
    return page == MANUAL_COMMAND ? template_fill(template, PARTS(command), about, ret, err)
                                  : template_fill(template, PARTS(config), about, ret, err);
}
