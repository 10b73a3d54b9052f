/** Every value that was found, by option and by where it came from. */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "config/option.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Where a value came from, from weakest to strongest. */
enum config_rank {
    RANK_BUILTIN,
    RANK_DEFAULTS,
    RANK_SECTION,       /* [env "NAME"] */
    RANK_TOOL_VARIABLE, /* SQLCMD*, AZURE_* */
    RANK_VARIABLE,      /* DWCLEAN_* */
    RANK_ARGV,
    RANKS
};

/** Something the operator should be told before the command runs. */
struct config_notice {
    enum log_level level;
    const char *text;
};

enum { SETTINGS_MAX_ITEMS = 64, SETTINGS_MAX_NOTICES = 64 };

struct setting {
    bool set;
    bool in_hand;       /* of a SECRET: it came with a connection string; text means nothing */
    const char *text;   /* of a SECRET: the name of the variable that holds it */
    int64_t number;     /* NUMBER; DURATION in ms; FLAG 0 or 1 */
    const char *source; /* "argv", "variable SQLCMDUSER", "[defaults] in FILE:LINE", ... */
    const char **items; /* LIST */
    size_t count;
};

struct settings {
    struct arena *arena; /* all strings live there */
    struct setting at[RANKS][OPTIONS];
    struct config_notice notices[SETTINGS_MAX_NOTICES];
    size_t notice_count;
};

/** Where a value comes from. */
struct settings_origin {
    enum config_rank rank;
    enum err_code code; /* of the error when the value cannot be read */
    const char *source; /* copied */
};

/** Check `text` and keep it; a LIST gets one item more. */
MUST_CHECK bool settings_put(struct settings *settings, const struct option_spec *spec,
                             const char *text, const struct settings_origin *origin,
                             struct err *err);

/** The strongest value, built-in ones too; `ret_rank` may be NULL. NULL = not set anywhere. */
const struct setting *settings_get(const struct settings *settings, enum option_id id,
                                   enum config_rank *ret_rank);

/** Forget the values of all ranks. */
void settings_drop(struct settings *settings, enum option_id id);

/** Keep a notice; one too many, or out of memory, is ERR_INTERNAL. */
MUST_CHECK bool settings_notice(struct settings *settings, struct err *err, enum log_level level,
                                const char *fmt, ...) ERR_FMT(4, 5);

#endif
