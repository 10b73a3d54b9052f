#include "tds/handshake.h"

#include "tds/login7.h"
#include "tds/prelogin.h"
#include "tds/reply.h"
#include "tds/signin.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_MESSAGE_MAX = 16 * 1024,
    HANDSHAKE_PACKET = 4096,
};

/* ---- prelogin ---- */

/* The byte that a rule asks for, or -1. */
static int
forced_encryption(const struct fault_action *act)
{
    static const char name[] = "encryption=";
    if (strncmp(act->text, name, sizeof name - 1) != 0)
        return -1;
    long byte = strtol(act->text + sizeof name - 1, NULL, 10);
    return byte >= 0 && byte <= UINT8_MAX ? (int)byte : -1;
}

static bool
send_prelogin(struct tds_connection *connection, const struct tds_prelogin *client,
              uint8_t encryption)
{
    struct tds_reply reply;
    tds_reply_begin(&reply, connection, NULL);
    tds_prelogin_write(&reply.out, client, encryption);
    bool ok = tds_reply_end_bare(&reply);
    tds_reply_free(&reply);
    return ok;
}

/* The answered byte in `ret_encryption`. */
static bool
answer_prelogin(struct tds_connection *connection, const struct tds_buffer *message,
                uint8_t *ret_encryption)
{
    struct tds_prelogin client;
    struct fault_action act;
    if (!tds_prelogin_parse(message->bytes, message->length, &client) ||
        !tds_prelogin_negotiate(connection->shared->options.encryption, client.encryption,
                                ret_encryption))
        return false;
    enum tds_fate fate = tds_point(connection, "tds.prelogin", NULL, &act);
    int forced = fate == TDS_OTHER ? forced_encryption(&act) : -1;
    if (forced >= 0)
        *ret_encryption = (uint8_t)forced;
    return fate != TDS_GONE && send_prelogin(connection, &client, *ret_encryption);
}

/* ---- TLS inside prelogin packets ---- */

static bool
send_handshake_bytes(struct tds_connection *connection)
{
    unsigned char packet[HANDSHAKE_PACKET];
    size_t room = sizeof packet - TDS_HEADER_BYTES;
    size_t count = tds_tls_drain(connection->channel.tls, packet + TDS_HEADER_BYTES, room);
    for (uint8_t id = 1; count > 0; id++) {
        unsigned char next[HANDSHAKE_PACKET];
        size_t next_count = tds_tls_drain(connection->channel.tls, next + TDS_HEADER_BYTES, room);
        const struct tds_packet header = {
            .type = TDS_PACKET_PRELOGIN,
            .status = next_count == 0 ? TDS_STATUS_LAST : 0,
            .length = (uint16_t)(count + TDS_HEADER_BYTES),
            .id = id,
        };
        tds_packet_write(&header, packet);
        if (!tds_channel_write_raw(&connection->channel, packet, header.length))
            return false;
        memcpy(packet, next, sizeof packet);
        count = next_count;
    }
    return true;
}

static bool
receive_handshake_bytes(struct tds_connection *connection)
{
    unsigned char header[TDS_HEADER_BYTES], payload[TDS_PACKET_MAX];
    struct tds_packet packet;
    if (!tds_channel_read_raw(&connection->channel, header, sizeof header) ||
        !tds_packet_parse(header, &packet) ||
        (packet.type != TDS_PACKET_PRELOGIN && packet.type != TDS_PACKET_REPLY))
        return false;
    size_t count = packet.length - (size_t)TDS_HEADER_BYTES;
    return tds_channel_read_raw(&connection->channel, payload, count) &&
           tds_tls_feed(connection->channel.tls, payload, count);
}

static enum tds_tls_versions
versions_of(const char *word)
{
    if (strcmp(word, "tls1.3") == 0)
        return TDS_TLS_1_2_OR_1_3;
    if (strcmp(word, "tls1.3-only") == 0)
        return TDS_TLS_1_3;
    return strcmp(word, "tls1.1-only") == 0 ? TDS_TLS_1_1 : TDS_TLS_1_2;
}

static bool
start_tls(struct tds_connection *connection)
{
    enum { FLIGHTS_MAX = 64 };
    struct fault_action act;
    enum tds_fate fate = tds_point(connection, "tds.tls", NULL, &act);
    if (fate == TDS_GONE || connection->shared->tls == NULL)
        return false;
    connection->channel.tls = tds_tls_new(connection->shared->tls,
                                          fate == TDS_OTHER ? versions_of(act.text) : TDS_TLS_1_2);
    if (connection->channel.tls == NULL)
        return false;
    for (int flight = 0; flight < FLIGHTS_MAX; flight++) {
        enum tds_tls_result result = tds_tls_handshake(connection->channel.tls);
        if (!send_handshake_bytes(connection) || result == TDS_TLS_FAILED)
            return false;
        if (result == TDS_TLS_OK) {
            connection->channel.encrypted = true;
            return true;
        }
        if (!receive_handshake_bytes(connection))
            return false;
    }
    return false;
}

/* ---- all of it ---- */

static bool
sign_in(struct tds_connection *connection, const struct tds_buffer *message, bool only_login)
{
    struct tds_login7 login;
    if (!tds_login7_parse(message->bytes, message->length, &login)) {
        tds_log(connection, "login", (const char *const[]){"result", "malformed", NULL});
        return false;
    }
    if (only_login) {
        tds_tls_free(connection->channel.tls);
        connection->channel.tls = NULL;
        connection->channel.encrypted = false;
    }
    bool ok = tds_signin(connection, &login);
    tds_login7_wipe(&login);
    return ok;
}

static bool
handshake(struct tds_connection *connection, struct tds_buffer *message)
{
    struct tds_message_state state;
    uint8_t encryption = TDS_ENCRYPT_NOT_SUP;
    if (!tds_read_message(connection, FIRST_MESSAGE_MAX, &state, message))
        return false;
    if (state.type == TDS_PACKET_PRELOGIN) {
        if (!answer_prelogin(connection, message, &encryption))
            return false;
        if (encryption != TDS_ENCRYPT_NOT_SUP && !start_tls(connection))
            return false;
        if (!tds_read_message(connection, TDS_LOGIN7_MAX, &state, message))
            return false;
    } else if (connection->shared->options.encryption == TDS_ENCRYPTION_REQUIRED) {
        return false;
    }
    return state.type == TDS_PACKET_LOGIN7 &&
           sign_in(connection, message, encryption == TDS_ENCRYPT_OFF);
}

static bool
set_limits(struct tds_connection *connection)
{
    struct fault_action act;
    if (connection->shared->options.faults == NULL)
        return true;
    act = fault_at(connection->shared->options.faults, "tds.bytes.in", NULL);
    if (act.what == FAULT_CUT && act.arg >= 0)
        connection->channel.in_limit = (uint64_t)act.arg;
    act = fault_at(connection->shared->options.faults, "tds.bytes.out", NULL);
    connection->channel.orderly = act.what == FAULT_OTHER && strcmp(act.text, "close") == 0;
    if ((act.what == FAULT_CUT || connection->channel.orderly) && act.arg >= 0)
        connection->channel.out_limit = (uint64_t)act.arg;
    return connection->channel.in_limit > 0 && connection->channel.out_limit > 0;
}

bool
tds_handshake(struct tds_connection *connection)
{
    struct fault_action act;
    if (tds_point(connection, "tds.accept", NULL, &act) == TDS_GONE || !set_limits(connection))
        return false;
    struct tds_buffer message;
    tds_buffer_init(&message, TDS_LOGIN7_MAX);
    bool ok = handshake(connection, &message);
    if (message.bytes != NULL)
        memset(message.bytes, 0, message.length); /* the password was in there */
    tds_buffer_free(&message);
    return ok;
}
