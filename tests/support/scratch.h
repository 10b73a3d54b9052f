/** A scratch directory of a test, and small files in it. Failures end the test. */
#ifndef SUPPORT_SCRATCH_H
#define SUPPORT_SCRATCH_H

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static inline void
scratch_fill(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        const ssize_t wrote = write(fd, at, size);
        assert_true(wrote > 0);
        at += wrote;
        size -= (size_t)wrote;
    }
}

/** A new directory under TMPDIR or /tmp, into `ret`. */
static inline void
scratch_make(char ret[PATH_MAX])
{
    const char *base = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe) */
    (void)snprintf(ret, PATH_MAX, "%s/dwclean-test-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(ret));
}

static inline int
scratch_remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline void
scratch_remove(const char *directory)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
    assert_int_equal(nftw(directory, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT), 0);
}

/** "directory/name" into `ret`. */
static inline const char *
scratch_path(const char *directory, const char *name, char ret[PATH_MAX])
{
    assert_true(snprintf(ret, PATH_MAX, "%s/%s", directory, name) < PATH_MAX);
    return ret;
}

/** A whole file, malloc'd, with a NUL behind it. */
static inline char *
scratch_read(const char *path, size_t *ret_size)
{
    struct stat status;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &status), 0);
    const size_t size = (size_t)status.st_size;
    char *bytes = malloc(size + 1);
    assert_non_null(bytes);
    size_t used = 0;
    while (used < size) {
        const ssize_t got = read(fd, bytes + used, size - used);
        assert_true(got > 0);
        used += (size_t)got;
    }
    bytes[size] = '\0';
    (void)close(fd);
    *ret_size = size;
    return bytes;
}

static inline void
scratch_write(const char *path, const void *bytes, size_t size)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    scratch_fill(fd, bytes, size);
    assert_int_equal(close(fd), 0);
}

/** Permission bits of a file or directory. */
static inline unsigned
scratch_mode(const char *path)
{
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode & 07777U;
}

#endif
