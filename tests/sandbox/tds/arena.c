#include "tds/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

struct tds_arena_block {
    alignas(max_align_t) struct tds_arena_block *next;
};

void
tds_arena_init(struct tds_arena *arena, size_t max)
{
    *arena = (struct tds_arena){.max = max};
}

void *
tds_arena_get(struct tds_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > (SIZE_MAX / 2) / size)
        return NULL;
    size_t bytes = count * size;
    if (bytes > arena->max - arena->used)
        return NULL;
    struct tds_arena_block *block = calloc(1, sizeof *block + bytes);
    if (block == NULL)
        return NULL;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used += bytes;
    return block + 1;
}

void
tds_arena_free(struct tds_arena *arena)
{
    while (arena->blocks != NULL) {
        struct tds_arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->used = 0;
}
