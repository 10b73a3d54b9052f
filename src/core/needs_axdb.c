#include "core/pins.h"
#include "needs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- the connection ---- */

/** Nobody answered as expected: the need that the failure belongs to is unknown, and all behind it
 * was not looked at. */
static void
need_reached(struct needs *needs)
{
    static const struct {
        enum err_code code;
        const char *check;
    } checks[] = {{ERR_TLS, "C-TLS"},
                  {ERR_SIGNIN, "C-LOGIN"},
                  {ERR_PERMISSION, "C-LOGIN"},
                  {ERR_REFUSED, "C-DB"}};
    const struct err *why = &needs->evidence->axdb_err;
    const char *check = "C-CONNECT";

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (checks[i].code == why->code)
            check = checks[i].check;
    (void)need_unknown(needs, check, true, "AxDB", why);
}

/** Encryption is as the operator asked for: less than all of it is said, and stops nothing. */
static void
need_encryption(struct needs *needs, const struct axdb_identity *id)
{
    struct observation *seen;

    if (strncmp(id->encryption, "TLS", 3) != 0) {
        seen = need(needs, "C-TLS", false, VERDICT_DIFFERS, "the connection is not encrypted");
        seen->hint = "Rows and the sign-in cross the network in clear. Use -N mandatory (the "
                     "default); the server needs a certificate for it.";
    } else if (strstr(id->encryption, "not checked")) {
        seen = need(needs, "C-TLS", false, VERDICT_DIFFERS, "%s: anybody in between could read it",
                    id->encryption);
        seen->hint =
            "Leave -C out; name the CA with --cacert FILE, or the certificate with -J FILE.";
    } else {
        (void)need(needs, "C-TLS", false, VERDICT_OK, "%s", id->encryption);
    }
}

/** A pin that is set, and does not hold. */
static void
need_pin(struct needs *needs, const char *check, enum pin_state state, const struct err *err)
{
    struct observation *seen =
        need(needs, check, true, state == PIN_DIFFERS ? VERDICT_DIFFERS : VERDICT_UNKNOWN, "%s",
             err->primary);

    if (state == PIN_UNKNOWN)
        seen->cause = err->code;
    need_hint(needs, seen, "%s", err->hint);
}

static bool
pin_is_broken(enum pin_state state)
{
    return state == PIN_DIFFERS || state == PIN_UNKNOWN;
}

static void
need_identity(struct needs *needs, const struct axdb_identity *id)
{
    struct err err = {0};
    enum pin_state pin = pin_database(needs->request, id, &err);

    if (pin_is_broken(pin))
        need_pin(needs, "C-DB", pin, &err);
    else
        (void)need(needs, "C-DB", true, VERDICT_OK, "database %s%s", id->database,
                   pin == PIN_HOLDS ? ", as pinned" : "");
    pin = pin_server_name(needs->request, id, &err);
    if (pin_is_broken(pin))
        need_pin(needs, "C-SERVER", pin, &err);
    else if (pin == PIN_HOLDS)
        (void)need(needs, "C-SERVER", true, VERDICT_OK, "the server calls itself %s, as pinned",
                   id->server_name);
}

/** What lets the login read the restore history. */
static void
hint_history(struct needs *needs, struct observation *seen)
{
    const char *login = need_name(needs, needs->evidence->axdb->identity.login);

    need_hint(needs, seen,
              "USE msdb; CREATE USER %s FOR LOGIN %s; GRANT SELECT ON dbo.restorehistory TO %s; "
              "GRANT SELECT ON dbo.backupset TO %s; (Azure SQL Database has no such history.)",
              login, login, login, login);
}

static void
need_restore(struct needs *needs, const struct axdb_identity *id)
{
    struct err err = {0};
    const enum pin_state pin = pin_restored_after(needs->request, id, &err);
    struct observation *seen;

    if (pin_is_broken(pin)) {
        need_pin(needs, "C-RESTORE", pin, &err);
        if (!id->restore_known && err.code == ERR_REFUSED)
            hint_history(needs, &needs->list[needs->count - 1]);
    } else if (!id->restore_known) {
        seen =
            need(needs, "C-RESTORE", false, VERDICT_UNKNOWN, "the restore history is not readable");
        seen->cause = ERR_PERMISSION;
        hint_history(needs, seen);
    } else if (!id->restored_at[0]) {
        (void)need(needs, "C-RESTORE", false, VERDICT_OK, "no restore on record");
    } else {
        (void)need(needs, "C-RESTORE", pin == PIN_HOLDS, VERDICT_OK,
                   "restored %s, the server's local time%s%s", id->restored_at,
                   pin == PIN_HOLDS ? ", as pinned after " : "",
                   pin == PIN_HOLDS ? needs->request->expect_restored_after : "");
    }
}

/* ---- the database ---- */

/** What would make the database usable: a statement where there is one. */
static void
hint_state(struct needs *needs, struct observation *seen, const struct axdb_identity *id)
{
    const char *name = need_name(needs, id->database);

    if (id->replica)
        need_hint(needs, seen,
                  "This is a read-only replica: connect to the primary, without -K ReadOnly.");
    else if (strcmp(id->state, "RESTORING") == 0)
        need_hint(needs, seen,
                  "Wait until the restore has ended. If it was the last backup: RESTORE DATABASE "
                  "%s WITH RECOVERY;",
                  name);
    else if (strcmp(id->state, "ONLINE") != 0)
        need_hint(needs, seen, "Find out why, then: ALTER DATABASE %s SET ONLINE;", name);
    else if (strcmp(id->user_access, "MULTI_USER") != 0)
        need_hint(needs, seen, "ALTER DATABASE %s SET MULTI_USER;", name);
    else
        need_hint(needs, seen, "ALTER DATABASE %s SET READ_WRITE;", name);
}

static void
need_state(struct needs *needs, const struct axdb_identity *id)
{
    const bool usable = strcmp(id->state, "ONLINE") == 0 &&
                        strcmp(id->user_access, "MULTI_USER") == 0 && !id->read_only &&
                        !id->replica;
    struct observation *seen;

    if (!id->state[0] || !id->user_access[0]) {
        seen = need(needs, "C-STATE", true, VERDICT_UNKNOWN,
                    "the server does not say in what state the database is");
        seen->cause = ERR_SERVER;
        return;
    }
    seen = need(needs, "C-STATE", true, usable ? VERDICT_OK : VERDICT_DIFFERS,
                "database %s is %s, %s, %s", id->database, id->state, id->user_access,
                id->replica     ? "a read-only replica"
                : id->read_only ? "read-only"
                                : "writable, primary");
    if (!usable)
        hint_state(needs, seen, id);
}

static void
need_snapshot(struct needs *needs, const struct axdb_identity *id)
{
    (void)need(needs, "C-RCSI", false, VERDICT_OK, "READ_COMMITTED_SNAPSHOT is %s",
               id->read_committed_snapshot ? "on: readers do not wait for the locks of a run"
                                           : "off: readers wait while a run holds its locks");
}

/* ---- a table ---- */

static void
need_table(struct needs *needs, enum table which, const struct axdb_table_evidence *table)
{
    const char *name = table_name(which);
    struct observation *seen;

    if (!table->exists && !table->fault) {
        seen = need(needs, "C-TABLE", true, VERDICT_DIFFERS,
                    "dbo.%s is missing, or the login may not see it", name);
        need_hint(needs, seen,
                  "Compare the database name and the product version. If it is there: GRANT "
                  "SELECT, DELETE ON dbo.%s TO %s;",
                  name, need_grantee(needs));
    } else if (table->fault) {
        seen = need(needs, "C-TABLE", true, VERDICT_DIFFERS, "dbo.%s %s", name, table->fault);
        if (strstr(table->fault, "masked"))
            need_hint(needs, seen,
                      "If the column is masked: GRANT UNMASK TO %s; an encrypted one cannot be "
                      "put back.",
                      need_grantee(needs));
        else
            seen->hint = "dwclean only removes rows that it can put back exactly. If the product's "
                         "own table is expected here, run a full database synchronization.";
    } else {
        (void)need(needs, "C-TABLE", true, VERDICT_OK,
                   "dbo.%s: base table with PARTITION and RECID, all %zu columns come back exactly",
                   name, table->schema.count);
    }
}

static void
need_count(struct needs *needs, enum table which, const struct axdb_table_evidence *table)
{
    if (table->fresh.known)
        (void)need(needs, "C-COUNT", true, VERDICT_OK, "dbo.%s: %" PRId64 " rows counted",
                   table_name(which), table->fresh.rows);
    else if (table->may_select == RIGHT_HELD) /* else C-RIGHTS says why */
        (void)need_unknown(needs, "C-COUNT", true, table_name(which), &table->fresh.why);
}

/** A right that is needed, as the server answers. */
struct wanted {
    const char *name;
    enum right right;
};

/** "SELECT, DELETE": those of the two (the second may be none) whose right is `right`. */
static void
list_rights(const struct wanted wanted[2], enum right right, char ret[32])
{
    const bool first = wanted[0].right == right;
    const bool second = wanted[1].name && wanted[1].right == right;

    (void)snprintf(ret, 32, "%s%s%s", first ? wanted[0].name : "", first && second ? ", " : "",
                   second ? wanted[1].name : "");
}

/** Two rights on a table: "", "SELECT held", "DELETE missing", "INSERT not known". */
static struct observation *
need_rights(struct needs *needs, const char *check, bool required, enum table which,
            const struct wanted wanted[2])
{
    char held[32];
    char missing[32];
    char unknown[32];
    struct observation *seen;

    list_rights(wanted, RIGHT_HELD, held);
    list_rights(wanted, RIGHT_MISSING, missing);
    list_rights(wanted, RIGHT_UNKNOWN, unknown);
    if (!missing[0] && !unknown[0])
        return need(needs, check, required, VERDICT_OK, "dbo.%s: %s held", table_name(which), held);
    seen = need(needs, check, required, missing[0] ? VERDICT_DIFFERS : VERDICT_UNKNOWN,
                "dbo.%s: %s%s%s%s%s", table_name(which), missing, missing[0] ? " missing" : "",
                missing[0] && unknown[0] ? ", " : "", unknown, unknown[0] ? " not known" : "");
    if (seen->verdict == VERDICT_UNKNOWN)
        seen->cause = ERR_PERMISSION;
    need_hint(needs, seen, "GRANT %s%s%s ON dbo.%s TO %s;%s", missing,
              missing[0] && unknown[0] ? ", " : "", unknown, table_name(which), need_grantee(needs),
              required ? " Where logins come from LCS or just-in-time access: ask for one that "
                         "may write."
                       : " (for undo)");
    return seen;
}

static void
need_clean_rights(struct needs *needs, enum table which, const struct axdb_table_evidence *table)
{
    const struct wanted wanted[2] = {{"SELECT", table->may_select}, {"DELETE", table->may_delete}};

    (void)need_rights(needs, "C-RIGHTS", true, which, wanted);
}

static bool
has_identity_column(const struct schema *schema)
{
    for (size_t i = 0; i < schema->count; i++)
        if (schema->columns[i].identity)
            return true;
    return false;
}

/** ALTER is what IDENTITY_INSERT takes. */
static void
need_undo_rights(struct needs *needs, enum table which, const struct axdb_table_evidence *table)
{
    const struct wanted insert[2] = {{"INSERT", table->may_insert}, {NULL, RIGHT_HELD}};
    const struct wanted both[2] = {{"INSERT", table->may_insert}, {"ALTER", table->may_alter}};

    if (has_identity_column(&table->schema))
        (void)need_rights(needs, "C-UNDO", false, which, both);
    else
        (void)need_rights(needs, "C-UNDO", false, which, insert);
}

/** Does a command of this request select rows of this table by key? */
static bool
selects_rows(const struct run_request *request, enum table which)
{
    return which == TABLE_EVENTS ? request->channel_count > 0
                                 : request->map || request->project_count > 0;
}

static void
need_key(struct needs *needs, enum table which, const struct axdb_table_evidence *table)
{
    const char *name = table_name(which);
    struct observation *seen;

    if (table->schema.unique_key) {
        (void)need(needs, "C-KEY", selects_rows(needs->request, which), VERDICT_OK,
                   "dbo.%s: unique index on PARTITION, RECID", name);
        return;
    }
    seen = need(needs, "C-KEY", selects_rows(needs->request, which), VERDICT_DIFFERS,
                "dbo.%s: no unique index on PARTITION, RECID", name);
    need_hint(needs, seen,
              "Needed for --channel, repair-map and undo --merge only. A full database "
              "synchronization brings the product's own index back; else CREATE UNIQUE INDEX "
              "dwclean_key ON dbo.%s ([PARTITION], [RECID]);",
              name);
}

/* ---- what a delete could set off ---- */

static struct observation *
need_none(struct needs *needs, enum table which, const char *what, const struct named_list *list,
          bool required)
{
    char others[32] = "";

    if (list->count > 1)
        (void)snprintf(others, sizeof others, " and %zu more", list->count - 1);
    return need(needs, "C-EFFECT", required, VERDICT_DIFFERS, "dbo.%s has %s %s%s",
                table_name(which), what, list->names[0], others);
}

static void
need_no_trigger(struct needs *needs, enum table which, const struct named_list *list)
{
    struct observation *seen =
        need_none(needs, which, "trigger", list, !needs->request->allow_triggers);

    need_hint(needs, seen,
              "A delete runs it. Read it: SELECT OBJECT_DEFINITION(OBJECT_ID(N'dbo.' + "
              "QUOTENAME(%s))); If it may run: --allow-triggers.",
              need_literal(needs, list->names[0]));
}

static void
need_no_foreign_key(struct needs *needs, enum table which, const struct named_list *list)
{
    struct observation *seen = need_none(needs, which, "foreign key", list, true);

    need_hint(needs, seen,
              "A delete could reach another table, or be refused by it. No such key belongs to the "
              "product. Whose it is: SELECT OBJECT_SCHEMA_NAME(parent_object_id), "
              "OBJECT_NAME(parent_object_id) FROM sys.foreign_keys WHERE name = %s;",
              need_literal(needs, list->names[0]));
}

static void
need_no_policy(struct needs *needs, enum table which, const struct named_list *list)
{
    struct observation *seen = need_none(needs, which, "row-level security policy", list, true);

    need_hint(needs, seen,
              "Rows may be hidden from this login. Its schema: SELECT SCHEMA_NAME(schema_id) FROM "
              "sys.security_policies WHERE name = %s; its owner removes this table from it.",
              need_literal(needs, list->names[0]));
}

static bool
effects_visible(const struct axdb_table_evidence *table)
{
    return table->triggers.known && table->foreign_keys.known && table->policies.known;
}

static void
need_no_effects(struct needs *needs, enum table which, const struct axdb_table_evidence *table)
{
    if (table->triggers.count)
        need_no_trigger(needs, which, &table->triggers);
    if (table->foreign_keys.count)
        need_no_foreign_key(needs, which, &table->foreign_keys);
    if (table->policies.count)
        need_no_policy(needs, which, &table->policies);
    if (effects_visible(table) && !table->triggers.count && !table->foreign_keys.count &&
        !table->policies.count)
        (void)need(needs, "C-EFFECT", true, VERDICT_OK,
                   "dbo.%s: no trigger, foreign key or row-level security policy%s",
                   table_name(which),
                   table->triggers.disabled_count || table->foreign_keys.disabled_count ||
                           table->policies.disabled_count
                       ? " that is switched on"
                       : "");
}

static void
need_definitions(struct needs *needs, const struct axdb_evidence *axdb)
{
    struct observation *seen;
    bool visible = true;

    for (int i = 0; i < AXDB_TABLES; i++)
        visible &= !axdb->tables[i].exists || effects_visible(&axdb->tables[i]);
    if (visible) {
        (void)need(needs, "C-VIEWDEF", true, VERDICT_OK,
                   "VIEW DEFINITION on the database: triggers, foreign keys and policies are "
                   "visible");
        return;
    }
    seen = need(needs, "C-VIEWDEF", !needs->request->allow_triggers, VERDICT_DIFFERS,
                "no VIEW DEFINITION on the database: triggers, foreign keys and policies may be "
                "hidden");
    need_hint(needs, seen,
              "In database %s: GRANT VIEW DEFINITION TO %s; or, if you know that there are none: "
              "--allow-triggers.",
              need_name(needs, axdb->identity.database), need_grantee(needs));
}

static void
need_tables(struct needs *needs, const struct axdb_evidence *axdb)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct axdb_table_evidence *table = &axdb->tables[i];
        const enum table which = (enum table)i;

        need_table(needs, which, table);
        if (!table->exists)
            continue;
        need_clean_rights(needs, which, table);
        need_count(needs, which, table);
        need_key(needs, which, table);
        need_undo_rights(needs, which, table);
        need_no_effects(needs, which, table);
    }
    need_definitions(needs, axdb);
}

/* ---- who else is there ---- */

static void
need_sessions(struct needs *needs, const struct axdb_evidence *axdb)
{
    struct observation *seen;

    if (!axdb->sessions_known) {
        seen =
            need(needs, "C-AOS", false, VERDICT_UNKNOWN,
                 "other sessions may be hidden: whether an application server runs is not known");
        seen->cause = ERR_PERMISSION;
        need_hint(needs, seen,
                  "SQL Server: USE master; GRANT VIEW SERVER STATE TO %s; Azure SQL Database, in "
                  "database %s: GRANT VIEW DATABASE STATE TO %s;",
                  need_name(needs, axdb->identity.login), need_name(needs, axdb->identity.database),
                  need_grantee(needs));
        return;
    }
    seen = need(needs, "C-AOS", false, axdb->aos_sessions ? VERDICT_DIFFERS : VERDICT_OK,
                "%" PRId64 " other sessions; looking like an application server: %" PRId64,
                axdb->other_sessions, axdb->aos_sessions);
    if (axdb->aos_sessions)
        seen->hint = "Clean before the application server starts, or restart it afterwards.";
}

static void
need_application_lock(struct needs *needs, const struct axdb_evidence *axdb)
{
    struct observation *seen;

    if (axdb->may_applock == RIGHT_HELD) {
        (void)need(needs, "C-APPLOCK", false, VERDICT_OK, "EXECUTE on sp_getapplock held");
        return;
    }
    seen = need(needs, "C-APPLOCK", false,
                axdb->may_applock == RIGHT_MISSING ? VERDICT_DIFFERS : VERDICT_UNKNOWN,
                "EXECUTE on sp_getapplock %s: runs from two machines would not see each other",
                axdb->may_applock == RIGHT_MISSING ? "missing" : "not known");
    if (seen->verdict == VERDICT_UNKNOWN)
        seen->cause = ERR_PERMISSION;
    seen->hint = "USE master; GRANT EXECUTE ON sys.sp_getapplock TO public; (the server's default)";
}

/** Whose rows are these? Without this nothing tells a stale row from a working link. */
static void
need_own_host(struct needs *needs)
{
    const struct evidence *evidence = needs->evidence;
    struct observation *seen;

    if (evidence->own_host) {
        (void)need(needs, "C-HOST", true, VERDICT_OK,
                   "the target's own organization is %s, according to %s", evidence->own_host,
                   strcmp(evidence->own_host_source, "pin") == 0 ? "the pin"
                                                                 : evidence->own_host_source);
        return;
    }
    if (evidence->runtime_asked && !evidence->runtime) {
        seen = need(needs, "C-HOST", true, VERDICT_UNKNOWN,
                    "the target's own organization is not known: Dataverse was not read");
        seen->cause = evidence->runtime_err.code;
    } else {
        seen = need(needs, "C-HOST", true, VERDICT_DIFFERS,
                    "the target's own organization is not known: rows cannot be told from a "
                    "working link");
    }
    seen->hint = "Let Dataverse answer too, or name the organization's host: "
                 "--expect-dataverse-host HOST, or expect_dataverse_host in the configuration.";
}

void
needs_of_axdb(struct needs *needs)
{
    const struct axdb_evidence *axdb = needs->evidence->axdb;

    if (!axdb) {
        need_reached(needs);
        need_own_host(needs);
        return;
    }
    (void)need(needs, "C-CONNECT", true, VERDICT_OK, "%s answers, calls itself %s, version %s",
               axdb->identity.dialled, axdb->identity.server_name, axdb->identity.product);
    need_encryption(needs, &axdb->identity);
    (void)need(needs, "C-LOGIN", true, VERDICT_OK, "login %s", axdb->identity.login);
    need_identity(needs, &axdb->identity);
    need_restore(needs, &axdb->identity);
    need_state(needs, &axdb->identity);
    need_tables(needs, axdb);
    need_own_host(needs);
    need_application_lock(needs, axdb);
    need_sessions(needs, axdb);
    need_snapshot(needs, &axdb->identity);
}
