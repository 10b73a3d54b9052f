#include "assertion.h"

#include "base/clock.h"
#include "base/file.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    FILE_MAX_BYTES = 64 * 1024,
    JWT_MAX_BYTES = 8192,
    SIGNATURE_MAX_BYTES = 2048,
    KEY_MIN_BITS = 2048,
    CERTIFICATES_MAX = 16,
    GUID_BYTES = 37,
    DATE_BYTES = 16,
};

/** A key and the certificate that belongs to it. */
struct pair {
    EVP_PKEY *key;
    X509 *certificate;
};

/** A JWT as far as it is written. */
struct draft {
    char text[JWT_MAX_BYTES];
    size_t size;
};

/** Nobody is asked for a password: there is none. */
static int
no_password(char *ret, int size, int writing, void *ctx)
{
    if (size > 0)
        ret[0] = '\0';
    (void)writing;
    (void)ctx;
    return -1;
}

static bool
load_key(const char *path, const char *pem, size_t size, struct pair *pair, struct err *err)
{
    BIO *bio = BIO_new_mem_buf(pem, (int)size);

    if (!bio)
        return err_set(err, ERR_INTERNAL, "out of memory");
    pair->key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    BIO_free(bio);
    if (pair->key)
        return true;
    if (strstr(pem, "ENCRYPTED")) {
        (void)err_set(err, ERR_CONFIG, "the private key in %s has a password", path);
        return err_hint(err, "Write it without one (openssl pkey) into a file of owner-only mode, "
                             "with the certificate.");
    }
    (void)err_set(err, ERR_CONFIG, "%s holds no private key that can be read", path);
    return err_hint(err, "The file must hold key and certificate, both as PEM; a PFX file is "
                         "converted with openssl pkcs12 -nodes.");
}

static bool
check_key(const char *path, const EVP_PKEY *key, struct err *err)
{
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
        (void)err_set(err, ERR_CONFIG, "the private key in %s is not an RSA key", path);
        return err_hint(err, "Register a certificate with an RSA key of 2048 bits or more.");
    }
    if (EVP_PKEY_get_bits(key) < KEY_MIN_BITS || EVP_PKEY_get_size(key) > SIGNATURE_MAX_BYTES) {
        (void)err_set(err, ERR_CONFIG, "the RSA key in %s has %d bits", path,
                      EVP_PKEY_get_bits(key));
        return err_hint(err, "Register a certificate with a key of 2048 to 16384 bits.");
    }
    return true;
}

/** The certificate of the key, among those of a chain. */
static bool
load_certificate(const char *path, const char *pem, size_t size, struct pair *pair, struct err *err)
{
    BIO *bio = BIO_new_mem_buf(pem, (int)size);
    int seen = 0;

    if (!bio)
        return err_set(err, ERR_INTERNAL, "out of memory");
    while (!pair->certificate && seen < CERTIFICATES_MAX) {
        X509 *certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL);

        if (!certificate)
            break;
        seen++;
        if (X509_check_private_key(certificate, pair->key) == 1)
            pair->certificate = certificate;
        else
            X509_free(certificate);
    }
    BIO_free(bio);
    if (pair->certificate)
        return true;
    if (seen == 0) {
        (void)err_set(err, ERR_CONFIG, "%s holds no certificate that can be read", path);
        return err_hint(err, "The file must hold key and certificate, both as PEM.");
    }
    (void)err_set(err, ERR_CONFIG, "the private key in %s does not belong to its certificate",
                  path);
    return err_hint(err, "Put the key that the certificate was made with into the file.");
}

static void
show_date(const ASN1_TIME *time, char ret[DATE_BYTES])
{
    struct tm parts = {0};

    if (ASN1_TIME_to_tm(time, &parts) != 1 || strftime(ret, DATE_BYTES, "%Y-%m-%d", &parts) == 0)
        (void)snprintf(ret, DATE_BYTES, "an unknown day");
}

static bool
check_dates(const char *path, const X509 *certificate, struct err *err)
{
    const ASN1_TIME *begin = X509_get0_notBefore(certificate);
    const ASN1_TIME *end = X509_get0_notAfter(certificate);
    char date[DATE_BYTES];

    /* 0 is a time that cannot be read. */
    if (X509_cmp_current_time(begin) >= 0) {
        show_date(begin, date);
        (void)err_set(err, ERR_CONFIG, "the certificate in %s is not valid before %s", path, date);
        return err_hint(err, "Check this machine's clock.");
    }
    if (X509_cmp_current_time(end) <= 0) {
        show_date(end, date);
        (void)err_set(err, ERR_CONFIG, "the certificate in %s has expired on %s", path, date);
        return err_hint(err, "Make a new certificate and register it with the application.");
    }
    return true;
}

static void
pair_free(struct pair *pair)
{
    EVP_PKEY_free(pair->key);
    X509_free(pair->certificate);
    *pair = (struct pair){0};
}

static bool
pair_load(const char *path, struct pair *ret, struct err *err)
{
    struct pair pair = {0};
    char *pem = NULL;
    size_t size = 0;
    bool done;

    if (!file_read(path, FILE_MAX_BYTES, &pem, &size, err))
        return err_wrap(err, "client certificate");
    done = load_key(path, pem, size, &pair, err) && check_key(path, pair.key, err) &&
           load_certificate(path, pem, size, &pair, err) &&
           check_dates(path, pair.certificate, err);
    secret_clear_memory(pem, size);
    free(pem);
    if (done)
        *ret = pair;
    else
        pair_free(&pair);
    return done;
}

/** Append unpadded base64url. */
static bool
append_encoded(struct draft *draft, const void *bytes, size_t size, struct err *err)
{
    char *at = draft->text + draft->size;

    if (size > sizeof draft->text / 4 * 3 || (size + 2) / 3 * 4 >= sizeof draft->text - draft->size)
        return err_set(err, ERR_CONFIG, "the client id is too long for an assertion");
    (void)EVP_EncodeBlock((unsigned char *)at, bytes, (int)size);
    for (; *at && *at != '='; at++) {
        if (*at == '+')
            *at = '-';
        else if (*at == '/')
            *at = '_';
    }
    *at = '\0';
    draft->size = (size_t)(at - draft->text);
    return true;
}

static bool
append_point(struct draft *draft, struct err *err)
{
    if (draft->size + 1 >= sizeof draft->text)
        return err_set(err, ERR_CONFIG, "the client id is too long for an assertion");
    draft->text[draft->size++] = '.';
    draft->text[draft->size] = '\0';
    return true;
}

/** Append a JSON object, which is freed. */
static bool
append_json(struct draft *draft, cJSON *json, bool complete, struct err *err)
{
    char *text = complete ? cJSON_PrintUnformatted(json) : NULL;
    const bool done = text ? append_encoded(draft, text, strlen(text), err)
                           : err_set(err, ERR_INTERNAL, "out of memory");

    cJSON_free(text);
    cJSON_Delete(json);
    return done;
}

static bool
append_header(struct draft *draft, const X509 *certificate, struct err *err)
{
    struct draft thumbprint = {.size = 0};
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    cJSON *json;
    bool complete;

    if (X509_digest(certificate, EVP_sha256(), digest, &size) != 1)
        return err_set(err, ERR_INTERNAL, "OpenSSL cannot make a thumbprint");
    if (!append_encoded(&thumbprint, digest, size, err))
        return false;
    json = cJSON_CreateObject();
    complete = cJSON_AddStringToObject(json, "alg", "PS256") &&
               cJSON_AddStringToObject(json, "typ", "JWT") &&
               cJSON_AddStringToObject(json, "x5t#S256", thumbprint.text);
    return append_json(draft, json, complete, err);
}

/** A random GUID (version 4). */
static bool
make_guid(char ret[GUID_BYTES], struct err *err)
{
    unsigned char b[16];

    if (RAND_bytes(b, sizeof b) != 1)
        return err_set(err, ERR_INTERNAL, "OpenSSL has no random numbers");
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
    (void)snprintf(ret, GUID_BYTES,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
    return true;
}

static bool
append_claims(struct draft *draft, const char *client_id, const char *audience, struct err *err)
{
    const int64_t now_s = clock_utc_ms() / 1000;
    char guid[GUID_BYTES];
    cJSON *json;
    bool complete;

    if (!make_guid(guid, err))
        return false;
    json = cJSON_CreateObject();
    complete = cJSON_AddStringToObject(json, "aud", audience) &&
               cJSON_AddStringToObject(json, "iss", client_id) &&
               cJSON_AddStringToObject(json, "sub", client_id) &&
               cJSON_AddStringToObject(json, "jti", guid) &&
               cJSON_AddNumberToObject(json, "nbf", (double)now_s) &&
               cJSON_AddNumberToObject(json, "iat", (double)now_s) &&
               cJSON_AddNumberToObject(json, "exp", (double)(now_s + ASSERTION_LIFE_S));
    return append_json(draft, json, complete, err);
}

/** Sign what there is and append the signature. */
static bool
append_signature(struct draft *draft, EVP_PKEY *key, struct err *err)
{
    const unsigned char *text = (const unsigned char *)draft->text;
    unsigned char signature[SIGNATURE_MAX_BYTES];
    size_t size = 0;
    EVP_PKEY_CTX *options = NULL; /* belongs to the digest */
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    const bool done =
        digest && EVP_DigestSignInit(digest, &options, EVP_sha256(), NULL, key) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
        EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1 &&
        EVP_DigestSign(digest, NULL, &size, text, draft->size) == 1 && size <= sizeof signature &&
        EVP_DigestSign(digest, signature, &size, text, draft->size) == 1;

    EVP_MD_CTX_free(digest);
    if (!done)
        return err_set(err, ERR_INTERNAL, "OpenSSL cannot sign the client assertion");
    return append_point(draft, err) && append_encoded(draft, signature, size, err);
}

bool
assertion_make(const char *path, const char *client_id, const char *audience, struct secret *ret,
               struct err *err)
{
    struct draft draft = {.size = 0};
    struct pair pair = {0};
    bool done;

    assert(path && client_id && audience && ret && err);
    done = pair_load(path, &pair, err) && append_header(&draft, pair.certificate, err) &&
           append_point(&draft, err) && append_claims(&draft, client_id, audience, err) &&
           append_signature(&draft, pair.key, err) && secret_set(ret, draft.text, draft.size, err);
    pair_free(&pair);
    secret_clear_memory(&draft, sizeof draft);
    /* libcurl's TLS on this thread must not find what was tried here in OpenSSL's queue. */
    ERR_clear_error();
    return done;
}
