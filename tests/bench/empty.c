/* A program that does nothing: what the libraries of `dwclean version` cost, linked or, with LOADS,
 * linked and loaded as there. Status 1: one cannot be loaded. */
#include <dlfcn.h>
#include <stddef.h>

int
main(void)
{
#ifdef LOADS
    static const char *const later[] = {DWCLEAN_CURL_LIBRARY, DWCLEAN_CRYPTO_LIBRARY,
                                        DWCLEAN_COLUMNS_LIBRARY};

    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++)
        if (!dlopen(later[i], RTLD_LAZY | RTLD_GLOBAL))
            return 1;
#endif
    return 0;
}
