#include "url.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** What stands behind ORG or ORG.api. */
static const char *const dataverse_domains[] = {
    "crm.dynamics.com",   "crm2.dynamics.com",  "crm3.dynamics.com",        "crm4.dynamics.com",
    "crm5.dynamics.com",  "crm6.dynamics.com",  "crm7.dynamics.com",        "crm8.dynamics.com",
    "crm9.dynamics.com",  "crm11.dynamics.com", "crm12.dynamics.com",       "crm14.dynamics.com",
    "crm15.dynamics.com", "crm16.dynamics.com", "crm17.dynamics.com",       "crm19.dynamics.com",
    "crm20.dynamics.com", "crm21.dynamics.com", "crm.microsoftdynamics.us", "crm.appsplatform.us",
    "crm.dynamics.cn",
};

static const char *const authorities[] = {
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
};

static void
free_url(CURLU **url)
{
    curl_url_cleanup(*url);
}
#define URL_SCOPED __attribute__((cleanup(free_url))) CURLU *

static void
free_part(char **part)
{
    curl_free(*part);
}
#define PART_SCOPED __attribute__((cleanup(free_part))) char *

/** Parse; NULL when libcurl would not dial it, or it carries a user name. */
static CURLU *
parse(const char *url, unsigned flags)
{
    CURLU *parsed = curl_url();
    PART_SCOPED user = NULL;

    if (!parsed || curl_url_set(parsed, CURLUPART_URL, url, flags) != CURLUE_OK ||
        curl_url_get(parsed, CURLUPART_USER, &user, 0) == CURLUE_OK) {
        curl_url_cleanup(parsed);
        return NULL;
    }
    return parsed;
}

/** Host (lower case) and origin of a URL that is https. */
static bool
read_origin(CURLU *url, bool plain, struct url_target *ret)
{
    PART_SCOPED scheme = NULL;
    PART_SCOPED host = NULL;
    PART_SCOPED port = NULL;
    struct url_target target = {0};

    if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        (strcmp(scheme, "https") != 0 && !(plain && strcmp(scheme, "http") == 0)) ||
        host[0] == '\0' || strlen(host) >= sizeof target.host)
        return false;
    for (size_t i = 0; host[i]; i++)
        target.host[i] = (char)tolower((unsigned char)host[i]);
    if (curl_url_get(url, CURLUPART_PORT, &port, 0) == CURLUE_OK && strcmp(port, "443") != 0)
        (void)snprintf(target.origin, sizeof target.origin, "%s://%s:%s", scheme, target.host,
                       port);
    else
        (void)snprintf(target.origin, sizeof target.origin, "%s://%s", scheme, target.host);
    *ret = target;
    return true;
}

static bool
read_target(CURLU *url, struct url_target *ret)
{
    return read_origin(url, false, ret);
}

/** A DNS label: letters, digits, hyphens. */
static bool
is_label(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '-')
            return false;
    return size > 0;
}

bool
url_host_is_dataverse(const char *host)
{
    const char *dot = strchr(host, '.');

    if (!dot || !is_label(host, (size_t)(dot - host)))
        return false;
    if (strncmp(dot, ".api.", 5) == 0)
        dot += 4;
    for (size_t i = 0; i < sizeof dataverse_domains / sizeof dataverse_domains[0]; i++)
        if (text_equal_nocase(dot + 1, dataverse_domains[i]))
            return true;
    return false;
}

bool
url_host_is_authority(const char *host)
{
    for (size_t i = 0; i < sizeof authorities / sizeof authorities[0]; i++)
        if (text_equal_nocase(host, authorities[i]))
            return true;
    return false;
}

bool
url_host_is_allowed(const struct url_allow *allow, const char *host)
{
    for (size_t i = 0; i < allow->count; i++)
        if (text_equal_nocase(host, allow->hosts[i]))
            return true;
    return false;
}

/** Only the site or its Web API: anything else was pasted from somewhere and may mean something. */
static bool
path_is_base(CURLU *url)
{
    PART_SCOPED path = NULL;
    PART_SCOPED query = NULL;

    if (curl_url_get(url, CURLUPART_PATH, &path, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_QUERY, &query, 0) == CURLUE_OK)
        return false;
    return strcmp(path, "/") == 0 || strncmp(path, "/api/data", 9) == 0;
}

bool
url_target_parse(const char *text, const struct url_allow *allow, struct url_target *ret,
                 struct err *err)
{
    URL_SCOPED url = NULL;
    struct url_target target;
    TEXT_SCOPED full = {.max = URL_MAX_BYTES};

    if (!strstr(text, "://"))
        text_append(&full, "https://");
    text_append(&full, text);
    if (!text_ok(&full, err))
        return err_set(err, ERR_USAGE, "the Dataverse URL is too long");

    url = parse(text_string(&full), 0);
    if (!url || !read_target(url, &target) || !path_is_base(url)) {
        /* not the text itself: somebody may have put a password into it */
        (void)err_set(err, ERR_USAGE, "this is not the URL of a Dataverse environment");
        return err_hint(err, "Write it as https://ORG.crmN.dynamics.com, without a path.");
    }
    if (!url_host_is_dataverse(target.host) && !url_host_is_allowed(allow, target.host)) {
        (void)err_set(err, ERR_USAGE, "%s is not a Dataverse host", target.host);
        return err_hint(err, "Dataverse hosts look like ORG.crmN.dynamics.com. If tokens may go to "
                             "this host, say so with --allow-host.");
    }
    *ret = target;
    return true;
}

/** A name or number that never leaves this machine. */
static bool
is_local(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
           (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host));
}

bool
url_local_parse(const char *text, struct url_target *ret, char *path, size_t path_size,
                struct err *err)
{
    URL_SCOPED url = parse(text, 0);
    PART_SCOPED way = NULL;
    struct url_target target;
    size_t size;

    if (!url || !read_origin(url, true, &target) ||
        curl_url_get(url, CURLUPART_PATH, &way, 0) != CURLUE_OK || !is_local(target.host))
        return err_set(err, ERR_USAGE, "not a server on this machine: %.200s", text);
    size = strlen(way);
    if (size + 2 > path_size)
        return err_set(err, ERR_USAGE, "the URL is too long");
    (void)snprintf(path, path_size, "%s%s", way, way[size - 1] == '/' ? "" : "/");
    *ret = target;
    return true;
}

bool
url_tenant_is_valid(const char *tenant)
{
    const size_t size = strlen(tenant);

    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)tenant[i]) && tenant[i] != '-' && tenant[i] != '.')
            return false;
    return size > 0 && size < URL_HOST_BYTES && tenant[0] != '.';
}

/** The first segment of the path; "" when there is none or it cannot be a tenant. */
static void
read_tenant(CURLU *url, char *ret)
{
    PART_SCOPED path = NULL;
    size_t size;

    ret[0] = '\0';
    if (curl_url_get(url, CURLUPART_PATH, &path, 0) != CURLUE_OK || path[0] != '/')
        return;
    size = strcspn(path + 1, "/");
    if (size == 0 || size >= URL_HOST_BYTES)
        return;
    path[1 + size] = '\0';
    if (url_tenant_is_valid(path + 1))
        memcpy(ret, path + 1, size + 1);
}

bool
url_authority_parse(const char *text, const struct url_allow *allow, struct url_target *ret,
                    char *tenant, struct err *err)
{
    URL_SCOPED url = NULL;
    struct url_target target;
    TEXT_SCOPED full = {.max = URL_MAX_BYTES};

    if (!strstr(text, "://"))
        text_append(&full, "https://");
    text_append(&full, text);
    url = parse(text_string(&full), 0);
    if (!url || !read_target(url, &target)) {
        /* somebody may have put a password into it */
        (void)err_set(err, ERR_SIGNIN, "not an https sign-in server%s%.200s",
                      strchr(text, '@') ? "" : ": ", strchr(text, '@') ? "" : text);
        return err_hint(err, "A secret is sent over https only. Name the authority yourself.");
    }
    if (!url_host_is_authority(target.host) && !url_host_is_allowed(allow, target.host)) {
        (void)err_set(err, ERR_SIGNIN,
                      "the sign-in server %s is not one of Microsoft's: no secret was sent",
                      target.host);
        return err_hint(err, "Check the Dataverse URL. If secrets may go to this host, say so with "
                             "--allow-host.");
    }
    read_tenant(url, tenant);
    *ret = target;
    return true;
}

/** Take the first ".api." out of a host. */
static void
drop_api_label(char *host)
{
    char *api = strstr(host, ".api.");

    if (api)
        memmove(api, api + 4, strlen(api + 4) + 1);
}

void
url_own_host(const char *text, char ret[URL_HOST_BYTES])
{
    URL_SCOPED url = parse(text, CURLU_NON_SUPPORT_SCHEME);
    PART_SCOPED host = NULL;

    ret[0] = '\0';
    if (!url || curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        strlen(host) >= URL_HOST_BYTES)
        return;
    for (size_t i = 0; i <= strlen(host); i++)
        ret[i] = (char)tolower((unsigned char)host[i]);
    drop_api_label(ret);
}

void
url_resource(const struct url_target *target, char ret[URL_ORIGIN_BYTES])
{
    memcpy(ret, target->origin, URL_ORIGIN_BYTES);
    if (url_host_is_dataverse(target->host))
        drop_api_label(ret);
}

void
url_scope(const struct url_target *target, char *ret, size_t ret_size)
{
    char origin[URL_ORIGIN_BYTES];

    url_resource(target, origin);
    (void)snprintf(ret, ret_size, "%s/.default", origin);
}

/** "scheme:" in front, as RFC 3986 has it. */
static bool
has_scheme(const char *link)
{
    size_t i = 0;

    while (isalnum((unsigned char)link[i]) || (i > 0 && strchr("+-.", link[i]) && link[i]))
        i++;
    return i > 0 && link[i] == ':';
}

/** The URL that a link means, seen from `from`; NULL when it is none. */
static CURLU *
resolve(CURLU *from, const char *link)
{
    CURLU *to;

    if (has_scheme(link))
        return parse(link, CURLU_PATH_AS_IS);
    to = curl_url_dup(from);
    if (to && curl_url_set(to, CURLUPART_URL, link, 0) == CURLUE_OK)
        return to;
    curl_url_cleanup(to);
    return NULL;
}

bool
url_follow(const char *request_url, const char *link, struct text *ret, struct err *err)
{
    URL_SCOPED from = parse(request_url, 0);
    URL_SCOPED to = NULL;
    PART_SCOPED resolved = NULL;
    PART_SCOPED user = NULL;
    struct url_target here;
    struct url_target there;

    if (!from || !read_origin(from, true, &here) || strlen(link) > URL_MAX_BYTES)
        return err_set(err, ERR_SERVER, "the link to the next page cannot be used");
    to = resolve(from, link);
    if (!to || !read_origin(to, true, &there) || strcmp(here.origin, there.origin) != 0 ||
        curl_url_get(to, CURLUPART_USER, &user, 0) == CURLUE_OK ||
        curl_url_get(to, CURLUPART_URL, &resolved, 0) != CURLUE_OK) {
        (void)err_set(err, ERR_SERVER,
                      "the link to the next page leads away from %s: it was not followed",
                      here.origin);
        return err_hint(err, "A proxy stands in between, or this is no Dataverse environment.");
    }
    text_append(ret, has_scheme(link) ? link : resolved);
    return text_ok(ret, err);
}
