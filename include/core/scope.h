/**
 * Which rows a run is about. Without options: every row of the tables asked for. `--channel` takes
 * event rows of the channels named, `repair-map` the project and field rows of one map; the other
 * rows are kept by choice. A part of a table is chosen here, by its contents, and deleted by key:
 * the server's comparison of texts ignores case and trailing blanks, this one does not.
 */
#ifndef CORE_SCOPE_H
#define CORE_SCOPE_H

#include "base/arena.h"
#include "core/run.h"
#include "port/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scope_part { SCOPE_NOTHING, SCOPE_SOME, SCOPE_WHOLE };

/** Names a project row and the field row that belongs to it. */
struct project_name {
    int64_t partition;
    const char *name; /* PROJECTNAME, as stored, UTF-8 */
};

struct scope {
    enum scope_part parts[TABLES];
    const char *const *channels; /* of event rows, with SCOPE_SOME there */
    size_t channel_count;
    const struct project_name *projects; /* of project and field rows, with SCOPE_SOME there */
    size_t project_count;
    const char *text;  /* canonical, part of the plan-id; "" = every row of the halves */
    const char *words; /* for people, NULL = every row */
};

/**
 * The scope of verify, clean and check, from the options alone. Lives in `arena`, borrows the
 * request's strings. ERR_INTERNAL.
 */
MUST_CHECK bool scope_make(const struct run_request *request, struct arena *arena,
                           struct scope *ret, struct err *err);

/** Is this row in it? */
bool scope_takes(const struct scope *scope, const struct schema *schema, const struct row *row);

/** Is this channel named by --channel? Exact, as stored. */
bool scope_names_channel(const struct run_request *request, const char *channel);

/** As SQL Server compares names by default: without case (of ASCII) and trailing blanks. */
bool names_are_alike(const char *a, const char *b);

/**
 * Text of a character field as UTF-8 into `ret` (cut to `size`, never inside a character); false
 * when it is NULL, no character type or not well-formed. nchar and nvarchar are UTF-16LE, char and
 * varchar are taken as they are.
 */
bool field_text(const struct schema *schema, const struct row *row, const char *column, char *ret,
                size_t size);

#endif
