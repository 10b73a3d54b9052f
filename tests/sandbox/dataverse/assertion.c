#include "dataverse/assertion.h"

#include <cjson/cJSON.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PIECE_MAX = 8192, BAD_JWT = 50027, BAD_SIGNATURE = 700027, BAD_ISSUER = 700021 };
enum { BAD_AUDIENCE = 700023, BAD_TIME = 700024, LIFE_MAX_SECONDS = 24 * 3600, SKEW_SECONDS = 300 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
dv_base64url(const unsigned char *bytes, size_t count, char *ret, size_t size)
{
    size_t out = 0;
    for (size_t i = 0; i < count; i += 3) {
        unsigned group = (unsigned)bytes[i] << 16;
        size_t digits = 2;
        if (i + 1 < count) {
            group |= (unsigned)bytes[i + 1] << 8;
            digits = 3;
        }
        if (i + 2 < count) {
            group |= bytes[i + 2];
            digits = 4;
        }
        for (size_t k = 0; k < digits && out + 1 < size; k++)
            ret[out++] = alphabet[group >> (18 - 6 * k) & 63];
    }
    ret[out] = '\0';
}

/** -1 when a character does not belong there or the place is too small. */
static long
base64url_decode(const char *text, size_t count, unsigned char *ret, size_t size)
{
    unsigned group = 0;
    unsigned bits = 0;
    size_t out = 0;
    for (size_t i = 0; i < count; i++) {
        const char *digit = text[i] ? strchr(alphabet, text[i]) : NULL;
        if (!digit)
            return -1;
        group = group << 6 | (unsigned)(digit - alphabet);
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        if (out == size)
            return -1;
        ret[out++] = (unsigned char)(group >> bits & 0xFF);
    }
    return (long)out;
}

struct jwt {
    size_t signed_bytes; /* header "." claims */
    cJSON *header, *claims;
    unsigned char signature[PIECE_MAX];
    size_t signature_bytes;
};

static cJSON *
decode_object(const char *text, size_t count)
{
    unsigned char bytes[PIECE_MAX];
    long length = base64url_decode(text, count, bytes, sizeof(bytes));
    return length < 0 ? NULL : cJSON_ParseWithLength((const char *)bytes, (size_t)length);
}

static bool
split(const char *text, struct jwt *ret)
{
    const char *first = strchr(text, '.');
    const char *second = first ? strchr(first + 1, '.') : NULL;
    if (!second)
        return false;
    ret->signed_bytes = (size_t)(second - text);
    ret->header = decode_object(text, (size_t)(first - text));
    ret->claims = decode_object(first + 1, (size_t)(second - first - 1));
    long length =
        base64url_decode(second + 1, strlen(second + 1), ret->signature, sizeof(ret->signature));
    ret->signature_bytes = length < 0 ? 0 : (size_t)length;
    return cJSON_IsObject(ret->header) && cJSON_IsObject(ret->claims) && length > 0;
}

bool
dv_assertion_names_certificate(const char *jwt)
{
    cJSON *header = decode_object(jwt, strcspn(jwt, "."));
    const bool names = cJSON_GetObjectItemCaseSensitive(header, "x5t") ||
                       cJSON_GetObjectItemCaseSensitive(header, "x5t#S256");
    cJSON_Delete(header);
    return names;
}

cJSON *
dv_assertion_claims(const char *jwt)
{
    const char *first = strchr(jwt, '.');
    const char *second = first ? strchr(first + 1, '.') : NULL;
    return second ? decode_object(first + 1, (size_t)(second - first - 1)) : NULL;
}

static bool
text_is(const cJSON *object, const char *name, const char *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) && strcmp(item->valuestring, value) == 0;
}

static bool
thumbprint_is(const struct jwt *jwt, X509 *certificate, const char *name, const EVP_MD *digest)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned count = 0;
    char text[128];
    if (X509_digest(certificate, digest, bytes, &count) != 1)
        return false;
    dv_base64url(bytes, count, text, sizeof(text));
    return text_is(jwt->header, name, text);
}

static bool
verify(const char *text, const struct jwt *jwt, EVP_PKEY *key, bool pss)
{
    EVP_PKEY_CTX *ctx = NULL;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool ok = digest && EVP_DigestVerifyInit(digest, &ctx, EVP_sha256(), NULL, key) == 1;
    if (ok && pss)
        ok = EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    ok = ok && EVP_DigestVerify(digest, jwt->signature, jwt->signature_bytes,
                                (const unsigned char *)text, jwt->signed_bytes) == 1;
    EVP_MD_CTX_free(digest);
    return ok;
}

static bool
signature_holds(const char *text, const struct jwt *jwt, const char *certificate_pem)
{
    BIO *bio = BIO_new_mem_buf(certificate_pem, -1);
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = certificate ? X509_get0_pubkey(certificate) : NULL;
    bool ok = false;
    if (key && text_is(jwt->header, "alg", "PS256"))
        ok = thumbprint_is(jwt, certificate, "x5t#S256", EVP_sha256()) &&
             verify(text, jwt, key, true);
    else if (key && text_is(jwt->header, "alg", "RS256"))
        ok = (thumbprint_is(jwt, certificate, "x5t", EVP_sha1()) ||
              thumbprint_is(jwt, certificate, "x5t#S256", EVP_sha256())) &&
             verify(text, jwt, key, false);
    X509_free(certificate);
    BIO_free(bio);
    return ok;
}

static bool
times_hold(const cJSON *claims)
{
    const cJSON *not_before = cJSON_GetObjectItemCaseSensitive(claims, "nbf");
    const cJSON *expires = cJSON_GetObjectItemCaseSensitive(claims, "exp");
    const double now = (double)time(NULL);
    if (!cJSON_IsNumber(expires))
        return false;
    if (cJSON_IsNumber(not_before) && not_before->valuedouble > now + SKEW_SECONDS)
        return false;
    return expires->valuedouble > now - SKEW_SECONDS &&
           expires->valuedouble <= now + LIFE_MAX_SECONDS;
}

static int
judge(const char *text, const struct jwt *jwt, const char *certificate_pem, const char *client_id,
      const char *audience)
{
    const cJSON *jti = cJSON_GetObjectItemCaseSensitive(jwt->claims, "jti");
    if (!text_is(jwt->claims, "iss", client_id) || !text_is(jwt->claims, "sub", client_id))
        return BAD_ISSUER;
    if (!text_is(jwt->claims, "aud", audience))
        return BAD_AUDIENCE;
    if (!times_hold(jwt->claims))
        return BAD_TIME;
    if (!cJSON_IsString(jti) || jti->valuestring[0] == '\0')
        return BAD_JWT;
    return signature_holds(text, jwt, certificate_pem) ? 0 : BAD_SIGNATURE;
}

int
dv_assertion_check(const char *text, const char *certificate_pem, const char *client_id,
                   const char *audience)
{
    struct jwt *jwt = calloc(1, sizeof(*jwt));
    int result = BAD_JWT;
    if (jwt && split(text, jwt))
        result = judge(text, jwt, certificate_pem, client_id, audience);
    if (jwt) {
        cJSON_Delete(jwt->header);
        cJSON_Delete(jwt->claims);
    }
    free(jwt);
    return result;
}
