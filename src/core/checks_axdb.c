#include "base/text.h"
#include "checks.h"
#include "core/evidence.h"
#include "core/host.h"
#include "core/pins.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { GRANTEE_BYTES = 300 };

static void
check_pin(struct observations *list, enum pin_state state, const char *what, const struct err *why)
{
    struct observation *seen;

    switch (state) {
    case PIN_NONE:
    default:
        break;
    case PIN_HOLDS:
        (void)observe(list, "A-PIN", VERDICT_OK, "%s: as the pin says", what);
        break;
    case PIN_DIFFERS:
        seen = observe(list, "A-PIN", VERDICT_DIFFERS, "%s", why->primary);
        seen->hint = arena_string(list->arena, why->hint);
        break;
    case PIN_UNKNOWN:
        observe_unknown(list, "A-PIN", what, why);
        break;
    }
}

/** Is this the database that was meant? Another one that is clean would prove nothing. */
static void
check_pins(struct observations *list, const struct run_request *request,
           const struct axdb_identity *id)
{
    struct err why = {0};

    check_pin(list, pin_server_name(request, id, &why), "server name", &why);
    check_pin(list, pin_database(request, id, &why), "database", &why);
    check_pin(list, pin_restored_after(request, id, &why), "time of the restore", &why);
}

static void
check_schema(struct observations *list, const struct axdb_evidence *axdb)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct axdb_table_evidence *table = &axdb->tables[i];
        const char *name = table_name((enum table)i);
        struct observation *seen;

        if (!table->exists) {
            seen = observe(list, "A-SCHEMA", VERDICT_UNKNOWN, "dbo.%s %s", name,
                           table->fault ? table->fault : "is missing, or the login may not see it");
            seen->cause = ERR_SCHEMA;
            seen->hint = "A missing table is never clean. Compare the database name and the "
                         "product version, and grant SELECT on the table.";
        } else if (table->fault) {
            seen = observe(list, "A-SCHEMA", VERDICT_UNKNOWN, "dbo.%s %s", name, table->fault);
            seen->cause = ERR_SCHEMA;
        } else {
            (void)observe(list, "A-SCHEMA", VERDICT_OK, "dbo.%s: base table, %zu columns", name,
                          table->schema.count);
        }
    }
}

/** What can make zero rows a lie, or NULL. */
static const char *
zero_is_doubtful(const struct axdb_evidence *axdb, const struct axdb_table_evidence *table)
{
    if (axdb->identity.replica)
        return "0 rows on a read-only replica, which may lag behind";
    if (table->policies.known && table->policies.count)
        return "0 rows, and a row-level security policy may hide some";
    if (table->partitions.known && table->partitions.rows > 0)
        return "0 rows by COUNT, but the partitions hold some, asked twice";
    if (!table->partitions.known && !table->policies.known)
        return "0 rows by COUNT, which nothing else confirms: neither partitions nor policies are "
               "visible";
    return NULL;
}

/** What may keep single event rows from being counted, or NULL. */
static const char *
may_hide_rows(const struct axdb_evidence *axdb)
{
    const struct axdb_table_evidence *events = &axdb->tables[TABLE_EVENTS];
    const bool all_counted =
        events->partitions.known && events->partitions.rows <= events->fresh.rows;

    if (axdb->identity.replica)
        return "a read-only replica that lags behind";
    if (events->policies.count)
        return "a row-level security policy";
    if (!events->policies.known && !all_counted)
        return "a row-level security policy that this login may not see";
    return NULL;
}

/** The event rows of the channels that --channel names; the others are kept by choice. */
static void
check_channel_rows(struct observations *list, const struct run_request *request,
                   const struct evidence *evidence)
{
    const struct counted *fresh = &evidence->axdb->tables[TABLE_EVENTS].fresh;
    const int64_t kept = evidence_kept_events(request, evidence);
    const int64_t named = evidence_named_events(request, evidence);
    const char *near = evidence_nearly_named(request, evidence);
    struct observation *seen;

    if (near) {
        seen = observe(list, "A-ROWS", VERDICT_UNKNOWN,
                       "%s: channel \"%s\" differs from one that is named in case or blanks only",
                       table_name(TABLE_EVENTS), near);
        seen->cause = ERR_REFUSED;
        seen->hint = "Give --channel exactly as the channel is stored.";
        return;
    }

    if (kept < 0) {
        seen = observe(list, "A-ROWS", VERDICT_UNKNOWN,
                       "%s: the channels of its rows are not known", table_name(TABLE_EVENTS));
        seen->cause = ERR_SERVER;
        return;
    }
    if (fresh->rows != kept + named) {
        seen = observe(list, "A-ROWS", VERDICT_UNKNOWN,
                       "%s: %" PRId64 " %s in all, but %" PRId64 " by channel: rows are being "
                       "written",
                       table_name(TABLE_EVENTS), fresh->rows, rows_word(fresh->rows), kept + named);
        seen->cause = ERR_SERVER;
        seen->hint = "Stop what writes them, then ask again.";
        return;
    }
    if (named == 0 && may_hide_rows(evidence->axdb)) {
        seen = observe(list, "A-ROWS", VERDICT_UNKNOWN,
                       "%s: 0 rows of the channels named, but %s may hide some",
                       table_name(TABLE_EVENTS), may_hide_rows(evidence->axdb));
        seen->cause = ERR_SERVER;
        seen->hint = "Ask again on the primary, with a login that sees every row.";
        return;
    }
    seen =
        observe(list, "A-ROWS", named > 0 ? VERDICT_DIFFERS : VERDICT_OK,
                "%s: %" PRId64 " %s of the channels named; %" PRId64 " %s of other channels kept",
                table_name(TABLE_EVENTS), named, rows_word(named), kept, rows_word(kept));
    if (named > 0)
        seen->code = HEALTH_STALE_AXDB;
}

static void
check_table_rows(struct observations *list, const struct axdb_evidence *axdb, enum table i)
{
    const struct axdb_table_evidence *table = &axdb->tables[i];
    const char *name = table_name(i);
    const char *doubt;
    struct observation *seen;

    if (!table->exists)
        return; /* A-SCHEMA has said so, and counts */
    if (!table->fresh.known) {
        observe_unknown(list, "A-ROWS", name, &table->fresh.why);
        return;
    }
    if (table->fresh.rows > 0) {
        seen = observe(list, "A-ROWS", VERDICT_DIFFERS, "%s: %" PRId64 " %s", name,
                       table->fresh.rows, rows_word(table->fresh.rows));
        seen->code = HEALTH_STALE_AXDB;
        return;
    }
    doubt = zero_is_doubtful(axdb, table);
    if (doubt) {
        seen = observe(list, "A-ROWS", VERDICT_UNKNOWN, "%s: %s", name, doubt);
        seen->cause = ERR_SERVER;
        seen->hint = "Ask again on the primary, with a login that sees every row.";
        return;
    }
    (void)observe(list, "A-ROWS", VERDICT_OK, "%s: 0 rows", name);
}

static bool
counted_zero(const struct axdb_table_evidence *table)
{
    return table->fresh.known && table->fresh.rows == 0;
}

/** Event rows without any project row may belong to another feature: neither clean nor residue. */
static bool
events_have_no_owner(const struct run_request *request, const struct axdb_evidence *axdb)
{
    return !request->channels_all && !request->channel_count &&
           counted_zero(&axdb->tables[TABLE_PROJECT]) && axdb->tables[TABLE_EVENTS].fresh.known &&
           axdb->tables[TABLE_EVENTS].fresh.rows > 0;
}

/** After a relink rows are normal: they must be readable, no more. */
static void
check_readable_rows(struct observations *list, const struct axdb_evidence *axdb)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct axdb_table_evidence *table = &axdb->tables[i];
        const char *name = table_name((enum table)i);
        struct observation *seen;

        if (!table->exists)
            continue; /* A-SCHEMA has said so, and counts */
        if (!table->fresh.known) {
            observe_unknown(list, "A-ROWS", name, &table->fresh.why);
            continue;
        }
        seen = observe(list, "A-ROWS", VERDICT_OK, "%s: %" PRId64 " %s", name, table->fresh.rows,
                       rows_word(table->fresh.rows));
        if (table->fresh.rows == 0 && i == TABLE_PROJECT)
            seen->hint = "No map was run since the relink, or the relink is not complete.";
    }
}

static void
check_rows(struct observations *list, const struct run_request *request,
           const struct evidence *evidence)
{
    const struct axdb_evidence *axdb = evidence->axdb;
    const struct axdb_table_evidence *events = &axdb->tables[TABLE_EVENTS];
    struct observation *seen;

    if (list->expect == EXPECT_POST_RELINK) {
        check_readable_rows(list, axdb);
        return;
    }

    check_table_rows(list, axdb, TABLE_FIELD);
    check_table_rows(list, axdb, TABLE_PROJECT);
    if (request->channel_count && events->exists && events->fresh.known &&
        (events->fresh.rows > 0 || axdb->channel_count > 0)) {
        check_channel_rows(list, request, evidence);
        return;
    }
    if (!events_have_no_owner(request, axdb)) {
        check_table_rows(list, axdb, TABLE_EVENTS);
        return;
    }
    seen = observe(list, "A-ROWS", VERDICT_UNKNOWN,
                   "%s: %" PRId64 " %s of unknown owner: dual-write has no project rows here",
                   table_name(TABLE_EVENTS), events->fresh.rows, rows_word(events->fresh.rows));
    seen->cause = ERR_SERVER;
    seen->hint =
        "They may belong to another feature, such as a Synapse or Fabric link. Look at the "
        "channels; --channels all takes them all for dual-write's, --channel NAME those named.";
}

static const char *
name_word(int64_t rows)
{
    return rows == 1 ? "row names" : "rows name";
}

/** Why the target's own host is not known: Dataverse did not answer, or was not asked. */
static enum err_code
own_host_cause(const struct evidence *evidence)
{
    return evidence->runtime_err.code != ERR_NONE ? evidence->runtime_err.code : ERR_SERVER;
}

static void
check_url_host(struct observations *list, const struct evidence *evidence,
               const struct host_count *host)
{
    const bool linked = list->expect == EXPECT_POST_RELINK;
    struct observation *seen;

    if (!host->host[0]) {
        seen = observe(list, "A-URL", VERDICT_DIFFERS, "%" PRId64 " project %s no environment",
                       host->rows, name_word(host->rows));
        if (linked)
            seen->hint =
                "Those maps fail on every save: stop them, dwclean repair-map, start them.";
    } else if (!evidence->own_host) {
        seen = observe(list, "A-URL", VERDICT_UNKNOWN,
                       "%" PRId64 " project %s %s; the target's own host is not known", host->rows,
                       name_word(host->rows), host->host);
        seen->cause = own_host_cause(evidence);
        seen->hint = "Let Dataverse answer too, or give --expect-dataverse-host.";
    } else if (host->own && linked) {
        (void)observe(list, "A-URL", VERDICT_OK,
                      "%" PRId64 " project %s %s, the target's own organization", host->rows,
                      name_word(host->rows), host->host);
    } else if (host->own) {
        seen = observe(list, "A-URL", VERDICT_DIFFERS,
                       "%" PRId64 " project %s %s, the target's own organization", host->rows,
                       name_word(host->rows), host->host);
        seen->hint =
            "That may be a working link. If only Dataverse was restored: --dataverse-only.";
    } else {
        (void)observe(list, "A-URL", VERDICT_DIFFERS,
                      "%" PRId64 " project %s still %s at %s (own organization: %s)", host->rows,
                      rows_word(host->rows), host->rows == 1 ? "points" : "point", host->host,
                      evidence->own_host);
    }
}

static void
check_urls(struct observations *list, const struct evidence *evidence)
{
    enum { SHOWN = 8 };

    if (!evidence->axdb->urls_known) {
        struct observation *seen =
            observe(list, "A-URL", VERDICT_UNKNOWN, "the URLs of the project rows were not read");
        seen->cause = ERR_SERVER;
        return;
    }
    if (evidence->host_count == 0)
        (void)observe(list, "A-URL", VERDICT_OK, "no project row names an environment");
    for (size_t i = 0; i < evidence->host_count && i < SHOWN; i++)
        check_url_host(list, evidence, &evidence->hosts[i]);
    if (evidence->host_count > SHOWN)
        (void)observe(list, "A-URL", VERDICT_DIFFERS, "%zu further hosts",
                      evidence->host_count - SHOWN);
}

static void
check_pairs(struct observations *list, const struct axdb_evidence *axdb)
{
    const struct counted *lone_projects = &axdb->projects_without_fields;
    const struct counted *lone_fields = &axdb->fields_without_project;

    if (!lone_projects->known || !lone_fields->known) {
        observe_unknown(list, "A-PAIR", "project and field rows",
                        lone_projects->known ? &lone_fields->why : &lone_projects->why);
        return;
    }
    (void)observe(
        list, "A-PAIR", lone_projects->rows || lone_fields->rows ? VERDICT_DIFFERS : VERDICT_OK,
        "%" PRId64 " project %s without field row, %" PRId64 " field %s without project row",
        lone_projects->rows, rows_word(lone_projects->rows), lone_fields->rows,
        rows_word(lone_fields->rows));
}

static void
check_rights(struct observations *list, const struct axdb_evidence *axdb)
{
    char grantee[GRANTEE_BYTES];

    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct axdb_table_evidence *table = &axdb->tables[i];
        const char *name = table_name((enum table)i);
        struct observation *seen;

        if (!table->exists)
            continue;
        if (table->may_select == RIGHT_HELD && table->may_delete == RIGHT_HELD)
            continue;
        seen =
            observe(list, "A-PERM", VERDICT_DIFFERS, "%s: %s%s%s missing", name,
                    table->may_select == RIGHT_HELD ? "" : "SELECT",
                    table->may_select != RIGHT_HELD && table->may_delete != RIGHT_HELD ? ", " : "",
                    table->may_delete == RIGHT_HELD ? "" : "DELETE");
        evidence_grantee(&axdb->identity, grantee, sizeof grantee);
        seen->hint = arena_printf(list->arena, "For clean: GRANT SELECT, DELETE ON dbo.%s TO %s;",
                                  name, grantee);
    }
}

/** What a delete could set off, and this login may not see. */
static void
check_side_effects(struct observations *list, const struct axdb_evidence *axdb)
{
    char grantee[GRANTEE_BYTES];

    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct axdb_table_evidence *table = &axdb->tables[i];
        struct observation *seen;

        if (!table->exists ||
            (table->triggers.known && table->foreign_keys.known && table->policies.known))
            continue;
        seen = observe(list, "A-PERM", VERDICT_UNKNOWN,
                       "%s: triggers, foreign keys and policies were not checked",
                       table_name((enum table)i));
        seen->cause = ERR_PERMISSION;
        evidence_grantee(&axdb->identity, grantee, sizeof grantee);
        seen->hint =
            arena_printf(list->arena, "On the database: GRANT VIEW DEFINITION TO %s;", grantee);
    }
}

/** What could refuse the rows when an undo puts them back. */
static void
check_undo(struct observations *list, const struct axdb_evidence *axdb)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct named_list *outgoing = &axdb->tables[i].outgoing;
        struct observation *seen;

        if (!axdb->tables[i].exists || outgoing->count == 0)
            continue;
        seen = observe(list, "A-UNDO", VERDICT_DIFFERS, "%s: %s%s may refuse rows of an undo",
                       table_name((enum table)i), outgoing->names[0],
                       outgoing->count > 1 ? " and others" : "");
        seen->hint = "A foreign key of the table, or a CHECK constraint. The product has none.";
    }
    if (axdb->identity.delayed_durability &&
        strcmp(axdb->identity.delayed_durability, "FORCED") == 0)
        (void)observe(
            list, "A-UNDO", VERDICT_DIFFERS,
            "DELAYED_DURABILITY is FORCED: a COMMIT answers before it is on disk; the log "
            "is flushed after it");
}

static void
check_status(struct observations *list, const struct axdb_evidence *axdb)
{
    int64_t running = 0;
    int64_t other = 0;

    if (!axdb->urls_known)
        return;
    for (size_t i = 0; i < axdb->url_count; i++) {
        const bool enabled = evidence_is_running(axdb->urls[i].status);

        running += enabled ? axdb->urls[i].rows : 0;
        other += enabled ? 0 : axdb->urls[i].rows;
    }
    if (running || other)
        (void)observe(list, "A-STATUS", VERDICT_OK,
                      "%" PRId64 " project %s enabled or queueing, %" PRId64 " not%s", running,
                      rows_word(running), other,
                      list->expect == EXPECT_POST_RELINK
                          ? ""
                          : "; after a restore that is the source's state");
}

static void
check_channels(struct observations *list, const struct run_request *request,
               const struct evidence *evidence)
{
    struct observation *seen;

    if (!evidence->axdb->channels_known) {
        seen = observe(list, "A-CHANNEL", VERDICT_UNKNOWN, "the event channels were not read");
        seen->cause = ERR_SERVER;
    }
    for (size_t i = 0; i < evidence->family_count && i < 8; i++) {
        const struct channel_family *family = &evidence->families[i];
        const bool decided = request->channels_all || request->channel_count;
        const bool doubtful = !decided && (family->foreign || evidence->family_count > 1 ||
                                           counted_zero(&evidence->axdb->tables[TABLE_PROJECT]));

        seen = observe(list, "A-CHANNEL", doubtful ? VERDICT_DIFFERS : VERDICT_OK,
                       "%" PRId64 " event %s of channel family \"%s\"%s", family->rows,
                       rows_word(family->rows), family->family,
                       family->foreign ? ", another feature's" : "");
        if (seen->verdict == VERDICT_DIFFERS)
            seen->hint = "The table is shared by features: clean asks for --channels all or "
                         "--channel NAME.";
    }
}

/** A channel that no row has may be a slip of the pen. */
static void
check_named_channels(struct observations *list, const struct run_request *request,
                     const struct axdb_evidence *axdb)
{
    enum { SHOWN = 8 };

    for (size_t i = 0; i < request->channel_count && i < SHOWN && axdb->channels_known; i++) {
        size_t at = 0;

        while (at < axdb->channel_count &&
               strcmp(axdb->channels[at].channel, request->channels[i]) != 0)
            at++;
        if (at == axdb->channel_count)
            (void)observe(list, "A-CHANNEL", VERDICT_DIFFERS, "no event row has channel \"%s\"",
                          request->channels[i]);
    }
}

static void
check_sessions(struct observations *list, const struct axdb_evidence *axdb)
{
    struct observation *seen;

    if (!axdb->sessions_known) {
        seen = observe(list, "A-AOS", VERDICT_UNKNOWN,
                       "other sessions were not checked: the login may not see them");
        seen->cause = ERR_PERMISSION;
        return;
    }
    seen =
        observe(list, "A-AOS", axdb->aos_sessions ? VERDICT_DIFFERS : VERDICT_OK,
                "%" PRId64 " %s like an application server, %" PRId64 " others", axdb->aos_sessions,
                axdb->aos_sessions == 1 ? "session that looks" : "sessions that look",
                axdb->other_sessions - axdb->aos_sessions);
    if (axdb->aos_sessions)
        seen->hint = "Clean before the application server starts, or restart it afterwards.";
}

static void
check_restore(struct observations *list, const struct axdb_evidence *axdb)
{
    const struct axdb_identity *id = &axdb->identity;
    const bool usable = strcmp(id->state, "ONLINE") == 0 &&
                        strcmp(id->user_access, "MULTI_USER") == 0 && !id->read_only;
    struct observation *seen;

    (void)observe(list, "A-RESTORE", usable ? VERDICT_OK : VERDICT_DIFFERS,
                  "database %s is %s, %s, %s", id->database, id->state, id->user_access,
                  id->read_only ? "read-only" : "writable");
    if (!id->restore_known) {
        seen = observe(list, "A-RESTORE", VERDICT_UNKNOWN, "the restore history is not readable");
        seen->cause = ERR_PERMISSION;
    } else if (id->restored_at[0]) {
        (void)observe(list, "A-RESTORE", VERDICT_OK,
                      "restored %s from %s on %s, backup finished %s", id->restored_at,
                      id->restored_from_database, id->restored_from_server, id->backup_finished_at);
    } else {
        (void)observe(list, "A-RESTORE", VERDICT_OK, "no restore on record");
    }
}

void
checks_axdb(struct observations *list, const struct run_request *request,
            const struct evidence *evidence)
{
    const struct axdb_evidence *axdb = evidence->axdb;

    if (!axdb) {
        observe_unknown(list, "A-SCHEMA", "AxDB", &evidence->axdb_err);
        observe_unknown(list, "A-ROWS", "AxDB", &evidence->axdb_err);
        return;
    }
    check_pins(list, request, &axdb->identity);
    check_schema(list, axdb);
    check_rows(list, request, evidence);
    check_urls(list, evidence);
    check_pairs(list, axdb);
    check_rights(list, axdb);
    check_side_effects(list, axdb);
    check_undo(list, axdb);
    check_status(list, axdb);
    check_channels(list, request, evidence);
    check_named_channels(list, request, axdb);
    check_sessions(list, axdb);
    check_restore(list, axdb);
}
