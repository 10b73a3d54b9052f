/**
 * Rows of the organization in SQLite: a set, a key, a version and the columns as one JSON text. Not
 * thread-safe: the service holds its lock around every call.
 */
#ifndef SANDBOX_DATAVERSE_STORE_H
#define SANDBOX_DATAVERSE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DV_ID_BYTES = 37 };

struct dv_store;

struct dv_row {
    char id[DV_ID_BYTES]; /* lower case */
    int64_t version;
    char *columns; /* JSON object without key, version and etag */
};

/** NULL on failure with the reason in `why`. An existing file is replaced. */
struct dv_store *dv_store_open(const char *path, char *why, size_t why_size);
void dv_store_close(struct dv_store *);

/** Everything goes; versions go on growing. */
bool dv_store_clear(struct dv_store *);

/** 1 found, 0 not, -1 failure. The caller frees ret->columns. */
int dv_store_get(struct dv_store *, const char *set, const char *id, struct dv_row *ret);

/** Insert or replace; the row gets the next version. */
bool dv_store_put(struct dv_store *, const char *set, const char *id, const char *columns,
                  int64_t *ret_version);

/** 1 deleted, 0 there was none, -1 failure. */
int dv_store_delete(struct dv_store *, const char *set, const char *id);

/** Rows of a set, or -1. */
int64_t dv_store_count(struct dv_store *, const char *set);

/** Every row behind `after` (NULL = all) in key order until `visit` says false. Row contents are
 * borrowed. */
bool dv_store_each(struct dv_store *, const char *set, const char *after,
                   bool (*visit)(void *ctx, const struct dv_row *), void *ctx);

/** The order of GUIDs (lower case) in which SQL Server sorts a uniqueidentifier: the last group
 * counts first, then the fourth, and of the first three the bytes from the right. */
int dv_store_order(const char *a, const char *b);

/** A transaction that all calls above take part in; one level. */
bool dv_store_begin(struct dv_store *);
bool dv_store_end(struct dv_store *, bool keep);

#endif
