#include "common/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A runaway client must not fill the memory: what comes after this is dropped and counted. */
enum { LOG_MAX_BYTES = 256 * 1024 * 1024 };

struct sandbox_log {
    pthread_mutex_t lock;
    FILE *file;
    char *text;
    size_t used, size;
    size_t line_start;
    uint64_t seq;
    bool line_broken;
    struct timespec start;
};

struct sandbox_log *
sandbox_log_new(const char *path_or_null)
{
    struct sandbox_log *log = calloc(1, sizeof(*log));
    if (!log)
        return NULL;
    if (path_or_null) {
        log->file = fopen(path_or_null, "we");
        if (!log->file) {
            free(log);
            return NULL;
        }
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &log->start);
    if (pthread_mutex_init(&log->lock, NULL) != 0) {
        if (log->file)
            (void)fclose(log->file);
        free(log);
        return NULL;
    }
    return log;
}

void
sandbox_log_free(struct sandbox_log *log)
{
    if (!log)
        return;
    if (log->file)
        (void)fclose(log->file);
    (void)pthread_mutex_destroy(&log->lock);
    free(log->text);
    free(log);
}

static bool
reserve(struct sandbox_log *log, size_t more)
{
    if (log->used + more <= log->size)
        return true;
    if (log->used + more > LOG_MAX_BYTES)
        return false;
    size_t size = log->size ? log->size : 65536;
    while (size < log->used + more)
        size *= 2;
    char *text = realloc(log->text, size);
    if (!text)
        return false;
    log->text = text;
    log->size = size;
    return true;
}

static void
put(struct sandbox_log *log, const char *bytes, size_t count)
{
    if (log->line_broken || !reserve(log, count)) {
        log->line_broken = true;
        return;
    }
    memcpy(log->text + log->used, bytes, count);
    log->used += count;
}

static void
put_text(struct sandbox_log *log, const char *text)
{
    put(log, text, strlen(text));
}

/** Length of the well-formed UTF-8 sequence at `s`, or 0. */
static size_t
utf8_length(const unsigned char *s)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    for (size_t more = 0; more < 4; more++) {
        if ((s[0] & forms[more].mask) != forms[more].lead)
            continue;
        uint32_t code = s[0] & (unsigned char)~forms[more].mask;
        for (size_t i = 1; i <= more; i++) {
            if ((s[i] & 0xC0) != 0x80)
                return 0;
            code = code << 6 | (s[i] & 0x3FU);
        }
        bool surrogate = code >= 0xD800 && code <= 0xDFFF;
        return code < forms[more].least || code > 0x10FFFF || surrogate ? 0 : more + 1;
    }
    return 0;
}

static void
put_escaped(struct sandbox_log *log, unsigned char c)
{
    char escape[8];
    if (c == '"' || c == '\\')
        (void)snprintf(escape, sizeof(escape), "\\%c", c);
    else if (c == '\n')
        (void)snprintf(escape, sizeof(escape), "\\n");
    else
        (void)snprintf(escape, sizeof(escape), "\\u%04x", c);
    put_text(log, escape);
}

/* ASCII that stands in a JSON string as it is. */
static size_t
plain_length(const unsigned char *s)
{
    size_t n = 0;
    while (s[n] >= 0x20 && s[n] < 0x7F && s[n] != '"' && s[n] != '\\')
        n++;
    return n;
}

static void
put_json_string(struct sandbox_log *log, const char *value)
{
    const unsigned char *s = (const unsigned char *)(value ? value : "");
    put_text(log, "\"");
    while (*s) {
        size_t plain = plain_length(s), length = plain ? plain : utf8_length(s);
        if (plain) {
            put(log, (const char *)s, plain);
            s += plain;
        } else if (length == 0) {
            put_text(log, "\\ufffd");
            s++;
        } else if (length == 1 && (*s < 0x20 || *s == 0x7F || *s == '"' || *s == '\\')) {
            put_escaped(log, *s);
            s++;
        } else {
            put(log, (const char *)s, length);
            s += length;
        }
    }
    put_text(log, "\"");
}

static int64_t
elapsed_ms(const struct sandbox_log *log)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)(now.tv_sec - log->start.tv_sec) * 1000 +
           (now.tv_nsec - log->start.tv_nsec) / 1000000;
}

static void
end_line(struct sandbox_log *log)
{
    put_text(log, "}\n");
    if (log->line_broken) {
        log->used = log->line_start;
        log->line_broken = false;
        return;
    }
    if (log->file) {
        (void)fwrite(log->text + log->line_start, 1, log->used - log->line_start, log->file);
        (void)fflush(log->file);
    }
}

void
sandbox_log_add(struct sandbox_log *log, const char *kind, int session, ...)
{
    if (!log)
        return;
    char number[96];
    va_list fields;
    va_start(fields, session);
    (void)pthread_mutex_lock(&log->lock);
    log->line_start = log->used;
    log->seq++;
    (void)snprintf(number, sizeof(number),
                   "{\"seq\":%llu,\"ms\":%lld,\"kind\":", (unsigned long long)log->seq,
                   (long long)elapsed_ms(log));
    put_text(log, number);
    put_json_string(log, kind);
    (void)snprintf(number, sizeof(number), ",\"session\":%d", session);
    put_text(log, number);
    for (const char *name = va_arg(fields, const char *); name;
         name = va_arg(fields, const char *)) {
        const char *value = va_arg(fields, const char *);
        put_text(log, ",");
        put_json_string(log, name);
        put_text(log, ":");
        put_json_string(log, value);
    }
    end_line(log);
    (void)pthread_mutex_unlock(&log->lock);
    va_end(fields);
}

char *
sandbox_log_text(struct sandbox_log *log, size_t *ret_bytes)
{
    (void)pthread_mutex_lock(&log->lock);
    char *copy = malloc(log->used + 1);
    size_t used = log->used;
    if (copy) {
        if (used > 0)
            memcpy(copy, log->text, used);
        copy[used] = '\0';
    }
    (void)pthread_mutex_unlock(&log->lock);
    if (copy && ret_bytes)
        *ret_bytes = used;
    return copy;
}

void
sandbox_log_clear(struct sandbox_log *log)
{
    (void)pthread_mutex_lock(&log->lock);
    log->used = 0;
    if (log->file) {
        (void)fflush(log->file);
        rewind(log->file);
        if (ftruncate(fileno(log->file), 0) != 0)
            (void)fputs("{\"kind\":\"not-truncated\"}\n", log->file);
    }
    (void)pthread_mutex_unlock(&log->lock);
}
