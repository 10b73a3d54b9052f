/* Rows of the fake world: with which columns they are handed out, and back again. */
#include "base/parse.h"
#include "base/text.h"
#include "digest_row.h"
#include "fake_parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define KEY_COLUMNS                                                                                \
    {.name = "PARTITION", .type_name = "bigint", .max_length = 8},                                 \
    {                                                                                              \
        .name = "RECID", .type_name = "bigint", .max_length = 8                                    \
    }
#define TEXT_COLUMN(column, bytes)                                                                 \
    {                                                                                              \
        .name = (column), .type_name = "nvarchar", .max_length = (bytes)                           \
    }
/* the last one is there only when the world has its new column */
#define LAST_COLUMNS                                                                               \
    {.name = "CONTENT", .type_name = "nvarchar", .max_length = -1, .nullable = true},              \
        {.name = "SYSROWVERSION", .type_name = "timestamp", .max_length = 8, .generated = true},   \
    {                                                                                              \
        .name = "NEWCOLUMN", .type_name = "nvarchar", .max_length = 20, .nullable = true           \
    }

static const struct column field_columns[] = {KEY_COLUMNS, TEXT_COLUMN("PROJECTNAME", 200),
                                              LAST_COLUMNS};
static const struct column project_columns[] = {KEY_COLUMNS,
                                                TEXT_COLUMN("PROJECTNAME", 200),
                                                TEXT_COLUMN("INTERNALENTITYNAME", 510),
                                                TEXT_COLUMN("EXTERNALENTITYNAME", 510),
                                                TEXT_COLUMN("EXTERNALENVIRONMENTURL", 2048),
                                                {.name = "STATUS", .type_name = "int"},
                                                LAST_COLUMNS};
static const struct column event_columns[] = {KEY_COLUMNS, TEXT_COLUMN("CHANNEL", 120),
                                              LAST_COLUMNS};

static const struct {
    const struct column *columns;
    size_t count;
} axdb_columns[AXDB_TABLES] = {
    [TABLE_FIELD] = {field_columns, sizeof field_columns / sizeof field_columns[0]},
    [TABLE_PROJECT] = {project_columns, sizeof project_columns / sizeof project_columns[0]},
    [TABLE_EVENTS] = {event_columns, sizeof event_columns / sizeof event_columns[0]},
};

enum { MAX_COLUMNS = 16, VALUE_BYTES = 512 };

static const char *const internal_names[] = {"Customers V3", "Vendors V2"};
static const char *const external_names[] = {"accounts", "msdyn_vendors"};

struct schema
fake_schema(const struct fake_world *world, enum table table, bool new_column)
{
    if (table == TABLE_RUNTIME)
        return *runtime_schema();
    return (struct schema){.table = table,
                           .columns = axdb_columns[table].columns,
                           .count = axdb_columns[table].count - (new_column ? 0 : 1),
                           .unique_key = !world->no_unique_key};
}

const char *
fake_channel(const struct fake_world *world, const struct fake_row *row)
{
    return row->group && world->other_channel ? world->other_channel : world->channel;
}

void
fake_url(const struct fake_world *world, const struct fake_row *row, char *ret, size_t size)
{
    (void)snprintf(ret, size, row->own ? "https://%s/" : "%s",
                   row->own ? world->own_host : world->url);
}

/** A column's value as text; false = NULL. */
static bool
value_of(const struct fake_world *world, const struct fake_row *row, const char *column, char *ret,
         size_t size)
{
    ret[0] = '\0';
    if (strcmp(column, "PARTITION") == 0)
        (void)snprintf(ret, size, "5637144576");
    else if (strcmp(column, "RECID") == 0)
        (void)snprintf(ret, size, "%d", row->recid);
    else if (strcmp(column, "PROJECTNAME") == 0)
        (void)snprintf(ret, size, "DWM-%d", row->project ? row->project : row->recid);
    else if (strcmp(column, "INTERNALENTITYNAME") == 0)
        (void)snprintf(ret, size, "%s", internal_names[row->group]);
    else if (strcmp(column, "EXTERNALENTITYNAME") == 0)
        (void)snprintf(ret, size, "%s", external_names[row->group]);
    else if (strcmp(column, "EXTERNALENVIRONMENTURL") == 0)
        fake_url(world, row, ret, size);
    else if (strcmp(column, "STATUS") == 0)
        (void)snprintf(ret, size, "%d", row->status);
    else if (strcmp(column, "CHANNEL") == 0)
        (void)snprintf(ret, size, "%s", fake_channel(world, row));
    else if (strcmp(column, "CONTENT") == 0)
        (void)snprintf(ret, size, "content %d of group %d", row->content, row->group);
    else if (strcmp(column, "document") == 0)
        (void)snprintf(ret, size, "content %d stamp %d", row->content, row->version);
    else if (strcmp(column, "SYSROWVERSION") == 0)
        (void)snprintf(ret, size, "%08d", row->version);
    else
        return false;
    return true;
}

/** As UTF-16LE, as the adapter hands out nvarchar: the texts of this world are ASCII. */
static struct slice
widen(unsigned char *ret, const char *text)
{
    size_t size = 0;

    for (; *text; text++) {
        assert((unsigned char)*text < 0x80 && size + 2 <= (size_t)2 * VALUE_BYTES);
        ret[size++] = (unsigned char)*text;
        ret[size++] = 0;
    }
    return slice_of(ret, size);
}

int fake_at_work;

/** A digest of a row, with memory of the world's own. */
static void
digest_for_free(const struct schema *schema, struct row *row)
{
    fake_at_work++;
    digest_row(schema, row);
    fake_at_work--;
}

static bool
send_row(const struct fake_world *world, const struct schema *schema, const struct fake_row *from,
         const struct row_sink *sink, struct err *err)
{
    char texts[MAX_COLUMNS][VALUE_BYTES];
    unsigned char wide[MAX_COLUMNS][2 * VALUE_BYTES];
    struct field fields[MAX_COLUMNS];
    struct row row = {.fields = fields, .count = schema->count};

    assert(schema->count <= MAX_COLUMNS);

    for (size_t i = 0; i < schema->count; i++) {
        const struct column *column = &schema->columns[i];

        fields[i] =
            (struct field){.is_null = !value_of(world, from, column->name, texts[i], VALUE_BYTES)};
        fields[i].bytes = strcmp(column->type_name, "nvarchar") == 0 ? widen(wide[i], texts[i])
                                                                     : slice_of_string(texts[i]);
    }
    row.id.table = schema->table;
    if (schema->table == TABLE_RUNTIME) {
        (void)snprintf(row.id.key, sizeof row.id.key, "00000000-0000-0000-0000-%012d", from->recid);
        (void)snprintf(row.id.version, sizeof row.id.version, "W/\"%d\"", from->version);
    } else {
        (void)snprintf(row.id.key, sizeof row.id.key, "5637144576:%d", from->recid);
    }
    digest_for_free(schema, &row);
    if (world->patch_row)
        world->patch_row(schema, &row, fields);
    return sink->take(sink->ctx, &row, err);
}

void
fake_fill_document(const struct fake_world *world, const struct fake_row *from,
                   struct fake_document *document, struct row *ret)
{
    (void)value_of(world, from, "document", document->text, sizeof document->text);
    document->field = (struct field){.bytes = slice_of_string(document->text)};
    *ret = (struct row){.id = {.table = TABLE_RUNTIME}, .fields = &document->field, .count = 1};
    (void)snprintf(ret->id.key, sizeof ret->id.key, "00000000-0000-0000-0000-%012d", from->recid);
    (void)snprintf(ret->id.version, sizeof ret->id.version, "W/\"%d\"", from->version);
    digest_for_free(runtime_schema(), ret);
    if (world->patch_row)
        world->patch_row(runtime_schema(), ret, &document->field);
}

bool
fake_send_rows(const struct fake_world *world, const struct schema *schema,
               const struct fake_table *from, const struct row_sink *sink, struct err *err)
{
    /* a copy: what takes the rows may let something happen to the world */
    const struct fake_table table = *from;

    for (size_t i = 0; i < table.count; i++)
        if (!send_row(world, schema, &table.rows[i], sink, err))
            return false;
    return true;
}

/* ---- and back ---- */

/** The text of a column; "" for NULL or no such column. */
static void
text_of(const struct schema *schema, const struct row *row, const char *column,
        char ret[VALUE_BYTES])
{
    const size_t at = schema_find(schema, column);
    TEXT_SCOPED text = {0};

    ret[0] = '\0';
    if (at == schema->count || row->fields[at].is_null)
        return;
    fake_at_work++;
    if (strcmp(schema->columns[at].type_name, "nvarchar") == 0)
        (void)text_append_utf16le(&text, row->fields[at].bytes);
    else
        text_append_bytes(&text, row->fields[at].bytes.data, row->fields[at].bytes.size);
    fake_at_work--;
    (void)snprintf(ret, VALUE_BYTES, "%s", text_string(&text));
}

static bool
number_of(const char *text, int *ret)
{
    int64_t number = 0;

    while (text[0] == '0' && text[1])
        text++;
    if (!parse_int(text, INT32_MIN, INT32_MAX, &number))
        return false;
    *ret = (int)number;
    return true;
}

bool
fake_parse_document(const char *key, struct slice document, struct fake_row *ret)
{
    char content[VALUE_BYTES] = "";
    char *stamp;

    (void)snprintf(content, sizeof content, "%.*s", (int)document.size,
                   (const char *)document.data);
    stamp = strstr(content, " stamp ");
    if (!stamp || strncmp(content, "content ", 8) != 0 || strlen(key) < 25)
        return false;
    *stamp = '\0';
    return number_of(content + 8, &ret->content) && number_of(stamp + 7, &ret->version) &&
           number_of(key + 24, &ret->recid);
}

static bool
parse_runtime(const struct row *row, struct fake_row *ret)
{
    return row->count == 1 && fake_parse_document(row->id.key, row->fields[0].bytes, ret);
}

/** "content 10 of group 1" */
static bool
parse_content(char *text, struct fake_row *ret)
{
    char *group = strstr(text, " of group ");

    if (!group || strncmp(text, "content ", 8) != 0 || !number_of(group + 10, &ret->group))
        return false;
    *group = '\0';
    return number_of(text + 8, &ret->content);
}

static bool
parse_axdb(const struct fake_world *world, const struct schema *schema, const struct row *row,
           struct fake_row *ret)
{
    char text[VALUE_BYTES] = "";
    char url[VALUE_BYTES];

    text_of(schema, row, "STATUS", text);
    (void)number_of(text, &ret->status);
    text_of(schema, row, "EXTERNALENVIRONMENTURL", text);
    fake_url(world, &(struct fake_row){.own = true}, url, sizeof url);
    ret->own = strcmp(text, url) == 0 && strcmp(text, world->url) != 0;
    text_of(schema, row, "SYSROWVERSION", text);
    if (!number_of(text, &ret->version))
        return false;
    text_of(schema, row, "RECID", text);
    if (!number_of(text, &ret->recid))
        return false;
    text_of(schema, row, "PROJECTNAME", text);
    if (text[0] && !number_of(text + 4, &ret->project))
        return false;
    ret->project = ret->project == ret->recid ? 0 : ret->project;
    text_of(schema, row, "CONTENT", text);
    return parse_content(text, ret);
}

/** Takes the digest that a row has when it is handed out. */
static bool
take_digest(void *ctx, const struct row *row, struct err *err)
{
    struct digest *digest = ctx;

    (void)err;
    *digest = row->id.digest;
    return true;
}

bool
fake_parse_row(const struct fake_world *world, const struct schema *schema, const struct row *row,
               struct fake_row *ret, struct err *err)
{
    struct fake_row parsed = {0};
    struct digest digest = {0};
    const struct row_sink sink = {.ctx = &digest, .take = take_digest};

    if (schema->table == TABLE_RUNTIME ? !parse_runtime(row, &parsed)
                                       : !parse_axdb(world, schema, row, &parsed))
        return err_set(err, ERR_SERVER, "%s is no row of this world", row->id.key);
    /* nothing of the row was lost on the way: it would be handed out with the same digest */
    if (!send_row(world, schema, &parsed, &sink, err) || !digest_equal(&digest, &row->id.digest))
        return err_set(err, ERR_SERVER, "%s has other contents than its digest says", row->id.key);
    *ret = parsed;
    return true;
}

/* ---- tables ---- */

bool
fake_row_equal(const struct fake_row *a, const struct fake_row *b)
{
    return a->recid == b->recid && a->content == b->content && a->group == b->group &&
           a->status == b->status && a->project == b->project && a->own == b->own;
}

const struct fake_row *
fake_find(const struct fake_table *table, int recid)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].recid == recid)
            return &table->rows[i];
    return NULL;
}

bool
fake_is_in(const struct fake_table *table, const struct fake_row *row)
{
    for (size_t i = 0; i < table->count; i++)
        if (fake_row_equal(&table->rows[i], row))
            return true;
    return false;
}

void
fake_insert(struct fake_table *table, const struct fake_row *row)
{
    size_t at = table->count;

    assert(table->count < FAKE_MAX_ROWS);
    for (; at > 0 && table->rows[at - 1].recid > row->recid; at--)
        table->rows[at] = table->rows[at - 1];
    table->rows[at] = *row;
    table->count++;
}

bool
fake_table_equal(const struct fake_table *a, const struct fake_table *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!fake_row_equal(&a->rows[i], &b->rows[i]))
            return false;
    return true;
}
