/** How fast rows go, in a line for the operator. Private to core/. */
#ifndef CORE_PACE_LINE_H
#define CORE_PACE_LINE_H

#include "port/observer.h"
#include "port/runtime_store.h"

/** Tell the observer, as progress of `what`. */
void pace_line_tell(struct observer *observer, const char *what, const struct runtime_pace *pace);

#endif
