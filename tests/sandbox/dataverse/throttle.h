/**
 * Service protection limits (dataverse reference, section 10) for one user: virtual web servers,
 * each with its window of charges, and a clock that may run faster than the wall's. Thread-safe.
 */
#ifndef SANDBOX_DATAVERSE_THROTTLE_H
#define SANDBOX_DATAVERSE_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

struct dv_throttle;

struct dv_throttle *dv_throttle_new(void);
void dv_throttle_free(struct dv_throttle *);
/** No charges, nothing blocked. */
void dv_throttle_reset(struct dv_throttle *);

struct dv_admission {
    int server;             /* the virtual web server that was chosen */
    bool blocked;           /* it had been told to wait already */
    const char *code;       /* of the 429, or NULL: admitted */
    int64_t retry_after;    /* whole seconds on the client's clock */
    int64_t virtual_wait;   /* whole seconds on the virtual clock */
    double service_seconds; /* how long it takes, on the virtual clock */
    int64_t requests_left;
    double seconds_left;
};

/** `affinity` is the server of the client's cookie, or -1: one at random. */
struct dv_admission dv_throttle_arrive(struct dv_throttle *, int affinity, int64_t servers,
                                       double scale, double expected_seconds);

/** An admitted request ended: one request and its time are charged. */
void dv_throttle_finish(struct dv_throttle *, const struct dv_admission *, double scale);

#endif
