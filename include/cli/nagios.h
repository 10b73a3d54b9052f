/**
 * An outcome of `verify` for a monitoring system, after the Monitoring Plugins development
 * guidelines: a status of 0 to 3 and a line with performance data.
 */
#ifndef CLI_NAGIOS_H
#define CLI_NAGIOS_H

#include "base/text.h"
#include "core/outcome.h"
#include "report/fleet.h"

enum nagios_status { NAGIOS_OK = 0, NAGIOS_CRITICAL = 2, NAGIOS_UNKNOWN = 3 };

/** Of the status that the process would have: 0 clean, 2 residue, anything else is unknown. */
enum nagios_status nagios_status(int exit_status);

/**
 * Append "DWCLEAN OK - verdict | axdb_project_rows=0;;0;0 ..." and lines with what is not ok. What
 * is not known is U; a half that was not asked for is left out. `rows_wanted`: rows are expected
 * (post-relink), so they have no threshold.
 */
void nagios_render(const struct outcome *outcome, bool rows_wanted, struct text *ret);

/** The same of several environments: the worst status, and rows of each under labels that begin
 * with its name; a line for each that is not clean. */
void nagios_render_fleet(const struct fleet *fleet, bool rows_wanted, struct text *ret);

#endif
