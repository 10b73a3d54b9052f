#include "run_remove.h"

#include "base/file.h"
#include "run_entry.h"
#include "run_lock.h"
#include "run_place.h"
#include "run_record.h"
#include "storage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A run that is on its way out: hidden, and no name of a run. */
static const char prefix[] = ".pruned-";

enum { DEPTH_MAX = 4, LEFTOVERS_MAX = 1000, ENTRY_ARENA_BYTES = 16 * 1024 * 1024 };

static bool
is_leftover(const char *name)
{
    return strncmp(name, prefix, sizeof(prefix) - 1) == 0 &&
           run_record_is_id(name + sizeof(prefix) - 1);
}

/* ---- file by file ---- */

static bool empty_directory(int directory, dev_t device, int depth, const char *path,
                            struct err *err);

static bool
remove_folder(int parent, const char *name, dev_t device, int depth, const char *path,
              struct err *err)
{
    struct stat status;

    if (depth == DEPTH_MAX)
        return err_set(err, ERR_STORAGE, "folders in %s are nested deeper than a run's", path);
    const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, ERR_STORAGE, errno, "open a folder of %s", path);
    if (fstat(fd, &status) != 0 || status.st_dev != device) {
        (void)close(fd);
        return err_set(err, ERR_STORAGE, "a folder of %s is another file system", path);
    }
    if (!empty_directory(fd, device, depth + 1, path, err)) {
        (void)close(fd);
        return false;
    }
    (void)close(fd);
    return unlinkat(parent, name, AT_REMOVEDIR) == 0 ||
           err_errno(err, ERR_STORAGE, errno, "remove a folder of %s", path);
}

static bool
remove_entry(int directory, const char *name, dev_t device, int depth, const char *path,
             struct err *err)
{
    struct stat status;

    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT || err_errno(err, ERR_STORAGE, errno, "look into %s", path);
    if (S_ISDIR(status.st_mode))
        return remove_folder(directory, name, device, depth, path, err);
    /* Destroys a file of a run that has left the list; of a link, the link. */
    return unlinkat(directory, name, 0) == 0 || errno == ENOENT ||
           err_errno(err, ERR_STORAGE, errno, "remove a file of %s", path);
}

static bool
empty_stream(DIR *stream, dev_t device, int depth, const char *path, struct err *err)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream); /* NOLINT(concurrency-mt-unsafe) */
        if (!entry)
            return errno == 0 || err_errno(err, ERR_STORAGE, errno, "list %s", path);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (!remove_entry(dirfd(stream), entry->d_name, device, depth, path, err))
            return false;
    }
}

/* `directory` stays the caller's. NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX */
static bool
empty_directory(int directory, dev_t device, int depth, const char *path, struct err *err)
{
    const int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = own < 0 ? NULL : fdopendir(own);

    if (!stream) {
        const int why = errno;
        if (own >= 0)
            (void)close(own);
        return err_errno(err, ERR_STORAGE, why, "list %s", path);
    }
    const bool ok = empty_stream(stream, device, depth, path, err);
    (void)closedir(stream);
    return ok;
}

/* The hidden directory `name` of the runs directory. */
static bool
destroy(int runs, const char *name, struct err *err)
{
    struct stat status;

    if (fstat(runs, &status) != 0)
        return err_errno(err, ERR_STORAGE, errno, "look at the runs directory");
    return remove_folder(runs, name, status.st_dev, 0, name, err) &&
           file_sync(runs, "the runs directory", err);
}

/* ---- the runs directory ---- */

static bool
open_runs_dir(const char *runs_dir, int *ret_fd, struct err *err)
{
    const int fd = open(runs_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_errno(err, ERR_STORAGE, errno, "open %s", runs_dir);
    *ret_fd = fd;
    return true;
}

bool
run_remove_leftover(const char *runs_dir, const char *name, struct err *err)
{
    FILE_SCOPED runs = -1;
    FILE_SCOPED lock = -1;
    STORAGE_SCOPED_STRING path = storage_path(runs_dir, name);

    if (!path)
        return storage_no_memory(err);
    if (!is_leftover(name))
        return err_set(err, ERR_INTERNAL, "not what a prune leaves: %s", name);
    return open_runs_dir(runs_dir, &runs, err) && run_lock_take_prune(runs_dir, &lock, err) &&
           run_place_trusted(path, err) && destroy(runs, name, err);
}

static bool
take_leftovers(DIR *stream, const char *runs_dir, struct arena *arena, const char **list,
               size_t *count, struct err *err)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream); /* NOLINT(concurrency-mt-unsafe) */
        if (!entry)
            return errno == 0 || err_errno(err, ERR_STORAGE, errno, "list %s", runs_dir);
        if (!is_leftover(entry->d_name) || *count == LEFTOVERS_MAX)
            continue;
        list[*count] = arena_string(arena, entry->d_name);
        if (!list[(*count)++])
            return arena_exhausted(err);
    }
}

bool
run_remove_leftovers(const char *runs_dir, struct arena *arena, struct run_list *ret,
                     struct err *err)
{
    const char **list = arena_alloc(arena, LEFTOVERS_MAX * sizeof(*list));
    size_t count = 0;

    if (!list)
        return arena_exhausted(err);
    DIR *stream = opendir(runs_dir);
    if (!stream)
        return err_errno(err, ERR_STORAGE, errno, "list %s", runs_dir);
    const bool ok = take_leftovers(stream, runs_dir, arena, list, &count, err);
    (void)closedir(stream);
    if (!ok)
        return false;
    ret->leftovers = list;
    ret->leftover_count = count;
    return true;
}

/* ---- a run ---- */

/* What went, when, by whose word: it outlives the run. */
static bool
put_on_record(const char *runs_dir, const char *record, struct err *err)
{
    STORAGE_SCOPED_STRING path = storage_path(runs_dir, "prune.ndjson");
    struct stat status;

    if (!path)
        return storage_no_memory(err);
    FILE_SCOPED fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(err, ERR_STORAGE, errno, "open %s", path);
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return err_set(err, ERR_STORAGE, "%s is not a regular file", path);
    return file_write_all(fd, record, strlen(record), path, err) &&
           file_write_all(fd, "\n", 1, path, err) && file_sync(fd, path, err);
}

/* Nobody may be at work on it. A run that was stopped in its first moment has nothing to lock. */
static bool
lock_run(const char *path, const char *id, int *ret_fd, struct err *err)
{
    STORAGE_SCOPED_STRING file = storage_path(path, "run.json");
    struct stat status;

    if (!file)
        return storage_no_memory(err);
    if (lstat(file, &status) != 0 && errno == ENOENT)
        return true;
    return run_lock_take_run(path, id, ret_fd, err);
}

static bool
ask_guard(const char *path, const struct run_remove_guard *guard, struct err *err)
{
    ARENA_SCOPED arena = arena_new(ENTRY_ARENA_BYTES);
    struct run_entry entry;

    if (!arena)
        return storage_no_memory(err);
    if (!run_entry_load(path, true, arena, &entry, err))
        return false;
    entry.running = false; /* the lock is this process's */
    return guard->may_go(guard->ctx, &entry, err);
}

static bool
hide(int runs, const char *id, char ret_name[sizeof(prefix) + RUN_ID_BYTES], struct err *err)
{
    (void)snprintf(ret_name, sizeof(prefix) + RUN_ID_BYTES, "%s%s", prefix, id);
    /* From here on it is in no list, and what a crash leaves of it is no run. */
    int status = renameat2(runs, id, runs, ret_name, RENAME_NOREPLACE);
    if (status != 0 && (errno == EINVAL || errno == ENOSYS))
        status = renameat(runs, id, runs, ret_name); /* replaces no directory that holds a file */
    if (status != 0)
        return err_errno(err, ERR_STORAGE, errno, "take run %s out of the list", id);
    return file_sync(runs, "the runs directory", err);
}

bool
run_remove(const char *runs_dir, const char *id, const struct run_remove_guard *guard,
           const char *record, struct err *err)
{
    STORAGE_SCOPED_STRING path = storage_path(runs_dir, id);
    char hidden[sizeof(prefix) + RUN_ID_BYTES];
    FILE_SCOPED runs = -1;
    FILE_SCOPED prune = -1;
    FILE_SCOPED lock = -1;

    if (!path)
        return storage_no_memory(err);
    if (!run_record_is_id(id))
        return err_set(err, ERR_INTERNAL, "not the name of a run: %s", id);
    return open_runs_dir(runs_dir, &runs, err) && run_lock_take_prune(runs_dir, &prune, err) &&
           run_place_trusted(path, err) && lock_run(path, id, &lock, err) &&
           ask_guard(path, guard, err) && put_on_record(runs_dir, record, err) &&
           hide(runs, id, hidden, err) && destroy(runs, hidden, err);
}
