#include "core/situation.h"
#include "fake_world.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { MEGABYTE = 1048576 };

/** Project rows by what they name. */
static void
rows_naming(struct axdb_evidence *evidence, int64_t foreign, int64_t blank, int64_t own)
{
    static struct axdb_url_count urls[3];
    size_t count = 0;

    if (foreign)
        urls[count++] = (struct axdb_url_count){
            .url = "https://prod.crm4.dynamics.com", .rows = foreign, .status = 1};
    if (blank)
        urls[count++] = (struct axdb_url_count){.url = " ", .rows = blank, .status = 1};
    if (own)
        urls[count++] = (struct axdb_url_count){
            .url = "https://contoso-uat.api.crm4.dynamics.com/", .rows = own, .status = 1};
    evidence->urls = urls;
    evidence->url_count = count;
}

static void
foreign_rows(struct axdb_evidence *evidence)
{
    rows_naming(evidence, 3, 0, 0);
}

/** Two rows that were enabled, two that were queueing, three that were disabled. */
static void
running_rows(struct axdb_evidence *evidence)
{
    static struct axdb_url_count urls[] = {
        {.url = "https://prod.crm4.dynamics.com", .rows = 2, .status = 0},
        {.url = "https://prod.crm4.dynamics.com", .rows = 2, .status = 4},
        {.url = "https://prod.crm4.dynamics.com", .rows = 3, .status = 1},
    };

    evidence->urls = urls;
    evidence->url_count = sizeof urls / sizeof urls[0];
}

static void
blank_rows(struct axdb_evidence *evidence)
{
    rows_naming(evidence, 0, 1, 0);
}

static void
own_rows(struct axdb_evidence *evidence)
{
    rows_naming(evidence, 0, 0, 3);
}

static void
mixed_rows(struct axdb_evidence *evidence)
{
    rows_naming(evidence, 1, 1, 3);
}

static void
no_rows(struct axdb_evidence *evidence)
{
    evidence->url_count = 0;
    for (int i = 0; i < AXDB_TABLES; i++)
        evidence->tables[i].fresh.rows = 0;
}

static void
unread_rows(struct axdb_evidence *evidence)
{
    evidence->urls_known = false;
    evidence->url_count = 0;
}

static void
not_linked(struct runtime_evidence *evidence)
{
    evidence->identity.linked = false;
    evidence->identity.link_detail = "HTTP 400";
}

static void
not_linked_and_empty(struct runtime_evidence *evidence)
{
    not_linked(evidence);
    evidence->row_count = 0;
}

static void
no_runtime_rows(struct runtime_evidence *evidence)
{
    evidence->row_count = 0;
}

static void
link_not_readable(struct runtime_evidence *evidence)
{
    evidence->identity.link_known = evidence->identity.linked = false;
    evidence->identity.link_detail = "HTTP 500";
}

static void
host_not_known(struct runtime_evidence *evidence)
{
    evidence->identity.host = "";
}

struct situation_case {
    const char *name;
    void (*axdb)(struct axdb_evidence *evidence);
    void (*runtime)(struct runtime_evidence *evidence);
    enum expectation expect;
    const char *fno_url;
    bool meant; /* --rows-name-this-environment */
    const char *ids;
};

static const struct situation_case cases[] = {
    {"F&O restored", foreign_rows, no_runtime_rows, EXPECT_PRE_RELINK, NULL, false, "P1 P4.2"},
    {"F&O restored, runtime rows there", foreign_rows, NULL, EXPECT_PRE_RELINK, NULL, false,
     "P1 P8? P4.2"},
    {"maps that were running", running_rows, no_runtime_rows, EXPECT_PRE_RELINK, NULL, false,
     "P1 P4.2 P5?"},
    {"maps that run after a relink", running_rows, no_runtime_rows, EXPECT_POST_RELINK, NULL, false,
     "P1 P6? P4.2"},
    {"blank URLs", blank_rows, no_runtime_rows, EXPECT_PRE_RELINK, NULL, false, "P1"},
    {"F&O restored, integration blank", foreign_rows, not_linked, EXPECT_PRE_RELINK, NULL, false,
     "P1 P8? P4.3"},
    {"F&O restored, integration not readable", foreign_rows, link_not_readable, EXPECT_PRE_RELINK,
     NULL, false, "P1 P8?"},
    {"own rows: a link, or a restored Dataverse", own_rows, NULL, EXPECT_PRE_RELINK, NULL, false,
     "P2? P4.1"},
    {"own rows, and none in Dataverse", own_rows, no_runtime_rows, EXPECT_PRE_RELINK, NULL, false,
     "P4.1"},
    {"own rows that are meant", own_rows, NULL, EXPECT_PRE_RELINK, NULL, true, "P3 P4.1"},
    {"own rows after a relink", own_rows, NULL, EXPECT_POST_RELINK, NULL, false, "P4.1"},
    {"single maps", mixed_rows, NULL, EXPECT_PRE_RELINK, NULL, false, "P7"},
    {"another F&O environment", foreign_rows, no_runtime_rows, EXPECT_PRE_RELINK,
     "other.operations.dynamics.com", false, "P1 P6 P4.2"},
    {"foreign rows after a relink", foreign_rows, no_runtime_rows, EXPECT_POST_RELINK, NULL, false,
     "P1 P6? P4.2"},
    {"own rows, another F&O environment", own_rows, NULL, EXPECT_POST_RELINK,
     "other.operations.dynamics.com", false, "P6"},
    {"cloud-hosted", foreign_rows, no_runtime_rows, EXPECT_PRE_RELINK,
     "https://dev1.cloudax.dynamics.com/", false, "P1 P6 P4.4"},
    {"nothing there, not linked", no_rows, not_linked_and_empty, EXPECT_PRE_RELINK, NULL, false,
     "P9"},
    {"nothing there, linked", no_rows, no_runtime_rows, EXPECT_PRE_RELINK, NULL, false, ""},
    {"rows not read", unread_rows, NULL, EXPECT_PRE_RELINK, NULL, false, ""},
    {"own host not known", foreign_rows, host_not_known, EXPECT_PRE_RELINK, NULL, false, ""},
};

/** Ids of what was found; "?" behind what is likely (but P4 always is), scenarios behind P4. */
static void
name_found(const struct outcome *outcome, char *ret, size_t size)
{
    ret[0] = '\0';
    for (size_t i = 0; i < outcome->situation_count; i++) {
        const struct situation *situation = &outcome->situations[i];
        const bool reset = strcmp(situation->id, "P4") == 0;
        const size_t used = strlen(ret);

        assert_true(*situation->title && *situation->evidence && *situation->source);
        assert_true(situation->remain_count > 0);
        if (reset)
            assert_true(situation->likely);
        (void)snprintf(ret + used, size - used, "%s%s%s%.1s", i ? " " : "", situation->id,
                       reset               ? "."
                       : situation->likely ? "?"
                                           : "",
                       reset ? situation->remains[0] + strlen("Scenario ") : "");
    }
}

static void
situations_are_named_as_far_as_the_evidence_goes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;
        char found[128];

        fake_world_init(&world);
        world.patch_axdb = cases[i].axdb;
        world.patch_runtime = cases[i].runtime;
        request.expect = cases[i].expect;
        request.expect_fno_url = cases[i].fno_url;
        request.rows_name_this_environment = cases[i].meant;
        run_verify(&request, &world.ports, arena, &outcome);
        name_found(&outcome, found, sizeof found);
        if (strcmp(found, cases[i].ids) != 0)
            print_error("%s\n", cases[i].name);
        assert_string_equal(found, cases[i].ids);
    }
}

static void
a_half_that_was_not_looked_at_proves_nothing(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;
    char found[128];

    (void)state;
    fake_world_init(&world);
    world.patch_axdb = foreign_rows;
    request.dataverse = false;
    run_verify(&request, &world.ports, arena, &outcome);
    name_found(&outcome, found, sizeof found);
    assert_string_equal(found, "");

    request.expect_dataverse_host = "contoso-uat.crm4.dynamics.com";
    run_verify(&request, &world.ports, arena, &outcome);
    name_found(&outcome, found, sizeof found);
    assert_string_equal(found, "P1");

    request = fake_request();
    request.axdb = false;
    run_verify(&request, &world.ports, arena, &outcome);
    name_found(&outcome, found, sizeof found);
    assert_string_equal(found, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(situations_are_named_as_far_as_the_evidence_goes),
        cmocka_unit_test(a_half_that_was_not_looked_at_proves_nothing),
    };

    return cmocka_run_group_tests_name("core/situation", tests, NULL, NULL);
}
