#include "backup/journal_file.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "storage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ZERO_BYTES = 64 * 1024 };

struct journal_file {
    struct journal port; /* first: the port is the file */
    char *path;
    int fd;
    struct text line;
    int64_t records;
    struct digest last;
    off_t end; /* behind the last whole record */
    bool ended;
    bool unsure; /* a sync failed: what is on disk is not known any more */
};

static struct journal_file *
file_of(struct journal *journal)
{
    return (struct journal_file *)journal;
}

static bool
format_record(struct journal_file *file, const char *step, const struct fact *facts, size_t count,
              struct err *err)
{
    char stamp[CLOCK_STAMP_BYTES];
    char previous[DIGEST_HEX_BYTES];
    struct text *line = &file->line;

    clock_stamp(clock_utc_ms(), stamp);
    digest_hex(&file->last, previous);
    text_reset(line);
    text_printf(line, "{\"seq\":\"%" PRId64 "\",\"utc\":\"%s\",\"step\":", file->records + 1,
                stamp);
    text_append_json(line, step, strlen(step));
    text_printf(line, ",\"previous\":\"%s\",\"facts\":{", previous);
    for (size_t i = 0; i < count; i++) {
        text_append(line, i ? "," : "");
        text_append_json(line, facts[i].name, strlen(facts[i].name));
        text_append(line, ":");
        if (facts[i].value)
            text_append_json(line, facts[i].value, strlen(facts[i].value));
        else
            text_append(line, "null");
    }
    text_append(line, "}}\n");
    if (line->broken || line->used > JOURNAL_LINE_MAX_BYTES)
        return err_set(err, ERR_STORAGE, "a record of %s would be longer than %d bytes", file->path,
                       (int)JOURNAL_LINE_MAX_BYTES);
    return true;
}

/* A record that could not be written whole must not stay as half a line in front of the next. */
static bool
take_back(struct journal_file *file)
{
    struct err ignored;

    if (!storage_truncate(file->fd, file->end, file->path, &ignored) ||
        lseek(file->fd, file->end, SEEK_SET) < 0)
        file->unsure = true;
    return false;
}

static bool
sync_data(struct journal_file *file, struct err *err)
{
    while (fdatasync(file->fd) != 0) {
        if (errno == EINTR)
            continue;
        /* After a failed sync the kernel may have dropped the pages: trying again would prove
         * nothing. An interrupted one has not failed. */
        file->unsure = true;
        return err_errno(err, ERR_STORAGE, errno, "sync %s", file->path);
    }
    return true;
}

static bool
check_usable(const struct journal_file *file, struct err *err)
{
    if (file->unsure)
        return err_set(err, ERR_STORAGE, "%s cannot be trusted after an earlier failure",
                       file->path);
    if (file->ended)
        return err_set(err, ERR_INTERNAL, "%s is finished", file->path);
    return true;
}

static bool
journal_record(struct journal *journal, const char *step, const struct fact *facts, size_t count,
               bool durable, struct err *err)
{
    struct journal_file *file = file_of(journal);

    if (!check_usable(file, err))
        return false;
    if (count > JOURNAL_FACTS_MAX)
        return err_set(err, ERR_INTERNAL, "a record with %zu facts", count);
    if (!format_record(file, step, facts, count, err))
        return false;
    if (!file_write_all(file->fd, file->line.data, file->line.used, file->path, err))
        return take_back(file);
    file->end += (off_t)file->line.used;
    file->last = digest_of(file->line.data, file->line.used - 1);
    file->records++;
    return !durable || sync_data(file, err);
}

/* Where the file system cannot reserve: real NUL bytes, which the next records overwrite. */
static bool
reserve_by_writing(struct journal_file *file, size_t bytes, struct err *err)
{
    static const char zeros[ZERO_BYTES];
    bool ok = true;

    for (size_t left = bytes; ok && left > 0;) {
        const size_t part = left < sizeof(zeros) ? left : sizeof(zeros);
        ok = file_write_all(file->fd, zeros, part, file->path, err);
        left -= part;
    }
    if (!ok)
        return take_back(file);
    if (lseek(file->fd, file->end, SEEK_SET) < 0) {
        file->unsure = true;
        return err_errno(err, ERR_STORAGE, errno, "seek in %s", file->path);
    }
    return true;
}

static bool
journal_reserve(struct journal *journal, size_t bytes, struct err *err)
{
    struct journal_file *file = file_of(journal);

    if (!check_usable(file, err))
        return false;
    if (bytes == 0)
        return true;
    int status = 0;
    do {
        status = fallocate(file->fd, FALLOC_FL_KEEP_SIZE, file->end, (off_t)bytes);
    } while (status != 0 && errno == EINTR);
    if (status != 0 && errno != EOPNOTSUPP && errno != ENOSYS)
        return err_errno(err, ERR_STORAGE, errno, "reserve %zu bytes for %s", bytes, file->path);
    if (status != 0 && !reserve_by_writing(file, bytes, err))
        return false;
    return sync_data(file, err);
}

static const struct journal_ops ops = {.record = journal_record, .reserve = journal_reserve};

/* Takes over `fd`, also when it fails. */
static bool
journal_new(const char *path, int fd, const struct journal_tail *tail, struct journal **ret,
            struct err *err)
{
    struct journal_file *file = calloc(1, sizeof(*file));
    char *copy = strdup(path);

    if (!file || !copy) {
        free(file);
        free(copy);
        file_close(&fd);
        return storage_no_memory(err);
    }
    file->port.ops = &ops;
    file->path = copy;
    file->fd = fd;
    file->records = tail->records;
    file->last = tail->last;
    file->end = (off_t)tail->end_bytes;
    *ret = &file->port;
    return true;
}

bool
journal_file_create(const char *path, struct journal **ret, struct err *err)
{
    int fd = -1;
    return storage_create(path, &fd, err) &&
           journal_new(path, fd, &(struct journal_tail){0}, ret, err);
}

bool
journal_file_reopen(const char *path, struct journal **ret, struct journal_tail *ret_tail,
                    struct err *err)
{
    struct journal_tail tail = {0};

    if (!journal_read(path, NULL, &tail, err))
        return false;
    FILE_SCOPED fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return err_errno(err, ERR_STORAGE, errno, "open %s for writing", path);
    if (!storage_truncate(fd, (off_t)tail.end_bytes, path, err))
        return err_wrap(err, "could not cut off the torn end");
    if (lseek(fd, (off_t)tail.end_bytes, SEEK_SET) < 0)
        return err_errno(err, ERR_STORAGE, errno, "seek in %s", path);
    if (!file_sync(fd, path, err))
        return false;
    if (!journal_new(path, storage_take(&fd), &tail, ret, err))
        return false;
    *ret_tail = tail;
    return true;
}

bool
journal_file_end(struct journal *journal, struct err *err)
{
    struct journal_file *file = file_of(journal);

    if (file->ended)
        return true;
    if (!check_usable(file, err))
        return false;
    if (!storage_truncate(file->fd, file->end, file->path, err))
        return err_wrap(err, "could not give back reserved space");
    if (!file_sync(file->fd, file->path, err)) {
        file->unsure = true;
        return false;
    }
    file->ended = true;
    return true;
}

void
journal_file_close(struct journal *journal)
{
    if (!journal)
        return;
    struct journal_file *file = file_of(journal);
    file_close(&file->fd);
    text_done(&file->line);
    free(file->path);
    free(file);
}
