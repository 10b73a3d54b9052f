/** A bare TDS client for tests: sends what it is told to, and takes answers apart token by token.
 */
#ifndef SANDBOX_TESTS_TDS_CLIENT_H
#define SANDBOX_TESTS_TDS_CLIENT_H

#include "tds/bulk.h"
#include "tds/packet.h"
#include "tds/text.h"
#include "tds/token.h"
#include "tds/value.h"
#include "tests/tds_hex.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENT_WAIT_MS = 10000, CLIENT_SEEN = 64 };

struct tds_client {
    int fd;
    struct tds_buffer message; /* the last answer, without packet headers */
    size_t received;           /* bytes since the connection began, headers included */
    size_t packets;            /* of the last answer */
    uint16_t spid, largest_packet;
};

struct tds_seen {
    size_t dones, errors, infos, rows, envs, statuses;
    struct {
        uint8_t token;
        unsigned status;
        uint64_t rows;
    } done[CLIENT_SEEN];
    int32_t error[CLIENT_SEEN];
    uint8_t env[CLIENT_SEEN];
    uint64_t transaction;  /* of the last ENVCHANGE 8 */
    int64_t first_integer; /* first column of the last row */
    size_t first_length;
    bool has_bitmap;
    bool malformed; /* a token that cannot be, or one that is cut */
};

static inline int64_t
client_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline struct tds_client
client_open(uint16_t port)
{
    struct tds_client client = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(client.fd >= 0);
    assert_int_equal(connect(client.fd, (struct sockaddr *)&address, sizeof address), 0);
    tds_buffer_init(&client.message, 64 << 20);
    return client;
}

static inline void
client_close(struct tds_client *client)
{
    (void)close(client->fd);
    tds_buffer_free(&client->message);
}

static inline void
client_send_raw(struct tds_client *client, const void *bytes, size_t count)
{
    /* A server that has hung up is no error here: the test looks at what it answers. */
    (void)!send(client->fd, bytes, count, MSG_NOSIGNAL);
}

static inline void
client_send(struct tds_client *client, uint8_t type, uint8_t status, const void *bytes,
            size_t count)
{
    unsigned char packet[TDS_PACKET_MAX];
    assert_true(count + TDS_HEADER_BYTES <= sizeof packet);
    const struct tds_packet header = {
        .type = type, .status = status, .length = (uint16_t)(count + TDS_HEADER_BYTES), .id = 1};
    tds_packet_write(&header, packet);
    if (count > 0)
        memcpy(packet + TDS_HEADER_BYTES, bytes, count);
    client_send_raw(client, packet, count + TDS_HEADER_BYTES);
}

/* Exactly `count` bytes within the time; what came before the end is counted. */
static inline bool
client_read(struct tds_client *client, unsigned char *ret, size_t count, int wait_ms)
{
    while (count > 0) {
        struct pollfd fd = {.fd = client->fd, .events = POLLIN};
        if (poll(&fd, 1, wait_ms) <= 0)
            return false;
        ssize_t got = recv(client->fd, ret, count, 0);
        if (got <= 0)
            return false;
        ret += got;
        count -= (size_t)got;
        client->received += (size_t)got;
    }
    return true;
}

/** The next whole message; false when the server hung up or nothing came in `wait_ms`. */
static inline bool
client_receive_within(struct tds_client *client, int wait_ms)
{
    unsigned char header[TDS_HEADER_BYTES];
    static unsigned char payload[TDS_PACKET_MAX];
    struct tds_packet packet;
    client->message.length = 0;
    client->packets = 0;
    client->largest_packet = 0;
    do {
        if (!client_read(client, header, sizeof header, wait_ms))
            return false;
        assert_true(tds_packet_parse(header, &packet));
        assert_int_equal(packet.type, TDS_PACKET_REPLY);
        size_t count = packet.length - (size_t)TDS_HEADER_BYTES;
        if (!client_read(client, payload, count, wait_ms))
            return false;
        tds_put(&client->message, payload, count);
        client->packets++;
        client->spid = packet.spid;
        if (packet.length > client->largest_packet)
            client->largest_packet = packet.length;
    } while ((packet.status & TDS_STATUS_LAST) == 0);
    assert_false(client->message.failed);
    return true;
}

static inline bool
client_receive(struct tds_client *client)
{
    return client_receive_within(client, CLIENT_WAIT_MS);
}

/** True when the server hangs up without another byte. */
static inline bool
client_at_end(struct tds_client *client)
{
    struct pollfd fd = {.fd = client->fd, .events = POLLIN};
    unsigned char byte;
    return poll(&fd, 1, CLIENT_WAIT_MS) > 0 && recv(client->fd, &byte, 1, 0) <= 0;
}

/* ---- taking an answer apart ---- */

static inline void
client_see_row(struct tds_reader *reader, const struct tds_bulk *columns, bool bitmap,
               struct tds_seen *seen)
{
    const unsigned char *nulls = bitmap ? tds_take(reader, (columns->count + 7) / 8) : NULL;
    seen->has_bitmap = seen->has_bitmap || bitmap;
    for (size_t i = 0; i < columns->count && !reader->failed; i++) {
        struct tds_arena arena;
        struct sql_value value = {.is_null = true};
        tds_arena_init(&arena, 64 << 20);
        bool absent = nulls != NULL && (nulls[i / 8] >> (i % 8) & 1) != 0;
        if (!absent && !tds_value_read(reader, &columns->types[i], TDS_IN_RESULT, &arena, &value))
            reader->failed = true;
        if (i == 0) {
            seen->first_integer = value.integer;
            seen->first_length = value.length;
        }
        tds_arena_free(&arena);
    }
    seen->rows++;
}

static inline void
client_see_env(struct tds_reader *reader, struct tds_seen *seen)
{
    size_t length = tds_u16(reader);
    const unsigned char *bytes = tds_take(reader, length);
    if (bytes == NULL || length == 0 || seen->envs == CLIENT_SEEN)
        return;
    seen->env[seen->envs++] = bytes[0];
    if (bytes[0] == TDS_ENV_BEGIN && length >= 10) {
        struct tds_reader value = tds_reader_of(bytes + 2, 8);
        seen->transaction = tds_u64(&value);
    }
}

static inline void
client_see_done(struct tds_reader *reader, uint8_t token, struct tds_seen *seen)
{
    unsigned status = tds_u16(reader);
    (void)tds_u16(reader);
    uint64_t rows = tds_u64(reader);
    if (seen->dones == CLIENT_SEEN)
        return;
    seen->done[seen->dones].token = token;
    seen->done[seen->dones].status = status;
    seen->done[seen->dones++].rows = rows;
}

static inline void
client_see_message(struct tds_reader *reader, uint8_t token, struct tds_seen *seen)
{
    size_t length = tds_u16(reader);
    const unsigned char *bytes = tds_take(reader, length);
    if (bytes == NULL || length < 4)
        return;
    struct tds_reader number = tds_reader_of(bytes, 4);
    if (token == TDS_TOKEN_INFO)
        seen->infos++;
    else if (seen->errors < CLIENT_SEEN)
        seen->error[seen->errors++] = (int32_t)tds_u32(&number);
}

static inline void
client_see_token(struct tds_reader *reader, struct tds_arena *arena, struct tds_bulk *columns,
                 struct tds_seen *seen)
{
    const struct tds_reader before = *reader;
    uint8_t token = tds_u8(reader);
    if (token == TDS_TOKEN_COLMETADATA) {
        *reader = before;
        if (!tds_bulk_columns(reader, arena, columns))
            reader->failed = true;
    } else if (token == TDS_TOKEN_ROW || token == TDS_TOKEN_NBCROW) {
        client_see_row(reader, columns, token == TDS_TOKEN_NBCROW, seen);
    } else if (token == TDS_TOKEN_ENVCHANGE) {
        client_see_env(reader, seen);
    } else if (token == TDS_TOKEN_ERROR || token == TDS_TOKEN_INFO) {
        client_see_message(reader, token, seen);
    } else if (token >= TDS_TOKEN_DONE) {
        client_see_done(reader, token, seen);
    } else if (token == TDS_TOKEN_LOGINACK) {
        (void)tds_take(reader, tds_u16(reader));
    } else if (token == TDS_TOKEN_RETURNSTATUS) {
        (void)tds_u32(reader);
        seen->statuses++;
    } else {
        reader->failed = true;
    }
}

/** What is in the last answer. */
static inline struct tds_seen
client_see(const struct tds_client *client)
{
    struct tds_seen seen = {0};
    struct tds_bulk columns = {0};
    struct tds_arena arena;
    struct tds_reader reader = tds_reader_of(client->message.bytes, client->message.length);
    tds_arena_init(&arena, 64 << 20);
    while (reader.left > 0 && !reader.failed)
        client_see_token(&reader, &arena, &columns, &seen);
    seen.malformed = reader.failed;
    tds_arena_free(&arena);
    return seen;
}

/* ---- requests ---- */

static inline bool
client_prelogin(struct tds_client *client)
{
    struct hex request = hex("00 00 0B 00 06 01 00 11 00 01 FF 00 00 00 00 00 00 02");
    client_send(client, TDS_PACKET_PRELOGIN, TDS_STATUS_LAST, request.bytes, request.length);
    return client_receive(client);
}

/** LOGIN7 for `user` and `password`, asking for packets of `packet_size`. */
static inline struct tds_buffer
client_login7(const char *user, const char *password, uint32_t packet_size)
{
    static const unsigned char zeros[94];
    struct tds_buffer login;
    tds_buffer_init(&login, 4096);
    tds_put(&login, zeros, sizeof zeros);
    size_t user_at = login.length;
    size_t user_units = tds_put_utf16(&login, user, 128);
    size_t password_at = login.length;
    size_t password_units = tds_put_utf16(&login, password, 128);
    for (size_t i = password_at; i < login.length; i++) {
        unsigned swapped = (unsigned)(login.bytes[i] >> 4) | ((unsigned)login.bytes[i] << 4);
        login.bytes[i] = (unsigned char)(swapped ^ 0xA5u);
    }
    tds_patch_u16(&login, 0, login.length);
    tds_patch_u16(&login, 4, 4);
    tds_patch_u16(&login, 6, 0x7400);
    tds_patch_u16(&login, 8, packet_size);
    tds_patch_u16(&login, 40, user_at);
    tds_patch_u16(&login, 42, user_units);
    tds_patch_u16(&login, 44, password_at);
    tds_patch_u16(&login, 46, password_units);
    assert_false(login.failed);
    return login;
}

static inline bool
client_login(struct tds_client *client, const char *user, const char *password,
             uint32_t packet_size)
{
    if (!client_prelogin(client))
        return false;
    struct tds_buffer login = client_login7(user, password, packet_size);
    client_send(client, TDS_PACKET_LOGIN7, TDS_STATUS_LAST, login.bytes, login.length);
    tds_buffer_free(&login);
    return client_receive(client);
}

static inline void
client_put_headers(struct tds_buffer *buffer, uint64_t transaction)
{
    tds_put_u32(buffer, 22);
    tds_put_u32(buffer, 18);
    tds_put_u16(buffer, 2);
    tds_put_u64(buffer, transaction);
    tds_put_u32(buffer, 1);
}

static inline void
client_send_batch(struct tds_client *client, const char *sql, uint64_t transaction, uint8_t status)
{
    struct tds_buffer batch;
    tds_buffer_init(&batch, 32000);
    client_put_headers(&batch, transaction);
    (void)tds_put_utf16(&batch, sql, 15000);
    client_send(client, TDS_PACKET_BATCH, status | TDS_STATUS_LAST, batch.bytes, batch.length);
    tds_buffer_free(&batch);
}

/** Send a batch and take its answer apart. The answer must come and be well-formed. */
static inline struct tds_seen
client_batch_in(struct tds_client *client, const char *sql, uint64_t transaction)
{
    client_send_batch(client, sql, transaction, 0);
    assert_true(client_receive(client));
    struct tds_seen seen = client_see(client);
    assert_false(seen.malformed);
    assert_true(seen.dones > 0);
    assert_false(seen.done[seen.dones - 1].status & TDS_DONE_MORE);
    for (size_t i = 0; i + 1 < seen.dones; i++)
        assert_true(seen.done[i].status & TDS_DONE_MORE);
    return seen;
}

static inline struct tds_seen
client_batch(struct tds_client *client, const char *sql)
{
    return client_batch_in(client, sql, 0);
}

/** A transaction manager request: 5 begin, 7 commit, 8 rollback. */
static inline struct tds_seen
client_manager(struct tds_client *client, unsigned kind, uint64_t transaction)
{
    struct tds_buffer request;
    tds_buffer_init(&request, 128);
    client_put_headers(&request, transaction);
    tds_put_u16(&request, kind);
    tds_put_u16(&request, 0); /* isolation and name, or name and flags: all of them none */
    client_send(client, TDS_PACKET_TRANSACTION, TDS_STATUS_LAST, request.bytes, request.length);
    tds_buffer_free(&request);
    assert_true(client_receive(client));
    return client_see(client);
}

static inline void
client_attention(struct tds_client *client)
{
    client_send(client, TDS_PACKET_ATTENTION, TDS_STATUS_LAST, NULL, 0);
}

#endif
