#include "config/option.h"

#include "base/parse.h"
#include "base/slice.h"
#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The words that commands.def writes in its column `needed`. */
enum { OPTIONAL = false, REQUIRED = true };

static const struct command_spec command_table[] = {
#define COMMAND(id, name, writes, operand, needed, usage, summary)                                 \
    [id] = {name, writes, operand, needed, usage, summary},
#include "config/commands.def"
#undef COMMAND
};

/* The words that options.def writes in its columns. */
enum {
    V = 1u << COMMAND_VERIFY,
    C = 1u << COMMAND_CLEAN,
    K = 1u << COMMAND_CHECK,
    M = 1u << COMMAND_REPAIR_MAP,
    R = 1u << COMMAND_RESUME,
    U = 1u << COMMAND_UNDO,
    X = 1u << COMMAND_EXPORT,
    L = 1u << COMMAND_RUNS,
    N = 1u << COMMAND_PRUNE,
    P = 1u << COMMAND_PLAN,
    A = 1u << COMMAND_APPLY,
    S = 1u << COMMAND_SHOW,
    E = 1u << COMMAND_EXPLAIN,
    Z = 1u << COMMAND_ENV,
    Q = 1u << COMMAND_COMPLETION,
    I = 1u << COMMAND_VERSION,
    TWO = V | C | K | R | U | P | A | E | Z,
    PURGING = C | R | U | A,
    PLANNED = C | M | U | A,
    WRITING = PLANNED | R,
    DB = V | K | P | E | Z | WRITING,
    ANY = (1u << COMMANDS) - 1,
    TARGET = OPTION_IS_TARGET,
    PINNED = OPTION_IS_PINNED,
    SECTION = OPTION_IS_SECTION_ONLY,
};

static const struct option_spec option_table[] = {
#define OPTION(id, letter, name, arg, kind, values, variables, ini, builtin, group, traits,        \
               commands, help)                                                                     \
    {name, arg,           values, variables, ini,      builtin, help,                              \
     id,   OPTION_##kind, group,  traits,    commands, letter},
#include "config/options.def"
#undef OPTION
};

static const struct sqlcmd_letter sqlcmd_table[] = {
#define OPTION(id, letter, name, arg, kind, values, variables, ini, builtin, group, traits,        \
               commands, help)
#define SQLCMD(letter, meaning, hint) {letter, meaning, hint},
#include "config/options.def"
#undef SQLCMD
#undef OPTION
};

enum { WORD_BYTES = 40, DIGEST_DIGITS = 64 };

const struct command_spec *
command_spec(enum command command)
{
    assert((unsigned)command < COMMANDS);
    return &command_table[command];
}

bool
command_find(const char *name, enum command *ret)
{
    for (unsigned i = 0; i < COMMANDS; i++) {
        if (strcmp(name, command_table[i].name) == 0) {
            *ret = (enum command)i;
            return true;
        }
    }
    return false;
}

const struct option_spec *
option_spec(enum option_id id)
{
    assert((unsigned)id < OPTIONS && option_table[id].id == id);
    return &option_table[id];
}

bool
option_applies(const struct option_spec *spec, enum command command)
{
    return (spec->commands & (1u << command)) != 0;
}

const struct option_spec *
option_by_name(const char *name)
{
    for (unsigned i = 0; i < OPTIONS; i++) {
        if (option_table[i].name && strcmp(name, option_table[i].name) == 0)
            return &option_table[i];
    }
    return NULL;
}

const struct option_spec *
option_by_letter(int letter)
{
    for (unsigned i = 0; i < OPTIONS; i++) {
        if (option_table[i].letter && letter == option_table[i].letter)
            return &option_table[i];
    }
    return NULL;
}

const struct option_spec *
option_by_ini(const char *key)
{
    for (unsigned i = 0; i < OPTIONS; i++) {
        if (option_table[i].ini && strcmp(key, option_table[i].ini) == 0)
            return &option_table[i];
    }
    return NULL;
}

const char *
option_shown(const struct option_spec *spec, char *ret, size_t ret_size)
{
    if (spec->letter)
        (void)snprintf(ret, ret_size, "-%c", spec->letter);
    else if (spec->name)
        (void)snprintf(ret, ret_size, "--%s", spec->name);
    else
        (void)snprintf(ret, ret_size, "%s", spec->ini ? spec->ini : spec->variables);
    return ret;
}

const char *
option_commands(const struct option_spec *spec, char *ret, size_t ret_size)
{
    size_t used = 0;
    ret[0] = '\0';
    for (unsigned i = 0; i < COMMANDS && used < ret_size; i++) {
        if (option_applies(spec, (enum command)i))
            used += (size_t)snprintf(ret + used, ret_size - used, "%s%s", used ? ", " : "",
                                     command_table[i].name);
    }
    return ret;
}

/* ---- nearest name */

static unsigned
least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/** Edits that make `b` of `a` (Levenshtein), without case, '_' equal to '-'; both cut at
 * WORD_BYTES.
 */
static unsigned
edit_distance(const char *a, const char *b)
{
    unsigned row[WORD_BYTES + 1];
    const size_t a_size = strnlen(a, WORD_BYTES), b_size = strnlen(b, WORD_BYTES);

    for (unsigned j = 0; j <= b_size; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a_size; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b_size; j++) {
            const int x = a[i - 1] == '_' ? '-' : tolower((unsigned char)a[i - 1]);
            const int y = b[j - 1] == '_' ? '-' : tolower((unsigned char)b[j - 1]);
            const unsigned above = row[j];
            row[j] = least(least(row[j] + 1, row[j - 1] + 1), diagonal + (x == y ? 0 : 1));
            diagonal = above;
        }
    }
    return row[b_size];
}

struct nearest {
    const char *given, *best;
    unsigned distance;
};

static void
nearest_try(struct nearest *nearest, const char *candidate)
{
    if (!candidate)
        return;
    unsigned distance = edit_distance(nearest->given, candidate);
    const size_t given = strlen(nearest->given);
    /* A beginning or a part is near, however long the rest is. */
    if (given >= 3 && strstr(candidate, nearest->given))
        distance = 1;
    if (distance < nearest->distance) {
        nearest->distance = distance;
        nearest->best = candidate;
    }
}

static const char *
nearest_found(const struct nearest *nearest)
{
    const size_t most = strlen(nearest->given) / 2 + 1;
    return nearest->distance <= most ? nearest->best : NULL;
}

const char *
option_nearest_name(const char *name)
{
    struct nearest nearest = {.given = name, .distance = WORD_BYTES + 1};
    for (unsigned i = 0; i < OPTIONS; i++)
        nearest_try(&nearest, option_table[i].name);
    return nearest_found(&nearest);
}

const char *
option_nearest_ini(const char *key)
{
    struct nearest nearest = {.given = key, .distance = WORD_BYTES + 1};
    for (unsigned i = 0; i < OPTIONS; i++)
        nearest_try(&nearest, option_table[i].ini);
    return nearest_found(&nearest);
}

const char *
option_nearest_command(const char *name)
{
    struct nearest nearest = {.given = name, .distance = WORD_BYTES + 1};
    for (unsigned i = 0; i < COMMANDS; i++)
        nearest_try(&nearest, command_table[i].name);
    return nearest_found(&nearest);
}

const struct sqlcmd_letter *
option_sqlcmd(size_t index)
{
    return index < sizeof(sqlcmd_table) / sizeof(sqlcmd_table[0]) ? &sqlcmd_table[index] : NULL;
}

bool
option_unknown_letter(int letter, struct err *err)
{
    const struct sqlcmd_letter *known;
    for (size_t i = 0; (known = option_sqlcmd(i)); i++) {
        if (known->letter != letter)
            continue;
        (void)err_set(err, ERR_USAGE, "option -%c of sqlcmd (%s) is not one of dwclean", letter,
                      known->meaning);
        return err_hint(err, "%s", known->hint);
    }
    if (letter < 0x21 || letter > 0x7e)
        return err_set(err, ERR_USAGE, "unknown option letter");

    (void)err_set(err, ERR_USAGE, "unknown option -%c", letter);
    const int other = islower(letter) ? toupper(letter) : tolower(letter);
    const struct option_spec *spec = option_by_letter(other);
    if (spec && spec->kind != OPTION_REFUSED)
        return err_hint(err, "Did you mean -%c (--%s)?", other, spec->name);
    return err_hint(err, "See dwclean help.");
}

/* ---- values */

bool
option_is_plain(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p == 0x7f)
            return false;
    }
    return text_is_utf8(text, strlen(text));
}

/** Split "min..max" at the dots. */
static void
split_range(const char *values, char ret_min[WORD_BYTES], const char **ret_max)
{
    const char *dots = strstr(values, "..");
    assert(dots && dots - values < WORD_BYTES);
    (void)snprintf(ret_min, WORD_BYTES, "%.*s", (int)(dots - values), values);
    *ret_max = dots + 2;
}

static bool
parse_number(const struct option_spec *spec, const char *text, int64_t *ret)
{
    char min_text[WORD_BYTES];
    const char *max_text = NULL;
    int64_t min = 0, max = 0;
    split_range(spec->values, min_text, &max_text);
    return parse_int(min_text, INT64_MIN, INT64_MAX, &min) &&
           parse_int(max_text, INT64_MIN, INT64_MAX, &max) && parse_int(text, min, max, ret);
}

static bool
parse_duration(const struct option_spec *spec, const char *text, int64_t *ret_ms)
{
    char min_text[WORD_BYTES];
    const char *max_text = NULL;
    int64_t min = 0, max = 0, found = 0;
    split_range(spec->values, min_text, &max_text);
    if (!parse_duration_ms(min_text, INT64_MAX / 2, &min) ||
        !parse_duration_ms(max_text, INT64_MAX / 2, &max) || !parse_duration_ms(text, max, &found))
        return false;
    /* of an age that something is removed by, the unit is not guessed */
    if (found < min ||
        (spec->id == OPT_OLDER_THAN && isdigit((unsigned char)text[strlen(text) - 1])))
        return false;
    *ret_ms = found;
    return true;
}

static bool
parse_flag(const char *text, int64_t *ret)
{
    static const char *const on[] = {"yes", "true", "on", "1"};
    static const char *const off[] = {"no", "false", "off", "0"};
    for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++) {
        if (text_equal_nocase(text, on[i]) || text_equal_nocase(text, off[i])) {
            *ret = text_equal_nocase(text, on[i]) ? 1 : 0;
            return true;
        }
    }
    return false;
}

static bool
parse_choice(const struct option_spec *spec, const char *text, struct option_value *ret)
{
    struct slice canonical = {0};
    for (const char *p = spec->values; *p;) {
        const size_t size = strcspn(p, "|,");
        char word[WORD_BYTES];
        (void)snprintf(word, sizeof(word), "%.*s", (int)size, p);
        if (p == spec->values || p[-1] == '|')
            canonical = slice_of(p, size);
        if (text_equal_nocase(word, text)) {
            ret->text = (const char *)canonical.data;
            ret->size = canonical.size;
            return true;
        }
        p += size + (p[size] ? 1 : 0);
    }
    return false;
}

static bool
parse_digest(const char *text)
{
    const size_t size = strlen(text);
    return size == DIGEST_DIGITS && strspn(text, "0123456789abcdefABCDEF") == size;
}

/** `digits` digits at `*p` as a number in min..max; moves on. */
static bool
take_number(const char **p, size_t digits, int64_t min, int64_t max, int64_t *ret)
{
    char word[WORD_BYTES];
    if (strspn(*p, "0123456789") < digits)
        return false;
    (void)snprintf(word, sizeof(word), "%.*s", (int)digits, *p);
    *p += digits;
    return parse_int(word, min, max, ret);
}

static int64_t
days_of(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/** HH:MM or HH:MM:SS. */
static bool
parse_clock(const char *p)
{
    int64_t part = 0;
    if (!take_number(&p, 2, 0, 23, &part) || *p++ != ':' || !take_number(&p, 2, 0, 59, &part))
        return false;
    if (!*p)
        return true;
    return *p++ == ':' && take_number(&p, 2, 0, 59, &part) && !*p;
}

static bool
parse_time(const char *p)
{
    int64_t year = 0, month = 0, day = 0;
    if (!take_number(&p, 4, 1753, 9999, &year) || *p++ != '-' ||
        !take_number(&p, 2, 1, 12, &month) || *p++ != '-' ||
        !take_number(&p, 2, 1, days_of(year, month), &day))
        return false;
    return !*p || ((*p == 'T' || *p == ' ') && parse_clock(p + 1));
}

/** The listed choices, without their aliases: "mandatory, optional, disable". */
static void
show_choices(const struct option_spec *spec, struct text *ret)
{
    for (const char *p = spec->values; *p;) {
        text_append(ret, ret->used ? ", " : "");
        text_append_bytes(ret, p, strcspn(p, "|,"));
        p += strcspn(p, "|");
        p += *p ? 1 : 0;
    }
}

static bool
bad_value(const struct option_spec *spec, const char *text, enum err_code code, struct err *err)
{
    char name[WORD_BYTES];
    TEXT_SCOPED shown = {0};
    TEXT_SCOPED choices = {0};
    text_append_shown(&shown, text, strnlen(text, 80));
    (void)err_set(err, code, "\"%s\" is not a value of %s", text_string(&shown),
                  option_shown(spec, name, sizeof(name)));
    if (spec->kind == OPTION_CHOICE) {
        show_choices(spec, &choices);
        return err_hint(err, "Give one of: %s.", text_string(&choices));
    }
    if (spec->kind == OPTION_FLAG)
        return err_hint(err, "Give yes or no.");
    if (spec->kind == OPTION_DIGEST)
        return err_hint(err, "Give the 64 hexadecimal digits that the dry run showed as plan-id.");
    if (spec->kind == OPTION_TIME)
        return err_hint(err, "Give a date, or date and time, as the server's own clock shows it "
                             "and without a zone: 2026-11-20 or 2026-11-20T01:02:03.");
    if (spec->id == OPT_OLDER_THAN)
        return err_hint(err, "Give %s with its unit: s, m, h, d or w, as in 30d.", spec->values);
    if (spec->kind == OPTION_DURATION)
        return err_hint(err, "Give %s, as seconds or with the unit ms, s, m or h.", spec->values);
    return err_hint(err, "Give a number, %s.", spec->values);
}

static bool
parse_kind(const struct option_spec *spec, const char *text, struct option_value *ret)
{
    switch (spec->kind) {
    case OPTION_FLAG:
        return parse_flag(text, &ret->number);
    case OPTION_NUMBER:
        return parse_number(spec, text, &ret->number);
    case OPTION_DURATION:
        return parse_duration(spec, text, &ret->number);
    case OPTION_CHOICE:
        return parse_choice(spec, text, ret);
    case OPTION_DIGEST:
        return parse_digest(text);
    case OPTION_TIME:
        return parse_time(text);
    case OPTION_TEXT:
    case OPTION_FILE:
    case OPTION_LIST:
    case OPTION_SECRET:
    case OPTION_ALIAS:
    case OPTION_IGNORED:
    case OPTION_REFUSED:
        break;
    }
    return true;
}

/** Mostly an unset variable of a script: say what should have been there. */
static bool
empty_value(const struct option_spec *spec, enum err_code code, struct err *err)
{
    char name[WORD_BYTES];
    (void)err_set(err, code, "the value of %s is empty", option_shown(spec, name, sizeof(name)));
    if (spec->id == OPT_PLAN_ID)
        (void)err_hint(err, "Give the plan-id that the dry run showed; the command that was to "
                            "fetch it may have failed.");
    return false;
}

bool
option_parse(const struct option_spec *spec, const char *text, enum err_code code,
             struct option_value *ret, struct err *err)
{
    assert(spec && text && ret && err);
    char name[WORD_BYTES];
    struct option_value value = {.text = text, .size = strlen(text)};

    if (!text[strspn(text, " ")])
        return empty_value(spec, code, err);
    if (!option_is_plain(text))
        return err_set(err, code, "the value of %s holds control characters or is not UTF-8",
                       option_shown(spec, name, sizeof(name)));
    if (!parse_kind(spec, text, &value))
        return bad_value(spec, text, code, err);
    *ret = value;
    return true;
}

/* ---- help topics */

static const char *const topics[GROUPS] = {
    [GROUP_SIGNIN] = "sign-in",
    [GROUP_CONNECTION] = "connection",
    [GROUP_OUTPUT] = "output",
};

const char *
option_group_topic(enum option_group group)
{
    return topics[group];
}

enum option_group
option_group_of_topic(const char *topic)
{
    for (unsigned i = 0; i < GROUPS; i++) {
        if (topics[i] && strcmp(topics[i], topic) == 0)
            return (enum option_group)i;
    }
    return GROUP_NONE;
}
