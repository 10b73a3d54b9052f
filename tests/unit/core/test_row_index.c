#include "core/row_index.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct row_id
row(const char *key, int content)
{
    struct row_id id = {.table = TABLE_EVENTS};

    (void)snprintf(id.key, sizeof id.key, "%s", key);
    id.digest = digest_of(&content, sizeof content);
    return id;
}

static bool
add(struct row_index *index, const char *key, int content, struct err *err)
{
    const struct row_id id = row(key, content);

    return row_index_add(index, &id, err);
}

static enum row_match
take(struct row_index *index, const char *key, int content)
{
    const struct row_id id = row(key, content);

    return row_index_take(index, &id);
}

static void
a_row_is_absent_equal_or_different(void **state)
{
    ROW_INDEX_SCOPED index = {0};
    struct err err;

    (void)state;
    assert_int_equal(take(&index, "1:1", 0), ROW_ABSENT); /* an empty index */
    assert_true(add(&index, "1:1", 10, &err));
    assert_true(add(&index, "1:3", 30, &err));
    assert_true(add(&index, "2:1", 40, &err));
    assert_int_equal(take(&index, "1:1", 10), ROW_EQUAL);
    assert_int_equal(take(&index, "1:2", 10), ROW_ABSENT);
    assert_int_equal(take(&index, "1:3", 31), ROW_DIFFERS);
    assert_int_equal(take(&index, "1:3", 30), ROW_EQUAL); /* a difference uses nothing up */
    assert_int_equal(take(&index, "3:1", 40), ROW_ABSENT);
    assert_int_equal(take(&index, "no key", 40), ROW_ABSENT);
    assert_int_equal(row_index_unmatched(&index), 1);
}

static void
rows_that_share_a_key_are_matched_one_by_one(void **state)
{
    ROW_INDEX_SCOPED index = {0};
    struct err err;

    (void)state;
    assert_true(add(&index, "1:7", 1, &err));
    assert_true(add(&index, "1:7", 2, &err));
    assert_true(add(&index, "1:7", 2, &err));
    assert_int_equal(take(&index, "1:7", 2), ROW_EQUAL);
    assert_int_equal(take(&index, "1:7", 2), ROW_EQUAL);
    assert_int_equal(take(&index, "1:7", 2), ROW_DIFFERS); /* only the first is left */
    assert_int_equal(take(&index, "1:7", 1), ROW_EQUAL);
    assert_int_equal(take(&index, "1:7", 1), ROW_ABSENT); /* none is left */
    assert_int_equal(row_index_unmatched(&index), 0);
}

static void
keys_are_two_signed_numbers(void **state)
{
    ROW_INDEX_SCOPED index = {0};
    struct err err;

    (void)state;
    assert_true(add(&index, "-5:9", 1, &err));
    assert_true(add(&index, "-5:10", 2, &err)); /* as text it would stand before 9 */
    assert_true(add(&index, "0:-9223372036854775808", 3, &err));
    assert_true(add(&index, "0:9223372036854775807", 4, &err));
    assert_int_equal(take(&index, "-5:10", 2), ROW_EQUAL);
    assert_int_equal(take(&index, "0:-9223372036854775808", 3), ROW_EQUAL);
    assert_int_equal(take(&index, "0:9223372036854775807", 4), ROW_EQUAL);
}

static void
rows_out_of_order_and_foreign_keys_are_refused(void **state)
{
    ROW_INDEX_SCOPED index = {0};
    struct err err;

    (void)state;
    assert_true(add(&index, "1:10", 1, &err));
    assert_false(add(&index, "1:9", 1, &err));
    assert_int_equal(err.code, ERR_SERVER);
    assert_non_null(strstr(err.primary, "out of order"));
    assert_false(add(&index, "00000000-0000-0000-0000-000000000001", 1, &err));
    assert_int_equal(err.code, ERR_SERVER);
    assert_int_equal(index.count, 1);
}

static void
many_rows_are_found_again(void **state)
{
    enum { ROWS = 5000 };
    ROW_INDEX_SCOPED index = {0};
    struct err err;
    char key[32];

    (void)state;
    for (int i = 0; i < ROWS; i++) {
        (void)snprintf(key, sizeof key, "1:%d", i * 2);
        assert_true(add(&index, key, i, &err));
    }
    for (int i = ROWS; i-- > 0;) {
        (void)snprintf(key, sizeof key, "1:%d", i * 2);
        assert_int_equal(take(&index, key, i), ROW_EQUAL);
        (void)snprintf(key, sizeof key, "1:%d", i * 2 + 1);
        assert_int_equal(take(&index, key, i), ROW_ABSENT);
    }
    assert_int_equal(row_index_unmatched(&index), 0);
}

static void
more_rows_than_the_maximum_are_refused(void **state)
{
    ROW_INDEX_SCOPED index = {0};
    struct err err;

    (void)state;
    index.entries = calloc(ROW_INDEX_MAX_ROWS, sizeof *index.entries);
    if (!index.entries)
        skip();
    index.count = index.capacity = ROW_INDEX_MAX_ROWS;
    assert_false(add(&index, "1:1", 1, &err));
    assert_int_equal(err.code, ERR_SERVER);
    assert_int_equal(index.count, ROW_INDEX_MAX_ROWS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_absent_equal_or_different),
        cmocka_unit_test(rows_that_share_a_key_are_matched_one_by_one),
        cmocka_unit_test(keys_are_two_signed_numbers),
        cmocka_unit_test(rows_out_of_order_and_foreign_keys_are_refused),
        cmocka_unit_test(many_rows_are_found_again),
        cmocka_unit_test(more_rows_than_the_maximum_are_refused),
    };

    return cmocka_run_group_tests_name("core/row_index", tests, NULL, NULL);
}
