/**
 * SQL credentials just in time: the action of the Web API, and what it asks of the SQL Server half.
 * Action, parameters and answer are as the community has published them; error codes, names and
 * the moment of expiry are assumed.
 */
#ifndef SANDBOX_DATAVERSE_JIT_H
#define SANDBOX_DATAVERSE_JIT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

struct dv_call;
struct dv_settings;

#define DV_JIT_ACTION "msprov_getfinopssqljitaccessasync"

enum { DV_JIT_NAME_BYTES = 128 };

/** A login that is to be made; an earlier one of the same owner ends. */
struct dv_jit_login {
    const char *owner;
    bool writer;
    uint32_t first_address, last_address; /* who may connect */
    int64_t usable_at_ms, ends_at_ms;     /* on the wall's clock */
    char user[DV_JIT_NAME_BYTES], password[DV_JIT_NAME_BYTES];
};

/** The SQL Server half. */
struct dv_jit_hook {
    void *ctx;
    /** Make the login; tells where the database is. False: there is no SQL Server. */
    bool (*make)(void *ctx, const struct dv_jit_login *login, char ret_server[DV_JIT_NAME_BYTES],
                 char ret_database[DV_JIT_NAME_BYTES]);
};

/** What the last login was, for tests that look where its password went. Under the service's lock.
 */
struct dv_jit {
    struct dv_jit_hook hook;
    char user[DV_JIT_NAME_BYTES], password[DV_JIT_NAME_BYTES];
};

/** POST of the action. */
void dv_jit_answer(struct dv_call *);

/** A colleague asks with the same user, as a Reader. False: no SQL Server. */
bool dv_jit_colleague(struct dv_jit *, const struct dv_settings *);

/** {"user","password"} of the last login. */
cJSON *dv_jit_json(const struct dv_jit *);

#endif
