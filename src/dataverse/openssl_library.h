/**
 * libcrypto, loaded when a certificate or a token is read (base/library.h). To be included in place
 * of OpenSSL's own headers.
 */
#ifndef DATAVERSE_OPENSSL_LIBRARY_H
#define DATAVERSE_OPENSSL_LIBRARY_H

#include "base/library.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/** What is called of it. */
#define OPENSSL_FUNCTIONS(X)                                                                       \
    X(ASN1_TIME_to_tm)                                                                             \
    X(BIO_free)                                                                                    \
    X(BIO_new_mem_buf)                                                                             \
    X(CRYPTO_free)                                                                                 \
    X(ERR_clear_error)                                                                             \
    X(EVP_DecodeBlock)                                                                             \
    X(EVP_DigestSign)                                                                              \
    X(EVP_DigestSignInit)                                                                          \
    X(EVP_EncodeBlock)                                                                             \
    X(EVP_MD_CTX_free)                                                                             \
    X(EVP_MD_CTX_new)                                                                              \
    X(EVP_PKEY_CTX_set_rsa_padding)                                                                \
    X(EVP_PKEY_CTX_set_rsa_pss_saltlen)                                                            \
    X(EVP_PKEY_free)                                                                               \
    X(EVP_PKEY_get_base_id)                                                                        \
    X(EVP_PKEY_get_bits)                                                                           \
    X(EVP_PKEY_get_size)                                                                           \
    X(EVP_sha1)                                                                                    \
    X(EVP_sha256)                                                                                  \
    X(OPENSSL_sk_new_null)                                                                         \
    X(OPENSSL_sk_num)                                                                              \
    X(OPENSSL_sk_pop_free)                                                                         \
    X(OPENSSL_sk_push)                                                                             \
    X(OPENSSL_sk_value)                                                                            \
    X(PEM_read_bio_PrivateKey)                                                                     \
    X(PEM_read_bio_X509)                                                                           \
    X(PKCS12_free)                                                                                 \
    X(PKCS12_mac_present)                                                                          \
    X(PKCS12_parse)                                                                                \
    X(PKCS12_verify_mac)                                                                           \
    X(RAND_bytes)                                                                                  \
    X(X509_check_issued)                                                                           \
    X(X509_check_private_key)                                                                      \
    X(X509_cmp_current_time)                                                                       \
    X(X509_digest)                                                                                 \
    X(X509_free)                                                                                   \
    X(X509_get0_notAfter)                                                                          \
    X(X509_get0_notBefore)                                                                         \
    X(d2i_PKCS12)                                                                                  \
    X(i2d_X509)

struct openssl_functions {
/* NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define OPENSSL_MEMBER(name) __typeof__(&(name)) p_##name;
    OPENSSL_FUNCTIONS(OPENSSL_MEMBER)
#undef OPENSSL_MEMBER
};

/** The library; its functions, once it is loaded. */
extern struct library openssl_library;
extern struct openssl_functions openssl_functions;

/** The functions; the library is loaded for the first call. */
static inline const struct openssl_functions *
openssl_use(void)
{
    library_use(&openssl_library);
    return &openssl_functions;
}

/* clang-format off */
#define ASN1_TIME_to_tm openssl_use()->p_ASN1_TIME_to_tm
#define BIO_free openssl_use()->p_BIO_free
#define BIO_new_mem_buf openssl_use()->p_BIO_new_mem_buf
#define CRYPTO_free openssl_use()->p_CRYPTO_free
#define ERR_clear_error openssl_use()->p_ERR_clear_error
#define EVP_DecodeBlock openssl_use()->p_EVP_DecodeBlock
#define EVP_DigestSign openssl_use()->p_EVP_DigestSign
#define EVP_DigestSignInit openssl_use()->p_EVP_DigestSignInit
#define EVP_EncodeBlock openssl_use()->p_EVP_EncodeBlock
#define EVP_MD_CTX_free openssl_use()->p_EVP_MD_CTX_free
#define EVP_MD_CTX_new openssl_use()->p_EVP_MD_CTX_new
#define EVP_PKEY_CTX_set_rsa_padding openssl_use()->p_EVP_PKEY_CTX_set_rsa_padding
#define EVP_PKEY_CTX_set_rsa_pss_saltlen openssl_use()->p_EVP_PKEY_CTX_set_rsa_pss_saltlen
#define EVP_PKEY_free openssl_use()->p_EVP_PKEY_free
#define EVP_PKEY_get_base_id openssl_use()->p_EVP_PKEY_get_base_id
#define EVP_PKEY_get_bits openssl_use()->p_EVP_PKEY_get_bits
#define EVP_PKEY_get_size openssl_use()->p_EVP_PKEY_get_size
#define EVP_sha1 openssl_use()->p_EVP_sha1
#define EVP_sha256 openssl_use()->p_EVP_sha256
#define OPENSSL_sk_new_null openssl_use()->p_OPENSSL_sk_new_null
#define OPENSSL_sk_num openssl_use()->p_OPENSSL_sk_num
#define OPENSSL_sk_pop_free openssl_use()->p_OPENSSL_sk_pop_free
#define OPENSSL_sk_push openssl_use()->p_OPENSSL_sk_push
#define OPENSSL_sk_value openssl_use()->p_OPENSSL_sk_value
#define PEM_read_bio_PrivateKey openssl_use()->p_PEM_read_bio_PrivateKey
#define PEM_read_bio_X509 openssl_use()->p_PEM_read_bio_X509
#define PKCS12_free openssl_use()->p_PKCS12_free
#define PKCS12_mac_present openssl_use()->p_PKCS12_mac_present
#define PKCS12_parse openssl_use()->p_PKCS12_parse
#define PKCS12_verify_mac openssl_use()->p_PKCS12_verify_mac
#define RAND_bytes openssl_use()->p_RAND_bytes
#define X509_check_issued openssl_use()->p_X509_check_issued
#define X509_check_private_key openssl_use()->p_X509_check_private_key
#define X509_cmp_current_time openssl_use()->p_X509_cmp_current_time
#define X509_digest openssl_use()->p_X509_digest
#define X509_free openssl_use()->p_X509_free
#define X509_get0_notAfter openssl_use()->p_X509_get0_notAfter
#define X509_get0_notBefore openssl_use()->p_X509_get0_notBefore
#define d2i_PKCS12 openssl_use()->p_d2i_PKCS12
#define i2d_X509 openssl_use()->p_i2d_X509
/* clang-format on */

#endif
