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
 * assertions. Keys are owner-only.
 */
bool pki_create(const char *directory, char *why, size_t why_size);

/**
 * good, expired, wrong-name (for another host), other-ca (of the authority that is not trusted),
 * second (a different one of the trusted authority), self-signed. NULL-ended.
 */
extern const char *const pki_names[];

/** The text of DIRECTORY/pki/FILE, malloc'd; NULL when it cannot be read. */
char *pki_read(const char *directory, const char *file);

#endif
