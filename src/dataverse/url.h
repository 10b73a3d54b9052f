/**
 * Which hosts dwclean talks to, and how their URLs are written. Everything is parsed by libcurl's
 * own URL parser, so that what is checked is what is dialled.
 */
#ifndef DATAVERSE_URL_H
#define DATAVERSE_URL_H

#include "base/err.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum { URL_HOST_BYTES = 256, URL_ORIGIN_BYTES = 300, URL_MAX_BYTES = 64 * 1024 };

/** Hosts beside the listed ones that tokens and secrets may go to: exact names, without port. */
struct url_allow {
    const char *const *hosts;
    size_t count;
};

/** A server that may be talked to. */
struct url_target {
    char host[URL_HOST_BYTES];     /* lower case, without port */
    char origin[URL_ORIGIN_BYTES]; /* "https://host" or "https://host:port", no slash behind */
};

/**
 * For tests with another OData server on this machine: a URL with http or https, any path and the
 * host localhost or a loopback address. `path` (SESSION_PATH_BYTES of the caller's, `path_size`)
 * gets it with slashes at both ends. ERR_USAGE for any other.
 */
MUST_CHECK bool url_local_parse(const char *url, struct url_target *ret, char *path,
                                size_t path_size, struct err *err);

/** True for ORG.crmN.dynamics.com and its sovereign relatives, with or without ".api". */
bool url_host_is_dataverse(const char *host);

/** True for the sign-in hosts of Microsoft's clouds. */
bool url_host_is_authority(const char *host);

bool url_host_is_allowed(const struct url_allow *allow, const char *host);

/**
 * The environment that a person named: with or without scheme, slash or /api/data path. ERR_USAGE
 * when it is not https, or the host is neither a Dataverse host nor allowed.
 */
MUST_CHECK bool url_target_parse(const char *url, const struct url_allow *allow,
                                 struct url_target *ret, struct err *err);

/**
 * The sign-in server named by a URL or by a bare host, and the first segment of the path (the
 * tenant, "" when there is none; `tenant` holds URL_HOST_BYTES). ERR_SIGNIN when it is not https,
 * or neither listed nor allowed: a secret must not be sent there.
 */
MUST_CHECK bool url_authority_parse(const char *url, const struct url_allow *allow,
                                    struct url_target *ret, char *tenant, struct err *err);

/** The host of a URL in lower case with a label ".api." taken out; "" when it has none. False only
 * when memory runs out. */
MUST_CHECK bool url_own_host(const char *url, char ret[URL_HOST_BYTES], struct err *err);

/** The environment as the resource of a token: "https://ORG.crm.dynamics.com". */
void url_resource(const struct url_target *target, char ret[URL_ORIGIN_BYTES]);

/** What a token for this environment is asked for: "https://ORG.crm.dynamics.com/.default". */
void url_scope(const struct url_target *target, char *ret, size_t ret_size);

/**
 * Where a list goes on. An absolute `link` is taken byte for byte, a relative one is resolved
 * against `request_url`. ERR_SERVER when it leads to another scheme, host or port, which would give
 * the token away. Appends to `ret`.
 */
MUST_CHECK bool url_follow(const char *request_url, const char *link, struct text *ret,
                           struct err *err);

/** True when a tenant is an id or a domain: letters, digits, dots, hyphens. */
bool url_tenant_is_valid(const char *tenant);

#endif
