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
