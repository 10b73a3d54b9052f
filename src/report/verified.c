#include "report/verified.h"

#include <string.h>

const struct evidence *
verified_evidence(const struct outcome *outcome)
{
    if (outcome->after_taken)
        return &outcome->after;
    return outcome->changed ? NULL : &outcome->before;
}

/** Does a check say that the rows are not known? Those of AxDB name the table first. */
static bool
is_doubtful(const struct evidence *evidence, enum table table)
{
    const char *check = table == TABLE_RUNTIME ? "D-ROWS" : "A-ROWS";
    const char *name = table == TABLE_RUNTIME ? "" : table_name(table);
    for (size_t i = 0; i < evidence->observation_count; i++) {
        const struct observation *seen = &evidence->observations[i];
        if (seen->verdict == VERDICT_UNKNOWN && strcmp(seen->check, check) == 0 &&
            strncmp(seen->text, name, strlen(name)) == 0)
            return true;
    }
    return false;
}

int64_t
verified_rows(const struct outcome *outcome, enum table table)
{
    const struct evidence *evidence = verified_evidence(outcome);
    const struct table_outcome *of = &outcome->tables[table];
    const int64_t rows = outcome->after_taken ? of->after_rows : of->before_rows;
    const int64_t kept = of->kept_rows > 0 ? of->kept_rows : 0;
    if (!evidence || !of->asked || rows < 0 || is_doubtful(evidence, table))
        return -1;
    return rows > kept ? rows - kept : 0;
}
