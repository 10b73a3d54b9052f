/** --jit, --jit-ip and `axdb = jit`: what goes with them, and what contradicts. */
#include "config/config.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_WORDS = 40 };

static char ini_path[64];

struct call {
    struct config *config;
    struct err err;
    bool ok;
    char line[1024];
    char *words[MAX_WORDS];
    int count;
    const char *name, *value; /* the one variable */
};

static const char *
one_variable(void *ctx, const char *name)
{
    const struct call *call = ctx;

    return call->name && strcmp(name, call->name) == 0 ? call->value : NULL;
}

static void
load(struct call *call, const char *line, const char *name, const char *value)
{
    *call = (struct call){.config = config_new(), .name = name, .value = value};
    assert_non_null(call->config);
    (void)snprintf(call->line, sizeof call->line, "dwclean %s", line);
    for (char *p = call->line; *p && call->count < MAX_WORDS - 1;) {
        call->words[call->count++] = p;
        p += strcspn(p, " ");
        if (*p)
            *p++ = '\0';
    }
    const struct config_input input = {.argc = call->count,
                                       .argv = call->words,
                                       .variable = one_variable,
                                       .ctx = call,
                                       .system_file = "/nonexistent/config.ini"};
    call->ok = config_load(call->config, &input, &call->err);
}

#define DATAVERSE " --dataverse-url https://contoso-uat.crm4.dynamics.com --client-id c"

static void
expect_role(const char *line, const char *name, const char *value, enum jit_role role)
{
    struct call call;
    bool missing[CONFIG_SECRETS];

    load(&call, line, name, value);
    if (!call.ok)
        fail_msg("%s: %s; %s", line, call.err.primary, call.err.hint);
    assert_int_equal(config_jit(call.config), role);
    if (role != JIT_NONE) {
        assert_true(config_read_secrets(call.config, missing, &call.err));
        assert_false(missing[CONFIG_PASSWORD]);
        assert_true(missing[CONFIG_CLIENT_SECRET]);
        assert_null(config_text(call.config, OPT_USER));
    }
    config_free(call.config);
}

static void
expect_fault(const char *line, const char *name, const char *value, const char *says)
{
    struct call call;

    load(&call, line, name, value);
    if (call.ok || call.err.code != ERR_USAGE ||
        (!strstr(call.err.primary, says) && !strstr(call.err.hint, says)))
        fail_msg("%s: ok %d, code %d, %s; %s", line, call.ok, (int)call.err.code, call.err.primary,
                 call.err.hint);
    config_free(call.config);
}

static void
addresses_are_ipv4_ranges_and_cidr(void **state)
{
    static const char *const good[] = {"203.0.113.7",
                                       "203.0.113.7/32",
                                       "10.0.0.0/8",
                                       "203.0.113.1-203.0.113.9",
                                       "255.255.255.255",
                                       "203.0.113.7-203.0.113.7",
                                       "10.0.0.0-10.255.255.255"};
    static const char *const bad[] = {"",
                                      "0.0.0.0",
                                      "203.0.113",
                                      "203.0.113.256",
                                      "203.0.113.7/",
                                      "203.0.113.7/0",
                                      "203.0.113.7/7",
                                      "203.0.113.7/33",
                                      "203.0.113.7/08",
                                      "203.0.113.7/8x",
                                      "203.0.113.7/24/24",
                                      "203.0.113.9-203.0.113.1",
                                      "10.0.0.0-11.0.0.0",
                                      "1.0.0.0-223.255.255.255",
                                      "203.0.113.1-",
                                      "203.0.113.1-203.0.113.9-203.0.113.10",
                                      "203.0.113.1 ",
                                      "::1",
                                      "localhost",
                                      "203.0.113.1000000000000000000"};
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!jit_check_address(good[i], &err))
            fail_msg("%s: %s", good[i], err.primary);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (jit_check_address(bad[i], &err))
            fail_msg("%s", bad[i]);
        assert_int_equal(err.code, ERR_USAGE);
    }
}

static void
the_role_is_the_one_asked_for_or_follows_the_command(void **state)
{
    char line[256];

    (void)state;
    expect_role("verify --jit reader --jit-ip 203.0.113.7" DATAVERSE, NULL, NULL, JIT_READER);
    expect_role("verify --axdb-only --jit writer --jit-ip 203.0.113.7" DATAVERSE, NULL, NULL,
                JIT_WRITER);
    expect_role("clean -n --jit writer" DATAVERSE, "DWCLEAN_JIT_IP", "203.0.113.0/24", JIT_WRITER);
    expect_role("verify --dataverse-only" DATAVERSE, "DWCLEAN_JIT_IP", "203.0.113.7", JIT_NONE);
    (void)snprintf(line, sizeof line, "verify --config %s --env ude", ini_path);
    expect_role(line, NULL, NULL, JIT_READER);
    (void)snprintf(line, sizeof line, "clean --config %s --env ude", ini_path);
    expect_role(line, NULL, NULL, JIT_WRITER);
    (void)snprintf(line, sizeof line, "verify --config %s --env ude --jit writer", ini_path);
    expect_role(line, NULL, NULL, JIT_WRITER);
    (void)snprintf(line, sizeof line, "verify --config %s --env ude --dataverse-only", ini_path);
    expect_role(line, NULL, NULL, JIT_NONE);
    (void)snprintf(line, sizeof line, "verify --config %s --env own", ini_path);
    expect_role(line, NULL, NULL, JIT_NONE);
    (void)snprintf(line, sizeof line,
                   "verify --config %s --env own --jit reader --jit-ip 203.0.113.7", ini_path);
    expect_role(line, NULL, NULL, JIT_READER);
}

static void
what_contradicts_is_named(void **state)
{
    char line[256];

    (void)state;
    expect_fault("clean --jit reader --jit-ip 203.0.113.7" DATAVERSE, NULL, NULL, "writer");
    expect_fault("clean -n --jit reader --jit-ip 203.0.113.7" DATAVERSE, NULL, NULL, "dry run");
    expect_fault("verify --jit reader" DATAVERSE, NULL, NULL, "--jit-ip");
    expect_fault("verify --jit reader --jit-ip ::1" DATAVERSE, NULL, NULL, "IPv4");
    expect_fault("verify --jit-ip 203.0.113.7 -S s -d d -U u" DATAVERSE, NULL, NULL,
                 "without --jit");
    expect_fault("verify --jit owner --jit-ip 203.0.113.7" DATAVERSE, NULL, NULL, "writer");
    expect_fault("verify --jit reader --jit-ip 203.0.113.7 -S s -d d", NULL, NULL,
                 "--dataverse-url");
    expect_fault("verify --axdb-only --jit reader --jit-ip 203.0.113.7 -S s -d d", NULL, NULL,
                 "--axdb-only");
    expect_fault("verify --dataverse-only --jit reader --jit-ip 203.0.113.7" DATAVERSE, NULL, NULL,
                 "--dataverse-only");
    expect_fault("verify --jit reader --jit-ip 203.0.113.7 -U sa" DATAVERSE, NULL, NULL, "-U");
    expect_fault("verify --jit reader --jit-ip 203.0.113.7 -E" DATAVERSE, NULL, NULL, "-E");
    expect_fault("verify --jit reader --jit-ip 203.0.113.7 --password-file f" DATAVERSE, NULL, NULL,
                 "--password-file");
    expect_fault("verify --jit reader --jit-ip 203.0.113.7 --password-command f" DATAVERSE, NULL,
                 NULL, "--password-command");
    expect_fault("verify --jit reader --jit-ip 203.0.113.7" DATAVERSE, "DWCLEAN_PASSWORD", "p",
                 "DWCLEAN_PASSWORD");
    expect_fault("verify --jit reader --jit-ip 203.0.113.7" DATAVERSE, "SQLCMDUSER", "sa",
                 "SQLCMDUSER");
    (void)snprintf(line, sizeof line, "verify --config %s --env ude -U sa", ini_path);
    expect_fault(line, NULL, NULL, "-U");
    (void)snprintf(line, sizeof line, "verify --config %s --env both", ini_path);
    expect_fault(line, NULL, NULL, "-U ([env \"both\"]");
}

static void
a_target_of_a_writing_command_needs_no_server(void **state)
{
    struct call call;

    (void)state;
    load(&call, "clean --jit writer --jit-ip 203.0.113.7" DATAVERSE, "SQLCMDSERVER", "elsewhere");
    assert_true(call.ok);
    assert_true(config_axdb(call.config) && config_dataverse(call.config));
    assert_string_equal(config_server(call.config)->host, "");
    assert_null(config_text(call.config, OPT_DATABASE));
    config_free(call.config);
}

static int
write_ini(void **state)
{
    static const char text[] =
        "[defaults]\nuser = somebody\nclient_id = c\n"
        "[env \"ude\"]\nclass = sandbox\naxdb = jit\njit_ip = 203.0.113.7\n"
        "dataverse_url = https://contoso-ude.crm4.dynamics.com\n"
        "[env \"own\"]\nclass = sandbox\nserver = s\ndatabase = d\nuser = u\n"
        "dataverse_url = https://contoso-uat.crm4.dynamics.com\n"
        "[env \"both\"]\nclass = sandbox\naxdb = jit\njit_ip = 203.0.113.7\n"
        "user = u\n"
        "dataverse_url = https://contoso-uat.crm4.dynamics.com\n";
    FILE *file = NULL;

    (void)state;
    (void)snprintf(ini_path, sizeof ini_path, "/tmp/dwclean-jit-%ld.ini", (long)getpid());
    file = fopen(ini_path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        return -1;
    return 0;
}

static int
remove_ini(void **state)
{
    (void)state;
    return unlink(ini_path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_ipv4_ranges_and_cidr),
        cmocka_unit_test(the_role_is_the_one_asked_for_or_follows_the_command),
        cmocka_unit_test(what_contradicts_is_named),
        cmocka_unit_test(a_target_of_a_writing_command_needs_no_server),
    };

    return cmocka_run_group_tests(tests, write_ini, remove_ini);
}
