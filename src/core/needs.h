/** What a run will need, as a list of observations under way. Private to core/. */
#ifndef CORE_NEEDS_H
#define CORE_NEEDS_H

#include "base/arena.h"
#include "core/outcome.h"
#include "core/run.h"

#include <stdbool.h>
#include <stddef.h>

enum { NEEDS_MAX = 96 };

/** Needs of one target. `exhausted` = memory ran out: asked once, at the end. */
struct needs {
    const struct run_request *request;
    const struct evidence *evidence;
    struct arena *arena;
    struct observation *list; /* of NEEDS_MAX */
    size_t count;
    bool exhausted;
};

/** False when memory ran out. */
bool needs_begin(const struct run_request *request, const struct evidence *evidence,
                 struct arena *arena, struct needs *ret);

/**
 * Add a need: ok = there, differs = missing, unknown (the caller sets the cause). `required` is
 * what `clean` would refuse without. Never NULL.
 */
struct observation *need(struct needs *needs, const char *check, bool required,
                         enum verdict verdict, const char *fmt, ...) ERR_FMT(5, 6);

/** Add a need that `why` kept from being looked at: "what: why", its cause and hint. */
struct observation *need_unknown(struct needs *needs, const char *check, bool required,
                                 const char *what, const struct err *why);

/** What to do about it: a sentence, a statement, a setting. */
void need_hint(struct needs *needs, struct observation *seen, const char *fmt, ...) ERR_FMT(3, 4);

/** A name as T-SQL writes it, whatever is in it: [a]]b]. Never NULL. */
const char *need_name(struct needs *needs, const char *name);

/** Text as a T-SQL literal: N'O''Brien'. Never NULL. */
const char *need_literal(struct needs *needs, const char *text);

/** Whom a GRANT in the database names, bracketed: the user, or the login where only that is known.
 */
const char *need_grantee(struct needs *needs);

/** The AxDB half, the Dataverse half, and the runs directory. */
void needs_of_axdb(struct needs *needs);
void needs_of_dataverse(struct needs *needs);
void needs_of_runs(struct needs *needs, struct run_store *runs);

#endif
