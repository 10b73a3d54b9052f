#include "cli/help.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 80, LEFT = 34, LEFT_BYTES = 128 };

static const char *const titles[GROUPS] = {
    [GROUP_TARGET] = "Target", [GROUP_SIGNIN] = "Sign-in",     [GROUP_CONNECTION] = "Connection",
    [GROUP_SCOPE] = "Rows",    [GROUP_DECISION] = "Decisions", [GROUP_OUTPUT] = "Output",
};

void
help_program(struct text *ret)
{
    text_append(ret, "dwclean removes the dual-write rows of another environment from a restored\n"
                     "AxDB database and its Dataverse environment, and proves it.\n"
                     "\n"
                     "usage: dwclean COMMAND [OPTIONS]\n"
                     "\n");
    for (unsigned i = 0; i < COMMANDS; i++) {
        const struct command_spec *spec = command_spec((enum command)i);
        text_printf(ret, "  %-10s  %s\n", spec->name, spec->summary);
    }
    text_append(ret,
                "\n"
                "dwclean COMMAND --help shows the options of a command.\n"
                "\n"
                "Exit status: 0 done, or verified clean; 1 failed, nothing changed; 2 findings;\n"
                "3 incomplete; 4 refused by a guard; 5 plan stale; 6 outcome unknown; 10 cannot\n"
                "connect; 11 lock not obtained; 12 sign-in or permission; 13 backup or journal;\n"
                "14 server error; 64 usage; 78 configuration; 129, 130, 143 interrupted.\n");
}

/** "  -S, --server [tcp:]HOST[,PORT]" */
static void
show_left(const struct option_spec *spec, char ret[LEFT_BYTES])
{
    char letter[8] = "    ";
    if (spec->letter)
        (void)snprintf(letter, sizeof(letter), "-%c, ", spec->letter);
    (void)snprintf(ret, LEFT_BYTES, "  %s--%s%s%s", letter, spec->name, spec->argument ? " " : "",
                   spec->argument ? spec->argument : "");
}

/** `help` from column LEFT on, each word behind a blank, in lines of WIDTH. */
static void
show_right(const char *help, struct text *ret)
{
    size_t at = 0;
    while (*help) {
        const size_t size = strcspn(help, " ");
        if (at > 0 && LEFT + at + 1 + size > WIDTH) {
            text_printf(ret, "\n%*s", LEFT, "");
            at = 0;
        }
        text_append(ret, " ");
        text_append_bytes(ret, help, size);
        at += 1 + size;
        help += size + strspn(help + size, " ");
    }
    text_append(ret, "\n");
}

static void
show_option(const struct option_spec *spec, struct text *ret)
{
    char left[LEFT_BYTES];
    show_left(spec, left);
    text_printf(ret, "%-*s", LEFT, left);
    if (strlen(left) > LEFT)
        text_printf(ret, "\n%*s", LEFT, "");
    show_right(spec->help, ret);
}

/** Is it shown in the help of this command? */
static bool
is_shown(const struct option_spec *spec, enum option_group group, enum command command)
{
    return spec->group == group && spec->name && option_applies(spec, command);
}

static void
show_group(enum option_group group, enum command command, struct text *ret)
{
    bool titled = false;
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (!is_shown(spec, group, command))
            continue;
        if (!titled)
            text_printf(ret, "%s:\n", titles[group]);
        titled = true;
        show_option(spec, ret);
    }
}

/** An option of hardly any other command: it is what this one is about. */
static bool
is_own(const struct option_spec *spec)
{
    enum { FEW = 2 };
    return __builtin_popcount(spec->commands) <= FEW;
}

static bool
has_any(enum option_group group, enum command command)
{
    for (unsigned i = 0; i < OPTIONS; i++) {
        if (is_shown(option_spec((enum option_id)i), group, command))
            return true;
    }
    return false;
}

/** Names only but for the command's own; what they mean is in the topic: "Sign-in (dwclean help
 * sign-in): -U, -E, ..." */
static void
show_names(enum option_group group, enum command command, struct text *ret)
{
    size_t at = 0;
    if (!has_any(group, command))
        return;
    text_printf(ret, "%s (dwclean help %s):\n", titles[group], option_group_topic(group));
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (is_shown(spec, group, command) && is_own(spec))
            show_option(spec, ret);
    }
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        char name[LEFT_BYTES];
        if (!is_shown(spec, group, command) || is_own(spec))
            continue;
        (void)option_shown(spec, name, sizeof(name));
        text_append(ret, at > 0 ? "," : " ");
        if (at + strlen(name) + 4 > WIDTH) {
            text_append(ret, "\n ");
            at = 0;
        }
        text_printf(ret, " %s", name);
        at += strlen(name) + 2;
    }
    text_append(ret, at > 0 ? "\n" : "");
}

/** What the words behind the command are. */
static void
show_words(enum command command, struct text *ret)
{
    const struct command_spec *spec = command_spec(command);
    const char *operand = spec->operand ? spec->operand : "";
    if (strstr(operand, "PLAN"))
        text_append(ret, "PLAN: a file that dwclean plan has made\n");
    if (spec->operand_needed && strstr(operand, "RUN"))
        text_append(
            ret, "RUN: a run's name, the front of one, its directory, or \"last\": the run that\n"
                 "began last on this machine\n");
    if (command == COMMAND_ENV)
        text_append(
            ret, "list: the environments of the configuration file. show: every value that would\n"
                 "apply, and where it comes from; no secret. test: connects and signs in to both\n"
                 "sides, compares the pins, and reads nothing else that is reported.\n");
    if (command == COMMAND_EXPLAIN)
        text_append(
            ret, "TEXT: a message in quotes, or an id such as S05; without it, or as \"-\", it is\n"
                 "read from standard input; at a terminal every symptom that is known is listed.\n"
                 "A target is looked at if the command line names it: does it show the symptom?\n");
    if (command == COMMAND_COMPLETION)
        text_append(
            ret, "A package brings these scripts along. Without one, bash: source <(dwclean\n"
                 "completion bash); zsh: write it as _dwclean into a directory of fpath; fish:\n"
                 "dwclean completion fish | source. environments, runs (in place of a shell):\n"
                 "the names that the scripts ask for; no connection, no file of a run is read.\n");
    if (command == COMMAND_RESUME)
        text_append(ret, "--plan-id is the run's own: it stands in the run's report.\n");
}

void
help_command(enum command command, struct text *ret)
{
    const struct command_spec *spec = command_spec(command);
    const bool connects = option_applies(option_spec(OPT_SERVER), command);
    text_printf(ret, "usage: dwclean %s\n       %s\n", spec->usage, spec->summary);
    show_words(command, ret);
    for (unsigned i = GROUP_TARGET; i < GROUPS; i++) {
        const enum option_group group = (enum option_group)i;
        /* a command that connects nothing has room for all of its options */
        if (option_group_topic(group) && connects)
            show_names(group, command, ret);
        else
            show_group(group, command, ret);
    }
    if (connects)
        text_append(
            ret, spec->writes
                     ? "The target comes from the command line or --env, never from a variable.\n"
                 : command == COMMAND_EXPLAIN
                     ? "Other values than the target: DWCLEAN_*, SQLCMD*, AZURE_*, [defaults].\n"
                     : "Other values: DWCLEAN_*, SQLCMD*, AZURE_*, [env \"NAME\"], [defaults].\n");
}

void
help_group(enum option_group group, struct text *ret)
{
    text_printf(ret, "%s: %s\n", titles[group],
                group == GROUP_OUTPUT ? "reports, backups and messages"
                                      : "options of every command that connects");
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (spec->group == group && spec->name)
            show_option(spec, ret);
    }
    if (group == GROUP_SIGNIN)
        text_append(
            ret,
            "\n"
            "Secrets come from a variable (DWCLEAN_PASSWORD or SQLCMDPASSWORD,\n"
            "DWCLEAN_CLIENT_SECRET or AZURE_CLIENT_SECRET, DWCLEAN_TOKEN), from a file or a\n"
            "command named above, or from a prompt; never from the command line. A connection\n"
            "string (--connection-string-file, DWCLEAN_CONNECTION_STRING,\n"
            "DWCLEAN_DATAVERSE_CONNECTION_STRING) may bring them along.\n"
            "\n"
            "One way to sign in to Dataverse: a client secret, a client certificate, a\n"
            "federated token, a managed identity, a token of your own (file, command,\n"
            "DWCLEAN_TOKEN) or a device code. An option decides; else the variables do, in\n"
            "the order of azure-identity.\n");
    if (group == GROUP_OUTPUT)
        text_append(ret,
                    "\n"
                    "Which of them a command knows, its own help says. NO_COLOR and TERM=dumb are\n"
                    "obeyed, and the width of the terminal is used.\n");
}
