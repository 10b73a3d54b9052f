#include "mssql/mssql.h"

#include "base/text.h"
#include "conf.h"
#include "connection.h"
#include "library.h"
#include "pin.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    const char *application;           /* as given */
    char shown_as[MAX_LOGIN_TEXT + 1]; /* with the run */
    int pin;                           /* the certificate of -J in memory, or -1 */
    char pin_path[PIN_PATH_BYTES];
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
        options->new_login_ms < 0 || options->new_login_ms > (int64_t)MAX_TIMEOUT_S * 1000 ||
        options->lock_timeout_ms < 0 || options->lock_timeout_ms > (int64_t)MAX_TIMEOUT_S * 1000)
        return err_set(err, ERR_USAGE, "a time limit must be 0 to %d s", MAX_TIMEOUT_S);
    return true;
}

/** -F and -J mean something only where a certificate is always asked for and looked at. */
static bool
check_certificate_is_looked_at(const struct mssql_options *options, struct err *err)
{
    const bool always = options->encryption == MSSQL_ENCRYPTION_MANDATORY ||
                        options->encryption == MSSQL_ENCRYPTION_STRICT;

    if (options->certificate_file == NULL && options->certificate_host == NULL)
        return options->encryption != MSSQL_ENCRYPTION_STRICT || !options->trust_certificate ||
               err_set(err, ERR_USAGE,
                       "-N strict always checks the certificate: -C cannot be used");
    if (options->trust_certificate)
        return err_set(err, ERR_USAGE,
                       "-C trusts any certificate: -F and -J cannot be used with it");
    return always || err_set(err, ERR_USAGE,
                             "-F and -J need -N mandatory or strict: without, the connection may "
                             "be in clear text");
}

static bool
check_library(const struct mssql_options *options, struct err *err)
{
    const struct library_version loaded = library_version_parse(dbversion());
    const char *name = options->certificate_host;

    if (options->encryption == MSSQL_ENCRYPTION_STRICT && !library_can_strict(loaded)) {
        (void)err_set(err, ERR_USAGE, "-N strict needs FreeTDS 1.4, loaded is %s", dbversion());
        return err_hint(err, "Use -N mandatory: the certificate is checked there too.");
    }
    if (name == NULL || text_equal_nocase(name, options->host) ||
        options->certificate_file != NULL || library_can_name_certificate(loaded))
        return true;
    (void)err_set(err, ERR_USAGE,
                  "-F with another name than the host's needs FreeTDS 1.4, loaded is %s",
                  dbversion());
    return err_hint(err, "Connect by the name in the certificate, or give the server's certificate "
                         "with -J: -F is compared with it.");
}

static bool
check_options(const struct mssql_options *options, struct err *err)
{
    const char *password = options->password != NULL ? secret_reveal(options->password) : NULL;

    return conf_check_host(options->host, err) &&
           (options->ca_file == NULL || options->certificate_file != NULL ||
            conf_check_path(options->ca_file, err)) &&
           (options->certificate_host == NULL || conf_check_host(options->certificate_host, err)) &&
           check_certificate_is_looked_at(options, err) && check_library(options, err) &&
           check_login_text(options->instance, "instance", false, err) &&
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

/** What the server shows of us: others then see which run holds their locks. */
static void
name_program(struct mssql_server *self, const char *run_id)
{
    if (run_id == NULL)
        (void)snprintf(self->shown_as, sizeof self->shown_as, "%s", self->application);
    else
        (void)snprintf(self->shown_as, sizeof self->shown_as, "%s run=%s", self->application,
                       run_id);
    self->options.application = self->shown_as;
}

static bool
connect_server(struct axdb_server *server, const char *run_id, struct axdb_store **ret,
               struct err *err)
{
    struct mssql_server *self = (struct mssql_server *)(void *)server;
    struct connection *connection;
    struct axdb_store *store;

    name_program(self, run_id);
    if (!connection_open(&self->options, &connection, err))
        return false;
    store = mssql_store_new(connection);
    if (store == NULL) {
        connection_free(connection);
        return err_set(err, ERR_INTERNAL, "out of memory");
    }
    /* It has worked: from now on a refusal is one. */
    self->options.new_login_ms = 0;
    *ret = store;
    return true;
}

static void
free_server(struct mssql_server *server)
{
    if (server->pin >= 0)
        (void)close(server->pin);
    free(server);
}

/** From here on the certificate is read from memory: the file may change, it may not. */
static bool
pin(struct mssql_server *server, struct err *err)
{
    struct mssql_options *options = &server->options;
    const char *name =
        options->certificate_host != NULL ? options->certificate_host : options->host;

    server->pin = -1;
    if (options->certificate_file == NULL)
        return true;
    if (!pin_open(options->certificate_file, name, &server->pin, server->pin_path, err))
        return false;
    options->ca_file = server->pin_path;
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
    if (server == NULL)
        return err_set(err, ERR_INTERNAL, "out of memory");
    server->options = *options;
    fill_defaults(&server->options);
    if (!pin(server, err)) {
        free(server);
        return false;
    }
    if (dbinit() == FAIL) {
        free_server(server);
        return err_set(err, ERR_INTERNAL, "could not initialise FreeTDS");
    }
    connection_handlers();
    server->port.connect = connect_server;
    server->application = server->options.application;
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
    free_server((struct mssql_server *)(void *)server);
}
