#include "refusal.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DECODE_MAX = 4 };

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
    {70021,
     "No federated credential of the application fits the token in the file: compare issuer, "
     "subject and audience."},
    {700211, "The issuer of the token in the file is not that of the application's federated "
             "credential."},
    {700212, "The audience of the token in the file is not that of the application's federated "
             "credential (mostly api://AzureADTokenExchange)."},
    {700213, "The subject of the token in the file is not that of the application's federated "
             "credential."},
    {700023, "The assertion's audience was not accepted: check the authority."},
    {700024, "The assertion's time was not accepted: check this machine's clock."},
    {7000218, "No credential was sent: give a client secret or a certificate."},
    {90002, "The tenant was not found: check its id or domain, and the cloud."},
    {900023, "The tenant is not a valid id or domain."},
    {500011, "The environment's URL is not known in this tenant: check the URL and the tenant."},
    {7000226, "The application does not allow this: a tenant's policy wants another credential."},
    {65001,
     "Nobody has consented to the application: ask an administrator, or use another client id."},
    {50059, "The tenant is missing: pass --tenant-id."},
    {53003, "Conditional Access blocks this sign-in: ask the tenant's administrators."},
    {50076, "Multi-factor authentication is wanted: use an app registration."},
};

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

/** Does a text hold the secret, as it is or percent-encoded, also more than once? */
static bool
holds(const char *text, const struct secret *secret)
{
    char *decoded;
    bool found;

    if (!secret || !secret_is_set(secret) || !secret_reveal(secret)[0])
        return false;
    if (strstr(text, secret_reveal(secret)))
        return true;
    decoded = strdup(text);
    if (!decoded)
        return true;
    found = false;
    for (int i = 0; i < DECODE_MAX && !found && decode_percent(decoded); i++)
        found = strstr(decoded, secret_reveal(secret)) != NULL;
    secret_clear_memory(decoded, strlen(decoded));
    free(decoded);
    return found;
}

/** ...or may it repeat a token or an assertion, of which no character needs to be encoded? */
static bool
repeats_secret(const char *text, const struct token_source *source)
{
    const struct dataverse_options *options = source->options;

    return strstr(text, "eyJ") || holds(text, options->client_secret) ||
           holds(text, options->identity_header) || holds(text, source->sent);
}

void
refusal_screen(const char *text, const struct token_source *source, char *ret, size_t ret_size)
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
refusal_judge(const struct http_answer *answer, const struct token_source *source, struct err *err)
{
    cJSON *json = answer->body.size > 0
                      ? cJSON_ParseWithLength((const char *)answer->body.data, answer->body.size)
                      : NULL;
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(json, "error");
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(json, "error_description");
    char name[61] = "";
    char description[420] = "";

    if (cJSON_IsString(text))
        refusal_screen(text->valuestring, source, description, sizeof description);
    if (cJSON_IsString(error)) {
        refusal_screen(error->valuestring, source, name, sizeof name);
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

bool
refusal_or_token(struct token *token, const struct token_source *source,
                 const struct http_answer *answer, struct err *err)
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
        refusal_screen(answer->content_type, source, type, sizeof type);
        return err_detail(err, "HTTP 200, %s", type[0] ? type : "no type");
    }
    (void)refusal_judge(answer, source, err);
    if (answer->status == 429 || answer->status >= 500) {
        err->code = ERR_CONNECT;
        err->transient = true;
    }
    return false;
}
