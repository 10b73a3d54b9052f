/**
 * How fast may we send? The scheduler of one process against one environment, as a state machine
 * without clock, chance or I/O of its own. The service limits a user to 6000 requests and 1200 s of
 * execution in any 300 s on each of its web servers, and sending while it says 429 makes the wait
 * longer (https://learn.microsoft.com/power-apps/developer/data-platform/api-limits). So there is
 * one pause for everybody, a ledger of what was used, a cap on requests in flight that starts at
 * the service's own hint, and a batch size that follows the time a row takes.
 *
 * How to use it: until pace_take answers PACE_OVER or PACE_GAVE_UP,
 *
 *     turn = pace_take(pace, now_ms, rows);
 *     PACE_SEND: put the intent for rows[0 .. turn.count) on record and send them as one request.
 *     PACE_WAIT: wait for an answer, at most until turn.until_ms.
 *     An answer: pace_answered(pace, now_ms, &answer), with a fate for each row of that request.
 *
 * Every request that pace_take gave out must be answered for exactly once, also one that could not
 * be sent (PACE_NOTHING_DONE). Rows that were never taken before come in the order of the caller's
 * array, so that intents may be recorded some rows ahead.
 */
#ifndef DATAVERSE_PACE_H
#define DATAVERSE_PACE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PACE_ROWS_MAX = 100,                    /* of one request */
    PACE_WIDEST = 52,                       /* requests in flight: the service's own limit */
    PACE_RETRY_AFTER_MAX_S = 7 * 24 * 3600, /* a longer Retry-After counts as this */
};

/** The numbers. `pace_rules` are the real ones; tests and a scaled clock bring their own. */
struct pace_rules {
    int64_t window_ms;     /* the service's sliding window */
    int64_t req;           /* requests in it, for each web server */
    int64_t exec_ms;       /* execution time in it, for each web server */
    int64_t share_percent; /* of req and exec that we use of our own accord */
    int64_t met_percent;   /* once a limit was met: of what had been used by then... */
    int64_t least_percent; /* ...but not when that was less than this: not only we used it */
    int64_t calm_percent;  /* below so much of our share, there may be more than the hint again */
    int64_t ramp;          /* at most this many times the hint in flight... */
    int64_t hard;   /* ...and at most this many of our own accord: the service's limit is 52 */
    int64_t widest; /* at most this many where the service's own hint says so */
    int64_t clean;  /* answers for each request in flight before there may be more of them */
    int64_t batch0, batch_max;   /* rows of the first request, of any request (<= PACE_ROWS_MAX) */
    int64_t batch_time_ms;       /* how long a request should take */
    int64_t second_ms;           /* a second of Retry-After, on our clock */
    int64_t slack_ms, jitter_ms; /* added to each wait; up to jitter_ms of it by chance */
    int64_t tries;               /* failed tries of a row after which we give up */
    int64_t backoff_ms, backoff_max_ms; /* the n-th wait is backoff_ms * 2^n, up to the maximum */
    int64_t conflict_ms;                /* wait of PACE_ROW_SOON */
    int64_t look_again_ms;              /* when the ledger is full */
    int64_t waiting_max; /* with more rows waiting for another try no new ones are sent */
    int64_t hint;        /* parallelism when the service advises none, as in its ServiceClient */
};

extern const struct pace_rules pace_rules;

struct pace_options {
    const struct pace_rules *rules; /* NULL = pace_rules; copied */
    int64_t now_ms;                 /* of a clock that never goes back */
    int hint;                       /* x-ms-dop-hint, 0 = not said */
    bool fast;                      /* --fast: use all that the service gives, paid with 429s */
    int64_t max_wait_ms;            /* --max-wait, 0 = no limit */
    uint32_t (*chance)(void *ctx);  /* any 32 bits */
    void *chance_ctx;
};

struct pace; /* opaque */

/** For rows 0 .. count - 1, at most UINT32_MAX. NULL when out of memory. */
struct pace *pace_new(const struct pace_options *options, size_t count);
void pace_free(struct pace *pace); /* NULL is allowed */

/**
 * Only the first `offered` rows are there yet; the number grows. Without this call all are there.
 * With `last` no more come: these are all.
 */
void pace_offer(struct pace *pace, size_t offered, bool last);

/** How many rows may be taken that never were. */
size_t pace_fresh(const struct pace *pace);

/** From now on a row is a request of its own. */
void pace_single(struct pace *pace);

/** x-ms-dop-hint of any answer; 0 is ignored. A cap that stands at the hint follows it. */
void pace_hint(struct pace *pace, int hint);

enum pace_step {
    PACE_SEND,    /* these rows, as one request, now */
    PACE_WAIT,    /* for an answer, at most until until_ms: then ask again */
    PACE_OVER,    /* every row is settled */
    PACE_GAVE_UP, /* nothing is in flight, and nothing will be sent: see pace_figures.stop */
};

/** Why nothing is sent. */
enum pace_why {
    PACE_FREE,        /* it is */
    PACE_THROTTLED,   /* the service said 429 */
    PACE_UNAVAILABLE, /* the service said Retry-After with another transient failure */
    PACE_LEDGER,      /* our share of the window is used up */
    PACE_IN_FLIGHT,   /* as much is in flight as may be, or all that is left */
    PACE_BACKOFF,     /* all that is left waits for another try */
    PACE_NOT_OFFERED, /* the caller has to bring more rows */
};

struct pace_turn {
    enum pace_step step;
    enum pace_why why; /* of PACE_WAIT */
    size_t count;      /* of PACE_SEND: how many rows were taken */
    int64_t until_ms;  /* of PACE_WAIT; INT64_MAX = only an answer can change anything */
};

/**
 * Take the rows of the next request, if it may be sent now. `ret_rows` holds PACE_ROWS_MAX
 * indexes; the first turn.count are set. A turn that does not send changes nothing.
 */
struct pace_turn pace_take(struct pace *pace, int64_t now_ms, uint32_t *ret_rows);

/** What became of a request as a whole. */
enum pace_kind {
    PACE_ANSWERED,     /* no 429 anywhere, whatever was said of each row */
    PACE_ANSWERED_429, /* 429, of the whole or of at least one part */
    PACE_TRANSIENT,    /* the whole failed and may do later: 408, 500 SQL timeout, 502-504, lost */
    PACE_TOO_LARGE,    /* 413: requests get half as large, for good; settle a row that was alone */
    PACE_NOTHING_DONE, /* the service did nothing: never sent, or 401. No row has used up a try */
};

/** What became of a row of it. */
enum pace_fate {
    PACE_ROW_SETTLED, /* it has its outcome */
    PACE_ROW_AGAIN,   /* not done (throttled, 401, 413) or another request is due: at once */
    PACE_ROW_SOON,    /* 0x80048105: again after conflict_ms. Counts as a failed try */
    PACE_ROW_LATER,   /* transient: the n-th time it waits 2^n s. Counts as a failed try */
};

struct pace_answer {
    enum pace_kind kind;
    int64_t elapsed_ms;    /* from sending to the end of the answer */
    int64_t retry_after_s; /* the longest of the whole and its parts; <= 0 = not said */
    const uint32_t *rows;  /* as pace_take gave them */
    const enum pace_fate *fates;
    size_t count;
};

void pace_answered(struct pace *pace, int64_t now_ms, const struct pace_answer *answer);

/** How often this row failed so far: a caller may settle it instead of letting it end the run. */
unsigned pace_tries(const struct pace *pace, uint32_t row);

enum pace_stop {
    PACE_GOES_ON,
    PACE_STOP_MAX_WAIT, /* the service wants more patience than --max-wait */
    PACE_STOP_TRIES,    /* a row failed `tries` times */
    PACE_STOP_CALLER,   /* pace_stop: 401 twice, 403, TLS, DNS, a signal, a journal that is full */
};

/** Send no more. The first reason counts. What is in flight is still to be answered for. */
void pace_stop(struct pace *pace);

/** For progress and the report. */
struct pace_figures {
    size_t rows, settled;
    size_t waiting;             /* rows that came back and are to be sent again */
    size_t requests, in_flight; /* all that were sent; those without an answer */
    size_t throttled, failed;   /* answers with a 429; transient failures of whole requests */
    double rows_per_s;          /* settled, in the last minute */
    double ms_per_row;          /* of requests that were answered, over the window; 0 = not known */
    int64_t cap, batch, hint;
    int64_t paused_until_ms; /* of the clock of the caller; 0 = not paused */
    enum pace_why why;       /* of the pause */
    enum pace_stop stop;
};

struct pace_figures pace_figures(const struct pace *pace, int64_t now_ms);

#endif
