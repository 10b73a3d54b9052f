/** The processes that look at one environment each. Private to cli/. */
#ifndef CLI_FLEET_CREW_H
#define CLI_FLEET_CREW_H

#include "cli/fleet.h"
#include "report/fleet.h"

/** Look at every member; on true each of them is settled, and no process is left. ERR_INTERNAL: out
 * of memory. */
MUST_CHECK bool fleet_crew_run(const struct fleet_job *job, struct fleet *fleet, struct err *err);

#endif
