/**
 * What the contract tests of the AxDB port share: the sandbox's control interface, connections, and
 * reading a table. Needs SANDBOX_TDS_PORT, SANDBOX_CA and SANDBOX_CONTROL in the environment, and
 * the seed scenario-a.
 */
#ifndef CONTRACT_AXDB_SANDBOX_H
#define CONTRACT_AXDB_SANDBOX_H

#include "base/arena.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/secret.h"
#include "mssql/mssql.h"
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Not every test program uses every helper. */
#pragma GCC diagnostic ignored "-Wunused-function"

#define PASSWORD "Sandbox-Passw0rd!"

enum { PROJECTS = 34, FIELDS = 34, EVENTS = 958, ARENA_BYTES = 16 * 1024 * 1024 };

static struct err err;
static struct secret password;
static struct axdb_server *server;

static const char *
variable(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): one thread */

    if (value == NULL || value[0] == '\0')
        fail_msg("%s is not set: run this test beside a sandbox", name);
    return value;
}

/* ---- the sandbox's control interface ---- */

static int
dial_control(void)
{
    const char *url = variable("SANDBOX_CONTROL"), *colon = strrchr(url, ':');
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtol(colon + 1, NULL, 10)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/** Ask the control interface; its status must be 2xx. */
static void
control(const char *method, const char *path, const char *body)
{
    char text[4096], answer[4096];
    int size = snprintf(text, sizeof text,
                        "%s %s HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n"
                        "Content-Length: %zu\r\n\r\n%s",
                        method, path, strlen(body), body);
    int fd = dial_control();
    size_t used = 0;
    ssize_t got;

    assert_true(size > 0 && (size_t)size < sizeof text);
    assert_int_equal(send(fd, text, (size_t)size, MSG_NOSIGNAL), size);
    while (used + 1 < sizeof answer &&
           (got = recv(fd, answer + used, sizeof answer - 1 - used, 0)) > 0)
        used += (size_t)got;
    answer[used] = '\0';
    assert_int_equal(close(fd), 0);
    if (strncmp(answer, "HTTP/1.1 2", 10) != 0)
        fail_msg("%s %s: %s", method, path, answer);
}

static void
sql(const char *text)
{
    control("POST", "/sql", text);
}

/* ---- connecting ---- */

static struct mssql_options
options_for(const char *user)
{
    return (struct mssql_options){.host = "localhost",
                                  .port = (uint16_t)strtol(variable("SANDBOX_TDS_PORT"), NULL, 10),
                                  .database = "AxDB",
                                  .user = user,
                                  .password = &password,
                                  .ca_file = variable("SANDBOX_CA"),
                                  .login_timeout_s = 10,
                                  .query_timeout_s = 20,
                                  .lock_timeout_ms = 400};
}

static void
use(const struct mssql_options *options)
{
    mssql_server_free(server);
    server = NULL;
    if (!mssql_server_new(options, &server, &err))
        fail_msg("%s", err.primary);
}

static struct axdb_store *
connect_again(void)
{
    struct axdb_store *store = NULL;

    if (!server->connect(server, &store, &err))
        fail_msg("%s (%s)", err.primary, err.detail);
    return store;
}

static struct axdb_store *
connect_as(const char *user)
{
    struct mssql_options options = options_for(user);

    use(&options);
    return connect_again();
}

static void
refuse_connection(const struct mssql_options *options, enum err_code code, const char *part)
{
    struct axdb_store *store = NULL;

    use(options);
    assert_false(server->connect(server, &store, &err));
    assert_null(store);
    if (err.code != code || strstr(err.primary, part) == NULL)
        fail_msg("%s: %s (%s)", err_name(err.code), err.primary, err.detail);
}

static void
observe(struct axdb_store *store, struct arena *arena, struct axdb_evidence *ret)
{
    if (!store->ops->observe(store, arena, ret, &err))
        fail_msg("%s (%s)", err.primary, err.detail);
}

/** The fresh count of a table on a connection of its own; it must be known. */
static int64_t
count_rows(enum table table)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_again();
    struct axdb_evidence evidence;

    observe(store, arena, &evidence);
    store->ops->close(store);
    if (!evidence.tables[table].fresh.known)
        fail_msg("%s", evidence.tables[table].fresh.why.primary);
    return evidence.tables[table].fresh.rows;
}

static void
fault(const char *rule)
{
    control("POST", "/faults", rule);
}

/* ---- reading and changing ---- */

struct reading {
    size_t count;
    char last_key[ROW_KEY_BYTES];
    struct digest_stream *all;
};

static bool
note_row(void *ctx, const struct row *row, struct err *ret_err)
{
    struct reading *reading = ctx;

    (void)ret_err;
    if (reading->count > 0 && row_key_compare(row->id.table, reading->last_key, row->id.key) >= 0)
        fail_msg("%s does not come after %s", row->id.key, reading->last_key);
    (void)snprintf(reading->last_key, sizeof reading->last_key, "%s", row->id.key);
    digest_add(reading->all, row->id.digest.bytes, DIGEST_BYTES);
    reading->count++;
    return true;
}

static struct digest
read_table(struct axdb_store *store, const struct schema *schema, size_t expected)
{
    struct reading reading = {.all = digest_new()};
    struct row_sink sink = {.ctx = &reading, .take = note_row};
    struct digest digest;

    if (!store->ops->read_rows(store, schema, &sink, &err))
        fail_msg("%s (%s)", err.primary, err.detail);
    assert_int_equal(reading.count, expected);
    digest = digest_finish(reading.all);
    digest_free(reading.all);
    return digest;
}

static void
begin(struct axdb_store *store, int64_t max_lock_ms)
{
    if (!store->ops->begin_locked(store, max_lock_ms, &err))
        fail_msg("%s (%s)", err.primary, err.detail);
}

static void
delete_every_row(struct axdb_store *store)
{
    static const int64_t rows[] = {FIELDS, PROJECTS, EVENTS};

    for (int i = 0; i < AXDB_TABLES; i++) {
        int64_t deleted = -1, left = -1;

        if (!store->ops->delete_all(store, (enum table)i, &deleted, &left, &err))
            fail_msg("%s (%s)", err.primary, err.detail);
        assert_int_equal(deleted, rows[i]);
        assert_int_equal(left, 0);
    }
}

/* ---- around each test ---- */

static int
fresh_sandbox(void **state)
{
    (void)state;
    control("DELETE", "/faults", "");
    control("POST", "/reset", "");
    return 0;
}

static int
let_go(void **state)
{
    (void)state;
    mssql_server_free(server);
    server = NULL;
    return 0;
}

#define CONTRACT_TEST(test) cmocka_unit_test_setup_teardown(test, fresh_sandbox, let_go)

/** Run a group with the password at hand; returns main's status. */
#define CONTRACT_RUN(tests, ret)                                                                   \
    do {                                                                                           \
        mssql_scrub_environment();                                                                 \
        cancel_init();                                                                             \
        if (!secret_set(&password, PASSWORD, sizeof PASSWORD - 1, &err))                           \
            return 1;                                                                              \
        (ret) = cmocka_run_group_tests(tests, NULL, NULL);                                         \
        secret_wipe(&password);                                                                    \
    } while (0)

#endif
