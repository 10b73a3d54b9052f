/** What send.c and send_answer.c share: a sender, and its requests on their way. */
#ifndef DATAVERSE_SEND_FLIGHT_H
#define DATAVERSE_SEND_FLIGHT_H

#include "answer.h"
#include "base/text.h"
#include "pace.h"
#include "send.h"

enum {
    FLIGHTS_MAX = PACE_WIDEST,
    SEND_URL_BYTES = URL_ORIGIN_BYTES + SESSION_PATH_BYTES + 2 * DEFINITION_NAME_BYTES + 256
};

/** What a sender knows of a row. */
enum row_flag {
    ROW_SETTLED = 1,
    ROW_LOST = 2,  /* it was sent, and may have been executed without our hearing of it */
    ROW_PROBE = 4, /* the service said "changed": ask whether the row is still there */
};

/** A request. */
struct flight {
    struct http_exchange *exchange;
    uint32_t rows[PACE_ROWS_MAX];
    enum pace_fate fates[PACE_ROWS_MAX];
    bool probes[PACE_ROWS_MAX];
    size_t count; /* rows that it stands for... */
    size_t sent;  /* ...and how many of them are in it */
    bool single;  /* not a batch */
    int64_t sent_ms;
    char url[SEND_URL_BYTES];
    char type[BATCH_TYPE_BYTES];
    struct text body;
    enum pace_kind kind;
    int64_t retry_after_s;
};

struct sender {
    struct session *session;
    const struct definition *definition;
    const struct send_ops *ops;
    void *ctx;
    struct pace *pace;
    unsigned char *flags; /* enum row_flag, of each row */
    size_t total, offered, announced, settled;
    bool last;
    struct flight *flights[FLIGHTS_MAX];
    bool single;           /* rows go one by one */
    bool batches_work;     /* one was answered as one */
    unsigned batches_lost; /* before that; those that were in flight together count once */
    int64_t batch_lost_ms; /* when one was last counted */
    unsigned refused;      /* rows, with nothing good between them */
    bool token_over, renewed;
    bool stopping;
    struct err why;     /* when stopping */
    struct err failure; /* the last transient one */
    int64_t told_ms;    /* when progress was told last */
};

/** Settle a row and tell. `answer` and `why` may be NULL. */
void send_settle(struct sender *sender, size_t row, enum sent_state state,
                 const struct http_answer *answer, const struct err *why);

/** Judge the answer of a flight: every row of it is settled or has a fate. */
void send_judge(struct sender *sender, struct flight *flight);

#endif
