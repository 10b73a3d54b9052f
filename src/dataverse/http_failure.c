#include "http_failure.h"

#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

void
http_failure_host(const char *url, char *ret, size_t ret_size)
{
    const char *start = strstr(url, "://");

    start = start ? start + 3 : url;
    (void)snprintf(ret, ret_size, "%.*s", (int)strcspn(start, "/?#"), start);
}

/** What is wrong with a certificate. */
static const struct certificate_fault {
    long result; /* X509_V_ERR_... */
    const char *what, *hint;
} certificate_faults[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, "its certificate has expired",
     "Check this machine's clock, then who stands at that address."},
    {X509_V_ERR_CERT_NOT_YET_VALID, "its certificate is not valid yet",
     "Check this machine's clock."},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
     "its certificate is self-signed, so its authority is not known",
     "A proxy that inspects TLS may stand in between: give its authority with --cacert."},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "its certificate comes from an authority not known here",
     "A proxy that inspects TLS may stand in between: give its authority with --cacert."},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
     "its certificate comes from an authority not known here",
     "Install ca-certificates, or give the authority with --cacert."},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
     "its certificate comes from an authority not known here",
     "Install ca-certificates, or give the authority with --cacert."},
    {X509_V_ERR_CERT_REVOKED, "its certificate was revoked", "Do not go on; ask who runs it."},
    {X509_V_ERR_HOSTNAME_MISMATCH, "its certificate is for another name",
     "Check the host name; a proxy may stand in between."},
};

static bool
judge_certificate(CURL *easy, const char *reason, const char *host, struct err *err)
{
    const size_t faults = sizeof certificate_faults / sizeof certificate_faults[0];
    long result = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result);
    /* libcurl 7.88 compares the name itself, and leaves no result of OpenSSL then. */
    if ((result == X509_V_OK || result == X509_V_ERR_UNSPECIFIED) && strstr(reason, "match"))
        result = X509_V_ERR_HOSTNAME_MISMATCH;
    for (size_t i = 0; i < faults; i++)
        if (certificate_faults[i].result == result) {
            (void)err_set(err, ERR_TLS, "cannot trust %s: %s", host, certificate_faults[i].what);
            return err_hint(err, "%s", certificate_faults[i].hint);
        }
    return err_set(err, ERR_TLS, "cannot trust %s: its certificate could not be verified", host);
}

static bool
judge_connect(CURLcode code, const char *reason, const char *host, struct err *err)
{
    if (code == CURLE_COULDNT_RESOLVE_HOST) {
        (void)err_set(err, ERR_CONNECT, "cannot find the host %s", host);
        return err_hint(err, "Check the name, and this machine's DNS.");
    }
    if (code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_PROXY ||
        strncmp(reason, "Unsupported proxy ", 18) == 0) {
        (void)err_set(err, ERR_CONNECT, "cannot reach %s through the proxy", host);
        return err_hint(err, "See the variables https_proxy and no_proxy.");
    }
    (void)err_set(err, ERR_CONNECT,
                  code == CURLE_OPERATION_TIMEDOUT ? "%s did not answer in time"
                                                   : "cannot connect to %s",
                  host);
    return err_hint(err, "Check the address, the firewall and the proxy between.");
}

/** Did the other side go away in the middle of the handshake, as a server that restarts does? */
static bool
broke_off(CURLcode code, const char *reason)
{
    static const char *const words[] = {"Connection reset", "Broken pipe", "SSL_ERROR_SYSCALL",
                                        "unexpected eof"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (code == CURLE_SSL_CONNECT_ERROR && strstr(reason, words[i]))
            return true;
    return false;
}

/** A transfer that failed before the request could go out. */
static bool
judge_unsent(CURL *easy, CURLcode code, const char *reason, const char *host, struct err *err)
{
    long proxy_status = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    if (proxy_status >= 300) {
        (void)err_set(err, ERR_CONNECT, "the proxy refused the way to %s with status %ld", host,
                      proxy_status);
        return err_hint(err, "See the variables https_proxy and no_proxy.");
    }
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return judge_certificate(easy, reason, host, err);
    if (code == CURLE_SSL_CACERT_BADFILE) {
        (void)err_set(err, ERR_TLS, "the file of trusted authorities cannot be used");
        return err_hint(err, "Check --cacert: a readable PEM file with certificates.");
    }
    if (broke_off(code, reason)) {
        (void)err_set(err, ERR_CONNECT, "%s closed the connection during the TLS handshake", host);
        return err_hint(err, "It may be restarting; else check that the port speaks https, TLS 1.2 "
                             "or later.");
    }
    if (code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SSL_CERTPROBLEM ||
        code == CURLE_SSL_CIPHER || code == CURLE_SSL_ISSUER_ERROR) {
        (void)err_set(err, ERR_TLS, "no TLS connection with %s", host);
        return err_hint(err, "TLS 1.2 or later is needed; check that the port speaks https.");
    }
    return judge_connect(code, reason, host, err);
}

/** libcurl repeats a proxy's URL that it cannot use, with the password in it. */
static const char *
shown_reason(CURLcode code, const char *reason)
{
    static const char unsupported[] = "Unsupported proxy ";

    if (strncmp(reason, unsupported, sizeof unsupported - 1) == 0)
        return "the URL of the proxy cannot be used";
    return reason[0] && !strchr(reason, '@') ? reason : curl_easy_strerror(code);
}

/** A transfer that failed after the request, or a part of it, had gone out. */
static bool
judge_lost(CURLcode code, const char *host, struct err *err)
{
    if (code == CURLE_OPERATION_TIMEDOUT)
        return err_set(err, ERR_CONNECT, "%s did not answer in time", host);
    /* A status line that is none is HTTP/0.9 to libcurl. */
    if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY)
        return err_set(err, ERR_CONNECT, "what %s answered is not HTTP", host);
    return err_set(err, ERR_CONNECT, "the connection to %s was lost", host);
}

void
http_failure_judge(CURL *easy, CURLcode code, const char *reason, bool sent,
                   struct http_answer *answer)
{
    struct err *err = &answer->why;
    char host[128];
    char *url = NULL;

    (void)curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
    http_failure_host(url ? url : "", host, sizeof host);

    if (code == CURLE_OUT_OF_MEMORY || code == CURLE_FAILED_INIT) {
        answer->failure = sent ? HTTP_LOST : HTTP_IMPOSSIBLE;
        (void)err_set(err, ERR_INTERNAL, "out of memory");
    } else if (!sent && (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)) {
        answer->failure = HTTP_IMPOSSIBLE;
        (void)err_set(err, ERR_INTERNAL, "a URL for %s cannot be used", host);
    } else if (!sent) {
        answer->failure = HTTP_NOT_SENT;
        (void)judge_unsent(easy, code, reason, host, err);
    } else {
        answer->failure = HTTP_LOST;
        (void)judge_lost(code, host, err);
    }
    err->transient = err->code == ERR_CONNECT;
    (void)err_detail(err, "curl %d: %s; client request id %s", (int)code,
                     shown_reason(code, reason), answer->client_request_id);
}
