#include "tds/tls.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct tds_tls_config {
    SSL_CTX *context;
};

struct tds_tls {
    pthread_mutex_t lock;
    SSL *ssl;
    BIO *from_client, *to_client; /* owned by ssl */
};

struct tds_tls_config *
tds_tls_config_new(const char *certificate_pem, const char *key_pem, char *why, size_t why_size)
{
    struct tds_tls_config *config = calloc(1, sizeof *config);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    bool ok = config != NULL && context != NULL &&
              SSL_CTX_use_certificate_chain_file(context, certificate_pem) == 1 &&
              SSL_CTX_use_PrivateKey_file(context, key_pem, SSL_FILETYPE_PEM) == 1 &&
              SSL_CTX_check_private_key(context) == 1 &&
              SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
              SSL_CTX_set_num_tickets(context, 0) == 1;
    if (!ok) {
        char reason[256];
        ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
        (void)snprintf(why, why_size, "cannot use certificate %s with key %s: %s", certificate_pem,
                       key_pem, reason);
        ERR_clear_error();
        SSL_CTX_free(context);
        free(config);
        return NULL;
    }
    (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    config->context = context;
    return config;
}

void
tds_tls_config_free(struct tds_tls_config *config)
{
    if (config == NULL)
        return;
    SSL_CTX_free(config->context);
    free(config);
}

/** OpenSSL has TLS 1.1 at security level 0 only. */
static bool
set_versions(SSL *ssl, enum tds_tls_versions versions)
{
    static const struct {
        int least, most;
    } ranges[] = {[TDS_TLS_1_1] = {TLS1_1_VERSION, TLS1_1_VERSION},
                  [TDS_TLS_1_2] = {TLS1_2_VERSION, TLS1_2_VERSION},
                  [TDS_TLS_1_2_OR_1_3] = {TLS1_2_VERSION, TLS1_3_VERSION},
                  [TDS_TLS_1_3] = {TLS1_3_VERSION, TLS1_3_VERSION}};
    if (versions == TDS_TLS_1_1)
        SSL_set_security_level(ssl, 0);
    return SSL_set_min_proto_version(ssl, ranges[versions].least) == 1 &&
           SSL_set_max_proto_version(ssl, ranges[versions].most) == 1;
}

struct tds_tls *
tds_tls_new(struct tds_tls_config *config, enum tds_tls_versions versions)
{
    struct tds_tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        return NULL;
    SSL *ssl = SSL_new(config->context);
    BIO *from_client = BIO_new(BIO_s_mem());
    BIO *to_client = BIO_new(BIO_s_mem());
    if (ssl == NULL || from_client == NULL || to_client == NULL || !set_versions(ssl, versions) ||
        pthread_mutex_init(&tls->lock, NULL) != 0) {
        (void)BIO_free(from_client);
        (void)BIO_free(to_client);
        SSL_free(ssl);
        free(tls);
        return NULL;
    }
    SSL_set_bio(ssl, from_client, to_client);
    SSL_set_accept_state(ssl);
    tls->ssl = ssl;
    tls->from_client = from_client;
    tls->to_client = to_client;
    return tls;
}

void
tds_tls_free(struct tds_tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    (void)pthread_mutex_destroy(&tls->lock);
    free(tls);
}

bool
tds_tls_feed(struct tds_tls *tls, const void *bytes, size_t count)
{
    if (count > INT_MAX)
        return false;
    (void)pthread_mutex_lock(&tls->lock);
    bool ok = count == 0 || BIO_write(tls->from_client, bytes, (int)count) == (int)count;
    (void)pthread_mutex_unlock(&tls->lock);
    return ok;
}

size_t
tds_tls_drain(struct tds_tls *tls, void *ret, size_t size)
{
    (void)pthread_mutex_lock(&tls->lock);
    int count = BIO_read(tls->to_client, ret, size > INT_MAX ? INT_MAX : (int)size);
    (void)pthread_mutex_unlock(&tls->lock);
    return count > 0 ? (size_t)count : 0;
}

/* Under the lock: the thread's error queue belongs to the call just made. */
static enum tds_tls_result
result_of(const struct tds_tls *tls, int answer)
{
    int error = SSL_get_error(tls->ssl, answer);
    ERR_clear_error();
    return error == SSL_ERROR_WANT_READ ? TDS_TLS_WANTS_INPUT : TDS_TLS_FAILED;
}

enum tds_tls_result
tds_tls_handshake(struct tds_tls *tls)
{
    (void)pthread_mutex_lock(&tls->lock);
    int answer = SSL_do_handshake(tls->ssl);
    enum tds_tls_result result = answer == 1 ? TDS_TLS_OK : result_of(tls, answer);
    (void)pthread_mutex_unlock(&tls->lock);
    return result;
}

enum tds_tls_result
tds_tls_read(struct tds_tls *tls, void *ret, size_t size, size_t *ret_count)
{
    (void)pthread_mutex_lock(&tls->lock);
    int answer = SSL_read_ex(tls->ssl, ret, size, ret_count);
    enum tds_tls_result result = answer == 1 ? TDS_TLS_OK : result_of(tls, answer);
    (void)pthread_mutex_unlock(&tls->lock);
    return result;
}

void
tds_tls_close(struct tds_tls *tls)
{
    (void)pthread_mutex_lock(&tls->lock);
    (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
    (void)pthread_mutex_unlock(&tls->lock);
}

bool
tds_tls_write(struct tds_tls *tls, const void *bytes, size_t count)
{
    if (count == 0)
        return true;
    (void)pthread_mutex_lock(&tls->lock);
    size_t written = 0;
    bool ok = SSL_write_ex(tls->ssl, bytes, count, &written) == 1 && written == count;
    if (!ok)
        ERR_clear_error();
    (void)pthread_mutex_unlock(&tls->lock);
    return ok;
}
