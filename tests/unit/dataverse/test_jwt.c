#include "../../../src/dataverse/jwt.h"
#include "test.h"

#include <string.h>

static void
a_jwt_is_three_parts_of_base64url(void **state)
{
    static const char *const bad[] = {"",        "a",       "a.b",    "a.b.",    ".b.c",  "a..c",
                                      "a.b.c.d", "a.b.c\n", "a.b=.c", "a b.c.d", "a.b+.c"};

    (void)state;
    assert_true(jwt_is_shaped("a.b.c"));
    assert_true(jwt_is_shaped("eyJ-_.e30.AZaz09"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (jwt_is_shaped(bad[i]))
            fail_msg("\"%s\" was taken for a JWT", bad[i]);
}

static void
claims_are_read_and_nothing_else(void **state)
{
    struct jwt_claims claims = {.expires_s = 7};

    (void)state;
    /* {"exp":1700000000,"aud":"https://a.crm.dynamics.com/"} */
    assert_true(jwt_read("e30.eyJleHAiOjE3MDAwMDAwMDAsImF1ZCI6Imh0dHBzOi8vYS5jcm0uZHluYW1pY3MuY29t"
                         "LyJ9.c2ln",
                         &claims));
    assert_int_equal(claims.expires_s, 1700000000);
    assert_string_equal(claims.audience, "https://a.crm.dynamics.com/");
    assert_true(jwt_read("e30.e30.c2ln", &claims)); /* {} */
    assert_int_equal(claims.expires_s, 0);
    assert_string_equal(claims.audience, "");
    /* {"exp":"1","aud":["x"]}, {"exp":-1}, {"exp":1e300} */
    assert_true(jwt_read("e30.eyJleHAiOiIxIiwiYXVkIjpbIngiXX0.c2ln", &claims));
    assert_int_equal(claims.expires_s, 0);
    assert_true(jwt_read("e30.eyJleHAiOi0xfQ.c2ln", &claims));
    assert_int_equal(claims.expires_s, 0);
    assert_true(jwt_read("e30.eyJleHAiOjFlMzAwfQ.c2ln", &claims));
    assert_int_equal(claims.expires_s, 0);
}

static void
what_cannot_be_read_is_opaque(void **state)
{
    static const char *const opaque[] = {
        "opaque", "a.b.c", "e30.bm90IGpzb24.x", "e30.WzFd.x" /* [1] */, "e30.AAAA.x", "e30.e.x"};
    struct jwt_claims claims = {.expires_s = 7};

    (void)state;
    for (size_t i = 0; i < sizeof opaque / sizeof opaque[0]; i++)
        if (jwt_read(opaque[i], &claims))
            fail_msg("%s was read", opaque[i]);
    assert_int_equal(claims.expires_s, 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jwt_is_three_parts_of_base64url),
        cmocka_unit_test(claims_are_read_and_nothing_else),
        cmocka_unit_test(what_cannot_be_read_is_opaque),
    };

    return cmocka_run_group_tests_name("dataverse/jwt", tests, NULL, NULL);
}
