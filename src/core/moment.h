/** Moments as an operator writes them. Private to core/. */
#ifndef CORE_MOMENT_H
#define CORE_MOMENT_H

#include <stdbool.h>

enum { MOMENT_BYTES = sizeof "YYYY-MM-DDTHH:MM:SS.fffffff" };

/** "YYYY-MM-DD", or with "THH:MM", ":SS", ".fffffff" (a blank for the T), in full, so that two of
 * them compare as strings. False when it is not one. */
bool moment_parse(const char *text, char ret[MOMENT_BYTES]);

#endif
