#include "core/pins.h"

#include "base/text.h"

#include <string.h>

static enum pin_state
pin_name(const char *expected, const char *found, const char *what, const char *hint,
         struct err *err)
{
    if (!expected)
        return PIN_NONE;
    if (text_equal_nocase(expected, found))
        return PIN_HOLDS;
    (void)err_set(err, ERR_REFUSED, "%s %s, expected %s", what, found[0] ? found : "not known",
                  expected);
    (void)err_hint(err, "%s", hint);
    return found[0] ? PIN_DIFFERS : PIN_UNKNOWN;
}

enum pin_state
pin_server_name(const struct run_request *request, const struct axdb_identity *id, struct err *err)
{
    return pin_name(request->expect_server_name, id->server_name, "server calls itself",
                    "Is this the server that was meant? Change the pin (expect_server_name) if it "
                    "is.",
                    err);
}

enum pin_state
pin_database(const struct run_request *request, const struct axdb_identity *id, struct err *err)
{
    return pin_name(request->expect_database, id->database, "database is",
                    "Is this the database that was meant? Check -d; change the pin "
                    "(expect_database) if it is.",
                    err);
}

/* ---- moments ---- */

enum { MOMENT_BYTES = sizeof "YYYY-MM-DDTHH:MM:SS.fffffff" };

/** A number of exactly `digits` digits within [min, max]; moves `at` behind it. */
static bool
take_number(const char **at, int digits, int min, int max)
{
    int number = 0;

    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        number = number * 10 + (**at - '0');
    }
    return number >= min && number <= max;
}

static bool
take_char(const char **at, const char *any)
{
    if (!**at || !strchr(any, **at))
        return false;
    (*at)++;
    return true;
}

static bool
take_date(const char **at)
{
    return take_number(at, 4, 1, 9999) && take_char(at, "-") && take_number(at, 2, 1, 12) &&
           take_char(at, "-") && take_number(at, 2, 1, 31);
}

/** Up to seven digits of a second. */
static bool
take_fraction(const char **at)
{
    const size_t digits = strspn(*at, "0123456789");

    *at += digits;
    return digits >= 1 && digits <= 7;
}

/** HH:MM, then what there is of seconds. */
static bool
take_clock(const char **at)
{
    if (!take_number(at, 2, 0, 23) || !take_char(at, ":") || !take_number(at, 2, 0, 59))
        return false;
    if (!take_char(at, ":"))
        return true;
    if (!take_number(at, 2, 0, 59))
        return false;
    return !take_char(at, ".") || take_fraction(at);
}

/** The moment in full, so that two of them compare as strings. False when it is not one. */
static bool
moment_of(const char *text, char ret[MOMENT_BYTES])
{
    static const char first[] = "0001-01-01T00:00:00.0000000";
    const char *at = text;

    if (!take_date(&at) || (*at && (!take_char(&at, "T ") || !take_clock(&at))) || *at)
        return false;
    memcpy(ret, first, sizeof first);
    memcpy(ret, text, (size_t)(at - text));
    ret[10] = 'T';
    return true;
}

static enum pin_state
restore_unknown(const char *expected, struct err *err)
{
    (void)err_set(err, ERR_REFUSED,
                  "when the database was restored is not known, expected after %s", expected);
    (void)err_hint(err,
                   "The login must read msdb.dbo.restorehistory and msdb.dbo.backupset "
                   "(dwclean check has the statement). Azure SQL keeps no such history: there the "
                   "pin expect_restored_after cannot be used.");
    return PIN_UNKNOWN;
}

enum pin_state
pin_restored_after(const struct run_request *request, const struct axdb_identity *id,
                   struct err *err)
{
    const char *expected = request->expect_restored_after;
    char after[MOMENT_BYTES];
    char restored[MOMENT_BYTES];

    if (!expected)
        return PIN_NONE;
    if (!moment_of(expected, after)) {
        (void)err_set(err, ERR_CONFIG, "expect_restored_after is not a date: %s", expected);
        (void)err_hint(err, "Write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, in the server's local time: "
                            "its restore history has no time zone, so none can be given.");
        return PIN_UNKNOWN;
    }
    if (!id->restore_known || (id->restored_at[0] && !moment_of(id->restored_at, restored)))
        return restore_unknown(expected, err);
    if (id->restored_at[0] && strcmp(restored, after) > 0)
        return PIN_HOLDS;
    if (id->restored_at[0])
        (void)err_set(err, ERR_REFUSED, "database was restored %s, expected after %s",
                      id->restored_at, expected);
    else
        (void)err_set(err, ERR_REFUSED, "no restore of the database on record, expected after %s",
                      expected);
    (void)err_hint(err, "Both are the server's local time. Has the restore run yet, and is this "
                        "the server it went to? Change the pin (expect_restored_after) if it is "
                        "out of date.");
    return PIN_DIFFERS;
}

bool
guard_pins(const struct run_request *request, const struct axdb_identity *id, struct err *err)
{
    static enum pin_state (*const pins[])(const struct run_request *request,
                                          const struct axdb_identity *id, struct err *err) = {
        pin_server_name, pin_database, pin_restored_after};

    for (size_t i = 0; i < sizeof pins / sizeof pins[0]; i++) {
        const enum pin_state state = pins[i](request, id, err);

        if (state == PIN_DIFFERS || state == PIN_UNKNOWN)
            return false;
    }
    return true;
}
