/**
 * Shared libraries that are loaded when they are first needed, because loading them with the
 * program would make every start longer. Each has a private header (digest.c, tls_library.h,
 * openssl_library.h, curl_library.h) that lists what is called of it and gives these functions
 * their own names, so that a call looks as if the library was linked. Who packages or scans the
 * program finds the libraries in the note .note.dlopen of the program.
 */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/** One function: where its address is written to, a pointer to a function. */
struct library_function {
    const char *name;
    void *ret_address;
};

struct library {
    const char *file;    /* "libcurl.so.4", as the program was built for it */
    const char *package; /* what to install, for a person: "libcurl (Debian: libcurl4)" */
    const struct library_function *functions;
    size_t count;
    bool loaded;
};

/** Load it, if it is not; it stays. ERR_INTERNAL: it is not installed, or is another one. */
MUST_CHECK bool library_load(struct library *library, struct err *err);

/**
 * Load it, if it is not, in the middle of work. Where that fails the program ends (abort), as it
 * would at its start: whoever can tell a person calls library_load before.
 */
void library_use(struct library *library);

/** ELF's form of a note, https://uapi-group.org/specifications/specs/elf_dlopen_metadata/. */
struct library_note {
    uint32_t owner_size, text_size, type;
    char owner[4];
    _Alignas(4) char text[256];
};

/** The note about a library, once for each, in one source. */
#define LIBRARY_NOTE(variable, feature, description, file)                                         \
    static const struct library_note variable                                                      \
        __attribute__((used, section(".note.dlopen"), aligned(4))) = {                             \
            .owner_size = 4,                                                                       \
            .text_size = 256,                                                                      \
            .type = 0x407c0c0a,                                                                    \
            .owner = "FDO",                                                                        \
            .text = "[{\"feature\":\"" feature "\",\"description\":\"" description                 \
                    "\",\"priority\":\"required\",\"soname\":[\"" file "\"]}]",                    \
    }

#endif
