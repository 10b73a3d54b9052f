#include "cli/explain.h"

#include "base/cancel.h"
#include "core/symptom.h"
#include "report/json_writer.h"
#include "report/layout.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK_BYTES = 16 * 1024, POLL_MS = 250, TEXT_COLUMN = 14 };

/* ---- the text */

static bool
too_long(struct err *err)
{
    (void)err_set(err, ERR_USAGE, "the text is longer than %d bytes", SYMPTOM_TEXT_MAX_BYTES);
    return err_hint(err, "Give the part with the message, and the lines around it.");
}

/** More of `fd`; a stop signal ends the wait. */
static bool
read_more(int fd, struct text *ret, bool *ret_end, struct err *err)
{
    char bytes[CHUNK_BYTES];
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (!cancel_check(err))
        return false;
    /* a signal may come just before the wait: it is looked for again soon */
    if (poll(&ready, 1, POLL_MS) <= 0)
        return true;
    const ssize_t size = read(fd, bytes, sizeof(bytes));
    if (size < 0)
        return errno == EINTR || errno == EAGAIN ||
               err_errno(err, ERR_CONFIG, errno, "read standard input");
    text_append_bytes(ret, bytes, (size_t)size);
    *ret_end = size == 0;
    return ret->used <= SYMPTOM_TEXT_MAX_BYTES || too_long(err);
}

static bool
read_all(int fd, struct text *ret, struct err *err)
{
    bool end = false;
    while (!end) {
        if (!read_more(fd, ret, &end, err))
            return false;
    }
    return true;
}

static bool
is_blank(const struct text *text)
{
    return strspn(text_string(text), " \t\r\n") == text->used;
}

bool
explain_take_text(const char *operand, int fd, struct text *ret, bool *ret_list, struct err *err)
{
    assert(ret && ret_list && err);
    const bool from_stdin = !operand || strcmp(operand, "-") == 0;
    *ret_list = !operand && isatty(fd) == 1;
    if (*ret_list)
        return true;
    if (!from_stdin)
        text_append(ret, operand);
    else if (!read_all(fd, ret, err))
        return false;
    if (!text_ok(ret, err))
        return false;
    if (ret->used > SYMPTOM_TEXT_MAX_BYTES)
        return too_long(err);
    if (!is_blank(ret))
        return true;
    (void)err_set(err, ERR_USAGE, "the text is empty");
    return err_hint(err, "Paste the message: dwclean explain 'TEXT', or dwclean explain < FILE. "
                         "At a terminal, dwclean explain lists every symptom that is known.");
}

/* ---- all that is known */

static void
list_one(const struct layout *layout, const struct symptom *symptom)
{
    text_printf(layout->out, "  %-*s", TEXT_COLUMN - 2, symptom->id);
    layout_flow(layout, TEXT_COLUMN, symptom->title);
    for (size_t i = 0; i < SYMPTOM_TEXTS && symptom->texts[i]; i++)
        text_printf(layout->out, "%*s\"%s\"\n", TEXT_COLUMN, "", symptom->texts[i]);
    if (symptom->sign) {
        text_printf(layout->out, "%*s", TEXT_COLUMN, "");
        layout_flow(layout, TEXT_COLUMN, symptom->sign);
    }
}

static void
list_text(const struct output *output, struct text *ret)
{
    const struct layout layout = {
        .out = ret, .width = output->place.width, .colour = output->place.colour};
    size_t count = 0;
    const struct symptom *all = symptoms(&count);
    text_append(ret, "Symptoms, each with a part of its message, or with what is seen:\n");
    for (size_t i = 0; i < count; i++)
        list_one(&layout, &all[i]);
    text_append(ret, "\n"
                     "dwclean explain S05        cause and steps of one\n"
                     "dwclean explain 'TEXT'     those that a message shows\n"
                     "dwclean explain < FILE     the same, of a log or a trace\n"
                     "With -S and -d, --dataverse-url or --env: does the target show it?\n");
}

static void
put_strings(struct json_writer *json, const char *name, const char *const *strings, size_t most)
{
    json_open(json, name, '[');
    for (size_t i = 0; i < most && strings[i]; i++)
        json_string(json, NULL, strings[i]);
    json_close(json, '[');
}

static void
list_json(struct text *ret)
{
    struct json_writer json = {.out = ret};
    size_t count = 0;
    const struct symptom *all = symptoms(&count);
    json_open(&json, NULL, '{');
    json_string(&json, "schema_version", "1");
    json_open(&json, "symptoms", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&json, NULL, '{');
        json_string(&json, "id", all[i].id);
        json_string(&json, "title", all[i].title);
        put_strings(&json, "texts", all[i].texts, SYMPTOM_TEXTS);
        json_string(&json, "sign", all[i].sign);
        json_string(&json, "cause", all[i].cause);
        put_strings(&json, "steps", all[i].steps, SYMPTOM_STEPS);
        json_string(&json, "checks", all[i].checks);
        json_string(&json, "source", all[i].source);
        json_close(&json, '{');
    }
    json_close(&json, '[');
    json_close(&json, '{');
    text_append(ret, "\n");
}

bool
explain_list(const struct output *output, struct err *err)
{
    assert(output && err);
    TEXT_SCOPED text = {0};
    if (output->form == REPORT_JSON)
        list_json(&text);
    else
        list_text(output, &text);
    return text_ok(&text, err) && output_text(output, &text, err);
}
