/** dwclean-sandbox: wires the servers together, seeds them, says where they are and waits to be
 * ended. */
#include "common/control.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/pki.h"
#include "dataverse/service.h"
#include "tds/browser.h"
#include "tds/server.h"
#include "tsql/engine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { KEPT_BYTES = 128 * 1024 * 1024 };
enum { WHY_BYTES = 8192, PATH_BYTES = 4096, SEED_MAX_BYTES = 64 * 1024 * 1024 };
enum { ROWS_MAX = 10000000, DATAVERSE_ROWS_MAX = 100000 };

/** The password of every login of the stand-in; it protects nothing. */
#define PASSWORD "Sandbox-Passw0rd!"

struct options {
    const char *seed, *directory, *fixtures, *certificate, *log, *browser, *database;
    const char *dataverse_certificate; /* NULL = as certificate */
    enum tds_encryption encryption;
    double time_scale;
    int64_t rows;
    uint16_t dataverse_proxy; /* 0 = none */
    bool without_tds, with_parent, utf8_engine;
};

struct sandbox {
    struct options options;
    struct faults *faults;
    struct sandbox_log *log;
    struct engine *engine;
    struct tds_server *tds;
    struct tds_browser *browser;
    struct dv_service *dataverse;
    struct control *control;
    char *directory; /* what options.directory is, made absolute */
    char why[WHY_BYTES];
};

/* ---- options ---- */

static int
usage(FILE *out, int status)
{
    (void)fputs(
        "usage: dwclean-sandbox --seed NAME --dir DIR --fixtures DIR [--rows N]\n"
        "       [--tds-encryption none|optional|required]\n"
        "       [--certificate good|expired|wrong-name|other-ca|second|self-signed|\n"
        "       by-self-signed] [--dataverse-certificate NAME]\n"
        "       [--time-scale N] [--without-tds] [--utf8-engine] [--with-parent] [--log FILE]\n"
        "       [--browser ADDRESS] [--database NAME] [--dataverse-proxy PORT]\n",
        out);
    return status;
}

static bool
known_certificate(const char *name)
{
    for (size_t i = 0; pki_names[i]; i++) {
        if (strcmp(pki_names[i], name) == 0)
            return true;
    }
    return false;
}

/** A name of a file without its suffix: nothing that leads out of the fixtures. */
static bool
is_seed_name(const char *name)
{
    return name[0] != '\0' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(name);
}

static bool
parse_encryption(const char *text, enum tds_encryption *ret)
{
    static const char *const words[] = {"none", "optional", "required"};
    static const enum tds_encryption values[] = {TDS_ENCRYPTION_NONE, TDS_ENCRYPTION_OPTIONAL,
                                                 TDS_ENCRYPTION_REQUIRED};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(words[i], text) == 0) {
            *ret = values[i];
            return true;
        }
    }
    return false;
}

static bool
parse_rows(const char *text, int64_t *ret)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 0 || value > ROWS_MAX)
        return false;
    *ret = value;
    return true;
}

static bool
parse_port(const char *text, uint16_t *ret)
{
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 1 || value > UINT16_MAX)
        return false;
    *ret = (uint16_t)value;
    return true;
}

static bool
parse_scale(const char *text, double *ret)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= 0.01 && value <= 100000))
        return false;
    *ret = value;
    return true;
}

static bool
is_loopback(const char *text)
{
    struct in_addr address;
    return inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

enum option_letter {
    OPT_SEED,
    OPT_DIR,
    OPT_FIXTURES,
    OPT_ROWS,
    OPT_ENCRYPTION,
    OPT_CERTIFICATE,
    OPT_DATAVERSE_CERTIFICATE,
    OPT_SCALE,
    OPT_WITHOUT_TDS,
    OPT_UTF8_ENGINE,
    OPT_WITH_PARENT,
    OPT_LOG,
    OPT_BROWSER,
    OPT_DATABASE,
    OPT_DATAVERSE_PROXY,
    OPT_HELP,
};

static const struct option long_options[] = {
    {"seed", required_argument, NULL, OPT_SEED},
    {"dir", required_argument, NULL, OPT_DIR},
    {"fixtures", required_argument, NULL, OPT_FIXTURES},
    {"rows", required_argument, NULL, OPT_ROWS},
    {"tds-encryption", required_argument, NULL, OPT_ENCRYPTION},
    {"certificate", required_argument, NULL, OPT_CERTIFICATE},
    {"dataverse-certificate", required_argument, NULL, OPT_DATAVERSE_CERTIFICATE},
    {"time-scale", required_argument, NULL, OPT_SCALE},
    {"without-tds", no_argument, NULL, OPT_WITHOUT_TDS},
    {"utf8-engine", no_argument, NULL, OPT_UTF8_ENGINE},
    {"with-parent", no_argument, NULL, OPT_WITH_PARENT},
    {"log", required_argument, NULL, OPT_LOG},
    {"browser", required_argument, NULL, OPT_BROWSER},
    {"database", required_argument, NULL, OPT_DATABASE},
    {"dataverse-proxy", required_argument, NULL, OPT_DATAVERSE_PROXY},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static bool
take_option(struct options *options, int which)
{
    switch (which) {
    case OPT_SEED:
        options->seed = optarg;
        return is_seed_name(optarg);
    case OPT_DIR:
        options->directory = optarg;
        return true;
    case OPT_FIXTURES:
        options->fixtures = optarg;
        return true;
    case OPT_ROWS:
        return parse_rows(optarg, &options->rows);
    case OPT_ENCRYPTION:
        return parse_encryption(optarg, &options->encryption);
    case OPT_CERTIFICATE:
        options->certificate = optarg;
        return known_certificate(optarg);
    case OPT_DATAVERSE_CERTIFICATE:
        options->dataverse_certificate = optarg;
        return known_certificate(optarg);
    case OPT_SCALE:
        return parse_scale(optarg, &options->time_scale);
    case OPT_WITHOUT_TDS:
        options->without_tds = true;
        return true;
    case OPT_UTF8_ENGINE:
        options->utf8_engine = true;
        return true;
    case OPT_WITH_PARENT:
        options->with_parent = true;
        return true;
    case OPT_BROWSER:
        options->browser = optarg;
        return is_loopback(optarg);
    case OPT_DATABASE:
        options->database = optarg;
        return optarg[0] != '\0';
    case OPT_DATAVERSE_PROXY:
        return parse_port(optarg, &options->dataverse_proxy);
    case OPT_LOG:
        options->log = optarg;
        return true;
    default:
        return false;
    }
}

static bool
parse_options(int argc, char **argv, struct options *ret)
{
    int which;
    *ret =
        (struct options){.certificate = "good", .encryption = TDS_ENCRYPTION_OPTIONAL, .rows = -1};
    /* One thread so far. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    while ((which = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (which == OPT_HELP)
            exit(usage(stdout, 0)); /* NOLINT(concurrency-mt-unsafe) */
        if (!take_option(ret, which))
            return false;
    }
    return optind == argc && ret->seed && ret->directory && ret->fixtures;
}

/* ---- files ---- */

/** FIXTURES/HALF/NAME, malloc'd; NULL with `why`. */
static char *
read_fixture(struct sandbox *sandbox, const char *half, const char *name, const char *suffix)
{
    char path[PATH_BYTES];
    char *text = NULL;
    (void)snprintf(path, sizeof(path), "%s/%s/%s%s", sandbox->options.fixtures, half, name, suffix);
    FILE *file = fopen(path, "re");
    if (file) {
        struct stat status;
        if (fstat(fileno(file), &status) == 0 && status.st_size < SEED_MAX_BYTES)
            text = malloc((size_t)status.st_size + 1);
        size_t bytes = text ? fread(text, 1, (size_t)status.st_size, file) : 0;
        if (text)
            text[bytes] = '\0';
        (void)fclose(file);
    }
    if (!text)
        (void)snprintf(sandbox->why, sizeof(sandbox->why), "cannot read %s", path);
    return text;
}

/** `text` with each $(rows) replaced by the number; malloc'd. */
static char *
with_rows(const char *text, int64_t rows)
{
    static const char mark[] = "$(rows)";
    char *result = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&result, &bytes);
    if (!out)
        return NULL;
    for (const char *at = text; *at;) {
        const char *next = strstr(at, mark);
        size_t plain = next ? (size_t)(next - at) : strlen(at);
        (void)fwrite(at, 1, plain, out);
        if (next)
            (void)fprintf(out, "%lld", (long long)(rows < 0 ? 1000 : rows));
        at += plain + (next ? sizeof(mark) - 1 : 0);
    }
    if (fclose(out) != 0) {
        free(result);
        return NULL;
    }
    return result;
}

/** 'quoted' for sh. */
static void
print_assignment(FILE *out, const char *name, const char *value)
{
    (void)fprintf(out, "%s='", name);
    for (const char *c = value; *c; c++) {
        if (*c == '\'')
            (void)fputs("'\\''", out);
        else
            (void)fputc(*c, out);
    }
    (void)fputs("'\n", out);
}

/* ---- AxDB ---- */

static bool
run_fixture(struct sandbox *sandbox, const char *name)
{
    char *text = read_fixture(sandbox, "axdb", name, ".sql");
    char *sql = text ? with_rows(text, sandbox->options.rows) : NULL;
    bool ok = sql && engine_run_script(sandbox->engine, sql, sandbox->why, sizeof(sandbox->why));
    free(sql);
    free(text);
    return ok;
}

static bool
add_logins(struct engine *engine)
{
    static const struct {
        const char *name, *rights;
    } logins[] = {
        {"dwclean", "select,delete,insert,view_definition,view_database_state,"
                    "view_server_state,applock,msdb"},
        {"reader", "select,view_definition"},
        {"blind", "select,delete"},
        {"nothing", ""},
        {"tables-only", "select,delete,view_definition:DUALWRITEPROJECTFIELDCONFIGURATION,"
                        "view_definition:DUALWRITEPROJECTCONFIGURATION,"
                        "view_definition:BUSINESSEVENTSDEFINITION"},
        {"nodelete", "select,insert,delete:DUALWRITEPROJECTFIELDCONFIGURATION,"
                     "delete:DUALWRITEPROJECTCONFIGURATION,view_definition,view_database_state,"
                     "view_server_state,applock,msdb"},
        {"admin", "all"},
    };
    for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
        if (!engine_add_login(engine, logins[i].name, PASSWORD, logins[i].rights))
            return false;
    }
    return true;
}

static bool
start_browser(struct sandbox *sandbox)
{
    const struct tds_browser_options options = {.address = sandbox->options.browser,
                                                .tcp_port = tds_server_port(sandbox->tds),
                                                .faults = sandbox->faults,
                                                .log = sandbox->log};
    sandbox->browser = tds_browser_start(&options, sandbox->why, sizeof(sandbox->why));
    return sandbox->browser != NULL;
}

static bool
start_axdb(struct sandbox *sandbox)
{
    char store[PATH_BYTES];
    char certificate[PATH_BYTES];
    char key[PATH_BYTES];
    const struct options *options = &sandbox->options;
    (void)snprintf(store, sizeof(store), "%s/axdb", options->directory);
    (void)snprintf(certificate, sizeof(certificate), "%s/pki/%s.pem", options->directory,
                   options->certificate);
    (void)snprintf(key, sizeof(key), "%s/pki/%s.key", options->directory, options->certificate);
    if (mkdir(store, 0700) != 0) {
        (void)snprintf(sandbox->why, sizeof(sandbox->why), "cannot make %s", store);
        return false;
    }
    struct engine_options engine = {.directory = store,
                                    .server_name = "SANDBOX-SQL",
                                    .database = options->database ? options->database : "AxDB",
                                    .read_committed_snapshot = true,
                                    .utf8 = options->utf8_engine,
                                    .faults = sandbox->faults,
                                    .log = sandbox->log};
    sandbox->engine = engine_open(&engine, sandbox->why, sizeof(sandbox->why));
    if (!sandbox->engine || !run_fixture(sandbox, "schema") || !run_fixture(sandbox, options->seed))
        return false;
    if (!add_logins(sandbox->engine)) {
        (void)snprintf(sandbox->why, sizeof(sandbox->why), "a login was refused");
        return false;
    }
    struct tds_options tds = {.address = options->browser,
                              .encryption = options->encryption,
                              .certificate_pem = certificate,
                              .key_pem = key,
                              .engine = sandbox->engine,
                              .faults = sandbox->faults,
                              .log = sandbox->log};
    sandbox->tds = tds_server_start(&tds, sandbox->why, sizeof(sandbox->why));
    return sandbox->tds != NULL && (options->browser == NULL || start_browser(sandbox));
}

/* ---- Dataverse ---- */

/** As db_datareader, or that and db_datawriter: no view of definitions and sessions. */
static bool
make_jit_login(void *ctx, const struct dv_jit_login *login, char ret_server[DV_JIT_NAME_BYTES],
               char ret_database[DV_JIT_NAME_BYTES])
{
    const struct sandbox *sandbox = ctx;
    const struct engine_grant grant = {
        .owner = login->owner,
        .user = login->user,
        .password = login->password,
        .rights = login->writer ? "select,insert,update,delete,applock" : "select,applock",
        .first_address = login->first_address,
        .last_address = login->last_address,
        .usable_at_ms = login->usable_at_ms,
        .ends_at_ms = login->ends_at_ms,
    };
    if (!sandbox->engine || !engine_grant_login(sandbox->engine, &grant))
        return false;
    (void)snprintf(ret_server, DV_JIT_NAME_BYTES, "localhost,%u",
                   (unsigned)tds_server_port(sandbox->tds));
    (void)snprintf(ret_database, DV_JIT_NAME_BYTES, "%s",
                   sandbox->options.database ? sandbox->options.database : "AxDB");
    return true;
}

static bool
start_dataverse(struct sandbox *sandbox)
{
    char *seed = read_fixture(sandbox, "dataverse", sandbox->options.seed, ".json");
    if (!seed)
        return false;
    int64_t rows = sandbox->options.rows;
    if (rows > DATAVERSE_ROWS_MAX)
        rows = DATAVERSE_ROWS_MAX;
    struct dv_options options = {.directory = sandbox->options.directory,
                                 .certificate = sandbox->options.dataverse_certificate
                                                    ? sandbox->options.dataverse_certificate
                                                    : sandbox->options.certificate,
                                 .seed = seed,
                                 .rows = rows,
                                 .proxy_port = sandbox->options.dataverse_proxy,
                                 .time_scale = sandbox->options.time_scale,
                                 .jit = {.ctx = sandbox, .make = make_jit_login},
                                 .faults = sandbox->faults,
                                 .log = sandbox->log};
    sandbox->dataverse = dv_service_start(&options, sandbox->why, sizeof(sandbox->why));
    free(seed);
    return sandbox->dataverse != NULL;
}

/* ---- control ---- */

static bool
on_sql(void *ctx, const char *sql, char *why, size_t why_size)
{
    struct sandbox *sandbox = ctx;
    if (sandbox->engine)
        return engine_run_script(sandbox->engine, sql, why, why_size);
    (void)snprintf(why, why_size, "started with --without-tds");
    return false;
}

static bool
on_login(void *ctx, const char *name, const char *rights)
{
    struct sandbox *sandbox = ctx;
    return sandbox->engine && engine_add_login(sandbox->engine, name, PASSWORD, rights);
}

static int
on_dataverse(void *ctx, const char *method, const char *path, const char *query, const char *body,
             char **ret_text)
{
    struct sandbox *sandbox = ctx;
    return dv_service_control(sandbox->dataverse, method, path, query, body, ret_text);
}

/** schema.sql drops and creates every table, so that a reset is the same as a new start. */
static bool
on_reset(void *ctx, char *why, size_t why_size)
{
    struct sandbox *sandbox = ctx;
    if (!dv_service_reset(sandbox->dataverse, why, why_size))
        return false;
    if (!sandbox->engine)
        return true;
    if (run_fixture(sandbox, "schema") && run_fixture(sandbox, sandbox->options.seed))
        return true;
    (void)snprintf(why, why_size, "%s", sandbox->why);
    return false;
}

static bool
start_control(struct sandbox *sandbox)
{
    struct control_hooks hooks = {.ctx = sandbox,
                                  .sql = on_sql,
                                  .login = on_login,
                                  .dataverse = on_dataverse,
                                  .reset = on_reset};
    sandbox->control =
        control_start(&hooks, sandbox->faults, sandbox->log, sandbox->why, sizeof(sandbox->why));
    return sandbox->control != NULL;
}

/* ---- telling where everything is ---- */

static void
print_credential(struct sandbox *sandbox, FILE *out, const char *name, const char *what)
{
    char value[256];
    dv_service_credential(sandbox->dataverse, what, value, sizeof(value));
    print_assignment(out, name, value);
}

static void
print_env(struct sandbox *sandbox, FILE *out)
{
    char text[PATH_BYTES];
    const char *directory = sandbox->options.directory;
    if (sandbox->tds)
        (void)fprintf(out, "SANDBOX_TDS_PORT='%u'\n", (unsigned)tds_server_port(sandbox->tds));
    (void)fprintf(out, "SANDBOX_DATAVERSE_PORT='%u'\n",
                  (unsigned)dv_service_port(sandbox->dataverse));
    (void)snprintf(text, sizeof(text), "https://localhost:%u",
                   (unsigned)(sandbox->options.dataverse_proxy
                                  ? sandbox->options.dataverse_proxy
                                  : dv_service_port(sandbox->dataverse)));
    print_assignment(out, "SANDBOX_DATAVERSE_URL", text);
    print_assignment(out, "SANDBOX_AUTHORITY", text);
    print_credential(sandbox, out, "SANDBOX_TENANT", "tenant");
    print_credential(sandbox, out, "SANDBOX_CLIENT_ID", "client_id");
    print_credential(sandbox, out, "SANDBOX_CLIENT_SECRET", "client_secret");
    (void)snprintf(text, sizeof(text), "http://127.0.0.1:%u",
                   (unsigned)dv_service_identity_port(sandbox->dataverse));
    print_assignment(out, "SANDBOX_IDENTITY", text);
    print_credential(sandbox, out, "SANDBOX_IDENTITY_HEADER", "identity_header");
    (void)snprintf(text, sizeof(text), "http://127.0.0.1:%u",
                   (unsigned)control_port(sandbox->control));
    print_assignment(out, "SANDBOX_CONTROL", text);
    (void)snprintf(text, sizeof(text), "%s/pki/ca.pem", directory);
    print_assignment(out, "SANDBOX_CA", text);
    (void)snprintf(text, sizeof(text), "%s/pki/client.pem", directory);
    print_assignment(out, "SANDBOX_CLIENT_CERTIFICATE", text);
    (void)snprintf(text, sizeof(text), "%s/pki/client.key", directory);
    print_assignment(out, "SANDBOX_CLIENT_KEY", text);
    (void)fprintf(out, "SANDBOX_PID='%ld'\n", (long)getpid());
}

/** Under another name first: who sees DIR/env sees all of it. */
static bool
write_env(struct sandbox *sandbox)
{
    char path[PATH_BYTES];
    char part[PATH_BYTES];
    (void)snprintf(path, sizeof(path), "%s/env", sandbox->options.directory);
    (void)snprintf(part, sizeof(part), "%s/.env.part", sandbox->options.directory);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    bool ok = out != NULL;
    if (out) {
        print_env(sandbox, out);
        ok = fclose(out) == 0 && rename(part, path) == 0;
    } else if (fd >= 0) {
        (void)close(fd);
    }
    if (!ok)
        (void)snprintf(sandbox->why, sizeof(sandbox->why), "cannot write %s", path);
    return ok;
}

/* ---- life ---- */

static bool
make_directory(struct sandbox *sandbox)
{
    const char *directory = sandbox->options.directory;
    char *absolute = NULL;
    if (mkdir(directory, 0700) == 0 || errno == EEXIST)
        absolute = realpath(directory, NULL);
    if (!absolute) {
        (void)snprintf(sandbox->why, sizeof(sandbox->why), "cannot use the folder %s", directory);
        return false;
    }
    sandbox->directory = absolute;
    sandbox->options.directory = absolute;
    return true;
}

static bool
start(struct sandbox *sandbox)
{
    sandbox->faults = faults_new();
    sandbox->log = sandbox_log_new(sandbox->options.log);
    if (!sandbox->faults || !sandbox->log) {
        (void)snprintf(sandbox->why, sizeof(sandbox->why), "cannot open the log");
        return false;
    }
    return pki_create(sandbox->options.directory, sandbox->options.browser, sandbox->why,
                      sizeof(sandbox->why)) &&
           (sandbox->options.without_tds || start_axdb(sandbox)) && start_dataverse(sandbox) &&
           start_control(sandbox) && write_env(sandbox);
}

static void
stop(struct sandbox *sandbox)
{
    char path[PATH_BYTES];
    control_stop(sandbox->control);
    dv_service_stop(sandbox->dataverse);
    tds_browser_stop(sandbox->browser);
    if (sandbox->tds)
        tds_server_stop(sandbox->tds);
    if (sandbox->engine)
        engine_close(sandbox->engine);
    (void)snprintf(path, sizeof(path), "%s/env", sandbox->options.directory);
    (void)unlink(path);
    sandbox_log_free(sandbox->log);
    faults_free(sandbox->faults);
}

/** Until a signal says so or, when asked for, the parent is another one. */
static void
wait_for_the_end(const sigset_t *signals, bool with_parent, pid_t parent)
{
    const struct timespec slice = {.tv_nsec = 200000000};
    for (;;) {
        int got = with_parent ? sigtimedwait(signals, NULL, &slice) : sigwaitinfo(signals, NULL);
        if (got > 0 || (with_parent && getppid() != parent))
            return;
    }
}

int
main(int argc, char **argv)
{
    static struct sandbox sandbox;
    sigset_t signals;
    const pid_t parent = getppid();
    if (!parse_options(argc, argv, &sandbox.options))
        return usage(stderr, 64);
    /* Before the first thread, so that every thread inherits the mask. */
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    /* What a statement gave back serves the next one, instead of coming from the kernel again.
     * There is one thread yet. */
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);     /* NOLINT(concurrency-mt-unsafe) */
    (void)mallopt(M_MMAP_THRESHOLD, KEPT_BYTES / 4); /* NOLINT(concurrency-mt-unsafe) */
    if (sandbox.options.with_parent)
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (!make_directory(&sandbox)) {
        (void)fprintf(stderr, "dwclean-sandbox: %s\n", sandbox.why);
        return 1;
    }
    const bool started = start(&sandbox);
    if (started) {
        (void)puts("ready");
        (void)fflush(stdout);
        wait_for_the_end(&signals, sandbox.options.with_parent, parent);
    } else {
        (void)fprintf(stderr, "dwclean-sandbox: %s\n", sandbox.why);
    }
    stop(&sandbox);
    free(sandbox.directory);
    return started ? 0 : 1;
}
