/** The Dataverse Web API and the Entra token endpoint behind one HTTPS port. */
#ifndef SANDBOX_DATAVERSE_SERVICE_H
#define SANDBOX_DATAVERSE_SERVICE_H

#include "common/fault.h"
#include "common/log.h"
#include "dataverse/jit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dv_options {
    const char *directory;   /* of the sandbox: store and pki */
    const char *certificate; /* name of pki_names */
    const char *seed;        /* JSON text, see fixtures/dataverse/README.md */
    int64_t rows;            /* for seeds that generate rows; -1 = as the seed says */
    uint16_t proxy_port;     /* where clients see the service, unless 0: its URL names it */
    double time_scale;       /* 0 = as the seed says */
    struct dv_jit_hook jit;  /* of the SQL Server half */
    struct faults *faults;   /* borrowed */
    struct sandbox_log *log; /* borrowed */
};

struct dv_service;

/** NULL on failure with the reason in `why`. Texts of the options are used during the call only. */
struct dv_service *dv_service_start(const struct dv_options *, char *why, size_t why_size);
void dv_service_stop(struct dv_service *);
uint16_t dv_service_port(const struct dv_service *);
/** Of the identity endpoints: see identity.h. */
uint16_t dv_service_identity_port(const struct dv_service *);

/** What a client needs to sign in; `what` is one of "tenant", "client_id", "client_secret",
 * "identity_header". */
void dv_service_credential(struct dv_service *, const char *what, char *ret, size_t size);

/** Rows and settings back to the seed; tokens stay valid. */
bool dv_service_reset(struct dv_service *, char *why, size_t why_size);

/**
 * A request of the control interface below /dataverse/ (path without it, e.g. "rows"; `query`
 * decoded, "" without). The HTTP status; `ret_text` is malloc'd (JSON, or the reason of a failure).
 */
int dv_service_control(struct dv_service *, const char *method, const char *path, const char *query,
                       const char *body, char **ret_text);

#endif
