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
show_group(enum option_group group, enum command command, struct text *ret)
{
    bool titled = false;
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        char left[LEFT_BYTES];
        if (spec->group != group || !spec->name || !option_applies(spec, command))
            continue;
        if (!titled)
            text_printf(ret, "%s:\n", titles[group]);
        titled = true;
        show_left(spec, left);
        text_printf(ret, "%-*s", LEFT, left);
        show_right(spec->help, ret);
    }
}

/** The rest as a paragraph: "-l TIME: to connect (30s); -t TIME: ..." */
static void
show_more(enum command command, struct text *ret)
{
    const char *lead = "More:";
    size_t at = strlen(lead);
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        char name[LEFT_BYTES], item[2 * LEFT_BYTES];
        if (spec->group != GROUP_MORE || !option_applies(spec, command))
            continue;
        (void)snprintf(item, sizeof(item), "%s%s%s: %s", option_shown(spec, name, sizeof(name)),
                       spec->argument ? " " : "", spec->argument ? spec->argument : "", spec->help);
        text_append(ret, at > strlen(lead) ? ";" : lead);
        if (at + 2 + strlen(item) > WIDTH - 1) {
            text_append(ret, "\n ");
            at = 1;
        }
        text_append(ret, " ");
        text_append(ret, item);
        at += 2 + strlen(item);
    }
    if (at > strlen(lead))
        text_append(ret, ".\n");
}

void
help_command(enum command command, struct text *ret)
{
    const struct command_spec *spec = command_spec(command);
    text_printf(ret, "usage: dwclean %s\n       %s\n", spec->usage, spec->summary);
    if (spec->operand && strstr(spec->operand, "PLAN"))
        text_append(ret, "PLAN: a file that dwclean plan has made\n");
    if (spec->operand_needed && strstr(spec->operand, "RUN"))
        text_append(
            ret, "RUN: a run's name, the front of one, its directory, or \"last\": the run that\n"
                 "began last on this machine\n");
    if (command == COMMAND_RESUME)
        text_append(ret, "--plan-id is the run's own: it stands in the run's report.\n");
    for (unsigned group = GROUP_TARGET; group < GROUP_MORE; group++)
        show_group((enum option_group)group, command, ret);
    show_more(command, ret);
    if (!option_applies(option_spec(OPT_SERVER), command))
        return;
    text_append(ret,
                "Secrets: DWCLEAN_PASSWORD or SQLCMDPASSWORD, DWCLEAN_CLIENT_SECRET or\n"
                "AZURE_CLIENT_SECRET, the files above, or a prompt; never the command line.\n");
    text_append(ret,
                spec->writes
                    ? "The target comes from the command line or --env, never from a variable.\n"
                    : "Other values: DWCLEAN_*, SQLCMD*, AZURE_*, [env \"NAME\"], [defaults].\n");
}
