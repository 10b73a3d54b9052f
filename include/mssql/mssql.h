/**
 * AxDB through FreeTDS's DB-Library. Process-wide: db-lib's handlers and settings exist once, so
 * there is one mssql_server at a time, used from one thread.
 */
#ifndef MSSQL_MSSQL_H
#define MSSQL_MSSQL_H

#include "base/err.h"
#include "base/secret.h"
#include "port/axdb_store.h"

#include <stdbool.h>
#include <stdint.h>

enum mssql_encryption {
    MSSQL_ENCRYPTION_MANDATORY,
    MSSQL_ENCRYPTION_OPTIONAL,
    MSSQL_ENCRYPTION_DISABLE
};

/** All strings borrowed for the lifetime of the server; NULL = default. */
struct mssql_options {
    const char *host;     /* fully qualified name or address; required */
    uint16_t port;        /* 0 = 1433 */
    const char *database; /* required */
    const char *user;     /* SQL login */
    const struct secret *password;
    bool integrated; /* -E: Kerberos instead of user and password */
    enum mssql_encryption encryption;
    bool trust_certificate;  /* -C: no check of the certificate */
    const char *ca_file;     /* PEM; NULL = the system's */
    const char *application; /* program name that the server shows: "dwclean/0.1.0 run=..." */
    const char *workstation; /* -H */
    int packet_size;         /* 0 = 16000 */
    int login_timeout_s;     /* 0 = 30 */
    int query_timeout_s;     /* 0 = 60 */
    int64_t lock_timeout_ms; /* 0 = at once is not offered: 0 = 5000 */
    bool read_only_intent;   /* -K ReadOnly: reading commands only */
    bool utf8_engine;        /* test only: engines that store text as UTF-8 */
};

/**
 * Remove every variable that could redirect or weaken a FreeTDS or GnuTLS connection: FreeTDS reads
 * TDSHOST, TDSVER and others after the login record is filled, so the environment would win (its
 * source, tds_fix_login). Before anything else in main, while there is one thread.
 */
void mssql_scrub_environment(void);

/** The AxDB that the options name. Nothing is connected yet. ERR_USAGE for values that FreeTDS
 * would cut or misread. */
MUST_CHECK bool mssql_server_new(const struct mssql_options *options, struct axdb_server **ret,
                                 struct err *err);
void mssql_server_free(struct axdb_server *server); /* NULL is allowed */

/** Version text of the FreeTDS that is loaded. */
const char *mssql_library_version(void);

#endif
