/**
 * The tables of commands and options (commands.def, options.def) and what a single value means.
 */
#ifndef CONFIG_OPTION_H
#define CONFIG_OPTION_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum command {
#define COMMAND(id, name, writes, operand, needed, usage, summary) id,
#include "config/commands.def"
#undef COMMAND
    COMMANDS
};

struct command_spec {
    const char *name;
    bool writes;         /* to a target: stricter rules for where the target comes from */
    const char *operand; /* the word that may follow, as the usage shows it; NULL = none */
    bool operand_needed;
    const char *usage, *summary;
};

const struct command_spec *command_spec(enum command command);
bool command_find(const char *name, enum command *ret);

enum option_id {
#define OPTION(id, letter, name, arg, kind, values, variables, ini, builtin, group, traits,        \
               commands, help)                                                                     \
    id,
#include "config/options.def"
#undef OPTION
    OPTIONS
};

enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_FILE,
    OPTION_NUMBER,
    OPTION_DURATION, /* milliseconds */
    OPTION_CHOICE,
    OPTION_LIST,
    OPTION_DIGEST,  /* 64 hexadecimal digits */
    OPTION_TIME,    /* 2026-11-20, 2026-11-20T01:02 or 2026-11-20T01:02:03 */
    OPTION_SECRET,  /* never a value: only where it is */
    OPTION_ALIAS,   /* another name of a flag */
    OPTION_IGNORED, /* accepted, always on */
    OPTION_REFUSED, /* known and never accepted; help says why */
};

enum option_group {
    GROUP_NONE, /* not in --help */
    GROUP_TARGET,
    GROUP_SIGNIN,
    GROUP_CONNECTION,
    GROUP_SCOPE,
    GROUP_DECISION,
    GROUP_OUTPUT,
    GROUPS
};

enum option_trait {
    OPTION_IS_TARGET = 1,       /* of a writing command: from argv or --env only */
    OPTION_IS_PINNED = 2,       /* with --env: another value is refused */
    OPTION_IS_SECTION_ONLY = 4, /* ini: in [env "NAME"] only */
};

struct option_spec {
    const char *name; /* long name, NULL = none */
    const char *argument;
    const char *values, *variables, *ini, *builtin;
    const char *help;
    enum option_id id;
    enum option_kind kind;
    enum option_group group;
    unsigned traits;
    unsigned commands; /* bits: 1u << enum command */
    char letter;       /* 0 = none */
};

/** The help topic that has the options of a group, "sign-in": there are too many of them for the
 * help of each command. NULL = there is none. */
const char *option_group_topic(enum option_group group);

/** The group of a help topic; GROUP_NONE when there is no such topic. */
enum option_group option_group_of_topic(const char *topic);

const struct option_spec *option_spec(enum option_id id);
bool option_applies(const struct option_spec *spec, enum command command);
/** NULL when there is none. */
const struct option_spec *option_by_name(const char *name);
const struct option_spec *option_by_letter(int letter);
const struct option_spec *option_by_ini(const char *key);

/** How messages name it: "-S", "--env", or the ini key. Points into `ret` or the table. */
const char *option_shown(const struct option_spec *spec, char *ret, size_t ret_size);

/** The long name, the ini key or the command that looks most like `name`; NULL when none does. */
const char *option_nearest_name(const char *name);
const char *option_nearest_ini(const char *key);
const char *option_nearest_command(const char *name);

/** UTF-8 without control characters? */
bool option_is_plain(const char *text);

/** Names of the commands that know the option, "clean, repair-map, undo", cut to `ret_size`. */
const char *option_commands(const struct option_spec *spec, char *ret, size_t ret_size);

/** A letter of sqlcmd that dwclean does not have: what it means there, and what to do here. */
struct sqlcmd_letter {
    char letter;
    const char *meaning, *hint;
};

/** NULL behind the last one. */
const struct sqlcmd_letter *option_sqlcmd(size_t index);

/** Fill `err` (ERR_USAGE) for a letter that is not in the table; knows what sqlcmd means by it. */
bool option_unknown_letter(int letter, struct err *err);

/** What a value means. */
struct option_value {
    const char *text; /* canonical: of a CHOICE the listed spelling; else as given; borrowed, and
                         not NUL-terminated */
    size_t size;
    int64_t number; /* NUMBER; DURATION in ms; FLAG 0 or 1 */
};

/** Check and read one value (LIST: one item). `err` gets `code` and says why, not where. */
MUST_CHECK bool option_parse(const struct option_spec *spec, const char *text, enum err_code code,
                             struct option_value *ret, struct err *err);

#endif
