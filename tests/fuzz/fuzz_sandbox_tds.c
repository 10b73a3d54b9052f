/* The sandbox's side of TDS: what a client may send. The first byte chooses the message: the header
 * of a packet, PRELOGIN, LOGIN7, a request with its headers, calls, a bulk load, a value. */
#include "fuzz.h"
#include "tds/bulk.h"
#include "tds/login7.h"
#include "tds/packet.h"
#include "tds/prelogin.h"
#include "tds/request.h"
#include "tds/rpc.h"
#include "tds/value.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 8 << 20, WRITTEN_MAX = 1 << 20, ROWS_MAX = 64 };

static bool
is_ended(const char *field)
{
    return memchr(field, 0, TDS_LOGIN7_FIELD) != NULL;
}

static void
packets(struct fuzz_input *input)
{
    struct tds_message_state state = {0};
    while (input->left >= TDS_HEADER_BYTES) {
        struct tds_packet packet;
        unsigned char again[TDS_HEADER_BYTES];
        if (tds_packet_parse(input->at, &packet)) {
            FUZZ_MUST(packet.length >= TDS_HEADER_BYTES && packet.length <= TDS_PACKET_MAX);
            tds_packet_write(&packet, again);
            FUZZ_MUST(memcmp(again, input->at, TDS_HEADER_BYTES - 1) == 0);
            const enum tds_assembly what = tds_message_add(&state, &packet, TDS_REQUEST_MAX);
            FUZZ_MUST(what == TDS_ASSEMBLY_BAD || state.length <= TDS_REQUEST_MAX);
        }
        input->at += TDS_HEADER_BYTES;
        input->left -= TDS_HEADER_BYTES;
    }
}

static void
sign_in(const uint8_t *bytes, size_t size)
{
    static struct tds_login7 login;
    if (!tds_login7_parse(bytes, size, &login))
        return;
    FUZZ_MUST(is_ended(login.host) && is_ended(login.user) && is_ended(login.password) &&
              is_ended(login.application) && is_ended(login.server) && is_ended(login.library) &&
              is_ended(login.language) && is_ended(login.database));
    tds_login7_wipe(&login);
    FUZZ_MUST(!login.password[0]);
}

static void
options(const uint8_t *bytes, size_t size)
{
    struct tds_prelogin prelogin;
    uint8_t answer = 0;
    struct tds_buffer buffer;
    if (!tds_prelogin_parse(bytes, size, &prelogin))
        return;
    tds_buffer_init(&buffer, WRITTEN_MAX);
    if (tds_prelogin_negotiate(TDS_ENCRYPTION_REQUIRED, prelogin.encryption, &answer)) {
        tds_prelogin_write(&buffer, &prelogin, answer);
        FUZZ_MUST(!buffer.failed && tds_prelogin_parse(buffer.bytes, buffer.length, &prelogin));
        FUZZ_MUST(prelogin.encryption == answer);
    }
    tds_buffer_free(&buffer);
}

static void
request(const uint8_t *bytes, size_t size)
{
    static struct tds_manager_request manager;
    struct tds_reader reader = tds_reader_of(bytes, size);
    uint64_t transaction = 0;
    if (tds_headers_read(&reader, &transaction) && tds_manager_read(&reader, &manager)) {
        FUZZ_MUST(memchr(manager.name, 0, sizeof(manager.name)));
        (void)tds_isolation_sql(manager.isolation);
    }
}

static void
calls(const uint8_t *bytes, size_t size)
{
    static struct tds_rpc rpc;
    struct tds_reader reader = tds_reader_of(bytes, size);
    struct tds_arena arena;
    tds_arena_init(&arena, ARENA_BYTES);
    while (reader.left && tds_rpc_read(&reader, &arena, &rpc) == TDS_RPC_OK) {
        FUZZ_MUST(rpc.count <= TDS_RPC_PARAMETERS_MAX && memchr(rpc.name, 0, sizeof(rpc.name)));
        for (size_t i = 0; i < rpc.count; i++)
            FUZZ_MUST(rpc.parameters[i].value.is_null || rpc.parameters[i].value.length == 0 ||
                      rpc.parameters[i].value.bytes);
    }
    tds_arena_free(&arena);
}

static void
bulk(const uint8_t *bytes, size_t size)
{
    struct tds_reader reader = tds_reader_of(bytes, size);
    struct tds_arena arena;
    struct tds_bulk load;
    tds_arena_init(&arena, ARENA_BYTES);
    if (tds_bulk_columns(&reader, &arena, &load)) {
        FUZZ_MUST(load.count <= TDS_BULK_COLUMNS_MAX);
        struct sql_value *values = calloc(load.count + 1, sizeof(*values));
        FUZZ_MUST(values);
        for (int row = 0; row < ROWS_MAX; row++)
            if (tds_bulk_row(&reader, &load, &arena, values) != TDS_BULK_ROW)
                break;
        free(values);
    }
    tds_arena_free(&arena);
}

/** Written and read again it is the same value. */
static void
value(const uint8_t *bytes, size_t size)
{
    static const struct tds_row_format plain;
    struct tds_reader reader = tds_reader_of(bytes, size);
    struct tds_arena arena;
    struct tds_buffer buffer;
    struct tds_type type;
    struct sql_value first, again;
    tds_arena_init(&arena, ARENA_BYTES);
    tds_buffer_init(&buffer, WRITTEN_MAX);
    if (tds_type_read(&reader, TDS_IN_PARAMETER, &type) &&
        tds_value_read(&reader, &type, TDS_IN_PARAMETER, &arena, &first) &&
        type.shape != TDS_SHAPE_LONG && type.shape != TDS_SHAPE_VARIANT &&
        tds_value_write(&buffer, &type, &first, &plain) && !buffer.failed) {
        reader = tds_reader_of(buffer.bytes, buffer.length);
        FUZZ_MUST(tds_value_read(&reader, &type, TDS_IN_PARAMETER, &arena, &again));
        FUZZ_MUST(reader.left == 0 && first.is_null == again.is_null);
        FUZZ_MUST(first.is_null ||
                  (first.length == again.length && first.days == again.days &&
                   first.integer == again.integer &&
                   (first.length == 0 || memcmp(first.bytes, again.bytes, first.length) == 0)));
    }
    tds_buffer_free(&buffer);
    tds_arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const uint8_t which = fuzz_byte(&input);
    struct fuzz_input copy = input;
    size_t exact = 0;
    uint8_t *bytes = fuzz_bytes(&copy, &exact);

    switch (which) {
    case 'h':
        packets(&input);
        break;
    case 'p':
        options(bytes, exact);
        break;
    case 'l':
        sign_in(bytes, exact);
        break;
    case 'm':
        request(bytes, exact);
        break;
    case 'c':
        calls(bytes, exact);
        break;
    case 'b':
        bulk(bytes, exact);
        break;
    default:
        value(bytes, exact);
        break;
    }
    free(bytes);
    return 0;
}
