/** What to do with a request, by its packet type. */
#ifndef SANDBOX_TDS_DISPATCH_H
#define SANDBOX_TDS_DISPATCH_H

#include "tds/connection.h"

#include <stdbool.h>

/** Carry out and answer one request. False: the connection is to end. */
bool tds_dispatch(struct tds_connection *connection, const struct tds_request *request);

#endif
