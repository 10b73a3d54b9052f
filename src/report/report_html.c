#include "base/clock.h"
#include "base/digest.h"
#include "html.h"
#include "html_parts.h"
#include "parts.h"
#include "report/report.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>

/** The one style sheet that a browser may use: this one, by its hash. */
static void
append_policy(struct text *out, const struct text *style)
{
    const struct digest digest = digest_of(text_string(style), style->used);
    text_append(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                     "style-src 'sha256-");
    text_append_base64(out, digest.bytes, DIGEST_BYTES);
    text_append(out, "'; base-uri 'none'; form-action 'none'\" />\n");
}

void
report_html_head(const char *title, struct text *ret)
{
    TEXT_SCOPED style = {0};
    assert(title && ret);
    html_append_style(&style);
    ret->broken = ret->broken || style.broken;
    text_append(ret, "<!DOCTYPE html>\n<html lang=\"en\">\n"
                     "<head>\n<meta charset=\"utf-8\" />\n");
    append_policy(ret, &style);
    text_append(ret, "<meta name=\"referrer\" content=\"no-referrer\" />\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n"
                     "<meta name=\"color-scheme\" content=\"light dark\" />\n"
                     "<meta name=\"generator\" content=\"dwclean " DWCLEAN_VERSION "\" />\n"
                     "<title>");
    html_plain(ret, title);
    text_append(ret, "</title>\n<style>");
    text_append(ret, text_string(&style));
    text_append(ret, "</style>\n</head>\n<body>\n<main>\n<h1>");
    html_value(ret, title);
    text_append(ret, "</h1>\n");
}

/** Commands that look at no rows, or at other things. */
static bool
is_about_rows(const struct outcome *outcome)
{
    return (outcome->before.axdb_asked || outcome->before.runtime_asked) &&
           !parts_is_command(outcome, "check") && !parts_is_command(outcome, "env");
}

bool
report_html_item(const struct outcome *outcome, size_t index, struct text *ret, struct err *err)
{
    assert(outcome && ret && err);
    text_printf(ret, "<article id=\"e%zu\" aria-labelledby=\"e%zu-verdict\">\n", index, index);
    html_write_verdict(ret, outcome, index);
    html_write_explained(ret, outcome);
    html_write_target(ret, outcome);
    if (is_about_rows(outcome))
        html_write_rows(ret, outcome);
    html_write_checks(ret, outcome);
    html_write_lists(ret, outcome);
    html_write_situations(ret, outcome);
    html_write_timeline(ret, outcome);
    html_write_record(ret, outcome);
    html_write_next(ret, outcome);
    text_append(ret, "</article>\n");
    return text_ok(ret, err);
}

void
report_html_tail(struct text *ret)
{
    assert(ret);
    text_append(ret, "</main>\n<footer>\n<p>Made by dwclean " DWCLEAN_VERSION
                     ". This file loads nothing from anywhere and runs no script.</p>\n"
                     "<p>It contains no row contents, but names, hosts, states and counts: give it "
                     "to those who may know them.</p>\n</footer>\n</body>\n</html>\n");
}

bool
report_html(const struct outcome *outcome, struct text *ret, struct err *err)
{
    TEXT_SCOPED title = {0};
    assert(outcome && ret && err);
    text_printf(&title, "dwclean %s: ", outcome->command ? outcome->command : "");
    for (const char *p = outcome_word_name(outcome->word); *p; p++)
        text_printf(&title, "%c", toupper((unsigned char)*p));
    if (outcome->environment)
        text_printf(&title, ", environment %s", outcome->environment);
    if (outcome->started_utc_ms > 0) {
        char stamp[CLOCK_STAMP_BYTES];
        clock_stamp(outcome->started_utc_ms, stamp);
        text_printf(&title, ", %.10s %.8s UTC", stamp, stamp + 11);
    }
    report_html_head(text_string(&title), ret);
    if (!report_html_item(outcome, 0, ret, err))
        return false;
    report_html_tail(ret);
    return text_ok(ret, err);
}
