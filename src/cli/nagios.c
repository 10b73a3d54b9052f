#include "cli/nagios.h"

#include "report/verified.h"

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

static const struct {
    enum table table;
    const char *label;
} perfdata[] = {{TABLE_PROJECT, "axdb_project_rows"},
                {TABLE_FIELD, "axdb_field_rows"},
                {TABLE_EVENTS, "axdb_event_rows"},
                {TABLE_RUNTIME, "dataverse_rows"}};

static void
append_number(int64_t rows, bool rows_wanted, struct text *ret)
{
    if (rows < 0)
        text_append(ret, "U");
    else
        text_printf(ret, "%" PRId64 ";;%s;0", rows, rows_wanted ? "" : "0");
}

static void
append_rows(const struct outcome *outcome, bool rows_wanted, struct text *ret)
{
    for (size_t i = 0; i < sizeof(perfdata) / sizeof(perfdata[0]); i++) {
        if (!outcome->tables[perfdata[i].table].asked)
            continue;
        text_printf(ret, " %s=", perfdata[i].label);
        append_number(verified_rows(outcome, perfdata[i].table), rows_wanted, ret);
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

static const char *const words[] = {
    [NAGIOS_OK] = "OK", [NAGIOS_CRITICAL] = "CRITICAL", [NAGIOS_UNKNOWN] = "UNKNOWN"};

static void
append_seconds(int64_t took_ms, struct text *ret)
{
    if (took_ms >= 0)
        text_printf(ret, " seconds=%" PRId64 ".%03ds;;;0", took_ms / 1000, (int)(took_ms % 1000));
    else
        text_append(ret, " seconds=U");
    text_append(ret, "\n");
}

void
nagios_render(const struct outcome *outcome, bool rows_wanted, struct text *ret)
{
    const int64_t took_ms = outcome->ended_utc_ms - outcome->started_utc_ms;
    const char *verdict = outcome->verdict && *outcome->verdict ? outcome->verdict
                          : outcome->err.primary[0]             ? outcome->err.primary
                                                                : outcome_word_name(outcome->word);

    text_printf(ret, "DWCLEAN %s - ", words[nagios_status(outcome->exit_status)]);
    append_plain(ret, verdict);
    text_append(ret, " |");
    append_rows(outcome, rows_wanted, ret);
    append_seconds(took_ms, ret);
    append_long_text(outcome, ret);
}

/** A label of a member: quoted, since names may hold blanks; no quote and no = may stand in it. */
static void
append_label(const char *name, const char *label, struct text *ret)
{
    text_append(ret, " '");
    for (const char *p = name; *p; p++)
        text_append_bytes(ret, strchr("'=|", *p) ? "_" : p, 1);
    text_printf(ret, " %s'=", label);
}

void
nagios_render_fleet(const struct fleet *fleet, bool rows_wanted, struct text *ret)
{
    TEXT_SCOPED verdict = {0};
    fleet_verdict(fleet, &verdict);
    text_printf(ret, "DWCLEAN %s - ", words[nagios_status(fleet_exit_status(fleet))]);
    append_plain(ret, text_string(&verdict));
    text_append(ret, " |");
    for (size_t i = 0; i < fleet->count; i++) {
        for (size_t j = 0; j < sizeof(perfdata) / sizeof(perfdata[0]); j++) {
            append_label(fleet->members[i].name, perfdata[j].label, ret);
            append_number(fleet->members[i].rows[perfdata[j].table], rows_wanted, ret);
        }
    }
    append_seconds(fleet->duration_ms, ret);
    for (size_t i = 0; i < fleet->count; i++) {
        const struct fleet_member *member = &fleet->members[i];
        if (member->exit_status == 0)
            continue;
        append_plain(ret, member->name);
        text_append(ret, ": ");
        append_plain(ret, text_string(&member->verdict));
        text_append(ret, "\n");
    }
}
