#include "base/secret.h"
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 64, VARIABLES_MAX = 32 };

/** Variables that held a secret. They belong to the process, as its environment does. */
static struct taken_variable {
    char name[NAME_BYTES];
    struct secret value;
} taken[VARIABLES_MAX];
static size_t taken_count;

/** Without memory it stays where it is, to be read there. */
static void
take_variable(const char *name)
{
    char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): one thread */
    struct err ignored;
    if (!value || taken_count == VARIABLES_MAX)
        return;
    struct taken_variable *variable = &taken[taken_count];
    if (!secret_set(&variable->value, value, strlen(value), &ignored))
        return;
    (void)snprintf(variable->name, sizeof(variable->name), "%s", name);
    taken_count++;
    secret_clear_memory(value, strlen(value));
    (void)unsetenv(name); /* NOLINT(concurrency-mt-unsafe) */
}

void
program_take_secret_variables(void)
{
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (spec->kind != OPTION_SECRET)
            continue;
        for (const char *p = spec->variables; *p;) {
            char name[NAME_BYTES];
            const size_t size = strcspn(p, ",");
            (void)snprintf(name, sizeof(name), "%.*s", (int)size, p);
            take_variable(name);
            p += size + (p[size] ? 1 : 0);
        }
    }
}

const char *
program_variable(const char *name)
{
    for (size_t i = 0; i < taken_count; i++) {
        if (strcmp(taken[i].name, name) == 0)
            return secret_reveal(&taken[i].value);
    }
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): one thread */
}

void
program_forget_secret_variables(void)
{
    for (size_t i = 0; i < taken_count; i++)
        secret_wipe(&taken[i].value);
    taken_count = 0;
}

/** Ask for a secret and keep it; `question` says whose. */
static bool
ask_at_terminal(struct program *program, enum config_secret which, const char *question,
                struct err *err)
{
    char answer[TERMINAL_SECRET_BYTES];
    if (!terminal_ask_secret(&program->terminal, question, answer, err))
        return false;
    const bool ok = config_give_secret(program->config, which, answer, strlen(answer), err);
    secret_clear_memory(answer, sizeof(answer));
    return ok;
}

/** The password of a certificate that has one; without a terminal its use says what to do. */
static bool
ask_certificate_password(struct program *program, struct err *err)
{
    const struct config *config = program->config;
    char question[512];
    bool wanted = false;
    if (!config_client_certificate(config) || config_secret(config, CONFIG_CERTIFICATE_PASSWORD) ||
        !program->terminal.op.present || !program->adapters->certificate_wants_password)
        return true;
    if (!program->adapters->certificate_wants_password(config, &wanted, err))
        return false;
    (void)snprintf(question, sizeof(question),
                   "Password of %.400s: ", config_client_certificate(config));
    return !wanted || ask_at_terminal(program, CONFIG_CERTIFICATE_PASSWORD, question, err);
}

/** A code is to be entered by a person: who waits for one where nobody sees it waits in vain. */
static bool
check_device_code(const struct program *program, struct err *err)
{
    if (config_sign_in(program->config)->kind != SIGN_IN_DEVICE_CODE ||
        program->terminal.op.present)
        return true;
    (void)err_set(err, ERR_USAGE, "a device code wants a terminal");
    return err_hint(err, "Without one sign in with a client certificate, --managed-identity or "
                         "--token-command.");
}

/** Which way is used, and who said so. */
static void
tell_sign_in(struct program *program)
{
    const struct sign_in *sign_in = config_sign_in(program->config);
    char line[512];
    if (!config_dataverse(program->config) && config_jit(program->config) == JIT_NONE)
        return;
    (void)snprintf(line, sizeof(line), "sign-in to Dataverse: %s (%s)", sign_in_name(sign_in->kind),
                   sign_in->source ? sign_in->source : "asked at the terminal");
    program->console.observer.say(
        &program->console.observer,
        config_command(program->config) == COMMAND_CHECK ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, line);
}

static void
say_debug(void *ctx, const char *line)
{
    struct program *program = ctx;
    program->console.observer.say(&program->console.observer, LOG_LEVEL_DEBUG, line);
}

static bool
ask_secret(struct program *program, enum config_secret which, struct err *err)
{
    const bool password = which == CONFIG_PASSWORD;
    char question[512];
    if (!program->terminal.op.present) {
        (void)err_set(err, ERR_CONFIG,
                      password ? "no password for login %s" : "no client secret for application %s",
                      config_text(program->config, password ? OPT_USER : OPT_CLIENT_ID));
        return err_hint(err, password ? "Set DWCLEAN_PASSWORD or SQLCMDPASSWORD, or pass "
                                        "--password-file FILE."
                                      : "Set DWCLEAN_CLIENT_SECRET or AZURE_CLIENT_SECRET, or pass "
                                        "--client-secret-file FILE, --client-certificate FILE or "
                                        "another way to sign in.");
    }
    (void)snprintf(question, sizeof(question),
                   password ? "Password of login %s: " : "Client secret of application %s: ",
                   config_text(program->config, password ? OPT_USER : OPT_CLIENT_ID));
    return ask_at_terminal(program, which, question, err);
}

bool
program_get_secrets(struct program *program, struct err *err)
{
    bool missing[CONFIG_SECRETS];
    const bool read = config_read_secrets(program->config, missing, err);
    program_forget_secret_variables();
    if (!read || !check_device_code(program, err) ||
        !config_run_commands(program->config, say_debug, program, err))
        return false;
    for (unsigned i = 0; i < CONFIG_SECRETS; i++) {
        if (missing[i] && !ask_secret(program, (enum config_secret)i, err))
            return false;
    }
    if (!ask_certificate_password(program, err))
        return false;
    tell_sign_in(program);
    return true;
}
