#include "common/pki.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const pki_names[] = {"good",   "expired",     "wrong-name",     "other-ca",
                                 "second", "self-signed", "by-self-signed", NULL};

enum { DAY = 86400, PEM_MAX_BYTES = 65536 };

#define HOST_NAMES                                                                                 \
    "DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1,DNS:*.database.sandbox.test,"                   \
    "DNS:*.tr1.database.sandbox.test"

struct authority {
    X509 *certificate;
    EVP_PKEY *key;
};

struct wish {
    const char *common_name;
    const char *alternative_names; /* NULL = a certificate authority */
    const char *usage;             /* extended key usage; NULL = none */
    long not_before, not_after;    /* seconds from now */
    EVP_PKEY *key;                 /* borrowed */
    const struct authority *by;    /* NULL = signed by its own key */
};

static bool
add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (!extension)
        return false;
    bool ok = X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool
set_serial(X509 *certificate)
{
    unsigned char bytes[8];
    uint64_t serial;
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    memcpy(&serial, bytes, sizeof(serial));
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 2) == 1;
}

static bool
fill(X509 *certificate, const struct wish *wish)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    X509 *issuer = wish->by ? wish->by->certificate : certificate;
    return X509_set_version(certificate, 2) == 1 && set_serial(certificate) &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), wish->not_before) &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), wish->not_after) &&
           X509_set_pubkey(certificate, wish->key) == 1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                      (const unsigned char *)wish->common_name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1;
}

static bool
extend(X509 *certificate, const struct wish *wish)
{
    X509 *issuer = wish->by ? wish->by->certificate : certificate;
    if (!add_extension(certificate, issuer, NID_subject_key_identifier, "hash") ||
        !add_extension(certificate, issuer, NID_authority_key_identifier, "keyid"))
        return false;
    if (!wish->alternative_names)
        return add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE") &&
               add_extension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    return add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, issuer, NID_key_usage,
                         "critical,digitalSignature,keyEncipherment") &&
           add_extension(certificate, issuer, NID_ext_key_usage, wish->usage) &&
           add_extension(certificate, issuer, NID_subject_alt_name, wish->alternative_names);
}

static X509 *
make(const struct wish *wish)
{
    X509 *certificate = X509_new();
    if (!certificate)
        return NULL;
    EVP_PKEY *signer = wish->by ? wish->by->key : wish->key;
    if (!fill(certificate, wish) || !extend(certificate, wish) ||
        X509_sign(certificate, signer, EVP_sha256()) == 0) {
        X509_free(certificate);
        return NULL;
    }
    return certificate;
}

/* ---- files ---- */

static FILE *
create(const char *directory, const char *name, const char *suffix, mode_t mode)
{
    char path[4096];
    int length = snprintf(path, sizeof(path), "%s/pki/%s%s", directory, name, suffix);
    if (length < 0 || (size_t)length >= sizeof(path))
        return NULL;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return NULL;
    FILE *file = fdopen(fd, "w");
    if (!file)
        (void)close(fd);
    return file;
}

static bool
write_certificate(const char *directory, const char *name, X509 *certificate)
{
    FILE *file = create(directory, name, ".pem", 0644);
    if (!file)
        return false;
    bool ok = PEM_write_X509(file, certificate) == 1;
    return fclose(file) == 0 && ok;
}

static bool
write_key(const char *directory, const char *name, EVP_PKEY *key)
{
    FILE *file = create(directory, name, ".key", 0600);
    if (!file)
        return false;
    bool ok = PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
    return fclose(file) == 0 && ok;
}

static bool
write_pair(const char *directory, const char *name, const struct wish *wish)
{
    X509 *certificate = make(wish);
    bool ok = certificate && write_certificate(directory, name, certificate) &&
              write_key(directory, name, wish->key);
    X509_free(certificate);
    return ok;
}

/** Signed by a server's own certificate, which is no authority. */
static bool
write_pair_by(const char *directory, const char *name, const char *issuer, const struct wish *wish)
{
    struct wish own = *wish;
    char file[64];
    (void)snprintf(file, sizeof file, "%s.pem", issuer);
    char *text = pki_read(directory, file);
    BIO *bio = text ? BIO_new_mem_buf(text, -1) : NULL;
    struct authority by = {.key = wish->key};
    if (bio)
        by.certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    own.by = &by;
    own.common_name = "another localhost";
    bool ok = by.certificate && write_pair(directory, name, &own);
    X509_free(by.certificate);
    BIO_free(bio);
    free(text);
    return ok;
}

/* ---- the whole set ---- */

static bool
make_authority(const char *directory, const char *file, const char *common_name,
               struct authority *ret)
{
    ret->key = EVP_EC_gen("P-256");
    if (!ret->key)
        return false;
    struct wish wish = {
        .common_name = common_name, .not_before = -DAY, .not_after = 365L * DAY, .key = ret->key};
    ret->certificate = make(&wish);
    return ret->certificate && write_certificate(directory, file, ret->certificate);
}

static bool
make_servers(const char *directory, const char *address, const struct authority authorities[2],
             EVP_PKEY *key)
{
    char names[256];
    (void)snprintf(names, sizeof names, "%s%s%s", HOST_NAMES, address ? ",IP:" : "",
                   address ? address : "");
    struct wish good = {.common_name = "localhost",
                        .alternative_names = names,
                        .usage = "serverAuth",
                        .not_before = -DAY,
                        .not_after = 365L * DAY,
                        .key = key,
                        .by = &authorities[0]};
    struct wish expired = good;
    struct wish wrong_name = good;
    struct wish other_ca = good;
    struct wish self_signed = good;
    expired.not_before = -730L * DAY;
    expired.not_after = -365L * DAY;
    wrong_name.common_name = "elsewhere.invalid";
    wrong_name.alternative_names = "DNS:elsewhere.invalid";
    other_ca.by = &authorities[1];
    self_signed.by = NULL;
    return write_pair(directory, "good", &good) && write_pair(directory, "expired", &expired) &&
           write_pair(directory, "wrong-name", &wrong_name) &&
           write_pair(directory, "other-ca", &other_ca) && write_pair(directory, "second", &good) &&
           write_pair(directory, "self-signed", &self_signed) &&
           write_pair_by(directory, "by-self-signed", "self-signed", &self_signed);
}

static bool
make_all(const char *directory, const char *address, struct authority authorities[2],
         EVP_PKEY *keys[2])
{
    keys[0] = EVP_RSA_gen(2048);
    keys[1] = EVP_RSA_gen(2048);
    if (!keys[0] || !keys[1] ||
        !make_authority(directory, "ca", "Sandbox Test CA", &authorities[0]) ||
        !make_authority(directory, "other-ca-root", "Untrusted Test CA", &authorities[1]))
        return false;
    struct wish client = {.common_name = "sandbox application",
                          .alternative_names = "DNS:application.invalid",
                          .usage = "clientAuth",
                          .not_before = -DAY,
                          .not_after = 365L * DAY,
                          .key = keys[1]};
    return make_servers(directory, address, authorities, keys[0]) &&
           write_pair(directory, "client", &client);
}

bool
pki_create(const char *directory, const char *address, char *why, size_t why_size)
{
    char path[4096];
    struct authority authorities[2] = {{NULL, NULL}, {NULL, NULL}};
    EVP_PKEY *keys[2] = {NULL, NULL};
    int length = snprintf(path, sizeof(path), "%s/pki", directory);
    if (length < 0 || (size_t)length >= sizeof(path) || mkdir(path, 0700) != 0) {
        (void)snprintf(why, why_size, "cannot make the folder pki");
        return false;
    }
    bool ok = make_all(directory, address, authorities, keys);
    if (!ok)
        (void)snprintf(why, why_size, "cannot make certificates: %s",
                       ERR_reason_error_string(ERR_get_error()));
    for (size_t i = 0; i < 2; i++) {
        X509_free(authorities[i].certificate);
        EVP_PKEY_free(authorities[i].key);
        EVP_PKEY_free(keys[i]);
    }
    return ok;
}

char *
pki_read(const char *directory, const char *file)
{
    char path[4096];
    int length = snprintf(path, sizeof(path), "%s/pki/%s", directory, file);
    if (length < 0 || (size_t)length >= sizeof(path))
        return NULL;
    FILE *stream = fopen(path, "re");
    if (!stream)
        return NULL;
    char *text = malloc(PEM_MAX_BYTES);
    size_t bytes = text ? fread(text, 1, PEM_MAX_BYTES - 1, stream) : 0;
    (void)fclose(stream);
    if (text)
        text[bytes] = '\0';
    return text;
}
