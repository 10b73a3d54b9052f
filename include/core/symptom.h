/**
 * What a pasted error text means: the symptoms that Microsoft's pages and the community describe,
 * as data in one table (src/core/symptoms.def), and the search in it. Sources are named entry by
 * entry.
 */
#ifndef CORE_SYMPTOM_H
#define CORE_SYMPTOM_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    SYMPTOM_TEXT_MAX_BYTES = 1024 * 1024,
    SYMPTOM_STEPS = 6,
    SYMPTOM_TEXTS = 4,
    SYMPTOM_MATCHES = 64, /* more of one text are not told apart */
};

/** One entry. Strings are constant. */
struct symptom {
    const char *id;    /* "S01"; a health check code for those without a number */
    const char *title; /* a few words */
    const char *texts[SYMPTOM_TEXTS + 1]; /* any of them, in the form that symptom_fold gives;
                                         NULL-ended. None: known by a sign, not by a text */
    const char *pattern; /* POSIX extended expression of what stands from there on; NULL =
                            anything */
    const char *sign;    /* what is seen when there is no text, or NULL */
    const char *cause;
    const char *steps[SYMPTOM_STEPS]; /* what to do, in order; NULL-ended */
    const char *checks;               /* that confirm it, "A-URL D-LINK" */
    const char *source;               /* where that is written: keys of symptom_source */
    bool stale_rows;                  /* the cure is to remove rows, which dwclean does */
};

const struct symptom *symptoms(size_t *ret_count);

/** The entry of an id, without case; NULL when there is none. */
const struct symptom *symptom_by_id(const char *id);

/** A source's title and place: "Troubleshoot live synchronization issues (...)"; NULL when the key
 * is unknown. */
const char *symptom_source(const char *key);

/** One entry found in a text. Strings in the arena. */
struct symptom_match {
    const struct symptom *symptom;
    const char
        *excerpt; /* the place, as pasted but for white space and quotes; at most 300 bytes */
    /* S01: the two names, as pasted; NULL where the text does not say them ("(???)") */
    const char *configured, *actual;
};

/**
 * Fold a text for comparison: typographic quotes and dashes to ASCII, backslashes dropped, white
 * space (also no-break and zero-width) collapsed to one blank, "doesn't" to "does not", ASCII
 * letters to lower case when `lower`. The result is in the arena; NULL when memory is out.
 */
const char *symptom_fold(const char *text, size_t size, bool lower, struct arena *arena);

/**
 * Every symptom that a text shows, in the order in which they stand in it; each pair of names of an
 * S01 is a match of its own, any other symptom is one match.
 *
 * @param text      UTF-8 or not, may hold several errors; at most SYMPTOM_TEXT_MAX_BYTES
 * @param size      bytes of it
 * @param arena     holds what the matches say
 * @param ret       SYMPTOM_MATCHES places
 * @param ret_count how many were filled; 0 = no text of the table is in it
 * @param err       ERR_USAGE: too large; ERR_INTERNAL: memory
 */
MUST_CHECK bool symptom_find(const char *text, size_t size, struct arena *arena,
                             struct symptom_match *ret, size_t *ret_count, struct err *err);

#endif
