#include "../../../src/backup/tar_library.h"
#include "test.h"

#include <string.h>

static void
every_function_that_is_called_is_there(void **state)
{
    struct tar_library library = {0};
    struct err err;

    (void)state;
    assert_true(tar_library_load(tar_library_file, &library, &err));
#define EXPECT_FOUND(name) assert_non_null(library.name);
    TAR_FUNCTIONS(EXPECT_FOUND)
#undef EXPECT_FOUND
    tar_library_unload(&library);
    assert_null(library.handle);
}

static void
a_library_that_is_not_installed_is_named(void **state)
{
    struct tar_library library = {0};
    struct err err;

    (void)state;
    assert_false(tar_library_load("libarchive.so.none", &library, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, "libarchive.so.none"));
    assert_non_null(strstr(err.detail, "cannot open shared object file"));
    assert_non_null(strstr(err.hint, "libarchive13"));
    assert_null(library.handle);
}

static void
another_library_is_not_taken_for_it(void **state)
{
    struct tar_library library = {0};
    struct err err;

    (void)state;
    assert_false(tar_library_load("libc.so.6", &library, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.detail, "archive_write_new"));
    assert_null(library.handle);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_that_is_called_is_there),
        cmocka_unit_test(a_library_that_is_not_installed_is_named),
        cmocka_unit_test(another_library_is_not_taken_for_it),
    };
    return cmocka_run_group_tests_name("backup/tar_library", tests, NULL, NULL);
}
