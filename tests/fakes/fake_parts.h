/** What the parts of the fake world share. Private to tests/fakes/. */
#ifndef FAKES_FAKE_PARTS_H
#define FAKES_FAKE_PARTS_H

#include "fake_world.h"

#include <stddef.h>

/** A port pointer is a pointer into its world, or into its run. */
#define PART_OF(type, pointer, member) ((type *)((uintptr_t)(pointer)-offsetof(type, member)))
#define WORLD_OF(pointer, member) PART_OF(struct fake_world, pointer, member)

/** Count a port call; true, with `err`, when it is the one that fails. */
bool fake_fails(struct fake_world *world, enum err_code code, struct err *err);

/** Let happen what is to happen at this moment. */
void fake_happen(struct fake_world *world, enum fake_moment moment);

/** The columns of a table; `new_column` with the one that appears later. */
struct schema fake_schema(const struct fake_world *world, enum table table, bool new_column);

/** Hand out rows with these columns. */
bool fake_send_rows(const struct fake_world *world, const struct schema *schema,
                    const struct fake_table *from, const struct row_sink *sink, struct err *err);

/** The other way round: what is in a row that core hands over. ERR_SERVER when it is no row of
 * this world. */
bool fake_parse_row(const struct fake_world *world, const struct schema *schema,
                    const struct row *row, struct fake_row *ret, struct err *err);

/** The same of a runtime row's document. False when it is none of this world. */
bool fake_parse_document(const char *key, struct slice document, struct fake_row *ret);

/** A runtime row to hand out; `document` holds its contents. */
void fake_fill_document(const struct fake_world *world, const struct fake_row *from,
                        struct fake_document *document, struct row *ret);

/** Do both have the same contents (not the same version)? */
bool fake_row_equal(const struct fake_row *a, const struct fake_row *b);

/** Is this very row in the backup, whatever its version? */
const struct fake_row *fake_find(const struct fake_table *table, int recid);
bool fake_is_in(const struct fake_table *table, const struct fake_row *row);

/** Put a row in its place in key order, behind rows with the same key. */
void fake_insert(struct fake_table *table, const struct fake_row *row);

/** Text of an event's CHANNEL, and of a project row's EXTERNALENVIRONMENTURL. */
const char *fake_channel(const struct fake_world *world, const struct fake_row *row);
void fake_url(const struct fake_world *world, const struct fake_row *row, char *ret, size_t size);

/** The promise of an undo: is this very runtime row in a sealed backup of a run? */
void fake_put_back(struct fake_world *world, const struct fake_row *row);

/** The promise: is this very row in the sealed backup of the run that works now? A runtime row in
 * this very version. */
void fake_destroyed(struct fake_world *world, enum table table, const struct fake_row *row);

void fake_axdb_init(struct fake_world *world);
void fake_dataverse_init(struct fake_world *world);
void fake_runs_init(struct fake_world *world);

#endif
