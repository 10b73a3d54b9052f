/** The cases of the AxDB port over the adapter. The same over the fake: test_axdb_fake.c. */
#include "axdb_cases.h"
#include "axdb_sandbox.h"

static struct axdb_store *
case_connect(void)
{
    return connect_as("admin");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {AXDB_CASES(CONTRACT_TEST)};
    int failed;

    CONTRACT_RUN(tests, failed);
    return failed;
}
