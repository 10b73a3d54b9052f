#include "run_entry.h"

#include "again.h"
#include "run_archive_open.h"
#include "run_lock.h"
#include "run_record.h"
#include "storage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DAMAGE_BYTES = 1200 };

/* ---- files ---- */

static bool
take_entries(DIR *stream, const char *folder, const struct run_file_sink *sink, struct err *err)
{
    for (;;) {
        struct stat status;
        errno = 0;
        const struct dirent *entry = readdir(stream); /* NOLINT(concurrency-mt-unsafe) */
        if (!entry)
            break;
        if (fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(status.st_mode))
            continue;
        if (!sink->take(sink->ctx, folder, entry->d_name, (uint64_t)status.st_size, err))
            return false;
    }
    return errno == 0 || err_errno(err, ERR_STORAGE, errno, "list the files of a run");
}

static bool
take_folder(const char *path, const char *folder, const struct run_file_sink *sink, struct err *err)
{
    STORAGE_SCOPED_STRING directory = storage_path(path, folder);

    if (!directory)
        return storage_no_memory(err);
    const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && *folder)
        return true; /* not there, or no folder: nothing to count */
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        const int why = errno;
        if (fd >= 0)
            (void)close(fd);
        return err_errno(err, ERR_STORAGE, why, "list %s", directory);
    }
    const bool ok = take_entries(stream, folder, sink, err);
    (void)closedir(stream);
    return ok;
}

bool
run_entry_files(const char *path, const struct run_file_sink *sink, struct err *err)
{
    char name[AGAIN_NAME_BYTES];
    bool ok = take_folder(path, "", sink, err) && take_folder(path, "backup", sink, err);

    for (int number = AGAIN_FIRST; ok && number <= AGAIN_LAST; number++) {
        again_name(number, name);
        ok = take_folder(path, name, sink, err);
    }
    return ok;
}

/* ---- the entry ---- */

/* What a run has written beside run.json. */
struct counting {
    struct run_entry *entry;
    bool any; /* a file that only a run which began has */
};

static bool
count_file(void *ctx, const char *folder, const char *name, uint64_t bytes, struct err *err)
{
    struct counting *counting = ctx;

    (void)err;
    counting->entry->bytes += bytes;
    if (*folder)
        counting->entry->backup_bytes += bytes;
    if (*folder || strncmp(name, "run.json", strlen("run.json")) != 0)
        counting->any = true;
    return true;
}

static const struct past_run nothing_known = {
    .id = "",
    .path = "",
    .command = "",
    .environment = "",
    .started_utc = "",
    .user = "",
    .host = "",
    .program = "",
    .plan = {.server = "",
             .database = "",
             .database_created = "",
             .recovery_fork = "",
             .organization_id = "",
             .organization_name = "",
             .organization_host = "",
             .scope = ""},
    .progress = {
        .last_step = "", .last_utc = "", .outcome = "", .undoes = "", .axdb_rows = {-1, -1, -1}}};

/* run.json alone, where the rest cannot be believed. */
static void
load_record(const char *path, struct arena *arena, struct past_run *past)
{
    struct past_run record;
    struct err ignored;

    *past = nothing_known;
    if (!run_record_load(path, arena, &record, &ignored))
        return;
    past->id = record.id;
    past->command = record.command;
    past->environment = record.environment;
    past->started_utc = record.started_utc;
    past->user = record.user;
    past->host = record.host;
    past->program = record.program;
}

static bool
note_damage(const struct err *why, struct arena *arena, struct run_entry *entry, struct err *err)
{
    char text[DAMAGE_BYTES];

    (void)snprintf(text, sizeof(text), "%s%s%s", why->primary, why->detail[0] ? ": " : "",
                   why->detail);
    entry->damage = arena_string(arena, text);
    return entry->damage || arena_exhausted(err);
}

static void
note_run(struct archived_run *run, struct run_entry *entry)
{
    entry->past = *run->ops->past(run);
    for (unsigned i = 0; i < TABLES; i++)
        entry->backup[i] = run->ops->rows(run, (enum table)i);
    run->ops->close(run);
}

static bool
load(const char *path, bool by_name, struct arena *arena, struct run_entry *entry, struct err *err)
{
    struct counting counting = {.entry = entry};
    const struct run_file_sink sink = {.ctx = &counting, .take = count_file};
    struct archived_run *run = NULL;
    struct err why;
    const bool listed = run_entry_files(path, &sink, &why);

    entry->unborn = listed && !counting.any;
    entry->running = run_lock_run_is_held(path);
    if (listed && !entry->unborn && run_archive_open_path(path, by_name, NULL, arena, &run, &why)) {
        note_run(run, entry);
        return true;
    }
    load_record(path, arena, &entry->past);
    return entry->unborn || note_damage(&why, arena, entry, err);
}

bool
run_entry_load(const char *path, bool by_name, struct arena *arena, struct run_entry *ret,
               struct err *err)
{
    const char *last = strrchr(path, '/');
    struct run_entry entry = {.path = arena_string(arena, path),
                              .id = arena_string(arena, last ? last + 1 : path)};

    if (!entry.path || !entry.id)
        return arena_exhausted(err);
    if (!load(path, by_name, arena, &entry, err))
        return false;
    entry.past.path = entry.path;
    if (!*entry.past.id)
        entry.past.id = entry.id;
    *ret = entry;
    return true;
}
