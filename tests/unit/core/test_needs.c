#include "check_world.h"

enum { MEGABYTE = 1048576 };

static void
no_select(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_FIELD].may_select = RIGHT_MISSING;
    evidence->tables[TABLE_FIELD].fresh.known = false;
}

static void
no_delete(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].may_delete = RIGHT_MISSING;
}

static void
no_right_at_all(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].may_delete = RIGHT_MISSING;
    evidence->tables[TABLE_EVENTS].may_select = RIGHT_UNKNOWN;
}

static void
delete_unknown(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].may_delete = RIGHT_UNKNOWN;
}

static void
no_insert(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_PROJECT].may_insert = RIGHT_MISSING;
}

static void
identity_column(struct axdb_evidence *evidence)
{
    static const struct column columns[] = {{.name = "PARTITION", .type_name = "bigint"},
                                            {.name = "RECID", .type_name = "bigint"},
                                            {.name = "ID", .type_name = "int", .identity = true}};
    struct axdb_table_evidence *table = &evidence->tables[TABLE_PROJECT];

    table->schema.columns = columns;
    table->schema.count = 3;
    table->may_alter = RIGHT_MISSING;
}

static void
identity_column_that_may_be_filled(struct axdb_evidence *evidence)
{
    identity_column(evidence);
    evidence->tables[TABLE_PROJECT].may_alter = RIGHT_HELD;
}

static void
no_index(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].schema.unique_key = false;
}

static void
table_gone(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS] = (struct axdb_table_evidence){0};
}

static void
a_view(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS] = (struct axdb_table_evidence){.fault = "is a view"};
}

static void
odd_column(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].fault = "column FOO has type xml";
}

static void
masked_column(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].fault = "column FOO is masked or encrypted for this login";
}

static void
locked_table(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].fresh.known = false;
    (void)err_set(&evidence->tables[TABLE_EVENTS].fresh.why, ERR_LOCK, "lock request time out");
    (void)err_hint(&evidence->tables[TABLE_EVENTS].fresh.why, "Another session holds locks.");
}

static void
restoring(struct axdb_evidence *evidence)
{
    evidence->identity.state = "RESTORING";
}

static void
offline(struct axdb_evidence *evidence)
{
    evidence->identity.state = "SUSPECT";
}

static void
single_user(struct axdb_evidence *evidence)
{
    evidence->identity.user_access = "SINGLE_USER";
}

static void
read_only(struct axdb_evidence *evidence)
{
    evidence->identity.read_only = true;
}

static void
replica(struct axdb_evidence *evidence)
{
    evidence->identity.replica = true;
}

static void
no_state(struct axdb_evidence *evidence)
{
    evidence->identity.state = "";
}

static const char *const trigger_names[] = {"TR_O'Brien's", "TR_2"};
static const char *const key_names[] = {"FK_'1"};
static const char *const policy_names[] = {"RLS"};

static void
triggers(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_PROJECT].triggers =
        (struct named_list){.known = true, .names = trigger_names, .count = 2};
}

static void
foreign_key(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_PROJECT].foreign_keys =
        (struct named_list){.known = true, .names = key_names, .count = 1};
}

static void
policy(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_PROJECT].policies =
        (struct named_list){.known = true, .names = policy_names, .count = 1};
}

static void
blind(struct axdb_evidence *evidence)
{
    for (int i = 0; i < AXDB_TABLES; i++)
        evidence->tables[i].triggers.known = evidence->tables[i].foreign_keys.known =
            evidence->tables[i].policies.known = false;
}

static void
in_clear(struct axdb_evidence *evidence)
{
    evidence->identity.encryption = "none";
}

static void
trusting(struct axdb_evidence *evidence)
{
    evidence->identity.encryption = "TLS, certificate not checked";
}

static void
no_sessions(struct axdb_evidence *evidence)
{
    evidence->sessions_known = false;
}

static void
application_server(struct axdb_evidence *evidence)
{
    evidence->aos_sessions = 2;
    evidence->other_sessions = 5;
}

static void
no_lock(struct axdb_evidence *evidence)
{
    evidence->may_applock = RIGHT_MISSING;
}

static void
lock_unknown(struct axdb_evidence *evidence)
{
    evidence->may_applock = RIGHT_UNKNOWN;
}

static void
no_history(struct axdb_evidence *evidence)
{
    evidence->identity.restore_known = false;
}

static void
never_restored(struct axdb_evidence *evidence)
{
    evidence->identity.restored_at = "";
}

static void
snapshot(struct axdb_evidence *evidence)
{
    evidence->identity.read_committed_snapshot = true;
}

static void
read_own_only(struct runtime_evidence *evidence)
{
    evidence->identity.may_read_all = RIGHT_MISSING;
}

static void
read_unknown(struct runtime_evidence *evidence)
{
    evidence->identity.may_read_all = RIGHT_UNKNOWN;
}

static void
no_purge(struct runtime_evidence *evidence)
{
    evidence->identity.may_delete = RIGHT_MISSING;
}

static void
purge_unknown(struct runtime_evidence *evidence)
{
    evidence->identity.may_delete = RIGHT_UNKNOWN;
}

static void
no_create(struct runtime_evidence *evidence)
{
    evidence->identity.may_create = RIGHT_MISSING;
}

static void
create_unknown(struct runtime_evidence *evidence)
{
    evidence->identity.may_create = RIGHT_UNKNOWN;
}

static void
no_concurrency(struct runtime_evidence *evidence)
{
    evidence->identity.optimistic_concurrency = false;
}

static void
no_etags(struct runtime_evidence *evidence)
{
    evidence->rows_without_etag = 1;
}

static void
nameless(struct runtime_evidence *evidence)
{
    evidence->identity.unique_name = "";
}

static void
no_own_host(struct runtime_evidence *evidence)
{
    evidence->identity.host = "";
}

/** One world, one need, what is said of it, and what a DBA can do. */
struct need_case {
    void (*axdb)(struct axdb_evidence *evidence);
    void (*runtime)(struct runtime_evidence *evidence);
    const char *check, *word, *says;
    const char *hint; /* a part of it; NULL = there is none */
    int status;
};

static const struct need_case cases[] = {
    {NULL, NULL, "C-CONNECT", "",
     "required ok: sql01,1433 answers, calls itself SQL01, version 13.0", NULL, 0},
    {NULL, NULL, "C-TLS", "", "advisory ok: TLS", NULL, 0},
    {in_clear, NULL, "C-TLS", "", "advisory missing: the connection is not encrypted",
     "-N mandatory", 0},
    {trusting, NULL, "C-TLS", "",
     "advisory missing: TLS, certificate not checked: anybody in between could read it",
     "Leave -C out", 0},
    {NULL, NULL, "C-LOGIN", "", "required ok: login dwclean", NULL, 0},
    {NULL, NULL, "C-DB", "", "required ok: database AxDB", NULL, 0},
    {NULL, NULL, "C-RESTORE", "",
     "advisory ok: restored 2026-11-20T10:00:00, the server's local time", NULL, 0},
    {never_restored, NULL, "C-RESTORE", "", "advisory ok: no restore on record", NULL, 0},
    {no_history, NULL, "C-RESTORE", "", "advisory unknown: the restore history is not readable",
     "USE msdb; CREATE USER [dwclean] FOR LOGIN [dwclean]; GRANT SELECT ON dbo.restorehistory TO "
     "[dwclean]; GRANT SELECT ON dbo.backupset TO [dwclean];",
     0},
    {NULL, NULL, "C-STATE", "",
     "required ok: database AxDB is ONLINE, MULTI_USER, writable, primary", NULL, 0},
    {restoring, NULL, "C-STATE", "",
     "required missing: database AxDB is RESTORING, MULTI_USER, writable, primary",
     "RESTORE DATABASE [AxDB] WITH RECOVERY;", 2},
    {offline, NULL, "C-STATE", "SUSPECT",
     "required missing: database AxDB is SUSPECT, MULTI_USER, writable, primary",
     "ALTER DATABASE [AxDB] SET ONLINE;", 2},
    {single_user, NULL, "C-STATE", "",
     "required missing: database AxDB is ONLINE, SINGLE_USER, writable, primary",
     "ALTER DATABASE [AxDB] SET MULTI_USER;", 2},
    {read_only, NULL, "C-STATE", "",
     "required missing: database AxDB is ONLINE, MULTI_USER, read-only",
     "ALTER DATABASE [AxDB] SET READ_WRITE;", 2},
    {replica, NULL, "C-STATE", "",
     "required missing: database AxDB is ONLINE, MULTI_USER, a read-only replica",
     "connect to the primary", 2},
    {no_state, NULL, "C-STATE", "",
     "required unknown: the server does not say in what state the database is", NULL, 14},
    {identity_column, NULL, "C-TABLE", "PROJECTCONF",
     "required ok: dbo.DUALWRITEPROJECTCONFIGURATION: base table with PARTITION and RECID, all 3 "
     "columns come back exactly",
     NULL, 0},
    {table_gone, NULL, "C-TABLE", "BUSINESS",
     "required missing: dbo.BUSINESSEVENTSDEFINITION is missing, or the login may not see it",
     "GRANT SELECT, DELETE ON dbo.BUSINESSEVENTSDEFINITION TO [dwclean];", 2},
    {a_view, NULL, "C-TABLE", "BUSINESS",
     "required missing: dbo.BUSINESSEVENTSDEFINITION is a view", "put back exactly", 2},
    {odd_column, NULL, "C-TABLE", "FOO",
     "required missing: dbo.BUSINESSEVENTSDEFINITION column FOO has type xml", "put back exactly",
     2},
    {masked_column, NULL, "C-TABLE", "FOO",
     "required missing: dbo.BUSINESSEVENTSDEFINITION column FOO is masked or encrypted for this "
     "login",
     "GRANT UNMASK TO [dwclean];", 2},
    {NULL, NULL, "C-COUNT", "BUSINESS", "required ok: dbo.BUSINESSEVENTSDEFINITION: 3 rows counted",
     NULL, 0},
    {locked_table, NULL, "C-COUNT", "BUSINESS",
     "required unknown: BUSINESSEVENTSDEFINITION: lock request time out",
     "Another session holds locks.", 11},
    {no_select, NULL, "C-COUNT", "FIELD", "nothing", NULL, 2},
    {NULL, NULL, "C-RIGHTS", "BUSINESS",
     "required ok: dbo.BUSINESSEVENTSDEFINITION: SELECT, DELETE held", NULL, 0},
    {no_select, NULL, "C-RIGHTS", "FIELD",
     "required missing: dbo.DUALWRITEPROJECTFIELDCONFIGURATION: SELECT missing",
     "GRANT SELECT ON dbo.DUALWRITEPROJECTFIELDCONFIGURATION TO [dwclean];", 2},
    {no_delete, NULL, "C-RIGHTS", "BUSINESS",
     "required missing: dbo.BUSINESSEVENTSDEFINITION: DELETE missing",
     "GRANT DELETE ON dbo.BUSINESSEVENTSDEFINITION TO [dwclean];", 2},
    {no_right_at_all, NULL, "C-RIGHTS", "BUSINESS",
     "required missing: dbo.BUSINESSEVENTSDEFINITION: DELETE missing, SELECT not known",
     "GRANT DELETE, SELECT ON dbo.BUSINESSEVENTSDEFINITION TO [dwclean];", 2},
    {delete_unknown, NULL, "C-RIGHTS", "BUSINESS",
     "required unknown: dbo.BUSINESSEVENTSDEFINITION: DELETE not known",
     "GRANT DELETE ON dbo.BUSINESSEVENTSDEFINITION TO [dwclean];", 12},
    {NULL, NULL, "C-UNDO", "PROJECTCONF",
     "advisory ok: dbo.DUALWRITEPROJECTCONFIGURATION: INSERT held", NULL, 0},
    {no_insert, NULL, "C-UNDO", "PROJECTCONF",
     "advisory missing: dbo.DUALWRITEPROJECTCONFIGURATION: INSERT missing",
     "GRANT INSERT ON dbo.DUALWRITEPROJECTCONFIGURATION TO [dwclean]; (for undo)", 0},
    {identity_column, NULL, "C-UNDO", "PROJECTCONF",
     "advisory missing: dbo.DUALWRITEPROJECTCONFIGURATION: ALTER missing",
     "GRANT ALTER ON dbo.DUALWRITEPROJECTCONFIGURATION TO [dwclean]; (for undo)", 0},
    {identity_column_that_may_be_filled, NULL, "C-UNDO", "PROJECTCONF",
     "advisory ok: dbo.DUALWRITEPROJECTCONFIGURATION: INSERT, ALTER held", NULL, 0},
    {no_index, NULL, "C-KEY", "BUSINESS",
     "advisory missing: dbo.BUSINESSEVENTSDEFINITION: no unique index on PARTITION, RECID",
     "CREATE UNIQUE INDEX dwclean_key ON dbo.BUSINESSEVENTSDEFINITION ([PARTITION], [RECID]);", 0},
    {NULL, NULL, "C-EFFECT", "PROJECTCONF",
     "required ok: dbo.DUALWRITEPROJECTCONFIGURATION: no trigger, foreign key or row-level "
     "security policy",
     NULL, 0},
    {triggers, NULL, "C-EFFECT", "PROJECTCONF",
     "required missing: dbo.DUALWRITEPROJECTCONFIGURATION has trigger TR_O'Brien's and "
     "1 more",
     "OBJECT_ID(N'dbo.' + QUOTENAME(N'TR_O''Brien''s'))", 2},
    {foreign_key, NULL, "C-EFFECT", "PROJECTCONF",
     "required missing: dbo.DUALWRITEPROJECTCONFIGURATION has foreign key FK_'1",
     "FROM sys.foreign_keys WHERE name = N'FK_''1';", 2},
    {policy, NULL, "C-EFFECT", "PROJECTCONF",
     "required missing: dbo.DUALWRITEPROJECTCONFIGURATION has row-level security policy RLS",
     "FROM sys.security_policies WHERE name = N'RLS';", 2},
    {blind, NULL, "C-EFFECT", "", "nothing", NULL, 2},
    {blind, NULL, "C-VIEWDEF", "",
     "required missing: no VIEW DEFINITION on the database: triggers, foreign keys and policies "
     "may be hidden",
     "In database [AxDB]: GRANT VIEW DEFINITION TO [dwclean];", 2},
    {no_sessions, NULL, "C-AOS", "",
     "advisory unknown: other sessions may be hidden: whether an application server runs is not "
     "known",
     "USE master; GRANT VIEW SERVER STATE TO [dwclean]; Azure SQL Database, in database [AxDB]: "
     "GRANT VIEW DATABASE STATE TO [dwclean];",
     0},
    {application_server, NULL, "C-AOS", "",
     "advisory missing: 5 other sessions; looking like an application server: 2", "restart it", 0},
    {NULL, NULL, "C-APPLOCK", "", "advisory ok: EXECUTE on sp_getapplock held", NULL, 0},
    {no_lock, NULL, "C-APPLOCK", "",
     "advisory missing: EXECUTE on sp_getapplock missing: runs from two machines would not see "
     "each other",
     "GRANT EXECUTE ON sys.sp_getapplock TO public;", 0},
    {lock_unknown, NULL, "C-APPLOCK", "not known",
     "advisory unknown: EXECUTE on sp_getapplock not known: runs from two machines would not see "
     "each other",
     "GRANT EXECUTE ON sys.sp_getapplock TO public;", 0},
    {snapshot, NULL, "C-RCSI", "",
     "advisory ok: READ_COMMITTED_SNAPSHOT is on: readers do not wait for the locks of a run", NULL,
     0},
    {NULL, NULL, "C-HOST", "",
     "required ok: the target's own organization is contoso-uat.crm4.dynamics.com, according to "
     "Dataverse",
     NULL, 0},
    {NULL, no_own_host, "C-HOST", "",
     "required missing: the target's own organization is not known: rows cannot be told from a "
     "working link",
     "--expect-dataverse-host HOST", 2},
    {NULL, NULL, "C-SIGNIN", "", "required ok: signed in to localhost as application user 22222222",
     NULL, 0},
    {NULL, NULL, "C-ORG", "",
     "required ok: organization org6459f7a8 (11111111-0000) at contoso-uat.crm4.dynamics.com", NULL,
     0},
    {NULL, nameless, "C-ORG", "",
     "required unknown: the service does not say which organization it is", "--dataverse-url", 4},
    {NULL, NULL, "C-ENTITY", "",
     "required ok: table msdyn_dualwriteruntimeconfigs, key msdyn_dualwriteruntimeconfigid, 2 rows",
     NULL, 0},
    {NULL, NULL, "C-READALL", "",
     "required ok: prvReadmsdyn_dualwriteruntimeconfig held, for the whole organization", NULL, 0},
    {NULL, read_own_only, "C-READALL", "",
     "required missing: prvReadmsdyn_dualwriteruntimeconfig for the whole organization missing",
     "privilege Read, level Organization", 2},
    {NULL, read_unknown, "C-READALL", "",
     "advisory unknown: prvReadmsdyn_dualwriteruntimeconfig for the whole organization not known",
     "privilege Read, level Organization", 0},
    {NULL, no_purge, "C-DELETE", "",
     "required missing: prvDeletemsdyn_dualwriteruntimeconfig for the whole organization missing",
     "application user 22222222: table Dual Write Runtime Configuration, privilege Delete", 2},
    {NULL, purge_unknown, "C-DELETE", "",
     "advisory unknown: prvDeletemsdyn_dualwriteruntimeconfig for the whole organization not known",
     "privilege Delete", 0},
    {NULL, NULL, "C-CREATE", "", "advisory ok: prvCreatemsdyn_dualwriteruntimeconfig held", NULL,
     0},
    {NULL, no_create, "C-CREATE", "",
     "advisory missing: prvCreatemsdyn_dualwriteruntimeconfig missing: undo could not put rows back",
     "application user 22222222: table Dual Write Runtime Configuration, privilege Create", 0},
    {NULL, create_unknown, "C-CREATE", "",
     "advisory unknown: prvCreatemsdyn_dualwriteruntimeconfig not known: undo could not put rows "
     "back",
     "privilege Create", 0},
    {NULL, no_concurrency, "C-VERSION", "",
     "required missing: the service does not check row versions of this table "
     "(IsOptimisticConcurrencyEnabled is false)",
     "Reset link", 2},
    {NULL, no_etags, "C-VERSION", "", "required missing: 1 runtime configurations have no version",
     "Reset link", 2},
    {NULL, NULL, "C-RUNS", "",
     "required ok: runs directory /var/lib/dwclean/runs: writable, it lasts, 4768 MB free, 16 MB "
     "expected",
     NULL, 0},
};

static void
every_need_has_its_sentence_its_verdict_and_its_remedy(void **state)
{
    const struct run_request request = fake_request();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct fake_world world;
        const struct observation *seen;
        struct outcome outcome;
        char said[512];

        world_init(&world);
        world.patch_axdb = cases[i].axdb;
        world.patch_runtime = cases[i].runtime;
        outcome = checked(&world, &request, arena);
        seen = seen_by(&outcome, cases[i].check, cases[i].word);
        say(seen, said, sizeof said);
        assert_string_equal(said, cases[i].says);
        assert_int_equal(outcome.exit_status, cases[i].status);
        assert_int_equal(outcome.word == OUTCOME_READY, cases[i].status == 0);
        assert_int_equal(outcome.word == OUTCOME_MISSING, cases[i].status == 2);
        if (cases[i].hint && !strstr(seen->hint ? seen->hint : "", cases[i].hint))
            fail_msg("%s: hint is \"%s\"", said, seen->hint ? seen->hint : "");
        if (!cases[i].hint && seen)
            assert_null(seen->hint);
    }
}

static void
what_clean_refuses_is_never_called_ready(void **state)
{
    const struct run_request request = fake_request();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request clean = request;
        struct fake_world world;
        struct outcome outcome;

        world_init(&world);
        world.patch_axdb = cases[i].axdb;
        world.patch_runtime = cases[i].runtime;
        clean.dry_run = true;
        run_clean(&clean, &world.ports, arena, &outcome);
        if (outcome.exit_status == 0 || cases[i].status != 0)
            continue;
        fail_msg("%s: ready, but clean says: %s", cases[i].says, outcome.verdict);
    }
}

static void
only_what_clean_refuses_is_required(void **state)
{
    const struct run_request request = fake_request();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request clean = request;
        struct fake_world world;
        struct outcome outcome;

        /* clean goes as far as the last look, and cannot prove what it then sees */
        if (cases[i].runtime == read_own_only)
            continue;
        world_init(&world);
        world.patch_axdb = cases[i].axdb;
        world.patch_runtime = cases[i].runtime;
        clean.dry_run = true;
        run_clean(&clean, &world.ports, arena, &outcome);
        if (cases[i].status == 0 || outcome.exit_status != 0)
            continue;
        fail_msg("%s: required, but clean goes on", cases[i].says);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_need_has_its_sentence_its_verdict_and_its_remedy),
        cmocka_unit_test(what_clean_refuses_is_never_called_ready),
        cmocka_unit_test(only_what_clean_refuses_is_required),
    };

    return cmocka_run_group_tests_name("core/needs", tests, NULL, NULL);
}
