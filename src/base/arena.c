#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_IS_WATCHED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_IS_WATCHED
#endif

/* AddressSanitizer sees a block as one object; told so, it finds what is written behind a piece of
 * it. */
#ifdef ARENA_IS_WATCHED
#include <sanitizer/asan_interface.h>
enum { GAP_BYTES = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
enum { GAP_BYTES = 0 };
#endif

enum { BLOCK_BYTES = 64 * 1024 };

struct block {
    struct block *next;
    size_t used, size;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct block *blocks; /* the newest first */
    size_t total, max;    /* bytes of all blocks */
    size_t mapped;        /* bytes of the mapping that this lies in; 0 = on the heap */
};

struct arena *
arena_new(size_t max_bytes)
{
    struct arena *arena = calloc(1, sizeof *arena);

    if (arena)
        arena->max = max_bytes;
    return arena;
}

struct arena *
arena_new_shared(size_t max_bytes)
{
    struct arena *arena;
    struct block *block;
    const size_t head =
        (sizeof *arena + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    const size_t mapped = head + sizeof *block + max_bytes;

    if (max_bytes > SIZE_MAX / 2)
        return NULL;
    /* pages are taken when they are written to, not before */
    arena = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
    if (arena == MAP_FAILED)
        return NULL;
    block = (struct block *)(void *)((unsigned char *)arena + head);
    *block = (struct block){.size = max_bytes};
    *arena =
        (struct arena){.blocks = block, .total = max_bytes, .max = max_bytes, .mapped = mapped};
    return arena;
}

void
arena_free(struct arena *arena)
{
    if (!arena)
        return;
    if (arena->mapped) {
        (void)munmap(arena, arena->mapped);
        return;
    }
    while (arena->blocks) {
        struct block *next = arena->blocks->next;

        free(arena->blocks);
        arena->blocks = next;
    }
    free(arena);
}

void
arena_cleanup(struct arena **arena)
{
    arena_free(*arena);
    *arena = NULL;
}

static struct block *
block_for(struct arena *arena, size_t size)
{
    size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
    struct block *block;

    if (arena->blocks && arena->blocks->size - arena->blocks->used >= size)
        return arena->blocks;
    if (room > arena->max - arena->total)
        room = size;
    if (room > arena->max - arena->total)
        return NULL;
    block = calloc(1, sizeof *block + room);
    if (!block)
        return NULL;
    ASAN_POISON_MEMORY_REGION(block->bytes, room);
    block->size = room;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->total += room;
    return block;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
    const size_t step = alignof(max_align_t);
    struct block *block;
    void *bytes;

    if (size > SIZE_MAX - step - GAP_BYTES)
        return NULL;
    const size_t taken = (size + GAP_BYTES + step - 1) / step * step;
    block = block_for(arena, taken);
    if (!block)
        return NULL;
    bytes = block->bytes + block->used;
    block->used += taken;
    /* what is shared with another process is not watched: each has a picture of its own */
    if (!arena->mapped)
        ASAN_UNPOISON_MEMORY_REGION(bytes, size);
    return bytes;
}

char *
arena_copy(struct arena *arena, const void *bytes, size_t size)
{
    char *copy = size == SIZE_MAX ? NULL : arena_alloc(arena, size + 1);

    if (copy && size)
        memcpy(copy, bytes, size);
    return copy;
}

char *
arena_string(struct arena *arena, const char *string)
{
    return arena_copy(arena, string, strlen(string));
}

char *
arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list ap;
    char *string;
    int size;

    va_start(ap, fmt);
    size = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    string = size < 0 ? NULL : arena_alloc(arena, (size_t)size + 1);
    if (!string)
        return NULL;
    va_start(ap, fmt);
    (void)vsnprintf(string, (size_t)size + 1, fmt, ap);
    va_end(ap);
    return string;
}

#undef arena_exhausted

bool
arena_exhausted(struct err *err)
{
    return err_set(err, ERR_INTERNAL, "out of memory for this run");
}
