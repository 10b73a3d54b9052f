#include "core/outcome.h"

#include "core/run.h"

const char *
outcome_word_name(enum outcome_word word)
{
    static const char *const names[] = {"clean",   "ready",     "missing", "explained",  "done",
                                        "planned", "residue",   "partial", "refused",    "stale",
                                        "unknown", "no-access", "failed",  "interrupted"};

    return names[word];
}

const char *
env_class_name(enum env_class env_class)
{
    static const char *const names[] = {"production", "sandbox", "dev"};

    return names[env_class];
}

int64_t
outcome_rows_unsettled(const struct table_outcome *runtime)
{
    return runtime->changed_rows + runtime->failed_rows + runtime->unknown_rows;
}

const char *
confirmation_name(enum confirmation confirmation)
{
    static const char *const names[] = {"none", "confirmed", "consistent", "contradicted",
                                        "undecided"};

    return names[confirmation];
}
