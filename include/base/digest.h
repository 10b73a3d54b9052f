/** SHA-256 (OpenSSL EVP). */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/err.h"
#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 32, DIGEST_HEX_BYTES = 65 /* with the NUL */ };

struct digest {
    unsigned char bytes[DIGEST_BYTES];
};

/**
 * libcrypto is loaded for the first digest (base/library.h). Whoever is going to take digests asks
 * here before, and can say why there will be none.
 */
MUST_CHECK bool digest_ready(struct err *err);

/** Its version, "3.0.15"; NULL = it cannot be loaded. */
const char *digest_library_version(void);

struct digest_stream; /* opaque */

/** A running SHA-256. NULL when out of memory, or without libcrypto. Reusable after digest_finish.
 */
struct digest_stream *digest_new(void);
void digest_free(struct digest_stream *stream); /* NULL is allowed */
void digest_add(struct digest_stream *stream, const void *bytes, size_t size);
/** Add a 64-bit length or number, big-endian. */
void digest_add_u64(struct digest_stream *stream, uint64_t number);
/** Add the length as digest_add_u64, then the bytes: no two lists of slices collide. */
void digest_add_slice(struct digest_stream *stream, struct slice bytes);
/** The digest so far; the stream starts again, empty. */
struct digest digest_finish(struct digest_stream *stream);

struct digest digest_of(const void *bytes, size_t size);
void digest_hex(const struct digest *digest, char ret[DIGEST_HEX_BYTES]);
MUST_CHECK bool digest_from_hex(const char *hex, struct digest *ret);
bool digest_equal(const struct digest *a, const struct digest *b);

#endif
