/* Processes that behave badly, each in its own way: they cost their own environment alone. */
#include "base/clock.h"
#include "base/file.h"
#include "cli/fleet.h"
#include "report/fleet.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STDERR_BYTES = 64 * 1024, REPORT_BYTES = 256 * 1024 };

static const char *const names[] = {"good", "rubbish", "flood",  "crash",    "deaf",  "late",
                                    "liar", "silent",  "holder", "imposter", "noisy", "last"};

static const struct report_place place = {.width = 80};

static void
no_action(void)
{
}

/** What a process sends that has found `name` clean. */
static void
send_clean(const char *name, int fd)
{
    TEXT_SCOPED message = {0};
    struct outcome outcome = {
        .command = "verify", .word = OUTCOME_CLEAN, .verdict = "clean", .locked_ms = -1};
    struct err err;
    if (fleet_write_message(&outcome, name, REPORT_JSON, &place, &message, &err))
        (void)console_write(fd, text_string(&message), message.used);
}

static void
sleep_on(void)
{
    for (;;)
        (void)pause();
}

/** Until it is ended, or a quarter more than is believed. */
static void
flood(int fd)
{
    static char block[64 * 1024];
    for (size_t sent = 0; sent < (size_t)FLEET_MESSAGE_MAX_BYTES / 4 * 5; sent += sizeof(block)) {
        if (!console_write(fd, block, sizeof(block)))
            return;
    }
}

/** A process of its own that keeps the pipes open, as a command of the operator's might. */
static void
leave_holder(void)
{
    const pid_t pid = fork();
    if (pid != 0) {
        char line[32];
        const int size = snprintf(line, sizeof(line), "left %d\n", (int)pid);
        (void)console_write(STDERR_FILENO, line, (size_t)size);
        return;
    }
    (void)signal(SIGALRM, SIG_DFL);
    (void)alarm(20);
    sleep_on();
}

static int
look(void *ctx, const char *name, size_t index, int fd)
{
    (void)index;
    (void)ctx;
    if (strcmp(name, "rubbish") == 0) {
        (void)console_write(fd, "{}", 2);
    } else if (strcmp(name, "flood") == 0) {
        flood(fd);
    } else if (strcmp(name, "crash") == 0) {
        send_clean(name, fd);
        (void)raise(SIGKILL);
    } else if (strcmp(name, "deaf") == 0) {
        (void)signal(SIGTERM, SIG_IGN);
        send_clean(name, fd);
        sleep_on();
    } else if (strcmp(name, "late") == 0) {
        (void)signal(SIGTERM, SIG_DFL);
        sleep_on();
    } else if (strcmp(name, "liar") == 0) {
        send_clean(name, fd);
        return 2;
    } else if (strcmp(name, "imposter") == 0) {
        send_clean("good", fd);
    } else if (strcmp(name, "silent") != 0) {
        if (strcmp(name, "holder") == 0)
            leave_holder();
        if (strcmp(name, "noisy") == 0)
            (void)console_write(STDERR_FILENO, "one\x1b[2J \\x07\ntwo", 16);
        send_clean(name, fd);
    }
    return 0;
}

static const char *
no_variable(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    return NULL;
}

static void
write_ini(char path[64])
{
    (void)snprintf(path, 64, "/tmp/dwclean-fleet-XXXXXX");
    FILE_SCOPED fd = mkstemp(path);
    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char section[128];
        (void)snprintf(section, sizeof(section), "[env \"%s\"]\nclass = dev\n", names[i]);
        assert_true(console_write(fd, section, strlen(section)));
    }
}

/** What was written to a file that has no name. */
static char *
read_all(FILE *file, size_t size)
{
    char *bytes = test_malloc(size);
    rewind(file);
    const size_t got = fread(bytes, 1, size - 1, file);
    assert_true(got < size - 1);
    bytes[got] = '\0';
    return bytes;
}

/** No such process, or one that has only to be waited for by init. */
static bool
is_gone(long pid)
{
    char path[64], line[512] = "";
    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    FILE_SCOPED fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0)
        return true;
    const char *name_end = strrchr(line, ')');
    return name_end && name_end[2] == 'Z';
}

/** What a process leaves in its group ends with it. */
static void
expect_holder_gone(const char *said)
{
    const char *line = strstr(said, "holder: left ");
    assert_non_null(line);
    const long pid = strtol(line + strlen("holder: left "), NULL, 10);
    for (int i = 0; i < 100 && !is_gone(pid); i++)
        clock_sleep_ms(10);
    assert_true(is_gone(pid));
}

struct expected {
    const char *name;
    int exit_status;
    const char *verdict;
};

static void
expect(const cJSON *environments, const struct expected *expected)
{
    const cJSON *found = NULL;
    cJSON_ArrayForEach(found, environments)
    {
        if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(found, "environment")),
                   expected->name) == 0)
            break;
    }
    assert_non_null(found);
    const char *verdict = cJSON_GetStringValue(cJSON_GetObjectItem(found, "verdict"));
    const int status = (int)cJSON_GetNumberValue(cJSON_GetObjectItem(found, "exit_status"));
    if (status != expected->exit_status || !strstr(verdict, expected->verdict))
        fail_msg("%s: %d, %s", expected->name, status, verdict);
    assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(found, "answered")), status == 0);
    assert_int_equal(cJSON_IsObject(cJSON_GetObjectItem(found, "report")), status == 0);
}

static void
expect_all(const char *report)
{
    static const struct expected all[] = {
        {"good", 0, "clean"},
        {"rubbish", 1, "no report that can be believed"},
        {"flood", 1, "sent more than"},
        {"crash", 1, "ended by signal 9"},
        {"deaf", 10, "deadline of 2s"},
        {"late", 10, "deadline of 2s"},
        {"liar", 1, "no report that can be believed"},
        {"silent", 1, "no report that can be believed"},
        {"holder", 0, "clean"},
        {"imposter", 1, "no report that can be believed"},
        {"noisy", 0, "clean"},
        {"last", 0, "clean"},
    };
    cJSON *json = cJSON_Parse(report);
    assert_non_null(json);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        expect(cJSON_GetObjectItem(json, "environments"), &all[i]);
    cJSON_Delete(json);
}

static void
a_process_costs_its_own_environment_alone(void **state)
{
    char path[64];
    char *argv[] = {(char[]){"dwclean"},
                    (char[]){"verify"},
                    (char[]){"--all"},
                    (char[]){"--config"},
                    path,
                    (char[]){"--deadline=2s"},
                    (char[]){"--jobs=6"}};
    const struct config_input input = {
        .argc = 7, .argv = argv, .variable = no_variable, .system_file = "/nonexistent"};
    struct config *config = config_new();
    FILE *report = tmpfile(), *said = tmpfile();
    struct console console;
    struct err err;
    int status = -1;
    (void)state;
    assert_true(config && report && said);
    write_ini(path);
    if (!config_load(config, &input, &err))
        fail_msg("%s", err.primary);
    console_init(&console, fileno(said), LOG_LEVEL_INFO);
    const struct output output = {.fd = fileno(report), .form = REPORT_JSON, .place = place};
    const struct finish finish = {
        .config = config, .output = &output, .console = &console, .version = "0"};
    const struct fleet_job job = {.finish = &finish, .look = look, .last_is_started = no_action};
    const int64_t began_ms = clock_monotonic_ms();
    assert_true(fleet_look(&job, &status, &err));
    const int64_t took_ms = clock_monotonic_ms() - began_ms;
    print_message("12 environments, of which 8 misbehave, in %d ms\n", (int)took_ms);
    /* the deadline, and the time until SIGKILL of the one that does not listen */
    assert_in_range(took_ms, 2000, 16000);
    assert_int_equal(status, 1);
    /* no process is left to be waited for */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);

    char *text = read_all(report, REPORT_BYTES);
    expect_all(text);
    test_free(text);
    text = read_all(said, STDERR_BYTES);
    /* in this order; others may have said something between */
    const char *one = strstr(text, "noisy: one\\x1b[2J \\x07\n");
    assert_non_null(one);
    assert_non_null(strstr(one, "\nnoisy: two\n"));
    expect_holder_gone(text);
    test_free(text);
    (void)fclose(report);
    (void)fclose(said);
    (void)unlink(path);
    config_free(config);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_costs_its_own_environment_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
