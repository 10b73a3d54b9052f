/**
 * What the contract tests of the AxDB port share: the sandbox's control interface, connections, and
 * reading a table. Needs SANDBOX_TDS_PORT, SANDBOX_CA and SANDBOX_CONTROL in the environment, and
 * the seed scenario-a; or a server elsewhere (axdb_elsewhere.h). What a test needs beyond tables
 * and one login is told beside its name (CONTRACT_TEST_IF); without, it is skipped and says so.
 */
#ifndef CONTRACT_AXDB_SANDBOX_H
#define CONTRACT_AXDB_SANDBOX_H

#include "axdb_elsewhere.h"
#include "base/arena.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/secret.h"
#include "delete_table.h"
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
    if (elsewhere.given)
        elsewhere_sql(text);
    else
        control("POST", "/sql", text);
}

/* ---- connecting ---- */

static struct mssql_options
options_elsewhere(void)
{
    return (struct mssql_options){.host = elsewhere.host,
                                  .port = elsewhere.port,
                                  .database = elsewhere.database,
                                  .user = elsewhere.user,
                                  .password = &password,
                                  .encryption = elsewhere.encrypted ? MSSQL_ENCRYPTION_MANDATORY
                                                                    : MSSQL_ENCRYPTION_OPTIONAL,
                                  .trust_certificate = elsewhere.trusted,
                                  .login_timeout_s = 15,
                                  .query_timeout_s = 60,
                                  .lock_timeout_ms = 400,
                                  .utf8_engine = utf8_engine()};
}

/** One of the sandbox's logins; elsewhere there is one only. */
static struct mssql_options
options_for(const char *user)
{
    if (elsewhere.given)
        return options_elsewhere();
    return (struct mssql_options){.host = "localhost",
                                  .port = (uint16_t)strtol(variable("SANDBOX_TDS_PORT"), NULL, 10),
                                  .database = "AxDB",
                                  .user = user,
                                  .password = &password,
                                  .ca_file = variable("SANDBOX_CA"),
                                  .login_timeout_s = 10,
                                  .query_timeout_s = 20,
                                  .lock_timeout_ms = 400,
                                  .utf8_engine = utf8_engine()};
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

    if (!server->connect(server, NULL, &store, &err))
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
    assert_false(server->connect(server, NULL, &store, &err));
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

        if (!delete_table(store, (enum table)i, &deleted, &left, &err))
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
    if (elsewhere.given) {
        elsewhere_fixture("schema");
        elsewhere_fixture("scenario-a");
        return 0;
    }
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

/** What a test may need that not every server gives. */
enum contract_needs {
    NEEDS_NOTHING = 0,
    NEEDS_SANDBOX = 1, /* fault rules, or what only the sandbox is */
    NEEDS_LOGINS = 2,  /* logins with fewer rights */
    NEEDS_LOCKS = 4,   /* an engine that waits for locks */
    NEEDS_CATALOG = 8, /* rights, triggers, policies and partitions in the catalog */
    NEEDS_UTF16 = 16,  /* an engine that keeps any UTF-16, and other code pages */
};

/** The needs of every test of a program: define it before this file is included. */
#ifndef CONTRACT_NEEDS
#define CONTRACT_NEEDS NEEDS_NOTHING
#endif

static const char *
what_is_missing(unsigned needs)
{
    if (elsewhere.given && (needs & NEEDS_SANDBOX) != 0)
        return "needs the sandbox's control interface";
    if (elsewhere.given && (needs & NEEDS_LOGINS) != 0)
        return "needs logins with fewer rights than the one given";
    if (utf8_engine() && (needs & NEEDS_LOCKS) != 0)
        return "needs an engine that takes locks";
    if (utf8_engine() && (needs & NEEDS_CATALOG) != 0)
        return "needs a catalog that tells rights, triggers and policies";
    if (utf8_engine() && (needs & NEEDS_UTF16) != 0)
        return "needs an engine that stores UTF-16 and code pages";
    return NULL;
}

static void
skip_it(void **state)
{
    print_message("skipped: %s\n", (const char *)*state);
    skip();
}

static int
contract_run(const char *group, const struct CMUnitTest *tests, size_t count)
{
    struct CMUnitTest chosen[128];
    const char *given = elsewhere.given ? elsewhere.password : PASSWORD;
    int failed;

    assert_true(count <= sizeof chosen / sizeof chosen[0]);
    for (size_t i = 0; i < count; i++) {
        const char *missing = what_is_missing((unsigned)(uintptr_t)tests[i].initial_state);

        chosen[i] = tests[i];
        chosen[i].initial_state = (void *)(uintptr_t)missing;
        if (missing == NULL)
            continue;
        chosen[i].test_func = skip_it;
        chosen[i].setup_func = NULL;
        chosen[i].teardown_func = NULL;
    }
    mssql_scrub_environment();
    cancel_init();
    if (!secret_set(&password, given, strlen(given), &err))
        return 1;
    failed = _cmocka_run_group_tests(group, chosen, count, NULL, NULL);
    secret_wipe(&password);
    return failed;
}

#define CONTRACT_TEST_IF(test, needs)                                                              \
    {                                                                                              \
#test, test, fresh_sandbox, let_go, (void *)(uintptr_t)((needs) | CONTRACT_NEEDS)          \
    }
#define CONTRACT_TEST(test) CONTRACT_TEST_IF(test, NEEDS_NOTHING)

/** Run a group with the password at hand; `ret` is main's status. */
#define CONTRACT_RUN(tests, ret)                                                                   \
    do {                                                                                           \
        if (!elsewhere_init())                                                                     \
            return 2;                                                                              \
        (ret) = contract_run(#tests, tests, sizeof(tests) / sizeof(tests)[0]);                     \
    } while (0)

#endif
