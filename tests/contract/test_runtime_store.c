/**
 * port/runtime_store.h, proved on the Dataverse adapter: one look at the environment, and lists.
 */
#include "runtime_sandbox.h"

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
        "{\"at\":\"dv.request\",\"match\":\"ByPrivilegeName\",\"times\":3,\"do\":\"error\",\"arg\":404,"
        "\"text\":\"0x80060888 no such segment\"}",
        "{\"at\":\"dv.request\",\"match\":\"ByPrivilegeName\",\"times\":3,\"do\":\"error\",\"arg\":403,"
        "\"text\":\"0x80040220 prvReadUser\"}",
        "{\"at\":\"dv.after\",\"match\":\"ByPrivilegeName\",\"times\":3,\"do\":\"error\",\"arg\":200,"
        "\"text\":\"html\"}",
        "{\"at\":\"dv.request\",\"match\":\"ByPrivilegeName\",\"times\":3,\"do\":\"error\",\"arg\":302,"
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
        assert_int_equal(evidence.identity.may_create, RIGHT_UNKNOWN);
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
        "{\"at\":\"dv.list\",\"times\":1,\"do\":\"other\",\"text\":\"truncated-json\"}",
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
        const struct err err = expect_no_observation(ERR_SERVER);

        /* whatever order the rows come in: the link alone says it */
        if (strstr(rules[i], "repeat-nextlink"))
            assert_non_null(strstr(err.primary, "leads in a circle"));
        control("DELETE", "/faults", NULL, NULL);
        fault(rules[i]);
        expect_no_rows(ERR_SERVER);
        control("DELETE", "/faults", NULL, NULL);
    }
    assert_int_equal(observe().row_count, SEEDED_ROWS);
}

static void
a_redirect_is_not_followed(void **state)
{
    (void)state;
    open_store();
    fault("{\"at\":\"dv.list\",\"times\":1,\"do\":\"error\",\"arg\":302,\"text\":\"html\"}");
    (void)expect_no_observation(ERR_SERVER);
    control("DELETE", "/faults", NULL, NULL);
    assert_int_equal(count_in_log("/elsewhere"), 0);
}

static void
a_short_list_is_read_again_and_then_refused(void **state)
{
    (void)state;
    open_store();
    fault("{\"at\":\"dv.list\",\"times\":1,\"do\":\"other\",\"text\":\"short\"}");
    assert_int_equal(observe().row_count, SEEDED_ROWS);
    fault("{\"at\":\"dv.list\",\"times\":0,\"do\":\"other\",\"text\":\"short\"}");
    (void)expect_no_observation(ERR_SERVER);
    expect_no_rows(ERR_SERVER);
}

/** Adds a row between the count and the list. */
static void
a_row_that_comes_while_the_list_is_read_is_counted_again(void **state)
{
    (void)state;
    open_store();
    fault(
        "{\"at\":\"dv.write\",\"match\":\"orderby\",\"times\":1,\"do\":\"other\",\"text\":\"insert\"}");
    assert_int_equal(read_rows().count, SEEDED_ROWS + 1);
    assert_int_equal(observe().row_count, SEEDED_ROWS + 1);
}

static void
a_service_that_does_not_count_is_counted_by_keys(void **state)
{
    (void)state;
    open_store();
    fault("{\"at\":\"dv.request\",\"match\":\"$apply\",\"times\":0,\"do\":\"error\",\"arg\":400,"
          "\"text\":\"0x8004E023 AggregateQueryRecordLimit exceeded\"}");
    assert_int_equal(observe().row_count, SEEDED_ROWS);
    assert_int_equal(read_rows().count, SEEDED_ROWS);
    fault("{\"at\":\"dv.list\",\"skip\":1,\"times\":1,\"do\":\"other\",\"text\":\"short\"}");
    expect_no_rows(ERR_SERVER);
}

static bool
count_row(void *ctx, const struct runtime_row *row, struct err *err)
{
    size_t *count = ctx;

    (void)err;
    assert_int_equal(strlen(row->key), 36);
    assert_true(row->name[0] != '\0');
    (*count)++;
    return true;
}

static bool
refuse_row(void *ctx, const struct runtime_row *row, struct err *err)
{
    (void)ctx;
    (void)row;
    return err_set(err, ERR_STORAGE, "the disk is full");
}

static void
a_read_waits_no_longer_than_max_wait(void **state)
{
    struct dataverse_options options = right_options();
    const int64_t start_ms = clock_monotonic_ms();

    (void)state;
    options.max_wait_ms = 3000;
    open_store_with(&options);
    fault("{\"at\":\"dv.list\",\"times\":1,\"do\":\"error\",\"arg\":429,\"text\":\"0x80072322 "
          "retry-after=420 slow down\"}");
    expect_no_rows(ERR_SERVER);
    assert_true(clock_monotonic_ms() - start_ms < 3000);
}

static void
every_row_goes_to_the_sink(void **state)
{
    size_t count = 0;
    const struct runtime_row_sink sink = {.ctx = &count, .take = count_row};
    const struct runtime_row_sink refusing = {.take = refuse_row};
    struct runtime_evidence evidence = {0};
    struct err err = {0};

    (void)state;
    open_store();
    expect(store->ops->observe(store, arena, &sink, &evidence, &err), &err);
    assert_int_equal(count, SEEDED_ROWS);
    assert_int_equal(evidence.kept_count, SEEDED_ROWS);
    assert_int_equal(evidence.rows_without_etag, 0);
    assert_string_equal(evidence.first_created, evidence.rows[0].created_on);
    assert_string_equal(evidence.last_created, evidence.rows[0].created_on);
    assert_false(store->ops->observe(store, arena, &refusing, &evidence, &err));
    assert_int_equal(err.code, ERR_STORAGE);
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
        TEST(a_redirect_is_not_followed),
        TEST(a_short_list_is_read_again_and_then_refused),
        TEST(a_row_that_comes_while_the_list_is_read_is_counted_again),
        TEST(a_service_that_does_not_count_is_counted_by_keys),
        TEST(a_read_waits_no_longer_than_max_wait),
        TEST(every_row_goes_to_the_sink),
        TEST(a_read_outlives_throttling_a_lost_answer_and_an_expired_token),
    };

    return cmocka_run_group_tests_name("runtime_store", tests, NULL, NULL);
}
