#include "checks.h"

#include "base/text.h"
#include "core/evidence.h"
#include "core/host.h"
#include "core/pins.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { GRANTEE_BYTES = 300 };

enum { MAX_OBSERVATIONS = 64 };

/** Which checks count for the status before a relink. */
static bool
required_before_relink(const char *check)
{
    static const char *const required[] = {"A-PIN", "A-SCHEMA", "A-ROWS", "D-ORG", "D-ROWS"};

    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++)
        if (strcmp(check, required[i]) == 0)
            return true;
    return false;
}

static const char *
rows_word(int64_t rows)
{
    return rows == 1 ? "row" : "rows";
}

static struct observation *observe(struct observations *list, const char *check,
                                   enum verdict verdict, const char *fmt, ...) ERR_FMT(4, 5);

/** Add an observation; the caller may add hint, code and cause to what is returned. Never NULL. */
static struct observation *
observe(struct observations *list, const char *check, enum verdict verdict, const char *fmt, ...)
{
    static struct observation lost; /* where it goes when memory is out: nobody reads it */
    char text[1024];
    struct observation *seen;
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    assert(list->count < list->capacity);
    seen = &list->list[list->count++];
    *seen = (struct observation){.check = check,
                                 .required = required_before_relink(check),
                                 .verdict = verdict,
                                 .text = arena_string(list->arena, text)};
    if (seen->text)
        return seen;
    list->exhausted = true;
    seen->text = "";
    return &lost;
}

/** An observation that could not be made, because of `why`. */
static void
observe_unknown(struct observations *list, const char *check, const char *what,
                const struct err *why)
{
    struct observation *seen = observe(list, check, VERDICT_UNKNOWN, "%s: %s", what, why->primary);

    seen->cause = why->code;
    if (why->hint[0])
        seen->hint = arena_string(list->arena, why->hint);
}

/* ---- AxDB ---- */

static void
check_pin(struct observations *list, enum pin_state state, const char *what, const struct err *why)
{
    struct observation *seen;

    switch (state) {
    case PIN_NONE:
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
    const struct named_list *policies = &axdb->tables[TABLE_EVENTS].policies;

    if (axdb->identity.replica)
        return "a read-only replica that lags behind";
    if (policies->known && policies->count)
        return "a row-level security policy";
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
        seen->code = "DWFOEV1004";
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
        seen->code = "DWFOEV1004";
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

static void
check_rows(struct observations *list, const struct run_request *request,
           const struct evidence *evidence)
{
    const struct axdb_evidence *axdb = evidence->axdb;
    const struct axdb_table_evidence *events = &axdb->tables[TABLE_EVENTS];
    struct observation *seen;

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

static void
check_url_host(struct observations *list, const struct evidence *evidence,
               const struct host_count *host)
{
    struct observation *seen;

    if (!host->host[0]) {
        (void)observe(list, "A-URL", VERDICT_DIFFERS, "%" PRId64 " project %s no environment",
                      host->rows, name_word(host->rows));
    } else if (!evidence->own_host) {
        seen = observe(list, "A-URL", VERDICT_UNKNOWN,
                       "%" PRId64 " project %s %s; the target's own host is not known", host->rows,
                       name_word(host->rows), host->host);
        seen->cause = ERR_REFUSED;
        seen->hint = "Let Dataverse answer too, or give --expect-dataverse-host.";
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
        const bool enabled = axdb->urls[i].status == 0 || axdb->urls[i].status == 4;

        running += enabled ? axdb->urls[i].rows : 0;
        other += enabled ? 0 : axdb->urls[i].rows;
    }
    if (running || other)
        (void)observe(list, "A-STATUS", VERDICT_OK,
                      "%" PRId64 " project %s enabled or queueing, %" PRId64
                      " not; after a restore that is the source's state",
                      running, rows_word(running), other);
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

static void
check_axdb(struct observations *list, const struct run_request *request,
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

/* ---- Dataverse ---- */

/** Compare one pin; true when it holds or is not set. */
static bool
pin_holds(struct observations *list, const char *what, const char *expected, const char *found)
{
    struct observation *seen;

    if (!expected || text_equal_nocase(expected, found))
        return true;
    seen = observe(list, "D-ORG", VERDICT_DIFFERS, "%s is %s, expected %s", what,
                   found[0] ? found : "not known", expected);
    seen->hint = "This is another organization than the one that was meant.";
    return false;
}

static void
check_organization(struct observations *list, const struct run_request *request,
                   const struct runtime_identity *id)
{
    char expected_host[HOST_BYTES] = "";
    bool holds = true;

    if (request->expect_dataverse_host)
        host_of_url(request->expect_dataverse_host, expected_host);
    holds &= pin_holds(list, "organization id", request->expect_org_id, id->organization_id);
    holds &= pin_holds(list, "organization name", request->expect_org_name, id->unique_name);
    holds &= pin_holds(list, "organization host",
                       request->expect_dataverse_host ? expected_host : NULL, id->host);
    if (holds)
        (void)observe(list, "D-ORG", VERDICT_OK, "organization %s (%s) at %s", id->unique_name,
                      id->organization_id, id->host[0] ? id->host : id->dialled_host);
}

/** "created X to Y", as far as it is known. */
static const char *
created_text(const struct runtime_evidence *runtime, char *ret, size_t size)
{
    const char *oldest = runtime->first_created;
    const char *newest = runtime->last_created;
    const bool span = strcmp(oldest, newest) != 0;

    (void)snprintf(ret, size, "created %s%s%s", oldest[0] ? oldest : "at an unknown time",
                   span ? " to " : "", span ? newest : "");
    return ret;
}

static void
check_runtime_rows(struct observations *list, const struct runtime_evidence *runtime)
{
    struct observation *seen;
    char created[128];

    if (runtime->row_count == 0 && runtime->identity.may_read_all == RIGHT_MISSING) {
        seen = observe(list, "D-ROWS", VERDICT_UNKNOWN,
                       "0 rows, but the application user may not read the rows of every owner");
        seen->cause = ERR_PERMISSION;
        seen->hint = "Give its role organization-level Read on Dual Write Runtime Configurations.";
        return;
    }
    if (runtime->row_count == 0) {
        (void)observe(list, "D-ROWS", VERDICT_OK, "Dual Write Runtime Configurations: 0 rows");
        return;
    }
    seen = observe(list, "D-ROWS", VERDICT_DIFFERS, "Dual Write Runtime Configurations: %zu %s, %s",
                   runtime->row_count, rows_word((int64_t)runtime->row_count),
                   created_text(runtime, created, sizeof created));
    seen->code = "DWDVEV1004";
    if (!evidence_without_versions(runtime))
        return;
    seen = observe(list, "D-VERSION", VERDICT_DIFFERS,
                   "%s: a delete cannot be made for the version that was backed up",
                   runtime->identity.optimistic_concurrency
                       ? "there are rows without a version"
                       : "the service does not compare row versions of this table");
    seen->hint =
        "With --allow-no-etag each row is compared with its backup just before its delete; "
        "a change in the moment between is lost.";
}

static void
check_link(struct observations *list, const struct run_request *request,
           const struct runtime_identity *id)
{
    char expected[HOST_BYTES] = "";
    char found[HOST_BYTES];
    struct observation *seen;

    if (!id->link_known) {
        seen = observe(list, "D-LINK", VERDICT_UNKNOWN,
                       "the link to finance and operations is not known: %s", id->link_detail);
        seen->cause = ERR_SERVER;
        return;
    }
    if (!id->linked) {
        (void)observe(list, "D-LINK", VERDICT_OK,
                      "Dataverse reports no finance and operations link: %s", id->link_detail);
        return;
    }
    if (request->expect_fno_url)
        host_of_url(request->expect_fno_url, expected);
    host_of_url(id->fno_url, found);
    seen = observe(list, "D-LINK",
                   expected[0] && strcmp(expected, found) != 0 ? VERDICT_DIFFERS : VERDICT_OK,
                   "Dataverse reports %s as its finance and operations environment", found);
    if (seen->verdict == VERDICT_DIFFERS)
        seen->hint =
            arena_printf(list->arena, "Expected %s. An old link may survive a copy.", expected);
}

static void
check_runtime(struct observations *list, const struct run_request *request,
              const struct evidence *evidence)
{
    if (!evidence->runtime) {
        observe_unknown(list, "D-ORG", "Dataverse", &evidence->runtime_err);
        observe_unknown(list, "D-ROWS", "Dataverse", &evidence->runtime_err);
        return;
    }
    check_organization(list, request, &evidence->runtime->identity);
    check_runtime_rows(list, evidence->runtime);
    check_link(list, request, &evidence->runtime->identity);
}

bool
checks_make(const struct run_request *request, struct evidence *evidence, struct arena *arena)
{
    struct observations list = {.arena = arena, .capacity = MAX_OBSERVATIONS};

    list.list = arena_alloc(arena, MAX_OBSERVATIONS * sizeof *list.list);
    if (!list.list)
        return false;
    if (evidence->axdb_asked)
        check_axdb(&list, request, evidence);
    if (evidence->runtime_asked)
        check_runtime(&list, request, evidence);
    evidence->observations = list.list;
    evidence->observation_count = list.count;
    return !list.exhausted;
}
