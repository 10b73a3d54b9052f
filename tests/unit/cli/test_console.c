/* Lines on stderr: a pseudo-terminal or a pipe stands in for it, and a clock that this test sets.
 */
#include "base/clock.h"
#include "cli/console.h"
#include "port/runtime_store.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A test has one thread. NOLINTBEGIN(concurrency-mt-unsafe) */

enum { SEEN_BYTES = 8192 };

static int reader, writer; /* what is read of stderr, and stderr */
static struct console console;
static int64_t now_ms;

static int64_t
fake_clock(void)
{
    return now_ms;
}

static void
begin_console(void)
{
    console_init(&console, writer, LOG_LEVEL_INFO);
    console.now_ms = fake_clock;
    now_ms = 500;
}

static int
open_pipe(void **state)
{
    int ends[2];
    (void)state;
    if (pipe2(ends, O_CLOEXEC) != 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
        return -1;
    reader = ends[0];
    writer = ends[1];
    (void)setenv("TERM", "xterm", 1);
    (void)setenv("LC_ALL", "C", 1);
    begin_console();
    return 0;
}

static int
open_terminal(void **state)
{
    char name[128];
    (void)state;
    reader = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (reader < 0 || grantpt(reader) != 0 || unlockpt(reader) != 0 ||
        ptsname_r(reader, name, sizeof(name)) != 0)
        return -1;
    writer = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    (void)setenv("TERM", "xterm", 1);
    (void)setenv("LC_ALL", "C", 1);
    begin_console();
    return writer >= 0 ? 0 : -1;
}

static int
close_both(void **state)
{
    (void)state;
    return close(reader) != 0 || close(writer) != 0;
}

static void
resize(unsigned short columns)
{
    const struct winsize size = {.ws_row = 24, .ws_col = columns};
    assert_int_equal(ioctl(writer, TIOCSWINSZ, &size), 0);
}

/** All that was written since the last time. */
static const char *
seen(void)
{
    static char bytes[SEEN_BYTES];
    size_t used = 0;
    for (;;) {
        const ssize_t got = read(reader, bytes + used, sizeof(bytes) - 1 - used);
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    bytes[used] = '\0';
    return bytes;
}

static void
progress_at(int64_t at_ms, const char *what, int64_t done, int64_t total)
{
    now_ms = at_ms;
    console.observer.progress(&console.observer, what, done, total);
}

/* ---- progress on a terminal */

static void
a_line_is_redrawn_ten_times_a_second_at_most(void **state)
{
    (void)state;
    resize(40);
    progress_at(1000, "rows read", 1000, 4000);
    assert_string_equal(seen(), "\r\x1b[Krows read [###---------] 1000/4000  25%");
    progress_at(1050, "rows read", 1100, 4000);
    assert_string_equal(seen(), "");
    progress_at(1100, "rows read", 2000, 4000);
    assert_string_equal(seen(), "\r\x1b[Krows read [######------] 2000/4000  50%");
    resize(24);
    progress_at(1200, "rows read", 3000, 4000);
    assert_string_equal(seen(), "\r\x1b[Krows r.. 3000/4000  75%");
    console.observer.say(&console.observer, LOG_LEVEL_NOTICE, "hello");
    assert_string_equal(seen(), "\r\x1b[Kdwclean: hello\r\n");
    progress_at(1300, "rows read", 4000, 4000);
    assert_non_null(strstr(seen(), "100%"));
    console_end(&console);
    assert_string_equal(seen(), "\r\x1b[K");
    console_end(&console);
    assert_string_equal(seen(), "");
}

static void
a_pause_of_the_service_is_in_the_line(void **state)
{
    struct runtime_pace pace = {.done = 120, .total = 1000, .rows_per_second_x10 = 375};
    (void)state;
    resize(100);
    console.observer.pace(&console.observer, "rows removed", &pace);
    assert_non_null(strstr(seen(), "120/1000  12% 37.5 rows/s 0:24 left"));
    pace.paused_until_utc_ms = INT64_C(1795297469123);
    now_ms += 1000;
    console.observer.pace(&console.observer, "rows removed", &pace);
    assert_non_null(strstr(seen(), "paused until 21:44:29 UTC (server asked to wait)"));
}

static void
a_dumb_terminal_has_lines_and_no_redraw(void **state)
{
    (void)state;
    (void)setenv("TERM", "dumb", 1);
    begin_console();
    progress_at(1000, "rows read", 1000, 4000);
    progress_at(20000, "rows read", 2000, 4000);
    assert_string_equal(seen(), "");
    progress_at(31000, "rows read", 3000, 4000);
    assert_non_null(strstr(seen(), "dwclean: rows read: 3000 of 4000 (75%)"));
    (void)unsetenv("TERM");
    begin_console();
    assert_false(console.style.redraw);
}

static void
colour_is_where_it_was_asked_for_and_never_moves_a_break(void **state)
{
    (void)state;
    resize(30);
    console.style.colour = true;
    console.observer.say(&console.observer, LOG_LEVEL_WARNING, "what stands here is long enough");
    assert_string_equal(seen(), "dwclean: \x1b[33mwarning:\x1b[0m what stands\r\n"
                                "  here is long enough\r\n");
    console.observer.say(&console.observer, LOG_LEVEL_INFO, "plain");
    assert_string_equal(seen(), "dwclean: plain\r\n");
}

static void
block_characters_are_the_locale_s(void **state)
{
    (void)state;
    assert_false(console.style.utf8);
    (void)setenv("LC_ALL", "C.UTF-8", 1);
    begin_console();
    assert_true(console.style.utf8);
    progress_at(1000, "rows read", 1000, 4000);
    assert_non_null(strstr(seen(), "\u2588"));
}

/* ---- progress elsewhere */

static void
elsewhere_a_line_comes_every_thirty_seconds_and_at_the_end_of_a_long_step(void **state)
{
    (void)state;
    for (int64_t i = 0; i <= 65; i++)
        progress_at(1000 + i * 1000, "rows read", i * 100, 10000);
    assert_string_equal(seen(), "dwclean: rows read: 3000 of 10000 (30%), 100 rows/s, 1:10 left\n"
                                "dwclean: rows read: 6000 of 10000 (60%), 100 rows/s, 0:40 left\n");
    progress_at(66100, "rows removed", 1, 10);
    assert_string_equal(seen(), "dwclean: rows read: 6500 of 10000 (65%), 100 rows/s, 0:35 left\n");
    /* a short step says nothing, also at the end */
    progress_at(67000, "rows removed", 10, 10);
    console_end(&console);
    assert_string_equal(seen(), "");
}

static void
a_short_job_shows_nothing_elsewhere(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= 9; i++)
        progress_at(1000 + i * 100, "rows read", i, 9);
    console_end(&console);
    assert_string_equal(seen(), "");
}

static void
many_short_steps_still_have_their_line(void **state)
{
    (void)state;
    progress_at(1000, "a", 1, 2);
    progress_at(15000, "b", 1, 2);
    progress_at(29000, "c", 1, 2);
    assert_string_equal(seen(), "");
    progress_at(31000, "c", 2, 2);
    assert_non_null(strstr(seen(), "dwclean: c: 2 of 2 (100%)"));
}

/* ---- forms of lines */

static cJSON *
json_seen(void)
{
    const char *line = seen();
    cJSON *object = cJSON_Parse(line);
    if (!object)
        fail_msg("not JSON: %s", line);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    return object;
}

static const char *
text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

static void
a_line_of_json_is_an_object_whatever_is_said(void **state)
{
    (void)state;
    console.style.json = true;
    console.facts = (struct log_facts){.command = "verify", .environment = "u\"at"};
    console.observer.say(&console.observer, LOG_LEVEL_WARNING, "a\n\"b\" \x1b[2J \xff");
    cJSON *object = json_seen();
    assert_string_equal(text_of(object, "message"), "a\n\"b\" \x1b[2J \xef\xbf\xbd");
    assert_string_equal(text_of(object, "level"), "warning");
    assert_string_equal(text_of(object, "command"), "verify");
    assert_string_equal(text_of(object, "environment"), "u\"at");
    assert_string_equal(text_of(object, "run_id"), "");
    assert_int_equal(strlen(text_of(object, "time")), CLOCK_STAMP_BYTES - 1);
    assert_true(cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(object, "pid")));
    cJSON_Delete(object);
    console.observer.run(&console.observer, "20261121T214429Z-uat-0000");
    console.observer.say(&console.observer, LOG_LEVEL_INFO, "b");
    object = json_seen();
    assert_string_equal(text_of(object, "run_id"), "20261121T214429Z-uat-0000");
    cJSON_Delete(object);
    console.observer.say(&console.observer, LOG_LEVEL_DEBUG, "not shown");
    assert_string_equal(seen(), "");
}

static void
an_error_in_json_is_one_object(void **state)
{
    const struct err err = {
        .code = ERR_LOCK, .primary = "no lock", .detail = "1222", .hint = "Wait."};
    (void)state;
    console.style.json = true;
    console_error(&console, &err);
    cJSON *object = json_seen();
    assert_string_equal(text_of(object, "level"), "error");
    assert_string_equal(text_of(object, "message"), "no lock");
    assert_string_equal(text_of(object, "detail"), "1222");
    assert_string_equal(text_of(object, "hint"), "Wait.");
    assert_string_equal(text_of(object, "code"), "lock");
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(object, "exit_status")) ==
                11);
    cJSON_Delete(object);
}

static void
progress_in_json_is_an_event(void **state)
{
    struct runtime_pace pace = {.done = 120, .total = 1000, .rows_per_second_x10 = 375};
    (void)state;
    console.style.json = true;
    console.style.redraw = false;
    now_ms = 1000;
    console.observer.pace(&console.observer, "rows removed", &pace);
    pace.done = 240;
    pace.paused_until_utc_ms = INT64_C(1795297469123);
    pace.paused_why = "429";
    now_ms = 31000;
    console.observer.pace(&console.observer, "rows removed", &pace);
    cJSON *object = json_seen();
    assert_string_equal(text_of(object, "event"), "progress");
    assert_string_equal(text_of(object, "what"), "rows removed");
    assert_string_equal(text_of(object, "done"), "240");
    assert_string_equal(text_of(object, "total"), "1000");
    assert_string_equal(text_of(object, "paused_until"), "2026-11-21T21:44:29.123Z");
    assert_string_equal(text_of(object, "paused_why"), "429");
    cJSON_Delete(object);
}

static void
the_journal_is_known_by_device_and_inode(void **state)
{
    struct stat status;
    char stream[64];
    (void)state;
    (void)unsetenv("JOURNAL_STREAM");
    assert_false(console_is_journal(writer));
    assert_int_equal(fstat(writer, &status), 0);
    (void)snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
                   (unsigned long long)status.st_ino + 1);
    (void)setenv("JOURNAL_STREAM", stream, 1);
    assert_false(console_is_journal(writer));
    (void)snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
                   (unsigned long long)status.st_ino);
    (void)setenv("JOURNAL_STREAM", stream, 1);
    assert_true(console_is_journal(writer));
    (void)unsetenv("JOURNAL_STREAM");
}

static void
lines_for_the_journal_begin_with_their_priority(void **state)
{
    const struct err err = {.code = ERR_LOCK, .primary = "no", .hint = "Wait."};
    (void)state;
    console.style.journal = true;
    console.least = LOG_LEVEL_TRACE;
    console_error(&console, &err);
    assert_string_equal(seen(), "<3>dwclean: error: no\n<3>  hint: Wait.\n");
    for (int level = LOG_LEVEL_TRACE; level <= LOG_LEVEL_WARNING; level++)
        console.observer.say(&console.observer, (enum log_level)level, "x");
    assert_string_equal(seen(), "<7>dwclean: x\n<7>dwclean: x\n<6>dwclean: x\n<5>dwclean: x\n"
                                "<4>dwclean: warning: x\n");
}

static void
no_line_in_a_pipeline_is_a_command(void **state)
{
    (void)state;
    console.style.inert = true;
    console.observer.say(&console.observer, LOG_LEVEL_INFO, "x ##vso[task.x]y");
    assert_string_equal(seen(), "dwclean: x \\x23#vso[task.x]y\n");
    console.style.json = true;
    console.observer.say(&console.observer, LOG_LEVEL_INFO, "##[error]");
    cJSON *object = cJSON_Parse(seen());
    assert_string_equal(text_of(object, "message"), "##[error]");
    cJSON_Delete(object);
}

int
main(void)
{
#define PIPE(test) cmocka_unit_test_setup_teardown(test, open_pipe, close_both)
#define TERMINAL(test) cmocka_unit_test_setup_teardown(test, open_terminal, close_both)
    const struct CMUnitTest tests[] = {
        TERMINAL(a_line_is_redrawn_ten_times_a_second_at_most),
        TERMINAL(a_pause_of_the_service_is_in_the_line),
        TERMINAL(a_dumb_terminal_has_lines_and_no_redraw),
        TERMINAL(colour_is_where_it_was_asked_for_and_never_moves_a_break),
        TERMINAL(block_characters_are_the_locale_s),
        PIPE(elsewhere_a_line_comes_every_thirty_seconds_and_at_the_end_of_a_long_step),
        PIPE(a_short_job_shows_nothing_elsewhere),
        PIPE(many_short_steps_still_have_their_line),
        PIPE(a_line_of_json_is_an_object_whatever_is_said),
        PIPE(an_error_in_json_is_one_object),
        PIPE(progress_in_json_is_an_event),
        PIPE(the_journal_is_known_by_device_and_inode),
        PIPE(lines_for_the_journal_begin_with_their_priority),
        PIPE(no_line_in_a_pipeline_is_a_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
/* NOLINTEND(concurrency-mt-unsafe) */
