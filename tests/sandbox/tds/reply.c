#include "tds/reply.h"

#include "tds/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_MAX = 768 * 1024 * 1024 };

/* ---- packets ---- */

static void
send_packet(struct tds_reply *reply, const unsigned char *bytes, size_t count, bool last)
{
    unsigned char packet[TDS_PACKET_MAX + 1];
    const struct tds_packet header = {
        .type = TDS_PACKET_REPLY,
        .status = last ? TDS_STATUS_LAST : 0,
        .length = (uint16_t)(count + TDS_HEADER_BYTES),
        .spid = reply->connection->spid,
        .id = ++reply->packet_id,
    };
    tds_packet_write(&header, packet);
    if (count > 0)
        memcpy(packet + TDS_HEADER_BYTES, bytes, count);
    if (!tds_channel_write(&reply->connection->channel, packet, header.length))
        reply->broken = true;
}

/* Send whole packets, and with `everything` the rest too; the last of them ends the message if
 * `last`. */
static void
send_packets(struct tds_reply *reply, bool everything, bool last)
{
    size_t sent = 0;
    if (reply->out.failed) {
        tds_channel_cut(&reply->connection->channel);
        reply->broken = true;
    }
    while (!reply->broken && reply->out.length - sent > reply->payload) {
        send_packet(reply, reply->out.bytes + sent, reply->payload, false);
        sent += reply->payload;
    }
    if (!reply->broken && everything && (last || reply->out.length > sent)) {
        send_packet(reply, reply->out.bytes + sent, reply->out.length - sent, last);
        sent = reply->out.length;
    }
    tds_buffer_drop(&reply->out, reply->broken ? reply->out.length : sent);
}

/* ---- the DONE that is held back ---- */

static unsigned
transaction_bit(const struct tds_reply *reply)
{
    return reply->connection->transaction != 0 ? TDS_DONE_IN_TRANSACTION : 0;
}

static void
release_held(struct tds_reply *reply, bool more)
{
    const struct tds_held_done held = reply->held;
    if (!held.set)
        return;
    reply->held.set = false;
    tds_put_done(&reply->out, held.token, held.status | (more ? TDS_DONE_MORE : 0), held.command,
                 held.rows);
}

static void
hold_done(struct tds_reply *reply, uint8_t token, unsigned status, uint16_t command, uint64_t rows)
{
    release_held(reply, true);
    reply->held = (struct tds_held_done){
        .set = true,
        .token = token,
        .status = status | transaction_bit(reply) | (reply->error ? TDS_DONE_ERROR : 0),
        .command = command,
        .rows = rows,
    };
    reply->error = false;
}

struct tds_buffer *
tds_reply_open(struct tds_reply *reply)
{
    if (reply->broken || reply->silent)
        return NULL;
    if (tds_inbox_cancelled(&reply->connection->inbox)) {
        reply->silent = true;
        return NULL;
    }
    release_held(reply, true);
    return &reply->out;
}

void
tds_reply_close(struct tds_reply *reply)
{
    if (reply->out.length > reply->payload || reply->out.failed)
        send_packets(reply, false, false);
}

/* ---- the engine's sink ---- */

/* Seven parameters: the engine's interface. */
static void /* NOLINTNEXTLINE(readability-function-size) */
sink_message(void *context, int32_t number, int severity, int state, const char *text,
             const char *procedure, int line)
{
    struct tds_reply *reply = context;
    struct tds_buffer *out = tds_reply_open(reply);
    if (severity > 10) {
        reply->error = true;
        reply->last_error = number;
    }
    if (out == NULL)
        return;
    tds_put_message(out, &(struct tds_message){.number = number,
                                               .severity = severity,
                                               .state = state,
                                               .text = text,
                                               .procedure = procedure,
                                               .line = line});
    tds_reply_close(reply);
}

static void
choose_row_format(struct tds_reply *reply)
{
    struct fault_action act;
    reply->format = (struct tds_row_format){0};
    enum tds_fate fate = tds_point(reply->connection, "tds.columns", reply->subject, &act);
    if (fate == TDS_GONE)
        reply->broken = true;
    if (fate != TDS_OTHER)
        return;
    reply->format.nulls_in_bitmap = strstr(act.text, "nbcrow") != NULL;
    reply->format.unknown_length = strstr(act.text, "plp-unknown") != NULL;
    reply->format.absurd_length = strstr(act.text, "absurd-length") != NULL;
}

static bool
sink_columns(void *context, const struct sql_column *columns, size_t count)
{
    struct tds_reply *reply = context;
    free(reply->types);
    reply->types = calloc(count + 1, sizeof *reply->types);
    reply->type_count = count;
    if (reply->types == NULL || count > UINT16_MAX - 1u)
        return false;
    for (size_t i = 0; i < count; i++)
        reply->types[i] = tds_type_of(&columns[i].type, false);
    choose_row_format(reply);
    struct tds_buffer *out = tds_reply_open(reply);
    if (out == NULL)
        return !reply->broken;
    tds_put_columns(out, columns, reply->types, count);
    tds_reply_close(reply);
    return !reply->broken;
}

/* False: the row is not to be sent. */
static bool
pass_row_point(struct tds_reply *reply)
{
    struct fault_action act;
    if (reply->connection->shared->options.faults == NULL)
        return true;
    act = fault_at(reply->connection->shared->options.faults, "tds.row", reply->subject);
    if (act.what == FAULT_NONE)
        return true;
    send_packets(reply, true, false); /* the client has got every row before this one */
    enum tds_fate fate = tds_act(reply->connection, &act);
    if (fate == TDS_GONE)
        reply->broken = true;
    if (fate == TDS_ANSWER) {
        tds_reply_message(reply, (int32_t)act.arg, 16, act.text);
        reply->silent = true;
    }
    return fate == TDS_GO_ON || fate == TDS_OTHER;
}

/* An error of the engine's, not of the client's: it must not look like data. */
static void
refuse_row(struct tds_reply *reply, size_t column)
{
    char text[128];
    (void)snprintf(text, sizeof text,
                   "Internal: the value of column %zu does not fit the type it was described with.",
                   column + 1);
    tds_reply_message(reply, 50000, 20, text);
    tds_log(reply->connection, "internal", (const char *const[]){"text", text, NULL});
    send_packets(reply, true, true);
    tds_channel_cut(&reply->connection->channel);
    reply->broken = true;
}

static bool
sink_row(void *context, const struct sql_value *values, size_t count)
{
    struct tds_reply *reply = context;
    if (reply->silent || reply->broken || !pass_row_point(reply))
        return !reply->broken;
    struct tds_buffer *out = tds_reply_open(reply);
    if (out == NULL)
        return !reply->broken;
    size_t begin = out->length, bad = count;
    if (count != reply->type_count ||
        !tds_put_row(out, reply->types, values, count, reply->format, &bad)) {
        out->length = begin;
        refuse_row(reply, bad);
        return false;
    }
    tds_reply_close(reply);
    return !reply->broken;
}

static void
sink_done(void *context, enum sql_done_kind kind, unsigned flags, uint16_t command, uint64_t rows)
{
    static const uint8_t tokens[] = {
        [SQL_DONE_STATEMENT] = TDS_TOKEN_DONE,
        [SQL_DONE_IN_PROC] = TDS_TOKEN_DONEINPROC,
        [SQL_DONE_PROC] = TDS_TOKEN_DONEPROC,
    };
    struct tds_reply *reply = context;
    if ((flags & SQL_DONE_ATTENTION) != 0)
        reply->silent = true;
    if (tds_reply_open(reply) == NULL)
        return;
    unsigned status = 0;
    if ((flags & SQL_DONE_ERROR) != 0)
        status |= TDS_DONE_ERROR;
    if ((flags & SQL_DONE_HAS_COUNT) != 0)
        status |= TDS_DONE_COUNT;
    hold_done(reply, tokens[kind], status, command, rows);
    tds_reply_close(reply);
}

static void
sink_transaction(void *context, int envchange, uint64_t id)
{
    struct tds_reply *reply = context;
    const char *what = envchange == TDS_ENV_BEGIN    ? "began"
                       : envchange == TDS_ENV_COMMIT ? "committed"
                                                     : "rolled back";
    reply->connection->transaction = envchange == TDS_ENV_BEGIN ? id : 0;
    tds_log(reply->connection, "transaction", (const char *const[]){"what", what, NULL});
    if (reply->broken)
        return;
    /* Also within a cancelled answer: the client must know whether its transaction is open. */
    release_held(reply, true);
    tds_put_env_transaction(&reply->out, (enum tds_envchange)envchange, id);
    tds_reply_close(reply);
}

static void
put_handle(struct tds_reply *reply)
{
    const struct sql_column *column = reply->handle_column;
    if (column == NULL)
        return;
    reply->handle_column = NULL;
    struct sql_column as = *column;
    as.type = (struct sql_typeinfo){.type = SQL_INT, .nullable = true};
    struct tds_buffer *out = tds_reply_open(reply);
    if (out == NULL)
        return;
    const struct sql_value value = {.integer = reply->handle};
    (void)tds_put_return_value(out, 0, &as, &value);
    tds_reply_close(reply);
}

static void
sink_return_status(void *context, int32_t status)
{
    tds_reply_return_status(context, status);
}

static void
sink_output(void *context, size_t ordinal, const struct sql_column *as,
            const struct sql_value *value)
{
    struct tds_reply *reply = context;
    struct tds_buffer *out = tds_reply_open(reply);
    if (out == NULL)
        return;
    size_t begin = out->length;
    if (!tds_put_return_value(out, ordinal + reply->ordinal_offset, as, value)) {
        out->length = begin;
        refuse_row(reply, ordinal);
        return;
    }
    tds_reply_close(reply);
}

/* ---- begin and end ---- */

void
tds_reply_choose_packets(struct tds_reply *reply)
{
    struct fault_action act;
    if (reply->packets_chosen)
        return;
    reply->packets_chosen = true;
    enum tds_fate fate = tds_point(reply->connection, "tds.packet.out", reply->subject, &act);
    reply->broken = reply->broken || fate == TDS_GONE;
    if (fate != TDS_OTHER)
        return;
    if (strncmp(act.text, "split=", 6) == 0) {
        long size = strtol(act.text + 6, NULL, 10);
        if (size > TDS_HEADER_BYTES && size <= TDS_PACKET_MAX)
            reply->payload = (size_t)size - TDS_HEADER_BYTES;
    } else if (strcmp(act.text, "garbage") == 0) {
        tds_put_u8(&reply->out, 0x03);
    }
}

void
tds_reply_begin(struct tds_reply *reply, struct tds_connection *connection, const char *subject)
{
    *reply = (struct tds_reply){.connection = connection, .subject = subject};
    reply->sink = (struct sql_sink){
        .ctx = reply,
        .columns = sink_columns,
        .row = sink_row,
        .done = sink_done,
        .message = sink_message,
        .transaction = sink_transaction,
        .return_status = sink_return_status,
        .output = sink_output,
    };
    reply->payload = connection->packet_size - (size_t)TDS_HEADER_BYTES;
    tds_buffer_init(&reply->out, OUT_MAX);
}

void
tds_reply_message(struct tds_reply *reply, int32_t number, int severity, const char *text)
{
    sink_message(reply, number, severity, 1, text, "", 1);
}

void
tds_reply_return_status(struct tds_reply *reply, int32_t status)
{
    struct tds_buffer *out = tds_reply_open(reply);
    if (out == NULL)
        return;
    tds_put_return_status(out, status);
    tds_reply_close(reply);
    put_handle(reply);
}

void
tds_reply_done_proc(struct tds_reply *reply)
{
    sink_done(reply, SQL_DONE_PROC, 0, 0xE0, 0);
}

void
tds_reply_end_call(struct tds_reply *reply)
{
    bool ended = reply->held.set && reply->held.token == TDS_TOKEN_DONEPROC;
    if (reply->procedure && !ended && !reply->silent && !reply->broken)
        tds_reply_done_proc(reply);
    reply->handle_column = NULL;
}

bool
tds_reply_end(struct tds_reply *reply)
{
    tds_reply_end_call(reply);
    if (reply->silent) {
        release_held(reply, true);
        reply->error = true;
        hold_done(reply, reply->procedure ? TDS_TOKEN_DONEPROC : TDS_TOKEN_DONE, 0, 0, 0);
    } else if (!reply->held.set) {
        hold_done(reply, TDS_TOKEN_DONE, 0, 0, 0);
    }
    release_held(reply, false);
    return tds_reply_end_bare(reply);
}

bool
tds_reply_end_bare(struct tds_reply *reply)
{
    if (!reply->broken)
        send_packets(reply, true, true);
    return !reply->broken;
}

void
tds_reply_free(struct tds_reply *reply)
{
    tds_buffer_free(&reply->out);
    free(reply->types);
    reply->types = NULL;
}
