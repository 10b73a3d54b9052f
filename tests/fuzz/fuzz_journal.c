/* The journal. 'L' and lines, in which @P@ stands for the digest of the line before and @S@ for the
 * number of the line: whatever chains is read, and read in the same way again. Else damage to a
 * good one: a record that is not as it was written is never handed on, but for the last one, for
 * which only SHA256SUMS can vouch. */
#include "backup/journal_file.h"
#include "base/text.h"
#include "fuzz.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORDS = 12, SEEN_MAX = 64 };

struct seen {
    size_t count;
    struct digest digests[SEEN_MAX];
    uint64_t end_bytes;
};

static bool
take(void *ctx, const struct journal_record *record, struct err *err)
{
    struct seen *seen = ctx;
    (void)err;
    FUZZ_MUST(record->seq == (int64_t)seen->count + 1);
    FUZZ_MUST(record->utc && record->step && record->end_bytes > seen->end_bytes);
    FUZZ_MUST(seen->count == 0 || seen->count > SEEN_MAX ||
              digest_equal(record->previous, &seen->digests[seen->count - 1]));
    for (size_t i = 0; i < record->count; i++)
        FUZZ_MUST(record->facts[i].name);
    if (seen->count < SEEN_MAX)
        seen->digests[seen->count] = *record->digest;
    seen->count++;
    seen->end_bytes = record->end_bytes;
    return true;
}

static bool
read_journal(const char *path, struct seen *seen, struct journal_tail *tail, struct err *err)
{
    const struct journal_sink sink = {.ctx = seen, .take = take};
    *seen = (struct seen){0};
    return journal_read(path, &sink, tail, err);
}

/** Go on with it as a later process does: one more record, and everything is whole. */
static void
must_go_on(const char *path, const struct journal_tail *before)
{
    static const struct fact facts[] = {{"a", "b"}};
    struct journal *journal = NULL;
    struct journal_tail tail;
    struct seen seen;
    struct err err = {0};
    FUZZ_MUST(journal_file_reopen(path, &journal, &tail, &err));
    FUZZ_MUST(tail.records == before->records && tail.torn_bytes == before->torn_bytes);
    FUZZ_MUST(journal->ops->record(journal, "resumed", facts, 1, false, &err));
    FUZZ_MUST(journal_file_end(journal, &err));
    journal_file_close(journal);
    FUZZ_MUST(read_journal(path, &seen, &tail, &err));
    FUZZ_MUST(tail.records == before->records + 1 && tail.torn_bytes == 0);
    FUZZ_MUST(tail.reserved_bytes == 0);
}

static void
read_and_go_on(const char *path, struct seen *seen)
{
    struct journal_tail tail = {0};
    struct err err = {0};
    if (!read_journal(path, seen, &tail, &err)) {
        fuzz_must_say(&err);
        FUZZ_MUST(err.code == ERR_STORAGE);
        seen->count = 0;
        return;
    }
    FUZZ_MUST(tail.records == (int64_t)seen->count && tail.end_bytes == seen->end_bytes);
    must_go_on(path, &tail);
}

/** Append a line with its marks filled in; returns its digest. */
static struct digest
append_line(struct text *out, const char *line, size_t number, const struct digest *previous)
{
    const size_t start = out->used;
    char hex[DIGEST_HEX_BYTES];
    digest_hex(previous, hex);
    while (*line) {
        if (strncmp(line, "@P@", 3) == 0 || strncmp(line, "@S@", 3) == 0) {
            if (line[1] == 'P')
                text_append(out, hex);
            else
                text_printf(out, "%zu", number);
            line += 3;
        } else {
            text_append_bytes(out, line++, 1);
        }
    }
    const struct digest own = digest_of(text_string(out) + start, out->used - start);
    text_append(out, "\n");
    return own;
}

static void
lines(struct fuzz_input *input, const char *path)
{
    TEXT_SCOPED text = {0};
    struct digest previous = {{0}};
    struct seen seen;
    for (size_t number = 1; input->left && number <= SEEN_MAX; number++) {
        char *line = fuzz_line(input);
        previous = append_line(&text, line, number, &previous);
        free(line);
    }
    fuzz_write(path, text_string(&text), text.used);
    read_and_go_on(path, &seen);
}

/** The good journal, made once. */
static struct text good;
static struct seen good_seen;

static void
make_good(void)
{
    static const char *const steps[RECORDS] = {
        "open",        "identity",  "preconditions", "plan",          "backup-sealed", "begin",
        "commit-sent", "committed", "purge-intent",  "purge-outcome", "verified",      "close"};
    const char *path = fuzz_path("good.ndjson");
    struct journal *journal = NULL;
    struct journal_tail tail;
    struct err err = {0};
    size_t size = 0;
    FUZZ_MUST(journal_file_create(path, &journal, &err));
    for (size_t i = 0; i < RECORDS; i++) {
        const struct fact facts[] = {{"step", steps[i]}, {"none", NULL}};
        FUZZ_MUST(journal->ops->record(journal, steps[i], facts, i % 3, false, &err));
    }
    FUZZ_MUST(journal_file_end(journal, &err));
    journal_file_close(journal);
    FUZZ_MUST(read_journal(path, &good_seen, &tail, &err));
    FUZZ_MUST(tail.records == RECORDS && tail.torn_bytes == 0);
    char *bytes = fuzz_read(path, &size);
    text_append_bytes(&good, bytes, size);
    free(bytes);
}

static void
damaged(struct fuzz_input *input, const char *path)
{
    struct seen seen;
    if (good.used == 0)
        make_good();
    size_t size = good.used;
    uint8_t *bytes = malloc(size);
    FUZZ_MUST(bytes);
    memcpy(bytes, good.data, size);
    fuzz_damage(input, &bytes, &size);
    fuzz_write(path, bytes, size);
    free(bytes);
    read_and_go_on(path, &seen);
    for (size_t i = 0; i + 1 < seen.count; i++)
        FUZZ_MUST(i < RECORDS && digest_equal(&seen.digests[i], &good_seen.digests[i]));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_path("journal.ndjson");
    struct fuzz_input input = {data, size};

    if (fuzz_byte(&input) == 'L')
        lines(&input, path);
    else
        damaged(&input, path);
    (void)unlink(path);
    return 0;
}
