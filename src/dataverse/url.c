#include "url.h"

#include "curl_library.h"

#include <ctype.h>
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

/** A URL that is looked at. That memory ran out meanwhile is no word about the URL. */
struct look {
    CURLU *url;
    bool no_memory;
};

static void
free_look(struct look *look)
{
    curl_url_cleanup(look->url);
}
#define LOOK_SCOPED __attribute__((cleanup(free_look))) struct look

static void
free_part(char **part)
{
    curl_free(*part);
}
#define PART_SCOPED __attribute__((cleanup(free_part))) char *

static bool
went_well(struct look *look, CURLUcode code)
{
    look->no_memory |= code == CURLUE_OUT_OF_MEMORY;
    return code == CURLUE_OK;
}

/** A part of the URL, for curl_free; NULL = it has none. */
static char *
part_of(struct look *look, CURLUPart what)
{
    char *part = NULL;

    return went_well(look, curl_url_get(look->url, what, &part, 0)) ? part : NULL;
}

/** Parse; false when libcurl would not dial it, or it carries a user name. */
static bool
parse(const char *url, unsigned flags, struct look *ret)
{
    ret->url = curl_url();
    ret->no_memory = !ret->url;
    if (!ret->url || !went_well(ret, curl_url_set(ret->url, CURLUPART_URL, url, flags)))
        return false;
    PART_SCOPED user = part_of(ret, CURLUPART_USER);
    return !user && !ret->no_memory;
}

/** Host (lower case) and origin of a URL that is https. */
static bool
read_origin(struct look *look, bool plain, struct url_target *ret)
{
    PART_SCOPED scheme = part_of(look, CURLUPART_SCHEME);
    PART_SCOPED host = part_of(look, CURLUPART_HOST);
    PART_SCOPED port = part_of(look, CURLUPART_PORT);
    struct url_target target = {0};

    if (look->no_memory || !scheme || !host ||
        (strcmp(scheme, "https") != 0 && !(plain && strcmp(scheme, "http") == 0)) ||
        host[0] == '\0' || strlen(host) >= sizeof target.host)
        return false;
    for (size_t i = 0; host[i]; i++)
        target.host[i] = (char)tolower((unsigned char)host[i]);
    if (port && strcmp(port, "443") != 0)
        (void)snprintf(target.origin, sizeof target.origin, "%s://%s:%s", scheme, target.host,
                       port);
    else
        (void)snprintf(target.origin, sizeof target.origin, "%s://%s", scheme, target.host);
    *ret = target;
    return true;
}

/** The error of a look that failed for want of memory. */
static bool
refuse_memory(struct err *err)
{
    return err_set(err, ERR_INTERNAL, "out of memory");
}

static bool
read_target(struct look *look, struct url_target *ret)
{
    return read_origin(look, false, ret);
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
path_is_base(struct look *look)
{
    PART_SCOPED path = part_of(look, CURLUPART_PATH);
    PART_SCOPED query = part_of(look, CURLUPART_QUERY);

    return path && !query && !look->no_memory &&
           (strcmp(path, "/") == 0 || strncmp(path, "/api/data", 9) == 0);
}

/** The text as a URL of https, where it does not say so itself. */
static bool
full_url(const char *text, struct text *ret, struct err *err)
{
    if (strlen(text) + sizeof "https://" > ret->max)
        return err_set(err, ERR_USAGE, "the Dataverse URL is too long");
    if (!strstr(text, "://"))
        text_append(ret, "https://");
    text_append(ret, text);
    return text_ok(ret, err);
}

bool
url_target_parse(const char *text, const struct url_allow *allow, struct url_target *ret,
                 struct err *err)
{
    LOOK_SCOPED look = {0};
    struct url_target target;
    TEXT_SCOPED full = {.max = URL_MAX_BYTES};

    if (!full_url(text, &full, err))
        return false;
    if (!parse(text_string(&full), 0, &look) || !read_target(&look, &target) ||
        !path_is_base(&look)) {
        if (look.no_memory)
            return refuse_memory(err);
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
    LOOK_SCOPED look = {0};
    struct url_target target;
    size_t size;

    const bool parsed = parse(text, 0, &look) && read_origin(&look, true, &target);
    PART_SCOPED way = parsed ? part_of(&look, CURLUPART_PATH) : NULL;
    if (look.no_memory)
        return refuse_memory(err);
    if (!way || !is_local(target.host))
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
static bool
read_tenant(struct look *look, char *ret, struct err *err)
{
    PART_SCOPED path = part_of(look, CURLUPART_PATH);

    ret[0] = '\0';
    if (look->no_memory)
        return refuse_memory(err);
    if (!path || path[0] != '/')
        return true;
    const size_t size = strcspn(path + 1, "/");
    if (size == 0 || size >= URL_HOST_BYTES)
        return true;
    path[1 + size] = '\0';
    if (url_tenant_is_valid(path + 1))
        memcpy(ret, path + 1, size + 1);
    return true;
}

bool
url_authority_parse(const char *text, const struct url_allow *allow, struct url_target *ret,
                    char *tenant, struct err *err)
{
    LOOK_SCOPED look = {0};
    struct url_target target;
    TEXT_SCOPED full = {.max = URL_MAX_BYTES};

    if (!full_url(text, &full, err))
        return false;
    if (!parse(text_string(&full), 0, &look) || !read_target(&look, &target)) {
        if (look.no_memory)
            return refuse_memory(err);
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
    if (!read_tenant(&look, tenant, err))
        return false;
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

bool
url_own_host(const char *text, char ret[URL_HOST_BYTES], struct err *err)
{
    LOOK_SCOPED look = {0};
    PART_SCOPED host =
        parse(text, CURLU_NON_SUPPORT_SCHEME, &look) ? part_of(&look, CURLUPART_HOST) : NULL;

    if (look.no_memory)
        return refuse_memory(err);
    ret[0] = '\0';
    if (!host || strlen(host) >= URL_HOST_BYTES)
        return true;
    for (size_t i = 0; i <= strlen(host); i++)
        ret[i] = (char)tolower((unsigned char)host[i]);
    drop_api_label(ret);
    return true;
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

/** The URL that a link means, seen from `from`; false when it is none. */
static bool
resolve(struct look *from, const char *link, struct look *ret)
{
    if (has_scheme(link))
        return parse(link, CURLU_PATH_AS_IS, ret);
    ret->url = curl_url_dup(from->url);
    ret->no_memory = !ret->url;
    return ret->url && went_well(ret, curl_url_set(ret->url, CURLUPART_URL, link, 0));
}

/** The whole URL of a look that stays at `origin` and carries no user name; NULL otherwise. */
static char *
url_at(struct look *look, const char *origin)
{
    struct url_target there;

    if (!read_origin(look, true, &there) || strcmp(origin, there.origin) != 0)
        return NULL;
    PART_SCOPED user = part_of(look, CURLUPART_USER);
    return user || look->no_memory ? NULL : part_of(look, CURLUPART_URL);
}

bool
url_follow(const char *request_url, const char *link, struct text *ret, struct err *err)
{
    LOOK_SCOPED from = {0};
    LOOK_SCOPED to = {0};
    struct url_target here;

    const bool known = parse(request_url, 0, &from) && read_origin(&from, true, &here);
    if (!known && from.no_memory)
        return refuse_memory(err);
    if (!known || strlen(link) > URL_MAX_BYTES)
        return err_set(err, ERR_SERVER, "the link to the next page cannot be used");
    PART_SCOPED resolved = resolve(&from, link, &to) ? url_at(&to, here.origin) : NULL;
    if (to.no_memory)
        return refuse_memory(err);
    if (!resolved) {
        (void)err_set(err, ERR_SERVER,
                      "the link to the next page leads away from %s: it was not followed",
                      here.origin);
        return err_hint(err, "A proxy stands in between, or this is no Dataverse environment.");
    }
    text_append(ret, has_scheme(link) ? link : resolved);
    return text_ok(ret, err);
}
