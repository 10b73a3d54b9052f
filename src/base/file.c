#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

void
file_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

bool
file_write_all(int fd, const void *bytes, size_t size, const char *path, struct err *err)
{
    const unsigned char *at = bytes;

    while (size) {
        const ssize_t wrote = write(fd, at, size);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return err_errno(err, ERR_STORAGE, wrote < 0 ? errno : ENOSPC, "write %s", path);
        at += wrote;
        size -= (size_t)wrote;
    }
    return true;
}

bool
file_sync(int fd, const char *path, struct err *err)
{
    while (fsync(fd) != 0)
        if (errno != EINTR)
            return err_errno(err, ERR_STORAGE, errno, "bring %s to stable storage", path);
    return true;
}

bool
file_sync_directory(const char *path, struct err *err)
{
    FILE_SCOPED fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_errno(err, ERR_STORAGE, errno, "open directory %s", path);
    return file_sync(fd, path, err);
}

/** The directory of `path`, into `ret`. */
static bool
parent_of(const char *path, char ret[PATH_MAX], struct err *err)
{
    const char *slash = strrchr(path, '/');
    const size_t size = slash ? (size_t)(slash - path) : 0;

    if (size >= PATH_MAX)
        return err_set(err, ERR_STORAGE, "path is too long: %.64s...", path);
    (void)snprintf(ret, PATH_MAX, "%.*s", (int)size, path);
    if (size == 0)
        (void)snprintf(ret, PATH_MAX, "%s", slash ? "/" : ".");
    return true;
}

static bool
write_new(const char *path, const void *bytes, size_t size, unsigned mode, struct err *err)
{
    FILE_SCOPED fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);

    if (fd < 0)
        return err_errno(err, ERR_STORAGE, errno, "create %s", path);
    if (fchmod(fd, mode) != 0)
        return err_errno(err, ERR_STORAGE, errno, "set the mode of %s", path);
    return file_write_all(fd, bytes, size, path, err) && file_sync(fd, path, err);
}

bool
file_replace(const char *path, const void *bytes, size_t size, unsigned mode, struct err *err)
{
    char directory[PATH_MAX];
    char temporary[PATH_MAX];

    if (!parent_of(path, directory, err))
        return false;
    if (snprintf(temporary, sizeof temporary, "%s.tmp", path) >= (int)sizeof temporary)
        return err_set(err, ERR_STORAGE, "path is too long: %.64s...", path);
    if (!write_new(temporary, bytes, size, mode, err)) {
        (void)unlink(temporary);
        return false;
    }
    if (rename(temporary, path) != 0) {
        const int why = errno;

        (void)unlink(temporary);
        return err_errno(err, ERR_STORAGE, why, "rename %s", temporary);
    }
    return file_sync_directory(directory, err);
}

bool
file_rename_new(const char *from, const char *to, struct err *err)
{
    int status = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);

    if (status != 0 && (errno == EINVAL || errno == ENOSYS)) {
        /* a file system without the flag */
        status = link(from, to);
        if (status == 0)
            (void)unlink(from);
    }
    if (status == 0)
        return true;
    if (errno != EEXIST)
        return err_errno(err, ERR_STORAGE, errno, "name %s", to);
    (void)err_set(err, ERR_STORAGE, "%s is there already", to);
    return err_hint(err, "No file is replaced: name another, or remove it.");
}

/** Read until end of file or `max` + 1 bytes. */
static bool
read_to_end(int fd, const char *path, size_t max, char *bytes, size_t *ret_size, struct err *err)
{
    size_t used = 0;

    while (used <= max) {
        const ssize_t got = read(fd, bytes + used, max + 1 - used);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(err, ERR_CONFIG, errno, "read %s", path);
        if (got == 0)
            break;
        used += (size_t)got;
    }
    if (used > max)
        return err_set(err, ERR_CONFIG, "%s is larger than %zu bytes", path, max);
    *ret_size = used;
    return true;
}

bool
file_read(const char *path, size_t max, char **ret_bytes, size_t *ret_size, struct err *err)
{
    FILE_SCOPED fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char *bytes;
    size_t size = 0;

    if (fd < 0)
        return err_errno(err, ERR_CONFIG, errno, "open %s", path);
    bytes = malloc(max + 2);
    if (!bytes)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (!read_to_end(fd, path, max, bytes, &size, err)) {
        free(bytes);
        return false;
    }
    bytes[size] = '\0';
    *ret_bytes = bytes;
    *ret_size = size;
    return true;
}

bool
file_make_directories(const char *path, unsigned mode, struct err *err)
{
    char part[PATH_MAX];
    const size_t size = strlen(path);

    if (size == 0 || size >= sizeof part)
        return err_set(err, ERR_STORAGE, "not a usable directory name: \"%.64s\"", path);
    for (size_t i = 1; i <= size; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, mode) != 0 && errno != EEXIST)
            return err_errno(err, ERR_STORAGE, errno, "make directory %s", part);
    }
    return true;
}

bool
file_system_of(const char *path, enum file_system *ret_kind, uint64_t *ret_free_bytes,
               struct err *err)
{
    struct statfs kind;
    struct statvfs room;

    if (statfs(path, &kind) != 0 || statvfs(path, &room) != 0)
        return err_errno(err, ERR_STORAGE, errno, "look at the file system of %s", path);
    *ret_kind = FILE_SYSTEM_DISK;
    if (kind.f_type == TMPFS_MAGIC || kind.f_type == RAMFS_MAGIC)
        *ret_kind = FILE_SYSTEM_MEMORY;
    else if (kind.f_type == OVERLAYFS_SUPER_MAGIC)
        *ret_kind = FILE_SYSTEM_OVERLAY;
    *ret_free_bytes = (uint64_t)room.f_bavail * room.f_frsize;
    return true;
}
