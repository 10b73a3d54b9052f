/**
 * port/runtime_store.h, proved on the Dataverse adapter against a sandbox with seed scenario-a.
 * Where it is comes in the variables SANDBOX_*; every test begins with the sandbox as it was
 * started.
 */
#include "base/cancel.h"
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

enum { SEEDED_ROWS = 17, ROWS_MAX = 64, ARENA_BYTES = 16 * 1024 * 1024 };

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
open_store(void)
{
    const struct dataverse_options options = right_options();
    struct err err = {0};

    expect(dataverse_server_new(&options, &server, &err), &err);
    expect(server->connect(server, &store, &err), &err);
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

    expect(store->ops->observe(store, arena, &evidence, &err), &err);
    return evidence;
}

/** A question that must fail with this code; the error never holds the secret. */
static struct err
expect_no_observation(enum err_code code)
{
    struct runtime_evidence evidence = {.row_count = 7777};
    struct err err = {0};

    if (store->ops->observe(store, arena, &evidence, &err))
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
    const struct row_id *rows;
    size_t count;
    size_t announced;
    int outcomes[ROWS_MAX]; /* by row */
    int states[REMOVAL_UNKNOWN + 1];
    struct err why; /* of the last that was not well */
    bool sent_before_announced;
    size_t stop_signal_at;  /* raise one at that many outcomes; 0 = never */
    size_t fail_outcome_at; /* say no at that outcome */
    size_t told;
};

static bool
on_intent(void *ctx, const struct row_id *const *rows, size_t count, struct err *err)
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

static bool
remove_rows(const struct taken *taken, struct told *told, struct err *err)
{
    const struct removal_sink sink = {.ctx = told, .intent = on_intent, .outcome = on_outcome};

    told->rows = taken->ids;
    told->count = taken->count;
    return store->ops->remove(store, taken->ids, taken->count, &sink, err);
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

/* ---- observe ---- */

static void
an_observation_tells_organization_link_table_and_rows(void **state)
{
    struct runtime_evidence evidence;
    const struct runtime_identity *identity = &evidence.identity;

    (void)state;
    open_store();
    evidence = observe();
    assert_string_equal(identity->unique_name, "org6459f7a8");
    assert_string_equal(identity->friendly_name, "Contoso UAT");
    assert_string_equal(identity->host, "contoso-uat.crm4.dynamics.com");
    assert_string_equal(identity->dialled_host, "localhost");
    assert_int_equal(strlen(identity->organization_id), 36);
    assert_int_equal(strlen(identity->user_id), 36);
    assert_true(identity->link_known && identity->linked);
    assert_string_equal(identity->fno_url, "https://contoso-uat.sandbox.operations.dynamics.com");
    assert_string_equal(identity->entity_set, "msdyn_dualwriteruntimeconfigs");
    assert_string_equal(identity->key_column, "msdyn_dualwriteruntimeconfigid");
    assert_true(identity->optimistic_concurrency);
    assert_int_equal(identity->may_read_all, RIGHT_HELD);
    assert_int_equal(identity->may_delete, RIGHT_HELD);
    assert_int_equal(evidence.row_count, SEEDED_ROWS);
    for (size_t i = 0; i < evidence.row_count; i++) {
        assert_int_equal(strlen(evidence.rows[i].key), 36);
        assert_int_equal(strncmp(evidence.rows[i].etag, "W/\"", 3), 0);
        assert_true(evidence.rows[i].name[0] != '\0' && evidence.rows[i].created_on[0] != '\0');
        if (i > 0)
            assert_true(strcmp(evidence.rows[i - 1].key, evidence.rows[i].key) < 0);
    }
    assert_int_equal(count_in_log("msdyn_unsecure"), 0);
}

static void
an_organization_without_a_link_is_told_apart_from_an_unknown_one(void **state)
{
    struct runtime_evidence evidence;

    (void)state;
    open_store();
    set("{\"fno_linked\":false}");
    evidence = observe();
    assert_true(evidence.identity.link_known);
    assert_false(evidence.identity.linked);
    assert_string_equal(evidence.identity.fno_url, "");
    assert_non_null(strstr(evidence.identity.link_detail, "linked"));

    fault("{\"at\":\"dv.request\",\"match\":\"IntegrationDetails\",\"times\":1,\"do\":\"error\","
          "\"arg\":404,\"text\":\"html\"}");
    evidence = observe();
    assert_false(evidence.identity.link_known);
    assert_false(evidence.identity.linked);
}

static void
a_table_that_is_not_installed_is_never_an_empty_one(void **state)
{
    struct err err;

    (void)state;
    open_store();
    set("{\"table_installed\":false}");
    err = expect_no_observation(ERR_SCHEMA);
    assert_non_null(strstr(err.hint, "not installed"));
    expect_no_rows(ERR_SCHEMA);
}

static void
an_empty_table_has_no_rows(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    taken = read_rows();
    expect(remove_rows(&taken, &told, &err), &err);
    assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS);
    expect_told_once(&told);
    assert_int_equal(observe().row_count, 0);
    assert_int_equal(read_rows().count, 0);
}

static void
missing_rights_are_named(void **state)
{
    struct err err;
    struct taken taken;
    struct told told = {0};

    (void)state;
    open_store();
    taken = read_rows();
    set("{\"may_read\":false}");
    err = expect_no_observation(ERR_PERMISSION);
    assert_non_null(strstr(err.primary, "prvRead"));
    set("{\"may_read\":true,\"may_delete\":false}");
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_PERMISSION);
    assert_non_null(strstr(err.primary, "prvDelete"));
    assert_int_equal(told.states[REMOVAL_DONE], 0);
    assert_int_equal(observe().row_count, SEEDED_ROWS);
    set("{\"user_known\":false}");
    err = expect_no_observation(ERR_PERMISSION);
    assert_non_null(strstr(err.hint, "application user"));
}

static void
an_empty_list_without_the_right_to_read_all_rows_is_told(void **state)
{
    static const char *const depths[] = {"Basic", "Local", "Deep"};
    struct runtime_evidence evidence;

    (void)state;
    open_store();
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        char settings[64];

        (void)snprintf(settings, sizeof settings, "{\"read_depth\":\"%s\"}", depths[i]);
        set(settings);
        evidence = observe();
        assert_int_equal(evidence.identity.may_read_all, RIGHT_MISSING);
        assert_int_equal(evidence.identity.may_delete, RIGHT_HELD);
        assert_int_equal(evidence.row_count, i == 0 ? 0 : SEEDED_ROWS);
    }
    set("{\"read_depth\":\"Global\",\"may_delete\":false}");
    evidence = observe();
    assert_int_equal(evidence.identity.may_read_all, RIGHT_HELD);
    assert_int_equal(evidence.identity.may_delete, RIGHT_MISSING);
    assert_int_equal(evidence.row_count, SEEDED_ROWS);
}

static void
a_service_that_does_not_tell_rights_leaves_them_unknown(void **state)
{
    static const char *const rules[] = {
        "{\"at\":\"dv.request\",\"match\":\"ByPrivilegeName\",\"times\":2,\"do\":\"error\",\"arg\":404,"
        "\"text\":\"0x80060888 no such segment\"}",
        "{\"at\":\"dv.request\",\"match\":\"ByPrivilegeName\",\"times\":2,\"do\":\"error\",\"arg\":403,"
        "\"text\":\"0x80040220 prvReadUser\"}",
        "{\"at\":\"dv.after\",\"match\":\"ByPrivilegeName\",\"times\":2,\"do\":\"error\",\"arg\":200,"
        "\"text\":\"html\"}",
        "{\"at\":\"dv.request\",\"match\":\"ByPrivilegeName\",\"times\":2,\"do\":\"error\",\"arg\":302,"
        "\"text\":\"html\"}",
    };
    struct runtime_evidence evidence;

    (void)state;
    open_store();
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        print_message("%s\n", rules[i]);
        fault(rules[i]);
        evidence = observe();
        control("DELETE", "/faults", NULL, NULL);
        assert_int_equal(evidence.identity.may_read_all, RIGHT_UNKNOWN);
        assert_int_equal(evidence.identity.may_delete, RIGHT_UNKNOWN);
        assert_int_equal(evidence.row_count, SEEDED_ROWS);
    }
}

static void
a_service_that_does_not_let_privileges_be_chosen_is_asked_without(void **state)
{
    struct runtime_evidence evidence;

    (void)state;
    open_store();
    fault(
        "{\"at\":\"dv.request\",\"match\":\"Enabled,Privileges\",\"times\":1,\"do\":\"error\",\"arg\":400,"
        "\"text\":\"0x80060888 Could not find a property named 'Privileges'\"}");
    evidence = observe();
    assert_int_equal(evidence.identity.may_read_all, RIGHT_HELD);
    assert_int_equal(evidence.identity.may_delete, RIGHT_HELD);
    assert_int_equal(evidence.row_count, SEEDED_ROWS);
}

static void
an_organization_or_user_without_an_id_is_an_error(void **state)
{
    static const char *const settings[] = {
        "{\"organization_id\":\"\"}",
        "{\"organization_id\":\"00000000-0000-0000-0000-000000000000\"}",
        "{\"organization_id\":\"contoso\"}",
        "{\"unique_name\":\"\"}",
        "{\"user_id\":\"\"}",
        "{\"user_id\":\"me\"}",
    };

    (void)state;
    open_store();
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        print_message("%s\n", settings[i]);
        control("POST", "/reset", "", NULL);
        control("DELETE", "/dataverse/tokens", NULL, NULL);
        set(settings[i]);
        (void)expect_no_observation(ERR_SERVER);
    }
}

static void
a_user_of_no_or_another_organization_is_an_error(void **state)
{
    static const char *const texts[] = {"no-organization", "other-organization"};

    (void)state;
    open_store();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char rule[160];

        (void)snprintf(rule, sizeof rule,
                       "{\"at\":\"dv.whoami\",\"times\":1,\"do\":\"other\",\"text\":\"%s\"}",
                       texts[i]);
        fault(rule);
        (void)expect_no_observation(ERR_SERVER);
    }
    assert_int_equal(observe().row_count, SEEDED_ROWS);
}

/* ---- lists ---- */

static void
the_same_rows_have_the_same_digests(void **state)
{
    struct taken once;
    struct taken again;
    struct taken paged;
    struct runtime_evidence evidence;

    (void)state;
    open_store();
    once = read_rows();
    again = read_rows();
    set("{\"page_cap\":3}");
    paged = read_rows();
    evidence = observe();
    assert_int_equal(once.count, SEEDED_ROWS);
    assert_int_equal(again.count, SEEDED_ROWS);
    assert_int_equal(paged.count, SEEDED_ROWS);
    assert_int_equal(evidence.row_count, SEEDED_ROWS);
    assert_false(once.etag_in_document || once.broken);
    for (size_t i = 0; i < once.count; i++) {
        assert_string_equal(once.ids[i].key, again.ids[i].key);
        assert_string_equal(once.ids[i].key, paged.ids[i].key);
        assert_string_equal(once.ids[i].key, evidence.rows[i].key);
        assert_string_equal(once.ids[i].version, evidence.rows[i].etag);
        assert_string_equal(once.ids[i].version, paged.ids[i].version);
        assert_true(digest_equal(&once.ids[i].digest, &again.ids[i].digest));
        assert_true(digest_equal(&once.ids[i].digest, &paged.ids[i].digest));
        for (size_t k = 0; k < i; k++)
            assert_false(digest_equal(&once.ids[i].digest, &once.ids[k].digest));
    }
    assert_int_equal(count_in_log("skiptoken") >= 10, true);
}

static void
a_broken_list_is_an_error_and_never_a_short_list(void **state)
{
    static const char *const rules[] = {
        "{\"at\":\"dv.list\",\"times\":1,\"do\":\"other\",\"text\":\"no-value\"}",
        "{\"at\":\"dv.list\",\"times\":1,\"do\":\"other\",\"text\":\"foreign-nextlink\"}",
        "{\"at\":\"dv.list\",\"times\":1,\"do\":\"other\",\"text\":\"repeat-nextlink\"}",
        "{\"at\":\"dv.list\",\"times\":1,\"do\":\"other\",\"text\":\"html\"}",
        "{\"at\":\"dv.list\",\"skip\":2,\"times\":1,\"do\":\"other\",\"text\":\"no-value\"}",
        "{\"at\":\"dv.list\",\"skip\":2,\"times\":1,\"do\":\"other\",\"text\":\"repeat-nextlink\"}",
        "{\"at\":\"dv.list\",\"times\":1,\"do\":\"error\",\"arg\":404,\"text\":\"html\"}",
        "{\"at\":\"dv.answer\",\"match\":\"configs?\",\"times\":1,\"do\":\"other\",\"text\":\"truncated-gzip\"}",
        "{\"at\":\"dv.list\",\"times\":1,\"do\":\"error\",\"arg\":500,\"text\":\"0x80040216 no\"}",
    };

    (void)state;
    open_store();
    set("{\"page_cap\":3}");
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        print_message("%s\n", rules[i]);
        fault(rules[i]);
        (void)expect_no_observation(ERR_SERVER);
        control("DELETE", "/faults", NULL, NULL);
        fault(rules[i]);
        expect_no_rows(ERR_SERVER);
        control("DELETE", "/faults", NULL, NULL);
    }
    assert_int_equal(observe().row_count, SEEDED_ROWS);
}

static void
a_read_outlives_throttling_a_lost_answer_and_an_expired_token(void **state)
{
    (void)state;
    open_store();
    fault("{\"at\":\"dv.list\",\"times\":1,\"do\":\"error\",\"arg\":429,\"text\":\"0x80072322 "
          "retry-after=1 slow down\"}");
    assert_int_equal(observe().row_count, SEEDED_ROWS);
    fault("{\"at\":\"dv.after\",\"match\":\"WhoAmI\",\"times\":1,\"do\":\"cut\"}");
    assert_int_equal(observe().row_count, SEEDED_ROWS);
    fault("{\"at\":\"dv.answer\",\"match\":\"RetrieveCurrent\",\"times\":1,\"do\":\"cut\","
          "\"arg\":40}");
    assert_int_equal(observe().row_count, SEEDED_ROWS);
    control("DELETE", "/dataverse/tokens", NULL, NULL);
    assert_int_equal(observe().row_count, SEEDED_ROWS);
    assert_int_equal(read_rows().count, SEEDED_ROWS);
}

/* ---- remove ---- */

static void
a_row_that_changed_stays(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};
    struct runtime_evidence evidence;

    (void)state;
    open_store();
    taken = read_rows();
    (void)snprintf(taken.ids[4].version, sizeof taken.ids[4].version, "W/\"1\"");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_told_once(&told);
    assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS - 1);
    assert_int_equal(told.states[REMOVAL_CHANGED], 1);
    assert_int_equal(told.why.code, ERR_STALE);
    evidence = observe();
    assert_int_equal(evidence.row_count, 1);
    assert_string_equal(evidence.rows[0].key, taken.ids[4].key);
}

static void
a_row_that_is_gone_already_is_told_so(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    taken = read_rows();
    fault("{\"at\":\"dv.delete\",\"times\":1,\"do\":\"other\",\"text\":\"gone\"}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_told_once(&told);
    assert_int_equal(told.states[REMOVAL_GONE], 1);
    assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS - 1);
    assert_int_equal(observe().row_count, 0);
}

static void
a_purge_outlives_throttling_lost_answers_and_an_expired_token(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    taken = read_rows();
    fault("{\"at\":\"dv.delete\",\"skip\":1,\"times\":2,\"do\":\"error\",\"arg\":429,\"text\":"
          "\"0x80072322 retry-after=1 slow down\"}");
    fault("{\"at\":\"dv.after\",\"match\":\"configs(\",\"skip\":4,\"times\":2,\"do\":\"cut\"}");
    fault("{\"at\":\"dv.delete\",\"skip\":6,\"times\":1,\"do\":\"error\",\"arg\":503,\"text\":"
          "\"html\"}");
    control("DELETE", "/dataverse/tokens", NULL, NULL);
    expect(remove_rows(&taken, &told, &err), &err);
    expect_told_once(&told);
    assert_int_equal(told.states[REMOVAL_DONE] + told.states[REMOVAL_GONE], SEEDED_ROWS);
    assert_int_equal(observe().row_count, 0);
    assert_int_equal(count_in_log("\"blocked\":\"yes\""), 0);
}

static void
a_row_that_is_refused_does_not_stop_the_others(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    taken = read_rows();
    fault("{\"at\":\"dv.delete\",\"skip\":3,\"times\":1,\"do\":\"error\",\"arg\":400,\"text\":"
          "\"0x80040265 SecureConfig Organization (A) does not match actual CRM Organization "
          "(B)\"}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_told_once(&told);
    assert_int_equal(told.states[REMOVAL_FAILED], 1);
    assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS - 1);
    assert_non_null(strstr(told.why.detail, "SecureConfig Organization (A)"));
    assert_int_equal(observe().row_count, 1);
}

static void
an_answer_that_is_not_of_the_service_stops_the_purge(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    taken = read_rows();
    fault("{\"at\":\"dv.delete\",\"times\":0,\"do\":\"error\",\"arg\":404,\"text\":\"html\"}");
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_SERVER);
    assert_int_equal(told.states[REMOVAL_DONE] + told.states[REMOVAL_GONE], 0);
    control("DELETE", "/faults", NULL, NULL);
    assert_int_equal(observe().row_count, SEEDED_ROWS);
}

static void
a_success_that_is_no_204_leaves_the_row_unknown_and_stops_the_purge(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    taken = read_rows();
    fault("{\"at\":\"dv.after\",\"match\":\"DELETE\",\"times\":1,\"do\":\"error\",\"arg\":200,"
          "\"text\":\"html\"}");
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_SERVER);
    assert_int_equal(told.states[REMOVAL_UNKNOWN], 1);
    assert_int_equal(told.states[REMOVAL_UNKNOWN] + told.states[REMOVAL_DONE], told.told);
    assert_true(told.told < SEEDED_ROWS);
    assert_non_null(strstr(told.why.detail, "HTTP 200, text/html"));
    assert_int_equal(observe().row_count, SEEDED_ROWS - told.told);
}

static void
a_changed_row_that_is_not_shown_is_unknown(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    taken = read_rows();
    (void)snprintf(taken.ids[0].version, sizeof taken.ids[0].version, "W/\"1\"");
    fault("{\"at\":\"dv.after\",\"match\":\"GET\",\"times\":1,\"do\":\"error\",\"arg\":200,"
          "\"text\":\"html\"}");
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_SERVER);
    assert_int_equal(told.states[REMOVAL_UNKNOWN], 1);
    assert_int_equal(told.states[REMOVAL_CHANGED], 0);
}

static void
a_refusal_after_a_lost_answer_proves_nothing(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    taken = read_rows();
    taken.count = 1;
    fault("{\"at\":\"dv.delete\",\"times\":1,\"do\":\"cut\"}");
    fault("{\"at\":\"dv.delete\",\"times\":1,\"do\":\"error\",\"arg\":500,\"text\":"
          "\"0x80040216 An unexpected error occurred.\"}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_told_once(&told);
    assert_int_equal(told.states[REMOVAL_UNKNOWN], 1);
    assert_int_equal(count_in_log("\"method\":\"DELETE\""), 2);
}

static void
a_row_that_went_with_a_lost_answer_is_gone_and_not_done(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    taken = read_rows();
    fault("{\"at\":\"dv.after\",\"match\":\"DELETE\",\"times\":1,\"do\":\"cut\"}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_told_once(&told);
    assert_int_equal(told.states[REMOVAL_GONE], 1);
    assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS - 1);
    assert_int_equal(observe().row_count, 0);
}

static void
a_table_without_row_versions_is_never_purged(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    set("{\"optimistic_concurrency\":false}");
    taken = read_rows();
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_SCHEMA);
    assert_non_null(strstr(err.hint, "no runtime configuration was deleted"));
    assert_int_equal(told.announced, 0);
    assert_int_equal(count_in_log("\"method\":\"DELETE\""), 0);
}

static void
a_journal_that_cannot_be_written_stops_the_purge(void **state)
{
    struct taken taken;
    struct told told = {.fail_outcome_at = 2};
    struct err err = {0};

    (void)state;
    open_store();
    taken = read_rows();
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_true(told.told < SEEDED_ROWS);
    assert_int_equal(observe().row_count, SEEDED_ROWS - told.told);
}

static void
a_row_without_one_version_of_its_own_is_never_sent(void **state)
{
    static const char *const versions[] = {"", "*", "W/\"1\", W/\"2\"", "1"};
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    taken = read_rows();
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        struct row_id *last = &taken.ids[SEEDED_ROWS - 1];

        (void)snprintf(last->version, sizeof last->version, "%s", versions[i]);
        assert_false(remove_rows(&taken, &told, &err));
        assert_int_equal(err.code, ERR_SCHEMA);
        assert_non_null(strstr(err.hint, "no runtime configuration was deleted"));
    }
    assert_int_equal(told.announced, 0);
    assert_int_equal(count_in_log("\"method\":\"DELETE\""), 0);
}

static void
a_key_that_is_no_guid_is_never_sent(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    taken = read_rows();
    taken.ids[0].key[35] = '\0';
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_int_equal(told.announced, 0);
    assert_int_equal(count_in_log("\"method\":\"DELETE\""), 0);
}

/* ---- connect ---- */

static void
a_wrong_secret_is_a_sign_in_error(void **state)
{
    struct dataverse_options options = right_options();
    struct secret wrong = {0};
    struct err err = {0};

    (void)state;
    expect(secret_set(&wrong, "Wrong~Secret", 12, &err), &err);
    options.client_secret = &wrong;
    err = expect_no_connection(&options, ERR_SIGNIN);
    secret_wipe(&wrong);
    assert_non_null(strstr(err.detail, "AADSTS7000215"));
    assert_non_null(strstr(err.hint, "secret is wrong"));
    assert_null(strstr(err.detail, "Wrong~Secret"));
}

static void
no_secret_at_all_is_a_sign_in_error(void **state)
{
    struct dataverse_options options = right_options();

    (void)state;
    options.client_secret = NULL;
    (void)expect_no_connection(&options, ERR_SIGNIN);
}

static void
a_client_without_an_id_is_a_sign_in_error(void **state)
{
    struct dataverse_options options = right_options();

    (void)state;
    options.client_id = "";
    (void)expect_no_connection(&options, ERR_SIGNIN);
    assert_int_equal(count_in_log("oauth2"), 0);
}

static void
a_secret_is_not_sent_to_an_authority_that_is_not_allowed(void **state)
{
    static const char *const only_the_number[] = {"127.0.0.1"};
    struct dataverse_options options = right_options();
    const char *port = strrchr(options.url, ':');
    char url[64];

    (void)state;
    assert_non_null(port);
    (void)snprintf(url, sizeof url, "https://127.0.0.1%s", port ? port : "");
    options.url = url;
    options.allow_hosts = only_the_number;
    (void)expect_no_connection(&options, ERR_SIGNIN); /* the challenge names localhost */
    assert_int_equal(count_in_log("\"kind\":\"token\""), 0);
    assert_int_equal(count_in_log("oauth2"), 0);
}

static void
tenant_and_authority_can_be_named(void **state)
{
    struct dataverse_options options = right_options();
    struct err err = {0};

    (void)state;
    options.tenant = variable("SANDBOX_TENANT");
    options.authority = variable("SANDBOX_AUTHORITY");
    expect(dataverse_server_new(&options, &server, &err), &err);
    expect(server->connect(server, &store, &err), &err);
    assert_int_equal(observe().row_count, SEEDED_ROWS);
}

static void
a_server_of_another_authority_is_not_trusted(void **state)
{
    struct dataverse_options options = right_options();
    const char *slash = strrchr(options.ca_file, '/');
    char ca[4096];
    struct err err;

    (void)state;
    (void)snprintf(ca, sizeof ca, "%.*s/other-ca-root.pem",
                   slash ? (int)(slash - options.ca_file) : 0, options.ca_file);
    options.ca_file = ca;
    err = expect_no_connection(&options, ERR_TLS);
    assert_non_null(strstr(err.primary, "authority not known"));
    assert_int_equal(count_in_log("\"kind\":\"http\""), 0);
}

static void
a_ca_file_that_is_none_is_told(void **state)
{
    struct dataverse_options options = right_options();

    (void)state;
    options.ca_file = "/nonexistent/ca.pem";
    (void)expect_no_connection(&options, ERR_TLS);
}

static void
a_closed_port_and_an_unknown_name_are_connect_errors(void **state)
{
    static const char *const hosts[] = {"localhost", "nowhere.invalid"};
    struct dataverse_options options = right_options();
    struct err err;

    (void)state;
    options.url = "https://localhost:1";
    options.allow_hosts = hosts;
    options.allow_host_count = 2;
    err = expect_no_connection(&options, ERR_CONNECT);
    assert_non_null(strstr(err.primary, "localhost:1"));
    dataverse_server_free(server);
    server = NULL;
    options.url = "https://nowhere.invalid";
    (void)expect_no_connection(&options, ERR_CONNECT);
}

static void
a_host_that_is_not_allowed_is_not_dialled(void **state)
{
    struct dataverse_options options = right_options();
    struct err err = {0};

    (void)state;
    options.allow_host_count = 0;
    assert_false(dataverse_server_new(&options, &server, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_null(server);
}

/** The last one: a stop signal stays pending for the rest of the process. */
static void
a_stop_signal_lets_the_rows_in_flight_end(void **state)
{
    struct taken taken;
    struct told told = {.stop_signal_at = 3};
    struct err err = {0};
    TEXT_SCOPED rows = {0};
    size_t left = 0;

    (void)state;
    open_store();
    taken = read_rows();
    cancel_init();
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_INTERRUPTED);
    assert_in_range(told.states[REMOVAL_DONE], 3, SEEDED_ROWS - 1);
    assert_int_equal(told.states[REMOVAL_DONE], told.told);
    control("GET", "/dataverse/rows", NULL, &rows);
    for (size_t i = 0; i < taken.count; i++)
        left += strstr(text_string(&rows), taken.ids[i].key) != NULL;
    assert_int_equal(left, SEEDED_ROWS - told.told);
    (void)expect_no_observation(ERR_INTERRUPTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_observation_tells_organization_link_table_and_rows),
        TEST(an_organization_without_a_link_is_told_apart_from_an_unknown_one),
        TEST(a_table_that_is_not_installed_is_never_an_empty_one),
        TEST(an_empty_table_has_no_rows),
        TEST(missing_rights_are_named),
        TEST(an_empty_list_without_the_right_to_read_all_rows_is_told),
        TEST(a_service_that_does_not_tell_rights_leaves_them_unknown),
        TEST(a_service_that_does_not_let_privileges_be_chosen_is_asked_without),
        TEST(an_organization_or_user_without_an_id_is_an_error),
        TEST(a_user_of_no_or_another_organization_is_an_error),
        TEST(the_same_rows_have_the_same_digests),
        TEST(a_broken_list_is_an_error_and_never_a_short_list),
        TEST(a_read_outlives_throttling_a_lost_answer_and_an_expired_token),
        TEST(a_row_that_changed_stays),
        TEST(a_row_that_is_gone_already_is_told_so),
        TEST(a_purge_outlives_throttling_lost_answers_and_an_expired_token),
        TEST(a_row_that_is_refused_does_not_stop_the_others),
        TEST(an_answer_that_is_not_of_the_service_stops_the_purge),
        TEST(a_success_that_is_no_204_leaves_the_row_unknown_and_stops_the_purge),
        TEST(a_changed_row_that_is_not_shown_is_unknown),
        TEST(a_refusal_after_a_lost_answer_proves_nothing),
        TEST(a_row_that_went_with_a_lost_answer_is_gone_and_not_done),
        TEST(a_journal_that_cannot_be_written_stops_the_purge),
        TEST(a_row_without_one_version_of_its_own_is_never_sent),
        TEST(a_key_that_is_no_guid_is_never_sent),
        TEST(a_table_without_row_versions_is_never_purged),
        TEST(a_wrong_secret_is_a_sign_in_error),
        TEST(no_secret_at_all_is_a_sign_in_error),
        TEST(a_client_without_an_id_is_a_sign_in_error),
        TEST(a_secret_is_not_sent_to_an_authority_that_is_not_allowed),
        TEST(tenant_and_authority_can_be_named),
        TEST(a_server_of_another_authority_is_not_trusted),
        TEST(a_ca_file_that_is_none_is_told),
        TEST(a_closed_port_and_an_unknown_name_are_connect_errors),
        TEST(a_host_that_is_not_allowed_is_not_dialled),
        TEST(a_stop_signal_lets_the_rows_in_flight_end),
    };

    return cmocka_run_group_tests_name("runtime_store", tests, NULL, NULL);
}
