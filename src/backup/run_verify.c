#include "run_verify.h"

#include "again.h"
#include "backup/backup_set.h"
#include "backup/plan_ndjson.h"
#include "run_place.h"
#include "run_progress.h"
#include "run_record.h"
#include "storage.h"
#include "sums.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 1200, ITEM_BYTES = 300 };

/* A run under examination. */
struct examination {
    const char *path;
    bool by_name;
    const struct backup_key *key;
    const struct run_check_sink *sink;
    bool progress_known;
    bool finished; /* SHA256SUMS covers all of the journal */
    struct run_progress progress;
};

static bool
tell(const struct examination *examination, const char *item, enum run_check_verdict verdict,
     const char *text, struct err *err)
{
    const struct run_check check = {.item = item, .verdict = verdict, .text = text};

    return examination->sink->take(examination->sink->ctx, &check, err);
}

/* What stood in the way of reading an item is the finding, but for a lack of memory. */
static bool
tell_fault(const struct examination *examination, const char *item, const struct err *why,
           struct err *err)
{
    char text[TEXT_BYTES];

    if (why->code == ERR_INTERNAL || why->code == ERR_INTERRUPTED) {
        *err = *why;
        return false;
    }
    (void)snprintf(text, sizeof(text), "%s%s%s", why->primary, why->detail[0] ? ": " : "",
                   why->detail);
    return tell(examination, item, RUN_CHECK_FAILED, text, err);
}

/* ---- run.json, journal ---- */

static bool
check_directory(const struct examination *examination, struct err *err)
{
    struct err why;

    return run_place_trusted(examination->path, &why)
               ? tell(examination, "directory", RUN_CHECK_OK, "writable for its owner alone", err)
               : tell_fault(examination, "directory", &why, err);
}

static bool
check_record(const struct examination *examination, struct arena *arena, struct err *err)
{
    const char *last = strrchr(examination->path, '/');
    struct past_run past;
    struct err why;

    if (!run_record_load(examination->path, arena, &past, &why))
        return tell_fault(examination, "run.json", &why, err);
    if (examination->by_name && last && strcmp(last + 1, past.id) != 0)
        return tell(examination, "run.json", RUN_CHECK_FAILED,
                    "it names another run than its directory", err);
    return tell(examination, "run.json", RUN_CHECK_OK, "names this run", err);
}

static bool
check_journal(struct examination *examination, struct arena *arena, struct err *err)
{
    char text[TEXT_BYTES];
    struct err why;

    if (!run_progress_load(examination->path, arena, &examination->progress, &examination->finished,
                           &why))
        return tell_fault(examination, "journal.ndjson", &why, err);
    examination->progress_known = true;
    (void)snprintf(text, sizeof(text), "%" PRId64 " records, the chain holds",
                   examination->progress.records);
    if (!tell(examination, "journal.ndjson", RUN_CHECK_OK, text, err))
        return false;
    if (examination->progress.torn_bytes == 0)
        return true;
    (void)snprintf(text, sizeof(text),
                   "behind the last record lie %" PRIu64
                   " bytes of one that a crash cut off; they count for nothing",
                   examination->progress.torn_bytes);
    return tell(examination, "journal.ndjson", RUN_CHECK_NOTE, text, err);
}

/* ---- SHA256SUMS ---- */

/* A file that may differ from SHA256SUMS while a run that went on is not finished again. */
static bool
may_differ(const struct examination *examination, const char *name)
{
    if (examination->finished)
        return false;
    return strcmp(name, "journal.ndjson") == 0 || strncmp(name, "report.", 7) == 0 ||
           strncmp(name, "backup-", 7) == 0;
}

static bool
differs(const struct examination *examination, const char *name, const char *why, struct err *err)
{
    if (strcmp(name, "journal.ndjson") == 0 && may_differ(examination, name))
        return true; /* what SHA256SUMS covers of it is proven with the chain */
    return tell(examination, name,
                may_differ(examination, name) ? RUN_CHECK_NOTE : RUN_CHECK_FAILED, why, err);
}

/* One line of two sorted lists. */
struct sum_line {
    const char *at; /* the next line */
    char name[ITEM_BYTES];
    struct digest digest;
    bool end;
};

static void
next_line(struct sum_line *line)
{
    size_t size = 0;
    const char *name = *line->at ? sums_line(line->at, &line->digest, &size) : NULL;

    line->end = !name;
    if (!name)
        return;
    (void)snprintf(line->name, sizeof(line->name), "%.*s", (int)size, name);
    line->at = name + size + 1;
}

/* Which of the two comes first; one at its end comes last. */
static int
order_of(const struct sum_line *old, const struct sum_line *new)
{
    if (old->end || new->end)
        return old->end ? 1 : -1;
    return strcmp(old->name, new->name);
}

static bool
tell_difference(const struct examination *examination, int order, const struct sum_line *old,
                const struct sum_line *new, struct err *err)
{
    if (order < 0)
        return tell(examination, old->name, RUN_CHECK_FAILED,
                    "SHA256SUMS lists it, and it is not there", err);
    return differs(examination, new->name,
                   order == 0 ? "it is not as SHA256SUMS has it"
                              : "SHA256SUMS does not list it: it was added later",
                   err);
}

/* Sorted as sums_write sorts. `ret_clean`: no line differed. */
static bool
compare_lists(const struct examination *examination, const char *then, const char *now,
              bool *ret_clean, struct err *err)
{
    struct sum_line old = {.at = then};
    struct sum_line new = {.at = now};
    bool ok = true;

    *ret_clean = true;
    next_line(&old);
    next_line(&new);
    while (ok && (!old.end || !new.end)) {
        const int order = order_of(&old, &new);
        const bool same = order == 0 && digest_equal(&old.digest, &new.digest);

        *ret_clean = *ret_clean && same;
        ok = same ? tell(examination, old.name, RUN_CHECK_OK, "as SHA256SUMS has it", err)
                  : tell_difference(examination, order, &old, &new, err);
        if (order <= 0)
            next_line(&old);
        if (order >= 0)
            next_line(&new);
    }
    return ok;
}

static bool
check_sums(const struct examination *examination, struct err *err)
{
    SUMS_SCOPED sums = {0};
    TEXT_SCOPED now = {0};
    bool clean = false;
    struct err why;

    if (!sums_load(examination->path, &sums, &why))
        return tell_fault(examination, "SHA256SUMS", &why, err);
    if (!sums.text)
        return tell(examination, "SHA256SUMS", RUN_CHECK_NOTE,
                    "not there: the run was never finished, so nothing vouches for run.json, the "
                    "reports and the last record",
                    err);
    if (!sums_render(examination->path, &now, &why))
        return tell_fault(examination, "SHA256SUMS", &why, err);
    if (!compare_lists(examination, sums.text, text_string(&now), &clean, err))
        return false;
    if (clean && strcmp(sums.text, text_string(&now)) != 0)
        return tell(examination, "SHA256SUMS", RUN_CHECK_FAILED,
                    "its lines are not as they were written", err);
    return !clean || tell(examination, "SHA256SUMS", RUN_CHECK_OK, "every file is as listed", err);
}

/* ---- plan and backups ---- */

static bool
check_plan(const struct examination *examination, struct err *err)
{
    STORAGE_SCOPED_STRING path = storage_path(examination->path, "plan.ndjson");
    char text[TEXT_BYTES];
    struct plan_end end;
    struct err why;

    if (!path)
        return storage_no_memory(err);
    if (!again_exists(path))
        return !examination->progress.backup_sealed ||
               tell(examination, "plan.ndjson", RUN_CHECK_FAILED,
                    "not there, though a backup of its rows was sealed", err);
    if (!plan_ndjson_read(path, NULL, &end, &why))
        return tell_fault(examination, "plan.ndjson", &why, err);
    (void)snprintf(text, sizeof(text), "%" PRId64 " rows, its own sum holds", end.rows);
    return tell(examination, "plan.ndjson", RUN_CHECK_OK, text, err);
}

/* SHA256SUMS proves the bytes of the file; what they stand for is proven with the key. */
static bool
tell_locked(const struct examination *examination, const char *item,
            const struct backup_reader *reader, struct err *err)
{
    char text[TEXT_BYTES];

    (void)snprintf(text, sizeof(text),
                   "encrypted with key %s: its rows are read with --backup-key-file only",
                   backup_reader_key_id(reader));
    return tell(examination, item, RUN_CHECK_NOTE, text, err);
}

static bool
check_table(const struct examination *examination, const char *folder, struct backup_reader *reader,
            enum table table, struct err *err)
{
    char item[ITEM_BYTES];
    char text[TEXT_BYTES];
    struct err why;

    (void)snprintf(item, sizeof(item), "%s/%s.ndjson.zst%s", folder, table_key(table),
                   *backup_reader_key_id(reader) ? ".enc" : "");
    if (!backup_reader_schema(reader, table))
        return true;
    if (*backup_reader_key_id(reader) && !examination->key)
        return tell_locked(examination, item, reader, err);
    if (!backup_reader_rows_of(reader, table, NULL, &why))
        return tell_fault(examination, item, &why, err);
    (void)snprintf(text, sizeof(text), "%" PRId64 " rows, the digest of every row holds",
                   backup_reader_rows(reader, table));
    return tell(examination, item, RUN_CHECK_OK, text, err);
}

static bool
check_sealed(const struct examination *examination, const char *folder, const char *path,
             struct err *err)
{
    struct backup_reader *reader = NULL;
    struct err why;
    bool ok = true;

    if (!run_place_trusted(path, &why) ||
        !backup_reader_open(path, examination->key, &reader, &why))
        return tell_fault(examination, folder, &why, err);
    ok = tell(examination, folder, RUN_CHECK_OK, "the seal holds", err);
    for (unsigned i = 0; ok && i < TABLES; i++)
        ok = check_table(examination, folder, reader, (enum table)i, err);
    backup_reader_free(reader);
    return ok;
}

/* `sealed` is what the journal says; a crash may lie between the seal and that record. */
static bool
check_backup(const struct examination *examination, const char *folder, bool sealed,
             struct err *err)
{
    STORAGE_SCOPED_STRING path = storage_path(examination->path, folder);
    STORAGE_SCOPED_STRING seal = path ? storage_path(path, "SEALED.json") : NULL;

    if (!path || !seal)
        return storage_no_memory(err);
    if (again_exists(seal))
        return check_sealed(examination, folder, path, err);
    if (sealed)
        return tell(examination, folder, RUN_CHECK_FAILED,
                    "the journal says that it was sealed, and it holds no seal", err);
    return !again_exists(path) ||
           tell(examination, folder, RUN_CHECK_NOTE,
                "not sealed: a stop left it, and it counts for nothing", err);
}

static bool
check_backups(const struct examination *examination, struct err *err)
{
    const struct run_progress *progress = &examination->progress;
    char name[AGAIN_NAME_BYTES];
    bool ok = check_backup(examination, "backup", progress->backup_sealed, err);

    for (int number = AGAIN_FIRST; ok && number <= AGAIN_LAST; number++) {
        again_name(number, name);
        ok = check_backup(examination, name, progress->backups_again >> number & 1, err);
    }
    return ok;
}

bool
run_verify_files(const char *path, bool by_name, const struct backup_key *key,
                 const struct run_check_sink *sink, struct err *err)
{
    struct examination examination = {.path = path, .by_name = by_name, .key = key, .sink = sink};
    ARENA_SCOPED arena = arena_new(RUN_RECORD_ARENA_BYTES + RUN_PROGRESS_ARENA_BYTES);

    if (!arena)
        return storage_no_memory(err);
    return check_directory(&examination, err) && check_record(&examination, arena, err) &&
           check_journal(&examination, arena, err) && check_sums(&examination, err) &&
           check_plan(&examination, err) && check_backups(&examination, err);
}
