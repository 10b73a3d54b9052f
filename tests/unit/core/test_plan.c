#include "core/plan.h"
#include "core/seal.h"
#include "fake_plan.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { MEGABYTE = 1048576, MANY = 2000 };

/** A source with many rows, and a backup that counts them. */
struct many {
    struct axdb_store axdb;
    struct backup backup;
    struct observer observer;
    struct axdb_evidence seen;
    struct column column;
    int64_t rows;
    int told;
    int64_t last_told;
};

static struct many *current;

static bool
send_many(const struct row_sink *sink, int64_t count, struct err *err)
{
    for (int64_t i = 0; i < count; i++) {
        struct row row = {.id = {.table = TABLE_EVENTS}};

        (void)snprintf(row.id.key, sizeof row.id.key, "1:%d", (int)i + 1);
        if (!sink->take(sink->ctx, &row, err))
            return false;
    }
    return true;
}

static bool
read_rows(struct axdb_store *store, const struct schema *schema, const struct row_sink *sink,
          struct err *err)
{
    (void)store;
    (void)schema;
    return send_many(sink, current->rows, err);
}

static bool
begin_table(struct backup *backup, const struct schema *schema, struct err *err)
{
    (void)backup;
    (void)schema;
    (void)err;
    return true;
}

static bool
add(struct backup *backup, const struct row *row, struct err *err)
{
    (void)backup;
    (void)row;
    (void)err;
    return true;
}

static void
foresee(struct axdb_store *store, const struct axdb_foresight *foresight)
{
    (void)store;
    (void)foresight;
}

static bool
step(struct backup *backup, struct err *err)
{
    (void)backup;
    (void)err;
    return true;
}

static bool
read_back(struct backup *backup, enum table table, const struct row_sink *sink, struct err *err)
{
    (void)backup;
    (void)table;
    return send_many(sink, current->rows, err);
}

static void
progress(struct observer *observer, const char *what, int64_t done, int64_t total)
{
    (void)observer;
    (void)what;
    (void)total;
    current->told++;
    current->last_told = done;
}

static void
long_readings_are_told_every_thousand_rows_and_at_their_end(void **state)
{
    static const struct {
        int64_t rows;
        int planned, sealed; /* times that it is told of */
    } cases[] = {{999, 0, 0}, {1000, 1, 2}, {1500, 2, 4}, {MANY, 3, 4}};
    static const struct axdb_store_ops axdb_ops = {.foresee = foresee, .read_rows = read_rows};
    static const struct backup_ops backup_ops = {.begin_table = begin_table,
                                                 .add = add,
                                                 .end_table = step,
                                                 .close = step,
                                                 .read_back = read_back,
                                                 .seal = step};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct many many = {.axdb.ops = &axdb_ops,
                            .backup.ops = &backup_ops,
                            .observer = {.progress = progress},
                            .column = {.name = "RECID", .type_name = "bigint"},
                            .rows = cases[i].rows};
        const struct evidence evidence = {.axdb = &many.seen};
        const struct connections connections = {.axdb = &many.axdb};
        const struct scope scope = {.parts = {[TABLE_EVENTS] = SCOPE_WHOLE}, .text = ""};
        const struct row_source source = {.evidence = &evidence,
                                          .connections = &connections,
                                          .scope = &scope,
                                          .observer = &many.observer};
        struct axdb_identity *id = &many.seen.identity;
        struct sealed sealed;
        struct plan plan;
        struct err err = {0};

        current = &many;
        id->dialled = id->database = id->created = id->recovery_fork = "";
        many.seen.tables[TABLE_EVENTS].exists = true;
        many.seen.tables[TABLE_EVENTS].schema =
            (struct schema){.table = TABLE_EVENTS, .columns = &many.column, .count = 1};
        assert_true(plan_make(&source, NULL, &plan, &err));
        assert_int_equal(plan_rows(&plan), cases[i].rows);
        assert_int_equal(many.told, cases[i].planned);
        many.told = 0;
        assert_true(seal_backup(&plan, &source, &many.backup, &sealed, &err));
        assert_int_equal(many.told, cases[i].sealed);
        assert_int_equal(many.last_told, many.told ? cases[i].rows : many.last_told);
        plan_done(&plan);
    }
}

static void
a_plan_is_fresh_for_a_day(void **state)
{
    struct plan plan = {.expires_utc_ms = INT64_MAX};
    struct err err = {0};

    (void)state;
    assert_true(plan_is_fresh(&plan, &err));
    plan.expires_utc_ms = 1;
    assert_false(plan_is_fresh(&plan, &err));
    assert_int_equal(err.code, ERR_STALE);
    assert_non_null(strstr(err.primary, "older than 24 hours"));
}

/** Rows of a saved plan whose tables come twice, or have no columns, or whose rows are mixed. */
static void
a_saved_plan_whose_rows_are_not_in_order_is_not_read(void **state)
{
    static const enum table orders[][4] = {
        {TABLE_FIELD, TABLE_PROJECT, TABLE_FIELD, TABLE_PROJECT},
        {TABLE_EVENTS, TABLE_EVENTS, TABLE_RUNTIME, TABLE_RUNTIME}, /* has no columns */
    };

    (void)state;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        static struct fake_world world;
        static struct fake_plan saved;
        struct plan_summary summary;
        struct err err = {0};

        fake_world_init(&world);
        fake_plan_init(&saved, &world);
        saved.header = (struct plan_header){.server = "",
                                            .database = "",
                                            .database_created = "",
                                            .recovery_fork = "",
                                            .organization_id = "",
                                            .organization_name = "",
                                            .organization_host = "",
                                            .scope = ""};
        for (int table = 0; table < AXDB_TABLES; table++) {
            saved.has_table[table] = true;
            saved.schemas[table] = (struct schema){.table = (enum table)table};
        }
        for (int j = 0; j < 4; j++) {
            saved.rows[saved.count] = (struct row_id){.table = orders[i][j]};
            (void)snprintf(saved.rows[saved.count++].key, ROW_KEY_BYTES, "1:%d", j);
        }
        assert_false(plan_check_saved(&saved.saved, &summary, &err));
        assert_int_equal(err.code, ERR_STORAGE);
        assert_non_null(strstr(err.primary, "not in order"));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_readings_are_told_every_thousand_rows_and_at_their_end),
        cmocka_unit_test(a_plan_is_fresh_for_a_day),
        cmocka_unit_test(a_saved_plan_whose_rows_are_not_in_order_is_not_read),
    };

    return cmocka_run_group_tests_name("core/plan", tests, NULL, NULL);
}
