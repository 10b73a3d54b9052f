/**
 * A T-SQL engine over SQLite: what the TDS server asks for each session. It knows nothing of
 * packets and tokens; the server knows nothing of SQL. Values are typed as SQL Server types them,
 * so that the server can put them on the wire without asking back.
 *
 * Threads: one thread a session; the engine synchronises sessions among themselves (lock table,
 * stores). Only session_cancel may be called from another thread.
 */
#ifndef SANDBOX_TSQL_ENGINE_H
#define SANDBOX_TSQL_ENGINE_H

#include "common/fault.h"
#include "common/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- values ---- */

enum sql_type {
    SQL_BIT,
    SQL_TINYINT,
    SQL_SMALLINT,
    SQL_INT,
    SQL_BIGINT,
    SQL_DECIMAL, /* also numeric */
    SQL_SMALLMONEY,
    SQL_MONEY,
    SQL_REAL,
    SQL_FLOAT,
    SQL_DATE,
    SQL_TIME,
    SQL_DATETIME2,
    SQL_DATETIMEOFFSET,
    SQL_SMALLDATETIME,
    SQL_DATETIME,
    SQL_UNIQUEIDENTIFIER,
    SQL_CHAR,
    SQL_VARCHAR,
    SQL_NCHAR,
    SQL_NVARCHAR,
    SQL_BINARY,
    SQL_VARBINARY,
    SQL_ROWVERSION, /* on the wire binary(8) with user type 80 */
    SQL_XML,        /* declared and described only: enough to be refused by a client that looks */
    SQL_TEXT,
    SQL_NTEXT,
    SQL_IMAGE,
    SQL_VARIANT,
};

#define SQL_MAX_LENGTH UINT32_MAX /* varchar(max) and its like */

struct sql_typeinfo {
    enum sql_type type;
    uint32_t
        max_bytes; /* char, varchar, nchar, nvarchar, binary, varbinary: bytes, or SQL_MAX_LENGTH */
    uint8_t precision; /* decimal */
    uint8_t scale;     /* decimal, time, datetime2, datetimeoffset */
    uint16_t codepage; /* char, varchar: of a column with a collation of its own; 0 = 1252, the
                          database's. What is sent to the client is in 1252. */
    bool nullable;
    bool identity;
    bool computed;
};

/** One value. Bytes are borrowed from the engine until the callback that brought them returns. */
struct sql_value {
    bool is_null;
    bool negative;          /* decimal */
    int16_t offset_minutes; /* datetimeoffset; `days` and `integer` are UTC */
    int32_t days; /* date parts, datetime, smalldatetime: days since 1900-01-01 (may be negative) */
    int64_t integer; /* bit, ints; money and smallmoney in 1/10000; datetime: ticks of 1/300 s since
                        midnight; smalldatetime: minutes since midnight; time parts: 100 ns since
                        midnight */
    double real;     /* real, float */
    uint32_t magnitude[4]; /* decimal: unscaled magnitude, least significant word first */
    const unsigned char
        *bytes;    /* character types: nchar and nvarchar UTF-16LE, char and varchar code page
                      1252; binary types; uniqueidentifier: the 16 bytes as on the wire */
    size_t length; /* bytes */
};

struct sql_column {
    const uint16_t *name; /* UTF-16, host order, borrowed like values */
    size_t name_units;    /* 0 = unnamed */
    struct sql_typeinfo type;
};

/* ---- what comes back ---- */

enum sql_done_kind { SQL_DONE_STATEMENT, SQL_DONE_IN_PROC, SQL_DONE_PROC };

enum {                         /* flags of sql_sink.done */
       SQL_DONE_ERROR = 1,     /* this statement failed */
       SQL_DONE_HAS_COUNT = 2, /* `rows` is meant (SET NOCOUNT OFF, or a SELECT) */
       SQL_DONE_ATTENTION = 4, /* ended by session_cancel: the server answers the attention */
};

/**
 * Where results go. The engine calls columns, row*, done for a result set; done alone for other
 * statements; message at any time. A false from row or columns means the connection is gone: stop.
 */
struct sql_sink {
    void *ctx;
    bool (*columns)(void *ctx, const struct sql_column *columns, size_t count);
    bool (*row)(void *ctx, const struct sql_value *values, size_t count);
    /** `command`: 0xC1 select, 0xC3 insert, 0xC4 delete, 0xC5 update, 0xD4 begin, 0xD5 commit, 0xD2
     *  rollback, 0 other. `more`: other results of the same request follow (a hint; the server
     * itself ends the request). */
    void (*done)(void *ctx, enum sql_done_kind kind, unsigned flags, uint16_t command,
                 uint64_t rows);
    /** severity > 10 is an error, else information. `text` is UTF-8. */
    void (*message)(void *ctx, int32_t number, int severity, int state, const char *text,
                    const char *procedure, int line);
    /** The transaction of the session began (8), was committed (9) or rolled back (10); `id` is not
     * 0. */
    void (*transaction)(void *ctx, int envchange, uint64_t id);
    /** RETURN status of a procedure, and output parameters (by ordinal of the call). */
    void (*return_status)(void *ctx, int32_t status);
    void (*output)(void *ctx, size_t ordinal, const struct sql_column *as,
                   const struct sql_value *value);
};

/* ---- engine and sessions ---- */

struct engine_options {
    const char *directory;   /* an existing, empty directory for the store's files */
    const char *server_name; /* @@SERVERNAME */
    const char *database;    /* its only user database, e.g. AxDB */
    bool read_committed_snapshot;
    bool utf8;               /* an engine of another make: see dialect.h */
    struct faults *faults;   /* borrowed */
    struct sandbox_log *log; /* borrowed; the engine logs nothing that the server logs */
};

struct engine;
struct session;

/** NULL on failure, with the reason in `why`. */
struct engine *engine_open(const struct engine_options *options, char *why, size_t why_size);
void engine_close(struct engine *);

/** Run T-SQL (UTF-8) with all rights, e.g. a seed or another writer. False: `why` has number and
 * text. */
bool engine_run_script(struct engine *, const char *sql, char *why, size_t why_size);

/**
 * Logins and their rights. `rights` is a comma-separated list of NAME or NAME:TABLE, NAME one of
 * select, insert, update, delete, alter, view_definition, view_server_state, view_database_state,
 * applock, msdb (may read restore history), all. Without :TABLE it holds for every table.
 */
bool engine_add_login(struct engine *, const char *user, const char *password, const char *rights);

/** A login for a while, as a cloud gives it just in time. */
struct engine_grant {
    const char *owner; /* an earlier login of the same owner ends, and its sessions are killed */
    const char *user, *password, *rights;
    uint32_t first_address, last_address; /* who may connect: 40615 for others */
    int64_t usable_at_ms, ends_at_ms;     /* on the wall's clock; 18456 before and after */
};
/** False: the name is taken. */
bool engine_grant_login(struct engine *, const struct engine_grant *);

struct login_request {
    const char *user, *password, *database, *application,
        *workstation; /* UTF-8; database may be "" */
    bool read_only_intent;
    bool odbc;      /* LOGIN7 said ODBC: ANSI options on, no TEXTSIZE limit */
    bool encrypted; /* answered by encrypt_option of sys.dm_exec_connections */
};

/**
 * Sign in. On refusal NULL, and the messages (18456, 4060, ...) have gone to the sink.
 * On success the messages 5701/5703 are the server's to send; the session knows its
 * id from session_id (51 and up).
 */
struct session *engine_login(struct engine *, const struct login_request *,
                             const struct sql_sink *);
int session_id(const struct session *);
const char *session_database(const struct session *);
void session_close(struct session *); /* rolls back, frees locks */
/** The session was killed or cut by a fault: close the connection without another word. */
bool session_dead(const struct session *);

/** Run one batch: UTF-16LE bytes as they came. Everything is reported to the sink, including syntax
 * errors. */
void session_batch(struct session *, const unsigned char *utf16le, size_t bytes,
                   const struct sql_sink *);

struct sql_parameter {
    struct sql_column column; /* name with its @, or unnamed */
    struct sql_value value;
    bool output;
};

/**
 * sp_executesql: the statement's text in a scope of its own with these parameters (they are typed
 * by `declarations`, e.g. N'@a int, @b nvarchar(10) output', empty when there are none). Ends with
 * return_status and output calls; `done` calls come with SQL_DONE_IN_PROC, the last with
 * SQL_DONE_PROC.
 */
void session_execute(struct session *, const unsigned char *sql_utf16le, size_t sql_bytes,
                     const unsigned char *declarations_utf16le, size_t declarations_bytes,
                     const struct sql_parameter *parameters, size_t count, const struct sql_sink *);

/** A stored procedure called by name: those that EXEC knows; else 2812. */
void session_call(struct session *, const char *procedure, const struct sql_parameter *parameters,
                  size_t count, const struct sql_sink *);

/** Transaction manager requests: 5 begin, 7 commit, 8 rollback. */
void session_transaction(struct session *, int request, const struct sql_sink *);

/** State that belongs to the login (SET options, temporary tables, transaction) back to its start.
 */
void session_reset(struct session *, const struct sql_sink *);

/** Attention: from another thread. The running request ends soon, with `done` SQL_DONE_ATTENTION.
 */
void session_cancel(struct session *);

/* Bulk load: after a batch `insert bulk T (c type, ...)` the sink gets an empty `done` and the
 * session stands ready for rows. */
bool session_bulk_expected(const struct session *);
/** Columns as the client describes them now; checks them against the table. */
bool session_bulk_begin(struct session *, const struct sql_column *columns, size_t count,
                        const struct sql_sink *);
bool session_bulk_row(struct session *, const struct sql_value *values, size_t count,
                      const struct sql_sink *);
void session_bulk_end(struct session *, bool keep,
                      const struct sql_sink *); /* one `done` with the count */

#endif
