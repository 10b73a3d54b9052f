#include "port/table.h"

#include "base/parse.h"
#include "base/text.h"
#include "port/runtime_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *key;
} tables[TABLES] = {
    [TABLE_FIELD] = {"DUALWRITEPROJECTFIELDCONFIGURATION", "field"},
    [TABLE_PROJECT] = {"DUALWRITEPROJECTCONFIGURATION", "project"},
    [TABLE_EVENTS] = {"BUSINESSEVENTSDEFINITION", "events"},
    [TABLE_RUNTIME] = {"msdyn_dualwriteruntimeconfig", "runtime"},
};

const char *
table_name(enum table table)
{
    return tables[table].name;
}

const char *
table_key(enum table table)
{
    return tables[table].key;
}

bool
table_from_key(const char *key, enum table *ret)
{
    for (int i = 0; i < TABLES; i++) {
        if (strcmp(key, tables[i].key) == 0) {
            *ret = (enum table)i;
            return true;
        }
    }
    return false;
}

static bool
text_same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool
column_equal(const struct column *a, const struct column *b)
{
    return text_same(a->name, b->name) && text_same(a->type_name, b->type_name) &&
           text_same(a->collation, b->collation) && a->max_length == b->max_length &&
           a->precision == b->precision && a->scale == b->scale && a->nullable == b->nullable &&
           a->identity == b->identity && a->computed == b->computed && a->generated == b->generated;
}

bool
schema_equal(const struct schema *a, const struct schema *b)
{
    if (a->table != b->table || a->count != b->count || a->unique_key != b->unique_key ||
        a->utf8_text != b->utf8_text)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!column_equal(&a->columns[i], &b->columns[i]))
            return false;
    return true;
}

bool
column_insertable(const struct column *column)
{
    return !column->computed && !column->generated;
}

size_t
schema_find(const struct schema *schema, const char *name)
{
    size_t at = 0;

    while (at < schema->count && !text_equal_nocase(schema->columns[at].name, name))
        at++;
    return at;
}

const struct schema *
runtime_schema(void)
{
    static const struct column document = {.name = "document", .type_name = "json"};
    static const struct schema schema = {
        .table = TABLE_RUNTIME, .columns = &document, .count = 1, .unique_key = true};

    return &schema;
}

/** Is column `a` at or before column `b`? By name, ASCII without case, then by bytes. */
static bool
in_name_order(const struct schema *schema, unsigned short a, unsigned short b)
{
    const char *left = schema->columns[a].name;
    const char *right = schema->columns[b].name;
    int compared = text_compare_nocase(left, right);

    if (compared == 0)
        compared = strcmp(left, right);
    return compared < 0 || (compared == 0 && a <= b);
}

/**
 * Positions of the columns in name order. Rows of one table follow each other: sorting begins with
 * the order of the last row, which is then only looked over. Whatever it was, the result is sorted.
 */
static void
name_order(const struct schema *schema, unsigned short order[SCHEMA_MAX_COLUMNS])
{
    static unsigned short last[SCHEMA_MAX_COLUMNS];
    static size_t last_count;

    for (size_t i = 0; last_count != schema->count && i < schema->count; i++)
        last[i] = (unsigned short)i;
    last_count = schema->count;
    for (size_t i = 0; i < schema->count; i++) {
        size_t at = i;

        for (; at > 0 && !in_name_order(schema, order[at - 1], last[i]); at--)
            order[at] = order[at - 1];
        order[at] = last[i];
    }
    memcpy(last, order, schema->count * sizeof *last);
}

/** Add the columns that are (not) insertable; how many there were. */
static size_t
add_columns(const struct schema *schema, const unsigned short *order, struct digest_stream *stream,
            const struct row *row, bool insertable)
{
    size_t added = 0;

    digest_add_slice(stream, slice_of_string(table_name(schema->table)));
    for (size_t i = 0; i < schema->count; i++) {
        const struct column *column = &schema->columns[order[i]];
        const struct field *field = &row->fields[order[i]];

        if (column_insertable(column) != insertable)
            continue;
        digest_add_slice(stream, slice_of_string(column->name));
        digest_add_slice(stream, slice_of_string(column->type_name));
        digest_add(stream, field->is_null ? "N" : "V", 1);
        digest_add_slice(stream, field->is_null ? (struct slice){0} : field->bytes);
        added++;
    }
    return added;
}

void
row_digest(const struct schema *schema, struct digest_stream *stream, struct row *row)
{
    unsigned short order[SCHEMA_MAX_COLUMNS];

    assert(row->count == schema->count && schema->count <= SCHEMA_MAX_COLUMNS);

    name_order(schema, order);
    (void)add_columns(schema, order, stream, row, true);
    row->id.digest = digest_finish(stream);
    if (schema->table == TABLE_RUNTIME)
        return;
    const size_t others = add_columns(schema, order, stream, row, false);
    const struct digest version = digest_finish(stream);

    row->id.version[0] = '\0';
    if (others)
        digest_hex(&version, row->id.version);
}

int
axdb_key_compare(const struct axdb_key *a, const struct axdb_key *b)
{
    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    return a->recid < b->recid ? -1 : a->recid > b->recid;
}

bool
axdb_key_parse(const char *key, struct axdb_key *ret)
{
    const char *colon = strchr(key, ':');
    struct axdb_key parsed;
    char partition[32];

    if (!colon || (size_t)(colon - key) >= sizeof partition)
        return false;
    memcpy(partition, key, (size_t)(colon - key));
    partition[colon - key] = '\0';
    if (!parse_int(partition, INT64_MIN, INT64_MAX, &parsed.partition) ||
        !parse_int(colon + 1, INT64_MIN, INT64_MAX, &parsed.recid))
        return false;
    *ret = parsed;
    return true;
}

int
row_key_compare(enum table table, const char *a, const char *b)
{
    struct axdb_key left;
    struct axdb_key right;

    if (table == TABLE_RUNTIME || !axdb_key_parse(a, &left) || !axdb_key_parse(b, &right))
        return strcmp(a, b);
    return axdb_key_compare(&left, &right);
}
