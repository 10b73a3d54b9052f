#include "tls_probe.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "tls_library.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PACKET_PRELOGIN = 0x12,
    PACKET_REPLY = 0x04,
    HEADER_BYTES = 8,
    PACKET_BYTES = 4096,
    MAX_PACKET = 32768,
    OPTION_ENCRYPTION = 1,
    OPTION_END = 0xFF,
    ENCRYPT_OFF = 0,
    ENCRYPT_NOT_SUP = 2,
    MAX_ROUNDS = 64, /* of the handshake */
};

struct wire_end {
    int fd;
    int64_t deadline_ms;
};

/** Wait until the socket can be read or written. */
static bool
ready(const struct wire_end *end, short events)
{
    struct pollfd fd = {.fd = end->fd, .events = events};

    for (;;) {
        int64_t left = end->deadline_ms - clock_monotonic_ms();
        int rc;

        if (left <= 0 || cancel_signal() != 0)
            return false;
        rc = poll(&fd, 1, left > 200 ? 200 : (int)left);
        if (rc > 0)
            return true;
        if (rc < 0 && errno != EINTR)
            return false;
    }
}

static bool
dial_address(struct wire_end *end, const struct addrinfo *address)
{
    int error = 0;
    socklen_t size = sizeof error;

    end->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (end->fd < 0)
        return false;
    if (connect(end->fd, address->ai_addr, address->ai_addrlen) == 0)
        return true;
    if (errno == EINPROGRESS && ready(end, POLLOUT) &&
        getsockopt(end->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0)
        return true;
    (void)close(end->fd);
    end->fd = -1;
    return false;
}

static bool
dial(struct wire_end *end, const struct tls_target *target)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char port[8];

    (void)snprintf(port, sizeof port, "%u", (unsigned)target->port);
    cancel_immediate_begin();
    if (getaddrinfo(target->host, port, &hints, &list) != 0)
        list = NULL;
    cancel_immediate_end();
    for (const struct addrinfo *at = list; at != NULL && end->fd < 0; at = at->ai_next)
        (void)dial_address(end, at);
    if (list != NULL)
        freeaddrinfo(list);
    return end->fd >= 0;
}

static bool
send_all(const struct wire_end *end, const unsigned char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(end->fd, bytes, size, MSG_NOSIGNAL);

        if (sent > 0) {
            bytes += sent;
            size -= (size_t)sent;
        } else if ((errno != EAGAIN && errno != EINTR) || !ready(end, POLLOUT)) {
            return false;
        }
    }
    return true;
}

static bool
receive_all(const struct wire_end *end, unsigned char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t got = recv(end->fd, bytes, size, 0);

        if (got > 0) {
            bytes += got;
            size -= (size_t)got;
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR) || !ready(end, POLLIN)) {
            return false;
        }
    }
    return true;
}

/** One packet with this payload, at most PACKET_BYTES in all. */
static bool
send_packet(const struct wire_end *end, const unsigned char *payload, size_t size)
{
    unsigned char packet[PACKET_BYTES] = {PACKET_PRELOGIN, 1};

    packet[2] = (unsigned char)((size + HEADER_BYTES) >> 8);
    packet[3] = (unsigned char)((size + HEADER_BYTES) & 0xFF);
    packet[6] = 1;
    memcpy(packet + HEADER_BYTES, payload, size);
    return send_all(end, packet, size + HEADER_BYTES);
}

/** The payload of the next packet; false for anything that is not one. */
static bool
receive_packet(const struct wire_end *end, unsigned char payload[MAX_PACKET], size_t *ret_size)
{
    unsigned char header[HEADER_BYTES];
    size_t size;

    if (!receive_all(end, header, sizeof header) ||
        (header[0] != PACKET_REPLY && header[0] != PACKET_PRELOGIN))
        return false;
    size = (size_t)header[2] << 8 | header[3];
    if (size < HEADER_BYTES || size > MAX_PACKET)
        return false;
    *ret_size = size - HEADER_BYTES;
    return receive_all(end, payload, *ret_size);
}

bool
tls_probe_parse_prelogin(const unsigned char *bytes, size_t size, unsigned char *ret_encryption)
{
    for (size_t at = 0; at + 5 <= size && bytes[at] != OPTION_END; at += 5) {
        size_t offset = (size_t)bytes[at + 1] << 8 | bytes[at + 2];
        size_t length = (size_t)bytes[at + 3] << 8 | bytes[at + 4];

        if (bytes[at] != OPTION_ENCRYPTION)
            continue;
        if (length != 1 || offset >= size)
            return false;
        *ret_encryption = bytes[offset];
        return true;
    }
    return false;
}

/** Version 0, encryption on, no instance, no thread, no MARS. */
static bool
prelogin(const struct wire_end *end, unsigned char *ret_encryption, bool *ret_answered)
{
    static const unsigned char request[] = {
        0, 0,  26, 0, 6, 1, 0,  32, 0, 1,          2, 0, 33, 0, 1, 3,
        0, 34, 0,  4, 4, 0, 38, 0,  1, OPTION_END, 8, 0, 1,  0, 0, 0, /* version */
        1,                                                            /* encryption on */
        0,                                                            /* instance "" */
        0, 0,  0,  0,                                                 /* thread */
        0,                                                            /* MARS off */
    };
    unsigned char answer[MAX_PACKET];
    size_t size;

    *ret_answered = false;
    if (!send_packet(end, request, sizeof request) || !receive_all(end, answer, HEADER_BYTES))
        return false;
    *ret_answered = true;
    size = (size_t)answer[2] << 8 | answer[3];
    if (answer[0] != PACKET_REPLY || size < HEADER_BYTES || size > MAX_PACKET ||
        !receive_all(end, answer, size - HEADER_BYTES))
        return false;
    return tls_probe_parse_prelogin(answer, size - HEADER_BYTES, ret_encryption);
}

/* ---- handshake ---- */

static bool
flush_out(const struct wire_end *end, BIO *out)
{
    unsigned char bytes[PACKET_BYTES - HEADER_BYTES];
    int size;

    while ((size = BIO_read(out, bytes, sizeof bytes)) > 0) {
        if (!send_packet(end, bytes, (size_t)size))
            return false;
    }
    return true;
}

static bool
fill_in(const struct wire_end *end, BIO *in)
{
    unsigned char payload[MAX_PACKET];
    size_t size;

    return receive_packet(end, payload, &size) && size > 0 &&
           BIO_write(in, payload, (int)size) == (int)size;
}

static bool
handshake(const struct wire_end *end, SSL *ssl, BIO *in, BIO *out)
{
    for (int round = 0; round < MAX_ROUNDS; round++) {
        int rc = SSL_do_handshake(ssl);

        if (!flush_out(end, out))
            return false;
        if (rc == 1)
            return true;
        if (SSL_get_error(ssl, rc) != SSL_ERROR_WANT_READ || !fill_in(end, in))
            return false;
    }
    return false;
}

/* ---- the report ---- */

/** Printable ASCII only; other bytes become '?'. */
static void
put(char *out, size_t size, const char *text, size_t length)
{
    size_t used = 0;

    for (; used < length && used + 1 < size; used++) {
        out[used] = '?';
        if (text[used] >= 0x20 && text[used] < 0x7F)
            out[used] = text[used];
    }
    out[used] = '\0';
}

static void
put_name(char *out, size_t size, const X509_NAME *name)
{
    char line[256] = "";

    if (name != NULL)
        (void)X509_NAME_oneline(name, line, sizeof line);
    put(out, size, line, strlen(line));
}

static void
put_time(char *out, size_t size, const ASN1_TIME *moment)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char line[64];
    int got = 0;

    if (bio != NULL && moment != NULL && ASN1_TIME_print(bio, moment) == 1)
        got = BIO_read(bio, line, sizeof line);
    put(out, size, line, got > 0 ? (size_t)got : 0);
    BIO_free(bio);
}

static void
put_names(char *out, size_t size, X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    size_t used = 0;

    out[0] = '\0';
    for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num(names) && used + 8 < size; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const ASN1_STRING *text = name->type == GEN_DNS ? name->d.dNSName : NULL;

        if (text == NULL)
            continue;
        if (used > 0) {
            memcpy(out + used, ", ", 3);
            used += 2;
        }
        put(out + used, size - used, (const char *)ASN1_STRING_get0_data(text),
            (size_t)ASN1_STRING_length(text));
        used += strlen(out + used);
    }
    GENERAL_NAMES_free(names);
}

static void
put_fingerprint(char *out, size_t size, const X509 *certificate)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;

    out[0] = '\0';
    if (X509_digest(certificate, EVP_sha256(), digest, &length) != 1)
        return;
    for (unsigned i = 0; i < length && (size_t)i * 3 + 3 < size; i++)
        (void)snprintf(out + (size_t)i * 3, size - (size_t)i * 3, "%02X%s", digest[i],
                       i + 1 < length ? ":" : "");
}

static enum tls_finding
finding_of(long verify)
{
    switch (verify) {
    case X509_V_OK:
        return TLS_FINE;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return TLS_UNKNOWN_CA;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return TLS_SELF_SIGNED;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return TLS_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return TLS_NOT_YET_VALID;
    default:
        return TLS_BAD_CERTIFICATE;
    }
}

static bool
is_made_out_for(X509 *certificate, const char *host)
{
    return X509_check_host(certificate, host, 0, 0, NULL) == 1 ||
           X509_check_ip_asc(certificate, host, 0) == 1;
}

/** Is it the one in ca_file, and is it valid now? */
static enum tls_finding
compare_pinned(const X509 *certificate, const char *file)
{
    BIO *bio = BIO_new_file(file, "r");
    X509 *pinned = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    enum tls_finding finding = TLS_FINE;

    if (pinned == NULL || X509_cmp(certificate, pinned) != 0)
        finding = TLS_OTHER_CERTIFICATE;
    else if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
        finding = TLS_EXPIRED;
    else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
        finding = TLS_NOT_YET_VALID;
    X509_free(pinned);
    BIO_free(bio);
    return finding;
}

static void
judge_certificate(X509 *certificate, long verify, const struct tls_target *target,
                  struct tls_report *report)
{
    const char *name = target->name != NULL ? target->name : target->host;

    report->finding = finding_of(verify);
    if (target->trust_certificate)
        report->finding = TLS_FINE;
    else if (target->pinned)
        report->finding = compare_pinned(certificate, target->ca_file);
    else if (report->finding != TLS_FINE)
        put(report->reason, sizeof report->reason, X509_verify_cert_error_string(verify),
            strlen(X509_verify_cert_error_string(verify)));
    else if (!is_made_out_for(certificate, name))
        report->finding = TLS_WRONG_NAME;
}

static void
read_certificate(SSL *ssl, const struct tls_target *target, struct tls_report *report)
{
    X509 *certificate = SSL_get1_peer_certificate(ssl);
    long verify = SSL_get_verify_result(ssl);

    if (certificate == NULL) {
        report->finding = TLS_NO_HANDSHAKE;
        return;
    }
    put_name(report->subject, sizeof report->subject, X509_get_subject_name(certificate));
    put_name(report->issuer, sizeof report->issuer, X509_get_issuer_name(certificate));
    put_names(report->names, sizeof report->names, certificate);
    put_time(report->not_before, sizeof report->not_before, X509_get0_notBefore(certificate));
    put_time(report->not_after, sizeof report->not_after, X509_get0_notAfter(certificate));
    put_fingerprint(report->fingerprint, sizeof report->fingerprint, certificate);
    judge_certificate(certificate, verify, target, report);
    X509_free(certificate);
}

static SSL_CTX *
make_context(const struct tls_target *target)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    bool loaded;

    if (context == NULL)
        return NULL;
    /* Old versions are let in, to be named. FreeTDS knows no TLS 1.3 inside TDS 7.4. */
    SSL_CTX_set_security_level(context, 0);
    (void)SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    (void)SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    loaded = target->ca_file != NULL
                 ? SSL_CTX_load_verify_locations(context, target->ca_file, NULL) == 1
                 : SSL_CTX_set_default_verify_paths(context) == 1;
    if (!loaded)
        ERR_clear_error(); /* then every issuer is unknown, which the report says */
    return context;
}

static void
look_inside(const struct wire_end *end, SSL_CTX *context, const struct tls_target *target,
            struct tls_report *report)
{
    SSL *ssl = SSL_new(context);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());

    report->finding = TLS_NO_HANDSHAKE;
    if (ssl == NULL || in == NULL || out == NULL) {
        report->finding = TLS_NOT_LOOKED_AT;
        BIO_free(in);
        BIO_free(out);
        SSL_free(ssl);
        return;
    }
    SSL_set_bio(ssl, in, out); /* it owns them now */
    SSL_set_connect_state(ssl);
    ERR_clear_error();
    if (handshake(end, ssl, in, out)) {
        put(report->version, sizeof report->version, SSL_get_version(ssl),
            strlen(SSL_get_version(ssl)));
        read_certificate(ssl, target, report);
        if (report->finding == TLS_FINE && SSL_version(ssl) < TLS1_2_VERSION)
            report->finding = TLS_TOO_OLD;
    } else {
        const char *reason = ERR_reason_error_string(ERR_peek_last_error());

        if (reason != NULL)
            put(report->reason, sizeof report->reason, reason, strlen(reason));
        else
            report->finding = TLS_BROKE_OFF;
    }
    ERR_clear_error();
    SSL_free(ssl);
}

static void
probe_on(const struct wire_end *end, const struct tls_target *target, struct tls_report *report)
{
    unsigned char encryption = ENCRYPT_NOT_SUP;
    bool answered = false;
    SSL_CTX *context;
    struct err err;

    if (!prelogin(end, &encryption, &answered)) {
        report->finding = answered ? TLS_NOT_SQL_SERVER : TLS_NO_ANSWER;
        return;
    }
    if (encryption == ENCRYPT_NOT_SUP || encryption == ENCRYPT_OFF) {
        report->finding = encryption == ENCRYPT_OFF ? TLS_LOGIN_ONLY : TLS_NOT_OFFERED;
        return;
    }
    report->finding = TLS_NOT_LOOKED_AT;
    if (!library_load(&tls_library, &err)) {
        put(report->reason, sizeof report->reason, err.primary, strlen(err.primary));
        put(report->remedy, sizeof report->remedy, err.hint, strlen(err.hint));
        return;
    }
    context = make_context(target);
    if (context != NULL)
        look_inside(end, context, target, report);
    SSL_CTX_free(context);
}

void
tls_probe(const struct tls_target *target, struct tls_report *ret)
{
    struct wire_end end = {.fd = -1, .deadline_ms = clock_monotonic_ms() + target->timeout_ms};

    *ret = (struct tls_report){.finding = TLS_NO_ANSWER};
    if (!dial(&end, target))
        return;
    probe_on(&end, target, ret);
    (void)close(end.fd);
}

/* ---- in words ---- */

static bool
explain_certificate(const struct tls_target *target, const struct tls_report *report,
                    struct err *err)
{
    if (report->finding == TLS_UNKNOWN_CA) {
        (void)err_set(err, ERR_TLS, "the certificate of %s comes from an unknown authority: %s",
                      target->host, report->issuer);
        (void)err_hint(err, "Put the authority's certificate into the system's store, or pass it "
                            "with --cacert FILE.");
    } else if (report->finding == TLS_SELF_SIGNED) {
        (void)err_set(err, ERR_TLS, "the certificate of %s is self-signed", target->host);
        (void)err_hint(err, "Compare its fingerprint with the server's, save it and pass it with "
                            "-J FILE. -C trusts whatever answers.");
    } else if (report->finding == TLS_EXPIRED) {
        (void)err_set(err, ERR_TLS, "the certificate of %s expired on %s", target->host,
                      report->not_after);
    } else if (report->finding == TLS_NOT_YET_VALID) {
        (void)err_set(err, ERR_TLS, "the certificate of %s is valid from %s only", target->host,
                      report->not_before);
        (void)err_hint(err, "Check this machine's clock.");
    } else if (report->finding == TLS_WRONG_NAME) {
        (void)err_set(err, ERR_TLS, "the certificate is not made out for %s but for %s",
                      target->name != NULL ? target->name : target->host,
                      report->names[0] != '\0' ? report->names : report->subject);
        (void)err_hint(err, "Use the server's name as the certificate has it.");
    } else if (report->finding == TLS_OTHER_CERTIFICATE) {
        (void)err_set(err, ERR_TLS, "%s presents another certificate than the one given with -J",
                      target->host);
        (void)err_hint(err,
                       "If the server's certificate was renewed, compare its fingerprint at the "
                       "server and save the new one. Otherwise somebody sits in between.");
    } else {
        (void)err_set(err, ERR_TLS, "the certificate of %s cannot be used: %s", target->host,
                      report->reason);
    }
    return err_detail(err, "%s, subject %s, valid %s to %s, SHA-256 %s", report->version,
                      report->subject, report->not_before, report->not_after, report->fingerprint);
}

bool
tls_probe_explain(const struct tls_target *target, const struct tls_report *report, struct err *err)
{
    switch (report->finding) {
    case TLS_FINE:
        (void)err_set(err, ERR_TLS, "%s,%u refused the sign-in without a word", target->host,
                      (unsigned)target->port);
        (void)err_detail(err, "a second look found %s and a good certificate", report->version);
        return err_hint(err,
                        "If the server requires Extended Protection (channel binding), FreeTDS "
                        "cannot sign in. Use a FreeTDS built with GnuTLS.");
    case TLS_NO_ANSWER:
        return err_set(err, ERR_CONNECT, "%s,%u accepted the connection and gave no answer",
                       target->host, (unsigned)target->port);
    case TLS_NOT_LOOKED_AT:
        (void)err_set(err, ERR_CONNECT,
                      "%s,%u ended the connection before the sign-in, and a second look to find "
                      "out why was not possible",
                      target->host, (unsigned)target->port);
        (void)err_detail(err, "%s", report->reason[0] ? report->reason : "out of memory");
        return err_hint(err, "%s", report->remedy);
    case TLS_NOT_SQL_SERVER:
        return err_set(err, ERR_CONNECT, "what answers on %s,%u is not a SQL Server", target->host,
                       (unsigned)target->port);
    case TLS_NOT_OFFERED:
        (void)err_set(err, ERR_TLS, "%s offers no TLS", target->host);
        return err_hint(err, "Switch encryption on at the server.");
    case TLS_LOGIN_ONLY:
        (void)err_set(err, ERR_TLS, "%s encrypts the sign-in only, not the data", target->host);
        return err_hint(err, "Switch encryption on at the server.");
    case TLS_NO_HANDSHAKE:
        (void)err_set(err, ERR_TLS, "no TLS version up to 1.2 could be agreed on with %s",
                      target->host);
        (void)err_hint(err, "FreeTDS speaks TLS 1.2 here, as SQL Server does within TDS 7.4. A "
                            "server or proxy that offers 1.3 only has to allow 1.2.");
        return err_detail(err, "%s", report->reason);
    case TLS_TOO_OLD:
        (void)err_set(err, ERR_TLS, "%s speaks nothing newer than %s", target->host,
                      report->version);
        return err_hint(err, "No password is sent below TLS 1.2. Switch 1.2 on at the server, or "
                             "find out who sits in between.");
    case TLS_BROKE_OFF:
        (void)err_set(err, ERR_TLS, "%s,%u broke off the TLS handshake", target->host,
                      (unsigned)target->port);
        return err_hint(err, "A firewall or proxy in between may cut it, or the server cannot use "
                             "its certificate (its error log tells).");
    case TLS_UNKNOWN_CA:
    case TLS_SELF_SIGNED:
    case TLS_EXPIRED:
    case TLS_NOT_YET_VALID:
    case TLS_WRONG_NAME:
    case TLS_OTHER_CERTIFICATE:
    case TLS_BAD_CERTIFICATE:
    default:
        return explain_certificate(target, report, err);
    }
}
