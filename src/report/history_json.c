/* The history for programs. */
#include "report/history.h"
#include "report/json_writer.h"

#include <string.h>

static void
open_document(struct json_writer *json, const char *command)
{
    json_open(json, NULL, '{');
    json_string(json, "format", "dwclean-history");
    json_string(json, "schema_version", "1");
    json_string(json, "command", command);
}

static bool
close_document(struct json_writer *json, struct err *err)
{
    json_close(json, '{');
    text_append(json->out, "\n");
    return text_ok(json->out, err);
}

/** "" becomes null. */
static void
put(struct json_writer *json, const char *name, const char *value)
{
    json_string(json, name, value && *value ? value : NULL);
}

static void
put_facts(struct json_writer *json, const char *name, const struct fact *facts, size_t count)
{
    json_open(json, name, '{');
    for (size_t i = 0; i < count; i++)
        json_string(json, facts[i].name, facts[i].value);
    json_close(json, '{');
}

static void
put_target(struct json_writer *json, const struct plan_header *plan)
{
    json_open(json, "target", '{');
    put(json, "server", plan->server);
    put(json, "database", plan->database);
    put(json, "organization_id", plan->organization_id);
    put(json, "organization_name", plan->organization_name);
    put(json, "organization_host", plan->organization_host);
    put(json, "scope", plan->scope);
    json_close(json, '{');
}

/** The members of a run, into an object that is open. */
static void
put_entry(struct json_writer *json, const struct run_entry *entry)
{
    const struct past_run *past = &entry->past;

    json_string(json, "run", entry->id);
    json_string(json, "path", entry->path);
    json_string(json, "state", history_state_key(history_state_of(entry)));
    json_bool(json, "running", entry->running);
    put(json, "damage", entry->damage);
    put(json, "run_command", past->command);
    put(json, "environment", past->environment);
    put_target(json, &past->plan);
    put(json, "started_utc", past->started_utc);
    put(json, "last_utc", past->progress.last_utc);
    put(json, "last_step", past->progress.last_step);
    put(json, "outcome", past->progress.outcome);
    put(json, "undoes", past->progress.undoes);
    put(json, "user", past->user);
    put(json, "host", past->host);
    put(json, "program", past->program);
    put(json, "plan_id", past->plan_id);
    json_count(json, "rows", history_rows(entry));
    json_i64(json, "backup_bytes", (int64_t)entry->backup_bytes);
    json_i64(json, "bytes", (int64_t)entry->bytes);
}

static void
put_leftovers(struct json_writer *json, const struct run_list *list)
{
    json_open(json, "leftovers", '[');
    for (size_t i = 0; i < list->leftover_count; i++)
        json_string(json, NULL, list->leftovers[i]);
    json_close(json, '[');
}

static void
put_listed(struct json_writer *json, const struct run_list *list, const struct run_entry *entry)
{
    const struct run_entry *undo = history_undone_by(list, entry);

    put_entry(json, entry);
    put(json, "undone_by", undo ? undo->id : NULL);
    json_i64(json, "only_copies", history_only_copies(list, entry));
}

bool
history_runs_json(const struct run_list *list, const char *environment, struct text *ret,
                  struct err *err)
{
    struct json_writer json = {.out = ret};
    int64_t damaged = 0;

    open_document(&json, "runs");
    json_string(&json, "runs_dir", list->runs_dir);
    json_bool(&json, "exists", list->exists);
    put(&json, "environment", environment);
    json_open(&json, "runs", '[');
    for (size_t i = 0; i < list->count; i++) {
        const struct run_entry *entry = &list->runs[i];

        if (!history_is_of(entry, environment))
            continue;
        damaged += entry->damage != NULL;
        json_open(&json, NULL, '{');
        put_listed(&json, list, entry);
        json_close(&json, '{');
    }
    json_close(&json, '[');
    json_i64(&json, "damaged", damaged);
    put_leftovers(&json, list);
    return close_document(&json, err);
}

/* ---- one run ---- */

static void
put_tables(struct json_writer *json, const struct run_details *details)
{
    const struct run_progress *progress = &details->entry.past.progress;

    json_open(json, "tables", '[');
    for (unsigned i = 0; i < TABLES; i++) {
        const int64_t changed = i == TABLE_RUNTIME    ? progress->runtime_rows
                                : progress->committed ? progress->axdb_rows[i]
                                                      : 0;
        json_open(json, NULL, '{');
        json_string(json, "table", table_key((enum table)i));
        json_string(json, "name", table_name((enum table)i));
        json_count(json, "planned", details->planned[i]);
        json_count(json, "backed_up", details->entry.backup[i]);
        json_count(json, history_is_undo(&details->entry) ? "restored" : "deleted", changed);
        json_count(json, "after", details->after[i]);
        json_close(json, '{');
    }
    json_close(json, '[');
}

static void
put_time_line(struct json_writer *json, const struct run_details *details)
{
    json_open(json, "time_line", '[');
    for (size_t i = 0; i < details->moment_count; i++) {
        const struct run_moment *moment = &details->moments[i];

        json_open(json, NULL, '{');
        json_string(json, "step", moment->step);
        json_string(json, "utc", moment->utc);
        json_string(json, "last_utc", moment->last_utc);
        json_i64(json, "records", moment->records);
        json_i64(json, "rows", moment->rows);
        put_facts(json, "facts", moment->facts, moment->count);
        json_close(json, '{');
    }
    json_close(json, '[');
}

static void
put_files(struct json_writer *json, const struct run_details *details)
{
    json_open(json, "files", '[');
    for (size_t i = 0; i < details->file_count; i++) {
        json_open(json, NULL, '{');
        json_string(json, "name", details->files[i].name);
        json_i64(json, "bytes", (int64_t)details->files[i].bytes);
        put(json, "sha256", details->files[i].sha256);
        json_close(json, '{');
    }
    json_close(json, '[');
}

static void
put_checks(struct json_writer *json, const struct history_shown *shown)
{
    static const char *const words[] = {
        [RUN_CHECK_OK] = "ok", [RUN_CHECK_NOTE] = "note", [RUN_CHECK_FAILED] = "failed"};

    if (!shown->verified) {
        json_null(json, "verification");
        return;
    }
    json_open(json, "verification", '{');
    json_bool(json, "ok", shown->failed_count == 0);
    json_i64(json, "failed", (int64_t)shown->failed_count);
    json_open(json, "checks", '[');
    for (size_t i = 0; i < shown->check_count; i++) {
        json_open(json, NULL, '{');
        json_string(json, "item", shown->checks[i].item);
        json_string(json, "verdict", words[shown->checks[i].verdict]);
        json_string(json, "text", shown->checks[i].text);
        json_close(json, '{');
    }
    json_close(json, '[');
    json_close(json, '{');
}

bool
history_run_json(const struct history_shown *shown, struct text *ret, struct err *err)
{
    const struct run_details *details = shown->details;
    struct json_writer json = {.out = ret};

    open_document(&json, "show");
    put_entry(&json, &details->entry);
    put(&json, "uid", details->uid);
    put(&json, "sudo_user", details->sudo_user);
    put(&json, "pid", details->pid);
    json_i64(&json, "torn_bytes", (int64_t)details->entry.past.progress.torn_bytes);
    put_facts(&json, "options", details->facts, details->fact_count);
    put_facts(&json, "versions", details->versions, details->version_count);
    put_tables(&json, details);
    put_time_line(&json, details);
    put_files(&json, details);
    put_checks(&json, shown);
    return close_document(&json, err);
}

/* ---- prune ---- */

static void
put_prune_line(struct json_writer *json, const struct history_prune_line *line)
{
    json_string(json, "run", line->entry->id);
    json_string(json, "state", history_state_key(history_state_of(line->entry)));
    json_bool(json, "goes", line->keep == NULL);
    put(json, "stays_because", line->keep);
    json_i64(json, "only_copies", line->only_copies);
    json_i64(json, "bytes", (int64_t)line->entry->bytes);
    json_bool(json, "removed", line->removed);
    put(json, "fault", line->fault);
}

bool
history_prune_json(const struct history_prune *prune, struct text *ret, struct err *err)
{
    struct json_writer json = {.out = ret};

    open_document(&json, "prune");
    json_string(&json, "runs_dir", prune->list->runs_dir);
    json_bool(&json, "dry_run", prune->dry_run);
    json_bool(&json, "confirmed", prune->confirmed);
    json_i64(&json, "going", (int64_t)prune->going);
    json_i64(&json, "only_copies", prune->only_copies);
    json_i64(&json, "bytes", (int64_t)prune->bytes);
    json_open(&json, "runs", '[');
    for (size_t i = 0; i < prune->count; i++) {
        const struct history_prune_line *line = &prune->lines[i];

        json_open(&json, NULL, '{');
        put_prune_line(&json, line);
        json_close(&json, '{');
    }
    json_close(&json, '[');
    put_leftovers(&json, prune->list);
    return close_document(&json, err);
}

/* ---- the same, a line each ---- */

static void
begin_event(struct json_writer *json, const char *event, const char *command)
{
    json_open(json, NULL, '{');
    json_string(json, "event", event);
    json_string(json, "schema_version", "1");
    json_string(json, "command", command);
}

static void
end_event(struct json_writer *json)
{
    json_close(json, '{');
    json_end(json);
}

bool
history_runs_ndjson(const struct run_list *list, const char *environment, struct text *ret,
                    struct err *err)
{
    struct json_writer json = {.out = ret, .line = true};
    int64_t runs = 0, damaged = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct run_entry *entry = &list->runs[i];

        if (!history_is_of(entry, environment))
            continue;
        runs++;
        damaged += entry->damage != NULL;
        begin_event(&json, "run", "runs");
        put_listed(&json, list, entry);
        end_event(&json);
    }
    begin_event(&json, "listed", "runs");
    json_string(&json, "runs_dir", list->runs_dir);
    json_bool(&json, "exists", list->exists);
    put(&json, "environment", environment);
    json_i64(&json, "runs", runs);
    json_i64(&json, "damaged", damaged);
    put_leftovers(&json, list);
    end_event(&json);
    return text_ok(ret, err);
}

bool
history_prune_ndjson(const struct history_prune *prune, struct text *ret, struct err *err)
{
    struct json_writer json = {.out = ret, .line = true};

    for (size_t i = 0; i < prune->count; i++) {
        begin_event(&json, "run", "prune");
        put_prune_line(&json, &prune->lines[i]);
        end_event(&json);
    }
    begin_event(&json, "listed", "prune");
    json_string(&json, "runs_dir", prune->list->runs_dir);
    json_bool(&json, "dry_run", prune->dry_run);
    json_bool(&json, "confirmed", prune->confirmed);
    json_i64(&json, "runs", (int64_t)prune->count);
    json_i64(&json, "going", (int64_t)prune->going);
    json_i64(&json, "only_copies", prune->only_copies);
    json_i64(&json, "bytes", (int64_t)prune->bytes);
    put_leftovers(&json, prune->list);
    end_event(&json);
    return text_ok(ret, err);
}
