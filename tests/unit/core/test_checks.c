#include "core/evidence.h"
#include "fake_world.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { MEGABYTE = 1048576 };

/** What `check` says of a world, as "verdict: text" of its first observation that has `word`; ""
 * for none. */
static void
say(const struct outcome *outcome, const char *check, const char *word, char *ret, size_t size)
{
    static const char *const verdicts[] = {"ok", "differs", "unknown"};

    ret[0] = '\0';
    for (size_t i = 0; i < outcome->before.observation_count; i++) {
        const struct observation *seen = &outcome->before.observations[i];

        if (strcmp(seen->check, check) == 0 && strstr(seen->text, word)) {
            (void)snprintf(ret, size, "%s: %s", verdicts[seen->verdict], seen->text);
            return;
        }
    }
}

/** One world, one check, one expected sentence. */
struct check_case {
    void (*axdb)(struct axdb_evidence *evidence);
    void (*runtime)(struct runtime_evidence *evidence);
    const char *check, *word, *says;
};

static void
no_urls(struct axdb_evidence *evidence)
{
    evidence->urls_known = evidence->channels_known = false;
    evidence->url_count = evidence->channel_count = 0;
}

static void
in_the_way_of_undo(struct axdb_evidence *evidence)
{
    static const char *const names[] = {"CK_STATUS", "FK_PARTITION"};

    evidence->tables[TABLE_PROJECT].outgoing =
        (struct named_list){.known = true, .names = names, .count = 2};
}

static void
forced_durability(struct axdb_evidence *evidence)
{
    evidence->identity.delayed_durability = "FORCED";
}

static void
blank_urls(struct axdb_evidence *evidence)
{
    static const struct axdb_url_count urls[] = {{.url = "", .status = 1, .rows = 2}};

    evidence->urls = urls;
    evidence->url_count = 1;
}

static void
many_hosts(struct axdb_evidence *evidence)
{
    static const struct axdb_url_count urls[] = {
        {.url = "a.b", .rows = 1}, {.url = "c.d", .rows = 1}, {.url = "e.f", .rows = 1},
        {.url = "g.h", .rows = 1}, {.url = "i.j", .rows = 1}, {.url = "k.l", .rows = 1},
        {.url = "m.n", .rows = 1}, {.url = "o.p", .rows = 1}, {.url = "q.r", .rows = 1}};

    evidence->urls = urls;
    evidence->url_count = 9;
}

static void
own_urls(struct axdb_evidence *evidence)
{
    static const struct axdb_url_count urls[] = {
        {.url = "https://contoso-uat.crm4.dynamics.com", .rows = 2}};

    evidence->urls = urls;
    evidence->url_count = 1;
}

static void
orphans(struct axdb_evidence *evidence)
{
    evidence->projects_without_fields.rows = 1;
}

static void
orphans_unknown(struct axdb_evidence *evidence)
{
    evidence->fields_without_project.known = false;
    (void)err_set(&evidence->fields_without_project.why, ERR_LOCK, "lock request time out");
}

static void
no_rights(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_FIELD].may_delete = RIGHT_MISSING;
    evidence->tables[TABLE_FIELD].may_select = RIGHT_UNKNOWN;
}

static void
servers_run(struct axdb_evidence *evidence)
{
    evidence->other_sessions = 3;
    evidence->aos_sessions = 3;
}

static void
no_sessions(struct axdb_evidence *evidence)
{
    evidence->sessions_known = false;
    evidence->identity.restore_known = false;
}

static void
never_restored(struct axdb_evidence *evidence)
{
    evidence->identity.restored_at = "";
    evidence->identity.read_only = true;
}

static void
a_view(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].fault = "is a view";
}

static void
empty_replica(struct axdb_evidence *evidence)
{
    evidence->identity.replica = true;
    evidence->tables[TABLE_EVENTS].fresh.rows = 0;
}

static void
empty_with_policy(struct axdb_evidence *evidence)
{
    static const char *const names[] = {"RLS"};

    evidence->tables[TABLE_EVENTS].fresh.rows = 0;
    evidence->tables[TABLE_EVENTS].policies =
        (struct named_list){.known = true, .names = names, .count = 1};
}

static void
empty_unconfirmed(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].fresh.rows = 0;
    evidence->tables[TABLE_EVENTS].partitions.known = false;
    evidence->tables[TABLE_EVENTS].policies.known = false;
}

static void
no_projects(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_PROJECT].fresh.rows = 0;
}

static void
not_linked(struct runtime_evidence *evidence)
{
    evidence->identity.linked = false;
    evidence->identity.link_detail = "not linked";
}

static void
link_unknown(struct runtime_evidence *evidence)
{
    evidence->identity.link_known = false;
    evidence->identity.link_detail = "HTTP 500";
}

static const struct check_case cases[] = {
    {no_urls, NULL, "A-URL", "not read", "unknown: the URLs of the project rows were not read"},
    {in_the_way_of_undo, NULL, "A-UNDO", "CK_STATUS",
     "differs: DUALWRITEPROJECTCONFIGURATION: CK_STATUS and others may refuse rows of an undo"},
    {forced_durability, NULL, "A-UNDO", "FORCED",
     "differs: DELAYED_DURABILITY is FORCED: a COMMIT answers before it is on disk; the log is "
     "flushed after it"},
    {no_urls, NULL, "A-CHANNEL", "not read", "unknown: the event channels were not read"},
    {blank_urls, NULL, "A-URL", "no environment", "differs: 2 project rows name no environment"},
    {blank_urls, NULL, "A-STATUS", "2 not",
     "ok: 0 project rows enabled or queueing, 2 not; after a restore that is the source's state"},
    {many_hosts, NULL, "A-URL", "further", "differs: 1 further hosts"},
    {own_urls, NULL, "A-URL", "own",
     "differs: 2 project rows name contoso-uat.crm4.dynamics.com, the target's own organization"},
    {orphans, NULL, "A-PAIR", "1",
     "differs: 1 project row without field row, 0 field rows without project row"},
    {orphans_unknown, NULL, "A-PAIR", "", "unknown: project and field rows: lock request time out"},
    {no_rights, NULL, "A-PERM", "SELECT",
     "differs: DUALWRITEPROJECTFIELDCONFIGURATION: SELECT, DELETE missing"},
    {servers_run, NULL, "A-AOS", "3",
     "differs: 3 sessions that look like an application server, 0 others"},
    {no_sessions, NULL, "A-AOS", "",
     "unknown: other sessions were not checked: the login may not see them"},
    {no_sessions, NULL, "A-RESTORE", "history", "unknown: the restore history is not readable"},
    {never_restored, NULL, "A-RESTORE", "no restore", "ok: no restore on record"},
    {never_restored, NULL, "A-RESTORE", "read-only",
     "differs: database AxDB is ONLINE, MULTI_USER, read-only"},
    {a_view, NULL, "A-SCHEMA", "view", "unknown: dbo.BUSINESSEVENTSDEFINITION is a view"},
    {empty_replica, NULL, "A-ROWS", "replica",
     "unknown: BUSINESSEVENTSDEFINITION: 0 rows on a read-only replica, which may lag behind"},
    {empty_with_policy, NULL, "A-ROWS", "policy",
     "unknown: BUSINESSEVENTSDEFINITION: 0 rows, and a row-level security policy may hide some"},
    {empty_unconfirmed, NULL, "A-ROWS", "confirms",
     "unknown: BUSINESSEVENTSDEFINITION: 0 rows by COUNT, which nothing else confirms: neither "
     "partitions nor policies are visible"},
    {no_projects, NULL, "A-ROWS", "unknown owner",
     "unknown: BUSINESSEVENTSDEFINITION: 3 rows of unknown owner: dual-write has no project rows "
     "here"},
    {NULL, not_linked, "D-LINK", "",
     "ok: Dataverse reports no finance and operations link: not linked"},
    {NULL, link_unknown, "D-LINK", "",
     "unknown: the link to finance and operations is not known: HTTP 500"},
};

static void
every_state_has_its_sentence_and_verdict(void **state)
{
    const struct run_request request = fake_request();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct fake_world world;
        struct outcome outcome;
        char said[512];

        fake_world_init(&world);
        world.patch_axdb = cases[i].axdb;
        world.patch_runtime = cases[i].runtime;
        run_verify(&request, &world.ports, arena, &outcome);
        say(&outcome, cases[i].check, cases[i].word, said, sizeof said);
        assert_string_equal(said, cases[i].says);
    }
}

/** What A-ROWS says of the event rows when two of three channels' rows are asked for. */
static void
say_channel_rows(void (*patch)(struct axdb_evidence *evidence), size_t events, char *ret,
                 size_t size)
{
    static const char *const channels[] = {"DualWrite", "Gone"};
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    fake_world_init(&world);
    world.other_channel = "MyEventGrid";
    world.patch_axdb = patch;
    world.tables[TABLE_EVENTS].rows[0] = world.tables[TABLE_EVENTS].rows[2];
    world.tables[TABLE_EVENTS].count = events;
    request.channels = channels;
    request.channel_count = 2;
    run_verify(&request, &world.ports, arena, &outcome);
    say(&outcome, "A-ROWS", "BUSINESSEVENTSDEFINITION", ret, size);
}

static void
a_replica(struct axdb_evidence *evidence)
{
    evidence->identity.replica = true;
}

static void
a_policy(struct axdb_evidence *evidence)
{
    static const char *const names[] = {"RLS"};

    evidence->tables[TABLE_EVENTS].policies =
        (struct named_list){.known = true, .names = names, .count = 1};
}

/** A row of a kept channel came between the two counts. */
static void
channels_later(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].fresh.rows--;
}

static void
channels_unread(struct axdb_evidence *evidence)
{
    evidence->channels_known = false;
}

static void
rows_of_a_channel_are_gone_only_where_nothing_can_hide_them(void **state)
{
    static const struct {
        void (*patch)(struct axdb_evidence *evidence);
        size_t events; /* the first is of MyEventGrid, the second of DualWrite */
        const char *says;
    } channel_cases[] = {
        {NULL, 1,
         "ok: BUSINESSEVENTSDEFINITION: 0 rows of the channels named; 1 row of other "
         "channels kept"},
        {NULL, 2,
         "differs: BUSINESSEVENTSDEFINITION: 1 row of the channels named; 1 row of "
         "other channels kept"},
        {NULL, 0, "ok: BUSINESSEVENTSDEFINITION: 0 rows"},
        {a_replica, 1,
         "unknown: BUSINESSEVENTSDEFINITION: 0 rows of the channels named, but a "
         "read-only replica that lags behind may hide some"},
        {a_policy, 1,
         "unknown: BUSINESSEVENTSDEFINITION: 0 rows of the channels named, but a "
         "row-level security policy may hide some"},
        {a_policy, 2,
         "differs: BUSINESSEVENTSDEFINITION: 1 row of the channels named; 1 row of "
         "other channels kept"},
        {channels_later, 2,
         "unknown: BUSINESSEVENTSDEFINITION: 1 row in all, but 2 by channel: rows are being "
         "written"},
        {channels_later, 1,
         "unknown: BUSINESSEVENTSDEFINITION: 0 rows in all, but 1 by channel: rows are being "
         "written"},
        {channels_unread, 1,
         "unknown: BUSINESSEVENTSDEFINITION: the channels of its rows are not known"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof channel_cases / sizeof channel_cases[0]; i++) {
        char said[512];

        say_channel_rows(channel_cases[i].patch, channel_cases[i].events, said, sizeof said);
        assert_string_equal(said, channel_cases[i].says);
    }
}

static void
a_link_to_another_environment_differs(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;
    char said[512];

    (void)state;
    fake_world_init(&world);
    request.expect_fno_url = "https://other.operations.dynamics.com/";
    run_verify(&request, &world.ports, arena, &outcome);
    say(&outcome, "D-LINK", "", said, sizeof said);
    assert_non_null(strstr(said, "differs: Dataverse reports uat.operations.dynamics.com"));
    request.expect_fno_url = "uat.operations.dynamics.com";
    run_verify(&request, &world.ports, arena, &outcome);
    say(&outcome, "D-LINK", "", said, sizeof said);
    assert_non_null(strstr(said, "ok: "));
}

static void
pins_are_compared_in_verify_too(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;
    char said[512];

    (void)state;
    fake_world_init(&world);
    for (int i = 0; i < TABLES; i++)
        world.tables[i].count = 0;
    request.expect_org_name = "another";
    request.expect_dataverse_host = "https://contoso-uat.crm4.dynamics.com/";
    run_verify(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 2);
    say(&outcome, "D-ORG", "", said, sizeof said);
    assert_string_equal(said, "differs: organization name is org6459f7a8, expected another");
}

/* ---- after a relink ---- */

static void
dead_runtime(struct runtime_evidence *evidence)
{
    evidence->identity.host = "";
    evidence->identity.dialled_host = "";
}

/** What a verification after the relink comes to. */
struct link_case {
    const char *name;
    void (*axdb)(struct axdb_evidence *evidence);
    void (*runtime)(struct runtime_evidence *evidence);
    const char *fno_url; /* the pin */
    int status;
    const char *check, *word, *says;
};

static const struct link_case link_cases[] = {
    {"a link that works", own_urls, NULL, "uat.operations.dynamics.com", 0, "A-URL", "",
     "ok: 2 project rows name contoso-uat.crm4.dynamics.com, the target's own organization"},
    {"rows are normal", own_urls, NULL, "uat.operations.dynamics.com", 0, "D-ROWS", "",
     "ok: Dual Write Runtime Configurations: 2 rows, created 2026-01-01T00:00:00Z"},
    {"another organization", NULL, NULL, "uat.operations.dynamics.com", 2, "A-URL", "still", NULL},
    {"a blank URL", blank_urls, NULL, "uat.operations.dynamics.com", 2, "A-URL", "",
     "differs: 2 project rows name no environment"},
    {"own host not known", own_urls, dead_runtime, "uat.operations.dynamics.com", 14, "A-URL",
     "not known", NULL},
    {"URLs not read", no_urls, NULL, "uat.operations.dynamics.com", 14, "A-URL", "not read", NULL},
    {"an orphan", orphans, NULL, "uat.operations.dynamics.com", 2, "A-PAIR", "1", NULL},
    {"the wrong link", own_urls, NULL, "other.operations.dynamics.com", 2, "D-LINK", "reports",
     NULL},
    {"nobody said which link", own_urls, NULL, NULL, 14, "D-LINK", "is meant is not known", NULL},
    {"no link", own_urls, not_linked, "uat.operations.dynamics.com", 2, "D-LINK", "not linked",
     NULL},
    {"link not readable", own_urls, link_unknown, "uat.operations.dynamics.com", 14, "D-LINK",
     "HTTP 500", NULL},
    {"events without projects are nobody's business", no_projects, NULL,
     "uat.operations.dynamics.com", 2, "A-ROWS", "BUSINESSEVENTSDEFINITION",
     "ok: BUSINESSEVENTSDEFINITION: 3 rows"},
};

static void
after_a_relink_rows_are_normal_and_what_they_name_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof link_cases / sizeof link_cases[0]; i++) {
        const struct link_case *at = &link_cases[i];
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;
        char said[512];

        fake_world_init(&world);
        world.patch_axdb = at->axdb;
        world.patch_runtime = at->runtime;
        request.expect = EXPECT_POST_RELINK;
        request.expect_fno_url = at->fno_url;
        run_verify(&request, &world.ports, arena, &outcome);
        say(&outcome, at->check, at->word, said, sizeof said);
        if (outcome.exit_status != at->status || (at->says && strcmp(said, at->says) != 0))
            print_error("%s: %d, %s, %s\n", at->name, outcome.exit_status, said, outcome.verdict);
        assert_int_equal(outcome.exit_status, at->status);
        assert_string_not_equal(said, "");
        if (at->says)
            assert_string_equal(said, at->says);
        assert_null(strstr(outcome.verdict, "no dual-write"));
    }
}

static void
rows_older_than_the_copy_are_counted_when_its_time_is_known(void **state)
{
    static const struct {
        const char *restored_at, *says;
    } times[] = {
        {"2026-01-01", "ok: rows older than the copy (2026-01-01): 0 of 2"},
        {"2026-01-01T00:00:01", "differs: rows older than the copy (2026-01-01T00:00:01): 2 of 2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;
        char said[512];

        fake_world_init(&world);
        world.patch_axdb = own_urls;
        request.expect = EXPECT_POST_RELINK;
        request.expect_fno_url = "uat.operations.dynamics.com";
        request.restored_at = times[i].restored_at;
        run_verify(&request, &world.ports, arena, &outcome);
        say(&outcome, "D-ROWS", "older", said, sizeof said);
        assert_string_equal(said, times[i].says);
        assert_int_equal(outcome.exit_status, 0); /* advisory */
    }
}

static void
what_is_not_known_stands_beside_what_was_found(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.patch_axdb = a_view;
    run_verify(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 2);
    assert_non_null(strstr(outcome.verdict, "; not known: dbo.BUSINESSEVENTSDEFINITION is a view"));
    world.patch_axdb = NULL;
    run_verify(&request, &world.ports, arena, &outcome);
    assert_null(strstr(outcome.verdict, "not known"));
}

/* ---- after a relink ---- */

static void
lose_a_table(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].exists = false;
    evidence->tables[TABLE_FIELD].fresh = (struct counted){0};
    (void)err_set(&evidence->tables[TABLE_FIELD].fresh.why, ERR_LOCK, "somebody holds it");
}

static void
after_a_relink_rows_must_be_readable_and_no_more(void **state)
{
    static const struct {
        void (*axdb)(struct axdb_evidence *evidence);
        bool no_projects, dataverse_alone;
        const char *check, *word, *says;
    } after[] = {
        {.check = "A-ROWS", .word = "PROJECTCONF", .says = "ok: DUALWRITEPROJECTCONFIGURATION: 2"},
        {.no_projects = true,
         .check = "A-ROWS",
         .word = "PROJECTCONF",
         .says = "ok: DUALWRITEPROJECTCONFIGURATION: 0 rows"},
        {.axdb = lose_a_table, .check = "A-ROWS", .word = "FIELD", .says = "unknown: "},
        {.axdb = lose_a_table, .check = "A-ROWS", .word = "BUSINESSEVENTS", .says = ""},
        {.dataverse_alone = true, .check = "D-ROWS", .word = "", .says = "ok: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;
        char said[512];

        fake_world_init(&world);
        world.patch_axdb = after[i].axdb;
        if (after[i].no_projects)
            world.tables[TABLE_PROJECT].count = 0;
        request.expect = EXPECT_POST_RELINK;
        request.axdb = !after[i].dataverse_alone;
        request.expect_fno_url = "https://uat.operations.dynamics.com";
        run_verify(&request, &world.ports, arena, &outcome);
        say(&outcome, after[i].check, after[i].word, said, sizeof said);
        if (strncmp(said, after[i].says, strlen(after[i].says)) != 0 ||
            (after[i].says[0] == '\0' && said[0]))
            fail_msg("case %zu: %s", i, said);
        if (after[i].dataverse_alone)
            assert_string_equal(outcome.verdict,
                                "after the relink: every required check of Dataverse is ok");
    }
}

static void
a_channel_that_is_named_nearly_is_not_known_to_be_clean(void **state)
{
    static const char *const channels[] = {"dualwrite"};
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;
    char said[512];

    (void)state;
    fake_world_init(&world);
    request.channels = channels;
    request.channel_count = 1;
    run_verify(&request, &world.ports, arena, &outcome);
    say(&outcome, "A-ROWS", "in case or blanks only", said, sizeof said);
    assert_int_equal(strncmp(said, "unknown: ", 9), 0);
    assert_int_not_equal(outcome.exit_status, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_has_its_sentence_and_verdict),
        cmocka_unit_test(rows_of_a_channel_are_gone_only_where_nothing_can_hide_them),
        cmocka_unit_test(a_link_to_another_environment_differs),
        cmocka_unit_test(pins_are_compared_in_verify_too),
        cmocka_unit_test(what_is_not_known_stands_beside_what_was_found),
        cmocka_unit_test(after_a_relink_rows_are_normal_and_what_they_name_counts),
        cmocka_unit_test(rows_older_than_the_copy_are_counted_when_its_time_is_known),
        cmocka_unit_test(after_a_relink_rows_must_be_readable_and_no_more),
        cmocka_unit_test(a_channel_that_is_named_nearly_is_not_known_to_be_clean),
    };

    return cmocka_run_group_tests_name("core/checks", tests, NULL, NULL);
}
