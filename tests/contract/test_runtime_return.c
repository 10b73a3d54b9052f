/**
 * Rows read one by one, compared, and created again with their old keys.
 */
#include "runtime_sandbox.h"

enum { DOCUMENT_BYTES = 16 * 1024, KEPT = 64 };

/** Rows with their documents. */
struct kept {
    struct row_id ids[KEPT];
    char documents[KEPT][DOCUMENT_BYTES];
    size_t count;
};

static struct kept before;
static struct kept after;
static struct told told;
static struct err err;

static bool
keep_row(void *ctx, const struct row *row, struct err *ret)
{
    struct kept *kept = ctx;
    const struct slice document = row->fields[0].bytes;

    if (kept->count == KEPT || document.size >= DOCUMENT_BYTES)
        return err_set(ret, ERR_INTERNAL, "more than expected");
    memcpy(kept->documents[kept->count], document.data, document.size);
    kept->documents[kept->count][document.size] = '\0';
    kept->ids[kept->count++] = row->id;
    return true;
}

static void
keep_all(struct kept *kept)
{
    const struct row_sink sink = {.ctx = kept, .take = keep_row};

    kept->count = 0;
    expect(store->ops->read_rows(store, &sink, &err), &err);
}

/** What a return told. */
struct back {
    int outcomes[KEPT], announced[KEPT], states[RETURN_UNKNOWN + 1];
    struct err why;
};

static struct back back;

/** Which of the rows has this key. */
static size_t
find_key(const char *key)
{
    size_t i = 0;

    while (i < before.count && strcmp(before.ids[i].key, key) != 0)
        i++;
    assert_true(i < before.count);
    return i;
}

static bool
on_return_intent(void *ctx, const char *const *keys, size_t count, struct err *ret)
{
    struct back *got = ctx;

    (void)ret;
    for (size_t i = 0; i < count; i++)
        got->announced[find_key(keys[i])]++;
    return true;
}

static bool
on_returned(void *ctx, const struct returned *returned, struct err *ret)
{
    struct back *got = ctx;
    const size_t i = find_key(returned->key);

    (void)ret;
    got->states[returned->state]++;
    got->outcomes[i]++;
    if (returned->why.code != ERR_NONE)
        got->why = returned->why;
    assert_int_equal(got->announced[i], returned->http_status > 0);
    return true;
}

static bool
return_all(struct err *ret)
{
    const struct return_sink sink = {
        .ctx = &back, .intent = on_return_intent, .outcome = on_returned};
    bool done = store->ops->return_begin(store, before.count, &sink, ret);

    if (!done)
        return false;
    for (size_t i = 0; done && i < before.count; i++)
        done = store->ops->return_row(store, before.ids[i].key,
                                      slice_of_string(before.documents[i]), ret);
    return store->ops->return_end(store, ret) && done;
}

static bool
same(size_t i, bool created)
{
    assert_string_equal(before.ids[i].key, after.ids[i].key);
    return store->ops->same_row(store, slice_of_string(before.documents[i]),
                                slice_of_string(after.documents[i]), created);
}

static int
set_up_rows(void **state)
{
    memset(&told, 0, sizeof told);
    memset(&back, 0, sizeof back);
    memset(&err, 0, sizeof err);
    if (set_up(state) != 0)
        return -1;
    open_store();
    return 0;
}

static void
remove_all(void)
{
    const struct taken taken = read_rows();

    expect(remove_rows(&taken, &told, &err), &err);
    assert_int_equal(told.states[REMOVAL_DONE], taken.count);
}

/** Change a row from outside. */
static void
change(const char *key, const char *columns)
{
    char path[128];

    (void)snprintf(path, sizeof path, "/dataverse/rows?id=%s", key);
    control("PATCH", path, columns, NULL);
}

static void
one_row_is_read_as_the_list_brings_it(void **state)
{
    const struct row_sink sink = {.ctx = &after, .take = keep_row};
    bool found = false;

    (void)state;
    keep_all(&before);
    after.count = 0;
    expect(store->ops->read_row(store, before.ids[3].key, &sink, &found, &err), &err);
    assert_true(found);
    assert_int_equal(after.count, 1);
    assert_string_equal(after.documents[0], before.documents[3]);
    assert_string_equal(after.ids[0].version, before.ids[3].version);
    assert_true(digest_equal(&after.ids[0].digest, &before.ids[3].digest));
    expect(store->ops->read_row(store, "11111111-2222-4333-8444-555555555555", &sink, &found, &err),
           &err);
    assert_false(found);
    assert_int_equal(after.count, 1);
}

static void
a_row_that_is_not_answered_as_one_is_neither_found_nor_missing(void **state)
{
    static const char *const rules[] = {
        "{\"at\":\"dv.after\",\"match\":\"configs(\",\"times\":1,\"do\":\"error\",\"arg\":200,\"text\":\"html\"}",
        "{\"at\":\"dv.after\",\"match\":\"configs(\",\"times\":1,\"do\":\"error\",\"arg\":404,\"text\":\"html\"}",
        "{\"at\":\"dv.after\",\"match\":\"configs(\",\"times\":1,\"do\":\"error\",\"arg\":500,\"text\":\"0x80040216 no\"}",
    };
    const struct row_sink sink = {.ctx = &after, .take = keep_row};
    bool found = true;

    (void)state;
    keep_all(&before);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        fault(rules[i]);
        after.count = 0;
        assert_false(store->ops->read_row(store, before.ids[0].key, &sink, &found, &err));
        assert_int_equal(err.code, ERR_SERVER);
        assert_true(found);
        assert_int_equal(after.count, 0);
    }
}

static void
stamps_alone_make_no_other_row(void **state)
{
    (void)state;
    keep_all(&before);
    change(before.ids[0].key, "{}");
    change(before.ids[1].key, "{\"msdyn_name\":\"another\"}");
    change(before.ids[2].key, "{\"statecode\":1}");
    keep_all(&after);
    assert_string_not_equal(before.ids[0].version, after.ids[0].version);
    assert_true(same(0, false));
    assert_false(same(1, false));
    assert_false(same(1, true));
    assert_false(same(2, false));
    assert_true(same(2, true)); /* a new row has a state of its own */
}

static void
rows_come_back_with_their_keys_contents_and_dates(void **state)
{
    (void)state;
    keep_all(&before);
    remove_all();
    expect(return_all(&err), &err);
    assert_int_equal(back.states[RETURN_DONE], SEEDED_ROWS);
    keep_all(&after);
    assert_int_equal(after.count, before.count);
    for (size_t i = 0; i < before.count; i++) {
        assert_int_equal(back.outcomes[i], 1);
        assert_true(same(i, true));
        assert_non_null(strstr(after.documents[i], "\"createdon\":\"2025-"));
    }
    assert_int_equal(count_in_log("\"method\":\"PATCH\""), SEEDED_ROWS);
}

static void
a_row_that_is_there_is_left_as_it_is(void **state)
{
    (void)state;
    keep_all(&before);
    change(before.ids[5].key, "{\"msdyn_name\":\"newer\"}");
    expect(return_all(&err), &err);
    assert_int_equal(back.states[RETURN_THERE], SEEDED_ROWS);
    keep_all(&after);
    assert_false(same(5, true));
    assert_non_null(strstr(after.documents[5], "newer"));
}

static void
columns_that_do_not_come_back_are_named(void **state)
{
    static const char *const lost[] = {"createdby", "modifiedon",          "modifiedby",
                                       "ownerid",   "overriddencreatedon", "versionnumber"};
    static const char *const kept[] = {"createdon", "msdyn_name", "msdyn_unsecure", "statecode",
                                       "contoso_companyid"};
    struct runtime_columns columns;

    (void)state;
    expect(store->ops->lost_columns(store, arena, &columns, &err), &err);
    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
        bool found = false;

        for (size_t k = 0; k < columns.count; k++)
            found |= strcmp(columns.names[k], lost[i]) == 0;
        if (!found)
            fail_msg("%s is not named", lost[i]);
    }
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        for (size_t k = 0; k < columns.count; k++)
            assert_string_not_equal(columns.names[k], kept[i]);
}

static void
a_lookup_comes_back_through_its_navigation_property(void **state)
{
    (void)state;
    keep_all(&before);
    change(before.ids[2].key,
           "{\"_contoso_companyid_value\":\"c1000000-0000-4000-8000-000000000001\"}");
    keep_all(&before);
    assert_non_null(strstr(before.documents[2], "_contoso_companyid_value"));
    remove_all();
    expect(return_all(&err), &err);
    keep_all(&after);
    assert_int_equal(back.states[RETURN_DONE], SEEDED_ROWS);
    assert_true(same(2, true));
    assert_non_null(strstr(after.documents[2], "\"_contoso_companyid_value\":\"c1000000"));
}

static void
without_the_right_to_set_dates_rows_come_back_with_new_ones(void **state)
{
    (void)state;
    keep_all(&before);
    remove_all();
    set("{\"may_override\":false}");
    expect(return_all(&err), &err);
    assert_int_equal(back.states[RETURN_DONE], SEEDED_ROWS);
    keep_all(&after);
    for (size_t i = 0; i < before.count; i++) {
        assert_true(same(i, true));
        assert_null(strstr(after.documents[i], "\"createdon\":\"2025-"));
    }
}

static void
without_the_right_to_create_nothing_is_unknown(void **state)
{
    (void)state;
    keep_all(&before);
    remove_all();
    set("{\"may_create\":false}");
    assert_false(return_all(&err));
    assert_int_equal(err.code, ERR_PERMISSION);
    assert_non_null(strstr(err.primary, "prvCreate"));
    assert_int_equal(back.states[RETURN_DONE] + back.states[RETURN_UNKNOWN], 0);
    assert_int_equal(observe().row_count, 0);
}

static void
a_return_outlives_throttling_lost_answers_and_an_expired_token(void **state)
{
    (void)state;
    keep_all(&before);
    remove_all();
    fault("{\"at\":\"dv.request\",\"match\":\"$batch\",\"times\":1,\"do\":\"error\",\"arg\":429,"
          "\"text\":\"0x80072322 retry-after=1 slow down\"}");
    fault("{\"at\":\"dv.after\",\"match\":\"$batch\",\"skip\":1,\"times\":1,\"do\":\"cut\"}");
    control("DELETE", "/dataverse/tokens", NULL, NULL);
    expect(return_all(&err), &err);
    assert_int_equal(back.states[RETURN_DONE] + back.states[RETURN_THERE], SEEDED_ROWS);
    for (size_t i = 0; i < before.count; i++)
        assert_int_equal(back.outcomes[i], 1);
    keep_all(&after);
    assert_int_equal(after.count, before.count);
    for (size_t i = 0; i < before.count; i++)
        assert_true(same(i, true));
}

static void
rows_come_back_one_by_one_where_batches_are_refused(void **state)
{
    (void)state;
    keep_all(&before);
    remove_all();
    refuse_batches();
    expect(return_all(&err), &err);
    assert_int_equal(back.states[RETURN_DONE], SEEDED_ROWS);
    assert_int_equal(count_in_log("\"if_none_match\":\"*\""), SEEDED_ROWS);
    assert_int_equal(observe().row_count, SEEDED_ROWS);
}

static void
a_copy_that_is_no_object_is_told_and_not_sent(void **state)
{
    (void)state;
    keep_all(&before);
    remove_all();
    (void)snprintf(before.documents[1], DOCUMENT_BYTES, "[]");
    expect(return_all(&err), &err);
    assert_int_equal(back.states[RETURN_FAILED], 1);
    assert_int_equal(back.states[RETURN_DONE], SEEDED_ROWS - 1);
    assert_int_equal(back.why.code, ERR_STORAGE);
}

#define ROWS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_rows, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ROWS_TEST(one_row_is_read_as_the_list_brings_it),
        ROWS_TEST(a_row_that_is_not_answered_as_one_is_neither_found_nor_missing),
        ROWS_TEST(stamps_alone_make_no_other_row),
        ROWS_TEST(rows_come_back_with_their_keys_contents_and_dates),
        ROWS_TEST(a_row_that_is_there_is_left_as_it_is),
        ROWS_TEST(columns_that_do_not_come_back_are_named),
        ROWS_TEST(a_lookup_comes_back_through_its_navigation_property),
        ROWS_TEST(without_the_right_to_set_dates_rows_come_back_with_new_ones),
        ROWS_TEST(without_the_right_to_create_nothing_is_unknown),
        ROWS_TEST(a_return_outlives_throttling_lost_answers_and_an_expired_token),
        ROWS_TEST(rows_come_back_one_by_one_where_batches_are_refused),
        ROWS_TEST(a_copy_that_is_no_object_is_told_and_not_sent),
    };

    return cmocka_run_group_tests_name("runtime_return", tests, NULL, NULL);
}
