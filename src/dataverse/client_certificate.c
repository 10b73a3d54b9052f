#include "client_certificate.h"

#include "base/private_file.h"
#include "openssl_library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FILE_MAX_BYTES = 64 * 1024, KEY_MIN_BITS = 2048, DATE_BYTES = 16 };

/** What was read, and what opens it. */
struct file {
    const char *path;
    const char *bytes;
    size_t size;
    const char *password; /* NULL = none */
};

/** Nobody is asked: the password is there, or there is none. */
static int
give_password(char *ret, int size, int writing, void *ctx)
{
    const char *password = *(const char **)ctx;
    const size_t length = password ? strlen(password) : 0;

    (void)writing;
    if (!password || size < 0 || length > (size_t)size)
        return -1;
    for (size_t i = 0; i < length; i++)
        ret[i] = password[i]; /* no NUL behind it */
    return (int)length;
}

static bool
is_pem(const struct file *file)
{
    return strstr(file->bytes, "-----BEGIN ") != NULL;
}

static bool
wrong_password(const struct file *file, struct err *err)
{
    if (file->password) {
        (void)err_set(err, ERR_CONFIG, "the password does not open the private key in %s",
                      file->path);
        return err_hint(err, "Check AZURE_CLIENT_CERTIFICATE_PASSWORD or "
                             "DWCLEAN_CLIENT_CERTIFICATE_PASSWORD.");
    }
    (void)err_set(err, ERR_CONFIG, "the private key in %s has a password", file->path);
    return err_hint(err, "Set DWCLEAN_CLIENT_CERTIFICATE_PASSWORD or "
                         "AZURE_CLIENT_CERTIFICATE_PASSWORD, or let dwclean ask at the terminal.");
}

/* ---- PEM */

static bool
load_key(const struct file *file, struct certificate_pair *pair, struct err *err)
{
    const char *password = file->password;
    BIO *bio = BIO_new_mem_buf(file->bytes, (int)file->size);

    if (!bio)
        return err_set(err, ERR_INTERNAL, "out of memory");
    pair->key = PEM_read_bio_PrivateKey(bio, NULL, give_password, &password);
    BIO_free(bio);
    if (pair->key)
        return true;
    if (strstr(file->bytes, "ENCRYPTED"))
        return wrong_password(file, err);
    (void)err_set(err, ERR_CONFIG, "%s holds no private key that can be read", file->path);
    return err_hint(err, "The file must hold key and certificate, both as PEM, or be a PFX file.");
}

/** Every certificate of the file: the key's own one, and the others. */
static bool
load_certificates(const struct file *file, struct certificate_pair *pair, struct err *err)
{
    BIO *bio = BIO_new_mem_buf(file->bytes, (int)file->size);
    const char *none = NULL;
    bool done = bio && (pair->others = sk_X509_new_null());

    for (int seen = 0; done && seen < CERTIFICATES_MAX; seen++) {
        X509 *certificate = PEM_read_bio_X509(bio, NULL, give_password, &none);

        if (!certificate)
            break;
        if (!pair->certificate && X509_check_private_key(certificate, pair->key) == 1)
            pair->certificate = certificate;
        else if (sk_X509_push(pair->others, certificate) == 0)
            done = false;
    }
    BIO_free(bio);
    return done || err_set(err, ERR_INTERNAL, "out of memory");
}

/* ---- PKCS #12 */

static PKCS12 *
open_pkcs12(const struct file *file)
{
    const unsigned char *at = (const unsigned char *)file->bytes;

    return d2i_PKCS12(NULL, &at, (long)file->size);
}

/** PKCS #12 knows two empty passwords, and programs write either. */
static bool
has_no_password(PKCS12 *box)
{
    return !PKCS12_mac_present(box) || PKCS12_verify_mac(box, NULL, 0) == 1 ||
           PKCS12_verify_mac(box, "", 0) == 1;
}

static bool
bad_pkcs12(const struct file *file, const PKCS12 *box, struct err *err)
{
    if (!box) {
        (void)err_set(err, ERR_CONFIG, "%s holds no private key that can be read", file->path);
        return err_hint(err,
                        "The file must hold key and certificate, both as PEM, or be a PFX file.");
    }
    (void)err_set(err, ERR_CONFIG, "the PFX file %s cannot be read", file->path);
    return err_hint(err,
                    "It may use ciphers that OpenSSL 3 no longer has: write it anew with "
                    "openssl pkcs12 -legacy -in OLD -nodes | openssl pkcs12 -export -out NEW.");
}

static bool
parse_pkcs12(const struct file *file, PKCS12 *box, struct certificate_pair *pair, struct err *err)
{
    const char *password = file->password;
    const bool open = !PKCS12_mac_present(box) || PKCS12_verify_mac(box, password, -1) == 1 ||
                      (!password && PKCS12_verify_mac(box, "", 0) == 1);

    if (!open)
        return wrong_password(file, err);
    if (!password && PKCS12_mac_present(box) && PKCS12_verify_mac(box, NULL, 0) != 1)
        password = "";
    if (PKCS12_parse(box, password, &pair->key, &pair->certificate, &pair->others) != 1)
        return bad_pkcs12(file, box, err);
    if (pair->key)
        return true;
    (void)err_set(err, ERR_CONFIG, "%s holds no private key that can be read", file->path);
    return err_hint(err, "Export key and certificate together into the PFX file.");
}

static bool
load_pkcs12(const struct file *file, struct certificate_pair *pair, struct err *err)
{
    PKCS12 *box = open_pkcs12(file);
    const bool done = box ? parse_pkcs12(file, box, pair, err) : bad_pkcs12(file, NULL, err);

    PKCS12_free(box);
    return done;
}

/* ---- what it must be */

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

static bool
check_belongs(const char *path, const struct certificate_pair *pair, struct err *err)
{
    if (pair->certificate)
        return true;
    if (!pair->others || sk_X509_num(pair->others) == 0) {
        (void)err_set(err, ERR_CONFIG, "%s holds no certificate that can be read", path);
        return err_hint(err, "The file must hold key and certificate, both as PEM, or be a PFX "
                             "file.");
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

void
certificate_done(struct certificate_pair *pair)
{
    EVP_PKEY_free(pair->key);
    X509_free(pair->certificate);
    sk_X509_pop_free(pair->others, X509_free);
    *pair = (struct certificate_pair){0};
}

static bool
load(const struct file *file, struct certificate_pair *pair, struct err *err)
{
    if (is_pem(file) || file->size == 0) {
        if (!load_key(file, pair, err) || !check_key(file->path, pair->key, err) ||
            !load_certificates(file, pair, err))
            return false;
    } else if (!load_pkcs12(file, pair, err) || !check_key(file->path, pair->key, err)) {
        return false;
    }
    return check_belongs(file->path, pair, err) && check_dates(file->path, pair->certificate, err);
}

bool
certificate_load(const char *path, const struct secret *password, struct certificate_pair *ret,
                 struct err *err)
{
    struct file file = {.path = path,
                        .password =
                            password && secret_is_set(password) ? secret_reveal(password) : NULL};
    struct certificate_pair pair = {0};
    char *bytes = NULL;
    bool done;

    if (!library_load(&openssl_library, err))
        return false;
    if (!private_file_read(path, FILE_MAX_BYTES, &bytes, &file.size, err))
        return err_wrap(err, "client certificate");
    file.bytes = bytes;
    done = load(&file, &pair, err);
    secret_clear_memory(bytes, file.size);
    free(bytes);
    /* libcurl's TLS on this thread must not find what was tried here in OpenSSL's queue. */
    ERR_clear_error();
    if (done)
        *ret = pair;
    else
        certificate_done(&pair);
    return done;
}

bool
certificate_wants_password(const char *path, bool *ret, struct err *err)
{
    struct file file = {.path = path};
    char *bytes = NULL;

    if (!library_load(&openssl_library, err))
        return false;
    if (!private_file_read(path, FILE_MAX_BYTES, &bytes, &file.size, err))
        return err_wrap(err, "client certificate");
    file.bytes = bytes;
    if (is_pem(&file)) {
        *ret = strstr(bytes, "ENCRYPTED") != NULL;
    } else {
        PKCS12 *box = open_pkcs12(&file);

        *ret = box && !has_no_password(box);
        PKCS12_free(box);
    }
    secret_clear_memory(bytes, file.size);
    free(bytes);
    ERR_clear_error();
    return true;
}
