/** What the organization is like; a seed sets it and a test changes it while the server runs. */
#ifndef SANDBOX_DATAVERSE_SETTINGS_H
#define SANDBOX_DATAVERSE_SETTINGS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dv_settings {
    /* organization */
    char unique_name[128];
    char friendly_name[128];
    char host[256]; /* of its WebApplication endpoint */
    char organization_id[40];
    char environment_id[40];
    char user_id[40];
    char business_unit_id[40];
    char version[32];

    /* link to finance and operations */
    bool fno_linked;
    char fno_url[256];
    char fno_id[40];

    /* the table */
    bool table_installed;
    bool optimistic_concurrency;
    bool etags; /* rows tell their version */
    char table_type[16];

    /* the application user */
    bool user_known;
    bool may_read, may_create, may_write, may_delete; /* on the table */
    bool may_system;                                  /* read of system tables */
    bool tracing;                                     /* plug-ins leave traces */
    bool may_override;                                /* give a new row its time of creation */
    char read_depth[8]; /* of may_read: Basic (own rows), Local and Deep (of the business unit) or
                           Global */

    /* SQL logins just in time */
    bool jit_served;           /* false: the action is not known, as in older environments */
    bool system_administrator; /* the role that it needs */
    double jit_delay_seconds;  /* until a login works, on the scaled clock */
    int64_t jit_life_seconds;  /* until it ends, on the wall's */
    char jit_server[128], jit_database[128]; /* told in place of the right ones; "" = these */

    /* sign-in */
    char tenant[64];
    char client_id[64];
    char client_secret[128];
    int64_t token_life_seconds;
    char federated_issuer[128]; /* of assertions that the application trusts */
    char federated_subject[128];
    char federated_audience[128];
    char identity_header[64];    /* of the App Service endpoint */
    char identity_client_id[64]; /* of the user-assigned identity; "" = client_id */
    bool identity_assigned;      /* a system-assigned one is there */
    int64_t device_seconds;      /* life of a device code */

    /* service */
    int64_t page_cap;   /* rows a page, at most 5000 */
    int64_t dop_hint;   /* 0 = header not sent */
    int64_t servers;    /* virtual web servers */
    bool throttling;    /* service times and limits */
    bool scaled_waits;  /* Retry-After in seconds of the scaled clock, not of the wall's */
    double time_scale;  /* windows, penalties and service times are divided by this */
    double row_seconds; /* service time of one operation */
    double request_seconds;
    bool gzip;                /* compress when asked (stored blocks) */
    bool relative_batch_urls; /* accept them in $batch */
    int64_t body_cap;         /* a larger body is 413, as a gateway does; 0 = none */
};

/** Values of the organization that every seed starts from. */
void dv_settings_default(struct dv_settings *);

/**
 * Take the members of `object` over. False: a name or value is not known (`ret_why` borrowed from
 * `object` or static, nothing is changed).
 */
bool dv_settings_merge(struct dv_settings *, const cJSON *object, const char **ret_why);

/** All of them but the client secret; the caller frees. */
cJSON *dv_settings_json(const struct dv_settings *);

#endif
