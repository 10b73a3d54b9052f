/** Outcomes with fixed times, for the report tests; one of them is hostile. */
#ifndef TESTS_REPORT_SAMPLE_H
#define TESTS_REPORT_SAMPLE_H

#include "core/outcome.h"

#include <stdio.h>

#define SAMPLE_PLAN_ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SAMPLE_HOSTILE "a\x1b[31m\"\\\r\nclean\t\xff\xe2\x80\xae<b>"

static struct axdb_evidence sample_axdb = {
    .identity = {.dialled = "sql01.contoso.com,1433",
                 .server_name = "SQL01",
                 .machine_name = "SQL01",
                 .product = "15.0.4153.1",
                 .database = "AxDB",
                 .login = "dwclean",
                 .client = "freetds v1.3.17",
                 .encryption = "TLS",
                 .spid = 61,
                 .state = "ONLINE",
                 .user_access = "MULTI_USER",
                 .read_committed_snapshot = true,
                 .created = "2026-11-20T01:02:03",
                 .recovery_fork = "",
                 .restore_known = true,
                 .restored_at = "2026-11-20T01:02:03",
                 .restored_from_server = "PROD01",
                 .restored_from_database = "AxDB_prod",
                 .backup_finished_at = "2026-11-19T22:00:00"},
    .urls_known = true,
    .urls =
        (const struct axdb_url_count[]){{"https://user:pw@prod.crm.dynamics.com/x?token=s", 0, 30},
                                        {"", 4, 4}},
    .url_count = 2,
    .channels_known = true,
    .channels =
        (const struct axdb_channel_count[]){{"AthenaFinanceOperationsTableDa7", 1, 4711, 1, 58},
                                            {"DualWrite1", 0, 4712, 1, 600},
                                            {"DualWrite1", 1, 4712, 0, 300}},
    .channel_count = 3,
    .projects_without_fields = {.known = true},
    .fields_without_project = {.known = false,
                               .why = {.code = ERR_LOCK, .primary = "lock timeout"}},
};

static const struct runtime_row sample_rows[] = {
    {"0a1b2c3d-0000-4000-8000-000000000001", "W/\"1\"", "Customers", "account", "Customers V3",
     "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", true},
};

static struct runtime_evidence sample_runtime = {
    .identity = {.dialled_host = "contoso-uat.crm4.dynamics.com",
                 .organization_id = "6f0e0000-0000-4000-8000-00000000000a",
                 .unique_name = "unq6f0e",
                 .friendly_name = "Contoso UAT",
                 .environment_id = "",
                 .version = "9.2.0.1",
                 .host = "contoso-uat.crm4.dynamics.com",
                 .user_id = "",
                 .link_known = true,
                 .linked = false,
                 .fno_url = "",
                 .link_detail = "not linked",
                 .entity_set = "msdyn_dualwriteruntimeconfigs",
                 .key_column = "msdyn_dualwriteruntimeconfigid",
                 .optimistic_concurrency = true},
    .rows = sample_rows,
    .row_count = 1,
    .kept_count = 1,
    .first_created = "2026-01-01T00:00:00Z",
    .last_created = "2026-01-01T00:00:00Z",
};

static const struct host_count sample_hosts[] = {{"prod.crm.dynamics.com", 30, false},
                                                 {"contoso-uat.crm4.dynamics.com", 3, true},
                                                 {"", 1, false}};
static const struct channel_family sample_families[] = {
    {"DualWrite", 900, false}, {"AthenaFinanceOperationsTableDa", 58, true}};

static const struct observation sample_before[] = {
    {"A-SCHEMA", true, VERDICT_OK, "three base tables with the columns that are needed", NULL, NULL,
     ERR_NONE},
    {"A-ROWS", true, VERDICT_DIFFERS,
     "34 project rows, 34 field rows and 958 event rows where none are expected before a relink",
     "Stop the maps of this environment, then run clean.", "DWFOEV1004", ERR_NONE},
    {"D-ROWS", true, VERDICT_UNKNOWN, "the list could not be read", NULL, "DWDVEV1004", ERR_SERVER},
    {"A-AOS", false, VERDICT_UNKNOWN, "sessions were not checked: no right to see them", NULL, NULL,
     ERR_PERMISSION},
};
static const struct observation sample_after[] = {
    {"A-ROWS", true, VERDICT_OK, "0 rows in three tables", NULL, NULL, ERR_NONE},
    {"D-ROWS", true, VERDICT_OK, "0 rows", NULL, NULL, ERR_NONE},
};

static inline struct outcome
sample_residue(void)
{
    struct outcome outcome = {
        .command = "verify",
        .word = OUTCOME_RESIDUE,
        .exit_status = 2,
        .verdict = "dual-write rows of another environment are present",
        .started_utc_ms = 1795298400000,
        .ended_utc_ms = 1795298401250,
        .environment = "uat",
        .environment_class = "sandbox",
        .locked_ms = -1,
        .before = {.axdb_asked = true,
                   .runtime_asked = true,
                   .axdb = &sample_axdb,
                   .runtime = &sample_runtime,
                   .taken_utc_ms = 1795298400500,
                   .hosts = sample_hosts,
                   .host_count = 3,
                   .families = sample_families,
                   .family_count = 2,
                   .own_host = "contoso-uat.crm4.dynamics.com",
                   .own_host_source = "Dataverse",
                   .observations = sample_before,
                   .observation_count = 4},
    };
    static const int64_t before[TABLES] = {34, 34, 958, 17};
    static const char *const next[] = {
        "Stop the maps, then see what would go: dwclean clean --dry-run with the same target."};
    for (unsigned i = 0; i < TABLES; i++)
        outcome.tables[i] = (struct table_outcome){.table = (enum table)i,
                                                   .asked = true,
                                                   .before_rows = before[i],
                                                   .planned_rows = -1,
                                                   .backed_up_rows = -1,
                                                   .deleted_rows = -1,
                                                   .after_rows = -1,
                                                   .kept_rows = -1,
                                                   .restored_rows = -1};
    outcome.next = next;
    outcome.next_count = 1;
    return outcome;
}

static inline struct outcome
sample_dry_run(void)
{
    struct outcome outcome = sample_residue();
    outcome.command = "clean";
    outcome.word = OUTCOME_PLANNED;
    outcome.exit_status = 0;
    outcome.verdict = "a plan was made; nothing was changed";
    outcome.dry_run = true;
    outcome.plan_id = SAMPLE_PLAN_ID;
    for (unsigned i = 0; i < TABLES; i++)
        outcome.tables[i].planned_rows = outcome.tables[i].before_rows;
    return outcome;
}

static inline struct outcome
sample_done(void)
{
    struct outcome outcome = sample_dry_run();
    outcome.dry_run = false;
    outcome.word = OUTCOME_DONE;
    outcome.verdict = "removed, and freshly verified: four tables are empty";
    outcome.reason = "refresh of UAT";
    outcome.run_id = "20261121T220000Z-uat-ab12";
    outcome.run_path = "/var/lib/dwclean/runs/20261121T220000Z-uat-ab12";
    outcome.changed = true;
    outcome.locked_ms = 340;
    for (unsigned i = 0; i < TABLES; i++) {
        outcome.tables[i].backed_up_rows = outcome.tables[i].planned_rows;
        outcome.tables[i].deleted_rows = outcome.tables[i].planned_rows;
        outcome.tables[i].after_rows = 0;
    }
    outcome.after = outcome.before;
    outcome.after.observations = sample_after;
    outcome.after.observation_count = 2;
    outcome.after_taken = true;
    return outcome;
}

static inline struct outcome
sample_partial(void)
{
    static const struct runtime_ref row = {.key = "0a1b2c3d-0000-4000-8000-000000000001"};
    static const struct removal removals[] = {
        {.row = &row,
         .state = REMOVAL_CHANGED,
         .http_status = 412,
         .request_id = "req-1",
         .why = {.code = ERR_STALE, .primary = "the row changed since it was backed up"}}};
    struct outcome outcome = sample_done();
    outcome.word = OUTCOME_PARTIAL;
    outcome.exit_status = 3;
    outcome.verdict = "AxDB is clean; 1 row of Dataverse is still there";
    outcome.err = (struct err){.code = ERR_INCOMPLETE,
                               .primary = "1 of 17 rows did not leave",
                               .detail = "HTTP 412",
                               .hint = "Stop the maps, then run clean again."};
    outcome.tables[TABLE_RUNTIME].deleted_rows = 15;
    outcome.tables[TABLE_RUNTIME].gone_rows = 1;
    outcome.tables[TABLE_RUNTIME].changed_rows = 1;
    outcome.tables[TABLE_RUNTIME].after_rows = -1;
    outcome.removals = removals;
    outcome.removal_count = 1;
    outcome.written_after = sample_rows;
    outcome.written_after_count = 1;
    outcome.after_taken = false;
    return outcome;
}

/** A part of the event rows: the others are kept. */
static inline struct outcome
sample_part(void)
{
    struct outcome outcome = sample_done();
    outcome.verdict = "removed, and freshly verified: clean for channel DualWrite1; 58 event rows "
                      "of other channels kept";
    outcome.scope = "event rows of channel \"DualWrite1\"";
    outcome.tables[TABLE_EVENTS].planned_rows = 900;
    outcome.tables[TABLE_EVENTS].backed_up_rows = 900;
    outcome.tables[TABLE_EVENTS].deleted_rows = 900;
    outcome.tables[TABLE_EVENTS].kept_rows = 58;
    outcome.tables[TABLE_EVENTS].after_rows = 58;
    return outcome;
}

static inline struct outcome
sample_repair_map(void)
{
    static const struct map_row rows[] = {
        {"DWM-9d1c4f20-7b3a-4e55-8c1f-000000015838-2f6e0b7d-41c8-4d0a-9b62-000000209458",
         "prod.crm.dynamics.com", 0, false, true},
        {"CustCustomerV3Entity-77aa", "contoso-uat.crm4.dynamics.com", 1, true, false},
        {"CustCustomerV3Entity-0000", "", 4, false, true},
        {"CustCustomerV3Entity-0001", "x.example", 17, false, true}};
    struct outcome outcome = sample_dry_run();
    outcome.command = "repair-map";
    outcome.verdict = "a plan was made for the map Customers V3:accounts; nothing was changed";
    outcome.scope = "project and field rows of the map \"Customers V3:accounts\" that do not name "
                    "the target's own organization";
    outcome.map_rows = rows;
    outcome.map_row_count = 4;
    outcome.tables[TABLE_EVENTS].asked = outcome.tables[TABLE_RUNTIME].asked = false;
    for (unsigned i = 0; i < TABLE_EVENTS; i++) {
        outcome.tables[i].planned_rows = 3;
        outcome.tables[i].kept_rows = 31;
    }
    return outcome;
}

static inline struct outcome
sample_undo(void)
{
    static const char *const next[] = {"The stale link is back. To remove it again: dwclean clean "
                                       "with the same target."};
    struct outcome outcome = sample_done();
    static const int64_t before[AXDB_TABLES] = {0, 2, 1}, put_back[AXDB_TABLES] = {34, 33, 957};
    outcome.command = "undo";
    outcome.verdict = "put back, and compared with the backup: every row is as it was";
    outcome.undoes = "20261121T220000Z-uat-ab12";
    outcome.run_id = "20261121T230000Z-uat-cd34";
    outcome.run_path = "/var/lib/dwclean/runs/20261121T230000Z-uat-cd34";
    for (unsigned i = 0; i < AXDB_TABLES; i++) {
        struct table_outcome *table = &outcome.tables[i];
        table->before_rows = before[i];
        table->restored_rows = put_back[i];
        table->after_rows = before[i] + put_back[i];
        table->planned_rows = put_back[i];
        table->deleted_rows = -1;
        table->backed_up_rows = table->after_rows;
    }
    outcome.tables[TABLE_PROJECT].present_rows = 1;
    outcome.tables[TABLE_PROJECT].differing_rows = 1;
    outcome.tables[TABLE_EVENTS].present_rows = 1;
    outcome.tables[TABLE_RUNTIME].asked = false;
    outcome.before.runtime_asked = false;
    outcome.before.runtime = NULL;
    outcome.next = next;
    return outcome;
}

/** Rows of Dataverse are put back too, and one is refused. */
static inline struct outcome
sample_undo_partial(void)
{
    static const struct returned returns[] = {
        {.key = "0a1b2c3d-0000-4000-8000-000000000001",
         .state = RETURN_FAILED,
         .http_status = 400,
         .request_id = "req-7",
         .why = {.code = ERR_SERVER, .primary = "a plug-in has refused the row"}}};
    static const char *const columns[] = {"createdon", "createdby", "ownerid"};
    static const struct runtime_columns lost = {.names = columns, .count = 3};
    static const struct runtime_pace pace = {.rows_per_second_x10 = 375,
                                             .ms_per_row_x10 = 264,
                                             .concurrency = 5,
                                             .batch_rows = 10,
                                             .throttled = 3};
    struct outcome outcome = sample_undo();
    struct table_outcome *runtime = &outcome.tables[TABLE_RUNTIME];
    outcome.word = OUTCOME_PARTIAL;
    outcome.exit_status = 3;
    outcome.verdict = "1041 rows of the backup are there exactly, 1 with other contents (left as "
                      "they are), 1 are missing";
    outcome.before.runtime_asked = outcome.after.runtime_asked = true;
    outcome.before.runtime = outcome.after.runtime = &sample_runtime;
    runtime->asked = true;
    runtime->before_rows = 1;
    runtime->planned_rows = 16;
    runtime->restored_rows = 15;
    runtime->deleted_rows = -1;
    runtime->failed_rows = 1;
    runtime->differing_rows = 1;
    runtime->after_rows = 16;
    outcome.returns = returns;
    outcome.return_count = 1;
    outcome.lost = &lost;
    outcome.pace = &pace;
    return outcome;
}

/** The second part of a run whose COMMIT had got no answer. */
static inline struct outcome
sample_settled(void)
{
    struct outcome outcome = sample_done();
    outcome.command = "resume";
    outcome.resumed = true;
    outcome.settled = "committed";
    return outcome;
}

static inline struct outcome
sample_check(void)
{
    static const struct observation needs[] = {
        {"C-CONNECT", true, VERDICT_OK, "signed in as CONTOSO\\svc-dwclean, TLS 1.2", NULL, NULL,
         ERR_NONE},
        {"C-RIGHT-DELETE", true, VERDICT_DIFFERS,
         "the login may not delete from DUALWRITEPROJECTCONFIGURATION",
         "GRANT DELETE ON OBJECT::[dbo].[DUALWRITEPROJECTCONFIGURATION] TO "
         "[CONTOSO\\svc-dwclean];",
         NULL, ERR_NONE},
        {"C-SESSIONS", false, VERDICT_UNKNOWN, "sessions of others are not shown to this login",
         "GRANT VIEW DATABASE STATE TO [CONTOSO\\svc-dwclean];", NULL, ERR_PERMISSION}};
    struct outcome outcome = sample_residue();
    outcome.command = "check";
    outcome.word = OUTCOME_MISSING;
    outcome.verdict = "1 required need is missing, 0 are not known";
    outcome.before.observations = needs;
    outcome.before.observation_count = 3;
    outcome.next_count = 0;
    return outcome;
}

/** Every text that a server gives is an attack: escapes, quotes, line breaks, bytes that are no
 * UTF-8. */
static inline struct outcome
sample_hostile(void)
{
    static struct axdb_evidence axdb;
    static struct runtime_evidence runtime;
    static const struct host_count hosts[] = {{SAMPLE_HOSTILE, 1, false}};
    static const struct channel_family families[] = {{SAMPLE_HOSTILE, 1, false}};
    static const struct axdb_channel_count channels[] = {{SAMPLE_HOSTILE, 1, 2, 3, 4}};
    static const struct axdb_url_count urls[] = {{SAMPLE_HOSTILE, 0, 1}};
    static const struct runtime_row rows[] = {{SAMPLE_HOSTILE, SAMPLE_HOSTILE, SAMPLE_HOSTILE,
                                               SAMPLE_HOSTILE, SAMPLE_HOSTILE, SAMPLE_HOSTILE,
                                               SAMPLE_HOSTILE, false}};
    static const struct observation checks[] = {
        {"A-ROWS", true, VERDICT_DIFFERS, SAMPLE_HOSTILE, SAMPLE_HOSTILE, NULL, ERR_NONE}};
    static const char *const triggers[] = {SAMPLE_HOSTILE};
    struct outcome outcome = sample_partial();
    axdb = sample_axdb;
    axdb.identity.server_name = axdb.identity.login = axdb.identity.state = SAMPLE_HOSTILE;
    axdb.identity.restored_from_server = SAMPLE_HOSTILE;
    axdb.urls = urls;
    axdb.url_count = 1;
    axdb.channels = channels;
    axdb.channel_count = 1;
    axdb.tables[0].exists = true;
    axdb.tables[0].fault = SAMPLE_HOSTILE;
    axdb.tables[0].triggers = (struct named_list){.known = true, .names = triggers, .count = 1};
    runtime = sample_runtime;
    runtime.identity.unique_name = runtime.identity.friendly_name = SAMPLE_HOSTILE;
    runtime.identity.link_detail = SAMPLE_HOSTILE;
    runtime.rows = rows;
    outcome.before.axdb = &axdb;
    outcome.before.runtime = &runtime;
    outcome.before.hosts = hosts;
    outcome.before.host_count = 1;
    outcome.before.families = families;
    outcome.before.family_count = 1;
    outcome.before.observations = checks;
    outcome.before.observation_count = 1;
    outcome.written_after = rows;
    outcome.err.code = ERR_SERVER;
    (void)snprintf(outcome.err.primary, sizeof(outcome.err.primary), "%s", SAMPLE_HOSTILE);
    (void)snprintf(outcome.err.detail, sizeof(outcome.err.detail), "%s", SAMPLE_HOSTILE);
    static const struct map_row map_rows[] = {{SAMPLE_HOSTILE, SAMPLE_HOSTILE, -1, false, true}};
    outcome.map_rows = map_rows;
    outcome.map_row_count = 1;
    outcome.verdict = SAMPLE_HOSTILE;
    outcome.reason = SAMPLE_HOSTILE;
    outcome.scope = SAMPLE_HOSTILE;
    outcome.undoes = SAMPLE_HOSTILE;
    outcome.settled = SAMPLE_HOSTILE;
    return outcome;
}

#endif
