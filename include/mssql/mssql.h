/**
 * AxDB through FreeTDS's DB-Library. Process-wide: db-lib's handlers and settings exist once, so
 * there is one mssql_server at a time, used from one thread.
 */
#ifndef MSSQL_MSSQL_H
#define MSSQL_MSSQL_H

#include "base/err.h"
#include "base/secret.h"
#include "port/axdb_store.h"
#include "port/observer.h"
#include "port/statements.h"
#include "port/undo_script.h"

#include <stdbool.h>
#include <stdint.h>

enum mssql_encryption {
    MSSQL_ENCRYPTION_MANDATORY, /* everything inside TLS, proven by the first answer; else ERR_TLS
                                 */
    MSSQL_ENCRYPTION_OPTIONAL,  /* everything if the server demands it, the sign-in if it can; a
                                   server without TLS gets the password in clear text */
    MSSQL_ENCRYPTION_DISABLE,   /* everything if the server demands it, else nothing: the password
                                   too crosses in clear text */
    MSSQL_ENCRYPTION_STRICT,    /* TDS 8: TLS first. ERR_USAGE where the loaded FreeTDS cannot (it
                                   is older than 1.4) */
};

/** All strings borrowed for the lifetime of the server; NULL = default. */
struct mssql_options {
    const char *host;     /* fully qualified name or address; required */
    const char *instance; /* named instance; its port is asked of SQL Server Browser, unless `port`
                             is given */
    uint16_t port;        /* 0 = 1433 */
    const char *database; /* required */
    const char *user;     /* SQL login */
    const struct secret *password;
    bool integrated; /* -E: Kerberos instead of user and password */
    enum mssql_encryption encryption;
    bool trust_certificate; /* -C: no check of the certificate, neither issuer, dates nor name */
    const char *ca_file;    /* PEM; NULL = the system's; not looked at with certificate_file */
    /**
     * -J: the server has to present exactly this certificate, which has to be valid now. PEM or
     * DER, one, not an authority's (else ERR_USAGE): another one is refused, also of the same
     * authority. Its name is compared with `certificate_host`, or else `host`, when the file is
     * read: sqlcmd does not look at dates and name there. Read once, by mssql_server_new. Needs
     * MANDATORY or STRICT, and no trust_certificate.
     */
    const char *certificate_file;
    /**
     * -F: the name in the certificate, when it is not `host`. Without certificate_file ERR_USAGE
     * where the loaded FreeTDS would not look at it (older than 1.4), unless it is `host`. Needs
     * MANDATORY or STRICT, and no trust_certificate.
     */
    const char *certificate_host;
    const char *application; /* program name that the server shows; " run=<id>" is added */
    const char *workstation; /* -H */
    int packet_size;         /* 0 = 16000 */
    int login_timeout_s;     /* 0 = 30 */
    int query_timeout_s;     /* 0 = 60 */
    int64_t lock_timeout_ms; /* 0 = at once is not offered: 0 = 5000 */
    bool read_only_intent;   /* -K ReadOnly: reading commands only */
    /**
     * A refused sign-in (18456, no other error) is tried again for so long, every 5 s (a time below
     * 90 s is cut into 18 parts): a login that was just granted takes up to a minute. 0 = once.
     * Once a sign-in has worked, a refused one is not tried again.
     * With a wrong password each try counts as one where logins are locked out.
     */
    int64_t new_login_ms;
    struct observer *observer; /* told of waiting and of what is not checked; NULL = nobody */
    bool utf8_engine;          /* test only: engines that store text as UTF-8 */
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

/** A script of INSERTs, written to `out`. ERR_INTERNAL when out of memory. */
MUST_CHECK bool mssql_undo_script_new(const struct undo_script_out *out, struct undo_script **ret,
                                      struct err *err);
void mssql_undo_script_free(struct undo_script *script); /* NULL is allowed */

/** What is sent, as text. */
extern const struct axdb_statements mssql_statements;

/** Version text of the FreeTDS that is loaded. */
const char *mssql_library_version(void);

#endif
