/**
 * In a pipeline, lines of ours are read for commands: a host that a row names must not become one.
 * Azure DevOps takes "##vso[" and "##[" anywhere in a line, GitHub Actions "::" at its start and
 * "##[" anywhere (actions/runner, ActionCommand.cs; azure-pipelines-agent, Command.cs).
 */
#ifndef CLI_INERT_H
#define CLI_INERT_H

#include "base/text.h"
#include "report/report.h"

#include <stdbool.h>
#include <stddef.h>

/** Does a system that reads our lines for commands run us (TF_BUILD, GITHUB_ACTIONS)? */
bool inert_is_wanted(void);

/**
 * Append `bytes` so that no line of it is a command. The sign that would make it one is written as
 * `form` writes a sign that it cannot have: \x23 in text, \u0023 in JSON, &#35; in XML and HTML.
 */
void inert_append(struct text *ret, enum report_form form, const char *bytes, size_t size);

#endif
