/* repair-map: the rows of one map leave both project tables; everything else stays. */
#include "apply.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/text.h"
#include "core/confirm.h"
#include "core/guard.h"
#include "core/host.h"
#include "run_steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 512, URL_BYTES = 4096, MAX_MAP_ROWS = 10000, LOCK_MS = 30000 };

/** A project row of the map, with what names it. */
struct found_row {
    struct map_row shown;
    int64_t partition;
};

/** The project rows, on their way past. */
struct map_reader {
    struct run *run;
    const struct schema *schema, *field_schema;
    char internal[NAME_BYTES], external[NAME_BYTES]; /* the map */
    struct found_row *rows;
    size_t count, capacity;
    bool second; /* the rows are known: does another map use one of the names? */
};

/** INTERNALENTITYNAME:EXTERNALENTITYNAME; the first may hold colons, the second cannot. */
static bool
parse_map(const char *map, struct map_reader *reader, struct err *err)
{
    const char *colon = strrchr(map, ':');

    if (!colon || colon == map || !colon[1] || (size_t)(colon - map) >= NAME_BYTES ||
        strlen(colon + 1) >= NAME_BYTES) {
        (void)err_set(err, ERR_USAGE, "--map wants two names with a colon between them");
        return err_hint(err, "As in --map 'Customers V3:accounts': the finance and operations "
                             "entity, then the Dataverse table.");
    }
    (void)snprintf(reader->internal, NAME_BYTES, "%.*s", (int)(colon - map), map);
    (void)snprintf(reader->external, NAME_BYTES, "%s", colon + 1);
    return true;
}

/** A saved plan names each row by its partition too. */
static bool
is_planned(const struct run *run, int64_t partition, const char *project)
{
    for (size_t i = 0; i < run->planned_project_count; i++)
        if (run->planned_projects[i].partition == partition &&
            strcmp(run->planned_projects[i].name, project) == 0)
            return true;
    return false;
}

static bool
is_asked_for(const struct run *run, int64_t partition, const char *project)
{
    const struct run_request *request = &run->request;

    if (request->applies)
        return is_planned(run, partition, project);
    for (size_t i = 0; i < request->project_count; i++)
        if (strcmp(request->projects[i], project) == 0)
            return true;
    return request->project_count == 0;
}

static int64_t
status_of(const struct schema *schema, const struct row *row)
{
    const size_t at = schema_find(schema, "STATUS");
    char text[24];
    int64_t status;

    if (at == schema->count || row->fields[at].is_null || row->fields[at].bytes.size >= sizeof text)
        return -1;
    (void)snprintf(text, sizeof text, "%.*s", (int)row->fields[at].bytes.size,
                   (const char *)row->fields[at].bytes.data);
    return parse_int(text, 0, INT32_MAX, &status) ? status : -1;
}

/** Text of a column; "" for NULL. What is no text cannot be judged, so nothing is done then. */
static bool
read_text(const struct schema *schema, const struct row *row, const char *column, char *ret,
          size_t size, struct err *err)
{
    const size_t at = schema_find(schema, column);

    ret[0] = '\0';
    if ((at < schema->count && row->fields[at].is_null) ||
        field_text(schema, row, column, ret, size))
        return true;
    (void)err_set(err, ERR_REFUSED, "%s of row %s in %s is not well-formed text", column,
                  row->id.key, table_name(schema->table));
    return err_hint(err, "Whose row this is cannot be told, so no row of a map is removed. Look at "
                         "it, and mend or delete it by hand.");
}

static bool
key_of(const struct row *row, struct axdb_key *ret, struct err *err)
{
    return axdb_key_parse(row->id.key, ret) ||
           err_set(err, ERR_SERVER, "%s is not a key of an AxDB row", row->id.key);
}

static bool
make_room(struct map_reader *reader, struct err *err)
{
    const size_t capacity = reader->capacity ? reader->capacity * 2 : 4;
    struct found_row *rows;

    if (reader->count == MAX_MAP_ROWS)
        return err_set(err, ERR_SERVER, "the map has more than %d project rows", MAX_MAP_ROWS);
    if (reader->count < reader->capacity)
        return true;
    rows = arena_alloc(reader->run->arena, capacity * sizeof *rows);
    if (!rows)
        return arena_exhausted(err);
    if (reader->rows)
        memcpy(rows, reader->rows, reader->count * sizeof *rows);
    reader->rows = rows;
    reader->capacity = capacity;
    return true;
}

static bool
take_map_row(struct map_reader *reader, const struct row *row, const char *project, struct err *err)
{
    const struct run *run = reader->run;
    const struct evidence *seen = &run->outcome->before;
    char url[URL_BYTES] = "";
    char host[HOST_BYTES];
    struct found_row *found;
    struct axdb_key key;

    if (!key_of(row, &key, err) || !make_room(reader, err))
        return false;
    if (!read_text(reader->schema, row, "EXTERNALENVIRONMENTURL", url, sizeof url, err))
        return false;
    host_of_url(url, host);
    found = &reader->rows[reader->count++];
    *found =
        (struct found_row){.partition = key.partition,
                           .shown = {.project = arena_string(run->arena, project),
                                     .host = arena_string(run->arena, host),
                                     .status = status_of(reader->schema, row),
                                     .own = seen->own_host && host_is_named(url, seen->own_host)}};
    if (!found->shown.project || !found->shown.host)
        return arena_exhausted(err);
    found->shown.chosen = is_asked_for(run, key.partition, project) &&
                          !(run->request.wrong_url_only && found->shown.own);
    return true;
}

/** A row of another map under a name that is to go would go with it. */
static bool
refuse_shared_name(const struct map_reader *reader, const struct row *row, const char *project,
                   struct err *err)
{
    struct axdb_key key = {0};

    if (!key_of(row, &key, err))
        return false;
    for (size_t i = 0; i < reader->count; i++) {
        const struct found_row *found = &reader->rows[i];

        if (!found->shown.chosen || found->partition != key.partition ||
            !names_are_alike(found->shown.project, project))
            continue;
        (void)err_set(err, ERR_REFUSED, "project %s belongs to another map too", project);
        return err_hint(err, "Name other projects with --project, or repair that row by hand.");
    }
    return true;
}

/** SQL Server takes names that differ only in case or trailing blanks for one; we do not, and a
 * field row under such a name would be left behind. */
static bool
take_field_row(void *ctx, const struct row *row, struct err *err)
{
    const struct map_reader *reader = ctx;
    char project[NAME_BYTES];
    struct axdb_key key = {0};

    if (!cancel_check(err) ||
        !read_text(reader->field_schema, row, "PROJECTNAME", project, sizeof project, err))
        return false;
    if (!key_of(row, &key, err))
        return false;
    for (size_t i = 0; i < reader->count; i++) {
        const struct found_row *found = &reader->rows[i];

        if (!found->shown.chosen || found->partition != key.partition ||
            !names_are_alike(found->shown.project, project) ||
            strcmp(found->shown.project, project) == 0)
            continue;
        (void)err_set(err, ERR_REFUSED,
                      "the field row of project %s is written differently: \"%s\"",
                      found->shown.project, project);
        return err_hint(err, "The two differ in case or trailing blanks only. Make them the same "
                             "by hand, or leave this project out with --project.");
    }
    return true;
}

static bool
take_row(void *ctx, const struct row *row, struct err *err)
{
    struct map_reader *reader = ctx;
    char internal[NAME_BYTES] = "";
    char external[NAME_BYTES] = "";
    char project[NAME_BYTES] = "";

    if (!cancel_check(err))
        return false;
    if (!read_text(reader->schema, row, "INTERNALENTITYNAME", internal, sizeof internal, err) ||
        !read_text(reader->schema, row, "EXTERNALENTITYNAME", external, sizeof external, err) ||
        !read_text(reader->schema, row, "PROJECTNAME", project, sizeof project, err))
        return false;
    const bool of_map =
        names_are_alike(internal, reader->internal) && names_are_alike(external, reader->external);

    if (reader->second)
        return of_map || refuse_shared_name(reader, row, project, err);
    return !of_map || take_map_row(reader, row, project, err);
}

static bool
refuse_missing(const struct map_reader *reader, struct err *err)
{
    const struct run_request *request = &reader->run->request;

    if (request->applies)
        return true; /* what is missing shows in the comparison with the plan */
    if (reader->count == 0) {
        (void)err_set(err, ERR_REFUSED, "no project row belongs to map %s:%s", reader->internal,
                      reader->external);
        return err_hint(err, "Names stand in INTERNALENTITYNAME and EXTERNALENTITYNAME of "
                             "DUALWRITEPROJECTCONFIGURATION; case does not matter.");
    }
    for (size_t i = 0; i < request->project_count; i++) {
        size_t at = 0;

        while (at < reader->count &&
               strcmp(reader->rows[at].shown.project, request->projects[i]) != 0)
            at++;
        if (at < reader->count)
            continue;
        (void)err_set(err, ERR_REFUSED, "project %s is not one of map %s:%s", request->projects[i],
                      reader->internal, reader->external);
        return err_hint(err, "Run the command with --dry-run and without --project: it lists the "
                             "projects of the map.");
    }
    return true;
}

/** The project rows of the map, and which of them go. */
static bool
read_map(struct map_reader *reader, struct err *err)
{
    const struct axdb_evidence *seen = reader->run->outcome->before.axdb;
    struct axdb_store *store = reader->run->conn.axdb;
    const struct row_sink sink = {.ctx = reader, .take = take_row};
    const struct row_sink field_sink = {.ctx = reader, .take = take_field_row};

    reader->schema = &seen->tables[TABLE_PROJECT].schema;
    if (!store->ops->read_rows(store, reader->schema, &sink, err))
        return err_wrap(err, "could not read the rows of the map");
    if (!refuse_missing(reader, err))
        return false;
    reader->second = true;
    reader->field_schema = &seen->tables[TABLE_FIELD].schema;
    return (store->ops->read_rows(store, reader->schema, &sink, err) &&
            store->ops->read_rows(store, reader->field_schema, &field_sink, err)) ||
           err_wrap(err, "could not read the rows of other maps");
}

static bool
show_map(struct map_reader *reader, struct err *err)
{
    struct map_row *rows = arena_alloc(reader->run->arena, reader->count * sizeof *rows);

    if (!rows)
        return arena_exhausted(err);
    for (size_t i = 0; i < reader->count; i++)
        rows[i] = reader->rows[i].shown;
    reader->run->outcome->map_rows = rows;
    reader->run->outcome->map_row_count = reader->count;
    return true;
}

/** Canonical: the map as it was found, and the projects that go, in the order of the table. */
static bool
name_scope(const struct map_reader *reader, struct scope *scope)
{
    TEXT_SCOPED text = {0};
    TEXT_SCOPED words = {0};

    text_append(&text, "map=");
    text_append_json(&text, reader->internal, strlen(reader->internal));
    text_append(&text, ":");
    text_append_json(&text, reader->external, strlen(reader->external));
    text_append(&text, ";projects=[");
    for (size_t i = 0; i < scope->project_count; i++) {
        text_printf(&text, "%s%" PRId64 ":", i ? "," : "", scope->projects[i].partition);
        text_append_json(&text, scope->projects[i].name, strlen(scope->projects[i].name));
    }
    text_append(&text, "]");
    text_printf(&words, "%zu of %zu projects of map ", scope->project_count, reader->count);
    text_append_shown(&words, reader->internal, strlen(reader->internal));
    text_append(&words, ":");
    text_append_shown(&words, reader->external, strlen(reader->external));
    scope->text = arena_string(reader->run->arena, text_string(&text));
    scope->words = arena_string(reader->run->arena, text_string(&words));
    return !text.broken && !words.broken && scope->text && scope->words;
}

static bool
make_scope(const struct map_reader *reader, struct scope *ret, struct err *err)
{
    struct project_name *projects =
        arena_alloc(reader->run->arena, (reader->count + 1) * sizeof *projects);
    struct scope scope = {.parts = {[TABLE_FIELD] = SCOPE_SOME, [TABLE_PROJECT] = SCOPE_SOME},
                          .projects = projects};

    if (!projects)
        return arena_exhausted(err);
    for (size_t i = 0; i < reader->count; i++)
        if (reader->rows[i].shown.chosen)
            projects[scope.project_count++] =
                (struct project_name){reader->rows[i].partition, reader->rows[i].shown.project};
    if (!name_scope(reader, &scope))
        return arena_exhausted(err);
    *ret = scope;
    return true;
}

/** Look, and find out which rows it is about. */
static bool
find_rows(struct run *run, struct map_reader *reader, struct err *err)
{
    const struct scope project_tables = {
        .parts = {[TABLE_FIELD] = SCOPE_SOME, [TABLE_PROJECT] = SCOPE_SOME}, .text = ""};
    const struct outcome *outcome = run->outcome;
    struct scope scope;

    run_set_scope(run, &project_tables);
    if (!run_look(run, err) || !apply_same_target(run, err) ||
        !guard_target(&run->request, &run->scope, GUARD_MAP, &outcome->before, err) ||
        !read_map(reader, err) || !show_map(reader, err) || !make_scope(reader, &scope, err))
        return false;
    run_set_scope(run, &scope);
    /* a plan that does not fit any more is stale, whoever the rows name now */
    return apply_compare(run, err) && guard_map(&run->request, &outcome->before, outcome->map_rows,
                                                outcome->map_row_count, err);
}

static void
describe(const struct run *run, struct text *ret)
{
    const struct outcome *outcome = run->outcome;

    confirm_describe(&run->request, &outcome->before, &run->plan, &run->scope, ret);
    text_append(ret, "Project rows of the map:\n");
    for (size_t i = 0; i < outcome->map_row_count; i++) {
        const struct map_row *row = &outcome->map_rows[i];

        text_append(ret, row->chosen ? "  goes   " : "  stays  ");
        text_append_shown(ret, row->project, strlen(row->project));
        text_printf(ret, ", STATUS %" PRId64 ", ", row->status);
        text_append_shown(ret, row->host, strlen(row->host));
        text_append(ret, !row->host[0] ? "no host\n"
                         : row->own    ? " (its own organization!)\n"
                                       : "\n");
    }
    text_append(ret, "\n");
}

/** As far as a dry run goes, but for the plan. */
static bool
find_map(struct run *run, struct map_reader *reader, struct err *err)
{
    const struct run_request *request = &run->request;

    if (!parse_map(request->map, reader, err))
        return false;
    if (!request->dry_run &&
        (!guard_statement(request, run->ports->op && run->ports->op->present, err) ||
         !run_name(run, err)))
        return false;
    return find_rows(run, reader, err);
}

/** The plan, and whether its project rows are those that were chosen: names are what selects. */
static bool
make_plan(struct run *run, struct err *err)
{
    const int64_t chosen = (int64_t)run->scope.project_count;

    if (!run_plan(run, err))
        return false;
    if (run->plan.states[TABLE_PROJECT].rows == chosen)
        return true;
    (void)err_set(err, ERR_REFUSED,
                  "%" PRId64 " project rows are chosen and %" PRId64 " rows carry their names",
                  chosen, run->plan.states[TABLE_PROJECT].rows);
    return err_hint(err, "Rows changed meanwhile, or share a PROJECTNAME. Look with --dry-run, and "
                         "name the projects with --project.");
}

/** Up to and with the sealed backup; false also when there is no more to do (then `err` is empty).
 */
static bool
prepare(struct run *run, struct map_reader *reader, struct err *err)
{
    TEXT_SCOPED text = {0};

    if (!find_map(run, reader, err))
        return false;
    const bool nothing = run->scope.project_count == 0;

    if (run->request.dry_run || nothing) {
        if (!make_plan(run, err) || !confirm_plan_id(&run->request, &run->plan, err))
            return false;
        run_finish_plan(run, nothing ? "nothing to do: no row of this map is chosen" : NULL);
        return false;
    }
    if (!run_open(run, err) || !make_plan(run, err))
        return false;
    describe(run, &text);
    return text_ok(&text, err) && run_confirm(run, text_string(&text), err) &&
           run_exclude_others(run, err) && run_back_up(run, err);
}

/* ---- the fresh look ---- */

static bool
count_row(void *ctx, const struct row *row, struct err *err)
{
    int64_t *count = ctx;

    (void)row;
    (void)err;
    (*count)++;
    return true;
}

/** Of the map, to be removed by this command, and not in its plan. */
static int64_t
count_new(const struct map_reader *then, const struct map_reader *now)
{
    int64_t count = 0;

    for (size_t i = 0; i < now->count; i++) {
        const struct found_row *row = &now->rows[i];
        bool known = false;

        for (size_t at = 0; at < then->count && !known; at++)
            known = then->rows[at].partition == row->partition &&
                    strcmp(then->rows[at].shown.project, row->shown.project) == 0;
        count += row->shown.chosen && !known;
    }
    return count;
}

/** What a locked look finds: planned rows that are there again, and rows written after the plan. */
struct found_again {
    int64_t back, new_rows;
};

/** Rows of the map that are there now, read under locks: an open transaction cannot hide any. */
static bool
count_rows(const struct map_reader *reader, const struct connections *conn, struct found_again *ret,
           struct err *err)
{
    struct run *run = reader->run;
    const struct row_source source = {.evidence = &run->outcome->after,
                                      .connections = conn,
                                      .scope = &run->scope,
                                      .observer = run->ports->observer};
    struct map_reader now = {.run = run, .schema = row_source_schema(&source, TABLE_PROJECT)};
    const struct row_sink counter = {.ctx = &ret->back, .take = count_row};
    const struct row_sink sink = {.ctx = &now, .take = take_row};
    const bool looked_at[TABLES] = {[TABLE_FIELD] = true, [TABLE_PROJECT] = true};
    struct axdb_store *axdb = conn->axdb;
    int64_t kept;

    (void)snprintf(now.internal, NAME_BYTES, "%s", reader->internal);
    (void)snprintf(now.external, NAME_BYTES, "%s", reader->external);
    *ret = (struct found_again){0};
    if (!axdb->ops->begin_locked(axdb, LOCK_MS, err))
        return false;
    row_source_foresee(&source, looked_at);
    const bool ok =
        row_source_read(&source, row_source_schema(&source, TABLE_FIELD), &counter, &kept, err) &&
        row_source_read(&source, now.schema, &counter, &kept, err) &&
        axdb->ops->read_rows(axdb, now.schema, &sink, err);

    axdb->ops->rollback(axdb);
    ret->new_rows = count_new(reader, &now);
    return ok;
}

static bool
look_again(const struct map_reader *reader, struct found_again *ret, struct err *err)
{
    struct run *run = reader->run;
    struct outcome *outcome = run->outcome;
    struct connections conn;
    const struct look look = {.request = &run->request, .ports = run->ports, .arena = run->arena};
    bool ok = evidence_collect(&look, &conn, &outcome->after, err);

    if (ok && !conn.axdb) {
        *err = outcome->after.axdb_err;
        ok = false;
    }
    ok = ok && evidence_same_target(&outcome->before, &outcome->after, err) &&
         count_rows(reader, &conn, ret, err);
    connections_close(&conn);
    if (!ok)
        return err_wrap(err, "the rows are deleted, but that could not be verified");
    outcome->after_taken = true;
    for (int i = 0; i < AXDB_TABLES; i++)
        if (outcome->tables[i].asked)
            outcome->tables[i].after_rows = evidence_rows(&outcome->after, (enum table)i);
    return true;
}

static bool
prove(const struct map_reader *reader, struct err *err)
{
    struct run *run = reader->run;
    struct outcome *outcome = run->outcome;
    struct found_again found = {0};

    if (!cancel_check(err) || !look_again(reader, &found, err))
        return false;
    outcome->word = OUTCOME_DONE;
    outcome->verdict = "the rows of the map are backed up, deleted, and a fresh look finds none";
    if (found.back) {
        outcome->word = OUTCOME_RESIDUE;
        outcome->exit_status = 2;
        outcome->verdict = "rows of the map are there again: something wrote them back";
    } else if (found.new_rows) {
        outcome->word = OUTCOME_PARTIAL;
        outcome->exit_status = err_exit_status(ERR_INCOMPLETE);
        outcome->verdict = "rows of the map were written after the plan: something still writes";
    }
    return run_record(run, "verified", &(struct fact){"outcome", outcome_word_name(outcome->word)},
                      1, err);
}

void
run_map(struct run *run)
{
    struct map_reader reader = {.run = run};
    struct err err = {0};

    if (!prepare(run, &reader, &err)) {
        if (err.code != ERR_NONE)
            run_fail(run->outcome, &err);
    } else if (!run_clear_axdb(run, &err) || !prove(&reader, &err)) {
        run_stop(run, &err);
    }
}

void
run_repair_map(const struct run_request *request, const struct run_ports *ports,
               struct arena *arena, struct outcome *ret)
{
    struct run run;

    run_begin(&run, "repair-map", request, ports, arena, ret);
    run_map(&run);
    run_end(&run);
}
