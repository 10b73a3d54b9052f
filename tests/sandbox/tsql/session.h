/** What the files of the engine share: engine, sessions, tables, locks, store. */
#ifndef SANDBOX_TSQL_SESSION_H
#define SANDBOX_TSQL_SESSION_H

#include "tsql/ast.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

/* ---- catalog: what a session knows of the database's objects ---- */

struct column {
    const char *name;
    struct sql_typeinfo type;
    const struct column_def *def; /* NULL: column of a view */
};

#define MAX_KEY_COLUMNS 32

struct index {
    const char *name;
    int id;     /* 1 clustered, 2... others, as in sys.indexes */
    int object; /* id of the constraint's object, 0 = plain index */
    bool unique, primary, constraint, clustered, filtered, descending[MAX_KEY_COLUMNS];
    int columns[MAX_KEY_COLUMNS], count;
};

struct foreign_key {
    const char *name;
    int object, parent, referenced; /* table ids */
    int columns[MAX_KEY_COLUMNS], reference_columns[MAX_KEY_COLUMNS], count;
};

struct check {
    const char *name;
    struct expr *condition;
};

struct trigger {
    const char *name;
    int object, parent;
    bool disabled, instead_of;
};

struct predicate {
    int policy, table;
    const struct predicate_def *def;
    const struct stmt *function;
};

struct function_object {
    const struct stmt *statement;
    int object;
};

struct policy {
    const char *name;
    int object;
    bool enabled;
};

struct table {
    struct table *next;
    int id;
    const char *name;
    bool temp, dropped, tracked;
    struct column *columns;
    int count, identity, rowversion; /* column + 1, or 0 */
    struct index *indexes;
    int index_count;
    struct check *checks;
    int check_count;
    int64_t created;     /* ms since 1970 */
    struct arena *arena; /* temporary tables own theirs */
};

struct catalog {
    struct arena arena;
    int64_t version;
    struct table *tables;
    struct foreign_key *keys;
    int key_count;
    struct trigger *triggers;
    int trigger_count;
    struct policy *policies;
    int policy_count;
    struct predicate *predicates;
    int predicate_count;
    struct function_object *functions;
    int function_count;
};

/* ---- locks ---- */

enum lock_mode { LOCK_IS, LOCK_IX, LOCK_S, LOCK_U, LOCK_X };
enum lock_owner { OWNER_STATEMENT, OWNER_TRANSACTION, OWNER_SESSION };
enum lock_result { LOCKED, LOCKED_AFTER_WAIT, LOCK_TIMED_OUT, LOCK_DEADLOCK, LOCK_CANCELLED };

struct lock;
struct lock_table;

/** Take a lock for the session; waits up to `timeout_ms` (-1 = for ever). */
enum lock_result lock_take(struct session *, const char *resource, enum lock_mode, enum lock_owner,
                           int timeout_ms);
/** Give back what the owner holds: all up to and including it. */
void lock_release(struct session *, enum lock_owner up_to);
/** One application lock. False when it is not held. */
bool lock_release_one(struct session *, const char *resource, enum lock_owner);
void lock_wake_all(struct engine *);

struct lock_row {
    int session, blocking;
    char resource[160];
    enum lock_mode mode;
    bool waiting;
};
/** A snapshot of all locks. */
size_t lock_snapshot(struct engine *, struct arena *, struct lock_row **out);

/* ---- engine ---- */

struct right {
    struct right *next;
    char *name, *table; /* table NULL = all */
};

struct login {
    struct login *next;
    char *user, *password;
    struct right *rights;
    char *owner; /* of one that was granted for a while; NULL = for ever */
    uint32_t first_address, last_address;
    int64_t usable_at, ends_at;
};

struct identity_value {
    struct identity_value *next;
    int table;
    int64_t last;
};

struct lock_list {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct lock *first;
    uint64_t sequence;
};

enum { PLANS_SEEN = 1024 };

/** Trees that may be run again; see plan.c. */
struct plans {
    pthread_mutex_t mutex;
    struct plan *waiting; /* the last used first; one that runs is not among them */
    size_t count;
    uint64_t seen[PLANS_SEEN]; /* numbers of texts that came before */
};

struct engine {
    char *directory, *server_name, *database;
    struct faults *faults;
    struct sandbox_log *log;
    pthread_mutex_t mutex; /* logins, sessions, identities, state */
    struct login *logins;
    struct session *sessions;
    struct identity_value *identities;
    struct lock_list locks;
    struct plans plans;
    int next_session;
    bool store_ready, utf8;
    atomic_int next_object;
    atomic_llong next_version, next_transaction, next_rowversion;
    atomic_bool snapshot, read_only, replica; /* replica: read-intent logins land on a secondary */
    atomic_int user_access;                   /* 0 multi, 1 single, 2 restricted */
    atomic_int delayed_durability;            /* 0 disabled, 1 allowed, 2 forced */
    int64_t started;
    unsigned char guid[16], fork[16];
};

/* ---- session ---- */

enum { /* bits of @@OPTIONS */
       OPT_IMPLICIT_TRANSACTIONS = 2,
       OPT_CURSOR_CLOSE_ON_COMMIT = 4,
       OPT_ANSI_WARNINGS = 8,
       OPT_ANSI_PADDING = 16,
       OPT_ANSI_NULLS = 32,
       OPT_ARITHABORT = 64,
       OPT_ARITHIGNORE = 128,
       OPT_QUOTED_IDENTIFIER = 256,
       OPT_NOCOUNT = 512,
       OPT_ANSI_NULL_DFLT_ON = 1024,
       OPT_ANSI_NULL_DFLT_OFF = 2048,
       OPT_CONCAT_NULL_YIELDS_NULL = 4096,
       OPT_NUMERIC_ROUNDABORT = 8192,
       OPT_XACT_ABORT = 16384,
};

enum isolation { ISO_READ_UNCOMMITTED = 1, ISO_READ_COMMITTED, ISO_REPEATABLE, ISO_SERIALIZABLE };

struct settings {
    uint32_t options;
    int textsize, lock_timeout, deadlock_priority, datefirst;
    enum isolation isolation;
    int64_t rowcount;
    bool fmtonly, noexec, parseonly;
    char dateformat[4], language[64];
    int identity_insert; /* table id */
};

/** One SQLite connection and the state of its transaction. */
enum { KEPT_STATEMENTS = 24 };

/** A statement of SQLite that was asked for before and may be again. */
struct kept {
    char *sql;
    sqlite3_stmt *st;
    bool busy;
    uint64_t used; /* when, counted in uses */
};

struct db {
    sqlite3 *handle;
    struct kept kept[KEPT_STATEMENTS];
    uint64_t uses;
    bool writing, savepoint, reading;
    sqlite3_stmt *insert; /* the last insert, kept prepared */
    int insert_table;
};

struct variable {
    struct variable *next;
    const char *name;
    struct val value;
    unsigned char *own; /* the bytes of the value, when assigned */
    size_t capacity;
};

/** A scope of names: a batch, an sp_executesql, an EXEC string. */
struct frame {
    struct frame *outer;
    struct variable *variables;
    struct arena arena; /* variables live here */
    struct batch batch;
    int level, try_depth;
    int return_value;
    bool parameters_given;   /* sp_executesql: RETURN n is allowed */
    struct sql_error caught; /* of the innermost CATCH */
    bool in_catch;
};

struct session {
    struct engine *engine;
    struct session *next; /* of the engine */
    char *user, *database, *application, *workstation;
    struct right *rights; /* borrowed; all_rights for scripts */
    struct settings settings;
    const struct sql_sink *sink;
    struct db main, temp;
    struct catalog catalog;
    struct table *temps;
    struct frame *frame;
    struct sql_error error;
    uint64_t transaction;
    uint64_t statement; /* counts them */
    int64_t rowcount, identity_scope;
    pthread_mutex_t run; /* held while a request runs */
    int64_t login_time, request_time;
    struct bulk *bulk;
    struct arena *statement_arena;
    struct buf pending_text; /* of EXEC (...) */
    int id;
    enum sql_done_kind done_kind;
    int trancount, nest;
    int last_error, line;
    int blocked_by;
    int lock_wait_override;
    int return_value; /* of the text just run */
    bool all_rights, odbc, internal, encrypted;
    bool doomed;
    char tran_name[130];
    bool identity_set;
    atomic_bool cancel, dead, running, victim;
    bool cancelled; /* this request ended by the attention */
    bool bulk_open; /* between session_bulk_begin and its end: `run` is held */
    bool replica; /* reads what was there at its first read, writes nothing, takes no table locks */
    bool condition; /* of the IF or WHILE just tested */
};

/** The evaluation context of the session, with a given arena. */
struct vctx session_vctx(struct session *, struct arena *);
/** Fill session->error. */
bool session_fail(struct session *, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Should the running request end now? Then the error is set. */
bool session_interrupted(struct session *);
/** Under the engine's mutex; the caller wakes who waits for locks afterwards. */
void session_kill(struct session *);
/** Of the engine's list; under its mutex. */
void login_free(struct login *);
struct right *rights_parse(const char *text);
/** A login that was granted for a while: does it work now, may it come from loopback? */
bool login_is_open(const struct login *);
bool login_is_behind_firewall(const struct login *);
bool session_allowed(const struct session *, const char *right, const char *table);
void session_info(struct session *, int number, int state, const char *text);
struct session *session_open_internal(struct engine *);
int64_t now_ms(void);

/* ---- store ---- */

bool store_open(struct session *, char *why, size_t size);
void store_close(struct session *);
/** Read the catalog again if another version is current. */
bool catalog_refresh(struct session *);
void catalog_free(struct session *);
struct table *catalog_find(struct session *, const struct name *);
struct table *catalog_by_id(struct session *, int id);
bool catalog_create_table(struct session *, const struct stmt *);
bool catalog_drop(struct session *, const struct stmt *);
bool catalog_create_other(struct session *, const struct stmt *);
bool catalog_alter(struct session *, const struct stmt *);
struct table *table_build(struct arena *, const struct stmt *, int id);
/** After a rollback: which temporary tables are there still? */
void temps_reconcile(struct session *);
int column_find(const struct table *, const char *name); /* -1 */
const struct stmt *catalog_function(const struct session *, const char *name);

struct db *table_db(struct session *, const struct table *);
/** Make ready to write: the writer's lock, the transaction, the statement's savepoint. */
bool store_write(struct session *, const struct table *);
/** End of a statement: keep or undo what it did; statement locks are released. */
bool store_statement_end(struct session *, bool keep);
bool store_commit(struct session *);
void store_rollback(struct session *);
bool store_exec(struct db *, struct session *, const char *sql);
/** A statement, prepared now or before; NULL when it cannot be. store_finish gives it back. */
sqlite3_stmt *store_prepare(struct db *, const char *sql);
void store_finish(struct db *, sqlite3_stmt *); /* NULL is allowed */

struct scan;
/** All rows of a table in the order of an index (or as stored, -1). `key` (may be empty): rows
 * whose index key equals these bytes. */
struct scan *scan_open(struct session *, const struct table *, int index, const struct buf *key);
/** 1 a row, 0 the end, -1 an error. Values are borrowed until the next call. */
int scan_next(struct scan *, struct val *values, int64_t *rid);
/** Of the rows only these columns, and none after so many; the others are left as they are. */
void scan_part(struct scan *, const bool *wanted, int columns);
void scan_close(struct scan *);
bool store_insert(struct session *, const struct table *, const struct val *row);
bool store_delete(struct session *, const struct table *, int64_t rid, const struct val *row);
bool store_update(struct session *, const struct table *, int64_t rid, const struct val *row);
bool store_unindex(struct session *, const struct table *, int64_t rid, const struct val *row);
bool store_clear(struct session *, const struct table *);
int64_t store_count(struct session *, const struct table *);
void index_key(const struct table *, const struct index *, const struct val *row, struct buf *);
bool index_create(struct session *, const struct table *, const struct index *);
bool index_fill(struct session *, const struct table *, const struct index *);
int64_t identity_next(struct session *, const struct table *);
void identity_saw(struct session *, const struct table *, int64_t value);

/** 1222, 1205 or the cancel as an error of the session. */
bool lock_table(struct session *, const struct table *, enum lock_mode, enum lock_owner);
bool lock_failed(struct session *, enum lock_result);

/* ---- evaluation ---- */

struct sysview;

struct source {
    const char *alias, *name;
    const struct column *columns;
    int count;
    struct table *table;
    const struct sysview *view;
    struct query *query;
    const struct from *from;
    struct val *row;
    struct val **rows; /* a view's rows, read once a statement */
    size_t row_count;
    bool rows_read;
    bool *wanted;        /* of a table that is only read: which columns are; NULL = all */
    int used;            /* how many columns there are up to the last that is asked for */
    struct expr **early; /* see early.c */
    int early_count;
    struct spool *spool; /* of a table that a statement reads again and again; see iterate.c */
    const struct expr *probe,
        *probe_of; /* of a view: this column of it equals that one of another source */
    const struct predicate **filters; /* row-level security */
    int filter_count;
};

struct group {
    struct val *keys;
    struct aggregate_state *states;
};

struct scope {
    struct scope *outer;
    struct source **sources;
    int count;
    struct group *group;
    struct variable *parameters; /* of a predicate function */
    struct bound_select *select; /* while binding */
};

struct bound_select {
    struct source **sources;
    int source_count;
    struct expr **outputs; /* visible ones, then those of ORDER BY alone */
    const char **names;
    int width, total;
    struct expr **aggregates;
    int aggregate_count;
    bool grouped, assigns;
};

struct bound_query {
    struct sql_column *columns;
    struct sql_typeinfo *types; /* of every output, hidden ones too */
    int width, total;
};

struct ectx {
    struct vctx v;
    struct session *s;
    struct scope *scope;
};

enum step { STEP_ON, STEP_STOP, STEP_ERROR };
typedef enum step (*row_fn)(void *ctx, struct val *row);

bool bind_expr(struct ectx *, struct expr *);
bool bind_query(struct ectx *, struct query *, struct scope *outer);
bool same_expr(const struct expr *, const struct expr *);
bool eval(struct ectx *, struct expr *, struct val *out);
/** A condition: unknown counts as false. */
bool eval_true(struct ectx *, struct expr *, bool *ret_true);
enum step query_run(struct ectx *, struct query *, row_fn, void *ctx);
/** Bind, then run, an expression on its own. */
bool eval_alone(struct session *, struct arena *, struct expr *, struct val *out);
bool arithmetic(struct ectx *, char op, const struct val *a, const struct val *b, struct val *out);
bool arithmetic_type(struct ectx *, char op, struct sql_typeinfo a, struct sql_typeinfo b,
                     struct sql_typeinfo *out);
struct variable *variable_find(struct ectx *, const char *name);
/** Convert and keep: the variable owns its bytes. */
bool variable_set(struct ectx *, struct variable *, const struct val *);
bool global_value(struct ectx *, const char *name, struct val *out);
/** The statement asks for this column of the source's rows; others need not be made. */
void source_use(struct source *, int column);
/** Where there are joins: give each source the conditions of WHERE that concern it alone. */
void early_place(struct arena *, const struct select *, struct bound_select *);
/** Where ON wants a column of a view to equal another source's: does this row's? Others cannot
 * match. */
bool early_probe(struct source *const *sources, const struct source *, const struct val *row);
/** Does the source's row pass them? */
bool early_passes(struct ectx *, const struct source *, bool *ret_pass);
bool source_open_table(struct ectx *, struct source *, struct table *, const char *right);
bool bind_item_list(struct ectx *, struct item *, int count, struct bound_select *);
bool sources_open(struct ectx *, struct from *, struct bound_select *, struct scope *outer);
/** Iterate a FROM tree; `step` is called with the sources' rows set. */
struct continuation {
    enum step (*row)(void *ctx);
    void *ctx;
};
struct iteration {
    struct ectx *x;
    struct source **sources;
    struct expr *where; /* of a single table: may choose an index */
    int index;          /* order in which that table is read, -1 = any */
    int64_t rid;        /* of the last row of a table, for DML */
};
enum step iterate_from(struct iteration *, const struct from *, struct continuation);
enum step iterate_source(struct iteration *, struct source *, struct continuation);

/* sets of keys, and sorting */
struct keyset {
    struct buf bytes;
    size_t *starts, *slots; /* starts of the keys; slots: index + 1 */
    size_t count, capacity, slot_count;
};
/** The index of the key; `ret_new` says that it was not there before. */
size_t keyset_add(struct keyset *, const struct buf *key, bool *ret_new);
void keyset_free(struct keyset *);

struct sort_entry {
    size_t key, key_length, row, row_length, sequence;
};
struct sorter {
    struct buf bytes;
    struct sort_entry *entries;
    size_t count, capacity;
};
void sorter_add(struct sorter *, const struct buf *key, const struct val *row, size_t width);
void sorter_sort(struct sorter *);
void sorter_free(struct sorter *);

/* aggregates */
struct aggregate_state;
struct aggregate_state *aggregates_new(struct arena *, const struct bound_select *);
bool aggregates_add(struct ectx *, const struct bound_select *, struct aggregate_state *,
                    struct arena *keep);
bool aggregate_result(struct ectx *, const struct expr *, const struct aggregate_state *,
                      struct val *out);
bool aggregate_type(struct ectx *, struct expr *);
void aggregates_free(struct aggregate_state *, int count);

/* functions */
struct function {
    const char *name;
    int min, max;
    char type;  /* see function_type */
    bool nulls; /* is called with NULL arguments too */
    bool (*eval)(struct ectx *, struct expr *, struct val *args, struct val *out);
};
const struct function *function_find(const char *name);
struct sql_typeinfo function_type(const struct function *, const struct expr *);

/* catalog views */
const struct sysview *sysview_find(const struct session *, const struct name *);
const struct column *sysview_columns(const struct sysview *, int *count);
bool sysview_fill(struct ectx *, struct source *);
const char *sysview_name(const struct sysview *);
int object_id_of(struct session *, const char *name, const char *type); /* 0 = none */
const char *object_name_of(struct session *, int id);
const char *system_type_name(int system_type_id);

/* ---- execution ---- */

enum flow { FLOW_NEXT, FLOW_BREAK, FLOW_CONTINUE, FLOW_RETURN, FLOW_ERROR, FLOW_END };

typedef bool (*statement_fn)(struct session *, const struct stmt *);
/** Reads and writes of one statement: all or nothing. */
bool atomically(struct session *, const struct stmt *, statement_fn);
enum flow run_throw(struct session *, const struct stmt *);
enum flow run_raise(struct session *, const struct stmt *);
enum flow exec_list(struct session *, const struct stmt *);
enum flow exec_statement(struct session *, const struct stmt *);
/** The tree of a text, made now or before, for one run of it. NULL: a syntax error, in the
 * session's error. */
struct plan *plan_take(struct session *, struct units text, struct batch *ret);
void plan_give_back(struct session *, struct plan *); /* NULL is allowed */
void plans_free(struct plans *);
/** Run text in a new frame. */
enum flow exec_text(struct session *, struct units text, struct variable *parameters);
/** A failed statement: report it or leave it to a CATCH. */
enum flow handle_error(struct session *, uint16_t command);
bool fault_point(struct session *, const char *point, const char *subject);
void frame_push(struct session *, struct frame *);
void frame_pop(struct session *, struct frame *);
void variables_free(struct variable *);
struct variable *variable_new(struct arena *, struct variable **list, const char *name,
                              struct sql_typeinfo);

struct call_arg {
    const char *name; /* with its @, or NULL */
    struct val value;
    bool output, changed;
};
struct call {
    const char *name;
    struct call_arg *args;
    int count, status;
    bool failed; /* it did not run: no status comes back */
    struct arena *arena;
};
/** Run a known procedure. FLOW_ERROR and the like as statements do. */
enum flow call_procedure(struct session *, struct call *);
bool exec_bulk(struct session *, const struct stmt *);
void bulk_free(struct session *);
bool exec_select(struct session *, const struct stmt *);
bool exec_insert(struct session *, const struct stmt *);
bool exec_update(struct session *, const struct stmt *);
bool exec_delete(struct session *, const struct stmt *);
bool exec_truncate(struct session *, const struct stmt *);
bool exec_set_option(struct session *, const struct stmt *);
enum flow exec_procedure(struct session *, const struct stmt *);
void settings_reset(struct session *);

/** Check, complete and store a row (defaults, identity, rowversion, computed columns, constraints).
 */
struct row_writer {
    struct session *s;
    struct table *table;
    struct ectx x;
    struct arena arena; /* for the row being built */
    struct val *row;
    bool *given;
    struct scope scope;
    struct source source, *source_list;
    bool identity_insert, has_checks, keep_identity;
    int64_t last_identity;
};
bool row_writer_open(struct row_writer *, struct session *, struct table *);
void row_writer_close(struct row_writer *);
bool row_writer_begin(struct row_writer *); /* a new row */
bool row_writer_set(struct row_writer *, int column, const struct val *);
bool row_writer_default(struct row_writer *, int column);
bool row_writer_complete(struct row_writer *, bool update);
bool row_writer_insert(struct row_writer *);
bool foreign_keys_of_insert(struct session *, struct table *, const struct val *row);
bool foreign_keys_of_delete(struct session *, struct table *, const struct val *row);

/** For DML: find, check rights, lock, make ready to write. */
bool target_open(struct session *, const struct name *, const char *right, struct table **out);

/* transactions */
bool tran_begin(struct session *);
bool tran_commit(struct session *);
void tran_rollback(struct session *);

void sink_done(struct session *, unsigned flags, uint16_t command, uint64_t rows);
void sink_error(struct session *, const struct sql_error *);
bool sink_columns(struct session *, const struct sql_column *, size_t count);
bool sink_row(struct session *, struct val *row, size_t count);

/** A query whose rows go to the client; `rows` counts them. */
bool send_query(struct session *, struct ectx *, struct query *, uint64_t *rows);

#endif
