#include "base/text.h"
#include "core/symptom.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct found {
    struct arena *arena;
    struct symptom_match list[SYMPTOM_MATCHES];
    size_t count;
};

static struct found *
find(const char *text, size_t size)
{
    struct found *found = calloc(1, sizeof *found);
    struct err err;

    assert_non_null(found);
    found->arena = arena_new((size_t)64 * 1024 * 1024);
    assert_non_null(found->arena);
    assert_true(symptom_find(text, size, found->arena, found->list, &found->count, &err));
    return found;
}

static void
done(struct found *found)
{
    arena_free(found->arena);
    free(found);
}

/** Adds to a text as much as fits. */
static void
append(char *text, size_t size, const char *more)
{
    const size_t used = strlen(text);

    (void)snprintf(text + used, size - used, "%s", more);
}

/** Exactly these ids, in this order, blanks between them. */
static void
expect(const char *text, const char *ids)
{
    struct found *found = find(text, strlen(text));
    char got[256] = "";

    for (size_t i = 0; i < found->count; i++)
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i ? " " : "",
                       found->list[i].symptom->id);
    if (strcmp(got, ids) != 0)
        print_error("of: %s\n", text);
    assert_string_equal(got, ids);
    done(found);
}

static void
every_documented_text_is_found(void **state)
{
    static const struct {
        const char *ids, *text;
    } cases[] = {
        {"S01", "SecureConfig Organization (ProjOpsTest4) does not match actual CRM Organization "
                "(org6459f7a8_195867911_20200717T174709)"},
        {"S02", "Unable to generate payload for entity CustCustomerV3Entity"},
        {"S02", "Invalid URI: The URI is empty."},
        {"S03", "failed to process entity account - (A connection attempt failed because the "
                "connected party did not properly respond"},
        {"S04", "Unable to write data to entity uoms. Writes to UnitOfMeasureEntity failed with "
                "error message Unable to sync with entity uoms."},
        {"S07", "The user is not a member of the organization."},
        {"S07", "0x80072560"},
        {"S08", "DWDVEV1004"},
        {"S08", "Health check: DWFOEV1004 Stale dual-write configuration"},
        {"S09", "DWDVEV1001"},
        {"S09", "dwfoev1001"},
        {"S10", "DWDVEV1003"},
        {"S11", "DWFOEV1006"},
        {"S11", "DWDVEV1007"},
        {"S12", "DW9003"},
        {"S12", "Failed to connect to AX. Ensure that the service principal has the correct "
                "permissions to access AX."},
        {"S13", "Microsoft has detected that your environment is linked via Dual-write to a "
                "different destination than specified in Power Platform Integration, which is not "
                "recommended."},
        {"S14", "Saving connection set failed! An item with the same key has already been added."},
        {"S15", "Response status code doesn't indicate success: 404 (Not Found)."},
        {"S16", "Failed to setup dual write environment. Error Details:Response status code does "
                "not indicate success: 403 (Forbidden)."},
        {"S17", "Unable to get partition map for project 1. Error: Exceeds the maximum partitions "
                "allowed for mapping"},
        {"S18", "Invalid column name 'ISDELETE'."},
        {"S18", "Call to TTSCOMMIT without first calling TTSBEGIN."},
        {"S19", "Missing source field msdyn_x.name in the schema."},
        {"S21", "Cannot update a party's type from 'DirOrganization' to 'DirPerson'"},
        {"S22", "Environment is not linked, exiting"},
        {"S23", "The remote server returned an error: (403) Forbidden.), AX export encountered an "
                "error"},
        {"S24", "The dual-write registration and runtime plugins are enabled"},
        {"DWDVEV1002", "DWFOEV1005"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(cases[i].text, cases[i].ids);
}

static void
writing_does_not_matter(void **state)
{
    (void)state;
    expect("SECURECONFIG   Organization\r\n\t(a) DOESN'T match\xC2\xA0"
           "actual crm organization (b)",
           "S01");
    expect("SecureConfig Organization (a) doesn\xE2\x80\x99t match actual CRM Organization (b)",
           "S01");
    expect("{\\\"message\\\":\\\"Invalid column name \\'ISDELETE\\'.\\\"}", "S18");
    expect("Invalid column name \xE2\x80\x98ISDELETE\xE2\x80\x99.", "S18");
    expect("the user isn\xE2\x80\x99t a member of the organization", "S07");
}

static void
what_is_only_similar_is_not_found(void **state)
{
    static const char *const texts[] = {
        "",
        "everything is fine",
        "SecureConfig Organization (a) matches actual CRM Organization (a)",
        "SecureConfig Organization",
        "A connection attempt failed because the connected party did not properly respond",
        "Response status code does not indicate success: 500 (Internal Server Error).",
        ("Failed to setup dual write environment. Error Details:Response status code does not "
         "indicate success: 500"),
        "Missing source field",
        "Invalid column name 'NAME'.",
        "DWFOEV9999",
        "The environment is linked.",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        expect(texts[i], "");
}

static void
several_errors_come_in_their_order_and_pairs_once(void **state)
{
    static const char text[] =
        "DWFOEV1004 x\nSecureConfig Organization (A) does not match actual CRM Organization (B)\n"
        "again: SecureConfig Organization (a) doesn't match actual CRM Organization (b)\n"
        "SecureConfig Organization (C) does not match actual CRM Organization (B)\n"
        "Invalid URI: The URI is empty.\nDWFOEV1004";
    struct found *found = find(text, sizeof text - 1);

    (void)state;
    assert_int_equal(found->count, 4);
    assert_string_equal(found->list[0].symptom->id, "S08");
    assert_string_equal(found->list[1].symptom->id, "S01");
    assert_string_equal(found->list[1].configured, "A");
    assert_string_equal(found->list[1].actual, "B");
    assert_string_equal(found->list[2].configured, "C");
    assert_string_equal(found->list[3].symptom->id, "S02");
    assert_non_null(strstr(found->list[3].excerpt, "Invalid URI"));
    done(found);
}

static void
names_that_are_not_said_are_not_known(void **state)
{
    static const char text[] = "SecureConfig Organization ("
                               "?"
                               "?"
                               "?"
                               ") does not match actual CRM Organization ()";
    struct found *found = find(text, sizeof text - 1);

    (void)state;
    assert_int_equal(found->count, 1);
    assert_null(found->list[0].configured);
    assert_null(found->list[0].actual);
    done(found);
}

static void
any_bytes_are_searched_without_harm(void **state)
{
    enum { SIZE = SYMPTOM_TEXT_MAX_BYTES };
    static const char part[] = "SecureConfig Organization (";
    char *text = malloc(SIZE + 1);
    unsigned seed = 20261122;
    struct err err;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < SIZE; i++) {
        seed = seed * 1664525U + 1013904223U;
        text[i] = (char)(seed >> 24);
    }
    done(find(text, SIZE));
    for (size_t i = 0; i + sizeof part - 1 <= SIZE; i += sizeof part - 1)
        for (size_t k = 0; k + 1 < sizeof part; k++)
            text[i + k] = part[k];
    done(find(text, SIZE)); /* must not take quadratic time */
    memset(text, '\'', SIZE);
    for (size_t i = 0; i < SIZE; i++)
        text[i] = "an't"[i % 4]; /* all of them grow */
    done(find(text, SIZE));
    for (size_t i = 1; i < SIZE; i++)
        text[i] = "n't"[i % 3]; /* the letter in front is another one's end */
    struct found *found = find(text, SIZE);
    assert_int_equal(found->count, 0);
    assert_false(symptom_find(text, SIZE + 1, found->arena, found->list, &found->count, &err));
    assert_int_equal(err.code, ERR_USAGE);
    done(found);
    free(text);
}

static void
the_table_is_whole(void **state)
{
    size_t count = 0;
    const struct symptom *list = symptoms(&count);

    (void)state;
    assert_int_equal(count, 28); /* 27 and the codes that only a draft had */
    for (size_t i = 0; i < count; i++) {
        char keys[64], *rest = keys;
        assert_ptr_equal(symptom_by_id(list[i].id), &list[i]);
        assert_true(list[i].texts[0] || list[i].sign);
        assert_true(*list[i].title && *list[i].cause && list[i].steps[0] && *list[i].checks);
        (void)snprintf(keys, sizeof keys, "%s", list[i].source);
        for (char *key; (key = strsep(&rest, " "));)
            assert_non_null(symptom_source(key));
        for (size_t k = 0; k < SYMPTOM_TEXTS && list[i].texts[k]; k++) {
            /* written as it is looked for */
            struct arena *arena = arena_new((size_t)1024 * 1024);
            assert_non_null(arena);
            const char *text = list[i].texts[k];
            assert_string_equal(symptom_fold(text, strlen(text), true, arena), text);
            arena_free(arena);
        }
    }
    assert_null(symptom_by_id("S99"));
    assert_null(symptom_source("NOWHERE"));
}

/** What is around a place has whole characters only, wherever it is cut. */
static void
an_excerpt_is_cut_between_characters(void **state)
{
    (void)state;
    for (size_t lead = 0; lead < 8; lead++) {
        char text[1024] = "";
        struct found *found;

        for (size_t i = 0; i < lead; i++)
            append(text, sizeof text, "x");
        for (size_t i = 0; i < 30; i++)
            append(text, sizeof text, "\xC3\xA4");
        append(text, sizeof text, "DWFOEV1004");
        for (size_t i = 0; i < 200; i++)
            append(text, sizeof text, "\xE2\x82\xAC");
        found = find(text, strlen(text));
        assert_int_equal(found->count, 1);
        assert_true(text_is_utf8(found->list[0].excerpt, strlen(found->list[0].excerpt)));
        assert_true(strlen(found->list[0].excerpt) <= 300);
        assert_non_null(strstr(found->list[0].excerpt, "DWFOEV1004"));
        done(found);
    }
}

static void
no_more_matches_are_told_than_there_is_room_for(void **state)
{
    char text[16384] = "";
    struct found *found;

    (void)state;
    for (int i = 0; i < SYMPTOM_MATCHES + 10; i++) {
        char pair[128];

        (void)snprintf(pair, sizeof pair,
                       "SecureConfig Organization (org%d) does not match actual CRM Organization "
                       "(UAT). ",
                       i);
        append(text, sizeof text, pair);
    }
    append(text, sizeof text, "DWFOEV1004");
    found = find(text, strlen(text));
    assert_int_equal(found->count, SYMPTOM_MATCHES);
    assert_string_equal(found->list[SYMPTOM_MATCHES - 1].configured, "org63");
    done(found);
}

/** The same pair again says nothing new, and neither does one without names. */
static void
pairs_are_told_apart_by_both_names(void **state)
{
    static const struct {
        const char *first, *second;
        size_t count;
    } cases[] = {{"(a) does not match actual CRM Organization (b)",
                  "(A) does not match actual CRM Organization (B)", 1},
                 {"(a) does not match actual CRM Organization (b)",
                  "(a) does not match actual CRM Organization (c)", 2},
                 {"(a) does not match actual CRM Organization (b)",
                  "(c) does not match actual CRM Organization (b)", 2},
                 {"(?) does not match actual CRM Organization (?)",
                  "() does not match actual CRM Organization ( )", 1},
                 {"(?) does not match actual CRM Organization (b)",
                  "(a) does not match actual CRM Organization (?)", 2}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        struct found *found;

        (void)snprintf(text, sizeof text,
                       "SecureConfig Organization %s. SecureConfig Organization %s", cases[i].first,
                       cases[i].second);
        found = find(text, strlen(text));
        if (found->count != cases[i].count)
            fail_msg("case %zu: %zu", i, found->count);
        done(found);
    }
}

static void
the_first_of_several_texts_is_the_place(void **state)
{
    static const char *const texts[] = {
        "Unable to generate payload for entity X. Invalid URI: The URI is empty.",
        "Invalid URI: The URI is empty. Unable to generate payload for entity X."};
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct found *found = find(texts[i], strlen(texts[i]));

        assert_int_equal(found->count, 1);
        assert_string_equal(found->list[0].excerpt, texts[i]);
        done(found);
    }
    const struct symptom *all = symptoms(&count);

    for (size_t i = 0; i < count; i++)
        assert_null(all[i].texts[SYMPTOM_TEXTS]);
}

static void
bytes_that_begin_no_character_are_left_out(void **state)
{
    static const char text[] = "\xBF\xBF"
                               "DWFOEV1004";
    struct found *found;

    (void)state;
    found = find(text, sizeof text - 1);
    assert_int_equal(found->count, 1);
    assert_string_equal(found->list[0].excerpt, "DWFOEV1004");
    assert_string_equal(symptom_fold("can't DON'T x n't", 17, false, found->arena),
                        "ca not DO not x n't");
    done(found);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_documented_text_is_found),
        cmocka_unit_test(writing_does_not_matter),
        cmocka_unit_test(what_is_only_similar_is_not_found),
        cmocka_unit_test(several_errors_come_in_their_order_and_pairs_once),
        cmocka_unit_test(names_that_are_not_said_are_not_known),
        cmocka_unit_test(any_bytes_are_searched_without_harm),
        cmocka_unit_test(the_table_is_whole),
        cmocka_unit_test(an_excerpt_is_cut_between_characters),
        cmocka_unit_test(no_more_matches_are_told_than_there_is_room_for),
        cmocka_unit_test(pairs_are_told_apart_by_both_names),
        cmocka_unit_test(the_first_of_several_texts_is_the_place),
        cmocka_unit_test(bytes_that_begin_no_character_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
