#include "tsql/dialect.h"

enum { UNMAPPED = 33557097 };

bool
dialect_utf8(const struct session *s)
{
    return s->engine->utf8 && !s->internal;
}

bool
dialect_lacks(const char *name)
{
    static const char *const names[] = {
        "TRY_CONVERT",
        "TRY_CAST",
        "HAS_PERMS_BY_NAME",
        "EOMONTH",
        "ROWCOUNT_BIG",
        "GETUTCDATE",
        "SYSUTCDATETIME",
        "@@TEXTSIZE",
        "@@LOCK_TIMEOUT",
        "@@DBTS",
        "@@LANGUAGE",
        "@@LANGID",
        "@@PROCID",
        "@@NESTLEVEL",
        "@@MAX_CONNECTIONS",
        "@@MICROSOFTVERSION",
        "triggers",
        "security_policies",
        "security_predicates",
        "database_recovery_status",
        "change_tracking_tables",
        "partitions",
        "dm_exec_requests",
        "dm_tran_locks",
        "dm_os_waiting_tasks",
        "WAITFOR",
        "DEADLOCK_PRIORITY",
        "LOCK_TIMEOUT",
        "DATEFORMAT",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (same_name(names[i], name))
            return true;
    return false;
}

void
dialect_rename(struct sql_error *e)
{
    static const struct {
        int theirs, ours;
    } numbers[] = {{515, 515},   {547, 547},   {1205, 1205}, {2627, 2627}, {2601, 2627},
                   {3902, 3902}, {3903, 3903}, {3998, 3998}, {8115, 8115}, {8152, 8152},
                   {4060, 3701}, {911, 3701},  {3617, 3617}, {596, 596}};
    if (e->number >= 18000) /* sign-in, what THROW and fault rules gave, and what has its number */
        return;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i].theirs == e->number) {
            e->number = numbers[i].ours;
            return;
        }
    }
    e->number = UNMAPPED;
    e->severity = 16;
    e->state = 1;
    e->line = 1;
}

bool
dialect_unmapped(const struct sql_error *e)
{
    return e->number == UNMAPPED;
}

unsigned char *
dialect_bytes(struct arena *a, const struct val *v, size_t *ret_length)
{
    return codepage_from_units(a, val_text(a, v), CODEPAGE_UTF8, ret_length);
}

bool
dialect_text(struct vctx *c, const struct val *bytes, struct sql_typeinfo to, struct val *out)
{
    struct units u = units_from_codepage(c->arena, bytes->v.bytes, bytes->v.length, CODEPAGE_UTF8);
    struct val v = val_string(c->arena, to.type, u);
    size_t length = 0;
    const unsigned char *again = dialect_bytes(c->arena, &v, &length);
    bool same = length == bytes->v.length && (!length || !memcmp(again, bytes->v.bytes, length));
    if (!same || (length && memchr(again, 0, length)))
        return fail(c, UNMAPPED, "invalid byte sequence for encoding \"UTF8\"");
    *out = v;
    return true;
}
