/* Tokens: a reply of the token endpoint, a token of somebody else's, an entity tag, a GUID. What is
 * taken can stand in a header. */
#include "dataverse/identifier.h"
#include "dataverse/jwt.h"
#include "dataverse/outside_token.h"
#include "dataverse/token.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static bool
is_printable(const char *text)
{
    for (; *text; text++)
        if (*text <= 0x20 || *text >= 0x7F)
            return false;
    return true;
}

static void
must_be_sendable(const struct token *token)
{
    const char *bearer = secret_reveal(&token->bearer);
    FUZZ_MUST(*bearer && is_printable(bearer) && strlen(bearer) <= TOKEN_MAX_BYTES);
    FUZZ_MUST(token_is_sendable(bearer));
}

static void
reply(struct slice body)
{
    struct token token = {0};
    struct err err = {0};
    if (token_reply_parse(body, &token, &err))
        must_be_sendable(&token);
    else
        fuzz_must_say(&err);
    token_done(&token);
}

static void
outside(const char *text)
{
    static const struct url_target target = {"org.crm4.dynamics.com",
                                             "https://org.crm4.dynamics.com"};
    static const struct url_allow nobody;
    static const struct dataverse_options options;
    const struct token_source source = {.options = &options, .target = &target, .allow = &nobody};
    const struct outside_origin origin = {.what = "the token in FILE", .hint = "Ask again."};
    struct token token = {0};
    struct err err = {0};
    if (outside_token_take(text, &origin, &source, &token, &err)) {
        must_be_sendable(&token);
        FUZZ_MUST(strcmp(secret_reveal(&token.bearer), text) == 0);
    } else {
        fuzz_must_say(&err);
        FUZZ_MUST(strlen(text) < 24 || !strstr(err.primary, text));
    }
    token_done(&token);
}

static void
claims(const char *text)
{
    struct jwt_claims claims;
    if (jwt_read(text, &claims))
        FUZZ_MUST(jwt_is_shaped(text) && claims.expires_s >= 0 &&
                  memchr(claims.audience, 0, sizeof(claims.audience)));
}

static void
names(const char *text)
{
    char *guid = strdup(text);
    FUZZ_MUST(guid);
    if (guid_normalize(guid))
        FUZZ_MUST(strlen(guid) == 36 && strspn(guid, "0123456789abcdef-") == 36);
    else
        FUZZ_MUST(strcmp(guid, text) == 0);
    if (etag_is_valid(text))
        FUZZ_MUST(strcmp(text, "*") != 0 && !strpbrk(text, "\r\n") && strchr(text, '"'));
    free(guid);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    char *text = fuzz_rest(&input);

    input = (struct fuzz_input){data, size};
    uint8_t *bytes = fuzz_bytes(&input, &size);
    reply(slice_of(bytes, size));
    outside(text);
    claims(text);
    names(text);
    free(bytes);
    free(text);
    return 0;
}
