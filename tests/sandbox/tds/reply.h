/**
 * One answer to a client: collects tokens, cuts them into packets, and is the sink that the engine
 * reports to. The last DONE token is held back until it is known whether another token follows it,
 * so that "more" is always true.
 */
#ifndef SANDBOX_TDS_REPLY_H
#define SANDBOX_TDS_REPLY_H

#include "tds/bytes.h"
#include "tds/token.h"
#include "tds/type.h"
#include "tsql/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tds_connection;

struct tds_held_done {
    bool set;
    uint8_t token;
    unsigned status;
    uint16_t command;
    uint64_t rows;
};

struct tds_reply {
    struct tds_connection *connection;
    const char *subject; /* what the request is, for fault points; UTF-8 */
    struct sql_sink sink;
    struct tds_buffer out;
    size_t payload; /* bytes of tokens in a packet */
    uint8_t packet_id;
    bool packets_chosen;
    bool broken;    /* the connection is gone: nothing more is sent */
    bool silent;    /* cancelled, or ended by an error of a fault: what follows is left out */
    bool procedure; /* the answer to a call: ends in DONEPROC */
    bool error;     /* an error since the last DONE */
    int32_t last_error;
    struct tds_held_done held;
    struct tds_type *types; /* of the current result's columns */
    size_t type_count;
    struct tds_row_format format;
    size_t ordinal_offset; /* of output parameters */
    /* A parameter that the server itself answers: the handle of a prepared statement. */
    const struct sql_column *handle_column;
    int32_t handle;
};

/** `subject` is borrowed and may be NULL. */
void tds_reply_begin(struct tds_reply *reply, struct tds_connection *connection,
                     const char *subject);
/** Ask the fault point tds.packet.out how this answer is to be cut into packets; once an answer. */
void tds_reply_choose_packets(struct tds_reply *reply);
/** End one call of several: its DONEPROC is there, held back. */
void tds_reply_end_call(struct tds_reply *reply);
/** Send what is left, with the last DONE and the mark of the last packet; false when broken. */
bool tds_reply_end(struct tds_reply *reply);
/** The same without any DONE of its own: for prelogin, whose answer has no tokens. */
bool tds_reply_end_bare(struct tds_reply *reply);
void tds_reply_free(struct tds_reply *reply);

/** A place to put a token into, or NULL when it is to be left out. */
struct tds_buffer *tds_reply_open(struct tds_reply *reply);
/** The token is whole: send the packets that are full. */
void tds_reply_close(struct tds_reply *reply);
/** An ERROR or INFO of the server itself. */
void tds_reply_message(struct tds_reply *reply, int32_t number, int severity, const char *text);
void tds_reply_return_status(struct tds_reply *reply, int32_t status);
void tds_reply_done_proc(struct tds_reply *reply);

#endif
