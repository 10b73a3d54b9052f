/** Answers to the questions of a diagnosis, read. Each function is given the body of a list. */
#ifndef DATAVERSE_DIAGNOSIS_H
#define DATAVERSE_DIAGNOSIS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "port/runtime_store.h"

#include <stdbool.h>
#include <stddef.h>

enum { DIAGNOSIS_ID_BYTES = 40, DIAGNOSIS_IDS = 64 };

/** GUIDs of a list. */
struct diagnosis_ids {
    char ids[DIAGNOSIS_IDS][DIAGNOSIS_ID_BYTES];
    size_t count;
    bool more;
};

/* Each fills its members of `ret`. False: ERR_SERVER, the body is no such list; ERR_INTERNAL. */

MUST_CHECK bool diagnosis_read_names(struct slice body, struct arena *arena,
                                     struct runtime_diagnosis *ret, struct err *err);
MUST_CHECK bool diagnosis_read_traces(struct slice body, struct arena *arena,
                                      struct runtime_diagnosis *ret, struct err *err);
MUST_CHECK bool diagnosis_read_companies(struct slice body, struct arena *arena,
                                         struct runtime_diagnosis *ret, struct err *err);
MUST_CHECK bool diagnosis_read_steps(struct slice body, struct arena *arena,
                                     struct runtime_diagnosis *ret, struct err *err);

/** The member `key` of each object of the list. */
MUST_CHECK bool diagnosis_read_ids(struct slice body, const char *key, struct diagnosis_ids *ret,
                                   struct err *err);

#endif
