/* URLs come from a database that somebody else filled: whatever their shape, no secret is shown. */
#include "report/words.h"
#include "test.h"

#include <string.h>

static void
expect_shown(const char *url, const char *shown)
{
    TEXT_SCOPED text = {0};
    words_append_url(&text, url);
    if (strcmp(text_string(&text), shown) != 0)
        fail_msg("%s is shown as %s, not as %s", url, text_string(&text), shown);
}

static void
a_plain_url_is_shown_as_host_port_and_path(void **state)
{
    static const char *const same[] = {"https://prod.crm.dynamics.com",
                                       "https://prod.crm.dynamics.com/",
                                       "https://prod.crm.dynamics.com/x/y_z~1-2.html",
                                       "https://prod.crm.dynamics.com:443/x",
                                       "http://10.1.2.3:8080/",
                                       "https://[2001:db8::1]:443/x",
                                       "prod.crm.dynamics.com",
                                       "prod.crm.dynamics.com/x"};
    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        expect_shown(same[i], same[i]);
    expect_shown("", "");
    expect_shown(" \t\r\n", "");
    expect_shown("  https://h.example/x", "https://h.example/x");
    expect_shown("https://h.example \n", "https://h.example");
    expect_shown("HTTPS://H.example/X", "https://H.example/X");
}

static void
user_query_and_fragment_are_left_out(void **state)
{
    static const char *const urls[][2] = {
        {"https://usr:s3cret@h.example/x", "https://h.example/x"},
        {"https://usr:s3cret@h.example/x?token=s3cret", "https://h.example/x"},
        {"https://h.example?token=s3cret", "https://h.example"},
        {"https://h.example/x#s3cret", "https://h.example/x"},
        {"https://usr:s3@cret@h.example/", "https://h.example/"},
        {"https://s3cret@[::1]/", "https://[::1]/"},
        {"usr:s3cret@h.example/x", "h.example/x"},
        {"usr:s3cret@h.example?x://y", "h.example"},
        {"usr:s3cret@h.example#x://y", "h.example"},
        {"//usr:s3cret@h.example/x", "h.example/x"},
        {"https:/usr:s3cret@h.example/x", "https://h.example/x"},
        {"https:usr:s3cret@h.example/x", "https://h.example/x"},
        {"https:\\\\usr:s3cret@h.example\\x?s3cret", "https://h.example..."},
        {"https:////usr:s3cret@h.example/x", "https://h.example/x"},
        {"s3cret://h.example/x", "h.example/x"},
        {"usr:/s3cret@h.example/x", "h.example/x"},
        {"https://h.example/a;s=s3cret", "https://h.example/a..."},
        {"https://h.example/a&token=s3cret", "https://h.example/a..."},
        {"https://h.example/a%3Ftoken=s3cret", "https://h.example/a..."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        expect_shown(urls[i][0], urls[i][1]);
}

static void
what_cannot_be_told_apart_is_not_shown_at_all(void **state)
{
    static const char *const urls[] = {"https://usr:s3c/ret@h.example/",
                                       "https://usr:123/s3cret@h.example/",
                                       "https://usr:123?s3cret@h.example",
                                       "https://usr:s3c?ret@h.example/x",
                                       "https://usr:s3c#ret@h.example/x",
                                       "https://usr:123\\s3cret@h.example/",
                                       "https://usr%3As3cret%40h.example",
                                       "https://usr:123/s3cret%40h.example",
                                       "https://usr:1/s3cret%2540h.ex",
                                       "https%3A%2F%2Fusr%3As3cret%40h.example",
                                       "\"https://usr:s3cret@h.example\"",
                                       "'usr:s3cret",
                                       "usr:s3cret",
                                       "usr:s3cret?@",
                                       "https://usr:s3cret",
                                       "https://https://usr:s3cret@h.example",
                                       "jdbc:sqlserver://usr:s3cret@h",
                                       "https://h.example:s3cret/",
                                       "https://h.example:123456/",
                                       "https://h.example/x?mail=s3cret@h.example",
                                       "https://[s3cret]/",
                                       "https://[::1",
                                       "https://usr\xEF\xBC\xA0s3cret/",
                                       "https://",
                                       "?s3cret",
                                       "@",
                                       "usr:s3cret@",
                                       "://usr:s3cret"};
    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        expect_shown(urls[i], WORDS_NO_URL);
}

static void
a_long_url_is_cut(void **state)
{
    enum { LENGTH = 100000 };
    static char url[LENGTH + 1];
    static const char front[] = "https://h.example/";
    TEXT_SCOPED text = {0};
    (void)state;
    memset(url, 'a', LENGTH);
    expect_shown(url, WORDS_NO_URL);
    memcpy(url, front, sizeof(front) - 1);
    words_append_url(&text, url);
    assert_in_range(text.used, 100, 300);
    assert_string_equal(text_string(&text) + text.used - 3, "...");
    url[LENGTH - 1] = '@';
    expect_shown(url, WORDS_NO_URL);
}

/** Every place for the secret, between every two of these pieces. */
static void
no_order_of_the_pieces_shows_the_password(void **state)
{
    static const char *const pieces[] = {"https", ":", "//",        "\\",  "/",  "?",
                                         "#",     "@", "h.example", "%40", "\"", " "};
    const size_t count = sizeof(pieces) / sizeof(pieces[0]);
    (void)state;
    for (size_t i = 0; i < count * count * count * count; i++) {
        char url[128];
        TEXT_SCOPED text = {0};
        (void)snprintf(url, sizeof(url), "https:%s%susr:s3cret%s%sh.example/", pieces[i % count],
                       pieces[i / count % count], pieces[i / count / count % count],
                       pieces[i / count / count / count]);
        words_append_url(&text, url);
        if (strstr(text_string(&text), "s3cret"))
            fail_msg("%s is shown as %s", url, text_string(&text));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_url_is_shown_as_host_port_and_path),
        cmocka_unit_test(user_query_and_fragment_are_left_out),
        cmocka_unit_test(what_cannot_be_told_apart_is_not_shown_at_all),
        cmocka_unit_test(a_long_url_is_cut),
        cmocka_unit_test(no_order_of_the_pieces_shows_the_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
