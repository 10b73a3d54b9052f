#include "common/fault.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { RULES_MAX = 256, POINT_BYTES = 64, MATCH_BYTES = 256 };

struct rule {
    char point[POINT_BYTES];
    char match[MATCH_BYTES]; /* "" matches everything */
    int64_t skip;
    int64_t times; /* hits left; -1 = for ever */
    struct fault_action action;
};

struct faults {
    pthread_mutex_t lock;
    struct rule rules[RULES_MAX];
    size_t count;
};

struct faults *
faults_new(void)
{
    struct faults *faults = calloc(1, sizeof(*faults));
    if (!faults)
        return NULL;
    if (pthread_mutex_init(&faults->lock, NULL) != 0) {
        free(faults);
        return NULL;
    }
    return faults;
}

void
faults_free(struct faults *faults)
{
    if (!faults)
        return;
    (void)pthread_mutex_destroy(&faults->lock);
    free(faults);
}

static bool
rule_fits(const struct rule *rule, const char *point, const char *subject)
{
    if (rule->times == 0 || strcmp(rule->point, point) != 0)
        return false;
    if (rule->match[0] == '\0')
        return true;
    return subject && strstr(subject, rule->match);
}

struct fault_action
fault_at(struct faults *faults, const char *point, const char *subject)
{
    struct fault_action action = {.what = FAULT_NONE};
    if (!faults || !point)
        return action;
    (void)pthread_mutex_lock(&faults->lock);
    for (size_t i = 0; i < faults->count; i++) {
        struct rule *rule = &faults->rules[i];
        if (!rule_fits(rule, point, subject))
            continue;
        if (rule->skip > 0) {
            rule->skip--;
        } else {
            if (rule->times > 0)
                rule->times--;
            action = rule->action;
        }
        break;
    }
    (void)pthread_mutex_unlock(&faults->lock);
    return action;
}

bool
faults_any(struct faults *faults)
{
    if (!faults)
        return false;
    (void)pthread_mutex_lock(&faults->lock);
    bool any = faults->count > 0;
    (void)pthread_mutex_unlock(&faults->lock);
    return any;
}

/* ---- rules from JSON ---- */

static bool
copy_text(const cJSON *object, const char *name, char *ret, size_t size)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!item) {
        ret[0] = '\0';
        return true;
    }
    if (!cJSON_IsString(item) || strlen(item->valuestring) >= size)
        return false;
    memcpy(ret, item->valuestring, strlen(item->valuestring) + 1);
    return true;
}

static bool
copy_number(const cJSON *object, const char *name, int64_t fallback, int64_t *ret)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!item) {
        *ret = fallback;
        return true;
    }
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= -1e15 && item->valuedouble <= 1e15))
        return false;
    *ret = (int64_t)item->valuedouble;
    return true;
}

static bool
parse_do(const cJSON *object, enum fault_do *ret)
{
    static const struct {
        const char *name;
        enum fault_do what;
    } words[] = {
        {"cut", FAULT_CUT},     {"freeze", FAULT_FREEZE}, {"delay", FAULT_DELAY},
        {"error", FAULT_ERROR}, {"sql", FAULT_SQL},       {"other", FAULT_OTHER},
    };
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, "do");
    if (!cJSON_IsString(item))
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].name, item->valuestring) == 0) {
            *ret = words[i].what;
            return true;
        }
    }
    return false;
}

/** A misspelt name must not become a rule that waits for ever. */
static bool
only_known_names(const cJSON *object)
{
    static const char *const known[] = {"at", "match", "skip", "times", "do", "arg", "text"};
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, object)
    {
        bool found = false;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            found = found || strcmp(known[i], item->string) == 0;
        if (!found)
            return false;
    }
    return true;
}

static const char *
parse_rule(const cJSON *object, struct rule *ret)
{
    if (!cJSON_IsObject(object))
        return "a rule is one JSON object";
    if (!only_known_names(object))
        return "a rule has at, match, skip, times, do, arg, text and nothing else";
    if (!copy_text(object, "at", ret->point, sizeof(ret->point)) || ret->point[0] == '\0')
        return "\"at\" must name a point";
    if (!copy_text(object, "match", ret->match, sizeof(ret->match)))
        return "\"match\" must be a short text";
    if (!copy_text(object, "text", ret->action.text, sizeof(ret->action.text)))
        return "\"text\" must be a text below 1024 bytes";
    if (!copy_number(object, "skip", 0, &ret->skip) || ret->skip < 0)
        return "\"skip\" must be a number, 0 or more";
    if (!copy_number(object, "times", 1, &ret->times) || ret->times < 0)
        return "\"times\" must be a number, 0 (for ever) or more";
    if (!copy_number(object, "arg", 0, &ret->action.arg))
        return "\"arg\" must be a number";
    if (!parse_do(object, &ret->action.what))
        return "\"do\" must be cut, freeze, delay, error, sql or other";
    if (ret->times == 0)
        ret->times = -1;
    return NULL;
}

bool
faults_add_json(struct faults *faults, const char *json, const char **ret_why)
{
    struct rule rule = {.point = ""};
    cJSON *object = cJSON_Parse(json);
    const char *why = parse_rule(object, &rule);
    cJSON_Delete(object);
    if (!why) {
        (void)pthread_mutex_lock(&faults->lock);
        if (faults->count < RULES_MAX)
            faults->rules[faults->count++] = rule;
        else
            why = "too many rules";
        (void)pthread_mutex_unlock(&faults->lock);
    }
    if (why && ret_why)
        *ret_why = why;
    return !why;
}

void
faults_clear(struct faults *faults)
{
    (void)pthread_mutex_lock(&faults->lock);
    faults->count = 0;
    (void)pthread_mutex_unlock(&faults->lock);
}
