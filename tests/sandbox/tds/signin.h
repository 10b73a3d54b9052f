/** The answer to LOGIN7: signed in, sent elsewhere or refused. */
#ifndef SANDBOX_TDS_SIGNIN_H
#define SANDBOX_TDS_SIGNIN_H

#include "tds/connection.h"
#include "tds/login7.h"

#include <stdbool.h>

/** True: connection->session is set and the client has its answer. False: it was refused. */
bool tds_signin(struct tds_connection *connection, const struct tds_login7 *login);

#endif
