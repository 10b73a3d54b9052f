/**
 * A client assertion: a short-lived JWT, signed with the key of a certificate that is registered
 * with the application. It takes the place of a client secret.
 */
#ifndef DATAVERSE_ASSERTION_H
#define DATAVERSE_ASSERTION_H

#include "base/err.h"
#include "base/secret.h"

enum { ASSERTION_LIFE_S = 300 };

/** How it is signed, and with what. */
struct assertion_source {
    const char *certificate_file; /* see client_certificate.h; it is read anew each time */
    const struct secret *password;
    bool rs256; /* RS256 with the SHA-1 thumbprint x5t, for older set-ups; else PS256 with x5t#S256
                 */
    bool send_chain; /* x5c: the certificate and those of the file that issued it, leaf first */
};

/**
 * Sign a fresh assertion for one request to `audience`, the token endpoint. ERR_CONFIG when the
 * file is not its owner's alone, has no usable pair, or the certificate is not in date.
 */
MUST_CHECK bool assertion_make(const struct assertion_source *source, const char *client_id,
                               const char *audience, struct secret *ret, struct err *err);

#endif
