#include "race.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SERVERS_MAX = 8 };

static const double rtt_s = 0.04;
static const double patience_s = 1e6; /* then a client has lost its way */

enum stage { STAGE_FREE, STAGE_TO_SERVICE, STAGE_RUNS, STAGE_BACK };

struct flight {
    enum stage stage;
    size_t rows;
    double sent_s, next_s; /* when its next event is */
    struct visit visit;
};

struct course {
    struct client *client;
    struct service *service;
    struct flight flights[CLIENT_SLOTS];
    size_t slots_used;           /* no flight is in the slots behind these */
    double told_s[SERVERS_MAX];  /* since when the client knows that this server is blocked... */
    double until_s[SERVERS_MAX]; /* ...and until when, at least */
    struct result result;
};

static size_t
find_free(struct course *course)
{
    for (size_t i = 0; i < CLIENT_SLOTS; i++)
        if (course->flights[i].stage == STAGE_FREE) {
            if (i >= course->slots_used)
                course->slots_used = i + 1;
            return i;
        }
    (void)fputs("a client sends too much at once\n", stderr);
    abort();
}

/** Let the client send until it does not want to. When it wants to be asked again. */
static struct move
ask_client(struct course *course, double now_s)
{
    for (;;) {
        const size_t slot = find_free(course);
        const struct move move = course->client->move(course->client->self, now_s, slot);

        if (move.rows == 0)
            return move;
        course->flights[slot] = (struct flight){.stage = STAGE_TO_SERVICE,
                                                .rows = move.rows,
                                                .sent_s = now_s,
                                                .next_s = now_s + rtt_s / 2};
        course->result.requests++;
        for (size_t i = 0; i < SERVERS_MAX; i++)
            if (now_s < course->until_s[i]) {
                course->result.sent_while_waiting++;
                break;
            }
    }
}

static void
arrive(struct course *course, struct flight *flight, double now_s)
{
    flight->visit = service_arrive(course->service, now_s, flight->rows);
    if (flight->visit.blocked && flight->sent_s > course->told_s[flight->visit.server] &&
        now_s < course->until_s[flight->visit.server])
        course->result.defiant++;
    flight->stage = flight->visit.refused ? STAGE_BACK : STAGE_RUNS;
    flight->next_s = now_s + (flight->visit.refused ? rtt_s / 2 : flight->visit.execution_s);
}

static void
come_back(struct course *course, struct flight *flight, double now_s)
{
    const int server = flight->visit.server;
    const struct reply reply = {.slot = (size_t)(flight - course->flights),
                                .rows = flight->rows,
                                .elapsed_s = now_s - flight->sent_s,
                                .retry_after_s = flight->visit.retry_after_s};

    flight->stage = STAGE_FREE;
    if (flight->visit.refused) {
        course->result.throttled++;
        if (now_s >= course->until_s[server])
            course->told_s[server] = now_s;
        course->until_s[server] =
            fmax(course->until_s[server], now_s - rtt_s / 2 + reply.retry_after_s);
    } else {
        course->result.settled += flight->rows;
    }
    course->client->answered(course->client->self, now_s, &reply);
}

static void
step(struct course *course, struct flight *flight)
{
    const double now_s = flight->next_s;

    switch (flight->stage) {
    case STAGE_TO_SERVICE:
        arrive(course, flight, now_s);
        break;
    case STAGE_RUNS:
        service_leave(course->service, &flight->visit, now_s);
        flight->stage = STAGE_BACK;
        flight->next_s = now_s + rtt_s / 2;
        break;
    case STAGE_BACK:
        come_back(course, flight, now_s);
        break;
    case STAGE_FREE:
        break;
    }
}

static struct flight *
find_next(struct course *course)
{
    struct flight *next = NULL;

    while (course->slots_used > 0 && course->flights[course->slots_used - 1].stage == STAGE_FREE)
        course->slots_used--;
    for (size_t i = 0; i < course->slots_used; i++)
        if (course->flights[i].stage != STAGE_FREE &&
            (!next || course->flights[i].next_s < next->next_s))
            next = &course->flights[i];
    return next;
}

struct result
race(struct client *client, struct service *service, size_t rows)
{
    struct course course = {.client = client, .service = service};
    struct move move = ask_client(&course, 0);
    double now_s = 0;

    while (!move.over && now_s < patience_s) {
        struct flight *next = find_next(&course);
        const bool inside = next && next->stage != STAGE_BACK; /* the client sees nothing of it */

        if (next && next->next_s <= move.until_s) {
            now_s = next->next_s;
            step(&course, next);
        } else {
            now_s = move.until_s;
        }
        if (!inside || now_s >= move.until_s)
            move = ask_client(&course, now_s);
    }
    course.result.seconds = now_s;
    if (course.result.settled != rows)
        (void)fprintf(stderr, "%zu of %zu rows are settled\n", course.result.settled, rows);
    return course.result;
}
