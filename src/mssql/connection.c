#include "connection.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "batch.h"
#include "conf.h"
#include "sql_text.h"
#include "statement.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    DEFAULT_PORT = 1433,
    DEFAULT_PACKET = 16000, /* TLS allows at most 16383 */
    GRACE_MS = 5000,        /* for the answer to an attention */
    DEAD_LINE_MS = 30000,   /* unacknowledged bytes: the network is gone */
    CONNECT_TRIES = 6,
    SESSION_TIMEOUT_MS = 30000,
};

/* What is said before a connection has user data: there is one dbopen at a time. */
static struct verdict login_verdict;

/** The length without blanks at the end and, after a cut, without half a character. */
static size_t
trimmed(const char *text, size_t used, bool cut)
{
    while (cut && used > 0 && ((unsigned char)text[used - 1] & 0xC0) == 0x80)
        used--;
    if (cut && used > 0 && ((unsigned char)text[used - 1] & 0x80) != 0)
        used--;
    while (used > 0 && text[used - 1] == ' ')
        used--;
    return used;
}

static void
copy_line(char *out, size_t size, const char *text)
{
    size_t used = 0;

    if (text == NULL)
        text = "";
    for (; text[used] != '\0' && used + 1 < size; used++) {
        out[used] = text[used];
        if (strchr("\n\r\t", text[used]) != NULL)
            out[used] = ' ';
    }
    out[trimmed(out, used, text[used] != '\0')] = '\0';
}

static struct connection *
owner(DBPROCESS *process)
{
    /* Only if there is a process: asking without one would raise an error inside the handler. */
    return process == NULL ? NULL : (struct connection *)(void *)dbgetuserdata(process);
}

/* The signatures of both handlers are db-lib's. */
/* NOLINTBEGIN(readability-function-size,readability-non-const-parameter) */
static int
on_message(DBPROCESS *process, DBINT number, int state, int severity, char *text, char *server,
           char *procedure, int line)
{
    struct connection *connection = owner(process);
    struct server_message message = {
        .number = number, .severity = severity, .state = state, .line = line};

    (void)server;
    if (severity <= 10)
        return 0;
    copy_line(message.text, sizeof message.text, text);
    copy_line(message.procedure, sizeof message.procedure, procedure);
    verdict_add_message(connection != NULL ? &connection->verdict : &login_verdict, &message);
    return 0;
}

static int
on_error(DBPROCESS *process, int severity, int number, int os_error, char *text, char *os_text)
{
    struct connection *connection = owner(process);
    struct verdict *verdict = connection != NULL ? &connection->verdict : &login_verdict;
    struct library_error error = {.number = number, .os_error = os_error};

    (void)severity;
    (void)os_text;
    if (number == SYBESMSG)
        return INT_CANCEL;
    copy_line(error.text, sizeof error.text, text);
    verdict_add_error(verdict, &error);
    if (number != SYBETIME || connection == NULL)
        return INT_CANCEL;
    if (!verdict->interrupted)
        verdict->timed_out = true;
    if (connection->no_attention || connection->attention_sent)
        return INT_CANCEL;
    connection->attention_sent = true;
    connection->cancelled_at_ms = clock_monotonic_ms();
    return INT_TIMEOUT;
}

/* NOLINTEND(readability-function-size,readability-non-const-parameter) */

void
connection_handlers(void)
{
    (void)dberrhandle(on_error);
    (void)dbmsghandle(on_message);
}

/** Asked once a second while db-lib waits: true once to send an attention, again to hang up. */
static int
should_stop(void *process)
{
    struct connection *connection = owner(process);
    int64_t now = clock_monotonic_ms();

    if (connection == NULL)
        return FALSE;
    if (connection->cancelled_at_ms != 0)
        return now - connection->cancelled_at_ms > GRACE_MS ? TRUE : FALSE;
    if (!connection->deaf && cancel_signal() != 0)
        connection->verdict.interrupted = true;
    else if (now >= connection->deadline_ms)
        connection->verdict.timed_out = true;
    else
        return FALSE;
    connection->cancelled_at_ms = now;
    return TRUE;
}

static int
stop_now(void *process)
{
    (void)process;
    return INT_CANCEL;
}

bool
connection_is_alive(const struct connection *connection)
{
    return connection->process != NULL && !dbdead(connection->process);
}

void
connection_hang_up(struct connection *connection)
{
    if (connection->process != NULL)
        dbclose(connection->process);
    connection->process = NULL;
}

void
connection_free(struct connection *connection)
{
    if (connection == NULL)
        return;
    connection_hang_up(connection);
    free(connection);
}

static bool
fill_credentials(LOGINREC *login, const struct mssql_options *options)
{
    const char *password = options->password != NULL ? secret_reveal(options->password) : "";

    if (options->integrated)
        return DBSETLNETWORKAUTH(login, 1) == SUCCEED;
    return DBSETLUSER(login, options->user) == SUCCEED && DBSETLPWD(login, password) == SUCCEED;
}

static bool
fill_login(LOGINREC *login, const struct mssql_options *options, struct err *err)
{
    const int packet = options->packet_size != 0 ? options->packet_size : DEFAULT_PACKET;
    /* The version is pinned: "auto" falls back to a protocol that sends the password in clear. */
    const RETCODE done[] = {
        DBSETLDBNAME(login, options->database),
        DBSETLAPP(login, options->application),
        options->workstation != NULL ? DBSETLHOST(login, options->workstation) : SUCCEED,
        DBSETLCHARSET(login, "UTF-8"),
        DBSETLVERSION(login, DBVERSION_74),
        DBSETLPACKET(login, packet),
        options->read_only_intent ? DBSETLREADONLY(login, 1) : SUCCEED,
    };

    for (size_t i = 0; i < sizeof done / sizeof done[0]; i++) {
        if (done[i] != SUCCEED)
            return err_set(err, ERR_USAGE, "FreeTDS refused a value of the login");
    }
    return fill_credentials(login, options) ||
           err_set(err, ERR_USAGE, "FreeTDS refused user or password");
}

/** dbopen; NULL: login_verdict says why. */
static DBPROCESS *
dial(LOGINREC *login, const char *host)
{
    DBPROCESS *process;

    verdict_reset(&login_verdict);
    /* Nobody is asked whether to go on in here: a stop signal has to end the process itself. */
    cancel_immediate_begin();
    process = dbopen(login, host);
    cancel_immediate_end();
    return process;
}

/** One try. `*ret` NULL and true when the connection failed and login_verdict says how. */
static bool
try_open(const struct mssql_options *options, const char *host, uint16_t port, DBPROCESS **ret,
         struct err *err)
{
    TEXT_SCOPED text = {0};
    FILE_SCOPED conf = -1;
    char path[CONF_PATH_BYTES];
    LOGINREC *login;

    if (!conf_text(options, host, port, &text, err) ||
        !conf_publish(text_string(&text), text.used, &conf, path, err))
        return false;
    login = dblogin();
    if (login == NULL)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (!fill_login(login, options, err)) {
        dbloginfree(login);
        return false;
    }
    (void)dbsetlogintime(options->login_timeout_s);
    dbsetifile(path);
    *ret = dial(login, host);
    dbloginfree(login);
    return true;
}

static bool
open_once(const struct mssql_options *options, struct connection *connection, struct err *err)
{
    char other[DIALLED_BYTES];
    uint16_t port = options->port != 0 ? options->port : DEFAULT_PORT;

    if (!try_open(options, options->host, port, &connection->process, err))
        return false;
    if (connection->process == NULL &&
        connection_redirect(options->host, &login_verdict, other, sizeof other, &port) &&
        !try_open(options, other, port, &connection->process, err))
        return false;
    return connection->process != NULL ||
           connection_explain(options, connection->dialled, &login_verdict, err);
}

/** Again while the server says that it will be back soon: Azure's passing states. */
static bool
open_with_patience(const struct mssql_options *options, struct connection *connection,
                   struct err *err)
{
    int64_t pause_ms = 2000;

    for (int try = 1;; try++) {
        if (open_once(options, connection, err))
            return true;
        if (!err->transient || try == CONNECT_TRIES)
            return false;
        clock_sleep_ms(pause_ms);
        if (!cancel_check(err))
            return false;
        pause_ms = pause_ms < 15000 ? pause_ms * 2 : 30000;
    }
}

/** What dbopen cannot set. */
static bool
tune(struct connection *connection, struct err *err)
{
    DBPROCESS *process = connection->process;
    const unsigned dead_line_ms = DEAD_LINE_MS;

    dbsetuserdata(process, (BYTE *)(void *)connection);
    dbsetinterrupt(process, should_stop, stop_now);
    (void)setsockopt(dbiordesc(process), IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_line_ms,
                     sizeof dead_line_ms);
    if (dbtds(process) != DBTDS_7_4)
        return err_set(err, ERR_CONNECT, "%s does not speak TDS 7.4", connection->dialled);
    return true;
}

static bool
set_session(struct connection *connection, struct err *err)
{
    TEXT_SCOPED number = {0};
    TEXT_SCOPED batch = {0};
    struct batch_variable variables[] = {{"lock_timeout_ms", NULL}};
    struct statement statement = {.batch = &batch,
                                  .timeout_ms = SESSION_TIMEOUT_MS,
                                  .timeout_code = ERR_CONNECT,
                                  .first = true};

    batch_number(&number, connection->options->lock_timeout_ms);
    variables[0].value = text_string(&number);
    return batch_expand(sql_session, variables, 1, &batch, err) &&
           statement_run(connection, &statement, NULL, err);
}

bool
connection_open(const struct mssql_options *options, struct connection **ret, struct err *err)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (connection == NULL)
        return err_set(err, ERR_INTERNAL, "out of memory");
    connection->options = options;
    (void)snprintf(connection->dialled, sizeof connection->dialled, "%s,%u", options->host,
                   options->port != 0 ? (unsigned)options->port : DEFAULT_PORT);
    if (!open_with_patience(options, connection, err) || !tune(connection, err) ||
        !set_session(connection, err)) {
        connection_free(connection);
        return false;
    }
    *ret = connection;
    return true;
}
