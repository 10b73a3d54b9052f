/**
 * How far a step is, and how it is said: what, bar, rate, time left, or until when a service wants
 * a pause. Pure: the clock is the caller's.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum { PROGRESS_WHAT_BYTES = 96, PROGRESS_SAMPLES = 24, PROGRESS_WHY_BYTES = 160 };

/** One step. */
struct progress {
    char what[PROGRESS_WHAT_BYTES]; /* "DUALWRITEPROJECTCONFIGURATION backed up"; "" = no step */
    int64_t done, total;            /* total 0 = not known */
    int64_t begun_ms, noted_ms;     /* of the caller's clock */
    int64_t told_rate_x10;          /* rows/s, when the adapter knows it; -1 = measured here */
    int64_t paused_until_utc_ms;    /* 0 = not paused */
    char why[PROGRESS_WHY_BYTES];   /* of the pause; "" = not known */
    /* the last seconds, oldest first */
    struct {
        int64_t at_ms, done;
    } samples[PROGRESS_SAMPLES];
    unsigned sample_count;
};

/** Is this another step than the one that goes on? Fewer rows than before are one too. */
bool progress_is_other(const struct progress *progress, const char *what, int64_t done);

/** Note how far the step is; another one begins here. */
void progress_note(struct progress *progress, const char *what, int64_t done, int64_t total,
                   int64_t now_ms);

/** Rows a second times ten over the last ten seconds; -1 = too early to say. */
int64_t progress_rate_x10(const struct progress *progress);

/** Milliseconds until `total`; -1 = not known. */
int64_t progress_left_ms(const struct progress *progress);

/** How a line on a terminal looks. */
struct progress_look {
    unsigned columns; /* of the terminal; the line stays shorter by one, so that it never wraps */
    bool utf8;        /* block characters; else # and - */
    bool colour;
};

/** Append the line for a terminal: what matters least is left out until it fits. */
void progress_draw(const struct progress *progress, const struct progress_look *look,
                   struct text *ret);

/** Append a sentence for a log. */
void progress_say(const struct progress *progress, struct text *ret);

#endif
