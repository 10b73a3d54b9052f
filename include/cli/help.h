/** Help texts, made of the tables of commands and options. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "base/text.h"
#include "config/option.h"

void help_program(struct text *ret);
void help_command(enum command command, struct text *ret);

/** The options of one group, of all commands, with where else their values may come from. */
void help_group(enum option_group group, struct text *ret);

#endif
