#include "../../../src/dataverse/url.h"
#include "test.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

static const struct url_allow nobody = {0};

static void
assert_target(const char *url, const char *host, const char *origin)
{
    struct url_target target = {0};
    struct err err = {0};

    if (!url_target_parse(url, &nobody, &target, &err))
        fail_msg("%s: %s", url, err.primary);
    assert_string_equal(target.host, host);
    assert_string_equal(target.origin, origin);
}

static void
a_dataverse_url_may_be_written_in_many_ways(void **state)
{
    (void)state;
    assert_target("https://contoso.crm4.dynamics.com/", "contoso.crm4.dynamics.com",
                  "https://contoso.crm4.dynamics.com");
    assert_target("Contoso.CRM4.dynamics.com", "contoso.crm4.dynamics.com",
                  "https://contoso.crm4.dynamics.com");
    assert_target("HTTPS://contoso.api.crm.dynamics.com:443", "contoso.api.crm.dynamics.com",
                  "https://contoso.api.crm.dynamics.com");
    assert_target("https://contoso.crm.dynamics.com/api/data/v9.2/", "contoso.crm.dynamics.com",
                  "https://contoso.crm.dynamics.com");
    assert_target("https://contoso.crm.dynamics.com:8443", "contoso.crm.dynamics.com",
                  "https://contoso.crm.dynamics.com:8443");
}

static void
every_cloud_has_its_hosts(void **state)
{
    static const char *const known[] = {
        "a.crm.dynamics.com",        "a.crm2.dynamics.com",      "a.crm9.dynamics.com",
        "a.crm21.dynamics.com",      "a.api.crm16.dynamics.com", "a.crm.microsoftdynamics.us",
        "a.crm.appsplatform.us",     "a.crm.dynamics.cn",        "org-1a.crm4.dynamics.com",
        "a.api.crm.appsplatform.us", "A.CRM.DYNAMICS.COM",
    };
    static const char *const unknown[] = {
        "crm.dynamics.com",       ".crm.dynamics.com",    "a.b.crm.dynamics.com",
        "a.crm10.dynamics.com",   "a.crm99.dynamics.com", "a.crm.dynamics.com.evil.example",
        "a.evilcrm.dynamics.com", "acrm.dynamics.com",    "a.crm.dynamics.com.",
        "a@b.crm.dynamics.com",   "a.dynamics.com",       "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!url_host_is_dataverse(known[i]))
            fail_msg("%s is a Dataverse host", known[i]);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        if (url_host_is_dataverse(unknown[i]))
            fail_msg("%s is no Dataverse host", unknown[i]);
}

static void
what_is_not_an_https_dataverse_url_is_a_usage_error(void **state)
{
    static const char *const bad[] = {
        "http://contoso.crm4.dynamics.com",
        "ftp://contoso.crm4.dynamics.com",
        "https://contoso.example.com",
        "https://user@contoso.crm4.dynamics.com",
        "https://user:word@contoso.crm4.dynamics.com",
        "https://contoso.crm4.dynamics.com@evil.example",
        "https://evil.example/contoso.crm4.dynamics.com",
        "https://evil.example#.crm4.dynamics.com",
        "https://contoso.crm4.dynamics.com/main.aspx?appid=1",
        "https://contoso.crm4.dynamics.com/elsewhere",
        "https://127.0.0.1:8443",
        "https://",
        "",
        "https://contoso.crm4.dynamics.com:99999",
        "https://cont oso.crm4.dynamics.com",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct url_target target = {.host = "kept"};
        struct err err = {0};

        if (url_target_parse(bad[i], &nobody, &target, &err))
            fail_msg("%s was taken as %s", bad[i], target.origin);
        assert_int_equal(err.code, ERR_USAGE);
        assert_string_equal(target.host, "kept");
    }
}

static void
a_host_that_is_allowed_by_name_is_taken(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "Dataverse.contoso.example"};
    const struct url_allow allow = {.hosts = hosts, .count = 2};
    struct url_target target;
    struct err err = {0};

    (void)state;
    assert_true(url_target_parse("https://127.0.0.1:18443", &allow, &target, &err));
    assert_string_equal(target.origin, "https://127.0.0.1:18443");
    assert_true(url_target_parse("dataverse.CONTOSO.example", &allow, &target, &err));
    assert_false(url_target_parse("https://sub.dataverse.contoso.example", &allow, &target, &err));
    assert_false(url_target_parse("http://127.0.0.1:18443", &allow, &target, &err));
}

static void
a_secret_goes_to_a_listed_or_allowed_sign_in_server_only(void **state)
{
    static const char *const hosts[] = {"127.0.0.1"};
    const struct url_allow allow = {.hosts = hosts, .count = 1};
    static const char *const bad[] = {
        "http://login.microsoftonline.com/t/oauth2/authorize",
        "https://login.microsoftonline.com.evil.example/t/oauth2/authorize",
        "https://login.microsoftonline.com@evil.example/t",
        "https://evil.example/login.microsoftonline.com",
        "https://127.0.0.1:9/t",
        "",
    };
    struct url_target target;
    char tenant[URL_HOST_BYTES];
    struct err err = {0};

    (void)state;
    assert_true(url_authority_parse(
        "https://login.microsoftonline.com/0f1e2d3c-0000-0000-0000-000000000001/oauth2/authorize",
        &nobody, &target, tenant, &err));
    assert_string_equal(target.origin, "https://login.microsoftonline.com");
    assert_string_equal(tenant, "0f1e2d3c-0000-0000-0000-000000000001");
    assert_true(
        url_authority_parse("login.partner.microsoftonline.cn", &nobody, &target, tenant, &err));
    assert_string_equal(tenant, "");
    assert_true(url_authority_parse("https://127.0.0.1:9/t/x", &allow, &target, tenant, &err));
    assert_string_equal(target.origin, "https://127.0.0.1:9");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (url_authority_parse(bad[i], &nobody, &target, tenant, &err))
            fail_msg("a secret would go to %s", target.origin);
        assert_int_equal(err.code, ERR_SIGNIN);
        assert_null(strchr(err.primary, '@')); /* a password may stand before it */
    }
}

static void
the_own_host_has_no_api_label(void **state)
{
    char host[URL_HOST_BYTES];
    struct err err = {0};

    (void)state;
    assert_true(url_own_host("https://Contoso.api.crm4.dynamics.com/", host, &err));
    assert_string_equal(host, "contoso.crm4.dynamics.com");
    assert_true(url_own_host("https://contoso.crm4.dynamics.com:443/x", host, &err));
    assert_string_equal(host, "contoso.crm4.dynamics.com");
    assert_true(url_own_host("", host, &err));
    assert_string_equal(host, "");
    assert_true(url_own_host("not a url", host, &err));
    assert_string_equal(host, "");
}

static void
a_token_is_asked_for_the_environment_itself(void **state)
{
    struct url_target target;
    struct err err = {0};
    char scope[URL_ORIGIN_BYTES + 16];

    (void)state;
    assert_true(url_target_parse("https://contoso.api.crm4.dynamics.com", &nobody, &target, &err));
    url_scope(&target, scope, sizeof scope);
    assert_string_equal(scope, "https://contoso.crm4.dynamics.com/.default");
}

#define PAGE "https://contoso.crm4.dynamics.com/api/data/v9.2/rows?$select=a"

static void
assert_followed(const char *link, const char *expected)
{
    TEXT_SCOPED next = {0};
    struct err err = {0};

    if (!url_follow(PAGE, link, &next, &err))
        fail_msg("%s: %s", link, err.primary);
    assert_string_equal(text_string(&next), expected);
}

static void
an_absolute_next_link_is_taken_byte_for_byte(void **state)
{
    static const char *const links[] = {
        "https://contoso.crm4.dynamics.com/api/data/v9.2/rows?$skiptoken=%3Ccookie%20a=%22b%22/%3E",
        "https://CONTOSO.crm4.dynamics.com:443/api/../data/./rows?x=http://evil.example/",
    };

    (void)state;
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        assert_followed(links[i], links[i]);
}

static void
a_relative_next_link_is_resolved(void **state)
{
    (void)state;
    assert_followed("rows?$skiptoken=2",
                    "https://contoso.crm4.dynamics.com/api/data/v9.2/rows?$skiptoken=2");
    assert_followed("/odata/rows?$skip=2", "https://contoso.crm4.dynamics.com/odata/rows?$skip=2");
}

static void
a_next_link_that_leads_away_is_refused(void **state)
{
    static const char *const links[] = {
        "https://evil.example/api/data/v9.2/rows",
        "http://contoso.crm4.dynamics.com/api/data/v9.2/rows",
        "https://contoso.crm4.dynamics.com:8443/api/data/v9.2/rows",
        "https://contoso.crm4.dynamics.com.evil.example/",
        "https://contoso.crm4.dynamics.com@evil.example/",
        "https://user@contoso.crm4.dynamics.com/",
        "//evil.example/rows",
        "//user@contoso.crm4.dynamics.com/rows",
        "javascript:alert(1)",
        "https://other.crm4.dynamics.com/api/data/v9.2/rows",
    };

    (void)state;
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        TEXT_SCOPED next = {0};
        struct err err = {0};

        if (url_follow(PAGE, links[i], &next, &err))
            fail_msg("%s was followed to %s", links[i], text_string(&next));
        assert_int_equal(err.code, ERR_SERVER);
        assert_int_equal(next.used, 0);
    }
}

/* ---- memory that runs out in libcurl ---- */

static long left; /* allocations that go well; -1 = all */

static bool
is_given(void)
{
    if (left == 0)
        return false;
    left -= left > 0;
    return true;
}

static void *
scarce_malloc(size_t size)
{
    return is_given() ? malloc(size) : NULL;
}

static void *
scarce_realloc(void *from, size_t size)
{
    return is_given() ? realloc(from, size) : NULL;
}

static void *
scarce_calloc(size_t count, size_t size)
{
    return is_given() ? calloc(count, size) : NULL;
}

static char *
scarce_strdup(const char *text)
{
    return is_given() ? strdup(text) : NULL;
}

static bool
reads_a_target(struct err *err)
{
    struct url_target target;
    return url_target_parse("https://contoso.crm4.dynamics.com/", &nobody, &target, err);
}

static bool
reads_a_local_target(struct err *err)
{
    struct url_target target;
    char path[100];
    return url_local_parse("http://127.0.0.1:4004/odata", &target, path, sizeof path, err);
}

static bool
reads_an_authority(struct err *err)
{
    struct url_target target;
    char tenant[URL_HOST_BYTES];
    bool ok = url_authority_parse("https://login.microsoftonline.com/contoso.example/oauth2",
                                  &nobody, &target, tenant, err);
    if (ok)
        assert_string_equal(tenant, "contoso.example");
    return ok;
}

static bool
follows_a_link(struct err *err)
{
    TEXT_SCOPED next = {0};
    return url_follow(PAGE, "rows?page=2", &next, err);
}

static bool
reads_the_own_host(struct err *err)
{
    char host[URL_HOST_BYTES];
    const bool ok = url_own_host("https://contoso.api.crm4.dynamics.com/", host, err);
    if (ok)
        assert_string_equal(host, "contoso.crm4.dynamics.com");
    return ok;
}

static void
no_memory_is_no_word_about_a_url(void **state)
{
    static bool (*const readers[])(struct err *) = {reads_a_target, reads_a_local_target,
                                                    reads_an_authority, follows_a_link,
                                                    reads_the_own_host};

    (void)state;
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        struct err err = {0};
        long allocations = 0;

        for (left = 0; !readers[i](&err); left = ++allocations) {
            /* libcurl 7.88 takes a relative link for a broken one where it cannot copy the base */
            if (readers[i] != follows_a_link || err.code != ERR_SERVER)
                assert_int_equal(err.code, ERR_INTERNAL);
            assert_true(allocations < 100);
            err = (struct err){0};
        }
        assert_true(allocations > 3);
    }
    left = -1;
}

int
main(void)
{
    left = -1;
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, scarce_malloc, free, scarce_realloc,
                             scarce_strdup, scarce_calloc) != CURLE_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_memory_is_no_word_about_a_url),
        cmocka_unit_test(a_dataverse_url_may_be_written_in_many_ways),
        cmocka_unit_test(every_cloud_has_its_hosts),
        cmocka_unit_test(what_is_not_an_https_dataverse_url_is_a_usage_error),
        cmocka_unit_test(a_host_that_is_allowed_by_name_is_taken),
        cmocka_unit_test(a_secret_goes_to_a_listed_or_allowed_sign_in_server_only),
        cmocka_unit_test(the_own_host_has_no_api_label),
        cmocka_unit_test(a_token_is_asked_for_the_environment_itself),
        cmocka_unit_test(an_absolute_next_link_is_taken_byte_for_byte),
        cmocka_unit_test(a_relative_next_link_is_resolved),
        cmocka_unit_test(a_next_link_that_leads_away_is_refused),
    };

    return cmocka_run_group_tests_name("dataverse/url", tests, NULL, NULL);
}
