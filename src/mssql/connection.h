/**
 * One connection of DB-Library: opened and proven as README.md here tells.
 * db-lib's handlers are process-wide; each connection finds its own verdict through its user data.
 */
#ifndef MSSQL_CONNECTION_H
#define MSSQL_CONNECTION_H

#include "base/err.h"
#include "base/text.h"
#include "mssql/mssql.h"
#include "verdict.h"

#include <stdbool.h>
#include <stdint.h>
#include <sybdb.h>
#include <sybfront.h>

enum { DIALLED_BYTES = 280 };

/** Where a connection goes. */
struct dial {
    char host[DIALLED_BYTES];
    uint16_t port;
    char text[DIALLED_BYTES + 8]; /* host,port */
};

struct connection {
    DBPROCESS *process;                  /* NULL once it has been closed */
    const struct mssql_options *options; /* borrowed */
    struct verdict verdict;              /* of the batch that runs or ran last */
    char dialled[DIALLED_BYTES + 8];     /* host,port */
    bool session_set;                    /* session.sql has been answered */
    bool proven;                         /* prove.sql has been answered, and well */
    bool encrypted;                      /* the first answer came inside TLS */
    int session_id;                      /* @@SPID, once proven */
    char database[400];                  /* DB_NAME(), once proven */

    /* The batch that runs: read by the interrupt callback and the error handler. */
    int64_t deadline_ms;     /* monotonic */
    int64_t cancelled_at_ms; /* when it was asked to end, or 0 */
    bool attention_sent;     /* the next timeout closes the socket */
    bool no_attention;       /* COMMIT: an attention would add doubt */
    bool sent;               /* a part of it may have reached the server */
    bool open;               /* the rest of its answer waits for statement_go_on */
    bool deaf;               /* stop signals are the caller's to look at */

    /* What is told of batches: statement_log.h. */
    int64_t rows;         /* that the batch has brought */
    bool hold_log;        /* inside a transaction: told when it is over */
    struct text held_log; /* lines, each with its newline */
};

/** Install the handlers. After dbinit. */
void connection_handlers(void);

/**
 * Open a connection, set its session options and see whether its answers are encrypted. What it may
 * not be without is then read back by the first batch (statement.h). Passing states of the server
 * (Azure's) are tried again up to five times, a refused sign-in for options->new_login_ms; both are
 * told to options->observer. ERR_CONNECT, ERR_TLS, ERR_SIGNIN, ERR_INTERRUPTED, ERR_SERVER.
 */
MUST_CHECK bool connection_open(const struct mssql_options *options, struct connection **ret,
                                struct err *err);

/** True while statements can be sent. */
bool connection_is_alive(const struct connection *connection);

/** Close the socket now; the struct stays. Safe twice. */
void connection_hang_up(struct connection *connection);

void connection_free(struct connection *connection); /* NULL is allowed */

/**
 * Azure's redirect, which FreeTDS up to 1.3.17 cannot follow over TLS: the text of its error then
 * ends in (host,port). True when there is one, wherever it leads.
 */
bool connection_redirect(const struct verdict *verdict, struct dial *ret);

/**
 * May a redirect from `host` be followed? Only to a host below the same DNS suffix: a server in the
 * middle cannot send us anywhere else.
 */
bool connection_may_follow(const char *host, const struct dial *to);

/** The message that names the cause of a refused connection: 4060 is followed by a less telling
 * 18456. NULL when the server said nothing. */
const struct server_message *connection_cause(const struct verdict *verdict);

/** Name why dbopen failed, from what was said meanwhile. Returns false. */
bool connection_explain(const struct mssql_options *options, const struct dial *dial,
                        const struct verdict *verdict, struct err *err);

#endif
