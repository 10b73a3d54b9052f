/* Sentences about an outcome that the text and the HTML report share. */
#include "core/evidence.h"
#include "parts.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

void
parts_dry_run_text(const struct outcome *outcome, struct text *ret)
{
    if (!outcome->dry_run)
        return;
    if (outcome->plan_id == NULL || outcome->err.code != ERR_NONE) {
        text_append(ret, outcome->plan_id ? "Nothing was changed."
                                          : "No plan was made. Nothing was changed.");
        return;
    }
    const int64_t planned = parts_sum(outcome, offsetof(struct table_outcome, planned_rows));
    const int64_t kept = parts_sum(outcome, offsetof(struct table_outcome, kept_rows));
    text_printf(ret, "Nothing was changed. This run WOULD %s %" PRId64 " %s",
                parts_is_undo(outcome) ? "put back" : "back up and delete", planned,
                parts_rows(planned));
    if (kept > 0)
        text_printf(ret, " and keep %" PRId64 "", kept);
    text_append(ret, ".");
}

const char *
parts_settled_text(const char *settled)
{
    static const char *const texts[][2] = {
        {"committed", "no answer came to it; the rows, read under lock, show that it WAS done"},
        {"rolled-back",
         "no answer came to it; the rows, read under lock, show that it was NOT done"},
        {"mixed", "no answer came to it, and the rows show neither: some are as before and some "
                  "are not"},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(settled, texts[i][0]) == 0)
            return texts[i][1];
    }
    return "no answer came to it, and it is not known whether it was done";
}

const char *
parts_old_link_text(const struct outcome *outcome)
{
    if (outcome->dry_run && !outcome->plan_id)
        return NULL;
    if (outcome->dry_run)
        return "THIS WOULD BRING THE OLD LINK BACK: the rows name the environment that they came "
               "from, and finance and operations may write to it again.";
    if (!outcome->changed)
        return NULL;
    return outcome->word == OUTCOME_UNKNOWN
               ? "THE OLD LINK MAY BE BACK: whether the rows are back is not known."
               : "THE OLD LINK IS BACK: the rows name the environment that they came from, and "
                 "finance and operations may write to it again.";
}

void
parts_not_put_back_text(const struct outcome *outcome, struct text *ret)
{
    const int64_t rows = outcome->tables[TABLE_RUNTIME].backed_up_rows;
    if (!parts_is_undo(outcome) || !parts_old_link_text(outcome) ||
        outcome->tables[TABLE_RUNTIME].asked)
        return;
    if (rows > 0)
        text_printf(ret, "%" PRId64 " %s of Dataverse that the run backed up", rows,
                    parts_rows(rows));
    else
        text_append(ret, "rows of Dataverse, if the run removed any");
}

void
parts_lost_text(const struct outcome *outcome, struct text *ret)
{
    const struct runtime_columns *lost = outcome->lost;
    if (!lost || lost->count == 0)
        return;
    for (size_t i = 0; i < lost->count; i++) {
        text_append(ret, i ? ", " : "");
        text_append(ret, lost->names[i]);
    }
    text_append(ret, " (of Dataverse: set by the service, the old value is in the backup alone)");
}

void
parts_pace_text(const struct outcome *outcome, struct text *ret)
{
    const struct runtime_pace *pace = outcome->pace;
    if (!pace)
        return;
    text_printf(
        ret, "%" PRId64 ".%d rows/s, %" PRId64 " ms a row; asked to wait (429) %" PRId64 " times",
        pace->rows_per_second_x10 / 10, (int)(pace->rows_per_second_x10 % 10),
        pace->ms_per_row_x10 / 10, pace->throttled);
}

const char *
parts_without_versions(const struct outcome *outcome)
{
    const struct runtime_evidence *runtime = outcome->before.runtime;
    return runtime && evidence_without_versions(runtime) &&
                   outcome->tables[TABLE_RUNTIME].deleted_rows > 0
               ? "without row versions: each row was compared with its copy just before its "
                 "delete; what changed in that moment is lost"
               : NULL;
}

void
parts_only_copy_text(const struct outcome *outcome, struct text *ret)
{
    const int64_t copied = parts_sum(outcome, offsetof(struct table_outcome, backed_up_rows));
    /* an undo has no backup of its own: its rows are in that of the run that it undoes */
    if (!outcome->run_path || copied == 0 || parts_is_undo(outcome))
        return;
    text_printf(ret,
                outcome->changed ? "only copy of %" PRId64 " %s, contains secrets: keep it safe"
                                 : "copy of %" PRId64 " %s, contains secrets",
                copied, parts_rows(copied));
}
