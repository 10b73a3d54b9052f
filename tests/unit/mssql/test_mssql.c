/** The server's options are checked before anything is dialled; the environment cannot redirect us.
 */
#include "mssql/mssql.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static struct err err;
static const struct mssql_options good = {
    .host = "sql01.contoso.com", .database = "AxDB", .user = "axdbadmin"};

static void
accept(const struct mssql_options *options)
{
    struct axdb_server *server = NULL;

    if (!mssql_server_new(options, &server, &err))
        fail_msg("%s", err.primary);
    mssql_server_free(server);
}

static void
refuse(const struct mssql_options *options)
{
    struct axdb_server *server = NULL;

    assert_false(mssql_server_new(options, &server, &err));
    assert_null(server);
    assert_int_equal(err.code, ERR_USAGE);
}

static void
what_is_needed_is_asked_for(void **state)
{
    struct mssql_options options = good;

    (void)state;
    accept(&options);
    options.host = NULL;
    refuse(&options);
    options = good;
    options.database = NULL;
    refuse(&options);
    options = good;
    options.user = "";
    refuse(&options);
    options.integrated = true;
    accept(&options);
}

static void
texts_that_freetds_would_cut_are_refused(void **state)
{
    struct mssql_options options = good;
    char large[130];

    (void)state;
    memset(large, 'a', sizeof large);
    large[129] = '\0';
    options.database = large;
    refuse(&options);
    options = good;
    options.application = large;
    refuse(&options);
    options = good;
    options.user = "a\xFF";
    refuse(&options);
    large[128] = '\0';
    options.user = large;
    accept(&options);
}

static void
numbers_have_limits(void **state)
{
    struct mssql_options options = good;

    (void)state;
    options.packet_size = 16384;
    refuse(&options);
    options.packet_size = 512;
    refuse(&options);
    options.packet_size = 16383;
    accept(&options);
    options.lock_timeout_ms = -1;
    refuse(&options);
    options = good;
    options.query_timeout_s = -1;
    refuse(&options);
}

/** Whether the loaded FreeTDS is older than 1.4. */
static bool
is_old(void)
{
    return strncmp(mssql_library_version(), "freetds v1.3", 12) == 0 ||
           strncmp(mssql_library_version(), "freetds v1.2", 12) == 0;
}

static void
another_certificate_name_needs_a_library_that_looks_at_it(void **state)
{
    struct mssql_options options = good;

    (void)state;
    options.certificate_host = "SQL01.contoso.com"; /* the host's */
    accept(&options);
    options.certificate_host = "other.contoso.com";
    if (!is_old()) {
        accept(&options);
        return;
    }
    refuse(&options);
    assert_non_null(strstr(err.primary, mssql_library_version()));
    assert_non_null(strstr(err.hint, "-J"));
}

static void
strict_needs_a_library_that_can(void **state)
{
    struct mssql_options options = good;

    (void)state;
    options.encryption = MSSQL_ENCRYPTION_STRICT;
    if (is_old()) {
        refuse(&options);
        assert_non_null(strstr(err.primary, mssql_library_version()));
    } else {
        accept(&options);
    }
    options.trust_certificate = true;
    refuse(&options);
}

static void
a_certificate_that_nobody_looks_at_is_refused(void **state)
{
    struct mssql_options options = good;

    (void)state;
    options.certificate_file = "/no/such/file";
    refuse(&options);
    options.trust_certificate = true;
    refuse(&options);
    assert_non_null(strstr(err.primary, "-C"));
    options.trust_certificate = false;
    options.encryption = MSSQL_ENCRYPTION_OPTIONAL;
    refuse(&options);
    assert_non_null(strstr(err.primary, "-N"));
    options = good;
    options.certificate_host = good.host;
    options.encryption = MSSQL_ENCRYPTION_DISABLE;
    refuse(&options);
    options.encryption = MSSQL_ENCRYPTION_MANDATORY;
    options.certificate_host = "a;b";
    refuse(&options);
}

static void
there_is_one_server_at_a_time(void **state)
{
    struct axdb_server *first = NULL, *second = NULL;

    (void)state;
    assert_true(mssql_server_new(&good, &first, &err));
    assert_false(mssql_server_new(&good, &second, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    mssql_server_free(first);
    accept(&good);
    mssql_server_free(NULL);
}

static void
the_environment_cannot_redirect_a_connection(void **state)
{
    static const char *const names[] = {"TDSVER",
                                        "TDSPORT",
                                        "TDSHOST",
                                        "TDSDUMP",
                                        "TDSDUMPCONFIG",
                                        "TDSQUERY",
                                        "DSQUERY",
                                        "FREETDSCONF",
                                        "FREETDS",
                                        "SYBASE",
                                        "ASA_DATABASE",
                                        "SSLKEYLOGFILE",
                                        "GNUTLS_SYSTEM_PRIORITY_FILE"};

    (void)state;
    /* One thread. NOLINTBEGIN(concurrency-mt-unsafe) */
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(setenv(names[i], "x", 1), 0);
    mssql_scrub_environment();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_null(getenv(names[i]));
    /* NOLINTEND(concurrency-mt-unsafe) */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_needed_is_asked_for),
        cmocka_unit_test(texts_that_freetds_would_cut_are_refused),
        cmocka_unit_test(numbers_have_limits),
        cmocka_unit_test(another_certificate_name_needs_a_library_that_looks_at_it),
        cmocka_unit_test(strict_needs_a_library_that_can),
        cmocka_unit_test(a_certificate_that_nobody_looks_at_is_refused),
        cmocka_unit_test(there_is_one_server_at_a_time),
        cmocka_unit_test(the_environment_cannot_redirect_a_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
