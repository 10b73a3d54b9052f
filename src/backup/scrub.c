#include "scrub.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    GRAM = 6,        /* bytes that are looked up at once */
    LONG_QUOTE = 12, /* a piece of this size is a quote */
    HEADS = 1 << 16,
    STEPS_MAX = 1 << 28, /* of all searches together: seconds */
    HITS_MAX = 2000,
    WATCHED_MAX_BYTES = 64 * 1024 * 1024,
};

static const char mark[] = "[left out]";

struct scrub {
    struct text watched; /* all texts, a NUL behind each */
    uint32_t *heads;     /* the last place of a gram, plus 1 */
    uint32_t *before;    /* for each place: the place before of the same hash, plus 1 */
    uint32_t *texts;     /* of each hash the last text that is watched: its place, plus 1 */
    size_t steps;
    char **hits; /* what may not be seen */
    size_t hit_count;
    bool all;
};

struct scrub *
scrub_new(void)
{
    struct scrub *scrub = calloc(1, sizeof(*scrub));

    if (!scrub)
        return NULL;
    scrub->watched.max = WATCHED_MAX_BYTES;
    scrub->heads = calloc(HEADS, sizeof(*scrub->heads));
    scrub->texts = calloc(HEADS, sizeof(*scrub->texts));
    scrub->hits = calloc(HITS_MAX, sizeof(*scrub->hits));
    if (scrub->heads && scrub->texts && scrub->hits)
        return scrub;
    scrub_free(scrub);
    return NULL;
}

void
scrub_free(struct scrub *scrub)
{
    if (!scrub)
        return;
    for (size_t i = 0; i < scrub->hit_count; i++)
        free(scrub->hits[i]);
    free(scrub->hits);
    free(scrub->heads);
    free(scrub->texts);
    free(scrub->before);
    text_done(&scrub->watched);
    free(scrub);
}

void
scrub_all(struct scrub *scrub)
{
    scrub->all = true;
}

/* FNV-1a. */
static uint32_t
hash_of(const unsigned char *at, size_t size)
{
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < size; i++)
        sum = (sum ^ at[i]) * 16777619u;
    return (sum ^ sum >> 16) % HEADS;
}

static uint32_t
hash(const unsigned char *at)
{
    return hash_of(at, GRAM);
}

static const unsigned char *
watched_of(const struct scrub *scrub)
{
    return (const unsigned char *)text_string(&scrub->watched);
}

void
scrub_watch(struct scrub *scrub, const char *text)
{
    const size_t size = strlen(text);
    uint32_t *last = &scrub->texts[hash_of((const unsigned char *)text, size)];

    /* thousands of rows may have left for the same reason */
    if (*last && strcmp((const char *)watched_of(scrub) + *last - 1, text) == 0)
        return;
    *last = (uint32_t)scrub->watched.used + 1;
    text_append_bytes(&scrub->watched, text, size + 1);
}

static bool
make_index(struct scrub *scrub, struct err *err)
{
    const unsigned char *text = watched_of(scrub);

    if (!text_ok(&scrub->watched, err))
        return false;
    scrub->before = calloc(scrub->watched.used + 1, sizeof(*scrub->before));
    if (!scrub->before)
        return err_set(err, ERR_INTERNAL, "out of memory");
    for (size_t i = 0; i + GRAM <= scrub->watched.used; i++) {
        uint32_t *head = &scrub->heads[hash(text + i)];
        scrub->before[i] = *head;
        *head = (uint32_t)i + 1;
    }
    return true;
}

/* The longest piece of a text that begins as the value does here; no text is left. Too much work is
 * not left undone: nothing is shown then. */
static size_t
longest(struct scrub *scrub, const unsigned char *value, size_t size)
{
    const unsigned char *text = watched_of(scrub);
    size_t best = 0;

    for (uint32_t at = scrub->heads[hash(value)]; at && best < size && !scrub->all;) {
        const size_t start = at - 1;
        size_t same = 0;
        while (same < size && start + same < scrub->watched.used && text[start + same] &&
               text[start + same] == value[same])
            same++;
        best = same > best ? same : best;
        scrub->steps += same + 1;
        scrub->all = scrub->steps > STEPS_MAX;
        at = scrub->before[start];
    }
    return best;
}

static bool
keep_hit(struct scrub *scrub, const unsigned char *bytes, size_t size, struct err *err)
{
    char *hit = NULL;

    for (size_t i = 0; i < scrub->hit_count; i++)
        if (strlen(scrub->hits[i]) == size && memcmp(scrub->hits[i], bytes, size) == 0)
            return true;
    if (scrub->hit_count == HITS_MAX) {
        scrub->all = true; /* more than can be told one by one */
        return true;
    }
    hit = strndup((const char *)bytes, size);
    if (!hit)
        return err_set(err, ERR_INTERNAL, "out of memory");
    scrub->hits[scrub->hit_count++] = hit;
    return true;
}

bool
scrub_value(struct scrub *scrub, const void *bytes, size_t size, struct err *err)
{
    const unsigned char *value = bytes;
    const size_t least = size < LONG_QUOTE ? size : LONG_QUOTE;

    if (!scrub->before && !make_index(scrub, err))
        return false;
    for (size_t i = 0; !scrub->all && i + GRAM <= size;) {
        const size_t same = scrub->heads[hash(value + i)] ? longest(scrub, value + i, size - i) : 0;
        if (same < least) {
            i++;
            continue;
        }
        if (!keep_hit(scrub, value + i, same, err))
            return false;
        i += same;
    }
    return true;
}

/* The longest hit that stands at `at`; 0 = none. */
static size_t
hit_at(const struct scrub *scrub, const char *at)
{
    size_t best = 0;

    for (size_t i = 0; i < scrub->hit_count; i++) {
        const size_t size = strlen(scrub->hits[i]);
        if (size > best && strncmp(at, scrub->hits[i], size) == 0)
            best = size;
    }
    return best;
}

void
scrub_append(const struct scrub *scrub, const char *text, struct text *ret)
{
    if (scrub->all) {
        text_append(ret, *text ? mark : "");
        return;
    }
    while (*text) {
        const size_t size = hit_at(scrub, text);
        if (size)
            text_append(ret, mark);
        else
            text_append_bytes(ret, text, 1);
        text += size ? size : 1;
    }
}
