/** One request on its way through the fault points, the engine and back. */
#ifndef SANDBOX_TDS_WORK_H
#define SANDBOX_TDS_WORK_H

#include "tds/connection.h"
#include "tds/reply.h"

#include <stdbool.h>
#include <stdint.h>

struct tds_work {
    struct tds_connection *connection;
    struct tds_reply *reply;
    const char *text; /* SQL or the name of a procedure, UTF-8 */
    bool commit;
    uint64_t transaction;               /* that the client says it is in; 0 = it does not say */
    void (*run)(struct tds_work *work); /* calls the engine */
    const void *argument;               /* for `run` */
};

/** Ask the points, then run, unless a point, an attention or a wrong transaction stands against it.
 */
void tds_work_do(struct tds_work *work);

/** The reply's sink without result sets and DONEs: errors and transactions only. */
struct sql_sink tds_quiet_sink(struct tds_reply *reply);

/** The reset bits of a request's first packet. */
void tds_work_reset(struct tds_connection *connection, struct tds_reply *reply, uint8_t status);

/** Answer that the request is malformed; the connection has to end after it. */
void tds_refuse_stream(struct tds_reply *reply);

#endif
