#include "dataverse/throttle.h"

#include <math.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum {
    SERVERS_MAX = 8,
    REQUESTS_MAX = 6000,
    WINDOW_SECONDS = 300,
    EXECUTION_MAX_SECONDS = 1200,
    CONCURRENT_MAX = 52,
    CALM_CONCURRENCY = 16,
    PENALTY_MAX_SECONDS = 480,
    RING = 8192, /* above REQUESTS_MAX and what may still run when it is reached */
};

struct charge {
    double at, seconds;
};

struct server {
    struct charge ring[RING];
    size_t first, count;
    double seconds; /* sum of the ring */
    double blocked_until;
    int running;
};

struct dv_throttle {
    pthread_mutex_t lock;
    struct server servers[SERVERS_MAX];
    struct timespec start;
};

struct dv_throttle *
dv_throttle_new(void)
{
    struct dv_throttle *throttle = calloc(1, sizeof(*throttle));
    if (!throttle)
        return NULL;
    (void)clock_gettime(CLOCK_MONOTONIC, &throttle->start);
    if (pthread_mutex_init(&throttle->lock, NULL) != 0) {
        free(throttle);
        return NULL;
    }
    return throttle;
}

void
dv_throttle_free(struct dv_throttle *throttle)
{
    if (!throttle)
        return;
    (void)pthread_mutex_destroy(&throttle->lock);
    free(throttle);
}

void
dv_throttle_reset(struct dv_throttle *throttle)
{
    (void)pthread_mutex_lock(&throttle->lock);
    for (size_t i = 0; i < SERVERS_MAX; i++) {
        throttle->servers[i].count = 0;
        throttle->servers[i].seconds = 0;
        throttle->servers[i].blocked_until = 0;
    }
    (void)pthread_mutex_unlock(&throttle->lock);
}

static double
virtual_now(const struct dv_throttle *throttle, double scale)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return ((double)(now.tv_sec - throttle->start.tv_sec) +
            (double)(now.tv_nsec - throttle->start.tv_nsec) / 1e9) *
           scale;
}

static void
forget_first(struct server *server)
{
    server->seconds -= server->ring[server->first].seconds;
    server->first = (server->first + 1) % RING;
    server->count--;
    if (server->count == 0)
        server->seconds = 0;
}

static double
uniform(void)
{
    uint32_t bits = 0;
    (void)RAND_bytes((unsigned char *)&bits, sizeof(bits));
    return ((double)bits + 0.5) / 4294967296.0;
}

static double
lognormal(double mu, double sigma)
{
    const double two_pi = 6.283185307179586;
    return exp(mu + sigma * sqrt(-2.0 * log(uniform())) * cos(two_pi * uniform()));
}

/** When expiring charges bring the window to 98 % of the limits. */
static double
free_again_at(const struct server *server)
{
    double seconds = server->seconds;
    size_t count = server->count;
    double at = 0;
    for (size_t i = 0; i < server->count; i++) {
        if ((double)count < 0.98 * REQUESTS_MAX && seconds < 0.98 * EXECUTION_MAX_SECONDS)
            break;
        const struct charge *charge = &server->ring[(server->first + i) % RING];
        at = charge->at + WINDOW_SECONDS;
        seconds -= charge->seconds;
        count--;
    }
    return at;
}

/** Retry-After is whole seconds, rounded up; of the wall clock, or of ours. */
static void
set_wait(struct dv_admission *ret, double virtual_seconds, double scale)
{
    ret->retry_after = (int64_t)floor(virtual_seconds / scale) + 1;
    ret->virtual_wait = (int64_t)floor(virtual_seconds) + 1;
}

static void
judge(struct server *server, double now, double scale, struct dv_admission *ret)
{
    if (server->blocked_until > now) {
        ret->blocked = true;
        ret->code = "0x80072322";
        if (server->seconds >= 0.98 * EXECUTION_MAX_SECONDS)
            ret->code = "0x80072321";
        if (server->blocked_until - now > 2)
            server->blocked_until = fmin(server->blocked_until + 0.5, now + PENALTY_MAX_SECONDS);
        set_wait(ret, server->blocked_until - now, scale);
    } else if (server->running >= CONCURRENT_MAX) {
        ret->code = "0x80072326";
        set_wait(ret, 10, scale);
    } else if (server->count >= REQUESTS_MAX || server->seconds >= EXECUTION_MAX_SECONDS) {
        ret->code = server->count >= REQUESTS_MAX ? "0x80072322" : "0x80072321";
        server->blocked_until = free_again_at(server);
        set_wait(ret, server->blocked_until - now, scale);
    }
}

struct dv_admission
dv_throttle_arrive(struct dv_throttle *throttle, int affinity, int64_t servers, double scale,
                   double expected_seconds)
{
    struct dv_admission result = {.server = affinity};
    if (affinity < 0 || affinity >= servers)
        result.server = (int)(uniform() * (double)servers);
    (void)pthread_mutex_lock(&throttle->lock);
    struct server *server = &throttle->servers[result.server];
    const double now = virtual_now(throttle, scale);
    while (server->count > 0 && server->ring[server->first].at <= now - WINDOW_SECONDS)
        forget_first(server);
    judge(server, now, scale, &result);
    if (!result.code) {
        int above = server->running > CALM_CONCURRENCY ? server->running - CALM_CONCURRENCY : 0;
        server->running++;
        result.service_seconds =
            expected_seconds * lognormal(-0.02, 0.2) * (1.0 + (double)above / 32.0);
    }
    result.requests_left = REQUESTS_MAX - (int64_t)server->count;
    result.seconds_left = fmax(0, EXECUTION_MAX_SECONDS - server->seconds);
    (void)pthread_mutex_unlock(&throttle->lock);
    return result;
}

void
dv_throttle_finish(struct dv_throttle *throttle, const struct dv_admission *admission, double scale)
{
    (void)pthread_mutex_lock(&throttle->lock);
    struct server *server = &throttle->servers[admission->server];
    server->running--;
    if (server->count == RING)
        forget_first(server);
    struct charge *charge = &server->ring[(server->first + server->count) % RING];
    charge->at = virtual_now(throttle, scale);
    charge->seconds = admission->service_seconds;
    server->count++;
    server->seconds += admission->service_seconds;
    (void)pthread_mutex_unlock(&throttle->lock);
}
