#include "core/rowset.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static struct row_id
row(const char *key, int content)
{
    struct row_id id = {.table = TABLE_EVENTS, .digest = {{(unsigned char)content}}};

    (void)snprintf(id.key, sizeof id.key, "%s", key);
    return id;
}

/** State of rows given as key, content pairs. */
static struct table_state
state_of(const struct row_id *rows, size_t count)
{
    ROWSET_SCOPED set = {0};
    struct err err = {0};

    assert_true(rowset_begin(&set, TABLE_EVENTS, &err));
    for (size_t i = 0; i < count; i++)
        assert_true(rowset_add(&set, &rows[i], &err));
    return rowset_end(&set);
}

static void
the_same_rows_have_the_same_state(void **state)
{
    const struct row_id rows[] = {row("1:1", 1), row("1:2", 2), row("1:10", 3)};
    const struct row_id other[] = {row("1:1", 1), row("1:2", 2), row("1:10", 4)};
    const struct table_state a = state_of(rows, 3);
    const struct table_state b = state_of(rows, 3);
    const struct table_state c = state_of(other, 3);
    const struct table_state d = state_of(rows, 2);

    (void)state;
    assert_true(table_state_equal(&a, &b));
    assert_false(table_state_equal(&a, &c));
    assert_false(table_state_equal(&a, &d));
}

static void
rows_with_one_key_are_a_multiset(void **state)
{
    const struct row_id ab[] = {row("1:1", 1), row("1:1", 2), row("1:2", 3)};
    const struct row_id ba[] = {row("1:1", 2), row("1:1", 1), row("1:2", 3)};
    const struct row_id aa[] = {row("1:1", 1), row("1:1", 1), row("1:2", 3)};
    const struct table_state x = state_of(ab, 3);
    const struct table_state y = state_of(ba, 3);
    const struct table_state z = state_of(aa, 3);

    (void)state;
    assert_true(table_state_equal(&x, &y));
    assert_false(table_state_equal(&x, &z));
}

static void
rows_out_of_order_or_of_another_table_are_an_error(void **state)
{
    ROWSET_SCOPED set = {0};
    const struct row_id second = row("1:2", 1);
    const struct row_id first = row("1:1", 1);
    const struct row_id negative = row("-3:5", 1);
    struct row_id other = row("1:9", 1);
    struct err err = {0};

    (void)state;
    assert_true(rowset_begin(&set, TABLE_EVENTS, &err));
    assert_true(rowset_add(&set, &negative, &err));
    assert_true(rowset_add(&set, &second, &err));
    assert_false(rowset_add(&set, &first, &err));
    assert_int_equal(err.code, ERR_SERVER);
    other.table = TABLE_FIELD;
    assert_false(rowset_add(&set, &other, &err));
}

static void
too_many_rows_with_one_key_are_an_error(void **state)
{
    ROWSET_SCOPED set = {0};
    const struct row_id same = row("1:1", 1);
    struct err err = {0};
    int added = 0;

    (void)state;
    assert_true(rowset_begin(&set, TABLE_EVENTS, &err));
    while (added <= ROWSET_MAX_SAME_KEY && rowset_add(&set, &same, &err))
        added++;
    assert_int_equal(added, ROWSET_MAX_SAME_KEY);
    assert_int_equal(err.code, ERR_SERVER);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_rows_have_the_same_state),
        cmocka_unit_test(rows_with_one_key_are_a_multiset),
        cmocka_unit_test(rows_out_of_order_or_of_another_table_are_an_error),
        cmocka_unit_test(too_many_rows_with_one_key_are_an_error),
    };

    return cmocka_run_group_tests_name("core/rowset", tests, NULL, NULL);
}
