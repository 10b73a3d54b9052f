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

static bool
take(struct row_index *index, const char *key, int content)
{
    const struct row_id id = row(key, content);
    struct axdb_key numbers;

    assert_true(axdb_key_parse(key, &numbers));
    return row_index_take(index, &numbers, &id.digest);
}

enum { MAX_FOUND = 16 };

/** What a matcher said, in order. */
struct found {
    size_t count;
    char keys[MAX_FOUND][ROW_KEY_BYTES];
    enum row_match matches[MAX_FOUND];
};

static bool
note(void *ctx, const struct row_id *id, enum row_match match, struct err *err)
{
    struct found *found = ctx;

    if (found->count == MAX_FOUND)
        return err_set(err, ERR_INTERNAL, "no more");
    (void)snprintf(found->keys[found->count], ROW_KEY_BYTES, "%s", id->key);
    found->matches[found->count++] = match;
    return true;
}

static bool
match(struct row_matcher *matcher, const char *key, int content, struct err *err)
{
    const struct row passing = {.id = row(key, content)};

    return row_matcher_take(matcher, &passing, err);
}

static void
a_row_is_absent_equal_or_different(void **state)
{
    static const struct {
        const char *key;
        int content;
        enum row_match match;
    } rows[] = {{"0:9", 1, ROW_ABSENT},   {"1:1", 10, ROW_EQUAL}, {"1:2", 10, ROW_ABSENT},
                {"1:3", 31, ROW_DIFFERS}, {"2:1", 40, ROW_EQUAL}, {"3:1", 40, ROW_ABSENT}};
    ROW_INDEX_SCOPED index = {0};
    struct found found = {0};
    struct row_matcher matcher = {.index = &index, .found = note, .ctx = &found};
    struct err err;

    (void)state;
    assert_false(take(&index, "1:1", 0)); /* an empty index */
    assert_true(add(&index, "1:1", 10, &err));
    assert_true(add(&index, "1:3", 30, &err));
    assert_true(add(&index, "2:1", 40, &err));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_true(match(&matcher, rows[i].key, rows[i].content, &err));
    assert_true(row_matcher_end(&matcher, &err));
    row_matcher_done(&matcher);
    assert_int_equal(found.count, sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < found.count; i++) {
        assert_string_equal(found.keys[i], rows[i].key);
        assert_int_equal(found.matches[i], rows[i].match);
    }
    assert_int_equal(row_index_unmatched(&index), 1);
    assert_true(take(&index, "1:3", 30)); /* a difference uses nothing up */
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
    assert_true(take(&index, "1:7", 2));
    assert_true(take(&index, "1:7", 2));
    assert_false(take(&index, "1:7", 2)); /* only the first is left */
    assert_true(take(&index, "1:7", 1));
    assert_false(take(&index, "1:7", 1)); /* none is left */
    assert_int_equal(row_index_unmatched(&index), 0);
}

/** Contents of rows that share a key: in the table, in the backup, and what is said of these. */
struct shared {
    const char *what;
    const char *table, *backup,
        *says; /* a letter for each row; "=" equal, "-" absent, "!" differs */
};

static void
equal_rows_of_a_key_are_matched_first_in_any_order(void **state)
{
    static const struct shared cases[] = {
        {"one is missing, it comes last", "a", "ab", "=-"},
        {"one is missing, it comes first", "b", "ab", "-="},
        {"one is missing, in the middle", "ac", "abc", "=-="},
        {"one of three alike is missing", "aa", "aaa", "==-"},
        {"all are missing", "", "ab", "--"},
        {"another order", "ba", "ab", "=="},
        {"one has changed", "ax", "ab", "=!"},
        {"one has changed, the first", "xb", "ab", "!="},
        {"one has changed, one is missing: not known which", "x", "ab", "!!"},
        {"all equal, and one of somebody else", "axb", "ab", "=="},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ROW_INDEX_SCOPED index = {0};
        struct found found = {0};
        struct row_matcher matcher = {.index = &index, .found = note, .ctx = &found};
        struct err err;

        print_message("%s\n", cases[i].what);
        assert_true(add(&index, "1:6", 'b', &err)); /* neighbours decide nothing */
        for (const char *one = cases[i].table; *one; one++)
            assert_true(add(&index, "1:7", *one, &err));
        assert_true(add(&index, "1:8", 'a', &err));
        for (const char *one = cases[i].backup; *one; one++)
            assert_true(match(&matcher, "1:7", *one, &err));
        assert_int_equal(found.count, 0); /* not before the key is complete */
        assert_true(match(&matcher, "1:8", 'a', &err));
        assert_true(row_matcher_end(&matcher, &err));
        row_matcher_done(&matcher);
        assert_int_equal(found.count, strlen(cases[i].backup) + 1);
        for (size_t row = 0; row + 1 < found.count; row++)
            assert_int_equal(found.matches[row], cases[i].says[row] == '='   ? ROW_EQUAL
                                                 : cases[i].says[row] == '-' ? ROW_ABSENT
                                                                             : ROW_DIFFERS);
        assert_int_equal(found.matches[found.count - 1], ROW_EQUAL);
    }
}

static void
a_backup_out_of_order_or_without_end_is_refused(void **state)
{
    ROW_INDEX_SCOPED index = {0};
    struct found found = {0};
    struct row_matcher matcher = {.index = &index, .found = note, .ctx = &found};
    struct err err;

    (void)state;
    assert_true(match(&matcher, "1:10", 1, &err));
    assert_false(match(&matcher, "1:9", 1, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_false(match(&matcher, "no key", 1, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    for (int i = 1; i < ROW_INDEX_MAX_SAME_KEY; i++)
        assert_true(match(&matcher, "1:10", i, &err));
    assert_false(match(&matcher, "1:10", 0, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_false(row_matcher_end(&matcher, &err)); /* what takes the rows may refuse */
    assert_int_equal(found.count, MAX_FOUND);
    row_matcher_done(&matcher);
}

static void
what_was_expected_and_is_not_there_is_lost(void **state)
{
    ROW_INDEX_SCOPED expected = {0};
    ROW_INDEX_SCOPED now = {0};
    struct err err;

    (void)state;
    assert_true(add(&expected, "1:1", 1, &err));
    assert_true(add(&expected, "1:2", 2, &err));
    assert_true(add(&expected, "1:2", 2, &err));
    assert_true(add(&expected, "1:3", 3, &err));
    assert_true(add(&now, "1:1", 1, &err));
    assert_true(add(&now, "1:2", 2, &err));
    assert_true(add(&now, "1:3", 4, &err));
    assert_int_equal(row_index_lost(&expected, &now), 2); /* one of the twins, one changed */
    assert_int_equal(row_index_unmatched(&now), 1);
}

static void
matches_are_counted(void **state)
{
    const struct row_id any = row("1:1", 1);
    struct row_counts counts = {0};
    struct err err;

    (void)state;
    assert_true(row_counts_add(&counts, &any, ROW_ABSENT, &err));
    assert_true(row_counts_add(&counts, &any, ROW_EQUAL, &err));
    assert_true(row_counts_add(&counts, &any, ROW_EQUAL, &err));
    assert_true(row_counts_add(&counts, &any, ROW_DIFFERS, &err));
    assert_int_equal(counts.absent, 1);
    assert_int_equal(counts.present, 2);
    assert_int_equal(counts.differing, 1);
    assert_int_equal(counts.others, 0);
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
    assert_true(take(&index, "-5:10", 2));
    assert_true(take(&index, "0:-9223372036854775808", 3));
    assert_true(take(&index, "0:9223372036854775807", 4));
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
        assert_true(take(&index, key, i));
        (void)snprintf(key, sizeof key, "1:%d", i * 2 + 1);
        assert_false(take(&index, key, i));
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

/** A table of the backup without rows: there is nothing in hand at its end. */
static void
a_matcher_without_rows_finds_none(void **state)
{
    struct row_index index = {0};
    struct row_counts counts = {0};
    struct row_matcher matcher = {.index = &index, .found = row_counts_add, .ctx = &counts};
    struct err err = {0};

    (void)state;
    assert_true(row_matcher_end(&matcher, &err));
    assert_int_equal(counts.absent + counts.present + counts.differing, 0);
    row_matcher_done(&matcher);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_absent_equal_or_different),
        cmocka_unit_test(rows_that_share_a_key_are_matched_one_by_one),
        cmocka_unit_test(equal_rows_of_a_key_are_matched_first_in_any_order),
        cmocka_unit_test(a_backup_out_of_order_or_without_end_is_refused),
        cmocka_unit_test(what_was_expected_and_is_not_there_is_lost),
        cmocka_unit_test(matches_are_counted),
        cmocka_unit_test(keys_are_two_signed_numbers),
        cmocka_unit_test(rows_out_of_order_and_foreign_keys_are_refused),
        cmocka_unit_test(many_rows_are_found_again),
        cmocka_unit_test(more_rows_than_the_maximum_are_refused),
        cmocka_unit_test(a_matcher_without_rows_finds_none),
    };

    return cmocka_run_group_tests_name("core/row_index", tests, NULL, NULL);
}
