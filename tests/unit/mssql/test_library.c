/** What a FreeTDS can is read from the version that is loaded. */
#include "../../../src/mssql/library.h"
#include "mssql/mssql.h"
#include "test.h"

static void
versions_are_read(void **state)
{
    static const struct {
        const char *text;
        int major, minor;
    } known[] = {
        {"freetds v1.3.17", 1, 3},
        {"freetds v1.4", 1, 4},
        {"freetds v1.5.18", 1, 5},
        {"freetds v10.0.1", 10, 0},
        {"freetds vdev.1.4.201", 0, 0},
        {"", 0, 0},
        {"freetds v1", 0, 0},
        {"freetds v1.x", 0, 0},
        {"1.4.1", 0, 0},
        {"freetds v99999999999999999999.4", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct library_version version = library_version_parse(known[i].text);

        assert_int_equal(version.major, known[i].major);
        assert_int_equal(version.minor, known[i].minor);
    }
}

static void
abilities_begin_with_their_version(void **state)
{
    (void)state;
    assert_false(library_can_strict(library_version_parse("freetds v1.3.17")));
    assert_false(library_can_name_certificate(library_version_parse("freetds v1.3.17")));
    assert_true(library_can_strict(library_version_parse("freetds v1.4")));
    assert_true(library_can_name_certificate(library_version_parse("freetds v1.5.18")));
    assert_true(library_can_strict(library_version_parse("freetds v2.0")));
    assert_false(library_can_strict(library_version_parse("unreadable")));
}

static void
the_loaded_one_says_what_it_is(void **state)
{
    (void)state;
    assert_true(library_version_parse(mssql_library_version()).major >= 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_read),
        cmocka_unit_test(abilities_begin_with_their_version),
        cmocka_unit_test(the_loaded_one_says_what_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
