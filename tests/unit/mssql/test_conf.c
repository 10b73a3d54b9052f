/** FreeTDS's private configuration: what its parser would misread never gets there. */
#include "../../../src/mssql/conf.h"
#include "test.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct err err;

static void
write_conf(const struct mssql_options *options, struct text *text)
{
    assert_true(conf_text(options, options->host, 1433, text, &err));
}

static void
encryption_is_required_and_the_name_checked(void **state)
{
    TEXT_SCOPED text = {0};
    struct mssql_options options = {.host = "sql01.contoso.com"};

    (void)state;
    write_conf(&options, &text);
    assert_string_equal(text_string(&text), "[sql01.contoso.com]\n"
                                            "host = sql01.contoso.com\n"
                                            "port = 1433\n"
                                            "tds version = 7.4\n"
                                            "encryption = require\n"
                                            "ca file = system\n"
                                            "check certificate hostname = yes\n"
                                            "enable tls v1 = no\n"
                                            "client charset = UTF-8\n");
}

static void
only_an_explicit_wish_weakens_it(void **state)
{
    TEXT_SCOPED text = {0};
    struct mssql_options options = {.host = "h", .ca_file = "/etc/ssl/own ca.pem"};

    (void)state;
    write_conf(&options, &text);
    assert_non_null(strstr(text_string(&text), "ca file = /etc/ssl/own ca.pem\n"));
    text_reset(&text);
    options.trust_certificate = true;
    write_conf(&options, &text);
    assert_null(strstr(text_string(&text), "ca file"));
    assert_non_null(strstr(text_string(&text), "encryption = require\n"));
    text_reset(&text);
    options.encryption = MSSQL_ENCRYPTION_DISABLE;
    write_conf(&options, &text);
    assert_non_null(strstr(text_string(&text), "encryption = off\n"));
}

static void
a_pinned_certificate_is_the_only_trusted_one(void **state)
{
    TEXT_SCOPED text = {0};
    struct mssql_options options = {.host = "h",
                                    .ca_file = "/proc/self/fd/9",
                                    .certificate_file = "/etc/h.pem",
                                    .certificate_host = "other.contoso.com"};

    (void)state;
    write_conf(&options, &text);
    assert_non_null(strstr(text_string(&text), "encryption = require\nca file = /proc/self/fd/9\n"
                                               "check certificate hostname = no\n"));
    assert_null(strstr(text_string(&text), "\ncertificate hostname"));
}

static void
another_name_in_the_certificate_is_passed_on(void **state)
{
    TEXT_SCOPED text = {0};
    struct mssql_options options = {.host = "h", .certificate_host = "other.contoso.com"};

    (void)state;
    write_conf(&options, &text);
    assert_non_null(strstr(text_string(&text), "check certificate hostname = yes\n"
                                               "certificate hostname = other.contoso.com\n"));
    text_reset(&text);
    options.certificate_host = "H";
    write_conf(&options, &text);
    assert_null(strstr(text_string(&text), "\ncertificate hostname"));
    text_reset(&text);
    options.encryption = MSSQL_ENCRYPTION_STRICT;
    write_conf(&options, &text);
    assert_non_null(strstr(text_string(&text), "encryption = strict\nca file = system\n"));
}

static void
hosts_that_would_end_a_value_are_refused(void **state)
{
    static const char *const bad[] = {"",     "a b", "a;b", "a#b",         "a]b",    "a\nport = 1",
                                      "a\\b", "a/b", "a=b", "h\xC3\xB6st", "global", "Global"};
    char large[256];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(conf_check_host(bad[i], &err));
        assert_int_equal(err.code, ERR_USAGE);
    }
    assert_false(conf_check_host(NULL, &err));
    memset(large, 'a', sizeof large);
    large[255] = '\0';
    assert_false(conf_check_host(large, &err));
    assert_true(conf_check_host("sql-01.contoso.com", &err));
    assert_true(conf_check_host("fe80::1", &err));
    assert_true(conf_check_host("127.0.0.1", &err));
}

static void
paths_that_would_be_cut_are_refused(void **state)
{
    static const char *const bad[] = {"",     " /a",   "/a ",   "/a;b",  "/a#b",
                                      "/a]b", "/a\nb", "/a  b", "system"};
    char large[256];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(conf_check_path(bad[i], &err));
    memset(large, 'a', sizeof large);
    large[255] = '\0';
    assert_false(conf_check_path(large, &err));
    assert_true(conf_check_path("./ca.pem", &err));
}

static void
the_published_text_can_be_opened_by_its_path(void **state)
{
    char path[CONF_PATH_BYTES], back[32] = "";
    int fd = -1, again;

    (void)state;
    assert_true(conf_publish("[h]\nhost = h\n", 13, &fd, path, &err));
    for (int round = 0; round < 2; round++) {
        again = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(again >= 0);
        assert_int_equal(read(again, back, sizeof back), 13);
        assert_memory_equal(back, "[h]\nhost = h\n", 13);
        assert_int_equal(close(again), 0);
    }
    assert_int_equal(close(fd), 0);
    assert_int_equal(open(path, O_RDONLY | O_CLOEXEC), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encryption_is_required_and_the_name_checked),
        cmocka_unit_test(only_an_explicit_wish_weakens_it),
        cmocka_unit_test(a_pinned_certificate_is_the_only_trusted_one),
        cmocka_unit_test(another_name_in_the_certificate_is_passed_on),
        cmocka_unit_test(hosts_that_would_end_a_value_are_refused),
        cmocka_unit_test(paths_that_would_be_cut_are_refused),
        cmocka_unit_test(the_published_text_can_be_opened_by_its_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
