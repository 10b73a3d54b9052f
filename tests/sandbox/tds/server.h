/** The TDS 7.4 server: listens on loopback, one thread a connection, speaks for an engine. */
#ifndef SANDBOX_TDS_SERVER_H
#define SANDBOX_TDS_SERVER_H

#include "common/fault.h"
#include "common/log.h"
#include "tsql/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tds_encryption { TDS_ENCRYPTION_NONE, TDS_ENCRYPTION_OPTIONAL, TDS_ENCRYPTION_REQUIRED };

struct tds_options {
    uint16_t port;       /* 0 = any free one */
    const char *address; /* IPv4, listened on too; NULL = none */
    enum tds_encryption encryption;
    const char *certificate_pem, *key_pem; /* paths */
    struct engine *engine;
    struct faults *faults;
    struct sandbox_log *log;
};

struct tds_server;

/** NULL on failure with the reason in `why`. Listens on 127.0.0.1 (and ::1 where there is one). */
struct tds_server *tds_server_start(const struct tds_options *, char *why, size_t why_size);
uint16_t tds_server_port(const struct tds_server *);
/** Close the listener and every connection, and wait for their threads. */
void tds_server_stop(struct tds_server *);

#endif
