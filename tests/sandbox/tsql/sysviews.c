/* Catalog views: columns by a small table, rows made on demand. */
#include "tsql/sysviews.h"

#include "tsql/dialect.h"

struct sysview {
    const char *schema, *name;
    /* "name:type ..." with i int, b bigint, t bit, y tinyint, h smallint, n sysname, m
     * nvarchar(256), x nvarchar(max), c char(2), d datetime, g uniqueidentifier, 8 varbinary(8) */
    const char *columns;
    void (*fill)(struct rows *);
};

static const struct sysview views[] = {
    {"sys", "objects",
     "name:n object_id:i principal_id:i schema_id:i parent_object_id:i type:c type_desc:m create_date:d "
     "modify_date:d is_ms_shipped:t is_published:t is_schema_published:t",
     fill_objects},
    {"sys", "all_objects",
     "name:n object_id:i principal_id:i schema_id:i parent_object_id:i type:c type_desc:m create_date:d "
     "modify_date:d is_ms_shipped:t is_published:t is_schema_published:t",
     fill_objects},
    {"sys", "tables",
     "name:n object_id:i principal_id:i schema_id:i parent_object_id:i type:c type_desc:m create_date:d "
     "modify_date:d is_ms_shipped:t is_published:t is_schema_published:t temporal_type:y "
     "temporal_type_desc:m history_table_id:i is_memory_optimized:t durability:y is_external:t "
     "is_remote_data_archive_enabled:t is_filetable:t is_replicated:t lock_escalation:y",
     fill_tables},
    {"sys", "columns",
     "object_id:i name:n column_id:i system_type_id:y user_type_id:i max_length:h precision:y scale:y "
     "collation_name:n is_nullable:t is_ansi_padded:t is_rowguidcol:t is_identity:t is_computed:t "
     "is_filestream:t is_sparse:t is_column_set:t generated_always_type:y generated_always_type_desc:m "
     "encryption_type:i is_hidden:t is_masked:t default_object_id:i rule_object_id:i",
     fill_columns},
    {"sys", "computed_columns",
     "object_id:i name:n column_id:i system_type_id:y is_persisted:t is_computed:t", fill_computed},
    {"sys", "identity_columns",
     "object_id:i name:n column_id:i seed_value:b increment_value:b last_value:b is_identity:t",
     fill_identities},
    {"sys", "types",
     "name:n system_type_id:y user_type_id:i schema_id:i principal_id:i max_length:h precision:y "
     "scale:y collation_name:n is_nullable:t is_user_defined:t is_assembly_type:t is_table_type:t",
     fill_types},
    {"sys", "indexes",
     "object_id:i name:n index_id:i type:y type_desc:m is_unique:t data_space_id:i ignore_dup_key:t "
     "is_primary_key:t is_unique_constraint:t fill_factor:y is_disabled:t is_hypothetical:t "
     "has_filter:t filter_definition:x",
     fill_indexes},
    {"sys", "index_columns",
     "object_id:i index_id:i index_column_id:i column_id:i key_ordinal:y partition_ordinal:y "
     "is_descending_key:t is_included_column:t",
     fill_index_columns},
    {"sys", "key_constraints",
     "name:n object_id:i schema_id:i parent_object_id:i type:c type_desc:m unique_index_id:i",
     fill_key_constraints},
    {"sys", "partitions",
     "partition_id:b object_id:i index_id:i partition_number:i hobt_id:b rows:b", fill_partitions},
    {"sys", "schemas", "name:n schema_id:i principal_id:i", fill_schemas},
    {"sys", "triggers",
     "name:n object_id:i parent_class:y parent_class_desc:m parent_id:i type:c type_desc:m "
     "is_ms_shipped:t is_disabled:t is_not_for_replication:t is_instead_of_trigger:t",
     fill_triggers},
    {"sys", "foreign_keys",
     "name:n object_id:i schema_id:i parent_object_id:i referenced_object_id:i type:c type_desc:m "
     "is_disabled:t is_not_trusted:t delete_referential_action:y update_referential_action:y",
     fill_foreign_keys},
    {"sys", "check_constraints",
     "name:n object_id:i principal_id:i schema_id:i parent_object_id:i type:c type_desc:m create_date:d "
     "modify_date:d is_ms_shipped:t is_published:t is_schema_published:t is_disabled:t "
     "is_not_for_replication:t is_not_trusted:t parent_column_id:i definition:x "
     "uses_database_collation:t is_system_named:t",
     fill_check_constraints},
    {"sys", "security_policies",
     "name:n object_id:i schema_id:i parent_object_id:i type:c type_desc:m is_enabled:t "
     "is_schema_bound:t",
     fill_policies},
    {"sys", "security_predicates",
     "object_id:i security_predicate_id:i target_object_id:i predicate_definition:x predicate_type:i "
     "predicate_type_desc:m operation:i",
     fill_predicates},
    {"sys", "change_tracking_tables",
     "object_id:i is_track_columns_updated_on:t min_valid_version:b", fill_tracking},
    {"sys", "databases",
     "name:n database_id:i source_database_id:i create_date:d compatibility_level:y collation_name:n "
     "user_access:y user_access_desc:m is_read_only:t is_auto_close_on:t state:y state_desc:m "
     "is_in_standby:t snapshot_isolation_state:y snapshot_isolation_state_desc:m "
     "is_read_committed_snapshot_on:t recovery_model:y recovery_model_desc:m service_broker_guid:g "
     "delayed_durability:i delayed_durability_desc:m",
     fill_databases},
    {"sys", "database_recovery_status",
     "database_id:i database_guid:g family_guid:g last_log_backup_lsn:b recovery_fork_guid:g "
     "first_recovery_fork_guid:g",
     fill_recovery},
    {"sys", "dm_exec_sessions",
     "session_id:h login_time:d host_name:m program_name:m host_process_id:i client_interface_name:m "
     "login_name:m original_login_name:m status:m cpu_time:i reads:b writes:b is_user_process:t "
     "database_id:h open_transaction_count:i transaction_isolation_level:h lock_timeout:i "
     "deadlock_priority:i text_size:i row_count:b prev_error:i last_request_start_time:d "
     "last_request_end_time:d quoted_identifier:t arithabort:t ansi_nulls:t ansi_warnings:t",
     fill_sessions},
    {"sys", "dm_exec_connections",
     "session_id:i connect_time:d net_transport:m protocol_type:m encrypt_option:m auth_scheme:m "
     "client_net_address:m local_net_address:m net_packet_size:i",
     fill_connections},
    {"sys", "dm_exec_requests",
     "session_id:h request_id:i start_time:d status:m command:m database_id:h blocking_session_id:h "
     "wait_type:m wait_resource:m open_transaction_count:i",
     fill_requests},
    {"sys", "dm_tran_locks",
     "resource_type:m resource_database_id:i resource_description:m resource_associated_entity_id:b "
     "request_mode:m request_status:m request_session_id:i request_owner_type:m",
     fill_locks},
    {"sys", "dm_os_waiting_tasks",
     "session_id:h wait_duration_ms:b wait_type:m blocking_session_id:h resource_description:m",
     fill_waits},
    {"INFORMATION_SCHEMA", "TABLES", "TABLE_CATALOG:n TABLE_SCHEMA:n TABLE_NAME:n TABLE_TYPE:n",
     fill_is_tables},
    {"INFORMATION_SCHEMA", "COLUMNS",
     "TABLE_CATALOG:n TABLE_SCHEMA:n TABLE_NAME:n COLUMN_NAME:n ORDINAL_POSITION:i IS_NULLABLE:n "
     "DATA_TYPE:n CHARACTER_MAXIMUM_LENGTH:i NUMERIC_PRECISION:y NUMERIC_SCALE:i",
     fill_is_columns},
};

#define VIEW_COUNT (sizeof views / sizeof views[0])
#define MAX_VIEW_COLUMNS 32

static struct column view_columns[VIEW_COUNT][MAX_VIEW_COLUMNS];
static int view_counts[VIEW_COUNT];
static pthread_once_t columns_once = PTHREAD_ONCE_INIT;
static char names[16384];

static struct sql_typeinfo
letter_type(char c)
{
    static const struct {
        char letter;
        enum sql_type type;
    } simple[] = {{'i', SQL_INT},
                  {'b', SQL_BIGINT},
                  {'t', SQL_BIT},
                  {'y', SQL_TINYINT},
                  {'h', SQL_SMALLINT},
                  {'d', SQL_DATETIME},
                  {'g', SQL_UNIQUEIDENTIFIER}};
    for (size_t i = 0; i < sizeof simple / sizeof simple[0]; i++)
        if (simple[i].letter == c)
            return type_of(simple[i].type);
    if (c == 'c')
        return type_chars(SQL_CHAR, 2);
    if (c == '8')
        return type_chars(SQL_VARBINARY, 8);
    return type_chars(SQL_NVARCHAR, c == 'n' ? 128 : c == 'm' ? 256 : SQL_MAX_LENGTH);
}

static void
build_columns(void)
{
    size_t used = 0;
    for (size_t v = 0; v < VIEW_COUNT; v++) {
        int count = 0;
        for (const char *p = views[v].columns; *p && count < MAX_VIEW_COLUMNS;) {
            size_t n = strcspn(p, ":");
            struct column *c = &view_columns[v][count++];
            memcpy(names + used, p, n);
            c->name = names + used;
            c->type = letter_type(p[n + 1]);
            used += n + 1;
            p += n + 2;
            while (*p == ' ')
                p++;
        }
        view_counts[v] = count;
    }
}

const struct sysview *
sysview_find(const struct session *s, const struct name *n)
{
    (void)pthread_once(&columns_once, build_columns);
    for (size_t i = 0; i < VIEW_COUNT; i++) {
        const struct sysview *v = &views[i];
        if (!n->schema || !same_name(v->schema, n->schema) || !same_name(v->name, n->object) ||
            n->server)
            continue;
        bool here = !n->database || same_name(n->database, s->engine->database) ||
                    same_name(n->database, "master");
        if (here && dialect_utf8(s) && dialect_lacks(v->name))
            return NULL;
        if (here)
            return v;
    }
    return NULL;
}

const struct column *
sysview_columns(const struct sysview *v, int *count)
{
    size_t i = (size_t)(v - views);
    *count = view_counts[i];
    return view_columns[i];
}

/* ---- rows ---- */

void
row_new(struct rows *r)
{
    struct arena *a = r->x->v.arena;
    size_t bytes = (size_t)r->width * sizeof *r->row;
    if (r->count == r->capacity) {
        size_t capacity = r->capacity ? r->capacity * 2 : 64;
        struct val **bigger = arena_alloc(a, capacity * sizeof(struct val *));
        if (r->count)
            memcpy(bigger, r->at, r->count * sizeof(struct val *));
        r->at = bigger;
        r->capacity = capacity;
    }
    if (!r->blank) {
        r->blank = arena_alloc(a, bytes);
        for (int i = 0; i < r->width; i++)
            r->blank[i] = val_null(r->columns[i].type);
    }
    r->row = r->at[r->count++] = arena_copy(a, r->blank, bytes);
}

static int
find_cell(const struct rows *r, const char *name)
{
    for (int i = 0; i < r->width; i++)
        if (strcmp(r->columns[i].name, name) == 0)
            return i;
    return -1;
}

static struct val *
cell(struct rows *r, const char *name)
{
    struct known_cell *k = &r->known[((uintptr_t)name >> 2 ^ (uintptr_t)name >> 8) % KNOWN_CELLS];
    if (k->name != name)
        *k = (struct known_cell){name, find_cell(r, name)};
    return k->column >= 0 ? &r->row[k->column] : NULL;
}

void
row_int(struct rows *r, const char *name, int64_t value)
{
    struct val *c = cell(r, name);
    if (c)
        c->v = (struct sql_value){.integer = value};
}

/* As this engine keeps names. */
static const char *
lower_case(struct arena *a, const char *text)
{
    char *copy = arena_strdup(a, text);
    for (char *p = copy; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return copy;
}

void
row_text(struct rows *r, const char *name, const char *text)
{
    struct val *c = cell(r, name);
    if (!c || !text)
        return;
    if (same_name(name, "name") && dialect_utf8(r->x->s))
        text = lower_case(r->x->v.arena, text);
    struct val v = val_utf8(r->x->v.arena, text);
    struct sql_typeinfo t = c->t;
    (void)convert(&r->x->v, &v, t, 0, c);
}

void
row_date(struct rows *r, const char *name, int64_t ms)
{
    struct val *c = cell(r, name);
    struct moment m = {(int32_t)(ms / 86400000) + 25567, ms % 86400000 * 10000, 0};
    if (c) {
        struct sql_typeinfo t = c->t;
        (void)moment_to_val(m, t, c);
    }
}

void
row_bytes(struct rows *r, const char *name, const unsigned char *bytes, size_t length)
{
    struct val *c = cell(r, name);
    if (c)
        c->v =
            (struct sql_value){.bytes = arena_copy(r->x->v.arena, bytes, length), .length = length};
}

void
row_zeros(struct rows *r)
{
    for (int i = 0; i < r->width; i++) {
        enum sql_type t = r->columns[i].type.type;
        if (t == SQL_BIT || t == SQL_TINYINT)
            r->row[i].v = (struct sql_value){0};
    }
}

bool
sysview_fill(struct ectx *x, struct source *src)
{
    struct session *s = x->s;
    /* rows must outlive the row that is being evaluated: they go into memory of the statement */
    struct ectx y = *x;
    y.v.arena = s->statement_arena;
    struct rows r = {.x = &y, .columns = src->columns, .width = src->used ? src->used : 1};
    src->view->fill(&r);
    src->rows = r.at;
    src->row_count = r.count;
    src->rows_read = true;
    return true;
}
