#include "dataverse/call.h"

#include <ctype.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* ---- targets ---- */

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/** %XX only: a plus is a plus. NULL when badly encoded. */
static char *
percent_decode(const char *text, size_t bytes)
{
    char *result = malloc(bytes + 1);
    size_t out = 0;
    for (size_t i = 0; result && i < bytes; i++) {
        if (text[i] != '%') {
            result[out++] = text[i];
            continue;
        }
        int high = i + 2 < bytes ? hex_digit(text[i + 1]) : -1;
        int low = i + 2 < bytes ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0 || (high == 0 && low == 0)) {
            free(result);
            return NULL;
        }
        result[out++] = (char)(high * 16 + low);
        i += 2;
    }
    if (result)
        result[out] = '\0';
    return result;
}

static bool
parse_option(struct dv_query *query, const char *text, size_t bytes)
{
    if (bytes == 0)
        return true;
    if (query->count == DV_OPTIONS_MAX)
        return false;
    const char *equals = memchr(text, '=', bytes);
    size_t name_bytes = equals ? (size_t)(equals - text) : bytes;
    char *name = percent_decode(text, name_bytes);
    char *value = equals ? percent_decode(equals + 1, bytes - name_bytes - 1) : strdup("");
    if (!name || !value) {
        free(name);
        free(value);
        return false;
    }
    query->items[query->count].name = name;
    query->items[query->count].value = value;
    query->items[query->count].raw = text;
    query->items[query->count].raw_bytes = bytes;
    query->count++;
    return true;
}

static bool
parse_query(struct dv_query *query, const char *text)
{
    for (;;) {
        size_t bytes = strcspn(text, "&");
        if (!parse_option(query, text, bytes))
            return false;
        if (text[bytes] == '\0')
            return true;
        text += bytes + 1;
    }
}

bool
dv_call_parse(struct dv_call *call)
{
    static const char prefix[] = "/api/data/v9.";
    const char *target = call->target;
    if (strncmp(target, prefix, sizeof(prefix) - 1) != 0)
        return false;
    const char *digit = target + sizeof(prefix) - 1;
    if (digit[0] < '0' || digit[0] > '2' || !strchr("/?", digit[1]))
        return false;
    (void)snprintf(call->api, sizeof(call->api), "v9.%c", digit[0]);
    const char *path = digit + (digit[1] == '/' ? 2 : 1);
    size_t bytes = strcspn(path, "?");
    call->path = percent_decode(path, bytes);
    return call->path && (path[bytes] == '\0' || parse_query(&call->query, path + bytes + 1));
}

void
dv_call_done(struct dv_call *call)
{
    free(call->path);
    call->path = NULL;
    for (size_t i = 0; i < call->query.count; i++) {
        free(call->query.items[i].name);
        free(call->query.items[i].value);
    }
    call->query.count = 0;
}

const char *
dv_header(const struct dv_call *call, const char *name)
{
    return http_headers_get(call->headers, name);
}

const char *
dv_option(const struct dv_call *call, const char *name)
{
    for (size_t i = 0; i < call->query.count; i++) {
        if (strcmp(call->query.items[i].name, name) == 0)
            return call->query.items[i].value;
    }
    return NULL;
}

/* ---- preferences ---- */

/** The value behind a preference's name: `;` and `,` end it unless quoted. */
static void
copy_preference(const char *text, char *ret, size_t size)
{
    size_t out = 0;
    bool quoted = false;
    ret[0] = '\0';
    if (*text != '=')
        return;
    for (text++; *text && (quoted || !strchr(",;", *text)); text++) {
        if (*text == '"')
            quoted = !quoted;
        else if (out + 1 < size)
            ret[out++] = *text;
    }
    while (out > 0 && ret[out - 1] == ' ')
        out--;
    ret[out] = '\0';
}

static bool
preference_in(const char *text, const char *name, char *ret, size_t size)
{
    bool quoted = false;
    bool start = true;
    const size_t bytes = strlen(name);
    for (; *text; text++) {
        if (start && strncasecmp(text, name, bytes) == 0 && strchr("=,; ", text[bytes])) {
            copy_preference(text + bytes, ret, size);
            return true;
        }
        if (*text == '"')
            quoted = !quoted;
        start = !quoted && (strchr(",;", *text) || (start && *text == ' '));
    }
    return false;
}

bool
dv_preference(const struct dv_call *call, const char *name, char *ret, size_t size)
{
    for (size_t i = 0; i < call->headers->count; i++) {
        if (strcasecmp(call->headers->items[i].name, "Prefer") == 0 &&
            preference_in(call->headers->items[i].value, name, ret, size))
            return true;
    }
    return false;
}

/* ---- JSON ---- */

static const char stand_in[] = "\xEE\x80\x80";

cJSON *
dv_parse_json(const char *text, size_t bytes)
{
    char *copy = malloc(bytes + 1);
    size_t out = 0;
    for (size_t i = 0; copy && i < bytes; i++) {
        if (text[i] != '\\' || i + 1 >= bytes) {
            copy[out++] = text[i];
        } else if (i + 5 < bytes && memcmp(text + i, "\\u0000", 6) == 0) {
            memcpy(copy + out, stand_in, 3);
            out += 3;
            i += 5;
        } else {
            copy[out++] = text[i++];
            copy[out++] = text[i];
        }
    }
    if (!copy)
        return NULL;
    copy[out] = '\0';
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(copy, out + 1, &end, true);
    free(copy);
    return json;
}

char *
dv_print_json(const cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    if (!text || !strstr(text, stand_in))
        return text;
    const size_t bytes = strlen(text);
    char *result = malloc(bytes * 2 + 1);
    size_t out = 0;
    for (size_t i = 0; result && i < bytes; i++) {
        if (strncmp(text + i, stand_in, 3) == 0) {
            memcpy(result + out, "\\u0000", 6);
            out += 6;
            i += 2;
        } else {
            result[out++] = text[i];
        }
    }
    if (result)
        result[out] = '\0';
    cJSON_free(text);
    return result;
}

/* ---- answers ---- */

static const char json_type[] = "application/json; odata.metadata=minimal";

void
dv_json(struct dv_call *call, int status, cJSON *json)
{
    char *text = json ? dv_print_json(json) : NULL;
    cJSON_Delete(json);
    http_answer_free(call->answer);
    call->answer->status = text ? status : 500;
    call->answer->body = text;
    call->answer->body_bytes = text ? strlen(text) : 0;
    http_headers_add(&call->answer->headers, "Content-Type", json_type);
}

void
dv_empty(struct dv_call *call, int status)
{
    http_answer_free(call->answer);
    call->answer->status = status;
}

void
dv_error(struct dv_call *call, int status, const char *code, const char *format, ...)
{
    char message[2048];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    cJSON *json = cJSON_CreateObject();
    cJSON *error = cJSON_AddObjectToObject(json, "error");
    (void)cJSON_AddStringToObject(error, "code", code);
    (void)cJSON_AddStringToObject(error, "message", message);
    dv_json(call, status, json);
}

static const char *
next_word(const char *text, char *ret, size_t size)
{
    size_t bytes = strcspn(text, " ");
    (void)snprintf(ret, size, "%.*s", (int)bytes, text);
    text += bytes;
    return text + strspn(text, " ");
}

/** "N", "none", or "date+N": a date N seconds ahead. */
static void
read_wait(const char *text, char *ret, size_t size)
{
    struct tm parts;
    ret[0] = '\0';
    if (strncmp(text, "date+", 5) == 0) {
        const time_t at = time(NULL) + strtol(text + 5, NULL, 10);
        (void)gmtime_r(&at, &parts);
        (void)strftime(ret, size, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    } else if (strcmp(text, "none") != 0) {
        (void)snprintf(ret, size, "%.20s", text);
    }
}

void
dv_fault_error(struct dv_call *call, const struct fault_action *action)
{
    char code[64];
    char word[64];
    char wait[64] = "";
    if (strcmp(action->text, "html") == 0) {
        http_answer_free(call->answer);
        http_answer_text(call->answer, (int)action->arg, "text/html",
                         "<!DOCTYPE html><html><body><h1>The service is unavailable.</h1></body>"
                         "</html>");
        if (action->arg >= 300 && action->arg < 400) /* as a proxy leads elsewhere */
            http_headers_add(&call->answer->headers, "Location", "/elsewhere");
        return;
    }
    const char *message = next_word(action->text, code, sizeof(code));
    const char *behind = next_word(message, word, sizeof(word));
    if (strncmp(word, "retry-after=", 12) == 0) {
        read_wait(word + 12, wait, sizeof(wait));
        message = behind;
    } else if (action->arg == 429) {
        (void)snprintf(wait, sizeof(wait), "1");
    }
    dv_error(call, (int)action->arg, strcmp(code, "-") == 0 ? "" : code, "%s",
             message[0] ? message : "The operation failed.");
    if (wait[0])
        http_headers_add(&call->answer->headers, "Retry-After", wait);
}

void
dv_add_context(const struct dv_call *call, cJSON *object, const char *rest)
{
    char context[4096];
    (void)snprintf(context, sizeof(context), "%s/api/data/%s/$metadata#%s", call->base, call->api,
                   rest);
    (void)cJSON_AddStringToObject(object, "@odata.context", context);
}

static bool
allowed(const struct dv_settings *settings, const struct dv_table *table, const char *verb)
{
    if (table->is_system)
        return strcmp(verb, "Read") == 0 && settings->may_system;
    if (strcmp(verb, "Read") == 0)
        return settings->may_read;
    if (strcmp(verb, "Create") == 0)
        return settings->may_create;
    if (strcmp(verb, "Write") == 0)
        return settings->may_write;
    return settings->may_delete;
}

bool
dv_may(struct dv_call *call, const struct dv_table *table, const char *verb)
{
    if (allowed(call->settings, table, verb))
        return true;
    dv_error(call, 403, "0x80040220",
             "Principal user (Id=%s, type=8, roleCount=1, privilegeCount=104, accessMode='4 "
             "Non-Interactive') is missing prv%s%s privilege on OTC=%d for entity '%s' "
             "(LocalizedName='%s'). context.Caller=%s.",
             call->settings->user_id, verb, table->privilege, table->type_code, table->logical_name,
             table->display_name, call->settings->user_id);
    return false;
}

/* ---- values ---- */

void
dv_uuid(char ret[DV_ID_BYTES])
{
    unsigned char b[16] = {0};
    (void)RAND_bytes(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
    (void)snprintf(ret, DV_ID_BYTES,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
}

bool
dv_guid(const char *text, char ret[DV_ID_BYTES])
{
    char lower[DV_ID_BYTES];
    for (size_t i = 0; i < DV_ID_BYTES - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : hex_digit(text[i]) < 0)
            return false;
        lower[i] = (char)tolower((unsigned char)text[i]);
    }
    if (text[DV_ID_BYTES - 1] != '\0')
        return false;
    lower[DV_ID_BYTES - 1] = '\0';
    memcpy(ret, lower, DV_ID_BYTES);
    return true;
}

size_t
dv_unhex(const char *text, char *ret, size_t size)
{
    size_t count = 0;
    for (; count < size; text += 2) {
        int high = hex_digit(text[0]);
        int low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0)
            break;
        ret[count++] = (char)(high * 16 + low);
    }
    return count;
}

void
dv_now(char ret[32])
{
    struct tm parts;
    const time_t now = time(NULL);
    (void)gmtime_r(&now, &parts);
    (void)strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}
