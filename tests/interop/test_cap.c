/**
 * The Dataverse adapter against an OData server of another make (SAP CAP): relative links, offset
 * paging, batches answered as JSON, versions that must be sent, a small limit for bodies. Where it
 * is comes in INTEROP_URL.
 */
#include "base/clock.h"
#include "base/text.h"
#include "dataverse/dataverse.h"
#include "port/runtime_store.h"
#include "test.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 60, ARENA_BYTES = 1024 * 1024 };

static struct runtime_server *server;
static struct runtime_store *store;
static struct arena *arena;
static struct err err;

static const char *
base_url(void)
{
    const char *url = getenv("INTEROP_URL"); /* one thread. NOLINT(concurrency-mt-unsafe) */

    if (!url)
        fail_msg("INTEROP_URL is not set");
    return url ? url : "";
}

static size_t
take_text(char *bytes, size_t one, size_t size, void *ctx)
{
    (void)one;
    text_append_bytes(ctx, bytes, size);
    return size;
}

/** A request beside the adapter; its status. */
static long
ask(const char *method, const char *path, const char *body, const char *header, struct text *ret)
{
    char url[512];
    long status = 0;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");

    if (header)
        headers = curl_slist_append(headers, header);
    assert_non_null(curl);
    (void)snprintf(url, sizeof url, "%smsdyn_dualwriteruntimeconfigs%s", base_url(), path);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_URL, url), CURLE_OK);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_NOPROXY, "*"), CURLE_OK);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers), CURLE_OK);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_text), CURLE_OK);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret), CURLE_OK);
    if (body)
        assert_int_equal(curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body), CURLE_OK);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method), CURLE_OK);
    assert_int_equal(curl_easy_perform(curl), CURLE_OK);
    assert_int_equal(curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status), CURLE_OK);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return status;
}

static void
key_of(size_t row, char ret[40])
{
    (void)snprintf(ret, 40, "%08zx-0000-4000-8000-000000000001", row * 7 + 1);
}

static void
expect(bool done)
{
    if (!done)
        fail_msg("%s: %s | %s | %s", err_name(err.code), err.primary, err.detail, err.hint);
}

static int
set_up(void **state)
{
    const struct dataverse_options options = {.url = base_url(),
                                              .odata = true,
                                              .user_agent = "dwclean-interop-test",
                                              .connect_timeout_s = 5,
                                              .timeout_s = 20};

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        TEXT_SCOPED answer = {0};
        char key[40];
        char path[64];
        char body[256];

        key_of(i, key);
        (void)snprintf(path, sizeof path, "(%s)", key);
        (void)ask("DELETE", path, NULL, "If-Match: *", &answer); /* of an earlier test */
        (void)snprintf(body, sizeof body,
                       "{\"msdyn_dualwriteruntimeconfigid\":\"%s\",\"msdyn_name\":\"map %zu\","
                       "\"statecode\":0}",
                       key, i);
        assert_int_equal(ask("POST", "", body, NULL, &answer), 201);
    }
    arena = arena_new(ARENA_BYTES);
    expect(dataverse_server_new(&options, &server, &err));
    expect(server->connect(server, &store, &err));
    return arena ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    if (store)
        store->ops->close(store);
    dataverse_server_free(server);
    arena_free(arena);
    store = NULL;
    server = NULL;
    return 0;
}

/** What a list and a purge gave. */
struct told {
    struct runtime_ref rows[ROWS];
    char etags[ROWS][64];
    size_t count, announced;
    int outcomes[ROWS], states[REMOVAL_UNKNOWN + 1];
    enum removal_state state[ROWS];
    struct err why;
};

static bool
take_row(void *ctx, const struct row *row, struct err *ret)
{
    struct told *told = ctx;

    (void)ret;
    assert_in_range(told->count, 0, ROWS - 1);
    assert_null(memmem(row->fields[0].bytes.data, row->fields[0].bytes.size, "@odata.etag", 11));
    (void)snprintf(told->rows[told->count].key, sizeof told->rows[0].key, "%.36s", row->id.key);
    (void)snprintf(told->etags[told->count], sizeof told->etags[0], "%.63s", row->id.version);
    told->rows[told->count].etag = told->etags[told->count];
    told->count++;
    return true;
}

static bool
on_intent(void *ctx, const struct runtime_ref *const *rows, size_t count, struct err *ret)
{
    struct told *told = ctx;

    (void)rows;
    (void)ret;
    told->announced += count;
    return true;
}

static bool
on_outcome(void *ctx, const struct removal *removal, struct err *ret)
{
    struct told *told = ctx;
    const size_t row = (size_t)(removal->row - told->rows);

    (void)ret;
    told->outcomes[row]++;
    told->state[row] = removal->state;
    told->states[removal->state]++;
    if (removal->why.code != ERR_NONE)
        told->why = removal->why;
    return true;
}

static void
read_rows(struct told *told)
{
    const struct row_sink sink = {.ctx = told, .take = take_row};

    told->count = 0;
    expect(store->ops->read_rows(store, &sink, &err));
}

static void
rows_are_listed_whole_over_relative_links(void **state)
{
    struct runtime_evidence evidence;
    static struct told told;

    (void)state;
    expect(store->ops->observe(store, arena, NULL, &evidence, &err));
    assert_int_equal(evidence.row_count, ROWS);
    assert_int_equal(evidence.rows_without_etag, 0);
    assert_string_equal(evidence.identity.unique_name, "");
    assert_false(evidence.identity.link_known);
    assert_int_equal(evidence.identity.may_read_all, RIGHT_UNKNOWN);
    assert_string_equal(evidence.identity.key_column, "msdyn_dualwriteruntimeconfigid");
    read_rows(&told);
    assert_int_equal(told.count, ROWS);
    for (size_t i = 0; i < ROWS; i++)
        assert_string_equal(told.rows[i].key, evidence.rows[i].key);
}

static void
one_row_is_read(void **state)
{
    static struct told told;
    const struct row_sink sink = {.ctx = &told, .take = take_row};
    char key[40];
    bool found = false;

    (void)state;
    key_of(3, key);
    expect(store->ops->read_row(store, key, &sink, &found, &err));
    assert_true(found);
    assert_string_equal(told.rows[0].key, key);
}

static void
rows_are_deleted_in_the_version_that_was_read(void **state)
{
    const struct removal_sink sink_of = {.intent = on_intent, .outcome = on_outcome};
    static struct told told;
    struct removal_sink sink = sink_of;
    struct runtime_evidence evidence;
    TEXT_SCOPED answer = {0};
    char path[64];
    char match[96];

    (void)state;
    read_rows(&told);
    clock_sleep_ms(5); /* versions are times here */
    (void)snprintf(path, sizeof path, "(%s)", told.rows[4].key);
    (void)snprintf(match, sizeof match, "If-Match: %s", told.etags[4]);
    assert_int_equal(ask("PATCH", path, "{\"msdyn_name\":\"newer\"}", match, &answer), 200);
    (void)snprintf(path, sizeof path, "(%s)", told.rows[9].key);
    (void)snprintf(match, sizeof match, "If-Match: %s", told.etags[9]);
    assert_int_equal(ask("DELETE", path, NULL, match, &answer), 204);
    sink.ctx = &told;
    expect(store->ops->remove(store, told.rows, told.count, &sink, &err));
    for (size_t i = 0; i < ROWS; i++)
        assert_int_equal(told.outcomes[i], 1);
    assert_int_equal(told.announced, ROWS);
    assert_int_equal(told.state[4], REMOVAL_CHANGED);
    assert_int_equal(told.why.code, ERR_STALE);
    assert_true(told.state[9] == REMOVAL_GONE);
    assert_int_equal(told.states[REMOVAL_DONE], ROWS - 2);
    expect(store->ops->observe(store, arena, NULL, &evidence, &err));
    assert_int_equal(evidence.row_count, 1);
    assert_string_equal(evidence.rows[0].name, "newer");
}

static void
no_other_machine_is_let_in(void **state)
{
    static const char *const urls[] = {"http://contoso.crm.dynamics.com/odata/",
                                       "https://contoso.crm.dynamics.com", "http://localhost.evil/",
                                       "ftp://localhost/", "localhost"};

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        const struct dataverse_options options = {.url = urls[i], .odata = true};
        struct runtime_server *refused = NULL;

        assert_false(dataverse_server_new(&options, &refused, &err));
        assert_int_equal(err.code, ERR_USAGE);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_are_listed_whole_over_relative_links),
        TEST(one_row_is_read),
        cmocka_unit_test(no_other_machine_is_let_in),
        TEST(rows_are_deleted_in_the_version_that_was_read),
    };

    return cmocka_run_group_tests_name("interop_cap", tests, NULL, NULL);
}
