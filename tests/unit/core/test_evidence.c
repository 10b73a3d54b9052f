#include "core/evidence.h"
#include "core/run.h"
#include "fake_world.h"
#include "test.h"

#include <string.h>

enum { MEGABYTE = 1048576 };

/* ---- the same target? ---- */

static void
a_fresh_look_at_another_target_is_told_by_what_differs(void **state)
{
    static const struct {
        const char *created, *fork, *organization, *database; /* of the second look */
        const char *said;                                     /* NULL: it is the same */
    } cases[] = {
        {"2026-11-20", "F1", "O1", "AxDB", NULL},
        {"2026-11-20", "F1", "O1", "AxDB2", "database is AxDB2, it was AxDB"},
        {"2026-11-21", "F1", "O1", "AxDB", "creation time of the database is 2026-11-21"},
        {"2026-11-20", "", "O1", "AxDB", "recovery fork is not known, it was F1"},
        {"2026-11-20", "F1", "O2", "AxDB", "organization is O2, it was O1"},
    };
    struct axdb_evidence axdb = {
        .identity = {.database = "AxDB", .created = "2026-11-20", .recovery_fork = "F1"}};
    struct runtime_evidence runtime = {.identity = {.organization_id = "O1"}};
    const struct evidence before = {.axdb = &axdb, .runtime = &runtime};
    const struct evidence nothing = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct axdb_evidence axdb_now = {.identity = {.database = cases[i].database,
                                                      .created = cases[i].created,
                                                      .recovery_fork = cases[i].fork}};
        struct runtime_evidence runtime_now = {
            .identity = {.organization_id = cases[i].organization}};
        const struct evidence now = {.axdb = &axdb_now, .runtime = &runtime_now};
        struct err err = {0};

        assert_int_equal(evidence_same_target(&before, &now, &err), !cases[i].said);
        if (cases[i].said) {
            assert_int_equal(err.code, ERR_STALE);
            assert_non_null(strstr(err.primary, cases[i].said));
            assert_true(cases[i].fork[0] || !evidence_same_target(&now, &before, &err));
        }
    }
    /* a half that one of them did not reach is not compared */
    struct err err = {0};
    const struct evidence half = {.axdb = &axdb};

    assert_true(evidence_same_target(&before, &nothing, &err));
    assert_true(evidence_same_target(&nothing, &before, &err));
    assert_true(evidence_same_target(&half, &before, &err));
    axdb.identity.recovery_fork = "";
    struct axdb_evidence known = axdb;
    known.identity.recovery_fork = "F1";
    assert_false(evidence_same_target(&half, &(struct evidence){.axdb = &known}, &err));
    assert_non_null(strstr(err.primary, "it was not known"));
}

static void
lists_of_names_are_the_same_in_names_order_and_knowledge(void **state)
{
    static const char *const ab[] = {"a", "b"}, *const ba[] = {"b", "a"};
    const struct named_list list = {
        .known = true, .names = ab, .count = 2, .disabled = ab, .disabled_count = 1};
    struct named_list other = list;

    (void)state;
    assert_true(named_list_equal(&list, &other));
    other.known = false;
    assert_false(named_list_equal(&list, &other));
    other = list;
    other.names = ba;
    assert_false(named_list_equal(&list, &other));
    other = list;
    other.count = 1;
    assert_false(named_list_equal(&list, &other));
    other = list;
    other.disabled = ba;
    assert_false(named_list_equal(&list, &other));
    other = list;
    other.disabled_count = 0;
    assert_false(named_list_equal(&list, &other));
}

static void
a_grantee_is_the_user_else_the_login_quoted_and_cut_whole(void **state)
{
    struct axdb_identity identity = {.login = "lo]gin", .user = "dbo"};
    char name[32];
    char small[8];

    (void)state;
    evidence_grantee(&identity, name, sizeof name);
    assert_string_equal(name, "[dbo]");
    identity.user = "";
    evidence_grantee(&identity, name, sizeof name);
    assert_string_equal(name, "[lo]]gin]");
    identity.user = NULL;
    evidence_grantee(&identity, small, sizeof small);
    assert_string_equal(small, "[lo]]]"); /* no bracket is left open */
    small[0] = '#';
    evidence_grantee(&identity, small, 3);
    assert_int_equal(small[0], '#'); /* no room for any name */
}

/* ---- a half that somebody else looks at ---- */

struct helper {
    struct aside port;
    bool refuses, ends_badly;
    int begun, ended;
};

static bool
begin_work(struct aside *aside, void (*work)(void *ctx), void *ctx)
{
    struct helper *helper = (struct helper *)aside;

    if (helper->refuses)
        return false;
    helper->begun++;
    work(ctx);
    return true;
}

static bool
end_work(struct aside *aside, struct err *err)
{
    struct helper *helper = (struct helper *)aside;

    helper->ended++;
    return !helper->ends_badly || err_set(err, ERR_INTERNAL, "it ended before its time");
}

static const struct observation *
observed(const struct outcome *outcome, const char *check)
{
    for (size_t i = 0; i < outcome->before.observation_count; i++)
        if (strcmp(outcome->before.observations[i].check, check) == 0)
            return &outcome->before.observations[i];
    return NULL;
}

static void
a_look_beside_ours_says_the_same_and_one_that_broke_says_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        const struct run_request request = fake_request();
        struct helper helper = {.port = {.arena = arena, .begin = begin_work, .end = end_work},
                                .refuses = i == 1,
                                .ends_badly = i == 2};
        struct fake_world world;
        struct outcome outcome;

        fake_world_init(&world);
        world.ports.aside = &helper.port;
        if (i == 3)
            world.fail_at = 1; /* its connection */
        if (i == 4)
            world.fail_at = 2; /* its look */
        run_verify(&request, &world.ports, arena, &outcome);
        assert_int_equal(helper.begun, i != 1);
        assert_int_equal(helper.ended, i != 1);
        assert_int_equal(outcome.exit_status, 2); /* AxDB has rows in any case */
        assert_int_equal(observed(&outcome, "D-ROWS")->verdict,
                         i < 2 ? VERDICT_DIFFERS : VERDICT_UNKNOWN);
    }
}

static void
a_stop_signal_is_no_finding(void **state)
{
    (void)state;
    for (int half = 0; half < 2; half++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;

        fake_world_init(&world);
        world.stopped_at_connect = half + 1;
        run_verify(&request, &world.ports, arena, &outcome);
        assert_int_equal(outcome.exit_status, 130);
        assert_int_equal(outcome.word, OUTCOME_INTERRUPTED);
        assert_int_equal(outcome.before.observation_count, 0);
    }
}

static void
a_channel_that_is_named_nearly_is_told(void **state)
{
    static const char *const named[] = {"dualwrite "};
    const struct axdb_channel_count channels[] = {{.channel = "Other"}, {.channel = "DualWrite"}};
    struct axdb_evidence axdb = {.channels = channels, .channel_count = 2, .channels_known = true};
    const struct evidence evidence = {.axdb = &axdb};
    struct run_request request = {.channels = named, .channel_count = 1};

    (void)state;
    assert_string_equal(evidence_nearly_named(&request, &evidence), "DualWrite");
    assert_null(evidence_nearly_named(&request, &(struct evidence){0}));
    assert_int_equal(evidence_kept_events(&request, &evidence), -1); /* not counted */
    axdb.tables[TABLE_EVENTS].fresh.known = true;
    assert_int_equal(evidence_kept_events(&request, &evidence), 0);
    axdb.channels_known = false;
    assert_int_equal(evidence_kept_events(&request, &evidence), -1);
    assert_int_equal(evidence_named_events(&request, &(struct evidence){0}), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fresh_look_at_another_target_is_told_by_what_differs),
        cmocka_unit_test(lists_of_names_are_the_same_in_names_order_and_knowledge),
        cmocka_unit_test(a_grantee_is_the_user_else_the_login_quoted_and_cut_whole),
        cmocka_unit_test(a_look_beside_ours_says_the_same_and_one_that_broke_says_nothing),
        cmocka_unit_test(a_stop_signal_is_no_finding),
        cmocka_unit_test(a_channel_that_is_named_nearly_is_told),
    };

    return cmocka_run_group_tests_name("core/evidence", tests, NULL, NULL);
}
