#include "backup/run_archive.h"

#include "backup/backup_set.h"
#include "backup/journal_file.h"
#include "backup/plan_ndjson.h"
#include "newest.h"
#include "run_archive_open.h"
#include "run_find.h"
#include "run_place.h"
#include "run_progress.h"
#include "run_record.h"
#include "storage.h"
#include "sums.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct disk_archive {
    struct run_archive port; /* first: the port is the archive */
    char *runs_dir;
    const struct backup_key *key;
};

struct disk_past {
    struct archived_run port; /* first: the port is the run */
    struct past_run past;
    const struct backup_key *key;
    struct backups backups; /* of format v1, sealed */
    struct newest cursor;   /* of begin_rows */
};

static const struct past_run *
archived_past(const struct archived_run *run)
{
    return &((const struct disk_past *)run)->past;
}

static bool
is_table(enum table table)
{
    return (int)table >= 0 && (int)table < TABLES;
}

static const struct schema *
archived_schema(const struct archived_run *run, enum table table)
{
    const struct disk_past *past = (const struct disk_past *)run;
    return past->backups.count && is_table(table)
               ? backup_reader_schema(past->backups.list[0], table)
               : NULL;
}

static int64_t
archived_rows(const struct archived_run *run, enum table table)
{
    const struct disk_past *past = (const struct disk_past *)run;
    return past->backups.count && is_table(table) ? backup_reader_rows(past->backups.list[0], table)
                                                  : 0;
}

static bool
archived_manifest(const struct archived_run *run, struct digest *ret)
{
    const struct disk_past *past = (const struct disk_past *)run;
    if (!past->backups.count)
        return false;
    *ret = *backup_reader_manifest(past->backups.list[0]);
    return true;
}

static bool
begin_newest(struct disk_past *past, enum table table, struct newest *ret, struct err *err)
{
    *ret = (struct newest){0};
    if (!is_table(table))
        return err_set(err, ERR_INTERNAL, "no such table");
    if (past->backups.count)
        return newest_begin(ret, &past->backups, table, past->past.path, err);
    (void)err_set(err, ERR_STORAGE, "run %s has no sealed backup", past->past.id);
    return err_hint(err, "It was stopped before its backup was complete, so it has removed "
                         "nothing and there is nothing to put back.");
}

static bool
archived_read_rows(struct archived_run *run, enum table table, const struct row_sink *sink,
                   struct err *err)
{
    struct newest newest;
    struct row row;
    bool end = false;
    bool ok = begin_newest((struct disk_past *)run, table, &newest, err);

    while (ok && !end) {
        ok = newest_next(&newest, &row, &end, err);
        if (ok && !end && sink)
            ok = sink->take(sink->ctx, &row, err);
    }
    newest_done(&newest);
    return ok;
}

static bool
archived_begin_rows(struct archived_run *run, enum table table, struct err *err)
{
    struct disk_past *past = (struct disk_past *)run;

    newest_done(&past->cursor);
    return begin_newest(past, table, &past->cursor, err);
}

static bool
archived_next_row(struct archived_run *run, struct row *ret, bool *ret_end, struct err *err)
{
    return newest_next(&((struct disk_past *)run)->cursor, ret, ret_end, err);
}

static void
archived_end_rows(struct archived_run *run)
{
    newest_done(&((struct disk_past *)run)->cursor);
}

/* ---- rows that have left ---- */

static bool
note_purged(const struct purged_sink *sink, const char *key, const char *state, struct err *err)
{
    const bool gone = strncmp(state, "gone", 4) == 0;

    if (!gone && strncmp(state, "done", 4) != 0)
        return true;
    return sink->take(sink->ctx, key, gone, err);
}

/* One row by "key" and "state", or many, each a fact of its own (src/backup/README.md). */
static bool
take_outcomes(void *ctx, const struct journal_record *record, struct err *err)
{
    const struct fact *facts = record->facts;

    if (strcmp(record->step, "purge-outcome") != 0)
        return true;
    if (record->count > 1 && strcmp(facts[0].name, "key") == 0)
        return !facts[0].value || !facts[1].value ||
               note_purged(ctx, facts[0].value, facts[1].value, err);
    for (size_t i = 0; i < record->count; i++)
        if (facts[i].value && !note_purged(ctx, facts[i].name, facts[i].value, err))
            return false;
    return true;
}

static bool
archived_purged(struct archived_run *run, const struct purged_sink *sink, struct err *err)
{
    const struct disk_past *past = (const struct disk_past *)run;
    STORAGE_SCOPED_STRING journal = storage_path(past->past.path, "journal.ndjson");
    const struct journal_sink outcomes = {.ctx = (void *)(uintptr_t)sink, .take = take_outcomes};
    struct journal_tail tail = {0};

    return journal ? journal_read(journal, &outcomes, &tail, err) : storage_no_memory(err);
}

static void
archived_close(struct archived_run *run)
{
    if (!run)
        return;
    struct disk_past *past = (struct disk_past *)run;
    newest_done(&past->cursor);
    backups_done(&past->backups);
    free(past);
}

static const struct archived_run_ops ops = {
    .past = archived_past,
    .schema = archived_schema,
    .rows = archived_rows,
    .manifest = archived_manifest,
    .read_rows = archived_read_rows,
    .begin_rows = archived_begin_rows,
    .next_row = archived_next_row,
    .end_rows = archived_end_rows,
    .purged = archived_purged,
    .close = archived_close,
};

struct header_copy {
    struct arena *arena;
    struct plan_header header;
};

static bool
take_header(void *ctx, const struct plan_header *header, struct err *err)
{
    struct header_copy *copy = ctx;
    struct plan_header kept = *header;
    const char **const strings[] = {&kept.server,
                                    &kept.database,
                                    &kept.database_created,
                                    &kept.recovery_fork,
                                    &kept.organization_id,
                                    &kept.organization_name,
                                    &kept.organization_host,
                                    &kept.scope};

    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        *strings[i] = arena_string(copy->arena, *strings[i]);
        if (!*strings[i])
            return arena_exhausted(err);
    }
    copy->header = kept;
    return true;
}

static const struct plan_header no_plan = {.server = "",
                                           .database = "",
                                           .database_created = "",
                                           .recovery_fork = "",
                                           .organization_id = "",
                                           .organization_name = "",
                                           .organization_host = "",
                                           .scope = ""};

/* plan.ndjson has its name only when it is whole. */
static bool
load_plan(struct past_run *past, struct arena *arena, struct err *err)
{
    STORAGE_SCOPED_STRING path = storage_path(past->path, "plan.ndjson");
    struct header_copy copy = {.arena = arena, .header = no_plan};
    const struct plan_sink sink = {.ctx = &copy, .header = take_header};
    struct plan_end end = {0};

    if (!path)
        return storage_no_memory(err);
    past->plan = no_plan;
    if (!again_exists(path))
        return true;
    if (!plan_ndjson_read(path, &sink, &end, err))
        return err_hint(err, "The plan is damaged. Restore the run directory from a copy.");
    past->has_plan = true;
    past->plan = copy.header;
    memcpy(past->plan_id, end.plan_id, sizeof(past->plan_id));
    return true;
}

static bool
seal_is_gone(const struct past_run *past, const char *directory, struct err *err)
{
    (void)err_set(err, ERR_STORAGE, "run %s has sealed its backup, but %s holds no seal", past->id,
                  directory);
    return err_hint(err, "The backup, or its SEALED.json, was taken away. Restore the run "
                         "directory from a copy.");
}

/* The seal is written before the journal says so, and is there for good: `sealed` is what that
 * says. Without a seal a crash has left the directory, and it counts for nothing. */
static bool
load_backup(struct disk_past *run, const char *directory, bool sealed, struct err *err)
{
    STORAGE_SCOPED_STRING seal = storage_path(directory, "SEALED.json");

    if (!seal)
        return storage_no_memory(err);
    if (again_exists(directory) && !run_place_trusted(directory, err))
        return false;
    if (!again_exists(seal))
        return !sealed || seal_is_gone(&run->past, directory, err);
    if (!backup_reader_open(directory, run->key, &run->backups.list[run->backups.count], err))
        return false;
    run->backups.count++;
    return true;
}

static bool
load_backups(struct disk_past *run, struct err *err)
{
    const struct run_progress *progress = &run->past.progress;
    STORAGE_SCOPED_STRING first = storage_path(run->past.path, "backup");

    if (!first)
        return storage_no_memory(err);
    if (!load_backup(run, first, progress->backup_sealed, err))
        return false;
    for (int number = AGAIN_FIRST; run->backups.count && number <= AGAIN_LAST; number++) {
        STORAGE_SCOPED_STRING path = again_path(run->past.path, number);

        if (!path)
            return storage_no_memory(err);
        if (!load_backup(run, path, progress->backups_again >> number & 1, err))
            return false;
    }
    return true;
}

/* Files that never change, against what SHA256SUMS says since the run was finished. The rows of the
 * backup are compared when they are read. */
static bool
check_sums(const struct sums *sums, const char *path, struct err *err)
{
    static const char *const names[] = {"run.json", "plan.ndjson", "backup/manifest.json",
                                        "backup/SEALED.json"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!sums_check(sums, path, names[i], err))
            return false;
    for (int number = AGAIN_FIRST; number <= AGAIN_LAST; number++) {
        char folder[AGAIN_NAME_BYTES];
        char name[AGAIN_NAME_BYTES + 16];

        again_name(number, folder);
        (void)snprintf(name, sizeof(name), "%s/manifest.json", folder);
        if (!sums_check(sums, path, name, err))
            return false;
        (void)snprintf(name, sizeof(name), "%s/SEALED.json", folder);
        if (!sums_check(sums, path, name, err))
            return false;
    }
    return true;
}

/* In this order: what a run that is at work writes first is read last, so that whatever is found
 * vouches only for what is there already. */
static bool
load(struct disk_past *run, const char *path, struct arena *arena, struct err *err)
{
    bool finished = false;
    SUMS_SCOPED sums = {0};

    return run_place_trusted(path, err) && sums_load(path, &sums, err) &&
           run_record_load(path, arena, &run->past, err) &&
           run_progress_load(path, arena, &run->past.progress, &finished, err) &&
           load_plan(&run->past, arena, err) && load_backups(run, err) &&
           check_sums(&sums, path, err);
}

/* A directory that was renamed would be taken for the run whose name it bears. */
static bool
check_name(const struct past_run *past, bool by_name, struct err *err)
{
    const char *last = strrchr(past->path, '/');

    if (!by_name || (last && strcmp(last + 1, past->id) == 0))
        return true;
    (void)err_set(err, ERR_STORAGE, "%s is not the run of that name, but run %s", past->path,
                  past->id);
    return err_hint(err, "The directory was renamed or copied over. Give it the name that its "
                         "run.json has, or name it by its path.");
}

bool
run_archive_open_path(const char *path, bool by_name, const struct backup_key *key,
                      struct arena *arena, struct archived_run **ret, struct err *err)
{
    struct disk_past *run = calloc(1, sizeof(*run));

    if (!run)
        return storage_no_memory(err);
    run->port.ops = &ops;
    run->key = key;
    if (!load(run, path, arena, err) || !check_name(&run->past, by_name, err)) {
        archived_close(&run->port);
        return false;
    }
    *ret = &run->port;
    return true;
}

static bool
archive_open(struct run_archive *port, const char *name, struct arena *arena,
             struct archived_run **ret, struct err *err)
{
    const struct disk_archive *archive = (const struct disk_archive *)port;
    STORAGE_SCOPED_STRING path = NULL;

    return run_find(archive->runs_dir, name, &path, err) &&
           run_archive_open_path(path, !run_find_is_path(name), archive->key, arena, ret, err);
}

bool
run_archive_new(const char *runs_dir, const struct backup_key *key, struct run_archive **ret,
                struct err *err)
{
    assert(runs_dir);
    if (runs_dir[0] != '/')
        return err_set(err, ERR_CONFIG, "the runs directory must be an absolute path: \"%s\"",
                       runs_dir);
    struct disk_archive *archive = calloc(1, sizeof(*archive));
    if (!archive)
        return storage_no_memory(err);
    archive->port.open = archive_open;
    archive->key = key;
    archive->runs_dir = storage_plain_path(runs_dir);
    if (!archive->runs_dir) {
        free(archive);
        return storage_no_memory(err);
    }
    *ret = &archive->port;
    return true;
}

void
run_archive_free(struct run_archive *port)
{
    if (!port)
        return;
    struct disk_archive *archive = (struct disk_archive *)port;
    free(archive->runs_dir);
    free(archive);
}
