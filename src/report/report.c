#include "report/report.h"

#include "columns_library.h"

#include <assert.h>
#include <string.h>

static const char *const names[REPORT_FORMS] = {
    [REPORT_TEXT] = "text", [REPORT_JSON] = "json",   [REPORT_NDJSON] = "ndjson",
    [REPORT_CSV] = "csv",   [REPORT_JUNIT] = "junit", [REPORT_HTML] = "html",
};

const char *
report_form_name(enum report_form form)
{
    assert(form < REPORT_FORMS);
    return names[form];
}

bool
report_form_find(const char *name, enum report_form *ret)
{
    for (unsigned i = 0; i < REPORT_FORMS; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret = (enum report_form)i;
            return true;
        }
    }
    return false;
}

bool
report_ready(enum report_form form, struct err *err)
{
    switch (form) {
    case REPORT_TEXT:
        return library_load(&columns_library, err);
    case REPORT_HTML: /* its head has the digest of its style */
        return digest_ready(err);
    case REPORT_JSON:
    case REPORT_NDJSON:
    case REPORT_CSV:
    case REPORT_JUNIT:
    case REPORT_FORMS:
    default:
        return true;
    }
}

const char *
report_columns_version(void)
{
    const char *version = NULL;
    struct err err;

    if (library_load(&columns_library, &err))
        (void)scols_get_library_version(&version);
    return version;
}

bool
report_render(const struct outcome *outcome, enum report_form form,
              const struct report_place *place, struct text *ret, struct err *err)
{
    assert(outcome && place && ret && err);
    switch (form) {
    case REPORT_TEXT:
        return report_text(outcome, place->width, place->colour, ret, err);
    case REPORT_JSON:
        return report_json(outcome, ret, err);
    case REPORT_NDJSON:
        return report_ndjson_head(ret, err) && report_ndjson_item(outcome, ret, err) &&
               report_ndjson_tail(ret, err);
    case REPORT_CSV:
        return report_csv_head(ret, err) && report_csv_item(outcome, ret, err) &&
               report_csv_tail(ret, err);
    case REPORT_JUNIT:
        return report_junit_head(ret, err) && report_junit_item(outcome, place, ret, err) &&
               report_junit_tail(ret, err);
    case REPORT_HTML:
        return report_ready(form, err) && report_html(outcome, ret, err);
    case REPORT_FORMS:
        break;
    }
    return err_set(err, ERR_INTERNAL, "no such form of a report");
}
