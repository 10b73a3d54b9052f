#include "report/words.h"

#include <string.h>

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

void
words_append_url(struct text *ret, const char *url)
{
    const char *scheme = strstr(url, "://");
    const char *authority = scheme ? scheme + 3 : url;
    const size_t whole = strcspn(url, "?#");
    const size_t before = (size_t)(authority - url);

    /* A '?' before "://": the text is no URL, nothing behind it is shown. */
    if (before > whole) {
        text_append_bytes(ret, url, whole);
        return;
    }
    const size_t authority_size = strcspn(authority, "/\\?#");
    const char *host = authority;
    for (size_t i = 0; i < authority_size; i++) {
        if (authority[i] == '@')
            host = authority + i + 1;
    }
    text_append_bytes(ret, url, before);
    text_append_bytes(ret, host, whole - (size_t)(host - url));
}
