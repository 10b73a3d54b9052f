/** Outcomes in which every text of a server, a row or an operator is the same hostile one. */
#ifndef FUZZ_HOSTILE_H
#define FUZZ_HOSTILE_H

#include "core/outcome.h"

#include <stddef.h>

/** How many there are: verify, check, clean, undo, repair-map, ... */
size_t hostile_count(void);

/** Outcome `which` with `text` everywhere; valid until the next call, as long as `text` is. */
struct outcome hostile_outcome(size_t which, const char *text);

#endif
