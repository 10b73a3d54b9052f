/**
 * Why TLS with a server fails. FreeTDS says only "connection failed" for everything between TCP and
 * the sign-in, so this asks again with OpenSSL: prelogin, handshake, certificate, and away before
 * any name or password is sent. It decides nothing.
 */
#ifndef MSSQL_TLS_PROBE_H
#define MSSQL_TLS_PROBE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tls_finding {
    TLS_FINE,           /* nothing wrong that could be seen */
    TLS_NO_ANSWER,      /* TCP or prelogin failed */
    TLS_NOT_LOOKED_AT,  /* without OpenSSL, or memory: `reason` says so, `remedy` what to do */
    TLS_NOT_SQL_SERVER, /* something else than a prelogin answer came */
    TLS_NOT_OFFERED,    /* ENCRYPT_NOT_SUP */
    TLS_LOGIN_ONLY,     /* ENCRYPT_OFF */
    TLS_NO_HANDSHAKE,   /* no version or cipher in common */
    TLS_TOO_OLD,        /* 1.0 or 1.1 */
    TLS_BROKE_OFF,      /* closed or silent in the middle of the handshake */
    TLS_UNKNOWN_CA,
    TLS_SELF_SIGNED,
    TLS_EXPIRED,
    TLS_NOT_YET_VALID,
    TLS_WRONG_NAME,
    TLS_OTHER_CERTIFICATE, /* not the one that was given */
    TLS_BAD_CERTIFICATE,   /* another verify error */
};

/** Texts are cut to their size and hold printable ASCII only. */
struct tls_report {
    enum tls_finding finding;
    char version[24];    /* "TLSv1.2" */
    char subject[160];   /* of the server's certificate */
    char issuer[160];    /* of the certificate whose issuer is missing, else of the server's */
    char names[256];     /* what the certificate is made out for, separated by ", " */
    char not_before[40]; /* "Nov 21 22:00:00 2026 GMT" */
    char not_after[40];
    char fingerprint[100]; /* SHA-256, hex with colons */
    char reason[160];      /* OpenSSL's own words for the failure */
    char remedy[120];
};

struct tls_target {
    const char *host;
    uint16_t port;
    const char *ca_file;    /* NULL = the system's */
    const char *name;       /* in the certificate; NULL = host */
    bool pinned;            /* ca_file holds the server's own certificate, its name is no matter */
    bool trust_certificate; /* then certificate faults are no finding */
    int64_t timeout_ms;
};

/** Ask the server. Never fails: the report says how far it came. */
void tls_probe(const struct tls_target *target, struct tls_report *ret);

/** Put the report into words: ERR_TLS, or ERR_CONNECT when TLS was not why. Returns false. */
bool tls_probe_explain(const struct tls_target *target, const struct tls_report *report,
                       struct err *err);

/**
 * The ENCRYPTION option of a prelogin answer (without the packet header). False when the bytes are
 * not one: every offset and length is checked.
 */
MUST_CHECK bool tls_probe_parse_prelogin(const unsigned char *bytes, size_t size,
                                         unsigned char *ret_encryption);

#endif
