/**
 * Writes the body of a $batch: operations that run in sequence, each for itself, no change set
 * (https://learn.microsoft.com/power-apps/developer/data-platform/webapi/execute-batch-operations-using-web-api).
 * Lines end with CRLF. What a key, an entity tag or a name may be is checked here, so that no value
 * can end its line, its header or its part.
 *
 * The request around it: POST <root>$batch with the Content-Type of batch_content_type and
 * "Prefer: odata.continue-on-error"; its own Accept is up to the caller. What the service answers
 * is read by batch_reply.
 */
#ifndef DATAVERSE_BATCH_BODY_H
#define DATAVERSE_BATCH_BODY_H

#include "base/err.h"
#include "base/slice.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    BATCH_OPERATIONS_MAX = 1000, /* of the service */
    BATCH_BOUNDARY_MAX = 70,     /* RFC 2046 */
    BATCH_TYPE_BYTES = 128,
};

/** How a batch is written; what Dataverse takes is quoted, absolute, without ids. */
struct batch_form {
    const char *boundary; /* letters, digits, '_' and '-': "batch_" and a fresh GUID */
    const char *root;     /* in front of each set: "/api/data/v9.2/", a URL, or "" = relative */
    bool quoted;          /* boundary="..." in the Content-Type */
    bool content_ids;     /* number the operations: Content-ID 1 to n */
};

enum batch_method {
    BATCH_GET,    /* set(key) */
    BATCH_DELETE, /* set(key) */
    BATCH_PATCH,  /* set(key), with a document */
    BATCH_POST,   /* set, with a document */
};

/** Borrowed. What is NULL or empty is left out. */
struct batch_operation {
    enum batch_method method;
    const char *set;       /* a name: letters, digits, '_' and '.' */
    const char *key;       /* letters, digits, '_' and '-': a GUID; none with BATCH_POST */
    const char *select;    /* of a GET: one column's name */
    const char *if_match;  /* one entity tag; "*" is none, it would fit a row that changed */
    bool only_new;         /* If-None-Match: *, of a PATCH: create, or fail with 412 */
    struct slice document; /* JSON, of a PATCH or POST */
};

/** "multipart/mixed; boundary=..." for the request. `ret` holds BATCH_TYPE_BYTES. */
void batch_content_type(const struct batch_form *form, char *ret);

/**
 * Append the body. ERR_SCHEMA when a key, a tag or a document cannot stand in a batch; ERR_INTERNAL
 * for a fault of the caller (form, set, no operation or too many) or no memory. Nothing is
 * appended then, but for no memory.
 */
MUST_CHECK bool batch_body_write(const struct batch_form *form,
                                 const struct batch_operation *operations, size_t count,
                                 struct text *ret, struct err *err);

#endif
