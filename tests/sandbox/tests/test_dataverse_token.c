#include "../../support/test.h"
#include "dataverse/assertion.h"
#include "tests/organization.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <time.h>

/** The AADSTS number that a form gets, 0 for a token. */
static int
number_of(struct organization *o, const char *form, int *ret_status)
{
    struct web_answer answer = organization_token(o, form);
    cJSON *json = cJSON_Parse(answer.body);
    const cJSON *codes = cJSON_GetObjectItem(json, "error_codes");
    const cJSON *first = cJSON_GetArrayItem(codes, 0);
    int number = cJSON_IsNumber(first) ? (int)first->valuedouble : 0;
    if (number) {
        char text[32];
        (void)snprintf(text, sizeof(text), "AADSTS%d: ", number);
        assert_non_null(strstr(cJSON_GetObjectItem(json, "error_description")->valuestring, text));
        assert_true(cJSON_IsString(cJSON_GetObjectItem(json, "trace_id")));
        assert_true(cJSON_IsString(cJSON_GetObjectItem(json, "timestamp")));
    } else {
        assert_true(cJSON_IsString(cJSON_GetObjectItem(json, "access_token")));
    }
    *ret_status = answer.status;
    cJSON_Delete(json);
    web_done(&answer);
    return number;
}

static void
each_wrong_part_has_its_own_number(void **state)
{
    static const struct {
        const char *change;
        int number, status;
    } cases[] = {
        {"", 0, 200},
        {"client_secret=wrong", 7000215, 401},
        {"client_id=00000000-0000-0000-0000-000000000000", 700016, 400},
        {"scope=https%3A%2F%2Felsewhere.crm.dynamics.com%2F.default", 500011, 400},
        {"scope=user_impersonation", 70011, 400},
        {"scope=", 70011, 400},
        {"grant_type=password", 70003, 400},
        {"scope=https%3A%2F%2Fcontoso-uat.crm4.dynamics.com%2F%2F.default", 0, 200},
    };
    struct organization *o = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int status = 0;
        char *form = organization_form(o, cases[i].change);
        assert_int_equal(number_of(o, form, &status), cases[i].number);
        assert_int_equal(status, cases[i].status);
        free(form);
    }
}

static void
a_missing_credential_and_a_wrong_tenant_are_told(void **state)
{
    struct organization *o = *state;
    char form[256];
    char id[64];
    int status = 0;
    dv_service_credential(o->service, "client_id", id, sizeof(id));
    (void)snprintf(form, sizeof(form), "grant_type=client_credentials&client_id=%s", id);
    assert_int_equal(number_of(o, form, &status), 7000218);
    assert_int_equal(status, 401);
    assert_int_equal(number_of(o, "", &status), 900144);
    (void)snprintf(o->token_path, sizeof(o->token_path), "/nowhere/oauth2/v2.0/token");
    assert_int_equal(number_of(o, form, &status), 90002);
    assert_int_equal(status, 400);
}

static void
without_a_token_the_answer_says_where_to_get_one(void **state)
{
    struct organization *o = *state;
    char challenge[512] = "";
    char wanted[256];
    struct web_answer answer = web_send(&o->web, "GET", API "WhoAmI", "", "");
    assert_int_equal(answer.status, 401);
    assert_true(web_header(&answer, "WWW-Authenticate", challenge, sizeof(challenge)));
    (void)snprintf(wanted, sizeof(wanted),
                   "authorization_uri=https://localhost:%u%.37s/oauth2/authorize",
                   (unsigned)o->web.port, o->token_path);
    assert_non_null(strstr(challenge, wanted));
    (void)snprintf(wanted, sizeof(wanted), "resource_id=https://localhost:%u/",
                   (unsigned)o->web.port);
    assert_non_null(strstr(challenge, wanted));
    web_done(&answer);
}

static void
strange_expired_and_withdrawn_tokens_are_refused(void **state)
{
    struct organization *o = *state;
    char code[32];
    char *text = NULL;
    char kept[sizeof(o->bearer)];
    assert_int_equal(organization_json(o, "GET", "WhoAmI", "", "", NULL), 200);
    memcpy(kept, o->bearer, sizeof(kept));
    char *last = o->bearer + strlen(o->bearer) - 3;
    *last = *last == 'A' ? 'B' : 'A';
    assert_int_equal(organization_error(o, "GET", "WhoAmI", "", "", code), 401);
    assert_string_equal(code, "0x80048306");
    memcpy(o->bearer, kept, sizeof(kept));
    assert_int_equal(dv_service_control(o->service, "DELETE", "tokens", "", "", &text), 200);
    free(text);
    assert_int_equal(organization_json(o, "GET", "WhoAmI", "", "", NULL), 401);
    organization_set(o, "{\"token_life_seconds\":0}");
    organization_sign_in(o);
    assert_int_equal(organization_json(o, "GET", "WhoAmI", "", "", NULL), 401);
    organization_set(o, "{\"token_life_seconds\":60}");
    organization_sign_in(o);
    assert_int_equal(organization_json(o, "GET", "WhoAmI", "", "", NULL), 200);
}

static void
a_stranger_with_a_token_is_not_a_member(void **state)
{
    struct organization *o = *state;
    char code[32];
    organization_set(o, "{\"user_known\":false}");
    assert_int_equal(organization_error(o, "GET", "WhoAmI", "", "", code), 403);
    assert_string_equal(code, "0x80072560");
}

static void
secrets_and_tokens_never_reach_the_log(void **state)
{
    struct organization *o = *state;
    char secret[128];
    int status = 0;
    size_t bytes = 0;
    char *form = organization_form(o, "client_secret=wrong-secret-text");
    (void)number_of(o, form, &status);
    free(form);
    assert_int_equal(organization_json(o, "GET", "WhoAmI", "", "", NULL), 200);
    dv_service_credential(o->service, "client_secret", secret, sizeof(secret));
    char *text = sandbox_log_text(o->log, &bytes);
    assert_non_null(strstr(text, "WhoAmI"));
    assert_non_null(strstr(text, "\"result\":\"issued\""));
    assert_non_null(strstr(text, "AADSTS7000215"));
    assert_null(strstr(text, secret));
    assert_null(strstr(text, "wrong-secret-text"));
    assert_null(strstr(text, "Bearer"));
    assert_null(strstr(text, "eyJ"));
    free(text);
}

/* ---- assertions ---- */

struct claims {
    const char *algorithm, *issuer, *audience;
    long expires;
    bool wrong_key;
};

static void
piece(char *jwt, size_t size, const void *bytes, size_t count)
{
    size_t used = strlen(jwt);
    if (used > 0)
        jwt[used++] = '.';
    dv_base64url(bytes, count, jwt + used, size - used);
}

static EVP_PKEY *
key_of(const struct organization *o, const char *file)
{
    char *text = pki_read(o->directory, file);
    BIO *bio = BIO_new_mem_buf(text, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    assert_non_null(key);
    BIO_free(bio);
    free(text);
    return key;
}

static void
thumbprint(const struct organization *o, const EVP_MD *digest, char *ret, size_t size)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned count = 0;
    char *text = pki_read(o->directory, "client.pem");
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    assert_int_equal(X509_digest(certificate, digest, bytes, &count), 1);
    dv_base64url(bytes, count, ret, size);
    X509_free(certificate);
    BIO_free(bio);
    free(text);
}

static void
sign(const struct organization *o, const struct claims *claims, char *jwt, size_t size)
{
    unsigned char signature[512];
    size_t count = sizeof(signature);
    EVP_PKEY_CTX *ctx = NULL;
    EVP_PKEY *key = key_of(o, claims->wrong_key ? "good.key" : "client.key");
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(digest, &ctx, EVP_sha256(), NULL, key), 1);
    if (strcmp(claims->algorithm, "PS256") == 0) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST), 1);
    }
    assert_int_equal(
        EVP_DigestSign(digest, signature, &count, (const unsigned char *)jwt, strlen(jwt)), 1);
    piece(jwt, size, signature, count);
    EVP_MD_CTX_free(digest);
    EVP_PKEY_free(key);
}

/** The form with a signed assertion; the caller frees. */
static char *
assertion_form(struct organization *o, const struct claims *claims)
{
    char jwt[4096] = "";
    char text[1024];
    char print[128];
    char id[64];
    char *form = NULL;
    const long now = (long)time(NULL);
    const bool pss = strcmp(claims->algorithm, "PS256") == 0;
    dv_service_credential(o->service, "client_id", id, sizeof(id));
    thumbprint(o, pss ? EVP_sha256() : EVP_sha1(), print, sizeof(print));
    (void)snprintf(text, sizeof(text), "{\"alg\":\"%s\",\"typ\":\"JWT\",\"%s\":\"%s\"}",
                   claims->algorithm, pss ? "x5t#S256" : "x5t", print);
    piece(jwt, sizeof(jwt), text, strlen(text));
    (void)snprintf(text, sizeof(text),
                   "{\"aud\":\"%s\",\"iss\":\"%s\",\"sub\":\"%s\",\"jti\":\"x1\",\"nbf\":%ld,"
                   "\"exp\":%ld}",
                   claims->audience, claims->issuer ? claims->issuer : id, id, now,
                   now + claims->expires);
    piece(jwt, sizeof(jwt), text, strlen(text));
    sign(o, claims, jwt, sizeof(jwt));
    assert_true(asprintf(&form,
                         "grant_type=client_credentials&client_id=%s&client_assertion_type="
                         "urn%%3Aietf%%3Aparams%%3Aoauth%%3Aclient-assertion-type%%3Ajwt-bearer&"
                         "client_assertion=%s&scope=https%%3A%%2F%%2Flocalhost%%3A%u%%2F.default",
                         id, jwt, (unsigned)o->web.port) > 0);
    return form;
}

static void
assertions_are_checked_whole(void **state)
{
    struct organization *o = *state;
    char audience[256];
    (void)snprintf(audience, sizeof(audience), "https://localhost:%u%s", (unsigned)o->web.port,
                   o->token_path);
    const struct {
        struct claims claims;
        int number;
    } cases[] = {
        {{"PS256", NULL, audience, 300, false}, 0},
        {{"RS256", NULL, audience, 300, false}, 0},
        {{"PS256", NULL, audience, 300, true}, 700027},
        {{"none", NULL, audience, 300, false}, 700027},
        {{"PS256", "somebody", audience, 300, false}, 700021},
        {{"PS256", NULL, "https://elsewhere.invalid", 300, false}, 700023},
        {{"PS256", NULL, audience, -600, false}, 700024},
        {{"PS256", NULL, audience, 10000000, false}, 700024},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int status = 0;
        char *form = assertion_form(o, &cases[i].claims);
        assert_int_equal(number_of(o, form, &status), cases[i].number);
        free(form);
    }
}

/* ---- device code ---- */

static void
device_path(struct organization *o, const char *last)
{
    char tenant[64];
    dv_service_credential(o->service, "tenant", tenant, sizeof(tenant));
    (void)snprintf(o->token_path, sizeof(o->token_path), "/%s/oauth2/v2.0/%s", tenant, last);
}

static void
start_device(struct organization *o, char ret_form[512])
{
    char id[64];
    char form[512];
    dv_service_credential(o->service, "client_id", id, sizeof(id));
    (void)snprintf(
        form, sizeof(form),
        "client_id=%s&scope=https%%3A%%2F%%2Flocalhost%%3A%u%%2F.default%%20offline_access", id,
        (unsigned)o->web.port);
    device_path(o, "devicecode");
    struct web_answer answer = organization_token(o, form);
    device_path(o, "token");
    cJSON *json = cJSON_Parse(answer.body);
    assert_int_equal(answer.status, 200);
    assert_true(cJSON_IsString(cJSON_GetObjectItem(json, "message")));
    (void)snprintf(ret_form, 512,
                   "grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3Adevice_code&"
                   "client_id=%s&device_code=%s",
                   id, cJSON_GetObjectItem(json, "device_code")->valuestring);
    cJSON_Delete(json);
    web_done(&answer);
}

static void
expect_error(struct organization *o, const char *form, const char *error)
{
    struct web_answer answer = organization_token(o, form);
    cJSON *json = cJSON_Parse(answer.body);
    assert_int_equal(answer.status, 400);
    assert_string_equal(cJSON_GetObjectItem(json, "error")->valuestring, error);
    cJSON_Delete(json);
    web_done(&answer);
}

static void
decide(struct organization *o, const char *what)
{
    char *text = NULL;
    assert_int_equal(dv_service_control(o->service, "POST", "device", what, "", &text), 200);
    free(text);
}

static void
a_device_code_waits_for_the_person(void **state)
{
    struct organization *o = *state;
    char form[512];
    int status = 0;
    start_device(o, form);
    expect_error(o, form, "authorization_pending");
    expect_error(o, form, "slow_down");
    decide(o, "approve");
    assert_int_equal(number_of(o, form, &status), 0);
    expect_error(o, form, "bad_verification_code");
    start_device(o, form);
    decide(o, "decline");
    expect_error(o, form, "authorization_declined");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, organization_again)
    const struct CMUnitTest tests[] = {
        TEST(each_wrong_part_has_its_own_number),
        TEST(a_missing_credential_and_a_wrong_tenant_are_told),
        TEST(without_a_token_the_answer_says_where_to_get_one),
        TEST(strange_expired_and_withdrawn_tokens_are_refused),
        TEST(a_stranger_with_a_token_is_not_a_member),
        TEST(secrets_and_tokens_never_reach_the_log),
        TEST(assertions_are_checked_whole),
        TEST(a_device_code_waits_for_the_person),
    };
    return cmocka_run_group_tests(tests, organization_group_open, organization_group_close);
}
