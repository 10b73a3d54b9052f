/** Hosts of Dataverse environments, as rows and services write them. */
#ifndef CORE_HOST_H
#define CORE_HOST_H

#include <stdbool.h>
#include <stddef.h>

enum { HOST_BYTES = 256 };

/**
 * Reduce a URL, with or without scheme, to a host: lower case;
 * scheme, user part, path, query, port and a label "api" after the first label removed; blanks
 * around it too. "" for a blank URL. A host of more than 255 bytes is cut: it equals no real one.
 */
void host_of_url(const char *url, char ret[HOST_BYTES]);

/**
 * True when the URL names `host` in any way: as its host, or, where the URL is malformed, anywhere
 * in it
 * ("https:/HOST", "//HOST", quotes around it). In doubt a row counts as the target's own and is
 * left.
 */
bool host_is_named(const char *url, const char *host);

/**
 * The family of an event channel: the text without trailing
 * blanks, digits, separators before them, or a trailing GUID. `ret` holds `size` bytes.
 */
void channel_family_of(const char *channel, char *ret, size_t size);

/** True for families known to belong to another feature: the Synapse or Fabric link. */
bool channel_is_foreign(const char *channel);

#endif
