#include "base/library.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static bool
not_loaded(const struct library *library, struct err *err)
{
    const char *why = dlerror(); /* NOLINT(concurrency-mt-unsafe): there is one thread */

    (void)err_set(err, ERR_INTERNAL, "a library cannot be loaded: %s", library->file);
    (void)err_detail(err, "%s", why ? why : "no reason was given");
    return err_hint(err, "Install %s.", library->package);
}

bool
library_load(struct library *library, struct err *err)
{
    if (library->loaded)
        return true;
    /* Global, as if it was linked: what is preloaded comes before it. */
    if (!dlopen(library->file, RTLD_LAZY | RTLD_GLOBAL))
        return not_loaded(library, err);
    for (size_t i = 0; i < library->count; i++) {
        void *found = dlsym(RTLD_DEFAULT, library->functions[i].name);

        if (!found)
            return not_loaded(library, err);
        /* ISO C has no cast from an object to a function */
        memcpy(library->functions[i].ret_address, &found, sizeof found);
    }
    library->loaded = true;
    return true;
}

void
library_use(struct library *library)
{
    struct err err;

    if (!library->loaded && !library_load(library, &err))
        abort();
}
