/**
 * What an adapter would send, as text and without a connection: made by the functions that make
 * what it sends. For a person to read before a plan is applied. Implemented by mssql/ and
 * dataverse/.
 *
 * What is only known at run time stands there as a name: T-SQL has $(name) as sqlcmd writes
 * variables, a request has NAME in capitals.
 */
#ifndef PORT_STATEMENTS_H
#define PORT_STATEMENTS_H

#include "base/err.h"
#include "port/table.h"

#include <stdbool.h>
#include <stddef.h>

/** One batch or request; borrowed for the call. */
struct shown_statement {
    const char *purpose;
    const char *only_when; /* it is sent at all; NULL = always */
    const char *note;      /* when it is sent again, or looks otherwise; NULL = neither */
    const char *text;      /* a batch; or a request: line, headers, blank line, body */
};

struct statement_sink {
    void *ctx;
    bool (*take)(void *ctx, const struct shown_statement *statement, struct err *err);
};

/** Keys or versions of rows, one after the other. `ret_end`: there is no more. */
struct row_stream {
    void *ctx;
    bool (*next)(void *ctx, struct row_id *ret, bool *ret_end, struct err *err);
};

/** As struct axdb_store_ops, each of which sends what its namesake here shows. */
struct axdb_statements {
    bool (*connect)(const struct statement_sink *sink, struct err *err);
    bool (*observe)(const struct statement_sink *sink, struct err *err); /* first of a connection */
    bool (*read_rows)(const struct schema *const *schemas, size_t count,
                      const struct statement_sink *sink, struct err *err); /* foreseen together */
    bool (*acquire_exclusion)(const struct statement_sink *sink, struct err *err);
    bool (*begin_locked)(bool then_catalog, const struct statement_sink *sink, struct err *err);
    bool (*delete_all)(const bool tables[AXDB_TABLES], const struct statement_sink *sink,
                       struct err *err);
    bool (*delete_keys)(enum table table, const struct row_stream *rows,
                        const struct statement_sink *sink, struct err *err);
    bool (*commit)(const struct statement_sink *sink, struct err *err);
    bool (*rollback)(const struct statement_sink *sink, struct err *err);
};

/** As struct runtime_store_ops. */
struct runtime_statements {
    bool (*connect)(const struct statement_sink *sink, struct err *err);
    bool (*observe)(const struct statement_sink *sink, struct err *err);
    bool (*read_rows)(const struct statement_sink *sink, struct err *err);
    bool (*remove)(const struct row_stream *rows, const struct statement_sink *sink,
                   struct err *err);
};

#endif
