/** Files of questions, and what becomes of an answer that does not come. */
#include "../../../src/mssql/question.h"
#include "sql_text.h"
#include "test.h"

#include <string.h>

static struct err err;

static void
a_file_is_cut_at_its_marks(void **state)
{
    static const char file[] = "-- head\n\n--? one required\nSELECT 1;\n-- a comment\n"
                               "--? two\n--? three after one two\nSELECT 3;\n";
    struct questions *questions = questions_new(file, &err);

    (void)state;
    assert_non_null(questions);
    assert_int_equal(questions->count, 3);
    assert_string_equal(questions->items[0].name, "one");
    assert_true(questions->items[0].required);
    assert_true(
        slice_equal(questions->items[0].text, slice_of_string("\nSELECT 1;\n-- a comment\n")));
    assert_string_equal(questions->items[1].name, "two");
    assert_false(questions->items[1].required);
    assert_string_equal(questions->items[2].after[0], "one");
    assert_string_equal(questions->items[2].after[1], "two");
    assert_false(question_answered(questions, "three"));
    assert_int_equal(question_named(questions, "three")->why.code, ERR_SERVER);
    questions_free(questions);
}

static void
a_bad_mark_is_refused(void **state)
{
    static const char *const files[] = {
        "--? \nSELECT 1;\n",
        "--? one\n--? one\n",
        "--? one after nobody\n",
        "--? one whatever\n",
        "--? one required more\n",
        "--? a\n--? b\n--? c\n--? d after a b c\n",
        "--? a_name_that_is_longer_than_any_name_here\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        assert_null(questions_new(files[i], &err));
        assert_int_equal(err.code, ERR_INTERNAL);
    }
}

static void
every_file_of_questions_is_well_formed(void **state)
{
    static const char *const files[] = {sql_catalog, sql_evidence, sql_session};
    static const size_t counts[] = {9, 16, 3};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct questions *questions = questions_new(files[i], &err);

        assert_non_null(questions);
        assert_int_equal(questions->count, counts[i]);
        questions_free(questions);
    }
}

static void
only_what_waited_for_a_lock_is_asked_again_under_the_locks(void **state)
{
    struct questions *questions = questions_new("--? a\n--? b\n--? c\n--? d\n", &err);

    (void)state;
    assert_non_null(questions);
    questions->items[0].answered = true;
    (void)err_set(&questions->items[1].why, ERR_LOCK, "lock request time out");
    (void)err_set(&questions->items[2].why, ERR_SERVER, "no such view");
    (void)err_set(&questions->items[3].why, ERR_PERMISSION, "denied");
    assert_int_equal(questions_lacking(questions, 3), 4);
    assert_int_equal(questions_lacking(questions, 4), 12);
    questions_free(questions);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_cut_at_its_marks),
        cmocka_unit_test(a_bad_mark_is_refused),
        cmocka_unit_test(every_file_of_questions_is_well_formed),
        cmocka_unit_test(only_what_waited_for_a_lock_is_asked_again_under_the_locks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
