#include "cli/template.h"

#include <assert.h>
#include <string.h>

enum { MAX_PARTS = 32 };

/** The length of "@NAME@" at `at`; 0 = there is none. */
static size_t
place_size(const char *at)
{
    const size_t size = strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    return at[0] == '@' && size > 0 && at[1 + size] == '@' ? size + 2 : 0;
}

/** A template being filled in. */
struct filling {
    const struct template_part *parts;
    size_t count;
    bool used[MAX_PARTS];
};

/** The part of the place "@NAME@" at `at`; NULL = nothing fills it. */
static const struct template_part *
take_part(struct filling *filling, const char *at, size_t size)
{
    for (size_t i = 0; i < filling->count; i++) {
        const struct template_part *part = &filling->parts[i];
        if (strlen(part->name) != size - 2 || memcmp(part->name, at + 1, size - 2) != 0)
            continue;
        filling->used[i] = true;
        return part;
    }
    return NULL;
}

/** Append what lies before the next place; returns where that is, or the end. */
static const char *
append_up_to_place(const char *template, struct text *ret)
{
    const char *at = template;
    while (*at && place_size(at) == 0)
        at++;
    text_append_bytes(ret, template, (size_t)(at - template));
    return at;
}

static bool
all_used(const struct filling *filling, struct err *err)
{
    for (size_t i = 0; i < filling->count; i++) {
        if (!filling->used[i])
            return err_set(err, ERR_INTERNAL, "the template has no @%s@", filling->parts[i].name);
    }
    return true;
}

bool
template_fill(const char *template, const struct template_part *parts, size_t count,
              const void *ctx, struct text *ret, struct err *err)
{
    assert(template && parts && count <= MAX_PARTS && ret && err);
    struct filling filling = {.parts = parts, .count = count};
    for (const char *at = append_up_to_place(template, ret); *at;
         at = append_up_to_place(at, ret)) {
        const size_t size = place_size(at);
        const struct template_part *part = take_part(&filling, at, size);
        if (!part)
            return err_set(err, ERR_INTERNAL, "the template has a place %.*s that nothing fills",
                           (int)size, at);
        part->append(ctx, ret);
        at += size;
        if (*at == '\n' && ret->used > 0 && ret->data[ret->used - 1] == '\n')
            at++;
    }
    return all_used(&filling, err) && text_ok(ret, err);
}
