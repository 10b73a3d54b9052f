#include "backup/backup_set.h"
#include "backup/journal_file.h"
#include "backup/run_archive.h"
#include "backup/run_store.h"
#include "backup_sample.h"
#include "base/arena.h"
#include "base/clock.h"
#include "scratch.h"

#include <signal.h>
#include <sys/wait.h>

static const int64_t wait_ms = 30000;
static const char plan_id[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

enum { ARENA_BYTES = 4 * 1024 * 1024, READINGS = 300, RESERVED_BYTES = 65536 };

struct place {
    char root[PATH_MAX];
    char runs[PATH_MAX];
    struct run_store *store;
    struct run_archive *archive;
    struct arena *arena;
};

static int
set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    struct err err;

    assert_non_null(place);
    scratch_make(place->root);
    (void)scratch_path(place->root, "runs", place->runs);
    const struct run_store_options options = {
        .runs_dir = place->runs, .allow_volatile = true, .program = "dwclean/0.1.0"};
    assert_true(run_store_new(&options, &place->store, &err));
    assert_true(run_archive_new(place->runs, NULL, &place->archive, &err));
    place->arena = arena_new(ARENA_BYTES);
    assert_non_null(place->arena);
    *state = place;
    return 0;
}

static int
tear_down(void **state)
{
    struct place *place = *state;

    run_archive_free(place->archive);
    run_store_free(place->store);
    arena_free(place->arena);
    scratch_remove(place->root);
    free(place);
    return 0;
}

/* ---- making runs ---- */

static struct run_dir *
create(const struct place *place, const char *id)
{
    const struct run_info info = {.id = id, .command = "clean", .environment = "uat"};
    struct run_dir *run = NULL;
    struct err err = {0};

    if (!place->store->create(place->store, &info, 0, &run, &err))
        fail_msg("%s", err.primary);
    return run;
}

static void
record(struct run_dir *run, const char *step, const char *name, const char *value)
{
    struct journal *journal = run->ops->journal(run);
    const struct fact fact = {name, value};
    struct err err = {0};

    if (!journal->ops->record(journal, step, &fact, name ? 1 : 0, true, &err))
        fail_msg("%s", err.primary);
}

static void
step(struct run_dir *run, const char *word)
{
    record(run, word, NULL, NULL);
}

static void
write_plan(struct run_dir *run)
{
    const struct plan_header header = {.server = "sql",
                                       .database = "AxDB",
                                       .organization_host = "uat.crm4.dynamics.com",
                                       .scope = "channels=all",
                                       .created_utc_ms = 1,
                                       .expires_utc_ms = 2};
    struct plan_file *plan = run->ops->plan(run);
    struct err err = {0};

    assert_true(plan->ops->begin(plan, &header, &err));
    assert_true(plan->ops->add_schema(plan, &sample_schema, &err));
    for (size_t i = 0; i < SAMPLE_ROWS; i++) {
        const struct row row = sample_row(i);
        assert_true(plan->ops->add(plan, &row.id, &err));
    }
    assert_true(plan->ops->end(plan, plan_id, &err));
}

static void
write_backup(struct run_dir *run)
{
    struct backup *backup = run->ops->backup(run);
    struct sample_check check = {0};
    const struct row_sink sink = {.ctx = &check, .take = sample_take};
    struct err err = {0};

    sample_write(backup);
    assert_true(backup->ops->read_back(backup, TABLE_PROJECT, &sink, &err));
    check.rows = 0;
    assert_true(backup->ops->read_back(backup, TABLE_RUNTIME, &sink, &err));
    assert_true(backup->ops->seal(backup, &err));
}

/* The stages of a run; it ends behind any of them. */
enum stage {
    STAGE_CREATED,
    STAGE_OPEN,
    STAGE_PLANNED,
    STAGE_HALF_BACKUP,
    STAGE_SEALED,
    STAGE_SEAL_ON_RECORD,
    STAGE_BEGIN,
    STAGE_COMMIT_SENT,
    STAGE_COMMITTED,
    STAGE_PURGING,
    STAGE_VERIFIED,
    STAGE_CLOSED,
    STAGES
};

static void
make_half_backup(struct run_dir *run)
{
    struct backup *backup = run->ops->backup(run);
    const struct row row = sample_row(0);
    struct err err;

    assert_true(backup->ops->begin_table(backup, &sample_schema, &err));
    assert_true(backup->ops->add(backup, &row, &err));
}

static void
go_to(struct run_dir *run, enum stage stage)
{
    static const char *const words[] = {
        [STAGE_OPEN] = "open",
        [STAGE_PLANNED] = "plan",
        [STAGE_SEAL_ON_RECORD] = "backup-sealed",
        [STAGE_BEGIN] = "begin",
        [STAGE_COMMIT_SENT] = "commit-sent",
        [STAGE_COMMITTED] = "committed",
        [STAGE_PURGING] = "purge-intent",
        [STAGE_VERIFIED] = "verified",
        [STAGES] = NULL,
    };

    for (int i = STAGE_OPEN; i <= (int)stage; i++) {
        if (i == STAGE_PLANNED)
            write_plan(run);
        if (i == STAGE_HALF_BACKUP && stage == STAGE_HALF_BACKUP)
            make_half_backup(run);
        if (i == STAGE_SEALED)
            write_backup(run);
        if (words[i])
            step(run, words[i]);
        if (i == STAGE_CLOSED)
            record(run, "close", "outcome", "done");
    }
}

static void
finish(struct run_dir *run)
{
    struct err err = {0};

    if (!run->ops->write_file(run, "report.json", "{}\n", 3, &err) || !run->ops->finish(run, &err))
        fail_msg("%s", err.primary);
    run->ops->close(run);
}

static const char id_a[] = "20261121T214429Z-uat-00a1";
static const char id_b[] = "20261121T214430Z-uat-00b1";
static const char id_c[] = "20261121T214430Z-uat-00c1";

/* A run that got so far; a closed one is finished. Its directory into `ret`. */
static void
make_run(const struct place *place, const char *id, enum stage stage, char ret[PATH_MAX])
{
    struct run_dir *run = create(place, id);

    go_to(run, stage);
    (void)snprintf(ret, PATH_MAX, "%s", run->ops->path(run));
    if (stage == STAGE_CLOSED)
        finish(run);
    else
        run->ops->close(run);
}

/* ---- looking at them ---- */

static struct archived_run *
open_run(const struct place *place, const char *name)
{
    struct archived_run *run = NULL;
    struct err err = {0};

    if (!place->archive->open(place->archive, name, place->arena, &run, &err))
        fail_msg("%s: %s", name, err.primary);
    return run;
}

/* The name does not open; `err` says why, and nothing was handed out. */
static void
refused(const struct place *place, const char *name, enum err_code code, struct err *err)
{
    struct archived_run *run = NULL;

    *err = (struct err){0};
    assert_false(place->archive->open(place->archive, name, place->arena, &run, err));
    assert_null(run);
    if (err->code != code)
        fail_msg("%s: code %d, %s", name, (int)err->code, err->primary);
    assert_true(err->primary[0]);
}

static void
expect_text(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" lacks \"%s\"", text, part);
}

static void
expect_rows(struct archived_run *run)
{
    static const enum table tables[] = {TABLE_PROJECT, TABLE_RUNTIME};
    static const int64_t rows[] = {SAMPLE_ROWS, SAMPLE_DOCUMENTS};
    struct err err = {0};

    for (size_t i = 0; i < 2; i++) {
        struct sample_check check = {0};
        const struct row_sink sink = {.ctx = &check, .take = sample_take};
        assert_int_equal(run->ops->rows(run, tables[i]), rows[i]);
        if (!run->ops->read_rows(run, tables[i], &sink, &err))
            fail_msg("%s", err.primary);
        assert_int_equal(check.rows, rows[i]);
    }
}

/* ---- what a run tells ---- */

static void
a_finished_run_tells_what_it_was_and_gives_back_every_row(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    char file[PATH_MAX];
    char hex[DIGEST_HEX_BYTES];
    struct digest manifest;
    size_t size = 0;

    make_run(place, id_a, STAGE_CLOSED, path);
    struct archived_run *run = open_run(place, id_a);
    const struct past_run *past = run->ops->past(run);
    assert_string_equal(past->id, id_a);
    assert_string_equal(past->path, path);
    assert_string_equal(past->command, "clean");
    assert_string_equal(past->environment, "uat");
    assert_string_equal(past->program, "dwclean/0.1.0");
    assert_int_equal(strlen(past->started_utc), 24);
    assert_true(past->has_plan);
    assert_string_equal(past->plan_id, plan_id);
    assert_string_equal(past->plan.database, "AxDB");
    assert_string_equal(past->plan.organization_host, "uat.crm4.dynamics.com");
    assert_string_equal(past->plan.organization_id, "");
    assert_int_equal(past->plan.expires_utc_ms, 2);
    assert_string_equal(past->progress.last_step, "close");
    assert_string_equal(past->progress.outcome, "done");
    assert_int_equal(past->progress.records, 9);
    assert_true(past->progress.ended && past->progress.committed && past->progress.verified);

    assert_true(schema_equal(run->ops->schema(run, TABLE_PROJECT), &sample_schema));
    assert_null(run->ops->schema(run, TABLE_FIELD));
    assert_int_equal(run->ops->rows(run, TABLE_FIELD), 0);
    expect_rows(run);
    expect_rows(run);
    assert_true(run->ops->manifest(run, &manifest));
    char *bytes = scratch_read(scratch_path(path, "backup/manifest.json", file), &size);
    const struct digest expected = digest_of(bytes, size);
    assert_true(digest_equal(&manifest, &expected));
    digest_hex(&manifest, hex);
    free(bytes);
    run->ops->close(run);
}

static void
a_run_that_crashed_at_any_stage_opens_and_tells_how_far_it_came(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    char id[RUN_ID_BYTES];

    for (int i = STAGE_CREATED; i < (int)STAGES; i++) {
        (void)snprintf(id, sizeof(id), "20261121T2144%02dZ-uat-0000", i);
        make_run(place, id, (enum stage)i, path);
        struct archived_run *run = open_run(place, id);
        const struct past_run *past = run->ops->past(run);
        const struct run_progress *progress = &past->progress;
        struct digest manifest;
        struct err err = {0};
        assert_int_equal(past->has_plan, i >= STAGE_PLANNED);
        assert_string_equal(past->plan.server, i >= STAGE_PLANNED ? "sql" : "");
        assert_int_equal(progress->backup_sealed, i >= STAGE_SEAL_ON_RECORD);
        assert_int_equal(progress->commit_sent, i >= STAGE_COMMIT_SENT);
        assert_int_equal(progress->committed, i >= STAGE_COMMITTED);
        assert_false(progress->rolled_back);
        assert_int_equal(progress->purge_begun, i >= STAGE_PURGING);
        assert_int_equal(progress->verified, i >= STAGE_VERIFIED);
        assert_int_equal(progress->ended, i == STAGE_CLOSED);
        assert_int_equal(run->ops->manifest(run, &manifest), i >= STAGE_SEALED);
        assert_int_equal(run->ops->schema(run, TABLE_PROJECT) != NULL, i >= STAGE_SEALED);
        if (i >= STAGE_SEALED) {
            expect_rows(run);
        } else {
            assert_int_equal(run->ops->rows(run, TABLE_PROJECT), 0);
            assert_false(run->ops->read_rows(run, TABLE_PROJECT, NULL, &err));
            assert_int_equal(err.code, ERR_STORAGE);
            expect_text(err.primary, "has no sealed backup");
        }
        run->ops->close(run);
    }
}

static void
the_journal_decides_what_became_of_a_commit(void **state)
{
    const struct place *place = *state;
    static const struct {
        const char *steps[8]; /* "settled=x" carries a state */
        bool commit_sent, committed, rolled_back, verified;
    } cases[] = {
        {{"begin", "commit-sent"}, true, false, false, false},
        {{"begin", "commit-sent", "commit-unknown", "stopped"}, true, false, false, false},
        {{"begin", "commit-sent", "rolled-back"}, false, false, true, false},
        {{"begin", "commit-sent", "rolled-back", "begin"}, false, false, false, false},
        {{"begin", "commit-sent", "rolled-back", "begin", "commit-sent"},
         true,
         false,
         false,
         false},
        {{"begin", "commit-sent", "rolled-back", "begin", "commit-sent", "committed"},
         true,
         true,
         false,
         false},
        {{"commit-sent", "commit-unknown", "settled=committed"}, true, true, false, false},
        {{"commit-sent", "commit-unknown", "settled=rolled-back"}, false, false, true, false},
        {{"commit-sent", "commit-unknown", "settled=mixed"}, true, false, false, false},
        {{"commit-sent", "settled=sideways"}, true, false, false, false},
        {{"commit-sent", "committed", "verified", "resumed"}, true, true, false, false},
        {{"commit-sent", "committed", "resumed", "verified"}, true, true, false, true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char id[RUN_ID_BYTES];
        (void)snprintf(id, sizeof(id), "20261121T2144%02zuZ-uat-0000", i);
        struct run_dir *dir = create(place, id);
        for (size_t n = 0; n < 8 && cases[i].steps[n]; n++) {
            const char *state_of = strchr(cases[i].steps[n], '=');
            if (state_of)
                record(dir, "settled", "state", state_of + 1);
            else
                step(dir, cases[i].steps[n]);
        }
        dir->ops->close(dir);
        struct archived_run *run = open_run(place, id);
        const struct run_progress *progress = &run->ops->past(run)->progress;
        assert_int_equal(progress->commit_sent, cases[i].commit_sent);
        assert_int_equal(progress->committed, cases[i].committed);
        assert_int_equal(progress->rolled_back, cases[i].rolled_back);
        assert_int_equal(progress->verified, cases[i].verified);
        run->ops->close(run);
    }
}

static void
the_outcome_is_that_of_the_last_end(void **state)
{
    const struct place *place = *state;
    struct run_dir *dir = create(place, id_a);

    record(dir, "stopped", "outcome", "unknown");
    step(dir, "resumed");
    record(dir, "stopped", "outcome", "partial");
    dir->ops->close(dir);
    struct archived_run *run = open_run(place, id_a);
    assert_string_equal(run->ops->past(run)->progress.outcome, "partial");
    assert_false(run->ops->past(run)->progress.ended);
    run->ops->close(run);
}

/* ---- names ---- */

static void
a_run_is_found_by_name_by_a_front_part_by_path_and_as_the_last(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    char slash[PATH_MAX + 1];
    char link[PATH_MAX];

    make_run(place, id_b, STAGE_OPEN, path);
    make_run(place, id_a, STAGE_OPEN, path);
    (void)snprintf(slash, sizeof(slash), "%s/", path);
    (void)scratch_path(place->root, "link", link);
    assert_int_equal(symlink(path, link), 0);
    const struct {
        const char *name;
        const char *id;
    } cases[] = {{id_a, id_a},
                 {"20261121T214429", id_a},
                 {"20261121T214430Z-u", id_b},
                 {path, id_a},
                 {slash, id_a},
                 {link, id_a},
                 {"last", id_b}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct archived_run *run = open_run(place, cases[i].name);
        assert_string_equal(run->ops->past(run)->id, cases[i].id);
        assert_int_equal(run->ops->past(run)->path[0], '/');
        assert_null(strstr(run->ops->past(run)->path, "link"));
        run->ops->close(run);
    }
}

static void
a_whole_name_wins_over_a_longer_one_that_begins_with_it(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];

    make_run(place, "20261121T214429Z-uat-0000", STAGE_OPEN, path);
    make_run(place, "20261121T214429Z-uat-0000-0000", STAGE_OPEN, path);
    struct archived_run *run = open_run(place, "20261121T214429Z-uat-0000");
    assert_string_equal(run->ops->past(run)->id, "20261121T214429Z-uat-0000");
    run->ops->close(run);
}

static void
a_name_that_means_several_runs_is_refused_with_their_names(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    struct err err;

    make_run(place, id_a, STAGE_OPEN, path);
    make_run(place, id_b, STAGE_OPEN, path);
    make_run(place, id_c, STAGE_OPEN, path);
    refused(place, "20261121T214430", ERR_USAGE, &err);
    expect_text(err.primary, "2 runs");
    expect_text(err.hint, id_b);
    expect_text(err.hint, id_c);
    assert_null(strstr(err.hint, id_a));
    refused(place, "2026", ERR_USAGE, &err);
    expect_text(err.primary, "3 runs");
}

static void
a_name_that_means_no_run_is_answered_with_the_runs_there(void **state)
{
    const struct place *place = *state;
    static const char *const names[] = {"2027", "uat", "LAST", "00a1", "run.json"};
    char path[PATH_MAX];
    char id[RUN_ID_BYTES];
    struct err err;

    refused(place, "last", ERR_USAGE, &err);
    expect_text(err.primary, "no runs directory");
    expect_text(err.hint, "--runs-dir");
    assert_int_equal(mkdir(place->runs, 0700), 0);
    refused(place, "last", ERR_USAGE, &err);
    expect_text(err.primary, "no run is there yet");
    refused(place, "", ERR_USAGE, &err);
    refused(place, "./nowhere", ERR_USAGE, &err);
    refused(place, "/nowhere/20261121T214429Z-uat-0000", ERR_USAGE, &err);

    for (int i = 0; i < 9; i++) {
        (void)snprintf(id, sizeof(id), "20261121T21443%dZ-uat-0000", i);
        make_run(place, id, STAGE_OPEN, path);
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        refused(place, names[i], ERR_USAGE, &err);
        expect_text(err.primary, names[i]);
        expect_text(err.primary, place->runs);
        expect_text(err.hint, "20261121T214438Z-uat-0000, 20261121T214437Z-uat-0000");
        expect_text(err.hint, "and 4 more");
    }
}

/* Two runs of one second, with the moments that their run.json give. */
static void
set_started(const char *path, const char *moment)
{
    static const char member[] = "\"started_utc\":\"";
    char file[PATH_MAX];
    size_t size = 0;
    char *bytes = scratch_read(scratch_path(path, "run.json", file), &size);
    char *at = strstr(bytes, member);

    assert_non_null(at);
    for (size_t i = 0; moment[i]; i++)
        at[sizeof(member) - 1 + i] = moment[i];
    scratch_write(file, bytes, size);
    free(bytes);
}

static void
the_last_of_two_runs_of_one_second_is_the_one_that_began_later(void **state)
{
    const struct place *place = *state;
    char first[PATH_MAX];
    char second[PATH_MAX];
    struct err err;

    make_run(place, id_b, STAGE_OPEN, first);
    make_run(place, id_c, STAGE_OPEN, second);
    set_started(first, "2026-11-21T21:44:30.900Z");
    set_started(second, "2026-11-21T21:44:30.100Z");
    struct archived_run *run = open_run(place, "last");
    assert_string_equal(run->ops->past(run)->id, id_b);
    run->ops->close(run);
    set_started(second, "2026-11-21T21:44:30.900Z");
    refused(place, "last", ERR_USAGE, &err);
    expect_text(err.hint, id_b);
    expect_text(err.hint, id_c);
}

/* ---- whom to believe ---- */

static void
a_link_with_the_name_of_a_run_is_never_followed(void **state)
{
    const struct place *place = *state;
    char outside[PATH_MAX];
    char inside[PATH_MAX];
    char path[PATH_MAX];
    struct err err;

    make_run(place, id_a, STAGE_OPEN, path);
    make_run(place, id_b, STAGE_OPEN, inside);
    (void)scratch_path(place->root, id_b, outside);
    assert_int_equal(rename(inside, outside), 0);
    assert_int_equal(symlink(outside, inside), 0);
    struct archived_run *run = open_run(place, "last");
    assert_string_equal(run->ops->past(run)->id, id_a);
    run->ops->close(run);
    refused(place, id_b, ERR_USAGE, &err);
}

static void
a_directory_that_others_can_write_or_own_is_not_believed(void **state)
{
    const struct place *place = *state;
    static const char *const parts[] = {"", "/backup"};
    static const mode_t modes[] = {0720, 0702, 01777};
    char path[PATH_MAX];
    char part[PATH_MAX + 8];
    struct err err;

    make_run(place, id_a, STAGE_CLOSED, path);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(part, sizeof(part), "%s%s", path, parts[i]);
        for (size_t n = 0; n < sizeof(modes) / sizeof(modes[0]); n++) {
            assert_int_equal(chmod(part, modes[n]), 0);
            refused(place, id_a, ERR_STORAGE, &err);
            expect_text(err.primary, "writable for others");
            expect_text(err.hint, "go-w");
        }
        assert_int_equal(chmod(part, 0700), 0);
        if (geteuid() != 0) {
            print_message("not root: a directory of another user is not tested\n");
            continue;
        }
        assert_int_equal(chown(part, 12345, 12345), 0);
        refused(place, id_a, ERR_STORAGE, &err);
        expect_text(err.primary, "another user (uid 12345)");
        assert_int_equal(chown(part, 0, 0), 0);
    }
    struct archived_run *run = open_run(place, id_a);
    run->ops->close(run);
}

static void
no_file_of_a_run_is_read_through_a_link_or_from_a_pipe(void **state)
{
    const struct place *place = *state;
    static const char *const names[] = {"run.json",   "journal.ndjson",     "plan.ndjson",
                                        "SHA256SUMS", "backup/SEALED.json", "backup/manifest.json"};
    char path[PATH_MAX];
    char file[PATH_MAX];
    char aside[PATH_MAX];
    struct err err;

    make_run(place, id_a, STAGE_CLOSED, path);
    (void)scratch_path(place->root, "aside", aside);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)scratch_path(path, names[i], file);
        assert_int_equal(rename(file, aside), 0);
        assert_int_equal(symlink(aside, file), 0);
        refused(place, id_a, ERR_STORAGE, &err);
        assert_int_equal(unlink(file), 0);
        assert_int_equal(mkfifo(file, 0600), 0);
        refused(place, id_a, ERR_STORAGE, &err);
        assert_int_equal(unlink(file), 0);
        assert_int_equal(mkdir(file, 0700), 0);
        refused(place, id_a, ERR_STORAGE, &err);
        assert_int_equal(rmdir(file), 0);
        assert_int_equal(rename(aside, file), 0);
    }
    struct archived_run *run = open_run(place, id_a);
    expect_rows(run);
    run->ops->close(run);
}

static void
a_renamed_directory_is_not_taken_for_the_run_of_that_name(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    char other[PATH_MAX];
    struct err err;

    make_run(place, id_a, STAGE_CLOSED, path);
    (void)scratch_path(place->runs, id_b, other);
    assert_int_equal(rename(path, other), 0);
    refused(place, id_b, ERR_STORAGE, &err);
    expect_text(err.primary, id_a);
    struct archived_run *run = open_run(place, other);
    assert_string_equal(run->ops->past(run)->id, id_a);
    run->ops->close(run);
}

/* ---- damage ---- */

static void
one_changed_byte_anywhere_in_a_finished_run_is_found(void **state)
{
    const struct place *place = *state;
    static const char *const names[] = {"run.json", "journal.ndjson", "plan.ndjson",
                                        "backup/SEALED.json", "backup/manifest.json"};
    char path[PATH_MAX];
    char file[PATH_MAX];
    struct err err;

    make_run(place, id_a, STAGE_CLOSED, path);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t size = 0;
        char *bytes = scratch_read(scratch_path(path, names[i], file), &size);
        const size_t part = size / 40 + 1;
        for (size_t at = 0; at < size; at += at + part < size || at == size - 1 ? part : 1) {
            bytes[at] = (char)(bytes[at] ^ 1);
            scratch_write(file, bytes, size);
            bytes[at] = (char)(bytes[at] ^ 1);
            refused(place, id_a, ERR_STORAGE, &err);
        }
        scratch_write(file, bytes, size - 1);
        refused(place, id_a, ERR_STORAGE, &err);
        assert_int_equal(unlink(file), 0);
        refused(place, id_a, ERR_STORAGE, &err);
        scratch_write(file, bytes, size);
        free(bytes);
    }
    struct archived_run *run = open_run(place, id_a);
    run->ops->close(run);
}

static void
a_damaged_table_is_named_when_its_rows_are_read_and_none_is_handed_over(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    char file[PATH_MAX];
    size_t size = 0;
    struct sample_check check = {0};
    const struct row_sink sink = {.ctx = &check, .take = sample_take};
    struct err err = {0};

    make_run(place, id_a, STAGE_SEALED, path);
    char *bytes = scratch_read(scratch_path(path, "backup/project.ndjson.zst", file), &size);
    bytes[size / 2] = (char)(bytes[size / 2] ^ 1);
    scratch_write(file, bytes, size);
    free(bytes);
    struct archived_run *run = open_run(place, id_a);
    assert_int_equal(run->ops->rows(run, TABLE_PROJECT), SAMPLE_ROWS);
    assert_false(run->ops->read_rows(run, TABLE_PROJECT, &sink, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    expect_text(err.primary, "project.ndjson.zst");
    assert_int_equal(check.rows, 0);
    assert_true(run->ops->read_rows(run, TABLE_RUNTIME, NULL, &err));
    assert_false(run->ops->read_rows(run, TABLE_FIELD, NULL, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_int_equal(unlink(file), 0);
    assert_false(run->ops->read_rows(run, TABLE_PROJECT, &sink, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    run->ops->close(run);
}

static void
a_backup_that_was_sealed_and_is_gone_is_not_taken_for_none(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    char file[PATH_MAX];
    struct err err;

    make_run(place, id_a, STAGE_COMMIT_SENT, path);
    assert_int_equal(unlink(scratch_path(path, "backup/SEALED.json", file)), 0);
    refused(place, id_a, ERR_STORAGE, &err);
    expect_text(err.primary, "holds no seal");
    scratch_remove(scratch_path(path, "backup", file));
    refused(place, id_a, ERR_STORAGE, &err);
}

static void
rows_out_of_order_are_not_handed_over(void **state)
{
    const struct place *place = *state;
    struct run_dir *dir = create(place, id_a);
    struct backup *backup = dir->ops->backup(dir);
    struct err err = {0};

    assert_true(backup->ops->begin_table(backup, &sample_schema, &err));
    for (size_t i = 2; i-- > 0;) {
        const struct row row = sample_row(i);
        assert_true(backup->ops->add(backup, &row, &err));
    }
    assert_true(backup->ops->end_table(backup, &err));
    assert_true(backup->ops->close(backup, &err));
    assert_true(backup->ops->read_back(backup, TABLE_PROJECT, NULL, &err));
    assert_true(backup->ops->seal(backup, &err));
    dir->ops->close(dir);
    struct archived_run *run = open_run(place, id_a);
    assert_false(run->ops->read_rows(run, TABLE_PROJECT, NULL, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    expect_text(err.primary, "out of order");
    run->ops->close(run);
}

static void
a_torn_journal_opens_and_says_so(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    char file[PATH_MAX];
    size_t size = 0;

    make_run(place, id_a, STAGE_COMMIT_SENT, path);
    char *bytes = scratch_read(scratch_path(path, "journal.ndjson", file), &size);
    char *last = memrchr(bytes, '\n', size - 1);
    const size_t whole = (size_t)(last - bytes) + 1;
    for (size_t cut = whole; cut < size; cut += 7) {
        scratch_write(file, bytes, cut);
        struct archived_run *run = open_run(place, id_a);
        const struct run_progress *progress = &run->ops->past(run)->progress;
        assert_int_equal(progress->torn_bytes, cut - whole);
        assert_string_equal(progress->last_step, "begin");
        assert_false(progress->commit_sent);
        run->ops->close(run);
    }
    free(bytes);
}

static void
records_taken_off_the_end_of_a_finished_journal_are_missed(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    char file[PATH_MAX];
    size_t size = 0;
    struct err err;

    make_run(place, id_a, STAGE_CLOSED, path);
    char *bytes = scratch_read(scratch_path(path, "journal.ndjson", file), &size);
    for (size_t cut = size; cut > 0;) {
        const char *end = memrchr(bytes, '\n', cut - 1);
        cut = end ? (size_t)(end - bytes) + 1 : 0;
        scratch_write(file, bytes, cut);
        refused(place, id_a, ERR_STORAGE, &err);
        expect_text(err.primary, "journal.ndjson is not as SHA256SUMS has it");
    }
    free(bytes);
}

static void
garbage_in_any_file_is_an_error_and_no_crash(void **state)
{
    const struct place *place = *state;
    static const char *const names[] = {"run.json",   "journal.ndjson",     "plan.ndjson",
                                        "SHA256SUMS", "backup/SEALED.json", "backup/manifest.json"};
    static const char *const texts[] = {
        "\n",
        "{}\n",
        "[]\n",
        "null\n",
        "\"x\"\n",
        "{\"format\":\"dwclean-run\",\"version\":\"2\"}\n",
        "{\"format\":\"dwclean-run\",\"version\":\"1\",\"id\":7}\n",
        ("{\"format\":\"dwclean-run\",\"version\":\"1\",\"id\":\"../x\",\"command\":\"clean\","
         "\"started_utc\":\"\"}\n"),
        "{\"format\":\"dwclean-plan\",\"version\":\"1\"}\n",
        "{\"seq\":\"1\",\"utc\":\"\",\"step\":7,\"previous\":\"\",\"facts\":{}}\n",
        "{\"plan_id\":\"zz\",\"rows\":\"1\",\"sha256\":\"\"}\n",
        "{\"format\":\"dwclean-backup\",\"version\":\"1\",\"tables\":[{}]}\n",
        "0000000000000000000000000000000000000000000000000000000000000000  run.json\n",
        "0000000000000000000000000000000000000000000000000000000000000000  \n",
        "\xFF\xFE\xC0\x80\n",
    };
    char path[PATH_MAX];
    char file[PATH_MAX];
    struct err err;

    make_run(place, id_a, STAGE_VERIFIED, path);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t size = 0;
        (void)scratch_path(path, names[i], file);
        char *bytes = access(file, F_OK) == 0 ? scratch_read(file, &size) : NULL;
        for (size_t n = 0; n < sizeof(texts) / sizeof(texts[0]); n++) {
            scratch_write(file, texts[n], strlen(texts[n]));
            refused(place, id_a, ERR_STORAGE, &err);
        }
        assert_int_equal(unlink(file), 0);
        if (bytes)
            scratch_write(file, bytes, size);
        free(bytes);
    }
    struct archived_run *run = open_run(place, id_a);
    run->ops->close(run);
}

static void
a_directory_that_is_no_run_is_refused_with_what_is_missing(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    char file[PATH_MAX];
    struct err err;

    make_run(place, id_a, STAGE_CREATED, path);
    assert_int_equal(unlink(scratch_path(path, "journal.ndjson", file)), 0);
    refused(place, id_a, ERR_STORAGE, &err);
    expect_text(err.primary, "no journal.ndjson");
    assert_int_equal(unlink(scratch_path(path, "run.json", file)), 0);
    refused(place, id_a, ERR_STORAGE, &err);
    expect_text(err.primary, "no run.json");
    refused(place, "last", ERR_STORAGE, &err);
    refused(place, place->runs, ERR_STORAGE, &err);
    scratch_write(scratch_path(place->root, "file", file), "x", 1);
    refused(place, file, ERR_STORAGE, &err);
    expect_text(err.primary, "not a directory");
}

/* ---- where and when ---- */

/* Nobody may write there, and everybody may read. */
static int
make_read_only(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)kind;
    (void)where;
    return chmod(path, S_ISDIR(status->st_mode) ? 0555 : 0444);
}

static int
make_writable(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)kind;
    (void)where;
    return S_ISDIR(status->st_mode) ? chmod(path, 0700) : 0;
}

static void
a_run_is_read_from_a_directory_that_cannot_be_written(void **state)
{
    const struct place *place = *state;
    char path[PATH_MAX];
    int status = 0;

    make_run(place, id_a, STAGE_CLOSED, path);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
    assert_int_equal(nftw(place->root, make_read_only, 16, FTW_PHYS), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct archived_run *run = NULL;
        struct err err = {0};
        /* root may write anywhere, so another user looks */
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        if (access(path, W_OK) == 0)
            _exit(3);
        if (!place->archive->open(place->archive, "last", place->arena, &run, &err) ||
            !run->ops->read_rows(run, TABLE_PROJECT, NULL, &err)) {
            print_message("%s\n", err.primary);
            _exit(1);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
    assert_int_equal(nftw(place->root, make_writable, 16, FTW_PHYS), 0);
    assert_int_equal(status, 0);
}

/* A process that makes one run after the other, whole, until it is ended. */
static void
keep_writing(const struct place *place)
{
    for (int i = 0; i < 1000; i++) {
        char id[RUN_ID_BYTES];
        (void)snprintf(id, sizeof(id), "20261122T%06dZ-uat-0000", i);
        struct run_dir *run = create(place, id);
        struct journal *journal = run->ops->journal(run);
        struct err err;
        if (!journal->ops->reserve(journal, RESERVED_BYTES, &err))
            _exit(1);
        go_to(run, STAGE_VERIFIED);
        record(run, "close", "outcome", "done");
        finish(run);
    }
}

static void
a_run_is_read_at_any_moment_while_another_process_writes_it(void **state)
{
    const struct place *place = *state;
    int opened = 0;

    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        keep_writing(place);
        _exit(0);
    }
    const int64_t until = clock_monotonic_ms() + wait_ms;
    while (opened < READINGS && clock_monotonic_ms() < until) {
        struct arena *arena = arena_new(ARENA_BYTES);
        struct archived_run *run = NULL;
        struct err err = {0};
        assert_non_null(arena);
        if (place->archive->open(place->archive, "last", arena, &run, &err)) {
            const struct past_run *past = run->ops->past(run);
            assert_true(!past->progress.backup_sealed || past->has_plan);
            assert_int_equal(run->ops->rows(run, TABLE_PROJECT),
                             run->ops->schema(run, TABLE_PROJECT) ? SAMPLE_ROWS : 0);
            opened++;
            run->ops->close(run);
        } else if (err.code != ERR_USAGE && !strstr(err.primary, "no run.json") &&
                   !strstr(err.primary, "no journal.ndjson")) {
            fail_msg("%s; %s", err.primary, err.detail);
        }
        arena_free(arena);
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(opened, READINGS);
}

static void
the_first_backup_of_format_v1_is_read_as_that_of_a_run(void **state)
{
    const struct place *place = *state;
    static const char *const names[] = {"SEALED.json", "manifest.json", "project.ndjson.zst",
                                        "runtime.ndjson.zst"};
    char fixture[PATH_MAX];
    char path[PATH_MAX];
    char from[PATH_MAX];
    char to[PATH_MAX];

    sample_find_fixture(fixture);
    make_run(place, id_a, STAGE_OPEN, path);
    assert_int_equal(mkdir(scratch_path(path, "backup", to), 0700), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char backup[PATH_MAX];
        size_t size = 0;
        char *bytes = scratch_read(scratch_path(fixture, names[i], from), &size);
        (void)scratch_path(path, "backup", backup);
        scratch_write(scratch_path(backup, names[i], to), bytes, size);
        free(bytes);
    }
    struct archived_run *run = open_run(place, id_a);
    assert_true(schema_equal(run->ops->schema(run, TABLE_PROJECT), &sample_schema));
    assert_true(schema_equal(run->ops->schema(run, TABLE_RUNTIME), &sample_runtime_schema));
    expect_rows(run);
    run->ops->close(run);
}

static void
a_relative_runs_directory_is_refused(void **state)
{
    struct run_archive *archive = NULL;
    struct err err = {0};

    (void)state;
    assert_false(run_archive_new("runs", NULL, &archive, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_null(archive);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_finished_run_tells_what_it_was_and_gives_back_every_row),
        TEST(a_run_that_crashed_at_any_stage_opens_and_tells_how_far_it_came),
        TEST(the_journal_decides_what_became_of_a_commit),
        TEST(the_outcome_is_that_of_the_last_end),
        TEST(a_run_is_found_by_name_by_a_front_part_by_path_and_as_the_last),
        TEST(a_whole_name_wins_over_a_longer_one_that_begins_with_it),
        TEST(a_name_that_means_several_runs_is_refused_with_their_names),
        TEST(a_name_that_means_no_run_is_answered_with_the_runs_there),
        TEST(the_last_of_two_runs_of_one_second_is_the_one_that_began_later),
        TEST(a_link_with_the_name_of_a_run_is_never_followed),
        TEST(a_directory_that_others_can_write_or_own_is_not_believed),
        TEST(no_file_of_a_run_is_read_through_a_link_or_from_a_pipe),
        TEST(a_renamed_directory_is_not_taken_for_the_run_of_that_name),
        TEST(one_changed_byte_anywhere_in_a_finished_run_is_found),
        TEST(a_damaged_table_is_named_when_its_rows_are_read_and_none_is_handed_over),
        TEST(a_backup_that_was_sealed_and_is_gone_is_not_taken_for_none),
        TEST(rows_out_of_order_are_not_handed_over),
        TEST(a_torn_journal_opens_and_says_so),
        TEST(records_taken_off_the_end_of_a_finished_journal_are_missed),
        TEST(garbage_in_any_file_is_an_error_and_no_crash),
        TEST(a_directory_that_is_no_run_is_refused_with_what_is_missing),
        TEST(a_run_is_read_from_a_directory_that_cannot_be_written),
        TEST(a_run_is_read_at_any_moment_while_another_process_writes_it),
        TEST(the_first_backup_of_format_v1_is_read_as_that_of_a_run),
        TEST(a_relative_runs_directory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
