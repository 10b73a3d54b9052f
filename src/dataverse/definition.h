/** The table's definition: what it is called here, and which columns it has. Nothing is guessed. */
#ifndef DATAVERSE_DEFINITION_H
#define DATAVERSE_DEFINITION_H

#include "base/err.h"
#include "session.h"

#include <stdbool.h>

enum { DEFINITION_NAME_BYTES = 130 };

/** Columns that a list may show, beside the key. */
enum shown_column {
    SHOWN_NAME,
    SHOWN_INTERNAL_ENTITY,
    SHOWN_EXTERNAL_ENTITY,
    SHOWN_CREATED_ON,
    SHOWN_MODIFIED_ON,
    SHOWN_STATE,
    SHOWN_COLUMNS
};
extern const char *const shown_column_names[SHOWN_COLUMNS];

struct definition {
    char entity_set[DEFINITION_NAME_BYTES];
    char key_column[DEFINITION_NAME_BYTES];
    /* Names of the privileges for the table, "" when not known */
    char read_privilege[DEFINITION_NAME_BYTES], delete_privilege[DEFINITION_NAME_BYTES];
    char create_privilege[DEFINITION_NAME_BYTES];
    bool optimistic_concurrency;
    bool has[SHOWN_COLUMNS];
};

/** Path under the root, for session_fetch with may_fail. */
extern const char definition_path[];

/** Read the answer. ERR_SCHEMA when the table is not there or not usable, ERR_SERVER otherwise. */
MUST_CHECK bool definition_read(const struct fetch *fetch, struct definition *ret, struct err *err);

/**
 * Read the answer to definition_path; when the service does not take that question, ask a smaller
 * one. Answers of earlier fetches are over then.
 */
MUST_CHECK bool definition_settle(struct session *session, const struct fetch *fetch,
                                  struct definition *ret, struct err *err);

/** Ask for it and read it. */
MUST_CHECK bool definition_fetch(struct session *session, struct definition *ret, struct err *err);

#endif
