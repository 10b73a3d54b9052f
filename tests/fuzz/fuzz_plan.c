/* plan.ndjson. 'L' and lines: the last line, with its sum, is put behind them. Else damage to a
 * good plan: what is accepted has exactly the lines that were written. */
#include "backup/plan_ndjson.h"
#include "base/text.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 6 };

static const char plan_id[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/** Everything that a reader handed over, as one text. */
struct seen {
    struct text text;
    int64_t rows;
};

static bool
take_header(void *ctx, const struct plan_header *header, struct err *err)
{
    struct seen *seen = ctx;
    (void)err;
    FUZZ_MUST(seen->text.used == 0);
    text_printf(&seen->text, "%s|%s|%s|%s|%s|%s|%s|%s|%lld|%lld\n", header->server,
                header->database, header->database_created, header->recovery_fork,
                header->organization_id, header->organization_name, header->organization_host,
                header->scope, (long long)header->created_utc_ms,
                (long long)header->expires_utc_ms);
    return true;
}

static bool
take_schema(void *ctx, const struct schema *schema, struct err *err)
{
    struct seen *seen = ctx;
    (void)err;
    FUZZ_MUST((unsigned)schema->table < TABLES);
    text_printf(&seen->text, "%s %d %zu\n", table_key(schema->table), schema->unique_key,
                schema->count);
    for (size_t i = 0; i < schema->count; i++)
        text_printf(&seen->text, "%s %s %d\n", schema->columns[i].name,
                    schema->columns[i].type_name, schema->columns[i].max_length);
    return true;
}

static bool
take_row(void *ctx, const struct row_id *row, struct err *err)
{
    struct seen *seen = ctx;
    char hex[DIGEST_HEX_BYTES];
    (void)err;
    FUZZ_MUST((unsigned)row->table < TABLES);
    FUZZ_MUST(memchr(row->key, 0, sizeof(row->key)) &&
              memchr(row->version, 0, sizeof(row->version)));
    digest_hex(&row->digest, hex);
    text_printf(&seen->text, "%s %s %s %s\n", table_key(row->table), row->key, hex, row->version);
    seen->rows++;
    return true;
}

/** The two readers agree: all at once, and row by row. */
static void
saved_agrees(const char *path, const struct plan_end *end)
{
    struct saved_plan *plan = NULL;
    struct row_id row;
    struct err err = {0};
    bool ended = false;
    int64_t rows = 0;
    if (!plan_ndjson_open(path, &plan, &err)) {
        fuzz_must_say(&err);
        return;
    }
    FUZZ_MUST(strcmp(plan->ops->plan_id(plan), end->plan_id) == 0);
    FUZZ_MUST(plan->ops->rewind(plan, &err));
    while (plan->ops->next(plan, &row, &ended, &err) && !ended)
        rows++;
    FUZZ_MUST(ended && rows == end->rows);
    plan->ops->close(plan);
}

/** False when it is refused. */
static bool
read_plan(const char *path, struct seen *seen)
{
    const struct plan_sink sink = {
        .ctx = seen, .header = take_header, .schema = take_schema, .row = take_row};
    struct plan_end end = {.rows = -1};
    struct err err = {0};
    if (!plan_ndjson_read(path, &sink, &end, &err)) {
        fuzz_must_say(&err);
        FUZZ_MUST(err.code == ERR_STORAGE && end.rows == -1);
        return false;
    }
    FUZZ_MUST(end.rows == seen->rows && strlen(end.plan_id) == DIGEST_HEX_BYTES - 1);
    saved_agrees(path, &end);
    return true;
}

static void
lines(struct fuzz_input *input, const char *path)
{
    TEXT_SCOPED text = {0};
    struct seen seen = {0};
    char hex[DIGEST_HEX_BYTES];
    const uint8_t rows = fuzz_byte(input);
    text_append_bytes(&text, input->at, input->left);
    const struct digest digest = digest_of(text_string(&text), text.used);
    digest_hex(&digest, hex);
    text_printf(&text, "{\"plan_id\":\"%s\",\"rows\":\"%u\",\"sha256\":\"%s\"}\n", plan_id,
                (unsigned)rows - '0', hex);
    fuzz_write(path, text_string(&text), text.used);
    (void)read_plan(path, &seen);
    text_done(&seen.text);
}

static struct text good, good_seen;

static void
make_good(void)
{
    static const struct plan_header header = {.server = "sql.example.com,1433",
                                              .database = "AxDB \"x\"\n",
                                              .database_created = "2026-01-02T03:04:05.000",
                                              .recovery_fork = "",
                                              .organization_id = "",
                                              .organization_name = "",
                                              .organization_host = "org.crm4.dynamics.com",
                                              .scope = "",
                                              .created_utc_ms = 1763759069123,
                                              .expires_utc_ms = 1763845469123};
    static const struct column columns[] = {
        {.name = "PARTITION", .type_name = "bigint", .max_length = 8},
        {.name = "RECID", .type_name = "bigint", .max_length = 8}};
    static const struct schema schema = {
        .table = TABLE_EVENTS, .columns = columns, .count = 2, .unique_key = true};
    const char *path = fuzz_path("good.ndjson");
    struct plan_file *plan = NULL;
    struct seen seen = {0};
    struct err err = {0};
    size_t size = 0;
    FUZZ_MUST(plan_ndjson_new(path, &plan, &err) && plan->ops->begin(plan, &header, &err) &&
              plan->ops->add_schema(plan, &schema, &err));
    for (int i = 0; i < ROWS; i++) {
        struct row_id row = {.table = TABLE_EVENTS};
        (void)snprintf(row.key, sizeof(row.key), "5637144576:%d", i);
        (void)snprintf(row.version, sizeof(row.version), "%d", i);
        row.digest = digest_of(row.key, strlen(row.key));
        FUZZ_MUST(plan->ops->add(plan, &row, &err));
    }
    FUZZ_MUST(plan->ops->end(plan, plan_id, &err));
    plan_ndjson_free(plan);
    FUZZ_MUST(read_plan(path, &seen) && seen.rows == ROWS);
    good_seen = seen.text;
    char *bytes = fuzz_read(path, &size);
    text_append_bytes(&good, bytes, size);
    free(bytes);
}

static void
damaged(struct fuzz_input *input, const char *path)
{
    struct seen seen = {0};
    if (good.used == 0)
        make_good();
    size_t size = good.used;
    uint8_t *bytes = malloc(size);
    FUZZ_MUST(bytes);
    memcpy(bytes, good.data, size);
    fuzz_damage(input, &bytes, &size);
    fuzz_write(path, bytes, size);
    free(bytes);
    if (read_plan(path, &seen))
        FUZZ_MUST(strcmp(text_string(&seen.text), text_string(&good_seen)) == 0);
    else
        FUZZ_MUST(seen.text.used == 0); /* nothing was handed over before all was verified */
    text_done(&seen.text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_path("plan.ndjson");
    struct fuzz_input input = {data, size};

    if (fuzz_byte(&input) == 'L')
        lines(&input, path);
    else
        damaged(&input, path);
    (void)unlink(path);
    return 0;
}
