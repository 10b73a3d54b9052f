#include "sums.h"

#include "again.h"
#include "base/file.h"
#include "base/text.h"
#include "storage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES_MAX = 4096, SUMS_MAX_BYTES = 4 * 1024 * 1024, HEX_DIGITS = DIGEST_HEX_BYTES - 1 };

static const char sums_name[] = "SHA256SUMS";
/* What file_replace leaves of it after a crash, and takes away next time. */
static const char sums_remains[] = "SHA256SUMS.tmp";

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

    if (strcmp(entry->d_name, sums_name) == 0 || strcmp(entry->d_name, sums_remains) == 0)
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

/* The backup and those that followed it. */
static bool
list_backups(const char *directory, struct names *names, struct err *err)
{
    char name[AGAIN_NAME_BYTES];
    bool ok = list_folder(directory, "backup", names, err);

    for (int number = AGAIN_FIRST; ok && number <= AGAIN_LAST; number++) {
        again_name(number, name);
        ok = list_folder(directory, name, names, err);
    }
    return ok;
}

static bool
render(const char *directory, struct names *names, struct text *ret, struct err *err)
{
    if (!list_folder(directory, "", names, err) || !list_backups(directory, names, err))
        return false;
    qsort(names->list, names->count, sizeof(names->list[0]), compare);
    for (size_t i = 0; i < names->count; i++)
        if (!append_sum(directory, names->list[i], ret, err))
            return false;
    return text_ok(ret, err);
}

bool
sums_render(const char *directory, struct text *ret, struct err *err)
{
    struct names *names = calloc(1, sizeof(*names));
    if (!names)
        return storage_no_memory(err);
    const bool ok = render(directory, names, ret, err);
    free_names(names);
    return ok;
}

bool
sums_write(const char *directory, struct err *err)
{
    STORAGE_SCOPED_STRING path = storage_path(directory, sums_name);
    TEXT_SCOPED text = {0};

    if (!path)
        return storage_no_memory(err);
    return sums_render(directory, &text, err) &&
           file_replace(path, text_string(&text), text.used, 0600, err);
}

void
sums_done(struct sums *sums)
{
    free(sums->text);
    sums->text = NULL;
}

const char *
sums_line(const char *line, struct digest *ret_digest, size_t *ret_size)
{
    char hex[DIGEST_HEX_BYTES];
    const char *end = strchr(line, '\n');

    if (!end || end - line <= HEX_DIGITS + 2 || line[HEX_DIGITS] != ' ' ||
        line[HEX_DIGITS + 1] != ' ')
        return NULL;
    memcpy(hex, line, HEX_DIGITS);
    hex[HEX_DIGITS] = '\0';
    if (!digest_from_hex(hex, ret_digest))
        return NULL;
    *ret_size = (size_t)(end - line) - HEX_DIGITS - 2;
    return line + HEX_DIGITS + 2;
}

static bool
is_list(const char *text, size_t size)
{
    struct digest digest;
    const char *at = text;

    while (*at) {
        size_t used = 0;
        const char *name = sums_line(at, &digest, &used);
        if (!name)
            return false;
        at = name + used + 1;
    }
    return size > 0 && at == text + size;
}

bool
sums_load(const char *directory, struct sums *ret, struct err *err)
{
    STORAGE_SCOPED_STRING path = storage_path(directory, sums_name);
    STORAGE_SCOPED_STRING text = NULL;
    struct stat status;
    size_t size = 0;

    if (!path)
        return storage_no_memory(err);
    if (lstat(path, &status) != 0 && errno == ENOENT) {
        ret->text = NULL;
        return true;
    }
    if (!storage_read_small(path, SUMS_MAX_BYTES, &text, &size, err))
        return false;
    if (!is_list(text, size))
        return err_set(err, ERR_STORAGE, "%s is not a list of sums", path);
    ret->text = text;
    text = NULL;
    return true;
}

bool
sums_find(const struct sums *sums, const char *name, struct digest *ret)
{
    struct digest digest;
    const char *at = sums->text;

    while (at && *at) {
        size_t size = 0;
        const char *found = sums_line(at, &digest, &size);
        if (!found)
            break;
        if (size == strlen(name) && memcmp(found, name, size) == 0) {
            *ret = digest;
            return true;
        }
        at = found + size + 1;
    }
    return false;
}

bool
sums_check(const struct sums *sums, const char *directory, const char *name, struct err *err)
{
    STORAGE_SCOPED_STRING path = storage_path(directory, name);
    struct digest expected;
    struct digest digest;
    uint64_t bytes = 0;
    FILE_SCOPED fd = -1;

    if (!path)
        return storage_no_memory(err);
    if (!sums_find(sums, name, &expected))
        return true;
    if (!storage_open(path, &fd, err) || !storage_digest(fd, path, &digest, &bytes, err))
        return err_wrap(err, "a file of SHA256SUMS cannot be read");
    if (digest_equal(&digest, &expected))
        return true;
    (void)err_set(err, ERR_STORAGE, "%s is not as SHA256SUMS has it", path);
    return err_hint(err, "It was changed after the run had ended, or is damaged. Restore the run "
                         "directory from a copy; 'sha256sum -c SHA256SUMS' checks one.");
}
