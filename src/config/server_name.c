#include "config/server_name.h"

#include "base/parse.h"
#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define USAGE_TEXT "Give [tcp:]HOST[\\INSTANCE][,PORT]."

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
        return err_hint(err, USAGE_TEXT);
    }
    return true;
}

static bool
is_instance(const char *text)
{
    if (!isalpha((unsigned char)*text) && *text != '_')
        return false;
    for (const char *p = text; *p; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("_$#", *p))
            return false;
    }
    return true;
}

static bool
refuse_instance(const char *host, const char *instance, struct err *err)
{
    (void)err_set(err, ERR_USAGE, "-S: \"%.60s\" is not the name of an instance", instance);
    return err_hint(
        err,
        "An instance name has at most %d letters, digits, _, $ and #. What LCS shows as "
        "server\\database is not an instance: add --lcs, or pass -S "
        "%.60s.database.windows.net -d %.60s.",
        SERVER_NAME_INSTANCE_BYTES - 1, host, instance);
}

/** Cut the instance off `host`; "" when there is none. */
static bool
take_instance(char *host, char ret[SERVER_NAME_INSTANCE_BYTES], struct err *err)
{
    char *instance = strchr(host, '\\');
    ret[0] = '\0';
    if (!instance)
        return true;
    *instance++ = '\0';
    if (strlen(instance) >= SERVER_NAME_INSTANCE_BYTES || !is_instance(instance))
        return refuse_instance(host, instance, err);
    for (size_t i = 0; i <= strlen(instance); i++)
        ret[i] = (char)toupper((unsigned char)instance[i]);
    return true;
}

/** Cut the port off `host`; 0 when there is none. */
static bool
take_port(char *host, uint16_t *ret, struct err *err)
{
    char *comma = strchr(host, ',');
    int64_t port = 0;
    if (comma) {
        *comma = '\0';
        if (!parse_int(comma + 1, 1, 65535, &port)) {
            (void)err_set(err, ERR_USAGE, "-S: the port after the comma is not a number, 1..65535");
            return err_hint(err, USAGE_TEXT);
        }
    }
    *ret = (uint16_t)port;
    return true;
}

/** "[::1]" loses its brackets; "." and "(local)" become localhost. */
static void
normalise_host(char host[SERVER_NAME_TEXT_BYTES])
{
    const size_t size = strlen(host);
    if (strcmp(host, ".") == 0 || text_equal_nocase(host, "(local)")) {
        (void)snprintf(host, SERVER_NAME_TEXT_BYTES, "localhost");
        return;
    }
    if (size > 2 && host[0] == '[' && host[size - 1] == ']') {
        memmove(host, host + 1, size - 2);
        host[size - 2] = '\0';
    }
    for (char *p = host; *p; p++)
        *p = (char)tolower((unsigned char)*p);
}

static bool
refuse_length(struct err *err)
{
    return err_set(err, ERR_USAGE, "-S: the server name is too long");
}

/** The text without "tcp:", of a length that every part below may have. */
static bool
take_protocol(const char *text, char ret[SERVER_NAME_TEXT_BYTES], struct err *err)
{
    if (!refuse_protocol(text, err))
        return false;
    if (strlen(text) >= SERVER_NAME_TEXT_BYTES)
        return refuse_length(err);

    const bool tcp = (text[0] | 0x20) == 't' && (text[1] | 0x20) == 'c' &&
                     (text[2] | 0x20) == 'p' && text[3] == ':';
    (void)snprintf(ret, SERVER_NAME_TEXT_BYTES, "%s", tcp ? text + 4 : text);
    return true;
}

static bool
take_host(char host[SERVER_NAME_TEXT_BYTES], char ret[SERVER_NAME_HOST_BYTES], struct err *err)
{
    normalise_host(host);
    if (strlen(host) >= SERVER_NAME_HOST_BYTES)
        return refuse_length(err);
    if (is_host(host) || is_ipv6(host)) {
        memcpy(ret, host, strlen(host) + 1);
        return true;
    }
    (void)err_set(err, ERR_USAGE, "-S: this is not the name of a server");
    return err_hint(err, "%s",
                    strchr(host, ':') ? "The port comes after a comma: HOST,PORT." : USAGE_TEXT);
}

bool
server_name_parse(const char *text, struct server_name *ret, struct err *err)
{
    assert(text && ret && err);
    struct server_name name = {.port = 0};
    char left[SERVER_NAME_TEXT_BYTES]; /* of the text, part by part */

    if (!take_protocol(text, left, err) || !take_port(left, &name.port, err) ||
        !take_instance(left, name.instance, err) || !take_host(left, name.host, err))
        return false;
    if (name.port == 0 && !*name.instance)
        name.port = SERVER_NAME_PORT;
    *ret = name;
    return true;
}

/** Cut what follows the backslash off `host`: LCS's database. */
static bool
take_database(char *host, char *ret, size_t size, struct err *err)
{
    char *database = strchr(host, '\\');
    if (!database) {
        *ret = '\0';
        return true;
    }
    *database++ = '\0';
    if (!*database || strlen(database) >= size || strpbrk(database, "\\/;\"'[]"))
        return err_set(err, ERR_USAGE, "-S: what follows the backslash is no database name");
    (void)snprintf(ret, size, "%s", database);
    return true;
}

bool
server_name_parse_lcs(const char *text, struct server_name *ret, char *ret_database, size_t size,
                      struct err *err)
{
    static const char suffix[] = ".database.windows.net";
    assert(text && ret && ret_database && size > 0 && err);
    struct server_name name = {.port = 0};
    char left[SERVER_NAME_TEXT_BYTES];
    char database[SERVER_NAME_TEXT_BYTES] = "";

    if (!take_protocol(text, left, err) || !take_port(left, &name.port, err) ||
        !take_database(left, database, size < sizeof(database) ? size : sizeof(database), err))
        return false;
    const size_t used = strlen(left);
    if (used > 0 && !strpbrk(left, ".:")) {
        if (used + sizeof(suffix) > sizeof(left))
            return refuse_length(err);
        memcpy(left + used, suffix, sizeof(suffix));
    }
    if (!take_host(left, name.host, err))
        return false;
    if (name.port == 0)
        name.port = SERVER_NAME_PORT;
    *ret = name;
    (void)snprintf(ret_database, size, "%s", database);
    return true;
}

bool
server_name_equal(const struct server_name *a, const struct server_name *b)
{
    return strcmp(a->host, b->host) == 0 && a->port == b->port &&
           (a->port != 0 || strcmp(a->instance, b->instance) == 0);
}

void
server_name_text(const struct server_name *name, char ret[SERVER_NAME_TEXT_BYTES])
{
    if (name->port == 0)
        (void)snprintf(ret, SERVER_NAME_TEXT_BYTES, "%s\\%s", name->host, name->instance);
    else if (name->port == SERVER_NAME_PORT)
        (void)snprintf(ret, SERVER_NAME_TEXT_BYTES, "%s", name->host);
    else
        (void)snprintf(ret, SERVER_NAME_TEXT_BYTES, "%s,%u", name->host, (unsigned)name->port);
}
