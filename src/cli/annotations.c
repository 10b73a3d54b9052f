#include "cli/annotations.h"

#include "cli/inert.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 10 /* GitHub shows no more of a step */, MOST_CHECKS = 50 };

static bool
is_true(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): one thread */
    return value && text_equal_nocase(value, "true");
}

struct annotations
annotations_wanted(void)
{
    const char *summary = getenv("GITHUB_STEP_SUMMARY"); /* NOLINT(concurrency-mt-unsafe) */
    const bool github = is_true("GITHUB_ACTIONS");
    return (struct annotations){.azure = is_true("TF_BUILD"),
                                .github = github,
                                .summary = github && summary && *summary ? summary : NULL};
}

/* ---- commands */

/** One annotation; `title` is ours, `message` may hold what a server said. */
struct annotation {
    bool error; /* else a warning */
    const char *title, *message;
};

/** `signs` of `words` as `escapes`, in the same order. */
static void
append_escaped(struct text *ret, const char *words, const char *signs, const char *const *escapes)
{
    while (*words) {
        const size_t size = strcspn(words, signs);
        text_append_bytes(ret, words, size);
        words += size;
        if (*words) {
            text_append(ret, escapes[strchr(signs, *words) - signs]);
            words++;
        }
    }
}

static void
append_azure(struct text *ret, const struct annotation *annotation)
{
    static const char *const escapes[] = {"%AZP25", "%0D", "%0A"};
    text_printf(ret, "##vso[task.logissue type=%s]", annotation->error ? "error" : "warning");
    append_escaped(ret, annotation->title, "%\r\n", escapes);
    text_append(ret, ": ");
    append_escaped(ret, annotation->message, "%\r\n", escapes);
    text_append(ret, "\n");
}

static void
append_github(struct text *ret, const struct annotation *annotation)
{
    static const char *const escapes[] = {"%25", "%0D", "%0A", "%3A", "%2C"};
    text_printf(ret, "::%s title=", annotation->error ? "error" : "warning");
    append_escaped(ret, annotation->title, "%\r\n:,", escapes);
    text_append(ret, "::");
    append_escaped(ret, annotation->message, "%\r\n", escapes);
    text_append(ret, "\n");
}

static void
append_one(const struct annotations *wanted, bool error, const char *title, const char *message,
           struct text *ret)
{
    TEXT_SCOPED shown = {0};
    TEXT_SCOPED inert = {0};
    text_append_shown(&shown, message, strlen(message));
    inert_append(&inert, REPORT_TEXT, text_string(&shown), shown.used);
    const struct annotation annotation = {
        .error = error, .title = title, .message = text_string(&inert)};
    if (wanted->azure)
        append_azure(ret, &annotation);
    if (wanted->github)
        append_github(ret, &annotation);
}

static void
put_title(const struct outcome *outcome, struct text *ret)
{
    text_printf(ret, "dwclean %s", outcome->command);
    if (outcome->environment) {
        text_append(ret, " ");
        text_append_shown(ret, outcome->environment, strlen(outcome->environment));
    }
    text_append(ret, ": ");
    for (const char *p = outcome_word_name(outcome->word); *p; p++)
        text_printf(ret, "%c", toupper((unsigned char)*p));
}

static const char *
sentence_of(const struct outcome *outcome)
{
    if (outcome->verdict && *outcome->verdict)
        return outcome->verdict;
    return outcome->err.primary[0] ? outcome->err.primary : outcome_word_name(outcome->word);
}

/** How the target is now, as far as anybody looked. */
static const struct evidence *
last_look(const struct outcome *outcome)
{
    return outcome->after_taken ? &outcome->after : &outcome->before;
}

void
annotations_append(const struct annotations *wanted, const struct outcome *outcome,
                   struct text *ret)
{
    TEXT_SCOPED title = {0};
    TEXT_SCOPED message = {0};
    const struct evidence *evidence = last_look(outcome);
    unsigned count = 1;

    if (outcome->exit_status == 0 || (!wanted->azure && !wanted->github))
        return;
    put_title(outcome, &title);
    text_append(&message, sentence_of(outcome));
    if (outcome->err.hint[0])
        text_printf(&message, " (%s)", outcome->err.hint);
    append_one(wanted, true, text_string(&title), text_string(&message), ret);
    for (size_t i = 0; i < evidence->observation_count && count < MOST; i++) {
        const struct observation *seen = &evidence->observations[i];
        if (!seen->required || seen->verdict == VERDICT_OK)
            continue;
        text_reset(&message);
        text_printf(&message, "%s %s: %s", seen->check,
                    seen->verdict == VERDICT_DIFFERS ? "differs" : "unknown", seen->text);
        append_one(wanted, seen->verdict == VERDICT_DIFFERS, text_string(&title),
                   text_string(&message), ret);
        count++;
    }
}

/* ---- the summary of a job */

/** Letters, digits and blanks as they are, any other ASCII sign as an entity, which is never
 * markup (CommonMark 0.30, 6.2). */
static void
append_markdown(struct text *ret, const char *words)
{
    TEXT_SCOPED shown = {0};
    text_append_shown(&shown, words, strlen(words));
    for (const char *p = text_string(&shown); *p; p++) {
        const unsigned char sign = (unsigned char)*p;
        if (sign < 0x80 && !isalnum(sign) && sign != ' ')
            text_printf(ret, "&#%u;", (unsigned)sign);
        else
            text_append_bytes(ret, p, 1);
    }
}

static void
append_count(struct text *ret, int64_t rows)
{
    if (rows < 0)
        text_append(ret, " |");
    else
        text_printf(ret, " %" PRId64 " |", rows);
}

static void
append_table(const struct outcome *outcome, struct text *ret)
{
    bool any = false;
    for (unsigned i = 0; i < TABLES; i++) {
        const struct table_outcome *table = &outcome->tables[i];
        if (!table->asked)
            continue;
        if (!any)
            text_append(ret, "| table | before | deleted | after |\n|---|---:|---:|---:|\n");
        any = true;
        text_printf(ret, "| %s |", table_name(table->table));
        append_count(ret, table->before_rows);
        append_count(ret, table->deleted_rows);
        append_count(ret, table->after_rows);
        text_append(ret, "\n");
    }
    text_append(ret, any ? "\n" : "");
}

void
annotations_append_summary(const struct outcome *outcome, struct text *ret)
{
    TEXT_SCOPED title = {0};
    const struct evidence *evidence = last_look(outcome);
    unsigned count = 0;

    put_title(outcome, &title);
    text_append(ret, "### ");
    append_markdown(ret, text_string(&title));
    text_append(ret, "\n\n");
    append_markdown(ret, sentence_of(outcome));
    text_append(ret, "\n\n");
    append_table(outcome, ret);
    for (size_t i = 0; i < evidence->observation_count && count < MOST_CHECKS; i++) {
        const struct observation *seen = &evidence->observations[i];
        if (!seen->required || seen->verdict == VERDICT_OK)
            continue;
        text_printf(ret, "- **%s** %s: ", seen->check,
                    seen->verdict == VERDICT_DIFFERS ? "differs" : "unknown");
        append_markdown(ret, seen->text);
        text_append(ret, "\n");
        count++;
    }
    text_append(ret, count ? "\n" : "");
}
