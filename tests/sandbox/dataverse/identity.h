/** The identity endpoints of Azure on plain HTTP: IMDS (/metadata/identity/oauth2/token) and App
 * Service (/msi/token). */
#ifndef SANDBOX_DATAVERSE_IDENTITY_H
#define SANDBOX_DATAVERSE_IDENTITY_H

#include "common/fault.h"
#include "common/log.h"
#include "dataverse/settings.h"
#include "dataverse/token.h"

#include <stddef.h>
#include <stdint.h>

struct dv_identity;

/** Everything is borrowed. */
struct dv_identity_options {
    void *ctx;
    struct dv_settings (*settings)(void *ctx); /* as they are now */
    struct dv_tokens *tokens;
    const char *base; /* https://localhost:PORT: the resource */
    struct faults *faults;
    struct sandbox_log *log;
};

/** NULL on failure with the reason in `why`. */
struct dv_identity *dv_identity_start(const struct dv_identity_options *, char *why,
                                      size_t why_size);
void dv_identity_stop(struct dv_identity *);
uint16_t dv_identity_port(const struct dv_identity *);

#endif
