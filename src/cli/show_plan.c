#include "cli/show_plan.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "base/text.h"
#include "core/plan.h"
#include "report/json_writer.h"
#include "report/layout.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { FLUSH_BYTES = 256 * 1024, MINUTE_MS = 60 * 1000, LEFT_BYTES = 64 };

bool
show_plan_is_file(const char *operand)
{
    struct stat status;
    return stat(operand, &status) == 0 && S_ISREG(status.st_mode);
}

/** What is known of the plan beside its rows. */
struct shown_plan {
    const struct show_plan_job *job;
    const struct plan_header *header;
    struct plan_summary summary;
    int64_t rows, expires_utc_ms, now_utc_ms;
};

static bool
flush(const struct show_plan_job *job, struct text *text, struct err *err)
{
    if (!text_ok(text, err) || !output_text(job->output, text, err))
        return false;
    text_reset(text);
    return true;
}

static bool
flush_when_long(const struct show_plan_job *job, struct text *text, struct err *err)
{
    return text->used < FLUSH_BYTES || flush(job, text, err);
}

/** Every row of the plan, one after the other. */
static bool
each_row(const struct shown_plan *plan, void *ctx,
         bool (*take)(void *ctx, const struct row_id *row, struct err *err), struct err *err)
{
    struct saved_plan *saved = plan->job->saved;
    struct row_id row;
    bool end = false;
    if (!saved->ops->rewind(saved, err))
        return false;
    for (;;) {
        if (!cancel_check(err) || !saved->ops->next(saved, &row, &end, err))
            return false;
        if (end)
            return true;
        if (!take(ctx, &row, err))
            return false;
    }
}

/* ---- text */

static void
left_text(const struct shown_plan *plan, char ret[LEFT_BYTES])
{
    const int64_t left_ms = plan->expires_utc_ms - plan->now_utc_ms;
    if (left_ms <= 0)
        (void)snprintf(ret, LEFT_BYTES, "OVER: plan again");
    else
        (void)snprintf(ret, LEFT_BYTES, "%" PRId64 " h %" PRId64 " min left",
                       left_ms / MINUTE_MS / 60, left_ms / MINUTE_MS % 60);
}

static void
write_head(const struct layout *layout, const struct shown_plan *plan)
{
    const struct saved_plan *saved = plan->job->saved;
    char stamp[CLOCK_STAMP_BYTES], left[LEFT_BYTES], line[CLOCK_STAMP_BYTES + LEFT_BYTES + 4];
    const bool over = plan->expires_utc_ms <= plan->now_utc_ms;
    layout_word(layout, over ? "EXPIRED" : "PLAN", 0, over ? COLOUR_WARNING : COLOUR_GOOD);
    (void)snprintf(line, sizeof(line), "WOULD back up and delete %" PRId64 " %s", plan->rows,
                   plan->rows == 1 ? "row" : "rows");
    text_append(layout->out, "  ");
    layout_flow(layout, over ? 9 : 6, line);
    layout_pair(layout, "plan-id", saved->ops->plan_id(saved));
    layout_pair(layout, "file", saved->ops->path(saved));
    layout_pair(layout, "sha-256", saved->ops->sha256(saved));
    clock_stamp(plan->header->created_utc_ms, stamp);
    layout_pair(layout, "made", stamp);
    clock_stamp(plan->expires_utc_ms, stamp);
    left_text(plan, left);
    (void)snprintf(line, sizeof(line), "%s, %s", stamp, left);
    layout_pair(layout, "expires", line);
    layout_pair(layout, "scope", plan->header->scope[0] ? plan->header->scope : "every row");
}

static void
write_target(const struct layout *layout, const struct plan_header *header)
{
    TEXT_SCOPED line = {0};
    layout_heading(layout, "Target");
    layout_pair(layout, "server", header->server);
    if (header->database[0])
        text_printf(&line, "%s, created %s, recovery fork %s", header->database,
                    header->database_created[0] ? header->database_created : "not known",
                    header->recovery_fork[0] ? header->recovery_fork : "not known");
    layout_pair(layout, "database", text_string(&line));
    text_reset(&line);
    if (header->organization_id[0])
        text_printf(&line, "%s, id %s", header->organization_name, header->organization_id);
    layout_pair(layout, "organization", text_string(&line));
    layout_pair(layout, "host", header->organization_host);
}

static bool
write_tables(const struct layout *layout, const struct shown_plan *plan, struct err *err)
{
    static const struct layout_column columns[] = {
        {"TABLE", KIND_WORD}, {"WOULD DELETE", KIND_NUMBER}, {"COLUMNS", KIND_NUMBER}};
    const struct saved_plan *saved = plan->job->saved;
    struct layout_grid *grid = layout_grid_new(layout, columns, 3);
    bool ok = grid != NULL || err_set(err, ERR_INTERNAL, "out of memory");
    layout_heading(layout, "Rows");
    for (unsigned i = 0; ok && i < TABLES; i++) {
        const enum table table = (enum table)i;
        const struct schema *schema = saved->ops->schema(saved, table);
        char rows[24], count[24];
        const char *cells[] = {table_name(table), rows, count};
        if (!schema)
            continue;
        (void)snprintf(rows, sizeof(rows), "%" PRId64, plan->summary.states[table].rows);
        (void)snprintf(count, sizeof(count), "%zu", schema->count);
        ok = layout_grid_row(grid, cells, err);
    }
    ok = ok && layout_grid_print(grid, err);
    layout_grid_free(grid);
    return ok;
}

struct row_lines {
    const struct shown_plan *plan;
    const struct layout *layout;
};

static bool
write_row(void *ctx, const struct row_id *row, struct err *err)
{
    const struct row_lines *lines = ctx;
    struct text *out = lines->layout->out;
    char digest[DIGEST_HEX_BYTES];
    digest_hex(&row->digest, digest);
    text_printf(out, "  %-7s ", table_key(row->table));
    text_append_shown(out, row->key, strlen(row->key));
    text_printf(out, " %s ", digest);
    text_append_shown(out, row->version, strlen(row->version));
    text_append(out, "\n");
    return flush_when_long(lines->plan->job, out, err);
}

static bool
show_text(const struct shown_plan *plan, struct err *err)
{
    const struct show_plan_job *job = plan->job;
    TEXT_SCOPED text = {0};
    const struct layout layout = {
        .out = &text, .width = job->output->place.width, .colour = job->output->place.colour};
    struct row_lines lines = {.plan = plan, .layout = &layout};
    write_head(&layout, plan);
    write_target(&layout, plan->header);
    if (!write_tables(&layout, plan, err))
        return false;
    if (job->rows) {
        layout_heading(&layout, "Keys, digests and versions");
        if (!each_row(plan, &lines, write_row, err))
            return false;
    }
    return (!job->statements || show_plan_statements(job, &plan->summary, &text, err)) &&
           flush(job, &text, err);
}

/* ---- JSON */

struct row_items {
    const struct shown_plan *plan;
    struct json_writer *json;
};

static bool
write_row_item(void *ctx, const struct row_id *row, struct err *err)
{
    const struct row_items *items = ctx;
    char digest[DIGEST_HEX_BYTES];
    digest_hex(&row->digest, digest);
    json_open(items->json, NULL, '{');
    json_string(items->json, "table", table_key(row->table));
    json_string(items->json, "key", row->key);
    json_string(items->json, "digest", digest);
    json_string(items->json, "version", row->version);
    json_close(items->json, '{');
    return flush_when_long(items->plan->job, items->json->out, err);
}

/** "" = that half is not in the plan. */
static void
write_known(struct json_writer *json, const char *name, const char *value)
{
    json_string(json, name, *value ? value : NULL);
}

static void
write_json_head(struct json_writer *json, const struct shown_plan *plan)
{
    const struct saved_plan *saved = plan->job->saved;
    const struct plan_header *header = plan->header;
    json_string(json, "schema_version", "1");
    json_string(json, "program", "dwclean " DWCLEAN_VERSION);
    json_string(json, "plan_id", saved->ops->plan_id(saved));
    json_string(json, "file", saved->ops->path(saved));
    json_string(json, "sha256", saved->ops->sha256(saved));
    json_time(json, "made", header->created_utc_ms);
    json_time(json, "expires", plan->expires_utc_ms);
    json_bool(json, "expired", plan->expires_utc_ms <= plan->now_utc_ms);
    json_string(json, "scope", header->scope);
    write_known(json, "server", header->server);
    write_known(json, "database", header->database);
    write_known(json, "database_created", header->database_created);
    write_known(json, "recovery_fork", header->recovery_fork);
    write_known(json, "organization_id", header->organization_id);
    write_known(json, "organization_name", header->organization_name);
    write_known(json, "organization_host", header->organization_host);
    json_i64(json, "row_count", plan->rows);
    json_open(json, "tables", '[');
    for (unsigned i = 0; i < TABLES; i++) {
        const struct schema *schema = saved->ops->schema(saved, (enum table)i);
        if (!schema)
            continue;
        json_open(json, NULL, '{');
        json_string(json, "table", table_key((enum table)i));
        json_string(json, "name", table_name((enum table)i));
        json_i64(json, "rows", plan->summary.states[i].rows);
        json_int(json, "columns", (int)schema->count);
        json_close(json, '{');
    }
    json_close(json, '[');
}

static bool
show_json(const struct shown_plan *plan, struct err *err)
{
    const struct show_plan_job *job = plan->job;
    TEXT_SCOPED text = {0};
    struct json_writer json = {.out = &text};
    struct row_items items = {.plan = plan, .json = &json};
    json_open(&json, NULL, '{');
    write_json_head(&json, plan);
    if (job->rows) {
        json_open(&json, "rows", '[');
        if (!each_row(plan, &items, write_row_item, err))
            return false;
        json_close(&json, '[');
    }
    if (job->statements && !show_plan_statements_json(job, &plan->summary, &json, err))
        return false;
    json_close(&json, '{');
    text_append(&text, "\n");
    return flush(job, &text, err);
}

bool
show_plan(const struct show_plan_job *job, struct err *err)
{
    assert(job && err);
    struct shown_plan plan = {.job = job, .header = job->saved->ops->header(job->saved)};
    if (!plan_check_saved(job->saved, &plan.summary, err))
        return false;
    for (unsigned i = 0; i < TABLES; i++)
        plan.rows += plan.summary.states[i].rows;
    plan.expires_utc_ms = plan_header_expiry(plan.header);
    plan.now_utc_ms = clock_utc_ms();
    return job->output->form == REPORT_JSON ? show_json(&plan, err) : show_text(&plan, err);
}
