#include "row_journal.h"

#include <stdio.h>

bool
row_journal_flush(struct row_journal *journal, bool durable, struct err *err)
{
    struct fact facts[ROW_JOURNAL_GROUP];
    const size_t count = journal->count;

    if (count == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        facts[i] = (struct fact){journal->keys[i], journal->values[i]};
    journal->count = 0;
    return journal->journal->ops->record(journal->journal, journal->outcome_step, facts, count,
                                         durable, err);
}

bool
row_journal_intents(struct row_journal *journal, const struct fact *rows, size_t count,
                    bool durable, struct err *err)
{
    return row_journal_flush(journal, false, err) &&
           journal->journal->ops->record(journal->journal, journal->intent_step, rows, count,
                                         durable, err);
}

bool
row_journal_outcome(struct row_journal *journal, const struct row_outcome *outcome, struct err *err)
{
    char status[16];

    if (!outcome->why) {
        (void)snprintf(journal->keys[journal->count], ROW_JOURNAL_KEY_BYTES, "%s", outcome->key);
        (void)snprintf(journal->values[journal->count], ROW_JOURNAL_VALUE_BYTES, "%s %d %s",
                       outcome->state, outcome->http_status, outcome->request_id);
        return ++journal->count < ROW_JOURNAL_GROUP || row_journal_flush(journal, false, err);
    }
    const struct fact facts[] = {{"key", outcome->key},
                                 {"state", outcome->state},
                                 {"http_status", status},
                                 {"request_id", outcome->request_id},
                                 {"why", outcome->why}};

    (void)snprintf(status, sizeof status, "%d", outcome->http_status);
    return row_journal_flush(journal, false, err) &&
           journal->journal->ops->record(journal->journal, journal->outcome_step, facts,
                                         sizeof facts / sizeof facts[0], false, err);
}
