/* A pasted error text: bounded, folded once and for all, and the excerpts are harmless. */
#include "base/text.h"
#include "core/symptom.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 16 << 20, EXCERPT_MAX = 300 };

static void
must_be_folded(const char *folded, size_t size, struct arena *arena)
{
    FUZZ_MUST(strlen(folded) <= 2 * size + 1);
    for (const char *at = folded; *at; at++) {
        FUZZ_MUST(*at < 'A' || *at > 'Z');
        FUZZ_MUST(*at != '\\' && *at != '\n' && *at != '\t' && *at != '\r');
        FUZZ_MUST(at[0] != ' ' || at[1] != ' ');
    }
    const char *again = symptom_fold(folded, strlen(folded), true, arena);
    FUZZ_MUST(again && strcmp(folded, again) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct symptom_match matches[SYMPTOM_MATCHES];
    struct err err = {0};
    size_t exact = 0, count = 0;
    uint8_t *bytes = fuzz_bytes(&input, &exact);
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);

    FUZZ_MUST(arena);
    const char *folded = symptom_fold((const char *)bytes, exact, true, arena);
    FUZZ_MUST(folded);
    must_be_folded(folded, exact, arena);
    if (symptom_find((const char *)bytes, exact, arena, matches, &count, &err)) {
        FUZZ_MUST(count <= SYMPTOM_MATCHES);
        for (size_t i = 0; i < count; i++) {
            FUZZ_MUST(matches[i].symptom && matches[i].excerpt);
            FUZZ_MUST(strlen(matches[i].excerpt) <= EXCERPT_MAX);
            FUZZ_MUST(symptom_by_id(matches[i].symptom->id) == matches[i].symptom);
        }
    } else {
        fuzz_must_say(&err);
    }
    free(bytes);
    return 0;
}
