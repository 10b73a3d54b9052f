/** What the files of the parser share. */
#ifndef SANDBOX_TSQL_PARSE_H
#define SANDBOX_TSQL_PARSE_H

#include "tsql/ast.h"

struct parser {
    struct vctx *c;
    struct units source;
    struct tokens tokens;
    size_t at;
    int depth; /* of nesting, bounded */
    int loops; /* open WHILE: BREAK is allowed */
};

/** A growing array in the arena of the batch. */
void *grow(struct parser *, void *array, int count, size_t size);
#define PUSH(p, array, count)                                                                      \
    ((array) = grow((p), (array), (count), sizeof *(array)), &(array)[(count)++])

/** The same for arrays of pointers. */
#define PUSH_PTR(p, array, count)                                                                  \
    ((array) = grow((p), (array), (count), sizeof(void *)), &(array)[(count)++])

const struct token *tok(const struct parser *);
const struct token *tok_ahead(const struct parser *, size_t n);
bool at_word(const struct parser *, const char *word);
bool at_op(const struct parser *, const char *op);
bool word_ahead(const struct parser *, size_t n, const char *word);
bool op_ahead(const struct parser *, size_t n, const char *op);
bool take_word(struct parser *, const char *word);
bool take_op(struct parser *, const char *op);
bool syntax_error(struct parser *); /* 102 or 156 at the current token */
bool want_word(struct parser *, const char *word);
bool want_op(struct parser *, const char *op);
/** A name that is not reserved, or any quoted one. NULL and an error otherwise. */
const char *want_name(struct parser *);
bool at_name(const struct parser *);
bool parse_name(struct parser *, struct name *);                        /* up to four parts */
bool parse_name_list(struct parser *, const char ***names, int *count); /* (a, b) */

/** Nesting guard: false with 191 when too deep. */
bool enter(struct parser *);
void leave(struct parser *);

struct expr *expr_new(struct parser *, enum expr_kind);
struct expr *parse_value(struct parser *);     /* an expression with a value */
struct expr *parse_condition(struct parser *); /* a search condition */
bool parse_type(struct parser *, struct sql_typeinfo *, bool for_cast);
bool skip_parentheses(struct parser *);                                 /* at ( : to behind its ) */
bool parse_expr_list(struct parser *, struct expr ***list, int *count); /* a, b, c */

struct query *parse_query(struct parser *);
bool parse_top(struct parser *, struct expr **top, bool *percent);
bool parse_from(struct parser *, struct from **);
bool parse_hints(struct parser *, unsigned *hints); /* WITH (...) if there */
bool parse_items(struct parser *, struct item **items, int *count);

struct stmt *stmt_new(struct parser *, enum stmt_kind);
/** NULL with an error, or with none at the end of a block. */
struct stmt *parse_statement(struct parser *);
struct stmt *parse_insert(struct parser *);
struct stmt *parse_update(struct parser *);
struct stmt *parse_delete(struct parser *);
struct stmt *parse_truncate(struct parser *);
struct stmt *parse_create(struct parser *);
struct stmt *parse_alter(struct parser *);
struct stmt *parse_drop(struct parser *);
struct stmt *parse_exec(struct parser *);
struct stmt *parse_set(struct parser *);
struct stmt *parse_declare(struct parser *);
bool parse_declaration(struct parser *, struct declaration *, bool *output);

#endif
