#include "dataverse/jit.h"

#include "dataverse/call.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { LOOPBACK = 0x7F000001, REASON_MAX = 1024, STAMP_BYTES = 32 };

static int64_t
now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what is asked for ---- */

static bool
read_address(const char *text, size_t bytes, uint32_t *ret)
{
    char copy[16];
    struct in_addr address;
    if (bytes >= sizeof(copy))
        return false;
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    if (inet_pton(AF_INET, copy, &address) != 1)
        return false;
    *ret = ntohl(address.s_addr);
    return true;
}

/** An IPv4 address, a range with a dash, or CIDR. */
static bool
read_addresses(const char *text, uint32_t *ret_first, uint32_t *ret_last)
{
    size_t bytes = strcspn(text, "-/");
    char *end = NULL;
    if (!read_address(text, bytes, ret_first))
        return false;
    *ret_last = *ret_first;
    if (text[bytes] == '-')
        return read_address(text + bytes + 1, strlen(text + bytes + 1), ret_last) &&
               *ret_first <= *ret_last;
    if (text[bytes] == '\0')
        return true;
    long prefix = strtol(text + bytes + 1, &end, 10);
    if (end == text + bytes + 1 || *end != '\0' || prefix < 1 || prefix > 32)
        return false;
    uint32_t hosts = prefix == 32 ? 0 : UINT32_MAX >> prefix;
    *ret_first &= ~hosts;
    *ret_last = *ret_first | hosts;
    return true;
}

static const char *
text_of(const cJSON *body, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static bool
read_request(const cJSON *body, struct dv_jit_login *ret)
{
    const char *role = text_of(body, "sqljitrole");
    const char *reason = text_of(body, "sqljitreason");
    ret->writer = strcmp(role, "Writer") == 0;
    return (ret->writer || strcmp(role, "Reader") == 0) && reason[0] != '\0' &&
           strlen(reason) <= REASON_MAX &&
           read_addresses(text_of(body, "sqljitclientipaddress"), &ret->first_address,
                          &ret->last_address);
}

/* ---- making it ---- */

static void
random_hex(char *ret, size_t digits)
{
    unsigned char bytes[32] = {0};
    (void)!getrandom(bytes, sizeof(bytes), 0);
    for (size_t i = 0; i < digits; i++)
        (void)snprintf(ret + i, 2, "%x", bytes[i % sizeof(bytes)] & 15);
}

static bool
make(struct dv_jit *jit, const struct dv_settings *settings, struct dv_jit_login *login,
     char server[DV_JIT_NAME_BYTES], char database[DV_JIT_NAME_BYTES])
{
    char hex[33];
    random_hex(hex, 12);
    (void)snprintf(login->user, sizeof(login->user), "JIT-%s", hex);
    random_hex(hex, 32);
    (void)snprintf(login->password, sizeof(login->password), "Jit~%s\"\\'Aa", hex);
    login->owner = settings->user_id;
    login->usable_at_ms =
        now_ms() + (int64_t)(settings->jit_delay_seconds * 1000 / settings->time_scale);
    login->ends_at_ms = now_ms() + settings->jit_life_seconds * 1000;
    if (!jit->hook.make || !jit->hook.make(jit->hook.ctx, login, server, database))
        return false;
    (void)snprintf(jit->user, sizeof(jit->user), "%s", login->user);
    (void)snprintf(jit->password, sizeof(jit->password), "%s", login->password);
    return true;
}

static void
answer_login(struct dv_call *call, const struct dv_jit_login *login, const char *server,
             const char *database, const char *addresses)
{
    const struct dv_settings *settings = call->settings;
    const time_t ends = (time_t)(login->ends_at_ms / 1000);
    char stamp[STAMP_BYTES] = "";
    char id[DV_ID_BYTES];
    struct tm utc;
    cJSON *answer = cJSON_CreateObject();
    if (gmtime_r(&ends, &utc))
        (void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &utc);
    dv_uuid(id);
    dv_add_context(call, answer, "Microsoft.Dynamics.CRM." DV_JIT_ACTION "Response");
    (void)cJSON_AddStringToObject(answer, "servername",
                                  settings->jit_server[0] ? settings->jit_server : server);
    (void)cJSON_AddStringToObject(answer, "databasename",
                                  settings->jit_database[0] ? settings->jit_database : database);
    (void)cJSON_AddStringToObject(answer, "databasetype", "AxDb");
    (void)cJSON_AddStringToObject(answer, "sqljitusername", login->user);
    (void)cJSON_AddStringToObject(answer, "sqljitpassword", login->password);
    (void)cJSON_AddStringToObject(answer, "sqljitexpiration", stamp);
    (void)cJSON_AddStringToObject(answer, "sqljitrole", login->writer ? "Writer" : "Reader");
    (void)cJSON_AddStringToObject(answer, "ipaddress", addresses);
    (void)cJSON_AddStringToObject(answer, "operationhistoryid", id);
    dv_json(call, 200, answer);
}

static void
answer_request(struct dv_call *call, const cJSON *body)
{
    struct dv_jit_login login = {.owner = NULL};
    char server[DV_JIT_NAME_BYTES];
    char database[DV_JIT_NAME_BYTES];
    if (!call->settings->system_administrator)
        dv_error(call, 403, "0x80040220",
                 "The user does not have the System Administrator role in this environment.");
    else if (!read_request(body, &login))
        dv_error(call, 400, "0x80040203",
                 "sqljitclientipaddress, sqljitrole (Reader, Writer) and sqljitreason are needed.");
    else if (!make(call->jit, call->settings, &login, server, database))
        dv_error(call, 500, "0x80040216", "An unexpected error occurred.");
    else
        answer_login(call, &login, server, database, text_of(body, "sqljitclientipaddress"));
    sandbox_log_add(call->log, "jit", call->session, "role", text_of(body, "sqljitrole"), "address",
                    text_of(body, "sqljitclientipaddress"), "reason", text_of(body, "sqljitreason"),
                    "user", login.user, NULL);
}

void
dv_jit_answer(struct dv_call *call)
{
    if (strcmp(call->method, "POST") != 0) {
        dv_error(call, 405, "0x80060888",
                 "The requested resource does not support http method '%s'.", call->method);
        return;
    }
    cJSON *body = dv_parse_json(call->body ? call->body : "", call->body_bytes);
    answer_request(call, body);
    cJSON_Delete(body);
}

bool
dv_jit_colleague(struct dv_jit *jit, const struct dv_settings *settings)
{
    struct dv_jit_login login = {.first_address = LOOPBACK, .last_address = LOOPBACK};
    char server[DV_JIT_NAME_BYTES];
    char database[DV_JIT_NAME_BYTES];
    return make(jit, settings, &login, server, database);
}

cJSON *
dv_jit_json(const struct dv_jit *jit)
{
    cJSON *object = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(object, "user", jit->user);
    (void)cJSON_AddStringToObject(object, "password", jit->password);
    return object;
}
