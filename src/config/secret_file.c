#include "config/secret_file.h"

#include "base/private_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

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
    return private_file_check(path, err);
}

bool
secret_file_read(const char *path, struct secret *ret, struct err *err)
{
    assert(path && ret && err);
    char *bytes = NULL;
    size_t size = 0;

    if (!private_file_read(path, SECRET_FILE_MAX_BYTES, &bytes, &size, err))
        return false;
    const bool ok = take_line(bytes, size, path, ret, err);
    secret_clear_memory(bytes, size);
    free(bytes);
    return ok;
}
