#include "fleet_parts.h"
#include "report/json_writer.h"

/** The whole report of one environment as it came, without the newline at its end. */
static void
write_report(struct json_writer *json, const struct fleet_member *member)
{
    size_t size = member->report.used;
    if (!member->answered || size == 0) {
        json_null(json, "report");
        return;
    }
    while (size > 0 && text_string(&member->report)[size - 1] == '\n')
        size--;
    json_verbatim(json, "report", text_string(&member->report), size);
}

static void
write_error(struct json_writer *json, const struct err *err)
{
    if (err->code == ERR_NONE) {
        json_null(json, "error");
        return;
    }
    json_open(json, "error", '{');
    json_string(json, "code", err_name(err->code));
    json_string(json, "primary", err->primary);
    json_string(json, "detail", err->detail[0] ? err->detail : NULL);
    json_string(json, "hint", err->hint[0] ? err->hint : NULL);
    json_bool(json, "transient", err->transient);
    json_close(json, '{');
}

static void
write_member(struct json_writer *json, const struct fleet_member *member)
{
    json_open(json, NULL, '{');
    json_string(json, "environment", member->name);
    json_string(json, "class", member->class_name);
    json_string(json, "outcome", outcome_word_name(member->word));
    json_int(json, "exit_status", member->exit_status);
    json_string(json, "verdict", text_string(&member->verdict));
    json_count(json, "axdb_rows", member->axdb_rows);
    json_count(json, "dataverse_rows", member->runtime_rows);
    json_i64(json, "duration_ms", member->duration_ms);
    json_i64(json, "deadline_ms", member->deadline_ms);
    json_bool(json, "answered", member->answered);
    write_error(json, &member->err);
    write_report(json, member);
    json_close(json, '{');
}

/** Every word that a look can end with, also where none did: a program need not ask whether a
 * member is there. */
static void
write_counts(struct json_writer *json, const struct fleet *fleet)
{
    static const enum outcome_word words[] = {
        OUTCOME_CLEAN,   OUTCOME_READY,     OUTCOME_RESIDUE, OUTCOME_MISSING,
        OUTCOME_REFUSED, OUTCOME_NO_ACCESS, OUTCOME_FAILED,  OUTCOME_INTERRUPTED};
    int others = (int)fleet->count;
    json_open(json, "counts", '{');
    json_int(json, "environments", (int)fleet->count);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        int count = 0;
        for (size_t j = 0; j < fleet->count; j++)
            count += fleet->members[j].word == words[i] ? 1 : 0;
        json_int(json, outcome_word_name(words[i]), count);
        others -= count;
    }
    json_int(json, "other", others);
    json_close(json, '{');
}

bool
fleet_json(const struct fleet *fleet, const struct report_place *place, struct text *ret,
           struct err *err)
{
    struct json_writer json = {.out = ret};
    TEXT_SCOPED verdict = {0};
    (void)place;
    fleet_verdict(fleet, &verdict);
    json_open(&json, NULL, '{');
    json_string(&json, "schema_version", "1");
    json_string(&json, "program", "dwclean " DWCLEAN_VERSION);
    json_string(&json, "kind", "fleet");
    json_string(&json, "command", fleet->command);
    json_string(&json, "outcome", outcome_word_name(fleet_word(fleet)));
    json_int(&json, "exit_status", fleet_exit_status(fleet));
    json_string(&json, "verdict", text_string(&verdict));
    if (fleet->signal)
        json_int(&json, "signal", fleet->signal);
    else
        json_null(&json, "signal");
    json_time(&json, "started", fleet->started_utc_ms);
    json_time(&json, "ended", fleet->ended_utc_ms);
    json_i64(&json, "duration_ms", fleet->duration_ms);
    json_string(&json, "config", fleet->config_file);
    json_int(&json, "jobs", (int)fleet->jobs);
    write_counts(&json, fleet);
    json_open(&json, "environments", '[');
    for (size_t i = 0; i < fleet->count; i++)
        write_member(&json, &fleet->members[i]);
    json_close(&json, '[');
    json_close(&json, '{');
    text_append(ret, "\n");
    return text_ok(&verdict, err);
}

bool
fleet_ndjson_tail(const struct fleet *fleet, const struct report_place *place, struct text *ret,
                  struct err *err)
{
    struct json_writer json = {.out = ret, .line = true};
    TEXT_SCOPED verdict = {0};
    (void)place;
    fleet_verdict(fleet, &verdict);
    json_open(&json, NULL, '{');
    json_string(&json, "event", "all_finished");
    json_string(&json, "schema_version", "1");
    json_time(&json, "time", fleet->ended_utc_ms);
    json_string(&json, "command", fleet->command);
    json_string(&json, "outcome", outcome_word_name(fleet_word(fleet)));
    json_int(&json, "exit_status", fleet_exit_status(fleet));
    json_string(&json, "verdict", text_string(&verdict));
    json_int(&json, "environments", (int)fleet->count);
    json_close(&json, '{');
    json_end(&json);
    return text_ok(&verdict, err);
}
