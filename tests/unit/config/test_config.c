#include "base/file.h"
#include "config/config.h"
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_WORDS = 40 };

static char folder[64], ini_path[128], secret_path[128];

/** A command line and an environment, each as one string with blanks between the words. */
struct call {
    struct config *config;
    struct err err;
    bool ok;
    char line[2048];
    char *words[MAX_WORDS];
    int count;
    char variables[2048];
    char value[512];
};

static const char *
fake_variable(void *ctx, const char *name)
{
    struct call *call = ctx;
    const size_t size = strlen(name);
    for (const char *p = call->variables; *p; p += strcspn(p, " "), p += strspn(p, " ")) {
        if (strncmp(p, name, size) != 0 || p[size] != '=')
            continue;
        (void)snprintf(call->value, sizeof(call->value), "%.*s", (int)strcspn(p + size + 1, " "),
                       p + size + 1);
        return call->value;
    }
    return NULL;
}

static void
load(struct call *call, const char *line, const char *variables)
{
    *call = (struct call){.config = config_new()};
    assert_non_null(call->config);
    (void)snprintf(call->line, sizeof(call->line), "dwclean %s", line);
    (void)snprintf(call->variables, sizeof(call->variables), "%s", variables);
    for (char *p = call->line; *p && call->count < MAX_WORDS - 1;) {
        call->words[call->count++] = p;
        p += strcspn(p, " ");
        if (*p)
            *p++ = '\0';
    }
    const struct config_input input = {.argc = call->count,
                                       .argv = call->words,
                                       .variable = fake_variable,
                                       .ctx = call,
                                       .system_file = "/nonexistent/config.ini"};
    call->ok = config_load(call->config, &input, &call->err);
}

static void
expect_fault(const char *line, const char *variables, enum err_code code, const char *says)
{
    struct call call;
    load(&call, line, variables);
    if (call.ok || call.err.code != code ||
        (!strstr(call.err.primary, says) && !strstr(call.err.hint, says) &&
         !strstr(call.err.detail, says)))
        fail_msg("dwclean %s [%s]: ok %d, code %d, %s; %s; %s", line, variables, call.ok,
                 (int)call.err.code, call.err.primary, call.err.detail, call.err.hint);
    config_free(call.config);
}

static void
expect_text(const char *line, const char *variables, enum option_id id, const char *text,
            const char *source)
{
    struct call call;
    load(&call, line, variables);
    if (!call.ok)
        fail_msg("dwclean %s: %s", line, call.err.primary);
    assert_string_equal(config_text(call.config, id), text);
    assert_string_equal(config_source(call.config, id), source);
    config_free(call.config);
}

static void
put_file(const char *path, const char *text, mode_t mode)
{
    (void)unlink(path);
    FILE_SCOPED fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
}

static const char ini_text[] = "[defaults]\n"
                               "user = default_user\n"
                               "server = default.example\n"
                               "query_timeout = 90\n"
                               "[env \"uat\"]\n"
                               "class = sandbox\n"
                               "server = sql01.example\n"
                               "database = AxDB\n"
                               "dataverse_url = https://uat.crm4.dynamics.com/\n"
                               "client_id = app-1\n"
                               "expect_org_id = org-1\n"
                               "application_intent = ReadOnly\n"
                               "[env \"half\"]\n"
                               "class = dev\n"
                               "server = sql02.example\n"
                               "database = AxDB\n";

static int
make_files(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/dwclean-test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(ini_path, sizeof(ini_path), "%s/config.ini", folder);
    (void)snprintf(secret_path, sizeof(secret_path), "%s/secret", folder);
    put_file(ini_path, ini_text, 0644);
    put_file(secret_path, "from-file\n", 0600);
    return 0;
}

static int
remove_files(void **state)
{
    (void)state;
    (void)unlink(ini_path);
    (void)unlink(secret_path);
    return rmdir(folder);
}

#define AXDB "-S sql01 -d AxDB -U u --axdb-only"
#define PLAN_ID "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
#define BOTH "-S sql01 -d AxDB -U u --dataverse-url https://a.crm.dynamics.com --client-id c"

/* ---- the command line */

static void
a_bare_call_and_help_ask_for_help_and_nothing_else(void **state)
{
    static const char *const lines[] = {"help", "--help", "-?", "verify --help", "help clean"};
    struct call call;
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        load(&call, lines[i], "DWCLEAN_FORMAT=nonsense");
        assert_true(call.ok);
        assert_true(config_help_asked(call.config));
        config_free(call.config);
    }
    call = (struct call){.config = config_new()};
    char name[] = "dwclean";
    char *argv[] = {name, NULL};
    const struct config_input input = {
        .argc = 1, .argv = argv, .variable = fake_variable, .ctx = &call};
    assert_true(config_load(call.config, &input, &call.err));
    assert_true(config_help_asked(call.config));
    config_free(call.config);

    load(&call, "--version", "");
    assert_true(call.ok && !config_help_asked(call.config));
    assert_int_equal(config_command(call.config), COMMAND_VERSION);
    config_free(call.config);
}

static void
a_wrong_command_line_is_told_with_the_way_on(void **state)
{
    (void)state;
    expect_fault("verfy", "", ERR_USAGE, "verify");
    expect_fault("appl", "", ERR_USAGE, "unknown command");
    expect_fault("apply", "", ERR_USAGE, "no PLAN is named");
    expect_fault("-S sql01", "", ERR_USAGE, "no command");
    expect_fault("verify extra", "", ERR_USAGE, "extra");
    expect_fault("verify " AXDB " --databse x", "", ERR_USAGE, "--database");
    expect_fault("verify " AXDB " --query", "", ERR_USAGE, "--query-timeout");
    expect_fault("verify " AXDB " --query 5", "", ERR_USAGE, "unknown option --query");
    expect_fault("verify --reason", "", ERR_USAGE, "--reason needs a value");
    expect_fault("verify " AXDB " --dataver=x", "", ERR_USAGE, "unknown option --dataver");
    expect_fault("verify " AXDB " -Q", "", ERR_USAGE, "a query");
    expect_fault("clean " AXDB " -S sql02", "", ERR_USAGE, "twice");
    expect_fault("verify -S", "", ERR_USAGE, "-S needs a value");
    expect_fault("verify --axdb-only=yes", "", ERR_USAGE, "takes no value");
    expect_fault("verify " AXDB " --yes", "", ERR_USAGE, "not an option of verify");
    expect_fault("clean " AXDB " -K ReadOnly", "", ERR_USAGE, "not an option of clean");
    expect_fault("verify " AXDB " --format xml", "", ERR_USAGE, "text, json");
    expect_fault("verify " AXDB " -a 512", "", ERR_USAGE, "4096..16383");
}

static void
refused_letters_say_why_and_never_show_a_password(void **state)
{
    static const char *const lines[] = {"verify " AXDB " -P hunter2", "verify " AXDB " -Phunter2",
                                        "verify " AXDB " --password=hunter2"};
    struct call call;
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        load(&call, lines[i], "");
        assert_false(call.ok);
        assert_int_equal(call.err.code, ERR_USAGE);
        assert_non_null(strstr(call.err.hint, "DWCLEAN_PASSWORD"));
        assert_null(strstr(call.err.primary, "hunter2"));
        config_free(call.config);
    }
    expect_fault("verify " AXDB " -G", "", ERR_USAGE, "Entra");
    expect_fault("verify " AXDB " -J cert.pem -C", "", ERR_USAGE, "exclude each other");
}

static void
sqlcmd_habits_work(void **state)
{
    struct call call;
    (void)state;
    load(&call,
         "verify -Stcp:SQL01,14330 -d AxDB -U u -N o -C -b -l 8 -t 20 -H ws -a 4096 -F sql01 "
         "--axdb-only",
         "");
    assert_true(call.ok);
    assert_string_equal(config_server(call.config)->host, "sql01");
    assert_int_equal(config_server(call.config)->port, 14330);
    assert_string_equal(config_text(call.config, OPT_ENCRYPT), "optional");
    assert_true(config_flag(call.config, OPT_TRUST));
    assert_int_equal(config_number(call.config, OPT_LOGIN_TIMEOUT), 8000);
    assert_int_equal(config_number(call.config, OPT_PACKET_SIZE), 4096);
    size_t notices = 0;
    const struct config_notice *notice = config_notices(call.config, &notices);
    assert_int_equal(notices, 2); /* optional encryption, no certificate check */
    assert_int_equal(notice[0].level, LOG_LEVEL_WARNING);
    assert_int_equal(notice[1].level, LOG_LEVEL_WARNING);
    config_free(call.config);

    load(&call, "verify -S sql01\\uat -d AxDB -U u --axdb-only -F name -J cert.pem -N strict", "");
    assert_true(call.ok);
    assert_string_equal(config_server(call.config)->instance, "UAT");
    assert_int_equal(config_server(call.config)->port, 0);
    assert_string_equal(config_text(call.config, OPT_CERTIFICATE_HOST), "name");
    assert_string_equal(config_text(call.config, OPT_SERVER_CERTIFICATE), "cert.pem");
    assert_string_equal(config_text(call.config, OPT_ENCRYPT), "strict");
    (void)config_notices(call.config, &notices);
    assert_int_equal(notices, 0);
    config_free(call.config);

    load(&call, "verify -N -C " AXDB, "");
    assert_true(call.ok);
    assert_string_equal(config_text(call.config, OPT_ENCRYPT), "mandatory");
    assert_true(config_flag(call.config, OPT_TRUST));
    config_free(call.config);

    load(&call, "clean -n " AXDB " --what-if", "");
    assert_true(call.ok && config_flag(call.config, OPT_DRY_RUN));
    config_free(call.config);
}

static void
the_last_of_two_values_counts(void **state)
{
    (void)state;
    expect_text("verify " AXDB " -U v -S sql02", "", OPT_USER, "v", "argv");
    expect_text("verify " AXDB " -U v -S sql02", "", OPT_SERVER, "sql02", "argv");
    expect_text("clean " AXDB " -S sql01 --max-lock-time 1s --max-lock-time 2s", "",
                OPT_MAX_LOCK_TIME, "2s", "argv");
}

static void
a_list_keeps_every_item(void **state)
{
    struct call call;
    size_t count = 0;
    (void)state;
    load(&call, "verify " BOTH " --allow-host a.example --allow-host=b.example", "");
    assert_true(call.ok);
    const char *const *hosts = config_list(call.config, OPT_ALLOW_HOST, &count);
    assert_int_equal(count, 2);
    assert_string_equal(hosts[0], "a.example");
    assert_string_equal(hosts[1], "b.example");
    config_free(call.config);
}

/* ---- halves */

static void
a_half_is_never_left_out_silently(void **state)
{
    struct call call;
    (void)state;
    expect_fault("verify", "", ERR_USAGE, "no target");
    expect_fault("verify -S sql01 -d AxDB -U u", "", ERR_USAGE, "--axdb-only");
    expect_fault("verify --dataverse-url https://a.crm.dynamics.com --client-id c", "", ERR_USAGE,
                 "--dataverse-only");
    expect_fault("verify -S sql01 --axdb-only -U u", "", ERR_USAGE, "-d is missing");
    expect_fault("verify -d AxDB --axdb-only -U u", "", ERR_USAGE, "-S is missing");
    expect_fault("verify -S sql01 -d AxDB --axdb-only", "", ERR_USAGE, "-U");
    expect_fault("verify " AXDB " -E", "", ERR_USAGE, "exclude");
    expect_fault("verify " BOTH " --axdb-only --dataverse-only", "", ERR_USAGE, "exclude");
    expect_fault("verify --dataverse-only --dataverse-url https://a.crm.dynamics.com", "",
                 ERR_USAGE, "--client-id");

    load(&call, "verify " BOTH, "");
    assert_true(call.ok && config_axdb(call.config) && config_dataverse(call.config));
    config_free(call.config);
    load(&call, "verify " BOTH " --axdb-only", "");
    assert_true(call.ok && config_axdb(call.config) && !config_dataverse(call.config));
    config_free(call.config);
}

/* ---- precedence */

static void
the_stronger_source_wins_and_is_remembered(void **state)
{
    char line[512], source[256];
    (void)state;
    (void)snprintf(line, sizeof(line), "verify --env uat --config %s", ini_path);
    (void)snprintf(source, sizeof(source), "[defaults] in %s:2", ini_path);
    expect_text(line, "", OPT_USER, "default_user", source);
    (void)snprintf(source, sizeof(source), "[env \"uat\"] in %s:7", ini_path);
    expect_text(line, "", OPT_SERVER, "sql01.example", source);
    expect_text(line, "SQLCMDUSER=tool", OPT_USER, "tool", "variable SQLCMDUSER");
    expect_text(line, "SQLCMDUSER=tool DWCLEAN_USER=own", OPT_USER, "own", "variable DWCLEAN_USER");
    expect_text(line, "", OPT_ENCRYPT, "mandatory", "built-in");
    (void)snprintf(line, sizeof(line), "verify --env uat --config %s -U me", ini_path);
    expect_text(line, "SQLCMDUSER=tool DWCLEAN_USER=own", OPT_USER, "me", "argv");
    /* the file by variable */
    (void)snprintf(line, sizeof(line), "DWCLEAN_CONFIG=%s", ini_path);
    (void)snprintf(source, sizeof(source), "[env \"uat\"] in %s:8", ini_path);
    expect_text("verify --env uat", line, OPT_DATABASE, "AxDB", source);
}

static void
the_login_and_kerberos_replace_each_other_by_strength(void **state)
{
    struct call call;
    (void)state;
    load(&call, "verify -S sql01 -d AxDB --axdb-only -E", "SQLCMDUSER=tool");
    assert_true(call.ok);
    assert_null(config_text(call.config, OPT_USER));
    assert_true(config_flag(call.config, OPT_INTEGRATED));
    config_free(call.config);
}

static void
a_bad_variable_or_file_is_a_fault_of_the_configuration(void **state)
{
    char line[512];
    (void)state;
    expect_fault("verify " AXDB, "SQLCMDPACKETSIZE=1", ERR_CONFIG, "variable SQLCMDPACKETSIZE");
    expect_fault("verify " AXDB, "DWCLEAN_CONFIG=/nonexistent/x.ini", ERR_CONFIG, "x.ini");
    expect_fault("verify --env uat", "", ERR_CONFIG, "no configuration file");
    (void)snprintf(line, sizeof(line), "verify --env prod --config %s", ini_path);
    expect_fault(line, "", ERR_CONFIG, "no [env \"prod\"]");
}

static void
the_file_is_searched_in_home_but_never_in_the_current_directory(void **state)
{
    char variables[256], home[160], config[192];
    char here[512];
    (void)state;
    (void)snprintf(home, sizeof(home), "%s/dwclean", folder);
    assert_int_equal(mkdir(home, 0700), 0);
    (void)snprintf(config, sizeof(config), "%s/config.ini", home);
    put_file(config, ini_text, 0600);
    (void)snprintf(variables, sizeof(variables), "XDG_CONFIG_HOME=%s", folder);
    (void)snprintf(here, sizeof(here), "[env \"uat\"] in %s:8", config);
    expect_text("verify --env uat", variables, OPT_DATABASE, "AxDB", here);
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir(home), 0);
    expect_fault("verify --env uat", "", ERR_CONFIG, "no configuration file");
    assert_int_equal(chdir(here), 0);
    (void)unlink(config);
    (void)rmdir(home);
}

/* ---- the target of a writing command */

static void
clean_takes_no_target_from_variables_or_defaults_and_says_so(void **state)
{
    char line[512];
    struct call call;
    size_t notices = 0;
    (void)state;
    (void)snprintf(line, sizeof(line), "clean --config %s -d AxDB -U u --axdb-only", ini_path);
    load(&call, line, "SQLCMDSERVER=other SQLCMDDBNAME=OtherDB SQLCMDUSER=tool");
    assert_false(call.ok);
    assert_int_equal(call.err.code, ERR_USAGE);
    assert_non_null(strstr(call.err.primary, "-S is missing"));
    const struct config_notice *notice = config_notices(call.config, &notices);
    assert_int_equal(notices, 3);
    assert_non_null(strstr(notice[0].text, "variable SQLCMDSERVER (other) is ignored"));
    assert_non_null(strstr(notice[1].text, "[defaults]"));
    assert_non_null(strstr(notice[2].text, "SQLCMDDBNAME"));
    config_free(call.config);

    /* verify may */
    load(&call, "verify -d AxDB -U u --axdb-only", "SQLCMDSERVER=other");
    assert_true(call.ok);
    assert_string_equal(config_server(call.config)->host, "other");
    config_free(call.config);

    /* the same value changes nothing: nothing to say */
    load(&call, "clean " AXDB, "SQLCMDSERVER=SQL01,1433 SQLCMDUSER=tool");
    assert_true(call.ok);
    (void)config_notices(call.config, &notices);
    assert_int_equal(notices, 0);
    config_free(call.config);
}

static void
another_target_than_the_named_environment_is_refused(void **state)
{
    static const char *const others[] = {
        "-S other",      "-d Other",    "--dataverse-url https://b.crm.dynamics.com",
        "--client-id x", "--class dev",
    };
    static const char *const variables[] = {"SQLCMDSERVER=other", "DWCLEAN_DATABASE=x",
                                            "AZURE_CLIENT_ID=x"};
    static const char *const commands[] = {"verify", "clean"};
    char line[512];
    struct call call;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < sizeof(others) / sizeof(others[0]); j++) {
            (void)snprintf(line, sizeof(line), "%s --env uat --config %s %s", commands[i], ini_path,
                           others[j]);
            expect_fault(line, "", ERR_REFUSED, "than --env names");
        }
        for (size_t j = 0; j < sizeof(variables) / sizeof(variables[0]); j++) {
            (void)snprintf(line, sizeof(line), "%s --env uat --config %s", commands[i], ini_path);
            expect_fault(line, variables[j], ERR_REFUSED, "than --env names");
        }
    }
    (void)snprintf(line, sizeof(line),
                   "clean --env uat --config %s -S tcp:SQL01.example,1433 -d axdb --dataverse-url "
                   "uat.crm4.dynamics.com",
                   ini_path);
    load(&call, line, "");
    assert_true(call.ok);
    assert_string_equal(config_text(call.config, OPT_CLASS), "sandbox");
    assert_string_equal(config_text(call.config, OPT_EXPECT_ORG_ID), "org-1");
    /* a key that this command does not have */
    assert_string_equal(config_text(call.config, OPT_APPLICATION_INTENT), "ReadWrite");
    config_free(call.config);
    (void)snprintf(line, sizeof(line), "clean --env half --config %s", ini_path);
    expect_fault(line, "", ERR_USAGE, "--axdb-only");
}

static void
decisions_are_complete_or_refused(void **state)
{
    (void)state;
    expect_fault("clean " AXDB " --rows-name-this-environment", "", ERR_USAGE, "--reason");
    expect_fault("clean " AXDB " --channels some", "", ERR_USAGE, "all");
    expect_fault("clean " AXDB " --plan-id 0123", "", ERR_USAGE, "64 hexadecimal digits");
    expect_fault("clean " AXDB " --plan-id=", "", ERR_USAGE, "empty");
    expect_fault("clean " AXDB " --plan-id " PLAN_ID "0", "", ERR_USAGE, "--plan-id");
    expect_text("clean " AXDB " --plan-id " PLAN_ID, "", OPT_PLAN_ID, PLAN_ID, "argv");
}

/* ---- commands about a run, and about one map */

static void
the_run_is_the_word_behind_the_command(void **state)
{
    static const char *const commands[] = {"undo", "resume", "export"};
    char line[512];
    struct call call;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const char *more = i == 2 ? "" : " " AXDB;
        (void)snprintf(line, sizeof(line), "%s%s", commands[i], more);
        expect_fault(line, "", ERR_USAGE, "no RUN is named");
        (void)snprintf(line, sizeof(line), "%s one two%s", commands[i], more);
        expect_fault(line, "", ERR_USAGE, "unexpected argument \"two\"");
        (void)snprintf(line, sizeof(line), "%s bad\x1b[2J%s", commands[i], more);
        expect_fault(line, "", ERR_USAGE, "control characters");
        (void)snprintf(line, sizeof(line), "%s 20261121T220000Z-uat-ab12%s", commands[i], more);
        load(&call, line, "");
        assert_true(call.ok);
        assert_string_equal(config_operand(call.config), "20261121T220000Z-uat-ab12");
        config_free(call.config);
        (void)snprintf(line, sizeof(line), "%s --help", commands[i]);
        load(&call, line, "");
        assert_true(call.ok && config_help_asked(call.config));
        config_free(call.config);
    }
    expect_fault("undo  " AXDB, "", ERR_USAGE, "RUN is empty");
}

static void
an_option_of_another_command_says_whose_it_is(void **state)
{
    (void)state;
    expect_fault("verify " AXDB " --dry-run", "", ERR_USAGE,
                 "--dry-run is an option of apply, clean, repair-map, undo, prune.");
    expect_fault("repair-map --map a:b " AXDB " --dataverse-only", "", ERR_USAGE,
                 "check, verify, plan, apply, clean, resume, undo");
    expect_fault("verify " AXDB " --fast", "", ERR_USAGE,
                 "--fast is an option of apply, clean, resume, undo, env.");
    expect_fault("export r -S sql01", "", ERR_USAGE, "-S is not an option of export");
    expect_fault("clean " AXDB " --merge", "", ERR_USAGE, "--merge is an option of undo.");
}

static void
an_export_needs_no_target_and_no_secret(void **state)
{
    struct call call;
    bool missing[CONFIG_SECRETS];
    const char *path = NULL;
    (void)state;
    load(&call, "export last --sql --out x.sql --runs-dir /srv/runs", "SQLCMDSERVER=other");
    assert_true(call.ok);
    assert_false(config_axdb(call.config) || config_dataverse(call.config));
    assert_true(config_read_secrets(call.config, missing, &call.err));
    assert_false(missing[CONFIG_PASSWORD] || missing[CONFIG_CLIENT_SECRET]);
    assert_true(config_runs_dir(call.config, &path, &call.err));
    assert_string_equal(path, "/srv/runs");
    config_free(call.config);
}

static void
commands_about_axdb_look_at_dataverse_when_it_is_named(void **state)
{
    static const char *const commands[] = {"undo r", "resume r", "repair-map --map a:b"};
    char line[512];
    struct call call;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(line, sizeof(line), "%s -S sql01 -d AxDB -U u", commands[i]);
        load(&call, line, "DWCLEAN_DATAVERSE_URL=https://a.crm.dynamics.com");
        assert_true(call.ok && config_axdb(call.config) && !config_dataverse(call.config));
        config_free(call.config);
        (void)snprintf(line, sizeof(line), "%s " BOTH, commands[i]);
        load(&call, line, "");
        assert_true(call.ok && config_axdb(call.config) && config_dataverse(call.config));
        config_free(call.config);
        (void)snprintf(line, sizeof(line), "%s " BOTH " --axdb-only", commands[i]);
        load(&call, line, "");
        assert_true(call.ok && config_axdb(call.config) && !config_dataverse(call.config));
        config_free(call.config);
        (void)snprintf(line, sizeof(line),
                       "%s --dataverse-url https://a.crm.dynamics.com --client-id c", commands[i]);
        expect_fault(line, "", ERR_USAGE, "-S is missing");
        (void)snprintf(line, sizeof(line), "%s", commands[i]);
        expect_fault(line, "SQLCMDSERVER=s", ERR_USAGE, "no target");
    }
    load(&call,
         "resume r --dataverse-only --dataverse-url https://a.crm.dynamics.com --client-id c", "");
    assert_true(call.ok && !config_axdb(call.config) && config_dataverse(call.config));
    config_free(call.config);
}

static void
explain_looks_at_what_the_command_line_names(void **state)
{
    char line[512];
    struct call call;
    size_t notices = 0;
    (void)state;
    load(&call, "explain text",
         "DWCLEAN_SERVER=s DWCLEAN_DATABASE=d DWCLEAN_DATAVERSE_URL=https://x.crm.dynamics.com");
    assert_true(call.ok);
    assert_false(config_axdb(call.config) || config_dataverse(call.config));
    (void)config_notices(call.config, &notices);
    assert_int_equal(notices, 2);
    config_free(call.config);
    /* the half is named; what else it needs may come from variables */
    load(&call, "explain text -S s", "DWCLEAN_DATABASE=d DWCLEAN_USER=u");
    assert_true(call.ok);
    assert_true(config_axdb(call.config));
    assert_false(config_dataverse(call.config));
    config_free(call.config);
    (void)snprintf(line, sizeof(line), "explain text --env uat --config %s", ini_path);
    load(&call, line, "");
    assert_true(call.ok);
    assert_true(config_axdb(call.config) && config_dataverse(call.config));
    config_free(call.config);
    expect_fault("explain text -S s -U u", "", ERR_USAGE, "-d is missing");
    expect_fault("explain two words", "", ERR_USAGE, "quotes");
}

static void
env_takes_a_word_and_a_name(void **state)
{
    char line[512];
    struct call call;
    (void)state;
    (void)snprintf(line, sizeof(line), "env show uat --config %s", ini_path);
    load(&call, line, "DWCLEAN_SERVER=other");
    assert_true(call.ok); /* shows what would be refused */
    assert_string_equal(config_operand(call.config), "show");
    assert_string_equal(config_text(call.config, OPT_ENV), "uat");
    assert_string_equal(config_setting(call.config, RANK_VARIABLE, OPT_SERVER)->text, "other");
    assert_int_equal(config_problem(call.config)->code, ERR_REFUSED);
    config_free(call.config);
    (void)snprintf(line, sizeof(line), "env test uat --config %s", ini_path);
    expect_fault(line, "DWCLEAN_SERVER=other", ERR_REFUSED, "than --env names");
    load(&call, line, "");
    assert_true(call.ok);
    assert_true(config_axdb(call.config) && config_dataverse(call.config));
    assert_null(config_problem(call.config));
    config_free(call.config);
    expect_fault("env", "", ERR_USAGE, "list|show|test");
    expect_fault("env list uat", "", ERR_USAGE, "unexpected argument");
    expect_fault("env show a b", "", ERR_USAGE, "unexpected argument");
    expect_fault("env look", "", ERR_USAGE, "knows no");
    expect_fault("env show a --env b", "", ERR_USAGE, "two environments");
    expect_fault("env test", "", ERR_USAGE, "no target");
}

static void
a_map_is_named_by_both_of_its_sides(void **state)
{
    struct call call;
    size_t count = 0;
    (void)state;
    expect_fault("repair-map " AXDB, "", ERR_USAGE, "--map is missing");
    expect_fault("repair-map " AXDB " --map accounts", "", ERR_USAGE, "INTERNAL:EXTERNAL");
    expect_fault("repair-map " AXDB " --map :accounts", "", ERR_USAGE, "INTERNAL:EXTERNAL");
    expect_fault("repair-map " AXDB " --map accounts:", "", ERR_USAGE, "INTERNAL:EXTERNAL");
    load(&call, "repair-map " AXDB " --map a:b --project p --project q --wrong-url-only", "");
    assert_true(call.ok);
    const char *const *projects = config_list(call.config, OPT_PROJECT, &count);
    assert_int_equal(count, 2);
    assert_string_equal(projects[1], "q");
    config_free(call.config);
}

/* ---- channels */

/** What the channels of `section` in the file and of the command line come to: a list, "all", "".
 */
static void
expect_channels(const char *key, const char *options, const char *channels)
{
    char line[512], text[512], path[160], found[256] = "";
    struct call call;
    size_t count = 0;
    (void)snprintf(path, sizeof(path), "%s/channels.ini", folder);
    (void)snprintf(text, sizeof(text), "[env \"uat\"]\nclass = sandbox\n%s\n", key);
    put_file(path, text, 0600);
    (void)snprintf(line, sizeof(line), "verify " AXDB " --env uat --config %s%s", path, options);
    load(&call, line, "");
    if (!call.ok)
        fail_msg("%s + %s: %s", key, options, call.err.primary);
    const char *const *names = config_list(call.config, OPT_CHANNEL, &count);
    for (size_t i = 0; i < count; i++) {
        const size_t used = strlen(found);
        (void)snprintf(found + used, sizeof(found) - used, "%s%s", i ? "|" : "", names[i]);
    }
    if (config_text(call.config, OPT_CHANNELS)) {
        assert_int_equal(count, 0);
        (void)snprintf(found, sizeof(found), "all");
    }
    assert_string_equal(found, channels);
    config_free(call.config);
    (void)unlink(path);
}

static void
channels_are_all_or_named_and_the_stronger_source_decides(void **state)
{
    (void)state;
    expect_channels("", "", "");
    expect_channels("", " --channel A --channel=B", "A|B");
    expect_channels("", " --channels all", "all");
    expect_channels("channels = all", "", "all");
    expect_channels("channels = Dual Write, other ,B", "", "Dual Write|other|B");
    expect_channels("channels = all", " --channel A", "A");
    expect_channels("channels = A, B", " --channels all", "all");
    expect_fault("verify " AXDB " --channel A --channels all", "", ERR_USAGE, "exclude each other");
    expect_fault("verify " AXDB " --channel ALL", "", ERR_USAGE, "--channels all");
    expect_fault("verify " AXDB " --channel=", "", ERR_USAGE, "empty");
    expect_fault("repair-map --map a:b " AXDB " --channel A", "", ERR_USAGE, "not an option of");
}

static void
expect_ini_fault(const char *lines, const char *says)
{
    char line[512], text[512], path[160];
    (void)snprintf(path, sizeof(path), "%s/fault.ini", folder);
    (void)snprintf(text, sizeof(text), "[defaults]\n%s\n", lines);
    put_file(path, text, 0600);
    (void)snprintf(line, sizeof(line), "verify " AXDB " --env uat --config %s", path);
    expect_fault(line, "", ERR_CONFIG, says);
    (void)unlink(path);
}

static void
scope_and_pins_belong_to_one_environment_and_are_checked_when_read(void **state)
{
    (void)state;
    expect_ini_fault("channels = all", "belongs into [env \"NAME\"]");
    expect_ini_fault("expect_database = AxDB", "belongs into [env \"NAME\"]");
    expect_ini_fault("expect_restored_after = 2026-11-20", "belongs into [env \"NAME\"]");
    expect_ini_fault("[env \"uat\"]\nclass = dev\nexpect_restored_after = 20.11.2026",
                     "without a zone");
    expect_ini_fault("[env \"uat\"]\nclass = dev\nchannels = all, A", "stands beside names");
}

/* ---- LCS */

static void
what_lcs_shows_names_server_and_database(void **state)
{
    struct call call;
    (void)state;
    load(&call, "verify --lcs -S spartan-srv\\db_d365 -U u --axdb-only", "");
    if (!call.ok)
        fail_msg("%s", call.err.primary);
    assert_string_equal(config_server(call.config)->host, "spartan-srv.database.windows.net");
    assert_string_equal(config_server(call.config)->instance, "");
    assert_string_equal(config_text(call.config, OPT_DATABASE), "db_d365");
    assert_string_equal(config_source(call.config, OPT_DATABASE), "argv");
    config_free(call.config);
    /* also for a command that takes its target from the command line alone */
    load(&call, "clean --lcs -S srv\\db -d DB -U u --axdb-only", "");
    assert_true(call.ok);
    config_free(call.config);
    expect_fault("clean --lcs -S srv\\db -d other -U u --axdb-only", "", ERR_USAGE,
                 "two databases");
    expect_fault("clean --lcs -S srv -U u --axdb-only", "", ERR_USAGE, "-d is missing");
}

/* ---- output after a fault */

static void
the_form_of_the_report_is_known_after_a_fault(void **state)
{
    struct call call;
    (void)state;
    load(&call, "verify --bogus --format json -o r.json", "");
    assert_false(call.ok);
    assert_string_equal(config_text(call.config, OPT_FORMAT), "json");
    assert_string_equal(config_text(call.config, OPT_OUTPUT), "r.json");
    config_free(call.config);
    load(&call, "verify --bogus", "DWCLEAN_FORMAT=json");
    assert_false(call.ok);
    assert_string_equal(config_text(call.config, OPT_FORMAT), "json");
    config_free(call.config);
}

/* ---- secrets */

static void
expect_secret(const char *line, const char *variables, const char *password)
{
    struct call call;
    bool missing[CONFIG_SECRETS];
    load(&call, line, variables);
    assert_true(call.ok);
    assert_true(config_read_secrets(call.config, missing, &call.err));
    assert_int_equal(missing[CONFIG_PASSWORD], password == NULL);
    assert_false(missing[CONFIG_CLIENT_SECRET]);
    if (password)
        assert_string_equal(secret_reveal(config_secret(call.config, CONFIG_PASSWORD)), password);
    else
        assert_null(config_secret(call.config, CONFIG_PASSWORD));
    assert_null(config_text(call.config, OPT_PASSWORD));
    config_free(call.config);
}

static void
secrets_come_from_variables_and_files_by_strength(void **state)
{
    char line[512];
    struct call call;
    bool missing[CONFIG_SECRETS];
    (void)state;
    expect_secret("verify " AXDB, "SQLCMDPASSWORD=tool", "tool");
    expect_secret("verify " AXDB, "SQLCMDPASSWORD=tool DWCLEAN_PASSWORD=own", "own");
    expect_secret("verify " AXDB, "", NULL);
    (void)snprintf(line, sizeof(line), "verify " AXDB " --password-file %s", secret_path);
    expect_secret(line, "DWCLEAN_PASSWORD=own", "from-file");
    (void)snprintf(line, sizeof(line), "DWCLEAN_PASSWORD_FILE=%s SQLCMDPASSWORD=tool", secret_path);
    expect_secret("verify " AXDB, line, "from-file");

    (void)snprintf(line, sizeof(line), "DWCLEAN_PASSWORD_FILE=%s DWCLEAN_PASSWORD=own",
                   secret_path);
    load(&call, "verify " AXDB, line);
    assert_true(call.ok);
    assert_false(config_read_secrets(call.config, missing, &call.err));
    assert_int_equal(call.err.code, ERR_CONFIG);
    config_free(call.config);

    load(&call, "verify --dataverse-only --dataverse-url https://a.crm.dynamics.com",
         "AZURE_CLIENT_ID=c AZURE_CLIENT_SECRET=s SQLCMDPASSWORD=x");
    assert_true(call.ok);
    assert_true(config_read_secrets(call.config, missing, &call.err));
    assert_string_equal(secret_reveal(config_secret(call.config, CONFIG_CLIENT_SECRET)), "s");
    assert_null(config_secret(call.config, CONFIG_PASSWORD)); /* not needed, so not read */
    config_free(call.config);
}

#define DATAVERSE                                                                                  \
    "verify --dataverse-only --dataverse-url https://a.crm.dynamics.com --client-id c "

/** Which certificate file is used with this line and these variables; NULL = the secret "s". */
static void
expect_certificate(const char *line, const char *variables, const char *certificate)
{
    struct call call;
    bool missing[CONFIG_SECRETS] = {true, true};
    load(&call, line, variables);
    assert_true(call.ok);
    assert_null(config_client_certificate(call.config));
    assert_true(config_read_secrets(call.config, missing, &call.err));
    assert_false(missing[CONFIG_CLIENT_SECRET]);
    if (certificate) {
        assert_string_equal(config_client_certificate(call.config), certificate);
        assert_null(config_secret(call.config, CONFIG_CLIENT_SECRET));
    } else {
        assert_null(config_client_certificate(call.config));
        assert_string_equal(secret_reveal(config_secret(call.config, CONFIG_CLIENT_SECRET)), "s");
    }
    config_free(call.config);
}

static void
expect_no_secrets(const char *line, const char *variables, enum err_code code, const char *why)
{
    struct call call;
    bool missing[CONFIG_SECRETS];
    load(&call, line, variables);
    assert_true(call.ok);
    assert_false(config_read_secrets(call.config, missing, &call.err));
    assert_int_equal(call.err.code, code);
    if (!strstr(call.err.primary, why))
        fail_msg("\"%s\" does not say: %s", call.err.primary, why);
    config_free(call.config);
}

static void
a_client_certificate_stands_in_the_secrets_place(void **state)
{
    char line[512], variables[512];
    (void)state;
    (void)snprintf(line, sizeof(line), DATAVERSE "--client-certificate %s", secret_path);
    expect_certificate(line, "", secret_path);
    expect_certificate(line, "DWCLEAN_CLIENT_SECRET=s", secret_path);
    (void)snprintf(variables, sizeof(variables), "AZURE_CLIENT_CERTIFICATE_PATH=%s", secret_path);
    expect_certificate(DATAVERSE, variables, secret_path);
    (void)snprintf(variables, sizeof(variables),
                   "AZURE_CLIENT_CERTIFICATE_PATH=%s DWCLEAN_CLIENT_SECRET=s", secret_path);
    expect_certificate(DATAVERSE, variables, NULL);
    (void)snprintf(variables, sizeof(variables),
                   "DWCLEAN_CLIENT_CERTIFICATE=%s AZURE_CLIENT_SECRET=s", secret_path);
    expect_certificate(DATAVERSE, variables, secret_path);
}

static void
certificate_and_secret_of_one_source_exclude_each_other(void **state)
{
    char line[512], variables[512];
    (void)state;
    (void)snprintf(variables, sizeof(variables),
                   "DWCLEAN_CLIENT_CERTIFICATE=%s DWCLEAN_CLIENT_SECRET=s", secret_path);
    expect_fault(DATAVERSE, variables, ERR_CONFIG, "DWCLEAN_CLIENT_CERTIFICATE exclude");
    /* What is stronger than both decides. */
    (void)snprintf(line, sizeof(line), DATAVERSE "--client-certificate %s", secret_path);
    expect_certificate(line, variables, secret_path);
    (void)snprintf(line, sizeof(line),
                   DATAVERSE "--client-certificate %s --client-secret-file other", secret_path);
    expect_fault(line, "", ERR_USAGE,
                 "--client-secret-file and --client-certificate exclude each other");
}

static void
a_certificate_file_is_the_owners_alone(void **state)
{
    char line[512];
    (void)state;
    expect_no_secrets(DATAVERSE "--client-certificate /nonexistent/x", "", ERR_CONFIG,
                      "/nonexistent/x");
    expect_no_secrets(DATAVERSE "--client-certificate /dev/null", "", ERR_CONFIG, "regular file");
    (void)snprintf(line, sizeof(line), DATAVERSE "--client-certificate %s", secret_path);
    assert_int_equal(chmod(secret_path, 0640), 0);
    expect_no_secrets(line, "", ERR_CONFIG, "mode 640");
    assert_int_equal(chmod(secret_path, 0600), 0);
}

static void
runs_are_kept_where_it_was_asked_for(void **state)
{
    struct call call;
    const char *path = NULL;
    (void)state;
    load(&call, "clean " AXDB " --runs-dir /srv/runs", "");
    assert_true(config_runs_dir(call.config, &path, &call.err));
    assert_string_equal(path, "/srv/runs");
    config_free(call.config);
    load(&call, "clean " AXDB " --runs-dir runs", "");
    assert_true(config_runs_dir(call.config, &path, &call.err));
    assert_int_equal(path[0], '/');
    config_free(call.config);
    load(&call, "clean " AXDB, "DWCLEAN_RUNS_DIR=runs");
    assert_false(config_runs_dir(call.config, &path, &call.err));
    assert_int_equal(call.err.code, ERR_CONFIG);
    config_free(call.config);
    load(&call, "clean " AXDB, "XDG_STATE_HOME=/state HOME=/home/me");
    assert_true(config_runs_dir(call.config, &path, &call.err));
    assert_string_equal(path, geteuid() == 0 ? "/var/lib/dwclean/runs" : "/state/dwclean/runs");
    config_free(call.config);
}

/* ---- several environments */

static void
expect_fleet(const char *line, const char *variables, size_t count, const char *first,
             int64_t deadline_ms)
{
    struct call call;
    size_t found = 0;
    load(&call, line, variables);
    if (!call.ok)
        fail_msg("dwclean %s: %s", line, call.err.primary);
    const struct config_environment *const *fleet = config_fleet(call.config, &found);
    assert_int_equal(found, count);
    if (count > 0) {
        assert_string_equal(fleet[0]->name, first);
        assert_int_equal(config_deadline_ms(call.config, fleet[0]), deadline_ms);
        /* nothing of one of them is known in the process that looks at all */
        assert_false(config_axdb(call.config) || config_dataverse(call.config));
    }
    config_free(call.config);
}

static void
several_environments_are_asked_for(void **state)
{
    char line[512];
    (void)state;
    /* [defaults] has query_timeout = 90 */
    (void)snprintf(line, sizeof(line), "verify --all --config %s", ini_path);
    expect_fleet(line, "", 2, "uat", 420000);
    expect_fleet(line, "DWCLEAN_QUERY_TIMEOUT=1 DWCLEAN_LOGIN_TIMEOUT=1", 2, "uat", 6000);
    expect_fleet(line, "DWCLEAN_DEADLINE=7s DWCLEAN_JOBS=3", 2, "uat", 7000);
    (void)snprintf(line, sizeof(line), "check --env half --env uat --deadline 90 --config %s",
                   ini_path);
    expect_fleet(line, "", 2, "half", 90000);
    (void)snprintf(line, sizeof(line), "verify --env uat --axdb-only --config %s", ini_path);
    expect_fleet(line, "DWCLEAN_DEADLINE=7s", 0, NULL, 0);
}

static void
what_is_true_of_one_target_is_refused_for_several(void **state)
{
    static const struct {
        const char *line, *variables;
        enum err_code code;
        const char *says;
    } faults[] = {
        {"verify --all --env uat", "", ERR_USAGE, "exclude each other"},
        {"verify --env uat --env half --env uat", "", ERR_USAGE, "given twice"},
        {"verify --all -S x", "", ERR_USAGE, "-S is true of one target"},
        {"verify --env uat --env half --client-id x", "", ERR_USAGE, "--client-id"},
        {"verify --all -F x", "", ERR_USAGE, "-F"},
        {"verify --all", "SQLCMDSERVER=x", ERR_CONFIG, "variable SQLCMDSERVER"},
        {"verify --all", "DWCLEAN_CONNECTION_STRING=x", ERR_CONFIG, "DWCLEAN_CONNECTION_STRING"},
        {"verify --env uat --jobs 3", "", ERR_USAGE, "for several environments"},
        {"clean --env uat --env half", "", ERR_USAGE, "about one environment"},
        {"clean --all", "", ERR_USAGE, "not an option of clean"},
        {"verify --env uat --env other", "", ERR_CONFIG, "has no [env \"other\"]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        char line[512];
        (void)snprintf(line, sizeof(line), "%s --config %s", faults[i].line, ini_path);
        expect_fault(line, faults[i].variables, faults[i].code, faults[i].says);
    }
}

static void
one_of_several_is_loaded_as_if_it_were_named_alone(void **state)
{
    char *argv[] = {(char[]){"dwclean"},    (char[]){"verify"},   (char[]){"--all"},
                    (char[]){"--jobs=3"},   (char[]){"--config"}, ini_path,
                    (char[]){"--axdb-only"}};
    struct call call = {.config = config_new()};
    const struct config_input input = {
        .argc = 7, .argv = argv, .variable = fake_variable, .ctx = &call, .environment = "half"};
    size_t count = 1;
    (void)state;
    if (!config_load(call.config, &input, &call.err))
        fail_msg("%s", call.err.primary);
    (void)config_fleet(call.config, &count);
    assert_int_equal(count, 0);
    assert_string_equal(config_text(call.config, OPT_ENV), "half");
    assert_string_equal(config_text(call.config, OPT_SERVER), "sql02.example");
    assert_string_equal(config_text(call.config, OPT_CLASS), "dev");
    config_free(call.config);
}

/** To go without encryption is for the command line: a command that writes takes it from nowhere
 * else. */
static void
a_variable_does_not_switch_encryption_off(void **state)
{
    static const struct {
        const char *line, *variable, *mode;
    } cases[] = {{"verify " AXDB, "DWCLEAN_ENCRYPT=disable", "disable"},
                 {"clean " AXDB, "DWCLEAN_ENCRYPT=disable", "mandatory"},
                 {"clean " AXDB, "DWCLEAN_ENCRYPT=strict", "strict"},
                 {"clean -N strict " AXDB, "DWCLEAN_ENCRYPT=optional", "strict"}};
    struct call call;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        load(&call, cases[i].line, cases[i].variable);
        assert_true(call.ok);
        assert_string_equal(config_text(call.config, OPT_ENCRYPT), cases[i].mode);
        config_free(call.config);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bare_call_and_help_ask_for_help_and_nothing_else),
        cmocka_unit_test(a_wrong_command_line_is_told_with_the_way_on),
        cmocka_unit_test(refused_letters_say_why_and_never_show_a_password),
        cmocka_unit_test(sqlcmd_habits_work),
        cmocka_unit_test(the_last_of_two_values_counts),
        cmocka_unit_test(a_list_keeps_every_item),
        cmocka_unit_test(a_half_is_never_left_out_silently),
        cmocka_unit_test(the_stronger_source_wins_and_is_remembered),
        cmocka_unit_test(the_login_and_kerberos_replace_each_other_by_strength),
        cmocka_unit_test(a_bad_variable_or_file_is_a_fault_of_the_configuration),
        cmocka_unit_test(the_file_is_searched_in_home_but_never_in_the_current_directory),
        cmocka_unit_test(clean_takes_no_target_from_variables_or_defaults_and_says_so),
        cmocka_unit_test(another_target_than_the_named_environment_is_refused),
        cmocka_unit_test(decisions_are_complete_or_refused),
        cmocka_unit_test(the_run_is_the_word_behind_the_command),
        cmocka_unit_test(an_option_of_another_command_says_whose_it_is),
        cmocka_unit_test(an_export_needs_no_target_and_no_secret),
        cmocka_unit_test(commands_about_axdb_look_at_dataverse_when_it_is_named),
        cmocka_unit_test(a_map_is_named_by_both_of_its_sides),
        cmocka_unit_test(explain_looks_at_what_the_command_line_names),
        cmocka_unit_test(env_takes_a_word_and_a_name),
        cmocka_unit_test(channels_are_all_or_named_and_the_stronger_source_decides),
        cmocka_unit_test(scope_and_pins_belong_to_one_environment_and_are_checked_when_read),
        cmocka_unit_test(what_lcs_shows_names_server_and_database),
        cmocka_unit_test(the_form_of_the_report_is_known_after_a_fault),
        cmocka_unit_test(secrets_come_from_variables_and_files_by_strength),
        cmocka_unit_test(a_client_certificate_stands_in_the_secrets_place),
        cmocka_unit_test(certificate_and_secret_of_one_source_exclude_each_other),
        cmocka_unit_test(a_certificate_file_is_the_owners_alone),
        cmocka_unit_test(runs_are_kept_where_it_was_asked_for),
        cmocka_unit_test(several_environments_are_asked_for),
        cmocka_unit_test(what_is_true_of_one_target_is_refused_for_several),
        cmocka_unit_test(one_of_several_is_loaded_as_if_it_were_named_alone),
        cmocka_unit_test(a_variable_does_not_switch_encryption_off),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
