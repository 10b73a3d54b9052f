#include "base/arena.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/secret.h"
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
every_error_has_its_documented_status(void **state)
{
    static const struct {
        enum err_code code;
        int status;
    } cases[] = {{ERR_NONE, 0},          {ERR_INTERNAL, 1}, {ERR_INCOMPLETE, 3},  {ERR_REFUSED, 4},
                 {ERR_STALE, 5},         {ERR_OUTCOME, 6},  {ERR_CONNECT, 10},    {ERR_TLS, 10},
                 {ERR_LOCK, 11},         {ERR_SIGNIN, 12},  {ERR_PERMISSION, 12}, {ERR_STORAGE, 13},
                 {ERR_SERVER, 14},       {ERR_SCHEMA, 14},  {ERR_USAGE, 64},      {ERR_CONFIG, 78},
                 {ERR_INTERRUPTED, 130}, {ERR_NOT_FOUND, 1}};

    (void)state;
    assert_int_equal(sizeof cases / sizeof cases[0], ERR_CODES);
    for (size_t i = 0; i < ERR_CODES; i++)
        assert_int_equal(err_exit_status(cases[i].code), cases[i].status);
}

static void
an_error_is_wrapped_and_hinted(void **state)
{
    struct err err = {0};
    char longest[1024];

    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_false(err_errno(&err, ERR_STORAGE, ENOSPC, "write %s", "f"));
    assert_string_equal(err.primary, "could not write f: No space left on device");
    assert_false(err_hint(&err, "Free some space."));
    assert_false(err_wrap(&err, "could not back up %s", "T"));
    assert_string_equal(err.primary,
                        "could not back up T: could not write f: No space left on device");
    assert_string_equal(err.hint, "Free some space.");
    assert_int_equal(err.code, ERR_STORAGE);
    assert_false(err_set(&err, ERR_SERVER, "%s", longest));
    assert_int_equal(strlen(err.primary), sizeof err.primary - 1);
    assert_string_equal(err.hint, "");
}

/* "ä", "€" and an emoji, cut at each of their bytes; what is whole stays. */
static void
an_error_never_ends_inside_a_character(void **state)
{
    static const char *const characters[] = {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const size_t size = strlen(characters[i]);

        for (size_t kept = 0; kept <= size; kept++) {
            struct err err = {0};
            char longest[sizeof err.primary + 8];
            const size_t front = sizeof err.primary - 1 - kept;

            memset(longest, 'x', front);
            (void)snprintf(longest + front, sizeof longest - front, "%sx", characters[i]);
            assert_false(err_set(&err, ERR_SERVER, "%s", longest));
            assert_int_equal(strlen(err.primary), kept == size ? front + size : front);
        }
    }
}

static void
an_arena_stops_at_its_maximum(void **state)
{
    ARENA_SCOPED arena = arena_new(204800);
    size_t got = 0;

    (void)state;
    while (arena_alloc(arena, 1000))
        got += 1000;
    assert_true(got > 102400 && got <= 204800);
    assert_null(arena_alloc(arena, SIZE_MAX - 3));
    assert_null(arena_copy(arena, "x", SIZE_MAX));
}

static void
numbers_are_whole_or_refused(void **state)
{
    static const char *const wrong[] = {"",    " 1", "1 ", "+1", "0x1",
                                        "1e3", "-",  "11", "-1", "99999999999999999999"};
    int64_t number = 0;

    (void)state;
    assert_true(parse_int("10", 0, 10, &number));
    assert_int_equal(number, 10);
    assert_true(parse_int("-9223372036854775808", INT64_MIN, 0, &number));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(parse_int(wrong[i], 0, 10, &number));
}

static void
durations_have_units(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"5", 5000},    {"5s", 5000},    {"250ms", 250},
                 {"2m", 120000}, {"1h", 3600000}, {"1d", 86400000}};
    static const char *const wrong[] = {"", "s", "-1s", "5x", "1.5s", "2d"};
    int64_t ms = 0;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(parse_duration_ms(cases[i].text, 86400000, &ms));
        assert_int_equal(ms, cases[i].ms);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(parse_duration_ms(wrong[i], 86400000, &ms));
}

static void
stamps_are_utc_with_milliseconds(void **state)
{
    char stamp[CLOCK_STAMP_BYTES];

    (void)state;
    clock_stamp(1795470269123, stamp);
    assert_string_equal(stamp, "2026-11-23T21:44:29.123Z");
    clock_stamp(0, stamp);
    assert_string_equal(stamp, "1970-01-01T00:00:00.000Z");
    clock_stamp(-1, stamp);
    assert_string_equal(stamp, "1969-12-31T23:59:59.999Z");
}

static void
sha256_agrees_with_the_standard(void **state)
{
    const struct digest abc = digest_of("abc", 3);
    struct digest_stream *stream = digest_new();
    struct digest streamed;
    struct digest back;
    char hex[DIGEST_HEX_BYTES];

    (void)state;
    digest_hex(&abc, hex); /* FIPS 180-2, appendix B.1 */
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_add(stream, "a", 1);
    digest_add(stream, "bc", 2);
    streamed = digest_finish(stream);
    assert_true(digest_equal(&abc, &streamed));
    digest_add(stream, "abc", 3); /* it started again */
    streamed = digest_finish(stream);
    assert_true(digest_equal(&abc, &streamed));
    digest_free(stream);
    assert_true(digest_from_hex(hex, &back));
    assert_true(digest_equal(&abc, &back));
    assert_false(digest_from_hex("ba78", &back));
}

static void
a_secret_is_wiped_and_copied_whole(void **state)
{
    struct err err = {0};
    SECRET_SCOPED one = {0};
    SECRET_SCOPED two = {0};

    (void)state;
    assert_false(secret_is_set(&one));
    assert_string_equal(secret_reveal(&one), "");
    assert_true(secret_set(&one, "hunter2 and more", 7, &err));
    assert_true(secret_copy(&two, &one, &err));
    secret_wipe(&one);
    assert_false(secret_is_set(&one));
    assert_string_equal(secret_reveal(&two), "hunter2");
}

static void
a_file_is_replaced_whole_and_owner_only(void **state)
{
    char directory[] = "/tmp/dwclean-test-XXXXXX";
    char path[64];
    char *bytes = NULL;
    size_t size = 0;
    struct stat info;
    struct err err = {0};

    (void)state;
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/a/b/c", directory);
    assert_true(file_make_directories(path, 0700, &err));
    assert_true(file_make_directories(path, 0700, &err));
    (void)snprintf(path, sizeof path, "%s/a/file", directory);
    assert_true(file_replace(path, "one", 3, 0600, &err));
    assert_true(file_replace(path, "two!", 4, 0600, &err));
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_true(file_read(path, 4, &bytes, &size, &err));
    assert_int_equal(size, 4);
    assert_string_equal(bytes, "two!");
    free(bytes);
    bytes = NULL;
    assert_false(file_read(path, 3, &bytes, &size, &err));
    assert_false(file_replace("/proc/nowhere/file", "x", 1, 0600, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_int_equal(unlink(path), 0);
    (void)snprintf(path, sizeof path, "%s/a/b/c", directory);
    assert_int_equal(rmdir(path), 0);
    (void)snprintf(path, sizeof path, "%s/a/b", directory);
    assert_int_equal(rmdir(path), 0);
    (void)snprintf(path, sizeof path, "%s/a", directory);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(directory), 0);
}

static void
the_first_stop_signal_is_only_remembered(void **state)
{
    struct err err = {0};

    (void)state;
    cancel_init();
    assert_true(cancel_check(&err));
    cancel_hold_begin();
    assert_int_equal(raise(SIGTERM), 0);
    assert_int_equal(raise(SIGTERM), 0); /* held: even the second one */
    cancel_hold_end();
    assert_int_equal(cancel_signal(), SIGTERM);
    assert_false(cancel_check(&err));
    assert_int_equal(err.code, ERR_INTERRUPTED);
    assert_int_equal(raise(SIGPIPE), 0);
}

/** Would a signal of this number wait now? */
static bool
is_blocked(int number)
{
    sigset_t mask;

    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    return sigismember(&mask, number) == 1;
}

static void
nobody_is_stopped_while_locks_are_held(void **state)
{
    static const int stops[] = {SIGTSTP, SIGTTIN, SIGTTOU};

    (void)state;
    cancel_hold_begin();
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++)
        assert_true(is_blocked(stops[i]));
    cancel_hold_end();
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++)
        assert_false(is_blocked(stops[i]));
}

static void
levels_have_names(void **state)
{
    (void)state;
    assert_string_equal(log_level_name(LOG_LEVEL_DEBUG), "debug");
    assert_string_equal(log_level_name(LOG_LEVEL_ERROR), "error");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_its_documented_status),
        cmocka_unit_test(an_error_is_wrapped_and_hinted),
        cmocka_unit_test(an_error_never_ends_inside_a_character),
        cmocka_unit_test(an_arena_stops_at_its_maximum),
        cmocka_unit_test(numbers_are_whole_or_refused),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(stamps_are_utc_with_milliseconds),
        cmocka_unit_test(sha256_agrees_with_the_standard),
        cmocka_unit_test(a_secret_is_wiped_and_copied_whole),
        cmocka_unit_test(a_file_is_replaced_whole_and_owner_only),
        cmocka_unit_test(the_first_stop_signal_is_only_remembered),
        cmocka_unit_test(nobody_is_stopped_while_locks_are_held),
        cmocka_unit_test(levels_have_names),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
