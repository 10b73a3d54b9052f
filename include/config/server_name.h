/** The server as sqlcmd's -S writes it: [tcp:]host[\instance][,port]. */
#ifndef CONFIG_SERVER_NAME_H
#define CONFIG_SERVER_NAME_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { SERVER_NAME_HOST_BYTES = 256, SERVER_NAME_PORT = 1433 };

struct server_name {
    char host[SERVER_NAME_HOST_BYTES]; /* lower case; "." and "(local)" are localhost */
    uint16_t port;                     /* 1433 when none was given */
};

/** ERR_USAGE for an instance name, another protocol or anything that is not a host name. */
MUST_CHECK bool server_name_parse(const char *text, struct server_name *ret, struct err *err);

#endif
