#include "config/ini_file.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct seen {
    char lines[2048];
};

static bool
on_section(void *ctx, const char *environment, int line, struct err *err)
{
    struct seen *seen = ctx;
    const size_t used = strlen(seen->lines);
    (void)err;
    (void)snprintf(seen->lines + used, sizeof(seen->lines) - used, "%d[%s]\n", line,
                   environment ? environment : "");
    return true;
}

static bool
on_value(void *ctx, const char *environment, const struct option_spec *spec, const char *text,
         int line, struct err *err)
{
    struct seen *seen = ctx;
    const size_t used = strlen(seen->lines);
    (void)err;
    (void)snprintf(seen->lines + used, sizeof(seen->lines) - used, "%d %s.%s=%s\n", line,
                   environment ? environment : "", spec->ini, text);
    return true;
}

static bool
parse(const char *text, struct seen *ret, struct err *err)
{
    *ret = (struct seen){0};
    const struct ini_file_sink sink = {.ctx = ret, .section = on_section, .value = on_value};
    return ini_file_parse("c.ini", text, &sink, err);
}

static void
sections_keys_and_comments_are_read_with_their_lines(void **state)
{
    struct seen seen;
    struct err err;
    (void)state;
    assert_true(parse("; comment\n"
                      "[defaults]\n"
                      "user = reader ; inline\n"
                      "\n"
                      "[env \"uat-1\"]\n"
                      "  class = sandbox\n"
                      "\tserver = tcp:sql01,1433\n"
                      "# comment\n"
                      "dataverse_url = https://a.crm4.dynamics.com\r\n"
                      "allow_host = a.example, b.example",
                      &seen, &err));
    assert_string_equal(seen.lines,
                        "2[]\n3 .user=reader\n5[uat-1]\n6 uat-1.class=sandbox\n"
                        "7 uat-1.server=tcp:sql01,1433\n"
                        "9 uat-1.dataverse_url=https://a.crm4.dynamics.com\n"
                        "10 uat-1.allow_host=a.example\n10 uat-1.allow_host=b.example\n");
    assert_true(parse("", &seen, &err));
    assert_true(parse("\xEF\xBB\xBF[defaults]\nuser = u\n", &seen, &err));
}

struct fault {
    const char *text;
    int line;
    const char *says;
};

static void
each_fault_names_file_and_line(void **state)
{
    static const struct fault faults[] = {
        {"[defaults]\nusr = x\n", 2, "unknown key \"usr\""},
        {"[defaults]\nuser = x\nuser = y\n", 3, "comes twice"},
        {"[env \"a\"]\nserver = x\n\n[env \"b\"]\nclass = dev\n", 1, "no class"},
        {"[env \"a\"]\nclass = dev\n[env \"b\"]\n", 3, "no class"},
        {"[env \"a\"]\nclass = dev\n[env \"a\"]\nclass = dev\n", 3, "comes twice"},
        {"[defaults]\n[defaults]\n", 2, "comes twice"},
        {"[env \"a\"]\nclass = staging\n", 2, "not a value"},
        {"[defaults]\nclass = dev\n", 2, "belongs into"},
        {"[defaults]\nexpect_org_id = x\n", 2, "belongs into"},
        {"user = x\n", 1, "before the first section"},
        {"[environment \"a\"]\n", 1, "unknown section"},
        {"[env a]\n", 1, "unknown section"},
        {"[env \"a/b\"]\n", 1, "unknown section"},
        {"[env \"\"]\n", 1, "unknown section"},
        {"[env \"a\"\n", 1, "not closed"},
        {"[defaults]\nuser\n", 2, "neither"},
        {"[defaults]\nuser =\n", 2, "empty"},
        {"[defaults]\npassword = x\n", 2, "unknown key"},
        {"[defaults]\nyes = 1\n", 2, "unknown key"},
        {"[defaults]\nlogin_timeout = soon\n", 2, "not a value"},
        {"[defaults]\nuser = a\x1b"
         "b\n",
         2, "control characters"},
        {"[defaults]\nuser = a\n  more\n", 3, "neither"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        char start[32];
        struct seen seen;
        struct err err = {0};
        (void)snprintf(start, sizeof(start), "c.ini:%d: ", faults[i].line);
        assert_false(parse(faults[i].text, &seen, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        if (strncmp(err.primary, start, strlen(start)) != 0 || !strstr(err.primary, faults[i].says))
            fail_msg("fault %zu: %s", i, err.primary);
    }
}

static void
a_secret_in_the_file_is_refused_without_being_shown(void **state)
{
    struct seen seen;
    struct err err;
    (void)state;
    assert_false(parse("[defaults]\nclient_secret = hunter2\n", &seen, &err));
    assert_null(strstr(err.primary, "hunter2"));
    assert_null(strstr(err.hint, "hunter2"));
    assert_non_null(strstr(err.hint, "client_secret_file"));
}

static void
a_line_that_inih_would_cut_is_refused(void **state)
{
    char text[400] = "[defaults]\nuser = ";
    struct seen seen;
    struct err err;
    (void)state;
    memset(text + strlen(text), 'x', 300);
    assert_false(parse(text, &seen, &err));
    assert_non_null(strstr(err.primary, "c.ini:2: the line is longer"));
    assert_string_equal(seen.lines, "1[]\n");
}

/** Who may write it decides which command is run for a secret. */
static void
a_file_that_others_may_write_is_refused(void **state)
{
    static const char text[] = "[defaults]\nuser = reader\n";
    static const struct {
        mode_t mode;
        bool read;
    } modes[] = {{0600, true}, {0644, true}, {0440, true}, {0664, false}, {0646, false}};
    char path[] = "/tmp/dwclean-test-XXXXXX";
    struct seen seen = {0};
    const struct ini_file_sink sink = {.ctx = &seen, .section = on_section, .value = on_value};
    struct err err;
    const int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        assert_int_equal(fchmod(fd, modes[i].mode), 0);
        const bool read = ini_file_read(path, &sink, &err);
        assert_int_equal(read, modes[i].read);
        if (!read)
            assert_non_null(strstr(err.primary, "others may write"));
        if (!read)
            assert_int_equal(err.code, ERR_CONFIG);
    }
    (void)close(fd);
    assert_int_equal(unlink(path), 0);
    assert_false(ini_file_read("/tmp", &sink, &err)); /* a directory */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_keys_and_comments_are_read_with_their_lines),
        cmocka_unit_test(each_fault_names_file_and_line),
        cmocka_unit_test(a_secret_in_the_file_is_refused_without_being_shown),
        cmocka_unit_test(a_line_that_inih_would_cut_is_refused),
        cmocka_unit_test(a_file_that_others_may_write_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
