/**
 * One client's socket: plain or through TLS, counting the bytes of TDS packets in each direction
 * (the packets that carry a TLS handshake left out, as their size changes from run to run), and cut
 * after a given number of them. One thread may read while another writes.
 */
#ifndef SANDBOX_TDS_CHANNEL_H
#define SANDBOX_TDS_CHANNEL_H

#include "tds/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDS_NO_LIMIT UINT64_MAX

struct tds_channel {
    int fd;
    struct tds_tls *tls; /* owned; NULL = none was negotiated */
    bool encrypted;      /* packets travel in TLS records now */
    uint64_t in_bytes, in_limit;
    uint64_t out_bytes, out_limit;
    bool orderly; /* at out_limit TLS is closed before the socket */
};

/** The descriptor is owned from here on. */
void tds_channel_init(struct tds_channel *channel, int fd);
/** End both directions; a thread that reads or writes returns. The descriptor stays until close. */
void tds_channel_cut(struct tds_channel *channel);
void tds_channel_close(struct tds_channel *channel);

/** Exactly `count` bytes of packets; false at the end, on errors and at the limit. */
bool tds_channel_read(struct tds_channel *channel, void *ret, size_t count);
bool tds_channel_write(struct tds_channel *channel, const void *bytes, size_t count);

/** Past TLS and counters: for the packets of the TLS handshake. */
bool tds_channel_read_raw(struct tds_channel *channel, void *ret, size_t count);
bool tds_channel_write_raw(struct tds_channel *channel, const void *bytes, size_t count);

#endif
