#include "tls_library.h"

LIBRARY_NOTE(tls_note, "tls", "the certificate of -J, and why TLS with the server fails",
             DWCLEAN_SSL_LIBRARY);

struct tls_functions tls_functions;

#define TLS_ENTRY(name) {#name, &tls_functions.p_##name},
static const struct library_function entries[] = {TLS_FUNCTIONS(TLS_ENTRY)};

struct library tls_library = {
    .file = DWCLEAN_SSL_LIBRARY,
    .package = "OpenSSL (Debian: libssl3)",
    .functions = entries,
    .count = sizeof entries / sizeof entries[0],
};
