#include "sums.h"

#include "base/file.h"
#include "base/text.h"
#include "storage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES_MAX = 4096 };

static const char sums_name[] = "SHA256SUMS";

struct names {
    char *list[FILES_MAX];
    size_t count;
};

static void
free_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names);
}

/* A name that sha256sum would have to escape was not made by a run. */
static bool
add_name(struct names *names, const char *folder, const char *name, struct err *err)
{
    if (strpbrk(name, "\\\n\r"))
        return err_set(err, ERR_STORAGE, "a file with an unexpected name lies in the run");
    if (names->count == FILES_MAX)
        return err_set(err, ERR_STORAGE, "more than %d files lie in the run", (int)FILES_MAX);
    char *copy = *folder ? storage_path(folder, name) : strdup(name);
    if (!copy)
        return storage_no_memory(err);
    names->list[names->count++] = copy;
    return true;
}

static bool
list_entry(int directory, const struct dirent *entry, const char *folder, struct names *names,
           struct err *err)
{
    struct stat status;

    if (strcmp(entry->d_name, sums_name) == 0)
        return true;
    if (fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return err_errno(err, ERR_STORAGE, errno, "look at %s", entry->d_name);
    return !S_ISREG(status.st_mode) || add_name(names, folder, entry->d_name, err);
}

static bool
list_open(DIR *stream, const char *folder, struct names *names, struct err *err)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream); /* NOLINT(concurrency-mt-unsafe) */
        if (!entry)
            break;
        if (!list_entry(dirfd(stream), entry, folder, names, err))
            return false;
    }
    return errno == 0 || err_errno(err, ERR_STORAGE, errno, "list the files of the run");
}

/* `folder` "" is the directory itself; a folder that is not there has no files. */
static bool
list_folder(const char *directory, const char *folder, struct names *names, struct err *err)
{
    STORAGE_SCOPED_STRING path = storage_path(directory, folder);
    if (!path)
        return storage_no_memory(err);
    DIR *stream = opendir(path);
    if (!stream && errno == ENOENT && *folder)
        return true;
    if (!stream)
        return err_errno(err, ERR_STORAGE, errno, "list %s", path);
    const bool ok = list_open(stream, folder, names, err);
    (void)closedir(stream);
    return ok;
}

static int
compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
append_sum(const char *directory, const char *name, struct text *text, struct err *err)
{
    STORAGE_SCOPED_STRING path = storage_path(directory, name);
    char hex[DIGEST_HEX_BYTES];
    struct digest digest;
    uint64_t bytes = 0;
    FILE_SCOPED fd = -1;

    if (!path)
        return storage_no_memory(err);
    if (!storage_open(path, &fd, err) || !storage_digest(fd, path, &digest, &bytes, err))
        return false;
    digest_hex(&digest, hex);
    text_printf(text, "%s  %s\n", hex, name);
    return true;
}

static bool
write_sums(const char *directory, struct names *names, struct err *err)
{
    STORAGE_SCOPED_STRING path = storage_path(directory, sums_name);
    TEXT_SCOPED text = {0};

    if (!path)
        return storage_no_memory(err);
    if (!list_folder(directory, "", names, err) || !list_folder(directory, "backup", names, err))
        return false;
    qsort(names->list, names->count, sizeof(names->list[0]), compare);
    for (size_t i = 0; i < names->count; i++)
        if (!append_sum(directory, names->list[i], &text, err))
            return false;
    return text_ok(&text, err) && file_replace(path, text_string(&text), text.used, 0600, err);
}

bool
sums_write(const char *directory, struct err *err)
{
    struct names *names = calloc(1, sizeof(*names));
    if (!names)
        return storage_no_memory(err);
    const bool ok = write_sums(directory, names, err);
    free_names(names);
    return ok;
}
