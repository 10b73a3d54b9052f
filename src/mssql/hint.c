#include "hint.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int number;
    bool transient;
    const char *hint;
} hints[] = {
    {40615, false,
     "The server's firewall does not know this address. Add it where the environment is managed "
     "(LCS: Maintain > Enable access; unified environments: the IPv4 allow-list). A database "
     "movement deletes such entries."},
    {40914, false,
     "A network rule of the server refuses this subnet: connect from an allowed one."},
    {47073, false,
     "The server refuses connections from public networks: connect through its private endpoint."},
    {40532, false, "The server wants the user name in the form user@server."},
    {4060, false,
     "Check the database name. After a restore the database may not know the login: ALTER USER "
     "[name] WITH LOGIN = [name], run in that database by its owner."},
    {916, false,
     "After a restore the database may not know the login: ALTER USER [name] WITH LOGIN = [name], "
     "run in that database by its owner."},
    {18456, false,
     "Name or password is wrong, or the account has expired or is not active yet: a just-in-time "
     "login needs up to 60 seconds and ends after its hours. On Azure SQL the name may have to be "
     "user@server."},
    {18487, false, "The password of this login has expired."},
    {18488, false, "The password of this login must be changed before it can be used."},
    {18452, false,
     "This login comes from an untrusted domain, or the server has no Windows sign-in."},
    {924, false, "The database is in single user mode and somebody else is in it."},
    {927, false, "The database is being restored: wait until the restore has ended."},
    {3906, false, "The database is read-only."},
    {976, false, "This is a secondary replica: connect to the primary."},
    {978, false, "This is a secondary replica that accepts read-intent connections only."},
    {229, false, "Ask for SELECT and DELETE (for undo: INSERT) on the three tables."},
    {230, false, "Ask for SELECT and DELETE on the three tables, on all their columns."},
    {1222, false,
     "Another session holds locks on the table. Stop the application server or wait, then run the "
     "command again."},
    {1205, false, "Another session had the right of way. Run the command again."},
    {208, false, "A table is missing: check database name and version."},
    {207, false, "A column is missing: the database is of another version than expected."},
    {40613, true, "The database is not available just now: try again in a minute."},
    {40197, true, "The service is being moved: try again in a minute."},
    {40501, true, "The service is busy: try again in a minute."},
    {49918, true, "The service is busy: try again in a minute."},
    {49919, true, "The service is busy: try again in a minute."},
    {49920, true, "The service is busy: try again in a minute."},
    {10928, true, "The database's limit of requests is reached: try again in a minute."},
    {10929, true, "The server is too busy: try again in a minute."},
};

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
hint_for(int number, const char *text, struct err *err)
{
    char address[64];

    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        if (hints[i].number != number)
            continue;
        if (number == 40615 && client_address(text, address, sizeof address))
            (void)err_hint(err, "The server sees this machine as %s. %s", address, hints[i].hint);
        else
            (void)err_hint(err, "%s", hints[i].hint);
        return;
    }
}

bool
hint_is_transient(int number)
{
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        if (hints[i].number == number)
            return hints[i].transient;
    }
    return false;
}
