/** The table of ways and scenarios, and what must hold in it. */
#include "client.h"
#include "race.h"
#include "service.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEEDS = 9, HARD = 48, WAYS = 9 };

static const struct scenario {
    double row_s;
    int servers, hint;
    size_t rows;
    double charge;
} scenarios[] = {
    {0.1, 1, 4, 10000, 1},     {0.1, 1, 4, 60000, 1},   {0.1, 4, 16, 60000, 1},
    {0.25, 4, 16, 60000, 1},   {0.1, 4, 4, 60000, 1}, /* a hint that knows one server of four */
    {0.1, 1, 4, 60000, 1.15},                         /* more is charged than a client sees */
    {0.1, 4, 16, 60000, 1.15}, {0.1, 1, 4, 60000, 1.3}, {0.1, 4, 16, 60000, 1.3},
};

static const struct way {
    const char *name;
    enum { FIXED, SQL4CDS, PACED, PACED_FAST } kind;
    int number; /* batch, threads, or share in % */
} ways[WAYS] = {
    {"singles, hint", FIXED, 1}, {"batch 10, hint", FIXED, 10}, {"batch 100, hint", FIXED, 100},
    {"SQL 4 CDS", SQL4CDS, 10},  {"default 0.80", PACED, 80},   {"default 0.85", PACED, 85},
    {"default 0.90", PACED, 90}, {"default 0.95", PACED, 95},   {"--fast", PACED_FAST, 85},
};

enum { WAY_SINGLES = 0, WAY_BATCH_10 = 1, WAY_SQL4CDS = 3 };

static int failures;

static void
expect(bool holds, const struct scenario *scenario, const struct way *way, const char *what)
{
    if (holds)
        return;
    failures++;
    (void)printf("FAILED: t %.2f, S %d, %zu rows, %s: %s\n", scenario->row_s, scenario->servers,
                 scenario->rows, way->name, what);
}

static struct client
new_client(const struct scenario *scenario, const struct way *way, uint64_t seed)
{
    switch (way->kind) {
    case FIXED:
        return client_fixed(scenario->rows, (size_t)scenario->hint, (size_t)way->number);
    case SQL4CDS:
        return client_sql4cds(scenario->rows, (size_t)way->number);
    case PACED:
    case PACED_FAST:
        break;
    }
    return client_pace(scenario->rows, scenario->hint, way->kind == PACED_FAST, way->number, seed);
}

static bool
is_ours(const struct way *way)
{
    return way->kind == PACED || way->kind == PACED_FAST;
}

static struct result
run(const struct scenario *scenario, const struct way *way, uint64_t seed)
{
    struct service *service =
        service_new(scenario->servers, scenario->row_s, scenario->charge, seed);
    struct client client = new_client(scenario, way, seed + 1000);
    struct result result;

    if (!service)
        abort();
    result = race(&client, service, scenario->rows);
    client.done(client.self);
    service_free(service);
    expect(result.settled == scenario->rows, scenario, way, "rows are left");
    if (is_ours(way)) {
        expect(result.defiant == 0, scenario, way, "a request reached a blocked server");
        expect(result.sent_while_waiting == 0, scenario, way, "sent before Retry-After was over");
    }
    return result;
}

static int
compare(const void *a, const void *b)
{
    const double left = *(const double *)a;
    const double right = *(const double *)b;

    return (left > right) - (left < right);
}

struct spread {
    double median, most;
};

static struct spread
spread(double *numbers)
{
    qsort(numbers, SEEDS, sizeof numbers[0], compare);
    return (struct spread){numbers[SEEDS / 2], numbers[SEEDS - 1]};
}

struct cell {
    struct spread seconds, throttled, defiant;
};

static struct cell
race_all_seeds(const struct scenario *scenario, const struct way *way)
{
    double seconds[SEEDS];
    double throttled[SEEDS];
    double defiant[SEEDS];

    for (size_t i = 0; i < SEEDS; i++) {
        const struct result result = run(scenario, way, i + 1);

        seconds[i] = result.seconds;
        throttled[i] = (double)result.throttled;
        defiant[i] = (double)result.defiant;
    }
    return (struct cell){spread(seconds), spread(throttled), spread(defiant)};
}

/** Rows a window allows, in batches of 100. */
static double
allowance(const struct scenario *scenario)
{
    return scenario->servers *
           fmin(6000.0 * 100, 1200 / scenario->charge / (scenario->row_s + 0.02 / 100));
}

/** Each window's allowance used up at once: nobody can be faster for long. */
static double
ceiling_s(const struct scenario *scenario)
{
    const double rows = (double)scenario->rows;
    const double windows = floor(rows / allowance(scenario));

    return windows * 300 +
           (rows - windows * allowance(scenario)) * (scenario->row_s + 0.02 / 100) / HARD;
}

static double
fraction(const struct scenario *scenario, double seconds)
{
    return (double)scenario->rows / seconds / (allowance(scenario) / 300);
}

/** What holds of our ways, whatever the dice. */
static void
check_way(const struct scenario *scenario, const struct cell *cells, size_t i)
{
    const double seconds = cells[i].seconds.median;
    const bool whole_hint = scenario->hint >= 4 * scenario->servers;

    expect(seconds <= cells[WAY_SINGLES].seconds.median, scenario, &ways[i],
           "slower than singles at the hint");
    expect(seconds <= 1.05 * cells[WAY_BATCH_10].seconds.median, scenario, &ways[i],
           "slower than batches of 10 at the hint");
    expect(!whole_hint || seconds <= cells[WAY_SQL4CDS].seconds.median, scenario, &ways[i],
           "slower than SQL 4 CDS");
    expect(!whole_hint || fraction(scenario, seconds) >= 0.85, scenario, &ways[i],
           "less than 85 % of what the limit allows");
    expect(!whole_hint || (double)scenario->rows < allowance(scenario) ||
               seconds <= 1.2 * ceiling_s(scenario),
           scenario, &ways[i], "a fifth above the time that nobody can beat for long");
    expect(ways[i].kind != PACED || cells[i].throttled.most <= (scenario->charge > 1 ? 20 : 9),
           scenario, &ways[i], "throttled too often");
}

static void
check(const struct scenario *scenario, const struct cell *cells)
{
    for (size_t i = 0; i < WAYS; i++)
        if (is_ours(&ways[i]))
            check_way(scenario, cells, i);
}

int
main(void)
{
    (void)printf("Seconds, median of %d seeds (429s, median-most; most requests that reached a "
                 "server known to be blocked), rows/s as a fraction of A/300\n\n%-28s",
                 SEEDS, "t, S, hint, rows, charge");
    for (size_t i = 0; i < WAYS; i++)
        (void)printf("| %-22s", ways[i].name);
    (void)printf("| ceiling\n");
    for (size_t s = 0; s < sizeof scenarios / sizeof scenarios[0]; s++) {
        const struct scenario *scenario = &scenarios[s];
        struct cell cells[WAYS];

        (void)printf("%-4.2f, %d, %-2d, %-5zu, %-9.2f", scenario->row_s, scenario->servers,
                     scenario->hint, scenario->rows, scenario->charge);
        for (size_t i = 0; i < WAYS; i++) {
            char text[64];

            cells[i] = race_all_seeds(scenario, &ways[i]);
            (void)snprintf(text, sizeof text, "%.0f (%.0f-%.0f, %.0f) %.2f",
                           cells[i].seconds.median, cells[i].throttled.median,
                           cells[i].throttled.most, cells[i].defiant.most,
                           fraction(scenario, cells[i].seconds.median));
            (void)printf("| %-22s", text);
        }
        (void)printf("| %.0f\n", ceiling_s(scenario));
        (void)fflush(stdout);
        check(scenario, cells);
    }
    (void)printf("\n%d failed\n", failures);
    return failures == 0 ? 0 : 1;
}
