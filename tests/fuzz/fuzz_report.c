/* Reports of hostile texts: whatever a server or a row says, the document is well-formed, cannot
 * move a cursor, break a line or begin a formula. The first byte chooses form and outcome. */
#include "checkers.h"
#include "fuzz.h"
#include "hostile.h"
#include "report/report.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

static bool
is_well_formed(enum report_form form, const struct text *text)
{
    const char *bytes = text_string(text);
    switch (form) {
    case REPORT_TEXT:
        return check_text(bytes, text->used);
    case REPORT_JSON:
        return check_json(bytes, text->used);
    case REPORT_NDJSON:
        return check_ndjson(bytes, text->used);
    case REPORT_CSV:
        return check_csv(bytes, text->used);
    case REPORT_JUNIT:
    case REPORT_HTML:
        return check_xml(bytes, text->used);
    case REPORT_FORMS:
    default:
        return false;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const uint8_t which = fuzz_byte(&input);

    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* NOLINT(concurrency-mt-unsafe): as main */
    char *text = fuzz_rest(&input);
    const enum report_form form = (enum report_form)(which % REPORT_FORMS);
    const struct outcome outcome = hostile_outcome(which / REPORT_FORMS, text);
    const struct report_place place = {.width = 40 + which, .host = text};
    TEXT_SCOPED report = {0};
    struct err err = {0};

    FUZZ_MUST(report_render(&outcome, form, &place, &report, &err));
    FUZZ_MUST(is_well_formed(form, &report));
    free(text);
    return 0;
}
