/** What was said decides; numbers give hints and the class of the failure. */
#include "../../../src/mssql/hint.h"
#include "../../../src/mssql/verdict.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static struct server_message
message_of(int number, int severity)
{
    struct server_message message = {.number = number, .severity = severity, .state = 1, .line = 3};

    (void)snprintf(message.text, sizeof message.text, "text of %d", number);
    return message;
}

static void
one_error_is_enough_to_spoil_it(void **state)
{
    struct verdict verdict;
    struct library_error lost = {.number = 20004};
    struct server_message refused = message_of(229, 14);

    (void)state;
    verdict_reset(&verdict);
    assert_true(verdict_is_clean(&verdict));
    verdict_add_error(&verdict, &lost);
    assert_false(verdict_is_clean(&verdict));
    verdict_reset(&verdict);
    verdict_add_message(&verdict, &refused);
    assert_false(verdict_is_clean(&verdict));
    verdict_reset(&verdict);
    verdict.timed_out = true;
    assert_false(verdict_is_clean(&verdict));
}

static void
the_worst_message_counts_and_of_equals_the_first(void **state)
{
    struct verdict verdict;
    const int numbers[] = {4060, 18456, 18488};
    const int severities[] = {11, 14, 14};

    (void)state;
    verdict_reset(&verdict);
    assert_null(verdict_worst(&verdict));
    for (int i = 0; i < 3; i++) {
        struct server_message message = message_of(numbers[i], severities[i]);

        verdict_add_message(&verdict, &message);
    }
    assert_int_equal(verdict_worst(&verdict)->number, 18456);
    assert_int_equal(verdict_message(&verdict, 4060)->number, 4060);
    assert_null(verdict_message(&verdict, 1));
}

static void
more_messages_than_fit_are_counted(void **state)
{
    struct verdict verdict;
    struct server_message message = message_of(50000, 16);

    (void)state;
    verdict_reset(&verdict);
    for (int i = 0; i < VERDICT_MESSAGES + 3; i++)
        verdict_add_message(&verdict, &message);
    assert_int_equal(verdict.message_count, VERDICT_MESSAGES);
    assert_int_equal(verdict.more, 3);
    for (int i = 0; i < LIBRARY_ERRORS + 3; i++)
        verdict_add_error(&verdict, &(struct library_error){.number = i});
    assert_int_equal(verdict.error_count, LIBRARY_ERRORS);
}

static void
locks_are_transient_and_rights_are_not(void **state)
{
    struct server_message message = message_of(1222, 16);
    struct err err;

    (void)state;
    assert_false(verdict_to_err(&message, &err));
    assert_int_equal(err.code, ERR_LOCK);
    assert_true(err.transient);
    message = message_of(1205, 13);
    assert_false(verdict_to_err(&message, &err));
    assert_int_equal(err.code, ERR_LOCK);
    message = message_of(229, 14);
    assert_false(verdict_to_err(&message, &err));
    assert_int_equal(err.code, ERR_PERMISSION);
    assert_false(err.transient);
    message = message_of(547, 16);
    assert_false(verdict_to_err(&message, &err));
    assert_int_equal(err.code, ERR_SERVER);
    assert_string_equal(err.primary, "the server answered: text of 547");
    assert_string_equal(err.detail, "server error 547, severity 16, state 1, line 3");
}

static void
a_refused_address_is_named_in_the_hint(void **state)
{
    struct err err = {0};

    (void)state;
    hint_for(40615, 1,
             "Cannot open server 'x'. Client with IP address '203.0.113.7' is not allowed.", &err);
    assert_non_null(strstr(err.hint, "203.0.113.7"));
    (void)err_hint(&err, "%s", "");
    hint_for(40615, 1, "another wording", &err);
    assert_non_null(strstr(err.hint, "firewall"));
    (void)err_hint(&err, "%s", "");
    hint_for(123456, 1, "", &err);
    assert_string_equal(err.hint, "");
}

static void
only_passing_states_are_tried_again(void **state)
{
    (void)state;
    assert_true(hint_is_transient(40613));
    assert_true(hint_is_transient(10929));
    assert_false(hint_is_transient(18456));
    assert_false(hint_is_transient(40615));
    assert_false(hint_is_transient(1));
}

static void
an_answer_to_an_insert_repeats_no_value(void **state)
{
    static const struct {
        int number;
        const char *text, *shown;
    } cases[] = {
        {2627,
         "Violation of PRIMARY KEY constraint 'PK_X'. Cannot insert duplicate key in object "
         "'dbo.X'. The duplicate key value is (canary).",
         "Violation of PRIMARY KEY constraint 'PK_X'. Cannot insert duplicate key in object "
         "'dbo.X'."},
        {2628,
         "String or binary data would be truncated in table 'AxDB.dbo.X', column 'NAME'. Truncated "
         "value: 'canary'.",
         "String or binary data would be truncated in table 'AxDB.dbo.X', column 'NAME'."},
        {547, "The INSERT statement conflicted with the CHECK constraint \"CK_X\".",
         "The INSERT statement conflicted with the CHECK constraint \"CK_X\"."},
        {245, "Conversion failed when converting the varchar value 'canary' to data type int.",
         "a text that may repeat values of a row, and is not shown"},
        {50000, "canary", "a text that may repeat values of a row, and is not shown"},
        {2627, "La valeur en double est (canary).",
         "a text that may repeat values of a row, and is not shown"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct server_message message = {.number = cases[i].number};

        (void)snprintf(message.text, sizeof message.text, "%s", cases[i].text);
        verdict_hide_values(&message);
        assert_string_equal(message.text, cases[i].shown);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_error_is_enough_to_spoil_it),
        cmocka_unit_test(the_worst_message_counts_and_of_equals_the_first),
        cmocka_unit_test(more_messages_than_fit_are_counted),
        cmocka_unit_test(locks_are_transient_and_rights_are_not),
        cmocka_unit_test(a_refused_address_is_named_in_the_hint),
        cmocka_unit_test(only_passing_states_are_tried_again),
        cmocka_unit_test(an_answer_to_an_insert_repeats_no_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
