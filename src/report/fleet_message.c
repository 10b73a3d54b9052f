/* What the process that looks at one environment sends: "dwclean 1 HEADER-BYTES REPORT-BYTES\n",
 * a summary in JSON, and the report. */
#include "fleet_parts.h"
#include "report/json_writer.h"
#include "report/verified.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD"
enum { FRAME_BYTES = 64, HEADER_MAX_BYTES = 64 * 1024, VERDICT_MAX_BYTES = 8 * 1024 };

/* ---- write */

/** Rows that the scope is about; -1 = of one table it is not known, or the half was not asked. */
static int64_t
rows_of(const struct outcome *outcome, bool runtime)
{
    int64_t sum = -1;
    for (unsigned i = 0; i < TABLES; i++) {
        const struct table_outcome *table = &outcome->tables[i];
        const int64_t kept = table->kept_rows > 0 ? table->kept_rows : 0;
        if (!table->asked || (i == TABLE_RUNTIME) != runtime)
            continue;
        if (table->before_rows < 0)
            return -1;
        sum = (sum < 0 ? 0 : sum) + table->before_rows - kept;
    }
    return sum;
}

static void
write_header(const struct outcome *outcome, const char *name, struct text *ret)
{
    struct json_writer json = {.out = ret};
    const struct err *err = &outcome->err;
    json_open(&json, NULL, '{');
    json_string(&json, "environment", name);
    json_string(&json, "command", outcome->command);
    json_string(&json, "outcome", outcome_word_name(outcome->word));
    json_int(&json, "exit_status", outcome->exit_status);
    json_string(&json, "verdict", outcome->verdict ? outcome->verdict : "");
    json_count(&json, "axdb_rows", rows_of(outcome, false));
    json_count(&json, "runtime_rows", rows_of(outcome, true));
    for (unsigned i = 0; i < TABLES; i++)
        json_count(&json, table_key((enum table)i), verified_rows(outcome, (enum table)i));
    json_string(&json, "code", err_name(err->code));
    json_bool(&json, "transient", err->code != ERR_NONE && err->transient);
    json_string(&json, "primary", err->code == ERR_NONE ? "" : err->primary);
    json_string(&json, "detail", err->code == ERR_NONE ? "" : err->detail);
    json_string(&json, "hint", err->code == ERR_NONE ? "" : err->hint);
    json_close(&json, '{');
}

bool
fleet_write_message(const struct outcome *outcome, const char *name, enum report_form form,
                    const struct report_place *place, struct text *ret, struct err *err)
{
    assert(outcome && name && place && ret && err);
    TEXT_SCOPED header = {.max = HEADER_MAX_BYTES};
    TEXT_SCOPED report = {.max = FLEET_MESSAGE_MAX_BYTES - HEADER_MAX_BYTES - FRAME_BYTES};

    write_header(outcome, name, &header);
    if (!fleet_write_item(outcome, form, place, &report, err) || !text_ok(&header, err) ||
        !text_ok(&report, err))
        return false;
    text_printf(ret, "dwclean 1 %zu %zu\n", header.used, report.used);
    text_append_bytes(ret, text_string(&header), header.used);
    text_append_bytes(ret, text_string(&report), report.used);
    return text_ok(ret, err);
}

/* ---- read */

/** The two parts, of sizes that add up to exactly what came. */
struct frame {
    const char *header, *report;
    size_t header_size, report_size;
};

static bool
read_frame(const struct text *message, struct frame *ret)
{
    char line[FRAME_BYTES] = "", again[FRAME_BYTES];
    const char *bytes = text_string(message);
    const char *end =
        memchr(bytes, '\n', message->used < FRAME_BYTES ? message->used : FRAME_BYTES - 1);
    size_t header = 0, report = 0;
    if (message->broken || !end)
        return false;
    memcpy(line, bytes, (size_t)(end - bytes));
    if (sscanf(line, "dwclean 1 %zu %zu", &header, &report) != 2) /* NOLINT(cert-err34-c) */
        return false;
    /* the one way to write these numbers: no sign, no blank, no overflow */
    (void)snprintf(again, sizeof(again), "dwclean 1 %zu %zu", header, report);
    const size_t rest = message->used - (size_t)(end + 1 - bytes);
    if (strcmp(line, again) != 0 || header > HEADER_MAX_BYTES || header > rest ||
        report != rest - header)
        return false;
    *ret = (struct frame){end + 1, end + 1 + header, header, report};
    return true;
}

static const char *
string_of(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

/** A text of an err, cut to `size` - 1 bytes: on its way each byte that was not UTF-8 (half a
 * character at the end of a text that was cut) became a U+FFFD. */
static bool
take(const cJSON *object, const char *name, char *ret, size_t size)
{
    const char *value = string_of(object, name);
    size_t used = value ? strlen(value) : 0;
    if (!value || used > (size - 1) * strlen(REPLACEMENT))
        return false;
    used = used < size ? used : size - 1;
    while (used > 0 && ((unsigned char)value[used] & 0xC0) == 0x80)
        used--;
    memcpy(ret, value, used);
    ret[used] = '\0';
    return true;
}

static bool
take_code(const cJSON *object, enum err_code *ret)
{
    const char *name = string_of(object, "code");
    for (unsigned i = 0; name && i < ERR_CODES; i++) {
        if (strcmp(err_name((enum err_code)i), name) == 0) {
            *ret = (enum err_code)i;
            return true;
        }
    }
    return false;
}

static bool
take_word(const cJSON *object, enum outcome_word *ret)
{
    const char *name = string_of(object, "outcome");
    for (unsigned i = 0; name && i <= OUTCOME_INTERRUPTED; i++) {
        if (strcmp(outcome_word_name((enum outcome_word)i), name) == 0) {
            *ret = (enum outcome_word)i;
            return true;
        }
    }
    return false;
}

/** Digits in a string, or null for -1. */
static bool
take_rows(const cJSON *object, const char *name, int64_t *ret)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    const char *text = cJSON_GetStringValue(value);
    if (cJSON_IsNull(value)) {
        *ret = -1;
        return true;
    }
    enum { MOST_DIGITS = 18 };
    if (!text || !*text || strlen(text) > MOST_DIGITS || text[strspn(text, "0123456789")])
        return false;
    *ret = strtoll(text, NULL, 10);
    return true;
}

static bool
is_number(const cJSON *object, const char *name, int number)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(value) && cJSON_GetNumberValue(value) == (double)number;
}

static bool
is_string(const cJSON *object, const char *name, const char *text)
{
    const char *value = string_of(object, name);
    return value && strcmp(value, text) == 0;
}

/** 0 is said of what is well, and of nothing else. */
static bool
fits(enum outcome_word word, int exit_status)
{
    const bool well = word == OUTCOME_CLEAN || word == OUTCOME_READY;
    return well == (exit_status == 0);
}

static bool
take_tables(const cJSON *object, int64_t ret[TABLES])
{
    for (unsigned i = 0; i < TABLES; i++) {
        if (!take_rows(object, table_key((enum table)i), &ret[i]))
            return false;
    }
    return true;
}

static bool
take_header(const cJSON *object, int exit_status, struct fleet_member *ret)
{
    const char *verdict = string_of(object, "verdict");
    const cJSON *transient = cJSON_GetObjectItemCaseSensitive(object, "transient");
    if (!is_string(object, "environment", ret->name) ||
        !is_number(object, "exit_status", exit_status) || !verdict ||
        strlen(verdict) > VERDICT_MAX_BYTES || !cJSON_IsBool(transient))
        return false;
    ret->err.transient = cJSON_IsTrue(transient);
    ret->exit_status = exit_status;
    text_append(&ret->verdict, verdict);
    return take_word(object, &ret->word) && fits(ret->word, exit_status) &&
           take_rows(object, "axdb_rows", &ret->axdb_rows) &&
           take_rows(object, "runtime_rows", &ret->runtime_rows) &&
           take_tables(object, ret->rows) && take_code(object, &ret->err.code) &&
           take(object, "primary", ret->err.primary, sizeof(ret->err.primary)) &&
           take(object, "detail", ret->err.detail, sizeof(ret->err.detail)) &&
           take(object, "hint", ret->err.hint, sizeof(ret->err.hint));
}

/** A report in JSON will stand inside a document of ours. */
static bool
report_fits(const struct frame *frame, const struct fleet_member *member)
{
    const char *end = NULL;
    cJSON *report = cJSON_ParseWithLengthOpts(frame->report, frame->report_size, &end, 0);
    bool ok = cJSON_IsObject(report) &&
              is_string(report, "outcome", outcome_word_name(member->word)) &&
              is_number(report, "exit_status", member->exit_status);
    for (; ok && end < frame->report + frame->report_size; end++)
        ok = *end == '\n';
    cJSON_Delete(report);
    return ok;
}

static bool
not_believed(struct err *err)
{
    (void)err_set(err, ERR_INTERNAL, "its process sent no report that can be believed");
    return err_hint(err, "Look at it alone; the messages above may say more.");
}

bool
fleet_read_message(const struct text *message, int exit_status, enum report_form form,
                   struct fleet_member *ret, struct err *err)
{
    assert(message && ret && ret->name && err);
    struct frame frame = {0};
    struct fleet_member read = *ret;

    if (!read_frame(message, &frame))
        return not_believed(err);
    read.verdict = (struct text){0};
    read.report = (struct text){.max = FLEET_MESSAGE_MAX_BYTES};
    read.err = (struct err){0};
    read.settled = true;
    read.answered = true;
    cJSON *header = cJSON_ParseWithLength(frame.header, frame.header_size);
    const bool ok = cJSON_IsObject(header) && take_header(header, exit_status, &read) &&
                    (form != REPORT_JSON || report_fits(&frame, &read));
    cJSON_Delete(header);
    text_append_bytes(&read.report, frame.report, frame.report_size);
    if (!ok || read.report.broken || read.verdict.broken) {
        text_done(&read.verdict);
        text_done(&read.report);
        return not_believed(err);
    }
    text_done(&ret->verdict);
    text_done(&ret->report);
    *ret = read;
    return true;
}
