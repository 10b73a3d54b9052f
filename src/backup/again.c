#include "again.h"

#include "storage.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

void
again_name(int number, char ret[AGAIN_NAME_BYTES])
{
    (void)snprintf(ret, AGAIN_NAME_BYTES, "backup-%d", number);
}

char *
again_path(const char *run_path, int number)
{
    char name[AGAIN_NAME_BYTES];

    again_name(number, name);
    return storage_path(run_path, name);
}

bool
again_exists(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 || errno != ENOENT;
}
