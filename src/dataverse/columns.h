/** The table's columns as the service's metadata tells them: which ones a new row can be given. */
#ifndef DATAVERSE_COLUMNS_H
#define DATAVERSE_COLUMNS_H

#include "base/err.h"
#include "base/slice.h"
#include "definition.h"
#include "session.h"

#include <stdbool.h>
#include <stddef.h>

struct table_column {
    char name[DEFINITION_NAME_BYTES];
    bool key;
    bool shown;  /* rows have it */
    bool lookup; /* as _name_value */
    bool create; /* a new row may be given a value; of a lookup: and it is known how */
    /* Of a lookup that can be given: its navigation property, and the set that it leads to */
    char navigation[DEFINITION_NAME_BYTES], target_set[DEFINITION_NAME_BYTES];
};

struct columns {
    struct table_column *items;
    size_t count;
    bool dates; /* createdon can be given, as overriddencreatedon */
};

/** Ask the service. The caller frees `ret` with columns_done. */
MUST_CHECK bool columns_fetch(struct session *session, const struct definition *definition,
                              struct columns *ret, struct err *err);
void columns_done(struct columns *columns);

/** Read an answer: the whole JSON of the definition. Targets of lookups are not known yet:
 * `navigation` is set, `target_set` holds the target's logical name. ERR_SERVER. */
MUST_CHECK bool columns_read(struct slice body, const char *key_column, struct columns *ret,
                             struct err *err);

/** The column of a member of a row, "name" or "_name_value"; NULL when there is none. */
const struct table_column *columns_of_member(const struct columns *columns, struct slice member);

/** Can a new row get this column's old value? */
bool columns_survives(const struct columns *columns, const struct table_column *column);

#endif
