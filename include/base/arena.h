/**
 * One arena a run: memory that is freed all at once. Rows do not live here, they are streamed; what
 * does is small and bounded, and the arena's maximum proves it.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/err.h"

#include <stddef.h>

struct arena; /* opaque */

/** An arena that holds at most `max_bytes`. NULL when out of memory. */
struct arena *arena_new(size_t max_bytes);

/** The same in memory that this process and its later children share, at the same addresses: what a
 * child puts there, its parent reads. NULL when the machine does not give it. */
struct arena *arena_new_shared(size_t max_bytes);

void arena_free(struct arena *arena); /* NULL is allowed */

/** `size` zeroed bytes, aligned for any type. NULL when the maximum or the machine's memory is
 * reached. */
void *arena_alloc(struct arena *arena, size_t size);

/** A copy of `size` bytes with a NUL behind them; NULL as arena_alloc. */
char *arena_copy(struct arena *arena, const void *bytes, size_t size);

/** A copy of the string; NULL as arena_alloc. */
char *arena_string(struct arena *arena, const char *string);

/** A formatted string; NULL as arena_alloc. */
char *arena_printf(struct arena *arena, const char *fmt, ...) ERR_FMT(2, 3);

/** Fill `err` for an allocation that returned NULL; returns false. */
bool arena_exhausted(struct err *err);
#define arena_exhausted(err) (arena_exhausted(err), false) /* as those of base/err.h */

/** `struct arena *` that frees itself at the end of its scope. */
#define ARENA_SCOPED __attribute__((cleanup(arena_cleanup))) struct arena *
void arena_cleanup(struct arena **arena);

#endif
