/**
 * The private FreeTDS configuration: in DB-Library the only way to ask for encryption and for a
 * check of the certificate. It lives in memory and is written anew
 * before each connection, because FreeTDS goes on without a word when it cannot be read.
 */
#ifndef MSSQL_CONF_H
#define MSSQL_CONF_H

#include "base/err.h"
#include "base/text.h"
#include "mssql/mssql.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONF_PATH_BYTES = 40 };

/** A host name or address that means the same to FreeTDS's parser as to us. ERR_USAGE. */
MUST_CHECK bool conf_check_host(const char *host, struct err *err);

/** A path that its parser neither cuts nor misreads. ERR_USAGE. */
MUST_CHECK bool conf_check_path(const char *path, struct err *err);

/** The file's text. The section is named by the host. */
MUST_CHECK bool conf_text(const struct mssql_options *options, const char *host, uint16_t port,
                          struct text *out, struct err *err);

/**
 * Put the text into memory that has a path. The caller closes `ret_fd` after dbopen; the path is
 * valid until then. The file has been read back through the path. ERR_CONNECT.
 */
MUST_CHECK bool conf_publish(const char *text, size_t size, int *ret_fd, char ret[CONF_PATH_BYTES],
                             struct err *err);

#endif
