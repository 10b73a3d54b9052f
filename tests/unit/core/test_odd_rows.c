/* Rows, lists and catalogs that no healthy server hands out: each is refused or left, and told. */
#include "commands.h"
#include "test.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MEGABYTE = 1048576 };

static struct fake_world world; /* hooks have no context of their own */
static struct outcome outcome;

static size_t
column_at(const struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->count; i++)
        if (strcmp(schema->columns[i].name, name) == 0)
            return i;
    return schema->count;
}

/* ---- rows of a map ---- */

static enum table odd_table;
static int readings, odd_from; /* rows of the table so far; the first that is odd */

static bool
is_odd(const struct schema *schema)
{
    return schema->table == odd_table && ++readings >= odd_from;
}

static void
break_key(const struct schema *schema, struct row *row, struct field *fields)
{
    (void)fields;
    if (is_odd(schema))
        (void)snprintf(row->id.key, sizeof row->id.key, "no key");
}

static void
put_field(const struct schema *schema, struct field *fields, const char *column, struct field field)
{
    const size_t at = column_at(schema, column);

    if (at < schema->count)
        fields[at] = field;
}

static void
blank_url(const struct schema *schema, struct row *row, struct field *fields)
{
    (void)row;
    put_field(schema, fields, "EXTERNALENVIRONMENTURL", (struct field){.is_null = true});
}

static void
null_status(const struct schema *schema, struct row *row, struct field *fields)
{
    (void)row;
    put_field(schema, fields, "STATUS", (struct field){.is_null = true});
}

static void
long_status(const struct schema *schema, struct row *row, struct field *fields)
{
    (void)row;
    put_field(schema, fields, "STATUS",
              (struct field){.bytes = slice_of_string("000000000000000000000001")});
}

static void
wordy_status(const struct schema *schema, struct row *row, struct field *fields)
{
    (void)row;
    put_field(schema, fields, "STATUS", (struct field){.bytes = slice_of_string("some")});
}

static void
no_status_column(struct axdb_evidence *evidence)
{
    static struct column columns[16];
    struct schema *schema = &evidence->tables[TABLE_PROJECT].schema;

    assert(schema->count <= sizeof columns / sizeof columns[0]);
    memcpy(columns, schema->columns, schema->count * sizeof *columns);
    columns[column_at(schema, "STATUS")].name = "STATE";
    schema->columns = columns;
}

/** Two project rows of the map and one of another; a dry run of its repair. */
static void
look_at_map(struct arena *arena)
{
    struct run_request request = fake_request();

    readings = 0;
    request.map = "Customers V3:accounts";
    request.dry_run = true;
    run_repair_map(&request, &world.ports, arena, &outcome);
    assert_int_equal(world.violations, 0);
    assert_int_equal(fake_world_rows(&world), 9);
}

static void
a_row_of_a_map_without_a_key_is_nobodys(void **state)
{
    static const struct {
        enum table table;
        int from; /* readings: the map's rows, then those of other maps, then field rows */
    } cases[] = {{TABLE_PROJECT, 1}, {TABLE_PROJECT, 4}, {TABLE_FIELD, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);

        fake_world_init(&world);
        world.patch_row = break_key;
        odd_table = cases[i].table;
        odd_from = cases[i].from;
        look_at_map(arena);
        assert_int_equal(outcome.exit_status, 14);
        assert_non_null(strstr(outcome.err.primary, "no key is not a key of an AxDB row"));
    }
}

static void
what_a_row_of_a_map_does_not_say_is_shown_as_that(void **state)
{
    static const struct {
        void (*row)(const struct schema *schema, struct row *row, struct field *fields);
        void (*axdb)(struct axdb_evidence *evidence);
        const char *host;
    } cases[] = {{null_status, NULL, "contoso-prod.crm4.dynamics.com"},
                 {long_status, NULL, "contoso-prod.crm4.dynamics.com"},
                 {wordy_status, NULL, "contoso-prod.crm4.dynamics.com"},
                 {NULL, no_status_column, "contoso-prod.crm4.dynamics.com"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);

        fake_world_init(&world);
        world.patch_row = cases[i].row;
        world.patch_axdb = cases[i].axdb;
        look_at_map(arena);
        assert_int_equal(outcome.exit_status, 0);
        assert_int_equal(outcome.map_rows[0].status, -1);
        assert_string_equal(outcome.map_rows[0].host, cases[i].host);
    }
}

/** The operator is shown a row without a host, and one of the own organization. */
static void
the_rows_of_a_map_are_shown_with_whom_they_name(void **state)
{
    static const struct {
        bool own;
        const char *said;
    } cases[] = {{false, ", no host\n"}, {true, "(its own organization!)\n"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();

        fake_world_init(&world);
        world.patch_row = cases[i].own ? NULL : blank_url;
        world.tables[TABLE_PROJECT].rows[0].own = cases[i].own;
        world.op.present = true;
        request.yes = false;
        request.rows_name_this_environment = true;
        request.map = "Customers V3:accounts";
        run_repair_map(&request, &world.ports, arena, &outcome);
        assert_non_null(strstr(world.shown, cases[i].said));
        assert_int_equal(fake_world_rows(&world), 9); /* nobody typed anything */
    }
}

static void
a_map_has_as_many_rows_as_it_has(void **state)
{
    static const char *const longer = "Customers V3:";
    char map[1200];

    (void)state;
    {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();

        fake_world_init(&world);
        for (int i = 3; i < 60; i++)
            for (int table = TABLE_FIELD; table <= TABLE_PROJECT; table++)
                world.tables[table].rows[i - 1] = (struct fake_row){.recid = i};
        world.tables[TABLE_PROJECT].count = world.tables[TABLE_FIELD].count = 59;
        request.map = "Customers V3:accounts";
        run_confirmed(run_repair_map, &world, &request, arena, &outcome);
        assert_int_equal(outcome.exit_status, 0);
        assert_int_equal(outcome.map_row_count, 58);
        assert_int_equal(world.tables[TABLE_PROJECT].count, 1);
        assert_int_equal(world.violations, 0);
    }
    for (size_t at = 0; at < 2; at++) { /* a name that no column holds */
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();

        memset(map, 'x', sizeof map);
        memcpy(map + (at ? 0 : 600), longer, strlen(longer));
        map[sizeof map - 1] = '\0';
        fake_world_init(&world);
        request.map = map;
        run_repair_map(&request, &world.ports, arena, &outcome);
        assert_int_equal(outcome.exit_status, 64);
        assert_int_equal(world.axdb_connects, 0);
    }
}

/* ---- rows that are locked ---- */

static void
begin_to_break(enum fake_moment moment)
{
    if (moment == FAKE_BEFORE_LOCK)
        odd_from = 1;
}

static void
a_row_under_the_lock_without_a_key_is_not_deleted(void **state)
{
    static const char *const channels[] = {"DualWrite"};
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();

    (void)state;
    fake_world_init(&world);
    world.other_channel = "Other";
    world.patch_row = break_key;
    world.happens = begin_to_break;
    odd_table = TABLE_EVENTS;
    odd_from = 1000;
    readings = 0;
    request.channels = channels;
    request.channel_count = 1;
    run_confirmed(run_clean, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 14);
    assert_non_null(strstr(outcome.err.primary, "no key is not a key of an AxDB row"));
    assert_int_equal(fake_world_rows(&world), 9);
    assert_int_equal(world.violations, 0);
}

/* ---- more rows than there may be ---- */

static bool (*connect_once)(struct axdb_server *server, const char *run_id, struct axdb_store **ret,
                            struct err *err);
static bool (*read_once)(struct axdb_store *store, const struct schema *schema,
                         const struct row_sink *sink, struct err *err);
static struct axdb_store_ops many_ops;
static const struct row_sink *many_to;
static int64_t many_rows;
static bool locked_only; /* under the locks */

/** The first row of the map again and again, each time with another key. */
static bool
repeat_row(void *ctx, const struct row *row, struct err *err)
{
    struct row again = *row;

    (void)ctx;
    for (int64_t i = 0; i < many_rows; i++) {
        (void)snprintf(again.id.key, sizeof again.id.key, "5637144576:%" PRId64, 1000 + i);
        if (!many_to->take(many_to->ctx, &again, err))
            return false;
    }
    return err_set(err, ERR_SERVER, "that many rows were taken");
}

static bool
read_many(struct axdb_store *store, const struct schema *schema, const struct row_sink *sink,
          struct err *err)
{
    const struct row_sink first = {.take = repeat_row};

    many_to = sink;
    return read_once(
        store, schema,
        locked_only && (odd_from != 1 || schema->table != TABLE_EVENTS) ? sink : &first, err);
}

static bool
connect_many(struct axdb_server *server, const char *run_id, struct axdb_store **ret,
             struct err *err)
{
    if (!connect_once(server, run_id, ret, err))
        return false;
    many_ops = *(*ret)->ops;
    read_once = many_ops.read_rows;
    many_ops.read_rows = read_many;
    (*ret)->ops = &many_ops;
    return true;
}

static void
a_map_has_at_most_ten_thousand_rows(void **state)
{
    static const struct {
        int64_t rows;
        const char *said;
    } cases[] = {{10000, "that many rows were taken"},
                 {10001, "the map has more than 10000 project rows"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)16 * MEGABYTE);

        fake_world_init(&world);
        connect_once = world.axdb_server.connect;
        world.axdb_server.connect = connect_many;
        many_rows = cases[i].rows;
        look_at_map(arena);
        assert_int_equal(outcome.exit_status, 14);
        assert_non_null(strstr(outcome.err.primary, cases[i].said));
    }
}

static void
a_part_of_a_table_has_at_most_four_million_rows(void **state)
{
    static const char *const channels[] = {"DualWrite"};
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();

    (void)state;
    fake_world_init(&world);
    world.other_channel = "Other";
    connect_once = world.axdb_server.connect;
    world.axdb_server.connect = connect_many;
    world.happens = begin_to_break;
    odd_from = 1000;
    many_rows = 4000001;
    locked_only = true;
    request.channels = channels;
    request.channel_count = 1;
    run_confirmed(run_clean, &world, &request, arena, &outcome);
    locked_only = false;
    assert_int_equal(outcome.exit_status, 1);
    assert_non_null(strstr(outcome.err.primary, "more than 4000000 rows to delete a part of"));
    assert_int_equal(fake_world_rows(&world), 9);
}

/* ---- documents of Dataverse ---- */

static bool odd_now, odd_then; /* what Dataverse hands out; what the backup does */
static enum fake_moment odd_since;
static bool blank_version;

static void
begin_to_be_odd(enum fake_moment moment)
{
    odd_now = odd_now || moment == odd_since;
}

static void
halve_document(const struct schema *schema, struct row *row, struct field *fields)
{
    (void)fields;
    if (schema->table != TABLE_RUNTIME || !odd_now || odd_then == world.reading_dataverse)
        return;
    if (blank_version)
        row->id.version[0] = '\0';
    else
        row->count = 0;
}

/** From a moment on, rows of Dataverse, or of the backup, come without their document. */
static void
set_odd(enum fake_moment since, bool then)
{
    fake_world_init(&world);
    world.patch_row = halve_document;
    world.happens = begin_to_be_odd;
    odd_since = since;
    odd_now = blank_version = false;
    odd_then = then;
}

static void
what_has_no_document_is_never_taken_for_the_same_row(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct run_request request = fake_request();
        const bool unversioned = i > 2;

        set_odd(unversioned ? FAKE_BEFORE_LOOK : FAKE_BEFORE_PURGE, i % 2);
        blank_version = i == 2;
        world.no_versions = request.allow_no_etag = unversioned;
        world.stamps = 1;
        if (unversioned) {
            world.change_at = FAKE_BEFORE_LOOK;
            world.change_table = TABLE_RUNTIME;
            world.change = FAKE_STAMPS;
        }
        run_confirmed(run_clean, &world, &request, arena, &outcome);
        assert_int_equal(outcome.exit_status, 3);
        assert_int_equal(outcome.tables[TABLE_RUNTIME].changed_rows, 1);
        assert_int_equal(world.tables[TABLE_RUNTIME].count, 1);
        assert_int_equal(world.violations, 0);
    }
}

static void
undo_takes_no_row_without_a_document_for_the_backups(void **state)
{
    (void)state;
    for (int then = 0; then < 2; then++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct run_request request = fake_request();

        set_odd(FAKE_NEVER, then);
        const struct fake_table rows = world.tables[TABLE_RUNTIME];

        run_confirmed(run_clean, &world, &request, arena, &outcome);
        assert_int_equal(outcome.exit_status, 0);
        world.tables[TABLE_RUNTIME] = rows;
        world.tables[TABLE_RUNTIME].count = 1;
        fake_world_next(&world);
        request = fake_request();
        request.run = world.runs[0].id;
        request.axdb = false;
        request.merge = request.dry_run = true;
        odd_now = true;
        run_undo(&request, &world.ports, arena, &outcome);
        assert_int_equal(outcome.tables[TABLE_RUNTIME].differing_rows, 1);
        assert_int_equal(outcome.tables[TABLE_RUNTIME].present_rows, 0);
        if (!then)
            continue;
        /* and none is sent when the backup has become another meanwhile */
        request.dry_run = odd_now = false;
        odd_since = FAKE_BEFORE_RETURN;
        run_confirmed(run_undo, &world, &request, arena, &outcome);
        assert_int_equal(outcome.err.code, ERR_STORAGE);
        assert_non_null(strstr(outcome.err.primary, "not what it was"));
        assert_int_equal(world.tables[TABLE_RUNTIME].count, 1);
    }
}

static void
a_row_is_named_once_however_often_it_is_told(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();

    (void)state;
    fake_world_init(&world);
    world.tables[TABLE_RUNTIME].count = 1;
    world.removal = REMOVAL_FAILED;
    world.tells_twice = true;
    run_confirmed(run_clean, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 3);
    assert_int_equal(outcome.removal_count, 1);
    assert_int_equal(world.tables[TABLE_RUNTIME].count, 1);

    fake_world_init(&world);
    world.tables[TABLE_RUNTIME].count = 1;
    request = fake_request();
    run_confirmed(run_clean, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 0);
    fake_world_next(&world);
    request = fake_request();
    request.run = world.runs[0].id;
    world.return_state = RETURN_FAILED;
    world.tells_twice = true;
    run_confirmed(run_undo, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 3);
    assert_int_equal(outcome.return_count, 1);
}

static void
a_list_that_begins_anew_counts_each_row_once(void **state)
{
    static const struct {
        int besides;
        bool anew;
        size_t listed;
    } cases[] = {{3, false, 3}, {3, true, 3}, {1200, false, 1000}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
        struct run_request request = fake_request();

        fake_world_init(&world);
        world.change_at = FAKE_BEFORE_PURGE; /* one is there for all to see */
        world.change_table = TABLE_RUNTIME;
        world.change = FAKE_ADDS;
        world.listed_besides = cases[i].besides;
        world.lists_anew = cases[i].anew;
        run_confirmed(run_clean, &world, &request, arena, &outcome);
        assert_int_equal(outcome.exit_status, 3);
        assert_int_equal(outcome.tables[TABLE_RUNTIME].new_rows,
                         cases[i].besides + (cases[i].anew ? 0 : 1));
        assert_int_equal(outcome.written_after_count, cases[i].listed + (i == 0));
        assert_string_equal(outcome.written_after[i == 0].name,
                            i == 0 ? "besides" : outcome.written_after[0].name);
    }
}

/* ---- the catalog under the locks ---- */

static int catalog_case;
static const char *const appears[] = {"TR_NEW"};

static void
change_catalog(struct axdb_table_evidence tables[AXDB_TABLES])
{
    struct axdb_table_evidence *table = &tables[TABLE_EVENTS];
    const struct named_list list = {.known = true, .names = appears, .count = 1};

    switch (catalog_case) {
    case 0:
        table->exists = false;
        break;
    case 1:
        table->fault = "is a view";
        break;
    case 2:
        table->triggers = list;
        break;
    case 3:
        table->foreign_keys = list;
        break;
    case 4:
        table->policies = list;
        break;
    default:
        break;
    }
}

static void
what_changes_in_the_catalog_under_the_locks_stops_the_run(void **state)
{
    (void)state;
    for (catalog_case = 0; catalog_case < 6; catalog_case++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct run_request request = fake_request();

        fake_world_init(&world);
        world.patch_catalog = change_catalog;
        run_confirmed(run_clean, &world, &request, arena, &outcome);
        assert_int_equal(world.violations, 0);
        assert_int_equal(outcome.exit_status, catalog_case < 5 ? 5 : 0);
        assert_int_equal(fake_world_rows(&world), catalog_case < 5 ? 9 : 0);
        if (catalog_case < 5)
            assert_non_null(strstr(outcome.err.primary, "changed since the plan"));
    }
}

/** Keys that the login does not see may reach tables that are to stay. */
static void
see_no_keys(struct axdb_evidence *evidence)
{
    for (int i = 0; i < AXDB_TABLES; i++)
        evidence->tables[i].foreign_keys.known = false;
}

static void
see_no_keys_locked(struct axdb_table_evidence tables[AXDB_TABLES])
{
    for (int i = 0; i < AXDB_TABLES; i++)
        tables[i].foreign_keys.known = false;
}

static void
tables_that_a_key_may_reach_are_watched(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();

    (void)state;
    fake_world_init(&world);
    world.patch_axdb = see_no_keys;
    world.patch_catalog = see_no_keys_locked;
    request.allow_triggers = true;
    request.map = "Customers V3:accounts";
    world.change_at = FAKE_BEFORE_DELETE;
    world.change_table = TABLE_EVENTS;
    world.change = FAKE_CHANGES;
    run_confirmed(run_repair_map, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 14);
    assert_non_null(strstr(outcome.err.primary, "was to stay as it is"));
    assert_int_equal(fake_world_rows(&world), 9);
    assert_int_equal(world.violations, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_of_a_map_without_a_key_is_nobodys),
        cmocka_unit_test(what_a_row_of_a_map_does_not_say_is_shown_as_that),
        cmocka_unit_test(the_rows_of_a_map_are_shown_with_whom_they_name),
        cmocka_unit_test(a_map_has_as_many_rows_as_it_has),
        cmocka_unit_test(a_row_under_the_lock_without_a_key_is_not_deleted),
        cmocka_unit_test(a_map_has_at_most_ten_thousand_rows),
        cmocka_unit_test(a_part_of_a_table_has_at_most_four_million_rows),
        cmocka_unit_test(what_has_no_document_is_never_taken_for_the_same_row),
        cmocka_unit_test(undo_takes_no_row_without_a_document_for_the_backups),
        cmocka_unit_test(a_row_is_named_once_however_often_it_is_told),
        cmocka_unit_test(a_list_that_begins_anew_counts_each_row_once),
        cmocka_unit_test(what_changes_in_the_catalog_under_the_locks_stops_the_run),
        cmocka_unit_test(tables_that_a_key_may_reach_are_watched),
    };

    return cmocka_run_group_tests_name("core/odd_rows", tests, NULL, NULL);
}
