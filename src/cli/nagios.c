#include "cli/nagios.h"

#include "cli/verified.h"

#include <inttypes.h>
#include <string.h>

enum { TEXT_BYTES = 1024, LINES = 20 };

enum nagios_status
nagios_status(int exit_status)
{
    return exit_status == 0 ? NAGIOS_OK : exit_status == 2 ? NAGIOS_CRITICAL : NAGIOS_UNKNOWN;
}

/** The bar begins the performance data, wherever it stands. */
static void
append_plain(struct text *ret, const char *words)
{
    TEXT_SCOPED shown = {0};
    size_t size = strlen(words);
    if (size > TEXT_BYTES) {
        size = TEXT_BYTES;
        while (size > 0 && ((unsigned char)words[size] & 0xc0) == 0x80)
            size--;
    }
    text_append_shown(&shown, words, size);
    for (const char *p = text_string(&shown); *p;) {
        const size_t part = strcspn(p, "|");
        text_append_bytes(ret, p, part);
        p += part;
        if (*p) {
            text_append(ret, "\\x7c");
            p++;
        }
    }
    if (words[size])
        text_append(ret, "...");
}

static void
append_rows(const struct outcome *outcome, bool rows_wanted, struct text *ret)
{
    static const struct {
        enum table table;
        const char *label;
    } data[] = {{TABLE_PROJECT, "axdb_project_rows"},
                {TABLE_FIELD, "axdb_field_rows"},
                {TABLE_EVENTS, "axdb_event_rows"},
                {TABLE_RUNTIME, "dataverse_rows"}};
    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
        const int64_t rows = verified_rows(outcome, data[i].table);
        if (!outcome->tables[data[i].table].asked)
            continue;
        text_printf(ret, " %s=", data[i].label);
        if (rows < 0)
            text_append(ret, "U");
        else
            text_printf(ret, "%" PRId64 ";;%s;0", rows, rows_wanted ? "" : "0");
    }
}

/** What is required and is not ok; the hint of a failure. */
static void
append_long_text(const struct outcome *outcome, struct text *ret)
{
    const struct evidence *evidence = verified_evidence(outcome);
    unsigned lines = 0;
    if (outcome->err.hint[0]) {
        text_append(ret, "hint: ");
        append_plain(ret, outcome->err.hint);
        text_append(ret, "\n");
    }
    for (size_t i = 0; evidence && i < evidence->observation_count && lines < LINES; i++) {
        const struct observation *seen = &evidence->observations[i];
        if (!seen->required || seen->verdict == VERDICT_OK)
            continue;
        text_printf(ret, "%s %s: ", seen->check,
                    seen->verdict == VERDICT_DIFFERS ? "differs" : "unknown");
        append_plain(ret, seen->text);
        text_append(ret, "\n");
        lines++;
    }
}

void
nagios_render(const struct outcome *outcome, bool rows_wanted, struct text *ret)
{
    static const char *const words[] = {
        [NAGIOS_OK] = "OK", [NAGIOS_CRITICAL] = "CRITICAL", [NAGIOS_UNKNOWN] = "UNKNOWN"};
    const int64_t took_ms = outcome->ended_utc_ms - outcome->started_utc_ms;
    const char *verdict = outcome->verdict && *outcome->verdict ? outcome->verdict
                          : outcome->err.primary[0]             ? outcome->err.primary
                                                                : outcome_word_name(outcome->word);

    text_printf(ret, "DWCLEAN %s - ", words[nagios_status(outcome->exit_status)]);
    append_plain(ret, verdict);
    text_append(ret, " |");
    append_rows(outcome, rows_wanted, ret);
    if (took_ms >= 0)
        text_printf(ret, " seconds=%" PRId64 ".%03ds;;;0", took_ms / 1000, (int)(took_ms % 1000));
    else
        text_append(ret, " seconds=U");
    text_append(ret, "\n");
    append_long_text(outcome, ret);
}
