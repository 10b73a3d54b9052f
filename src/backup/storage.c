#include "storage.h"

#include "base/file.h"
#include "base/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0600, DIRECTORY_MODE = 0700, READ_BYTES = 256 * 1024 };

void
storage_free_string(char **string)
{
    free(*string);
    *string = NULL;
}

void
storage_free_json(cJSON **json)
{
    cJSON_Delete(*json);
    *json = NULL;
}

char *
storage_path(const char *directory, const char *name)
{
    char *path = NULL;
    const size_t size = strlen(directory);
    const char *between = size > 0 && directory[size - 1] == '/' ? "" : "/";
    if (asprintf(&path, "%s%s%s", directory, between, name) < 0)
        return NULL;
    return path;
}

char *
storage_copy(const char *string)
{
    return strdup(string);
}

char *
storage_plain_path(const char *path)
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

int
storage_take(int *fd)
{
    const int taken = *fd;
    *fd = -1;
    return taken;
}

bool
storage_no_memory(struct err *err)
{
    return err_set(err, ERR_INTERNAL, "out of memory");
}

bool
storage_create(const char *path, int *ret_fd, struct err *err)
{
    FILE_SCOPED fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0)
        return err_errno(err, ERR_STORAGE, errno, "create %s", path);
    if (fchmod(fd, FILE_MODE) != 0)
        return err_errno(err, ERR_STORAGE, errno, "set the mode of %s", path);
    *ret_fd = storage_take(&fd);
    return true;
}

bool
storage_open(const char *path, int *ret_fd, struct err *err)
{
    struct stat status;
    FILE_SCOPED fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return err_errno(err, ERR_STORAGE, errno, "open %s", path);
    if (fstat(fd, &status) != 0)
        return err_errno(err, ERR_STORAGE, errno, "look at %s", path);
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_STORAGE, "%s is not a regular file", path);
    *ret_fd = storage_take(&fd);
    return true;
}

bool
storage_open_cold(const char *path, int *ret_fd, struct err *err)
{
    int fd = -1;
    if (!storage_open(path, &fd, err))
        return false;
    /* Advice: a file system that cannot drop its cache still lets the file be read. */
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    *ret_fd = fd;
    return true;
}

bool
storage_make_directory(const char *path, bool *ret_existed, struct err *err)
{
    bool existed = false;
    if (mkdir(path, DIRECTORY_MODE) != 0) {
        if (errno != EEXIST || !ret_existed)
            return err_errno(err, ERR_STORAGE, errno, "make directory %s", path);
        existed = true;
    }
    FILE_SCOPED fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return err_errno(err, ERR_STORAGE, errno, "open directory %s", path);
    if (!existed && fchmod(fd, DIRECTORY_MODE) != 0)
        return err_errno(err, ERR_STORAGE, errno, "set the mode of %s", path);
    if (ret_existed)
        *ret_existed = existed;
    return true;
}

bool
storage_read(int fd, const char *path, void *bytes, size_t size, size_t *ret_got, struct err *err)
{
    for (;;) {
        const ssize_t got = read(fd, bytes, size);
        if (got >= 0) {
            *ret_got = (size_t)got;
            return true;
        }
        if (errno != EINTR)
            return err_errno(err, ERR_STORAGE, errno, "read %s", path);
    }
}

/* Twice the room, and a NUL: what a file may hold is far more than most have. */
static bool
grow(char **bytes, size_t *room, size_t max, struct err *err)
{
    const size_t wanted = *room < max / 2 ? 2 * *room : max + 1;
    char *grown = realloc(*bytes, wanted + 1);

    if (!grown)
        return storage_no_memory(err);
    *bytes = grown;
    *room = wanted;
    return true;
}

static size_t
first_room(size_t max)
{
    return max < READ_BYTES ? max + 1 : READ_BYTES;
}

/* There is the first room, and a byte more. */
static bool
read_whole(int fd, const char *path, size_t max, char **bytes, size_t *ret_size, struct err *err)
{
    size_t room = first_room(max);
    size_t used = 0;
    size_t got = 0;

    do {
        if (used == room && !grow(bytes, &room, max, err))
            return false;
        if (!storage_read(fd, path, *bytes + used, room - used, &got, err))
            return false;
        used += got;
    } while (got > 0 && used <= max);
    if (used > max)
        return err_set(err, ERR_STORAGE, "%s is larger than %zu bytes", path, max);
    *ret_size = used;
    return true;
}

bool
storage_read_small(const char *path, size_t max, char **ret_bytes, size_t *ret_size,
                   struct err *err)
{
    FILE_SCOPED fd = -1;

    if (!storage_open(path, &fd, err))
        return false;
    char *bytes = malloc(first_room(max) + 1);
    if (!bytes)
        return storage_no_memory(err);
    if (!read_whole(fd, path, max, &bytes, ret_size, err)) {
        free(bytes);
        return false;
    }
    bytes[*ret_size] = '\0';
    *ret_bytes = bytes;
    return true;
}

bool
storage_truncate(int fd, off_t size, const char *path, struct err *err)
{
    while (ftruncate(fd, size) != 0)
        if (errno != EINTR)
            return err_errno(err, ERR_STORAGE, errno, "set the size of %s", path);
    return true;
}

static bool
digest_rest(int fd, const char *path, struct digest_stream *stream, uint64_t *ret_bytes,
            struct err *err)
{
    unsigned char *buffer = malloc(READ_BYTES);
    uint64_t total = 0;
    size_t got = 0;
    bool ok = true;

    if (!buffer)
        return storage_no_memory(err);
    do {
        ok = storage_read(fd, path, buffer, READ_BYTES, &got, err);
        if (ok) {
            digest_add(stream, buffer, got);
            total += got;
        }
    } while (ok && got > 0);
    free(buffer);
    if (ok)
        *ret_bytes = total;
    return ok;
}

bool
storage_digest(int fd, const char *path, struct digest *ret_digest, uint64_t *ret_bytes,
               struct err *err)
{
    struct digest_stream *stream = digest_new();
    if (!stream)
        return storage_no_memory(err);
    const bool ok = digest_rest(fd, path, stream, ret_bytes, err);
    if (ok)
        *ret_digest = digest_finish(stream);
    digest_free(stream);
    return ok;
}

cJSON *
storage_parse_json(const char *bytes, size_t size)
{
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(bytes, size, &end, 0);
    if (json && end != bytes + size) {
        cJSON_Delete(json);
        return NULL;
    }
    return json;
}

const char *
storage_json_string(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

bool
storage_json_number(const cJSON *object, const char *name, int64_t max, int64_t *ret)
{
    const char *string = storage_json_string(object, name);
    return string && parse_int(string, 0, max, ret);
}
