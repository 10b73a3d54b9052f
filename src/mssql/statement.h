/** Running a batch: bounded in time, stoppable, and judged by everything that was said. */
#ifndef MSSQL_STATEMENT_H
#define MSSQL_STATEMENT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/text.h"
#include "connection.h"
#include "port/axdb_store.h"
#include "value.h"

#include <stdbool.h>
#include <stdint.h>

/** The row that db-lib holds. Everything read from it is borrowed until the next row. */
struct cursor {
    struct connection *connection;
    int columns;
    const char *set_name; /* name of the first column: tells which result set this is */
};

/** Where rows go. A false ends the batch; its `err` goes to the caller. */
struct taker {
    void *ctx;
    bool (*row)(void *ctx, const struct cursor *cursor, struct err *err);
};

struct statement {
    const struct text *batch;
    const char *name;           /* of the file in sql/ that it was made of; for the log */
    int64_t timeout_ms;         /* in all, not per read */
    enum err_code timeout_code; /* ERR_LOCK inside a transaction, else ERR_CONNECT */
    bool deaf;                  /* a stop signal does not end it */
    bool commit;                /* no attention: closing is the only way out */
    bool first;                 /* its answer shows the encryption */
    bool setting;               /* of session.sql: before the proof */
    size_t sets; /* result sets until the batch is left open, for statement_go_on; 0 = all */
};

/**
 * Send the batch and take every row of every result set. The first batch after session.sql gets the
 * proof of sql/prove.sql in front; no row reaches the taker before that has held.
 */
MUST_CHECK bool statement_run(struct connection *connection, const struct statement *statement,
                              const struct taker *taker, struct err *err);

/**
 * Take the next result sets of the batch that statement_run has left open: `statement` says how
 * many, and has a time limit of its own. Any other batch on the connection ends the open one.
 */
MUST_CHECK bool statement_go_on(struct connection *connection, const struct statement *statement,
                                const struct taker *taker, struct err *err);

/** Append the proof that stands in front of the first batch after session.sql. */
MUST_CHECK bool statement_proof(bool utf8_engine, struct text *out, struct err *err);

/**
 * The statement that has just failed was refused by the server, and by nothing else: it was not
 * stopped, did not time out, and the connection can be used.
 */
bool statement_was_refused(const struct connection *connection);

/** True when the current result set is the one with that name. */
bool cursor_is(const struct cursor *cursor, const char *set_name);

/** A value of the current row, counted from 1. `ret_null` for NULL; the bytes are then empty. */
MUST_CHECK bool cursor_wire(const struct cursor *cursor, int column, struct wire *ret,
                            bool *ret_null, struct err *err);

/** What a count may be at most: sums of some thousands of them do not overflow. */
static const int64_t COUNT_MAX = INT64_C(1) << 48;

/** A number of rows. Not known, and no failure, when it is NULL, negative or beyond COUNT_MAX. */
MUST_CHECK bool cursor_count(const struct cursor *cursor, int column, struct counted *ret,
                             struct err *err);

/** A bit or number as a flag; false for NULL. */
MUST_CHECK bool cursor_flag(const struct cursor *cursor, int column, bool *ret, struct err *err);

/** What HAS_PERMS_BY_NAME answered; NULL is RIGHT_UNKNOWN. */
MUST_CHECK bool cursor_right(const struct cursor *cursor, int column, enum right *ret,
                             struct err *err);

/** A whole number; `if_null` stands for NULL. */
MUST_CHECK bool cursor_integer(const struct cursor *cursor, int column, int64_t if_null,
                               int64_t *ret, struct err *err);

/** Text that was selected as the bytes of nvarchar, decoded into the arena, faults as U+FFFD; ""
 * for NULL. */
MUST_CHECK bool cursor_text(const struct cursor *cursor, int column, struct arena *arena,
                            const char **ret, struct err *err);

/** Short ASCII text that was selected as text; "" for NULL, cut to the buffer. */
MUST_CHECK bool cursor_word(const struct cursor *cursor, int column, char *out, size_t size,
                            struct err *err);

/** Date and time as ISO text in the arena; "" for NULL. */
MUST_CHECK bool cursor_moment(const struct cursor *cursor, int column, struct arena *arena,
                              const char **ret, struct err *err);

#endif
