#include "checks.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_OBSERVATIONS = 64 };

/** Which checks count for the status, before a relink and after it. All others are advisory. */
static const struct rule {
    const char *check;
    bool before, after;
} rules[] = {
    {"A-PIN", true, true},  {"A-SCHEMA", true, true}, {"A-ROWS", true, true},
    {"A-URL", false, true}, {"A-PAIR", false, true},  {"D-ORG", true, true},
    {"D-ROWS", true, true}, {"D-LINK", false, true},
};

static bool
is_required(const char *check, enum expectation expect)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (strcmp(check, rules[i].check) == 0)
            return expect == EXPECT_POST_RELINK ? rules[i].after : rules[i].before;
    return false;
}

const char *
rows_word(int64_t rows)
{
    return rows == 1 ? "row" : "rows";
}

struct observation *
observe(struct observations *list, const char *check, enum verdict verdict, const char *fmt, ...)
{
    static struct observation lost; /* where it goes when memory is out: nobody reads it */
    char text[1024];
    struct observation *seen;
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    assert(list->count < list->capacity);
    seen = &list->list[list->count++];
    *seen = (struct observation){.check = check,
                                 .required = is_required(check, list->expect),
                                 .verdict = verdict,
                                 .text = arena_string(list->arena, text)};
    if (seen->text)
        return seen;
    list->exhausted = true;
    seen->text = "";
    return &lost;
}

void
observe_unknown(struct observations *list, const char *check, const char *what,
                const struct err *why)
{
    struct observation *seen = observe(list, check, VERDICT_UNKNOWN, "%s: %s", what, why->primary);

    seen->cause = why->code;
    if (why->hint[0])
        seen->hint = arena_string(list->arena, why->hint);
}

bool
checks_make(const struct run_request *request, struct evidence *evidence, struct arena *arena)
{
    struct observations list = {
        .arena = arena, .expect = request->expect, .capacity = MAX_OBSERVATIONS};

    list.list = arena_alloc(arena, MAX_OBSERVATIONS * sizeof *list.list);
    if (!list.list)
        return false;
    if (evidence->axdb_asked)
        checks_axdb(&list, request, evidence);
    if (evidence->runtime_asked)
        checks_dataverse(&list, request, evidence);
    evidence->observations = list.list;
    evidence->observation_count = list.count;
    return !list.exhausted;
}
