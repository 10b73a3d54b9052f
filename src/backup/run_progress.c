#include "run_progress.h"

#include "again.h"
#include "backup/journal_file.h"
#include "base/file.h"
#include "base/parse.h"
#include "storage.h"
#include "sums.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { WORD_BYTES = 256, ENDS_MAX = 64, BLOCK_BYTES = 64 * 1024 };

/* What the records so far come to. Words are kept here, not in the arena: there is one for each
 * record, and only the last one counts. */
struct progress_reading {
    struct run_progress progress;
    char last_step[WORD_BYTES];
    char last_utc[WORD_BYTES];
    char outcome[WORD_BYTES];
    char undoes[WORD_BYTES];
    uint64_t ends[ENDS_MAX]; /* where the last "close" and "stopped" records end */
    size_t end_count;
    uint64_t covered; /* by SHA256SUMS */
};

static const char *
fact_of(const struct journal_record *record, const char *name)
{
    for (size_t i = 0; i < record->count; i++)
        if (record->facts[i].value && strcmp(record->facts[i].name, name) == 0)
            return record->facts[i].value;
    return "";
}

static void
keep_word(char kept[WORD_BYTES], const char *word)
{
    (void)snprintf(kept, WORD_BYTES, "%s", word);
}

static void
note_open(struct progress_reading *reading, const struct journal_record *record)
{
    keep_word(reading->undoes, fact_of(record, "undoes"));
}

static void
note_sealed(struct progress_reading *reading, const struct journal_record *record)
{
    (void)record;
    reading->progress.backup_sealed = true;
}

/* A new attempt: what the one before came to is history. */
static void
note_attempt(struct progress_reading *reading, const struct journal_record *record)
{
    (void)record;
    reading->progress.rolled_back = false;
    reading->progress.verified = false;
}

static void
note_commit_sent(struct progress_reading *reading, const struct journal_record *record)
{
    note_attempt(reading, record);
    reading->progress.commit_sent = true;
}

static void
note_committed(struct progress_reading *reading, const struct journal_record *record)
{
    for (unsigned i = 0; i < AXDB_TABLES; i++)
        if (!parse_int(fact_of(record, table_key((enum table)i)), 0, INT64_MAX,
                       &reading->progress.axdb_rows[i]))
            reading->progress.axdb_rows[i] = -1;
    reading->progress.committed = true;
    reading->progress.rolled_back = false;
}

static void
note_rolled_back(struct progress_reading *reading, const struct journal_record *record)
{
    (void)record;
    reading->progress.rolled_back = true;
    reading->progress.commit_sent = false;
}

/* Any other state than these two, "mixed" too, has decided nothing: the newest word counts. */
static void
note_settled(struct progress_reading *reading, const struct journal_record *record)
{
    const char *state = fact_of(record, "state");

    reading->progress.mixed = strcmp(state, "mixed") == 0;
    if (strcmp(state, "committed") == 0)
        note_committed(reading, record);
    if (strcmp(state, "rolled-back") == 0) {
        note_rolled_back(reading, record);
        reading->progress.committed = false;
    }
}

static void
note_purge(struct progress_reading *reading, const struct journal_record *record)
{
    (void)record;
    reading->progress.purge_begun = true;
    reading->progress.verified = false;
}

static void
note_return(struct progress_reading *reading, const struct journal_record *record)
{
    (void)record;
    reading->progress.return_begun = true;
    reading->progress.verified = false;
}

/* One row by "key" and "state", or many, each a fact of its own (README.md). */
static void
note_outcomes(struct progress_reading *reading, const struct journal_record *record)
{
    const bool single = record->count > 1 && strcmp(record->facts[0].name, "key") == 0;

    for (size_t i = single ? 1 : 0; i < (single ? 2 : record->count); i++)
        if (record->facts[i].value && strncmp(record->facts[i].value, "done", 4) == 0)
            reading->progress.runtime_rows++;
}

static void
note_again(struct progress_reading *reading, const struct journal_record *record)
{
    int64_t number = 0;

    if (parse_int(fact_of(record, "number"), AGAIN_FIRST, AGAIN_LAST, &number))
        reading->progress.backups_again |= (uint64_t)1 << number;
}

static void
note_resumed(struct progress_reading *reading, const struct journal_record *record)
{
    (void)record;
    reading->progress.verified = false;
}

static void
note_verified(struct progress_reading *reading, const struct journal_record *record)
{
    (void)record;
    reading->progress.verified = true;
}

static void
note_end(struct progress_reading *reading, const struct journal_record *record)
{
    keep_word(reading->outcome, fact_of(record, "outcome"));
    if (reading->end_count == ENDS_MAX) {
        memmove(reading->ends, reading->ends + 1, sizeof(reading->ends) - sizeof(reading->ends[0]));
        reading->end_count--;
    }
    reading->ends[reading->end_count++] = record->end_bytes;
    reading->progress.ended = strcmp(record->step, "close") == 0;
}

static const struct {
    const char *step;
    void (*note)(struct progress_reading *reading, const struct journal_record *record);
} steps[] = {
    {"open", note_open},
    {"backup-sealed", note_sealed},
    {"begin", note_attempt},
    {"commit-sent", note_commit_sent},
    {"committed", note_committed},
    {"rolled-back", note_rolled_back},
    {"settled", note_settled},
    {"purge-intent", note_purge},
    {"purge-outcome", note_outcomes},
    {"return-intent", note_return},
    {"return-outcome", note_outcomes},
    {"backup-again", note_again},
    {"resumed", note_resumed},
    {"verified", note_verified},
    {"close", note_end},
    {"stopped", note_end},
};

static bool
take(void *ctx, const struct journal_record *record, struct err *err)
{
    struct progress_reading *reading = ctx;

    (void)err;
    reading->progress.ended = false;
    keep_word(reading->last_step, record->step);
    keep_word(reading->last_utc, record->utc);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (strcmp(record->step, steps[i].step) == 0)
            steps[i].note(reading, record);
    return true;
}

/* SHA-256 of the first `size` bytes. */
static bool
digest_of_front(const char *path, uint64_t size, struct digest_stream *stream, struct digest *ret,
                struct err *err)
{
    char block[BLOCK_BYTES];
    FILE_SCOPED fd = -1;

    if (!storage_open(path, &fd, err))
        return false;
    while (size > 0) {
        size_t got = 0;
        if (!storage_read(fd, path, block, size < sizeof(block) ? (size_t)size : sizeof(block),
                          &got, err))
            return false;
        if (got == 0)
            return err_set(err, ERR_STORAGE, "%s became shorter", path);
        digest_add(stream, block, got);
        size -= got;
    }
    *ret = digest_finish(stream);
    return true;
}

static bool
compare_fronts(const char *path, struct progress_reading *reading, const struct digest *expected,
               struct err *err)
{
    struct digest_stream *stream = digest_new();
    bool ok = true;
    bool found = false;

    if (!stream)
        return storage_no_memory(err);
    for (size_t i = reading->end_count; ok && !found && i-- > 0;) {
        struct digest digest = {0};
        ok = digest_of_front(path, reading->ends[i], stream, &digest, err);
        found = ok && digest_equal(&digest, expected);
        if (found)
            reading->covered = reading->ends[i];
    }
    digest_free(stream);
    if (!ok || found)
        return ok;
    (void)err_set(err, ERR_STORAGE, "%s is not as SHA256SUMS has it", path);
    return err_hint(err, "Records were changed or taken away at its end after the run had stopped. "
                         "Restore the run directory from a copy.");
}

static bool
check_sums(const char *path, const struct sums *sums, struct progress_reading *reading,
           struct err *err)
{
    struct digest expected;

    if (!sums->text)
        return true;
    if (!sums_find(sums, "journal.ndjson", &expected))
        return err_set(err, ERR_STORAGE, "SHA256SUMS does not list %s", path);
    return compare_fronts(path, reading, &expected, err);
}

static bool
no_journal(const char *path, struct err *err)
{
    (void)err_set(err, ERR_STORAGE, "%s has no journal.ndjson", path);
    return err_hint(err, "A run that was stopped in its first moment may lack it, and has changed "
                         "nothing. If it got further, the file was taken away: restore the run "
                         "directory from a copy.");
}

static bool
keep(struct arena *arena, const struct progress_reading *reading, const struct journal_tail *tail,
     struct run_progress *ret, struct err *err)
{
    struct run_progress progress = reading->progress;

    progress.records = tail->records;
    progress.torn_bytes = tail->torn_bytes;
    progress.last_step = arena_string(arena, reading->last_step);
    progress.last_utc = arena_string(arena, reading->last_utc);
    progress.outcome = arena_string(arena, reading->outcome);
    progress.undoes = arena_string(arena, reading->undoes);
    if (!progress.last_step || !progress.last_utc || !progress.outcome || !progress.undoes)
        return arena_exhausted(err);
    *ret = progress;
    return true;
}

bool
run_progress_load(const char *path, struct arena *arena, struct run_progress *ret,
                  bool *ret_finished, struct err *err)
{
    STORAGE_SCOPED_STRING journal = storage_path(path, "journal.ndjson");
    struct progress_reading reading = {.progress.axdb_rows = {-1, -1, -1}};
    const struct journal_sink sink = {.ctx = &reading, .take = take};
    struct journal_tail tail = {0};
    struct stat status;
    SUMS_SCOPED sums = {0};

    if (!journal)
        return storage_no_memory(err);
    if (lstat(journal, &status) != 0 && errno == ENOENT)
        return no_journal(path, err);
    /* The sums first: a run that goes on meanwhile adds behind what they cover. */
    if (!sums_load(path, &sums, err) || !journal_read(journal, &sink, &tail, err) ||
        !check_sums(journal, &sums, &reading, err) || !keep(arena, &reading, &tail, ret, err))
        return false;
    *ret_finished = reading.covered > 0 && reading.covered == tail.end_bytes;
    return true;
}
