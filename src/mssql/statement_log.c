#include "statement_log.h"

#include <inttypes.h>
#include <string.h>

enum { LINE_BYTES = 1024, HELD_BYTES = 64 * 1024 };

static void
append_messages(struct text *line, const struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->message_count; i++) {
        const struct server_message *message = &verdict->messages[i];

        text_printf(line, "; server message %d, severity %d, state %d, line %d", message->number,
                    message->severity, message->state, message->line);
    }
    if (verdict->more > 0)
        text_printf(line, "; %zu more messages", verdict->more);
    for (size_t i = 0; i < verdict->error_count; i++)
        text_printf(line, "; FreeTDS error %d, system error %d", verdict->errors[i].number,
                    verdict->errors[i].os_error);
}

void
statement_log_release(struct connection *connection)
{
    struct observer *observer = connection->options->observer;
    char *line = connection->held_log.data;

    for (char *end; line && (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        observer->say(observer, LOG_LEVEL_DEBUG, line);
    }
    text_done(&connection->held_log);
}

void
statement_log(struct connection *connection, const struct statement *statement, bool good,
              int64_t elapsed_ms)
{
    struct observer *observer = connection->options->observer;
    TEXT_SCOPED line = {.max = LINE_BYTES};

    if (observer == NULL)
        return;
    text_printf(&line, "axdb batch %s: %s, %" PRId64 " rows, %" PRId64 " ms", statement->name,
                good ? "done" : "failed", connection->rows, elapsed_ms);
    append_messages(&line, &connection->verdict);
    if (connection->hold_log) {
        connection->held_log.max = HELD_BYTES;
        text_append(&line, "\n");
        text_append_bytes(&connection->held_log, text_string(&line), line.used);
        return;
    }
    statement_log_release(connection);
    observer->say(observer, LOG_LEVEL_DEBUG, text_string(&line));
}
