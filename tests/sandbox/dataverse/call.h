/**
 * One operation on the service: a request over its own connection or a part of a $batch, split and
 * decoded, with the answer that is being made. The parts of the service (list, rows, functions,
 * metadata, batch) work on this.
 */
#ifndef SANDBOX_DATAVERSE_CALL_H
#define SANDBOX_DATAVERSE_CALL_H

#include "common/fault.h"
#include "common/http.h"
#include "common/log.h"
#include "dataverse/jit.h"
#include "dataverse/schema.h"
#include "dataverse/settings.h"
#include "dataverse/store.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DV_OPTIONS_MAX = 32, DV_COUNT_CAP = 5000, DV_AGGREGATE_CAP = 50000 };

/** Query options, decoded; `raw` as sent. */
struct dv_query {
    struct {
        char *name, *value;
        const char *raw;
        size_t raw_bytes;
    } items[DV_OPTIONS_MAX];
    size_t count;
};

struct dv_call {
    const struct dv_settings *settings;
    struct dv_store *store;
    struct dv_jit *jit;
    struct faults *faults;
    struct sandbox_log *log;
    const char *base;         /* https://localhost:PORT */
    const int64_t *snapshots; /* stale count of each table of the schema */
    const char *method;
    const char *target;  /* as sent */
    const char *subject; /* "METHOD target" for fault rules */
    char api[8];         /* v9.2 */
    char *path;          /* behind /api/data/v9.2/, decoded */
    struct dv_query query;
    const struct http_headers *headers;
    const char *body;
    size_t body_bytes;
    struct http_answer *answer;
    struct http_link *link; /* NULL in a part */
    int session;            /* number of the request in the log */
};

/**
 * Split the target. False: it is not below /api/data/v9.0-9.2/ or not well encoded. The caller
 * frees with dv_call_done in any case.
 */
bool dv_call_parse(struct dv_call *);
void dv_call_done(struct dv_call *);

const char *dv_header(const struct dv_call *, const char *name);
/** Value of a query option, or NULL. */
const char *dv_option(const struct dv_call *, const char *name);
/** Value of a preference ("" when it has none) copied to `ret`; false when it is not asked for. */
bool dv_preference(const struct dv_call *, const char *name, char *ret, size_t size);

/** The error answer. `code` may be "". */
void dv_error(struct dv_call *, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/**
 * The error that a fault rule asks for: status `arg`; `text` is "html", or CODE [retry-after=N]
 * [MESSAGE] with "-" for an empty code. A 429 says Retry-After: 1 unless told otherwise; N may be
 * "none" (no header) or "date+SECONDS" (a date so far ahead).
 */
void dv_fault_error(struct dv_call *, const struct fault_action *);
/** A JSON answer; takes `json` (NULL = out of memory: 500). */
void dv_json(struct dv_call *, int status, cJSON *json);
/** An answer without a body. */
void dv_empty(struct dv_call *, int status);
/** https://localhost:PORT/api/data/v9.2/$metadata#REST as member @odata.context. */
void dv_add_context(const struct dv_call *, cJSON *object, const char *rest);

/** False (403 is set): the application user may not `verb` ("Read", "Delete", ...) rows of the
 * table. */
bool dv_may(struct dv_call *, const struct dv_table *, const char *verb);

/** Random version 4 UUID, lower case. */
void dv_uuid(char ret[DV_ID_BYTES]);
/** 36 characters of a GUID in any case to lower case; false when it is none. */
bool dv_guid(const char *text, char ret[DV_ID_BYTES]);
/** Bytes of the hexadecimal digits that `text` begins with, as many as fit; their number. */
size_t dv_unhex(const char *text, char *ret, size_t size);
/** Now, as Dataverse writes it: 2026-11-21T20:00:00Z. */
void dv_now(char ret[32]);

/** Text to and from JSON: the library cannot hold \u0000, so U+E000 stands for it inside. */
cJSON *dv_parse_json(const char *text, size_t bytes);
char *dv_print_json(const cJSON *);

/* ---- the parts ---- */

/** Choose and run what the call asks for; everything but $batch. */
void dv_execute(struct dv_call *);

void dv_list(struct dv_call *, const struct dv_table *);
void dv_list_count(struct dv_call *, const struct dv_table *);
void dv_row_read(struct dv_call *, const struct dv_table *, const char *id);
void dv_row_delete(struct dv_call *, const struct dv_table *, const char *id);
void dv_row_upsert(struct dv_call *, const struct dv_table *, const char *id);
void dv_row_create(struct dv_call *, const struct dv_table *);

/** A function or action by name with its argument text ("" without). False: not known. */
bool dv_function(struct dv_call *, const char *name, const char *arguments);
/** systemusers(ID)/Microsoft.Dynamics.CRM.Retrieve... */
bool dv_user_function(struct dv_call *, const char *rest);
void dv_service_document(struct dv_call *);
void dv_metadata(struct dv_call *);
void dv_entity_definition(struct dv_call *, const char *logical_name);

/** The parts of a $batch, each through dv_execute. */
void dv_batch(struct dv_call *);
/** Operations that the body seems to hold, for the service time. */
int64_t dv_batch_operations(const struct dv_call *);

/** Names of a $select, checked; count 0 = all columns. */
enum { DV_SELECT_MAX = 64 };
struct dv_select {
    const struct dv_attribute *items[DV_SELECT_MAX];
    size_t count;
    char *text; /* the names, as sent */
};
bool dv_select_parse(struct dv_call *, const struct dv_table *, struct dv_select *ret);

/** A row as clients see it. `columns` is parsed from the row and is used up (NULL = parse it here).
 */
cJSON *dv_row_json(const struct dv_table *, const struct dv_row *, cJSON *columns,
                   const struct dv_select *);

/** A new row of the table from `columns` (of a client or a seed); fills what the server sets. */
bool dv_row_insert(struct dv_store *, const struct dv_settings *, const struct dv_table *,
                   const cJSON *columns, char ret_id[DV_ID_BYTES]);
/** Change columns of a row and its modifiedon; 1 done, 0 no such row, -1 failure. */
int dv_row_change(struct dv_store *, const struct dv_table *, const char *id, const cJSON *columns);

#endif
