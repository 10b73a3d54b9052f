#include "run_place.h"

#include "base/file.h"
#include "storage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SPACE_MARGIN_BYTES = 16 * 1024 * 1024 };

/* Cut the last component off; false at the root. */
static bool
cut_last(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash || !slash[1])
        return false;
    slash[slash == path ? 1 : 0] = '\0';
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

/* `found` is the part of `runs_dir` that is there. */
static bool
check_file_system(const char *runs_dir, const char *found, bool allow_volatile,
                  uint64_t expected_bytes, uint64_t *ret_free_bytes, struct err *err)
{
    enum file_system kind = FILE_SYSTEM_DISK;
    uint64_t free_bytes = 0;

    if (!file_system_of(found, &kind, &free_bytes, err))
        return false;
    *ret_free_bytes = free_bytes;
    if (kind == FILE_SYSTEM_MEMORY && !allow_volatile) {
        (void)err_set(err, ERR_STORAGE, "%s is in memory (tmpfs or ramfs)", runs_dir);
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
                      "%s has %" PRIu64 " MiB free, the run may need %" PRIu64 " MiB", runs_dir,
                      free_bytes >> 20, (expected_bytes >> 20) + (SPACE_MARGIN_BYTES >> 20));
        return err_hint(err, "Make room there, or name another --runs-dir.");
    }
    return true;
}

/* Whoever may rename what lies there could put a directory of his own in a run's place. A link to
 * the runs directory is the operator's business; what counts is where it leads. */
static bool
check_keeper(const char *runs_dir, struct err *err)
{
    struct stat status;

    if (stat(runs_dir, &status) != 0)
        return err_errno(err, ERR_STORAGE, errno, "look at %s", runs_dir);
    if (status.st_uid != geteuid() && status.st_uid != 0) {
        (void)err_set(err, ERR_STORAGE, "the runs directory %s belongs to another user (uid %ju)",
                      runs_dir, (uintmax_t)status.st_uid);
        return err_hint(err, "Its owner could remove or replace the only copy of what a run "
                             "removes. Name a directory of your own with --runs-dir.");
    }
    if ((status.st_mode & S_IWOTH) && !(status.st_mode & S_ISVTX)) {
        (void)err_set(err, ERR_STORAGE, "everybody may write in the runs directory %s", runs_dir);
        return err_hint(err, "chmod o-w %s, or name another --runs-dir.", runs_dir);
    }
    return true;
}

bool
run_place_make(const char *runs_dir, bool allow_volatile, uint64_t expected_bytes, struct err *err)
{
    uint64_t free_bytes = 0;
    return make_runs_dir(runs_dir, err) && check_keeper(runs_dir, err) &&
           check_file_system(runs_dir, runs_dir, allow_volatile, expected_bytes, &free_bytes, err);
}

/* Shorten `path` to what is there of it. */
static bool
find_existing(char *path, struct err *err)
{
    struct stat status;

    while (stat(path, &status) != 0) {
        if (errno != ENOENT)
            return err_errno(err, ERR_STORAGE, errno, "look at %s", path);
        if (!cut_last(path))
            return err_set(err, ERR_STORAGE, "nothing is there of %s", path);
    }
    return S_ISDIR(status.st_mode) || err_set(err, ERR_STORAGE, "%s is not a directory", path);
}

static bool
try_writing(const char *directory, struct err *err)
{
    STORAGE_SCOPED_STRING trial = storage_path(directory, ".dwclean-probe-XXXXXX");
    bool ok = false;

    if (!trial)
        return storage_no_memory(err);
    if (!mkdtemp(trial))
        return err_errno(err, ERR_STORAGE, errno, "make a directory in %s", directory);
    STORAGE_SCOPED_STRING file = storage_path(trial, "probe");
    if (file) {
        ok = file_replace(file, "dwclean\n", 8, 0600, err);
        (void)unlink(file);
    } else {
        (void)storage_no_memory(err);
    }
    if (rmdir(trial) != 0 && ok)
        return err_errno(err, ERR_STORAGE, errno, "remove %s", trial);
    return ok;
}

bool
run_place_probe(const char *runs_dir, bool allow_volatile, uint64_t expected_bytes,
                uint64_t *ret_free_bytes, struct err *err)
{
    STORAGE_SCOPED_STRING found = storage_copy(runs_dir);

    if (!found)
        return storage_no_memory(err);
    return find_existing(found, err) &&
           check_file_system(runs_dir, found, allow_volatile, expected_bytes, ret_free_bytes,
                             err) &&
           (strcmp(found, runs_dir) != 0 || check_keeper(runs_dir, err)) && try_writing(found, err);
}

static bool
not_trusted(struct err *err, const char *directory)
{
    return err_hint(err,
                    "What lies there can go into a database. If you trust whoever can write "
                    "there, make a copy that is yours alone: cp -r %s COPY && chmod -R go-w COPY",
                    directory);
}

bool
run_place_trusted(const char *directory, struct err *err)
{
    struct stat status;

    if (lstat(directory, &status) != 0)
        return err_errno(err, ERR_STORAGE, errno, "look at %s", directory);
    if (S_ISLNK(status.st_mode)) {
        (void)err_set(err, ERR_STORAGE, "%s is a symbolic link", directory);
        return err_hint(err, "Name the directory that it points to, by its path.");
    }
    if (!S_ISDIR(status.st_mode)) {
        (void)err_set(err, ERR_STORAGE, "%s is not a directory", directory);
        return err_hint(err, "Name the directory of the run.");
    }
    if (status.st_uid != geteuid() && status.st_uid != 0) {
        (void)err_set(err, ERR_STORAGE, "%s belongs to another user (uid %ju)", directory,
                      (uintmax_t)status.st_uid);
        return not_trusted(err, directory);
    }
    if (status.st_mode & (S_IWGRP | S_IWOTH)) {
        (void)err_set(err, ERR_STORAGE, "%s is writable for others than its owner", directory);
        return not_trusted(err, directory);
    }
    return true;
}
