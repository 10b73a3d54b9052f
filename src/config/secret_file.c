#include "config/secret_file.h"

#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
check_owner_only(int fd, const char *path, struct err *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return err_errno(err, ERR_CONFIG, errno, "read %s", path);
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_CONFIG, "%s is not a regular file", path);
    if ((status.st_mode & 077) != 0) {
        (void)err_set(err, ERR_CONFIG, "others may use the secret file %s (mode %03o)", path,
                      (unsigned)(status.st_mode & 0777));
        return err_hint(err, "chmod 600 %s, and change the secret if others may have read it.",
                        path);
    }
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return err_set(err, ERR_CONFIG, "the secret file %s belongs to another user", path);
    return true;
}

static bool
read_up_to(int fd, char *bytes, size_t max, size_t *ret, const char *path, struct err *err)
{
    size_t used = 0;
    while (used < max) {
        const ssize_t got = read(fd, bytes + used, max - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(err, ERR_CONFIG, errno, "read %s", path);
        if (got == 0)
            break;
        used += (size_t)got;
    }
    *ret = used;
    return true;
}

static size_t
without_line_end(const char *bytes, size_t size)
{
    if (size > 0 && bytes[size - 1] == '\n')
        size--;
    if (size > 0 && bytes[size - 1] == '\r')
        size--;
    return size;
}

static bool
take_line(const char *bytes, size_t read, const char *path, struct secret *ret, struct err *err)
{
    if (read > SECRET_FILE_MAX_BYTES)
        return err_set(err, ERR_CONFIG, "the secret file %s is longer than %d bytes", path,
                       SECRET_FILE_MAX_BYTES);
    const size_t size = without_line_end(bytes, read);
    if (size == 0)
        return err_set(err, ERR_CONFIG, "the secret file %s is empty", path);
    if (memchr(bytes, '\n', size) || memchr(bytes, '\0', size))
        return err_set(err, ERR_CONFIG, "the secret file %s holds more than one line", path);
    return secret_set(ret, bytes, size, err);
}

bool
secret_file_check(const char *path, struct err *err)
{
    assert(path && err);
    FILE_SCOPED fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_errno(err, ERR_CONFIG, errno, "open the secret file %s", path);
    return check_owner_only(fd, path, err);
}

bool
secret_file_read(const char *path, struct secret *ret, struct err *err)
{
    assert(path && ret && err);
    char bytes[SECRET_FILE_MAX_BYTES + 1];
    size_t size = 0;

    /* O_NONBLOCK: a FIFO in this place must not wait for a writer. */
    FILE_SCOPED fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_errno(err, ERR_CONFIG, errno, "open the secret file %s", path);
    if (!check_owner_only(fd, path, err) || !read_up_to(fd, bytes, sizeof(bytes), &size, path, err))
        return false;

    const bool ok = take_line(bytes, size, path, ret, err);
    secret_clear_memory(bytes, sizeof(bytes));
    return ok;
}
