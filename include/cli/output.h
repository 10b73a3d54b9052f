/** Where the report goes: stdout or a file, and the run directory. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/err.h"
#include "base/text.h"
#include "cli/console.h"
#include "config/config.h"
#include "core/outcome.h"
#include "port/run_dir.h"
#include "report/report.h"

#include <stdbool.h>

struct output {
    int fd;           /* stdout, or the file of -o */
    bool owned;       /* the file of -o */
    const char *path; /* its name; NULL = stdout */
    bool is_terminal; /* the report is read there: errors need not be said twice */
    enum report_form form;
    struct report_place place; /* colour: --color, NO_COLOR, TERM, terminal or not */
    /** This process looks at one environment of several, of this name: `fd` leads to the process
     * that reports on all of them, and wants a message (report/fleet.h). NULL = it does not. */
    const char *member;
};

/** --format, or the variable for it. */
enum report_form output_form(const struct config *config);

/** --color, NO_COLOR and TERM, for what is written to `fd`. */
bool output_wants_colour(const struct config *config, int fd);

/** How lines on stderr look: --log-format, --color, the journal, a pipeline. */
void output_style(const struct config *config, struct console *console);

/** The status of the process: an interrupted run tells which signal it was (129, 130, 143). */
int output_exit_status(const struct outcome *outcome);

/** Where and how, from configuration, terminal and the variables NO_COLOR and TERM. ERR_CONFIG when
 * the file of -o cannot be opened; `ret` then means stdout. */
MUST_CHECK bool output_open(const struct config *config, struct output *ret, struct err *err);
void output_close(struct output *output);

/** Render and write; where the report is in a file, say the verdict and where. A fault is said on
 * the console and changes nothing else: the report of a run is in its directory too. */
void output_report(const struct output *output, const struct outcome *outcome,
                   struct console *console);

/** Write to stdout or stderr: in a pipeline no line of it is a command (cli/inert.h). */
bool output_print(int fd, enum report_form form, const struct text *text);

/** Write a text that is no report of a run. ERR_STORAGE. */
MUST_CHECK bool output_text(const struct output *output, const struct text *text, struct err *err);

/** report.txt, report.html and report.json into the run directory: run_ports.write_reports. */
bool output_write_reports(void *ctx, const struct outcome *outcome, struct run_dir *dir,
                          struct err *err);

#endif
