#include "tar_library.h"

#include <dlfcn.h>
#include <elf.h>
#include <string.h>

const char tar_library_file[] = DWCLEAN_TAR_LIBRARY;

/* The note of systemd's ELF_DLOPEN_METADATA: who packages or scans the program finds here what its
 * dynamic section does not say. */
#define NOTE_TEXT                                                                                  \
    "[{\"feature\":\"export\",\"description\":\"tar files of export --redact\","                   \
    "\"priority\":\"required\",\"soname\":[\"" DWCLEAN_TAR_LIBRARY "\"]}]"

enum { NOTE_DLOPEN = 0x407c0c0a };

static const struct {
    Elf64_Nhdr head;
    char owner[4];
    _Alignas(4) char text[(sizeof(NOTE_TEXT) + 3) / 4 * 4];
} note __attribute__((used, section(".note.dlopen"), aligned(4))) = {
    .head = {.n_namesz = sizeof(note.owner), .n_descsz = sizeof(NOTE_TEXT), .n_type = NOTE_DLOPEN},
    .owner = "FDO",
    .text = NOTE_TEXT,
};

static bool
not_loaded(const char *file, struct err *err)
{
    const char *why = dlerror(); /* NOLINT(concurrency-mt-unsafe): there is one thread */

    (void)err_set(err, ERR_STORAGE, "the library that makes tar files cannot be loaded: %s", file);
    (void)err_detail(err, "%s", why ? why : "no reason was given");
    return err_hint(err, "Install libarchive (Debian: libarchive13).");
}

bool
tar_library_load(const char *file, struct tar_library *ret, struct err *err)
{
    struct tar_library library = {.handle = dlopen(file, RTLD_NOW | RTLD_LOCAL)};
    bool whole = library.handle;
    void *found = NULL;

    if (!whole)
        return not_loaded(file, err);
/* ISO C has no cast from an object to a function */
#define TAR_FIND(name)                                                                             \
    found = whole ? dlsym(library.handle, #name) : NULL;                                           \
    whole = found;                                                                                 \
    memcpy(&library.name, &found, sizeof(found));
    TAR_FUNCTIONS(TAR_FIND)
#undef TAR_FIND
    if (whole) {
        *ret = library;
        return true;
    }
    (void)not_loaded(file, err);
    tar_library_unload(&library);
    return false;
}

void
tar_library_unload(struct tar_library *library)
{
    (void)dlclose(library->handle);
    *library = (struct tar_library){0};
}
