#include "base/digest.h"

#include "base/library.h"
#include "base/text.h"

#include <endian.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { HELD_BYTES = 4096 };

/* ---- libcrypto, loaded for the first digest: with the program it took a fifth of every start ----
 */

LIBRARY_NOTE(digest_note, "digest", "SHA-256 of rows, plans and backups", DWCLEAN_CRYPTO_LIBRARY);

#define DIGEST_FUNCTIONS(X)                                                                        \
    X(EVP_Digest)                                                                                  \
    X(EVP_DigestFinal_ex)                                                                          \
    X(EVP_DigestInit_ex)                                                                           \
    X(EVP_DigestUpdate)                                                                            \
    X(EVP_MD_CTX_free)                                                                             \
    X(EVP_MD_CTX_new)                                                                              \
    X(EVP_sha256)                                                                                  \
    X(OpenSSL_version)

static struct {
/* NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define DIGEST_MEMBER(name) __typeof__(&(name)) p_##name;
    DIGEST_FUNCTIONS(DIGEST_MEMBER)
#undef DIGEST_MEMBER
} crypto;

#define DIGEST_ENTRY(name) {#name, &crypto.p_##name},
static const struct library_function entries[] = {DIGEST_FUNCTIONS(DIGEST_ENTRY)};
#undef DIGEST_ENTRY

static struct library library = {
    .file = DWCLEAN_CRYPTO_LIBRARY,
    .package = "OpenSSL (Debian: libssl3)",
    .functions = entries,
    .count = sizeof entries / sizeof entries[0],
};

bool
digest_ready(struct err *err)
{
    return library_load(&library, err);
}

const char *
digest_library_version(void)
{
    struct err err;

    return library_load(&library, &err) ? crypto.p_OpenSSL_version(OPENSSL_VERSION_STRING) : NULL;
}

/* ---- SHA-256 ---- */

/** Rows are many short pieces, and each call of EVP costs more than hashing one: they are gathered.
 */
struct digest_stream {
    EVP_MD_CTX *context;
    size_t held;
    unsigned char bytes[HELD_BYTES];
};

struct digest_stream *
digest_new(void)
{
    struct digest_stream *stream = calloc(1, sizeof *stream);
    struct err err;

    if (!stream)
        return NULL;
    if (library_load(&library, &err))
        stream->context = crypto.p_EVP_MD_CTX_new();
    if (!stream->context ||
        crypto.p_EVP_DigestInit_ex(stream->context, crypto.p_EVP_sha256(), NULL) != 1) {
        digest_free(stream);
        return NULL;
    }
    return stream;
}

void
digest_free(struct digest_stream *stream)
{
    if (!stream)
        return;
    if (stream->context)
        crypto.p_EVP_MD_CTX_free(stream->context);
    free(stream);
}

/** EVP fails only without memory or without SHA-256: no digest could be trusted then. */
static void
digest_must(int result)
{
    if (result != 1)
        abort();
}

static void
flush_held(struct digest_stream *stream)
{
    if (stream->held)
        digest_must(crypto.p_EVP_DigestUpdate(stream->context, stream->bytes, stream->held));
    stream->held = 0;
}

void
digest_add(struct digest_stream *stream, const void *bytes, size_t size)
{
    if (size == 0)
        return;
    if (size > HELD_BYTES - stream->held)
        flush_held(stream);
    if (size > HELD_BYTES) {
        digest_must(crypto.p_EVP_DigestUpdate(stream->context, bytes, size));
        return;
    }
    memcpy(stream->bytes + stream->held, bytes, size);
    stream->held += size;
}

void
digest_add_u64(struct digest_stream *stream, uint64_t number)
{
    const uint64_t turned = htobe64(number);

    digest_add(stream, &turned, sizeof turned);
}

void
digest_add_slice(struct digest_stream *stream, struct slice bytes)
{
    digest_add_u64(stream, bytes.size);
    digest_add(stream, bytes.data, bytes.size);
}

struct digest
digest_finish(struct digest_stream *stream)
{
    struct digest digest;

    flush_held(stream);
    digest_must(crypto.p_EVP_DigestFinal_ex(stream->context, digest.bytes, NULL));
    /* the same algorithm again, which is not looked up */
    digest_must(crypto.p_EVP_DigestInit_ex(stream->context, NULL, NULL));
    return digest;
}

struct digest
digest_of(const void *bytes, size_t size)
{
    struct digest digest;

    library_use(&library);
    digest_must(crypto.p_EVP_Digest(bytes, size, digest.bytes, NULL, crypto.p_EVP_sha256(), NULL));
    return digest;
}

void
digest_hex(const struct digest *digest, char ret[DIGEST_HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        ret[2 * i] = digits[digest->bytes[i] >> 4];
        ret[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
    ret[DIGEST_HEX_BYTES - 1] = '\0';
}

bool
digest_from_hex(const char *hex, struct digest *ret)
{
    struct digest digest;

    if (strlen(hex) != DIGEST_HEX_BYTES - 1 ||
        !text_decode_hex(hex, DIGEST_HEX_BYTES - 1, digest.bytes))
        return false;
    *ret = digest;
    return true;
}

bool
digest_equal(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}
