/** Levels of what is told while a run goes on. The lines themselves go through port/observer.h. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level {
    LOG_LEVEL_TRACE,
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_NOTICE,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_ERROR
};

/** "trace", "debug", "info", "notice", "warning", "error". */
const char *log_level_name(enum log_level level);

#endif
