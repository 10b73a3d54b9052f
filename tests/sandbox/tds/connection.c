#include "tds/connection.h"

#include "tds/dispatch.h"
#include "tds/handshake.h"
#include "tds/reply.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { COMMAND_NONE = 0xFD };

void
tds_log(const struct tds_connection *connection, const char *kind, const char *const *pairs)
{
    struct sandbox_log *log = connection->shared->options.log;
    const char *fields[8] = {NULL};
    char number[16];
    if (log == NULL)
        return;
    for (size_t i = 0; i < 8 && pairs[i] != NULL; i++)
        fields[i] = pairs[i];
    (void)snprintf(number, sizeof number, "%u", connection->number);
    /* The list ends at the first NULL: the connection's number has to come before all others. */
    sandbox_log_add(log, kind, connection->spid, "connection", number, fields[0], fields[1],
                    fields[2], fields[3], fields[4], fields[5], fields[6], fields[7], NULL);
}

struct tds_connection *
tds_connection_new(const struct tds_shared *shared, int fd, unsigned number)
{
    struct tds_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL || !tds_inbox_init(&connection->inbox)) {
        free(connection);
        (void)close(fd);
        return NULL;
    }
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    tds_channel_init(&connection->channel, fd);
    connection->shared = shared;
    connection->number = number;
    connection->packet_size = TDS_PACKET_DEFAULT;
    return connection;
}

void
tds_connection_free(struct tds_connection *connection)
{
    if (connection == NULL)
        return;
    tds_channel_close(&connection->channel);
    tds_inbox_done(&connection->inbox);
    tds_prepared_clear(&connection->prepared);
    free(connection->bulk_sql);
    free(connection);
}

void
tds_connection_interrupt(struct tds_connection *connection)
{
    tds_channel_cut(&connection->channel);
    tds_inbox_interrupt(&connection->inbox);
}

bool
tds_read_message(struct tds_connection *connection, size_t max_bytes,
                 struct tds_message_state *ret_state, struct tds_buffer *ret_bytes)
{
    unsigned char header[TDS_HEADER_BYTES], payload[TDS_PACKET_MAX];
    *ret_state = (struct tds_message_state){0};
    ret_bytes->length = 0;
    for (;;) {
        struct tds_packet packet;
        if (!tds_channel_read(&connection->channel, header, sizeof header) ||
            !tds_packet_parse(header, &packet))
            return false;
        size_t count = packet.length - (size_t)TDS_HEADER_BYTES;
        enum tds_assembly assembly = tds_message_add(ret_state, &packet, max_bytes);
        if (assembly == TDS_ASSEMBLY_BAD || assembly == TDS_ASSEMBLY_IGNORE ||
            !tds_channel_read(&connection->channel, payload, count))
            return false;
        tds_put(ret_bytes, payload, count);
        if (ret_bytes->failed || assembly == TDS_ASSEMBLY_COMPLETE)
            return !ret_bytes->failed;
    }
}

/* Exactly one DONE with the attention bit, in a message of its own, as SQL Server sends it. */
static bool
answer_attention(struct tds_connection *connection)
{
    struct fault_action fault;
    if (!tds_inbox_take_attention(&connection->inbox, &fault))
        return true;
    if (tds_act(connection, &fault) == TDS_GONE)
        return false;
    struct tds_reply reply;
    tds_reply_begin(&reply, connection, NULL);
    unsigned status = TDS_DONE_ATTENTION;
    if (connection->transaction != 0)
        status |= TDS_DONE_IN_TRANSACTION;
    tds_put_done(&reply.out, TDS_TOKEN_DONE, status, COMMAND_NONE, 0);
    bool ok = tds_reply_end_bare(&reply);
    tds_reply_free(&reply);
    return ok;
}

static void
serve(struct tds_connection *connection)
{
    bool ok = true;
    while (ok) {
        struct tds_request *request = NULL;
        enum tds_incoming incoming = tds_inbox_next(&connection->inbox, &request);
        if (incoming == TDS_INCOMING_END)
            return;
        if (incoming == TDS_INCOMING_REQUEST) {
            ok = tds_dispatch(connection, request);
            tds_request_free(request);
        }
        ok = ok && answer_attention(connection);
    }
}

void
tds_connection_run(struct tds_connection *connection)
{
    tds_log(connection, "connect", (const char *const[]){NULL});
    if (tds_handshake(connection) && tds_inbox_start(&connection->inbox, connection))
        serve(connection);
    tds_inbox_stop(&connection->inbox, connection);
    if (connection->session != NULL)
        session_close(connection->session);
    connection->session = NULL;
    tds_log(connection, "disconnect", (const char *const[]){NULL});
}
