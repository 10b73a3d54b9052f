/** From the first byte to the login: prelogin, TLS, LOGIN7. */
#ifndef SANDBOX_TDS_HANDSHAKE_H
#define SANDBOX_TDS_HANDSHAKE_H

#include "tds/connection.h"

#include <stdbool.h>

/** True: the client is signed in and connection->session is set. False: close it; it was answered.
 */
bool tds_handshake(struct tds_connection *connection);

#endif
