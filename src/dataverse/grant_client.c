#include "answer.h"
#include "assertion.h"
#include "authority.h"
#include "base/clock.h"
#include "base/private_file.h"
#include "form.h"
#include "grant.h"
#include "jwt.h"
#include "refusal.h"

#include <stdlib.h>
#include <string.h>

enum { TRIES = 4, FEDERATED_MAX_BYTES = 16 * 1024 };

#define JWT_BEARER "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

static bool
expired(const char *path, int64_t expires_s, struct err *err)
{
    char stamp[CLOCK_STAMP_BYTES];

    clock_stamp(expires_s * 1000, stamp);
    (void)err_set(err, ERR_SIGNIN, "the federated token in %s has expired at %s", path, stamp);
    return err_hint(err, "Whoever writes the file (mostly the kubelet) should have renewed it.");
}

static bool
check_federated(const char *path, const char *text, struct err *err)
{
    struct jwt_claims claims = {0};

    if (!jwt_is_shaped(text)) {
        (void)err_set(err, ERR_CONFIG, "%s holds no federated token", path);
        return err_hint(err, "The file must hold one JWT, three parts with points between them, "
                             "and nothing else.");
    }
    return !jwt_read(text, &claims) || !claims.expires_s ||
           claims.expires_s > clock_utc_ms() / 1000 || expired(path, claims.expires_s, err);
}

/**
 * What somebody else signed for us. The file is mostly projected into a container with a mode that
 * others may read, and is replaced while we run.
 */
static bool
read_federated(const char *path, struct secret *ret, struct err *err)
{
    char *bytes = NULL;
    size_t size = 0;
    bool done;

    if (!shared_file_read(path, FEDERATED_MAX_BYTES, &bytes, &size, err))
        return err_wrap(err, "federated token file");
    bytes[strcspn(bytes, " \t\r\n")] = '\0';
    done = check_federated(path, bytes, err) && secret_set(ret, bytes, strlen(bytes), err);
    secret_clear_memory(bytes, size);
    free(bytes);
    return done;
}

/** An assertion is good for one request. */
static bool
make_assertion(const struct token *token, const struct dataverse_options *options,
               struct secret *ret, struct err *err)
{
    const struct assertion_source source = {
        .certificate_file = options->certificate_file,
        .password = options->certificate_password,
        .rs256 = options->assertion_rs256,
        .send_chain = options->send_certificate_chain,
    };

    return options->federated_token_file
               ? read_federated(options->federated_token_file, ret, err)
               : assertion_make(&source, options->client_id, token->endpoint, ret, err);
}

static bool
make_form(const struct token *token, const struct token_source *source, struct secret *ret,
          struct err *err)
{
    const struct dataverse_options *options = source->options;
    const bool asserts = options->certificate_file || options->federated_token_file;
    char scope[URL_ORIGIN_BYTES + 16];
    SECRET_SCOPED assertion = {0};

    if (asserts && !make_assertion(token, options, &assertion, err))
        return false;
    url_scope(source->target, scope, sizeof scope);
    const struct form_field fields[] = {
        {"grant_type", "client_credentials"},
        {"client_id", options->client_id},
        {"scope", scope},
        {"client_assertion_type", asserts ? JWT_BEARER : NULL},
        {"client_assertion", asserts ? secret_reveal(&assertion) : NULL},
        {"client_secret", asserts ? NULL : secret_reveal(options->client_secret)},
    };

    return form_write(fields, sizeof fields / sizeof fields[0], ret, err);
}

bool
grant_client(struct token *token, const struct token_source *source, struct http_exchange *exchange,
             struct err *err)
{
    SECRET_SCOPED form = {0};
    const struct http_request request = {
        .method = HTTP_POST, .url = token->endpoint, .form = &form, .plain = true, .secret = true};

    if (!authority_discover(token, source, exchange, err))
        return false;
    for (unsigned tries = 1;; tries++) {
        int64_t wait_ms;

        if (!make_form(token, source, &form, err) || !http_run(exchange, &request, err))
            return false;
        if (refusal_or_token(token, source, &exchange->answer, err))
            return true;
        if (!err->transient || tries == TRIES || !answer_wait(&exchange->answer, tries, &wait_ms))
            return false;
        clock_sleep_ms(wait_ms);
    }
}
