#include "../../../src/core/row_journal.h"
#include "test.h"

#include <string.h>

/* A journal that counts, and fails at a record. */
static int records, fails_at;
static size_t facts_in_last;

static bool
record(struct journal *journal, const char *step, const struct fact *facts, size_t count,
       bool durable, struct err *err)
{
    (void)journal;
    (void)step;
    (void)durable;
    assert_true(count == 0 || facts[0].name);
    facts_in_last = count;
    return ++records != fails_at || err_set(err, ERR_STORAGE, "no space");
}

static const struct journal_ops ops = {.record = record};
static struct journal journal = {.ops = &ops};

static struct row_journal
begin(int at)
{
    records = 0;
    fails_at = at;
    return (struct row_journal){
        .journal = &journal, .intent_step = "intent", .outcome_step = "outcome"};
}

static const struct row_outcome done = {.key = "k", .state = "done", .request_id = ""};
static const struct row_outcome left = {
    .key = "k", .state = "failed", .request_id = "", .why = "refused"};

static void
a_full_group_is_written(void **state)
{
    static struct row_journal rows;
    struct err err = {0};

    (void)state;
    rows = begin(0);
    for (int i = 0; i < ROW_JOURNAL_GROUP; i++) {
        assert_int_equal(records, 0);
        assert_true(row_journal_outcome(&rows, &done, &err));
    }
    assert_int_equal(records, 1);
    assert_int_equal(facts_in_last, ROW_JOURNAL_GROUP);
    assert_true(row_journal_flush(&rows, true, &err)); /* nothing is left to write */
    assert_int_equal(records, 1);
    rows = begin(1);
    for (int i = 1; i < ROW_JOURNAL_GROUP; i++)
        assert_true(row_journal_outcome(&rows, &done, &err));
    assert_false(row_journal_outcome(&rows, &done, &err));
    assert_int_equal(err.code, ERR_STORAGE);
}

static void
a_row_with_a_reason_has_a_record_of_its_own_in_its_place(void **state)
{
    static struct row_journal rows;
    struct err err = {0};

    (void)state;
    for (int at = 0; at < 3; at++) {
        rows = begin(at);
        assert_true(row_journal_outcome(&rows, &done, &err));
        assert_int_equal(row_journal_outcome(&rows, &left, &err), at == 0);
        assert_int_equal(records, at == 1 ? 1 : 2);
        assert_int_equal(facts_in_last, at == 1 ? 1 : 5);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_group_is_written),
        cmocka_unit_test(a_row_with_a_reason_has_a_record_of_its_own_in_its_place),
    };

    return cmocka_run_group_tests_name("core/row_journal", tests, NULL, NULL);
}
