/**
 * The key and the certificate that an application signs in with, out of a file: PEM (key and
 * certificates in any order, the key with or without a password) or PKCS #12 (PFX).
 */
#ifndef DATAVERSE_CLIENT_CERTIFICATE_H
#define DATAVERSE_CLIENT_CERTIFICATE_H

#include "base/err.h"
#include "base/secret.h"
#include "openssl_library.h"

enum { CERTIFICATES_MAX = 16, SIGNATURE_MAX_BYTES = 2048 };

/** A key and the certificate that belongs to it. Zeroed at first. */
struct certificate_pair {
    EVP_PKEY *key;
    X509 *certificate;
    STACK_OF(X509) * others; /* the rest of the file, in its order; may be NULL */
};

/**
 * Read the file, which must be its owner's alone. `password` may be NULL or unset. ERR_CONFIG when
 * there is no usable pair (RSA of 2048 bits or more), the password does not open it, or the
 * certificate is not in date.
 */
MUST_CHECK bool certificate_load(const char *path, const struct secret *password,
                                 struct certificate_pair *ret, struct err *err);
void certificate_done(struct certificate_pair *pair);

/** Is there a password on the key or on the whole file? ERR_CONFIG when it cannot be read. */
MUST_CHECK bool certificate_wants_password(const char *path, bool *ret, struct err *err);

#endif
