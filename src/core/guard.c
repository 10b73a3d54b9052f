#include "core/guard.h"

#include "base/text.h"
#include "core/host.h"
#include "core/pins.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { GRANTEE_BYTES = 300 };

/* ---- AxDB: may it be changed at all? ---- */

static bool
has_identity(const struct schema *schema)
{
    for (size_t i = 0; i < schema->count; i++)
        if (schema->columns[i].identity)
            return true;
    return false;
}

/** The right that is missing for this, or NULL. */
static const char *
missing_right(const struct axdb_table_evidence *table, enum scope_part part,
              enum guard_purpose purpose)
{
    if (table->may_select != RIGHT_HELD)
        return "SELECT";
    if (part == SCOPE_NOTHING)
        return NULL;
    if (purpose != GUARD_UNDO)
        return table->may_delete == RIGHT_HELD ? NULL : "DELETE";
    if (table->may_insert != RIGHT_HELD)
        return "INSERT";
    return has_identity(&table->schema) && table->may_alter != RIGHT_HELD ? "ALTER" : NULL;
}

static bool
refuse_without_right(const struct axdb_identity *id, const char *table, const char *missing,
                     enum guard_purpose purpose, struct err *err)
{
    char grantee[GRANTEE_BYTES];

    (void)err_set(err, ERR_PERMISSION, "login %s has no %s permission on dbo.%s", id->login,
                  missing, table);
    evidence_grantee(id, grantee, sizeof grantee);
    return err_hint(err, "GRANT %s ON dbo.%s TO %s;",
                    purpose != GUARD_UNDO           ? "SELECT, DELETE"
                    : strcmp(missing, "ALTER") == 0 ? "ALTER" /* for IDENTITY_INSERT */
                                                    : "SELECT, INSERT",
                    table, grantee);
}

static bool
guard_rights(const struct axdb_evidence *axdb, const struct scope *scope,
             enum guard_purpose purpose, struct err *err)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct axdb_table_evidence *table = &axdb->tables[i];
        const char *name = table_name((enum table)i);
        const char *missing = missing_right(table, scope->parts[i], purpose);

        if (!table->exists) {
            (void)err_set(err, ERR_SCHEMA, "table dbo.%s %s", name,
                          table->fault ? table->fault : "is missing, or the login may not see it");
            return err_hint(err, "Compare the database name and the product version; grant SELECT "
                                 "and DELETE on the table. A missing table is never clean.");
        }
        if (missing)
            return refuse_without_right(&axdb->identity, name, missing, purpose, err);
        if (table->fault) {
            (void)err_set(err, ERR_SCHEMA, "dbo.%s %s", name, table->fault);
            return err_hint(err, "dwclean only removes rows that it can put back exactly.");
        }
        if (!table->fresh.known) {
            *err = table->fresh.why;
            return err_wrap(err, "dbo.%s could not be counted", name);
        }
    }
    return true;
}

/** A part of a table is deleted by key, so a key must name one row. */
static bool
guard_parts(const struct axdb_evidence *axdb, const struct scope *scope, struct err *err)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        if (scope->parts[i] != SCOPE_SOME || axdb->tables[i].schema.unique_key)
            continue;
        (void)err_set(err, ERR_REFUSED, "dbo.%s has no unique index on PARTITION, RECID",
                      table_name((enum table)i));
        return err_hint(err, "A part of its rows cannot be named without doubt. All of them can be "
                             "removed: without --channel, with --channels all.");
    }
    return true;
}

static bool
guard_state(const struct axdb_identity *id, struct err *err)
{
    if (strcmp(id->state, "ONLINE") == 0 && strcmp(id->user_access, "MULTI_USER") == 0 &&
        !id->read_only && !id->replica)
        return true;
    (void)err_set(err, ERR_REFUSED,
                  "database %s is %s, %s, %s; it must be ONLINE, MULTI_USER and "
                  "writable",
                  id->database, id->state, id->user_access,
                  id->replica     ? "a read-only replica"
                  : id->read_only ? "read-only"
                                  : "writable");
    return err_hint(err, "Finish the restore, or connect to the primary, then run again.");
}

static bool
refuse_named(const char *table, const char *what, const struct named_list *list, const char *hint,
             struct err *err)
{
    (void)err_set(err, ERR_REFUSED, "dbo.%s has %s %s%s", table, what, list->names[0],
                  list->count > 1 ? " and others" : "");
    return err_hint(err, "%s", hint);
}

static bool
guard_side_effects(const struct run_request *request, const struct axdb_evidence *axdb,
                   struct err *err)
{
    char grantee[GRANTEE_BYTES];

    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct axdb_table_evidence *table = &axdb->tables[i];
        const char *name = table_name((enum table)i);

        if (!request->allow_triggers &&
            (!table->triggers.known || !table->foreign_keys.known || !table->policies.known)) {
            (void)err_set(err, ERR_REFUSED,
                          "login %s may not see triggers, foreign keys and policies of dbo.%s",
                          axdb->identity.login, name);
            evidence_grantee(&axdb->identity, grantee, sizeof grantee);
            return err_hint(err,
                            "GRANT VIEW DEFINITION TO %s; (on the database) or, if you know "
                            "that there are none: --allow-triggers.",
                            grantee);
        }
        if (table->triggers.count && !request->allow_triggers)
            return refuse_named(name, "trigger", &table->triggers,
                                "A change would run them. Read them, then switch them off or pass "
                                "--allow-triggers.",
                                err);
        if (table->foreign_keys.count)
            return refuse_named(name, "foreign key", &table->foreign_keys,
                                "A delete could reach other tables. Ask the product's vendor.",
                                err);
        if (table->policies.count)
            return refuse_named(name, "row-level security policy", &table->policies,
                                "Rows may be hidden from this login. Switch the policy off first.",
                                err);
    }
    return true;
}

/* ---- whose rows are these? ---- */

static bool
refuse_unknown_owner(const char *host, int64_t rows, struct err *err)
{
    (void)err_set(err, ERR_REFUSED,
                  "the target's own organization is not known, so these rows cannot be told "
                  "from a working link");
    (void)err_detail(err, "%" PRId64 " rows name %s", rows, host[0] ? host : "no host");
    return err_hint(err, "Run both halves, or give --expect-dataverse-host HOST with the host "
                         "of the organization that this environment belongs to.");
}

static bool
refuse_own(const struct evidence *evidence, const char *host, int64_t rows, const char *hint,
           struct err *err)
{
    (void)err_set(err, ERR_REFUSED,
                  "%" PRId64 " rows name %s, the target's own organization: "
                  "this may be a working link",
                  rows, host);
    (void)err_detail(err, "own organization's host according to %s: %s", evidence->own_host_source,
                     evidence->own_host);
    return err_hint(err, "%s", hint);
}

static bool
guard_owner(const struct run_request *request, const struct evidence *evidence, struct err *err)
{
    if (!evidence->axdb->urls_known)
        return err_set(err, ERR_SERVER, "the URLs of the project rows could not be read");
    if (evidence->host_count && !evidence->own_host)
        return refuse_unknown_owner(evidence->hosts[0].host, evidence->hosts[0].rows, err);
    for (size_t i = 0; i < evidence->host_count; i++) {
        const struct host_count *host = &evidence->hosts[i];

        if (!host->own || (request->rows_name_this_environment && request->reason))
            continue;
        return refuse_own(evidence, host->host, host->rows,
                          "If only Dataverse was restored, use --dataverse-only. If these rows "
                          "must go all the same: --rows-name-this-environment --reason TEXT.",
                          err);
    }
    return true;
}

bool
guard_map(const struct run_request *request, const struct evidence *evidence,
          const struct map_row *rows, size_t count, struct err *err)
{
    const struct map_row *own = NULL;
    const struct map_row *first = NULL;
    int64_t chosen = 0;
    int64_t owned = 0;

    for (size_t i = 0; i < count; i++) {
        if (!rows[i].chosen)
            continue;
        first = first ? first : &rows[i];
        own = rows[i].own ? &rows[i] : own;
        chosen++;
        owned += rows[i].own;
    }
    if (!first || (request->rows_name_this_environment && request->reason))
        return true;
    if (!evidence->own_host)
        return refuse_unknown_owner(first->host, chosen, err);
    if (!own)
        return true;
    return refuse_own(evidence, own->host, owned,
                      "--wrong-url-only leaves them out. If they must go all the same: "
                      "--rows-name-this-environment --reason TEXT.",
                      err);
}

static bool
guard_channels(const struct run_request *request, const struct evidence *evidence, struct err *err)
{
    const struct axdb_evidence *axdb = evidence->axdb;
    const int64_t events = axdb->tables[TABLE_EVENTS].fresh.rows;
    const char *near = evidence_nearly_named(request, evidence);
    const char *foreign = NULL;

    if (near) {
        (void)err_set(err, ERR_REFUSED,
                      "channel \"%s\" differs from one that is named in case or blanks only", near);
        return err_hint(err, "Give --channel exactly as the channel is stored; verify lists them.");
    }
    if (request->channels_all || request->channel_count || events == 0)
        return true;
    for (size_t i = 0; i < evidence->family_count; i++)
        if (evidence->families[i].foreign)
            foreign = evidence->families[i].family;
    if (axdb->tables[TABLE_PROJECT].fresh.rows == 0)
        (void)err_set(err, ERR_REFUSED,
                      "dual-write has no rows here, so these %" PRId64
                      " event rows may belong to another feature",
                      events);
    else if (foreign)
        (void)err_set(err, ERR_REFUSED, "event rows of channel family %s belong to another feature",
                      foreign);
    else if (!axdb->channels_known || evidence->family_count != 1)
        (void)err_set(err, ERR_REFUSED, "%zu channel families share %s", evidence->family_count,
                      table_name(TABLE_EVENTS));
    else
        return true;
    return err_hint(
        err, "Read the channels with verify. --channel NAME (repeatable) removes the rows of "
             "that channel only; --channels all removes them all: a Synapse or Fabric link "
             "and event consumers may then need to be activated again.");
}

static bool
guard_axdb(const struct run_request *request, const struct scope *scope, enum guard_purpose purpose,
           const struct evidence *evidence, struct err *err)
{
    const struct axdb_evidence *axdb = evidence->axdb;

    if (!guard_rights(axdb, scope, purpose, err) || !guard_state(&axdb->identity, err) ||
        !guard_parts(axdb, scope, err) || !guard_side_effects(request, axdb, err))
        return false;
    return purpose != GUARD_CLEAN ||
           (guard_owner(request, evidence, err) && guard_channels(request, evidence, err));
}

/* ---- Dataverse ---- */

static bool
guard_pin(const char *what, const char *expected, const char *found, struct err *err)
{
    if (!expected || text_equal_nocase(expected, found))
        return true;
    (void)err_set(err, ERR_REFUSED, "%s is %s, expected %s", what, found[0] ? found : "not known",
                  expected);
    return err_hint(err, "This is another organization than the one that was meant: check "
                         "--dataverse-url, or the pin.");
}

static bool
guard_runtime(const struct run_request *request, const struct evidence *evidence, struct err *err)
{
    const struct runtime_identity *id = &evidence->runtime->identity;
    char expected_host[HOST_BYTES] = "";

    if (!id->organization_id[0] || !id->unique_name[0]) {
        (void)err_set(err, ERR_REFUSED, "the service does not say which organization it is");
        return err_hint(err, "Check --dataverse-url; a proxy may have answered.");
    }
    if (request->expect_dataverse_host)
        host_of_url(request->expect_dataverse_host, expected_host);
    return guard_pin("organization id", request->expect_org_id, id->organization_id, err) &&
           guard_pin("organization name", request->expect_org_name, id->unique_name, err) &&
           guard_pin("organization host", request->expect_dataverse_host ? expected_host : NULL,
                     id->host, err);
}

/** A list that may be short proves nothing. */
static bool
guard_read_all(const struct runtime_evidence *runtime, struct err *err)
{
    if (runtime->identity.may_read_all != RIGHT_MISSING)
        return true;
    (void)err_set(err, ERR_PERMISSION,
                  "the application user may not read every Dual Write Runtime Configuration");
    return err_hint(err, "A short list cannot prove anything. Give its role the privilege "
                         "prvReadmsdyn_dualwriteruntimeconfig for the whole organization.");
}

bool
guard_versions(const struct run_request *request, const struct runtime_evidence *runtime,
               struct err *err)
{
    if (!evidence_without_versions(runtime) || (request->allow_no_etag && request->reason))
        return true;
    if (runtime->identity.optimistic_concurrency)
        (void)err_set(err, ERR_SCHEMA, "%zu runtime configurations have no version",
                      runtime->rows_without_etag);
    else
        (void)err_set(err, ERR_SCHEMA, "the service does not check row versions of this table");
    return err_hint(err, "A row that changes between the look at it and its delete would be lost. "
                         "With the maps stopped nothing should change it: --allow-no-etag --reason "
                         "TEXT compares each row with its backup just before its delete. "
                         "Microsoft's Reset link clears the same rows.");
}

/** What the purge needs of the service, asked before AxDB changes. */
static bool
guard_purge(const struct run_request *request, const struct runtime_evidence *runtime,
            struct err *err)
{
    if (runtime->row_count == 0)
        return true;
    if (!guard_versions(request, runtime, err) || !guard_read_all(runtime, err))
        return false;
    if (runtime->identity.may_delete == RIGHT_MISSING) {
        (void)err_set(err, ERR_PERMISSION,
                      "the application user may not delete Dual Write Runtime Configurations");
        return err_hint(err, "Give its role the privilege prvDeletemsdyn_dualwriteruntimeconfig.");
    }
    return true;
}

/** What putting rows back needs of the service, asked before AxDB changes. */
static bool
guard_create(const struct runtime_evidence *runtime, struct err *err)
{
    if (!guard_read_all(runtime, err))
        return false;
    if (runtime->identity.may_create != RIGHT_MISSING)
        return true;
    (void)err_set(err, ERR_PERMISSION,
                  "the application user may not create Dual Write Runtime Configurations");
    return err_hint(err, "Give its role the privilege prvCreatemsdyn_dualwriteruntimeconfig.");
}

/* ---- a production target under another class ---- */

static bool
is_production_axdb(const struct run_request *request, const struct production_target *target,
                   const struct axdb_evidence *axdb)
{
    if (!request->axdb || !target->server || !target->database)
        return false;
    /* with --jit the grant may name them: then what answers decides */
    if (request->server && request->database &&
        text_equal_nocase(target->server, request->server) &&
        text_equal_nocase(target->database, request->database))
        return true;
    return axdb && target->dialled && text_equal_nocase(target->dialled, axdb->identity.dialled) &&
           text_equal_nocase(target->database, axdb->identity.database);
}

static bool
is_production_runtime(const struct run_request *request, const struct production_target *target,
                      const struct runtime_evidence *runtime)
{
    char host[HOST_BYTES];
    char dialled[HOST_BYTES];

    if (!request->dataverse || !target->dataverse_url)
        return false;
    host_of_url(target->dataverse_url, host);
    host_of_url(request->dataverse_url, dialled);
    return strcmp(host, dialled) == 0 || (runtime && strcmp(host, runtime->identity.host) == 0);
}

/** `evidence` NULL: nothing was reached yet, what is asked for decides. */
static bool
guard_class(const struct run_request *request, const struct evidence *evidence, struct err *err)
{
    const struct axdb_evidence *axdb = evidence ? evidence->axdb : NULL;
    const struct runtime_evidence *runtime = evidence ? evidence->runtime : NULL;

    if (request->env_class == CLASS_PRODUCTION)
        return true;
    for (size_t i = 0; i < request->production_count; i++) {
        const struct production_target *target = &request->production[i];
        const bool of_axdb = is_production_axdb(request, target, axdb);

        if (!of_axdb && !is_production_runtime(request, target, runtime))
            continue;
        (void)err_set(err, ERR_REFUSED, "this is called %s, and environment \"%s\" is production",
                      env_class_name(request->env_class), target->environment);
        (void)err_detail(err, "%s: [env \"%s\"] has class production and the same %s: %s%s%s",
                         target->source, target->environment,
                         of_axdb ? "server and database" : "Dataverse host",
                         of_axdb ? target->server : target->dataverse_url, of_axdb ? " " : "",
                         of_axdb ? target->database : "");
        return err_hint(err, "If it is production: --env %s. If it is not, correct one of the two.",
                        target->environment);
    }
    return true;
}

bool
guard_identity(const struct run_request *request, const struct evidence *evidence, struct err *err)
{
    if (!guard_class(request, evidence, err))
        return false;
    if (request->axdb && !evidence->axdb) {
        *err = evidence->axdb_err;
        return false;
    }
    if (request->dataverse && !evidence->runtime) {
        *err = evidence->runtime_err;
        return false;
    }
    return (!request->axdb || guard_pins(request, &evidence->axdb->identity, err)) &&
           (!request->dataverse || guard_runtime(request, evidence, err));
}

bool
guard_target(const struct run_request *request, const struct scope *scope,
             enum guard_purpose purpose, const struct evidence *evidence, struct err *err)
{
    if (!guard_identity(request, evidence, err) ||
        (request->axdb && !guard_axdb(request, scope, purpose, evidence, err)))
        return false;
    if (!request->dataverse || scope->parts[TABLE_RUNTIME] == SCOPE_NOTHING)
        return true;
    return purpose == GUARD_UNDO ? guard_create(evidence->runtime, err)
                                 : guard_purge(request, evidence->runtime, err);
}

/* ---- the operator's statement ---- */

void
guard_target_name(const struct run_request *request, char *ret, size_t size)
{
    char host[HOST_BYTES];

    if (request->environment) {
        (void)snprintf(ret, size, "%s", request->environment);
    } else if (request->axdb && request->server && request->database) {
        (void)snprintf(ret, size, "%s@%s", request->database, request->server);
    } else {
        host_of_url(request->dataverse_url, host);
        (void)snprintf(ret, size, "%s", host);
    }
}

static bool
guard_production(const struct run_request *request, struct err *err)
{
    char name[HOST_BYTES * 2];

    if (request->env_class != CLASS_PRODUCTION)
        return true;
    guard_target_name(request, name, sizeof name);
    if (!request->allow_production || strcmp(request->allow_production, name) != 0) {
        (void)err_set(err, ERR_REFUSED, "%s counts as production", name);
        (void)err_detail(err, "--allow-production is %s, the target's name is %s",
                         request->allow_production ? request->allow_production : "not given", name);
        return err_hint(err,
                        "Without --env or --class every target counts as production. Pass --class "
                        "sandbox if it is one; else %s--allow-production='%s' --reason TEXT.",
                        request->removes && !request->applies
                            ? "dwclean plan --out FILE, then dwclean apply FILE "
                            : "",
                        name);
    }
    if (!request->reason) {
        (void)err_set(err, ERR_REFUSED, "a change of production needs a reason");
        return err_hint(err, "Pass --reason TEXT; it is kept with the run.");
    }
    if (request->removes && !request->applies) {
        (void)err_set(err, ERR_REFUSED, "a change of production needs a saved plan");
        return err_hint(err,
                        "dwclean plan --out FILE with the same target, have it read (dwclean show "
                        "FILE), then dwclean apply FILE --allow-production='%s' --reason TEXT.",
                        name);
    }
    return true;
}

/** Is there a plan-id, or somebody to ask? */
static bool
guard_confirmation(const struct run_request *request, bool can_ask, struct err *err)
{
    if (request->yes && !request->plan_id) {
        (void)err_set(err, ERR_REFUSED, "--yes needs --plan-id");
        return err_hint(err, "%s",
                        request->resumes
                            ? "Pass the run's own plan-id. It stands in the report of the run, and "
                              "dwclean resume RUN shows it at a terminal."
                        : request->applies
                            ? "Pass the plan-id that dwclean plan has shown: it says that this is "
                              "the plan that was read, and not just a file of that name."
                            : "Run the same command with --dry-run, read it, and pass the plan-id "
                              "that it prints.");
    }
    if (!request->yes && !can_ask) {
        (void)err_set(err, ERR_REFUSED, "nobody is there to confirm");
        return err_hint(err, "%s--maps-are-stopped --yes --plan-id ID.",
                        request->applies   ? "At a terminal the command asks. In a pipeline, with "
                                             "the plan-id that dwclean plan has shown: "
                        : request->resumes ? "At a terminal the command asks. In a pipeline, with "
                                             "the plan-id in the report of the run: "
                                           : "At a terminal the command asks. In a pipeline: "
                                             "--dry-run first, then ");
    }
    return true;
}

bool
guard_statement(const struct run_request *request, bool can_ask, struct err *err)
{
    if (!guard_class(request, NULL, err) || !guard_production(request, err))
        return false;
    if (request->rows_name_this_environment && !request->reason) {
        (void)err_set(err, ERR_REFUSED, "--rows-name-this-environment needs a reason");
        return err_hint(err, "Pass --reason TEXT; it is kept with the run.");
    }
    if (request->allow_no_etag && !request->reason) {
        (void)err_set(err, ERR_REFUSED, "--allow-no-etag needs a reason");
        return err_hint(err, "Pass --reason TEXT; it is kept with the run.");
    }
    if (!request->maps_are_stopped && !can_ask) {
        (void)err_set(err, ERR_REFUSED, "nobody has said that the maps of the target are stopped");
        return err_hint(err, "Stop the maps (or make sure that they cannot be reached), then pass "
                             "--maps-are-stopped. --yes does not imply it.");
    }
    return guard_confirmation(request, can_ask, err);
}
