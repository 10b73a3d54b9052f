/** The tables that this organization has: names, keys and columns as the metadata reports them. */
#ifndef SANDBOX_DATAVERSE_SCHEMA_H
#define SANDBOX_DATAVERSE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

struct dv_attribute {
    const char *name; /* logical name */
    const char *type; /* AttributeType, e.g. "Memo" */
    const char
        *property; /* its name in rows: `name`, `_name_value` of a lookup, NULL when not in rows */
    bool create, update;
    const char *target; /* logical name of the one table that a lookup leads to, or NULL */
    bool sparse;        /* in a row only where it has a value */
};

struct dv_table {
    const char *set;
    const char *logical_name;
    const char *display_name; /* e.g. "Dual Write Runtime Configuration" */
    const char *key;
    const char *primary_name;
    const char *privilege; /* the part after prvRead, prvDelete, ... */
    int type_code;
    bool is_system; /* read needs may_system, never written by a client */
    const struct dv_attribute *attributes;
    size_t attribute_count;
};

/** The one that clients may change. */
#define DV_CONFIG_SET "msdyn_dualwriteruntimeconfigs"
#define DV_TRACE_SET "plugintracelogs"

const struct dv_table *dv_table_by_set(const char *set);
const struct dv_table *dv_table_by_logical_name(const char *name);
/** The `index`-th table, or NULL behind the last. */
const struct dv_table *dv_table_at(size_t index);
/** The column with this name in rows, or NULL. */
const struct dv_attribute *dv_property(const struct dv_table *, const char *property);

#endif
