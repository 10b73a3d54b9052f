/**
 * libssl, and libcrypto with it, loaded when a certificate is looked at (base/library.h). To be
 * included in place of OpenSSL's own headers.
 */
#ifndef MSSQL_TLS_LIBRARY_H
#define MSSQL_TLS_LIBRARY_H

#include "base/library.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/** What is called of it. */
#define TLS_FUNCTIONS(X)                                                                           \
    X(ASN1_STRING_get0_data)                                                                       \
    X(ASN1_STRING_length)                                                                          \
    X(ASN1_TIME_print)                                                                             \
    X(BIO_ctrl)                                                                                    \
    X(BIO_free)                                                                                    \
    X(BIO_new)                                                                                     \
    X(BIO_new_file)                                                                                \
    X(BIO_new_mem_buf)                                                                             \
    X(BIO_read)                                                                                    \
    X(BIO_s_mem)                                                                                   \
    X(BIO_write)                                                                                   \
    X(ERR_clear_error)                                                                             \
    X(ERR_peek_last_error)                                                                         \
    X(ERR_reason_error_string)                                                                     \
    X(EVP_sha256)                                                                                  \
    X(GENERAL_NAMES_free)                                                                          \
    X(OPENSSL_sk_num)                                                                              \
    X(OPENSSL_sk_value)                                                                            \
    X(PEM_read_bio_X509)                                                                           \
    X(PEM_write_bio_X509)                                                                          \
    X(SSL_CTX_ctrl)                                                                                \
    X(SSL_CTX_free)                                                                                \
    X(SSL_CTX_load_verify_locations)                                                               \
    X(SSL_CTX_new)                                                                                 \
    X(SSL_CTX_set_default_verify_paths)                                                            \
    X(SSL_CTX_set_security_level)                                                                  \
    X(SSL_CTX_set_verify)                                                                          \
    X(SSL_do_handshake)                                                                            \
    X(SSL_free)                                                                                    \
    X(SSL_get1_peer_certificate)                                                                   \
    X(SSL_get_error)                                                                               \
    X(SSL_get_verify_result)                                                                       \
    X(SSL_get_version)                                                                             \
    X(SSL_new)                                                                                     \
    X(SSL_set_bio)                                                                                 \
    X(SSL_set_connect_state)                                                                       \
    X(SSL_version)                                                                                 \
    X(TLS_client_method)                                                                           \
    X(X509_NAME_oneline)                                                                           \
    X(X509_check_ca)                                                                               \
    X(X509_check_host)                                                                             \
    X(X509_check_ip_asc)                                                                           \
    X(X509_cmp)                                                                                    \
    X(X509_cmp_current_time)                                                                       \
    X(X509_digest)                                                                                 \
    X(X509_free)                                                                                   \
    X(X509_get0_notAfter)                                                                          \
    X(X509_get0_notBefore)                                                                         \
    X(X509_get_ext_d2i)                                                                            \
    X(X509_get_issuer_name)                                                                        \
    X(X509_get_subject_name)                                                                       \
    X(X509_get_version)                                                                            \
    X(X509_verify_cert_error_string)                                                               \
    X(d2i_X509_bio)

struct tls_functions {
/* NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define TLS_MEMBER(name) __typeof__(&(name)) p_##name;
    TLS_FUNCTIONS(TLS_MEMBER)
#undef TLS_MEMBER
};

/** The library; its functions, once it is loaded. */
extern struct library tls_library;
extern struct tls_functions tls_functions;

/** The functions; the library is loaded for the first call. */
static inline const struct tls_functions *
tls_use(void)
{
    library_use(&tls_library);
    return &tls_functions;
}

/* clang-format off */
#define ASN1_STRING_get0_data tls_use()->p_ASN1_STRING_get0_data
#define ASN1_STRING_length tls_use()->p_ASN1_STRING_length
#define ASN1_TIME_print tls_use()->p_ASN1_TIME_print
#define BIO_ctrl tls_use()->p_BIO_ctrl
#define BIO_free tls_use()->p_BIO_free
#define BIO_new tls_use()->p_BIO_new
#define BIO_new_file tls_use()->p_BIO_new_file
#define BIO_new_mem_buf tls_use()->p_BIO_new_mem_buf
#define BIO_read tls_use()->p_BIO_read
#define BIO_s_mem tls_use()->p_BIO_s_mem
#define BIO_write tls_use()->p_BIO_write
#define ERR_clear_error tls_use()->p_ERR_clear_error
#define ERR_peek_last_error tls_use()->p_ERR_peek_last_error
#define ERR_reason_error_string tls_use()->p_ERR_reason_error_string
#define EVP_sha256 tls_use()->p_EVP_sha256
#define GENERAL_NAMES_free tls_use()->p_GENERAL_NAMES_free
#define OPENSSL_sk_num tls_use()->p_OPENSSL_sk_num
#define OPENSSL_sk_value tls_use()->p_OPENSSL_sk_value
#define PEM_read_bio_X509 tls_use()->p_PEM_read_bio_X509
#define PEM_write_bio_X509 tls_use()->p_PEM_write_bio_X509
#define SSL_CTX_ctrl tls_use()->p_SSL_CTX_ctrl
#define SSL_CTX_free tls_use()->p_SSL_CTX_free
#define SSL_CTX_load_verify_locations tls_use()->p_SSL_CTX_load_verify_locations
#define SSL_CTX_new tls_use()->p_SSL_CTX_new
#define SSL_CTX_set_default_verify_paths tls_use()->p_SSL_CTX_set_default_verify_paths
#define SSL_CTX_set_security_level tls_use()->p_SSL_CTX_set_security_level
#define SSL_CTX_set_verify tls_use()->p_SSL_CTX_set_verify
#define SSL_do_handshake tls_use()->p_SSL_do_handshake
#define SSL_free tls_use()->p_SSL_free
#define SSL_get1_peer_certificate tls_use()->p_SSL_get1_peer_certificate
#define SSL_get_error tls_use()->p_SSL_get_error
#define SSL_get_verify_result tls_use()->p_SSL_get_verify_result
#define SSL_get_version tls_use()->p_SSL_get_version
#define SSL_new tls_use()->p_SSL_new
#define SSL_set_bio tls_use()->p_SSL_set_bio
#define SSL_set_connect_state tls_use()->p_SSL_set_connect_state
#define SSL_version tls_use()->p_SSL_version
#define TLS_client_method tls_use()->p_TLS_client_method
#define X509_NAME_oneline tls_use()->p_X509_NAME_oneline
#define X509_check_ca tls_use()->p_X509_check_ca
#define X509_check_host tls_use()->p_X509_check_host
#define X509_check_ip_asc tls_use()->p_X509_check_ip_asc
#define X509_cmp tls_use()->p_X509_cmp
#define X509_cmp_current_time tls_use()->p_X509_cmp_current_time
#define X509_digest tls_use()->p_X509_digest
#define X509_free tls_use()->p_X509_free
#define X509_get0_notAfter tls_use()->p_X509_get0_notAfter
#define X509_get0_notBefore tls_use()->p_X509_get0_notBefore
#define X509_get_ext_d2i tls_use()->p_X509_get_ext_d2i
#define X509_get_issuer_name tls_use()->p_X509_get_issuer_name
#define X509_get_subject_name tls_use()->p_X509_get_subject_name
#define X509_get_version tls_use()->p_X509_get_version
#define X509_verify_cert_error_string tls_use()->p_X509_verify_cert_error_string
#define d2i_X509_bio tls_use()->p_d2i_X509_bio
/* clang-format on */

#endif
