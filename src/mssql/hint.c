#include "hint.h"

#include "base/text.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct known {
    int number;
    bool transient;
    const char *hint;
};

static const char LOGIN_STATE_NAME[] =
    "There is no such login on this server: check the name, and that this is the right server.";
static const char LOGIN_STATE_DATABASE[] =
    "The login is good, but it may not open the database, or there is none of that name: check -d, "
    "and after a restore that the database's user belongs to the login.";
static const char MISSING_USER[] =
    "Check the database name. After a restore the database may not know the login: ALTER USER "
    "%s WITH LOGIN = %s, run in that database by its owner.";

/* Of 18456, as far as a server shows more than state 1. */
static const struct {
    int state;
    const char *hint;
} login_states[] = {
    {2, LOGIN_STATE_NAME},
    {5, LOGIN_STATE_NAME},
    {6, "A Windows account signs in with Kerberos (-E), not with a password."},
    {7, "The login is disabled: ALTER LOGIN ... ENABLE."},
    {8, "The password is wrong."},
    {9, "The password is not valid."},
    {11, "The login is good, but it has no right to connect to this server: GRANT CONNECT SQL."},
    {12, "The login is good, but it has no right to connect to this server: GRANT CONNECT SQL."},
    {13, "The server is paused: it accepts no new connections."},
    {18, "The password of this login must be changed before it can be used."},
    {23, "The server is shutting down: try again when it has started."},
    {38, LOGIN_STATE_DATABASE},
    {40, LOGIN_STATE_DATABASE},
    {46, LOGIN_STATE_DATABASE},
    {58, "The server accepts Windows accounts only (-E), or has to be set to mixed mode."},
    {126, LOGIN_STATE_DATABASE},
};

static const struct known hints[] = {
    /* ---- firewall, network, name of the server ---- */
    {40615, false,
     "The server's firewall does not know this address. Add it where the environment is managed "
     "(LCS: Maintain > Enable access; unified environments: the IPv4 allow-list; with --jit it is "
     "the one to give as --jit-ip). A database movement deletes such entries."},
    {40914, false,
     "A network rule of the server refuses this subnet: connect from an allowed one, or have it "
     "added to the server's virtual network rules."},
    {47073, false,
     "The server refuses connections from public networks: connect through its private endpoint."},
    {40532, false,
     "The server wants to know its own name: give the user as user@server, and the server by its "
     "full name (server.database.windows.net)."},
    {40531, false, "Give the user as user@server: the server's name is not known otherwise."},
    {40607, false, "Windows accounts cannot sign in here: give a SQL login with -U."},
    /* ---- sign-in ---- */
    {18456, false,
     "Name or password is wrong, or the account has expired or is not active yet: a just-in-time "
     "login needs up to 60 seconds (--new-login waits for it) and ends after its hours. On Azure "
     "SQL the name may have to be user@server."},
    {18487, false,
     "The password of this login has expired: set a new one (ALTER LOGIN), or request a new "
     "just-in-time account."},
    {18488, false, "The password of this login must be changed before it can be used."},
    {18486, false,
     "The login is locked out, usually after wrong passwords: ALTER LOGIN ... WITH PASSWORD = ... "
     "UNLOCK."},
    {18470, false, "The login is disabled: ALTER LOGIN ... ENABLE."},
    {18452, false,
     "This login comes from an untrusted domain, or the server has no Windows sign-in. Give a SQL "
     "login with -U, or get a Kerberos ticket (kinit) for -E."},
    {17892, false,
     "A logon trigger of the server refuses this login: ask who looks after the server."},
    {18461, false, "The server is in single user mode and somebody is connected: wait."},
    {18401, false,
     "The server is still starting (upgrade scripts run): try again in some minutes."},
    {17142, false, "The server is paused: it accepts no new connections."},
    {17809, false, "The server has as many connections as it allows: try again later."},
    {17828, false, "Something that is no TDS 7.4 client or server sits in between."},
    {17830, false, "The sign-in took too long for the server: try again, with a larger -l."},
    /* ---- the database ---- */
    {4060, false, NULL},
    {916, false, NULL},
    {4064, false, "The login's default database is not there: name the database with -d."},
    {911, false, "There is no database of that name: check -d. LCS shows it after the backslash."},
    {921, false, "The database is still recovering: wait until it is ONLINE."},
    {922, false, "The database is being recovered: wait until it is ONLINE."},
    {924, false,
     "The database is in single user mode and somebody else is in it: find the session, or ALTER "
     "DATABASE ... SET MULTI_USER."},
    {926, false, "The database is marked SUSPECT: its administrator has to repair it first."},
    {927, false,
     "The database is being restored: wait until the restore has ended. After RESTORE ... WITH "
     "NORECOVERY, RESTORE DATABASE ... WITH RECOVERY ends it."},
    {942, false, "The database is OFFLINE: ALTER DATABASE ... SET ONLINE."},
    {945, false, "The database's files are not there, or disk or memory is short."},
    {952, false, "The database changes its state just now: try again in a minute."},
    {983, false, "The database is moving between replicas: try again in a minute."},
    {976, false,
     "This is a secondary replica that nobody may read: connect to the primary, best through the "
     "availability group's listener."},
    {978, false,
     "This is a secondary replica that accepts read-intent connections only: connect to the "
     "primary."},
    {15350, false,
     "The server wants to attach a database file by its name, which dwclean never asks for: check "
     "-S (no LocalDB) and -d."},
    {15517, false,
     "The database's owner is not known here after the restore: ALTER AUTHORIZATION ON DATABASE:: "
     "... TO a login."},
    {3906, false,
     "The database is read-only: a secondary replica, a snapshot, or SET READ_ONLY. Connect to the "
     "primary."},
    {40544, false, "The database has reached its size limit."},
    /* ---- tables and locks ---- */
    {229, false, "Ask for SELECT and DELETE (for undo: INSERT) on the three tables."},
    {230, false, "Ask for SELECT and DELETE on the three tables, on all their columns."},
    {1222, false,
     "Another session holds locks on the table. Stop the application server or wait, then run the "
     "command again."},
    {1205, false, "Another session had the right of way. Run the command again."},
    {208, false, "A table is missing: check database name and version."},
    {207, false, "A column is missing: the database is of another version than expected."},
    /* ---- Azure's passing states ---- */
    {40613, true, "The database is not available just now: try again in a minute."},
    {40197, true, "The service is being moved: try again in a minute."},
    {40501, true, "The service is busy: try again in a minute."},
    {49918, true, "The service is busy: try again in a minute."},
    {49919, true, "The service is busy: try again in a minute."},
    {49920, true, "The service is busy: try again in a minute."},
    {10928, true, "The database's limit of requests is reached: try again in a minute."},
    {10929, true, "The server is too busy: try again in a minute."},
};

static const struct known *
find(int number)
{
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        if (hints[i].number == number)
            return &hints[i];
    }
    return NULL;
}

static const char *
find_login_state(int state)
{
    for (size_t i = 0; i < sizeof login_states / sizeof login_states[0]; i++) {
        if (login_states[i].state == state)
            return login_states[i].hint;
    }
    return NULL;
}

/** The address in "Client with IP address '1.2.3.4' is not allowed ...". */
static bool
client_address(const char *text, char *out, size_t size)
{
    static const char before[] = "IP address '";
    const char *start = strstr(text, before), *end;

    if (start == NULL)
        return false;
    start += sizeof before - 1;
    end = strchr(start, '\'');
    if (end == NULL || end == start || (size_t)(end - start) >= size)
        return false;
    memcpy(out, start, (size_t)(end - start));
    out[end - start] = '\0';
    return true;
}

void
hint_for_missing_user(const char *user, struct err *err)
{
    TEXT_SCOPED name = {0};

    /* On Azure SQL the name may have come as user@server. */
    if (user == NULL || strchr(user, '@') != NULL || strchr(user, '\\') != NULL) {
        (void)err_hint(err, MISSING_USER, "[name]", "[name]");
        return;
    }
    text_append(&name, "[");
    for (const char *at = user; *at != '\0'; at++)
        text_append_bytes(&name, *at == ']' ? "]]" : at, *at == ']' ? 2 : 1);
    text_append(&name, "]");
    (void)err_hint(err, MISSING_USER, text_string(&name), text_string(&name));
}

void
hint_for(int number, int state, const char *text, struct err *err)
{
    const struct known *known = find(number);
    const char *login = number == 18456 ? find_login_state(state) : NULL;
    char address[64];

    if (known == NULL)
        return;
    if (known->hint == NULL)
        hint_for_missing_user(NULL, err);
    else if (number == 40615 && client_address(text, address, sizeof address))
        (void)err_hint(err, "The server sees this machine as %s. %s", address, known->hint);
    else
        (void)err_hint(err, "%s", login != NULL ? login : known->hint);
}

bool
hint_is_transient(int number)
{
    const struct known *known = find(number);

    return known != NULL && known->transient;
}
