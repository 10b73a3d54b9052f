/** What the application user may do with the table's rows. */
#ifndef DATAVERSE_RIGHTS_H
#define DATAVERSE_RIGHTS_H

#include "base/arena.h"
#include "definition.h"
#include "port/runtime_store.h"
#include "session.h"

/** Whose rows a right has to reach. */
enum rights_reach {
    RIGHTS_ALL_ROWS, /* of the whole organization: depth Global */
    RIGHTS_OWN_ROWS  /* those of the application user: Basic and more */
};

/**
 * Read the answer of RetrieveUserPrivilegeByPrivilegeName: HELD when a role reaches that far.
 * Whatever cannot be understood is RIGHT_UNKNOWN.
 */
enum right rights_judge(struct slice body, const char *privilege, enum rights_reach reach);

/**
 * Ask about reading, deleting and creating, and fill the three rights of `ret`, whose user_id is
 * known. `beside` is asked at the same time; its answer is NULL where nothing was asked. A service
 * that does not tell leaves the rights RIGHT_UNKNOWN; false is for a stop signal and for lack of
 * memory.
 */
MUST_CHECK bool rights_fetch(struct session *session, struct arena *arena,
                             const struct definition *definition, struct runtime_identity *ret,
                             struct fetch *beside, struct err *err);

/** The question for one privilege of the user; NULL = out of memory. */
const char *rights_url(struct arena *arena, const char *root, const char *user_id,
                       const char *privilege);

#endif
