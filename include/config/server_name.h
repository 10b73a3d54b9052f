/** The server as sqlcmd's -S writes it, [tcp:]host[\instance][,port], and as LCS shows it. */
#ifndef CONFIG_SERVER_NAME_H
#define CONFIG_SERVER_NAME_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SERVER_NAME_HOST_BYTES = 256,
    SERVER_NAME_INSTANCE_BYTES = 17, /* SQL Server allows 16 characters */
    SERVER_NAME_TEXT_BYTES = 300,
    SERVER_NAME_PORT = 1433
};

struct server_name {
    char host[SERVER_NAME_HOST_BYTES];         /* lower case; "." and "(local)" are localhost */
    char instance[SERVER_NAME_INSTANCE_BYTES]; /* upper case; "" when none was given */
    uint16_t port; /* 1433 when none was given; 0 when the instance's port has to be looked up */
};

/**
 * ERR_USAGE for another protocol or anything that is not a host name. With host, instance and port
 * the port wins; the instance is kept for display.
 */
MUST_CHECK bool server_name_parse(const char *text, struct server_name *ret, struct err *err);

/**
 * "server\database", as LCS shows a sandbox's database (that is no instance), and "server" alone.
 * `.database.windows.net` is appended to a server without a dot. `ret_database` is "" when the text
 * names none. A port may follow. ERR_USAGE.
 */
MUST_CHECK bool server_name_parse_lcs(const char *text, struct server_name *ret, char *ret_database,
                                      size_t size, struct err *err);

/** Do both lead to the same server? An instance without a port is another than any port. */
bool server_name_equal(const struct server_name *a, const struct server_name *b);

/** The shortest text that means the same: "host", "host,port" or "host\INSTANCE". */
void server_name_text(const struct server_name *name, char ret[SERVER_NAME_TEXT_BYTES]);

#endif
