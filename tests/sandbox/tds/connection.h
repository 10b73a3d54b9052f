/**
 * One client: its socket, its session, and the state that both sides keep. Two threads belong to
 * it. The worker does the handshake, then takes requests out of the inbox one by one and answers
 * them; the reader fills the inbox and notices attentions and the client's end while the worker is
 * busy.
 */
#ifndef SANDBOX_TDS_CONNECTION_H
#define SANDBOX_TDS_CONNECTION_H

#include "tds/bytes.h"
#include "tds/channel.h"
#include "tds/inbox.h"
#include "tds/prepared.h"
#include "tds/server.h"
#include "tds/tls.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What all connections of a server share. */
struct tds_shared {
    struct tds_options options;
    struct tds_tls_config *tls; /* NULL: no certificate was given */
    int stop_fd;                /* readable once the server stops */
};

struct tds_connection {
    const struct tds_shared *shared;
    struct tds_channel channel;
    struct tds_inbox inbox;
    struct session *session; /* NULL before the login */
    unsigned number;         /* of the connection, from 1 */
    uint16_t spid;           /* 0 before the login */
    uint32_t packet_size;
    uint64_t transaction; /* the open one, or 0 */
    struct tds_prepared prepared;
    char *bulk_sql; /* the `insert bulk` that rows are expected for */
};

/** NULL when memory is short; `fd` is owned then too. */
struct tds_connection *tds_connection_new(const struct tds_shared *shared, int fd, unsigned number);
/** Serve the client until it goes away; the worker thread's whole life. */
void tds_connection_run(struct tds_connection *connection);
/** From another thread: end what it does. */
void tds_connection_interrupt(struct tds_connection *connection);
void tds_connection_free(struct tds_connection *connection);

/** What a fault point decided. Delays, freezes and SQL of a rule are over when it returns. */
enum tds_fate {
    TDS_GO_ON,
    TDS_GONE,   /* the connection is cut, or the client went away, or the server stops */
    TDS_ANSWER, /* answer with the error in `ret` */
    TDS_OTHER,  /* what the point does with `ret` */
};

enum tds_fate tds_point(struct tds_connection *connection, const char *point, const char *subject,
                        struct fault_action *ret);
/** Carry out an action that was fetched before. */
enum tds_fate tds_act(struct tds_connection *connection, const struct fault_action *action);

/** A message of packets, for the handshake: the worker reads it itself. False: the connection is
 * over. */
bool tds_read_message(struct tds_connection *connection, size_t max_bytes,
                      struct tds_message_state *ret_state, struct tds_buffer *ret_bytes);

/** Log a line of this connection: kind and up to four pairs of name and value. */
void tds_log(const struct tds_connection *connection, const char *kind, const char *const *pairs);

#endif
