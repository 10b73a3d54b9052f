/* The top of an item: how it came out, and what was looked at. */
#include "base/clock.h"
#include "html.h"
#include "html_parts.h"
#include "parts.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/** A colour never says anything alone: a sign and the word stand beside it. */
struct look {
    const char *css;
    const char *sign;
};

static struct look
look_of(enum outcome_word word)
{
    switch (parts_colour_of(word)) {
    case COLOUR_GOOD:
        return (struct look){"good", "&#10003;"};
    case COLOUR_WARNING:
        return (struct look){"warn", "&#9888;&#65038;"};
    case COLOUR_BAD:
    case COLOUR_NONE:
    case COLOUR_STRONG:
        break;
    }
    return (struct look){"bad", "&#10007;"};
}

static const char *
changed_text(const struct outcome *outcome)
{
    if (outcome->changed)
        return outcome->word == OUTCOME_UNKNOWN ? "the target may have been changed"
                                                : "yes: see the rows and the timeline";
    return outcome->dry_run ? "nothing: a dry run" : "nothing";
}

static void
join(struct text *out, const char *prefix, const char *value)
{
    if (!value || !*value)
        return;
    text_append(out, out->used ? ", " : "");
    text_append(out, prefix);
    text_append(out, value);
}

static void
write_where(struct text *out, const struct outcome *outcome)
{
    const struct evidence *seen = &outcome->before;
    TEXT_SCOPED environment = {0};
    TEXT_SCOPED axdb = {0};
    TEXT_SCOPED runtime = {0};
    join(&environment, "", outcome->environment);
    join(&environment, "class ", outcome->environment_class);
    html_pair(out, "Environment", text_string(&environment));
    if (seen->axdb) {
        join(&axdb, "", seen->axdb->identity.database);
        text_append(&axdb, " on ");
        text_append(&axdb, seen->axdb->identity.dialled);
    } else if (seen->axdb_asked) {
        text_append(&axdb, "not reached");
    }
    html_pair(out, "AxDB", text_string(&axdb));
    if (seen->runtime) {
        join(&runtime, "", seen->runtime->identity.unique_name);
        join(&runtime, "", seen->runtime->identity.host);
    } else if (seen->runtime_asked) {
        text_append(&runtime, "not reached");
    }
    html_pair(out, "Dataverse", text_string(&runtime));
}

static void
write_when(struct text *out, const struct outcome *outcome)
{
    const int64_t took_ms = outcome->ended_utc_ms - outcome->started_utc_ms;
    if (outcome->started_utc_ms <= 0)
        return;
    text_append(out, "<dt>Time</dt><dd>");
    html_time(out, outcome->started_utc_ms);
    text_append(out, " UTC");
    if (took_ms >= 0)
        text_printf(out, ", took %" PRId64 ".%03d s", took_ms / 1000, (int)(took_ms % 1000));
    text_append(out, "</dd>\n");
}

static void
write_error(struct text *out, const struct outcome *outcome)
{
    const struct err *err = &outcome->err;
    if (err->code == ERR_NONE)
        return;
    text_append(out, "<div class=\"box\">\n<dl>\n");
    if (!outcome->verdict || strcmp(outcome->verdict, err->primary) != 0)
        html_pair(out, "Error", err->primary);
    html_pair(out, "Kind of error", err_name(err->code));
    html_pair(out, "Detail", err->detail);
    html_pair(out, "Hint", err->hint);
    text_append(out, "</dl>\n</div>\n");
}

static void
write_sentence(struct text *out, const char *term, const struct outcome *outcome,
               void (*sentence)(const struct outcome *outcome, struct text *ret))
{
    TEXT_SCOPED line = {0};
    sentence(outcome, &line);
    html_pair(out, term, text_string(&line));
}

/** What the command is about, where that is not simply every row. */
static void
write_about(struct text *out, const struct outcome *outcome)
{
    write_sentence(out, "Dry run", outcome, parts_dry_run_text);
    if (outcome->settled)
        html_pair(out, "COMMIT", parts_settled_text(outcome->settled));
    html_pair(out, "Scope", outcome->scope);
    html_pair(out, "Puts back run", outcome->undoes);
    if (parts_is_undo(outcome))
        html_pair(out, "Warning", parts_old_link_text(outcome));
    write_sentence(out, "Not put back", outcome, parts_not_put_back_text);
    write_sentence(out, "New values", outcome, parts_lost_text);
}

void
html_write_verdict(struct text *out, const struct outcome *outcome, size_t index)
{
    const struct look look = look_of(outcome->word);
    char status[16];
    text_printf(out,
                "<div class=\"verdict %s\">\n<h2 id=\"e%zu-verdict\"><span "
                "aria-hidden=\"true\">%s</span> ",
                look.css, index, look.sign);
    for (const char *p = outcome_word_name(outcome->word); *p; p++)
        text_printf(out, "%c", toupper((unsigned char)*p));
    text_append(out, "</h2>\n");
    html_paragraph(out, "lead", outcome->verdict);
    text_append(out, "</div>\n");
    write_error(out, outcome);
    html_list_open(out);
    html_pair(out, "Command", outcome->command);
    write_where(out, outcome);
    write_when(out, outcome);
    html_pair(out, "Changed", changed_text(outcome));
    (void)snprintf(status, sizeof(status), "%d", outcome->exit_status);
    html_pair(out, "Exit status", status);
    write_about(out, outcome);
    html_list_close(out);
}

/* ---- target */

static void
write_restore(struct text *out, const struct axdb_identity *identity)
{
    TEXT_SCOPED line = {0};
    if (!identity->restore_known) {
        html_pair(out, "Restored", "not known");
        return;
    }
    join(&line, "", identity->restored_at);
    join(&line, "from ", identity->restored_from_server);
    join(&line, "database ", identity->restored_from_database);
    join(&line, "backup of ", identity->backup_finished_at);
    html_pair(out, "Restored", text_string(&line));
}

static void
write_axdb(struct text *out, const struct axdb_identity *identity)
{
    TEXT_SCOPED state = {0};
    join(&state, "", identity->state);
    join(&state, "", identity->user_access);
    join(&state, "", identity->read_only ? "read-only" : NULL);
    join(&state, "", identity->replica ? "a replica that may lag" : NULL);
    html_list_open(out);
    html_pair(out, "Server", identity->dialled);
    html_pair(out, "Calls itself", identity->server_name);
    html_pair(out, "Version", identity->product);
    html_pair(out, "Database", identity->database);
    html_pair(out, "State", text_string(&state));
    html_pair(out, "Created", identity->created);
    write_restore(out, identity);
    html_pair(out, "Recovery fork", identity->recovery_fork);
    html_pair(out, "Login", identity->login);
    html_pair(out, "Encryption", identity->encryption);
    html_list_close(out);
}

static void
write_runtime(struct text *out, const struct runtime_identity *identity)
{
    html_list_open(out);
    html_pair(out, "Organization", identity->unique_name);
    html_pair(out, "Organization id", identity->organization_id);
    html_pair(out, "Friendly name", identity->friendly_name);
    html_pair(out, "Environment id", identity->environment_id);
    html_pair(out, "Host", identity->host);
    if (identity->host && identity->dialled_host &&
        !text_equal_nocase(identity->host, identity->dialled_host))
        html_pair(out, "Asked for as", identity->dialled_host);
    html_pair(out, "Version", identity->version);
    html_pair(out, "Signed-in user", identity->user_id);
    html_pair(out, "Linked to",
              !identity->link_known ? "not known"
              : identity->linked    ? identity->fno_url
                                    : "none: not linked");
    html_list_close(out);
}

/** A half that shows nothing, and why. */
static void
write_missing(struct text *out, bool asked, const struct err *err)
{
    if (!asked) {
        html_paragraph(out, "dim", "Not asked for.");
        return;
    }
    html_list_open(out);
    html_pair(out, "Not reached", err->code == ERR_NONE ? "no error was given" : err->primary);
    html_pair(out, "Detail", err->detail);
    html_pair(out, "Hint", err->hint);
    html_list_close(out);
}

void
html_write_target(struct text *out, const struct outcome *outcome)
{
    const struct evidence *seen = &outcome->before;
    if (!seen->axdb_asked && !seen->runtime_asked)
        return;
    html_section_open(out, "Target");
    text_append(out, "<div class=\"halves\">\n<div>\n<h4>Finance and operations (AxDB)</h4>\n");
    if (seen->axdb)
        write_axdb(out, &seen->axdb->identity);
    else
        write_missing(out, seen->axdb_asked, &seen->axdb_err);
    text_append(out, "</div>\n<div>\n<h4>Dataverse</h4>\n");
    if (seen->runtime)
        write_runtime(out, &seen->runtime->identity);
    else
        write_missing(out, seen->runtime_asked, &seen->runtime_err);
    text_append(out, "</div>\n</div>\n");
    html_section_close(out);
}
