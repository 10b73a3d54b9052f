/** Further backups of a run, "backup-2" to "backup-63": rows that changed after the first. */
#ifndef BACKUP_AGAIN_H
#define BACKUP_AGAIN_H

#include <stdbool.h>

enum { AGAIN_FIRST = 2, AGAIN_LAST = 63, AGAIN_NAME_BYTES = 16 };

/** "backup-2". */
void again_name(int number, char ret[AGAIN_NAME_BYTES]);

/** Its path, malloc'd (caller frees). NULL when out of memory. */
char *again_path(const char *run_path, int number);

/** Is something of this name there? */
bool again_exists(const char *path);

#endif
