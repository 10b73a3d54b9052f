/** Which FreeTDS is loaded, and what it can: the one that runs counts, not the one compiled with.
 */
#ifndef MSSQL_LIBRARY_H
#define MSSQL_LIBRARY_H

#include <stdbool.h>

struct gnutls_session_int;

struct library_version {
    int major, minor;
};

/** From dbversion()'s text, "freetds v1.3.17". What cannot be read is 0.0, which can nothing. */
struct library_version library_version_parse(const char *text);

/** The key `certificate hostname` of its configuration; older ones ignore it without a word. */
bool library_can_name_certificate(struct library_version version);

/** TDS 8: TLS before anything else. Older ones refuse the word (error 20214). */
bool library_can_strict(struct library_version version);

/**
 * FreeTDS's own call to GnuTLS, answered here first: it lets TLS 1.1 in, and no key of its
 * configuration says otherwise (tls.c of 1.3 to 1.5). What it asks for is passed on without TLS 1.0
 * and 1.1, so that no password leaves under them. A build over OpenSSL never calls it; there the
 * first answer's record is looked at (statement.c).
 *
 * @param session     GnuTLS's
 * @param priorities  as FreeTDS gives them
 * @param ret_fault   where they are wrong
 * @return            GnuTLS's status
 */
int gnutls_priority_set_direct(struct gnutls_session_int *session, const char *priorities,
                               const char **ret_fault);

#endif
