#include "../../../src/dataverse/assertion.h"
#include "../../../src/dataverse/client_certificate.h"
#include "base/text.h"
#include "scratch.h"

#include <cjson/cJSON.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <time.h>

#define AUDIENCE "https://login.example/T/oauth2/v2.0/token"
#define CLIENT "11112222-3333-4444-5555-666677778888"

enum { DAY_S = 24 * 3600, KEYS = 2 };

static EVP_PKEY *keys[KEYS];
static char folder[PATH_MAX], path[PATH_MAX];

static int
make_all(void **state)
{
    (void)state;
    scratch_make(folder);
    (void)scratch_path(folder, "client.pem", path);
    for (size_t i = 0; i < KEYS; i++)
        keys[i] = EVP_RSA_gen(2048);
    return keys[0] && keys[1] ? 0 : -1;
}

static int
remove_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYS; i++)
        EVP_PKEY_free(keys[i]);
    scratch_remove(folder);
    return 0;
}

/** A certificate of its own making, valid between these seconds from now. */
static X509 *
certify(EVP_PKEY *key, long begin_s, long end_s)
{
    X509 *certificate = X509_new();
    X509_NAME *name;

    assert_non_null(certificate);
    name = X509_get_subject_name(certificate);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"dwclean test", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(certificate, name), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), begin_s));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), end_s));
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

/** Write the file: a key, certificates, or both; NULL = left out. */
static void
put(EVP_PKEY *key, const char *password, X509 *first, X509 *second)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(chmod(path, 0600), 0);
    if (first)
        assert_int_equal(PEM_write_X509(file, first), 1);
    if (key)
        assert_int_equal(PEM_write_PKCS8PrivateKey(file, key, password ? EVP_aes_128_cbc() : NULL,
                                                   password, password ? (int)strlen(password) : 0,
                                                   NULL, NULL),
                         1);
    if (second)
        assert_int_equal(PEM_write_X509(file, second), 1);
    assert_int_equal(fclose(file), 0);
}

static bool
sign(const char *client, struct secret *ret, struct err *err)
{
    const struct assertion_source source = {.certificate_file = path};

    return assertion_make(&source, client, AUDIENCE, ret, err);
}

static void
make(struct secret *ret)
{
    struct err err = {0};

    if (!sign(CLIENT, ret, &err))
        fail_msg("%s | %s", err.primary, err.hint);
    assert_int_equal(ERR_peek_error(), 0);
}

/** Bytes of unpadded base64url; malloc'd. */
static unsigned char *
decode(const char *text, size_t size, size_t *ret_size)
{
    TEXT_SCOPED plain = {0};
    unsigned char *bytes = NULL;

    for (size_t i = 0; i < size; i++) {
        assert_true(text[i] && !strchr("+/=", text[i]));
        text_append_bytes(&plain, text[i] == '-' ? "+" : text[i] == '_' ? "/" : text + i, 1);
    }
    while (size++ % 4 != 0)
        text_append(&plain, "=");
    assert_true(
        text_decode_base64(text_string(&plain), strlen(text_string(&plain)), &bytes, ret_size));
    return bytes;
}

static cJSON *
decode_json(const char *text, size_t size)
{
    size_t count = 0;
    unsigned char *bytes = decode(text, size, &count);
    cJSON *json = cJSON_ParseWithLength((const char *)bytes, count);

    free(bytes);
    assert_true(cJSON_IsObject(json));
    return json;
}

static const char *
text_of(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

    if (!cJSON_IsString(item))
        fail_msg("no text %s", name);
    return item ? item->valuestring : "";
}

static double
number_of(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

    if (!cJSON_IsNumber(item))
        fail_msg("no number %s", name);
    return item ? item->valuedouble : 0;
}

static bool
is_signed_by(const char *jwt, EVP_PKEY *key)
{
    const char *point = strrchr(jwt, '.');
    size_t size = 0;
    unsigned char *signature;
    EVP_PKEY_CTX *options = NULL;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    int verdict;

    assert_non_null(point);
    signature = decode(point + 1, strlen(point + 1), &size);
    assert_int_equal(EVP_DigestVerifyInit(digest, &options, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, 32), 1);
    verdict = EVP_DigestVerify(digest, signature, size, (const unsigned char *)jwt,
                               (size_t)(point - jwt));
    EVP_MD_CTX_free(digest);
    free(signature);
    ERR_clear_error();
    return verdict == 1;
}

static void
the_header_names_algorithm_and_certificate(void **state)
{
    SECRET_SCOPED jwt = {0};
    X509 *certificate = certify(keys[0], -DAY_S, DAY_S);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_size = 0;
    unsigned char *bytes;
    size_t size = 0;
    cJSON *header;

    (void)state;
    put(keys[0], NULL, NULL, certificate);
    make(&jwt);
    header = decode_json(secret_reveal(&jwt), strcspn(secret_reveal(&jwt), "."));
    assert_int_equal(cJSON_GetArraySize(header), 3);
    assert_string_equal(text_of(header, "alg"), "PS256");
    assert_string_equal(text_of(header, "typ"), "JWT");
    bytes = decode(text_of(header, "x5t#S256"), strlen(text_of(header, "x5t#S256")), &size);
    assert_int_equal(X509_digest(certificate, EVP_sha256(), digest, &digest_size), 1);
    assert_int_equal(size, digest_size);
    assert_memory_equal(bytes, digest, size);
    free(bytes);
    cJSON_Delete(header);
    X509_free(certificate);
}

static cJSON *
claims_of(const struct secret *jwt)
{
    const char *at = strchr(secret_reveal(jwt), '.');

    assert_non_null(at);
    return decode_json(at + 1, strcspn(at + 1, "."));
}

static void
the_claims_are_fresh_and_short_lived(void **state)
{
    SECRET_SCOPED jwt = {0};
    SECRET_SCOPED next = {0};
    X509 *certificate = certify(keys[0], -DAY_S, DAY_S);
    const double now = (double)time(NULL);
    cJSON *claims;
    cJSON *other;

    (void)state;
    put(keys[0], NULL, NULL, certificate);
    make(&jwt);
    make(&next);
    claims = claims_of(&jwt);
    other = claims_of(&next);
    assert_int_equal(cJSON_GetArraySize(claims), 7);
    assert_string_equal(text_of(claims, "aud"), AUDIENCE);
    assert_string_equal(text_of(claims, "iss"), CLIENT);
    assert_string_equal(text_of(claims, "sub"), CLIENT);
    assert_true(number_of(claims, "iat") >= now - 1 && number_of(claims, "iat") <= now + 30);
    assert_true(number_of(claims, "nbf") == number_of(claims, "iat"));
    assert_true(number_of(claims, "exp") == number_of(claims, "iat") + ASSERTION_LIFE_S);
    assert_int_equal(strlen(text_of(claims, "jti")), 36);
    assert_int_equal(text_of(claims, "jti")[14], '4');
    assert_string_not_equal(text_of(claims, "jti"), text_of(other, "jti"));
    cJSON_Delete(claims);
    cJSON_Delete(other);
    X509_free(certificate);
}

static void
names_with_quotes_stay_inside_their_claim(void **state)
{
    SECRET_SCOPED jwt = {0};
    X509 *certificate = certify(keys[0], -DAY_S, DAY_S);
    struct err err = {0};
    cJSON *claims;

    (void)state;
    put(keys[0], NULL, NULL, certificate);
    assert_true(sign("a\",\"aud\":\"b", &jwt, &err));
    claims = claims_of(&jwt);
    assert_string_equal(text_of(claims, "iss"), "a\",\"aud\":\"b");
    assert_string_equal(text_of(claims, "aud"), AUDIENCE);
    cJSON_Delete(claims);
    X509_free(certificate);
}

static void
the_signature_is_the_keys(void **state)
{
    SECRET_SCOPED jwt = {0};
    X509 *certificate = certify(keys[0], -DAY_S, DAY_S);
    char *spoiled;

    (void)state;
    put(keys[0], NULL, NULL, certificate);
    make(&jwt);
    assert_true(is_signed_by(secret_reveal(&jwt), keys[0]));
    assert_false(is_signed_by(secret_reveal(&jwt), keys[1]));
    spoiled = strdup(secret_reveal(&jwt));
    assert_non_null(spoiled);
    spoiled[10] = spoiled[10] == 'A' ? 'B' : 'A';
    assert_false(is_signed_by(spoiled, keys[0]));
    free(spoiled);
    X509_free(certificate);
}

static void
key_and_certificate_stand_in_any_order_and_a_chain(void **state)
{
    X509 *own = certify(keys[0], -DAY_S, DAY_S);
    X509 *other = certify(keys[1], -DAY_S, DAY_S);
    X509 *const orders[][2] = {{own, NULL}, {NULL, own}, {own, other}, {other, own}};

    (void)state;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        SECRET_SCOPED jwt = {0};

        put(keys[0], NULL, orders[i][0], orders[i][1]);
        make(&jwt);
        assert_true(is_signed_by(secret_reveal(&jwt), keys[0]));
    }
    X509_free(own);
    X509_free(other);
}

/** The file as it is now must be refused; `ret` is not touched. */
static void
expect_refusal(const char *why)
{
    struct secret jwt = {0};
    struct err err = {0};

    if (sign(CLIENT, &jwt, &err))
        fail_msg("signed, although: %s", why);
    assert_false(secret_is_set(&jwt));
    assert_int_equal(err.code, ERR_CONFIG);
    if (!strstr(err.primary, why))
        fail_msg("\"%s\" does not say: %s", err.primary, why);
    if (!strstr(err.primary, path))
        fail_msg("\"%s\" does not name the file", err.primary);
    assert_true(err.hint[0] || strstr(why, "open"));
    assert_int_equal(ERR_peek_error(), 0);
}

static void
a_file_without_a_usable_pair_is_refused(void **state)
{
    static const char half[] = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n";
    X509 *own = certify(keys[0], -DAY_S, DAY_S);
    X509 *other = certify(keys[1], -DAY_S, DAY_S);

    (void)state;
    (void)unlink(path);
    expect_refusal("open");
    scratch_write(path, "", 0);
    expect_refusal("no private key");
    scratch_write(path, "\0\xFFnot PEM", 9);
    expect_refusal("no private key");
    scratch_write(path, half, sizeof half - 1);
    expect_refusal("no private key");
    put(NULL, NULL, own, NULL);
    expect_refusal("no private key");
    put(keys[0], NULL, NULL, NULL);
    expect_refusal("no certificate");
    put(keys[0], "pass", NULL, own);
    expect_refusal("has a password");
    put(keys[0], NULL, NULL, other);
    expect_refusal("does not belong");
    X509_free(own);
    X509_free(other);
}

static void
a_certificate_out_of_its_time_is_refused(void **state)
{
    X509 *late = certify(keys[0], -2L * DAY_S, -60);
    X509 *early = certify(keys[0], 3600, DAY_S);

    (void)state;
    put(keys[0], NULL, NULL, late);
    expect_refusal("has expired on 20");
    put(keys[0], NULL, NULL, early);
    expect_refusal("is not valid before 20");
    X509_free(late);
    X509_free(early);
}

static void
a_key_that_is_small_or_not_rsa_is_refused(void **state)
{
    EVP_PKEY *small = EVP_RSA_gen(1024);
    EVP_PKEY *curve = EVP_EC_gen("P-256");
    X509 *of_small = certify(small, -DAY_S, DAY_S);
    X509 *of_curve = certify(curve, -DAY_S, DAY_S);

    (void)state;
    put(small, NULL, NULL, of_small);
    expect_refusal("has 1024 bits");
    put(curve, NULL, NULL, of_curve);
    expect_refusal("not an RSA key");
    X509_free(of_small);
    X509_free(of_curve);
    EVP_PKEY_free(small);
    EVP_PKEY_free(curve);
}

static void
sizes_have_an_end(void **state)
{
    static char huge[100 * 1024];
    X509 *certificate = certify(keys[0], -DAY_S, DAY_S);
    struct secret jwt = {0};
    struct err err = {0};

    (void)state;
    put(keys[0], NULL, NULL, certificate);
    for (size_t size = 2000; size < 7000; size += 97) {
        memset(huge, 'c', size);
        huge[size] = '\0';
        if (sign(huge, &jwt, &err))
            assert_true(is_signed_by(secret_reveal(&jwt), keys[0]));
        else
            assert_non_null(strstr(err.primary, "too long"));
    }
    assert_int_equal(err.code, ERR_CONFIG); /* the last ones were */
    secret_wipe(&jwt);
    memset(huge, ' ', sizeof huge);
    scratch_write(path, huge, sizeof huge);
    assert_false(sign(CLIENT, &jwt, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    X509_free(certificate);
}

/** PKCS #12 with these passwords ("" and NULL are two different ones). */
static void
put_box(const char *password, X509 *certificate)
{
    PKCS12 *box = PKCS12_create(password, NULL, keys[0], certificate, NULL, 0, 0, 0, 0, 0);
    FILE *file = fopen(path, "we");

    assert_non_null(box);
    assert_non_null(file);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(i2d_PKCS12_fp(file, box), 1);
    assert_int_equal(fclose(file), 0);
    PKCS12_free(box);
}

/** Signs with this password (NULL = none), or says why not. */
static void
expect_with_password(const char *given, const char *why)
{
    SECRET_SCOPED jwt = {0};
    SECRET_SCOPED password = {0};
    const struct assertion_source source = {.certificate_file = path, .password = &password};
    struct err err = {0};

    if (given)
        assert_true(secret_set(&password, given, strlen(given), &err));
    if (assertion_make(&source, CLIENT, AUDIENCE, &jwt, &err)) {
        assert_null(why);
        assert_true(is_signed_by(secret_reveal(&jwt), keys[0]));
    } else if (!why || !strstr(err.primary, why) || err.code != ERR_CONFIG) {
        fail_msg("%s", err.primary);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void
expect_wanted(bool wanted)
{
    bool found = !wanted;
    struct err err = {0};

    assert_true(certificate_wants_password(path, &found, &err));
    assert_int_equal(found, wanted);
    assert_int_equal(ERR_peek_error(), 0);
}

static void
a_password_opens_a_key_and_a_pfx_file(void **state)
{
    X509 *certificate = certify(keys[0], -DAY_S, DAY_S);

    (void)state;
    put(keys[0], "pass", NULL, certificate);
    expect_wanted(true);
    expect_with_password("pass", NULL);
    expect_with_password("wrong", "the password does not open");
    expect_with_password(NULL, "has a password");
    put_box("pass", certificate);
    expect_wanted(true);
    expect_with_password("pass", NULL);
    expect_with_password("wrong", "the password does not open");
    expect_with_password(NULL, "has a password");
    put_box("", certificate);
    expect_wanted(false);
    expect_with_password(NULL, NULL);
    put_box(NULL, certificate);
    expect_wanted(false);
    expect_with_password(NULL, NULL);
    put(keys[0], NULL, NULL, certificate);
    expect_wanted(false);
    expect_with_password("not needed", NULL);
    X509_free(certificate);
}

static void
a_pfx_file_that_is_cut_short_is_refused(void **state)
{
    X509 *certificate = certify(keys[0], -DAY_S, DAY_S);
    char *bytes;
    size_t size = 0;

    (void)state;
    put_box("pass", certificate);
    bytes = scratch_read(path, &size);
    for (size_t cut = 1; cut < size; cut += size / 16) {
        scratch_write(path, bytes, cut);
        expect_with_password("pass", "");
    }
    free(bytes);
    X509_free(certificate);
}

static void
a_file_that_others_may_read_is_refused_at_each_use(void **state)
{
    X509 *certificate = certify(keys[0], -DAY_S, DAY_S);

    (void)state;
    put(keys[0], NULL, NULL, certificate);
    expect_with_password(NULL, NULL);
    assert_int_equal(chmod(path, 0640), 0);
    expect_with_password(NULL, "others may use");
    X509_free(certificate);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_names_algorithm_and_certificate),
        cmocka_unit_test(the_claims_are_fresh_and_short_lived),
        cmocka_unit_test(names_with_quotes_stay_inside_their_claim),
        cmocka_unit_test(the_signature_is_the_keys),
        cmocka_unit_test(key_and_certificate_stand_in_any_order_and_a_chain),
        cmocka_unit_test(a_file_without_a_usable_pair_is_refused),
        cmocka_unit_test(a_certificate_out_of_its_time_is_refused),
        cmocka_unit_test(a_key_that_is_small_or_not_rsa_is_refused),
        cmocka_unit_test(sizes_have_an_end),
        cmocka_unit_test(a_password_opens_a_key_and_a_pfx_file),
        cmocka_unit_test(a_pfx_file_that_is_cut_short_is_refused),
        cmocka_unit_test(a_file_that_others_may_read_is_refused_at_each_use),
    };

    return cmocka_run_group_tests_name("assertion", tests, make_all, remove_all);
}
