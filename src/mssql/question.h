/**
 * The questions in sql/catalog.sql and sql/evidence.sql, and how they are put to the server: all in
 * one batch, each in a text of its own; where an engine does not take that batch, one by one. What
 * an engine lacks is then one answer less, not a failure.
 */
#ifndef MSSQL_QUESTION_H
#define MSSQL_QUESTION_H

#include "base/err.h"
#include "base/slice.h"
#include "base/text.h"
#include "statement.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QUESTIONS_MAX = 32, QUESTION_NAME_BYTES = 32, QUESTION_AFTER_MAX = 2 };

struct question {
    char name[QUESTION_NAME_BYTES];
    struct slice text; /* borrowed */
    bool required;     /* without its answer nothing can be said at all */
    char after[QUESTION_AFTER_MAX][QUESTION_NAME_BYTES]; /* answered before it; "" = no more */

    bool answered;
    struct err why; /* it was not: the error, or "the server did not say" */
};

/** Zero-initialised. */
struct questions {
    struct question items[QUESTIONS_MAX];
    size_t count;
};

/**
 * Append the questions of a file, which has to outlive them: a line "--? NAME", then "required" or
 * "after NAME [NAME]", and what follows it up to the next such line. ERR_INTERNAL for a bad file.
 */
MUST_CHECK bool questions_add(struct questions *questions, const char *sql, struct err *err);

/** The questions of one file. NULL: out of memory, or a bad file. */
struct questions *questions_new(const char *sql, struct err *err);
void questions_free(struct questions *questions);

/** The one with that name, which there has to be. */
const struct question *question_named(const struct questions *questions, const char *name);
bool question_answered(const struct questions *questions, const char *name);

/** Append what questions_ask sends. */
MUST_CHECK bool questions_batch(const struct questions *questions, struct text *out,
                                struct err *err);

/** Append what questions_ask_strictly sends. */
MUST_CHECK bool questions_strict_batch(const struct questions *questions, uint32_t lacking,
                                       struct text *out, struct err *err);

/**
 * Ask all of them. Rows go to the taker, but for rs_read and rs_fault. When the batch fails and
 * each question has to be asked alone, `forget` is called first: rows come from the beginning.
 * False when a required one was not answered, or nothing can be asked any more.
 */
MUST_CHECK bool questions_ask(struct mssql_store *store, struct questions *questions,
                              const struct taker *taker, void (*forget)(void *ctx),
                              struct err *err);

/**
 * Which of the first `count` questions this server cannot answer, whenever it is asked: a bit each.
 * One that only waited for a lock in vain is none of them.
 */
uint32_t questions_lacking(const struct questions *questions, size_t count);

/**
 * Ask, as one batch and as they stand, those without a bit in `lacking`: an error fails the batch.
 * For use inside a transaction.
 */
MUST_CHECK bool questions_ask_strictly(struct mssql_store *store, struct questions *questions,
                                       uint32_t lacking, const struct taker *taker,
                                       struct err *err);

/**
 * The error that the row of a CATCH block tells in its columns 2 to 5, into `ret`; false when the
 * row itself cannot be read.
 */
MUST_CHECK bool fault_of_row(const struct cursor *cursor, struct err *ret, struct err *err);

#endif
