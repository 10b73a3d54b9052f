/** Ways to delete many rows: the scheduler of this program, and what it is compared with. */
#ifndef MODEL_CLIENT_H
#define MODEL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLIENT_SLOTS = 64 };

/** What a client does with the next moment. */
struct move {
    size_t rows;    /* send so many rows in the slot that was offered; 0 = nothing now */
    double until_s; /* then: look again at this time, if no answer comes before it */
    bool over;      /* every row is settled */
};

struct reply {
    size_t slot, rows;
    double elapsed_s;
    double retry_after_s; /* of a 429, else 0: then every row is done */
};

struct client {
    void *self;
    struct move (*move)(void *self, double now_s, size_t free_slot);
    void (*answered)(void *self, double now_s, const struct reply *reply);
    void (*done)(void *self);
};

/** As many requests at a time as `width`, each of `batch` rows; one pause for all. */
struct client client_fixed(size_t rows, size_t width, size_t batch);

/**
 * The rules of SQL 4 CDS (MarkMpn/Sql4Cds, DynamicParallel.cs and BaseDmlNode.cs), from what its
 * source does: up to `threads` (10 if its user says nothing), one more each second after a success,
 * one less for ever when throttled; the batch aims at 10 s; a throttled thread sleeps by itself, at
 * most 5, 2, then 1 min.
 */
struct client client_sql4cds(size_t rows, size_t threads);

/** src/dataverse/pace.c. */
struct client client_pace(size_t rows, int hint, bool fast, int share_percent, uint64_t seed);

#endif
