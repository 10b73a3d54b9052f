#include "metrics_old.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { LABELS = 16, VALUE_BYTES = 32, NUMBER_BYTES = 64 };

struct label {
    const char *name, *value; /* in the arena */
};

struct sample {
    const char *metric;
    struct label labels[LABELS];
    size_t label_count;
    const char *value;
};

static size_t
name_size(const char *p)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:";
    return strspn(p, letters) ? strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:"
                                          "0123456789")
                              : 0;
}

/** A quoted label value behind its opening quote; NULL when it does not end. */
static const char *
read_quoted(const char **at, const char *end, struct arena *arena)
{
    TEXT_SCOPED value = {0};
    for (const char *p = *at; p < end; p++) {
        if (*p == '"') {
            *at = p + 1;
            return arena_copy(arena, text_string(&value), value.used);
        }
        if (*p != '\\') {
            text_append_bytes(&value, p, 1);
            continue;
        }
        if (++p == end || !strchr("\\\"n", *p))
            return NULL;
        text_append(&value, *p == 'n' ? "\n" : *p == '"' ? "\"" : "\\");
    }
    return NULL;
}

/** Labels behind the opening brace, to behind the closing one. */
static bool
read_labels(const char **at, const char *end, struct arena *arena, struct sample *ret)
{
    const char *p = *at;
    while (p < end && *p != '}') {
        const size_t size = name_size(p);
        if (ret->label_count == LABELS || size == 0 || p + size + 2 > end ||
            memcmp(p + size, "=\"", 2) != 0)
            return false;
        struct label *label = &ret->labels[ret->label_count++];
        label->name = arena_copy(arena, p, size);
        p += size + 2;
        label->value = read_quoted(&p, end, arena);
        if (!label->name || !label->value)
            return false;
        if (p < end && *p == ',')
            p++;
    }
    *at = p + 1;
    return p < end;
}

/** The number that ends the line. */
static bool
read_value(const char *p, const char *end, struct arena *arena, struct sample *ret)
{
    char number[NUMBER_BYTES], *rest = NULL;
    if (p == end || *p != ' ' || end - p - 1 >= NUMBER_BYTES || end - p < 2)
        return false;
    memcpy(number, p + 1, (size_t)(end - p - 1));
    number[end - p - 1] = '\0';
    if (number[0] == ' ')
        return false;
    (void)strtod(number, &rest);
    ret->value = arena_string(arena, number);
    return *rest == '\0' && ret->value;
}

static bool
read_sample(const char *line, const char *end, struct arena *arena, struct sample *ret)
{
    const size_t size = name_size(line);
    const char *p = line + size;
    *ret = (struct sample){.metric = arena_copy(arena, line, size)};
    if (size == 0 || p >= end || !ret->metric)
        return false;
    if (*p == '{') {
        p++;
        if (!read_labels(&p, end, arena, ret))
            return false;
    }
    return read_value(p, end, arena, ret);
}

static const char *
label_of(const struct sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->label_count; i++)
        if (strcmp(sample->labels[i].name, name) == 0)
            return sample->labels[i].value;
    return "";
}

static bool
is_one_of(const char *metric, const char *const *metrics)
{
    for (; *metrics; metrics++)
        if (strcmp(metric, *metrics) == 0)
            return true;
    return false;
}

/** A time is a number of seconds as this program writes it. */
static bool
keep(const struct sample *sample, struct metrics_times *ret)
{
    const size_t size = strlen(sample->value);
    if (ret->count == METRICS_OLD_TIMES || size >= VALUE_BYTES ||
        strspn(sample->value, "0123456789.") != size)
        return false;
    ret->times[ret->count++] = (struct metrics_time){.metric = sample->metric,
                                                     .environment = label_of(sample, "environment"),
                                                     .command = label_of(sample, "command"),
                                                     .value = sample->value};
    return true;
}

bool
metrics_times_read(const char *text, const char *const *metrics, struct arena *arena,
                   struct metrics_times *ret, struct err *err)
{
    int number = 1;
    ret->count = 0;
    for (const char *p = text; *p; number++) {
        const char *const end = p + strcspn(p, "\n");
        struct sample sample;
        const bool empty = p == end || *p == '#';
        /* a line without its end was cut */
        if (!*end || (!empty && !read_sample(p, end, arena, &sample)) ||
            (!empty && is_one_of(sample.metric, metrics) && !keep(&sample, ret))) {
            ret->count = 0;
            return err_set(err, ERR_CONFIG, "line %d is none of a metrics file", number);
        }
        p = end + 1;
    }
    return true;
}
