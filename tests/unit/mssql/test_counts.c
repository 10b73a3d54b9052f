/**
 * Numbers that are none: what a server says in place of a count never becomes a known count. The
 * functions of db-lib are replaced here by ones that play a script of result sets.
 */
#include "../../../src/mssql/store.h"
#include "base/clock.h"
#include "delete_table.h"
#include "test.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 8, ARENA_BYTES = 1024 * 1024 };

static const char null_value[] = "NULL";

/** One row of one result set. A word is text, UTF-16 when it begins with '$'; else a number. */
struct answer {
    const char *set, *words[COLUMNS]; /* NULL in place of a word: the number beside it */
    int64_t numbers[COLUMNS];
    int columns;
};

static struct {
    const struct answer *answers;
    size_t count, at; /* `at` counts from 1 while an answer is being read */
    bool row_given;
    unsigned char bytes[COLUMNS][128];
} script;

/* ---- db-lib ---- */

static const struct answer *
current(void)
{
    return &script.answers[script.at - 1];
}

RETCODE
dbresults(DBPROCESS *process)
{
    (void)process;
    script.row_given = false;
    return script.at++ < script.count ? SUCCEED : NO_MORE_RESULTS;
}

STATUS
dbnextrow(DBPROCESS *process)
{
    (void)process;
    if (script.row_given)
        return NO_MORE_ROWS;
    script.row_given = true;
    return REG_ROW;
}

int
dbnumcols(DBPROCESS *process)
{
    (void)process;
    return current()->columns;
}

char *
dbcolname(DBPROCESS *process, int column)
{
    static char name[64];

    (void)process;
    assert_int_equal(column, 1);
    (void)snprintf(name, sizeof name, "%s", current()->set);
    return name;
}

static const char *
word_at(int column)
{
    return current()->words[column - 1];
}

DBINT
dbdatlen(DBPROCESS *process, int column)
{
    const char *word = word_at(column);

    (void)process;
    if (word == null_value)
        return 0;
    if (word == NULL)
        return 8;
    return (DBINT)(word[0] == '$' ? 2 * (strlen(word) - 1) : strlen(word));
}

BYTE *
dbdata(DBPROCESS *process, int column)
{
    const char *word = word_at(column);
    unsigned char *out = script.bytes[column - 1];

    (void)process;
    if (word == null_value)
        return NULL;
    memset(out, 0, sizeof script.bytes[0]);
    if (word == NULL)
        memcpy(out, &current()->numbers[column - 1], 8);
    else if (word[0] == '$')
        for (size_t i = 1; word[i] != '\0'; i++)
            out[2 * (i - 1)] = (unsigned char)word[i];
    else
        for (size_t i = 0; word[i] != '\0'; i++)
            out[i] = (unsigned char)word[i];
    return out;
}

int
dbcoltype(DBPROCESS *process, int column)
{
    (void)process;
    return word_at(column) == NULL ? SYBINT8 : SYBVARBINARY;
}

DBBOOL
dbdead(DBPROCESS *process)
{
    (void)process;
    return FALSE;
}

/** No socket: nothing answers later than at once here. */
int
dbiordesc(DBPROCESS *process)
{
    (void)process;
    return INT_MAX;
}

RETCODE
dbcmd(DBPROCESS *process, const char *text)
{
    (void)process;
    (void)text;
    return SUCCEED;
}

RETCODE
dbsqlsend(DBPROCESS *process)
{
    (void)process;
    return SUCCEED;
}

RETCODE
dbsqlok(DBPROCESS *process)
{
    (void)process;
    return SUCCEED;
}

RETCODE
dbcancel(DBPROCESS *process)
{
    (void)process;
    return SUCCEED;
}

void
dbfreebuf(DBPROCESS *process)
{
    (void)process;
}

RETCODE
dbsetopt(DBPROCESS *process, int option, const char *text, int number)
{
    (void)process;
    (void)option;
    (void)text;
    (void)number;
    return SUCCEED;
}

void
dbclose(DBPROCESS *process)
{
    (void)process;
}

/* ---- a store that talks to the script ---- */

#define IDENTITY                                                                                   \
    {                                                                                              \
        "rs_identity", {"i", "$s", "$m", "$1", "$", "$login", "$user"}, {0}, 7                     \
    }
#define COUNT(set, word, value)                                                                    \
    {                                                                                              \
        set, {word, NULL}, {0, value}, 2                                                           \
    }
#define NO_COUNT(set, word)                                                                        \
    {                                                                                              \
        set, {word, null_value}, {0}, 2                                                            \
    }
#define READ(word)                                                                                 \
    {                                                                                              \
        "rs_read", {word}, {0}, 1                                                                  \
    }
#define ANSWERED                                                                                   \
    READ("objects"), READ("kinds"), READ("columns"), READ("masks"), READ("permissions"),           \
        READ("identity"), READ("updateability"), READ("field"), READ("project"), READ("events"),   \
        READ("urls"), READ("channels"), READ("orphans"), READ("partitions")
#define PLAY(list) play(list, sizeof(list) / sizeof(list)[0])

static void
play(const struct answer *answers, size_t count)
{
    script.answers = answers;
    script.count = count;
    script.at = 0;
}

static struct err err;

static struct axdb_store *
open_store(void)
{
    static const struct mssql_options options = {.host = "h", .query_timeout_s = 5};
    static int process; /* nobody looks inside */
    struct connection *connection = calloc(1, sizeof *connection);
    struct axdb_store *store;

    assert_non_null(connection);
    connection->process = (DBPROCESS *)(void *)&process;
    connection->options = &options;
    connection->proven = true;
    store = mssql_store_new(connection);
    assert_non_null(store);
    return store;
}

static void
look(struct arena *arena, struct axdb_evidence *ret)
{
    struct axdb_store *store = open_store();

    if (!store->ops->observe(store, arena, ret, &err))
        fail_msg("%s (%s)", err.primary, err.detail);
    store->ops->close(store);
}

static void
assert_not_a_number(const struct counted *counted)
{
    assert_false(counted->known);
    assert_int_equal(counted->rows, 0);
    assert_int_equal(counted->why.code, ERR_SERVER);
}

static void
a_count_that_is_null_negative_or_absurd_is_not_known(void **state)
{
    static const struct answer answers[] = {
        IDENTITY,
        ANSWERED,
        NO_COUNT("rs_count", "DUALWRITEPROJECTFIELDCONFIGURATION"),
        COUNT("rs_count", "DUALWRITEPROJECTCONFIGURATION", -1),
        COUNT("rs_count", "BUSINESSEVENTSDEFINITION", INT64_MAX),
        COUNT("rs_partition", "$BUSINESSEVENTSDEFINITION", -5),
    };
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;

    (void)state;
    PLAY(answers);
    look(arena, &evidence);
    for (int i = 0; i < AXDB_TABLES; i++)
        assert_not_a_number(&evidence.tables[i].fresh);
    assert_not_a_number(&evidence.tables[TABLE_EVENTS].partitions);
}

static void
a_count_is_known_from_nought_on(void **state)
{
    static const struct answer answers[] = {
        IDENTITY,
        ANSWERED,
        COUNT("rs_count", "DUALWRITEPROJECTCONFIGURATION", 0),
        COUNT("rs_count", "BUSINESSEVENTSDEFINITION", 958),
    };
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;

    (void)state;
    PLAY(answers);
    look(arena, &evidence);
    assert_true(evidence.tables[TABLE_PROJECT].fresh.known);
    assert_int_equal(evidence.tables[TABLE_PROJECT].fresh.rows, 0);
    assert_true(evidence.tables[TABLE_EVENTS].fresh.known);
    assert_int_equal(evidence.tables[TABLE_EVENTS].fresh.rows, 958);
}

static void
orphans_without_a_number_are_not_known(void **state)
{
    static const struct answer answers[] = {
        IDENTITY,
        ANSWERED,
        NO_COUNT("rs_orphans", "projects_without_fields"),
        COUNT("rs_orphans", "fields_without_project", -1),
    };
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;

    (void)state;
    PLAY(answers);
    look(arena, &evidence);
    assert_not_a_number(&evidence.projects_without_fields);
    assert_not_a_number(&evidence.fields_without_project);
}

static void
an_answer_to_nobodys_question_is_not_taken_for_orphans(void **state)
{
    static const struct answer answers[] = {IDENTITY, ANSWERED,
                                            COUNT("rs_orphans", "something", 3)};
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = open_store();
    struct axdb_evidence evidence;

    (void)state;
    PLAY(answers);
    assert_false(store->ops->observe(store, arena, &evidence, &err));
    assert_int_equal(err.code, ERR_SERVER);
    store->ops->close(store);
}

static void
a_group_without_a_number_makes_its_groups_unknown(void **state)
{
    static const struct answer answers[] = {
        IDENTITY,
        ANSWERED,
        COUNT("rs_count", "DUALWRITEPROJECTCONFIGURATION", 2),
        {"rs_url", {"urls", "$https://a", NULL, null_value}, {0, 0, 1, 0}, 4},
        {"rs_grouped", {"urls"}, {0}, 1},
        COUNT("rs_count", "BUSINESSEVENTSDEFINITION", 2),
        {"rs_channel", {"channels", "$c", NULL, NULL, NULL, NULL}, {0, 0, 1, 1, 1, -2}, 6},
        {"rs_grouped", {"channels"}, {0}, 1},
    };
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;

    (void)state;
    PLAY(answers);
    look(arena, &evidence);
    assert_false(evidence.urls_known);
    assert_not_a_number(&evidence.tables[TABLE_PROJECT].fresh);
    assert_false(evidence.channels_known);
    assert_not_a_number(&evidence.tables[TABLE_EVENTS].fresh);
}

static void
sessions_without_a_number_are_not_known(void **state)
{
    static const struct answer answers[] = {
        IDENTITY,
        ANSWERED,
        {"rs_session", {"sessions", "$p", "$h", NULL}, {0, 0, 0, 3}, 4},
        {"rs_session", {"sessions", "$p", "$h", NULL}, {0, 0, 0, -3}, 4},
        {"rs_sessions_shown", {"sessions"}, {0}, 1},
        READ("sessions"),
    };
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;

    (void)state;
    PLAY(answers);
    look(arena, &evidence);
    assert_false(evidence.sessions_known);
}

/* ---- the catalog ---- */

#define HELD                                                                                       \
    {                                                                                              \
        "rs_permission", {"BUSINESSEVENTSDEFINITION", NULL, NULL, NULL, NULL, NULL, NULL},         \
            {0, 1, 1, 1, 1, 1, 1}, 7                                                               \
    }
#define OBJECT                                                                                     \
    {                                                                                              \
        "rs_object", {"$BUSINESSEVENTSDEFINITION", "U"}, {0}, 2                                    \
    }

static void
a_question_without_its_answer_proves_no_absence(void **state)
{
    static const struct answer cut[] = {IDENTITY, ANSWERED, HELD, OBJECT};
    static const struct answer whole[] = {
        IDENTITY, ANSWERED, HELD, OBJECT, READ("triggers"), READ("foreign-keys"), READ("policies")};
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;

    (void)state;
    PLAY(cut);
    look(arena, &evidence);
    assert_true(evidence.tables[TABLE_EVENTS].exists);
    assert_false(evidence.tables[TABLE_EVENTS].triggers.known);
    assert_false(evidence.tables[TABLE_EVENTS].foreign_keys.known);
    assert_false(evidence.tables[TABLE_EVENTS].policies.known);
    PLAY(whole);
    look(arena, &evidence);
    assert_true(evidence.tables[TABLE_EVENTS].triggers.known);
    assert_true(evidence.tables[TABLE_EVENTS].foreign_keys.known);
    assert_true(evidence.tables[TABLE_EVENTS].policies.known);
}

#define FAULT(word)                                                                                \
    {                                                                                              \
        "rs_fault", {word, NULL, NULL, NULL, "$no such view"}, {0, 208, 16, 1}, 5                  \
    }

/** The fault of the events table as it comes of the kinds and masks that the server gave. */
static const char *
fault_without(const char *question)
{
    const struct answer answers[] = {IDENTITY, ANSWERED, HELD, OBJECT, FAULT(question)};
    static char fault[128];
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;

    PLAY(answers);
    look(arena, &evidence);
    (void)snprintf(fault, sizeof fault, "%s", evidence.tables[TABLE_EVENTS].fault);
    return fault;
}

static void
a_table_whose_kind_or_masks_are_not_known_is_not_used(void **state)
{
    (void)state;
    assert_string_equal(fault_without("kinds"),
                        "may be temporal or memory-optimised: the server does not say");
    assert_string_equal(fault_without("urls"), "column PARTITION is missing or not a whole number");
}

static void
what_must_be_answered_fails_the_whole(void **state)
{
    static const struct answer no_objects[] = {IDENTITY, ANSWERED, FAULT("objects")};
    static const struct answer no_end[] = {IDENTITY, READ("identity"), READ("objects")};
    static const struct answer no_state[] = {IDENTITY, ANSWERED, FAULT("updateability")};
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = open_store();
    struct axdb_evidence evidence;

    (void)state;
    PLAY(no_objects);
    assert_false(store->ops->observe(store, arena, &evidence, &err));
    assert_non_null(strstr(err.primary, "no such view"));
    PLAY(no_end);
    assert_false(store->ops->observe(store, arena, &evidence, &err));
    assert_int_equal(err.code, ERR_SERVER);
    PLAY(no_state);
    assert_false(store->ops->observe(store, arena, &evidence, &err));
    assert_non_null(strstr(err.primary, "read-only replica"));
    store->ops->close(store);
}

static void
a_count_that_comes_with_an_error_is_not_known(void **state)
{
    static const struct answer answers[] = {
        IDENTITY,
        ANSWERED,
        COUNT("rs_count", "BUSINESSEVENTSDEFINITION", 5),
        FAULT("events"),
    };
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;

    (void)state;
    PLAY(answers);
    look(arena, &evidence);
    assert_false(evidence.tables[TABLE_EVENTS].fresh.known);
    assert_non_null(strstr(evidence.tables[TABLE_EVENTS].fresh.why.primary, "no such view"));
    assert_false(evidence.tables[TABLE_PROJECT].fresh.known);
}

static void
a_catalog_without_its_end_is_a_failure_under_the_locks(void **state)
{
    static const struct answer begun[] = {{"rs_transaction", {NULL}, {1}, 1}};
    static const struct answer cut[] = {HELD, OBJECT, READ("objects")};
    static const struct answer over[] = {{"rs_transaction", {NULL}, {0}, 1}};
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = open_store();
    struct axdb_table_evidence tables[AXDB_TABLES];

    (void)state;
    PLAY(begun);
    assert_true(store->ops->begin_locked(store, 5000, &err));
    PLAY(cut);
    assert_false(store->ops->read_catalog(store, arena, tables, &err));
    assert_int_equal(err.code, ERR_SERVER);
    PLAY(over);
    store->ops->close(store);
}

static void
a_column_of_which_nothing_is_said_is_a_failure(void **state)
{
    static const struct answer answers[] = {
        IDENTITY,
        ANSWERED,
        OBJECT,
        {"rs_column",
         {"$BUSINESSEVENTSDEFINITION", NULL, "$A", "$int", "$int", null_value},
         {0},
         6},
    };
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = open_store();
    struct axdb_evidence evidence;

    (void)state;
    PLAY(answers);
    assert_false(store->ops->observe(store, arena, &evidence, &err));
    assert_int_equal(err.code, ERR_SERVER);
    store->ops->close(store);
}

/* ---- deleting ---- */

static void
rows_deleted_without_a_number_are_a_failure(void **state)
{
    static const struct answer begun[] = {{"rs_transaction", {NULL}, {1}, 1}};
    static const struct answer answers[] = {{"rs_deleted", {NULL}, {-1}, 1},
                                            {"rs_left", {NULL}, {0}, 1}};
    static const struct answer over[] = {{"rs_transaction", {NULL}, {0}, 1}};
    struct axdb_store *store = open_store();
    int64_t deleted = 7, left = 7;

    (void)state;
    PLAY(begun);
    assert_true(store->ops->begin_locked(store, 5000, &err));
    PLAY(answers);
    assert_false(delete_table(store, TABLE_EVENTS, &deleted, &left, &err));
    assert_int_equal(err.code, ERR_SERVER);
    assert_int_equal(deleted, 7);
    assert_int_equal(left, 7);
    PLAY(over);
    store->ops->close(store);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_count_that_is_null_negative_or_absurd_is_not_known),
        cmocka_unit_test(a_count_is_known_from_nought_on),
        cmocka_unit_test(orphans_without_a_number_are_not_known),
        cmocka_unit_test(an_answer_to_nobodys_question_is_not_taken_for_orphans),
        cmocka_unit_test(a_group_without_a_number_makes_its_groups_unknown),
        cmocka_unit_test(sessions_without_a_number_are_not_known),
        cmocka_unit_test(a_question_without_its_answer_proves_no_absence),
        cmocka_unit_test(a_table_whose_kind_or_masks_are_not_known_is_not_used),
        cmocka_unit_test(what_must_be_answered_fails_the_whole),
        cmocka_unit_test(a_count_that_comes_with_an_error_is_not_known),
        cmocka_unit_test(a_catalog_without_its_end_is_a_failure_under_the_locks),
        cmocka_unit_test(a_column_of_which_nothing_is_said_is_a_failure),
        cmocka_unit_test(rows_deleted_without_a_number_are_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
