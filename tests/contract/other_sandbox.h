/**
 * Sandboxes of a test's own, with options that the suite's does not have, and children in which a
 * test may be interrupted. While one runs, every helper of axdb_sandbox.h acts on it.
 */
#ifndef CONTRACT_OTHER_SANDBOX_H
#define CONTRACT_OTHER_SANDBOX_H

#include "axdb_sandbox.h"
#include "port/observer.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>

enum { OTHER_OPTIONS = 8, OTHER_START_MS = 30000, CHILD_FAULT = 99, PATH_BYTES = 512 };

static struct {
    pid_t pid;
    char dir[64];
    char before[3][PATH_BYTES]; /* of the variables below */
} other;

static const char *const other_variables[] = {"SANDBOX_TDS_PORT", "SANDBOX_CONTROL", "SANDBOX_CA"};

/* One thread. NOLINTBEGIN(concurrency-mt-unsafe) */

static bool
other_is_ready(void)
{
    char path[PATH_BYTES];
    const int64_t until = clock_monotonic_ms() + OTHER_START_MS;

    (void)snprintf(path, sizeof path, "%s/env", other.dir);
    while (access(path, R_OK) != 0) {
        if (clock_monotonic_ms() > until || waitpid(other.pid, NULL, WNOHANG) != 0)
            return false;
        (void)usleep(20000);
    }
    return true;
}

/** NAME='value' lines of DIR/env, for the variables that the helpers use. */
static void
other_load(void)
{
    char path[PATH_BYTES], line[PATH_BYTES];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/env", other.dir);
    file = fopen(path, "re");
    if (file == NULL) {
        fail_msg("cannot read %s", path);
        return;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        char *value = strstr(line, "='"), *end = strrchr(line, '\'');

        if (value == NULL || end <= value + 1)
            continue;
        *value = *end = '\0';
        for (size_t i = 0; i < 3; i++) {
            if (strcmp(line, other_variables[i]) == 0)
                assert_int_equal(setenv(line, value + 2, 1), 0);
        }
    }
    assert_int_equal(fclose(file), 0);
}

/** Start one with these further options, NULL-ended. */
static void
other_start(const char *const options[])
{
    char fixtures[PATH_BYTES];
    const char *argv[16] = {variable("SANDBOX_BINARY"),
                            "--seed",
                            "small",
                            "--dir",
                            other.dir,
                            "--fixtures",
                            fixtures,
                            "--with-parent"};
    size_t count = 8;

    (void)snprintf(other.dir, sizeof other.dir, "/tmp/dwclean-other.XXXXXX");
    assert_non_null(mkdtemp(other.dir));
    (void)snprintf(fixtures, sizeof fixtures, "%s/fixtures", variable("SOURCE_DIR"));
    for (size_t i = 0; options[i] != NULL && i < OTHER_OPTIONS - 1; i++)
        argv[count++] = options[i];
    for (size_t i = 0; i < 3; i++)
        (void)snprintf(other.before[i], PATH_BYTES, "%s", variable(other_variables[i]));
    other.pid = fork();
    assert_true(other.pid >= 0);
    if (other.pid == 0 && argv[0] != NULL) {
        (void)dup2(open("/dev/null", O_RDWR | O_CLOEXEC), STDOUT_FILENO);
        (void)execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(CHILD_FAULT);
    }
    if (!other_is_ready())
        fail_msg("the other sandbox did not start");
    other_load();
}

static int
other_remove(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

static void
other_stop(void)
{
    if (other.pid <= 0)
        return;
    (void)kill(other.pid, SIGTERM);
    (void)waitpid(other.pid, NULL, 0);
    other.pid = 0;
    (void)nftw(other.dir, other_remove, 8, FTW_DEPTH | FTW_PHYS);
    for (size_t i = 0; i < 3; i++)
        (void)setenv(other_variables[i], other.before[i], 1);
}

/** Around each test that starts one: it ends also when the test fails. */
static int
let_other_go(void **state)
{
    other_stop();
    return let_go(state);
}

/* NOLINTEND(concurrency-mt-unsafe) */

#define OTHER_TEST(test)                                                                           \
    {                                                                                              \
#test, test, fresh_sandbox, let_other_go, (void *)(uintptr_t)NEEDS_SANDBOX                 \
    }

/** DIR/pki/NAME of the sandbox that runs. */
static void
other_file(const char *name, char ret[PATH_BYTES])
{
    (void)snprintf(ret, PATH_BYTES, "%s/pki/%s", other.dir, name);
}

/* ---- what the sandbox saw ---- */

/** Lines of its log that hold `text`. */
static size_t
logged(const char *text)
{
    static char log[1024 * 1024];
    static const char request[] = "GET /log HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n\r\n";
    int fd = dial_control();
    size_t used = 0, count = 0;
    ssize_t got;

    assert_int_equal(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
    while (used + 1 < sizeof log && (got = recv(fd, log + used, sizeof log - 1 - used, 0)) > 0)
        used += (size_t)got;
    log[used] = '\0';
    assert_int_equal(close(fd), 0);
    for (const char *at = log; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

/* ---- connecting ---- */

struct listener {
    struct observer observer; /* first */
    size_t lines;
    char last[512];
};

static void
hear(struct observer *observer, enum log_level level, const char *text)
{
    struct listener *listener = (struct listener *)(void *)observer;

    if (level < LOG_LEVEL_INFO)
        return; /* a line for each batch: shown with -v only */
    assert_int_equal(level, LOG_LEVEL_WARNING);
    listener->lines++;
    (void)snprintf(listener->last, sizeof listener->last, "%s", text);
}

static struct listener
new_listener(void)
{
    return (struct listener){.observer = {.say = hear}};
}

static void
accept_connection(const struct mssql_options *options)
{
    struct axdb_store *store;

    use(options);
    store = connect_again();
    store->ops->close(store);
}

static void
refuse_options(const struct mssql_options *options, const char *part)
{
    struct axdb_server *refused = NULL;

    (void)let_go(NULL); /* there is one at a time */
    assert_false(mssql_server_new(options, &refused, &err));
    assert_null(refused);
    if (err.code != ERR_USAGE || strstr(err.primary, part) == NULL)
        fail_msg("%s: %s", err_name(err.code), err.primary);
}

/* ---- children ---- */

/**
 * Run `body` in a child with the signal actions of the program, send it `number` (0 = none) after
 * `after_ms`. Returns its status, or -1; `ret_ms` is the time from the signal (or the start) to its
 * end. The body may not use cmocka.
 */
static int
in_child(int (*body)(void), int number, int after_ms, int64_t *ret_ms)
{
    int64_t start;
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(body());
    if (number != 0) {
        (void)usleep((useconds_t)after_ms * 1000U);
        assert_int_equal(kill(pid, number), 0);
    }
    start = clock_monotonic_ms();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    *ret_ms = clock_monotonic_ms() - start;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
