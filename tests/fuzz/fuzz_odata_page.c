/* A page of rows. What the scanner accepts, a general JSON reader accepts too, and both see the
 * same rows and members; every row lies inside the page. */
#include "base/arena.h"
#include "dataverse/list.h"
#include "dataverse/organization_names.h"
#include "dataverse/rows.h"
#include "fuzz.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 1 << 20, WALKED_MAX = 64 };

static const char *const left_out[] = {"@odata.etag", "@odata.context"};

static bool
lies_in(struct slice part, struct slice whole)
{
    return part.size == 0 || (part.data >= whole.data && part.size <= whole.size &&
                              (size_t)(part.data - whole.data) <= whole.size - part.size);
}

/** cJSON refuses the escape of half a surrogate pair, which JSON allows: NULL. */
static cJSON *
general(struct slice text)
{
    cJSON *json = cJSON_ParseWithLength((const char *)text.data, text.size);
    FUZZ_MUST(cJSON_IsObject(json) || memmem(text.data, text.size, "\\u", 2));
    return json;
}

static void
members_are_those_of(struct slice object, const cJSON *json)
{
    struct rows_members members = rows_members_begin(object);
    struct rows_member member;
    int count = 0;
    while (rows_members_next(&members, &member)) {
        FUZZ_MUST(lies_in(member.name, object) && lies_in(member.value, object));
        FUZZ_MUST(member.value.size > 0);
        count++;
    }
    FUZZ_MUST(count == cJSON_GetArraySize(json));
}

/** What is kept of a row is an object too, and cJSON takes it unless it is said to be unusual. */
static void
copy_is_an_object(struct slice object)
{
    TEXT_SCOPED text = {0};
    struct rows_members members = rows_members_begin(object);
    struct list_row row;
    struct err err = {0};
    bool twice = false;

    if (!list_row_copy(&members, "id", &text, &row, &err)) {
        fuzz_must_say(&err);
        return;
    }
    FUZZ_MUST(row.object.size == text.used && rows_is_object(row.object));
    FUZZ_MUST(text_is_utf8(row.object.data, row.object.size));
    for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
        FUZZ_MUST(rows_member(row.object, left_out[i], &twice).size == 0 && !twice);
    cJSON *json = cJSON_ParseWithLength((const char *)row.object.data, row.object.size);
    FUZZ_MUST(row.unusual || cJSON_IsObject(json));
    cJSON_Delete(json);
}

static void
one_row(struct slice row, struct slice page, struct organization_names *names)
{
    struct list_row read;
    struct err err = {0};
    FUZZ_MUST(lies_in(row, page) && rows_is_object(row));
    cJSON *json = general(row);
    if (json)
        members_are_those_of(row, json);
    cJSON_Delete(json);
    copy_is_an_object(row);
    if (list_row_read(row, "id", &read, &err))
        FUZZ_MUST(strlen(read.key) == 36 && memchr(read.version, 0, sizeof(read.version)));
    else
        fuzz_must_say(&err);
    if (!organization_names_take(names, row, &err))
        fuzz_must_say(&err);
    FUZZ_MUST(names->count <= DIAGNOSIS_NAMES);
}

/** Counts rows, and walks each to its end. */
static bool
count_row(void *ctx, struct rows_members *members, struct err *err)
{
    int *count = ctx;
    struct rows_member member;

    (void)err;
    while (rows_members_next(members, &member))
        continue;
    ++*count;
    return true;
}

/** Read with a taker of its rows, the page is the same, or holds what is no row. */
static void
is_read_with_a_taker(struct slice text, const struct rows_page *page)
{
    int count = 0;
    int expected = 0;
    const struct rows_taker taker = {.ctx = &count, .take = count_row};
    struct rows_cursor cursor = rows_begin(page->value);
    struct rows_page read;
    struct slice row;
    struct err err;
    const char *why = NULL;
    enum rows_step step;

    while ((step = rows_next(&cursor, &row)) == ROWS_ROW)
        expected++;
    FUZZ_MUST(rows_page_read(text, &taker, &read, &why, &err) == (step == ROWS_END));
    FUZZ_MUST(count == expected);
    if (step == ROWS_END)
        FUZZ_MUST(read.value.data == page->value.data && read.value.size == page->value.size &&
                  read.next_link.data == page->next_link.data);
}

static void
rows_of(const struct rows_page *page, struct slice whole)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct organization_names names = {.arena = arena};
    struct rows_cursor cursor = rows_begin(page->value);
    cJSON *json = general(whole);
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, "value");
    struct slice row;
    enum rows_step step;
    int count = 0;

    FUZZ_MUST(arena && (!json || cJSON_IsArray(value)));
    while ((step = rows_next(&cursor, &row)) == ROWS_ROW)
        if (count++ < WALKED_MAX)
            one_row(row, whole, &names);
    if (json) {
        FUZZ_MUST(step == ROWS_BROKEN || count == cJSON_GetArraySize(value));
        FUZZ_MUST(step == ROWS_END || !cJSON_IsObject(cJSON_GetArrayItem(value, count)));
    }
    cJSON_Delete(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    size_t exact = 0;
    uint8_t *bytes = fuzz_bytes(&input, &exact);
    const struct slice text = slice_of(bytes, exact);
    struct rows_page page;
    struct err err;
    const char *why = NULL;
    char link[128];

    if (rows_page_read(text, NULL, &page, &why, &err)) {
        is_read_with_a_taker(text, &page);
        FUZZ_MUST(lies_in(page.value, text) && lies_in(page.next_link, text));
        FUZZ_MUST(rows_is_object(text));
        rows_of(&page, text);
        if (page.next_link.size && rows_string(page.next_link, link, sizeof(link)))
            FUZZ_MUST(memchr(link, 0, sizeof(link)));
    } else {
        FUZZ_MUST(why && *why);
    }
    free(bytes);
    return 0;
}
