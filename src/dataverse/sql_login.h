/**
 * SQL credentials of the finance and operations database, asked of the environment that it belongs
 * to. Microsoft does not document the action; name, parameters and answer are those that the
 * community has published.
 */
#ifndef DATAVERSE_SQL_LOGIN_H
#define DATAVERSE_SQL_LOGIN_H

#include "base/err.h"
#include "base/secret.h"
#include "http.h"
#include "port/axdb_grant.h"
#include "session.h"

#include <stdbool.h>
#include <stdint.h>

/** Say whose other login ends, then ask, once. As runtime_server.grant_axdb. */
MUST_CHECK bool sql_login_ask(struct session *session, const struct axdb_grant_request *request,
                              struct axdb_grant *ret, struct err *err);

/** Read an answer of status 200. ERR_SERVER when something that is needed is missing, too long or
 * holds control characters. */
MUST_CHECK bool sql_login_parse(const struct http_answer *answer, struct axdb_grant *ret,
                                struct err *err);

/** Fill `err` for an answer that is no grant, or for none at all; returns false. The service's own
 * text is left out when it repeats the token or speaks of a password. */
bool sql_login_refusal(const struct http_answer *answer, const struct secret *bearer,
                       struct err *err);

/** "2026-11-21T21:44:29.123+01:00" as ms since 1970 UTC; without a zone it counts as UTC. False
 * when it is no such text. */
MUST_CHECK bool sql_login_moment(const char *text, int64_t *ret_utc_ms);

#endif
