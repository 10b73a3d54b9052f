#include "backup/plan_ndjson.h"
#include "backup_sample.h"
#include "base/file.h"
#include "scratch.h"

#include <dirent.h>
#include <unistd.h>

static const char plan_id[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
enum { PLAN_ROWS = 5000 };

struct place {
    char directory[PATH_MAX];
    char path[PATH_MAX];
    struct plan_file *plan;
};

static const struct plan_header header = {
    .server = "tcp:sql.example.com,1433",
    .database = "AxDB \"x\"\n",
    .database_created = "2026-01-02T03:04:05.000",
    .recovery_fork = "6F9619FF-8B86-D011-B42D-00CF4FC964FF",
    .organization_id = "",
    .organization_name = "",
    .organization_host = "org.crm4.dynamics.com",
    .scope = "channels=all",
    .created_utc_ms = 1763759069123,
    .expires_utc_ms = 1763845469123,
};

static int
set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    struct err err;

    assert_non_null(place);
    scratch_make(place->directory);
    (void)scratch_path(place->directory, "plan.ndjson", place->path);
    assert_true(plan_ndjson_new(place->path, &place->plan, &err));
    *state = place;
    return 0;
}

static int
tear_down(void **state)
{
    struct place *place = *state;
    plan_ndjson_free(place->plan);
    scratch_remove(place->directory);
    free(place);
    return 0;
}

static struct row_id
planned_row(int i)
{
    struct row_id row = {.table = TABLE_EVENTS};
    (void)snprintf(row.key, sizeof(row.key), "5637144576:%d", i);
    (void)snprintf(row.version, sizeof(row.version), "W/\"%d\"", i);
    row.digest = digest_of(row.key, strlen(row.key));
    return row;
}

static void
write_plan(struct plan_file *plan, int rows)
{
    struct err err;

    assert_true(plan->ops->begin(plan, &header, &err));
    assert_true(plan->ops->add_schema(plan, &sample_schema, &err));
    for (int i = 0; i < rows; i++) {
        const struct row_id row = planned_row(i);
        assert_true(plan->ops->add(plan, &row, &err));
    }
    assert_true(plan->ops->end(plan, plan_id, &err));
}

struct seen {
    int headers, schemas, rows;
};

static bool
take_header(void *ctx, const struct plan_header *found, struct err *err)
{
    struct seen *seen = ctx;
    (void)err;
    seen->headers++;
    assert_string_equal(found->server, header.server);
    assert_string_equal(found->database, header.database);
    assert_string_equal(found->database_created, header.database_created);
    assert_string_equal(found->recovery_fork, header.recovery_fork);
    assert_string_equal(found->organization_id, "");
    assert_string_equal(found->organization_name, "");
    assert_string_equal(found->organization_host, header.organization_host);
    assert_string_equal(found->scope, header.scope);
    assert_true(found->created_utc_ms == header.created_utc_ms);
    assert_true(found->expires_utc_ms == header.expires_utc_ms);
    return true;
}

static bool
take_schema(void *ctx, const struct schema *schema, struct err *err)
{
    struct seen *seen = ctx;
    (void)err;
    seen->schemas++;
    assert_int_equal(schema->table, TABLE_PROJECT);
    assert_int_equal(schema->count, SAMPLE_COLUMNS);
    assert_string_equal(schema->columns[1].name, "NOTE");
    return true;
}

static bool
take_row(void *ctx, const struct row_id *row, struct err *err)
{
    struct seen *seen = ctx;
    const struct row_id expected = planned_row(seen->rows);
    (void)err;
    assert_int_equal(row->table, expected.table);
    assert_string_equal(row->key, expected.key);
    assert_string_equal(row->version, expected.version);
    assert_true(digest_equal(&row->digest, &expected.digest));
    seen->rows++;
    return true;
}

static void
a_plan_is_read_back_as_it_was_written(void **state)
{
    const struct place *place = *state;
    struct seen seen = {0};
    const struct plan_sink sink = {
        .ctx = &seen, .header = take_header, .schema = take_schema, .row = take_row};
    struct plan_end end = {0};
    struct err err;

    write_plan(place->plan, PLAN_ROWS);
    assert_true(plan_ndjson_read(place->path, &sink, &end, &err));
    assert_int_equal(seen.headers, 1);
    assert_int_equal(seen.schemas, 1);
    assert_int_equal(seen.rows, PLAN_ROWS);
    assert_int_equal(end.rows, PLAN_ROWS);
    assert_string_equal(end.plan_id, plan_id);
    assert_int_equal(scratch_mode(place->path), 0600);
}

static void
a_plan_has_its_name_only_when_it_is_whole(void **state)
{
    const struct place *place = *state;
    const struct row_id row = planned_row(1);
    char temporary[PATH_MAX];
    struct err err;

    assert_true(place->plan->ops->begin(place->plan, &header, &err));
    assert_true(place->plan->ops->add(place->plan, &row, &err));
    assert_int_equal(access(place->path, F_OK), -1);
    assert_int_equal(access(scratch_path(place->directory, "plan.ndjson.tmp", temporary), F_OK), 0);
    assert_true(place->plan->ops->end(place->plan, plan_id, &err));
    assert_int_equal(access(place->path, F_OK), 0);
    assert_int_equal(access(temporary, F_OK), -1);
}

static void
any_changed_byte_before_the_end_is_found_before_anything_is_handed_over(void **state)
{
    const struct place *place = *state;
    size_t size = 0;

    write_plan(place->plan, 3);
    char *bytes = scratch_read(place->path, &size);
    const size_t covered = (size_t)((char *)memrchr(bytes, '\n', size - 1) - bytes) + 1;
    for (size_t i = 0; i < covered; i++) {
        struct seen seen = {0};
        const struct plan_sink sink = {
            .ctx = &seen, .header = take_header, .schema = take_schema, .row = take_row};
        struct plan_end end = {.rows = -1};
        struct err err = {0};
        bytes[i] = (char)(bytes[i] ^ 2);
        scratch_write(place->path, bytes, size);
        bytes[i] = (char)(bytes[i] ^ 2);
        assert_false(plan_ndjson_read(place->path, &sink, &end, &err));
        assert_int_equal(err.code, ERR_STORAGE);
        assert_non_null(strstr(err.primary, "plan.ndjson"));
        assert_int_equal(seen.headers + seen.schemas + seen.rows, 0);
        assert_int_equal(end.rows, -1);
    }
    free(bytes);
}

static void
a_plan_that_is_cut_off_or_longer_is_refused(void **state)
{
    const struct place *place = *state;
    struct plan_end end = {0};
    struct err err = {0};
    size_t size = 0;

    write_plan(place->plan, 3);
    char *bytes = scratch_read(place->path, &size);
    for (size_t cut = 0; cut < size; cut++) {
        scratch_write(place->path, bytes, cut);
        assert_false(plan_ndjson_read(place->path, NULL, &end, &err));
        assert_int_equal(err.code, ERR_STORAGE);
    }
    scratch_write(place->path, bytes, size);
    assert_true(plan_ndjson_read(place->path, NULL, &end, &err));
    const int fd = open(place->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    scratch_fill(fd, "{}\n", 3);
    assert_int_equal(close(fd), 0);
    assert_false(plan_ndjson_read(place->path, NULL, &end, &err));
    assert_non_null(strstr(err.primary, "stands behind the last line"));
    free(bytes);
}

static void
a_row_count_that_does_not_fit_is_found(void **state)
{
    const struct place *place = *state;
    struct seen seen = {0};
    const struct plan_sink sink = {
        .ctx = &seen, .header = take_header, .schema = take_schema, .row = take_row};
    struct plan_end end = {0};
    struct err err = {0};
    size_t size = 0;

    write_plan(place->plan, 3);
    char *bytes = scratch_read(place->path, &size);
    char *rows = strstr(bytes, "\"rows\":\"3\"");
    assert_non_null(rows);
    rows[8] = '4';
    scratch_write(place->path, bytes, size);
    free(bytes);
    assert_false(plan_ndjson_read(place->path, &sink, &end, &err));
    assert_non_null(strstr(err.primary, "holds 3 rows where its last line has 4"));
    assert_int_equal(seen.headers + seen.schemas + seen.rows, 0);
}

static void
calls_out_of_turn_and_a_bad_id_are_refused(void **state)
{
    const struct place *place = *state;
    const struct row_id row = planned_row(1);
    struct err err = {0};

    assert_false(place->plan->ops->add(place->plan, &row, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_true(place->plan->ops->begin(place->plan, &header, &err));
    assert_false(place->plan->ops->end(place->plan, "not an id", &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_false(place->plan->ops->end(place->plan, plan_id, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_int_equal(access(place->path, F_OK), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* ---- a saved plan, and a plan of --out */

static void
write_saved(struct plan_file *plan, int rows)
{
    struct schema schema = sample_schema;
    struct err err;

    schema.table = TABLE_EVENTS;
    assert_true(plan->ops->begin(plan, &header, &err));
    assert_true(plan->ops->add_schema(plan, &schema, &err));
    for (int i = 0; i < rows; i++) {
        const struct row_id row = planned_row(i);
        assert_true(plan->ops->add(plan, &row, &err));
    }
    assert_true(plan->ops->end(plan, plan_id, &err));
}

static void
a_saved_plan_is_read_row_by_row_and_again(void **state)
{
    struct place *place = *state;
    struct saved_plan *saved = NULL;
    struct row_id row;
    struct err err;
    bool end = false;

    write_saved(place->plan, PLAN_ROWS);
    assert_true(plan_ndjson_open(place->path, &saved, &err));
    assert_string_equal(saved->ops->plan_id(saved), plan_id);
    assert_string_equal(saved->ops->header(saved)->database, header.database);
    assert_string_equal(saved->ops->header(saved)->scope, header.scope);
    assert_null(saved->ops->schema(saved, TABLE_FIELD));
    struct schema schema = sample_schema;
    schema.table = TABLE_EVENTS;
    assert_true(schema_equal(saved->ops->schema(saved, TABLE_EVENTS), &schema));
    for (int round = 0; round < 2; round++) {
        assert_true(saved->ops->rewind(saved, &err));
        for (int i = 0; i < PLAN_ROWS; i++) {
            const struct row_id wanted = planned_row(i);
            assert_true(saved->ops->next(saved, &row, &end, &err));
            assert_false(end);
            assert_string_equal(row.key, wanted.key);
            assert_true(digest_equal(&row.digest, &wanted.digest));
            assert_string_equal(row.version, wanted.version);
        }
        assert_true(saved->ops->next(saved, &row, &end, &err));
        assert_true(end);
    }
    saved->ops->close(saved);
}

static void
a_plan_that_changes_while_it_is_read_is_found(void **state)
{
    struct place *place = *state;
    struct saved_plan *saved = NULL;
    struct row_id row;
    struct err err;
    bool end = false;
    bool ok = true;

    write_saved(place->plan, PLAN_ROWS);
    assert_true(plan_ndjson_open(place->path, &saved, &err));
    FILE *file = fopen(place->path, "r+e");
    assert_non_null(file);
    assert_int_equal(fseek(file, -1000, SEEK_END), 0);
    assert_int_equal(fwrite("7777", 1, 4, file), 4);
    assert_int_equal(fclose(file), 0);
    assert_true(saved->ops->rewind(saved, &err));
    while (ok && !end)
        ok = saved->ops->next(saved, &row, &end, &err);
    assert_false(ok);
    assert_int_equal(err.code, ERR_STORAGE);
    saved->ops->close(saved);
}

static void
a_plan_of_the_operator_never_replaces_and_leaves_no_half(void **state)
{
    struct place *place = *state;
    struct plan_file *plan = NULL;
    struct plan_file *rival = NULL;
    struct err err;
    char other[PATH_MAX];

    (void)scratch_path(place->directory, "out.ndjson", other);
    assert_true(plan_ndjson_new_out(other, &plan, &err));
    assert_true(plan_ndjson_new_out(other, &rival, &err));
    assert_true(plan->ops->begin(plan, &header, &err));
    plan_ndjson_free(plan); /* given up */
    assert_int_equal(access(other, F_OK), -1);
    write_saved(rival, 3);
    plan_ndjson_free(rival);
    assert_int_equal(access(other, F_OK), 0);
    assert_false(plan_ndjson_new_out(other, &plan, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    /* what came meanwhile stays too */
    assert_int_equal(unlink(other), 0);
    assert_true(plan_ndjson_new_out(other, &plan, &err));
    assert_true(plan->ops->begin(plan, &header, &err));
    assert_true(file_replace(other, "mine", 4, 0600, &err));
    assert_false(plan->ops->end(plan, plan_id, &err));
    plan_ndjson_free(plan);
    assert_true(plan_ndjson_new(place->path, &plan, &err)); /* as tear_down wants it */
    plan_ndjson_free(plan);
    char *bytes = NULL;
    size_t size = 0;
    assert_true(file_read(other, 100, &bytes, &size, &err));
    assert_string_equal(bytes, "mine");
    free(bytes);
    assert_int_equal(unlink(other), 0);
    int left = 0;
    DIR *directory = opendir(place->directory);
    assert_non_null(directory);
    const struct dirent *entry = NULL;
    while ((entry = readdir(directory)) != NULL) /* NOLINT(concurrency-mt-unsafe): one thread */
        left += entry->d_name[0] != '.';
    (void)closedir(directory);
    assert_int_equal(left, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plan_is_read_back_as_it_was_written),
        TEST(a_plan_has_its_name_only_when_it_is_whole),
        TEST(any_changed_byte_before_the_end_is_found_before_anything_is_handed_over),
        TEST(a_plan_that_is_cut_off_or_longer_is_refused),
        TEST(a_row_count_that_does_not_fit_is_found),
        TEST(calls_out_of_turn_and_a_bad_id_are_refused),
        TEST(a_saved_plan_is_read_row_by_row_and_again),
        TEST(a_plan_that_changes_while_it_is_read_is_found),
        TEST(a_plan_of_the_operator_never_replaces_and_leaves_no_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
