#include "service.h"

#include <math.h>
#include <stdlib.h>

enum {
    SERVERS_MAX = 8,
    REQUESTS = 6000,
    WINDOW_S = 300,
    EXECUTION_S = 1200,
    CONCURRENT = 52,
    CONCURRENT_WAIT_S = 10,
    CALM = 16,
    PENALTY_MAX_S = 480,
    RING = 8192, /* above REQUESTS and what may run when it is reached */
};

struct charge {
    double at_s, execution_s;
};

struct server {
    struct charge ring[RING];
    size_t first, count;
    double execution_s; /* of the ring */
    double blocked_until_s;
    int running;
};

struct service {
    struct dice dice;
    int server_count;
    double row_s, charge;
    struct server servers[SERVERS_MAX];
};

double
dice_roll(struct dice *dice)
{
    uint64_t z = dice->state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

struct service *
service_new(int servers, double row_s, double charge, uint64_t seed)
{
    struct service *service = calloc(1, sizeof *service);

    if (!service || servers > SERVERS_MAX) {
        free(service);
        return NULL;
    }
    service->dice.state = seed;
    service->server_count = servers;
    service->row_s = row_s;
    service->charge = charge;
    return service;
}

void
service_free(struct service *service)
{
    free(service);
}

/** Around 1, as service times scatter. */
static double
scatter(struct dice *dice)
{
    const double two_pi = 6.283185307179586;
    const double length = sqrt(-2.0 * log(1.0 - dice_roll(dice)));

    return exp(-0.02 + 0.2 * length * cos(two_pi * dice_roll(dice)));
}

static void
forget(struct server *server, double now_s)
{
    while (server->count > 0 && server->ring[server->first].at_s <= now_s - WINDOW_S) {
        server->execution_s -= server->ring[server->first].execution_s;
        server->first = (server->first + 1) % RING;
        server->count--;
    }
}

/** When charges that expire bring the window to 98 %. */
static double
free_again_at(const struct server *server)
{
    double execution_s = server->execution_s;
    double at_s = 0;

    for (size_t i = 0; i < server->count; i++) {
        const struct charge *charge = &server->ring[(server->first + i) % RING];

        if ((double)(server->count - i) < 0.98 * REQUESTS && execution_s < 0.98 * EXECUTION_S)
            break;
        at_s = charge->at_s + WINDOW_S;
        execution_s -= charge->execution_s;
    }
    return at_s;
}

static bool
is_refused(struct server *server, double now_s, struct visit *visit)
{
    double until_s = now_s + CONCURRENT_WAIT_S;

    if (server->blocked_until_s > now_s) {
        visit->blocked = true;
        if (server->blocked_until_s - now_s > 2)
            server->blocked_until_s = fmin(server->blocked_until_s + 0.5, now_s + PENALTY_MAX_S);
        until_s = server->blocked_until_s;
    } else if (server->count >= REQUESTS || server->execution_s >= EXECUTION_S) {
        server->blocked_until_s = free_again_at(server);
        until_s = server->blocked_until_s;
    } else if (server->running < CONCURRENT) {
        return false;
    }
    visit->retry_after_s = floor(until_s - now_s) + 1;
    return true;
}

struct visit
service_arrive(struct service *service, double now_s, size_t rows)
{
    struct visit visit = {.server = (int)(dice_roll(&service->dice) * service->server_count)};
    struct server *server = &service->servers[visit.server];
    double slower = 1;

    forget(server, now_s);
    visit.refused = is_refused(server, now_s, &visit);
    if (visit.refused)
        return visit;
    if (server->running > CALM)
        slower += (double)(server->running - CALM) / 32;
    server->running++;
    visit.execution_s = (0.02 + (double)rows * service->row_s) * scatter(&service->dice) * slower;
    return visit;
}

void
service_leave(struct service *service, const struct visit *visit, double now_s)
{
    struct server *server = &service->servers[visit->server];

    const double charged_s = visit->execution_s * service->charge;

    server->running--;
    server->ring[(server->first + server->count) % RING] =
        (struct charge){.at_s = now_s, .execution_s = charged_s};
    server->count++;
    server->execution_s += charged_s;
}
