/**
 * What the contract tests of the Dataverse port share: the sandbox's control interface, a store,
 * and what it told. Where the sandbox is comes in the variables SANDBOX_*; it has the seed
 * scenario-a, and every test begins with it as it was started.
 */
#ifndef CONTRACT_RUNTIME_SANDBOX_H
#define CONTRACT_RUNTIME_SANDBOX_H

#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"
#include "dataverse/dataverse.h"
#include "port/runtime_store.h"
#include "test.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not every test program uses every helper. */
#pragma GCC diagnostic ignored "-Wunused-function"

enum { SEEDED_ROWS = 17, ROWS_MAX = 1200, ARENA_BYTES = 16 * 1024 * 1024 };

/* ---- the sandbox ---- */

static const char *
variable(const char *name)
{
    const char *value = getenv(name); /* one thread. NOLINT(concurrency-mt-unsafe) */

    if (!value)
        fail_msg("%s is not set: run this beside a sandbox", name);
    return value ? value : "";
}

static size_t
take_text(char *bytes, size_t one, size_t size, void *ctx)
{
    (void)one;
    text_append_bytes(ctx, bytes, size);
    return size;
}

/** A request of the control interface; its answer is appended to `ret` when that is not NULL. */
static void
control(const char *method, const char *path, const char *body, struct text *ret)
{
    char url[512];
    long status = 0;
    TEXT_SCOPED unused = {0};
    CURL *curl = curl_easy_init();

    assert_non_null(curl);
    (void)snprintf(url, sizeof url, "%s%s", variable("SANDBOX_CONTROL"), path);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_URL, url), CURLE_OK);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_NOPROXY, "*"), CURLE_OK);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_text), CURLE_OK);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret ? ret : &unused), CURLE_OK);
    if (body)
        assert_int_equal(curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body), CURLE_OK);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method), CURLE_OK);
    assert_int_equal(curl_easy_perform(curl), CURLE_OK);
    assert_int_equal(curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status), CURLE_OK);
    curl_easy_cleanup(curl);
    if (status < 200 || status > 299)
        fail_msg("%s %s: %ld %s", method, path, status, text_string(ret ? ret : &unused));
}

static void
set(const char *settings)
{
    control("PATCH", "/dataverse/settings", settings, NULL);
}

static void
fault(const char *rule)
{
    control("POST", "/faults", rule, NULL);
}

/** How often `needle` stands in the sandbox's record of requests. */
static int
count_in_log(const char *needle)
{
    TEXT_SCOPED log = {0};
    int count = 0;

    control("GET", "/log", NULL, &log);
    for (const char *at = strstr(text_string(&log), needle); at; at = strstr(at + 1, needle))
        count++;
    return count;
}

/* ---- the store ---- */

static struct secret client_secret;
static const char *const allowed_hosts[] = {"localhost"};

static struct dataverse_options
right_options(void)
{
    return (struct dataverse_options){
        .url = variable("SANDBOX_DATAVERSE_URL"),
        .client_id = variable("SANDBOX_CLIENT_ID"),
        .client_secret = &client_secret,
        .allow_hosts = allowed_hosts,
        .allow_host_count = 1,
        .ca_file = variable("SANDBOX_CA"),
        .user_agent = "dwclean-contract-test",
        .connect_timeout_s = 5,
        .timeout_s = 20,
    };
}

/** Deletes go one by one then: the service does not know $batch. */
static void
refuse_batches(void)
{
    fault("{\"at\":\"dv.request\",\"match\":\"$batch\",\"times\":0,\"do\":\"error\",\"arg\":404,"
          "\"text\":\"0x80060888 Resource not found for the segment '$batch'.\"}");
}

static struct runtime_server *server;
static struct runtime_store *store;
static struct arena *arena;

static void
expect(bool done, const struct err *err)
{
    if (!done)
        fail_msg("%s: %s | %s | %s", err_name(err->code), err->primary, err->detail, err->hint);
}

static void
open_store_with(const struct dataverse_options *options)
{
    struct err err = {0};

    expect(dataverse_server_new(options, &server, &err), &err);
    expect(server->connect(server, &store, &err), &err);
}

static void
open_store(void)
{
    const struct dataverse_options options = right_options();

    open_store_with(&options);
}

static int
set_up(void **state)
{
    struct err err = {0};
    const char *secret = variable("SANDBOX_CLIENT_SECRET");

    (void)state;
    control("POST", "/reset", "", NULL);
    control("DELETE", "/faults", NULL, NULL);
    control("DELETE", "/log", NULL, NULL);
    expect(secret_set(&client_secret, secret, strlen(secret), &err), &err);
    arena = arena_new(ARENA_BYTES);
    return arena ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    if (store)
        store->ops->close(store);
    dataverse_server_free(server);
    store = NULL;
    server = NULL;
    secret_wipe(&client_secret);
    arena_free(arena);
    return 0;
}

static struct runtime_evidence
observe(void)
{
    struct runtime_evidence evidence = {0};
    struct err err = {0};

    expect(store->ops->observe(store, arena, NULL, &evidence, &err), &err);
    return evidence;
}

/** A question that must fail with this code; the error never holds the secret. */
static struct err
expect_no_observation(enum err_code code)
{
    struct runtime_evidence evidence = {.row_count = 7777};
    struct err err = {0};

    if (store->ops->observe(store, arena, NULL, &evidence, &err))
        fail_msg("observed %zu rows", evidence.row_count);
    if (err.code != code)
        fail_msg("%s: %s | %s", err_name(err.code), err.primary, err.detail);
    assert_int_equal(evidence.row_count, 7777);
    return err;
}

/** Sign in with these options; it must fail with this code. */
static struct err
expect_no_connection(const struct dataverse_options *options, enum err_code code)
{
    struct err err = {0};

    expect(dataverse_server_new(options, &server, &err), &err);
    if (server->connect(server, &store, &err))
        fail_msg("connected");
    if (err.code != code)
        fail_msg("%s: %s | %s", err_name(err.code), err.primary, err.detail);
    assert_null(strstr(err.primary, secret_reveal(&client_secret)));
    assert_null(strstr(err.detail, secret_reveal(&client_secret)));
    return err;
}

/** What read_rows gave. */
struct taken {
    struct row_id ids[ROWS_MAX];
    size_t count;
    bool etag_in_document;
    bool broken;
};

static bool
take_row(void *ctx, const struct row *row, struct err *err)
{
    struct taken *taken = ctx;
    const struct slice document = row->fields[0].bytes;
    TEXT_SCOPED text = {0};

    if (taken->count == ROWS_MAX)
        return err_set(err, ERR_INTERNAL, "more rows than expected");
    text_append_bytes(&text, document.data, document.size);
    taken->etag_in_document |= strstr(text_string(&text), "@odata.etag") != NULL;
    taken->broken |= row->count != 1 || document.size < 2 || document.data[0] != '{' ||
                     !strstr(text_string(&text), row->id.key);
    taken->ids[taken->count++] = row->id;
    return true;
}

static struct taken
read_rows(void)
{
    const struct row_sink sink = {.take = take_row};
    struct taken taken = {0};
    struct row_sink bound = sink;
    struct err err = {0};

    bound.ctx = &taken;
    expect(store->ops->read_rows(store, &bound, &err), &err);
    return taken;
}

static void
expect_no_rows(enum err_code code)
{
    struct taken taken = {0};
    const struct row_sink sink = {.ctx = &taken, .take = take_row};
    struct err err = {0};

    if (store->ops->read_rows(store, &sink, &err))
        fail_msg("read %zu rows", taken.count);
    if (err.code != code)
        fail_msg("%s: %s | %s", err_name(err.code), err.primary, err.detail);
}

/** What remove told. */
struct told {
    struct runtime_ref rows[ROWS_MAX];
    size_t count;
    size_t announced;
    int outcomes[ROWS_MAX]; /* by row */
    int states[REMOVAL_UNKNOWN + 1];
    struct err why; /* of the last that was not well */
    bool sent_before_announced;
    size_t stop_signal_at;  /* raise one at that many outcomes; 0 = never */
    size_t fail_outcome_at; /* say no at that outcome */
    size_t told;
    size_t progresses;
    struct runtime_pace pace; /* the last */
    bool paused;              /* one of them was */
};

static bool
on_intent(void *ctx, const struct runtime_ref *const *rows, size_t count, struct err *err)
{
    struct told *told = ctx;

    (void)rows;
    (void)err;
    told->announced += count;
    return true;
}

static bool
on_outcome(void *ctx, const struct removal *removal, struct err *err)
{
    struct told *told = ctx;
    const size_t index = (size_t)(removal->row - told->rows);

    assert_true(index < told->count);
    told->outcomes[index]++;
    told->states[removal->state]++;
    told->sent_before_announced |= index >= told->announced;
    if (removal->why.code != ERR_NONE)
        told->why = removal->why;
    told->told++;
    if (told->told == told->stop_signal_at)
        (void)raise(SIGTERM);
    if (told->told == told->fail_outcome_at)
        return err_set(err, ERR_STORAGE, "the disk is full");
    return true;
}

static void
on_progress(void *ctx, const struct runtime_pace *pace)
{
    struct told *told = ctx;

    told->progresses++;
    told->pace = *pace;
    if (pace->paused_until_utc_ms == 0)
        return;
    told->paused = true;
    assert_true(pace->paused_until_utc_ms > clock_utc_ms() - 1000);
    assert_non_null(pace->paused_why);
}

static bool
remove_rows(const struct taken *taken, struct told *told, struct err *err)
{
    const struct removal_sink sink = {
        .ctx = told, .intent = on_intent, .outcome = on_outcome, .progress = on_progress};

    told->count = taken->count;
    for (size_t i = 0; i < taken->count; i++) {
        (void)snprintf(told->rows[i].key, sizeof told->rows[i].key, "%.36s", taken->ids[i].key);
        told->rows[i].etag = taken->ids[i].version;
    }
    return store->ops->remove(store, told->rows, told->count, &sink, err);
}

/** Each row was told once. */
static void
expect_told_once(const struct told *told)
{
    for (size_t i = 0; i < told->count; i++)
        assert_int_equal(told->outcomes[i], 1);
    assert_false(told->sent_before_announced);
    assert_int_equal(told->announced, told->count);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
