/**
 * A service with limits, in its own time: web servers chosen at random for each request, a sliding
 * window of requests and of execution time on each of them, and a wait that grows when a client
 * sends while it is blocked. The numbers are those of the sandbox (tests/sandbox/dataverse); that
 * one is real and slow, this one is computed.
 */
#ifndef MODEL_SERVICE_H
#define MODEL_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Some number, the same for the same seed. Uniform in [0, 1). */
struct dice {
    uint64_t state;
};

double dice_roll(struct dice *dice);

struct service;

/**
 * `row_s`: execution time of a row. `charge`: what the service charges for a second of it; above 1
 * it is more than a client can see, as with work that goes on behind the answer. NULL when out of
 * memory.
 */
struct service *service_new(int servers, double row_s, double charge, uint64_t seed);
void service_free(struct service *service);

/** A request at the service. */
struct visit {
    int server;
    bool refused, blocked; /* 429; and the server was blocked before this request came */
    double retry_after_s;  /* of a 429 */
    double execution_s;    /* else */
};

struct visit service_arrive(struct service *service, double now_s, size_t rows);
/** A request that was not refused has ended: its time is charged. */
void service_leave(struct service *service, const struct visit *visit, double now_s);

#endif
