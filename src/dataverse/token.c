#include "token.h"

#include "base/clock.h"
#include "base/parse.h"
#include "base/text.h"
#include "grant.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { RESERVE_S = 300 };

/** A way to a token: when it is given, and who goes it. */
struct grant {
    const char *name;
    bool needs_client;
    bool (*is_given)(const struct dataverse_options *options);
    bool (*run)(struct token *token, const struct token_source *source,
                struct http_exchange *exchange, struct err *err);
};

static bool
has_secret(const struct dataverse_options *options)
{
    return options->client_secret && secret_is_set(options->client_secret);
}

static bool
has_certificate(const struct dataverse_options *options)
{
    return options->certificate_file;
}

static bool
has_federated(const struct dataverse_options *options)
{
    return options->federated_token_file;
}

static bool
has_identity(const struct dataverse_options *options)
{
    return options->managed_identity;
}

static bool
has_command(const struct dataverse_options *options)
{
    return options->token_command;
}

static bool
has_file(const struct dataverse_options *options)
{
    return options->token_file;
}

static bool
has_token(const struct dataverse_options *options)
{
    return options->token && secret_is_set(options->token);
}

static bool
has_device_code(const struct dataverse_options *options)
{
    return options->device_code;
}

static const struct grant grants[] = {
    {"client secret", true, has_secret, grant_client},
    {"client certificate", true, has_certificate, grant_client},
    {"federated token file", true, has_federated, grant_client},
    {"managed identity", false, has_identity, grant_identity},
    {"token command", false, has_command, grant_command},
    {"token file", false, has_file, grant_outside},
    {"token", false, has_token, grant_outside},
    {"device code", true, has_device_code, grant_device},
};

enum { GRANTS = sizeof grants / sizeof grants[0] };

/** The first one behind `after` that is given; NULL = none. */
static const struct grant *
find_grant(const struct dataverse_options *options, const struct grant *after)
{
    for (const struct grant *grant = after ? after + 1 : grants; grant < grants + GRANTS; grant++)
        if (grant->is_given(options))
            return grant;
    return NULL;
}

bool
token_is_wanted(const struct dataverse_options *options)
{
    return find_grant(options, NULL) || options->client_id;
}

bool
token_options_check(const struct dataverse_options *options, struct err *err)
{
    const struct grant *first = find_grant(options, NULL);
    const struct grant *second = first ? find_grant(options, first) : NULL;

    return !second ||
           err_set(err, ERR_USAGE, "%s and %s exclude each other", first->name, second->name);
}

int64_t
token_use_ms(int64_t life_s)
{
    const int64_t share_ms = life_s * 800;
    const int64_t early_ms = (life_s - RESERVE_S) * 1000;

    return life_s > INT64_C(2) * RESERVE_S && early_ms < share_ms ? early_ms : share_ms;
}

bool
token_is_due(const struct token *token)
{
    return !secret_is_set(&token->bearer) || clock_monotonic_ms() >= token->refresh_at_ms;
}

bool
token_copy(struct token *ret, const struct token *from, struct err *err)
{
    struct secret bearer = {0};

    if (!secret_copy(&bearer, &from->bearer, err))
        return false;
    token_done(ret);
    *ret = *from;
    ret->bearer = bearer;
    return true;
}

void
token_done(struct token *token)
{
    secret_wipe(&token->bearer);
    *token = (struct token){0};
}

bool
token_is_sendable(const char *text)
{
    size_t size = 0;

    while (text[size] > ' ' && text[size] <= '~')
        size++;
    return size > 0 && size <= TOKEN_MAX_BYTES && text[size] == '\0';
}

/** A whole number, or a string of digits; 0 when it is neither or out of bounds. */
static int64_t
read_seconds(const cJSON *json, const char *name, int64_t max)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    int64_t seconds = 0;

    if (cJSON_IsString(item) && parse_int(item->valuestring, 1, max, &seconds))
        return seconds;
    if (cJSON_IsNumber(item) && item->valuedouble >= 1 && item->valuedouble <= (double)max)
        return (int64_t)item->valuedouble;
    return 0;
}

/** expires_in; or expires_on, the seconds since 1970 that an identity endpoint says. */
static int64_t
read_life_s(const cJSON *json)
{
    const int64_t life_s = read_seconds(json, "expires_in", TOKEN_LIFE_MAX_S);
    const int64_t left_s =
        read_seconds(json, "expires_on", INT64_C(100000000000)) - clock_utc_ms() / 1000;

    if (life_s > 0)
        return life_s;
    return left_s > 0 && left_s <= TOKEN_LIFE_MAX_S ? left_s : TOKEN_LIFE_UNKNOWN_S;
}

bool
token_reply_parse(struct slice body, struct token *token, struct err *err)
{
    cJSON *json = body.size > 0 ? cJSON_ParseWithLength((const char *)body.data, body.size) : NULL;
    cJSON *text = cJSON_GetObjectItemCaseSensitive(json, "access_token");
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(json, "token_type");
    const bool usable =
        cJSON_IsString(text) && token_is_sendable(text->valuestring) &&
        (!type || (cJSON_IsString(type) && text_equal_nocase(type->valuestring, "Bearer")));
    bool done;

    if (usable)
        done = secret_set(&token->bearer, text->valuestring, strlen(text->valuestring), err);
    else
        done = err_set(err, ERR_SERVER, "the sign-in server's answer holds no usable token");
    if (done)
        token->refresh_at_ms = clock_monotonic_ms() + token_use_ms(read_life_s(json));
    if (cJSON_IsString(text))
        secret_clear_memory(text->valuestring, strlen(text->valuestring));
    cJSON_Delete(json);
    return done;
}

static bool
no_credential(struct err *err)
{
    (void)err_set(err, ERR_SIGNIN, "no credential for Dataverse was given");
    return err_hint(err, "Set a client id and a client secret (AZURE_CLIENT_ID, "
                         "AZURE_CLIENT_SECRET), or pass --client-certificate FILE, "
                         "--managed-identity, --token-command COMMAND or --token-file FILE.");
}

bool
token_refresh(struct token *token, const struct token_source *source,
              struct http_exchange *exchange, struct err *err)
{
    const struct grant *grant = find_grant(source->options, NULL);
    const char *client_id = source->options->client_id;

    if (!grant || (grant->needs_client && !(client_id && client_id[0])))
        return no_credential(err);
    return grant->run(token, source, exchange, err);
}
