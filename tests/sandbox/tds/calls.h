/** Remote procedure calls: the system procedures for parameters and preparing, and those by name.
 */
#ifndef SANDBOX_TDS_CALLS_H
#define SANDBOX_TDS_CALLS_H

#include "tds/bytes.h"
#include "tds/connection.h"
#include "tds/reply.h"

#include <stdbool.h>
#include <stdint.h>

/** All calls of one message. False: the stream was malformed, end the connection after the answer.
 */
bool tds_calls_do(struct tds_connection *connection, struct tds_reply *reply,
                  struct tds_reader *reader, uint64_t transaction);

#endif
