#include "report/words.h"

#include <string.h>
#include <strings.h>

const char *
verdict_name(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_OK:
        return "ok";
    case VERDICT_DIFFERS:
        return "differs";
    case VERDICT_UNKNOWN:
        break;
    }
    return "unknown";
}

const char *
presence_name(enum verdict verdict)
{
    return verdict == VERDICT_DIFFERS ? "missing" : verdict_name(verdict);
}

const char *
return_state_name(enum return_state state)
{
    switch (state) {
    case RETURN_DONE:
        return "done";
    case RETURN_THERE:
        return "there";
    case RETURN_FAILED:
        return "failed";
    case RETURN_UNKNOWN:
        break;
    }
    return "unknown";
}

const char *
removal_state_name(enum removal_state state)
{
    switch (state) {
    case REMOVAL_DONE:
        return "done";
    case REMOVAL_GONE:
        return "gone";
    case REMOVAL_CHANGED:
        return "changed";
    case REMOVAL_FAILED:
        return "failed";
    case REMOVAL_UNKNOWN:
        break;
    }
    return "unknown";
}

/* ---- URLs */

enum { URL_PATH_SHOWN = 256, URL_HOST_MAX = 253, URL_PORT_MAX = 5 };

static const char blanks[] = " \t\r\n";
static const char digits[] = "0123456789";
static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

/** Bytes of "https:" or "http:" at the front, 0 without one. */
static size_t
web_scheme(const char *url)
{
    if (strncasecmp(url, "https:", 6) == 0)
        return 6;
    return strncasecmp(url, "http:", 5) == 0 ? 5 : 0;
}

/** Bytes of "name:" at the front when a slash follows, 0 without one. */
static size_t
other_scheme(const char *url)
{
    const size_t size = strspn(url, plain);
    const bool follows = url[size] == ':' && (url[size + 1] == '/' || url[size + 1] == '\\');
    return follows ? size + 1 : 0;
}

/** True when nothing but a host name, or an address in brackets, and a port fills the bytes. */
static bool
is_host(const char *bytes, size_t size)
{
    size_t host = strspn(bytes, plain);
    while (size > 0 && strchr(blanks, bytes[size - 1]))
        size--;
    if (*bytes == '[')
        host = 1 + strspn(bytes + 1, "0123456789abcdefABCDEF:.");
    if (*bytes == '[' && bytes[host++] != ']')
        return false;
    if (host == 0 || host > URL_HOST_MAX)
        return false;
    if (host >= size)
        return host == size;
    const size_t port = strspn(bytes + host + 1, digits);
    return bytes[host] == ':' && port <= URL_PORT_MAX && host + 1 + port == size;
}

/** True when a user part, plain or encoded (once or more), may end in here. */
static bool
may_end_user(const char *text)
{
    return strchr(text, '@') || strstr(text, "%40") || strstr(text, "%25");
}

static void
append_path(struct text *ret, const char *path)
{
    const size_t size = strcspn(path, "?#");
    size_t shown = 0;
    while (shown < size && (strchr(plain, path[shown]) || strchr("/~+", path[shown])))
        shown++;
    if (shown > URL_PATH_SHOWN)
        shown = URL_PATH_SHOWN;
    text_append_bytes(ret, path, shown);
    text_append(ret, shown < size ? "..." : "");
}

void
words_append_url(struct text *ret, const char *url)
{
    url += strspn(url, blanks);
    if (!*url)
        return;
    const size_t scheme = web_scheme(url);
    const char *authority = url + (scheme ? scheme : other_scheme(url));
    authority += strspn(authority, "/\\");
    const size_t size = strcspn(authority, "/\\?#");
    const char *at = memrchr(authority, '@', size);
    const char *host = at ? at + 1 : authority;
    const char *path = authority + size;

    /* A password may hold any of "/?#": where the user part ends is then a matter of opinion. */
    if (!is_host(host, (size_t)(path - host)) || may_end_user(path)) {
        text_append(ret, WORDS_NO_URL);
        return;
    }
    if (scheme)
        text_append(ret, scheme == 6 ? "https://" : "http://");
    text_append_bytes(ret, host, strcspn(host, "/\\?# \t\r\n"));
    append_path(ret, path);
}
