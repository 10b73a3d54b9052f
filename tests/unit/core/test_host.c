#include "core/host.h"
#include "test.h"

#include <string.h>

static void
urls_are_reduced_to_hosts(void **state)
{
    static const char *const cases[][2] = {
        {"https://contoso.crm4.dynamics.com", "contoso.crm4.dynamics.com"},
        {"https://contoso.crm4.dynamics.com/", "contoso.crm4.dynamics.com"},
        {"HTTPS://Contoso.CRM4.Dynamics.com/api/data/v9.2/", "contoso.crm4.dynamics.com"},
        {"https://contoso.api.crm4.dynamics.com/", "contoso.crm4.dynamics.com"},
        {"contoso.crm4.dynamics.com", "contoso.crm4.dynamics.com"},
        {"contoso.crm4.dynamics.com:443/x", "contoso.crm4.dynamics.com"},
        {"  https://contoso.crm.dynamics.com?a=b://c  ", "contoso.crm.dynamics.com"},
        {"https://user:pw@contoso.crm.dynamics.com/", "contoso.crm.dynamics.com"},
        {"https://a@b@contoso.crm.dynamics.com/", "contoso.crm.dynamics.com"},
        {"https://evil.com/@contoso.crm.dynamics.com", "evil.com"},
        {"https://contoso.crm.dynamics.com.", "contoso.crm.dynamics.com"},
        {"https://api.contoso.com/", "api.contoso.com"},
        {"", ""},
        {"   ", ""},
        {"https://", ""},
        {"\t\r\nhttps://contoso.crm.dynamics.com\r\n", "contoso.crm.dynamics.com"},
        {"contoso.crm.dynamics.com/x?next=https://evil.com", "contoso.crm.dynamics.com"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char host[HOST_BYTES];

        host_of_url(cases[i][0], host);
        assert_string_equal(host, cases[i][1]);
    }
}

static void
a_url_that_names_the_own_host_in_any_way_is_found(void **state)
{
    static const char own[] = "contoso.crm4.dynamics.com";
    static const char *const yes[] = {
        "https://contoso.crm4.dynamics.com/",    "HTTPS:/Contoso.CRM4.dynamics.com",
        "//contoso.crm4.dynamics.com",           "https:\\\\contoso.api.crm4.dynamics.com\\x",
        "\"https://contoso.crm4.dynamics.com\"", "https://https://CONTOSO.API.CRM4.DYNAMICS.COM"};
    static const char *const no[] = {"", "https://contoso-prod.crm4.dynamics.com", "contoso",
                                     "https://contoso.crm.dynamics.com",
                                     "contoso.api.crm4.dynamics.co"};

    (void)state;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        assert_true(host_is_named(yes[i], own));
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        assert_false(host_is_named(no[i], own));
    assert_false(host_is_named("anything", ""));
    assert_true(host_is_named("https://contoso.api.", "contoso.api"));
    assert_true(host_is_named("https://contoso.api.api.crm4.x/", "contoso.api.crm4.x"));
}

static void
channels_are_grouped_into_families(void **state)
{
    static const char *const cases[][2] = {
        {"DualWrite", "DualWrite"},
        {"DualWrite 12", "DualWrite"},
        {"DualWrite-3  ", "DualWrite"},
        {"Feed_0b9e8f60-52c5-4b2a-a5f8-5a8b0c1d2e3f", "Feed"},
        {"", ""},
        {"123", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char family[64];

        channel_family_of(cases[i][0], family, sizeof family);
        assert_string_equal(family, cases[i][1]);
    }
    assert_true(channel_is_foreign("AthenaFinanceOperationsTableDa"));
    assert_true(channel_is_foreign("athenafinanceoperations"));
    assert_false(channel_is_foreign("Athena"));
    assert_false(channel_is_foreign("DualWrite"));
}

static void
a_host_that_is_too_long_is_cut(void **state)
{
    char url[2 * HOST_BYTES];
    char host[HOST_BYTES];

    (void)state;
    memset(url, 'a', sizeof url);
    url[sizeof url - 1] = '\0';
    host_of_url(url, host);
    assert_int_equal(strlen(host), HOST_BYTES - 1);
}

static void
what_is_no_guid_is_no_end_of_a_family(void **state)
{
    static const char *const cases[][2] = {
        {"Feed_0b9e8f60-52c5-4b2a-a5f8-5a8b0c1d2e3g", "Feed_0b9e8f60-52c5-4b2a-a5f8-5a8b0c1d2e3g"},
        {"Feed_0B9E8F60-52C5-4B2A-A5F8-5A8B0C1D2E3F", "Feed"},
        {"Feed_:b9e8f60-52c5-4b2a-a5f8-5a8b0c1d2e3f", "Feed_:b9e8f60-52c5-4b2a-a5f8-5a8b0c1d2e3f"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char family[64];

        channel_family_of(cases[i][0], family, sizeof family);
        assert_string_equal(family, cases[i][1]);
    }
    assert_false(host_is_named("https://contoso", "contoso"
                                                  "x"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_reduced_to_hosts),
        cmocka_unit_test(a_url_that_names_the_own_host_in_any_way_is_found),
        cmocka_unit_test(channels_are_grouped_into_families),
        cmocka_unit_test(a_host_that_is_too_long_is_cut),
        cmocka_unit_test(what_is_no_guid_is_no_end_of_a_family),
    };

    return cmocka_run_group_tests_name("core/host", tests, NULL, NULL);
}
