#include "statement.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "batch.h"
#include "eof_watch.h"
#include "sql_text.h"
#include "statement_log.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
    TLS_DATA = 0x17,  /* record type of application data */
    RECORD_BYTES = 3, /* its type and version */
    TDS_REPLY = 0x04, /* packet type, in clear text */
    POLL_MS = 200,
    FIRST_LOOK_MS = 1500,
    ROWS_A_LOOK = 16,
    OPTIONS_MASK = 29562, /* XACT_ABORT, the ANSI options and their companions */
    OPTIONS_WANTED = 21368,
};

static const int64_t TEXT_SIZE_WANTED = 2147483647;

bool
cursor_is(const struct cursor *cursor, const char *set_name)
{
    return cursor->set_name != NULL && strcmp(cursor->set_name, set_name) == 0;
}

bool
cursor_wire(const struct cursor *cursor, int column, struct wire *ret, bool *ret_null,
            struct err *err)
{
    DBPROCESS *process = cursor->connection->process;
    const BYTE *data;
    DBINT size;

    if (column < 1 || column > cursor->columns)
        return err_set(err, ERR_SERVER, "a result has %d columns where %d were expected",
                       cursor->columns, column);
    data = dbdata(process, column);
    size = dbdatlen(process, column);
    /* NULL is also what a dead connection answers. */
    if ((data == NULL && dbdead(process)) || size < 0)
        return err_set(err, ERR_CONNECT, "the connection was lost while rows were read");
    *ret_null = data == NULL;
    *ret = (struct wire){.type = dbcoltype(process, column),
                         .bytes = slice_of(data, data == NULL ? 0 : (size_t)size)};
    return true;
}

bool
cursor_integer(const struct cursor *cursor, int column, int64_t if_null, int64_t *ret,
               struct err *err)
{
    struct wire wire = {0};
    bool null = true;

    if (!cursor_wire(cursor, column, &wire, &null, err))
        return false;
    if (null) {
        *ret = if_null;
        return true;
    }
    if (value_integer(&wire, ret))
        return true;
    (void)err_set(err, ERR_SERVER, "a number was expected and something else came");
    return err_detail(err, "column %d of %s, wire type %d, %zu bytes", column,
                      cursor->set_name != NULL ? cursor->set_name : "a result", wire.type,
                      wire.bytes.size);
}

bool
cursor_count(const struct cursor *cursor, int column, struct counted *ret, struct err *err)
{
    int64_t rows = -1;

    if (!cursor_integer(cursor, column, -1, &rows, err))
        return false;
    *ret = (struct counted){.known = rows >= 0 && rows <= COUNT_MAX};
    if (ret->known)
        ret->rows = rows;
    else
        (void)err_set(&ret->why, ERR_SERVER, "the server's count is not a number of rows");
    return true;
}

bool
cursor_flag(const struct cursor *cursor, int column, bool *ret, struct err *err)
{
    int64_t number = 0;

    if (!cursor_integer(cursor, column, 0, &number, err))
        return false;
    *ret = number != 0;
    return true;
}

bool
cursor_right(const struct cursor *cursor, int column, enum right *ret, struct err *err)
{
    int64_t answer = -1;

    if (!cursor_integer(cursor, column, -1, &answer, err))
        return false;
    *ret = answer == 1 ? RIGHT_HELD : answer == 0 ? RIGHT_MISSING : RIGHT_UNKNOWN;
    return true;
}

/** Well-formed UTF-8 as it is; where it is not, U+FFFD for each byte. */
static void
append_utf8(struct text *out, struct slice bytes)
{
    const char *at = (const char *)bytes.data;

    for (size_t left = bytes.size, size; left > 0; at += size, left -= size) {
        for (size = 1; size < 4 && size < left && !text_is_utf8(at, size);)
            size++;
        if (text_is_utf8(at, size)) {
            text_append_bytes(out, at, size);
            continue;
        }
        text_append(out, "\xEF\xBF\xBD");
        size = 1;
    }
}

bool
cursor_text(const struct cursor *cursor, int column, struct arena *arena, const char **ret,
            struct err *err)
{
    TEXT_SCOPED text = {0};
    struct wire wire = {0};
    bool null = true;
    const char *copy;

    if (!cursor_wire(cursor, column, &wire, &null, err))
        return false;
    if (cursor->connection->options->utf8_engine)
        append_utf8(&text, wire.bytes);
    else
        (void)text_append_utf16le(&text, wire.bytes);
    if (!text_ok(&text, err))
        return false;
    copy = arena_copy(arena, text_string(&text), text.used);
    if (copy == NULL)
        return arena_exhausted(err);
    *ret = copy;
    return true;
}

bool
cursor_word(const struct cursor *cursor, int column, char *out, size_t size, struct err *err)
{
    struct wire wire = {0};
    bool null = true;
    size_t used;

    if (!cursor_wire(cursor, column, &wire, &null, err))
        return false;
    used = wire.bytes.size < size ? wire.bytes.size : size - 1;
    if (used > 0 && wire.bytes.data != NULL)
        memcpy(out, wire.bytes.data, used);
    out[used] = '\0';
    return true;
}

bool
cursor_moment(const struct cursor *cursor, int column, struct arena *arena, const char **ret,
              struct err *err)
{
    TEXT_SCOPED text = {0};
    struct wire wire = {0};
    bool null = true;
    const char *copy;

    if (!cursor_wire(cursor, column, &wire, &null, err))
        return false;
    if (!null && !value_append_moment(&wire, &text))
        return err_set(err, ERR_SERVER, "a date was expected and something else came");
    if (!text_ok(&text, err))
        return false;
    copy = arena_string(arena, text_string(&text));
    if (copy == NULL)
        return arena_exhausted(err);
    *ret = copy;
    return true;
}

/* ---- the proof ---- */

static bool
prove_options(const struct cursor *cursor, struct err *err)
{
    const struct mssql_options *options = cursor->connection->options;
    int64_t set = 0, text_size = 0, lock_ms = 0, open = 0, bytes = 0;

    if (!cursor_integer(cursor, 1, 0, &set, err) ||
        !cursor_integer(cursor, 2, options->utf8_engine ? TEXT_SIZE_WANTED : 0, &text_size, err) ||
        !cursor_integer(cursor, 3, options->utf8_engine ? options->lock_timeout_ms : 0, &lock_ms,
                        err) ||
        !cursor_integer(cursor, 4, -1, &open, err) || !cursor_integer(cursor, 5, 0, &bytes, err))
        return false;
    if ((set & OPTIONS_MASK) == OPTIONS_WANTED && text_size == TEXT_SIZE_WANTED &&
        lock_ms == options->lock_timeout_ms && open == 0 && bytes == (options->utf8_engine ? 1 : 2))
        return true;
    (void)err_set(err, ERR_SERVER, "the session does not have the options that were set");
    (void)err_detail(err,
                     "@@OPTIONS %lld, @@TEXTSIZE %lld, @@LOCK_TIMEOUT %lld, @@TRANCOUNT %lld, "
                     "DATALENGTH(N'a') %lld",
                     (long long)set, (long long)text_size, (long long)lock_ms, (long long)open,
                     (long long)bytes);
    return err_hint(err, "A logon trigger, a server setting or a proxy changes what is sent.");
}

static bool
prove_database(const struct cursor *cursor, struct err *err)
{
    const char *asked = cursor->connection->options->database;
    ARENA_SCOPED arena = arena_new(65536);
    const char *name = "";

    if (arena == NULL)
        return arena_exhausted(err);
    if (!cursor_text(cursor, 7, arena, &name, err))
        return false;
    if (text_equal_nocase(name, asked)) {
        (void)snprintf(cursor->connection->database, sizeof cursor->connection->database, "%s",
                       name);
        return true;
    }
    (void)err_set(err, ERR_REFUSED, "connected to database \"%s\", not to \"%s\"", name, asked);
    return err_hint(err, "Nothing was changed. Check the database name.");
}

static bool
prove(const struct cursor *cursor, struct err *err)
{
    int64_t session = 0;

    if (!prove_options(cursor, err) || !cursor_integer(cursor, 6, 0, &session, err) ||
        !prove_database(cursor, err))
        return false;
    cursor->connection->session_id = (int)session;
    cursor->connection->proven = true;
    return true;
}

/* ---- running ---- */

static bool
give_row(const struct cursor *cursor, const struct statement *statement, const struct taker *taker,
         struct err *err)
{
    struct connection *connection = cursor->connection;

    if (!statement->setting && cursor_is(cursor, "rs_proof"))
        return prove(cursor, err);
    if (!statement->setting && !connection->proven)
        return err_set(err, ERR_SERVER, "the session's proof did not come first");
    if (taker == NULL)
        return true;
    return taker->row(taker->ctx, cursor, err);
}

/** Between rows nobody asks the interrupt callback: look here. A look at the clock is for many
 * rows: it takes as long as one of their columns. */
static bool
may_go_on(struct connection *connection)
{
    if (!connection->deaf && cancel_signal() != 0)
        connection->verdict.interrupted = true;
    else if (connection->rows % ROWS_A_LOOK == 1 && clock_monotonic_ms() >= connection->deadline_ms)
        connection->verdict.timed_out = true;
    else
        return true;
    return false;
}

enum ending { ENDED_WELL, ENDED_BADLY, ENDED_BY_TAKER /* `err` is filled */ };

/** Every row of one result set. */
static enum ending
drain_set(struct connection *connection, const struct statement *statement,
          const struct taker *taker, struct err *err)
{
    DBPROCESS *process = connection->process;
    struct cursor cursor = {.connection = connection, .columns = dbnumcols(process)};
    RETCODE rc;

    cursor.set_name = cursor.columns > 0 ? dbcolname(process, 1) : NULL;
    while ((rc = dbnextrow(process)) == REG_ROW) {
        connection->rows++;
        if (!may_go_on(connection))
            return ENDED_BADLY;
        if (!give_row(&cursor, statement, taker, err))
            return ENDED_BY_TAKER;
    }
    return rc == NO_MORE_ROWS ? ENDED_WELL : ENDED_BADLY;
}

static enum ending
drain(struct connection *connection, const struct statement *statement, const struct taker *taker,
      struct err *err)
{
    DBPROCESS *process = connection->process;
    enum ending ending = ENDED_WELL;
    RETCODE rc;

    for (size_t sets = 0; ending == ENDED_WELL;) {
        if (statement->sets > 0 && sets == statement->sets) {
            connection->open = true;
            return ENDED_WELL;
        }
        if (dbdead(process))
            return ENDED_BADLY;
        rc = dbresults(process);
        if (rc == NO_MORE_RESULTS)
            return ENDED_WELL;
        /* A dead connection answers FAIL for ever. */
        if (rc == FAIL)
            return ENDED_BADLY;
        sets += dbnumcols(process) > 0;
        ending = drain_set(connection, statement, taker, err);
    }
    return ending;
}

/** Up to three bytes of the next answer, left where they are: type and version of a TLS record. */
static ssize_t
peek(const struct connection *connection, int fd, unsigned char ret[RECORD_BYTES])
{
    ssize_t got;

    while ((got = recv(fd, ret, RECORD_BYTES, MSG_PEEK)) > 0 && got < RECORD_BYTES &&
           ret[0] == TLS_DATA && clock_monotonic_ms() < connection->deadline_ms)
        clock_sleep_ms(1);
    return got;
}

/** A record of TLS 1.3 calls itself 1.2 too (RFC 8446, 5.1). */
static bool
check_version(const struct connection *connection, const unsigned char *record, struct err *err)
{
    if (record[1] == 3 && record[2] >= 3)
        return true;
    (void)err_set(err, ERR_TLS, "%s encrypts with a TLS older than 1.2", connection->dialled);
    return err_hint(err, "Switch TLS 1.2 on at the server, or find out who sits in between.");
}

/**
 * "require" is not enough: a server that answers ENCRYPT_OFF gets an encrypted login and FreeTDS
 * goes on in clear text. The first byte of the first answer tells.
 */
static bool
look_at_first_byte(struct connection *connection, struct err *err)
{
    struct pollfd answer = {.fd = dbiordesc(connection->process), .events = POLLIN};
    unsigned char record[RECORD_BYTES] = {0};

    while (poll(&answer, 1, POLL_MS) <= 0) {
        if (!cancel_check(err))
            return false;
        if (clock_monotonic_ms() >= connection->deadline_ms)
            return err_set(err, ERR_CONNECT, "%s signed us in and then fell silent",
                           connection->dialled);
    }
    const ssize_t got = peek(connection, answer.fd, record);
    if (got < 1)
        return err_set(err, ERR_CONNECT, "%s closed the connection after the sign-in",
                       connection->dialled);
    connection->encrypted = record[0] == TLS_DATA;
    if (connection->encrypted)
        return check_version(connection, record, err);
    if (connection->options->encryption == MSSQL_ENCRYPTION_OPTIONAL ||
        connection->options->encryption == MSSQL_ENCRYPTION_DISABLE)
        return true;
    (void)err_set(err, ERR_TLS, "%s encrypts the sign-in only, not the data", connection->dialled);
    (void)err_detail(err, "first byte of the first answer: 0x%02X (TLS would be 0x%02X%s)",
                     record[0], TLS_DATA, record[0] == TDS_REPLY ? "; this is clear text" : "");
    return err_hint(err, "Switch encryption on at the server, or find out who sits in between.");
}

static void
set_limits(struct connection *connection, const struct statement *statement)
{
    char seconds[24];

    connection->deadline_ms = clock_monotonic_ms() + statement->timeout_ms;
    connection->cancelled_at_ms = 0;
    connection->attention_sent = false;
    connection->no_attention = statement->commit;
    connection->deaf = statement->deaf;
    /* Silence per read, longer than the deadline that the callback looks at: a second net. */
    (void)snprintf(seconds, sizeof seconds, "%" PRId64, statement->timeout_ms / 1000 + 2);
    (void)dbsetopt(connection->process, DBSETTIME, seconds, 0);
}

static void
begin(struct connection *connection, const struct statement *statement)
{
    verdict_reset(&connection->verdict);
    set_limits(connection, statement);
}

static enum ending
send_and_drain(struct connection *connection, const char *sql, const struct statement *statement,
               const struct taker *taker, struct err *err)
{
    DBPROCESS *process = connection->process;
    enum ending ending;
    bool failed;

    dbfreebuf(process); /* dbcmd appends: an old text would travel along */
    if (dbcmd(process, sql) == FAIL)
        return ENDED_BADLY;
    connection->sent = true;
    if (dbsqlsend(process) == FAIL)
        return ENDED_BADLY;
    if (statement->first && !look_at_first_byte(connection, err)) {
        connection_hang_up(connection);
        return ENDED_BY_TAKER;
    }
    failed = dbsqlok(process) == FAIL; /* drain all the same */
    ending = drain(connection, statement, taker, err);
    return ending == ENDED_WELL && failed ? ENDED_BADLY : ending;
}

static bool
explain(const struct connection *connection, const struct statement *statement, struct err *err)
{
    const struct verdict *verdict = &connection->verdict;
    const struct server_message *worst = verdict_worst(verdict);

    if (verdict->interrupted)
        return err_set(err, ERR_INTERRUPTED, "stopped by signal %d", cancel_signal());
    if (worst != NULL)
        return verdict_to_err(worst, err);
    if (verdict->timed_out) {
        (void)err_set(err, statement->timeout_code, "no answer from %s within %lld.%lld s",
                      connection->dialled, (long long)(statement->timeout_ms / 1000),
                      (long long)(statement->timeout_ms % 1000 / 100));
        return err_detail(err, "the statement was cancelled");
    }
    (void)err_set(err, ERR_CONNECT, "the connection to %s was lost", connection->dialled);
    if (verdict->error_count > 0)
        (void)err_detail(err, "FreeTDS error %d: %s", verdict->errors[0].number,
                         verdict->errors[0].text);
    return false;
}

bool
statement_was_refused(const struct connection *connection)
{
    const struct verdict *verdict = &connection->verdict;

    return connection_is_alive(connection) && verdict->message_count > 0 &&
           verdict->error_count == 0 && !verdict->timed_out && !verdict->interrupted;
}

/** End what may still be running, so that the connection can be used again. */
static void
cancel_rest(struct connection *connection)
{
    connection->open = false;
    if (!connection_is_alive(connection))
        return;
    connection->attention_sent = true; /* dbcancel sends it; a timeout then closes */
    connection->cancelled_at_ms = clock_monotonic_ms();
    /* What could not be cancelled would be taken for the answer to the next batch. */
    if ((connection->no_attention && connection->verdict.timed_out) ||
        dbcancel(connection->process) == FAIL)
        connection_hang_up(connection);
}

bool
statement_proof(bool utf8_engine, struct text *out, struct err *err)
{
    return batch_expand(utf8_engine ? sql_prove_utf8 : sql_prove, NULL, 0, out, err);
}

/** Judge what was said until the end, or until the batch was left open. */
static bool
judge(struct connection *connection, const struct statement *statement, enum ending ending,
      struct err *err)
{
    if (ending == ENDED_WELL && connection_is_alive(connection) &&
        verdict_is_clean(&connection->verdict)) {
        if (statement->setting || connection->proven)
            return true;
        (void)err_set(err, ERR_SERVER, "the session's proof did not come");
        ending = ENDED_BY_TAKER;
    }
    if (ending != ENDED_BY_TAKER)
        (void)explain(connection, statement, err);
    cancel_rest(connection);
    return false;
}

static bool
run(struct connection *connection, const struct statement *statement, const struct taker *taker,
    struct err *err)
{
    TEXT_SCOPED sql = {.max = statement->batch->max};
    enum ending ending;

    connection->sent = false;
    if (connection->open)
        cancel_rest(connection);
    if (!connection_is_alive(connection))
        return err_set(err, ERR_CONNECT, "the connection to %s was lost", connection->dialled);
    if (!statement->setting && !connection->proven &&
        !statement_proof(connection->options->utf8_engine, &sql, err))
        return false;
    text_append_bytes(&sql, text_string(statement->batch), statement->batch->used);
    if (!batch_check(statement->batch, err) || !batch_check(&sql, err))
        return false;
    begin(connection, statement);
    ending = send_and_drain(connection, text_string(&sql), statement, taker, err);
    return judge(connection, statement, ending, err);
}

bool
statement_run(struct connection *connection, const struct statement *statement,
              const struct taker *taker, struct err *err)
{
    const int64_t began_ms = clock_monotonic_ms();
    bool good;

    connection->rows = 0;
    if (connection_is_alive(connection))
        eof_watch_begin(dbiordesc(connection->process), FIRST_LOOK_MS);
    good = run(connection, statement, taker, err);
    eof_watch_end();
    statement_log(connection, statement, good, clock_monotonic_ms() - began_ms);
    return good;
}

bool
statement_go_on(struct connection *connection, const struct statement *statement,
                const struct taker *taker, struct err *err)
{
    const int64_t began_ms = clock_monotonic_ms();
    bool good;

    if (!connection->open)
        return err_set(err, ERR_INTERNAL, "no batch is open that could go on");
    connection->open = false;
    connection->rows = 0;
    set_limits(connection, statement);
    good = judge(connection, statement, drain(connection, statement, taker, err), err);
    statement_log(connection, statement, good, clock_monotonic_ms() - began_ms);
    return good;
}
