#include "curl_library.h"

LIBRARY_NOTE(curl_note, "dataverse", "HTTP of the Dataverse half", DWCLEAN_CURL_LIBRARY);

struct curl_functions curl_functions;

#define CURL_ENTRY(name) {#name, &curl_functions.p_##name},
static const struct library_function entries[] = {CURL_FUNCTIONS(CURL_ENTRY)};

struct library curl_library = {
    .file = DWCLEAN_CURL_LIBRARY,
    .package = "libcurl (Debian: libcurl4)",
    .functions = entries,
    .count = sizeof entries / sizeof entries[0],
};
