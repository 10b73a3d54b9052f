/** Memory that lives as long as one request (or one bulk row) and is freed at once, with a maximum.
 */
#ifndef SANDBOX_TDS_ARENA_H
#define SANDBOX_TDS_ARENA_H

#include <stddef.h>

struct tds_arena_block;

struct tds_arena {
    struct tds_arena_block *blocks;
    size_t used, max;
};

void tds_arena_init(struct tds_arena *arena, size_t max);
/** Zeroed memory, or NULL when the maximum is reached or memory is short. */
void *tds_arena_get(struct tds_arena *arena, size_t count, size_t size);
void tds_arena_free(struct tds_arena *arena);

#endif
