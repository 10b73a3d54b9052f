/**
 * In which organization were the runtime configurations made? Dual-write's plug-in refuses those of
 * another one ("SecureConfig Organization (X) does not match actual CRM Organization (Y)"), and
 * where it keeps X is not documented. So this is decided from what Dataverse says by itself, the
 * rows and the traces, and only where nothing contradicts: a trace that came with a copy is the
 * source's.
 */
#ifndef CORE_ORIGIN_H
#define CORE_ORIGIN_H

#include "base/arena.h"
#include "core/outcome.h"
#include "core/run.h"
#include "core/symptom.h"

#include <stdbool.h>

enum origin_verdict {
    ORIGIN_UNKNOWN,      /* nothing tells */
    ORIGIN_OWN,          /* the live organization */
    ORIGIN_FOREIGN,      /* another one */
    ORIGIN_CONTRADICTED, /* what tells does not agree */
};

enum { ORIGIN_SYMPTOMS = 4 };

/** A SecureConfig error in a trace. */
struct origin_trace {
    const struct symptom_match *match; /* NULL = there is none */
    const char *created_on;
};

/** Strings in the arena. */
struct origin {
    enum origin_verdict rows;   /* by what they name */
    enum origin_verdict traces; /* by the names of the SecureConfig error; never ORIGIN_OWN */
    enum origin_verdict whole; /* ORIGIN_FOREIGN is proof: something says so, nothing contradicts */
    const char *name;          /* the other organization, with ORIGIN_FOREIGN */
    const char *how;           /* the same as a sentence, with its evidence */
    size_t traces_taken, traces_older; /* than the copy: left out */
    /* The newest error that names another organization against the live one; that is none of the
     * live one; that is older than every row; that does not say two different names. */
    struct origin_trace foreign, elsewhere, outlived, vague;
    const struct symptom *symptoms[ORIGIN_SYMPTOMS]; /* other errors in the traces taken */
    size_t symptom_count;
    const char *newest; /* creation of the newest trace taken; "" = none was */
};

/** Is this what the live organization is called? Unique name, name in its URL, friendly name, id,
 * host or URL; without case. Which of them the error's second name is, is inferred only. */
bool organization_is_live(const struct runtime_identity *identity, const char *name);

/**
 * Weigh what evidence->diagnosis says.
 *
 * @param request  restored_at: traces that are older than the copy are left out
 * @param evidence runtime and diagnosis are there
 * @param arena    holds what `ret` says
 * @param ret      filled
 * @param err      ERR_INTERNAL: memory
 */
MUST_CHECK bool origin_find(const struct run_request *request, const struct evidence *evidence,
                            struct arena *arena, struct origin *ret, struct err *err);

#endif
