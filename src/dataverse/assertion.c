#include "assertion.h"

#include "base/clock.h"
#include "base/text.h"
#include "client_certificate.h"
#include "openssl_library.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    JWT_MAX_BYTES = 64 * 1024,
    CLIENT_ID_MAX_BYTES = 1024,
    AUDIENCE_MAX_BYTES = 4096,
    CERTIFICATE_MAX_BYTES = 8192,
    THUMBPRINT_BYTES = 64,
    GUID_BYTES = 37,
};

/** A JWT as far as it is written. */
struct draft {
    char text[JWT_MAX_BYTES];
    size_t size;
};

/** Unpadded base64url, a NUL behind it; returns how long it is. The caller has made room. */
static size_t
encode(const void *bytes, size_t size, char *ret)
{
    char *at = ret;

    (void)EVP_EncodeBlock((unsigned char *)at, bytes, (int)size);
    for (; *at && *at != '='; at++) {
        if (*at == '+')
            *at = '-';
        else if (*at == '/')
            *at = '_';
    }
    *at = '\0';
    return (size_t)(at - ret);
}

static bool
append_encoded(struct draft *draft, const void *bytes, size_t size, struct err *err)
{
    if (size > sizeof draft->text / 4 * 3 || (size + 2) / 3 * 4 >= sizeof draft->text - draft->size)
        return err_set(err, ERR_CONFIG, "the certificate's chain is too long for an assertion");
    draft->size += encode(bytes, size, draft->text + draft->size);
    return true;
}

static bool
append_point(struct draft *draft, struct err *err)
{
    if (draft->size + 1 >= sizeof draft->text)
        return err_set(err, ERR_CONFIG, "the certificate's chain is too long for an assertion");
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

/** Plain base64 of the DER bytes, as x5c has it. */
static bool
add_certificate(cJSON *list, X509 *certificate, struct err *err)
{
    unsigned char *der = NULL;
    const int size = i2d_X509(certificate, &der);
    TEXT_SCOPED text = {0};
    cJSON *item;

    if (size <= 0 || size > CERTIFICATE_MAX_BYTES) {
        OPENSSL_free(der);
        return err_set(err, ERR_CONFIG, "a certificate of the chain is too large");
    }
    text_append_base64(&text, der, (size_t)size);
    OPENSSL_free(der);
    item = text_ok(&text, err) ? cJSON_CreateString(text_string(&text)) : NULL;
    return (item && cJSON_AddItemToArray(list, item)) ||
           err_set(err, ERR_INTERNAL, "out of memory");
}

/** Who of the file issued this one; NULL when none did, or it did so itself. */
static X509 *
issuer_of(X509 *certificate, const STACK_OF(X509) * others)
{
    if (X509_check_issued(certificate, certificate) == X509_V_OK)
        return NULL;
    for (int i = 0; i < sk_X509_num(others); i++)
        if (X509_check_issued(sk_X509_value(others, i), certificate) == X509_V_OK)
            return sk_X509_value(others, i);
    return NULL;
}

/** Leaf first, then each one's issuer. */
static bool
add_chain(cJSON *header, const struct certificate_pair *pair, struct err *err)
{
    cJSON *list = cJSON_AddArrayToObject(header, "x5c");
    X509 *certificate = pair->certificate;

    if (!list)
        return err_set(err, ERR_INTERNAL, "out of memory");
    for (int i = 0; certificate && i < CERTIFICATES_MAX; i++) {
        if (!add_certificate(list, certificate, err))
            return false;
        certificate = issuer_of(certificate, pair->others);
    }
    return true;
}

static bool
append_header(struct draft *draft, const struct assertion_source *source,
              const struct certificate_pair *pair, struct err *err)
{
    const EVP_MD *kind = source->rs256 ? EVP_sha1() : EVP_sha256();
    unsigned char digest[EVP_MAX_MD_SIZE];
    char thumbprint[THUMBPRINT_BYTES];
    unsigned size = 0;
    cJSON *json;
    bool complete;

    if (X509_digest(pair->certificate, kind, digest, &size) != 1)
        return err_set(err, ERR_INTERNAL, "OpenSSL cannot make a thumbprint");
    encode(digest, size, thumbprint);
    json = cJSON_CreateObject();
    complete = cJSON_AddStringToObject(json, "alg", source->rs256 ? "RS256" : "PS256") &&
               cJSON_AddStringToObject(json, "typ", "JWT") &&
               cJSON_AddStringToObject(json, source->rs256 ? "x5t" : "x5t#S256", thumbprint);
    if (complete && source->send_chain && !add_chain(json, pair, err)) {
        cJSON_Delete(json);
        return false;
    }
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

static bool
set_padding(EVP_PKEY_CTX *options, bool rs256)
{
    if (rs256)
        return EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PADDING) == 1;
    return EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
}

/** Sign what there is and append the signature. */
static bool
append_signature(struct draft *draft, EVP_PKEY *key, bool rs256, struct err *err)
{
    const unsigned char *text = (const unsigned char *)draft->text;
    unsigned char signature[SIGNATURE_MAX_BYTES];
    size_t size = 0;
    EVP_PKEY_CTX *options = NULL; /* belongs to the digest */
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    const bool done =
        digest && EVP_DigestSignInit(digest, &options, EVP_sha256(), NULL, key) == 1 &&
        set_padding(options, rs256) &&
        EVP_DigestSign(digest, NULL, &size, text, draft->size) == 1 && size <= sizeof signature &&
        EVP_DigestSign(digest, signature, &size, text, draft->size) == 1;

    EVP_MD_CTX_free(digest);
    if (!done)
        return err_set(err, ERR_INTERNAL, "OpenSSL cannot sign the client assertion");
    return append_point(draft, err) && append_encoded(draft, signature, size, err);
}

static bool
check_names(const char *client_id, const char *audience, struct err *err)
{
    if (strlen(client_id) > CLIENT_ID_MAX_BYTES)
        return err_set(err, ERR_CONFIG, "the client id is too long for an assertion");
    return strlen(audience) <= AUDIENCE_MAX_BYTES ||
           err_set(err, ERR_CONFIG, "the authority is too long for an assertion");
}

static bool
write_draft(struct draft *draft, const struct assertion_source *source,
            const struct certificate_pair *pair, const char *const names[2], struct err *err)
{
    return append_header(draft, source, pair, err) && append_point(draft, err) &&
           append_claims(draft, names[0], names[1], err) &&
           append_signature(draft, pair->key, source->rs256, err);
}

bool
assertion_make(const struct assertion_source *source, const char *client_id, const char *audience,
               struct secret *ret, struct err *err)
{
    const char *const names[2] = {client_id, audience};
    struct certificate_pair pair = {0};
    struct draft *draft;
    bool done;

    assert(source && source->certificate_file && client_id && audience && ret && err);
    if (!check_names(client_id, audience, err) ||
        !certificate_load(source->certificate_file, source->password, &pair, err))
        return false;
    draft = calloc(1, sizeof *draft);
    done = draft ? write_draft(draft, source, &pair, names, err) &&
                       secret_set(ret, draft->text, draft->size, err)
                 : err_set(err, ERR_INTERNAL, "out of memory");
    certificate_done(&pair);
    if (draft)
        secret_clear_memory(draft, sizeof *draft);
    free(draft);
    ERR_clear_error();
    return done;
}
