/** A server over an engine of its own for each test, and a client that is signed in to it. */
#ifndef SANDBOX_TESTS_TDS_WORLD_H
#define SANDBOX_TESTS_TDS_WORLD_H

#include "scratch.h"
#include "tds/server.h"
#include "tests/tds_client.h"

static struct {
    char directory[PATH_MAX];
    struct engine *engine;
    struct faults *faults;
    struct sandbox_log *log;
    struct tds_server *server;
    uint16_t port;
} world;

static inline int
world_begin(void **state)
{
    char why[512] = "";
    (void)state;
    scratch_make(world.directory);
    world.faults = faults_new();
    world.log = sandbox_log_new(NULL);
    const struct engine_options engine = {.directory = world.directory,
                                          .server_name = "SANDBOX-SQL",
                                          .database = "AxDB",
                                          .faults = world.faults,
                                          .log = world.log};
    world.engine = engine_open(&engine, why, sizeof why);
    assert_string_equal(why, "");
    assert_non_null(world.engine);
    assert_true(engine_add_login(world.engine, "sa", "Passw0rd!", "all"));
    const struct tds_options options = {
        .engine = world.engine, .faults = world.faults, .log = world.log};
    world.server = tds_server_start(&options, why, sizeof why);
    assert_non_null(world.server);
    world.port = tds_server_port(world.server);
    return 0;
}

static inline int
world_end(void **state)
{
    (void)state;
    tds_server_stop(world.server);
    engine_close(world.engine);
    faults_free(world.faults);
    sandbox_log_free(world.log);
    scratch_remove(world.directory);
    return 0;
}

static inline void
fault(const char *json)
{
    const char *why = "";
    if (!faults_add_json(world.faults, json, &why))
        fail_msg("%s: %s", json, why);
}

static inline struct tds_client
signed_in(void)
{
    struct tds_client client = client_open(world.port);
    assert_true(client_login(&client, "sa", "Passw0rd!", 4096));
    struct tds_seen seen = client_see(&client);
    assert_false(seen.malformed);
    assert_int_equal(seen.errors, 0);
    return client;
}

static inline bool
logged(const char *text)
{
    size_t bytes = 0;
    char *all = sandbox_log_text(world.log, &bytes);
    bool found = all != NULL && strstr(all, text) != NULL;
    free(all);
    return found;
}

/* The server still serves others. */
static inline void
assert_alive(void)
{
    struct tds_client client = signed_in();
    struct tds_seen seen = client_batch(&client, "SELECT 1 AS a");
    assert_int_equal(seen.rows, 1);
    client_close(&client);
}

/** Exactly one DONE with the attention bit, in a message of its own. */
static inline void
assert_attention_answered(struct tds_client *client)
{
    assert_true(client_receive(client));
    struct tds_seen seen = client_see(client);
    assert_int_equal(seen.dones, 1);
    assert_int_equal(seen.done[0].status & ~(unsigned)TDS_DONE_IN_TRANSACTION, TDS_DONE_ATTENTION);
}

#endif
