#include "config/server_name.h"

#include "base/parse.h"
#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool
is_host_byte(unsigned char c)
{
    return isalnum(c) || c == '.' || c == '-' || c == '_';
}

static bool
is_host(const char *host)
{
    if (!*host || *host == '-' || *host == '.')
        return false;
    for (const char *p = host; *p; p++) {
        if (!is_host_byte((unsigned char)*p))
            return false;
    }
    return true;
}

/** Hexadecimal digits, dots and at least two colons. */
static bool
is_ipv6(const char *host)
{
    unsigned colons = 0;
    for (const char *p = host; *p; p++) {
        if (*p == ':')
            colons++;
        else if (!isxdigit((unsigned char)*p) && *p != '.')
            return false;
    }
    return colons >= 2;
}

static bool
refuse_protocol(const char *text, struct err *err)
{
    static const char *const others[] = {"np:", "lpc:", "admin:", "\\\\"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const size_t size = strlen(others[i]);
        char start[8] = "";
        (void)snprintf(start, sizeof(start), "%.*s", (int)size, text);
        if (!text_equal_nocase(start, others[i]))
            continue;
        (void)err_set(err, ERR_USAGE, "-S: only TCP is supported, not %s", others[i]);
        return err_hint(err, "Give [tcp:]HOST[,PORT].");
    }
    return true;
}

static bool
refuse_instance(const char *host, struct err *err)
{
    const char *instance = strchr(host, '\\');
    if (!instance)
        return true;
    (void)err_set(err, ERR_USAGE, "-S: an instance name (%.60s) is not looked up", instance + 1);
    return err_hint(err,
                    "Give the port of the instance: -S %.*s,PORT (SQL Server Configuration Manager "
                    "shows it). What LCS shows as server\\database is not an instance: pass -S "
                    "%.*s.database.windows.net -d %.60s.",
                    (int)(instance - host), host, (int)(instance - host), host, instance + 1);
}

/** Cut the port off `host`. */
static bool
take_port(char *host, uint16_t *ret, struct err *err)
{
    char *comma = strchr(host, ',');
    int64_t port = SERVER_NAME_PORT;
    if (comma) {
        *comma = '\0';
        if (!parse_int(comma + 1, 1, 65535, &port)) {
            (void)err_set(err, ERR_USAGE, "-S: the port after the comma is not a number, 1..65535");
            return err_hint(err, "Give [tcp:]HOST[,PORT].");
        }
    }
    *ret = (uint16_t)port;
    return true;
}

/** "[::1]" loses its brackets; "." and "(local)" become localhost. */
static void
normalise_host(char host[SERVER_NAME_HOST_BYTES])
{
    const size_t size = strlen(host);
    if (strcmp(host, ".") == 0 || text_equal_nocase(host, "(local)")) {
        (void)snprintf(host, SERVER_NAME_HOST_BYTES, "localhost");
        return;
    }
    if (size > 2 && host[0] == '[' && host[size - 1] == ']') {
        memmove(host, host + 1, size - 2);
        host[size - 2] = '\0';
    }
    for (char *p = host; *p; p++)
        *p = (char)tolower((unsigned char)*p);
}

bool
server_name_parse(const char *text, struct server_name *ret, struct err *err)
{
    assert(text && ret && err);
    struct server_name name = {.port = SERVER_NAME_PORT};

    if (!refuse_protocol(text, err))
        return false;
    if (strlen(text) >= SERVER_NAME_HOST_BYTES)
        return err_set(err, ERR_USAGE, "-S: the server name is too long");

    const bool tcp = (text[0] | 0x20) == 't' && (text[1] | 0x20) == 'c' &&
                     (text[2] | 0x20) == 'p' && text[3] == ':';
    (void)snprintf(name.host, sizeof(name.host), "%s", tcp ? text + 4 : text);
    if (!refuse_instance(name.host, err) || !take_port(name.host, &name.port, err))
        return false;
    normalise_host(name.host);
    if (!is_host(name.host) && !is_ipv6(name.host)) {
        (void)err_set(err, ERR_USAGE, "-S: this is not the name of a server");
        return err_hint(err, "%s",
                        strchr(name.host, ':') ? "The port comes after a comma: HOST,PORT."
                                               : "Give [tcp:]HOST[,PORT].");
    }
    *ret = name;
    return true;
}
