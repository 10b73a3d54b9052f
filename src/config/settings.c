#include "config/settings.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool
add_item(struct settings *settings, struct setting *setting, enum err_code code, struct err *err)
{
    if (!setting->items)
        setting->items = arena_alloc(settings->arena, SETTINGS_MAX_ITEMS * sizeof(char *));
    if (!setting->items)
        return arena_exhausted(err);
    if (setting->count == SETTINGS_MAX_ITEMS)
        return err_set(err, code, "more than %d items", SETTINGS_MAX_ITEMS);
    setting->items[setting->count++] = setting->text;
    return true;
}

bool
settings_put(struct settings *settings, const struct option_spec *spec, const char *text,
             const struct settings_origin *origin, struct err *err)
{
    assert(settings && spec && text && origin && err);
    struct setting *setting = &settings->at[origin->rank][spec->id];
    struct option_value value = {0};

    if (!option_parse(spec, text, origin->code, &value, err))
        return false;
    setting->text = arena_copy(settings->arena, value.text, value.size);
    setting->source = arena_string(settings->arena, origin->source);
    if (!setting->text || !setting->source)
        return arena_exhausted(err);
    setting->number = value.number;
    setting->set = true;
    return spec->kind != OPTION_LIST || add_item(settings, setting, origin->code, err);
}

const struct setting *
settings_get(const struct settings *settings, enum option_id id, enum config_rank *ret_rank)
{
    for (unsigned rank = RANKS; rank-- > 0;) {
        if (!settings->at[rank][id].set)
            continue;
        if (ret_rank)
            *ret_rank = (enum config_rank)rank;
        return &settings->at[rank][id];
    }
    return NULL;
}

void
settings_drop(struct settings *settings, enum option_id id)
{
    for (unsigned rank = 0; rank < RANKS; rank++)
        settings->at[rank][id] = (struct setting){0};
}

bool
settings_notice(struct settings *settings, struct err *err, enum log_level level, const char *fmt,
                ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);

    char *kept = arena_string(settings->arena, text);
    if (!kept || settings->notice_count == SETTINGS_MAX_NOTICES)
        return arena_exhausted(err);
    settings->notices[settings->notice_count++] = (struct config_notice){level, kept};
    return true;
}
