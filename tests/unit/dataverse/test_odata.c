#include "../../../src/dataverse/odata.h"
#include "../../../src/dataverse/url.h"
#include "test.h"

#include <string.h>

#define SET "msdyn_dualwriteruntimeconfigs"
#define METADATA(key)                                                                              \
    "{\"$EntityContainer\":\"a.b.Container\",\"a.b\":{\"Container\":{\"" SET                       \
    "\":{\"$Type\":\"a.b.Row\"}},\"Row\":{\"$Key\":" key ",\"id\":{},\"createdon\":{}}}}"

static void
the_set_and_its_key_are_read_from_the_metadata(void **state)
{
    struct definition definition = {0};
    struct err err;

    (void)state;
    assert_true(odata_definition_read(slice_of_string(METADATA("[\"id\"]")), &definition, &err));
    assert_string_equal(definition.entity_set, SET);
    assert_string_equal(definition.key_column, "id");
    assert_true(definition.has[SHOWN_CREATED_ON]);
    assert_false(definition.has[SHOWN_NAME]);
}

static void
metadata_without_the_set_or_one_plain_key_is_an_error(void **state)
{
    static const char *const texts[] = {"",
                                        "{}",
                                        "[]",
                                        METADATA("[]"),
                                        METADATA("[\"a\",\"b\"]"),
                                        METADATA("[\"a b\"]"),
                                        METADATA("[\"\"]"),
                                        METADATA("[7]"),
                                        METADATA("\"id\""),
                                        "{\"$EntityContainer\":\"Container\"}"};
    struct definition definition;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_false(odata_definition_read(slice_of_string(texts[i]), &definition, &err));
        assert_int_equal(err.code, ERR_SCHEMA);
    }
}

static void
only_this_machine_is_local(void **state)
{
    static const char *const refused[] = {
        "http://contoso.crm.dynamics.com/",
        "http://localhost.evil.example/",
        "http://10.0.0.1/",
        "http://128.0.0.1/",
        "ftp://localhost/",
        "localhost",
        "http://user@contoso.example/",
        "http://127.evil.example/",
    };
    struct url_target target;
    char path[64];
    struct err err;

    (void)state;
    assert_true(
        url_local_parse("http://LOCALHOST:4004/odata/v4/x", &target, path, sizeof path, &err));
    assert_string_equal(target.origin, "http://localhost:4004");
    assert_string_equal(path, "/odata/v4/x/");
    assert_true(url_local_parse("https://127.0.0.2", &target, path, sizeof path, &err));
    assert_string_equal(target.origin, "https://127.0.0.2");
    assert_string_equal(path, "/");
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (url_local_parse(refused[i], &target, path, sizeof path, &err))
            fail_msg("%s is let in", refused[i]);
        assert_int_equal(err.code, ERR_USAGE);
    }
    assert_false(url_local_parse("http://localhost/", &target, path, 2, &err));
}

static void
a_plain_link_is_followed_from_a_plain_request_only(void **state)
{
    TEXT_SCOPED next = {0};
    struct err err;

    (void)state;
    assert_true(
        url_follow("http://localhost:4004/odata/x/rows?a=1", "rows?$skiptoken=7", &next, &err));
    assert_string_equal(text_string(&next), "http://localhost:4004/odata/x/rows?$skiptoken=7");
    text_reset(&next);
    assert_false(
        url_follow("https://localhost/rows", "http://localhost/rows?$skiptoken=7", &next, &err));
    assert_false(url_follow("https://localhost/rows", "http://localhost:443/rows", &next, &err));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_set_and_its_key_are_read_from_the_metadata),
        cmocka_unit_test(metadata_without_the_set_or_one_plain_key_is_an_error),
        cmocka_unit_test(only_this_machine_is_local),
        cmocka_unit_test(a_plain_link_is_followed_from_a_plain_request_only),
    };

    return cmocka_run_group_tests_name("dataverse/odata", tests, NULL, NULL);
}
