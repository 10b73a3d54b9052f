/* Catalog views on objects. What a login may not see is left out. */
#include "tsql/sysviews.h"

static const struct {
    int system_id;
    enum sql_type type;
    int length, precision, scale;
} system_types[] = {
    {34, SQL_IMAGE, 16, 0, 0},
    {35, SQL_TEXT, 16, 0, 0},
    {36, SQL_UNIQUEIDENTIFIER, 16, 0, 0},
    {40, SQL_DATE, 3, 10, 0},
    {41, SQL_TIME, 5, 16, 7},
    {42, SQL_DATETIME2, 8, 27, 7},
    {43, SQL_DATETIMEOFFSET, 10, 34, 7},
    {48, SQL_TINYINT, 1, 3, 0},
    {52, SQL_SMALLINT, 2, 5, 0},
    {56, SQL_INT, 4, 10, 0},
    {58, SQL_SMALLDATETIME, 4, 16, 0},
    {59, SQL_REAL, 4, 24, 0},
    {60, SQL_MONEY, 8, 19, 4},
    {61, SQL_DATETIME, 8, 23, 3},
    {62, SQL_FLOAT, 8, 53, 0},
    {98, SQL_VARIANT, 8016, 0, 0},
    {99, SQL_NTEXT, 16, 0, 0},
    {104, SQL_BIT, 1, 1, 0},
    {106, SQL_DECIMAL, 17, 38, 38},
    {122, SQL_SMALLMONEY, 4, 10, 4},
    {127, SQL_BIGINT, 8, 19, 0},
    {165, SQL_VARBINARY, 8000, 0, 0},
    {167, SQL_VARCHAR, 8000, 0, 0},
    {173, SQL_BINARY, 8000, 0, 0},
    {175, SQL_CHAR, 8000, 0, 0},
    {189, SQL_ROWVERSION, 8, 0, 0},
    {231, SQL_NVARCHAR, 8000, 0, 0},
    {239, SQL_NCHAR, 8000, 0, 0},
    {241, SQL_XML, -1, 0, 0},
};

#define TYPE_COUNT (sizeof system_types / sizeof system_types[0])
#define COLLATION "SQL_Latin1_General_CP1_CI_AS"

const char *
system_type_name(int id)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (system_types[i].system_id == id)
            return type_name(system_types[i].type);
    return NULL;
}

static size_t
type_index(enum sql_type t)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (system_types[i].type == t)
            return i;
    return 0;
}

/* ---- what may be seen ---- */

static bool
table_seen(const struct session *s, const struct table *t)
{
    static const char *const rights[] = {"select", "insert", "update",
                                         "delete", "alter",  "view_definition"};
    if (t->temp || t->dropped || strncmp(t->name, "msdb.", 5) == 0)
        return false;
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
        if (session_allowed(s, rights[i], t->name))
            return true;
    return false;
}

static bool
definition_seen(const struct session *s, int table_id)
{
    for (const struct table *t = s->catalog.tables; t; t = t->next)
        if (t->id == table_id)
            return session_allowed(s, "view_definition", t->name) ||
                   session_allowed(s, "alter", t->name);
    return session_allowed(s, "view_definition", NULL);
}

/* One object that is no table: what sys.objects says of it. */
struct other_object {
    const char *name, *type, *description;
    int id, parent;
};

/* The i-th of them; false when there are no more. */
static bool
other_object(const struct session *s, int i, struct other_object *o)
{
    const struct catalog *c = &s->catalog;
    if (i < c->trigger_count) {
        const struct trigger *t = &c->triggers[i];
        *o = (struct other_object){t->name, "TR", "SQL_TRIGGER", t->object, t->parent};
        return true;
    }
    i -= c->trigger_count;
    if (i < c->key_count) {
        const struct foreign_key *k = &c->keys[i];
        *o = (struct other_object){k->name, "F", "FOREIGN_KEY_CONSTRAINT", k->object, k->parent};
        return true;
    }
    i -= c->key_count;
    if (i < c->policy_count) {
        *o = (struct other_object){c->policies[i].name, "SP", "SECURITY_POLICY",
                                   c->policies[i].object, 0};
        return true;
    }
    i -= c->policy_count;
    if (i < c->function_count)
        *o = (struct other_object){c->functions[i].statement->target.object, "IF",
                                   "SQL_INLINE_TABLE_VALUED_FUNCTION", c->functions[i].object, 0};
    return i < c->function_count;
}

static int
key_id(const struct table *t, const char *name, const char *kind)
{
    for (int i = 0; i < t->index_count; i++) {
        const struct index *x = &t->indexes[i];
        bool wanted = !*kind || same_name(kind, x->primary ? "PK" : "UQ");
        if (x->constraint && wanted && same_name(x->name, name))
            return x->object;
    }
    return 0;
}

static int
other_id(const struct session *s, const char *name, const char *kind)
{
    struct other_object o;
    for (int i = 0; other_object(s, i, &o); i++)
        if (same_name(o.name, name) && (!*kind || same_name(kind, o.type)) &&
            definition_seen(s, o.parent))
            return o.id;
    return 0;
}

int
object_id_of(struct session *s, const char *name, const char *type)
{
    struct name n = {.object = name};
    char kind[3] = {0};
    text_format(kind, sizeof kind, "%.2s", type ? type : "");
    const struct table *t = !*kind || same_name(kind, "U") ? catalog_find(s, &n) : NULL;
    if (t && (t->temp || table_seen(s, t)))
        return t->id;
    int id = other_id(s, name, kind);
    for (t = s->catalog.tables; t && !id; t = t->next)
        if (table_seen(s, t))
            id = key_id(t, name, kind);
    return id;
}

static const char *
key_name(const struct table *t, int id)
{
    for (int i = 0; i < t->index_count; i++)
        if (t->indexes[i].constraint && t->indexes[i].object == id)
            return t->indexes[i].name;
    return NULL;
}

const char *
object_name_of(struct session *s, int id)
{
    struct other_object o;
    for (const struct table *t = s->catalog.tables; t; t = t->next) {
        const char *name = t->id == id ? t->name : key_name(t, id);
        if (name)
            return table_seen(s, t) ? name : NULL;
    }
    for (int i = 0; other_object(s, i, &o); i++)
        if (o.id == id)
            return definition_seen(s, o.parent) ? o.name : NULL;
    return NULL;
}

/* ---- objects and tables ---- */

static void
object_row(struct rows *r, const struct other_object *o, int64_t created)
{
    row_new(r);
    row_zeros(r);
    row_text(r, "name", o->name);
    row_int(r, "object_id", o->id);
    row_int(r, "schema_id", 1);
    row_int(r, "parent_object_id", o->parent);
    row_text(r, "type", o->type);
    row_text(r, "type_desc", o->description);
    row_date(r, "create_date", created);
    row_date(r, "modify_date", created);
}

static void
key_rows(struct rows *r, const struct table *t)
{
    for (int i = 0; i < t->index_count; i++) {
        const struct index *x = &t->indexes[i];
        if (!x->constraint)
            continue;
        struct other_object o = {x->name, x->primary ? "PK" : "UQ",
                                 x->primary ? "PRIMARY_KEY_CONSTRAINT" : "UNIQUE_CONSTRAINT",
                                 x->object, t->id};
        object_row(r, &o, t->created);
        row_int(r, "unique_index_id", x->id);
    }
}

static void
other_objects(struct rows *r)
{
    struct session *s = r->x->s;
    struct other_object o;
    for (int i = 0; other_object(s, i, &o); i++)
        if (definition_seen(s, o.parent))
            object_row(r, &o, s->engine->started);
}

void
fill_objects(struct rows *r)
{
    struct session *s = r->x->s;
    for (const struct table *t = s->catalog.tables; t; t = t->next) {
        if (!table_seen(s, t))
            continue;
        struct other_object o = {t->name, "U", "USER_TABLE", t->id, 0};
        object_row(r, &o, t->created);
        key_rows(r, t);
    }
    other_objects(r);
}

void
fill_tables(struct rows *r)
{
    struct session *s = r->x->s;
    for (const struct table *t = s->catalog.tables; t; t = t->next) {
        if (!table_seen(s, t))
            continue;
        struct other_object o = {t->name, "U", "USER_TABLE", t->id, 0};
        object_row(r, &o, t->created);
        row_text(r, "temporal_type_desc", "NON_TEMPORAL_TABLE");
    }
}

static int
decimal_bytes(int precision)
{
    return precision <= 9 ? 5 : precision <= 19 ? 9 : precision <= 28 ? 13 : 17;
}

static bool
has_length(enum sql_type t)
{
    bool text = type_is_char(t) && t != SQL_TEXT && t != SQL_NTEXT;
    return text || t == SQL_BINARY || t == SQL_VARBINARY;
}

static int
catalog_length(const struct column *c, size_t type)
{
    enum sql_type t = c->type.type;
    if (has_length(t))
        return type_is_max(&c->type) ? -1 : (int)c->type.max_bytes;
    if (t == SQL_DECIMAL)
        return decimal_bytes(c->type.precision);
    if (t == SQL_TIME || t == SQL_DATETIME2 || t == SQL_DATETIMEOFFSET) {
        int less = c->type.scale <= 2 ? 2 : c->type.scale <= 4 ? 1 : 0;
        return system_types[type].length - less;
    }
    return system_types[type].length;
}

static void
column_precision(struct rows *r, const struct column *c, size_t type)
{
    enum sql_type t = c->type.type;
    int precision = system_types[type].precision, scale = system_types[type].scale;
    if (t == SQL_DECIMAL) {
        precision = c->type.precision;
        scale = c->type.scale;
    } else if (t == SQL_TIME || t == SQL_DATETIME2 || t == SQL_DATETIMEOFFSET) {
        precision = precision - 7 + c->type.scale - (c->type.scale == 0);
        scale = c->type.scale;
    }
    row_int(r, "precision", precision);
    row_int(r, "scale", scale);
}

static void
column_row(struct rows *r, const struct table *t, int i)
{
    const struct column *c = &t->columns[i];
    size_t type = type_index(c->type.type);
    row_new(r);
    row_zeros(r);
    row_int(r, "object_id", t->id);
    row_text(r, "name", c->name);
    row_int(r, "column_id", i + 1);
    row_int(r, "system_type_id", system_types[type].system_id);
    row_int(r, "user_type_id", system_types[type].system_id);
    row_int(r, "max_length", catalog_length(c, type));
    column_precision(r, c, type);
    if (type_is_char(c->type.type) && c->type.type != SQL_XML)
        row_text(r, "collation_name", c->def->collation ? c->def->collation : COLLATION);
    row_int(r, "is_nullable", c->type.nullable);
    row_int(r, "is_ansi_padded", type_is_char(c->type.type) || type_is_binary(c->type.type));
    row_int(r, "is_rowguidcol", c->def->rowguid);
    row_int(r, "is_identity", c->type.identity);
    row_int(r, "is_computed", c->type.computed);
    row_int(r, "is_persisted", c->def->persisted);
    row_text(r, "generated_always_type_desc", "NOT_APPLICABLE");
    row_int(r, "default_object_id", c->def->default_value ? t->id + 40 : 0);
    row_int(r, "rule_object_id", 0);
    if (c->type.identity) {
        row_int(r, "seed_value", c->def->seed);
        row_int(r, "increment_value", c->def->increment);
    }
}

static void
columns_where(struct rows *r, bool (*wanted)(const struct column *))
{
    struct session *s = r->x->s;
    for (const struct table *t = s->catalog.tables; t; t = t->next) {
        if (!table_seen(s, t))
            continue;
        for (int i = 0; i < t->count; i++)
            if (!wanted || wanted(&t->columns[i]))
                column_row(r, t, i);
    }
}

static bool
is_computed(const struct column *c)
{
    return c->type.computed;
}

static bool
is_identity(const struct column *c)
{
    return c->type.identity;
}

void
fill_columns(struct rows *r)
{
    columns_where(r, NULL);
}

void
fill_computed(struct rows *r)
{
    columns_where(r, is_computed);
}

void
fill_identities(struct rows *r)
{
    columns_where(r, is_identity);
}

static void
type_row(struct rows *r, const char *name, size_t i, int user_id, int length)
{
    enum sql_type t = system_types[i].type;
    row_new(r);
    row_zeros(r);
    row_text(r, "name", name);
    row_int(r, "system_type_id", system_types[i].system_id);
    row_int(r, "user_type_id", user_id);
    row_int(r, "schema_id", 4);
    row_int(r, "max_length", length);
    row_int(r, "precision", system_types[i].precision);
    row_int(r, "scale", system_types[i].scale);
    if (type_is_char(t) && t != SQL_XML)
        row_text(r, "collation_name", COLLATION);
    row_int(r, "is_nullable", user_id != 256 && t != SQL_ROWVERSION);
}

void
fill_types(struct rows *r)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        type_row(r, type_name(system_types[i].type), i, system_types[i].system_id,
                 system_types[i].length);
    size_t decimal = type_index(SQL_DECIMAL);
    type_row(r, "numeric", decimal, 108, 17);
    row_int(r, "system_type_id", 108);
    type_row(r, "sysname", type_index(SQL_NVARCHAR), 256, 256);
}

/* ---- indexes ---- */

static void
index_row(struct rows *r, const struct table *t, const struct index *x)
{
    row_new(r);
    row_zeros(r);
    row_int(r, "object_id", t->id);
    row_int(r, "index_id", x ? x->id : 0);
    row_int(r, "type", !x ? 0 : x->clustered ? 1 : 2);
    row_text(r, "type_desc", !x ? "HEAP" : x->clustered ? "CLUSTERED" : "NONCLUSTERED");
    row_int(r, "data_space_id", 1);
    row_int(r, "fill_factor", 0);
    if (!x)
        return;
    row_text(r, "name", x->name);
    row_int(r, "is_unique", x->unique);
    row_int(r, "is_primary_key", x->primary);
    row_int(r, "is_unique_constraint", x->constraint && !x->primary);
    row_int(r, "has_filter", x->filtered);
}

static bool
is_heap(const struct table *t)
{
    for (int i = 0; i < t->index_count; i++)
        if (t->indexes[i].clustered)
            return false;
    return true;
}

void
fill_indexes(struct rows *r)
{
    struct session *s = r->x->s;
    for (const struct table *t = s->catalog.tables; t; t = t->next) {
        if (!table_seen(s, t))
            continue;
        if (is_heap(t))
            index_row(r, t, NULL);
        for (int i = 0; i < t->index_count; i++)
            index_row(r, t, &t->indexes[i]);
    }
}

void
fill_index_columns(struct rows *r)
{
    struct session *s = r->x->s;
    for (const struct table *t = s->catalog.tables; t; t = t->next) {
        for (int i = 0; i < t->index_count && table_seen(s, t); i++) {
            const struct index *x = &t->indexes[i];
            for (int k = 0; k < x->count; k++) {
                row_new(r);
                row_zeros(r);
                row_int(r, "object_id", t->id);
                row_int(r, "index_id", x->id);
                row_int(r, "index_column_id", k + 1);
                row_int(r, "column_id", x->columns[k] + 1);
                row_int(r, "key_ordinal", k + 1);
                row_int(r, "is_descending_key", x->descending[k]);
            }
        }
    }
}

void
fill_key_constraints(struct rows *r)
{
    struct session *s = r->x->s;
    for (const struct table *t = s->catalog.tables; t; t = t->next)
        if (table_seen(s, t))
            key_rows(r, t);
}

void
fill_partitions(struct rows *r)
{
    struct session *s = r->x->s;
    for (const struct table *t = s->catalog.tables; t; t = t->next) {
        if (!table_seen(s, t))
            continue;
        int64_t count = store_count(s, t);
        for (int i = is_heap(t) ? -1 : 0; i < t->index_count; i++) {
            int id = i < 0 ? 0 : t->indexes[i].id;
            row_new(r);
            row_int(r, "partition_id", INT64_C(72057594000000000) + (int64_t)t->id * 64 + id);
            row_int(r, "hobt_id", INT64_C(72057594000000000) + (int64_t)t->id * 64 + id);
            row_int(r, "object_id", t->id);
            row_int(r, "index_id", id);
            row_int(r, "partition_number", 1);
            row_int(r, "rows", count);
        }
    }
}

void
fill_schemas(struct rows *r)
{
    static const char *const names[] = {"dbo", "guest", "INFORMATION_SCHEMA", "sys"};
    for (int i = 0; i < 4; i++) {
        row_new(r);
        row_text(r, "name", names[i]);
        row_int(r, "schema_id", i + 1);
        row_int(r, "principal_id", i + 1);
    }
}

/* ---- triggers, keys, policies: only for those who may see definitions ---- */

void
fill_triggers(struct rows *r)
{
    const struct catalog *c = &r->x->s->catalog;
    for (int i = 0; i < c->trigger_count; i++) {
        if (!definition_seen(r->x->s, c->triggers[i].parent))
            continue;
        struct other_object o = {c->triggers[i].name, "TR", "SQL_TRIGGER", c->triggers[i].object,
                                 0};
        object_row(r, &o, r->x->s->engine->started);
        row_int(r, "parent_class", 1);
        row_text(r, "parent_class_desc", "OBJECT_OR_COLUMN");
        row_int(r, "parent_id", c->triggers[i].parent);
        row_int(r, "is_disabled", c->triggers[i].disabled);
        row_int(r, "is_instead_of_trigger", c->triggers[i].instead_of);
    }
}

void
fill_foreign_keys(struct rows *r)
{
    const struct catalog *c = &r->x->s->catalog;
    for (int i = 0; i < c->key_count; i++) {
        if (!definition_seen(r->x->s, c->keys[i].parent))
            continue;
        struct other_object o = {c->keys[i].name, "F", "FOREIGN_KEY_CONSTRAINT", c->keys[i].object,
                                 c->keys[i].parent};
        object_row(r, &o, r->x->s->engine->started);
        row_int(r, "referenced_object_id", c->keys[i].referenced);
    }
}

void
fill_check_constraints(struct rows *r)
{
    struct session *s = r->x->s;
    for (const struct table *t = s->catalog.tables; t; t = t->next) {
        for (int i = 0; i < t->check_count && definition_seen(s, t->id); i++) {
            struct other_object o = {t->checks[i].name, "C", "CHECK_CONSTRAINT", t->id + 44 + i,
                                     t->id};
            object_row(r, &o, t->created);
        }
    }
}

void
fill_policies(struct rows *r)
{
    const struct catalog *c = &r->x->s->catalog;
    for (int i = 0; i < c->policy_count; i++) {
        if (!definition_seen(r->x->s, 0))
            continue;
        struct other_object o = {c->policies[i].name, "SP", "SECURITY_POLICY",
                                 c->policies[i].object, 0};
        object_row(r, &o, r->x->s->engine->started);
        row_int(r, "is_enabled", c->policies[i].enabled);
        row_int(r, "is_schema_bound", 1);
    }
}

void
fill_predicates(struct rows *r)
{
    const struct catalog *c = &r->x->s->catalog;
    for (int i = 0; i < c->predicate_count; i++) {
        const struct predicate *p = &c->predicates[i];
        if (!definition_seen(r->x->s, p->table))
            continue;
        row_new(r);
        row_int(r, "object_id", p->policy);
        row_int(r, "security_predicate_id", i + 1);
        row_int(r, "target_object_id", p->table);
        row_text(r, "predicate_definition",
                 arena_printf(r->x->v.arena, "([dbo].[%s]())", p->def->function.object));
        row_int(r, "predicate_type", p->def->block);
        row_text(r, "predicate_type_desc", p->def->block ? "BLOCK" : "FILTER");
    }
}

void
fill_tracking(struct rows *r)
{
    struct session *s = r->x->s;
    for (const struct table *t = s->catalog.tables; t; t = t->next) {
        if (!t->tracked || !definition_seen(s, t->id))
            continue;
        row_new(r);
        row_zeros(r);
        row_int(r, "object_id", t->id);
        row_int(r, "min_valid_version", 0);
    }
}

/* ---- INFORMATION_SCHEMA ---- */

static void
table_names(struct rows *r, const struct table *t)
{
    row_text(r, "TABLE_CATALOG", r->x->s->engine->database);
    row_text(r, "TABLE_SCHEMA", "dbo");
    row_text(r, "TABLE_NAME", t->name);
}

void
fill_is_tables(struct rows *r)
{
    struct session *s = r->x->s;
    for (const struct table *t = s->catalog.tables; t; t = t->next) {
        if (!table_seen(s, t))
            continue;
        row_new(r);
        table_names(r, t);
        row_text(r, "TABLE_TYPE", "BASE TABLE");
    }
}

static void
is_column_row(struct rows *r, const struct table *t, int i)
{
    const struct column *c = &t->columns[i];
    size_t type = type_index(c->type.type);
    bool decimal = c->type.type == SQL_DECIMAL;
    row_new(r);
    table_names(r, t);
    row_text(r, "COLUMN_NAME", c->name);
    row_int(r, "ORDINAL_POSITION", i + 1);
    row_text(r, "IS_NULLABLE", c->type.nullable ? "YES" : "NO");
    row_text(r, "DATA_TYPE", type_name(c->type.type));
    if (type_is_char(c->type.type) || type_is_binary(c->type.type)) {
        int n = catalog_length(c, type);
        row_int(r, "CHARACTER_MAXIMUM_LENGTH", n > 0 && type_is_nchar(c->type.type) ? n / 2 : n);
    } else if (type_is_number(c->type.type)) {
        row_int(r, "NUMERIC_PRECISION", decimal ? c->type.precision : system_types[type].precision);
        row_int(r, "NUMERIC_SCALE", decimal ? c->type.scale : system_types[type].scale);
    }
}

void
fill_is_columns(struct rows *r)
{
    struct session *s = r->x->s;
    for (const struct table *t = s->catalog.tables; t; t = t->next)
        for (int i = 0; i < t->count && table_seen(s, t); i++)
            is_column_row(r, t, i);
}
