#include "core/history.h"

#include "base/parse.h"
#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *key;
} states[] = {
    [HISTORY_RUNNING] = {"running", "running"},
    [HISTORY_OPEN] = {"open", "open"},
    [HISTORY_UNKNOWN] = {"unknown", "unknown"},
    [HISTORY_PARTIAL] = {"partial", "partial"},
    [HISTORY_DONE] = {"done", "done"},
    [HISTORY_REFUSED] = {"refused", "refused"},
    [HISTORY_ROLLED_BACK] = {"rolled back", "rolled_back"},
    [HISTORY_UNCHANGED] = {"nothing changed", "nothing_changed"},
    [HISTORY_DAMAGED] = {"damaged", "damaged"},
};

const char *
history_state_name(enum history_state state)
{
    return states[state].name;
}

const char *
history_state_key(enum history_state state)
{
    return states[state].key;
}

static bool
changed(const struct run_progress *progress)
{
    return progress->committed || progress->purge_begun || progress->return_begun;
}

static enum history_state
unchanged_state(const struct run_progress *progress)
{
    if (progress->rolled_back)
        return HISTORY_ROLLED_BACK;
    return strcmp(progress->last_step, "stopped") == 0 && strcmp(progress->outcome, "refused") == 0
               ? HISTORY_REFUSED
               : HISTORY_UNCHANGED;
}

enum history_state
history_state_of(const struct run_entry *entry)
{
    const struct run_progress *progress = &entry->past.progress;

    if (entry->running)
        return HISTORY_RUNNING;
    if (entry->damage)
        return HISTORY_DAMAGED;
    if (entry->unborn)
        return HISTORY_UNCHANGED;
    if (progress->commit_sent && !progress->committed)
        return HISTORY_UNKNOWN;
    if (!changed(progress))
        return unchanged_state(progress);
    if (progress->ended)
        return HISTORY_DONE;
    return strcmp(progress->last_step, "stopped") == 0 ? HISTORY_PARTIAL : HISTORY_OPEN;
}

bool
history_is_unfinished(enum history_state state)
{
    return state == HISTORY_OPEN || state == HISTORY_UNKNOWN || state == HISTORY_PARTIAL;
}

bool
history_is_undo(const struct run_entry *entry)
{
    return strcmp(entry->past.command, "undo") == 0;
}

int64_t
history_rows(const struct run_entry *entry)
{
    const struct run_progress *progress = &entry->past.progress;
    int64_t rows = progress->runtime_rows;

    if (entry->damage)
        return -1;
    for (unsigned i = 0; progress->committed && i < AXDB_TABLES; i++) {
        /* settled without counts: then all rows of the backup are gone */
        const int64_t of_table = progress->axdb_rows[i] >= 0 ? progress->axdb_rows[i]
                                 : history_is_undo(entry)    ? -1
                                                             : entry->backup[i];
        if (of_table < 0)
            return -1;
        rows += of_table;
    }
    return progress->commit_sent && !progress->committed ? -1 : rows;
}

/* ---- undone ---- */

/** An undo that was finished, and that left no row of the backup away. */
static bool
puts_back_all(const struct run_entry *undo, const struct run_entry *entry)
{
    return history_is_undo(undo) && history_state_of(undo) == HISTORY_DONE &&
           strcmp(undo->past.progress.undoes, entry->past.id) == 0 &&
           !strstr(undo->past.plan.scope, ";merge");
}

static int64_t
axdb_copies(const struct run_entry *entry)
{
    int64_t rows = 0;

    for (unsigned i = 0; i < AXDB_TABLES; i++)
        rows += entry->backup[i];
    return rows;
}

/** Halves whose rows are somewhere else too. */
static void
find_undone(const struct run_list *list, const struct run_entry *entry,
            const struct run_entry **ret_axdb, const struct run_entry **ret_runtime)
{
    *ret_axdb = *ret_runtime = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const struct run_entry *undo = &list->runs[i];

        if (!puts_back_all(undo, entry))
            continue;
        if (undo->past.progress.committed)
            *ret_axdb = undo;
        if (undo->past.progress.return_begun)
            *ret_runtime = undo;
    }
}

const struct run_entry *
history_undone_by(const struct run_list *list, const struct run_entry *entry)
{
    const struct run_entry *axdb = NULL;
    const struct run_entry *runtime = NULL;
    const bool removed_axdb = entry->past.progress.committed && axdb_copies(entry) > 0;
    const bool removed_runtime = entry->past.progress.purge_begun;

    find_undone(list, entry, &axdb, &runtime);
    if ((removed_axdb && !axdb) || (removed_runtime && !runtime))
        return NULL;
    return removed_runtime ? runtime : removed_axdb ? axdb : NULL;
}

int64_t
history_only_copies(const struct run_list *list, const struct run_entry *entry)
{
    const struct run_progress *progress = &entry->past.progress;
    const struct run_entry *axdb = NULL;
    const struct run_entry *runtime = NULL;
    int64_t rows = 0;

    find_undone(list, entry, &axdb, &runtime);
    if ((progress->committed || progress->commit_sent) && !axdb)
        rows += axdb_copies(entry);
    if (progress->purge_begun && !runtime)
        rows += entry->backup[TABLE_RUNTIME];
    return rows;
}

/* ---- which may go ---- */

bool
history_is_of(const struct run_entry *entry, const char *environment)
{
    return !environment || text_equal_nocase(entry->past.environment, environment);
}

/** `size` bytes that are there, as a number; -1 = they are none. */
static int64_t
digits(const char *at, size_t size)
{
    char word[8];
    int64_t number = 0;

    (void)snprintf(word, sizeof word, "%.*s", (int)size, at);
    return parse_int(word, 0, INT64_MAX, &number) ? number : -1;
}

/** Days from 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t
days_from_civil(int64_t year, int64_t month, int64_t day)
{
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t era = y / 400;
    const int64_t of_era = y - era * 400;
    const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/** "2026-11-21T21:44:29.123Z" in ms, without the fraction; -1 = it is none. */
static int64_t
stamp_ms(const char *stamp)
{
    int64_t part[6];
    static const size_t at[6] = {0, 5, 8, 11, 14, 17};

    if (strnlen(stamp, 20) < 20)
        return -1;
    for (size_t i = 0; i < 6; i++) {
        part[i] = digits(stamp + at[i], i == 0 ? 4 : 2);
        if (part[i] < 0)
            return -1;
    }
    return ((days_from_civil(part[0], part[1], part[2]) * 24 + part[3]) * 60 + part[4]) * 60000 +
           part[5] * 1000;
}

int64_t
history_last_ms(const struct run_entry *entry)
{
    const int64_t last = stamp_ms(entry->past.progress.last_utc);
    const int64_t began = stamp_ms(entry->past.started_utc);
    char stamp[24];

    if (last >= 0 || began >= 0)
        return last > began ? last : began;
    /* only the name is left: 20261121T214429Z */
    if (strnlen(entry->id, 16) < 16)
        return -1;
    (void)snprintf(stamp, sizeof stamp, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", entry->id, entry->id + 4,
                   entry->id + 6, entry->id + 9, entry->id + 11, entry->id + 13);
    return stamp_ms(stamp);
}

/** The list is in order, the last run first. */
static bool
is_newest(const struct run_list *list, const struct run_entry *entry)
{
    assert(entry >= list->runs && entry < list->runs + list->count);
    for (const struct run_entry *later = list->runs; later != entry; later++)
        if (text_equal_nocase(later->past.environment, entry->past.environment))
            return false;
    return true;
}

static bool
is_newest_backup(const struct run_list *list, const struct run_entry *entry)
{
    if (history_only_copies(list, entry) == 0)
        return false;
    assert(entry >= list->runs && entry < list->runs + list->count);
    for (const struct run_entry *later = list->runs; later != entry; later++)
        if (text_equal_nocase(later->past.environment, entry->past.environment) &&
            history_only_copies(list, later) > 0)
            return false;
    return true;
}

/** An undo that is not finished still needs the backup. */
static bool
is_needed_by_undo(const struct run_list *list, const struct run_entry *entry)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct run_entry *undo = &list->runs[i];
        const enum history_state state = history_state_of(undo);

        if (strcmp(undo->past.progress.undoes, entry->past.id) == 0 &&
            (history_is_unfinished(state) || state == HISTORY_RUNNING))
            return true;
    }
    return false;
}

static const char *
reason_of_state(enum history_state state)
{
    switch (state) {
    case HISTORY_RUNNING:
        return "a process works on it";
    case HISTORY_OPEN:
    case HISTORY_PARTIAL:
        return "it is not finished: dwclean resume, or undo";
    case HISTORY_UNKNOWN:
        return "the outcome of its COMMIT is not known: dwclean resume";
    case HISTORY_DAMAGED:
    default:
        return "it is damaged: what it removed cannot be told";
    case HISTORY_DONE:
    case HISTORY_REFUSED:
    case HISTORY_ROLLED_BACK:
    case HISTORY_UNCHANGED:
        break;
    }
    return NULL;
}

const char *
history_keep_reason(const struct run_list *list, const struct run_entry *entry,
                    const struct history_policy *policy)
{
    const int64_t last_ms = history_last_ms(entry);
    const char *reason = reason_of_state(history_state_of(entry));

    assert(entry >= list->runs && entry < list->runs + list->count);
    if (!history_is_of(entry, policy->environment))
        return "it is of another environment";
    if (reason)
        return reason;
    if (last_ms < 0 || policy->now_utc_ms - last_ms < policy->older_than_ms)
        return "it is not old enough";
    if (is_needed_by_undo(list, entry))
        return "an undo of it is not finished";
    if (is_newest_backup(list, entry))
        return "the newest of its environment that removed rows";
    return is_newest(list, entry) ? "the newest of its environment" : NULL;
}
