/* Events: one line of JSON each, after include/report/events.schema.json. */
#include "core/symptom.h"
#include "parts.h"
#include "report/json_writer.h"
#include "report/report.h"
#include "report/words.h"

#include <assert.h>
#include <string.h>

/** Where events go, and whose they are. */
struct events {
    struct json_writer json;
    const struct outcome *outcome;
};

/** The members that every event has. */
static struct json_writer *
begin(struct events *events, const char *event, int64_t utc_ms)
{
    struct json_writer *json = &events->json;
    json_open(json, NULL, '{');
    json_string(json, "event", event);
    json_string(json, "schema_version", "1");
    json_string(json, "environment", events->outcome->environment);
    json_string(json, "run_id", events->outcome->run_id);
    json_time(json, "time", utc_ms);
    return json;
}

static void
end(struct events *events)
{
    json_close(&events->json, '{');
    json_end(&events->json);
}

/** "" means "not known" in evidence. */
static void
known(struct json_writer *json, const char *name, const char *value)
{
    json_string(json, name, value && *value ? value : NULL);
}

static void
write_strings(struct json_writer *json, const char *name, const char *const *strings, size_t count)
{
    json_open(json, name, '[');
    for (size_t i = 0; i < count && strings[i]; i++)
        json_string(json, NULL, strings[i]);
    json_close(json, '[');
}

static void
write_started(struct events *events)
{
    const struct outcome *outcome = events->outcome;
    struct json_writer *json = begin(events, "started", outcome->started_utc_ms);
    json_string(json, "program", "dwclean " DWCLEAN_VERSION);
    json_string(json, "command", outcome->command);
    json_string(json, "class", outcome->environment_class);
    json_string(json, "scope", outcome->scope);
    json_string(json, "undoes", outcome->undoes);
    json_string(json, "reason", outcome->reason);
    json_bool(json, "resumed", outcome->resumed);
    json_bool(json, "dry_run", outcome->dry_run);
    json_string(json, "plan_id", outcome->plan_id);
    end(events);
}

/** The half of a target, and why there is nothing to say of it. */
static void
write_target(struct events *events, const struct parts_target *target)
{
    struct json_writer *json = begin(events, "target", events->outcome->before.taken_utc_ms);
    json_string(json, "half", target->half);
    json_bool(json, "reached", target->reached);
    known(json, "server", target->server);
    known(json, "database", target->database);
    known(json, "organization", target->organization);
    known(json, "organization_id", target->organization_id);
    json_string(json, "cause", target->reached ? NULL : err_name(target->why->code));
    known(json, "why", target->reached ? NULL : target->why->primary);
    end(events);
}

static void
write_table(struct events *events, const struct table_outcome *table)
{
    struct json_writer *json = begin(events, "table", 0);
    json_string(json, "table", table_key(table->table));
    json_string(json, "name", table_name(table->table));
    json_count(json, "before", table->before_rows);
    json_count(json, "planned", table->planned_rows);
    json_count(json, "backed_up", table->backed_up_rows);
    json_count(json, "deleted", table->deleted_rows);
    json_count(json, "after", table->after_rows);
    json_count(json, "kept", table->kept_rows);
    json_count(json, "restored", table->restored_rows);
    end(events);
}

static void
write_checks(struct events *events, const char *phase, const struct evidence *evidence)
{
    const bool needs = parts_is_command(events->outcome, "check");
    for (size_t i = 0; i < evidence->observation_count; i++) {
        const struct observation *seen = &evidence->observations[i];
        struct json_writer *json = begin(events, "check", evidence->taken_utc_ms);
        json_string(json, "phase", phase);
        json_string(json, "check", seen->check);
        json_bool(json, "required", seen->required);
        json_string(json, "verdict",
                    needs ? presence_name(seen->verdict) : verdict_name(seen->verdict));
        json_string(json, "evidence", seen->text);
        json_string(json, "hint", seen->hint);
        json_string(json, "health_check_code", seen->code);
        json_string(json, "cause", seen->cause == ERR_NONE ? NULL : err_name(seen->cause));
        end(events);
    }
}

static void
write_groups(struct events *events, const char *phase, const struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->host_count; i++) {
        struct json_writer *json = begin(events, "host", evidence->taken_utc_ms);
        json_string(json, "phase", phase);
        json_string(json, "host", evidence->hosts[i].host);
        json_i64(json, "rows", evidence->hosts[i].rows);
        json_bool(json, "own", evidence->hosts[i].own);
        end(events);
    }
    for (size_t i = 0; i < evidence->family_count; i++) {
        struct json_writer *json = begin(events, "channel", evidence->taken_utc_ms);
        json_string(json, "phase", phase);
        json_string(json, "channel", evidence->families[i].family);
        json_i64(json, "rows", evidence->families[i].rows);
        json_bool(json, "foreign", evidence->families[i].foreign);
        end(events);
    }
}

static void
write_evidence(struct events *events, const char *phase, const struct evidence *evidence)
{
    write_checks(events, phase, evidence);
    write_groups(events, phase, evidence);
}

/** The rows of the map that repair-map was asked for. */
static void
write_map_rows(struct events *events)
{
    const struct outcome *outcome = events->outcome;
    for (size_t i = 0; i < outcome->map_row_count; i++) {
        const struct map_row *row = &outcome->map_rows[i];
        struct json_writer *json = begin(events, "map_row", outcome->before.taken_utc_ms);
        json_string(json, "project", row->project);
        json_string(json, "host", row->host);
        json_count(json, "status", row->status);
        json_bool(json, "own", row->own);
        json_bool(json, "chosen", row->chosen);
        end(events);
    }
}

static void
write_row(struct events *events, const struct parts_row *row)
{
    struct json_writer *json = begin(events, "row", 0);
    json_string(json, "key", row->key);
    json_string(json, "state", row->state);
    json_int(json, "http_status", row->http_status);
    known(json, "request_id", row->request_id);
    known(json, "why", row->why ? row->why->primary : NULL);
    end(events);
}

/** Rows of Dataverse that did not go or come back, or that are new. */
static void
write_rows(struct events *events)
{
    struct parts_row row;
    for (size_t i = 0; parts_row_at(events->outcome, i, &row); i++)
        write_row(events, &row);
}

static void
write_differences(struct events *events)
{
    const struct plan_difference *difference = events->outcome->difference;
    for (unsigned i = 0; difference && i < TABLES; i++) {
        const struct table_difference *table = &difference->tables[i];
        struct json_writer *json = begin(events, "difference", 0);
        json_string(json, "table", table_key((enum table)i));
        json_count(json, "gone", table->gone.rows);
        json_count(json, "new", table->fresh.rows);
        json_count(json, "changed", table->changed.rows);
        write_strings(json, "columns", table->columns, table->column_count);
        end(events);
    }
}

static void
write_symptoms(struct events *events)
{
    const struct outcome *outcome = events->outcome;
    for (size_t i = 0; i < outcome->explained_count; i++) {
        const struct explained *explained = &outcome->explained[i];
        const struct symptom *symptom = explained->match->symptom;
        struct json_writer *json = begin(events, "symptom", 0);
        json_string(json, "id", symptom->id);
        json_string(json, "title", symptom->title);
        json_string(json, "text", explained->match->excerpt);
        json_string(json, "cause", symptom->cause);
        json_string(json, "confirmation", confirmation_name(explained->confirmation));
        json_string(json, "evidence", explained->evidence);
        write_strings(json, "steps", symptom->steps, SYMPTOM_STEPS);
        end(events);
    }
}

static void
write_situations(struct events *events)
{
    const struct outcome *outcome = events->outcome;
    for (size_t i = 0; i < outcome->situation_count; i++) {
        const struct situation *situation = &outcome->situations[i];
        struct json_writer *json = begin(events, "situation", outcome->before.taken_utc_ms);
        json_string(json, "id", situation->id);
        json_string(json, "title", situation->title);
        json_bool(json, "likely", situation->likely);
        json_string(json, "evidence", situation->evidence);
        write_strings(json, "remains", situation->remains, situation->remain_count);
        json_string(json, "source", situation->source);
        end(events);
    }
}

static void
write_next(struct events *events)
{
    const struct outcome *outcome = events->outcome;
    for (size_t i = 0; i < outcome->next_count; i++) {
        struct json_writer *json = begin(events, "next", 0);
        json_int(json, "step", (int)i + 1);
        json_string(json, "text", outcome->next[i]);
        end(events);
    }
}

static void
write_error(struct events *events)
{
    const struct err *err = &events->outcome->err;
    if (err->code == ERR_NONE)
        return;
    struct json_writer *json = begin(events, "error", events->outcome->ended_utc_ms);
    json_string(json, "code", err_name(err->code));
    json_int(json, "exit_status", err_exit_status(err->code));
    json_string(json, "primary", err->primary);
    known(json, "detail", err->detail);
    known(json, "hint", err->hint);
    json_bool(json, "transient", err->transient);
    end(events);
}

static void
write_finished(struct events *events)
{
    const struct outcome *outcome = events->outcome;
    struct json_writer *json = begin(events, "finished", outcome->ended_utc_ms);
    json_string(json, "command", outcome->command);
    json_string(json, "outcome", outcome_word_name(outcome->word));
    json_int(json, "exit_status", outcome->exit_status);
    json_string(json, "verdict", outcome->verdict);
    json_bool(json, "changed", outcome->changed);
    json_string(json, "settled", outcome->settled);
    json_string(json, "run_path", outcome->run_path);
    json_count(json, "locked_ms", outcome->locked_ms);
    json_seconds(json, "seconds", parts_took_ms(outcome));
    end(events);
}

bool
report_ndjson_head(struct text *ret, struct err *err)
{
    assert(ret && err);
    return text_ok(ret, err);
}

bool
report_ndjson_item(const struct outcome *outcome, struct text *ret, struct err *err)
{
    assert(outcome && ret && err);
    struct events events = {.json = {.out = ret, .line = true}, .outcome = outcome};
    struct parts_target targets[2];
    const size_t count = parts_targets(outcome, targets);
    write_started(&events);
    for (size_t i = 0; i < count; i++)
        write_target(&events, &targets[i]);
    for (unsigned i = 0; parts_has_tables(outcome) && i < TABLES; i++) {
        if (outcome->tables[i].asked)
            write_table(&events, &outcome->tables[i]);
    }
    write_map_rows(&events);
    write_evidence(&events, "before", &outcome->before);
    if (outcome->after_taken)
        write_evidence(&events, "after", &outcome->after);
    write_differences(&events);
    write_rows(&events);
    write_symptoms(&events);
    write_situations(&events);
    write_error(&events);
    write_next(&events);
    write_finished(&events);
    return text_ok(ret, err);
}

bool
report_ndjson_tail(struct text *ret, struct err *err)
{
    assert(ret && err);
    return text_ok(ret, err);
}
