#include "base/private_file.h"

#include "base/file.h"
#include "base/secret.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
check_regular(int fd, const char *path, struct stat *ret, struct err *err)
{
    if (fstat(fd, ret) != 0)
        return err_errno(err, ERR_CONFIG, errno, "read %s", path);
    return S_ISREG(ret->st_mode) || err_set(err, ERR_CONFIG, "%s is not a regular file", path);
}

static bool
check_owner_only(int fd, const char *path, struct err *err)
{
    struct stat status;

    if (!check_regular(fd, path, &status, err))
        return false;
    if ((status.st_mode & 077) != 0) {
        (void)err_set(err, ERR_CONFIG, "others may use the secret file %s (mode %03o)", path,
                      (unsigned)(status.st_mode & 0777));
        return err_hint(err, "chmod 600 %s, and change the secret if others may have read it.",
                        path);
    }
    return status.st_uid == geteuid() || status.st_uid == 0 ||
           err_set(err, ERR_CONFIG, "the secret file %s belongs to another user", path);
}

static bool
check_trusted(int fd, const char *path, struct err *err)
{
    struct stat status;

    if (!check_regular(fd, path, &status, err))
        return false;
    if ((status.st_mode & 022) != 0) {
        (void)err_set(err, ERR_CONFIG, "others may write %s (mode %03o)", path,
                      (unsigned)(status.st_mode & 0777));
        return err_hint(
            err, "It names targets and commands. Look at what it says, then: chmod go-w %s", path);
    }
    return status.st_uid == geteuid() || status.st_uid == 0 ||
           err_set(err, ERR_CONFIG, "%s belongs to another user", path);
}

/** O_NONBLOCK: a FIFO in this place must not wait for a writer. */
static int
open_file(const char *path, const char *what, struct err *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        (void)err_errno(err, ERR_CONFIG, errno, "open %s%s", what, path);
    return fd;
}

bool
private_file_check(const char *path, struct err *err)
{
    assert(path && err);
    FILE_SCOPED fd = open_file(path, "the secret file ", err);

    return fd >= 0 && check_owner_only(fd, path, err);
}

/** Up to `max` + 1 bytes. */
static bool
read_bytes(int fd, const char *path, size_t max, char *bytes, size_t *ret_size, struct err *err)
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
        return err_set(err, ERR_CONFIG, "%s is longer than %zu bytes", path, max);
    *ret_size = used;
    return true;
}

static bool
read_whole(int fd, const char *path, size_t max, char **ret_bytes, size_t *ret_size,
           struct err *err)
{
    char *bytes = malloc(max + 2);
    size_t size = 0;

    if (!bytes)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (!read_bytes(fd, path, max, bytes, &size, err)) {
        secret_clear_memory(bytes, max + 2);
        free(bytes);
        return false;
    }
    bytes[size] = '\0';
    *ret_bytes = bytes;
    *ret_size = size;
    return true;
}

bool
private_file_read(const char *path, size_t max, char **ret_bytes, size_t *ret_size, struct err *err)
{
    assert(path && ret_bytes && ret_size && err);
    FILE_SCOPED fd = open_file(path, "the secret file ", err);

    return fd >= 0 && check_owner_only(fd, path, err) &&
           read_whole(fd, path, max, ret_bytes, ret_size, err);
}

bool
trusted_file_read(const char *path, size_t max, char **ret_bytes, size_t *ret_size, struct err *err)
{
    assert(path && ret_bytes && ret_size && err);
    FILE_SCOPED fd = open_file(path, "", err);
    return fd >= 0 && check_trusted(fd, path, err) &&
           read_whole(fd, path, max, ret_bytes, ret_size, err);
}

bool
shared_file_read(const char *path, size_t max, char **ret_bytes, size_t *ret_size, struct err *err)
{
    struct stat status;

    assert(path && ret_bytes && ret_size && err);
    FILE_SCOPED fd = open_file(path, "", err);
    return fd >= 0 && check_regular(fd, path, &status, err) &&
           read_whole(fd, path, max, ret_bytes, ret_size, err);
}
