/**
 * Keys and certificates of the sandbox, made anew at each start: a certificate authority that tests
 * trust, one that they do not, and server certificates that are right or wrong in one known way.
 */
#ifndef SANDBOX_COMMON_PKI_H
#define SANDBOX_COMMON_PKI_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Write ca.pem, other-ca-root.pem and, for each name of pki_names, NAME.pem and NAME.key into
 * DIRECTORY/pki (made here). client.pem and client.key are an application's, for signing
 * assertions. Keys are owner-only. Servers are localhost, 127.0.0.1, ::1, what is below
 * database.sandbox.test and tr1.database.sandbox.test, and `address` (NULL = none).
 */
bool pki_create(const char *directory, const char *address, char *why, size_t why_size);

/**
 * good, expired, wrong-name (for another host), other-ca (of the authority that is not trusted),
 * second (a different one of the trusted authority), self-signed, by-self-signed (signed with the
 * key of that one, which is no authority). NULL-ended.
 */
extern const char *const pki_names[];

/** The text of DIRECTORY/pki/FILE, malloc'd; NULL when it cannot be read. */
char *pki_read(const char *directory, const char *file);

#endif
