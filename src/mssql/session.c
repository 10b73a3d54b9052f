#include "session.h"

#include "batch.h"
#include "question.h"
#include "sql_text.h"
#include "statement.h"

#include <string.h>

enum { SESSION_TIMEOUT_MS = 30000 };

static struct statement
statement_of(const struct text *batch, bool first)
{
    return (struct statement){.batch = batch,
                              .name = "session",
                              .timeout_ms = SESSION_TIMEOUT_MS,
                              .timeout_code = ERR_CONNECT,
                              .first = first,
                              .setting = true};
}

static bool
expand_with(const char *lock_timeout_ms, const char *sql, struct text *out, struct err *err)
{
    const struct batch_variable variables[] = {{"lock_timeout_ms", lock_timeout_ms}};

    return batch_expand(sql, variables, 1, out, err);
}

bool
session_batch(const char *lock_timeout_ms, struct text *out, struct err *err)
{
    return expand_with(lock_timeout_ms, sql_session, out, err);
}

static bool
expand(const struct connection *connection, const char *sql, struct text *out, struct err *err)
{
    TEXT_SCOPED number = {0};

    batch_number(&number, connection->options->lock_timeout_ms);
    return text_ok(&number, err) && expand_with(text_string(&number), sql, out, err);
}

/** One statement of the file; it may be refused unless it is required. */
static bool
send_line(struct connection *connection, const char *line, size_t size, bool required,
          struct err *err)
{
    TEXT_SCOPED batch = {0};
    const struct statement statement = statement_of(&batch, false);
    struct err why;

    text_append_bytes(&batch, line, size);
    if (statement_run(connection, &statement, NULL, &why) ||
        (!required && statement_was_refused(connection)))
        return true;
    *err = why;
    return false;
}

static bool
send_lines(struct connection *connection, const struct question *group, struct err *err)
{
    TEXT_SCOPED raw = {0};
    TEXT_SCOPED lines = {0};

    text_append_bytes(&raw, group->text.data, group->text.size);
    if (!text_ok(&raw, err) || !expand(connection, text_string(&raw), &lines, err))
        return false;
    for (const char *at = text_string(&lines); *at != '\0';) {
        const size_t size = strcspn(at, "\n");

        if (size > 0 && !send_line(connection, at, size, group->required, err))
            return false;
        at += size + (at[size] == '\n');
    }
    return true;
}

bool
session_set(struct connection *connection, struct err *err)
{
    TEXT_SCOPED batch = {0};
    struct questions *groups;
    const struct statement statement = statement_of(&batch, true);
    struct err why;
    bool good = true;

    if (!expand(connection, sql_session, &batch, err))
        return false;
    if (statement_run(connection, &statement, NULL, &why))
        return true;
    if (!statement_was_refused(connection)) {
        *err = why;
        return false;
    }
    groups = questions_new(sql_session, err);
    if (groups == NULL)
        return false;
    for (size_t i = 0; good && i < groups->count; i++)
        good = send_lines(connection, &groups->items[i], err);
    questions_free(groups);
    return good;
}
