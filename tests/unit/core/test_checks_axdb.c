/* What the checks say of worlds that are rare: one sentence each. */
#include "core/run.h"
#include "fake_world.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { MEGABYTE = 1048576, LINE_BYTES = 512 };

/** A world, a request, and what one check says there. */
struct rare_case {
    void (*axdb)(struct axdb_evidence *evidence);
    void (*runtime)(struct runtime_evidence *evidence);
    void (*ask)(struct run_request *request);
    const char *check, *word, *says;
};

static void
both_orphans_unknown(struct axdb_evidence *evidence)
{
    evidence->projects_without_fields.known = false;
    (void)err_set(&evidence->projects_without_fields.why, ERR_LOCK, "deadlock victim");
}

static void
one_in_the_way_of_undo(struct axdb_evidence *evidence)
{
    static const char *const names[] = {"CK_STATUS"};

    evidence->tables[TABLE_PROJECT].outgoing =
        (struct named_list){.known = true, .names = names, .count = 1};
    evidence->identity.delayed_durability = "ALLOWED";
}

static void
one_server_runs(struct axdb_evidence *evidence)
{
    evidence->other_sessions = 3;
    evidence->aos_sessions = 1;
}

static void
policies_confirm_zero(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_FIELD].fresh.rows = 0;
    evidence->tables[TABLE_FIELD].partitions.known = false;
}

static void
partitions_confirm_zero(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_FIELD].fresh.rows = 0;
    evidence->tables[TABLE_FIELD].partitions.rows = 0;
    evidence->tables[TABLE_FIELD].policies.known = false;
}

static void
ten_channels(struct axdb_evidence *evidence)
{
    static const struct axdb_channel_count channels[] = {
        {.channel = "Aa", .rows = 1}, {.channel = "Bb", .rows = 1}, {.channel = "Cc", .rows = 1},
        {.channel = "Dd", .rows = 1}, {.channel = "Ee", .rows = 1}, {.channel = "Ff", .rows = 1},
        {.channel = "Gg", .rows = 1}, {.channel = "Hh", .rows = 1}, {.channel = "Ii", .rows = 1},
        {.channel = "Jj", .rows = 1}};

    evidence->channels = channels;
    evidence->channel_count = 10;
    evidence->tables[TABLE_EVENTS].fresh.rows = 10;
}

static void
no_events_at_all(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].fresh.rows = evidence->tables[TABLE_EVENTS].partitions.rows = 0;
    evidence->channel_count = 0;
}

static void
events_unread(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].fresh.known = false;
    (void)err_set(&evidence->tables[TABLE_EVENTS].fresh.why, ERR_LOCK, "lock request time out");
}

static void
no_events_table(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS] = (struct axdb_table_evidence){0};
}

static void
hidden_policies(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].policies.known = false;
}

static void
hidden_policies_and_partitions(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].policies.known = false;
    evidence->tables[TABLE_EVENTS].partitions.known = false;
}

static void
hidden_policies_and_rows(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].policies.known = false;
    evidence->tables[TABLE_EVENTS].partitions.rows++;
}

static void
channels_unread(struct axdb_evidence *evidence)
{
    evidence->channels_known = false;
    evidence->channel_count = 0;
}

static void
projects_unread(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_PROJECT].fresh.known = false;
    (void)err_set(&evidence->tables[TABLE_PROJECT].fresh.why, ERR_LOCK, "deadlock victim");
}

static void
no_projects(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_PROJECT].fresh.rows = evidence->tables[TABLE_FIELD].fresh.rows = 0;
}

static void
nameless(struct runtime_evidence *evidence)
{
    evidence->identity.unique_name = "";
}

static void
aged(struct runtime_evidence *evidence)
{
    evidence->first_created = "2025-01-01T00:00:00Z";
    evidence->last_created = "2026-01-01T00:00:00Z";
}

static void
ageless(struct runtime_evidence *evidence)
{
    evidence->first_created = evidence->last_created = "";
}

static void
one_of_many(struct runtime_evidence *evidence)
{
    static const struct runtime_row rows[] = {{.created_on = "2025-01-01T00:00:00Z"},
                                              {.created_on = "2026-06-01T00:00:00Z"}};

    evidence->rows = rows;
    evidence->kept_count = 2;
    evidence->row_count = 300;
}

static void
no_rows(struct runtime_evidence *evidence)
{
    evidence->row_count = evidence->kept_count = 0;
}

static void
ask_for_a_channel(struct run_request *request)
{
    static const char *const channels[] = {"Gone"};

    request->channels = channels;
    request->channel_count = 1;
}

static void
ask_for_ten_channels(struct run_request *request)
{
    static const char *const channels[] = {"1a", "2a", "3a", "4a", "5a",
                                           "6a", "7a", "8a", "9a", "10a"};

    request->channels = channels;
    request->channel_count = 10;
}

static void
ask_after_the_relink(struct run_request *request)
{
    request->expect = EXPECT_POST_RELINK;
}

static void
ask_for_an_organization(struct run_request *request)
{
    request->expect_org_name = "org6459f7a8";
}

static void
ask_since_2026(struct run_request *request)
{
    request->restored_at = "2026-01-02";
}

static void
ask_since_some_day(struct run_request *request)
{
    request->restored_at = "some day";
}

static const struct rare_case cases[] = {
    {both_orphans_unknown, NULL, NULL, "A-PAIR", "",
     "unknown: project and field rows: deadlock victim"},
    {one_in_the_way_of_undo, NULL, NULL, "A-UNDO", "",
     "differs: DUALWRITEPROJECTCONFIGURATION: CK_STATUS may refuse rows of an undo"},
    {one_server_runs, NULL, NULL, "A-AOS", "",
     "differs: 1 session that looks like an application server, 2 others"},
    {policies_confirm_zero, NULL, NULL, "A-ROWS", "FIELD",
     "ok: DUALWRITEPROJECTFIELDCONFIGURATION: 0 rows"},
    {partitions_confirm_zero, NULL, NULL, "A-ROWS", "FIELD",
     "ok: DUALWRITEPROJECTFIELDCONFIGURATION: 0 rows"},
    {ten_channels, NULL, NULL, "A-CHANNEL", "Hh", "differs: 1 event row of channel family \"Hh\""},
    {ten_channels, NULL, NULL, "A-CHANNEL", "Ii", ""},
    {no_events_at_all, NULL, ask_for_a_channel, "A-ROWS", "EVENTS",
     "ok: BUSINESSEVENTSDEFINITION: 0 rows"},
    {events_unread, NULL, ask_for_a_channel, "A-ROWS", "EVENTS",
     "unknown: BUSINESSEVENTSDEFINITION: lock request time out"},
    {no_events_table, NULL, ask_for_a_channel, "A-ROWS", "EVENTS", ""},
    {hidden_policies, NULL, ask_for_a_channel, "A-ROWS", "EVENTS",
     "ok: BUSINESSEVENTSDEFINITION: 0 rows of the channels named; 3 rows of other channels kept"},
    {hidden_policies_and_partitions, NULL, ask_for_a_channel, "A-ROWS", "EVENTS",
     "unknown: BUSINESSEVENTSDEFINITION: 0 rows of the channels named, but a row-level security "
     "policy that this login may not see may hide some"},
    {hidden_policies_and_rows, NULL, ask_for_a_channel, "A-ROWS", "EVENTS",
     "unknown: BUSINESSEVENTSDEFINITION: 0 rows of the channels named, but a row-level security "
     "policy that this login may not see may hide some"},
    {channels_unread, NULL, ask_for_a_channel, "A-CHANNEL", "Gone", ""},
    {NULL, NULL, ask_for_ten_channels, "A-CHANNEL", "8a",
     "differs: no event row has channel \"8a\""},
    {NULL, NULL, ask_for_ten_channels, "A-CHANNEL", "9a", ""},
    {projects_unread, NULL, NULL, "A-ROWS", "PROJECTCONF",
     "unknown: DUALWRITEPROJECTCONFIGURATION: deadlock victim"},
    {projects_unread, NULL, NULL, "A-CHANNEL", "DualWrite",
     "ok: 3 event rows of channel family \"DualWrite\""},
    {no_projects, NULL, ask_after_the_relink, "A-ROWS", "FIELD",
     "ok: DUALWRITEPROJECTFIELDCONFIGURATION: 0 rows"},
    {NULL, nameless, ask_for_an_organization, "D-ORG", "expected",
     "differs: organization name is not known, expected org6459f7a8"},
    {NULL, aged, NULL, "D-ROWS", "created",
     "differs: Dual Write Runtime Configurations: 2 rows, created 2025-01-01T00:00:00Z to 2026-01-01T00:00:00Z"},
    {NULL, ageless, NULL, "D-ROWS", "created",
     "differs: Dual Write Runtime Configurations: 2 rows, created at an unknown time"},
    {NULL, one_of_many, ask_since_2026, "D-ROWS", "older",
     "differs: rows older than the copy (2026-01-02): 1 of the first 2"},
    {NULL, no_rows, ask_since_2026, "D-ROWS", "older", ""},
    {NULL, NULL, ask_since_some_day, "D-ROWS", "older", ""},
};

/** "verdict: text" of the first observation of the check with the word; "" for none. */
static void
say(const struct outcome *outcome, const struct rare_case *rare, char ret[LINE_BYTES])
{
    static const char *const verdicts[] = {"ok", "differs", "unknown"};

    ret[0] = '\0';
    for (size_t i = 0; i < outcome->before.observation_count && !ret[0]; i++) {
        const struct observation *seen = &outcome->before.observations[i];

        if (strcmp(seen->check, rare->check) == 0 && strstr(seen->text, rare->word))
            (void)snprintf(ret, LINE_BYTES, "%s: %s", verdicts[seen->verdict], seen->text);
    }
}

static void
each_rare_world_has_its_sentence(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        static struct fake_world world;
        struct outcome outcome;
        char said[LINE_BYTES];

        fake_world_init(&world);
        world.patch_axdb = cases[i].axdb;
        world.patch_runtime = cases[i].runtime;
        if (cases[i].ask)
            cases[i].ask(&request);
        run_verify(&request, &world.ports, arena, &outcome);
        say(&outcome, &cases[i], said);
        if (strcmp(said, cases[i].says) != 0) {
            print_error("case %zu: %s\n", i, said);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rare_world_has_its_sentence),
    };

    return cmocka_run_group_tests_name("core/checks_axdb", tests, NULL, NULL);
}
