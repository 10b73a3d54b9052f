#include "question.h"

#include "base/arena.h"
#include "batch.h"
#include "sql_text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAULT_BYTES = 65536 };

static const char mark[] = "--? ";

/* ---- files ---- */

static struct question *
find(struct questions *questions, const char *name)
{
    for (size_t i = 0; i < questions->count; i++) {
        if (strcmp(questions->items[i].name, name) == 0)
            return &questions->items[i];
    }
    return NULL;
}

/** The next word of the line; empty at its end, "?" when it is too long. */
static const char *
take_word(const char *at, char ret[QUESTION_NAME_BYTES])
{
    size_t size;

    at += strspn(at, " ");
    size = strcspn(at, " \n");
    (void)snprintf(ret, QUESTION_NAME_BYTES, "%.*s", (int)size, at);
    if (size >= QUESTION_NAME_BYTES)
        (void)snprintf(ret, QUESTION_NAME_BYTES, "?");
    return at + size;
}

static bool
parse_mark(struct questions *questions, const char *line, struct question *ret)
{
    char word[QUESTION_NAME_BYTES];
    const char *at = take_word(line + sizeof mark - 1, ret->name);

    if (ret->name[0] == '\0' || strcmp(ret->name, "?") == 0 || find(questions, ret->name) != NULL)
        return false;
    at = take_word(at, word);
    if (strcmp(word, "required") == 0) {
        ret->required = true;
    } else if (strcmp(word, "after") == 0) {
        for (size_t i = 0; i < QUESTION_AFTER_MAX; i++) {
            at = take_word(at, ret->after[i]);
            if (ret->after[i][0] != '\0' && find(questions, ret->after[i]) == NULL)
                return false;
        }
    } else if (word[0] != '\0') {
        return false;
    }
    (void)take_word(at, word);
    return word[0] == '\0';
}

/** The start of the next mark behind `at`, or the end. */
static const char *
next_mark(const char *at)
{
    if (strncmp(at, mark, sizeof mark - 1) == 0)
        return at;
    at = strstr(at, "\n--? ");
    return at == NULL ? NULL : at + 1;
}

bool
questions_add(struct questions *questions, const char *sql, struct err *err)
{
    for (const char *at = next_mark(sql), *next; at != NULL; at = next) {
        struct question question = {0};
        const char *text = at + strcspn(at, "\n");

        next = next_mark(text);
        question.text = slice_of(text, next != NULL ? (size_t)(next - text) : strlen(text));
        (void)err_set(&question.why, ERR_SERVER, "the server did not say");
        if (questions->count == QUESTIONS_MAX || !parse_mark(questions, at, &question))
            return err_set(err, ERR_INTERNAL, "a file of questions is not well-formed");
        questions->items[questions->count++] = question;
    }
    return true;
}

struct questions *
questions_new(const char *sql, struct err *err)
{
    struct questions *questions = calloc(1, sizeof *questions);

    if (questions == NULL) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    if (!questions_add(questions, sql, err)) {
        free(questions);
        return NULL;
    }
    return questions;
}

void
questions_free(struct questions *questions)
{
    free(questions);
}

const struct question *
question_named(const struct questions *questions, const char *name)
{
    for (size_t i = 0; i < questions->count; i++) {
        if (strcmp(questions->items[i].name, name) == 0)
            return &questions->items[i];
    }
    assert(false); /* names are written in this folder only */
    return NULL;
}

bool
question_answered(const struct questions *questions, const char *name)
{
    const struct question *question = question_named(questions, name);

    return question != NULL && question->answered;
}

/* ---- batches ---- */

/** The question's text without its comment lines. */
static bool
append_text(const struct question *question, struct text *out, struct err *err)
{
    TEXT_SCOPED raw = {0};

    text_append_bytes(&raw, question->text.data, question->text.size);
    return text_ok(&raw, err) && batch_expand(text_string(&raw), NULL, 0, out, err);
}

static bool
append_as_it_stands(const struct question *question, struct text *batch, struct err *err)
{
    if (!append_text(question, batch, err))
        return false;
    text_printf(batch, "SELECT N'%s' AS rs_read;\n", question->name);
    return text_ok(batch, err);
}

/** Append `text` for use inside quotes. */
static void
append_quoted(struct text *out, const struct text *text)
{
    const char *at = text_string(text), *end = at + text->used;

    while (at < end) {
        const char *quote = memchr(at, '\'', (size_t)(end - at));
        const char *next = quote == NULL ? end : quote + 1;

        text_append_bytes(out, at, (size_t)(next - at));
        if (quote != NULL)
            text_append(out, "'"); /* it counts once when doubled */
        at = next;
    }
}

static void
append_condition(const struct question *question, struct text *out)
{
    for (size_t i = 0; i < QUESTION_AFTER_MAX && question->after[i][0] != '\0'; i++)
        text_printf(out, "%s CHARINDEX(N',%s,', @unread) = 0", i == 0 ? "IF" : " AND",
                    question->after[i]);
}

static bool
append_guarded(const struct question *question, struct text *batch, struct err *err)
{
    TEXT_SCOPED plain = {0};
    TEXT_SCOPED quoted = {0};
    TEXT_SCOPED condition = {0};
    struct batch_variable variables[] = {
        {"name", question->name}, {"condition", NULL}, {"text", NULL}};

    if (!append_text(question, &plain, err))
        return false;
    append_quoted(&quoted, &plain);
    append_condition(question, &condition);
    if (!text_ok(&quoted, err) || !text_ok(&condition, err))
        return false;
    variables[1].value = text_string(&condition);
    variables[2].value = text_string(&quoted);
    return batch_expand(sql_ask, variables, 3, batch, err);
}

/* ---- asking ---- */

struct asking {
    struct questions *questions;
    const struct taker *taker;
};

bool
fault_of_row(const struct cursor *cursor, struct err *ret, struct err *err)
{
    ARENA_SCOPED arena = arena_new(FAULT_BYTES);
    struct server_message message = {0};
    int64_t number = 0, severity = 0, state = 0;
    const char *text = "";

    if (arena == NULL)
        return arena_exhausted(err);
    if (!cursor_integer(cursor, 2, 0, &number, err) ||
        !cursor_integer(cursor, 3, 0, &severity, err) ||
        !cursor_integer(cursor, 4, 0, &state, err) || !cursor_text(cursor, 5, arena, &text, err))
        return false;
    message.number = (int)number;
    message.severity = (int)severity;
    message.state = (int)state;
    (void)snprintf(message.text, sizeof message.text, "%s", text);
    (void)verdict_to_err(&message, ret);
    return true;
}

static bool
take_row(void *ctx, const struct cursor *cursor, struct err *err)
{
    struct asking *asking = ctx;
    struct question *question;
    char word[QUESTION_NAME_BYTES];
    bool read = cursor_is(cursor, "rs_read");

    if (!read && !cursor_is(cursor, "rs_fault"))
        return asking->taker->row(asking->taker->ctx, cursor, err);
    if (!cursor_word(cursor, 1, word, sizeof word, err))
        return false;
    question = find(asking->questions, word);
    if (question == NULL)
        return true; /* what nobody asked cannot shift the others */
    question->answered = read;
    return read || fault_of_row(cursor, &question->why, err);
}

static void
start_again(struct questions *questions)
{
    for (size_t i = 0; i < questions->count; i++) {
        questions->items[i].answered = false;
        (void)err_set(&questions->items[i].why, ERR_SERVER, "the server did not say");
    }
}

/** The first of those that were to be answered before, and were not. */
static const struct question *
stopped_by(const struct questions *questions, const struct question *question)
{
    for (size_t i = 0; i < QUESTION_AFTER_MAX && question->after[i][0] != '\0'; i++) {
        if (!question_answered(questions, question->after[i]))
            return question_named(questions, question->after[i]);
    }
    return NULL;
}

static bool
ask_one(struct mssql_store *store, struct asking *asking, struct question *question,
        struct err *err)
{
    TEXT_SCOPED batch = {0};
    struct taker taker = {.ctx = asking, .row = take_row};
    struct err why;

    if (stopped_by(asking->questions, question) != NULL)
        return true;
    if (!append_as_it_stands(question, &batch, err))
        return false;
    if (mssql_store_run(store, question->name, &batch, &taker, &why))
        return true;
    if (!statement_was_refused(store->connection)) {
        *err = why;
        return false;
    }
    question->answered = false;
    question->why = why;
    return true;
}

static bool
ask_each(struct mssql_store *store, struct asking *asking, struct err *err)
{
    for (size_t i = 0; i < asking->questions->count; i++) {
        if (!ask_one(store, asking, &asking->questions->items[i], err))
            return false;
    }
    return true;
}

/** What was not asked has the reason of what it waited for; what is required has to be there. */
static bool
judge(struct questions *questions, struct err *err)
{
    for (size_t i = 0; i < questions->count; i++) {
        struct question *question = &questions->items[i];
        const struct question *stop = stopped_by(questions, question);

        if (!question->answered && stop != NULL)
            question->why = stop->why;
        if (question->answered || !question->required)
            continue;
        *err = question->why;
        return err_wrap(err, "could not ask the server about %s", question->name);
    }
    return true;
}

bool
questions_batch(const struct questions *questions, struct text *out, struct err *err)
{
    text_append(out, "DECLARE @unread nvarchar(4000);\nSET @unread = N'';\n");
    for (size_t i = 0; i < questions->count; i++) {
        if (!append_guarded(&questions->items[i], out, err))
            return false;
    }
    return text_ok(out, err);
}

bool
questions_strict_batch(const struct questions *questions, uint32_t lacking, struct text *out,
                       struct err *err)
{
    for (size_t i = 0; i < questions->count; i++) {
        if ((lacking >> i & 1) == 0 && !append_as_it_stands(&questions->items[i], out, err))
            return false;
    }
    return text_ok(out, err);
}

bool
questions_ask(struct mssql_store *store, struct questions *questions, const struct taker *taker,
              void (*forget)(void *ctx), struct err *err)
{
    TEXT_SCOPED batch = {0};
    struct asking asking = {.questions = questions, .taker = taker};
    struct taker whole = {.ctx = &asking, .row = take_row};
    struct err why;

    start_again(questions);
    if (!questions_batch(questions, &batch, err))
        return false;
    if (mssql_store_run(store, "ask", &batch, &whole, &why))
        return judge(questions, err);
    /* Some errors no CATCH sees, and some engines let none see what they lack. */
    if (why.code == ERR_LOCK || !statement_was_refused(store->connection)) {
        *err = why;
        return false;
    }
    start_again(questions);
    forget(taker->ctx);
    if (!ask_each(store, &asking, err))
        return false;
    return judge(questions, err);
}

uint32_t
questions_lacking(const struct questions *questions, size_t count)
{
    uint32_t lacking = 0;

    for (size_t i = 0; i < count && i < questions->count; i++) {
        if (!questions->items[i].answered && questions->items[i].why.code != ERR_LOCK)
            lacking |= UINT32_C(1) << i;
    }
    return lacking;
}

bool
questions_ask_strictly(struct mssql_store *store, struct questions *questions, uint32_t lacking,
                       const struct taker *taker, struct err *err)
{
    TEXT_SCOPED batch = {0};
    struct asking asking = {.questions = questions, .taker = taker};
    struct taker whole = {.ctx = &asking, .row = take_row};

    start_again(questions);
    if (!questions_strict_batch(questions, lacking, &batch, err))
        return false;
    /* behind begin_locked it has been asked for already */
    if (!mssql_store_run_part(store, "catalog", mssql_catalog_is_open(store) ? NULL : &batch, 0,
                              &whole, err))
        return false;
    for (size_t i = 0; i < questions->count; i++) {
        if (!questions->items[i].answered && (lacking >> i & 1) == 0)
            return err_set(err, ERR_SERVER, "the server did not answer about %s",
                           questions->items[i].name);
    }
    return true;
}
