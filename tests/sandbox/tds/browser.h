/**
 * SQL Server Browser: answers over UDP, port 1434 of one loopback address, which TCP port an
 * instance listens on (MC-SQLR, CLNT_UCAST_INST). As the real one it is silent for what it does not
 * know.
 */
#ifndef SANDBOX_TDS_BROWSER_H
#define SANDBOX_TDS_BROWSER_H

#include "common/fault.h"
#include "common/log.h"

#include <stddef.h>
#include <stdint.h>

#define TDS_BROWSER_INSTANCE "AXDB"

struct tds_browser_options {
    const char *address; /* 127.x.y.z */
    uint16_t tcp_port;   /* of the instance */
    struct faults *faults;
    struct sandbox_log *log;
};

struct tds_browser;

/** NULL on failure with the reason in `why`. */
struct tds_browser *tds_browser_start(const struct tds_browser_options *, char *why,
                                      size_t why_size);
void tds_browser_stop(struct tds_browser *); /* NULL is allowed */

#endif
