#include "token.h"

#include "answer.h"
#include "assertion.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/text.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    TRIES = 4,
    TOKEN_MAX_BYTES = 64 * 1024,
    LIFE_MAX_S = 30 * 24 * 3600,
    LIFE_UNKNOWN_S = 600,
    RESERVE_S = 300,
    DECODE_MAX = 4,
};

/** A code behind AADSTS, and what to do. Codes choose a hint, never a decision. */
static const struct refusal {
    int code;
    const char *hint;
} refusals[] = {
    {7000215, "The client secret is wrong. Often the secret's id was copied, not its value."},
    {7000222, "The client secret has expired: make a new one in the app registration."},
    {700016, "The app registration is not in this tenant: check client id and tenant."},
    {700027, "The assertion's signature was not accepted: the certificate is not registered."},
    {700021, "The assertion's issuer was not accepted: check the client id."},
    {700023, "The assertion's audience was not accepted: check the authority."},
    {700024, "The assertion's time was not accepted: check this machine's clock."},
    {7000218, "No credential was sent: give a client secret or a certificate."},
    {90002, "The tenant was not found: check its id or domain, and the cloud."},
    {900023, "The tenant is not a valid id or domain."},
    {500011, "The environment's URL is not known in this tenant: check the URL and the tenant."},
    {53003, "Conditional Access blocks this sign-in: ask the tenant's administrators."},
    {50076, "Multi-factor authentication is wanted: use an app registration."},
};

/** Copy one value of a challenge, quoted or not. */
static bool
copy_value(const char *at, char *ret, size_t ret_size)
{
    const bool quoted = *at == '"';
    const size_t size = quoted ? strcspn(at + 1, "\"") : strcspn(at, ", \t");

    if (size == 0 || size >= ret_size)
        return false;
    memcpy(ret, at + quoted, size);
    ret[size] = '\0';
    return true;
}

bool
token_challenge_parse(const char *header, char *ret_uri, size_t ret_size)
{
    static const char name[] = "authorization_uri=";
    const char *at = strcasestr(header, name);

    if (strncasecmp(header, "Bearer", 6) != 0 || !at ||
        (at[-1] != ' ' && at[-1] != ',' && at[-1] != '\t'))
        return false;
    return copy_value(at + strlen(name), ret_uri, ret_size);
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

void
token_done(struct token *token)
{
    secret_wipe(&token->bearer);
    *token = (struct token){0};
}

const char token_question_path[] = "/api/data/v9.2/WhoAmI";
const char token_endpoint_path[] = "/oauth2/v2.0/token";

/** Ask the service without a token who gives them. */
static bool
read_challenge(const struct token_source *source, struct http_exchange *exchange, char *ret_uri,
               struct err *err)
{
    char url[URL_ORIGIN_BYTES + 32];
    const struct http_request request = {.method = HTTP_GET, .url = url};
    const struct http_answer *answer = &exchange->answer;

    (void)snprintf(url, sizeof url, "%s%s", source->target->origin, token_question_path);
    if (!http_run(exchange, &request, err))
        return false;
    if (answer->failure != HTTP_ANSWERED) {
        *err = answer->why;
        return false;
    }
    if (answer->status == 401 && answer->challenge[0] &&
        token_challenge_parse(answer->challenge, ret_uri, HTTP_CHALLENGE_BYTES))
        return true;
    if (answer->status == 401 || answer->status < 300) {
        (void)answer_malformed(answer, "the service does not say who signs its users in", err);
        return err_hint(err, "Check that the URL names a Dataverse environment, or name tenant and "
                             "authority.");
    }
    *err = answer_judge(answer).err;
    return false;
}

/** Find the token endpoint, once. */
static bool
discover(struct token *token, const struct token_source *source, struct http_exchange *exchange,
         struct err *err)
{
    char uri[HTTP_CHALLENGE_BYTES] = "";
    char tenant[URL_HOST_BYTES] = "";
    struct url_target authority;
    struct url_target unused;

    if (token->endpoint[0])
        return true;
    if ((!source->tenant || !source->authority) && !read_challenge(source, exchange, uri, err))
        return false;
    if (!url_authority_parse(source->authority ? source->authority : uri, source->allow, &authority,
                             tenant, err))
        return false;
    if (!source->tenant && !tenant[0] &&
        !url_authority_parse(uri, source->allow, &unused, tenant, err))
        return false;
    if (source->tenant && !url_tenant_is_valid(source->tenant))
        return err_set(err, ERR_SIGNIN, "the tenant is neither an id nor a domain");
    if (!source->tenant && !tenant[0])
        return err_set(err, ERR_SIGNIN, "the service's challenge names no tenant");
    (void)snprintf(token->endpoint, sizeof token->endpoint, "%s/%s%s", authority.origin,
                   source->tenant ? source->tenant : tenant, token_endpoint_path);
    return true;
}

/** Percent-encode; returns where it ends. The caller has made room for 3 bytes a byte. */
static char *
put_encoded(char *at, const char *name, const char *value)
{
    static const char digits[] = "0123456789ABCDEF";

    at = stpcpy(at, name);
    for (const unsigned char *byte = (const unsigned char *)value; *byte; byte++) {
        if (isalnum(*byte) || strchr("-._~", *byte)) {
            *at++ = (char)*byte;
        } else {
            *at++ = '%';
            *at++ = digits[*byte >> 4];
            *at++ = digits[*byte & 15];
        }
    }
    *at = '\0';
    return at;
}

/** The form with a secret, or with an assertion in its place. */
static bool
write_form(const struct token_source *source, const struct secret *credential, struct secret *ret,
           struct err *err)
{
    static const char assertion[] =
        "&client_assertion_type="
        "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=";
    char scope[URL_ORIGIN_BYTES + 16];
    const char *secret = secret_reveal(credential);
    size_t capacity;
    char *form;
    char *end;
    bool done;

    url_scope(source->target, scope, sizeof scope);
    capacity =
        128 + sizeof assertion + 3 * (strlen(secret) + strlen(source->client_id) + strlen(scope));
    form = calloc(1, capacity);
    if (!form)
        return err_set(err, ERR_INTERNAL, "out of memory");
    end = put_encoded(form, "grant_type=", "client_credentials");
    end = put_encoded(end, "&client_id=", source->client_id);
    end = put_encoded(end, "&scope=", scope);
    end = put_encoded(end, source->certificate_file ? assertion : "&client_secret=", secret);
    done = secret_set(ret, form, (size_t)(end - form), err);
    secret_clear_memory(form, capacity);
    free(form);
    return done;
}

static bool
make_form(const struct token *token, const struct token_source *source, struct secret *ret,
          struct err *err)
{
    SECRET_SCOPED assertion = {0};

    if (!source->certificate_file)
        return write_form(source, source->client_secret, ret, err);
    return assertion_make(source->certificate_file, source->client_id, token->endpoint, &assertion,
                          err) &&
           write_form(source, &assertion, ret, err);
}

/** A token that can be sent in a header: printable, no blanks. */
static bool
is_sendable(const char *text)
{
    size_t size = 0;

    while (text[size] > ' ' && text[size] <= '~')
        size++;
    return size > 0 && size <= TOKEN_MAX_BYTES && text[size] == '\0';
}

/** expires_in, a number or a string of digits. */
static int64_t
read_life_s(const cJSON *json)
{
    const cJSON *life = cJSON_GetObjectItemCaseSensitive(json, "expires_in");
    int64_t life_s;

    if (cJSON_IsString(life) && parse_int(life->valuestring, 1, LIFE_MAX_S, &life_s))
        return life_s;
    if (cJSON_IsNumber(life) && life->valuedouble >= 1 && life->valuedouble <= LIFE_MAX_S)
        return (int64_t)life->valuedouble;
    return LIFE_UNKNOWN_S;
}

bool
token_reply_parse(struct slice body, struct token *token, struct err *err)
{
    cJSON *json = body.size > 0 ? cJSON_ParseWithLength((const char *)body.data, body.size) : NULL;
    cJSON *text = cJSON_GetObjectItemCaseSensitive(json, "access_token");
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(json, "token_type");
    const bool usable =
        cJSON_IsString(text) && is_sendable(text->valuestring) &&
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

static int
hex_value(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = digit ? strchr(digits, tolower((unsigned char)digit)) : NULL;

    return at ? (int)(at - digits) : -1;
}

/** Undo percent-encoding in place, blanks written as '+' too. False when there was none. */
static bool
decode_percent(char *text)
{
    char *to = text;
    bool changed = false;

    for (const char *at = text; *at; at++) {
        const int high = *at == '%' ? hex_value(at[1]) : -1;
        const int low = high < 0 ? -1 : hex_value(at[2]);

        if (low >= 0 && high + low > 0) {
            *to++ = (char)(high * 16 + low);
            at += 2;
            changed = true;
        } else {
            changed = changed || *at == '+';
            *to++ = (char)(*at == '+' ? ' ' : *at);
        }
    }
    *to = '\0';
    return changed;
}

/** Does a text repeat the secret, as it is or percent-encoded, also more than once; or may it
 * repeat an assertion, of which no character needs to be encoded? */
static bool
repeats_secret(const char *text, const struct token_source *source)
{
    const char *secret;
    char *decoded;
    bool found;

    if (source->certificate_file && strstr(text, "eyJ"))
        return true;
    if (!source->client_secret || !secret_is_set(source->client_secret))
        return false;
    secret = secret_reveal(source->client_secret);
    if (strstr(text, secret))
        return true;
    decoded = strdup(text);
    if (!decoded)
        return true;
    found = false;
    for (int i = 0; i < DECODE_MAX && !found && decode_percent(decoded); i++)
        found = strstr(decoded, secret) != NULL;
    secret_clear_memory(decoded, strlen(decoded));
    free(decoded);
    return found;
}

/** One line of the sign-in server's own text, cut at a character; "" when it repeats our secret. */
static void
copy_screened(const char *text, const struct token_source *source, char *ret, size_t ret_size)
{
    size_t used = 0;

    ret[0] = '\0';
    if (repeats_secret(text, source))
        return;
    for (; text[used] && used + 1 < ret_size; used++)
        ret[used] = iscntrl((unsigned char)text[used]) ? ' ' : text[used];
    while (used > 0 && text[used] && (text[used] & 0xC0) == 0x80)
        used--;
    ret[used] = '\0';
}

static const char *
find_hint(const cJSON *json)
{
    const cJSON *codes = cJSON_GetObjectItemCaseSensitive(json, "error_codes");
    const cJSON *code;

    cJSON_ArrayForEach(code, codes) for (size_t i = 0; i < sizeof refusals / sizeof refusals[0];
                                         i++) if (cJSON_IsNumber(code) &&
                                                  code->valuedouble ==
                                                      refusals[i].code) return refusals[i]
        .hint;
    return "Check tenant, client id, and client secret or certificate.";
}

bool
token_refusal(const struct http_answer *answer, const struct token_source *source, struct err *err)
{
    cJSON *json = answer->body.size > 0
                      ? cJSON_ParseWithLength((const char *)answer->body.data, answer->body.size)
                      : NULL;
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(json, "error");
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(json, "error_description");
    char name[61] = "";
    char description[420] = "";

    if (cJSON_IsString(text))
        copy_screened(text->valuestring, source, description, sizeof description);
    if (cJSON_IsString(error)) {
        copy_screened(error->valuestring, source, name, sizeof name);
        (void)err_set(err, ERR_SIGNIN, "the sign-in server refused the client%s%s",
                      name[0] ? ": " : "", name);
        (void)err_hint(err, "%s", find_hint(json));
        err->transient = strcmp(error->valuestring, "temporarily_unavailable") == 0;
    } else {
        (void)err_set(err, ERR_SIGNIN, "the sign-in server refused the client");
        (void)err_hint(err, "Its answer has no known form: check the authority, and proxies.");
    }
    (void)err_detail(err, "HTTP %d%s%s; client request id %s", answer->status,
                     description[0] ? ": " : "", description, answer->client_request_id);
    cJSON_Delete(json);
    return false;
}

/** One answer of the token endpoint. With a false, `err->transient` says whether to ask again. */
static bool
take_reply(struct token *token, const struct token_source *source, const struct http_answer *answer,
           struct err *err)
{
    if (answer->failure != HTTP_ANSWERED) {
        *err = answer->why;
        err->transient = answer->failure == HTTP_LOST;
        return false;
    }
    if (answer->status == 200) {
        char type[HTTP_ID_BYTES];

        if (token_reply_parse(answer->body, token, err))
            return true;
        copy_screened(answer->content_type, source, type, sizeof type);
        return err_detail(err, "HTTP 200, %s", type[0] ? type : "no type");
    }
    (void)token_refusal(answer, source, err);
    if (answer->status == 429 || answer->status >= 500) {
        err->code = ERR_CONNECT;
        err->transient = true;
    }
    return false;
}

static bool
has_credential(const struct token_source *source, struct err *err)
{
    if (source->client_id && source->client_id[0] &&
        (source->certificate_file ||
         (source->client_secret && secret_is_set(source->client_secret))))
        return true;
    (void)err_set(err, ERR_SIGNIN, "no credential for Dataverse was given");
    return err_hint(err, "Set a client id and a client secret (AZURE_CLIENT_ID, "
                         "AZURE_CLIENT_SECRET), or pass --client-certificate FILE.");
}

bool
token_refresh(struct token *token, const struct token_source *source,
              struct http_exchange *exchange, struct err *err)
{
    SECRET_SCOPED form = {0};
    const struct http_request request = {
        .method = HTTP_POST, .url = token->endpoint, .form = &form, .plain = true, .secret = true};

    if (!has_credential(source, err) || !discover(token, source, exchange, err))
        return false;
    for (unsigned tries = 1;; tries++) {
        int64_t wait_ms;

        /* An assertion is good for one request. */
        if (!make_form(token, source, &form, err) || !http_run(exchange, &request, err))
            return false;
        if (take_reply(token, source, &exchange->answer, err))
            return true;
        if (!err->transient || tries == TRIES || !answer_wait(&exchange->answer, tries, &wait_ms))
            return false;
        clock_sleep_ms(wait_ms);
    }
}
