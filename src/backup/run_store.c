#include "backup/run_store.h"

#include "again.h"
#include "backup/backup_set.h"
#include "backup/journal_file.h"
#include "backup/plan_ndjson.h"
#include "base/file.h"
#include "run_lock.h"
#include "run_place.h"
#include "run_progress.h"
#include "run_record.h"
#include "storage.h"
#include "sums.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_ATTEMPTS = 8 };

struct disk_store {
    struct run_store port; /* first: the port is the store */
    struct run_store_options options;
};

/** One half of the target that this run holds. */
struct held_lock {
    struct digest target;
    int fd;
};

struct disk_run {
    struct run_dir port; /* first: the port is the run */
    char id[RUN_ID_BYTES];
    char *path;
    char *runs_dir;
    struct held_lock locks[RUN_DIR_LOCKS];
    size_t lock_count;
    int own_lock; /* on run.json: one process works on a run */
    bool finished;
    struct journal *journal;
    struct plan_file *plan;
    struct backup *backup;
    struct backup *again; /* the further backup in hand */
    const char *program;  /* the store's */
    const struct backup_key *key;
};

static struct disk_run *
run_of(struct run_dir *dir)
{
    return (struct disk_run *)dir;
}

static const char *
run_id(const struct run_dir *dir)
{
    return ((const struct disk_run *)dir)->id;
}

static const char *
run_path(const struct run_dir *dir)
{
    return ((const struct disk_run *)dir)->path;
}

static bool
run_lock_target(struct run_dir *dir, const char *target, struct err *err)
{
    struct disk_run *run = run_of(dir);
    struct held_lock lock = {.target = digest_of(target, strlen(target)), .fd = -1};

    for (size_t i = 0; i < run->lock_count; i++)
        if (digest_equal(&run->locks[i].target, &lock.target))
            return true;
    if (run->lock_count == RUN_DIR_LOCKS)
        return err_set(err, ERR_INTERNAL, "run %s holds %d locks already", run->id,
                       (int)RUN_DIR_LOCKS);
    if (!run_lock_take(run->runs_dir, target, run->id, &lock.fd, err))
        return false;
    run->locks[run->lock_count++] = lock;
    return true;
}

static void
release_locks(struct disk_run *run)
{
    while (run->lock_count > 0)
        run_lock_release(&run->locks[--run->lock_count].fd);
    run_lock_release_run(&run->own_lock);
}

static struct journal *
run_journal(struct run_dir *dir)
{
    return run_of(dir)->journal;
}

static struct plan_file *
run_plan(struct run_dir *dir)
{
    return run_of(dir)->plan;
}

static struct backup *
run_backup(struct run_dir *dir)
{
    return run_of(dir)->backup;
}

static bool
run_next_backup(struct run_dir *dir, struct backup **ret, int *ret_number, struct err *err)
{
    struct disk_run *run = run_of(dir);

    for (int number = AGAIN_FIRST; number <= AGAIN_LAST; number++) {
        STORAGE_SCOPED_STRING path = again_path(run->path, number);
        struct backup *again = NULL;

        if (!path)
            return storage_no_memory(err);
        if (again_exists(path))
            continue;
        if (!backup_set_new(path, run->program, run->key, &again, err))
            return false;
        backup_set_free(run->again);
        run->again = again;
        *ret = again;
        *ret_number = number;
        return true;
    }
    return err_set(err, ERR_STORAGE, "run %s has %d further backups already", run->id,
                   AGAIN_LAST - AGAIN_FIRST + 1);
}

static bool
name_is_plain(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._-";
    return *name && *name != '.' && strspn(name, allowed) == strlen(name);
}

static bool
run_write_file(struct run_dir *dir, const char *name, const void *bytes, size_t size,
               struct err *err)
{
    struct disk_run *run = run_of(dir);

    if (run->finished)
        return err_set(err, ERR_INTERNAL, "run %s is finished", run->id);
    if (!name_is_plain(name))
        return err_set(err, ERR_INTERNAL, "not a name for a file of a run: \"%s\"", name);
    STORAGE_SCOPED_STRING path = storage_path(run->path, name);
    if (!path)
        return storage_no_memory(err);
    return file_replace(path, bytes, size, 0600, err);
}

static bool
run_finish(struct run_dir *dir, struct err *err)
{
    struct disk_run *run = run_of(dir);

    if (run->finished)
        return true;
    if (!journal_file_end(run->journal, err) || !sums_write(run->path, err))
        return false;
    run->finished = true;
    release_locks(run);
    return true;
}

static void
run_close(struct run_dir *dir)
{
    if (!dir)
        return;
    struct disk_run *run = run_of(dir);
    release_locks(run);
    journal_file_close(run->journal);
    plan_ndjson_free(run->plan);
    backup_set_free(run->backup);
    backup_set_free(run->again);
    free(run->path);
    free(run->runs_dir);
    free(run);
}

static const struct run_dir_ops ops = {
    .id = run_id,
    .path = run_path,
    .lock_target = run_lock_target,
    .journal = run_journal,
    .plan = run_plan,
    .backup = run_backup,
    .next_backup = run_next_backup,
    .write_file = run_write_file,
    .finish = run_finish,
    .close = run_close,
};

static const struct run_store_options *
options_of(const struct run_store *store)
{
    return &((const struct disk_store *)store)->options;
}

static bool
new_id(struct run_store *store, const char *environment, char ret[RUN_ID_BYTES], struct err *err)
{
    const char *runs_dir = options_of(store)->runs_dir;
    char id[RUN_ID_BYTES];

    for (int attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
        if (!run_record_id(environment, id, err))
            return false;
        STORAGE_SCOPED_STRING path = storage_path(runs_dir, id);
        if (!path)
            return storage_no_memory(err);
        if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
            memcpy(ret, id, sizeof(id));
            return true;
        }
    }
    return err_set(err, ERR_STORAGE, "no free name for a run in %s", runs_dir);
}

static bool
probe(struct run_store *store, uint64_t expected_bytes, struct run_place *ret, struct err *err)
{
    const struct run_store_options *options = options_of(store);

    *ret = (struct run_place){0};
    (void)snprintf(ret->path, sizeof(ret->path), "%s", options->runs_dir);
    return run_place_probe(options->runs_dir, options->allow_volatile, expected_bytes,
                           &ret->free_bytes, err);
}

static bool
write_record(const struct disk_run *run, const struct run_info *info,
             const struct run_store_options *options, struct err *err)
{
    TEXT_SCOPED text = {0};
    const struct run_record record = {.id = run->id,
                                      .info = info,
                                      .program = options->program,
                                      .versions = options->versions,
                                      .version_count = options->version_count};
    STORAGE_SCOPED_STRING path = storage_path(run->path, "run.json");

    if (!path)
        return storage_no_memory(err);
    return run_record_append(&text, &record, err) &&
           file_replace(path, text.data, text.used, 0600, err);
}

static bool
open_parts(struct disk_run *run, const struct run_store_options *options, struct err *err)
{
    STORAGE_SCOPED_STRING journal = storage_path(run->path, "journal.ndjson");
    STORAGE_SCOPED_STRING plan = storage_path(run->path, "plan.ndjson");
    STORAGE_SCOPED_STRING backup = storage_path(run->path, "backup");

    if (!journal || !plan || !backup)
        return storage_no_memory(err);
    return journal_file_create(journal, &run->journal, err) &&
           plan_ndjson_new(plan, &run->plan, err) &&
           backup_set_new(backup, options->program, options->key, &run->backup, err);
}

/* A run that could not begin leaves nothing behind that looks like a run. */
static void
remove_empty_run(const struct disk_run *run)
{
    static const char *const names[] = {"run.json", "journal.ndjson"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        STORAGE_SCOPED_STRING path = storage_path(run->path, names[i]);
        if (path)
            (void)unlink(path);
    }
    (void)rmdir(run->path);
}

static bool
fill_run(struct disk_run *run, const struct run_info *info, const struct run_store_options *options,
         struct err *err)
{
    if (write_record(run, info, options, err) &&
        run_lock_take_run(run->path, run->id, &run->own_lock, err) &&
        open_parts(run, options, err) && file_sync_directory(run->path, err) &&
        file_sync_directory(run->runs_dir, err))
        return true;
    remove_empty_run(run);
    return false;
}

/* `id` is the name of a run. NULL with `err` filled: no memory. */
static struct disk_run *
new_run(const struct run_store_options *options, const char *id, struct err *err)
{
    struct disk_run *run = calloc(1, sizeof(*run));

    if (!run) {
        (void)storage_no_memory(err);
        return NULL;
    }
    run->port.ops = &ops;
    run->own_lock = -1;
    run->program = options->program;
    run->key = options->key;
    (void)snprintf(run->id, sizeof(run->id), "%s", id);
    run->runs_dir = strdup(options->runs_dir);
    run->path = storage_path(options->runs_dir, id);
    if (!run->runs_dir || !run->path) {
        run_close(&run->port);
        (void)storage_no_memory(err);
        return NULL;
    }
    return run;
}

static bool
create(struct run_store *store, const struct run_info *info, uint64_t expected_bytes,
       struct run_dir **ret, struct err *err)
{
    const struct run_store_options *options = options_of(store);

    if (!info->id || !run_record_is_id(info->id))
        return err_set(err, ERR_INTERNAL, "not a name for a run: \"%s\"", info->id ? info->id : "");
    if (!run_place_make(options->runs_dir, options->allow_volatile, expected_bytes, err))
        return false;
    struct disk_run *run = new_run(options, info->id, err);
    if (!run)
        return false;
    if (!storage_make_directory(run->path, NULL, err) || !fill_run(run, info, options, err)) {
        run_close(&run->port);
        return false;
    }
    *ret = &run->port;
    return true;
}

/* The journal behind its last whole record. What was on record when the run was last finished is
 * compared first: nothing is cut off or added before. */
static bool
continue_journal(struct disk_run *run, struct err *err)
{
    STORAGE_SCOPED_STRING journal = storage_path(run->path, "journal.ndjson");
    ARENA_SCOPED arena = arena_new(RUN_PROGRESS_ARENA_BYTES);
    struct run_progress progress;
    struct journal_tail tail;
    bool finished = false;

    if (!journal || !arena)
        return storage_no_memory(err);
    if (!run_progress_load(run->path, arena, &progress, &finished, err))
        return false;
    if (progress.ended && finished) {
        (void)err_set(err, ERR_REFUSED, "run %s has ended: nothing of it is left to do", run->id);
        return err_hint(err, "It closed at %s as \"%s\". To take it back, use undo.",
                        progress.last_utc, progress.outcome);
    }
    return journal_file_reopen(journal, &run->journal, &tail, err);
}

/* True, for a run of this name; ERR_STORAGE for anything else. */
static bool
check_name(const struct disk_run *run, struct err *err)
{
    ARENA_SCOPED arena = arena_new(RUN_RECORD_ARENA_BYTES);
    struct past_run past;

    if (!arena)
        return storage_no_memory(err);
    return run_record_load(run->path, arena, &past, err) &&
           (strcmp(past.id, run->id) == 0 ||
            err_set(err, ERR_STORAGE, "%s/run.json is that of another run, %s", run->path,
                    past.id));
}

static bool
reopen(struct run_store *store, const char *id, struct run_dir **ret, struct err *err)
{
    const struct run_store_options *options = options_of(store);

    if (!run_record_is_id(id))
        return err_set(err, ERR_STORAGE, "not the name of a run: \"%s\"", id);
    struct disk_run *run = new_run(options, id, err);
    if (!run)
        return false;
    if (access(run->path, F_OK) != 0 && errno == ENOENT) {
        (void)err_set(err, ERR_STORAGE, "no run %s in %s", id, options->runs_dir);
        (void)err_hint(err, "A run goes on where it began: name its --runs-dir.");
        run_close(&run->port);
        return false;
    }
    if (!run_place_trusted(run->path, err) || !check_name(run, err) ||
        !run_lock_take_run(run->path, run->id, &run->own_lock, err) ||
        !continue_journal(run, err)) {
        run_close(&run->port);
        return false;
    }
    *ret = &run->port;
    return true;
}

bool
run_store_new(const struct run_store_options *options, struct run_store **ret, struct err *err)
{
    struct disk_store *store = NULL;

    assert(options && options->runs_dir && options->program);
    if (options->runs_dir[0] != '/')
        return err_set(err, ERR_CONFIG, "the runs directory must be an absolute path: \"%s\"",
                       options->runs_dir);
    store = calloc(1, sizeof(*store));
    if (!store)
        return storage_no_memory(err);
    store->port =
        (struct run_store){.new_id = new_id, .probe = probe, .create = create, .reopen = reopen};
    store->options = *options;
    store->options.runs_dir = storage_plain_path(options->runs_dir);
    store->options.program = strdup(options->program);
    if (!store->options.runs_dir || !store->options.program) {
        run_store_free(&store->port);
        return storage_no_memory(err);
    }
    *ret = &store->port;
    return true;
}

void
run_store_free(struct run_store *port)
{
    if (!port)
        return;
    struct disk_store *store = (struct disk_store *)port;
    free((char *)(uintptr_t)store->options.runs_dir);
    free((char *)(uintptr_t)store->options.program);
    free(store);
}
