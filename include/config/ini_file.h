/**
 * The configuration file: [defaults] and [env "NAME"], keys of options.def. Strict: an unknown key,
 * a key or section that comes twice, a value that cannot be read and an environment without class
 * are ERR_CONFIG with file and line, whichever environment is asked for.
 */
#ifndef CONFIG_INI_FILE_H
#define CONFIG_INI_FILE_H

#include "base/err.h"
#include "config/option.h"

#include <stdbool.h>
#include <stddef.h>

enum { INI_FILE_MAX_BYTES = 256 * 1024, INI_FILE_NAME_BYTES = 41 };

/** Takes one checked value: `environment` NULL = [defaults]. Strings are borrowed for the call. */
struct ini_file_sink {
    void *ctx;
    bool (*section)(void *ctx, const char *environment, int line, struct err *err);
    bool (*value)(void *ctx, const char *environment, const struct option_spec *spec,
                  const char *text, int line, struct err *err);
};

MUST_CHECK bool ini_file_read(const char *path, const struct ini_file_sink *sink, struct err *err);

/** The same over text in memory; `path` only for messages. */
MUST_CHECK bool ini_file_parse(const char *path, const char *text, const struct ini_file_sink *sink,
                               struct err *err);

#endif
