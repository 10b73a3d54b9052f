/** How many rows the table has: what a list is compared with. */
#ifndef DATAVERSE_COUNT_H
#define DATAVERSE_COUNT_H

#include "base/err.h"
#include "definition.h"
#include "session.h"

#include <stdbool.h>
#include <stdint.h>

/** By $apply, which is exact up to 50 000 rows; where the service does not count so, by pages of
 * keys. $count is not used: it stops at 5000. */
MUST_CHECK bool count_rows(struct session *session, const struct definition *definition,
                           int64_t *ret, struct err *err);

/** The question of count_rows by itself, to be asked beside others. */
struct count_question {
    char url[URL_ORIGIN_BYTES + SESSION_PATH_BYTES + DEFINITION_NAME_BYTES + 64];
    struct fetch fetch; /* its URL is the one above */
};

void count_ask(struct count_question *question, const struct session *session,
               const struct definition *definition);

/** What count_rows makes of the answer, which session_fetch brought: with more requests where the
 * service does not count so. */
MUST_CHECK bool count_answered(struct session *session, const struct definition *definition,
                               const struct fetch *fetch, int64_t *ret, struct err *err);

/**
 * Is a list of `listed` rows whole? True when the count taken before it was the same, or the one
 * that is taken now is: rows came or went meanwhile. Else ERR_SERVER.
 */
MUST_CHECK bool count_agrees(struct session *session, const struct definition *definition,
                             int64_t before, int64_t listed, struct err *err);

/** The URL of the question for the number of rows. */
void count_url(const char *root, const char *entity_set, char *ret, size_t size);

#endif
