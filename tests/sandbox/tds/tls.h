/**
 * TLS without a socket: bytes go in and out of memory, so that the handshake can travel inside TDS
 * packets and the records outside of them. Thread-safe: one thread may read while another writes.
 */
#ifndef SANDBOX_TDS_TLS_H
#define SANDBOX_TDS_TLS_H

#include <stdbool.h>
#include <stddef.h>

struct tds_tls_config;
struct tds_tls;

/** NULL on failure, with the reason in `why`. */
struct tds_tls_config *tds_tls_config_new(const char *certificate_pem, const char *key_pem,
                                          char *why, size_t why_size);
void tds_tls_config_free(struct tds_tls_config *config);

enum tds_tls_versions { TDS_TLS_1_1, TDS_TLS_1_2, TDS_TLS_1_2_OR_1_3, TDS_TLS_1_3 };

/** SQL Server offers 1.2 within TDS 7.4. NULL when memory is short. */
struct tds_tls *tds_tls_new(struct tds_tls_config *config, enum tds_tls_versions versions);
void tds_tls_free(struct tds_tls *tls);

enum tds_tls_result { TDS_TLS_OK, TDS_TLS_WANTS_INPUT, TDS_TLS_FAILED };

/** Ciphertext from the client. */
bool tds_tls_feed(struct tds_tls *tls, const void *bytes, size_t count);
/** Ciphertext for the client: up to `size` bytes, 0 when there is none. */
size_t tds_tls_drain(struct tds_tls *tls, void *ret, size_t size);

enum tds_tls_result tds_tls_handshake(struct tds_tls *tls);
enum tds_tls_result tds_tls_read(struct tds_tls *tls, void *ret, size_t size, size_t *ret_count);
/** Say that nothing more will come (close_notify); fetch it with tds_tls_drain. */
void tds_tls_close(struct tds_tls *tls);
/** Encrypts all of it; fetch the result with tds_tls_drain. */
bool tds_tls_write(struct tds_tls *tls, const void *bytes, size_t count);

#endif
