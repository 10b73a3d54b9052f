#include "backup/journal_file.h"
#include "base/file.h"
#include "lines.h"
#include "storage.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_BYTES = 64 * 1024 };

struct reading {
    const char *path;
    const struct journal_sink *sink;
    struct journal_tail tail;
};

/* The file without the NUL bytes at its end: those were reserved and never written. */
struct written_part {
    int fd;
    const char *path;
    uint64_t left;
};

static bool
read_part(void *ctx, void *bytes, size_t size, size_t *ret_got, struct err *err)
{
    struct written_part *part = ctx;
    size_t got = 0;
    if (!storage_read(part->fd, part->path, bytes, part->left < size ? (size_t)part->left : size,
                      &got, err))
        return false;
    part->left -= got;
    *ret_got = got;
    return true;
}

static bool
find_written(int fd, const char *path, uint64_t *ret_written, uint64_t *ret_size, struct err *err)
{
    char block[BLOCK_BYTES];
    struct stat status;

    if (fstat(fd, &status) != 0)
        return err_errno(err, ERR_STORAGE, errno, "look at %s", path);
    off_t end = status.st_size;
    while (end > 0) {
        const off_t from = end > BLOCK_BYTES ? end - BLOCK_BYTES : 0;
        const ssize_t got = pread(fd, block, (size_t)(end - from), from);
        if (got < 0)
            return err_errno(err, ERR_STORAGE, errno, "read %s", path);
        /* fewer bytes than there were: the process that writes it gives reserved space back */
        end = from + got;
        while (end > from && block[end - from - 1] == 0)
            end--;
        if (end > from)
            break;
    }
    *ret_written = (uint64_t)end;
    *ret_size = (uint64_t)status.st_size;
    return true;
}

static bool
broken(const struct reading *reading, struct err *err, const char *why)
{
    (void)err_set(err, ERR_STORAGE, "%s: line %" PRId64 " %s", reading->path,
                  reading->tail.records + 1, why);
    return err_hint(err, "The journal was changed after it was written. Restore the run directory "
                         "from a copy; do not trust this one.");
}

static bool
facts_of(const cJSON *object, struct fact *facts, size_t *ret_count)
{
    size_t count = 0;
    const cJSON *item = NULL;

    if (!cJSON_IsObject(object))
        return false;
    cJSON_ArrayForEach(item, object)
    {
        if (count == JOURNAL_FACTS_MAX || !(cJSON_IsString(item) || cJSON_IsNull(item)))
            return false;
        facts[count++] = (struct fact){.name = item->string, .value = item->valuestring};
    }
    *ret_count = count;
    return true;
}

static bool
take_record(struct reading *reading, const cJSON *json, const struct digest *own,
            uint64_t end_bytes, struct err *err)
{
    struct fact facts[JOURNAL_FACTS_MAX];
    struct digest previous;
    struct journal_record record = {
        .facts = facts, .end_bytes = end_bytes, .previous = &previous, .digest = own};
    const char *hex = storage_json_string(json, "previous");

    record.utc = storage_json_string(json, "utc");
    record.step = storage_json_string(json, "step");
    if (!record.utc || !record.step || !hex || !digest_from_hex(hex, &previous) ||
        !storage_json_number(json, "seq", INT64_MAX, &record.seq) ||
        !facts_of(cJSON_GetObjectItemCaseSensitive(json, "facts"), facts, &record.count))
        return broken(reading, err, "is not a record of a journal");
    if (record.seq != reading->tail.records + 1)
        return broken(reading, err, "has another sequence number: records are missing or moved");
    if (!digest_equal(&previous, &reading->tail.last))
        return broken(reading, err, "does not follow from the line before it");
    return !reading->sink || reading->sink->take(reading->sink->ctx, &record, err);
}

static bool
take_line(struct reading *reading, struct slice line, uint64_t end_bytes, struct err *err)
{
    STORAGE_SCOPED_JSON json = storage_parse_json((const char *)line.data, line.size);
    if (!cJSON_IsObject(json))
        return broken(reading, err, "is not JSON");
    const struct digest own = digest_of(line.data, line.size);
    if (!take_record(reading, json, &own, end_bytes, err))
        return false;
    reading->tail.last = own;
    reading->tail.records++;
    reading->tail.end_bytes = end_bytes;
    return true;
}

/* A block that never reached the disk reads as NUL bytes; no record holds one. */
static bool
has_hole(struct slice line)
{
    return memchr(line.data, 0, line.size) != NULL;
}

/* Records that are written without a sync of their own: they may be lost, in any order. */
static bool
may_be_lost(struct slice line)
{
    static const char *const steps[] = {"preconditions", "purge-intent", "purge-outcome",
                                        "return-intent", "return-outcome"};
    STORAGE_SCOPED_JSON json = storage_parse_json((const char *)line.data, line.size);
    const char *step = storage_json_string(json, "step");

    for (size_t i = 0; step && i < sizeof(steps) / sizeof(steps[0]); i++)
        if (strcmp(step, steps[i]) == 0)
            return true;
    return has_hole(line);
}

/* Everything behind a hole: what was synced there proves that the hole is damage, not a crash. */
static bool
skip_lost(struct reading *reading, struct lines *lines, struct err *err)
{
    enum line_state state = LINE_WHOLE;
    struct slice line = {0};

    for (;;) {
        if (!lines_next(lines, &state, &line, err))
            return false;
        if (state != LINE_WHOLE)
            return true;
        if (!may_be_lost(line))
            return broken(reading, err, "is missing, though what follows it is there");
    }
}

static bool
take_lines(struct reading *reading, struct lines *lines, struct err *err)
{
    enum line_state state = LINE_END;
    struct slice line = {0};

    for (;;) {
        if (!lines_next(lines, &state, &line, err))
            return false;
        if (state != LINE_WHOLE)
            return true;
        if (has_hole(line))
            return skip_lost(reading, lines, err);
        if (!take_line(reading, line, lines->offset, err))
            return false;
    }
}

bool
journal_read(const char *path, const struct journal_sink *sink, struct journal_tail *ret,
             struct err *err)
{
    struct reading reading = {.path = path, .sink = sink};
    FILE_SCOPED fd = -1;

    if (!storage_open(path, &fd, err))
        return false;
    struct written_part part = {.fd = fd, .path = path};
    uint64_t size = 0;
    if (!find_written(fd, path, &part.left, &size, err))
        return false;
    reading.tail.reserved_bytes = size - part.left;
    LINES_SCOPED lines;
    lines_init(&lines, (struct line_source){.ctx = &part, .read = read_part}, path,
               (size_t)JOURNAL_LINE_MAX_BYTES);
    if (!take_lines(&reading, &lines, err))
        return false;
    reading.tail.torn_bytes = lines.offset - reading.tail.end_bytes;
    *ret = reading.tail;
    return true;
}
