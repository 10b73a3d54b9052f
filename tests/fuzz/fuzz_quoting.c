/* Names and values in T-SQL: whatever the catalog or a row holds, another lexer sees one token with
 * exactly that in it, whichever column it is for. The first byte chooses the type. */
#include "base/text.h"
#include "fuzz.h"
#include "lexed.h"
#include "mssql/batch.h"
#include "mssql/literal.h"
#include "mssql/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct column columns[] = {
    {.name = "a", .type_name = "nvarchar", .max_length = -1},
    {.name = "a", .type_name = "nchar", .max_length = 400},
    {.name = "a", .type_name = "varchar", .max_length = -1},
    {.name = "a", .type_name = "char", .max_length = 80},
    {.name = "a", .type_name = "varbinary", .max_length = -1},
    {.name = "a", .type_name = "binary", .max_length = 4},
    {.name = "a", .type_name = "bigint", .max_length = 8},
    {.name = "a", .type_name = "bit", .max_length = 1},
    {.name = "a", .type_name = "decimal", .max_length = 17, .precision = 38, .scale = 6},
    {.name = "a", .type_name = "numeric", .max_length = 5, .precision = 5, .scale = 5},
    {.name = "a", .type_name = "money", .max_length = 8},
    {.name = "a", .type_name = "float", .max_length = 8},
    {.name = "a", .type_name = "real", .max_length = 4},
    {.name = "a", .type_name = "date", .max_length = 3},
    {.name = "a", .type_name = "time", .max_length = 5, .scale = 7},
    {.name = "a", .type_name = "datetime2", .max_length = 8, .scale = 3},
    {.name = "a", .type_name = "datetimeoffset", .max_length = 10, .scale = 7},
    {.name = "a", .type_name = "datetime", .max_length = 8},
    {.name = "a", .type_name = "smalldatetime", .max_length = 4},
    {.name = "a", .type_name = "uniqueidentifier", .max_length = 16},
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

/** `text` = "EXACTLY(" in the tokens, then a comma or bracket: what a literal may call. */
static bool
is_word(const struct lexed_token *token, const char *word)
{
    return token->size == strlen(word) && memcmp(token->bytes, word, token->size) == 0;
}

static void
name_is_one_token(const char *name)
{
    TEXT_SCOPED text = {0};
    struct lexed lexed;
    struct err err = {0};
    if (!batch_identifier(&text, name, &err)) {
        fuzz_must_say(&err);
        FUZZ_MUST(text.used == 0);
        return;
    }
    lexed_read(text_string(&text), text.used, &lexed);
    FUZZ_MUST(lexed.count == 1 && lexed.tokens[0].kind == LEXED_NAME);
    FUZZ_MUST(is_word(&lexed.tokens[0], name));
    lexed_done(&lexed);
    /* and within a batch: the value of a variable is not expanded again */
    TEXT_SCOPED batch = {0};
    const struct batch_variable variable = {.name = "table", .value = text_string(&text)};
    FUZZ_MUST(
        batch_expand("-- table\nSELECT 1 FROM $(table) -- $(table)\n", &variable, 1, &batch, &err));
    FUZZ_MUST(strncmp(text_string(&batch), "SELECT 1 FROM [", 15) == 0);
    FUZZ_MUST(batch.used == strlen("SELECT 1 FROM  -- \n") + 2 * text.used);
}

/** The bytes that the tokens of a character or binary literal stand for. */
static void
bytes_come_back(const struct lexed *lexed, const struct column *column, struct slice bytes)
{
    const bool wide = column->type_name[0] == 'n';
    const struct lexed_token *token = &lexed->tokens[0];
    if (lexed->count > 1) { /* CONVERT(nvarchar(n),0x...) */
        FUZZ_MUST(wide && is_word(token, "CONVERT") && is_word(&lexed->tokens[1], "(") &&
                  is_word(&lexed->tokens[2], "nvarchar") && is_word(&lexed->tokens[3], "("));
        FUZZ_MUST(lexed->count == 9 && is_word(&lexed->tokens[5], ")") &&
                  is_word(&lexed->tokens[6], ",") && is_word(&lexed->tokens[8], ")"));
        const size_t length = strtoul((const char *)lexed->tokens[4].bytes, NULL, 10);
        FUZZ_MUST(is_word(&lexed->tokens[4], "max") || length * 2 == bytes.size);
        token = &lexed->tokens[7];
        FUZZ_MUST(token->kind == LEXED_HEX);
    }
    if (token->kind == LEXED_NARROW) { /* ASCII, which the lexer has as UTF-16 */
        FUZZ_MUST(!wide && token->size == 2 * bytes.size);
        for (size_t i = 0; i < bytes.size; i++)
            FUZZ_MUST(token->bytes[2 * i] == bytes.data[i] && token->bytes[2 * i + 1] == 0);
        return;
    }
    FUZZ_MUST(token->kind == LEXED_HEX || (wide && token->kind == LEXED_WIDE));
    FUZZ_MUST(slice_equal(slice_of(token->bytes, token->size), bytes));
}

/** Numbers and dates: signs, digits, and quoted text that holds nothing else. */
static void
must_be_harmless(const struct lexed *lexed)
{
    static const char *const words[] = {"CONVERT", "real", "(", ")", ",", "*", "-"};
    for (int i = 0; i < lexed->count; i++) {
        const struct lexed_token *token = &lexed->tokens[i];
        bool good = token->kind == LEXED_NUMBER || token->kind == LEXED_NARROW;
        for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
            good = good || is_word(token, words[k]);
        FUZZ_MUST(good);
        for (size_t k = 0; token->kind == LEXED_NARROW && k < token->size; k += 2)
            FUZZ_MUST(strchr("0123456789ABCDEF+-.:T", token->bytes[k]) && token->bytes[k + 1] == 0);
    }
}

static void
value_is_a_literal(const struct column *column, struct slice bytes, bool portable)
{
    const struct literal_style style = {.portable = portable};
    const struct field field = {.bytes = bytes};
    TEXT_SCOPED text = {0}, proof = {0};
    struct lexed lexed;
    struct err err = {0};
    bool any = false;
    if (!literal_append(column, &field, &style, &text, &err)) {
        fuzz_must_say(&err);
        FUZZ_MUST(text.used == 0);
        return;
    }
    for (size_t i = 0; portable && i < text.used; i++)
        FUZZ_MUST((unsigned char)text.data[i] >= 0x20 && (unsigned char)text.data[i] < 0x7F);
    FUZZ_MUST(!portable || !strstr(text_string(&text), "$("));
    lexed_read(text_string(&text), text.used, &lexed);
    FUZZ_MUST(lexed.count > 0);
    if (value_is_bytes(value_kind_of(column->type_name)))
        bytes_come_back(&lexed, column, bytes);
    else
        must_be_harmless(&lexed);
    lexed_done(&lexed);
    FUZZ_MUST(literal_append_proof(column, &field, &proof, &any, &err));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const uint8_t which = fuzz_byte(&input);
    struct fuzz_input copy = input;
    char *name = fuzz_rest(&copy);
    size_t exact = 0;
    uint8_t *bytes = fuzz_bytes(&input, &exact);

    name_is_one_token(name);
    value_is_a_literal(&columns[which % 128 % COLUMNS], slice_of(bytes, exact), which >= 128);
    free(bytes);
    free(name);
    return 0;
}
