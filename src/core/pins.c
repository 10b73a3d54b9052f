#include "core/pins.h"

#include "base/text.h"
#include "moment.h"

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
    if (!moment_parse(expected, after)) {
        (void)err_set(err, ERR_CONFIG, "expect_restored_after is not a date: %s", expected);
        (void)err_hint(err, "Write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, in the server's local time: "
                            "its restore history has no time zone, so none can be given.");
        return PIN_UNKNOWN;
    }
    if (!id->restore_known || (id->restored_at[0] && !moment_parse(id->restored_at, restored)))
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
