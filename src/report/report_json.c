#include "base/text.h"
#include "core/symptom.h"
#include "report/json_writer.h"
#include "report/report.h"
#include "report/words.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <string.h>

/** "" means "not known" in evidence. */
static void
known(struct json_writer *json, const char *name, const char *value)
{
    json_string(json, name, value && *value ? value : NULL);
}

static void
write_error(struct json_writer *json, const char *name, const struct err *err)
{
    if (err->code == ERR_NONE) {
        json_null(json, name);
        return;
    }
    json_open(json, name, '{');
    json_string(json, "code", err_name(err->code));
    json_int(json, "exit_status", err_exit_status(err->code));
    json_string(json, "primary", err->primary);
    known(json, "detail", err->detail);
    known(json, "hint", err->hint);
    json_bool(json, "transient", err->transient);
    json_close(json, '{');
}

static void
write_counted(struct json_writer *json, const char *name, const struct counted *counted)
{
    json_open(json, name, '{');
    json_count(json, "rows", counted->known ? counted->rows : -1);
    write_error(json, "error", &counted->why);
    json_close(json, '{');
}

static void
write_names(struct json_writer *json, const char *name, const struct named_list *list)
{
    if (!list->known) {
        json_null(json, name);
        return;
    }
    json_open(json, name, '[');
    for (size_t i = 0; i < list->count; i++)
        json_string(json, NULL, list->names[i]);
    json_close(json, '[');
}

static const char *
right_name(enum right right)
{
    return right == RIGHT_HELD ? "held" : right == RIGHT_MISSING ? "missing" : "unknown";
}

/* ---- AxDB */

static void
write_axdb_identity(struct json_writer *json, const struct axdb_identity *identity)
{
    json_open(json, "identity", '{');
    known(json, "dialled", identity->dialled);
    known(json, "server_name", identity->server_name);
    known(json, "machine_name", identity->machine_name);
    known(json, "product", identity->product);
    known(json, "database", identity->database);
    known(json, "login", identity->login);
    known(json, "client", identity->client);
    known(json, "encryption", identity->encryption);
    known(json, "state", identity->state);
    known(json, "user_access", identity->user_access);
    json_bool(json, "read_only", identity->read_only);
    json_bool(json, "replica", identity->replica);
    json_bool(json, "read_committed_snapshot", identity->read_committed_snapshot);
    known(json, "created", identity->created);
    known(json, "recovery_fork", identity->recovery_fork);
    json_bool(json, "restore_known", identity->restore_known);
    known(json, "restored_at", identity->restored_at);
    known(json, "restored_from_server", identity->restored_from_server);
    known(json, "restored_from_database", identity->restored_from_database);
    known(json, "backup_finished_at", identity->backup_finished_at);
    json_close(json, '{');
}

static void
write_axdb_table(struct json_writer *json, enum table table,
                 const struct axdb_table_evidence *evidence)
{
    json_open(json, NULL, '{');
    json_string(json, "table", table_key(table));
    json_string(json, "name", table_name(table));
    json_bool(json, "exists", evidence->exists);
    known(json, "fault", evidence->fault);
    json_int(json, "columns", evidence->exists ? (int)evidence->schema.count : 0);
    write_counted(json, "fresh", &evidence->fresh);
    write_counted(json, "partitions", &evidence->partitions);
    json_open(json, "rights", '{');
    json_string(json, "select", right_name(evidence->may_select));
    json_string(json, "insert", right_name(evidence->may_insert));
    json_string(json, "delete", right_name(evidence->may_delete));
    json_string(json, "alter", right_name(evidence->may_alter));
    json_string(json, "view_definition", right_name(evidence->may_view_definition));
    json_close(json, '{');
    write_names(json, "triggers", &evidence->triggers);
    write_names(json, "foreign_keys", &evidence->foreign_keys);
    write_names(json, "security_policies", &evidence->policies);
    json_close(json, '{');
}

static void
write_urls(struct json_writer *json, const struct axdb_evidence *axdb)
{
    if (!axdb->urls_known) {
        json_null(json, "urls");
        return;
    }
    json_open(json, "urls", '[');
    for (size_t i = 0; i < axdb->url_count; i++) {
        TEXT_SCOPED url = {0};
        words_append_url(&url, axdb->urls[i].url);
        json_open(json, NULL, '{');
        json_string(json, "url", text_string(&url));
        json_i64(json, "status", axdb->urls[i].status);
        json_i64(json, "rows", axdb->urls[i].rows);
        json_close(json, '{');
    }
    json_close(json, '[');
}

static void
write_channels(struct json_writer *json, const struct axdb_evidence *axdb)
{
    if (!axdb->channels_known) {
        json_null(json, "channels");
        return;
    }
    json_open(json, "channels", '[');
    for (size_t i = 0; i < axdb->channel_count; i++) {
        const struct axdb_channel_count *channel = &axdb->channels[i];
        json_open(json, NULL, '{');
        json_string(json, "channel", channel->channel);
        json_i64(json, "direction", channel->direction);
        json_i64(json, "handler_class", channel->handler_class);
        json_i64(json, "enabled", channel->enabled);
        json_i64(json, "rows", channel->rows);
        json_close(json, '{');
    }
    json_close(json, '[');
}

static void
write_axdb(struct json_writer *json, const struct evidence *evidence)
{
    if (!evidence->axdb_asked) {
        json_null(json, "axdb");
        return;
    }
    json_open(json, "axdb", '{');
    write_error(json, "error", &evidence->axdb_err);
    json_bool(json, "reached", evidence->axdb != NULL);
    if (evidence->axdb) {
        const struct axdb_evidence *axdb = evidence->axdb;
        write_axdb_identity(json, &axdb->identity);
        json_open(json, "tables", '[');
        for (unsigned i = 0; i < AXDB_TABLES; i++)
            write_axdb_table(json, (enum table)i, &axdb->tables[i]);
        json_close(json, '[');
        write_urls(json, axdb);
        write_channels(json, axdb);
        write_counted(json, "projects_without_fields", &axdb->projects_without_fields);
        write_counted(json, "fields_without_project", &axdb->fields_without_project);
        json_count(json, "other_sessions", axdb->sessions_known ? axdb->other_sessions : -1);
        json_count(json, "aos_sessions", axdb->sessions_known ? axdb->aos_sessions : -1);
        json_string(json, "applock", right_name(axdb->may_applock));
    }
    json_close(json, '{');
}

/* ---- Dataverse */

static void
write_runtime_identity(struct json_writer *json, const struct runtime_identity *identity)
{
    json_open(json, "identity", '{');
    known(json, "dialled_host", identity->dialled_host);
    known(json, "organization_id", identity->organization_id);
    known(json, "unique_name", identity->unique_name);
    known(json, "friendly_name", identity->friendly_name);
    known(json, "environment_id", identity->environment_id);
    known(json, "version", identity->version);
    known(json, "host", identity->host);
    known(json, "user_id", identity->user_id);
    json_bool(json, "link_known", identity->link_known);
    json_bool(json, "linked", identity->linked);
    known(json, "fno_url", identity->fno_url);
    known(json, "link_detail", identity->link_detail);
    known(json, "entity_set", identity->entity_set);
    known(json, "key_column", identity->key_column);
    json_bool(json, "optimistic_concurrency", identity->optimistic_concurrency);
    json_close(json, '{');
}

static void
write_runtime_row(struct json_writer *json, const struct runtime_row *row)
{
    json_open(json, NULL, '{');
    json_string(json, "key", row->key);
    known(json, "name", row->name);
    known(json, "internal_entity", row->internal_entity);
    known(json, "external_entity", row->external_entity);
    known(json, "created_on", row->created_on);
    known(json, "modified_on", row->modified_on);
    json_bool(json, "active", row->active);
    json_close(json, '{');
}

static void
write_runtime_rows(struct json_writer *json, const char *name, const struct runtime_row *rows,
                   size_t count)
{
    json_open(json, name, '[');
    for (size_t i = 0; i < count; i++)
        write_runtime_row(json, &rows[i]);
    json_close(json, '[');
}

static void
write_runtime(struct json_writer *json, const struct evidence *evidence)
{
    if (!evidence->runtime_asked) {
        json_null(json, "dataverse");
        return;
    }
    json_open(json, "dataverse", '{');
    write_error(json, "error", &evidence->runtime_err);
    json_bool(json, "reached", evidence->runtime != NULL);
    if (evidence->runtime) {
        write_runtime_identity(json, &evidence->runtime->identity);
        json_i64(json, "row_count", (int64_t)evidence->runtime->row_count);
        write_runtime_rows(json, "rows", evidence->runtime->rows, evidence->runtime->kept_count);
        json_i64(json, "rows_more",
                 (int64_t)(evidence->runtime->row_count - evidence->runtime->kept_count));
    }
    json_close(json, '{');
}

/* ---- evidence as a whole */

static void
write_observations(struct json_writer *json, const struct evidence *evidence, bool needs)
{
    json_open(json, "checks", '[');
    for (size_t i = 0; i < evidence->observation_count; i++) {
        const struct observation *seen = &evidence->observations[i];
        json_open(json, NULL, '{');
        json_string(json, "check", seen->check);
        json_bool(json, "required", seen->required);
        json_string(json, "verdict",
                    needs ? presence_name(seen->verdict) : verdict_name(seen->verdict));
        json_string(json, "evidence", seen->text);
        json_string(json, "hint", seen->hint);
        json_string(json, "health_check_code", seen->code);
        json_string(json, "cause", seen->cause == ERR_NONE ? NULL : err_name(seen->cause));
        json_close(json, '{');
    }
    json_close(json, '[');
}

static void
write_groups(struct json_writer *json, const struct evidence *evidence)
{
    json_open(json, "hosts", '[');
    for (size_t i = 0; i < evidence->host_count; i++) {
        json_open(json, NULL, '{');
        json_string(json, "host", evidence->hosts[i].host);
        json_i64(json, "rows", evidence->hosts[i].rows);
        json_bool(json, "own", evidence->hosts[i].own);
        json_close(json, '{');
    }
    json_close(json, '[');
    json_open(json, "channel_families", '[');
    for (size_t i = 0; i < evidence->family_count; i++) {
        json_open(json, NULL, '{');
        json_string(json, "family", evidence->families[i].family);
        json_i64(json, "rows", evidence->families[i].rows);
        json_bool(json, "foreign", evidence->families[i].foreign);
        json_close(json, '{');
    }
    json_close(json, '[');
}

static void
write_evidence(struct json_writer *json, const char *name, const struct evidence *evidence,
               bool needs)
{
    json_open(json, name, '{');
    json_time(json, "taken", evidence->taken_utc_ms);
    known(json, "own_host", evidence->own_host);
    known(json, "own_host_source", evidence->own_host_source);
    write_observations(json, evidence, needs);
    write_groups(json, evidence);
    write_axdb(json, evidence);
    write_runtime(json, evidence);
    json_close(json, '{');
}

/* ---- the run */

static void
write_table(struct json_writer *json, enum table table, const struct table_outcome *outcome)
{
    json_open(json, NULL, '{');
    json_string(json, "table", table_key(table));
    json_string(json, "name", table_name(table));
    json_bool(json, "asked", outcome->asked);
    json_count(json, "before", outcome->before_rows);
    json_count(json, "planned", outcome->planned_rows);
    json_count(json, "backed_up", outcome->backed_up_rows);
    json_count(json, "deleted", outcome->deleted_rows);
    json_count(json, "after", outcome->after_rows);
    json_count(json, "backed_up_again", outcome->again_rows);
    json_count(json, "already_gone", outcome->gone_rows);
    json_count(json, "changed", outcome->changed_rows);
    json_count(json, "failed", outcome->failed_rows);
    json_count(json, "unknown", outcome->unknown_rows);
    json_count(json, "written_after_plan", outcome->new_rows);
    json_count(json, "back_again", outcome->back_rows);
    json_count(json, "kept", outcome->kept_rows);
    json_count(json, "restored", outcome->restored_rows);
    json_count(json, "already_there", outcome->present_rows);
    json_count(json, "differing", outcome->differing_rows);
    json_close(json, '{');
}

static void
write_removals(struct json_writer *json, const struct outcome *outcome)
{
    json_open(json, "not_removed", '[');
    for (size_t i = 0; i < outcome->removal_count; i++) {
        const struct removal *removal = &outcome->removals[i];
        json_open(json, NULL, '{');
        json_string(json, "key", removal->row ? removal->row->key : NULL);
        json_string(json, "state", removal_state_name(removal->state));
        json_int(json, "http_status", removal->http_status);
        known(json, "request_id", removal->request_id);
        write_error(json, "error", &removal->why);
        json_close(json, '{');
    }
    json_close(json, '[');
}

static void
write_returns(struct json_writer *json, const struct outcome *outcome)
{
    json_open(json, "not_restored", '[');
    for (size_t i = 0; i < outcome->return_count; i++) {
        const struct returned *returned = &outcome->returns[i];
        json_open(json, NULL, '{');
        json_string(json, "key", returned->key);
        json_string(json, "state", return_state_name(returned->state));
        json_int(json, "http_status", returned->http_status);
        known(json, "request_id", returned->request_id);
        write_error(json, "error", &returned->why);
        json_close(json, '{');
    }
    json_close(json, '[');
}

/** How many more there are than are listed. */
static void
write_rest(struct json_writer *json, const char *name, int64_t all, size_t listed)
{
    json_i64(json, name, all > (int64_t)listed ? all - (int64_t)listed : 0);
}

/** Rows of Dataverse by name, where something is to be said of them. */
static void
write_runtime_lists(struct json_writer *json, const struct outcome *outcome)
{
    const struct table_outcome *runtime = &outcome->tables[TABLE_RUNTIME];
    const int64_t failed = outcome_rows_unsettled(runtime);
    write_removals(json, outcome);
    write_rest(json, "not_removed_more", outcome->undoes ? 0 : failed, outcome->removal_count);
    write_returns(json, outcome);
    write_rest(json, "not_restored_more", outcome->undoes ? failed : 0, outcome->return_count);
    write_runtime_rows(json, "written_after_plan", outcome->written_after,
                       outcome->written_after_count);
    write_rest(json, "written_after_plan_more", runtime->new_rows, outcome->written_after_count);
}

static void
write_lost(struct json_writer *json, const struct runtime_columns *lost)
{
    if (!lost) {
        json_null(json, "columns_not_restored");
        return;
    }
    json_open(json, "columns_not_restored", '[');
    for (size_t i = 0; i < lost->count; i++)
        json_string(json, NULL, lost->names[i]);
    json_close(json, '[');
}

static void
write_pace(struct json_writer *json, const struct runtime_pace *pace)
{
    if (!pace) {
        json_null(json, "pace");
        return;
    }
    json_open(json, "pace", '{');
    json_i64(json, "rows_per_minute", pace->rows_per_second_x10 * 6);
    json_i64(json, "ms_per_row", pace->ms_per_row_x10 / 10);
    json_int(json, "requests_at_once", pace->concurrency);
    json_int(json, "rows_per_request", pace->batch_rows);
    json_i64(json, "throttled", pace->throttled);
    json_close(json, '{');
}

/** Who ran it, and where. */
static void
write_operator(struct json_writer *json, const struct outcome *outcome)
{
    json_open(json, "operator", '{');
    known(json, "user", outcome->user);
    known(json, "sudo_user", outcome->sudo_user);
    known(json, "host", outcome->host);
    json_close(json, '{');
}

/** What the journal has, with its times. */
static void
write_steps(struct json_writer *json, const struct outcome *outcome)
{
    json_open(json, "steps", '[');
    for (size_t i = 0; i < outcome->step_count; i++) {
        const struct run_step *step = &outcome->steps[i];
        json_open(json, NULL, '{');
        json_string(json, "step", step->step);
        json_time(json, "first", step->first_utc_ms);
        json_time(json, "last", step->last_utc_ms);
        json_i64(json, "times", step->times);
        json_close(json, '{');
    }
    json_close(json, '[');
    json_i64(json, "steps_more", outcome->steps_unlisted);
}

static void
write_head(struct json_writer *json, const struct outcome *outcome)
{
    json_string(json, "schema_version", "1");
    json_string(json, "program", "dwclean " DWCLEAN_VERSION);
    json_string(json, "command", outcome->command);
    json_string(json, "outcome", outcome_word_name(outcome->word));
    json_int(json, "exit_status", outcome->exit_status);
    json_string(json, "verdict", outcome->verdict);
    write_error(json, "error", &outcome->err);
    json_time(json, "started", outcome->started_utc_ms);
    json_time(json, "ended", outcome->ended_utc_ms);
    json_string(json, "environment", outcome->environment);
    json_string(json, "class", outcome->environment_class);
    json_string(json, "scope", outcome->scope);
    json_string(json, "undoes", outcome->undoes);
    json_bool(json, "resumed", outcome->resumed);
    json_string(json, "settled", outcome->settled);
    json_bool(json, "dry_run", outcome->dry_run);
    json_bool(json, "changed", outcome->changed);
    json_string(json, "reason", outcome->reason);
    json_string(json, "plan_id", outcome->plan_id);
    json_string(json, "plan_file", outcome->plan_path);
    json_string(json, "plan_file_sha256", outcome->plan_sha256);
    json_time(json, "plan_expires", outcome->plan_expires_utc_ms);
    json_string(json, "run_id", outcome->run_id);
    json_string(json, "run_path", outcome->run_path);
    json_count(json, "locked_ms", outcome->locked_ms);
}

static void
write_map(struct json_writer *json, const struct outcome *outcome)
{
    json_open(json, "map_rows", '[');
    for (size_t i = 0; i < outcome->map_row_count; i++) {
        const struct map_row *row = &outcome->map_rows[i];
        json_open(json, NULL, '{');
        json_string(json, "project", row->project);
        json_string(json, "host", row->host);
        json_count(json, "status", row->status);
        json_bool(json, "own", row->own);
        json_bool(json, "chosen", row->chosen);
        json_close(json, '{');
    }
    json_close(json, '[');
}

static void
write_explained(struct json_writer *json, const struct outcome *outcome)
{
    json_open(json, "explained", '[');
    for (size_t i = 0; i < outcome->explained_count; i++) {
        const struct explained *explained = &outcome->explained[i];
        const struct symptom *symptom = explained->match->symptom;
        json_open(json, NULL, '{');
        json_string(json, "id", symptom->id);
        json_string(json, "title", symptom->title);
        json_string(json, "text", explained->match->excerpt);
        json_string(json, "configured", explained->match->configured);
        json_string(json, "actual", explained->match->actual);
        json_string(json, "cause", symptom->cause);
        json_string(json, "confirmation", confirmation_name(explained->confirmation));
        json_string(json, "evidence", explained->evidence);
        json_open(json, "steps", '[');
        for (size_t k = 0; k < SYMPTOM_STEPS && symptom->steps[k]; k++)
            json_string(json, NULL, symptom->steps[k]);
        json_close(json, '[');
        json_string(json, "checks", symptom->checks);
        json_string(json, "source", symptom->source);
        json_close(json, '{');
    }
    json_close(json, '[');
}

static void
write_situations(struct json_writer *json, const struct outcome *outcome)
{
    json_open(json, "situations", '[');
    for (size_t i = 0; i < outcome->situation_count; i++) {
        const struct situation *situation = &outcome->situations[i];
        json_open(json, NULL, '{');
        json_string(json, "id", situation->id);
        json_string(json, "title", situation->title);
        json_bool(json, "likely", situation->likely);
        json_string(json, "evidence", situation->evidence);
        json_open(json, "remains", '[');
        for (size_t k = 0; k < situation->remain_count; k++)
            json_string(json, NULL, situation->remains[k]);
        json_close(json, '[');
        json_string(json, "source", situation->source);
        json_close(json, '{');
    }
    json_close(json, '[');
}

static void
write_keys(struct json_writer *json, const char *name, const struct key_list *list)
{
    json_open(json, name, '{');
    json_count(json, "rows", list->rows);
    json_open(json, "first", '[');
    for (size_t i = 0; i < list->count; i++)
        json_string(json, NULL, list->keys[i]);
    json_close(json, '[');
    json_close(json, '{');
}

static void
write_difference(struct json_writer *json, const struct plan_difference *difference)
{
    if (!difference) {
        json_null(json, "difference");
        return;
    }
    json_open(json, "difference", '[');
    for (unsigned i = 0; i < TABLES; i++) {
        const struct table_difference *table = &difference->tables[i];
        json_open(json, NULL, '{');
        json_string(json, "table", table_key((enum table)i));
        write_keys(json, "gone", &table->gone);
        write_keys(json, "new", &table->fresh);
        write_keys(json, "changed", &table->changed);
        json_open(json, "columns", '[');
        for (size_t j = 0; j < table->column_count; j++)
            json_string(json, NULL, table->columns[j]);
        json_close(json, '[');
        json_close(json, '{');
    }
    json_close(json, '[');
}

const char *
report_library_version(void)
{
    return cJSON_Version();
}

bool
report_json(const struct outcome *outcome, struct text *ret, struct err *err)
{
    assert(outcome && ret && err);
    struct json_writer json = {.out = ret};
    const bool needs = outcome->command && strcmp(outcome->command, "check") == 0;

    json_open(&json, NULL, '{');
    write_head(&json, outcome);
    json_open(&json, "tables", '[');
    for (unsigned i = 0; i < TABLES; i++)
        write_table(&json, (enum table)i, &outcome->tables[i]);
    json_close(&json, '[');
    write_map(&json, outcome);
    write_difference(&json, outcome->difference);
    write_evidence(&json, "before", &outcome->before, needs);
    if (outcome->after_taken)
        write_evidence(&json, "after", &outcome->after, needs);
    else
        json_null(&json, "after");
    write_runtime_lists(&json, outcome);
    write_lost(&json, outcome->lost);
    write_pace(&json, outcome->pace);
    write_operator(&json, outcome);
    write_steps(&json, outcome);
    write_explained(&json, outcome);
    write_situations(&json, outcome);
    json_open(&json, "next", '[');
    for (size_t i = 0; i < outcome->next_count; i++)
        json_string(&json, NULL, outcome->next[i]);
    json_close(&json, '[');
    json_close(&json, '{');
    text_append(ret, "\n");
    return text_ok(ret, err);
}
