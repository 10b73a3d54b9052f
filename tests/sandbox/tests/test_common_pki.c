#include "../../support/test.h"
#include "common/pki.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/sandbox-pki-XXXXXX";

static int
make_all(void **state)
{
    char why[256] = "";
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    return pki_create(directory, NULL, why, sizeof(why)) ? 0 : -1;
}

static void
remove_file(const char *name, const char *suffix)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/pki/%s%s", directory, name, suffix);
    (void)unlink(path);
}

static int
remove_all(void **state)
{
    char path[256];
    (void)state;
    for (size_t i = 0; pki_names[i]; i++) {
        remove_file(pki_names[i], ".pem");
        remove_file(pki_names[i], ".key");
    }
    remove_file("client", ".pem");
    remove_file("client", ".key");
    remove_file("ca", ".pem");
    remove_file("other-ca-root", ".pem");
    (void)snprintf(path, sizeof(path), "%s/pki", directory);
    return rmdir(path) == 0 && rmdir(directory) == 0 ? 0 : -1;
}

static X509 *
load(const char *file)
{
    char *text = pki_read(directory, file);
    assert_non_null(text);
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    assert_non_null(certificate);
    BIO_free(bio);
    free(text);
    return certificate;
}

/** What a client that trusts `authority` and wants `host` finds. */
static int
verdict(const char *file, const char *authority, const char *host)
{
    X509 *certificate = load(file);
    X509 *root = load(authority);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, certificate, NULL), 1);
    assert_int_equal(X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(ctx), host, 0), 1);
    assert_int_equal(X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER), 1);
    (void)X509_verify_cert(ctx);
    int result = X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_free(root);
    X509_free(certificate);
    return result;
}

static void
good_and_second_are_accepted_and_differ(void **state)
{
    (void)state;
    assert_int_equal(verdict("good.pem", "ca.pem", "localhost"), X509_V_OK);
    assert_int_equal(verdict("second.pem", "ca.pem", "localhost"), X509_V_OK);
    X509 *good = load("good.pem");
    X509 *second = load("second.pem");
    assert_int_not_equal(X509_cmp(good, second), 0);
    X509_free(good);
    X509_free(second);
}

static void
addresses_of_loopback_are_named(void **state)
{
    (void)state;
    X509 *good = load("good.pem");
    assert_int_equal(X509_check_ip_asc(good, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(good, "::1", 0), 1);
    assert_int_equal(X509_check_ip_asc(good, "127.0.0.2", 0), 0);
    X509_free(good);
}

static void
each_bad_one_is_bad_in_its_own_way(void **state)
{
    (void)state;
    assert_int_equal(verdict("expired.pem", "ca.pem", "localhost"), X509_V_ERR_CERT_HAS_EXPIRED);
    assert_int_equal(verdict("wrong-name.pem", "ca.pem", "localhost"),
                     X509_V_ERR_HOSTNAME_MISMATCH);
    assert_int_equal(verdict("other-ca.pem", "ca.pem", "localhost"),
                     X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    assert_int_equal(verdict("other-ca.pem", "other-ca-root.pem", "localhost"), X509_V_OK);
    assert_int_equal(verdict("self-signed.pem", "ca.pem", "localhost"),
                     X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
}

static void
keys_fit_and_are_for_the_owner_only(void **state)
{
    (void)state;
    for (size_t i = 0; pki_names[i]; i++) {
        char file[64];
        char path[256];
        struct stat status;
        (void)snprintf(file, sizeof(file), "%s.pem", pki_names[i]);
        X509 *certificate = load(file);
        (void)snprintf(file, sizeof(file), "%s.key", pki_names[i]);
        char *text = pki_read(directory, file);
        BIO *bio = BIO_new_mem_buf(text, -1);
        EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        assert_int_equal(X509_check_private_key(certificate, key), 1);
        (void)snprintf(path, sizeof(path), "%s/pki/%s", directory, file);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
        EVP_PKEY_free(key);
        BIO_free(bio);
        free(text);
        X509_free(certificate);
    }
}

static void
a_folder_that_has_them_already_is_refused(void **state)
{
    char why[256] = "";
    (void)state;
    assert_false(pki_create(directory, NULL, why, sizeof(why)));
    assert_true(why[0] != '\0');
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_and_second_are_accepted_and_differ),
        cmocka_unit_test(addresses_of_loopback_are_named),
        cmocka_unit_test(each_bad_one_is_bad_in_its_own_way),
        cmocka_unit_test(keys_fit_and_are_for_the_owner_only),
        cmocka_unit_test(a_folder_that_has_them_already_is_refused),
    };
    return cmocka_run_group_tests(tests, make_all, remove_all);
}
