/**
 * Many rows. With DWCLEAN_TEST_THROTTLED the sandbox limits requests as the service does, on a
 * scaled clock: the purge must end, wait when told to, and reach a good part of what the limits
 * allow. Without it: memory must not grow with the table.
 */
#include "runtime_sandbox.h"

#include <inttypes.h>
#include <sys/resource.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED
#endif

enum { LARGE_ROWS_MAX = 200000, RESIDENT_MAX_KB = 48 * 1024 };

/** As little of each row as a purge needs. */
struct many {
    struct runtime_ref *rows;
    char (*etags)[24];
    unsigned char *outcomes;
    size_t count, announced, done, gone, other, bytes;
    struct runtime_pace pace;
};

static struct many many;
static size_t seen; /* by the sink of an observation */

static bool
take_many(void *ctx, const struct row *row, struct err *err)
{
    struct many *taken = ctx;

    if (taken->count == LARGE_ROWS_MAX || strlen(row->id.version) >= sizeof taken->etags[0])
        return err_set(err, ERR_INTERNAL, "more than expected");
    if (taken->count > 0)
        assert_true(strcmp(taken->rows[taken->count - 1].key, row->id.key) < 0);
    (void)snprintf(taken->etags[taken->count], sizeof taken->etags[0], "%.23s", row->id.version);
    (void)snprintf(taken->rows[taken->count].key, sizeof taken->rows[0].key, "%.36s", row->id.key);
    taken->rows[taken->count].etag = taken->etags[taken->count];
    taken->bytes += row->fields[0].bytes.size;
    taken->count++;
    return true;
}

static bool
see_row(void *ctx, const struct runtime_row *row, struct err *err)
{
    (void)ctx;
    (void)err;
    assert_int_equal(strlen(row->key), 36);
    seen++;
    return true;
}

static bool
announce_many(void *ctx, const struct runtime_ref *const *rows, size_t count, struct err *err)
{
    struct many *told_of = ctx;

    (void)rows;
    (void)err;
    told_of->announced += count;
    return true;
}

static bool
settle_many(void *ctx, const struct removal *removal, struct err *err)
{
    struct many *told_of = ctx;
    const size_t index = (size_t)(removal->row - told_of->rows);

    (void)err;
    assert_true(index < told_of->announced);
    assert_int_equal(told_of->outcomes[index]++, 0);
    told_of->done += removal->state == REMOVAL_DONE;
    told_of->gone += removal->state == REMOVAL_GONE;
    told_of->other += removal->state != REMOVAL_DONE && removal->state != REMOVAL_GONE;
    return true;
}

static void
note_pace(void *ctx, const struct runtime_pace *pace)
{
    struct many *told_of = ctx;

    told_of->pace = *pace;
}

static long
resident_kb(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

static int
set_up_many(void **state)
{
    memset(&many, 0, sizeof many);
    many.rows = malloc(LARGE_ROWS_MAX * sizeof *many.rows);
    many.etags = malloc(LARGE_ROWS_MAX * sizeof *many.etags);
    many.outcomes = calloc(LARGE_ROWS_MAX, 1);
    return many.rows && many.etags && many.outcomes ? set_up(state) : -1;
}

static int
tear_down_many(void **state)
{
    free(many.rows);
    free(many.etags);
    free(many.outcomes);
    return tear_down(state);
}

static void
read_many(void)
{
    const struct row_sink sink = {.ctx = &many, .take = take_many};
    struct err err = {0};

    expect(store->ops->read_rows(store, &sink, &err), &err);
}

static void
remove_many(void)
{
    const struct removal_sink sink = {
        .ctx = &many, .intent = announce_many, .outcome = settle_many, .progress = note_pace};
    struct err err = {0};

    expect(store->ops->remove(store, many.rows, many.count, &sink, &err), &err);
    assert_int_equal(many.done + many.gone, many.count);
    assert_int_equal(many.announced, many.count);
}

/** Nobody wants each row in order: what is kept and counted is the same, and most rows are read
 * once. */
static void
assert_seen_alike(const struct runtime_evidence *whole)
{
    struct runtime_evidence few;

    control("DELETE", "/log", NULL, NULL);
    few = observe();
    assert_int_equal(few.row_count, whole->row_count);
    assert_int_equal(few.rows_without_etag, whole->rows_without_etag);
    assert_string_equal(few.first_created, whole->first_created);
    assert_string_equal(few.last_created, whole->last_created);
    assert_int_equal(few.kept_count, whole->kept_count);
    for (size_t i = 0; i < few.kept_count; i++) {
        assert_string_equal(few.rows[i].key, whole->rows[i].key);
        assert_string_equal(few.rows[i].etag, whole->rows[i].etag);
        assert_string_equal(few.rows[i].name, whole->rows[i].name);
        assert_string_equal(few.rows[i].created_on, whole->rows[i].created_on);
        assert_int_equal(few.rows[i].active, whole->rows[i].active);
    }
    assert_int_equal(count_in_log("PropertyValues"), 1);
}

static void
memory_does_not_grow_with_the_table(void **state)
{
    const struct runtime_row_sink sink = {.take = see_row};
    struct runtime_evidence evidence = {0};
    struct err err = {0};
    int64_t start_ms = clock_monotonic_ms();

    (void)state;
    open_store();
    expect(store->ops->observe(store, arena, &sink, &evidence, &err), &err);
    assert_int_equal(evidence.kept_count, RUNTIME_ROWS_KEPT);
    assert_int_equal(evidence.row_count, seen);
    print_message("observed %zu rows in %" PRId64 " ms, %ld KB\n", seen,
                  clock_monotonic_ms() - start_ms, resident_kb());
    assert_seen_alike(&evidence);
    start_ms = clock_monotonic_ms();
    read_many();
    assert_int_equal(many.count, seen);
    print_message("read %zu rows, %zu bytes in %" PRId64 " ms, %ld KB\n", many.count, many.bytes,
                  clock_monotonic_ms() - start_ms, resident_kb());
    control("DELETE", "/log", NULL, NULL);
    start_ms = clock_monotonic_ms();
    remove_many();
    print_message("removed them in %" PRId64 " ms, %ld KB, cap %d, batch %d\n",
                  clock_monotonic_ms() - start_ms, resident_kb(), many.pace.concurrency,
                  many.pace.batch_rows);
#ifndef SANITIZED
    assert_true(resident_kb() < RESIDENT_MAX_KB);
#endif
    assert_int_equal(observe().row_count, 0);
}

/** The sandbox's setting of this name, a number. */
static double
number_of(const char *name)
{
    TEXT_SCOPED settings = {0};
    char member[64];
    const char *at;

    control("GET", "/dataverse/settings", NULL, &settings);
    (void)snprintf(member, sizeof member, "\"%s\":", name);
    at = strstr(text_string(&settings), member);
    assert_non_null(at);
    return strtod(at + strlen(member), NULL);
}

static void
a_purge_keeps_to_the_limits_and_uses_them(void **state)
{
    struct dataverse_options options = right_options();
    const int scale = (int)number_of("time_scale");
    double servers;
    double row_seconds;
    double ceiling;
    double rate;
    int64_t start_ms;
    int throttled;
    int blocked;

    (void)state;
    options.time_scale = scale;
    options.fast = getenv("DWCLEAN_TEST_FAST") != NULL; /* NOLINT(concurrency-mt-unsafe) */
    open_store_with(&options);
    read_many();
    set(variable("DWCLEAN_TEST_THROTTLED"));
    servers = number_of("servers");
    row_seconds = number_of("row_seconds");
    control("DELETE", "/log", NULL, NULL);
    start_ms = clock_monotonic_ms();
    remove_many();
    rate = (double)many.count * 1000.0 /
           (double)((clock_monotonic_ms() - start_ms) * scale); /* of the service's seconds */
    ceiling = servers * 4.0 / row_seconds;
    throttled = count_in_log("\"status\":\"429\"");
    blocked = count_in_log("\"blocked\":\"yes\"");
    print_message("%zu rows: %.1f rows/s of the service's time, %.2f of the steady limit, "
                  "%d answers with 429, %d arrivals while blocked, %d requests, cap %d, batch %d\n",
                  many.count, rate, rate / ceiling, throttled, blocked,
                  count_in_log("\"method\":\"POST\""), many.pace.concurrency, many.pace.batch_rows);
    assert_int_equal(observe().row_count, 0);
    assert_true(rate / ceiling > 0.6);
    /* Nothing is sent once a 429 has come: only what was under way may arrive while blocked. */
    assert_true(blocked <= throttled);
}

int
main(void)
{
    const struct CMUnitTest memory[] = {
        cmocka_unit_test_setup_teardown(memory_does_not_grow_with_the_table, set_up_many,
                                        tear_down_many),
    };
    const struct CMUnitTest limits[] = {
        cmocka_unit_test_setup_teardown(a_purge_keeps_to_the_limits_and_uses_them, set_up_many,
                                        tear_down_many),
    };

    if (getenv("DWCLEAN_TEST_THROTTLED")) /* NOLINT(concurrency-mt-unsafe) */
        return cmocka_run_group_tests_name("runtime_limits", limits, NULL, NULL);
    return cmocka_run_group_tests_name("runtime_memory", memory, NULL, NULL);
}
