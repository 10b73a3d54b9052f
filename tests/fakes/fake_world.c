#include "fake_world.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* A port pointer is a pointer into its world. */
#define WORLD_OF(pointer, member)                                                                  \
    ((struct fake_world *)((char *)(pointer)-offsetof(struct fake_world, member)))

static bool
fails(struct fake_world *world, enum err_code code, struct err *err)
{
    if (++world->calls != world->fail_at)
        return false;
    (void)err_set(err, code, "injected failure at call %d", world->calls);
    return true;
}

static void
happen(struct fake_world *world, enum fake_moment moment)
{
    struct fake_table *table = &world->tables[world->change_table];

    if (world->change_at != moment)
        return;
    world->change_at = FAKE_NEVER;
    if (world->change_adds) {
        table->rows[table->count] = (struct fake_row){.recid = 1000, .content = 77, .version = 1};
        table->count++;
    } else if (table->count) {
        table->rows[0].content += 1000;
        table->rows[0].version++;
    }
}

/* ---- rows ---- */

static const struct column axdb_columns[] = {
    {.name = "PARTITION", .type_name = "bigint", .max_length = 8},
    {.name = "RECID", .type_name = "bigint", .max_length = 8},
    {.name = "CONTENT", .type_name = "nvarchar", .max_length = -1, .nullable = true},
    {.name = "SYSROWVERSION", .type_name = "timestamp", .max_length = 8, .generated = true},
};
enum { AXDB_COLUMNS = sizeof axdb_columns / sizeof axdb_columns[0] };

static struct schema
schema_for(enum table table)
{
    if (table == TABLE_RUNTIME)
        return *runtime_schema();
    return (struct schema){
        .table = table, .columns = axdb_columns, .count = AXDB_COLUMNS, .unique_key = true};
}

static bool
send_row(enum table table, const struct fake_row *from, const struct row_sink *sink,
         struct err *err)
{
    const struct schema schema = schema_for(table);
    struct digest_stream *stream = digest_new();
    char recid[24];
    char content[24];
    char version[24];
    struct field fields[AXDB_COLUMNS];
    struct row row = {.fields = fields, .count = schema.count};
    bool ok;

    (void)snprintf(recid, sizeof recid, "%d", from->recid);
    (void)snprintf(content, sizeof content, "content %d", from->content);
    (void)snprintf(version, sizeof version, "%016d", from->version);
    row.id.table = table;
    if (table == TABLE_RUNTIME) {
        fields[0] = (struct field){.bytes = slice_of_string(content)};
        (void)snprintf(row.id.key, sizeof row.id.key, "00000000-0000-0000-0000-%012d", from->recid);
        (void)snprintf(row.id.version, sizeof row.id.version, "W/\"%d\"", from->version);
    } else {
        fields[0] = (struct field){.bytes = slice_of_string("5637144576")};
        fields[1] = (struct field){.bytes = slice_of_string(recid)};
        fields[2] = (struct field){.bytes = slice_of_string(content)};
        fields[3] = (struct field){.bytes = slice_of_string(version)};
        (void)snprintf(row.id.key, sizeof row.id.key, "5637144576:%d", from->recid);
    }
    row_digest(&schema, stream, &row);
    digest_free(stream);
    ok = sink->take(sink->ctx, &row, err);
    return ok;
}

static bool
send_rows(enum table table, const struct fake_table *from, const struct row_sink *sink,
          struct err *err)
{
    for (size_t i = 0; i < from->count; i++)
        if (!send_row(table, &from->rows[i], sink, err))
            return false;
    return true;
}

/** The promise: is this very row in a sealed backup? */
static void
destroyed(struct fake_world *world, enum table table, const struct fake_row *row)
{
    const struct fake_table *backup = &world->backup[table];

    for (size_t i = 0; world->sealed && i < backup->count; i++)
        if (backup->rows[i].recid == row->recid && backup->rows[i].content == row->content)
            return;
    world->violations++;
}

/* ---- AxDB ---- */

static struct counted
known(size_t rows)
{
    return (struct counted){.known = true, .rows = (int64_t)rows};
}

static void
describe_tables(struct fake_world *world, struct axdb_evidence *ret)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        struct axdb_table_evidence *table = &ret->tables[i];

        table->exists = true;
        table->schema = schema_for((enum table)i);
        table->may_select = table->may_insert = table->may_view_definition = RIGHT_HELD;
        table->may_delete = world->may_delete;
        table->fresh = table->partitions = known(world->tables[i].count);
        table->triggers.known = table->foreign_keys.known = table->policies.known = !world->blind;
    }
    if (world->trigger)
        ret->tables[TABLE_PROJECT].triggers =
            (struct named_list){.known = true, .names = &world->trigger, .count = 1};
    if (world->policy)
        ret->tables[TABLE_EVENTS].policies =
            (struct named_list){.known = true, .names = &world->policy, .count = 1};
    if (world->table_missing)
        ret->tables[TABLE_EVENTS] = (struct axdb_table_evidence){0};
    if (world->count_unknown) {
        struct counted *fresh = &ret->tables[TABLE_EVENTS].fresh;

        fresh->known = false;
        (void)err_set(&fresh->why, ERR_LOCK, "lock request time out");
    }
    if (world->hidden_rows)
        for (int i = 0; i < AXDB_TABLES; i++)
            ret->tables[i].fresh.rows = 0;
}

static bool
describe_groups(struct fake_world *world, struct arena *arena, struct axdb_evidence *ret)
{
    const size_t projects = world->tables[TABLE_PROJECT].count;
    const size_t events = world->tables[TABLE_EVENTS].count;
    struct axdb_url_count *url = arena_alloc(arena, sizeof *url);
    struct axdb_channel_count *channels = arena_alloc(arena, 2 * sizeof *channels);

    if (!url || !channels)
        return false;
    *url = (struct axdb_url_count){.url = world->url, .rows = (int64_t)projects};
    ret->urls_known = ret->channels_known = true;
    ret->urls = url;
    ret->url_count = projects ? 1 : 0;
    channels[0] = (struct axdb_channel_count){
        .channel = world->channel, .enabled = 1, .rows = (int64_t)events};
    channels[1] = (struct axdb_channel_count){.channel = world->other_channel, .rows = 1};
    ret->channels = channels;
    ret->channel_count = events ? (world->other_channel ? 2 : 1) : 0;
    ret->projects_without_fields = ret->fields_without_project = known(0);
    return true;
}

static bool
axdb_observe(struct axdb_store *store, struct arena *arena, struct axdb_evidence *ret,
             struct err *err)
{
    struct fake_world *world = WORLD_OF(store, axdb);

    if (fails(world, ERR_CONNECT, err))
        return false;
    if (++world->observations > 1)
        happen(world, FAKE_BEFORE_LAST_LOOK);
    *ret = (struct axdb_evidence){
        .identity = {.dialled = "sql01,1433",
                     .server_name = "SQL01",
                     .machine_name = "SQL01",
                     .product = "13.0",
                     .database = "AxDB",
                     .login = "dwclean",
                     .client = "fake",
                     .encryption = "TLS",
                     .state = world->state,
                     .user_access = "MULTI_USER",
                     .created = "2026-11-20T10:00:00",
                     .recovery_fork = "",
                     .restore_known = true,
                     .restored_at = "2026-11-20T10:00:00",
                     .restored_from_server = "PROD-SQL",
                     .restored_from_database = "AxDB",
                     .backup_finished_at = "2026-11-19T22:00:00"},
        .sessions_known = true,
        .may_applock = RIGHT_HELD,
    };
    describe_tables(world, ret);
    if (!describe_groups(world, arena, ret))
        return arena_exhausted(err);
    if (world->patch_axdb)
        world->patch_axdb(ret);
    return true;
}

static bool
axdb_read_rows(struct axdb_store *store, const struct schema *schema, const struct row_sink *sink,
               struct err *err)
{
    struct fake_world *world = WORLD_OF(store, axdb);

    if (fails(world, ERR_CONNECT, err))
        return false;
    return send_rows(schema->table, &world->tables[schema->table], sink, err);
}

static bool
axdb_acquire(struct axdb_store *store, bool *ret_granted, struct err *err)
{
    struct fake_world *world = WORLD_OF(store, axdb);

    if (fails(world, ERR_CONNECT, err))
        return false;
    *ret_granted = !world->exclusion_taken;
    return true;
}

static bool
axdb_release(struct axdb_store *store, struct err *err)
{
    return !fails(WORLD_OF(store, axdb), ERR_CONNECT, err);
}

static bool
axdb_begin(struct axdb_store *store, int64_t max_lock_ms, struct err *err)
{
    struct fake_world *world = WORLD_OF(store, axdb);

    (void)max_lock_ms;
    if (fails(world, ERR_CONNECT, err))
        return false;
    if (world->lock_failures > 0) {
        world->lock_failures--;
        (void)err_set(err, ERR_LOCK, "lock request time out");
        err->transient = true;
        return false;
    }
    happen(world, FAKE_BEFORE_LOCK);
    memcpy(world->transaction, world->tables, sizeof world->transaction);
    world->in_transaction = true;
    return true;
}

static bool
axdb_read_catalog(struct axdb_store *store, struct arena *arena,
                  struct axdb_table_evidence ret[AXDB_TABLES], struct err *err)
{
    struct fake_world *world = WORLD_OF(store, axdb);
    struct axdb_evidence evidence = {0};

    (void)arena;
    if (fails(world, ERR_CONNECT, err))
        return false;
    describe_tables(world, &evidence);
    if (world->column_appears)
        evidence.tables[TABLE_EVENTS].schema.count--;
    memcpy(ret, evidence.tables, sizeof evidence.tables);
    return true;
}

static void
axdb_rollback(struct axdb_store *store)
{
    struct fake_world *world = WORLD_OF(store, axdb);

    if (world->in_transaction)
        memcpy(world->tables, world->transaction, sizeof world->transaction);
    world->in_transaction = false;
}

static bool
axdb_delete_all(struct axdb_store *store, enum table table, int64_t *ret_deleted, int64_t *ret_left,
                struct err *err)
{
    struct fake_world *world = WORLD_OF(store, axdb);
    struct fake_table *rows = &world->tables[table];

    if (fails(world, ERR_SERVER, err))
        return false;
    for (size_t i = 0; i < rows->count; i++)
        destroyed(world, table, &rows->rows[i]);
    *ret_deleted = (int64_t)rows->count - world->short_delete;
    *ret_left = world->short_delete;
    rows->count = (size_t)world->short_delete;
    return true;
}

static bool
axdb_commit(struct axdb_store *store, enum commit_state *ret_state, struct err *err)
{
    struct fake_world *world = WORLD_OF(store, axdb);
    const bool injected = fails(world, ERR_CONNECT, err);

    *ret_state = injected ? COMMIT_UNKNOWN : world->commit;
    if (*ret_state == COMMIT_DONE || (*ret_state == COMMIT_UNKNOWN && world->commit_lands))
        world->in_transaction = false;
    else
        axdb_rollback(store);
    if (*ret_state == COMMIT_DONE)
        return true;
    if (!injected)
        (void)err_set(err, ERR_CONNECT, "the connection is gone");
    return false;
}

static int64_t
axdb_locked_ms(const struct axdb_store *store)
{
    (void)store;
    return 7;
}

static void
axdb_close(struct axdb_store *store)
{
    axdb_rollback(store);
}

static bool
axdb_connect(struct axdb_server *server, struct axdb_store **ret, struct err *err)
{
    static const struct axdb_store_ops ops = {
        .observe = axdb_observe,
        .read_rows = axdb_read_rows,
        .acquire_exclusion = axdb_acquire,
        .release_exclusion = axdb_release,
        .begin_locked = axdb_begin,
        .read_catalog = axdb_read_catalog,
        .delete_all = axdb_delete_all,
        .commit = axdb_commit,
        .rollback = axdb_rollback,
        .locked_ms = axdb_locked_ms,
        .close = axdb_close,
    };
    struct fake_world *world = WORLD_OF(server, axdb_server);

    if (fails(world, ERR_CONNECT, err))
        return false;
    if (++world->axdb_connects > 1 && world->axdb_gone_after)
        return err_set(err, ERR_CONNECT, "the server is gone");
    world->axdb.ops = &ops;
    *ret = &world->axdb;
    return true;
}

/* ---- Dataverse ---- */

static bool
runtime_observe(struct runtime_store *store, struct arena *arena, struct runtime_evidence *ret,
                struct err *err)
{
    struct fake_world *world = WORLD_OF(store, runtime);
    const struct fake_table *table = &world->tables[TABLE_RUNTIME];
    struct runtime_row *rows = arena_alloc(arena, (table->count + 1) * sizeof *rows);

    if (fails(world, ERR_CONNECT, err))
        return false;
    if (!rows)
        return arena_exhausted(err);
    for (size_t i = 0; i < table->count; i++)
        rows[i] = (struct runtime_row){
            .key = arena_printf(arena, "00000000-0000-0000-0000-%012d", table->rows[i].recid),
            .etag = arena_printf(arena, "W/\"%d\"", table->rows[i].version),
            .name = "name",
            .internal_entity = "account",
            .external_entity = "Customers V3",
            .created_on = "2026-01-01T00:00:00Z",
            .modified_on = "",
            .active = true};
    *ret = (struct runtime_evidence){
        .identity = {.dialled_host = "localhost",
                     .organization_id = world->other_target_after && world->journal_count
                                            ? "another"
                                            : "11111111-0000",
                     .unique_name = "org6459f7a8",
                     .friendly_name = "UAT",
                     .environment_id = "",
                     .version = "9.2",
                     .host = world->own_host,
                     .user_id = "22222222",
                     .link_known = !world->link_unknown,
                     .linked = !world->link_unknown,
                     .fno_url = "https://uat.operations.dynamics.com",
                     .link_detail = "",
                     .entity_set = "msdyn_dualwriteruntimeconfigs",
                     .key_column = "msdyn_dualwriteruntimeconfigid",
                     .optimistic_concurrency = !world->no_versions,
                     .may_read_all = world->may_read_all,
                     .may_delete = RIGHT_HELD},
        .rows = rows,
        .row_count = table->count};
    if (world->patch_runtime)
        world->patch_runtime(ret);
    return true;
}

static bool
runtime_read_rows(struct runtime_store *store, const struct row_sink *sink, struct err *err)
{
    struct fake_world *world = WORLD_OF(store, runtime);

    if (fails(world, ERR_CONNECT, err))
        return false;
    return send_rows(TABLE_RUNTIME, &world->tables[TABLE_RUNTIME], sink, err);
}

/** The server's side of one conditional delete. */
static enum removal_state
remove_row(struct fake_world *world, const struct row_id *row, bool last)
{
    struct fake_table *table = &world->tables[TABLE_RUNTIME];
    char key[ROW_KEY_BYTES];
    char etag[ROW_VERSION_BYTES];

    for (size_t i = 0; i < table->count; i++) {
        (void)snprintf(key, sizeof key, "00000000-0000-0000-0000-%012d", table->rows[i].recid);
        (void)snprintf(etag, sizeof etag, "W/\"%d\"", table->rows[i].version);
        if (strcmp(key, row->key) != 0)
            continue;
        if (last && world->removal != REMOVAL_DONE)
            return world->removal;
        if (strcmp(etag, row->version) != 0)
            return REMOVAL_CHANGED;
        destroyed(world, TABLE_RUNTIME, &table->rows[i]);
        table->rows[i] = table->rows[--table->count];
        return REMOVAL_DONE;
    }
    return REMOVAL_GONE;
}

static bool
runtime_remove(struct runtime_store *store, const struct row_id *rows, size_t count,
               const struct removal_sink *sink, struct err *err)
{
    struct fake_world *world = WORLD_OF(store, runtime);

    happen(world, FAKE_BEFORE_PURGE);
    for (size_t i = 0; i < count; i++) {
        const struct row_id *row = &rows[i];
        struct removal removal = {.row = row, .http_status = 204};

        if (!sink->intent(sink->ctx, &row, 1, err) || fails(world, ERR_CONNECT, err))
            return false;
        removal.state = remove_row(world, row, i + 1 == count);
        if (removal.state != REMOVAL_DONE && removal.state != REMOVAL_GONE)
            (void)err_set(&removal.why, ERR_SERVER, "refused");
        if (!sink->outcome(sink->ctx, &removal, err))
            return false;
    }
    return true;
}

static void
runtime_close(struct runtime_store *store)
{
    (void)store;
}

static bool
runtime_connect(struct runtime_server *server, struct runtime_store **ret, struct err *err)
{
    static const struct runtime_store_ops ops = {.observe = runtime_observe,
                                                 .read_rows = runtime_read_rows,
                                                 .remove = runtime_remove,
                                                 .close = runtime_close};
    struct fake_world *world = WORLD_OF(server, runtime_server);

    if (fails(world, ERR_SIGNIN, err))
        return false;
    world->runtime.ops = &ops;
    *ret = &world->runtime;
    return true;
}

/* ---- run directory ---- */

static bool
journal_record(struct journal *journal, const char *step, const struct fact *facts, size_t count,
               bool durable, struct err *err)
{
    struct fake_world *world = WORLD_OF(journal, journal_port);

    (void)facts;
    (void)count;
    (void)durable;
    if (fails(world, ERR_STORAGE, err))
        return false;
    if (world->journal_count < FAKE_MAX_JOURNAL)
        (void)snprintf(world->journal[world->journal_count++], sizeof world->journal[0], "%s",
                       step);
    return true;
}

static bool
journal_reserve(struct journal *journal, size_t bytes, struct err *err)
{
    (void)bytes;
    return !fails(WORLD_OF(journal, journal_port), ERR_STORAGE, err);
}

static bool
plan_begin(struct plan_file *plan, const struct plan_header *header, struct err *err)
{
    (void)header;
    return !fails(WORLD_OF(plan, plan), ERR_STORAGE, err);
}

static bool
plan_schema(struct plan_file *plan, const struct schema *schema, struct err *err)
{
    (void)schema;
    return !fails(WORLD_OF(plan, plan), ERR_STORAGE, err);
}

static bool
plan_add(struct plan_file *plan, const struct row_id *row, struct err *err)
{
    (void)row;
    return !fails(WORLD_OF(plan, plan), ERR_STORAGE, err);
}

static bool
plan_end(struct plan_file *plan, const char *plan_id, struct err *err)
{
    (void)plan_id;
    return !fails(WORLD_OF(plan, plan), ERR_STORAGE, err);
}

static bool
backup_begin(struct backup *backup, const struct schema *schema, struct err *err)
{
    struct fake_world *world = WORLD_OF(backup, backup_port);

    happen(world, FAKE_BEFORE_BACKUP);
    if (fails(world, ERR_STORAGE, err))
        return false;
    world->backup[schema->table].count = 0;
    return true;
}

static bool
backup_add(struct backup *backup, const struct row *row, struct err *err)
{
    struct fake_world *world = WORLD_OF(backup, backup_port);
    struct fake_table *table = &world->backup[row->id.table];
    const struct fake_table *live = &world->tables[row->id.table];

    if (fails(world, ERR_STORAGE, err))
        return false;
    table->rows[table->count] = live->rows[table->count];
    table->count++;
    return true;
}

static bool
backup_step(struct backup *backup, struct err *err)
{
    return !fails(WORLD_OF(backup, backup_port), ERR_STORAGE, err);
}

static bool
backup_read_back(struct backup *backup, enum table table, const struct row_sink *sink,
                 struct err *err)
{
    struct fake_world *world = WORLD_OF(backup, backup_port);
    struct fake_table read = world->backup[table];

    if (fails(world, ERR_STORAGE, err))
        return false;
    if (world->backup_lies && read.count)
        read.rows[0].content++;
    return send_rows(table, &read, sink, err);
}

static bool
backup_seal(struct backup *backup, struct err *err)
{
    struct fake_world *world = WORLD_OF(backup, backup_port);

    if (fails(world, ERR_STORAGE, err))
        return false;
    world->sealed = true;
    return true;
}

static const char *
dir_name(const struct run_dir *dir)
{
    (void)dir;
    return "20261121T214429Z-uat-0001";
}

static bool
dir_lock(struct run_dir *dir, const char *target, struct err *err)
{
    (void)target;
    return !fails(WORLD_OF(dir, dir), ERR_LOCK, err);
}

static struct journal *
dir_journal(struct run_dir *dir)
{
    return &WORLD_OF(dir, dir)->journal_port;
}

static struct plan_file *
dir_plan(struct run_dir *dir)
{
    return &WORLD_OF(dir, dir)->plan;
}

static struct backup *
dir_backup(struct run_dir *dir)
{
    return &WORLD_OF(dir, dir)->backup_port;
}

static bool
dir_finish(struct run_dir *dir, struct err *err)
{
    struct fake_world *world = WORLD_OF(dir, dir);

    if (fails(world, ERR_STORAGE, err))
        return false;
    if (world->finish_fails)
        return err_set(err, ERR_STORAGE, "no space for SHA256SUMS");
    world->finished = true;
    return true;
}

static void
dir_close(struct run_dir *dir)
{
    (void)dir;
}

static bool
store_create(struct run_store *store, const struct run_info *info, uint64_t expected_bytes,
             struct run_dir **ret, struct err *err)
{
    static const struct run_dir_ops ops = {.id = dir_name,
                                           .path = dir_name,
                                           .lock_target = dir_lock,
                                           .journal = dir_journal,
                                           .plan = dir_plan,
                                           .backup = dir_backup,
                                           .finish = dir_finish,
                                           .close = dir_close};
    struct fake_world *world = WORLD_OF(store, run_store);

    (void)info;
    (void)expected_bytes;
    if (fails(world, ERR_STORAGE, err))
        return false;
    world->files_created++;
    world->dir.ops = &ops;
    *ret = &world->dir;
    return true;
}

/* ---- operator and observer ---- */

static void
op_show(struct operator_port *op, const char *text)
{
    struct fake_world *world = WORLD_OF(op, op);

    (void)snprintf(world->shown, sizeof world->shown, "%s", text);
}

static bool
op_ask(struct operator_port *op, const char *question, char *ret, size_t ret_size, struct err *err)
{
    struct fake_world *world = WORLD_OF(op, op);

    (void)question;
    if (fails(world, ERR_INTERRUPTED, err))
        return false;
    if (world->answered >= world->answer_count)
        return err_set(err, ERR_REFUSED, "end of input");
    (void)snprintf(ret, ret_size, "%s", world->answers[world->answered++]);
    return true;
}

static void
observer_say(struct observer *observer, enum log_level level, const char *text)
{
    (void)observer;
    (void)level;
    (void)text;
}

static void
observer_progress(struct observer *observer, const char *what, int64_t done, int64_t total)
{
    (void)observer;
    (void)what;
    (void)done;
    (void)total;
}

static bool
write_reports(void *ctx, const struct outcome *outcome, struct run_dir *dir, struct err *err)
{
    struct fake_world *world = ctx;

    (void)dir;
    if (fails(world, ERR_STORAGE, err))
        return false;
    world->reports_written = true;
    world->reported_status = outcome->exit_status;
    return true;
}

/* ---- the world ---- */

static void
fill(struct fake_table *table, size_t count)
{
    table->count = count;
    for (size_t i = 0; i < count; i++)
        table->rows[i] =
            (struct fake_row){.recid = (int)i + 1, .content = (int)i * 10, .version = 1};
}

void
fake_world_init(struct fake_world *world)
{
    static const struct journal_ops journal_ops = {.record = journal_record,
                                                   .reserve = journal_reserve};
    static const struct plan_file_ops plan_ops = {
        .begin = plan_begin, .add_schema = plan_schema, .add = plan_add, .end = plan_end};
    static const struct backup_ops backup_ops = {.begin_table = backup_begin,
                                                 .add = backup_add,
                                                 .end_table = backup_step,
                                                 .close = backup_step,
                                                 .read_back = backup_read_back,
                                                 .seal = backup_seal};

    *world = (struct fake_world){
        .url = "https://contoso-prod.crm4.dynamics.com/",
        .own_host = "contoso-uat.crm4.dynamics.com",
        .channel = "DualWrite",
        .state = "ONLINE",
        .may_delete = RIGHT_HELD,
        .may_read_all = RIGHT_HELD,
        .commit = COMMIT_DONE,
        .removal = REMOVAL_DONE,
        .axdb_server = {axdb_connect},
        .runtime_server = {runtime_connect},
        .run_store = {store_create},
        .observer = {observer_say, observer_progress},
        .op = {.show = op_show, .ask = op_ask},
        .journal_port = {&journal_ops},
        .plan = {&plan_ops},
        .backup_port = {&backup_ops},
    };
    fill(&world->tables[TABLE_FIELD], 2);
    fill(&world->tables[TABLE_PROJECT], 2);
    fill(&world->tables[TABLE_EVENTS], 3);
    fill(&world->tables[TABLE_RUNTIME], 2);
    world->ports = (struct run_ports){.axdb = &world->axdb_server,
                                      .runtime = &world->runtime_server,
                                      .runs = &world->run_store,
                                      .observer = &world->observer,
                                      .op = &world->op,
                                      .write_reports = write_reports,
                                      .write_reports_ctx = world};
}

struct run_request
fake_request(void)
{
    return (struct run_request){.axdb = true,
                                .dataverse = true,
                                .env_class = CLASS_SANDBOX,
                                .server = "sql01",
                                .database = "AxDB",
                                .dataverse_url = "https://localhost",
                                .yes = true,
                                .maps_are_stopped = true,
                                .reason = "test",
                                .max_lock_ms = 30000};
}

size_t
fake_world_rows(const struct fake_world *world)
{
    size_t rows = 0;

    for (int i = 0; i < TABLES; i++)
        rows += world->tables[i].count;
    return rows;
}

bool
fake_world_journalled(const struct fake_world *world, const char *step)
{
    for (int i = 0; i < world->journal_count; i++)
        if (strcmp(world->journal[i], step) == 0)
            return true;
    return false;
}
