/**
 * SQL credentials for one run, given by the Dataverse environment that the database belongs to.
 * Asked for through runtime_server.grant_axdb.
 */
#ifndef PORT_AXDB_GRANT_H
#define PORT_AXDB_GRANT_H

#include "base/secret.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    AXDB_GRANT_SERVER_BYTES = 256,
    AXDB_GRANT_NAME_BYTES = 385, /* sysname: 128 characters, in UTF-8 */
    AXDB_GRANT_WORD_BYTES = 64
};

/** What is asked for. Strings borrowed. */
struct axdb_grant_request {
    const char *address; /* who may connect: an IPv4 address, range or CIDR */
    bool writer;         /* db_datareader and db_datawriter; else db_datareader */
    const char *reason;
};

/** What was given. The password lies here and nowhere else: who owns this wipes it. */
struct axdb_grant {
    char server[AXDB_GRANT_SERVER_BYTES]; /* as the service wrote it: host, or host,port */
    char database[AXDB_GRANT_NAME_BYTES];
    char user[AXDB_GRANT_NAME_BYTES];
    struct secret password;
    char role[AXDB_GRANT_WORD_BYTES];      /* "Reader", "Writer"; "" when not said */
    char address[AXDB_GRANT_WORD_BYTES];   /* who may connect; "" when not said */
    char operation[AXDB_GRANT_WORD_BYTES]; /* id for a support case; "" when not said */
    int64_t expires_utc_ms;                /* 0 = not said in a form that can be read */
};

#endif
