#include "base/digest.h"
#include "base/library.h"
#include "test.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *(*library_name)(int);
static int (*no_such_function)(void);
static const struct library_function functions[] = {{"OpenSSL_version", &library_name},
                                                    {"no_such_function", &no_such_function}};

static void
a_library_is_loaded_with_its_functions(void **state)
{
    struct library library = {
        .file = DWCLEAN_CRYPTO_LIBRARY, .package = "OpenSSL", .functions = functions, .count = 1};
    struct err err = {0};

    (void)state;
    assert_true(library_load(&library, &err));
    assert_true(library.loaded);
    assert_non_null(strstr(library_name(0), "OpenSSL"));
    assert_true(library_load(&library, &err)); /* again is nothing */
    library_use(&library);
}

static void
what_cannot_be_loaded_is_named_with_what_to_install(void **state)
{
    struct library none = {.file = "libdwclean-none.so.1", .package = "a package"};
    struct library other = {
        .file = DWCLEAN_CRYPTO_LIBRARY, .package = "OpenSSL", .functions = functions, .count = 2};
    struct err err = {0};

    (void)state;
    assert_false(library_load(&none, &err));
    assert_false(none.loaded);
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_non_null(strstr(err.primary, "libdwclean-none.so.1"));
    assert_string_equal(err.hint, "Install a package.");
    err = (struct err){0};
    assert_false(library_load(&other, &err));
    assert_false(other.loaded);
    assert_non_null(strstr(err.detail, "no_such_function"));
}

static void
without_its_library_the_program_ends(void **state)
{
    struct library none = {.file = "libdwclean-none.so.1", .package = "a package"};
    int status = 0;
    const pid_t child = fork();

    (void)state;
    if (child == 0) {
        library_use(&none);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void
digests_tell_their_library(void **state)
{
    struct err err = {0};

    (void)state;
    assert_true(digest_ready(&err));
    assert_int_equal(strncmp(digest_library_version(), "3.", 2), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_library_is_loaded_with_its_functions),
        cmocka_unit_test(what_cannot_be_loaded_is_named_with_what_to_install),
        cmocka_unit_test(without_its_library_the_program_ends),
        cmocka_unit_test(digests_tell_their_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
