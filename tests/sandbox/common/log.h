/**
 * The sandbox's own record of what clients did: one JSON object a line, in arrival order, in memory
 * and (when a path is given) in a file. Tests read it to prove what a client sent. Thread-safe.
 */
#ifndef SANDBOX_COMMON_LOG_H
#define SANDBOX_COMMON_LOG_H

#include <stddef.h>

struct sandbox_log;

struct sandbox_log *sandbox_log_new(const char *path_or_null);
void sandbox_log_free(struct sandbox_log *);

/**
 * Append {"seq":N,"ms":T,"kind":kind,"session":session, FIELDS}. `fields` is a list of name, value
 * string pairs ended by NULL; values are UTF-8 and are escaped here. ms = milliseconds since the
 * start.
 *
 * Kinds in use: "connect", "login" (user, database, application, result), "batch" (sql), "rpc"
 * (name, sql), "bulk" (sql), "transaction" (what), "attention", "disconnect", "http" (method, path,
 * status, request_id), "token" (result).
 */
void sandbox_log_add(struct sandbox_log *, const char *kind, int session, ... /* NULL */)
    __attribute__((sentinel));

/** A malloc'd copy of everything so far, NUL-terminated NDJSON; `ret_bytes` without the NUL. */
char *sandbox_log_text(struct sandbox_log *, size_t *ret_bytes);

/** Start again with an empty record (the file is truncated too). */
void sandbox_log_clear(struct sandbox_log *);

#endif
