/* apply: a saved plan, and no other. It is planned again and compared before anything durable. */
#include "apply.h"

#include "base/clock.h"
#include "base/text.h"
#include "core/confirm.h"
#include "core/guard.h"
#include "core/rowset.h"
#include "scope_read.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAX_CLOCK_AHEAD_MS = 5 * 60 * 1000, MAX_COLUMNS_SHOWN = 20 };

/* ---- the plan itself ---- */

static bool
check_age(const struct plan_header *header, struct err *err)
{
    const int64_t now_ms = clock_utc_ms();
    const int64_t expires_ms = plan_header_expiry(header);
    char stamp[CLOCK_STAMP_BYTES];

    if (header->created_utc_ms > now_ms + MAX_CLOCK_AHEAD_MS) {
        clock_stamp(header->created_utc_ms, stamp);
        (void)err_set(err, ERR_STALE, "the plan was made in the future: %s", stamp);
        return err_hint(err, "Set the clocks of both machines, then plan again.");
    }
    if (now_ms < expires_ms)
        return true;
    clock_stamp(expires_ms, stamp);
    (void)err_set(err, ERR_STALE, "the plan has expired at %s", stamp);
    (void)err_detail(err, "a plan is valid for %d hours", PLAN_LIFE_HOURS);
    return err_hint(err, "Plan again: dwclean plan --out FILE with the same target.");
}

static bool
half_is_not_named(const char *what, const char *name, const char *hint, struct err *err)
{
    (void)err_set(err, ERR_STALE, "the plan is for %s %s, and no %s is named", what, name, what);
    return err_hint(err, "%s", hint);
}

/** The halves are the plan's; one that it does not have is left alone, and that is said. */
static bool
take_halves(struct run *run, const struct plan_header *header, struct err *err)
{
    struct run_request *request = &run->request;
    const bool axdb = header->database[0] != '\0';
    const bool dataverse = header->organization_id[0] != '\0';

    if (!axdb && !dataverse)
        return err_set(err, ERR_STORAGE, "the plan names no target");
    if (axdb && !request->axdb)
        return half_is_not_named("AxDB database", header->database,
                                 "Give -S and -d, or --env NAME.", err);
    if (dataverse && !request->dataverse)
        return half_is_not_named("Dataverse organization", header->organization_name,
                                 "Give --dataverse-url, or --env NAME.", err);
    if (request->axdb != axdb)
        run_say(run, LOG_LEVEL_NOTICE, "the plan has no rows of AxDB: AxDB is left alone");
    if (request->dataverse != dataverse)
        run_say(run, LOG_LEVEL_NOTICE,
                "the plan has no rows of Dataverse: Dataverse is left alone");
    request->axdb = axdb;
    request->dataverse = dataverse;
    for (int i = 0; i < TABLES; i++)
        run->outcome->tables[i].asked = i == TABLE_RUNTIME ? dataverse : axdb;
    return true;
}

static bool
take_scope(struct run *run, const struct plan_header *header, struct err *err)
{
    struct run_request *request = &run->request;
    struct scope_options options;

    if (!scope_read(header->scope, run->arena, &options, err))
        return false;
    request->channels_all = options.channels_all;
    request->channels = options.channels;
    request->channel_count = options.channel_count;
    request->map = options.map;
    run->planned_projects = options.projects;
    run->planned_project_count = options.project_count;
    return true;
}

/** Before anything is connected: the file is the plan that --plan-id names. */
static bool
is_confirmed_plan(const struct run *run, struct err *err)
{
    const char *id = run->ports->saved->ops->plan_id(run->ports->saved);

    if (!run->request.plan_id || text_equal_nocase(run->request.plan_id, id))
        return true;
    (void)err_set(err, ERR_STALE, "this is not the plan that was confirmed");
    (void)err_detail(err, "confirmed %s, the file has %s", run->request.plan_id, id);
    return err_hint(err, "Read it with dwclean show, then pass its own plan-id.");
}

bool
apply_begin(struct run *run, struct err *err)
{
    struct saved_plan *saved = run->ports->saved;
    struct outcome *outcome = run->outcome;
    struct plan_summary summary;
    const struct plan_header *header;

    assert(run->request.applies);
    outcome->plan_path = saved->ops->path(saved);
    outcome->plan_sha256 = saved->ops->sha256(saved);
    if (!plan_check_saved(saved, &summary, err))
        return false;
    header = saved->ops->header(saved);
    outcome->plan_id = saved->ops->plan_id(saved);
    outcome->plan_expires_utc_ms = plan_header_expiry(header);
    return is_confirmed_plan(run, err) && check_age(header, err) && take_scope(run, header, err) &&
           take_halves(run, header, err);
}

/* ---- the target ---- */

static bool
same(const char *what, const char *then, const char *now, struct err *err)
{
    if (text_equal_nocase(then, now))
        return true;
    (void)err_set(err, ERR_STALE, "the plan is for another target: its %s is %s, here it is %s",
                  what, then[0] ? then : "not known", now[0] ? now : "not known");
    return err_hint(err, "Give the target of the plan. A database that was restored since is "
                         "another one: plan again.");
}

bool
apply_same_target(struct run *run, struct err *err)
{
    const struct evidence *now = &run->outcome->before;
    const struct plan_header *then;

    if (!run->request.applies)
        return true;
    if (!guard_identity(&run->request, now, err))
        return false;
    then = run->ports->saved->ops->header(run->ports->saved);
    if (now->axdb &&
        (!same("server", then->server, now->axdb->identity.dialled, err) ||
         !same("database", then->database, now->axdb->identity.database, err) ||
         !same("creation time of the database", then->database_created, now->axdb->identity.created,
               err) ||
         !same("recovery fork", then->recovery_fork, now->axdb->identity.recovery_fork, err)))
        return false;
    return !now->runtime || (same("organization", then->organization_id,
                                  now->runtime->identity.organization_id, err) &&
                             same("organization's name", then->organization_name,
                                  now->runtime->identity.unique_name, err));
}

/* ---- the rows ---- */

/** A plan file that keeps nothing: what is written to it is compared with the saved plan. Both come
 * in the same order, so that one row of each is enough. */
struct comparison {
    struct plan_file port; /* first: the port is the comparison */
    struct saved_plan *saved;
    struct arena *arena;
    struct plan_difference *difference;
    struct row_id old; /* the saved plan's next row */
    bool end;          /* there is none */
    bool any;
};

static struct comparison *
comparison_of(struct plan_file *file)
{
    return (struct comparison *)file;
}

static bool
advance(struct comparison *comparison, struct err *err)
{
    return comparison->saved->ops->next(comparison->saved, &comparison->old, &comparison->end, err);
}

static bool
note(struct comparison *comparison, struct key_list *list, const char *key, struct err *err)
{
    comparison->any = true;
    list->rows++;
    if (list->count == DIFFERENCE_KEYS)
        return true;
    list->keys[list->count] = arena_string(comparison->arena, key);
    return list->keys[list->count++] || arena_exhausted(err);
}

/** The saved plan's rows in front of this one are gone; NULL: all that are left of the table, and
 * of those before it. */
static bool
pass_gone(struct comparison *comparison, enum table table, const char *key, struct err *err)
{
    while (!comparison->end && (comparison->old.table < table ||
                                (comparison->old.table == table &&
                                 (!key || row_key_compare(table, comparison->old.key, key) < 0)))) {
        struct table_difference *found = &comparison->difference->tables[comparison->old.table];

        if (!note(comparison, &found->gone, comparison->old.key, err) || !advance(comparison, err))
            return false;
    }
    return true;
}

static bool
compare_begin(struct plan_file *file, const struct plan_header *header, struct err *err)
{
    struct comparison *comparison = comparison_of(file);

    (void)header;
    return comparison->saved->ops->rewind(comparison->saved, err) && advance(comparison, err);
}

static bool
compare_row(struct plan_file *file, const struct row_id *row, struct err *err)
{
    struct comparison *comparison = comparison_of(file);
    struct table_difference *found = &comparison->difference->tables[row->table];
    const struct row_id *old = &comparison->old;

    if (!pass_gone(comparison, row->table, row->key, err))
        return false;
    if (comparison->end || old->table != row->table ||
        row_key_compare(row->table, old->key, row->key) != 0)
        return note(comparison, &found->fresh, row->key, err);
    if ((!digest_equal(&old->digest, &row->digest) || strcmp(old->version, row->version) != 0) &&
        !note(comparison, &found->changed, row->key, err))
        return false;
    return advance(comparison, err);
}

static bool
compare_end(struct plan_file *file, const char *plan_id, struct err *err)
{
    (void)plan_id;
    return pass_gone(comparison_of(file), TABLE_RUNTIME, NULL, err);
}

/* ---- the columns ---- */

static const char *
column_text(struct arena *arena, const struct column *column)
{
    return arena_printf(
        arena, "%s(%d,%d,%d)%s%s%s%s%s%s", column->type_name, (int)column->max_length,
        column->precision, column->scale, column->nullable ? " NULL" : " NOT NULL",
        column->identity ? " identity" : "", column->computed ? " computed" : "",
        column->generated ? " generated" : "", column->collation ? " collation " : "",
        column->collation ? column->collation : "");
}

/** What there is to say of a column that has this name then or now; "" = nothing. */
static const char *
compare_column(struct arena *arena, const struct column *then, const struct column *now)
{
    const char *was, *is;

    if (!then)
        return arena_printf(arena, "column %s was added", now->name);
    if (!now)
        return arena_printf(arena, "column %s is gone", then->name);
    was = column_text(arena, then);
    is = column_text(arena, now);
    if (!was || !is)
        return NULL;
    return strcmp(was, is) == 0
               ? ""
               : arena_printf(arena, "column %s is %s, it was %s", now->name, is, was);
}

struct sentences {
    const char **list;
    size_t count;
};

static bool
add_sentence(struct sentences *sentences, const char *sentence, struct err *err)
{
    if (!sentence)
        return arena_exhausted(err);
    if (sentence[0] && sentences->count < MAX_COLUMNS_SHOWN)
        sentences->list[sentences->count++] = sentence;
    return true;
}

static const struct column *
column_named(const struct schema *schema, const char *name)
{
    const size_t at = schema_find(schema, name);

    return at < schema->count ? &schema->columns[at] : NULL;
}

static bool
compare_columns(struct arena *arena, const struct schema *then, const struct schema *now,
                struct sentences *ret, struct err *err)
{
    for (size_t i = 0; i < now->count; i++)
        if (!add_sentence(
                ret,
                compare_column(arena, column_named(then, now->columns[i].name), &now->columns[i]),
                err))
            return false;
    for (size_t i = 0; i < then->count; i++)
        if (!column_named(now, then->columns[i].name) &&
            !add_sentence(ret, compare_column(arena, &then->columns[i], NULL), err))
            return false;
    if (ret->count == 0 && !schema_equal(then, now))
        ret->list[ret->count++] = "the columns are in another order";
    return true;
}

static bool
compare_schema(struct plan_file *file, const struct schema *schema, struct err *err)
{
    struct comparison *comparison = comparison_of(file);
    const struct schema *then = comparison->saved->ops->schema(comparison->saved, schema->table);
    struct table_difference *found = &comparison->difference->tables[schema->table];
    struct sentences sentences = {
        .list = arena_alloc(comparison->arena, MAX_COLUMNS_SHOWN * sizeof(char *))};

    if (!sentences.list)
        return arena_exhausted(err);
    if (!then)
        sentences.list[sentences.count++] = "the table is not in the plan";
    else if (!compare_columns(comparison->arena, then, schema, &sentences, err))
        return false;
    found->columns = sentences.list;
    found->column_count = sentences.count;
    comparison->any = comparison->any || sentences.count > 0;
    return true;
}

static const struct plan_file_ops comparison_ops = {
    .begin = compare_begin, .add_schema = compare_schema, .add = compare_row, .end = compare_end};

/* ---- together ---- */

/** "3 rows are gone, 1 is new, 2 are changed" */
static bool
refuse_stale(struct run *run, const struct plan_difference *difference, struct err *err)
{
    int64_t gone = 0;
    int64_t fresh = 0;
    int64_t changed = 0;
    size_t columns = 0;

    for (int i = 0; i < TABLES; i++) {
        gone += difference->tables[i].gone.rows;
        fresh += difference->tables[i].fresh.rows;
        changed += difference->tables[i].changed.rows;
        columns += difference->tables[i].column_count;
    }
    run->outcome->difference = difference;
    (void)err_set(err, ERR_STALE,
                  "the target is not as it was planned: %" PRId64 " rows gone, %" PRId64
                  " new, %" PRId64 " changed%s",
                  gone, fresh, changed, columns ? "; columns differ" : "");
    (void)err_detail(err, "the plan is %s, now it would be %s", run->outcome->plan_id,
                     run->plan.id);
    return err_hint(err, "Nothing was changed. Stop the maps and other writers, then plan again.");
}

static bool
scope_can_be_read(const struct run *run)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct axdb_table_evidence *table = &run->outcome->before.axdb->tables[i];

        if (run->scope.parts[i] != SCOPE_NOTHING && (!table->exists || table->fault))
            return false;
    }
    return true;
}

bool
apply_compare(struct run *run, struct err *err)
{
    const struct row_source source = run_source(run);
    struct saved_plan *saved = run->ports->saved;
    struct comparison comparison = {
        .port.ops = &comparison_ops, .saved = saved, .arena = run->arena};

    if (!run->request.applies || run->compared ||
        (run->outcome->before.axdb && !scope_can_be_read(run)))
        return true;
    comparison.difference = arena_alloc(run->arena, sizeof *comparison.difference);
    if (!comparison.difference)
        return arena_exhausted(err);
    *comparison.difference = (struct plan_difference){0};
    if (!plan_make(&source, &comparison.port, &run->plan, err))
        return false;
    run->compared = true;
    if (comparison.any || strcmp(run->plan.id, saved->ops->plan_id(saved)) != 0)
        return refuse_stale(run, comparison.difference, err);
    run->plan.expires_utc_ms = plan_header_expiry(saved->ops->header(saved));
    return true;
}

/* ---- into the run directory ---- */

/** The rows of one table, from `row` on; they have to be those that were compared. */
static bool
copy_table(const struct run *run, struct plan_file *file, enum table table, struct row_id *row,
           bool *end, struct err *err)
{
    struct saved_plan *saved = run->ports->saved;
    const struct row_source source = run_source(run);
    ROWSET_SCOPED set = {0};
    struct table_state copied;

    if (!rowset_begin(&set, table, err) ||
        !file->ops->add_schema(file, row_source_schema(&source, table), err))
        return false;
    while (!*end && row->table == table)
        if (!rowset_add(&set, row, err) || !file->ops->add(file, row, err) ||
            !saved->ops->next(saved, row, end, err))
            return false;
    copied = rowset_end(&set);
    return table_state_equal(&copied, &run->plan.states[table]) ||
           err_set(err, ERR_STORAGE, "%s was changed while it was read", saved->ops->path(saved));
}

static bool
copy_plan(const struct run *run, struct plan_file *file, struct err *err)
{
    struct plan_header header = plan_header_of(&run->outcome->before, run->scope.text);
    struct saved_plan *saved = run->ports->saved;
    struct row_id row = {0};
    bool end = false;

    header.expires_utc_ms = run->plan.expires_utc_ms;
    if (!file->ops->begin(file, &header, err) || !saved->ops->rewind(saved, err) ||
        !saved->ops->next(saved, &row, &end, err))
        return false;
    for (int i = 0; i < TABLES; i++)
        if (run->plan.asked[i] && !copy_table(run, file, (enum table)i, &row, &end, err))
            return false;
    return file->ops->end(file, run->plan.id, err);
}

bool
apply_write_plan(struct run *run, struct err *err)
{
    assert(run->request.applies);
    return !run->dir || copy_plan(run, run->dir->ops->plan(run->dir), err);
}
