/**
 * -J: the server has to present exactly one certificate. Given to FreeTDS as its only trusted one,
 * a certificate that is no authority matches itself alone: so others are refused here.
 */
#ifndef MSSQL_PIN_H
#define MSSQL_PIN_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { PIN_PATH_BYTES = 40 };

/**
 * Read `file`: one certificate, PEM or DER, of X.509 version 3, not an authority's, made out for
 * `host`. It is kept in memory: what is checked here is what the TLS library reads later under
 * `ret_path`, as PEM. Caller closes `ret_fd`. ERR_USAGE.
 */
MUST_CHECK bool pin_open(const char *file, const char *host, int *ret_fd,
                         char ret_path[PIN_PATH_BYTES], struct err *err);

/** The same checks on the bytes of a file; `ret_pem` is malloc'd. */
MUST_CHECK bool pin_parse(const void *bytes, size_t size, const char *host, char **ret_pem,
                          size_t *ret_size, struct err *err);

#endif
