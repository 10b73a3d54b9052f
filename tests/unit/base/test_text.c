#include "base/text.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static void
json_strings_are_escaped_and_stay_utf8(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *json;
    } cases[] = {
        {"plain", 5, "\"plain\""},
        {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
        {"\n\t\x01\x7f", 4, "\"\\n\\u0009\\u0001\\u007f\""},
        {"a\0b", 3, "\"a\\u0000b\""},
        {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", 11, "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\""},
        {"bad \xff\xc3", 6, "\"bad \xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* a surrogate */
        {"\xc0\xaf", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* an overlong form */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TEXT_SCOPED text = {0};

        text_append_json(&text, cases[i].bytes, cases[i].size);
        assert_string_equal(text_string(&text), cases[i].json);
    }
}

static void
what_is_shown_cannot_move_the_cursor(void **state)
{
    static const char hostile[] = "a\x1b[31mred\r\n\xe2\x80\xae"
                                  "x\\ \xc2\x9b \xff";
    TEXT_SCOPED text = {0};

    (void)state;
    text_append_shown(&text, hostile, sizeof hostile - 1);
    assert_string_equal(text_string(&text),
                        "a\\x1b[31mred\\x0d\\x0a\\u{202e}x\\\\ \\u{009b} \\xff");
}

static void
json_that_is_looked_at_cannot_either_and_is_the_same_string(void **state)
{
    static const char hostile[] = "a\x1b\"\xe2\x80\xae"
                                  "x\xc3\xa9\\ \xc2\x9b \xf3\xa0\x81\x81 \xf0\x9f\x9a\x80\xff";
    TEXT_SCOPED text = {0};

    (void)state;
    text_append_json_shown(&text, hostile, sizeof hostile - 1);
    assert_string_equal(text_string(&text),
                        "\"a\\u001b\\\"\\u202ex\xc3\xa9\\\\ \\u009b \\udb40\\udc41 "
                        "\xf0\x9f\x9a\x80\xef\xbf\xbd\"");
}

static void
utf16_becomes_utf8_and_its_faults_are_told(void **state)
{
    static const unsigned char good[] = {'a', 0, 0xFC, 0, 0x3D, 0xD8, 0x00, 0xDE};
    static const unsigned char lone[] = {'a', 0, 0x3D, 0xD8, 'b', 0};
    static const unsigned char odd[] = {'a', 0, 'b'};
    TEXT_SCOPED text = {0};

    (void)state;
    assert_true(text_append_utf16le(&text, slice_of(good, sizeof good)));
    assert_string_equal(text_string(&text), "a\xc3\xbc\xf0\x9f\x98\x80");
    text_reset(&text);
    assert_false(text_append_utf16le(&text, slice_of(lone, sizeof lone)));
    assert_string_equal(text_string(&text), "a\xef\xbf\xbd"
                                            "b");
    text_reset(&text);
    assert_false(text_append_utf16le(&text, slice_of(odd, sizeof odd)));
}

static void
base64_goes_there_and_back_and_is_strict(void **state)
{
    static const char *const wrong[] = {"A",    "AA",   "AAA",   "A===",     "AA=A",
                                        "AB==", "AAB=", "AA\n=", "AAAA=AAA", "A-AA"};

    (void)state;
    for (size_t size = 0; size < 70; size++) {
        TEXT_SCOPED text = {0};
        unsigned char bytes[70];
        unsigned char *back = NULL;
        size_t back_size = 0;

        for (size_t i = 0; i < size; i++)
            bytes[i] = (unsigned char)(i * 37 + size);
        text_append_base64(&text, bytes, size);
        assert_true(text_decode_base64(text_string(&text), text.used, &back, &back_size));
        assert_int_equal(back_size, size);
        assert_memory_equal(back, bytes, size);
        free(back);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        unsigned char *back = NULL;
        size_t back_size = 0;

        assert_false(text_decode_base64(wrong[i], strlen(wrong[i]), &back, &back_size));
    }
}

static void
a_text_over_its_maximum_is_broken_and_says_so(void **state)
{
    TEXT_SCOPED text = {.max = 10};
    struct err err = {0};

    (void)state;
    text_append(&text, "1234567");
    assert_true(text_ok(&text, &err));
    text_append(&text, "890ab");
    text_append(&text, "x"); /* nothing more is taken, so that no text has holes */
    assert_false(text_ok(&text, &err));
    assert_string_equal(text_string(&text), "1234567");
}

static void
hexadecimal_goes_there_and_back(void **state)
{
    TEXT_SCOPED text = {0};
    unsigned char bytes[4] = {0, 1, 0xAB, 0xFF};
    unsigned char back[4];

    (void)state;
    text_append_hex(&text, bytes, sizeof bytes);
    assert_string_equal(text_string(&text), "0001abff");
    assert_true(text_decode_hex("0001ABff", 8, back));
    assert_memory_equal(back, bytes, 4);
    assert_false(text_decode_hex("0g", 2, back));
    assert_false(text_decode_hex("000", 3, back));
}

static void
names_compare_without_case(void **state)
{
    (void)state;
    assert_true(text_equal_nocase("RecId", "RECID"));
    assert_false(text_equal_nocase("RecId", "RECIDS"));
    assert_true(text_compare_nocase("a", "B") < 0);
    assert_true(text_compare_nocase("PROJECTNAME", "project") > 0);
}

/** Byte by byte, as it reads in the header. */
static size_t
plain_run_slowly(const unsigned char *at, size_t size)
{
    size_t run = 0;

    while (run < size && at[run] >= 0x20 && at[run] < 0x7F && at[run] != '"' && at[run] != '\\')
        run++;
    return run;
}

/** One character and no other: whatever is said of it cannot come from what lies beside it. */
static void
append_json_slowly(struct text *text, const char *at, size_t size)
{
    text_append(text, "\"");
    while (size) {
        TEXT_SCOPED one = {0};
        size_t step = 1;

        while (step < 4 && step < size && ((unsigned char)at[step] & 0xC0) == 0x80)
            step++;
        while (step > 1 && !text_is_utf8(at, step))
            step--;
        text_append_json(&one, at, step);
        text_append_bytes(text, one.data + 1, one.used - 2);
        at += step;
        size -= step;
    }
    text_append(text, "\"");
}

/** text_json_plain takes what it may and no more, byte by byte the same as a slow reader. */
static void
assert_plain_is_taken(const char *bytes, size_t size, bool wide)
{
    unsigned char *out =
        malloc(size + 1); /* of its own, so that a write behind the end is caught */
    size_t written = 0;
    size_t at = 0;

    assert_non_null(out);
    const size_t taken = text_json_plain(bytes, size, wide, out, &written);
    assert_true(taken <= size && written <= taken);
    for (size_t i = 0; i < written; i++) {
        const unsigned char byte = (unsigned char)bytes[at];
        const bool escaped = byte == '\\';
        assert_true(byte >= 0x20 && (wide || byte < 0x7F) && byte != '"');
        if (escaped)
            assert_true(bytes[at + 1] == '"' || bytes[at + 1] == '\\');
        assert_int_equal(out[i], escaped ? (unsigned char)bytes[at + 1] : byte);
        at += escaped ? 2 : 1;
    }
    assert_int_equal(at, taken);
    if (taken < size) /* there was a reason to stop */
        assert_true((unsigned char)bytes[taken] < 0x20 ||
                    (!wide && (unsigned char)bytes[taken] >= 0x7F) || bytes[taken] == '"' ||
                    bytes[taken] == '\\');
    free(out);
}

/** Texts of every length and place beside a word of eight bytes or a block of 64, full of what is
 * special. */
static void
special_bytes_are_found_wherever_they_stand(void **state)
{
    static const char alphabet[] =
        "ab cd~\"\\\n\x1f\x7f\x80\xa2\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xdc\xff";
    unsigned seed = 1;

    (void)state;
    for (size_t i = 0; i < 20000; i++) {
        const size_t size = i % 5 ? i % 41 : i % 331;
        const unsigned rare = i % 7 ? 3 : 31;
        const size_t letters = i % 3 ? sizeof alphabet - 1 : 6;
        char *bytes = malloc(size + 1); /* of its own, so that a read behind the end is caught */
        TEXT_SCOPED quick = {0};
        TEXT_SCOPED slow = {0};

        assert_non_null(bytes);
        for (size_t k = 0; k < size; k++) {
            seed = seed * 1103515245U + 12345U;
            bytes[k] = alphabet[seed >> 16 & rare ? 0 : (seed >> 18) % letters];
        }
        assert_int_equal(text_json_run(bytes, size),
                         plain_run_slowly((const unsigned char *)bytes, size));
        assert_plain_is_taken(bytes, size, false);
        assert_plain_is_taken(bytes, size, true);
        text_append_json(&quick, bytes, size);
        append_json_slowly(&slow, bytes, size);
        assert_string_equal(text_string(&quick), text_string(&slow));
        free(bytes);
    }
}

static void
bytes_that_are_no_utf8_are_found_wherever_they_stand(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        bool good;
    } cases[] = {
        {"x", 1, true},
        {"\0", 1, false},
        {"\xc3\xa9", 2, true},
        {"\xc3", 1, false},
        {"\xa9", 1, false},
        {"\xf0\x9f\x98\x80", 4, true},
        {"\xed\xa0\x80", 3, false},
        {"\xc0\xaf", 2, false},
        {"\xf4\x90\x80\x80", 4, false},
        {"\x7f\x01\"", 3, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t before = 0; before < 140; before += before < 20 ? 1 : 7)
            for (size_t after = 0; after < 20; after++) {
                const size_t size = before + cases[i].size + after;
                char *bytes = malloc(size);

                assert_non_null(bytes);
                memset(bytes, 'x', size);
                memcpy(bytes + before, cases[i].bytes, cases[i].size);
                assert_int_equal(text_is_utf8(bytes, size), cases[i].good);
                free(bytes);
            }
}

/** Long texts are written in pieces: none may end inside a character, also where there is no room
 * for a whole piece any more. */
static void
no_character_is_cut_where_a_piece_ends(void **state)
{
    static const char *const characters[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    enum { BYTES = 12000, LONGEST = 4 };
    char *bytes = malloc(BYTES + LONGEST);

    (void)state;
    assert_non_null(bytes);
    for (size_t front = 0; front < LONGEST; front++)
        for (size_t c = 0; c < sizeof characters / sizeof characters[0]; c++) {
            const size_t step = strlen(characters[c]);
            size_t size = front;
            struct text exact = {0};
            struct err err;

            memset(bytes, 'x', front);
            for (; size < BYTES; size += step)
                memcpy(bytes + size, characters[c], step);
            exact.max = size + 2;
            text_append_json(&exact, bytes, size);
            assert_true(text_ok(&exact, &err));
            assert_int_equal(exact.used, size + 2);
            assert_memory_equal(exact.data + 1, bytes, size);
            text_done(&exact);
        }
    free(bytes);
}

/** A text may hold its maximum, and what is written is what counts: not the room for the worst. */
static void
a_json_string_may_fill_the_maximum(void **state)
{
    char bytes[5000];

    (void)state;
    memset(bytes, 'x', sizeof bytes);
    for (size_t size = 4000; size <= sizeof bytes; size += 100) {
        struct text exact = {.max = size + 2};
        struct text small = {.max = size + 1};
        struct err err;

        text_append_json(&exact, bytes, size);
        text_append_json(&small, bytes, size);
        assert_true(text_ok(&exact, &err));
        assert_int_equal(exact.used, size + 2);
        assert_false(text_ok(&small, &err));
        text_done(&exact);
        text_done(&small);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_strings_are_escaped_and_stay_utf8),
        cmocka_unit_test(what_is_shown_cannot_move_the_cursor),
        cmocka_unit_test(json_that_is_looked_at_cannot_either_and_is_the_same_string),
        cmocka_unit_test(utf16_becomes_utf8_and_its_faults_are_told),
        cmocka_unit_test(base64_goes_there_and_back_and_is_strict),
        cmocka_unit_test(a_text_over_its_maximum_is_broken_and_says_so),
        cmocka_unit_test(special_bytes_are_found_wherever_they_stand),
        cmocka_unit_test(bytes_that_are_no_utf8_are_found_wherever_they_stand),
        cmocka_unit_test(no_character_is_cut_where_a_piece_ends),
        cmocka_unit_test(a_json_string_may_fill_the_maximum),
        cmocka_unit_test(hexadecimal_goes_there_and_back),
        cmocka_unit_test(names_compare_without_case),
    };

    return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
