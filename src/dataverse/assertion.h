/**
 * A client assertion: a short-lived JWT (PS256), signed with the key of a certificate that is
 * registered with the application. It takes the place of a client secret.
 */
#ifndef DATAVERSE_ASSERTION_H
#define DATAVERSE_ASSERTION_H

#include "base/err.h"
#include "base/secret.h"

enum { ASSERTION_LIFE_S = 300 };

/**
 * Sign a fresh assertion for one request to `audience`, the token endpoint. `path` is a PEM file
 * that holds an RSA key without a password and its certificate, in any order; it is read anew each
 * time. Who may read the file is the caller's to check. ERR_CONFIG when the file has no usable pair
 * or the certificate is not in date.
 */
MUST_CHECK bool assertion_make(const char *path, const char *client_id, const char *audience,
                               struct secret *ret, struct err *err);

#endif
