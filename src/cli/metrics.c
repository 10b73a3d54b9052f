#include "cli/metrics.h"

#include "base/arena.h"
#include "base/file.h"
#include "metrics_old.h"
#include "report/verified.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OLD_MAX_BYTES = 1024 * 1024, ARENA_BYTES = 16 * 1024 * 1024, FILE_MODE = 0644 };

static const char success_time[] = "dwclean_last_success_timestamp_seconds";
static const char rows_time[] = "dwclean_rows_read_timestamp_seconds";

/* ---- of an outcome */

static enum verdict
worse(enum verdict a, enum verdict b)
{
    if (a == VERDICT_DIFFERS || b == VERDICT_DIFFERS)
        return VERDICT_DIFFERS;
    return a == VERDICT_UNKNOWN || b == VERDICT_UNKNOWN ? VERDICT_UNKNOWN : VERDICT_OK;
}

static void
add_check(struct metrics_summary *ret, const struct observation *seen)
{
    for (size_t i = 0; i < ret->check_count; i++) {
        struct metrics_check *check = &ret->checks[i];
        if (strcmp(check->name, seen->check) != 0)
            continue;
        check->verdict = worse(check->verdict, seen->verdict);
        check->required = check->required || seen->required;
        return;
    }
    if (ret->check_count < METRICS_CHECKS)
        ret->checks[ret->check_count++] = (struct metrics_check){
            .name = seen->check, .required = seen->required, .verdict = seen->verdict};
}

void
metrics_summarize(const struct outcome *outcome, const char *environment,
                  struct metrics_summary *ret)
{
    const struct evidence *evidence = verified_evidence(outcome);
    const bool good = outcome->exit_status == 0 && !outcome->dry_run;
    const bool proven = outcome->word == OUTCOME_CLEAN || outcome->word == OUTCOME_DONE;
    *ret = (struct metrics_summary){
        .environment = environment ? environment : "",
        .command = outcome->command,
        .exit_status = outcome->exit_status,
        .success = good,
        .verified = good && proven,
        .ended_utc_ms = outcome->ended_utc_ms,
        .duration_ms = outcome->ended_utc_ms - outcome->started_utc_ms,
    };
    for (unsigned i = 0; i < TABLES; i++)
        ret->rows[i] = verified_rows(outcome, (enum table)i);
    for (size_t i = 0; evidence && i < evidence->observation_count; i++)
        add_check(ret, &evidence->observations[i]);
}

/* ---- the text */

struct page {
    const struct metrics_summary *runs;
    size_t count;
    const struct metrics_times *old;
    struct text *text;
};

static void
head(const struct page *page, const char *metric, const char *help)
{
    text_printf(page->text, "# HELP %s %s\n# TYPE %s gauge\n", metric, help, metric);
}

static void
put_label(struct text *ret, const char *name, const char *value)
{
    TEXT_SCOPED shown = {0};
    if (text_is_utf8(value, strlen(value)))
        text_append(&shown, value);
    else
        text_append_shown(&shown, value, strlen(value));
    text_printf(ret, "%s=\"", name);
    for (const char *p = text_string(&shown); *p; p++) {
        if (*p == '\n')
            text_append(ret, "\\n");
        else if (*p == '"' || *p == '\\')
            text_printf(ret, "\\%c", *p);
        else
            text_append_bytes(ret, p, 1);
    }
    text_append(ret, "\"");
}

/** "metric{environment=...,command=..." without the closing brace. */
static void
begin(const struct page *page, const char *metric, const char *environment, const char *command)
{
    text_printf(page->text, "%s{", metric);
    put_label(page->text, "environment", environment);
    text_append(page->text, ",");
    put_label(page->text, "command", command);
}

static void
begin_run(const struct page *page, const char *metric, const struct metrics_summary *run)
{
    begin(page, metric, run->environment, run->command);
}

static void
end_number(const struct page *page, int64_t value)
{
    text_printf(page->text, "} %" PRId64 "\n", value);
}

static void
end_seconds(const struct page *page, int64_t ms)
{
    ms = ms > 0 ? ms : 0;
    text_printf(page->text, "} %" PRId64 ".%03d\n", ms / 1000, (int)(ms % 1000));
}

static void
put_state(const struct page *page)
{
    head(page, "dwclean_last_run_timestamp_seconds", "When the last run ended, in Unix time.");
    for (size_t i = 0; i < page->count; i++) {
        begin_run(page, "dwclean_last_run_timestamp_seconds", &page->runs[i]);
        end_seconds(page, page->runs[i].ended_utc_ms);
    }
    head(page, "dwclean_last_exit_status", "Exit status of the last run; see the manual.");
    for (size_t i = 0; i < page->count; i++) {
        begin_run(page, "dwclean_last_exit_status", &page->runs[i]);
        end_number(page, page->runs[i].exit_status);
    }
    head(page, "dwclean_duration_seconds", "How long the last run took.");
    for (size_t i = 0; i < page->count; i++) {
        begin_run(page, "dwclean_duration_seconds", &page->runs[i]);
        end_seconds(page, page->runs[i].duration_ms);
    }
    head(page, "dwclean_verified", "1 when the last run proved its result by a fresh look.");
    for (size_t i = 0; i < page->count; i++) {
        begin_run(page, "dwclean_verified", &page->runs[i]);
        end_number(page, page->runs[i].verified ? 1 : 0);
    }
}

static bool
has_rows(const struct metrics_summary *run)
{
    for (unsigned i = 0; i < TABLES; i++)
        if (run->rows[i] >= 0)
            return true;
    return false;
}

/** Does this run say the time itself? */
static bool
says(const struct metrics_summary *run, const char *metric)
{
    return metric == success_time ? run->success : has_rows(run);
}

static bool
is_said_by_a_run(const struct page *page, const struct metrics_time *old, const char *metric)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct metrics_summary *run = &page->runs[i];
        if (strcmp(run->environment, old->environment) == 0 &&
            strcmp(run->command, old->command) == 0 && says(run, metric))
            return true;
    }
    return false;
}

/** Times of this file's runs, and what the old file has of others. */
static void
put_times(const struct page *page, const char *metric, const char *help)
{
    head(page, metric, help);
    for (size_t i = 0; i < page->count; i++) {
        if (!says(&page->runs[i], metric))
            continue;
        begin_run(page, metric, &page->runs[i]);
        end_seconds(page, page->runs[i].ended_utc_ms);
    }
    for (size_t i = 0; i < page->old->count; i++) {
        const struct metrics_time *old = &page->old->times[i];
        if (strcmp(old->metric, metric) != 0 || is_said_by_a_run(page, old, metric))
            continue;
        begin(page, metric, old->environment, old->command);
        text_printf(page->text, "} %s\n", old->value);
    }
}

static void
put_rows(const struct page *page)
{
    head(page, "dwclean_rows", "Rows of the scope, freshly read; absent when not known.");
    for (size_t i = 0; i < page->count; i++) {
        for (unsigned j = 0; j < TABLES; j++) {
            if (page->runs[i].rows[j] < 0)
                continue;
            begin_run(page, "dwclean_rows", &page->runs[i]);
            text_append(page->text, ",");
            put_label(page->text, "table", table_name((enum table)j));
            end_number(page, page->runs[i].rows[j]);
        }
    }
}

static void
put_checks(const struct page *page)
{
    static const char *const verdicts[] = {
        [VERDICT_OK] = "ok", [VERDICT_DIFFERS] = "differs", [VERDICT_UNKNOWN] = "unknown"};
    head(page, "dwclean_check", "1 for the verdict that a check has, 0 for the others.");
    for (size_t i = 0; i < page->count; i++) {
        for (size_t j = 0; j < page->runs[i].check_count * 3; j++) {
            const struct metrics_check *check = &page->runs[i].checks[j / 3];
            begin_run(page, "dwclean_check", &page->runs[i]);
            text_append(page->text, ",");
            put_label(page->text, "check", check->name);
            text_printf(page->text, ",required=\"%s\",verdict=\"%s\"",
                        check->required ? "true" : "false", verdicts[j % 3]);
            end_number(page, check->verdict == (enum verdict)(j % 3) ? 1 : 0);
        }
    }
}

bool
metrics_render(const struct metrics_summary *runs, size_t count, const char *version,
               const char *old, struct text *ret, struct err *err)
{
    static const char *const kept[] = {success_time, rows_time, NULL};
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct metrics_times *times = arena ? arena_alloc(arena, sizeof(*times)) : NULL;
    if (!times)
        return arena_exhausted(err);
    const bool read = metrics_times_read(old, kept, arena, times, err);
    const struct page page = {.runs = runs, .count = count, .old = times, .text = ret};

    head(&page, "dwclean_build_info", "The version that wrote this file.");
    text_append(ret, "dwclean_build_info{");
    put_label(ret, "version", version);
    end_number(&page, 1);
    put_state(&page);
    put_times(&page, success_time, "When a run last ended with status 0, in Unix time.");
    put_times(&page, rows_time, "When dwclean_rows was last read, in Unix time.");
    put_rows(&page);
    put_checks(&page);
    return read;
}

/* ---- the file */

/** Only a file may be replaced: a rename would do it to a device too. */
static bool
may_replace(const char *path, bool *ret_there, struct err *err)
{
    struct stat status;
    *ret_there = lstat(path, &status) == 0;
    if (!*ret_there && errno != ENOENT)
        return err_errno(err, ERR_STORAGE, errno, "look at %s", path);
    if (*ret_there && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
        return err_set(err, ERR_STORAGE, "%s is not a file", path);
    return true;
}

/** A name of its own, in the same directory: two runs may end at the same time. */
static bool
write_beside(const char *path, const struct text *text, char ret_name[PATH_MAX], struct err *err)
{
    const char *slash = strrchr(path, '/');
    const int front = slash ? (int)(slash + 1 - path) : 0;
    if (snprintf(ret_name, PATH_MAX, "%.*s.%s.XXXXXX", front, path, path + front) >= PATH_MAX)
        return err_set(err, ERR_STORAGE, "path is too long: %.64s...", path);
    FILE_SCOPED fd = mkostemp(ret_name, O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, ERR_STORAGE, errno, "create a file beside %s", path);
    if (fchmod(fd, FILE_MODE) != 0)
        (void)err_errno(err, ERR_STORAGE, errno, "set the mode of %s", ret_name);
    else if (file_write_all(fd, text_string(text), text->used, ret_name, err) &&
             file_sync(fd, ret_name, err))
        return true;
    (void)unlink(ret_name);
    return false;
}

static bool
replace(const char *path, const struct text *text, struct err *err)
{
    char name[PATH_MAX];
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!write_beside(path, text, name, err))
        return false;
    if (rename(name, path) != 0) {
        const int why = errno;
        (void)unlink(name);
        return err_errno(err, ERR_STORAGE, why, "rename %s", name);
    }
    (void)snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash + 1 - path) : 1,
                   slash ? path : ".");
    return file_sync_directory(directory, err);
}

/** What the old file says, "" when there is none or it cannot be read: `ret_why` then says why. */
static char *
read_old(const char *path, struct err *ret_why)
{
    char *bytes = NULL;
    size_t size = 0;
    if (!file_read(path, OLD_MAX_BYTES, &bytes, &size, ret_why))
        return NULL;
    if (strlen(bytes) == size)
        return bytes;
    (void)err_set(ret_why, ERR_CONFIG, "it holds bytes that no text has");
    free(bytes);
    return NULL;
}

bool
metrics_write(const char *path, const struct metrics_summary *runs, size_t count,
              const char *version, struct err *ret_old, struct err *err)
{
    TEXT_SCOPED text = {0};
    bool there = false;
    struct err why = {.code = ERR_NONE};

    if (!may_replace(path, &there, err))
        return false;
    char *old = there ? read_old(path, &why) : NULL;
    (void)metrics_render(runs, count, version, old ? old : "", &text, &why);
    free(old);
    if (text.used == 0)
        return arena_exhausted(err);
    *ret_old = why;
    return text_ok(&text, err) && replace(path, &text, err);
}
