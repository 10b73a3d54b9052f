#include "verdict.h"

#include "hint.h"

#include <stdio.h>
#include <string.h>

void
verdict_reset(struct verdict *verdict)
{
    memset(verdict, 0, sizeof *verdict);
}

void
verdict_add_message(struct verdict *verdict, const struct server_message *message)
{
    if (verdict->message_count < VERDICT_MESSAGES)
        verdict->messages[verdict->message_count++] = *message;
    else
        verdict->more++;
}

void
verdict_add_error(struct verdict *verdict, const struct library_error *error)
{
    if (verdict->error_count < LIBRARY_ERRORS)
        verdict->errors[verdict->error_count++] = *error;
}

bool
verdict_is_clean(const struct verdict *verdict)
{
    return verdict->message_count == 0 && verdict->error_count == 0 && !verdict->timed_out &&
           !verdict->interrupted;
}

const struct server_message *
verdict_worst(const struct verdict *verdict)
{
    const struct server_message *worst = NULL;

    for (size_t i = 0; i < verdict->message_count; i++) {
        if (worst == NULL || verdict->messages[i].severity > worst->severity)
            worst = &verdict->messages[i];
    }
    return worst;
}

const struct server_message *
verdict_message(const struct verdict *verdict, int number)
{
    for (size_t i = 0; i < verdict->message_count; i++) {
        if (verdict->messages[i].number == number)
            return &verdict->messages[i];
    }
    return NULL;
}

const struct library_error *
verdict_error(const struct verdict *verdict, int number)
{
    for (size_t i = 0; i < verdict->error_count; i++) {
        if (verdict->errors[i].number == number)
            return &verdict->errors[i];
    }
    return NULL;
}

enum err_code
verdict_code(int number, bool *ret_transient)
{
    *ret_transient = false;
    switch (number) {
    case 1205:
    case 1222:
        *ret_transient = true;
        return ERR_LOCK;
    case 229:
    case 230:
    case 262:
    case 297:
    case 300:
    case 916:
        return ERR_PERMISSION;
    case 18452:
    case 18456:
    case 18487:
    case 18488:
    case 4060:
        return ERR_SIGNIN;
    default:
        return ERR_SERVER;
    }
}

/** Texts that name tables, columns, constraints and types, and no value. */
static bool
names_only(int number)
{
    static const int numbers[] = {229,  230,  266,  515,  544,  545,  547,  1105, 1205,
                                  1222, 3930, 4819, 8101, 8114, 8115, 8152, 9002};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (number == numbers[i])
            return true;
    return false;
}

void
verdict_hide_values(struct server_message *message)
{
    static const struct {
        int number;
        const char *mark; /* a value follows */
    } marks[] = {{2601, " The duplicate key value is"},
                 {2627, " The duplicate key value is"},
                 {2628, " Truncated value:"}};
    char *cut = message->text;

    if (names_only(message->number))
        return;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        char *mark =
            message->number == marks[i].number ? strstr(message->text, marks[i].mark) : NULL;

        cut = mark ? mark : cut;
    }
    *cut = '\0';
    if (cut == message->text)
        (void)snprintf(message->text, sizeof message->text,
                       "a text that may repeat values of a row, and is not shown");
}

bool
verdict_to_err(const struct server_message *message, struct err *err)
{
    bool transient;
    enum err_code code = verdict_code(message->number, &transient);

    (void)err_set(err, code, "the server answered: %s", message->text);
    (void)err_detail(err, "server error %d, severity %d, state %d%s%s, line %d", message->number,
                     message->severity, message->state,
                     message->procedure[0] != '\0' ? ", procedure " : "", message->procedure,
                     message->line);
    hint_for(message->number, message->state, message->text, err);
    err->transient = transient;
    return false;
}
