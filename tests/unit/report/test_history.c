#include "base/file.h"
#include "report/history.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUNS = 4 };

static const char hostile[] = "e\x1b[2Jvil\n\xe2\x80\xae and much longer than a time";

static struct past_run
past(const char *id, const char *command, const char *started)
{
    return (struct past_run){.id = id,
                             .path = "/var/lib/dwclean/runs/x",
                             .command = command,
                             .environment = "uat",
                             .started_utc = started,
                             .user = "dba",
                             .host = "ops01",
                             .program = "dwclean/0.1.0",
                             .has_plan = true,
                             .plan = {.server = "sql.example.com",
                                      .database = "AxDB",
                                      .database_created = "",
                                      .recovery_fork = "",
                                      .organization_id = "6459f7a8-1111-4c6d-9a3e-0d2b5c7e9f01",
                                      .organization_name = "org6459f7a8",
                                      .organization_host = "contoso-uat.crm4.dynamics.com",
                                      .scope = ""},
                             .plan_id =
                                 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
                             .progress = {.last_step = "close",
                                          .last_utc = "2026-11-21T21:45:10.000Z",
                                          .outcome = "done",
                                          .undoes = "",
                                          .commit_sent = true,
                                          .committed = true,
                                          .backup_sealed = true,
                                          .purge_begun = true,
                                          .verified = true,
                                          .ended = true,
                                          .axdb_rows = {34, 34, 958},
                                          .runtime_rows = 17}};
}

/** A damaged one, an undo, a partial one, and what was undone. */
static struct run_list
sample(struct run_entry runs[RUNS])
{
    static const char *const leftovers[] = {".pruned-20261101T000000Z-uat-0000"};

    for (int i = 0; i < RUNS; i++)
        runs[i] = (struct run_entry){.path = "/var/lib/dwclean/runs/x",
                                     .backup = {34, 34, 958, 17},
                                     .backup_bytes = 119000,
                                     .bytes = 386000};
    runs[0].id = "20261121T214608Z-uat-0f04";
    runs[0].past = past(runs[0].id, "", "");
    runs[0].past.plan = (struct plan_header){.server = "",
                                             .database = "",
                                             .organization_name = "",
                                             .organization_id = "",
                                             .organization_host = "",
                                             .scope = ""};
    runs[0].past.environment = runs[0].past.user = runs[0].past.host = "";
    runs[0].damage = "/var/lib/dwclean/runs/x/journal.ndjson: line 3 does not follow from the line "
                     "before it";
    runs[1].id = "20261121T214529Z-uat-0f03";
    runs[1].past = past(runs[1].id, "undo", "2026-11-21T21:45:29.123Z");
    runs[1].past.progress.undoes = "20261121T214429Z-uat-0f01";
    runs[1].past.progress.purge_begun = false;
    runs[1].past.progress.return_begun = true;
    runs[1].backup_bytes = 0;
    runs[2].id = "20261121T214459Z-uat-0f02";
    runs[2].past = past(runs[2].id, "clean", "2026-11-21T21:44:59.123Z");
    runs[2].past.progress.ended = runs[2].past.progress.purge_begun = false;
    runs[2].past.progress.last_step = "stopped";
    runs[2].past.progress.outcome = "partial";
    runs[2].past.progress.runtime_rows = 0;
    runs[3].id = "20261121T214429Z-uat-0f01";
    runs[3].past = past(runs[3].id, "clean", "2026-11-21T21:44:29.123Z");
    return (struct run_list){.runs_dir = "/var/lib/dwclean/runs",
                             .exists = true,
                             .runs = runs,
                             .count = RUNS,
                             .leftovers = leftovers,
                             .leftover_count = 1};
}

/* ---- goldens ---- */

static void
golden_path(const char *name, char ret[PATH_MAX])
{
    char up[PATH_MAX] = ".";

    for (int i = 0; i < 8; i++) {
        assert_true(snprintf(ret, PATH_MAX, "%s/fixtures/golden", up) < PATH_MAX);
        if (access(ret, F_OK) == 0) {
            const size_t used = strlen(ret);
            (void)snprintf(ret + used, PATH_MAX - used, "/%s", name);
            return;
        }
        const size_t used = strlen(up);
        assert_true(used + 4 < sizeof(up));
        memcpy(up + used, "/..", 4);
    }
    fail_msg("fixtures/golden was not found above the working directory");
}

static void
expect_golden(const struct text *text, const char *name)
{
    char path[PATH_MAX];
    char *golden = NULL;
    size_t size = 0;
    struct err err;

    golden_path(name, path);
    if (getenv("DWCLEAN_WRITE_GOLDENS")) /* NOLINT(concurrency-mt-unsafe): one thread */
        assert_true(file_replace(path, text_string(text), text->used, 0644, &err));
    assert_true(file_read(path, 1 << 20, &golden, &size, &err));
    assert_string_equal(text_string(text), golden);
    free(golden);
}

static void
the_list_looks_as_agreed(void **state)
{
    const struct history_style wide = {.width = 80};
    const struct history_style narrow = {.width = 60};
    struct run_entry runs[RUNS];
    const struct run_list list = sample(runs);
    TEXT_SCOPED at_80 = {0};
    TEXT_SCOPED at_60 = {0};
    struct err err;

    (void)state;
    assert_true(history_runs_text(&list, NULL, &wide, &at_80, &err));
    expect_golden(&at_80, "runs.txt");
    assert_true(history_runs_text(&list, NULL, &narrow, &at_60, &err));
    expect_golden(&at_60, "runs-60.txt");
}

static const struct fact opened[] = {
    {"command", "clean"}, {"class", "sandbox"}, {"reason", "CHG0042"}, {"undoes", ""}};
static const struct fact committed[] = {
    {"field", "34"}, {"project", "34"}, {"events", "958"}, {"locked_ms", "94"}};
static const struct run_moment moments[] = {
    {"open", "2026-11-21T21:44:29.123Z", "2026-11-21T21:44:29.123Z", 1, opened, 4, 0},
    {"preconditions", "2026-11-21T21:44:29.200Z", "2026-11-21T21:44:30.000Z", 16, NULL, 0, 0},
    {"commit-sent", "2026-11-21T21:44:31.123Z", "2026-11-21T21:44:31.123Z", 1, NULL, 0, 0},
    {"committed", "2026-11-21T21:44:31.200Z", "2026-11-21T21:44:31.200Z", 1, committed, 4, 0},
    {"purge-outcome", "2026-11-22T00:00:01.000Z", "2026-11-22T00:00:09.000Z", 2, NULL, 0, 17}};
static const struct run_file files[] = {
    {"SHA256SUMS", 926, ""},
    {"run.json", 1642, "1742f968e1d835cda9667ac34041a80eb8c805e4171efb3620961f071c9d5cae"}};
static const struct fact options[] = {{"argv", "dwclean clean --env uat --reason CHG0042"},
                                      {"env", "uat (argv)"},
                                      {"server", "sql.example.com ([env \"uat\"] in f.ini:3)"}};
static const struct fact versions[] = {{"FreeTDS", "v1.3.17"}};
static const struct run_check checks[] = {
    {"journal.ndjson", RUN_CHECK_OK, "29 records, the chain holds"},
    {"SHA256SUMS", RUN_CHECK_NOTE, "not there: the run was never finished"},
    {"backup/events.ndjson.zst", RUN_CHECK_FAILED, "it is not as SHA256SUMS has it"}};

static struct run_details
sample_details(const struct run_entry *entry)
{
    return (struct run_details){.entry = *entry,
                                .uid = "1000",
                                .sudo_user = "",
                                .pid = "4711",
                                .facts = options,
                                .fact_count = 3,
                                .versions = versions,
                                .version_count = 1,
                                .planned = {34, 34, 958, 17},
                                .after = {0, 0, 0, -1},
                                .moments = moments,
                                .moment_count = 5,
                                .files = files,
                                .file_count = 2};
}

static void
a_run_looks_as_agreed(void **state)
{
    const struct history_style style = {.width = 80};
    struct run_entry runs[RUNS];
    (void)sample(runs);
    const struct run_details details = sample_details(&runs[3]);
    const struct history_shown shown = {.details = &details,
                                        .verified = true,
                                        .checks = checks,
                                        .check_count = 3,
                                        .failed_count = 1,
                                        .note_count = 1};
    TEXT_SCOPED text = {0};
    struct err err;

    (void)state;
    assert_true(history_run_text(&shown, &style, &text, &err));
    expect_golden(&text, "show-run.txt");
}

static struct history_prune
sample_prune(const struct run_list *list, struct history_prune_line lines[RUNS])
{
    lines[0] = (struct history_prune_line){.entry = &list->runs[0],
                                           .keep = "it is damaged: what it removed cannot be told"};
    lines[1] = (struct history_prune_line){.entry = &list->runs[1]};
    lines[2] = (struct history_prune_line){.entry = &list->runs[2], .only_copies = 1026};
    lines[3] = (struct history_prune_line){
        .entry = &list->runs[3], .only_copies = 1, .fault = "another process works on it"};
    return (struct history_prune){.list = list,
                                  .lines = lines,
                                  .count = RUNS,
                                  .going = 3,
                                  .only_copies = 1027,
                                  .bytes = 1158000,
                                  .dry_run = true};
}

static void
a_prune_looks_as_agreed(void **state)
{
    const struct history_style style = {.width = 80};
    struct run_entry runs[RUNS];
    struct history_prune_line lines[RUNS];
    const struct run_list list = sample(runs);
    const struct history_prune prune = sample_prune(&list, lines);
    TEXT_SCOPED text = {0};
    struct err err;

    (void)state;
    assert_true(history_prune_text(&prune, &style, &text, &err));
    expect_golden(&text, "prune-dry-run.txt");
}

/* ---- what a run says is not believed ---- */

static void
expect_harmless(const struct text *text)
{
    for (size_t i = 0; i < text->used; i++) {
        const unsigned char c = (unsigned char)text_string(text)[i];
        if ((c < 0x20 && c != '\n') || c == 0x7f || c >= 0x80)
            fail_msg("byte %02x at %zu", c, i);
    }
}

static void
nothing_that_a_run_says_reaches_a_terminal_unescaped(void **state)
{
    const struct history_style style = {.width = 60};
    struct run_entry runs[RUNS];
    const struct run_list list = sample(runs);
    const struct fact facts[] = {{hostile, hostile}};
    const struct run_moment moment = {hostile, hostile, hostile, 1, facts, 1, 0};
    const struct run_file file = {hostile, 1, ""};
    const struct run_check check = {hostile, RUN_CHECK_FAILED, hostile};
    struct run_details details = sample_details(&runs[3]);
    const struct history_shown shown = {
        .details = &details, .verified = true, .checks = &check, .check_count = 1};
    TEXT_SCOPED text = {0};
    TEXT_SCOPED json = {0};
    struct err err;

    (void)state;
    for (int i = 0; i < RUNS; i++) {
        runs[i].past.command = runs[i].past.environment = runs[i].past.user = hostile;
        runs[i].past.host = runs[i].past.plan.database = runs[i].past.started_utc = hostile;
        runs[i].damage = hostile;
    }
    details.entry = runs[3];
    details.facts = details.versions = facts;
    details.fact_count = details.version_count = 1;
    details.moments = &moment;
    details.moment_count = 1;
    details.files = &file;
    details.file_count = 1;
    assert_true(history_runs_text(&list, NULL, &style, &text, &err));
    assert_true(history_run_text(&shown, &style, &text, &err));
    expect_harmless(&text);
    assert_true(history_run_json(&shown, &json, &err));
    cJSON *parsed = cJSON_ParseWithLength(text_string(&json), json.used);
    assert_non_null(parsed);
    cJSON_Delete(parsed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_looks_as_agreed),
        cmocka_unit_test(a_run_looks_as_agreed),
        cmocka_unit_test(a_prune_looks_as_agreed),
        cmocka_unit_test(nothing_that_a_run_says_reaches_a_terminal_unescaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
