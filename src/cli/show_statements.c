/* show PLAN --statements: what apply would send, one after the other. */
#include "base/text.h"
#include "cli/show_plan.h"
#include "core/preview.h"

#include <string.h>

enum { FLUSH_BYTES = 256 * 1024, COMMENT_WIDTH = 78 };

/** Statements on their way out, in one of the two forms. */
struct shown {
    const struct show_plan_job *job;
    struct text *text;
    struct json_writer *json; /* NULL = text */
    int number;
};

/** Lines of a statement: they come from our own files, but for names out of the plan. A backslash
 * stays one, since a statement is copied. */
static void
append_lines(struct text *out, const char *text)
{
    while (*text) {
        const size_t size = strcspn(text, "\n\r\\");
        text_append_shown(out, text, size);
        text += size;
        if (*text == '\n' || *text == '\\')
            text_append_bytes(out, text, 1);
        text += *text ? 1 : 0;
    }
}

/** "--    (...)", broken at blanks. */
static void
write_comment(struct text *out, const char *lead, const char *comment)
{
    size_t at = 0;
    text_printf(out, "--    (%s", lead);
    for (at = 7 + strlen(lead); *comment;) {
        const size_t size = strcspn(comment, " ");
        if (at + size > COMMENT_WIDTH) {
            text_append(out, "\n--     ");
            at = 7;
        }
        text_append_bytes(out, comment, size);
        comment += size;
        at += size + 1;
        if (*comment) {
            text_append(out, " ");
            comment++;
        }
    }
    text_append(out, ")\n");
}

static void
write_text(struct shown *shown, const char *phase, const char *to,
           const struct shown_statement *statement)
{
    struct text *out = shown->text;
    text_printf(out, "\n-- %d. %s, %s: %s\n", shown->number, phase, to, statement->purpose);
    if (statement->only_when)
        write_comment(out, "only when ", statement->only_when);
    if (statement->note)
        write_comment(out, "", statement->note);
    append_lines(out, statement->text + strspn(statement->text, "\n"));
    if (out->used > 0 && out->data[out->used - 1] != '\n')
        text_append(out, "\n");
}

static void
write_json(struct shown *shown, const char *phase, const char *to,
           const struct shown_statement *statement)
{
    struct json_writer *json = shown->json;
    json_open(json, NULL, '{');
    json_int(json, "number", shown->number);
    json_string(json, "phase", phase);
    json_string(json, "to", to);
    json_string(json, "purpose", statement->purpose);
    json_string(json, "only_when", statement->only_when);
    json_string(json, "note", statement->note);
    json_string(json, "text", statement->text);
    json_close(json, '{');
}

static bool
take(void *ctx, const char *phase, const char *to, const struct shown_statement *statement,
     struct err *err)
{
    struct shown *shown = ctx;
    shown->number++;
    if (shown->json)
        write_json(shown, phase, to, statement);
    else
        write_text(shown, phase, to, statement);
    if (!text_ok(shown->text, err))
        return false;
    if (shown->text->used < FLUSH_BYTES)
        return true;
    if (!output_text(shown->job->output, shown->text, err))
        return false;
    text_reset(shown->text);
    return true;
}

static bool
run(struct shown *shown, const struct plan_summary *summary, struct err *err)
{
    const struct preview_job job = {.saved = shown->job->saved,
                                    .summary = summary,
                                    .axdb = shown->job->axdb,
                                    .runtime = shown->job->runtime};
    const struct preview_sink sink = {.ctx = shown, .take = take};
    return preview_run(&job, &sink, err);
}

bool
show_plan_statements(const struct show_plan_job *job, const struct plan_summary *summary,
                     struct text *out, struct err *err)
{
    struct shown shown = {.job = job, .text = out};
    text_append(out,
                "\nStatements of apply, in order\n"
                "  Not listed: what follows a failure (a rolled back transaction, who holds a\n"
                "  lock, the look that settles a COMMIT without an answer), another try after\n"
                "  an answer that asks for it, and single statements for a server that does\n"
                "  not take a batch whole.\n"
                "  Known at run time only: $(lock_timeout_ms) is --lock-timeout; HOST is the\n"
                "  host of --dataverse-url; AUTHORITY and TENANT are options, or what the\n"
                "  service names; ENTITY_SET, KEY_COLUMN, READ_PRIVILEGE, DELETE_PRIVILEGE\n"
                "  stand in the table's definition; USER_ID is the application user's; TOKEN\n"
                "  and SIGN_IN_FORM are secret; REQUEST_ID and BOUNDARY are new each time.\n");
    return run(&shown, summary, err);
}

bool
show_plan_statements_json(const struct show_plan_job *job, const struct plan_summary *summary,
                          struct json_writer *json, struct err *err)
{
    struct shown shown = {.job = job, .text = json->out, .json = json};
    json_open(json, "statements", '[');
    if (!run(&shown, summary, err))
        return false;
    json_close(json, '[');
    return true;
}
