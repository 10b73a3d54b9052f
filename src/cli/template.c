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

static size_t
find_part(const struct template_part *parts, size_t count, const char *at, size_t size)
{
    size_t i = 0;
    while (i < count &&
           (strlen(parts[i].name) != size - 2 || memcmp(parts[i].name, at + 1, size - 2) != 0))
        i++;
    return i;
}

bool
template_fill(const char *template, const struct template_part *parts, size_t count,
              const void *ctx, struct text *ret, struct err *err)
{
    assert(template && parts && count <= MAX_PARTS && ret && err);
    bool used[MAX_PARTS] = {0};
    while (*template) {
        const size_t plain = strcspn(template, "@");
        text_append_bytes(ret, template, plain);
        template += plain;
        const size_t size = *template ? place_size(template) : 0;
        if (size == 0) {
            text_append_bytes(ret, template, *template ? 1 : 0);
            template += *template ? 1 : 0;
            continue;
        }
        const size_t i = find_part(parts, count, template, size);
        if (i == count)
            return err_set(err, ERR_INTERNAL, "the template has a place %.*s that nothing fills",
                           (int)size, template);
        parts[i].append(ctx, ret);
        used[i] = true;
        template += size;
        if (*template == '\n' && ret->used > 0 && ret->data[ret->used - 1] == '\n')
            template ++;
    }
    for (size_t i = 0; i < count; i++) {
        if (!used[i])
            return err_set(err, ERR_INTERNAL, "the template has no @%s@", parts[i].name);
    }
    return text_ok(ret, err);
}
