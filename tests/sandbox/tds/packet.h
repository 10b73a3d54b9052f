/** The header of 8 bytes that every TDS packet begins with ([MS-TDS] 2.2.3.1). */
#ifndef SANDBOX_TDS_PACKET_H
#define SANDBOX_TDS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TDS_HEADER_BYTES = 8,
    TDS_PACKET_MIN = 512,
    TDS_PACKET_MAX = 32767,
    TDS_PACKET_DEFAULT = 4096,
    TDS_REQUEST_MAX = 256 * 1024 * 1024,
};

enum tds_packet_type {
    TDS_PACKET_BATCH = 0x01,
    TDS_PACKET_RPC = 0x03,
    TDS_PACKET_REPLY = 0x04,
    TDS_PACKET_ATTENTION = 0x06,
    TDS_PACKET_BULK = 0x07,
    TDS_PACKET_TRANSACTION = 0x0E,
    TDS_PACKET_LOGIN7 = 0x10,
    TDS_PACKET_SSPI = 0x11,
    TDS_PACKET_PRELOGIN = 0x12,
};

enum { /* status bits */
       TDS_STATUS_LAST = 0x01,
       TDS_STATUS_IGNORE = 0x02,
       TDS_STATUS_RESET = 0x08,
       TDS_STATUS_RESET_KEEP_TRANSACTION = 0x10,
};

struct tds_packet {
    uint8_t type, status;
    uint16_t length; /* header included */
    uint16_t spid;
    uint8_t id;
};

/** False when the length is less than a header or more than TDS_PACKET_MAX. */
bool tds_packet_parse(const unsigned char header[TDS_HEADER_BYTES], struct tds_packet *ret);
void tds_packet_write(const struct tds_packet *packet, unsigned char ret[TDS_HEADER_BYTES]);

/** The size to use when a client asks for `asked` (0 = no wish). */
uint32_t tds_packet_size(uint32_t asked);

/** How a packet fits into the message that is being put together from packets. */
enum tds_assembly {
    TDS_ASSEMBLY_MORE,     /* its bytes belong to the message, which goes on */
    TDS_ASSEMBLY_COMPLETE, /* its bytes end the message */
    TDS_ASSEMBLY_IGNORE,   /* the client withdrew the message: no request, but an answer */
    TDS_ASSEMBLY_BAD,      /* another type within a message, or too long */
};

struct tds_message_state {
    uint8_t type;   /* 0 = no message begun */
    uint8_t status; /* of its first packet: the reset bits */
    size_t length;
};

enum tds_assembly tds_message_add(struct tds_message_state *state, const struct tds_packet *packet,
                                  size_t max_bytes);

#endif
