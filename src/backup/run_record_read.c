#include "run_record.h"
#include "storage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char digits[] = "0123456789";
static const char name_characters[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-";
static const char hex_digits[] = "0123456789abcdef";

enum { DATE_DIGITS = 8, TIME_DIGITS = 6, HEX_DIGITS = 4, MEMBER_MAX_BYTES = 4096 };

bool
run_record_is_id(const char *name)
{
    const size_t size = strnlen(name, RUN_ID_BYTES);

    /* the time, '-', at least one character, '-', the digits */
    if (size < RUN_ID_STAMP + 3 + HEX_DIGITS ||
        size > RUN_ID_STAMP + 2 + RUN_ENVIRONMENT_MAX + HEX_DIGITS)
        return false;
    if (strspn(name, digits) != DATE_DIGITS || name[DATE_DIGITS] != 'T' ||
        strspn(name + DATE_DIGITS + 1, digits) != TIME_DIGITS || name[RUN_ID_STAMP - 1] != 'Z' ||
        name[RUN_ID_STAMP] != '-')
        return false;
    return strspn(name + RUN_ID_STAMP, name_characters) == size - RUN_ID_STAMP &&
           name[size - HEX_DIGITS - 1] == '-' &&
           strspn(name + size - HEX_DIGITS, hex_digits) == HEX_DIGITS;
}

/* What there is to say about a directory without run.json. */
static bool
not_a_run(const char *path, struct err *err)
{
    (void)err_set(err, ERR_STORAGE, "%s is not a run: it has no run.json", path);
    return err_hint(err, "The directory of a run holds run.json and journal.ndjson. A run that was "
                         "stopped in its first moment has neither, and has changed nothing.");
}

struct member {
    const char *name;
    const char **value;
    bool required;
};

static bool
take_member(const cJSON *json, const struct member *member, const char *file, struct arena *arena,
            struct err *err)
{
    const char *value = storage_json_string(json, member->name);

    if (!value && member->required)
        return err_set(err, ERR_STORAGE, "%s has no \"%s\"", file, member->name);
    if (value && strlen(value) > MEMBER_MAX_BYTES)
        return err_set(err, ERR_STORAGE, "%s has a \"%s\" of more than %d bytes", file,
                       member->name, (int)MEMBER_MAX_BYTES);
    *member->value = arena_string(arena, value ? value : "");
    return *member->value || arena_exhausted(err);
}

static bool
check_format(const cJSON *json, const char *file, struct err *err)
{
    const char *format = storage_json_string(json, "format");
    const char *version = storage_json_string(json, "version");

    if (!format || strcmp(format, "dwclean-run") != 0)
        return err_set(err, ERR_STORAGE, "%s is not the record of a run", file);
    if (version && strcmp(version, "1") == 0)
        return true;
    (void)err_set(err, ERR_STORAGE, "%s has version %s; this program knows version 1", file,
                  version ? version : "(none)");
    return err_hint(err, "Use the version of dwclean that made the run.");
}

static bool
parse(const char *file, struct slice bytes, struct arena *arena, struct past_run *past,
      struct err *err)
{
    while (bytes.size > 0 && bytes.data[bytes.size - 1] == '\n')
        bytes.size--;
    STORAGE_SCOPED_JSON json = storage_parse_json((const char *)bytes.data, bytes.size);
    const struct member members[] = {
        {"id", &past->id, true},
        {"command", &past->command, true},
        {"environment", &past->environment, false},
        {"started_utc", &past->started_utc, true},
        {"user", &past->user, false},
        {"host", &past->host, false},
        {"program", &past->program, false},
    };

    if (!check_format(json, file, err))
        return false;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        if (!take_member(json, &members[i], file, arena, err))
            return false;
    return run_record_is_id(past->id) ||
           err_set(err, ERR_STORAGE, "%s names no run: \"%s\"", file, past->id);
}

bool
run_record_load(const char *path, struct arena *arena, struct past_run *ret, struct err *err)
{
    STORAGE_SCOPED_STRING file = storage_path(path, "run.json");
    STORAGE_SCOPED_STRING bytes = NULL;
    struct past_run past = {.path = arena_string(arena, path)};
    struct stat status;
    size_t size = 0;

    if (!file)
        return storage_no_memory(err);
    if (!past.path)
        return arena_exhausted(err);
    if (lstat(file, &status) != 0 && errno == ENOENT)
        return not_a_run(path, err);
    if (!storage_read_small(file, RUN_RECORD_MAX_BYTES, &bytes, &size, err) ||
        !parse(file, slice_of(bytes, size), arena, &past, err))
        return false;
    *ret = past;
    return true;
}
