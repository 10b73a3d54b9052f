/** The cases of the AxDB port over the fake that the tests of core/ stand on. */
#include "axdb_cases.h"
#include "fake_world.h"

static struct fake_world world;

static struct axdb_store *
case_connect(void)
{
    struct axdb_store *store = NULL;

    must(world.axdb_server.connect(&world.axdb_server, NULL, &store, &case_err));
    return store;
}

static int
fresh_world(void **state)
{
    (void)state;
    fake_world_init(&world);
    return 0;
}

#define FAKE_TEST(test) cmocka_unit_test_setup(test, fresh_world)

int
main(void)
{
    const struct CMUnitTest tests[] = {AXDB_CASES(FAKE_TEST)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
