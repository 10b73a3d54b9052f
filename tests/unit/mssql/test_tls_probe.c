/** Why TLS fails, found out against small servers of our own. */
#include "../../../src/mssql/tls_probe.h"
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENCRYPT_OFF = 0, ENCRYPT_ON = 1, ENCRYPT_NOT_SUP = 2, DAY_S = 86400 };

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
};

static struct identity authority;
static char ca_path[64];
static struct err err;

/* ---- certificates ---- */

static void
add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/** A certificate signed by `issuer`, by itself when NULL; valid from `from` days on for a month. */
static struct identity
make_identity(const char *name, const struct identity *issuer, int from_days, const char *host)
{
    struct identity made = {.key = EVP_EC_gen("P-256"), .certificate = X509_new()};
    X509_NAME *subject = X509_get_subject_name(made.certificate);
    X509 *signer = issuer != NULL ? issuer->certificate : made.certificate;
    char names[128];

    (void)X509_set_version(made.certificate, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), from_days + 1000);
    (void)X509_gmtime_adj(X509_getm_notBefore(made.certificate), (long)from_days * DAY_S);
    (void)X509_gmtime_adj(X509_getm_notAfter(made.certificate), (long)(from_days + 30) * DAY_S);
    (void)X509_set_pubkey(made.certificate, made.key);
    (void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                     -1, 0);
    (void)X509_set_issuer_name(made.certificate, X509_get_subject_name(signer));
    if (host != NULL) {
        (void)snprintf(names, sizeof names, "DNS:%s", host);
        add_extension(made.certificate, signer, NID_subject_alt_name, names);
    } else {
        add_extension(made.certificate, signer, NID_basic_constraints, "critical,CA:TRUE");
    }
    assert_true(X509_sign(made.certificate, issuer != NULL ? issuer->key : made.key, EVP_sha256()) >
                0);
    return made;
}

static void
drop_identity(struct identity *identity)
{
    EVP_PKEY_free(identity->key);
    X509_free(identity->certificate);
}

static int
make_authority(void **state)
{
    int fd;
    FILE *file;

    (void)state;
    authority = make_identity("Test Authority", NULL, -1, NULL);
    (void)snprintf(ca_path, sizeof ca_path, "/tmp/dwclean-test-ca-XXXXXX");
    fd = mkstemp(ca_path);
    file = fdopen(fd, "w");
    return PEM_write_X509(file, authority.certificate) == 1 && fclose(file) == 0 ? 0 : -1;
}

static int
drop_authority(void **state)
{
    (void)state;
    drop_identity(&authority);
    return unlink(ca_path);
}

/* ---- the server: one connection, in a child ---- */

static bool
get(int fd, unsigned char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t got = read(fd, bytes, size);

        if (got <= 0)
            return false;
        bytes += got;
        size -= (size_t)got;
    }
    return true;
}

static bool
put_packet(int fd, unsigned char type, const void *payload, size_t size)
{
    unsigned char packet[4096] = {type, 1};

    packet[2] = (unsigned char)((size + 8) >> 8);
    packet[3] = (unsigned char)((size + 8) & 0xFF);
    memcpy(packet + 8, payload, size);
    return write(fd, packet, size + 8) == (ssize_t)(size + 8);
}

static size_t
get_packet(int fd, unsigned char payload[4096])
{
    unsigned char header[8];
    size_t size;

    if (!get(fd, header, sizeof header))
        return 0;
    size = (size_t)header[2] << 8 | header[3];
    return size > 8 && size <= 4096 && get(fd, payload, size - 8) ? size - 8 : 0;
}

static void
serve_tls(int fd, const struct identity *identity, int version)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    unsigned char bytes[4096];
    SSL *ssl;
    size_t size;
    int got;

    (void)SSL_CTX_use_certificate(context, identity->certificate);
    (void)SSL_CTX_use_PrivateKey(context, identity->key);
    (void)SSL_CTX_set_min_proto_version(context, version);
    (void)SSL_CTX_set_max_proto_version(context, version);
    ssl = SSL_new(context);
    SSL_set_bio(ssl, in, out);
    SSL_set_accept_state(ssl);
    while (SSL_do_handshake(ssl) != 1) {
        while ((got = BIO_read(out, bytes, 4088)) > 0)
            (void)put_packet(fd, 0x12, bytes, (size_t)got);
        size = get_packet(fd, bytes);
        if (size == 0)
            return;
        (void)BIO_write(in, bytes, (int)size);
    }
    while ((got = BIO_read(out, bytes, 4088)) > 0)
        (void)put_packet(fd, 0x12, bytes, (size_t)got);
    (void)get_packet(fd, bytes);
}

struct service {
    unsigned char encryption;
    const char *instead; /* sent instead of a prelogin answer */
    const struct identity *identity;
    int tls_version;
};

static void
serve(int fd, const struct service *service)
{
    unsigned char answer[] = {0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xFF, 16, 0, 0, 0, 0, 0, 0};
    unsigned char bytes[4096];

    (void)get_packet(fd, bytes);
    if (service->instead != NULL) {
        (void)!write(fd, service->instead, strlen(service->instead));
        return;
    }
    answer[17] = service->encryption;
    (void)put_packet(fd, 4, answer, sizeof answer);
    if (service->identity != NULL)
        serve_tls(fd, service->identity, service->tls_version);
}

static struct tls_report
probe(const struct service *service, bool with_ca)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct tls_target target = {
        .host = "localhost", .ca_file = with_ca ? ca_path : "/dev/null", .timeout_ms = 5000};
    socklen_t size = sizeof at;
    struct tls_report report;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pid_t child;

    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    target.port = ntohs(at.sin_port);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)alarm(10);
        serve(accept(listener, NULL, NULL), service);
        _exit(0);
    }
    (void)close(listener);
    tls_probe(&target, &report);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    assert_false(tls_probe_explain(&target, &report, &err));
    return report;
}

static struct tls_report
probe_identity(struct identity identity, bool with_ca)
{
    struct service service = {
        .encryption = ENCRYPT_ON, .identity = &identity, .tls_version = TLS1_2_VERSION};
    struct tls_report report = probe(&service, with_ca);

    drop_identity(&identity);
    return report;
}

static void
said(const char *part)
{
    if (strstr(err.primary, part) == NULL && strstr(err.detail, part) == NULL)
        fail_msg("\"%s\" is not in: %s (%s)", part, err.primary, err.detail);
}

/* ---- tests ---- */

static void
a_good_certificate_is_found_good(void **state)
{
    struct tls_report report =
        probe_identity(make_identity("s", &authority, -1, "localhost"), true);

    (void)state;
    assert_int_equal(report.finding, TLS_FINE);
    assert_string_equal(report.version, "TLSv1.2");
    assert_int_equal(strlen(report.fingerprint), 95);
}

static void
an_unknown_authority_is_named(void **state)
{
    struct tls_report report =
        probe_identity(make_identity("s", &authority, -1, "localhost"), false);

    (void)state;
    assert_int_equal(report.finding, TLS_UNKNOWN_CA);
    assert_int_equal(err.code, ERR_TLS);
    said("Test Authority");
}

static void
a_self_signed_certificate_is_known_as_one(void **state)
{
    struct tls_report report = probe_identity(make_identity("s", NULL, -1, "localhost"), true);

    (void)state;
    assert_int_equal(report.finding, TLS_SELF_SIGNED);
    said("self-signed");
}

static void
validity_is_told_with_its_date(void **state)
{
    struct tls_report report =
        probe_identity(make_identity("s", &authority, -60, "localhost"), true);

    (void)state;
    assert_int_equal(report.finding, TLS_EXPIRED);
    said("expired on");
    said(report.not_after);
    report = probe_identity(make_identity("s", &authority, 5, "localhost"), true);
    assert_int_equal(report.finding, TLS_NOT_YET_VALID);
    said(report.not_before);
}

static void
another_name_is_told_with_the_names_it_has(void **state)
{
    struct tls_report report =
        probe_identity(make_identity("s", &authority, -1, "sql01.contoso.com"), true);

    (void)state;
    assert_int_equal(report.finding, TLS_WRONG_NAME);
    said("sql01.contoso.com");
}

static void
a_server_without_tls_is_told_apart(void **state)
{
    struct service none = {.encryption = ENCRYPT_NOT_SUP};
    struct service login = {.encryption = ENCRYPT_OFF};

    (void)state;
    assert_int_equal(probe(&none, true).finding, TLS_NOT_OFFERED);
    said("offers no TLS");
    assert_int_equal(probe(&login, true).finding, TLS_LOGIN_ONLY);
    said("the sign-in only");
    assert_int_equal(err.code, ERR_TLS);
}

static void
only_newer_tls_is_a_failed_handshake(void **state)
{
    struct identity identity = make_identity("s", &authority, -1, "localhost");
    struct service service = {
        .encryption = ENCRYPT_ON, .identity = &identity, .tls_version = TLS1_3_VERSION};

    (void)state;
    assert_int_equal(probe(&service, true).finding, TLS_NO_HANDSHAKE);
    said("no TLS version up to 1.2");
    drop_identity(&identity);
}

static void
another_kind_of_server_is_no_matter_of_tls(void **state)
{
    struct service web = {.instead = "HTTP/1.1 400 Bad Request\r\n\r\n"};
    struct service mute = {.instead = ""};

    (void)state;
    assert_int_equal(probe(&web, true).finding, TLS_NOT_SQL_SERVER);
    assert_int_equal(err.code, ERR_CONNECT);
    assert_int_equal(probe(&mute, true).finding, TLS_NO_ANSWER);
    assert_int_equal(err.code, ERR_CONNECT);
}

static void
a_prelogin_answer_is_read_within_its_bounds(void **state)
{
    static const unsigned char good[] = {1, 0, 6, 0, 1, 0xFF, 3};
    static const unsigned char outside[] = {1, 0, 7, 0, 1, 0xFF, 3};
    static const unsigned char long_one[] = {1, 0, 6, 0, 2, 0xFF, 3, 4};
    static const unsigned char endless[] = {0, 0, 0, 0, 0, 2, 0, 0, 0, 0};
    unsigned char encryption = 9;

    (void)state;
    assert_true(tls_probe_parse_prelogin(good, sizeof good, &encryption));
    assert_int_equal(encryption, 3);
    for (size_t size = 0; size < sizeof good; size++)
        assert_false(tls_probe_parse_prelogin(good, size, &encryption));
    assert_false(tls_probe_parse_prelogin(outside, sizeof outside, &encryption));
    assert_false(tls_probe_parse_prelogin(long_one, sizeof long_one, &encryption));
    assert_false(tls_probe_parse_prelogin(endless, sizeof endless, &encryption));
}

static void
what_could_not_be_looked_at_is_no_finding(void **state)
{
    const struct tls_target target = {.host = "sql1", .port = 1433};
    const struct tls_report report = {.finding = TLS_NOT_LOOKED_AT,
                                      .reason = "a library cannot be loaded: libssl.so.3",
                                      .remedy = "Install OpenSSL (Debian: libssl3)."};

    (void)state;
    assert_false(tls_probe_explain(&target, &report, &err));
    assert_int_equal(err.code, ERR_CONNECT);
    assert_null(strstr(err.primary, "TLS version"));
    assert_string_equal(err.detail, report.reason);
    assert_string_equal(err.hint, report.remedy);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_certificate_is_found_good),
        cmocka_unit_test(an_unknown_authority_is_named),
        cmocka_unit_test(a_self_signed_certificate_is_known_as_one),
        cmocka_unit_test(validity_is_told_with_its_date),
        cmocka_unit_test(another_name_is_told_with_the_names_it_has),
        cmocka_unit_test(a_server_without_tls_is_told_apart),
        cmocka_unit_test(only_newer_tls_is_a_failed_handshake),
        cmocka_unit_test(another_kind_of_server_is_no_matter_of_tls),
        cmocka_unit_test(a_prelogin_answer_is_read_within_its_bounds),
        cmocka_unit_test(what_could_not_be_looked_at_is_no_finding),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, make_authority, drop_authority);
}
