#include "backup/run_history.h"

#include "run_bundle.h"
#include "run_details.h"
#include "run_entry.h"
#include "run_find.h"
#include "run_record.h"
#include "run_remove.h"
#include "run_verify.h"
#include "storage.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct disk_history {
    struct run_history port; /* first: the port is the history */
    char *runs_dir;
    const struct backup_key *key;
};

static const char *
dir_of(const struct run_history *history)
{
    return ((const struct disk_history *)history)->runs_dir;
}

static const struct backup_key *
key_of(const struct run_history *history)
{
    return ((const struct disk_history *)history)->key;
}

static bool
load_runs(const char *runs_dir, const struct run_names *names, struct arena *arena,
          struct run_list *list, struct err *err)
{
    struct run_entry *runs = arena_alloc(arena, (names->count + 1) * sizeof(*runs));

    if (!runs)
        return arena_exhausted(err);
    for (size_t i = 0; i < names->count; i++) {
        STORAGE_SCOPED_STRING path = storage_path(runs_dir, names->list[i]);
        if (!path)
            return storage_no_memory(err);
        if (!run_entry_load(path, true, arena, &runs[i], err))
            return false;
    }
    list->runs = runs;
    list->count = names->count;
    return true;
}

/* Within a second the names do not tell which run came last. */
static int
later_first(const void *a, const void *b)
{
    const struct run_entry *x = a;
    const struct run_entry *y = b;
    const int order = *x->past.started_utc && *y->past.started_utc
                          ? strcmp(y->past.started_utc, x->past.started_utc)
                          : 0;

    return order ? order : strcmp(y->id, x->id);
}

static void
sort_seconds(struct run_list *list)
{
    struct run_entry *runs = (struct run_entry *)(uintptr_t)list->runs;

    for (size_t from = 0; from < list->count;) {
        size_t to = from + 1;
        while (to < list->count && strncmp(runs[from].id, runs[to].id, RUN_ID_STAMP) == 0)
            to++;
        qsort(runs + from, to - from, sizeof(*runs), later_first);
        from = to;
    }
}

static bool
history_list(struct run_history *history, struct arena *arena, struct run_list *ret,
             struct err *err)
{
    const char *runs_dir = dir_of(history);
    struct run_list list = {.runs_dir = arena_string(arena, runs_dir)};
    struct run_names names = {0};
    struct stat status;

    if (!list.runs_dir)
        return arena_exhausted(err);
    list.exists = stat(runs_dir, &status) == 0 || errno != ENOENT;
    if (!list.exists) {
        *ret = list;
        return true;
    }
    const bool ok = run_names_list(runs_dir, &names, err) &&
                    load_runs(runs_dir, &names, arena, &list, err) &&
                    run_remove_leftovers(runs_dir, arena, &list, err);
    run_names_done(&names);
    if (!ok)
        return false;
    sort_seconds(&list);
    *ret = list;
    return true;
}

static bool
history_details(struct run_history *history, const char *name, struct arena *arena,
                struct run_details *ret, struct err *err)
{
    STORAGE_SCOPED_STRING path = NULL;

    return run_find(dir_of(history), name, &path, err) &&
           run_details_load(path, !run_find_is_path(name), arena, ret, err);
}

static bool
history_verify(struct run_history *history, const char *name, const struct run_check_sink *sink,
               struct err *err)
{
    STORAGE_SCOPED_STRING path = NULL;

    return run_find(dir_of(history), name, &path, err) &&
           run_verify_files(path, !run_find_is_path(name), key_of(history), sink, err);
}

static bool
history_bundle(struct run_history *history, const char *name, const char *program,
               const struct run_bundle_out *out, struct err *err)
{
    STORAGE_SCOPED_STRING path = NULL;

    if (!run_find(dir_of(history), name, &path, err))
        return false;
    const struct run_bundle_of of = {
        .runs_dir = dir_of(history), .path = path, .key = key_of(history), .program = program};
    return run_bundle_write(&of, out, err);
}

static bool
history_remove(struct run_history *history, const char *id, const struct run_remove_guard *guard,
               const char *record, struct err *err)
{
    return run_remove(dir_of(history), id, guard, record, err);
}

static bool
history_remove_leftover(struct run_history *history, const char *name, struct err *err)
{
    return run_remove_leftover(dir_of(history), name, err);
}

bool
run_history_new(const char *runs_dir, const struct backup_key *key, struct run_history **ret,
                struct err *err)
{
    assert(runs_dir);
    if (runs_dir[0] != '/')
        return err_set(err, ERR_CONFIG, "the runs directory must be an absolute path: \"%s\"",
                       runs_dir);
    struct disk_history *history = calloc(1, sizeof(*history));
    if (!history)
        return storage_no_memory(err);
    history->port = (struct run_history){.list = history_list,
                                         .details = history_details,
                                         .verify = history_verify,
                                         .bundle = history_bundle,
                                         .remove = history_remove,
                                         .remove_leftover = history_remove_leftover};
    history->key = key;
    history->runs_dir = storage_plain_path(runs_dir);
    if (!history->runs_dir) {
        free(history);
        return storage_no_memory(err);
    }
    *ret = &history->port;
    return true;
}

void
run_history_free(struct run_history *port)
{
    if (!port)
        return;
    struct disk_history *history = (struct disk_history *)port;
    free(history->runs_dir);
    free(history);
}
