/**
 * The control interface: plain HTTP on 127.0.0.1, for tests and demos. It knows faults and the log
 * itself; the rest it hands on. What can be asked is listed in tests/sandbox/README.md.
 */
#ifndef SANDBOX_COMMON_CONTROL_H
#define SANDBOX_COMMON_CONTROL_H

#include "common/fault.h"
#include "common/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control;

struct control_hooks {
    void *ctx;
    /** POST /sql */
    bool (*sql)(void *ctx, const char *sql, char *why, size_t why_size);
    /** POST /logins */
    bool (*login)(void *ctx, const char *name, const char *rights);
    /** /dataverse/PATH: the HTTP status and a malloc'd text. */
    int (*dataverse)(void *ctx, const char *method, const char *path, const char *query,
                     const char *body, char **ret_text);
    /** POST /reset */
    bool (*reset)(void *ctx, char *why, size_t why_size);
};

/** NULL on failure with the reason in `why`. `faults` and `log` are borrowed. */
struct control *control_start(const struct control_hooks *hooks, struct faults *faults,
                              struct sandbox_log *log, char *why, size_t why_size);
uint16_t control_port(const struct control *);
void control_stop(struct control *);

#endif
