/** -J: which files are taken for a server's own certificate. */
#include "../../../src/mssql/pin.h"
#include "test.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct err err;

struct wish {
    long version;            /* 2 = version 3 */
    const char *constraints; /* NULL = none */
    const char *usage;
    const char *names;
};

static const struct wish plain = {.version = 2, .names = "DNS:sql01.contoso.com,IP:10.0.0.1"};

static void
extend(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = value == NULL ? NULL : X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    if (value == NULL)
        return;
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/** Self-signed, for sql01.contoso.com. */
static X509 *
make(const struct wish *wish)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();

    assert_true(key != NULL && certificate != NULL);
    assert_int_equal(X509_set_version(certificate, wish->version), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -60));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 3600));
    assert_int_equal(
        X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                   (const unsigned char *)"sql01.contoso.com", -1, -1, 0),
        1);
    assert_int_equal(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)), 1);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    extend(certificate, NID_basic_constraints, wish->constraints);
    extend(certificate, NID_key_usage, wish->usage);
    extend(certificate, NID_subject_alt_name, wish->names);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    EVP_PKEY_free(key);
    return certificate;
}

/** PEM (or DER) behind what is in `out` already; returns the size. */
static size_t
append(char *out, size_t used, size_t size, X509 *certificate, bool der)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes;
    long length;

    assert_int_equal(der ? i2d_X509_bio(bio, certificate) : PEM_write_bio_X509(bio, certificate),
                     1);
    length = BIO_get_mem_data(bio, &bytes);
    assert_true(length > 0 && used + (size_t)length <= size);
    memcpy(out + used, bytes, (size_t)length);
    BIO_free(bio);
    return used + (size_t)length;
}

static char file[16384];

static bool
parse(size_t size, const char *host)
{
    char *pem = NULL;
    size_t pem_size = 0;
    bool ok = pin_parse(file, size, host, &pem, &pem_size, &err);

    if (ok)
        assert_memory_equal(pem, "-----BEGIN CERTIFICATE-----", 27);
    else
        assert_int_equal(err.code, ERR_USAGE);
    free(pem);
    return ok;
}

static bool
takes(const struct wish *wish, bool der, const char *host)
{
    X509 *certificate = make(wish);
    size_t size = append(file, 0, sizeof file, certificate, der);

    X509_free(certificate);
    return parse(size, host);
}

static void
a_servers_own_certificate_is_taken_as_pem_and_as_der(void **state)
{
    struct wish wish = plain;

    (void)state;
    assert_true(takes(&wish, false, "sql01.contoso.com"));
    assert_true(takes(&wish, true, "SQL01.contoso.com"));
    assert_true(takes(&wish, false, "10.0.0.1"));
    wish.constraints = "critical,CA:FALSE";
    assert_true(takes(&wish, false, "sql01.contoso.com"));
    wish.names = NULL; /* then the common name counts */
    assert_true(takes(&wish, false, "sql01.contoso.com"));
}

static void
the_name_counts(void **state)
{
    (void)state;
    assert_false(takes(&plain, false, "sql02.contoso.com"));
    assert_non_null(strstr(err.primary, "not made out for sql02.contoso.com"));
    assert_non_null(strstr(err.hint, "-F"));
    assert_false(takes(&plain, false, "10.0.0.2"));
}

static void
what_could_sign_others_is_refused(void **state)
{
    struct wish wish = plain;

    (void)state;
    wish.constraints = "critical,CA:TRUE";
    assert_false(takes(&wish, false, "sql01.contoso.com"));
    assert_non_null(strstr(err.primary, "authority"));
    assert_non_null(strstr(err.hint, "--cacert"));
    wish.constraints = NULL;
    wish.usage = "critical,keyCertSign";
    assert_false(takes(&wish, false, "sql01.contoso.com"));
    wish = (struct wish){.version = 0}; /* version 1 */
    assert_false(takes(&wish, false, "sql01.contoso.com"));
}

static void
exactly_one_certificate_is_wanted(void **state)
{
    X509 *certificate = make(&plain);
    size_t one, two;

    (void)state;
    one = append(file, 0, sizeof file, certificate, false);
    two = append(file, one, sizeof file, certificate, false);
    assert_false(parse(two, "sql01.contoso.com"));
    for (size_t size = 0; size < one; size += 7) /* cut anywhere */
        assert_false(parse(size, "sql01.contoso.com"));
    one = append(file, 0, sizeof file, certificate, true);
    file[one] = 'x';
    assert_false(parse(one + 1, "sql01.contoso.com"));
    for (size_t size = 0; size < one; size += 7)
        assert_false(parse(size, "sql01.contoso.com"));
    X509_free(certificate);
}

static void
other_files_are_refused(void **state)
{
    static const char *const texts[] = {
        "not a certificate",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    };
    char path[PIN_PATH_BYTES] = "kept";
    int fd = -7;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        memcpy(file, texts[i], strlen(texts[i]));
        assert_false(parse(strlen(texts[i]), "sql01.contoso.com"));
    }
    assert_false(pin_open("/no/such/file", "sql01.contoso.com", &fd, path, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.primary, "/no/such/file"));
    assert_int_equal(fd, -7);
    assert_string_equal(path, "kept");
}

static void
it_is_kept_in_memory(void **state)
{
    char path[PIN_PATH_BYTES], name[] = "/tmp/dwclean-pin.XXXXXX", back[32] = "";
    X509 *certificate = make(&plain);
    size_t size = append(file, 0, sizeof file, certificate, true);
    int fd = mkstemp(name), pin = -1, again;

    (void)state;
    X509_free(certificate);
    assert_int_equal(write(fd, file, size), size);
    assert_int_equal(close(fd), 0);
    assert_true(pin_open(name, "sql01.contoso.com", &pin, path, &err));
    assert_int_equal(unlink(name), 0);
    again = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(again >= 0);
    assert_int_equal(read(again, back, 27), 27);
    assert_string_equal(back, "-----BEGIN CERTIFICATE-----");
    assert_int_equal(close(again), 0);
    assert_int_equal(close(pin), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_servers_own_certificate_is_taken_as_pem_and_as_der),
        cmocka_unit_test(the_name_counts),
        cmocka_unit_test(what_could_sign_others_is_refused),
        cmocka_unit_test(exactly_one_certificate_is_wanted),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(it_is_kept_in_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
