/** A saved plan in memory: what core writes to it as a plan file, it reads again as a saved plan.
 * Calls count in the world, and may fail there. */
#ifndef FAKES_FAKE_PLAN_H
#define FAKES_FAKE_PLAN_H

#include "fake_world.h"
#include "port/plan_file.h"
#include "port/saved_plan.h"

#include <stdbool.h>
#include <stddef.h>

enum { FAKE_PLAN_ROWS = TABLES * FAKE_MAX_ROWS, FAKE_PLAN_COLUMNS = 32 };

struct fake_plan {
    struct fake_world *world;
    struct plan_file file;
    struct saved_plan saved;
    struct plan_header header;
    char strings[8][FAKE_NAME_BYTES * 4]; /* of the header */
    struct schema schemas[TABLES];
    struct column columns[TABLES][FAKE_PLAN_COLUMNS];
    bool has_table[TABLES];
    struct row_id rows[FAKE_PLAN_ROWS];
    size_t count, at;
    char id[DIGEST_HEX_BYTES];
    bool whole;
    int lies_after; /* from this reading on, the last row has another digest; 0 = never */
    int readings;
};

void fake_plan_init(struct fake_plan *plan, struct fake_world *world);

#endif
