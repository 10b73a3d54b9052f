#include "base/cancel.h"
#include "base/clock.h"
#include "curl_library.h"
#include "grant.h"
#include "refusal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 * and https://learn.microsoft.com/azure/app-service/overview-managed-identity
 */
enum {
    CONNECT_TIMEOUT_MS = 1000, /* off Azure the address leads nowhere */
    TIMEOUT_S = 30,
    FIRST_WAIT_MS = 500,
    WAIT_MAX_MS = 16 * 1000,
    OVERALL_MS = 90 * 1000, /* while it is renewed IMDS says 410, for up to 70 s */
    LOST_TRIES = 3,
    URL_BYTES = 2048,
};

static const char imds[] = "http://169.254.169.254";

static bool
is_numbers_local(const char *host)
{
    struct in_addr address;
    uint32_t number;

    if (inet_pton(AF_INET, host, &address) != 1)
        return false;
    number = ntohl(address.s_addr);
    /* 172.16.0.0/12 is the bridge of a Linux container of App Service and Functions: the platform
     * sets http://172.16.N.N:8081/msi/token there (newer ones have 169.254.N.N:8081). */
    return number >> 24 == 127 || number >> 16 == (169u << 8 | 254) ||
           number >> 20 == (172u << 4 | 1);
}

bool
grant_identity_is_local(const char *url)
{
    CURLU *parsed = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    char *user = NULL;
    const bool local =
        parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_USER, &user, 0) != CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        strcmp(scheme, "http") == 0 &&
        (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 || is_numbers_local(host));

    curl_free(user);
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(parsed);
    return local;
}

/** "base?api-version=...&resource=...[&client_id=...]" */
static bool
make_url(const char *base, const char *version, const struct token_source *source,
         char ret[URL_BYTES], struct err *err)
{
    const char *client_id = source->options->client_id;
    char resource[URL_ORIGIN_BYTES];
    char *encoded;
    char *client;
    int size;

    url_resource(source->target, resource);
    encoded = curl_easy_escape(NULL, resource, 0);
    client = client_id ? curl_easy_escape(NULL, client_id, 0) : NULL;
    size = encoded ? snprintf(ret, URL_BYTES, "%s%sapi-version=%s&resource=%s%s%s", base,
                              strchr(base, '?') ? "&" : "?", version, encoded,
                              client ? "&client_id=" : "", client ? client : "")
                   : -1;
    curl_free(encoded);
    curl_free(client);
    if (size < 0 || (client_id && !client))
        return err_set(err, ERR_INTERNAL, "out of memory");
    return size < URL_BYTES || err_set(err, ERR_CONFIG, "the identity endpoint's URL is too long");
}

static bool
is_busy(int status)
{
    return status == 404 || status == 410 || status == 429 || status >= 500;
}

static bool
no_identity(const struct http_answer *answer, const struct token_source *source, struct err *err)
{
    const bool asked = source->options->client_id;
    struct err said;

    (void)refusal_judge(answer, source, &said);
    (void)err_set(err, ERR_SIGNIN, "the identity endpoint gives no token");
    (void)err_detail(err, "%s", said.detail);
    return err_hint(err,
                    asked ? "Is the identity with this client id assigned to this machine or app?"
                          : "Is an identity assigned to this machine or app? A user-assigned one "
                            "wants --client-id.");
}

static bool
no_endpoint(const struct http_answer *answer, struct err *err)
{
    *err = answer->why;
    (void)err_wrap(err, "managed identity");
    return err_hint(err, "There is no identity endpoint here unless this runs in Azure. Sign in in "
                         "another way: --client-certificate, --token-command and others.");
}

/** Is it worth another try? `ret_wait_ms` is how long to wait first. */
static bool
may_try_again(const struct http_answer *answer, unsigned tries, int64_t until_ms,
              int64_t *ret_wait_ms)
{
    int64_t wait_ms = FIRST_WAIT_MS;

    if (answer->failure == HTTP_ANSWERED ? !is_busy(answer->status) : tries >= LOST_TRIES)
        return false;
    for (unsigned i = 1; i < tries && wait_ms < WAIT_MAX_MS; i++)
        wait_ms *= 2;
    if (answer->failure == HTTP_ANSWERED && answer->retry_after_s * 1000 > wait_ms)
        wait_ms = answer->retry_after_s * 1000;
    *ret_wait_ms = wait_ms;
    return clock_monotonic_ms() + wait_ms < until_ms;
}

static bool
ask(struct token *token, const struct token_source *source, const struct http_request *request,
    struct http_exchange *exchange, struct err *err)
{
    const int64_t until_ms = clock_monotonic_ms() + OVERALL_MS;
    const struct http_answer *answer = &exchange->answer;

    for (unsigned tries = 1;; tries++) {
        int64_t wait_ms;

        if (!http_run(exchange, request, err))
            return false;
        if (answer->failure == HTTP_ANSWERED && answer->status == 200)
            return token_reply_parse(answer->body, token, err) || err_wrap(err, "managed identity");
        if (!may_try_again(answer, tries, until_ms, &wait_ms))
            return answer->failure == HTTP_ANSWERED ? no_identity(answer, source, err)
                                                    : no_endpoint(answer, err);
        clock_sleep_ms(wait_ms);
    }
}

static bool
ask_imds(struct token *token, const struct token_source *source, struct http_exchange *exchange,
         struct err *err)
{
    const struct http_local local = {.header = "Metadata",
                                     .value = "true",
                                     .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                     .timeout_s = TIMEOUT_S};
    char base[256];
    char url[URL_BYTES];
    const struct http_request request = {
        .method = HTTP_GET, .url = url, .plain = true, .secret = true, .local = &local};
    const char *origin = source->options->imds_origin ? source->options->imds_origin : imds;

    (void)snprintf(base, sizeof base, "%s/metadata/identity/oauth2/token", origin);
    return make_url(base, "2018-02-01", source, url, err) &&
           ask(token, source, &request, exchange, err);
}

static bool
ask_app_service(struct token *token, const struct token_source *source,
                struct http_exchange *exchange, struct err *err)
{
    const struct dataverse_options *options = source->options;
    const struct http_local local = {.header = "X-IDENTITY-HEADER",
                                     .value = secret_reveal(options->identity_header),
                                     .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                     .timeout_s = TIMEOUT_S};
    char url[URL_BYTES];
    const struct http_request request = {
        .method = HTTP_GET, .url = url, .plain = true, .secret = true, .local = &local};

    if (!grant_identity_is_local(options->identity_endpoint)) {
        (void)err_set(err, ERR_SIGNIN,
                      "IDENTITY_ENDPOINT is not on this machine: its header was not sent");
        return err_hint(err, "The platform sets it to http on 127.0.0.1, localhost, 169.254.N.N or "
                             "172.16.N.N; unset it where no platform did.");
    }
    return make_url(options->identity_endpoint, "2019-08-01", source, url, err) &&
           ask(token, source, &request, exchange, err);
}

bool
grant_identity(struct token *token, const struct token_source *source,
               struct http_exchange *exchange, struct err *err)
{
    const struct dataverse_options *options = source->options;

    if (options->imds_origin && !grant_identity_is_local(options->imds_origin))
        return err_set(err, ERR_SIGNIN, "the test's identity endpoint is not on this machine");
    return options->identity_endpoint && options->identity_header
               ? ask_app_service(token, source, exchange, err)
               : ask_imds(token, source, exchange, err);
}
