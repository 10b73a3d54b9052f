#include "columns_library.h"

LIBRARY_NOTE(columns_note, "report", "columns of reports in text", DWCLEAN_COLUMNS_LIBRARY);

struct columns_functions columns_functions;

#define COLUMNS_ENTRY(name) {#name, &columns_functions.p_##name},
static const struct library_function entries[] = {COLUMNS_FUNCTIONS(COLUMNS_ENTRY)};

struct library columns_library = {
    .file = DWCLEAN_COLUMNS_LIBRARY,
    .package = "libsmartcols (Debian: libsmartcols1)",
    .functions = entries,
    .count = sizeof entries / sizeof entries[0],
};
