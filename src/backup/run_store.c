#include "backup/run_store.h"

#include "backup/backup_set.h"
#include "backup/journal_file.h"
#include "backup/plan_ndjson.h"
#include "base/file.h"
#include "run_lock.h"
#include "run_record.h"
#include "storage.h"
#include "sums.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SPACE_MARGIN_BYTES = 16 * 1024 * 1024, NAME_ATTEMPTS = 8 };

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
    bool finished;
    struct journal *journal;
    struct plan_file *plan;
    struct backup *backup;
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
    .write_file = run_write_file,
    .finish = run_finish,
    .close = run_close,
};

/* Cut the last component off; false at the root. */
static bool
cut_last(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return false;
    *slash = '\0';
    return true;
}

/* mkdir -p whose new names survive a crash: every directory that got an entry is synced. */
static bool
make_runs_dir(const char *runs_dir, struct err *err)
{
    STORAGE_SCOPED_STRING path = storage_copy(runs_dir);
    size_t missing = 0;

    if (!path)
        return storage_no_memory(err);
    while (access(path, F_OK) != 0 && errno == ENOENT && cut_last(path))
        missing++;
    /* Owner-only whatever the umask, and not less than that either. */
    const mode_t before = umask(0077);
    const bool made = file_make_directories(runs_dir, 0700, err);
    (void)umask(before);
    if (!made)
        return false;
    memcpy(path, runs_dir, strlen(runs_dir) + 1);
    while (missing-- > 0 && cut_last(path))
        if (!file_sync_directory(path, err))
            return false;
    return true;
}

static bool
check_place(const struct run_store_options *options, uint64_t expected_bytes, struct err *err)
{
    enum file_system kind = FILE_SYSTEM_DISK;
    uint64_t free_bytes = 0;

    if (!make_runs_dir(options->runs_dir, err) ||
        !file_system_of(options->runs_dir, &kind, &free_bytes, err))
        return false;
    if (kind == FILE_SYSTEM_MEMORY && !options->allow_volatile) {
        (void)err_set(err, ERR_STORAGE, "%s is in memory (tmpfs or ramfs)", options->runs_dir);
        return err_hint(err, "It would hold the only copy of what a run removes, and lose it with "
                             "the machine. Name another --runs-dir, or accept that with "
                             "--volatile-runs-dir.");
    }
    /* A file system in memory without a limit reports 0 free: there the writes themselves tell. */
    if (kind == FILE_SYSTEM_MEMORY && free_bytes == 0)
        return true;
    if (expected_bytes > UINT64_MAX - SPACE_MARGIN_BYTES ||
        free_bytes < expected_bytes + SPACE_MARGIN_BYTES) {
        (void)err_set(err, ERR_STORAGE,
                      "%s has %" PRIu64 " MiB free, the run may need %" PRIu64 " MiB",
                      options->runs_dir, free_bytes >> 20,
                      (expected_bytes >> 20) + (SPACE_MARGIN_BYTES >> 20));
        return err_hint(err, "Make room there, or name another --runs-dir.");
    }
    return true;
}

static bool
make_run_directory(struct disk_run *run, const struct run_info *info, struct err *err)
{
    for (int attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
        bool existed = false;
        if (!run_record_id(info->environment, run->id, err))
            return false;
        free(run->path);
        run->path = storage_path(run->runs_dir, run->id);
        if (!run->path)
            return storage_no_memory(err);
        if (!storage_make_directory(run->path, &existed, err))
            return false;
        if (!existed)
            return true;
    }
    return err_set(err, ERR_STORAGE, "no free name for a run in %s", run->runs_dir);
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
open_parts(struct disk_run *run, const char *program, struct err *err)
{
    STORAGE_SCOPED_STRING journal = storage_path(run->path, "journal.ndjson");
    STORAGE_SCOPED_STRING plan = storage_path(run->path, "plan.ndjson");
    STORAGE_SCOPED_STRING backup = storage_path(run->path, "backup");

    if (!journal || !plan || !backup)
        return storage_no_memory(err);
    return journal_file_create(journal, &run->journal, err) &&
           plan_ndjson_new(plan, &run->plan, err) &&
           backup_set_new(backup, program, &run->backup, err);
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
    if (write_record(run, info, options, err) && open_parts(run, options->program, err) &&
        file_sync_directory(run->path, err) && file_sync_directory(run->runs_dir, err))
        return true;
    remove_empty_run(run);
    return false;
}

static bool
create(struct run_store *store, const struct run_info *info, uint64_t expected_bytes,
       struct run_dir **ret, struct err *err)
{
    const struct run_store_options *options = &((const struct disk_store *)store)->options;

    if (!check_place(options, expected_bytes, err))
        return false;
    struct disk_run *run = calloc(1, sizeof(*run));
    if (!run)
        return storage_no_memory(err);
    run->port.ops = &ops;
    run->runs_dir = strdup(options->runs_dir);
    const bool memory = run->runs_dir;
    if (!memory || !make_run_directory(run, info, err) || !fill_run(run, info, options, err)) {
        run_close(&run->port);
        return memory ? false : storage_no_memory(err);
    }
    *ret = &run->port;
    return true;
}

/** A copy without slashes at the end or twice in a row: paths are shown, and pasted. */
static char *
plain_path(const char *path)
{
    char *copy = strdup(path);
    size_t used = 0;

    for (const char *at = path; copy && *at; at++)
        if (*at != '/' || used == 0 || copy[used - 1] != '/')
            copy[used++] = *at;
    if (used > 1 && copy[used - 1] == '/')
        used--;
    if (copy)
        copy[used] = '\0';
    return copy;
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
    store->port.create = create;
    store->options = *options;
    store->options.runs_dir = plain_path(options->runs_dir);
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
