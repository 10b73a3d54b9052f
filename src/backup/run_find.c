#include "run_find.h"

#include "base/arena.h"
#include "base/text.h"
#include "run_record.h"
#include "storage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RUNS_MAX = 100000, SHOWN_MAX = 5, SHOWN_BYTES = 400 };

void
run_names_done(struct run_names *names)
{
    free(names->list);
    names->list = NULL;
}

static bool
names_add(struct run_names *names, const char *name, struct err *err)
{
    if (names->count == RUNS_MAX)
        return err_set(err, ERR_STORAGE, "more than %d runs are in one directory", (int)RUNS_MAX);
    if (names->count == names->capacity) {
        const size_t capacity = names->capacity ? names->capacity * 2 : 64;
        void *list = realloc(names->list, capacity * sizeof(names->list[0]));
        if (!list)
            return storage_no_memory(err);
        names->list = list;
        names->capacity = capacity;
    }
    /* run_record_is_id has measured it */
    memcpy(names->list[names->count++], name, strnlen(name, RUN_ID_BYTES - 1) + 1);
    return true;
}

/* A link with the name of a run is none: `last` must not lead out of the directory. */
static bool
is_run(int directory, const char *name)
{
    struct stat status;
    return run_record_is_id(name) && fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(status.st_mode);
}

static int
later_first(const void *a, const void *b)
{
    return strcmp((const char *)b, (const char *)a);
}

static bool
list_open(DIR *stream, const char *runs_dir, struct run_names *names, struct err *err)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream); /* NOLINT(concurrency-mt-unsafe) */
        if (!entry)
            break;
        if (is_run(dirfd(stream), entry->d_name) && !names_add(names, entry->d_name, err))
            return false;
    }
    if (errno)
        return err_errno(err, ERR_STORAGE, errno, "list %s", runs_dir);
    if (names->count)
        qsort(names->list, names->count, sizeof(names->list[0]), later_first);
    return true;
}

bool
run_names_list(const char *runs_dir, struct run_names *names, struct err *err)
{
    DIR *stream = opendir(runs_dir);

    if (!stream && errno == ENOENT) {
        (void)err_set(err, ERR_USAGE, "there is no runs directory %s", runs_dir);
        return err_hint(err, "Name the one that the run was made in with --runs-dir, or the run "
                             "itself by its path.");
    }
    if (!stream) {
        (void)err_errno(err, ERR_STORAGE, errno, "list %s", runs_dir);
        return err_hint(err,
                        "Runs are readable for the user only who made them: work as that user, "
                        "or as root.");
    }
    const bool ok = list_open(stream, runs_dir, names, err);
    (void)closedir(stream);
    return ok;
}

/* The first `count` of them, as many as fit into a hint. */
static void
show_names(struct text *text, const char (*list)[RUN_ID_BYTES], size_t count)
{
    size_t shown = 0;

    while (shown < count && shown < SHOWN_MAX && text->used < SHOWN_BYTES - RUN_ID_BYTES) {
        text_printf(text, "%s%s", shown ? ", " : "", list[shown]);
        shown++;
    }
    if (shown < count)
        text_printf(text, " and %zu more", count - shown);
}

static bool
none_there(const char *runs_dir, const char *name, const struct run_names *names, struct err *err)
{
    TEXT_SCOPED text = {0};

    (void)err_set(err, ERR_USAGE, "no run %s in %s", name, runs_dir);
    if (names->count == 0)
        return err_hint(err, "No runs are there. Name the directory that the run was made in with "
                             "--runs-dir, or the run itself by its path.");
    show_names(&text, (const char(*)[RUN_ID_BYTES])names->list, names->count);
    return err_hint(err, "The runs there are, the last one first: %s.", text_string(&text));
}

static bool
several_there(const char *what, const char (*list)[RUN_ID_BYTES], size_t count, struct err *err)
{
    TEXT_SCOPED text = {0};

    (void)err_set(err, ERR_USAGE, "%s", what);
    show_names(&text, list, count);
    return err_hint(err, "Name one of them: %s.", text_string(&text));
}

/* When the run began, "" where that is not told. */
static void
began(const char *runs_dir, const char *name, char ret[32])
{
    STORAGE_SCOPED_STRING path = storage_path(runs_dir, name);
    ARENA_SCOPED arena = arena_new(RUN_RECORD_ARENA_BYTES);
    struct past_run past;
    struct err ignored;

    ret[0] = '\0';
    if (path && arena && run_record_load(path, arena, &past, &ignored))
        (void)snprintf(ret, 32, "%s", past.started_utc);
}

/* Names tell the second. Among runs that began in the same one, run.json tells more. */
static bool
pick_last(const char *runs_dir, const struct run_names *names, const char **ret, struct err *err)
{
    char latest[32] = "";
    const char *found = NULL;
    bool tie = false;
    size_t same = 1;

    if (names->count == 0)
        return none_there(runs_dir, "is there yet", names, err);
    while (same < names->count && strncmp(names->list[0], names->list[same], RUN_ID_STAMP) == 0)
        same++;
    for (size_t i = 0; same > 1 && i < same; i++) {
        char began_utc[32];
        began(runs_dir, names->list[i], began_utc);
        const int order = strcmp(began_utc, latest);
        tie = tie || began_utc[0] == '\0' || (found && order == 0);
        if (order <= 0)
            continue;
        found = names->list[i];
        memcpy(latest, began_utc, sizeof(latest));
    }
    if (tie)
        return several_there("\"last\" is not one run: several began at the same time",
                             (const char(*)[RUN_ID_BYTES])names->list, same, err);
    *ret = same > 1 ? found : names->list[0];
    return true;
}

/* The whole name, or the front of exactly one. */
static bool
pick_named(const char *runs_dir, const char *name, const struct run_names *names, const char **ret,
           struct err *err)
{
    const size_t size = strlen(name);
    char what[128];
    size_t first = 0;
    size_t count = 0;

    for (size_t i = 0; i < names->count; i++) {
        if (strncmp(names->list[i], name, size) != 0)
            continue;
        if (names->list[i][size] == '\0') {
            *ret = names->list[i];
            return true;
        }
        if (count++ == 0)
            first = i;
    }
    if (count == 1) {
        *ret = names->list[first];
        return true;
    }
    if (count == 0)
        return none_there(runs_dir, name, names, err);
    (void)snprintf(what, sizeof(what), "%zu runs have a name that begins with %s", count, name);
    /* sorted: those with the same front lie together */
    return several_there(what, (const char(*)[RUN_ID_BYTES])names->list + first, count, err);
}

static bool
pick(const char *runs_dir, const char *name, const struct run_names *names, char **ret_path,
     struct err *err)
{
    const char *found = NULL;

    if (strcmp(name, "last") == 0 ? !pick_last(runs_dir, names, &found, err)
                                  : !pick_named(runs_dir, name, names, &found, err))
        return false;
    char *path = storage_path(runs_dir, found);
    if (!path)
        return storage_no_memory(err);
    *ret_path = path;
    return true;
}

static bool
find_in(const char *runs_dir, const char *name, char **ret_path, struct err *err)
{
    struct run_names names = {0};
    const bool ok =
        run_names_list(runs_dir, &names, err) && pick(runs_dir, name, &names, ret_path, err);

    run_names_done(&names);
    return ok;
}

static bool
find_path(const char *name, char **ret_path, struct err *err)
{
    char *path = realpath(name, NULL);

    if (!path && (errno == ENOENT || errno == ENOTDIR)) {
        (void)err_set(err, ERR_USAGE, "there is no run directory %s", name);
        return err_hint(err, "A name with a slash is taken as the path of a run's directory.");
    }
    if (!path)
        return err_errno(err, ERR_STORAGE, errno, "find %s", name);
    *ret_path = path;
    return true;
}

bool
run_find_is_path(const char *name)
{
    return strchr(name, '/') || *name == '.';
}

bool
run_find(const char *runs_dir, const char *name, char **ret_path, struct err *err)
{
    if (!*name) {
        (void)err_set(err, ERR_USAGE, "no run is named");
        return err_hint(err, "Name it by its name, the front of it, its path, or \"last\".");
    }
    if (run_find_is_path(name))
        return find_path(name, ret_path, err);
    return find_in(runs_dir, name, ret_path, err);
}
