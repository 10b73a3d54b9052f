#include "connection.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "browser.h"
#include "conf.h"
#include "eof_watch.h"
#include "session.h"
#include "statement_log.h"

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
    PASSING_TRIES = 5,      /* after the first */
    FIRST_PAUSE_MS = 2000,
    LAST_PAUSE_MS = 30000,
    NEW_LOGIN_PAUSE_MS = 5000, /* when it is waited for 90 s or longer */
    NEW_LOGIN_SHARE = 18,
    REFUSED_SIGN_IN = 18456,
    LATE_S = 2, /* past the login timeout */
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
    statement_log_release(connection);
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
open_process(LOGINREC *login, const char *host, int seconds)
{
    DBPROCESS *process;

    verdict_reset(&login_verdict);
    /* Nobody is asked whether to go on in here: a stop signal has to end the process itself. */
    cancel_immediate_begin();
    /* Not before dbopen must have ended by itself: a tick stops its count of seconds. */
    eof_watch_begin(EOF_WATCH_NEW_SOCKETS, (seconds + LATE_S) * 1000);
    process = dbopen(login, host);
    eof_watch_end();
    cancel_immediate_end();
    return process;
}

/** One try. `*ret` NULL and true when the connection failed and login_verdict says how. */
static bool
try_open(const struct mssql_options *options, const struct dial *dial, int seconds, DBPROCESS **ret,
         struct err *err)
{
    TEXT_SCOPED text = {0};
    FILE_SCOPED conf = -1;
    char path[CONF_PATH_BYTES];
    LOGINREC *login;

    if (!conf_text(options, dial->host, dial->port, &text, err) ||
        !conf_publish(text_string(&text), text.used, &conf, path, err))
        return false;
    login = dblogin();
    if (login == NULL)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (!fill_login(login, options, err)) {
        dbloginfree(login);
        return false;
    }
    (void)dbsetlogintime(seconds);
    dbsetifile(path);
    *ret = open_process(login, dial->host, seconds);
    dbloginfree(login);
    return true;
}

static void
name_dial(struct dial *dial)
{
    (void)snprintf(dial->text, sizeof dial->text, "%s,%u", dial->host, (unsigned)dial->port);
}

/** Host and port; a named instance's port is asked for. */
static bool
find_server(const struct mssql_options *options, int64_t deadline_ms, struct dial *ret,
            struct err *err)
{
    (void)snprintf(ret->host, sizeof ret->host, "%s", options->host);
    ret->port = options->port != 0 ? options->port : DEFAULT_PORT;
    if (options->port == 0 && options->instance != NULL && options->instance[0] != '\0' &&
        !browser_ask(options->host, options->instance, deadline_ms, &ret->port, err))
        return false;
    name_dial(ret);
    return true;
}

static int
seconds_until(int64_t deadline_ms)
{
    int64_t left = deadline_ms - clock_monotonic_ms();

    return left <= 1000 ? 1 : (int)((left + 999) / 1000);
}

/** One try, and a second one where a redirect leads. */
static bool
open_once(const struct mssql_options *options, struct connection *connection, struct err *err)
{
    int64_t deadline = clock_monotonic_ms() + (int64_t)options->login_timeout_s * 1000;
    struct dial dial = {.port = 0}, other;

    verdict_reset(&login_verdict);
    if (!find_server(options, deadline, &dial, err) ||
        !try_open(options, &dial, seconds_until(deadline), &connection->process, err))
        return false;
    if (connection->process == NULL && connection_redirect(&login_verdict, &other) &&
        connection_may_follow(dial.host, &other)) {
        dial = other;
        /* The first try may have waited for all of its time: FreeTDS does not see the redirect. */
        if (!try_open(options, &dial, options->login_timeout_s, &connection->process, err))
            return false;
    }
    (void)snprintf(connection->dialled, sizeof connection->dialled, "%s", dial.text);
    return connection->process != NULL || connection_explain(options, &dial, &login_verdict, err);
}

/* ---- trying again ---- */

struct patience {
    int passing_left;
    int64_t passing_pause_ms;
    int64_t login_until_ms; /* monotonic */
    int64_t login_pause_ms;
};

static void
say(const struct mssql_options *options, const struct err *why, int64_t pause_ms)
{
    char line[512];

    if (options->observer == NULL)
        return;
    (void)snprintf(line, sizeof line, "%.320s; trying again in %lld.%lld s", why->primary,
                   (long long)(pause_ms / 1000), (long long)(pause_ms % 1000 / 100));
    options->observer->say(options->observer, LOG_LEVEL_WARNING, line);
}

static struct patience
patience_of(const struct mssql_options *options)
{
    const int64_t share = options->new_login_ms / NEW_LOGIN_SHARE;

    return (struct patience){.passing_left = PASSING_TRIES,
                             .passing_pause_ms = FIRST_PAUSE_MS,
                             .login_until_ms = clock_monotonic_ms() + options->new_login_ms,
                             .login_pause_ms =
                                 share < NEW_LOGIN_PAUSE_MS ? share + 1 : NEW_LOGIN_PAUSE_MS};
}

/** How long to wait before the next try; 0: there is none. */
static int64_t
pause_before_next(struct patience *patience, const struct err *err)
{
    const struct server_message *cause = connection_cause(&login_verdict);
    int64_t pause = patience->passing_pause_ms;

    if (err->code == ERR_SIGNIN && cause != NULL && cause->number == REFUSED_SIGN_IN)
        return clock_monotonic_ms() < patience->login_until_ms ? patience->login_pause_ms : 0;
    if (!err->transient || patience->passing_left-- <= 0)
        return 0;
    patience->passing_pause_ms = pause * 2 < LAST_PAUSE_MS ? pause * 2 : LAST_PAUSE_MS;
    return pause;
}

/** Again while the server says that it will be back soon, or a login may just have been made. */
static bool
open_with_patience(const struct mssql_options *options, struct connection *connection,
                   struct err *err)
{
    struct patience patience = patience_of(options);

    while (!open_once(options, connection, err)) {
        int64_t pause = pause_before_next(&patience, err);

        if (!cancel_check(err)) /* while the failure was looked into */
            return false;
        if (pause == 0) {
            if (err->code == ERR_SIGNIN && options->new_login_ms > 0)
                (void)err_wrap(err, "tried for %lld s", (long long)(options->new_login_ms / 1000));
            return false;
        }
        say(options, err, pause);
        clock_sleep_ms(pause);
        if (!cancel_check(err))
            return false;
    }
    return true;
}

/** -N optional and disable leave it to the server. */
static void
say_if_in_clear(const struct connection *connection)
{
    struct observer *observer = connection->options->observer;
    char line[DIALLED_BYTES + 128];

    if (connection->encrypted || observer == NULL)
        return;
    (void)snprintf(line, sizeof line,
                   "the connection to %s is NOT encrypted: rows cross the network in clear text",
                   connection->dialled);
    observer->say(observer, LOG_LEVEL_WARNING, line);
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
    /* "strict" is TDS 8, which this header need not know yet. */
    if (dbtds(process) != DBTDS_7_4 &&
        (connection->options->encryption != MSSQL_ENCRYPTION_STRICT || dbtds(process) < DBTDS_7_4))
        return err_set(err, ERR_CONNECT, "%s does not speak TDS 7.4", connection->dialled);
    return true;
}

bool
connection_open(const struct mssql_options *options, struct connection **ret, struct err *err)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (connection == NULL)
        return err_set(err, ERR_INTERNAL, "out of memory");
    connection->options = options;
    if (!open_with_patience(options, connection, err) || !tune(connection, err) ||
        !session_set(connection, err)) {
        connection_free(connection);
        return false;
    }
    say_if_in_clear(connection);
    *ret = connection;
    return true;
}
