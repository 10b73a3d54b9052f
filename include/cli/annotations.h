/**
 * What a pipeline shows beside its log: the verdict and each required check that is not ok, as
 * commands of Azure DevOps and GitHub Actions, and the summary of a job in Markdown.
 */
#ifndef CLI_ANNOTATIONS_H
#define CLI_ANNOTATIONS_H

#include "base/text.h"
#include "core/outcome.h"

#include <stdbool.h>

/** The systems that run us, by their variables. */
struct annotations {
    bool azure;          /* TF_BUILD=True */
    bool github;         /* GITHUB_ACTIONS=true */
    const char *summary; /* GITHUB_STEP_SUMMARY: a file to append to; NULL = there is none */
};

struct annotations annotations_wanted(void);

/**
 * Append the commands, a line each, ten at most; none when the outcome is a success. What a server
 * said can end neither the line nor the command.
 * Sources: microsoft/azure-pipelines-agent, docs/preview/outputvariable.md and
 * Command.cs (%AZP25, %0D, %0A, %5D, %3B); actions/toolkit, packages/core/src/command.ts.
 */
void annotations_append(const struct annotations *wanted, const struct outcome *outcome,
                        struct text *ret);

/** Append the summary: verdict, rows, checks. Everything that could be markup is an entity. */
void annotations_append_summary(const struct outcome *outcome, struct text *ret);

#endif
