/* The transformations of text that everything else is built on: each has its way back. */
#include "base/parse.h"
#include "base/text.h"
#include "fuzz.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
base64_comes_back(const uint8_t *bytes, size_t size)
{
    TEXT_SCOPED text = {0};
    unsigned char *back = NULL;
    size_t back_size = 0;
    text_append_base64(&text, bytes, size);
    FUZZ_MUST(text_decode_base64(text_string(&text), text.used, &back, &back_size));
    FUZZ_MUST(back_size == size && (size == 0 || memcmp(back, bytes, size) == 0));
    free(back);
    /* strict: what is accepted is the only spelling of its bytes */
    if (text_decode_base64((const char *)bytes, size, &back, &back_size)) {
        text_reset(&text);
        text_append_base64(&text, back, back_size);
        FUZZ_MUST(text.used == size && (size == 0 || memcmp(text.data, bytes, size) == 0));
        free(back);
    }
}

static void
hex_comes_back(const uint8_t *bytes, size_t size)
{
    TEXT_SCOPED text = {0};
    unsigned char *back = malloc(size + 1);
    FUZZ_MUST(back);
    text_append_hex(&text, bytes, size);
    FUZZ_MUST(text_decode_hex(text_string(&text), text.used, back));
    FUZZ_MUST(size == 0 || memcmp(back, bytes, size) == 0);
    if (size % 2 == 0)
        (void)!text_decode_hex((const char *)bytes, size, back);
    free(back);
}

static void
json_is_json(const uint8_t *bytes, size_t size)
{
    TEXT_SCOPED text = {0};
    text_append_json(&text, (const char *)bytes, size);
    FUZZ_MUST(text_is_utf8(text.data, text.used));
    for (size_t i = 0; i < text.used; i++)
        FUZZ_MUST((unsigned char)text.data[i] >= 0x20);
    cJSON *json = cJSON_ParseWithLength(text_string(&text), text.used + 1);
    FUZZ_MUST(cJSON_IsString(json));
    if (text_is_utf8(bytes, size)) /* which has no byte 0 */
        FUZZ_MUST(strlen(json->valuestring) == size &&
                  (size == 0 || memcmp(json->valuestring, bytes, size) == 0));
    cJSON_Delete(json);
}

/** Nothing of it moves a cursor or forges a line, and no two texts look the same. */
static void
shown_is_harmless(const uint8_t *bytes, size_t size)
{
    TEXT_SCOPED text = {0};
    text_append_shown(&text, (const char *)bytes, size);
    FUZZ_MUST(text.used == 0 || text_is_utf8(text.data, text.used));
    for (size_t i = 0; i < text.used; i++)
        FUZZ_MUST((unsigned char)text.data[i] >= 0x20 && text.data[i] != 0x7F);
    for (size_t i = 0; i + 1 < text.used; i++) /* C1 */
        FUZZ_MUST(!((unsigned char)text.data[i] == 0xC2 && (unsigned char)text.data[i + 1] < 0xA0));
    for (size_t i = 0; i + 2 < text.used; i++) /* U+2028 to U+202E */
        FUZZ_MUST(
            !((unsigned char)text.data[i] == 0xE2 && (unsigned char)text.data[i + 1] == 0x80 &&
              (unsigned char)text.data[i + 2] >= 0xA8 && (unsigned char)text.data[i + 2] <= 0xAE));
}

static void
utf16_is_utf8(const uint8_t *bytes, size_t size)
{
    TEXT_SCOPED text = {0};
    const bool whole = text_append_utf16le(&text, slice_of(bytes, size));
    bool nul = false;
    FUZZ_MUST(!whole || size % 2 == 0);
    for (size_t i = 0; i + 1 < size; i += 2)
        nul = nul || (bytes[i] == 0 && bytes[i + 1] == 0);
    FUZZ_MUST(nul || text.used == 0 || text_is_utf8(text.data, text.used));
}

static void
numbers_are_strict(const char *string)
{
    struct err err = {0};
    char again[32];
    int64_t number = 0;
    if (parse_int(string, INT64_MIN, INT64_MAX, &number)) {
        (void)snprintf(again, sizeof(again), "%lld", (long long)number);
        string += *string == '-';
        string += strspn(string, "0") - (string[strspn(string, "0")] ? 0 : 1);
        FUZZ_MUST(strcmp(again + (*again == '-'), string) == 0);
    }
    if (parse_duration_ms(string, 1000, &number))
        FUZZ_MUST(number >= 0 && number <= 1000);
    (void)err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    size_t exact = 0;
    uint8_t *bytes = fuzz_bytes(&input, &exact);
    input = (struct fuzz_input){data, size};
    char *string = fuzz_rest(&input);

    base64_comes_back(bytes, exact);
    hex_comes_back(bytes, exact);
    json_is_json(bytes, exact);
    shown_is_harmless(bytes, exact);
    utf16_is_utf8(bytes, exact);
    numbers_are_strict(string);
    free(bytes);
    free(string);
    return 0;
}
