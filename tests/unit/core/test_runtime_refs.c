#include "core/runtime_refs.h"
#include "test.h"

#include <string.h>

static void
what_is_too_long_for_a_key_or_a_version_is_refused(void **state)
{
    static const struct {
        size_t key, etag;
        const char *said; /* NULL: it is taken */
    } cases[] = {
        {36, 10, NULL}, {39, 10, NULL}, {60, 10, "of 60 bytes"}, {36, 300, "of 300 bytes"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        RUNTIME_REFS_SCOPED refs = {0};
        char key[64] = "", etag[512] = "";
        struct err err = {0};

        memset(key, 'k', cases[i].key);
        memset(etag, 'e', cases[i].etag);
        assert_int_equal(runtime_refs_add(&refs, key, etag, &err), !cases[i].said);
        assert_int_equal(refs.count, !cases[i].said);
        if (cases[i].said)
            assert_non_null(strstr(err.primary, cases[i].said));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_too_long_for_a_key_or_a_version_is_refused),
    };

    return cmocka_run_group_tests_name("core/runtime_refs", tests, NULL, NULL);
}
