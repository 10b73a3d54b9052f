#include "../../../src/core/scope_read.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { MEGABYTE = 1048576 };

static bool
read_scope(const char *text, struct arena *arena, struct scope_options *ret)
{
    struct err err = {0};
    const bool ok = scope_read(text, arena, ret, &err);

    assert_true(ok || (err.code == ERR_STORAGE && strstr(err.primary, "scope")));
    return ok;
}

static void
every_row_is_the_empty_scope(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scope_options options;

    (void)state;
    assert_true(read_scope("", arena, &options));
    assert_false(options.channels_all);
    assert_int_equal(options.channel_count, 0);
    assert_null(options.map);
    assert_true(read_scope("channels=all", arena, &options));
    assert_true(options.channels_all);
}

static void
channels_are_read_as_they_were_written(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scope_options options;

    (void)state;
    assert_true(read_scope("channels=[\"DualWrite\",\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\te\\u0001f\"]",
                           arena, &options));
    assert_int_equal(options.channel_count, 2);
    assert_string_equal(options.channels[0], "DualWrite");
    assert_string_equal(options.channels[1], "a\"b\\c/d\b\f\n\r\te\x01"
                                             "f");
}

static void
a_map_is_read_with_its_projects(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scope_options options;

    (void)state;
    assert_true(read_scope("map=\"Customers V3\":\"accounts\";projects=[5637144576:\"A\",-1:\"B\"]",
                           arena, &options));
    assert_string_equal(options.map, "Customers V3:accounts");
    assert_int_equal(options.project_count, 2);
    assert_true(options.projects[0].partition == 5637144576);
    assert_string_equal(options.projects[0].name, "A");
    assert_true(options.projects[1].partition == -1);
    assert_true(read_scope("map=\"a\":\"b\";projects=[]", arena, &options));
    assert_int_equal(options.project_count, 0);
}

static void
a_scope_that_was_tampered_with_is_no_scope(void **state)
{
    static const char *const texts[] = {
        "undo",
        "channels=alles",
        "channels=[",
        "channels=[]",
        "channels=[\"a\"",
        "channels=[\"a\",]",
        "channels=[\"a]",
        "channels=[a]",
        "channels=[\"a\"] ",
        "channels=[\"\\",
        "channels=[\"\\x\"]",
        "channels=[\"\\u00\"]",
        "channels=[\"\\u00gg\"]",
        "channels=[\"\\u0000\"]",
        "channels=[\"\\u0080\"]",
        "channels=[\"\\u0141\"]",
        "channels=[\"\\u1",
        "map=",
        "map=\"a\"",
        "map=\"a\"b",
        "map=\"a\":",
        "map=\"a\":\"b\"",
        "map=\"a\":\"b\";projects=[",
        "map=\"a\":\"b\";projects=[1:\"A\"",
        "map=\"a\":\"b\";projects=[1:A]",
        "map=\"a\":\"b\";projects=[:\"A\"]",
        "map=\"a\":\"b\";projects=[1\"A\"]",
        "map=\"a\":\"b\";projects=[1-2:\"A\"]",
        "map=\"a\":\"b\";projects=[1:\"A\",]",
        "map=\"a\":\"b\";projects=[1:\"A\"]x",
        "map=\"a\":\"b\";projects=[9223372036854775808:\"A\"]",
        "map=\"a\":\"b\";projects=[1111111111111111111111111:\"A\"]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct scope_options options = {.map = "untouched"};

        if (read_scope(texts[i], arena, &options))
            fail_msg("%s", texts[i]);
        assert_string_equal(options.map, "untouched");
    }
}

/** A list of `count` items after `head`, each `item`. */
static bool
read_list(const char *head, const char *item, int count)
{
    static char text[SCOPE_READ_MAX_ITEMS * 8 + 64];
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scope_options options;
    size_t used = (size_t)snprintf(text, sizeof text, "%s%s", head, item);

    for (int i = 1; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, ",%s", item);
    (void)snprintf(text + used, sizeof text - used, "]");
    return read_scope(text, arena, &options);
}

static void
a_list_has_a_maximum(void **state)
{
    static const char projects[] = "map=\"a\":\"b\";projects=[";

    (void)state;
    assert_true(read_list("channels=[", "\"a\"", SCOPE_READ_MAX_ITEMS));
    assert_false(read_list("channels=[", "\"a\"", SCOPE_READ_MAX_ITEMS + 1));
    assert_true(read_list(projects, "1:\"a\"", SCOPE_READ_MAX_ITEMS));
    assert_false(read_list(projects, "1:\"a\"", SCOPE_READ_MAX_ITEMS + 1));
}

static void
without_memory_nothing_is_read(void **state)
{
    static const char *const texts[] = {"channels=[\"DualWrite\",\"Other\"]",
                                        "map=\"Customers\":\"accounts\";projects=[1:\"A\",2:\"B\"]",
                                        "map=\"Customers\":\"accounts\";projects=[]"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        bool ok = false;

        for (size_t bytes = 0; !ok; bytes += 8) {
            ARENA_SCOPED arena = arena_new(bytes);
            struct scope_options options;

            assert_true(bytes < 1024);
            ok = read_scope(texts[i], arena, &options);
            assert_true(ok || bytes < 512);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_the_empty_scope),
        cmocka_unit_test(channels_are_read_as_they_were_written),
        cmocka_unit_test(a_map_is_read_with_its_projects),
        cmocka_unit_test(a_scope_that_was_tampered_with_is_no_scope),
        cmocka_unit_test(a_list_has_a_maximum),
        cmocka_unit_test(without_memory_nothing_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
