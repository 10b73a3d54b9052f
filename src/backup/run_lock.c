#include "run_lock.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"
#include "run_place.h"
#include "storage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GLANCES = 4, GLANCE_MS = 20 };
enum { HOLDER_MAX_BYTES = 4096, NAME_BYTES = 32, NAME_DIGITS = 16 };

/* Who holds it, as far as the file says; it may just be on its way to being written. */
static bool
held(int fd, const char *path, struct err *err)
{
    char bytes[HOLDER_MAX_BYTES];
    const ssize_t got = pread(fd, bytes, sizeof(bytes), 0);
    const size_t size = got > 0 ? (size_t)got : 0;
    STORAGE_SCOPED_JSON json =
        storage_parse_json(bytes, size && bytes[size - 1] == '\n' ? size - 1 : size);
    const char *run = storage_json_string(json, "run");
    const char *pid = storage_json_string(json, "pid");

    if (run && pid)
        (void)err_set(err, ERR_LOCK, "run %s (process %s) is at work on the same target", run, pid);
    else
        (void)err_set(err, ERR_LOCK, "another run is at work on the same target");
    (void)err_detail(err, "lock file %s", path);
    return err_hint(err,
                    "Wait until that run has ended, or stop it; a lock ends with its process.");
}

static bool
write_holder(int fd, const char *path, const char *run_id, struct err *err)
{
    TEXT_SCOPED text = {0};

    text_append(&text, "{\"run\":");
    text_append_json(&text, run_id, strlen(run_id));
    text_printf(&text, ",\"pid\":\"%jd\"}\n", (intmax_t)getpid());
    if (!text_ok(&text, err))
        return false;
    return storage_truncate(fd, 0, path, err) &&
           file_write_all(fd, text.data, text.used, path, err);
}

static bool
lock_file(int fd, const char *path, struct err *err)
{
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return held(fd, path, err);
        if (errno != EINTR)
            return err_errno(err, ERR_STORAGE, errno, "lock %s", path);
    }
    return true;
}

/* Malloc'd; NULL with `err` filled. */
static char *
lock_path(const char *runs_dir, const char *target, struct err *err)
{
    const struct digest digest = digest_of(target, strlen(target));
    STORAGE_SCOPED_STRING locks = storage_path(runs_dir, "locks");
    char hex[DIGEST_HEX_BYTES];
    char name[NAME_BYTES];
    bool existed = false;

    if (!locks)
        (void)storage_no_memory(err);
    if (!locks || !storage_make_directory(locks, &existed, err) || !run_place_trusted(locks, err))
        return NULL;
    digest_hex(&digest, hex);
    (void)snprintf(name, sizeof(name), "%.*s.lock", (int)NAME_DIGITS, hex);
    char *path = storage_path(locks, name);
    if (!path)
        (void)storage_no_memory(err);
    return path;
}

bool
run_lock_take(const char *runs_dir, const char *target, const char *run_id, int *ret_fd,
              struct err *err)
{
    STORAGE_SCOPED_STRING path = lock_path(runs_dir, target, err);

    if (!path)
        return false;
    FILE_SCOPED fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(err, ERR_STORAGE, errno, "open %s", path);
    if (fchmod(fd, 0600) != 0)
        return err_errno(err, ERR_STORAGE, errno, "set the mode of %s", path);
    if (!lock_file(fd, path, err) || !write_holder(fd, path, run_id, err))
        return false;
    *ret_fd = storage_take(&fd);
    return true;
}

void
run_lock_release(int *fd)
{
    if (*fd < 0)
        return;
    struct err ignored;
    /* A name that stays there would only mislead; the lock itself is the flock. */
    const bool emptied = storage_truncate(*fd, 0, "the lock", &ignored);
    (void)emptied;
    (void)flock(*fd, LOCK_UN);
    file_close(fd);
}

bool
run_lock_take_run(const char *path, const char *run_id, int *ret_fd, struct err *err)
{
    STORAGE_SCOPED_STRING file = storage_path(path, "run.json");

    if (!file)
        return storage_no_memory(err);
    /* For writing, though nothing is written: over NFS only such a file can be locked. */
    FILE_SCOPED fd = open(file, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return err_errno(err, ERR_STORAGE, errno, "open %s for writing", file);
    for (int tries = 1; flock(fd, LOCK_EX | LOCK_NB) != 0; tries++) {
        if (errno == EWOULDBLOCK && tries < GLANCES) {
            clock_sleep_ms(GLANCE_MS); /* somebody may only be looking: run_lock_run_is_held */
            continue;
        }
        if (errno == EWOULDBLOCK) {
            (void)err_set(err, ERR_LOCK, "another process works on run %s", run_id);
            (void)err_detail(err, "it holds a lock on %s", file);
            return err_hint(err,
                            "Wait until it has ended, or stop it; the lock ends with its "
                            "process. 'fuser -v %s' names it.",
                            file);
        }
        if (errno != EINTR)
            return err_errno(err, ERR_STORAGE, errno, "lock %s", file);
    }
    *ret_fd = storage_take(&fd);
    return true;
}

bool
run_lock_run_is_held(const char *path)
{
    STORAGE_SCOPED_STRING file = storage_path(path, "run.json");
    FILE_SCOPED fd = -1;
    struct err ignored;

    if (!file || !storage_open(file, &fd, &ignored))
        return false;
    if (flock(fd, LOCK_SH | LOCK_NB) == 0)
        return false; /* given back by closing */
    return errno == EWOULDBLOCK;
}

bool
run_lock_take_prune(const char *runs_dir, int *ret_fd, struct err *err)
{
    STORAGE_SCOPED_STRING locks = storage_path(runs_dir, "locks");
    STORAGE_SCOPED_STRING path = storage_path(runs_dir, "locks/prune.lock");
    bool existed = false;

    if (!locks || !path)
        return storage_no_memory(err);
    if (!storage_make_directory(locks, &existed, err) || !run_place_trusted(locks, err))
        return false;
    FILE_SCOPED fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(err, ERR_STORAGE, errno, "open %s", path);
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return err_set(err, ERR_LOCK, "another prune is at work in %s", runs_dir);
        if (errno != EINTR)
            return err_errno(err, ERR_STORAGE, errno, "lock %s", path);
    }
    *ret_fd = storage_take(&fd);
    return true;
}

void
run_lock_release_run(int *fd)
{
    if (*fd < 0)
        return;
    (void)flock(*fd, LOCK_UN);
    file_close(fd);
}
