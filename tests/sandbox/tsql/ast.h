/** Tokens and the syntax tree. Everything lives in the arena of its batch. */
#ifndef SANDBOX_TSQL_AST_H
#define SANDBOX_TSQL_AST_H

#include "tsql/value.h"

/* ---- tokens ---- */

enum token_kind {
    TK_END,
    TK_NAME,
    TK_QUOTED, /* [name] or "name" */
    TK_VARIABLE,
    TK_GLOBAL,
    TK_STRING,
    TK_NSTRING,
    TK_INTEGER,
    TK_DECIMAL,
    TK_FLOAT,
    TK_MONEY,
    TK_HEX,
    TK_OPERATOR,
};

struct token {
    enum token_kind kind;
    int line;
    size_t start, end;  /* code units of the source */
    const char *text;   /* name, operator, digits; NULL for strings */
    struct units value; /* strings; hex: the bytes, one a unit */
};

struct tokens {
    struct token *at;
    size_t count;
};

/** The last token is TK_END. False: 102, 103, 105 or 113 in the error. */
bool lex(struct vctx *, struct units source, bool quoted_identifiers, struct tokens *out);
bool is_reserved(const char *word);

/* ---- names ---- */

struct name {
    const char *server, *database, *schema, *object; /* NULL when left out */
};

/* ---- expressions ---- */

enum expr_kind {
    EX_LITERAL,
    EX_COLUMN,
    EX_VARIABLE,
    EX_GLOBAL,
    EX_NEGATE,
    EX_COMPLEMENT,
    EX_ARITHMETIC, /* op: + - * / % & | ^ */
    EX_CAST,
    EX_CALL,
    EX_CASE,     /* [operand] when then ... [else]: see `operand`, `otherwise` */
    EX_COALESCE, /* also ISNULL: `op` 'i' */
    EX_SUBQUERY,
    EX_AGGREGATE,
    EX_STAR, /* * or t.* of a select list, * of COUNT */
    EX_DEFAULT,
    /* conditions from here on */
    EX_COMPARE, /* op: = < > l (<=) g (>=) ! (<>) */
    EX_AND,
    EX_OR,
    EX_NOT,
    EX_IS_NULL,
    EX_LIKE,
    EX_IN,
    EX_IN_QUERY,
    EX_EXISTS,
    EX_BETWEEN,
};

struct query;
struct function;

struct expr {
    enum expr_kind kind;
    char op;
    bool negated;  /* IS NOT NULL, NOT LIKE, NOT IN, NOT BETWEEN */
    bool try_;     /* TRY_CAST, TRY_CONVERT */
    bool distinct; /* COUNT(DISTINCT x) */
    int line;
    int style;
    const char *name;           /* column, variable, function, @@name */
    const char *table, *schema; /* qualifier of a column */
    struct expr **args;
    int count;
    struct expr *operand, *otherwise, *style_arg; /* CASE; CONVERT */
    struct val literal;
    struct query *query;
    struct sql_typeinfo type; /* set by bind (CAST: by the parser) */
    /* set by bind */
    int depth, source, column;
    int aggregate, group; /* index + 1 in the select's aggregates or groups */
    const struct function *function;
    bool steady;       /* a call whose answer holds for a whole statement */
    uint64_t answered; /* the statement that it was answered in; 0 = none */
    struct val answer; /* a number: it borrows nothing */
};

bool is_condition(const struct expr *);

/* ---- queries ---- */

enum lock_hint {
    HINT_NOLOCK = 1,
    HINT_READCOMMITTEDLOCK = 2,
    HINT_TABLOCK = 4,
    HINT_TABLOCKX = 8,
    HINT_HOLDLOCK = 16,
    HINT_UPDLOCK = 32,
    HINT_XLOCK = 64,
    HINT_NOWAIT = 128,
    HINT_READPAST = 256,
};

enum from_kind { FROM_TABLE, FROM_QUERY, FROM_JOIN };
enum join_kind { JOIN_CROSS, JOIN_INNER, JOIN_LEFT };

struct from {
    enum from_kind kind;
    enum join_kind join;
    struct name name;
    unsigned hints;
    const char *alias;
    const char **columns; /* derived table: column aliases */
    int column_count;
    struct query *query;
    struct from *left, *right;
    struct expr *on;
    int source; /* set by bind: index in the select's sources */
};

struct item {
    struct expr *expr;
    const char *alias;
    const char *variable; /* SELECT @v = expr */
};

struct order {
    struct expr *expr;
    bool descending;
    int column; /* set by bind: 1-based column of the output, or 0 */
};

struct select {
    bool distinct;
    struct expr *top;
    bool top_percent;
    struct item *items;
    int count;
    struct name *into;
    struct from *from;
    struct expr *where, *having;
    struct expr **groups;
    int group_count;
    struct select *next; /* UNION */
    bool all;            /* UNION ALL with the one before */
    void *bound;         /* struct bound_select */
};

struct query {
    struct select *first;
    struct order *orders;
    int order_count;
    struct expr *offset, *fetch;
    void *bound; /* struct bound_query */
    int line;
};

/* ---- statements ---- */

struct column_def {
    const char *name;
    struct sql_typeinfo type;
    const char *collation; /* as written, or NULL */
    bool not_null, null_given, identity, persisted, rowguid;
    int64_t seed, increment;
    struct expr *default_value, *compute;
    const char *default_name;
};

enum constraint_kind {
    CONSTRAINT_PRIMARY,
    CONSTRAINT_UNIQUE,
    CONSTRAINT_CHECK,
    CONSTRAINT_FOREIGN
};

struct constraint_def {
    enum constraint_kind kind;
    const char *name;
    const char **columns;
    bool *descending;
    int count;
    struct expr *check;
    struct name references;
    const char **reference_columns;
    int reference_count;
    bool nonclustered;
};

struct table_def {
    struct column_def *columns;
    int count;
    struct constraint_def *constraints;
    int constraint_count;
};

enum stmt_kind {
    ST_BLOCK,
    ST_IF,
    ST_WHILE,
    ST_BREAK,
    ST_CONTINUE,
    ST_RETURN,
    ST_TRY,
    ST_THROW,
    ST_RAISERROR,
    ST_PRINT,
    ST_DECLARE,
    ST_SET_VARIABLE,
    ST_SET_OPTION,
    ST_SELECT,
    ST_INSERT,
    ST_UPDATE,
    ST_DELETE,
    ST_TRUNCATE,
    ST_BEGIN_TRAN,
    ST_COMMIT,
    ST_ROLLBACK,
    ST_SAVE,
    ST_EXEC,
    ST_EXEC_STRING,
    ST_WAITFOR,
    ST_USE,
    ST_KILL,
    ST_CREATE_TABLE,
    ST_CREATE_INDEX,
    ST_CREATE_TRIGGER,
    ST_CREATE_FUNCTION,
    ST_CREATE_POLICY,
    ST_ALTER_TABLE,
    ST_ALTER_DATABASE,
    ST_DROP,
    ST_BULK,
};

struct assignment {
    const char *column, *variable; /* one of them */
    struct expr *value;
};

struct declaration {
    const char *name;
    struct sql_typeinfo type;
    struct expr *value;
};

struct exec_arg {
    const char *name; /* with its @, or NULL */
    struct expr *value;
    const char *output; /* the variable that takes it back */
};

enum alter_kind {
    ALTER_ADD,
    ALTER_DROP_COLUMN,
    ALTER_DROP_CONSTRAINT,
    ALTER_TRIGGERS,
    ALTER_TRACKING
};

struct predicate_def {
    struct name function, table;
    struct expr **args;
    int count;
    bool block;
};

struct stmt {
    enum stmt_kind kind;
    int line;
    size_t start, end; /* code units of the source, for metadata and the record of faults */
    struct stmt *next;
    struct stmt *body, *otherwise; /* IF, WHILE, BLOCK, TRY (body, catch) */
    struct expr *condition;        /* IF, WHILE, RETURN value, WAITFOR, KILL */
    struct expr **args;            /* PRINT, RAISERROR, THROW */
    const char *word;              /* option, transaction name, object type, ... */
    struct expr *value;            /* SET x = value, option argument */
    const char **words;            /* SET a, b ON */
    struct declaration *declarations;
    struct query *query;
    /* insert, update, delete */
    struct name target;
    const char *target_alias;
    struct expr *top;
    const char **columns;
    struct expr **rows; /* VALUES: column_count expressions each row */
    struct assignment *assignments;
    struct from *from;
    struct expr *where;
    struct item *output;
    /* exec */
    const char *result; /* EXEC @r = */
    struct exec_arg *exec_args;
    /* ddl */
    struct table_def table;
    struct constraint_def *constraint; /* index: columns */
    struct name *drops;
    struct predicate_def *predicates;
    /* how many of each, and flags */
    int arg_count;
    int word_count;
    int declaration_count;
    unsigned hints;
    int column_count;
    int row_count, row_width;
    int assignment_count;
    int output_count;
    int exec_count;
    enum alter_kind alter;
    int drop_count;
    int predicate_count;
    bool on;
    char op; /* SET @v += */
    bool default_values;
    bool unique, if_exists, nonclustered, filtered;
};

struct batch {
    struct stmt *first;
    struct units source;
};

/** Parse a whole batch. False: a syntax error, nothing of it runs. */
bool parse_batch(struct vctx *, struct units source, bool quoted_identifiers, struct batch *out);
/** `@a int = 1, @b nvarchar(10) output` of sp_executesql. */
bool parse_declarations(struct vctx *, struct units source, struct declaration **out, int *count);
/** The text of a statement, for metadata. */
char *stmt_text(struct arena *, const struct batch *, const struct stmt *);

#endif
