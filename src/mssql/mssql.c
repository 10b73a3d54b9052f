#include "mssql/mssql.h"

#include "base/text.h"
#include "conf.h"
#include "connection.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_LOGIN_TIMEOUT_S = 30,
    DEFAULT_QUERY_TIMEOUT_S = 60,
    DEFAULT_LOCK_TIMEOUT_MS = 5000,
    MAX_TIMEOUT_S = 86400,
    MAX_LOGIN_TEXT = 128, /* bytes; FreeTDS refuses more */
    MIN_PACKET = 4096,
    MAX_PACKET = 16383, /* TLS */
};

struct mssql_server {
    struct axdb_server port; /* first: the port hands out its address */
    struct mssql_options options;
};

static int servers; /* handlers and settings of db-lib exist once */

void
mssql_scrub_environment(void)
{
    /* FreeTDS reads these after everything that the program has set: another host, another protocol
     * or a dump of all rows would follow. The last two weaken or expose GnuTLS. */
    static const char *const names[] = {"TDSVER",
                                        "TDSPORT",
                                        "TDSHOST",
                                        "TDSDUMP",
                                        "TDSDUMPCONFIG",
                                        "TDSQUERY",
                                        "DSQUERY",
                                        "FREETDSCONF",
                                        "FREETDS",
                                        "SYBASE",
                                        "ASA_DATABASE",
                                        "SSLKEYLOGFILE",
                                        "GNUTLS_SYSTEM_PRIORITY_FILE"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unsetenv(names[i]); /* NOLINT(concurrency-mt-unsafe): one thread yet */
}

const char *
mssql_library_version(void)
{
    return dbversion();
}

static bool
check_login_text(const char *text, const char *what, bool required, struct err *err)
{
    size_t size = text == NULL ? 0 : strlen(text);

    if (size == 0)
        return !required || err_set(err, ERR_USAGE, "no %s was given", what);
    if (size > MAX_LOGIN_TEXT)
        return err_set(err, ERR_USAGE, "the %s has more than %d bytes", what, MAX_LOGIN_TEXT);
    if (!text_is_utf8(text, size))
        return err_set(err, ERR_USAGE, "the %s is not well-formed UTF-8", what);
    return true;
}

static bool
check_numbers(const struct mssql_options *options, struct err *err)
{
    if (options->packet_size != 0 &&
        (options->packet_size < MIN_PACKET || options->packet_size > MAX_PACKET))
        return err_set(err, ERR_USAGE, "the packet size must be %d to %d bytes", MIN_PACKET,
                       MAX_PACKET);
    if (options->login_timeout_s < 0 || options->login_timeout_s > MAX_TIMEOUT_S ||
        options->query_timeout_s < 0 || options->query_timeout_s > MAX_TIMEOUT_S ||
        options->lock_timeout_ms < 0 || options->lock_timeout_ms > (int64_t)MAX_TIMEOUT_S * 1000)
        return err_set(err, ERR_USAGE, "a time limit must be 0 to %d s", MAX_TIMEOUT_S);
    return true;
}

static bool
check_options(const struct mssql_options *options, struct err *err)
{
    const char *password = options->password != NULL ? secret_reveal(options->password) : NULL;

    return conf_check_host(options->host, err) &&
           (options->ca_file == NULL || conf_check_path(options->ca_file, err)) &&
           check_login_text(options->database, "database", true, err) &&
           check_login_text(options->user, "user", !options->integrated, err) &&
           check_login_text(password, "password", false, err) &&
           check_login_text(options->application, "application name", false, err) &&
           check_login_text(options->workstation, "workstation", false, err) &&
           check_numbers(options, err);
}

static void
fill_defaults(struct mssql_options *options)
{
    if (options->application == NULL)
        options->application = "dwclean/" DWCLEAN_VERSION;
    if (options->login_timeout_s == 0)
        options->login_timeout_s = DEFAULT_LOGIN_TIMEOUT_S;
    if (options->query_timeout_s == 0)
        options->query_timeout_s = DEFAULT_QUERY_TIMEOUT_S;
    if (options->lock_timeout_ms == 0)
        options->lock_timeout_ms = DEFAULT_LOCK_TIMEOUT_MS;
}

static bool
connect_server(struct axdb_server *server, struct axdb_store **ret, struct err *err)
{
    const struct mssql_server *self = (const struct mssql_server *)(const void *)server;
    struct connection *connection;
    struct axdb_store *store;

    if (!connection_open(&self->options, &connection, err))
        return false;
    store = mssql_store_new(connection);
    if (store == NULL) {
        connection_free(connection);
        return err_set(err, ERR_INTERNAL, "out of memory");
    }
    *ret = store;
    return true;
}

bool
mssql_server_new(const struct mssql_options *options, struct axdb_server **ret, struct err *err)
{
    struct mssql_server *server;

    if (!check_options(options, err))
        return false;
    if (servers > 0)
        return err_set(err, ERR_INTERNAL, "there is a SQL server already");
    server = calloc(1, sizeof *server);
    if (server == NULL || dbinit() == FAIL) {
        free(server);
        return err_set(err, ERR_INTERNAL, "could not initialise FreeTDS");
    }
    connection_handlers();
    server->port.connect = connect_server;
    server->options = *options;
    fill_defaults(&server->options);
    servers++;
    *ret = &server->port;
    return true;
}

void
mssql_server_free(struct axdb_server *server)
{
    if (server == NULL)
        return;
    dbexit();
    servers--;
    free((struct mssql_server *)(void *)server);
}
