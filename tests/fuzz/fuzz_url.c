/* Addresses and challenges: two lines, a host and a link. A token is only ever sent to where the
 * request went, and hosts are the same to everybody who looks at them. */
#include "core/host.h"
#include "dataverse/authority.h"
#include "dataverse/grant.h"
#include "dataverse/http_log.h"
#include "dataverse/url.h"
#include "fuzz.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

static const char request[] = "https://org.crm4.dynamics.com/api/data/v9.2/rows?$select=a";

/** A part of a URL as curl sees it; NULL when there is none. Freed with curl_free. */
static char *
part_of(const char *url, CURLUPart part, unsigned flags)
{
    char *value = NULL;
    CURLU *parsed = curl_url();
    FUZZ_MUST(parsed);
    if (curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK)
        (void)curl_url_get(parsed, part, &value, flags);
    curl_url_cleanup(parsed);
    return value;
}

static bool
part_is(const char *url, CURLUPart part, const char *expected)
{
    char *value = part_of(url, part, CURLU_DEFAULT_PORT);
    const bool same = value && text_equal_nocase(value, expected);
    curl_free(value);
    return same;
}

static void
links_do_not_lead_away(const char *link)
{
    TEXT_SCOPED next = {.max = URL_MAX_BYTES};
    struct err err = {0};
    if (!url_follow(request, link, &next, &err)) {
        fuzz_must_say(&err);
        return;
    }
    FUZZ_MUST(part_is(text_string(&next), CURLUPART_SCHEME, "https"));
    FUZZ_MUST(part_is(text_string(&next), CURLUPART_HOST, "org.crm4.dynamics.com"));
    FUZZ_MUST(part_is(text_string(&next), CURLUPART_PORT, "443"));
    FUZZ_MUST(!strpbrk(text_string(&next), "\r\n"));
}

static bool
ends_with(const char *text, const char *end)
{
    return strlen(text) > strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static void
targets_are_listed(const char *url)
{
    static const struct url_allow nobody;
    struct url_target target;
    char tenant[URL_HOST_BYTES], host[URL_HOST_BYTES], resource[URL_ORIGIN_BYTES];
    struct err err = {0};
    if (url_target_parse(url, &nobody, &target, &err)) {
        FUZZ_MUST(url_host_is_dataverse(target.host));
        FUZZ_MUST(ends_with(target.host, ".dynamics.com") || ends_with(target.host, ".cn") ||
                  ends_with(target.host, ".us") || ends_with(target.host, ".de") ||
                  ends_with(target.host, ".mil"));
        FUZZ_MUST(part_is(target.origin, CURLUPART_HOST, target.host));
        FUZZ_MUST(part_is(target.origin, CURLUPART_SCHEME, "https"));
        url_resource(&target, resource);
        FUZZ_MUST(part_is(resource, CURLUPART_SCHEME, "https"));
    } else {
        fuzz_must_say(&err);
    }
    if (url_authority_parse(url, &nobody, &target, tenant, &err)) {
        FUZZ_MUST(url_host_is_authority(target.host));
        FUZZ_MUST(part_is(target.origin, CURLUPART_HOST, target.host));
    } else {
        fuzz_must_say(&err);
    }
    FUZZ_MUST(url_own_host(url, host, &err));
    FUZZ_MUST(memchr(host, 0, sizeof(host)));
    if (grant_identity_is_local(url))
        FUZZ_MUST(part_is(url, CURLUPART_SCHEME, "http"));
}

/** The one mistake that costs data is to miss the target's own host in a row. */
static void
hosts_agree(const char *url, const char *other)
{
    char host[HOST_BYTES], again[HOST_BYTES];
    host_of_url(url, host);
    FUZZ_MUST(memchr(host, 0, sizeof(host)));
    host_of_url(host, again);
    if (*host && strlen(host) < HOST_BYTES - 1)
        FUZZ_MUST(host_is_named(url, host));
    host_of_url(other, again);
    if (*again && strlen(again) < HOST_BYTES - 1)
        FUZZ_MUST(strcmp(host, again) != 0 || host_is_named(url, again));
}

static void
challenge(const char *header)
{
    char uri[URL_HOST_BYTES];
    if (authority_challenge_parse(header, uri, sizeof(uri)))
        FUZZ_MUST(memchr(uri, 0, sizeof(uri)) && *uri && strstr(header, uri));
}

/** Whoever reads a log sees none of the values of a header that is not on the list. */
static void
headers_are_shown_by_list(const char *name, const char *value)
{
    static const char canary[] = "CANARY-8f2b6d1c";
    TEXT_SCOPED line = {0}, shown = {0};
    text_printf(&line, "%s%s%s: Bearer %s %s\r\n", name, *name ? "-" : "", "Authorization", canary,
                value);
    (void)http_log_append_header(&shown, slice_of(line.data, line.used));
    FUZZ_MUST(strchr(name, ':') || strpbrk(name, " \t\r\n") ||
              !strstr(text_string(&shown), canary));
    text_reset(&shown);
    http_log_append_url(&shown, value, strlen(value));
    (void)http_log_may_show(slice_of_string(value));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    char *first = fuzz_line(&input), *rest = fuzz_rest(&input);

    links_do_not_lead_away(rest);
    targets_are_listed(rest);
    hosts_agree(first, rest);
    hosts_agree(rest, first);
    challenge(rest);
    headers_are_shown_by_list(first, rest);
    (void)url_tenant_is_valid(rest);
    free(first);
    free(rest);
    return 0;
}
