/*
 * dwclean: wires the adapters into the ports; the only file that sees every layer.
 */
#include "backup/backup_key.h"
#include "backup/plan_ndjson.h"
#include "backup/run_archive.h"
#include "backup/run_history.h"
#include "backup/run_store.h"
#include "base/digest.h"
#include "cli/cli.h"
#include "dataverse/dataverse.h"
#include "mssql/mssql.h"
#include "port/journal.h"
#include "report/report.h"

#include <archive.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zstd.h>

enum { NEW_LOGIN_MS = 90 * 1000 };

static char program_name[64]; /* "dwclean/0.1.0" */

static int
seconds(const struct config *config, enum option_id id)
{
    return (int)((config_number(config, id) + 999) / 1000);
}

static enum mssql_encryption
encryption(const struct config *config)
{
    const char *mode = config_text(config, OPT_ENCRYPT);
    if (mode && strcmp(mode, "disable") == 0)
        return MSSQL_ENCRYPTION_DISABLE;
    if (mode && strcmp(mode, "optional") == 0)
        return MSSQL_ENCRYPTION_OPTIONAL;
    if (mode && strcmp(mode, "strict") == 0)
        return MSSQL_ENCRYPTION_STRICT;
    return MSSQL_ENCRYPTION_MANDATORY;
}

static bool
is_loopback(const char *host)
{
    /* an address, not a name that begins like one */
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           (strncmp(host, "127.", 4) == 0 && !host[strspn(host, "0123456789.")]);
}

/** For tests with engines that store text as UTF-8; on this machine only. */
static bool
utf8_engine(const char *host)
{
    const char *asked = getenv("DWCLEAN_TEST_UTF8_ENGINE"); /* NOLINT(concurrency-mt-unsafe) */
    return asked && strcmp(asked, "1") == 0 && is_loopback(host);
}

/** Where AxDB is: as configured, or as the grant says. */
static bool
find_axdb(const struct config *config, const struct axdb_grant *grant, struct server_name *ret,
          struct err *err)
{
    if (!grant) {
        *ret = *config_server(config);
        return true;
    }
    if (server_name_parse(grant->server, ret, err))
        return true;
    (void)err_set(err, ERR_SERVER, "the SQL login is for something that is no server: %.120s",
                  grant->server);
    return false;
}

static bool
make_axdb(const struct config *config, const struct axdb_grant *grant, struct observer *observer,
          struct axdb_server **ret, struct err *err)
{
    static struct server_name server; /* as long as the one AxDB of a process */
    const bool fresh = grant || config_flag(config, OPT_NEW_LOGIN);
    const char *intent = config_text(config, OPT_APPLICATION_INTENT);
    /* verify counts rows; whoever reads them takes their digests */
    const bool reads_rows = config_command(config) != COMMAND_VERIFY;
    if ((reads_rows && !digest_ready(err)) || !find_axdb(config, grant, &server, err))
        return false;
    const struct mssql_options options = {
        .host = server.host,
        .instance = *server.instance ? server.instance : NULL,
        .port = server.port,
        .database = grant ? grant->database : config_text(config, OPT_DATABASE),
        .user = grant ? grant->user : config_text(config, OPT_USER),
        .password = grant ? &grant->password : config_secret(config, CONFIG_PASSWORD),
        .integrated = config_flag(config, OPT_INTEGRATED),
        .encryption = encryption(config),
        .trust_certificate = config_flag(config, OPT_TRUST),
        .ca_file = config_text(config, OPT_CACERT),
        .certificate_file = config_text(config, OPT_SERVER_CERTIFICATE),
        .certificate_host = config_text(config, OPT_CERTIFICATE_HOST),
        .application = program_name,
        .workstation = config_text(config, OPT_WORKSTATION),
        .packet_size = (int)config_number(config, OPT_PACKET_SIZE),
        .login_timeout_s = seconds(config, OPT_LOGIN_TIMEOUT),
        .query_timeout_s = seconds(config, OPT_QUERY_TIMEOUT),
        .lock_timeout_ms = config_number(config, OPT_LOCK_TIMEOUT),
        .read_only_intent = intent && strcmp(intent, "ReadOnly") == 0,
        .new_login_ms = fresh ? NEW_LOGIN_MS : 0,
        .observer = observer,
        .utf8_engine = utf8_engine(server.host),
    };
    return mssql_server_new(&options, ret, err);
}

static bool
is_local_url(const char *url)
{
    const char *start = url ? strstr(url, "://") : NULL;
    char host[256];
    if (!url)
        return false;
    start = start ? start + 3 : url;
    (void)snprintf(host, sizeof(host), "%.*s", (int)strcspn(start, ":/?#@"), start);
    return is_loopback(host);
}

/** For tests with other OData servers; on this machine only. */
static bool
odata_server(const char *url)
{
    const char *asked = getenv("DWCLEAN_TEST_ODATA"); /* NOLINT(concurrency-mt-unsafe) */
    return asked && strcmp(asked, "1") == 0 && is_local_url(url);
}

/** For measurements against a server whose clock is faster than ours; on this machine only. */
static int
time_scale(const char *url)
{
    const char *asked = getenv("DWCLEAN_TEST_TIME_SCALE"); /* NOLINT(concurrency-mt-unsafe) */
    const long scale = asked && is_local_url(url) ? strtol(asked, NULL, 10) : 0;
    return scale >= 1 && scale <= 1000 && 1000 % scale == 0 ? (int)scale : 0;
}

/** For tests of the managed identity: http on this machine, in place of 169.254.169.254. */
static const char *
test_imds(void)
{
    const char *origin = getenv("DWCLEAN_TEST_IMDS"); /* NOLINT(concurrency-mt-unsafe) */
    return origin && is_local_url(origin) ? origin : NULL;
}

/** The value of the option that belongs to a way of signing in, if it is the one that is used. */
static const char *
text_of_way(const struct config *config, enum sign_in_kind kind, enum option_id id)
{
    return config_sign_in(config)->kind == kind ? config_text(config, id) : NULL;
}

static bool
wants_certificate_password(const struct config *config, bool *ret, struct err *err)
{
    return dataverse_certificate_wants_password(config_client_certificate(config), ret, err);
}

static bool
make_runtime(const struct config *config, struct observer *observer, struct runtime_server **ret,
             struct err *err)
{
    size_t allowed = 0;
    const char *const *allow_hosts = config_list(config, OPT_ALLOW_HOST, &allowed);
    const struct sign_in *sign_in = config_sign_in(config);
    const struct dataverse_options options = {
        .url = config_text(config, OPT_DATAVERSE_URL),
        .tenant = config_text(config, OPT_TENANT_ID),
        .client_id = config_text(config, OPT_CLIENT_ID),
        .client_secret = config_secret(config, CONFIG_CLIENT_SECRET),
        .certificate_file = config_client_certificate(config),
        .certificate_password = config_secret(config, CONFIG_CERTIFICATE_PASSWORD),
        .send_certificate_chain = config_flag(config, OPT_SEND_CHAIN),
        .assertion_rs256 = strcmp(config_text(config, OPT_ASSERTION), "rs256") == 0,
        .federated_token_file = text_of_way(config, SIGN_IN_FEDERATED, OPT_FEDERATED_TOKEN_FILE),
        .managed_identity = sign_in->kind == SIGN_IN_IDENTITY,
        .identity_endpoint = text_of_way(config, SIGN_IN_IDENTITY, OPT_IDENTITY_ENDPOINT),
        .identity_header = config_secret(config, CONFIG_IDENTITY_HEADER),
        .imds_origin = test_imds(),
        .token_command = sign_in->command,
        .token_file = text_of_way(config, SIGN_IN_TOKEN_FILE, OPT_TOKEN_FILE),
        .token = config_secret(config, CONFIG_TOKEN),
        .device_code = sign_in->kind == SIGN_IN_DEVICE_CODE,
        .authority = config_text(config, OPT_AUTHORITY),
        .allow_hosts = allow_hosts,
        .allow_host_count = allowed,
        .ca_file = config_text(config, OPT_CACERT),
        .user_agent = program_name,
        .http11 = config_flag(config, OPT_HTTP11),
        .fast = config_flag(config, OPT_FAST),
        .max_wait_ms = config_number(config, OPT_MAX_WAIT),
        .observer = observer,
        .trace = config_flag(config, OPT_TRACE),
        .odata = odata_server(config_text(config, OPT_DATAVERSE_URL)),
        .time_scale = time_scale(config_text(config, OPT_DATAVERSE_URL)),
        .connect_timeout_s = seconds(config, OPT_LOGIN_TIMEOUT),
    };
    return dataverse_server_new(&options, ret, err);
}

/** Debian's FreeTDS does its TLS with GnuTLS, which is asked only where it is loaded. NULL = it is
 * not. */
static const char *
gnutls_library(void)
{
    const char *(*check_version)(const char *least) = NULL;
    void *found = dlsym(RTLD_DEFAULT, "gnutls_check_version");
    memcpy(&check_version, &found, sizeof(found)); /* ISO C has no cast for it */
    return found ? check_version(NULL) : NULL;
}

/** Libraries as they are loaded now, or would be when they are needed, for the record of a run and
 * for `dwclean version`. */
static const struct fact *
libraries(size_t *ret_count)
{
    static const char not_loaded[] = "cannot be loaded";
    static struct fact facts[10];
    const char *freetds = mssql_library_version();
    const char *curl = dataverse_library_version();
    const char *crypto = digest_library_version();
    facts[0] = (struct fact){"FreeTDS", strncmp(freetds, "freetds ", 8) ? freetds : freetds + 8};
    facts[1] = (struct fact){"libcurl", curl ? curl : not_loaded};
    facts[2] = (struct fact){"cJSON", report_library_version()};
    facts[3] = (struct fact){"zstd", ZSTD_versionString()};
    facts[4] = (struct fact){"OpenSSL", crypto ? crypto : not_loaded};
    facts[5] = (struct fact){"libsodium", backup_key_library()};
    const char *smartcols = report_columns_version();
    /* loaded when it is needed */
    facts[6] = (struct fact){"libarchive", ARCHIVE_VERSION_ONLY_STRING " (of the build)"};
    facts[7] = (struct fact){"libsmartcols", smartcols ? smartcols : not_loaded};
    facts[8] = (struct fact){"libinih", INIH_VERSION " (of the build)"}; /* it does not tell */
    facts[9] = (struct fact){"GnuTLS", gnutls_library()};
    *ret_count = sizeof(facts) / sizeof(facts[0]) - (facts[9].value ? 0 : 1);
    return facts;
}

static struct backup_key backup_key; /* wiped at the end of main */

/** The key that backups are encrypted with; NULL where none is given. */
static bool
find_backup_key(const struct config *config, const struct backup_key **ret, struct err *err)
{
    const struct secret *text = config_secret(config, CONFIG_BACKUP_KEY);

    *ret = NULL;
    if (!text)
        return true;
    if (!secret_is_set(&backup_key.bytes) && !backup_key_parse(text, &backup_key, err))
        return false;
    *ret = &backup_key;
    return true;
}

static bool
make_runs(const struct config *config, struct run_store **ret, struct err *err)
{
    struct run_store_options options = {
        .allow_volatile = config_flag(config, OPT_VOLATILE_RUNS_DIR),
        .program = program_name,
    };
    options.versions = libraries(&options.version_count);
    return digest_ready(err) && find_backup_key(config, &options.key, err) &&
           config_runs_dir(config, &options.runs_dir, err) && run_store_new(&options, ret, err);
}

static bool
make_archive(const struct config *config, struct run_archive **ret, struct err *err)
{
    const struct backup_key *key = NULL;
    const char *runs_dir = NULL;
    return digest_ready(err) && find_backup_key(config, &key, err) &&
           config_runs_dir(config, &runs_dir, err) && run_archive_new(runs_dir, key, ret, err);
}

static bool
make_history(const struct config *config, struct run_history **ret, struct err *err)
{
    const struct backup_key *key = NULL;
    const char *runs_dir = NULL;
    return digest_ready(err) && find_backup_key(config, &key, err) &&
           config_runs_dir(config, &runs_dir, err) && run_history_new(runs_dir, key, ret, err);
}

static bool
make_plan_out(const char *path, struct plan_file **ret, struct err *err)
{
    return digest_ready(err) && plan_ndjson_new_out(path, ret, err);
}

static bool
open_saved_plan(const char *path, struct saved_plan **ret, struct err *err)
{
    return digest_ready(err) && plan_ndjson_open(path, ret, err);
}

/** A closed 0, 1 or 2 would be given to the next file that is opened: a backup, or a socket. */
static bool
fill_standard_descriptors(void)
{
    int fd = 0;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        (void)close(fd);
    return fd >= 0;
}

/**
 * Passwords and rows lie in this memory, so no core of it may be written. A limit of 0 does not
 * stop a core that core_pattern pipes to a program; 1 does, and is too little for a file (core(5);
 * do_coredump in fs/coredump.c). Where the limit cannot be 1 any more, a core holds no memory at
 * all. Not PR_SET_DUMPABLE: it takes /proc/self/fd/N from whoever is not root, where FreeTDS reads
 * its configuration.
 */
static void
keep_out_of_cores(void)
{
    const struct rlimit least = {.rlim_cur = 1, .rlim_max = 1};
    const struct rlimit none = {0};
    if (setrlimit(RLIMIT_CORE, &least) != 0)
        (void)setrlimit(RLIMIT_CORE, &none);

    const int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
    const ssize_t wrote = fd < 0 ? 0 : write(fd, "0", 1);
    (void)wrote; /* the second lock of the same door: nothing can be done without it */
    if (fd >= 0)
        (void)close(fd);
}

/**
 * Large buffers go back to the system as soon as they are freed. glibc raises the size from which
 * it maps one with the largest that was freed (mallopt(3)): pages of rows would then stay for the
 * run.
 */
static void
give_memory_back(void)
{
    enum { LARGE_BYTES = 256 * 1024 };
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES); /* NOLINT(concurrency-mt-unsafe): one thread */
    (void)mallopt(M_TRIM_THRESHOLD, LARGE_BYTES); /* NOLINT(concurrency-mt-unsafe) */
}

int
main(int argc, char **argv)
{
    static const struct cli_adapters adapters = {
        .axdb = make_axdb,
        .axdb_free = mssql_server_free,
        .runtime = make_runtime,
        .runtime_free = dataverse_server_free,
        .certificate_wants_password = wants_certificate_password,
        .runs = make_runs,
        .runs_free = run_store_free,
        .archive = make_archive,
        .archive_free = run_archive_free,
        .history = make_history,
        .history_free = run_history_free,
        .undo_script = mssql_undo_script_new,
        .undo_script_free = mssql_undo_script_free,
        .plan_out = make_plan_out,
        .plan_out_free = plan_ndjson_free,
        .saved_plan = open_saved_plan,
        .axdb_statements = &mssql_statements,
        .runtime_statements = &dataverse_statements,
        .libraries = libraries,
    };

    keep_out_of_cores();
    give_memory_back();
    mssql_scrub_environment();
    if (!fill_standard_descriptors())
        return 1;
    /* Only which bytes are letters; numbers and times stay as they are in the C locale. */
    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* NOLINT(concurrency-mt-unsafe) */
    (void)snprintf(program_name, sizeof(program_name), "dwclean/%s", cli_version());
    const int status = cli_main(argc, argv, &adapters);
    backup_key_done(&backup_key);
    return status;
}
