#include "base/digest.h"
#include "base/text.h"
#include "report/report.h"
#include "sample.h"
#include "test.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void
render(const struct outcome *outcome, struct text *ret)
{
    struct err err;
    assert_true(report_html(outcome, ret, &err));
    assert_true(text_is_utf8(text_string(ret), ret->used));
    assert_int_equal(strlen(text_string(ret)), ret->used);
}

static void
expect(const struct text *html, const char *what)
{
    if (!strstr(text_string(html), what))
        fail_msg("missing: %s", what);
}

static void
refuse(const struct text *html, const char *what)
{
    const char *at = strstr(text_string(html), what);
    if (at)
        fail_msg("there: %.80s", at);
}

static size_t
count_of(const struct text *html, const char *what)
{
    size_t count = 0;
    for (const char *at = text_string(html); (at = strstr(at, what)) != NULL; at += strlen(what))
        count++;
    return count;
}

/* ---- a reader of tags: every element is one that is known, is closed, and has quoted attributes
 */

enum { DEPTH = 32, NAME_BYTES = 16 };

struct reader {
    char open[DEPTH][NAME_BYTES];
    size_t depth;
    int heading; /* level of the last one */
};

static void
expect_known(const char *name)
{
    static const char *const known[] = {
        "html",    "head",       "meta", "title", "style", "body",  "main",    "article",
        "section", "div",        "h1",   "h2",    "h3",    "h4",    "p",       "dl",
        "dt",      "dd",         "ul",   "ol",    "li",    "table", "caption", "thead",
        "tbody",   "tr",         "th",   "td",    "b",     "span",  "code",    "time",
        "figure",  "figcaption", "svg",  "rect",  "footer"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i], name) == 0)
            return;
    }
    fail_msg("an element that no report has: %s", name);
}

/** Behind the attributes, which begin with a blank each; fails at one that is not quoted. */
static const char *
skip_attributes(const char *at)
{
    static const char *const known[] = {
        "lang",   "charset",    "http-equiv",  "content",         "name",      "class",
        "id",     "scope",      "role",        "tabindex",        "datetime",  "width",
        "height", "aria-label", "aria-hidden", "aria-labelledby", "data-title"};
    while (*at == ' ' && at[1] != '/') {
        const size_t size = strcspn(++at, "= >");
        bool found = false;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            found = found || (strlen(known[i]) == size && strncmp(known[i], at, size) == 0);
        if (!found || strncmp(at + size, "=\"", 2) != 0)
            fail_msg("an attribute that no report has: %.40s", at);
        at += size + 2;
        at += strcspn(at, "\"<");
        assert_int_equal(*at, '"');
        at++;
    }
    return at;
}

static void
note_heading(struct reader *reader, const char *name)
{
    if (name[0] != 'h' || name[1] < '1' || name[1] > '4' || name[2])
        return;
    const int level = name[1] - '0';
    assert_true(level <= reader->heading + 1); /* none is left out on the way down */
    reader->heading = level;
}

static const char *
read_tag(struct reader *reader, const char *at)
{
    char name[NAME_BYTES];
    const bool closes = at[1] == '/';
    const char *from = at + 1 + closes;
    const size_t size = strspn(from, "abcdefghijklmnopqrstuvwxyz1234");
    assert_in_range(size, 1, NAME_BYTES - 1);
    (void)snprintf(name, sizeof(name), "%.*s", (int)size, from);
    expect_known(name);
    at = closes ? from + size : skip_attributes(from + size);
    if (closes) {
        assert_true(reader->depth > 0);
        assert_string_equal(reader->open[--reader->depth], name);
    } else if (strncmp(at, " />", 3) == 0) {
        return at + 3;
    } else {
        assert_true(reader->depth < DEPTH);
        (void)snprintf(reader->open[reader->depth++], NAME_BYTES, "%s", name);
        note_heading(reader, name);
    }
    assert_int_equal(*at, '>');
    return at + 1;
}

static void
expect_well_formed(const struct text *html)
{
    static const char doctype[] = "<!DOCTYPE html>\n";
    static const char *const references[] = {"&lt;",    "&gt;",    "&amp;",    "&quot;",
                                             "&#39;",   "&#8211;", "&#10003;", "&#10007;",
                                             "&#9888;", "&#65038;"};
    struct reader reader = {.depth = 0};
    const char *at = text_string(html);
    assert_int_equal(strncmp(at, doctype, strlen(doctype)), 0);
    for (at += strlen(doctype); *at;) {
        at += strcspn(at, "<&");
        bool is_reference = false;
        for (size_t i = 0; *at == '&' && i < sizeof(references) / sizeof(references[0]); i++)
            is_reference = is_reference || strncmp(at, references[i], strlen(references[i])) == 0;
        if (*at == '&' && !is_reference)
            fail_msg("a bare ampersand: %.40s", at);
        if (*at == '<')
            at = read_tag(&reader, at);
        else if (*at)
            at++;
    }
    assert_int_equal(reader.depth, 0);
}

/** Nothing is loaded, run or hidden, whatever a server has said. */
static void
expect_inert(const struct text *html)
{
    static const char *const never[] = {"<script",     "<link",  "<img",       "<iframe", "<a ",
                                        " src=",       " href=", "url(",       "@import", " style=",
                                        "\"refresh\"", "&#x",    "javascript:"};
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        refuse(html, never[i]);
    for (const char *at = text_string(html); *at; at++) {
        if ((unsigned char)*at < 0x20 && *at != '\n')
            fail_msg("a control character: %d", *at);
    }
}

/* ---- tests */

static void
every_outcome_is_well_formed_and_inert(void **state)
{
    const struct outcome outcomes[] = {sample_residue(),      sample_dry_run(),   sample_done(),
                                       sample_partial(),      sample_part(),      sample_undo(),
                                       sample_undo_partial(), sample_settled(),   sample_check(),
                                       sample_hostile(),      sample_repair_map()};
    (void)state;
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        TEXT_SCOPED html = {0};
        render(&outcomes[i], &html);
        expect_well_formed(&html);
        expect_inert(&html);
    }
}

static void
the_head_forbids_everything_but_its_own_style(void **state)
{
    const struct outcome outcome = sample_residue();
    TEXT_SCOPED html = {0};
    TEXT_SCOPED policy = {0};
    (void)state;
    render(&outcome, &html);
    const char *style = strstr(text_string(&html), "<style>") + strlen("<style>");
    const char *end = strstr(style, "</style>");
    assert_non_null(end);
    const struct digest digest = digest_of(style, (size_t)(end - style));
    text_append(&policy, "content=\"default-src 'none'; style-src 'sha256-");
    text_append_base64(&policy, digest.bytes, DIGEST_BYTES);
    text_append(&policy, "'; base-uri 'none'; form-action 'none'\"");
    expect(&html, text_string(&policy));
    expect(&html, "<html lang=\"en\">");
    expect(&html, "<meta name=\"referrer\" content=\"no-referrer\" />");
    expect(&html, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />");
    expect(&html,
           "<title>dwclean verify: RESIDUE, environment uat, 2026-11-21 22:00:00 UTC</title>");
    expect(&html, "@media (prefers-color-scheme:dark)");
    expect(&html, "@media print");
    assert_int_equal(count_of(&html, "<h1>"), 1);
}

static void
the_top_says_what_was_found_where_and_when(void **state)
{
    const struct outcome outcome = sample_residue();
    TEXT_SCOPED html = {0};
    (void)state;
    render(&outcome, &html);
    const char *target = strstr(text_string(&html), "<h3>Target</h3>");
    assert_non_null(target);
    static const char *const top[] = {
        "</span> RESIDUE</h2>",
        "<p class=\"lead\">dual-write rows of another environment are present</p>",
        "<dd>AxDB on sql01.contoso.com,1433</dd>",
        "<dd>unq6f0e, contoso-uat.crm4.dynamics.com</dd>",
        "<dd>uat, class sandbox</dd>",
        "<time datetime=\"2026-11-21T22:00:00.000Z\">2026-11-21 22:00:00.000</time> UTC, took 1.250 s",
        "<dt>Changed</dt><dd>nothing</dd>",
        "<dt>Exit status</dt><dd>2</dd>"};
    for (size_t i = 0; i < sizeof(top) / sizeof(top[0]); i++) {
        const char *found = strstr(text_string(&html), top[i]);
        if (!found || found > target)
            fail_msg("not at the top: %s", top[i]);
    }
    expect(&html, "<dt>Restored</dt><dd>2026-11-20T01:02:03, from PROD01, database AxDB_prod, "
                  "backup of 2026-11-19T22:00:00</dd>");
    expect(&html, "<dt>Linked to</dt><dd>none: not linked</dd>");
}

static void
required_checks_come_first(void **state)
{
    static const struct observation checks[] = {
        {"A-AOS", false, VERDICT_UNKNOWN, "first of all", NULL, NULL, ERR_NONE},
        {"A-ROWS", true, VERDICT_DIFFERS, "second", "do this", "DWFOEV1004", ERR_NONE},
        {"D-ROWS", true, VERDICT_OK, "third", NULL, "DWDVEV1004", ERR_NONE}};
    struct outcome outcome = sample_residue();
    TEXT_SCOPED html = {0};
    (void)state;
    outcome.before.observations = checks;
    outcome.before.observation_count = 3;
    render(&outcome, &html);
    const char *advisory = strstr(text_string(&html), "first of all");
    const char *rows = strstr(text_string(&html), "second");
    assert_true(advisory && rows && rows < advisory);
    expect(&html, "second; corresponds to Microsoft health check code DWFOEV1004<p "
                  "class=\"dim\">Hint: do this</p>");
    refuse(&html, "DWDVEV1004"); /* it did not differ */
    expect(&html, "Of 2 required checks: 1 differs, 0 unknown, 1 ok.");
    /* the word stands beside each colour and sign */
    expect(&html, "<b class=\"bad\"><span aria-hidden=\"true\">&#10007;</span> differs</b>");
    expect(&html, "<b class=\"good\"><span aria-hidden=\"true\">&#10003;</span> ok</b>");
    expect(&html, "<b class=\"warn\"><span aria-hidden=\"true\">?</span> unknown</b>");
}

static void
the_chart_has_its_numbers_beside_it(void **state)
{
    const struct outcome outcome = sample_done();
    struct outcome unknown = sample_partial();
    TEXT_SCOPED html = {0};
    TEXT_SCOPED other = {0};
    (void)state;
    render(&outcome, &html);
    expect(&html, "<figcaption>Rows before and after the change</figcaption>");
    expect(&html, "width=\"100.0%\" height=\"100%\" /></svg><span class=\"n\">958</span>");
    expect(&html, "width=\"3.5%\" height=\"100%\" /></svg><span class=\"n\">34</span>");
    assert_int_equal(count_of(&html, "<span class=\"dim\">after</span>"), TABLES);
    assert_int_equal(count_of(&html, "</svg><span class=\"n\">0</span>"), TABLES);
    assert_int_equal(count_of(&html, "class=\"second\""), 0); /* no row is left: no bar */
    unknown.tables[TABLE_FIELD].after_rows = -1;
    render(&unknown, &other);
    expect(&other, "<span class=\"n\">not known</span>");
}

static void
rows_that_were_not_changed_are_not_shown_as_before(void **state)
{
    struct outcome outcome = sample_done();
    TEXT_SCOPED html = {0};
    TEXT_SCOPED dry = {0};
    const struct outcome planned = sample_dry_run();
    (void)state;
    outcome.word = OUTCOME_REFUSED;
    outcome.changed = false;
    outcome.after_taken = false;
    render(&outcome, &html);
    expect(&html, "<figcaption>Rows that were found</figcaption>");
    refuse(&html, "before the change");
    render(&planned, &dry);
    expect(&dry, "<figcaption>Rows now, and rows that would go</figcaption>");
    expect(&dry, "<dt>Changed</dt><dd>nothing: a dry run</dd>");
}

static void
what_a_server_says_is_text(void **state)
{
    struct outcome outcome = sample_residue();
    static const struct host_count hosts[] = {
        {"</table><script>alert(\"1\")</script>&amp;'", 1, false},
        {"\xef\xbf\xbf\xef\xb7\x90\xe2\x80\xae\x1b[2J", 1, false},
        {"a\\x1b\xc3\xa9", 1, false}};
    TEXT_SCOPED html = {0};
    (void)state;
    outcome.before.hosts = hosts;
    outcome.before.host_count = 3;
    outcome.verdict = "</p><img onerror=alert(1)>";
    outcome.environment = "<b>\"uat\"</b>\\";
    render(&outcome, &html);
    expect_well_formed(&html);
    expect_inert(&html);
    expect(&html, "&lt;/table&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;amp;&#39;");
    expect(&html, "<b class=\"esc\">\\u{ffff}</b><b class=\"esc\">\\u{fdd0}</b>"
                  "<b class=\"esc\">\\u{202e}</b><b class=\"esc\">\\x1b</b>[2J");
    /* a backslash that was there is no escape, and letters of other languages stay */
    expect(&html, ">a\\x1b\xc3\xa9<");
    expect(&html, "<p class=\"lead\">&lt;/p&gt;&lt;img onerror=alert(1)&gt;</p>");
    expect(&html, "environment &lt;b&gt;&quot;uat&quot;&lt;/b&gt;\\\\, 2026");
}

static void
secrets_of_a_url_are_not_shown(void **state)
{
    const struct outcome outcome = sample_residue();
    TEXT_SCOPED html = {0};
    (void)state;
    render(&outcome, &html);
    refuse(&html, "user:pw");
    refuse(&html, "token=s");
    expect(&html, ">https://prod.crm.dynamics.com/x</th>");
}

static void
long_lists_and_long_names_are_cut(void **state)
{
    enum { REMOVALS = 100000, HOSTS = 1000 };
    static struct removal removals[REMOVALS];
    static struct host_count hosts[HOSTS];
    static char name[5000];
    static const struct runtime_ref row = {.key = "0a1b2c3d-0000-4000-8000-000000000001"};
    struct runtime_row written = sample_rows[0];
    struct outcome outcome = sample_partial();
    TEXT_SCOPED html = {0};
    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    name[299] = '\xc3'; /* the cut does not go through it */
    name[300] = '\xa9';
    written.name = name;
    for (size_t i = 0; i < REMOVALS; i++)
        removals[i] = (struct removal){.row = &row, .state = REMOVAL_FAILED, .http_status = 403};
    for (size_t i = 0; i < HOSTS; i++)
        hosts[i] = (struct host_count){"h.example", 1, false};
    outcome.removals = removals;
    outcome.removal_count = REMOVALS;
    outcome.tables[TABLE_RUNTIME].failed_rows = REMOVALS;
    outcome.tables[TABLE_RUNTIME].changed_rows = 0;
    outcome.tables[TABLE_RUNTIME].new_rows = 41;
    outcome.written_after = &written;
    outcome.before.hosts = hosts;
    outcome.before.host_count = HOSTS;
    render(&outcome, &html);
    expect_well_formed(&html);
    assert_in_range(html.used, 1, 100 * 1024);
    expect(&html, "and 99980 more: see the JSON report");
    expect(&html, "and 980 more: see the JSON report");
    expect(&html, "and 40 more: see the JSON report");
    expect(&html, "... (cut: 4999 bytes)");
}

static void
the_timeline_has_looks_and_steps_in_order(void **state)
{
    static const struct run_step steps[] = {{"open", 1795298400600, 1795298400600, 1},
                                            {"committed", 1795298400700, 1795298400700, 1},
                                            {"purge-outcome", 1795298400800, 1795298400900, 17},
                                            {"verified", 1795298401100, 1795298401100, 1}};
    static const char *const order[] = {
        "command started",
        "+0.500 s",
        "first look at the target",

        "<code>open</code>",
        "<code>committed</code>",
        "(17 records, until <time datetime=\"2026-11-21T22:00:00.900Z\">",
        "fresh look on new connections",
        "<code>verified</code>",
        "+1.250 s",
        "report written"};
    struct outcome outcome = sample_done();
    TEXT_SCOPED html = {0};
    (void)state;
    outcome.steps = steps;
    outcome.step_count = 4;
    outcome.steps_unlisted = 3;
    outcome.after.taken_utc_ms = 1795298401000;
    render(&outcome, &html);
    const char *at = strstr(text_string(&html), "<h3>Timeline</h3>");
    for (size_t i = 0; at && i < sizeof(order) / sizeof(order[0]); i++) {
        const char *found = strstr(at, order[i]);
        if (!found)
            fail_msg("not there, or not in its place: %s", order[i]);
        at = found;
    }
    assert_non_null(at);
    expect(&html, "and 3 more: see the JSON report");
}

static void
the_record_has_what_can_be_compared_later(void **state)
{
    struct outcome outcome = sample_done();
    char hex[DIGEST_HEX_BYTES];
    TEXT_SCOPED html = {0};
    TEXT_SCOPED cell = {0};
    (void)state;
    outcome.user = "dba";
    outcome.sudo_user = "mia";
    outcome.host = "jump01";
    outcome.plan_path = "/srv/plan.ndjson";
    outcome.plan_sha256 = SAMPLE_PLAN_ID;
    outcome.tables[TABLE_EVENTS].state.rows = 958;
    outcome.tables[TABLE_EVENTS].state.digest = digest_of("x", 1);
    digest_hex(&outcome.tables[TABLE_EVENTS].state.digest, hex);
    render(&outcome, &html);
    text_printf(&cell, "<code>%s</code>", hex);
    expect(&html, text_string(&cell));
    expect(&html, "<dt>Plan id</dt><dd><code>" SAMPLE_PLAN_ID "</code></dd>");
    expect(&html, "<dt>SHA-256 of the plan file</dt><dd><code>" SAMPLE_PLAN_ID "</code></dd>");
    expect(&html, "<dt>Run by</dt><dd>dba (through sudo: mia) on jump01</dd>");
    expect(&html, "<dt>Reason</dt><dd>refresh of UAT</dd>");
    expect(&html, "<code>dwclean show 20261121T220000Z-uat-ab12 --verify</code>");
    expect(&html, "only copy of 1043 rows, contains secrets: keep it safe");
    expect(&html, "It contains no row contents, but names, hosts, states and counts");
}

static void
several_items_make_one_document(void **state)
{
    const struct outcome first = sample_residue(), second = sample_done();
    struct err err;
    TEXT_SCOPED html = {0};
    (void)state;
    report_html_head("two & more", &html);
    assert_true(report_html_item(&first, 0, &html, &err));
    assert_true(report_html_item(&second, 1, &html, &err));
    report_html_tail(&html);
    expect_well_formed(&html);
    expect(&html, "<title>two &amp; more</title>");
    assert_int_equal(count_of(&html, "<article"), 2);
    assert_int_equal(count_of(&html, "id=\"e0-verdict\""), 1);
    assert_int_equal(count_of(&html, "id=\"e1-verdict\""), 1);
    assert_int_equal(count_of(&html, "<h1>"), 1);
    assert_int_equal(count_of(&html, "<footer>"), 1);
}

static void
a_command_that_never_began_has_a_report_too(void **state)
{
    struct outcome outcome = {.command = "verify",
                              .word = OUTCOME_FAILED,
                              .exit_status = 64,
                              .err = {.code = ERR_USAGE, .primary = "no server", .hint = "-S"},
                              .verdict = "no server",
                              .locked_ms = -1};
    TEXT_SCOPED html = {0};
    TEXT_SCOPED small = {.max = 2000};
    struct err err;
    (void)state;
    render(&outcome, &html);
    expect_well_formed(&html);
    expect(&html, "</span> FAILED</h2>");
    expect(&html, "<dt>Hint</dt><dd>-S</dd>");
    refuse(&html, "<h3>Target</h3>");
    refuse(&html, "1970");
    assert_false(report_html(&outcome, &small, &err)); /* no half of a report is called one */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_is_well_formed_and_inert),
        cmocka_unit_test(the_head_forbids_everything_but_its_own_style),
        cmocka_unit_test(the_top_says_what_was_found_where_and_when),
        cmocka_unit_test(required_checks_come_first),
        cmocka_unit_test(the_chart_has_its_numbers_beside_it),
        cmocka_unit_test(rows_that_were_not_changed_are_not_shown_as_before),
        cmocka_unit_test(what_a_server_says_is_text),
        cmocka_unit_test(secrets_of_a_url_are_not_shown),
        cmocka_unit_test(long_lists_and_long_names_are_cut),
        cmocka_unit_test(the_timeline_has_looks_and_steps_in_order),
        cmocka_unit_test(the_record_has_what_can_be_compared_later),
        cmocka_unit_test(several_items_make_one_document),
        cmocka_unit_test(a_command_that_never_began_has_a_report_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
