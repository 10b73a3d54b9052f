/**
 * What a client has sent and the worker has not taken yet. A thread of its own reads the socket, so
 * that an attention reaches a request that is being executed, or that waits for a lock.
 */
#ifndef SANDBOX_TDS_INBOX_H
#define SANDBOX_TDS_INBOX_H

#include "common/fault.h"
#include "tds/packet.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tds_connection;
struct session;

struct tds_request {
    struct tds_request *next;
    uint8_t type, status;
    bool withdrawn; /* the client took it back in its last packet */
    unsigned char *bytes;
    size_t length;
};

void tds_request_free(struct tds_request *request);

struct tds_inbox {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t reader;
    bool started;
    struct tds_request *first, *last;
    size_t count, bytes;
    bool busy,
        keep; /* a request is executed; it must not be cancelled because its client went away */
    bool gone;
    bool cancel_on_attention; /* false by a fault: the attention then crosses the end of the request
                               */
    atomic_bool attention;    /* one waits for its answer */
    struct fault_action attention_fault;
    struct session *session;
};

bool tds_inbox_init(struct tds_inbox *inbox);
void tds_inbox_done(struct tds_inbox *inbox);

/** Begin reading; to be called once, after the login. */
bool tds_inbox_start(struct tds_inbox *inbox, struct tds_connection *connection);
/** End reading: cuts the channel and waits for the thread. */
void tds_inbox_stop(struct tds_inbox *inbox, struct tds_connection *connection);

enum tds_incoming { TDS_INCOMING_REQUEST, TDS_INCOMING_ATTENTION, TDS_INCOMING_END };
/** Wait for the next thing to do. A request is owned by the caller. */
enum tds_incoming tds_inbox_next(struct tds_inbox *inbox, struct tds_request **ret);

/** Just before the engine is called. False: an attention is there already, or the client is gone
 * and `keep` is false; then do not call it. */
bool tds_inbox_begin(struct tds_inbox *inbox, bool keep);
/** The engine has returned. */
void tds_inbox_end(struct tds_inbox *inbox);
/** Is there an attention that ends the running request? */
bool tds_inbox_cancelled(struct tds_inbox *inbox);
/** Take the attention that waits for its answer, with its fault. False when there is none. */
bool tds_inbox_take_attention(struct tds_inbox *inbox, struct fault_action *ret_fault);
/** From another thread, when the server stops. */
void tds_inbox_interrupt(struct tds_inbox *inbox);

#endif
