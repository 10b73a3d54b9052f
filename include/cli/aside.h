/** A child process that looks at one half while we look at the other. */
#ifndef CLI_ASIDE_H
#define CLI_ASIDE_H

#include "port/aside.h"

/** NULL where the machine does not give the memory: then the halves are looked at in turn. */
struct aside *aside_new(void);

/** The results go with it. NULL is allowed. */
void aside_free(struct aside *aside);

#endif
