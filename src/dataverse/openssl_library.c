#include "openssl_library.h"

LIBRARY_NOTE(openssl_note, "sign-in", "client certificates and tokens of the Dataverse half",
             DWCLEAN_CRYPTO_LIBRARY);

struct openssl_functions openssl_functions;

#define OPENSSL_ENTRY(name) {#name, &openssl_functions.p_##name},
static const struct library_function entries[] = {OPENSSL_FUNCTIONS(OPENSSL_ENTRY)};

struct library openssl_library = {
    .file = DWCLEAN_CRYPTO_LIBRARY,
    .package = "OpenSSL (Debian: libssl3)",
    .functions = entries,
    .count = sizeof entries / sizeof entries[0],
};
