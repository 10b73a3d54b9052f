#include "base/log.h"

const char *
log_level_name(enum log_level level)
{
    static const char *const names[] = {"trace", "debug", "info", "notice", "warning", "error"};

    return names[level];
}
