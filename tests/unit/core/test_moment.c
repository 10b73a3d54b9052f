#include "../../../src/core/moment.h"
#include "test.h"

static void
a_moment_is_a_date_with_or_without_a_time(void **state)
{
    static const struct {
        const char *text, *moment; /* NULL: it is none */
    } cases[] = {
        {"2026-11-20", "2026-11-20T00:00:00.0000000"},
        {"2026-11-20 21:44", "2026-11-20T21:44:00.0000000"},
        {"2026-11-20T21:44:29", "2026-11-20T21:44:29.0000000"},
        {"2026-11-20T21:44:29.5", "2026-11-20T21:44:29.5000000"},
        {"2026-11-20T21:44:29.1234567", "2026-11-20T21:44:29.1234567"},
        {"2026-11-20T21:44:29.12345678", NULL},
        {"2026-11-20T21:44:29.", NULL},
        {"2026-11-20T21:44:29Z", NULL},
        {"2026-11-20T21:44:", NULL},
        {"2026-11-20T21:4", NULL},
        {"2026-11-20T21", NULL},
        {"2026-11-20T", NULL},
        {"2026-11-20x", NULL},
        {"2026-11-2", NULL},
        {"2026-13-20", NULL},
        {"2026-11-20T24:00", NULL},
        {"2026-11-20T21:60", NULL},
        {"2026-11-20T21:44:60", NULL},
        {"yesterday", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char moment[MOMENT_BYTES];

        if (moment_parse(cases[i].text, moment) != (cases[i].moment != NULL))
            fail_msg("%s", cases[i].text);
        if (cases[i].moment)
            assert_string_equal(moment, cases[i].moment);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moment_is_a_date_with_or_without_a_time),
    };

    return cmocka_run_group_tests_name("core/moment", tests, NULL, NULL);
}
