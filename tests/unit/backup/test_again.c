/* Rows that were backed up again: which version counts, and what a crash leaves. */
#include "backup/run_archive.h"
#include "backup/run_store.h"
#include "backup_sample.h"
#include "base/arena.h"
#include "scratch.h"

enum { ARENA_BYTES = 4 * 1024 * 1024 };

static const char id[] = "20261121T214429Z-uat-00ab";

struct place {
    char root[PATH_MAX];
    char runs[PATH_MAX];
    struct run_store *store;
    struct run_archive *archive;
    struct arena *arena;
    struct run_dir *run;
};

static void
record(const struct place *place, const char *step, const struct fact *facts, size_t count)
{
    struct journal *journal = place->run->ops->journal(place->run);
    struct err err;

    assert_true(journal->ops->record(journal, step, facts, count, true, &err));
}

static int
set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    const struct run_info info = {.id = id, .command = "clean", .environment = "uat"};
    struct backup *backup;
    struct err err;

    assert_non_null(place);
    scratch_make(place->root);
    (void)scratch_path(place->root, "runs", place->runs);
    const struct run_store_options options = {
        .runs_dir = place->runs, .allow_volatile = true, .program = "dwclean/0.1.0"};
    assert_true(run_store_new(&options, &place->store, &err));
    assert_true(run_archive_new(place->runs, NULL, &place->archive, &err));
    place->arena = arena_new(ARENA_BYTES);
    assert_true(place->store->create(place->store, &info, 0, &place->run, &err));
    backup = place->run->ops->backup(place->run);
    sample_write(backup);
    assert_true(backup->ops->read_back(backup, TABLE_PROJECT, NULL, &err));
    assert_true(backup->ops->read_back(backup, TABLE_RUNTIME, NULL, &err));
    assert_true(backup->ops->seal(backup, &err));
    record(place, "backup-sealed", NULL, 0);
    *state = place;
    return 0;
}

static int
tear_down(void **state)
{
    struct place *place = *state;

    place->run->ops->close(place->run);
    run_archive_free(place->archive);
    run_store_free(place->store);
    arena_free(place->arena);
    scratch_remove(place->root);
    free(place);
    return 0;
}

/** Row i of the sample in a later version. */
static struct row
later(size_t i, const char *etag, const struct field *document)
{
    struct row row = sample_runtime_row(i);

    row.fields = document;
    (void)snprintf(row.id.version, sizeof(row.id.version), "%s", etag);
    digest_row(&sample_runtime_schema, &row);
    return row;
}

static const struct field second = SAMPLE_BYTES("{\"modifiedon\":\"second\"}");
static const struct field third = SAMPLE_BYTES("{\"modifiedon\":\"third\"}");

/** One row into the next backup; sealed, and on record, as far as asked for. */
static int
again(const struct place *place, const struct row *row, bool seal, bool on_record)
{
    struct backup *backup = NULL;
    char number[16];
    int ret = 0;
    struct err err;

    assert_true(place->run->ops->next_backup(place->run, &backup, &ret, &err));
    assert_true(backup->ops->begin_table(backup, &sample_runtime_schema, &err));
    assert_true(backup->ops->add(backup, row, &err));
    assert_true(backup->ops->end_table(backup, &err));
    assert_true(backup->ops->close(backup, &err));
    if (!seal)
        return ret;
    assert_true(backup->ops->read_back(backup, TABLE_RUNTIME, NULL, &err));
    assert_true(backup->ops->seal(backup, &err));
    (void)snprintf(number, sizeof(number), "%d", ret);
    if (on_record)
        record(place, "backup-again", &(struct fact){"number", number}, 1);
    return ret;
}

struct versions {
    char etags[SAMPLE_DOCUMENTS][ROW_VERSION_BYTES];
    size_t count;
};

static bool
take_version(void *ctx, const struct row *row, struct err *err)
{
    struct versions *versions = ctx;

    (void)err;
    assert_true(versions->count < SAMPLE_DOCUMENTS);
    assert_string_equal(row->id.key, sample_document_keys[versions->count]);
    memcpy(versions->etags[versions->count++], row->id.version, ROW_VERSION_BYTES);
    return true;
}

static struct archived_run *
open_run(const struct place *place)
{
    struct archived_run *run = NULL;
    struct err err = {0};

    if (!place->archive->open(place->archive, id, place->arena, &run, &err))
        fail_msg("%s", err.primary);
    return run;
}

static void
expect(const struct place *place, const char *first, const char *other)
{
    struct archived_run *run = open_run(place);
    struct versions versions = {0};
    const struct row_sink sink = {.ctx = &versions, .take = take_version};
    struct row row;
    bool end = false;
    size_t count = 0;
    struct err err = {0};

    if (!run->ops->read_rows(run, TABLE_RUNTIME, &sink, &err))
        fail_msg("%s", err.primary);
    assert_int_equal(versions.count, SAMPLE_DOCUMENTS);
    assert_int_equal(run->ops->rows(run, TABLE_RUNTIME), SAMPLE_DOCUMENTS);
    assert_string_equal(versions.etags[1], first);
    assert_string_equal(versions.etags[3], other);
    assert_string_equal(versions.etags[0], sample_etags[0]);
    /* the same one by one, while the other way of reading is used too */
    assert_true(run->ops->begin_rows(run, TABLE_RUNTIME, &err));
    while (run->ops->next_row(run, &row, &end, &err) && !end) {
        assert_string_equal(row.id.version, versions.etags[count++]);
        assert_true(run->ops->read_rows(run, TABLE_PROJECT, NULL, &err));
    }
    assert_true(end);
    assert_int_equal(count, SAMPLE_DOCUMENTS);
    run->ops->end_rows(run);
    assert_true(run->ops->begin_rows(run, TABLE_RUNTIME, &err)); /* left open: close frees it */
    run->ops->close(run);
}

static void
the_newest_version_of_a_row_counts(void **state)
{
    const struct place *place = *state;
    const struct row one = later(1, "W/\"2\"", &second);
    const struct row two = later(1, "W/\"3\"", &third);
    const struct row other = later(3, "W/\"9\"", &second);
    struct err err;

    expect(place, sample_etags[1], sample_etags[3]);
    assert_int_equal(again(place, &one, true, true), 2);
    expect(place, "W/\"2\"", sample_etags[3]);
    assert_int_equal(again(place, &two, true, true), 3);
    assert_int_equal(again(place, &other, true, true), 4);
    expect(place, "W/\"3\"", "W/\"9\"");
    record(place, "stopped", NULL, 0);
    assert_true(place->run->ops->finish(place->run, &err));
    expect(place, "W/\"3\"", "W/\"9\""); /* SHA256SUMS covers them */
}

static void
what_a_crash_left_unsealed_counts_for_nothing_and_keeps_its_number(void **state)
{
    const struct place *place = *state;
    const struct row one = later(1, "W/\"2\"", &second);

    assert_int_equal(again(place, &one, false, false), 2);
    expect(place, sample_etags[1], sample_etags[3]);
    assert_int_equal(again(place, &one, true, true), 3);
    expect(place, "W/\"2\"", sample_etags[3]);
}

static void
a_further_backup_that_was_sealed_and_is_gone_is_missed(void **state)
{
    const struct place *place = *state;
    const struct row one = later(1, "W/\"2\"", &second);
    struct archived_run *run = NULL;
    char path[PATH_MAX];
    struct err err;

    assert_int_equal(again(place, &one, true, true), 2);
    assert_true(snprintf(path, sizeof(path), "%s/%s/backup-2/SEALED.json", place->runs, id) <
                PATH_MAX);
    assert_int_equal(unlink(path), 0);
    assert_false(place->archive->open(place->archive, id, place->arena, &run, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, "backup-2"));
}

static void
a_row_that_the_first_backup_has_not_is_damage(void **state)
{
    const struct place *place = *state;
    struct row stranger = later(1, "W/\"2\"", &second);
    struct archived_run *run;
    struct err err;

    (void)snprintf(stranger.id.key, sizeof(stranger.id.key),
                   "00000000-0000-0000-0000-00000000000a");
    (void)again(place, &stranger, true, true);
    run = open_run(place);
    assert_false(run->ops->read_rows(run, TABLE_RUNTIME, NULL, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, "but not before"));
    run->ops->close(run);
}

struct left {
    char keys[8][64];
    bool gone[8];
    size_t count;
};

static bool
take_left(void *ctx, const char *key, bool gone, struct err *err)
{
    struct left *left = ctx;

    (void)err;
    (void)snprintf(left->keys[left->count], sizeof(left->keys[0]), "%s", key);
    left->gone[left->count++] = gone;
    return true;
}

static void
the_journal_tells_which_rows_have_left(void **state)
{
    const struct place *place = *state;
    const struct fact intents[] = {{"a", "W/\"1\""}, {"b", "W/\"1\""}, {"c", "W/\"1\""}};
    const struct fact many[] = {{"a", "done 204 R-1"}, {"b", "gone 404 R-2"}};
    const struct fact changed[] = {{"key", "c"}, {"state", "changed"}, {"why", "x"}};
    const struct fact done[] = {{"key", "c"}, {"state", "done"}};
    struct left left = {0};
    const struct purged_sink sink = {.ctx = &left, .take = take_left};
    struct archived_run *run;
    struct err err;

    record(place, "purge-intent", intents, 3);
    record(place, "purge-outcome", many, 2);
    record(place, "purge-outcome", changed, 3);
    run = open_run(place);
    assert_true(run->ops->past(run)->progress.purge_begun);
    assert_true(run->ops->purged(run, &sink, &err));
    assert_int_equal(left.count, 2);
    assert_string_equal(left.keys[0], "a");
    assert_true(!left.gone[0] && left.gone[1]);
    record(place, "purge-outcome", done, 2);
    assert_true(run->ops->purged(run, &sink, &err));
    assert_int_equal(left.count, 5);
    assert_string_equal(left.keys[4], "c");
    run->ops->close(run);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_newest_version_of_a_row_counts),
        TEST(what_a_crash_left_unsealed_counts_for_nothing_and_keeps_its_number),
        TEST(a_further_backup_that_was_sealed_and_is_gone_is_missed),
        TEST(a_row_that_the_first_backup_has_not_is_damage),
        TEST(the_journal_tells_which_rows_have_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
