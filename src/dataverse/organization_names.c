#include "organization_names.h"

#include "base/text.h"
#include "rows.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <string.h>

static const char word[] = "organization";

enum { WORD_CHARS = sizeof word - 1, TAIL_BYTES = 16 };

/** What stands behind the last `word` of a key; NULL when it is not in it. */
static const char *
find_tail(const char *key)
{
    const char *tail = NULL;

    for (const char *at = strcasestr(key, word); at; at = strcasestr(at + 1, word))
        tail = at + WORD_CHARS;
    return tail;
}

bool
organization_key(const char *key, bool *ret_sure)
{
    static const char *const names[] = {"",    "name",         "uniquename", "displayname", "id",
                                        "url", "friendlyname", "urlname",    "host"};
    const char *tail = find_tail(key);
    char plain[TAIL_BYTES];
    size_t size = 0;

    *ret_sure = false;
    /* "organizational" is another word; "@" is the service's own remark about a column */
    if (!tail || strncasecmp(tail, "al", 2) == 0 || strchr(key, '@'))
        return false;
    for (; *tail && size < TAIL_BYTES - 1; tail++)
        if (isalnum((unsigned char)*tail))
            plain[size++] = (char)tolower((unsigned char)*tail);
    plain[size] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        *ret_sure |= !*tail && strcmp(plain, names[i]) == 0;
    return true;
}

/** Every table has these: the organization that the row lies in, not the one that it names. */
static bool
is_of_the_table(const char *column)
{
    return strcmp(column, "organizationid") == 0 || strcmp(column, "_organizationid_value") == 0;
}

static bool
is_name(const char *text)
{
    const size_t size = strlen(text);

    if (size == 0 || size >= DIAGNOSIS_NAME_BYTES || !text_is_utf8(text, size))
        return false;
    for (const char *at = text; *at; at++)
        if (iscntrl((unsigned char)*at))
            return false;
    return text[strspn(text, " ")] != '\0';
}

static void
take_name(struct organization_names *names, const char *text, bool sure)
{
    size_t at = 0;

    if (!is_name(text))
        return;
    while (at < names->count && !text_equal_nocase(names->list[at].name, text))
        at++;
    if (at == DIAGNOSIS_NAMES) {
        names->more = true;
        return;
    }
    if (at == names->count) {
        names->list[at] = (struct organization_name){.name = arena_string(names->arena, text)};
        if (!names->list[at].name) {
            names->exhausted = true;
            return;
        }
        names->seen_in[at] = 0;
        names->count++;
    }
    names->list[at].sure |= sure;
    names->list[at].rows += names->seen_in[at] != names->rows_read;
    names->seen_in[at] = names->rows_read;
}

static void walk(struct organization_names *names, const cJSON *item, const char *key,
                 unsigned depth);

/** A text that is JSON of its own. */
static void
walk_text(struct organization_names *names, const char *text, const char *key, unsigned depth)
{
    const size_t size = strlen(text);
    /* a NUL would end a name early, and make it another one */
    cJSON *json = rows_hold_nul(slice_of(text, size)) ? NULL : cJSON_ParseWithLength(text, size);

    if (json)
        walk(names, json, key, depth + 1);
    else
        names->whole = false;
    cJSON_Delete(json);
}

/** `key` is the nearest one above, "" when there is none. */
static void
walk(struct organization_names *names, const cJSON *item, const char *key, unsigned depth)
{
    const cJSON *child;
    bool sure;

    if (depth >= ORGANIZATION_DEPTH_MAX) {
        names->whole = false;
        return;
    }
    if (cJSON_IsString(item)) {
        const char first = item->valuestring[strspn(item->valuestring, " \t\r\n")];

        if (first == '{' || first == '[' || first == '"')
            walk_text(names, item->valuestring, key, depth);
        else if (organization_key(key, &sure))
            take_name(names, item->valuestring, sure);
        return;
    }
    cJSON_ArrayForEach(child, item)
    {
        if (depth > 0 || !is_of_the_table(child->string ? child->string : ""))
            walk(names, child, child->string ? child->string : key, depth + 1);
    }
}

bool
organization_names_take(struct organization_names *names, struct slice row, struct err *err)
{
    cJSON *json = NULL;

    names->rows_read++;
    names->whole = row.size <= ORGANIZATION_ROW_MAX_BYTES && !rows_hold_nul(row);
    if (names->whole)
        json = cJSON_ParseWithLength((const char *)row.data, row.size);
    if (json)
        walk(names, json, "", 0);
    names->rows_scanned += json && names->whole;
    cJSON_Delete(json);
    return !names->exhausted || arena_exhausted(err);
}
