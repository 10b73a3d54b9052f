#include "tds/work.h"

#include <inttypes.h>
#include <stdio.h>

enum { DEADLOCK = 1205, LOCK_TIMEOUT = 1222, ROLLBACK_REQUEST = 8 };

/* ---- a sink that tells little ---- */

static bool
no_columns(void *context, const struct sql_column *columns, size_t count)
{
    (void)context, (void)columns, (void)count;
    return true;
}

static bool
no_row(void *context, const struct sql_value *values, size_t count)
{
    (void)context, (void)values, (void)count;
    return true;
}

static void
no_done(void *context, enum sql_done_kind kind, unsigned flags, uint16_t command, uint64_t rows)
{
    (void)context, (void)kind, (void)flags, (void)command, (void)rows;
}

static void
no_return_status(void *context, int32_t status)
{
    (void)context, (void)status;
}

static void
no_output(void *context, size_t ordinal, const struct sql_column *as, const struct sql_value *value)
{
    (void)context, (void)ordinal, (void)as, (void)value;
}

struct sql_sink
tds_quiet_sink(struct tds_reply *reply)
{
    struct sql_sink sink = reply->sink;
    sink.columns = no_columns;
    sink.row = no_row;
    sink.done = no_done;
    sink.return_status = no_return_status;
    sink.output = no_output;
    return sink;
}

/* ---- what a rule answers ---- */

static void
answer_fault(struct tds_work *work, const struct fault_action *act)
{
    char text[256];
    int32_t number = (int32_t)act->arg;
    if (number == DEADLOCK)
        (void)snprintf(text, sizeof text,
                       "Transaction (Process ID %d) was deadlocked on lock resources with another "
                       "process and has been chosen as the deadlock victim. Rerun the transaction.",
                       work->connection->spid);
    else if (number == LOCK_TIMEOUT)
        (void)snprintf(text, sizeof text, "Lock request time out period exceeded.");
    else
        (void)snprintf(text, sizeof text, "Error %" PRId32 " by a rule of the sandbox.", number);
    tds_reply_message(work->reply, number, number == DEADLOCK ? 13 : 16,
                      act->text[0] != '\0' ? act->text : text);
    if (number == DEADLOCK && work->connection->transaction != 0) {
        struct sql_sink sink = tds_quiet_sink(work->reply);
        session_transaction(work->connection->session, ROLLBACK_REQUEST, &sink);
    }
}

/* False: the request must not run. */
static bool
pass(struct tds_work *work, const char *point)
{
    struct fault_action act;
    enum tds_fate fate = tds_point(work->connection, point, work->text, &act);
    if (fate == TDS_ANSWER)
        answer_fault(work, &act);
    if (fate == TDS_GONE)
        work->reply->broken = true;
    return fate != TDS_ANSWER && fate != TDS_GONE;
}

static bool
transaction_matches(struct tds_work *work)
{
    if (work->transaction == 0 || work->transaction == work->connection->transaction)
        return true;
    char text[128];
    (void)snprintf(text, sizeof text,
                   "The server failed to resume the transaction. Desc:%" PRIx64 ".",
                   work->transaction);
    tds_reply_message(work->reply, 3971, 16, text);
    return false;
}

void
tds_work_do(struct tds_work *work)
{
    struct tds_connection *connection = work->connection;
    tds_reply_choose_packets(work->reply);
    if (work->reply->broken || !pass(work, "tds.request") || !transaction_matches(work) ||
        (work->commit && !pass(work, "tds.commit.before")))
        return;
    if (!tds_inbox_begin(&connection->inbox, work->commit)) {
        work->reply->silent = true;
        return;
    }
    work->run(work);
    tds_inbox_end(&connection->inbox);
    if (session_dead(connection->session)) {
        tds_channel_cut(&connection->channel);
        work->reply->broken = true;
        return;
    }
    if (work->commit)
        (void)pass(work, "tds.commit.after");
}

void
tds_work_reset(struct tds_connection *connection, struct tds_reply *reply, uint8_t status)
{
    bool keep = (status & TDS_STATUS_RESET_KEEP_TRANSACTION) != 0 && connection->transaction != 0;
    if ((status & (TDS_STATUS_RESET | TDS_STATUS_RESET_KEEP_TRANSACTION)) == 0)
        return;
    if (keep) {
        tds_reply_message(reply, 3971, 16,
                          "The server failed to resume the transaction: a reset that keeps an open "
                          "transaction is not served.");
        reply->silent = true;
        return;
    }
    struct sql_sink sink = tds_quiet_sink(reply);
    session_reset(connection->session, &sink);
    tds_prepared_clear(&connection->prepared);
    struct tds_buffer *out = tds_reply_open(reply);
    if (out == NULL)
        return;
    tds_put_env_reset(out);
    tds_reply_close(reply);
}

void
tds_refuse_stream(struct tds_reply *reply)
{
    tds_reply_message(reply, 4002, 16,
                      "The incoming tabular data stream (TDS) protocol stream is incorrect. The "
                      "stream ended unexpectedly.");
}
