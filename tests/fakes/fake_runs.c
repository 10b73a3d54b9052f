/* Run directories of the fake world, and the archive of past runs. */
#include "fake_parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static void
copy(char *ret, size_t size, const char *text)
{
    (void)snprintf(ret, size, "%s", text ? text : "");
}

/* ---- the disk ---- */

struct disk {
    struct fake_world *world;
    const struct row_sink *sink;
};

static bool
take_from_disk(void *ctx, const struct row *row, struct err *err)
{
    const struct disk *disk = ctx;
    struct fake_world *world = disk->world;

    if (world->in_transaction) {
        world->locked_backup_rows++;
        world->waited_ms += world->disk_ms;
    }
    return disk->sink->take(disk->sink->ctx, row, err);
}

/** Rows of a backup, as slowly as the disk is. */
static bool
read_disk(struct fake_world *world, const struct schema *schema, const struct fake_table *table,
          const struct row_sink *sink, struct err *err)
{
    struct disk disk = {.world = world, .sink = sink};
    const struct row_sink slow = {.ctx = &disk, .take = take_from_disk};

    return fake_send_rows(world, schema, table, &slow, err);
}

/* ---- journal ---- */

/** Rows that have left, as the record says: one by its "key" and "state", or many by name. */
static void
note_purged(struct fake_run *run, const struct fact *facts, size_t count)
{
    const char *single = strcmp(facts[0].name, "key") == 0 ? facts[0].value : NULL;

    for (size_t i = single ? 1 : 0; i < (single ? 2 : count); i++) {
        const char *key = single ? single : facts[i].name;

        assert(facts[i].value);
        const bool gone = strncmp(facts[i].value, "gone", 4) == 0;

        if (!gone && strncmp(facts[i].value, "done", 4) != 0)
            continue;
        assert(strlen(key) == 36 && run->purged_count < FAKE_MAX_ROWS);
        (void)sscanf(key + 24, "%d", &run->purged[run->purged_count]); /* NOLINT */
        run->purged_gone[run->purged_count++] = gone;
    }
}

static bool
journal_record(struct journal *journal, const char *step, const struct fact *facts, size_t count,
               bool durable, struct err *err)
{
    struct fake_run *run = PART_OF(struct fake_run, journal, journal_port);

    if (fake_fails(run->world, ERR_STORAGE, err))
        return false;
    assert(run->journal_count < FAKE_MAX_JOURNAL);
    copy(run->journal[run->journal_count].step, sizeof run->journal[0].step, step);
    for (size_t i = 0; i < count; i++)
        if (strcmp(facts[i].name, "state") == 0 || strcmp(facts[i].name, "outcome") == 0)
            copy(run->journal[run->journal_count].state, sizeof run->journal[0].state,
                 facts[i].value);
    run->journal[run->journal_count].durable = durable;
    run->journal_count++;
    if (strcmp(step, "purge-outcome") == 0)
        note_purged(run, facts, count);
    return true;
}

static bool
journal_reserve(struct journal *journal, size_t bytes, struct err *err)
{
    (void)bytes;
    return !fake_fails(PART_OF(struct fake_run, journal, journal_port)->world, ERR_STORAGE, err);
}

/* ---- plan ---- */

static struct fake_run *
run_of_plan(struct plan_file *plan)
{
    return PART_OF(struct fake_run, plan, plan_port);
}

static bool
plan_begin(struct plan_file *plan, const struct plan_header *header, struct err *err)
{
    struct fake_run *run = run_of_plan(plan);
    const char *const strings[] = {header->server,           header->database,
                                   header->database_created, header->recovery_fork,
                                   header->organization_id,  header->organization_name,
                                   header->organization_host};

    if (fake_fails(run->world, ERR_STORAGE, err))
        return false;
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        copy(run->target[i], sizeof run->target[i], strings[i]);
    copy(run->scope, sizeof run->scope, header->scope);
    run->planned_utc_ms = header->created_utc_ms;
    run->expires_utc_ms = header->expires_utc_ms;
    return true;
}

static bool
plan_schema(struct plan_file *plan, const struct schema *schema, struct err *err)
{
    (void)schema;
    return !fake_fails(run_of_plan(plan)->world, ERR_STORAGE, err);
}

static bool
plan_add(struct plan_file *plan, const struct row_id *row, struct err *err)
{
    (void)row;
    return !fake_fails(run_of_plan(plan)->world, ERR_STORAGE, err);
}

static bool
plan_end(struct plan_file *plan, const char *plan_id, struct err *err)
{
    struct fake_run *run = run_of_plan(plan);

    if (fake_fails(run->world, ERR_STORAGE, err))
        return false;
    copy(run->plan_id, sizeof run->plan_id, plan_id);
    run->planned = true;
    return true;
}

/* ---- backup ---- */

static struct fake_run *
run_of_backup(struct backup *backup)
{
    return PART_OF(struct fake_run, backup, backup_port);
}

static bool
backup_begin(struct backup *backup, const struct schema *schema, struct err *err)
{
    struct fake_run *run = run_of_backup(backup);

    assert(!run->sealed);
    fake_happen(run->world, FAKE_BEFORE_BACKUP);
    if (fake_fails(run->world, ERR_STORAGE, err))
        return false;
    run->backup[schema->table].count = 0;
    run->schemas[schema->table] = *schema;
    run->backed_up[schema->table] = true;
    return true;
}

static bool
backup_add(struct backup *backup, const struct row *row, struct err *err)
{
    struct fake_run *run = run_of_backup(backup);
    struct fake_table *table = &run->backup[row->id.table];

    if (fake_fails(run->world, ERR_STORAGE, err))
        return false;
    assert(table->count < FAKE_MAX_ROWS);
    return fake_parse_row(run->world, &run->schemas[row->id.table], row,
                          &table->rows[table->count++], err);
}

static bool
backup_step(struct backup *backup, struct err *err)
{
    return !fake_fails(run_of_backup(backup)->world, ERR_STORAGE, err);
}

static bool
backup_read_back(struct backup *backup, enum table table, const struct row_sink *sink,
                 struct err *err)
{
    struct fake_run *run = run_of_backup(backup);
    struct fake_table read = run->backup[table];

    if (fake_fails(run->world, ERR_STORAGE, err))
        return false;
    if (run->world->backup_lies && read.count)
        read.rows[0].content++;
    return read_disk(run->world, &run->schemas[table], &read, sink, err);
}

static bool
backup_seal(struct backup *backup, struct err *err)
{
    struct fake_run *run = run_of_backup(backup);

    if (fake_fails(run->world, ERR_STORAGE, err))
        return false;
    run->sealed = true;
    return true;
}

/* ---- further backups ---- */

static struct fake_again *
again_of(struct backup *backup)
{
    return PART_OF(struct fake_again, backup, port);
}

static bool
again_begin(struct backup *backup, const struct schema *schema, struct err *err)
{
    struct fake_again *again = again_of(backup);

    assert(schema->table == TABLE_RUNTIME && !again->sealed);
    again->rows.count = 0;
    return !fake_fails(again->run->world, ERR_STORAGE, err);
}

static bool
again_add(struct backup *backup, const struct row *row, struct err *err)
{
    struct fake_again *again = again_of(backup);

    if (fake_fails(again->run->world, ERR_STORAGE, err))
        return false;
    assert(again->rows.count < FAKE_MAX_ROWS);
    return fake_parse_row(again->run->world, runtime_schema(), row,
                          &again->rows.rows[again->rows.count++], err);
}

static bool
again_step(struct backup *backup, struct err *err)
{
    return !fake_fails(again_of(backup)->run->world, ERR_STORAGE, err);
}

static bool
again_read_back(struct backup *backup, enum table table, const struct row_sink *sink,
                struct err *err)
{
    struct fake_again *again = again_of(backup);
    struct fake_table read = again->rows;

    assert(table == TABLE_RUNTIME);
    if (fake_fails(again->run->world, ERR_STORAGE, err))
        return false;
    if (again->run->world->again_lies && read.count)
        read.rows[0].content++;
    return fake_send_rows(again->run->world, runtime_schema(), &read, sink, err);
}

static bool
again_seal(struct backup *backup, struct err *err)
{
    struct fake_again *again = again_of(backup);

    if (fake_fails(again->run->world, ERR_STORAGE, err))
        return false;
    again->sealed = true;
    return true;
}

/* ---- directory ---- */

static struct fake_run *
run_of(const struct run_dir *dir)
{
    return PART_OF(struct fake_run, dir, dir);
}

static const char *
dir_id(const struct run_dir *dir)
{
    return run_of(dir)->id;
}

static bool
dir_lock(struct run_dir *dir, const char *target, struct err *err)
{
    struct fake_world *world = run_of(dir)->world;

    (void)target;
    if (fake_fails(world, ERR_LOCK, err))
        return false;
    if (world->run_goes_on) {
        struct fake_run *first = &world->runs[0];

        assert(first->journal_count < FAKE_MAX_JOURNAL);
        copy(first->journal[first->journal_count++].step, sizeof first->journal[0].step, "resumed");
        world->run_goes_on = false;
    }
    return !world->target_locked || err_set(err, ERR_LOCK, "another run holds the target");
}

static struct journal *
dir_journal(struct run_dir *dir)
{
    return &run_of(dir)->journal_port;
}

static struct plan_file *
dir_plan(struct run_dir *dir)
{
    assert(!run_of(dir)->reopened);
    return &run_of(dir)->plan_port;
}

static struct backup *
dir_backup(struct run_dir *dir)
{
    assert(!run_of(dir)->reopened);
    return &run_of(dir)->backup_port;
}

static bool
dir_next_backup(struct run_dir *dir, struct backup **ret, int *ret_number, struct err *err)
{
    struct fake_run *run = run_of(dir);

    if (fake_fails(run->world, ERR_STORAGE, err))
        return false;
    assert(run->again_count < FAKE_MAX_AGAIN);
    *ret = &run->again[run->again_count++].port;
    *ret_number = run->again_count + 1;
    return true;
}

static bool
dir_write_file(struct run_dir *dir, const char *name, const void *bytes, size_t size,
               struct err *err)
{
    (void)name;
    (void)bytes;
    (void)size;
    return !fake_fails(run_of(dir)->world, ERR_STORAGE, err);
}

static bool
dir_finish(struct run_dir *dir, struct err *err)
{
    struct fake_world *world = run_of(dir)->world;

    if (fake_fails(world, ERR_STORAGE, err))
        return false;
    if (world->finish_fails)
        return err_set(err, ERR_STORAGE, "no space for SHA256SUMS");
    world->finished = run_of(dir)->finished = true;
    return true;
}

static void
dir_close(struct run_dir *dir)
{
    (void)dir;
}

/* ---- where runs are kept ---- */

static bool
store_new_id(struct run_store *store, const char *environment, char ret[RUN_ID_BYTES],
             struct err *err)
{
    struct fake_world *world = WORLD_OF(store, run_store);

    (void)environment;
    if (fake_fails(world, ERR_INTERNAL, err))
        return false;
    (void)snprintf(ret, RUN_ID_BYTES, "20261121T214429Z-uat-%04x", (unsigned)++world->ids);
    return true;
}

static bool
store_probe(struct run_store *store, uint64_t expected_bytes, struct run_place *ret,
            struct err *err)
{
    (void)expected_bytes;
    *ret = (struct run_place){.path = "/runs", .free_bytes = (uint64_t)1 << 40};
    return !fake_fails(WORLD_OF(store, run_store), ERR_STORAGE, err);
}

static bool
store_create(struct run_store *store, const struct run_info *info, uint64_t expected_bytes,
             struct run_dir **ret, struct err *err)
{
    struct fake_world *world = WORLD_OF(store, run_store);
    struct fake_run *run = &world->runs[world->run_count];

    (void)expected_bytes;
    if (fake_fails(world, ERR_STORAGE, err))
        return false;
    assert(world->run_count < FAKE_MAX_RUNS && info->id && info->id[0]);
    world->run_count++;
    world->files_created++;
    copy(run->id, sizeof run->id, info->id);
    copy(run->command, sizeof run->command, info->command);
    world->run = run;
    *ret = &run->dir;
    return true;
}

static struct fake_run *
find_run(struct fake_world *world, const char *name)
{
    if (strcmp(name, "last") == 0)
        return world->run_count ? &world->runs[world->run_count - 1] : NULL;
    for (int i = 0; i < world->run_count; i++)
        if (strcmp(world->runs[i].id, name) == 0)
            return &world->runs[i];
    return NULL;
}

static bool
store_reopen(struct run_store *store, const char *id, struct run_dir **ret, struct err *err)
{
    struct fake_world *world = WORLD_OF(store, run_store);
    struct fake_run *run = find_run(world, id);

    if (fake_fails(world, ERR_STORAGE, err))
        return false;
    if (!run)
        return err_set(err, ERR_STORAGE, "%s is not a run", id);
    run->reopened = true;
    if (world->run_goes_on_reopened)
        copy(run->journal[run->journal_count++].step, sizeof run->journal[0].step, "resumed");
    world->run = run;
    *ret = &run->dir;
    return true;
}

/* ---- the archive ---- */

static struct fake_run *
archived(const struct archived_run *run)
{
    return PART_OF(struct fake_archived, run, port)->run;
}

static const struct past_run *
archive_past(const struct archived_run *run)
{
    return &PART_OF(struct fake_archived, run, port)->past;
}

static const struct schema *
archive_schema(const struct archived_run *run, enum table table)
{
    const struct fake_run *past = archived(run);

    return past->sealed && past->backed_up[table] ? &past->schemas[table] : NULL;
}

static int64_t
archive_rows(const struct archived_run *run, enum table table)
{
    return archive_schema(run, table) ? (int64_t)archived(run)->backup[table].count : 0;
}

static bool
archive_manifest(const struct archived_run *run, struct digest *ret)
{
    if (!archived(run)->sealed)
        return false;
    *ret = digest_of(archived(run)->id, strlen(archived(run)->id));
    return true;
}

/** The rows of a table, each in its newest version. */
static bool
newest_rows(const struct archived_run *from, enum table table, struct fake_table *ret,
            struct err *err)
{
    struct fake_run *past = archived(from);

    if (fake_fails(past->world, ERR_STORAGE, err))
        return false;
    if (past->world->archive_broken || !archive_schema(from, table))
        return err_set(err, ERR_STORAGE, "the backup of %s is damaged", table_name(table));
    *ret = past->backup[table];
    for (size_t i = 0; table == TABLE_RUNTIME && i < ret->count; i++)
        ret->rows[i] = *fake_newest(past, ret->rows[i].recid);
    return true;
}

static bool
archive_read(struct archived_run *run, enum table table, const struct row_sink *sink,
             struct err *err)
{
    struct fake_run *past = archived(run);
    struct fake_table read;

    if (!newest_rows(run, table, &read, err))
        return false;
    if (past->world->in_transaction && past->world->backup_changes && read.count)
        read.rows[read.count - 1].content++;
    if (past->world->backup_grows && (past->world->in_transaction || past->world->return_total))
        read.rows[read.count++] = (struct fake_row){.recid = 900};
    return read_disk(past->world, &past->schemas[table], &read, sink, err);
}

static bool
archive_begin(struct archived_run *run, enum table table, struct err *err)
{
    struct fake_run *past = archived(run);

    past->cursor_at = 0;
    assert(table == TABLE_RUNTIME);
    return newest_rows(run, table, &past->cursor, err);
}

static bool
archive_next(struct archived_run *run, struct row *ret, bool *ret_end, struct err *err)
{
    struct fake_run *past = archived(run);

    if (fake_fails(past->world, ERR_STORAGE, err))
        return false;
    *ret_end = past->cursor_at == past->cursor.count;
    if (!*ret_end)
        fake_fill_document(past->world, &past->cursor.rows[past->cursor_at++], &past->document,
                           ret);
    return true;
}

static void
archive_end(struct archived_run *run)
{
    (void)run;
}

static bool
archive_purged(struct archived_run *run, const struct purged_sink *sink, struct err *err)
{
    const struct fake_run *past = archived(run);
    char key[ROW_KEY_BYTES];

    if (fake_fails(past->world, ERR_STORAGE, err))
        return false;
    for (int i = 0; i < past->purged_count; i++) {
        (void)snprintf(key, sizeof key, "00000000-0000-0000-0000-%012d", past->purged[i]);
        if (!sink->take(sink->ctx, key, past->purged_gone[i], err))
            return false;
    }
    return true;
}

static void
archive_close(struct archived_run *run)
{
    (void)run;
}

/** The state that a COMMIT is in by this record. */
static void
note_commit(struct run_progress *progress, const char *step, const char *state)
{
    const bool settled = strcmp(step, "settled") == 0;

    if (settled)
        progress->mixed = strcmp(state, "mixed") == 0;
    if (strcmp(step, "begin") == 0)
        progress->rolled_back = progress->verified = false;
    if (strcmp(step, "commit-sent") == 0) {
        progress->rolled_back = progress->verified = false;
        progress->commit_sent = true;
    }
    if (strcmp(step, "committed") == 0 || (settled && strcmp(state, "committed") == 0)) {
        progress->committed = true;
        progress->rolled_back = false;
    }
    if (strcmp(step, "rolled-back") == 0 || (settled && strcmp(state, "rolled-back") == 0)) {
        progress->rolled_back = true;
        progress->commit_sent = false;
        progress->committed = progress->committed && !settled;
    }
}

/** How far the journal says that the run came: as the real archive reads it. */
static void
read_progress(struct fake_run *run, struct run_progress *ret)
{
    *ret = (struct run_progress){.records = run->journal_count, .last_step = "", .outcome = ""};
    ret->last_utc = "2026-11-21T21:44:29Z";
    for (int i = 0; i < run->journal_count; i++) {
        const char *step = run->journal[i].step;
        const bool closed = strcmp(step, "close") == 0;

        ret->last_step = step;
        note_commit(ret, step, run->journal[i].state);
        ret->backup_sealed = ret->backup_sealed || strcmp(step, "backup-sealed") == 0;
        if (strcmp(step, "purge-intent") == 0) {
            ret->purge_begun = true;
            ret->verified = false;
        }
        if (strcmp(step, "resumed") == 0)
            ret->verified = false;
        ret->verified = ret->verified || strcmp(step, "verified") == 0;
        ret->ended = closed;
        if (closed || strcmp(step, "stopped") == 0)
            ret->outcome = run->journal[i].state;
    }
}

static bool
archive_open(struct run_archive *archive, const char *name, struct arena *arena,
             struct archived_run **ret, struct err *err)
{
    struct fake_world *world = WORLD_OF(archive, run_archive);
    struct fake_run *run = find_run(world, name);

    (void)arena;
    if (fake_fails(world, ERR_STORAGE, err))
        return false;
    if (!run)
        return err_set(err, ERR_USAGE, "no run %s in /runs", name);
    struct fake_archived *opened = &run->archived[run->opened++ % FAKE_MAX_OPEN];

    opened->past = (struct past_run){.id = run->id,
                                     .path = run->id,
                                     .command = run->command,
                                     .environment = "uat",
                                     .started_utc = "2026-11-21T21:44:29Z",
                                     .user = "dba",
                                     .host = "workstation",
                                     .program = "fake",
                                     .has_plan = run->planned,
                                     .plan = {.server = run->target[0],
                                              .database = run->target[1],
                                              .database_created = run->target[2],
                                              .recovery_fork = run->target[3],
                                              .organization_id = run->target[4],
                                              .organization_name = run->target[5],
                                              .organization_host = run->target[6],
                                              .scope = run->scope,
                                              .created_utc_ms = run->planned_utc_ms,
                                              .expires_utc_ms = run->expires_utc_ms}};
    copy(opened->past.plan_id, sizeof opened->past.plan_id, run->plan_id);
    read_progress(run, &opened->past.progress);
    *ret = &opened->port;
    return true;
}

void
fake_runs_init(struct fake_world *world)
{
    static const struct journal_ops journal_ops = {.record = journal_record,
                                                   .reserve = journal_reserve};
    static const struct plan_file_ops plan_ops = {
        .begin = plan_begin, .add_schema = plan_schema, .add = plan_add, .end = plan_end};
    static const struct backup_ops backup_ops = {.begin_table = backup_begin,
                                                 .add = backup_add,
                                                 .end_table = backup_step,
                                                 .close = backup_step,
                                                 .read_back = backup_read_back,
                                                 .seal = backup_seal};
    static const struct backup_ops again_ops = {.begin_table = again_begin,
                                                .add = again_add,
                                                .end_table = again_step,
                                                .close = again_step,
                                                .read_back = again_read_back,
                                                .seal = again_seal};
    static const struct run_dir_ops dir_ops = {.id = dir_id,
                                               .path = dir_id,
                                               .lock_target = dir_lock,
                                               .journal = dir_journal,
                                               .plan = dir_plan,
                                               .backup = dir_backup,
                                               .next_backup = dir_next_backup,
                                               .write_file = dir_write_file,
                                               .finish = dir_finish,
                                               .close = dir_close};
    static const struct archived_run_ops archived_ops = {.past = archive_past,
                                                         .schema = archive_schema,
                                                         .rows = archive_rows,
                                                         .manifest = archive_manifest,
                                                         .read_rows = archive_read,
                                                         .begin_rows = archive_begin,
                                                         .next_row = archive_next,
                                                         .end_rows = archive_end,
                                                         .purged = archive_purged,
                                                         .close = archive_close};

    for (int i = 0; i < FAKE_MAX_RUNS; i++) {
        struct fake_run *run = &world->runs[i];

        run->world = world;
        run->journal_port.ops = &journal_ops;
        run->plan_port.ops = &plan_ops;
        run->backup_port.ops = &backup_ops;
        for (int j = 0; j < FAKE_MAX_AGAIN; j++) {
            run->again[j].run = run;
            run->again[j].port.ops = &again_ops;
        }
        run->dir.ops = &dir_ops;
        for (int j = 0; j < FAKE_MAX_OPEN; j++) {
            run->archived[j].run = run;
            run->archived[j].port.ops = &archived_ops;
        }
    }
    world->run_store = (struct run_store){.new_id = store_new_id,
                                          .probe = store_probe,
                                          .create = store_create,
                                          .reopen = store_reopen};
    world->run_archive.open = archive_open;
}
