#include "core/host.h"

#include <stdio.h>
#include <string.h>

static char
lower(char c)
{
    if (c < 'A' || c > 'Z')
        return c;
    return (char)(c - 'A' + 'a');
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_hex(char c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

void
host_of_url(const char *url, char ret[HOST_BYTES])
{
    const char *scheme_end;
    const char *user_end;
    char *api;
    size_t size;

    while (is_blank(*url))
        url++;
    scheme_end = strstr(url, "://");
    if (scheme_end && strcspn(url, "/?#") >= (size_t)(scheme_end - url))
        url = scheme_end + 3;
    size = strcspn(url, "/?#");
    user_end = memrchr(url, '@', size);
    if (user_end)
        url = user_end + 1;
    size = strcspn(url, ":/?# \t\r\n");
    if (size >= HOST_BYTES)
        size = HOST_BYTES - 1;
    for (size_t i = 0; i < size; i++)
        ret[i] = lower(url[i]);
    while (size && ret[size - 1] == '.')
        size--;
    ret[size] = '\0';
    api = strchr(ret, '.');
    if (api && strncmp(api, ".api.", 5) == 0)
        memmove(api, api + 4, strlen(api + 4) + 1);
}

/** Does `text` begin with `host`? */
static bool
begins(const char *text, const char *host)
{
    while (*host && lower(*text) == *host) {
        text++;
        host++;
    }
    return !*host;
}

/** The same with a label "api" behind the first one: contoso.api.crm4... */
static bool
begins_with_api(const char *text, const char *host)
{
    while (*host && lower(*text) == *host) {
        text++;
        if (*host++ == '.')
            return begins(text, "api.") && begins(text + 4, host);
    }
    return false;
}

bool
host_is_named(const char *url, const char *host)
{
    for (; *host && *url; url++)
        if (begins(url, host) || begins_with_api(url, host))
            return true;
    return false;
}

/** Length of `text` without a GUID at its end. */
static size_t
without_guid(const char *text, size_t size)
{
    static const char shape[] = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
    const size_t guid = sizeof shape - 1;

    if (size < guid)
        return size;
    for (size_t i = 0; i < guid; i++) {
        const char c = text[size - guid + i];

        if (shape[i] == 'h' ? !is_hex(c) : c != '-')
            return size;
    }
    return size - guid;
}

void
channel_family_of(const char *channel, char *ret, size_t size)
{
    size_t used = strlen(channel);

    while (used && is_blank(channel[used - 1]))
        used--;
    used = without_guid(channel, used);
    while (used && is_digit(channel[used - 1]))
        used--;
    while (used && strchr("-_. #", channel[used - 1]))
        used--;
    (void)snprintf(ret, size, "%.*s", (int)used, channel);
}

bool
channel_is_foreign(const char *channel)
{
    static const char athena[] = "athenafinanceoperations";

    for (size_t i = 0; i < sizeof athena - 1; i++)
        if (lower(channel[i]) != athena[i])
            return false;
    return true;
}
