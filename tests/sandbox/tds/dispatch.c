#include "tds/dispatch.h"

#include "tds/bulk.h"
#include "tds/calls.h"
#include "tds/request.h"
#include "tds/text.h"
#include "tds/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- batches ---- */

static void
run_batch(struct tds_work *work)
{
    const struct tds_reader *sql = work->argument;
    session_batch(work->connection->session, sql->at, sql->left, &work->reply->sink);
}

static bool
do_batch(struct tds_connection *connection, struct tds_reply *reply, struct tds_reader *reader,
         uint64_t transaction)
{
    char *text = reader->left % 2 == 0 ? tds_utf8_new(reader->at, reader->left / 2) : NULL;
    if (text == NULL) {
        tds_refuse_stream(reply);
        return false;
    }
    struct tds_work work = {
        .connection = connection,
        .reply = reply,
        .text = text,
        .commit = tds_is_commit(text),
        .transaction = transaction,
        .run = run_batch,
        .argument = reader,
    };
    reply->subject = text;
    tds_log(connection, "batch", (const char *const[]){"sql", text, NULL});
    tds_work_do(&work);
    reply->subject = NULL;
    free(connection->bulk_sql);
    connection->bulk_sql = session_bulk_expected(connection->session) ? text : NULL;
    if (connection->bulk_sql == NULL)
        free(text);
    return true;
}

/* ---- transaction manager requests ---- */

static void
run_quietly(struct tds_work *work, const char *sql)
{
    struct tds_buffer text;
    tds_buffer_init(&text, 4096);
    (void)tds_put_utf16(&text, sql, 1024);
    struct sql_sink sink = tds_quiet_sink(work->reply);
    if (text.length > 0)
        session_batch(work->connection->session, text.bytes, text.length, &sink);
    tds_buffer_free(&text);
}

/* Save, and roll back to what was saved: there is only T-SQL for it. */
static void
run_named(struct tds_work *work, const char *verb, const char *name)
{
    char sql[1024], quoted[800];
    size_t at = 0;
    for (; *name != '\0' && at + 3 < sizeof quoted; name++) {
        if (*name == ']')
            quoted[at++] = ']';
        quoted[at++] = *name;
    }
    quoted[at] = '\0';
    (void)snprintf(sql, sizeof sql, "%s TRANSACTION [%s]", verb, quoted);
    run_quietly(work, sql);
}

static void
run_manager(struct tds_work *work)
{
    const struct tds_manager_request *request = work->argument;
    struct session *session = work->connection->session;
    const struct sql_sink *sink = &work->reply->sink;
    uint8_t level = request->begin_next ? request->next_isolation : request->isolation;
    if (request->kind == TDS_MANAGER_BEGIN)
        run_quietly(work, tds_isolation_sql(level));
    if (request->kind == TDS_MANAGER_SAVE)
        run_named(work, "SAVE", request->name);
    else if (request->kind == TDS_MANAGER_ROLLBACK && request->name[0] != '\0')
        run_named(work, "ROLLBACK", request->name);
    else
        session_transaction(session, request->kind, sink);
    if (request->begin_next && !work->reply->error) {
        run_quietly(work, tds_isolation_sql(level));
        session_transaction(session, TDS_MANAGER_BEGIN, sink);
    }
}

static bool
do_manager(struct tds_connection *connection, struct tds_reply *reply, struct tds_reader *reader,
           uint64_t transaction)
{
    struct tds_manager_request request;
    if (!tds_manager_read(reader, &request) || tds_isolation_sql(request.isolation) == NULL ||
        tds_isolation_sql(request.next_isolation) == NULL) {
        tds_refuse_stream(reply);
        return false;
    }
    static const char *const names[] = {
        [TDS_MANAGER_BEGIN] = "request begin",
        [TDS_MANAGER_COMMIT] = "request commit",
        [TDS_MANAGER_ROLLBACK] = "request rollback",
        [TDS_MANAGER_SAVE] = "request save",
    };
    const char *name = request.kind < sizeof names / sizeof *names ? names[request.kind] : NULL;
    tds_log(connection, "transaction",
            (const char *const[]){"what", name != NULL ? name : "request unknown", NULL});
    if (name == NULL) {
        tds_reply_message(reply, 8501, 16, "MSDTC on server '" TDS_SERVER_NAME "' is unavailable.");
        return true;
    }
    struct tds_work work = {
        .connection = connection,
        .reply = reply,
        .text = name,
        .commit = request.kind == TDS_MANAGER_COMMIT,
        .transaction = transaction,
        .run = run_manager,
        .argument = &request,
    };
    reply->subject = name;
    tds_work_do(&work);
    return true;
}

/* ---- bulk load ---- */

/* Rows into the engine; false when they are not to be kept. `ret_broken`: the stream is malformed.
 */
static bool
load_rows(struct tds_work *work, struct tds_reader *reader, const struct tds_bulk *bulk,
          bool *ret_broken)
{
    struct sql_value *values = calloc(bulk->count, sizeof *values);
    struct tds_arena arena;
    tds_arena_init(&arena, TDS_REQUEST_MAX);
    enum tds_bulk_result result = values == NULL ? TDS_BULK_BROKEN : TDS_BULK_ROW;
    bool kept = true;
    while (result == TDS_BULK_ROW && kept) {
        result = tds_bulk_row(reader, bulk, &arena, values);
        if (result == TDS_BULK_ROW)
            kept = session_bulk_row(work->connection->session, values, bulk->count,
                                    &work->reply->sink) &&
                   !tds_inbox_cancelled(&work->connection->inbox);
        tds_arena_free(&arena);
    }
    free(values);
    *ret_broken = result == TDS_BULK_BROKEN;
    return kept && result == TDS_BULK_END;
}

static void
run_bulk(struct tds_work *work)
{
    struct tds_reader reader = *(const struct tds_reader *)work->argument;
    struct session *session = work->connection->session;
    struct tds_bulk bulk;
    struct tds_arena arena;
    bool broken = false;
    tds_arena_init(&arena, TDS_REQUEST_MAX);
    if (!tds_bulk_columns(&reader, &arena, &bulk)) {
        broken = true;
    } else if (session_bulk_begin(session, bulk.columns, bulk.count, &work->reply->sink)) {
        bool keep = load_rows(work, &reader, &bulk, &broken);
        session_bulk_end(session, keep, &work->reply->sink);
    }
    tds_arena_free(&arena);
    if (broken)
        tds_refuse_stream(work->reply);
}

/* What is left of a bulk load that did not come to its end. */
static void
abandon_bulk(struct tds_connection *connection, struct tds_reply *reply)
{
    struct sql_sink sink = tds_quiet_sink(reply);
    if (session_bulk_expected(connection->session))
        session_bulk_end(connection->session, false, &sink);
    free(connection->bulk_sql);
    connection->bulk_sql = NULL;
}

static bool
do_bulk(struct tds_connection *connection, struct tds_reply *reply, struct tds_reader *reader)
{
    if (!session_bulk_expected(connection->session)) {
        tds_refuse_stream(reply);
        return false;
    }
    const char *sql = connection->bulk_sql != NULL ? connection->bulk_sql : "";
    tds_log(connection, "bulk", (const char *const[]){"sql", sql, NULL});
    reply->subject = sql;
    struct tds_work work = {
        .connection = connection, .reply = reply, .text = sql, .run = run_bulk, .argument = reader};
    tds_work_do(&work);
    reply->subject = NULL;
    abandon_bulk(connection, reply);
    return true;
}

/* ---- all of them ---- */

static bool
do_request(struct tds_connection *connection, struct tds_reply *reply,
           const struct tds_request *request)
{
    struct tds_reader reader = tds_reader_of(request->bytes, request->length);
    uint64_t transaction = 0;
    tds_work_reset(connection, reply, request->status);
    if (request->withdrawn)
        reply->silent = true;
    bool refused = reply->silent || reply->broken;
    if (request->type == TDS_PACKET_BULK && !refused)
        return do_bulk(connection, reply, &reader);
    abandon_bulk(connection, reply);
    if (refused)
        return true;
    if (!tds_headers_read(&reader, &transaction)) {
        tds_refuse_stream(reply);
        return false;
    }
    if (request->type == TDS_PACKET_BATCH)
        return do_batch(connection, reply, &reader, transaction);
    if (request->type == TDS_PACKET_RPC)
        return tds_calls_do(connection, reply, &reader, transaction);
    return do_manager(connection, reply, &reader, transaction);
}

bool
tds_dispatch(struct tds_connection *connection, const struct tds_request *request)
{
    if (request->type != TDS_PACKET_BATCH && request->type != TDS_PACKET_RPC &&
        request->type != TDS_PACKET_BULK && request->type != TDS_PACKET_TRANSACTION)
        return false;
    struct tds_reply reply;
    tds_reply_begin(&reply, connection, NULL);
    bool ok = do_request(connection, &reply, request);
    ok = tds_reply_end(&reply) && ok;
    tds_reply_free(&reply);
    return ok;
}
