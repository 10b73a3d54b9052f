#include "authority.h"

#include "answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char authority_question_path[] = "/api/data/v9.2/WhoAmI";
const char authority_token_path[] = "/oauth2/v2.0/token";

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
authority_challenge_parse(const char *header, char *ret_uri, size_t ret_size)
{
    static const char name[] = "authorization_uri=";
    const char *at = strcasestr(header, name);

    if (strncasecmp(header, "Bearer", 6) != 0 || !at ||
        (at[-1] != ' ' && at[-1] != ',' && at[-1] != '\t'))
        return false;
    return copy_value(at + strlen(name), ret_uri, ret_size);
}

/** Ask the service without a token who gives them. */
static bool
read_challenge(const struct token_source *source, struct http_exchange *exchange, char *ret_uri,
               struct err *err)
{
    char url[URL_ORIGIN_BYTES + 32];
    const struct http_request request = {.method = HTTP_GET, .url = url};
    const struct http_answer *answer = &exchange->answer;

    (void)snprintf(url, sizeof url, "%s%s", source->target->origin, authority_question_path);
    if (!http_run(exchange, &request, err))
        return false;
    if (answer->failure != HTTP_ANSWERED) {
        *err = answer->why;
        return false;
    }
    if (answer->status == 401 && answer->challenge[0] &&
        authority_challenge_parse(answer->challenge, ret_uri, HTTP_CHALLENGE_BYTES))
        return true;
    if (answer->status == 401 || answer->status < 300) {
        (void)answer_malformed(answer, "the service does not say who signs its users in", err);
        return err_hint(err, "Check that the URL names a Dataverse environment, or name tenant and "
                             "authority.");
    }
    *err = answer_judge(answer).err;
    return false;
}

bool
authority_discover(struct token *token, const struct token_source *source,
                   struct http_exchange *exchange, struct err *err)
{
    const struct dataverse_options *options = source->options;
    char uri[HTTP_CHALLENGE_BYTES] = "";
    char tenant[URL_HOST_BYTES] = "";
    struct url_target authority;
    struct url_target unused;

    if (token->endpoint[0])
        return true;
    if ((!options->tenant || !options->authority) && !read_challenge(source, exchange, uri, err))
        return false;
    if (!url_authority_parse(options->authority ? options->authority : uri, source->allow,
                             &authority, tenant, err))
        return false;
    if (!options->tenant && !tenant[0] &&
        !url_authority_parse(uri, source->allow, &unused, tenant, err))
        return false;
    if (options->tenant && !url_tenant_is_valid(options->tenant))
        return err_set(err, ERR_SIGNIN, "the tenant is neither an id nor a domain");
    if (!options->tenant && !tenant[0])
        return err_set(err, ERR_SIGNIN, "the service's challenge names no tenant");
    (void)snprintf(token->endpoint, sizeof token->endpoint, "%s/%s%s", authority.origin,
                   options->tenant ? options->tenant : tenant, authority_token_path);
    return true;
}
