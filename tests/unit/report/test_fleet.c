#include "report/fleet.h"
#include "sample.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <string.h>

static const struct report_place place = {.width = 80};

/* ---- status */

static void
the_first_of_the_order_that_occurs_is_the_status(void **state)
{
    static const int order[] = {6, 3, 1, 2, 14, 13, 12, 11, 10, 5, 4, 0};
    enum { COUNT = sizeof(order) / sizeof(order[0]) };
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = i; j < COUNT; j++) {
            assert_int_equal(fleet_worse_status(order[i], order[j]), order[i]);
            assert_int_equal(fleet_worse_status(order[j], order[i]), order[i]);
        }
    }
}

static void
what_is_no_status_of_a_look_counts_as_failed(void **state)
{
    static const int others[] = {64, 78, 129, 130, 143, 7, 255, -1, 137};
    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_int_equal(fleet_worse_status(others[i], 0), 1);
        assert_int_equal(fleet_worse_status(2, others[i]), 1);
        assert_int_equal(fleet_worse_status(others[i], 3), 3);
        assert_int_equal(fleet_worse_status(others[i], others[i]), 1);
    }
}

/* ---- message */

static struct outcome
an_outcome(enum outcome_word word, int exit_status)
{
    struct outcome outcome = {.command = "verify",
                              .word = word,
                              .exit_status = exit_status,
                              .verdict = "a sentence with \"quotes\", \\ and \n",
                              .started_utc_ms = 1000,
                              .ended_utc_ms = 2000,
                              .environment = "uat",
                              .locked_ms = -1};
    for (unsigned i = 0; i < TABLES; i++)
        outcome.tables[i] = (struct table_outcome){.table = (enum table)i,
                                                   .asked = true,
                                                   .before_rows = 10 + (int64_t)i,
                                                   .kept_rows = i == 0 ? 4 : -1};
    return outcome;
}

static void
write_message(const struct outcome *outcome, enum report_form form, struct text *ret)
{
    struct err err;
    ret->used = 0;
    assert_true(fleet_write_message(outcome, "uat", form, &place, ret, &err));
}

static bool
is_believed(const void *bytes, size_t size, int exit_status, enum report_form form)
{
    TEXT_SCOPED message = {0};
    struct fleet_member member = {.name = "uat"};
    struct err err;
    text_append_bytes(&message, bytes, size);
    const bool ok = fleet_read_message(&message, exit_status, form, &member, &err);
    assert_true(ok == member.settled);
    if (!ok)
        assert_int_equal(err.code, ERR_INTERNAL);
    text_done(&member.verdict);
    text_done(&member.report);
    return ok;
}

static void
a_message_arrives_as_it_was_sent(void **state)
{
    TEXT_SCOPED message = {0};
    TEXT_SCOPED report = {0};
    struct outcome outcome = an_outcome(OUTCOME_RESIDUE, 2);
    struct fleet_member member = {.name = "uat"};
    struct err err;
    (void)state;
    (void)err_set(&outcome.err, ERR_LOCK, "somebody's lock");
    (void)err_detail(&outcome.err, "1222");
    (void)err_hint(&outcome.err, "Wait.");
    outcome.err.transient = true;
    write_message(&outcome, REPORT_JSON, &message);
    assert_true(fleet_read_message(&message, 2, REPORT_JSON, &member, &err));
    assert_true(member.settled && member.answered);
    assert_int_equal(member.word, OUTCOME_RESIDUE);
    assert_int_equal(member.exit_status, 2);
    assert_string_equal(text_string(&member.verdict), outcome.verdict);
    assert_int_equal(member.err.code, ERR_LOCK);
    assert_string_equal(member.err.primary, "somebody's lock");
    assert_string_equal(member.err.detail, "1222");
    assert_string_equal(member.err.hint, "Wait.");
    assert_true(member.err.transient);
    /* the four that are kept are not what the scope is about */
    assert_int_equal(member.axdb_rows, 10 + 11 + 12 - 4);
    assert_int_equal(member.runtime_rows, 13);
    assert_true(report_json(&outcome, &report, &err));
    assert_string_equal(text_string(&member.report), text_string(&report));
    text_done(&member.verdict);
    text_done(&member.report);
}

/** Half a character, where a text was cut, becomes three bytes on the way. */
static void
a_text_that_is_not_whole_is_no_reason_to_doubt_a_message(void **state)
{
    TEXT_SCOPED message = {0};
    struct outcome outcome = an_outcome(OUTCOME_RESIDUE, 2);
    struct fleet_member member = {.name = "uat"};
    struct err err;
    (void)state;
    (void)err_set(&outcome.err, ERR_LOCK, "lock");
    memset(outcome.err.detail, 'x', sizeof(outcome.err.detail) - 2);
    outcome.err.detail[sizeof(outcome.err.detail) - 2] = '\xC3';
    memset(outcome.err.hint, 0xFF, sizeof(outcome.err.hint) - 1);
    write_message(&outcome, REPORT_TEXT, &message);
    assert_true(fleet_read_message(&message, 2, REPORT_TEXT, &member, &err));
    assert_int_equal(strlen(member.err.detail), sizeof(member.err.detail) - 2);
    assert_true(text_is_utf8(member.err.hint, strlen(member.err.hint)));
    assert_true(strlen(member.err.hint) > sizeof(member.err.hint) - 4);
    text_done(&member.verdict);
    text_done(&member.report);
}

static void
rows_that_are_not_known_are_not_counted(void **state)
{
    TEXT_SCOPED message = {0};
    struct outcome outcome = an_outcome(OUTCOME_NO_ACCESS, 10);
    struct fleet_member member = {.name = "uat"};
    struct err err;
    (void)state;
    outcome.tables[1].before_rows = -1;
    outcome.tables[TABLE_RUNTIME].asked = false;
    write_message(&outcome, REPORT_TEXT, &message);
    assert_true(fleet_read_message(&message, 10, REPORT_TEXT, &member, &err));
    assert_int_equal(member.axdb_rows, -1);
    assert_int_equal(member.runtime_rows, -1);
    assert_int_equal(member.report.used, 0);
    text_done(&member.verdict);
    text_done(&member.report);
}

static void
a_message_that_was_cut_or_has_more_is_not_believed(void **state)
{
    static const enum report_form forms[] = {REPORT_TEXT, REPORT_JSON};
    const struct outcome outcome = an_outcome(OUTCOME_CLEAN, 0);
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        TEXT_SCOPED message = {0};
        write_message(&outcome, forms[i], &message);
        assert_true(is_believed(text_string(&message), message.used, 0, forms[i]));
        for (size_t size = 0; size < message.used; size++)
            assert_false(is_believed(text_string(&message), size, 0, forms[i]));
        text_append(&message, "\n");
        assert_false(is_believed(text_string(&message), message.used, 0, forms[i]));
    }
}

/** `message` with `from` replaced by `to`, which is as long. */
static bool
is_believed_with(const struct text *message, const char *from, const char *to, int exit_status)
{
    TEXT_SCOPED other = {0};
    text_append_bytes(&other, text_string(message), message->used);
    char *at = strstr(other.data, from);
    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    for (size_t i = 0; to[i]; i++)
        at[i] = to[i];
    return is_believed(text_string(&other), other.used, exit_status, REPORT_JSON);
}

static void
a_message_that_contradicts_itself_is_not_believed(void **state)
{
    TEXT_SCOPED message = {0};
    struct outcome outcome = an_outcome(OUTCOME_RESIDUE, 2);
    (void)state;
    write_message(&outcome, REPORT_JSON, &message);
    assert_true(is_believed_with(&message, "\"uat\"", "\"uat\"", 2));
    /* of another environment, of a process that ended otherwise, of a word that is none */
    assert_false(is_believed_with(&message, "\"uat\"", "\"uax\"", 2));
    assert_false(is_believed_with(&message, "\"uat\"", "\"uat\"", 0));
    assert_false(is_believed_with(&message, "\"residue\"", "\"unknown\"", 2));
    assert_false(is_believed_with(&message, "\"residue\"", "\"clean\"  ", 2));
    assert_false(is_believed_with(&message, "\"residue\"", "\"rosidue\"", 2));
    assert_false(is_believed_with(&message, "\"axdb_rows\": \"29\"", "\"axdb_rows\": \"-9\"", 2));
    assert_false(is_believed_with(&message, "\"code\": \"ok\"", "\"code\": \"ko\"", 2));
    assert_false(is_believed_with(&message, "dwclean 1 ", "dwclean 2 ", 2));
    assert_false(is_believed_with(&message, "dwclean 1 ", "dwclean 1\t", 2));
    assert_false(is_believed_with(&message, "\"schema_version\"", "\"schema_version\\", 2));

    /* 0 is for what is clean, and what is clean has 0 */
    outcome = an_outcome(OUTCOME_RESIDUE, 0);
    write_message(&outcome, REPORT_JSON, &message);
    assert_false(is_believed(text_string(&message), message.used, 0, REPORT_JSON));
    outcome = an_outcome(OUTCOME_CLEAN, 2);
    write_message(&outcome, REPORT_JSON, &message);
    assert_false(is_believed(text_string(&message), message.used, 2, REPORT_JSON));
}

static void
rubbish_is_not_believed(void **state)
{
    static const char *const rubbish[] = {
        "",
        "\n",
        "Segmentation fault\n",
        "dwclean 1 0 0\n",
        "dwclean 1 2 0\n{}",
        "dwclean 1 2 0\n[]",
        "dwclean 1 00 0\n",
        "dwclean 1 -1 3\n{}",
        "dwclean 1 18446744073709551615 3\n{}",
        "dwclean 1 18446744073709551617 1\n{}",
        "dwclean 1 4 0\nnull",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++) {
        assert_false(is_believed(rubbish[i], strlen(rubbish[i]), 0, REPORT_TEXT));
        assert_false(is_believed(rubbish[i], strlen(rubbish[i]), 0, REPORT_JSON));
    }
    assert_false(is_believed("\0\0\0\n", 4, 0, REPORT_TEXT));
}

/* ---- reports */

enum { MEMBERS = 5 };

static void
settle(struct fleet_member *member, enum outcome_word word, enum err_code code, int exit_status)
{
    struct err err;
    (void)err_set(&err, code, "why %s", SAMPLE_HOSTILE);
    (void)err_hint(&err, "Do this.");
    fleet_settle_without(member, word, &err, exit_status);
}

static struct fleet
a_fleet(struct fleet_member members[MEMBERS])
{
    static const char *const names[MEMBERS] = {"good", "busy", SAMPLE_HOSTILE, "it's",
                                               "with-a-name-that-is-longer-than-many-others"};
    for (size_t i = 0; i < MEMBERS; i++)
        members[i] = (struct fleet_member){
            .name = names[i], .class_name = "production", .deadline_ms = 300000};
    settle(&members[0], OUTCOME_CLEAN, ERR_NONE, 0);
    settle(&members[1], OUTCOME_FAILED, ERR_LOCK, 11);
    settle(&members[2], OUTCOME_FAILED, ERR_CONFIG, 78);
    settle(&members[3], OUTCOME_RESIDUE, ERR_NONE, 2);
    settle(&members[4], OUTCOME_NO_ACCESS, ERR_CONNECT, 10);
    members[3].axdb_rows = 123456;
    return (struct fleet){.command = "verify",
                          .config_file = "/etc/dwclean/config.ini",
                          .options = "",
                          .members = members,
                          .count = MEMBERS,
                          .jobs = 8,
                          .started_utc_ms = 1000,
                          .ended_utc_ms = 3000,
                          .duration_ms = 2000};
}

static const char *
need(const char *text, const char *part)
{
    const char *found = strstr(text, part);
    if (!found)
        fail_msg("%s is not in\n%s", part, text);
    return found;
}

static void
the_text_has_a_table_and_the_worst_first(void **state)
{
    static const unsigned widths[] = {80, 60};
    struct fleet_member members[MEMBERS];
    struct fleet fleet = a_fleet(members);
    struct err err;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct report_place here = {.width = widths[i]};
        TEXT_SCOPED text = {0};
        assert_true(fleet_report(&fleet, REPORT_TEXT, &here, &text, &err));
        const char *all = text_string(&text);
        assert_int_equal(strncmp(all, "FAILED  1 of 5 environments is clean;", 30), 0);
        assert_null(strchr(all, '\x1b'));
        assert_null(strchr(all, '\r'));
        const char *failed = need(all, "\n  verdict"), *residue = need(all, "\nit's  RESIDUE");
        assert_true(failed < residue);
        assert_true(residue < need(all, "\nbusy  FAILED"));
        assert_true(need(all, "\nbusy  FAILED") < need(all, "others  NO-ACCESS"));
        assert_null(strstr(all, "\ngood  CLEAN"));
        need(all, "--env 'it'\\''s'");
        need(all, "123456");
        need(all, "1, the worst of all");
    }
    fleet_done(&fleet);
}

static void
every_line_is_as_wide_as_the_place(void **state)
{
    static const unsigned widths[] = {80, 60};
    struct fleet_member members[MEMBERS];
    struct fleet fleet = a_fleet(members);
    struct err err;
    (void)state;
    members[2].name = "other";
    for (size_t i = 0; i < 2; i++) {
        const struct report_place here = {.width = widths[i]};
        TEXT_SCOPED text = {0};
        assert_true(fleet_report(&fleet, REPORT_TEXT, &here, &text, &err));
        for (const char *p = text_string(&text); *p;) {
            const size_t size = strcspn(p, "\n");
            /* a word that is longer is not broken */
            if (size > widths[i] && !strstr(p, "with-a-name"))
                fail_msg("wider than %u: %.*s", widths[i], (int)size, p);
            p += size + (p[size] ? 1 : 0);
        }
    }
    fleet_done(&fleet);
}

static void
the_json_has_counts_and_every_environment(void **state)
{
    struct fleet_member members[MEMBERS];
    struct fleet fleet = a_fleet(members);
    TEXT_SCOPED text = {0};
    struct err err;
    (void)state;
    fleet.signal = 15;
    assert_true(fleet_report(&fleet, REPORT_JSON, &place, &text, &err));
    cJSON *json = cJSON_Parse(text_string(&text));
    assert_non_null(json);
    assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(json, "exit_status")), 143);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "outcome")), "interrupted");
    const cJSON *counts = cJSON_GetObjectItem(json, "counts");
    assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(counts, "failed")), 2);
    assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(counts, "other")), 0);
    const cJSON *all = cJSON_GetObjectItem(json, "environments");
    assert_int_equal(cJSON_GetArraySize(all), MEMBERS);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(cJSON_GetArrayItem(all, 1), "report")));
    cJSON_Delete(json);
    fleet_done(&fleet);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_the_order_that_occurs_is_the_status),
        cmocka_unit_test(what_is_no_status_of_a_look_counts_as_failed),
        cmocka_unit_test(a_message_arrives_as_it_was_sent),
        cmocka_unit_test(a_text_that_is_not_whole_is_no_reason_to_doubt_a_message),
        cmocka_unit_test(rows_that_are_not_known_are_not_counted),
        cmocka_unit_test(a_message_that_was_cut_or_has_more_is_not_believed),
        cmocka_unit_test(a_message_that_contradicts_itself_is_not_believed),
        cmocka_unit_test(rubbish_is_not_believed),
        cmocka_unit_test(the_text_has_a_table_and_the_worst_first),
        cmocka_unit_test(every_line_is_as_wide_as_the_place),
        cmocka_unit_test(the_json_has_counts_and_every_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
