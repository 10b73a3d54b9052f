/**
 * Changes of single rows (a delete, or the return of a row), sent as batches, several at once, at
 * the pace that `pace` allows, until each row has an outcome. One pause holds for all; a token is
 * renewed once with nothing in flight; what was sent and never answered is sent again with the same
 * condition. Where `$batch` is not usable, rows go one by one.
 */
#ifndef DATAVERSE_SEND_H
#define DATAVERSE_SEND_H

#include "base/err.h"
#include "batch_body.h"
#include "definition.h"
#include "port/runtime_store.h"
#include "session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sent_state {
    SENT_DONE,
    SENT_GONE,    /* of a delete: the row is not there */
    SENT_CHANGED, /* 412: of a delete, another version is there; of a return, some row is there */
    SENT_FAILED,  /* refused for this row */
    SENT_UNKNOWN, /* no answer settled it */
};

struct sent {
    size_t row;
    enum sent_state state;
    int http_status;        /* 0 when there was no answer */
    const char *request_id; /* "" when there was none */
    const struct err *why;  /* NULL for DONE and GONE */
};

/** What the caller of a sender does. A false stops the sender; rows in flight end first. */
struct send_ops {
    /** The change: BATCH_DELETE with if_match, or BATCH_PATCH with only_new. Borrowed until the row
     * has its outcome. */
    void (*operation)(void *ctx, size_t row, struct batch_operation *ret);
    /** Rows first .. first + count - 1 are about to be sent. */
    bool (*intent)(void *ctx, size_t first, size_t count, struct err *err);
    bool (*outcome)(void *ctx, const struct sent *sent, struct err *err);
    /** May be NULL. */
    void (*progress)(void *ctx, const struct runtime_pace *pace);
    /** A row is refused for this reason: true when the caller has changed its operation, and it may
     * be sent again. May be NULL. */
    bool (*amend)(void *ctx, size_t row, const struct err *why);
};

struct sender; /* opaque */

/** What is to be done. Everything is borrowed. */
struct send_task {
    const struct definition *definition;
    const struct send_ops *ops;
    void *ctx;
    size_t total; /* rows at most; none is there yet */
};

MUST_CHECK bool send_new(struct session *session, const struct send_task *task, struct sender **ret,
                         struct err *err);

/** Ends what is in flight. NULL is allowed. */
void send_free(struct sender *sender);

/** The first `offered` rows are there; with `last` these are all. */
void send_offer(struct sender *sender, size_t offered, bool last);

enum send_step {
    SEND_WORKS,
    SEND_WANTS_ROWS, /* every row that is there has its outcome */
    SEND_OVER,       /* every row has its outcome, or it stopped and nothing is in flight */
};

/** Send what may be sent; take one answer, or wait `wait_ms` for one. */
enum send_step send_go_on(struct sender *sender, int64_t wait_ms);

/** Stop: rows in flight end. The first reason counts. */
void send_stop(struct sender *sender, const struct err *why);

/** After SEND_OVER: false, with the reason, when it stopped. Rows that were sent and never answered
 * are told as unknown first. */
MUST_CHECK bool send_finish(struct sender *sender, struct err *err);

/** What every $batch request is, beside its URL and body; `type` is that of batch_content_type. */
void send_batch_request(const char *type, struct http_request *ret);

#endif
