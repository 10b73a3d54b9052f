#include "base/file.h"
#include "config/secret_file.h"
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[128];

static int
make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/dwclean-test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/secret", folder);
    return 0;
}

static int
remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static void
put(const char *bytes, size_t size, mode_t mode)
{
    (void)unlink(path);
    FILE_SCOPED fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    assert_int_equal(fchmod(fd, mode), 0);
}

static void
one_line_is_read_without_its_line_end(void **state)
{
    static const char *const forms[] = {"pa ss", "pa ss\n", "pa ss\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        SECRET_SCOPED secret = {0};
        struct err err;
        put(forms[i], strlen(forms[i]), 0600);
        assert_true(secret_file_read(path, &secret, &err));
        assert_string_equal(secret_reveal(&secret), "pa ss");
    }
}

static void
a_file_that_others_may_use_is_refused(void **state)
{
    static const mode_t modes[] = {0640, 0604, 0660, 0601, 0610, 0666};
    (void)state;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        SECRET_SCOPED secret = {0};
        struct err err;
        put("secret\n", 7, modes[i]);
        assert_false(secret_file_read(path, &secret, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.hint, "chmod 600"));
        assert_false(secret_is_set(&secret));
    }
    put("secret\n", 7, 0400);
    SECRET_SCOPED secret = {0};
    struct err err;
    assert_true(secret_file_read(path, &secret, &err));
}

static void
refuse(const char *bytes, size_t size)
{
    SECRET_SCOPED secret = {0};
    struct err err;
    put(bytes, size, 0600);
    assert_false(secret_file_read(path, &secret, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_null(strstr(err.primary, "secret1"));
}

static void
what_is_not_one_line_is_refused(void **state)
{
    char big[SECRET_FILE_MAX_BYTES + 10];
    (void)state;
    refuse("", 0);
    refuse("\n", 1);
    refuse("secret1\nsecret2\n", 16);
    refuse("secret1\0x", 9);
    memset(big, 'x', sizeof(big));
    refuse(big, sizeof(big));
}

static void
what_is_not_a_file_is_refused_without_waiting(void **state)
{
    SECRET_SCOPED secret = {0};
    struct err err;
    (void)state;
    (void)unlink(path);
    assert_false(secret_file_read(path, &secret, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_false(secret_file_read(folder, &secret, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(secret_file_read(path, &secret, &err));
    assert_int_equal(err.code, ERR_CONFIG);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_is_read_without_its_line_end),
        cmocka_unit_test(a_file_that_others_may_use_is_refused),
        cmocka_unit_test(what_is_not_one_line_is_refused),
        cmocka_unit_test(what_is_not_a_file_is_refused_without_waiting),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
