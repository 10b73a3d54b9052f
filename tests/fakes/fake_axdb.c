/* The AxDB half of the fake world: one connection at a time, one transaction at a time. */
#include "fake_parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static struct fake_world *
world_of(struct axdb_store *store)
{
    return WORLD_OF(store, axdb);
}

/* ---- what a look finds ---- */

static struct counted
known(size_t rows)
{
    return (struct counted){.known = true, .rows = (int64_t)rows};
}

static void
describe_faults(struct fake_world *world, struct axdb_evidence *ret)
{
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

static void
describe_tables(struct fake_world *world, struct axdb_evidence *ret)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        struct axdb_table_evidence *table = &ret->tables[i];

        table->exists = true;
        table->schema = fake_schema(world, (enum table)i, world->new_column);
        table->may_select = table->may_view_definition = RIGHT_HELD;
        table->may_delete = world->may_delete;
        table->may_insert = world->may_insert;
        table->fresh = table->partitions = known(world->tables[i].count);
        table->triggers.known = table->foreign_keys.known = table->policies.known = !world->blind;
    }
    describe_faults(world, ret);
}

/** Project rows by URL and STATUS. */
static bool
group_urls(const struct fake_world *world, struct arena *arena, struct axdb_evidence *ret)
{
    const struct fake_table *projects = &world->tables[TABLE_PROJECT];
    struct axdb_url_count *urls = arena_alloc(arena, FAKE_MAX_ROWS * sizeof *urls);

    if (!urls)
        return false;
    for (size_t i = 0; i < projects->count; i++) {
        char url[FAKE_NAME_BYTES];
        size_t at = 0;

        fake_url(world, &projects->rows[i], url, sizeof url);
        while (at < ret->url_count &&
               (strcmp(urls[at].url, url) != 0 || urls[at].status != projects->rows[i].status))
            at++;
        if (at == ret->url_count) {
            urls[at] = (struct axdb_url_count){.url = arena_string(arena, url),
                                               .status = projects->rows[i].status};
            if (!urls[ret->url_count++].url)
                return false;
        }
        urls[at].rows++;
    }
    ret->urls = urls;
    ret->urls_known = true;
    return true;
}

/** Event rows by CHANNEL; the other three are the same in all of them. */
static bool
group_channels(const struct fake_world *world, struct arena *arena, struct axdb_evidence *ret)
{
    const struct fake_table *events = &world->tables[TABLE_EVENTS];
    struct axdb_channel_count *channels = arena_alloc(arena, FAKE_MAX_ROWS * sizeof *channels);

    if (!channels)
        return false;
    for (size_t i = 0; i < events->count; i++) {
        const char *channel = fake_channel(world, &events->rows[i]);
        size_t at = 0;

        while (at < ret->channel_count && strcmp(channels[at].channel, channel) != 0)
            at++;
        if (at == ret->channel_count)
            channels[ret->channel_count++] =
                (struct axdb_channel_count){.channel = channel, .enabled = 1};
        channels[at].rows++;
    }
    ret->channels = channels;
    ret->channels_known = true;
    return true;
}

static int64_t
count_without(const struct fake_table *rows, const struct fake_table *others)
{
    int64_t count = 0;

    for (size_t i = 0; i < rows->count; i++)
        count += !fake_find(others, rows->rows[i].recid);
    return count;
}

static bool
axdb_observe(struct axdb_store *store, struct arena *arena, struct axdb_evidence *ret,
             struct err *err)
{
    struct fake_world *world = world_of(store);

    if (fake_fails(world, ERR_CONNECT, err))
        return false;
    if (++world->observations > 1)
        fake_happen(world, FAKE_BEFORE_LAST_LOOK);
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
                     .created = world->created,
                     .recovery_fork = "",
                     .restore_known = true,
                     .restored_at = "2026-11-20T10:00:00",
                     .restored_from_server = "PROD-SQL",
                     .restored_from_database = "AxDB",
                     .backup_finished_at = "2026-11-19T22:00:00"},
        .sessions_known = true,
        .may_applock = world->may_applock,
    };
    describe_tables(world, ret);
    ret->projects_without_fields = known(0);
    ret->fields_without_project = known(0);
    ret->projects_without_fields.rows =
        count_without(&world->tables[TABLE_PROJECT], &world->tables[TABLE_FIELD]);
    ret->fields_without_project.rows =
        count_without(&world->tables[TABLE_FIELD], &world->tables[TABLE_PROJECT]);
    if (!group_urls(world, arena, ret) || !group_channels(world, arena, ret))
        return arena_exhausted(err);
    if (world->patch_axdb)
        world->patch_axdb(ret);
    return true;
}

static bool
axdb_read_catalog(struct axdb_store *store, struct arena *arena,
                  struct axdb_table_evidence ret[AXDB_TABLES], struct err *err)
{
    struct fake_world *world = world_of(store);
    struct axdb_evidence evidence = {0};

    (void)arena;
    assert(world->in_transaction);
    if (fake_fails(world, ERR_CONNECT, err))
        return false;
    describe_tables(world, &evidence);
    if (world->column_appears)
        evidence.tables[TABLE_EVENTS].schema = fake_schema(world, TABLE_EVENTS, true);
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct axdb_table_evidence *seen = &evidence.tables[i];

        ret[i] = (struct axdb_table_evidence){.exists = seen->exists,
                                              .fault = seen->fault,
                                              .fault_is_final = seen->fault_is_final,
                                              .schema = seen->schema,
                                              .triggers = seen->triggers,
                                              .foreign_keys = seen->foreign_keys,
                                              .policies = seen->policies};
    }
    if (world->patch_catalog)
        world->patch_catalog(ret);
    return true;
}

/** Nothing is ever sent here, early or late. */
static void
axdb_foresee(struct axdb_store *store, const struct axdb_foresight *foresight)
{
    (void)store;
    assert(foresight->table_count <= AXDB_TABLES);
}

static bool
axdb_read_rows(struct axdb_store *store, const struct schema *schema, const struct row_sink *sink,
               struct err *err)
{
    struct fake_world *world = world_of(store);
    const struct schema now = fake_schema(world, schema->table, world->new_column);

    if (fake_fails(world, ERR_CONNECT, err))
        return false;
    if (schema->count > now.count)
        return err_set(err, ERR_SERVER, "invalid column name 'NEWCOLUMN'");
    return fake_send_rows(world, schema, &world->tables[schema->table], sink, err);
}

/* ---- locks ---- */

static bool
axdb_acquire(struct axdb_store *store, bool *ret_granted, struct err *err)
{
    struct fake_world *world = world_of(store);

    if (fake_fails(world, ERR_CONNECT, err))
        return false;
    if (world->exclusion_denied)
        return err_set(err, ERR_PERMISSION, "no EXECUTE permission on sp_getapplock");
    *ret_granted = !world->exclusion_taken && world->exclusion_busy == 0;
    world->exclusion_held = *ret_granted;
    if (world->exclusion_busy > 0)
        world->exclusion_busy--;
    return true;
}

static bool
axdb_release(struct axdb_store *store, struct err *err)
{
    struct fake_world *world = world_of(store);

    world->stray_releases += !world->exclusion_held;
    world->exclusion_held = false;
    return !fake_fails(world, ERR_CONNECT, err);
}

static bool
axdb_begin(struct axdb_store *store, int64_t max_lock_ms, struct err *err)
{
    struct fake_world *world = world_of(store);

    (void)max_lock_ms;
    assert(!world->in_transaction);
    if (fake_fails(world, ERR_CONNECT, err))
        return false;
    if (world->lock_failures > 0) {
        world->lock_failures--;
        (void)err_set(err, ERR_LOCK, "lock request time out");
        err->transient = true;
        return false;
    }
    fake_happen(world, FAKE_BEFORE_LOCK);
    memcpy(world->transaction, world->tables, sizeof world->transaction);
    world->in_transaction = true;
    world->inserted = false;
    world->waited_ms = 0;
    return true;
}

static void
axdb_rollback(struct axdb_store *store)
{
    struct fake_world *world = world_of(store);

    if (world->in_transaction)
        memcpy(world->tables, world->transaction, sizeof world->transaction);
    world->in_transaction = false;
}

/* ---- deleting ---- */

static void
delete_rows(struct fake_world *world, enum table table, struct axdb_deleted *ret)
{
    struct fake_table *rows = &world->tables[table];
    size_t left;

    fake_happen(world, FAKE_BEFORE_DELETE);
    left = (size_t)world->short_delete < rows->count ? (size_t)world->short_delete : rows->count;
    for (size_t i = left; i < rows->count; i++)
        fake_destroyed(world, table, &rows->rows[i]);
    ret->rows = (int64_t)(rows->count - left);
    rows->count = left;
}

static bool
axdb_delete_all(struct axdb_store *store, const bool tables[AXDB_TABLES],
                struct axdb_deleted ret[AXDB_TABLES], struct err *err)
{
    struct fake_world *world = world_of(store);

    assert(world->in_transaction);
    if (fake_fails(world, ERR_SERVER, err))
        return false;
    memset(ret, 0, AXDB_TABLES * sizeof *ret);
    for (int i = 0; i < AXDB_TABLES; i++)
        if (tables[i])
            delete_rows(world, (enum table)i, &ret[i]);
    for (int i = 0; i < AXDB_TABLES; i++)
        if (tables[i])
            ret[i].left = (int64_t)world->tables[i].count;
    return true;
}

static bool
is_key_of(const struct fake_row *row, const struct axdb_key *key)
{
    return key->partition == 5637144576 && key->recid == row->recid;
}

/** Every row with this key goes: as many as there are. */
static int64_t
delete_key(struct fake_world *world, enum table table, const struct axdb_key *key)
{
    struct fake_table *rows = &world->tables[table];
    size_t kept = 0;
    int64_t deleted;

    for (size_t i = 0; i < rows->count; i++) {
        if (is_key_of(&rows->rows[i], key))
            fake_destroyed(world, table, &rows->rows[i]);
        else
            rows->rows[kept++] = rows->rows[i];
    }
    deleted = (int64_t)(rows->count - kept);
    rows->count = kept;
    return deleted;
}

static bool
axdb_delete_keys(struct axdb_store *store, enum table table, const struct axdb_key *keys,
                 size_t count, int64_t *ret_deleted, struct err *err)
{
    struct fake_world *world = world_of(store);
    int64_t deleted = 0;

    assert(world->in_transaction && !world->no_unique_key && count > 0);
    for (size_t i = 1; i < count; i++)
        assert(axdb_key_compare(&keys[i - 1], &keys[i]) < 0);
    if (fake_fails(world, ERR_SERVER, err))
        return false;
    fake_happen(world, FAKE_BEFORE_DELETE);
    for (size_t i = 0; i + (size_t)world->short_delete < count; i++)
        deleted += delete_key(world, table, &keys[i]);
    *ret_deleted = deleted - world->miscount;
    return true;
}

/* ---- putting back ---- */

static bool
axdb_begin_insert(struct axdb_store *store, const struct schema *schema, struct err *err)
{
    struct fake_world *world = world_of(store);
    const struct schema now = fake_schema(world, schema->table, world->new_column);

    assert(world->in_transaction);
    if (fake_fails(world, ERR_SERVER, err))
        return false;
    if (schema->count > now.count)
        return err_set(err, ERR_SERVER, "invalid column name 'NEWCOLUMN'");
    fake_happen(world, FAKE_BEFORE_INSERT);
    world->inserting = *schema;
    world->insert_count = 0;
    world->inserted = true;
    return true;
}

static bool
axdb_insert(struct axdb_store *store, const struct row *row, struct err *err)
{
    struct fake_world *world = world_of(store);
    struct fake_table *table = &world->tables[world->inserting.table];
    struct fake_row parsed;

    assert(world->in_transaction && world->inserted && row->id.table == world->inserting.table);
    if (fake_fails(world, ERR_SERVER, err) ||
        !fake_parse_row(world, &world->inserting, row, &parsed, err))
        return false;
    if (!world->no_unique_key && fake_find(table, parsed.recid))
        return err_set(err, ERR_SERVER, "cannot insert duplicate key %s", row->id.key);
    parsed.version = world->next_version++;
    parsed.content += world->insert_alters;
    fake_insert(table, &parsed);
    world->insert_count++;
    return true;
}

static bool
axdb_end_insert(struct axdb_store *store, int64_t *ret_inserted, struct err *err)
{
    struct fake_world *world = world_of(store);

    assert(world->in_transaction && world->inserted);
    if (fake_fails(world, ERR_SERVER, err))
        return false;
    *ret_inserted = world->insert_count - world->miscount;
    return true;
}

/** Rows that a putting back adds must be a sealed backup's. */
static int
rows_from_nowhere(const struct fake_world *world, enum table table)
{
    int count = 0;

    for (size_t i = 0; i < world->tables[table].count; i++) {
        const struct fake_row *row = &world->tables[table].rows[i];
        bool from_backup = fake_is_in(&world->transaction[table], row);

        for (int run = 0; run < world->run_count && !from_backup; run++)
            from_backup =
                world->runs[run].sealed && fake_is_in(&world->runs[run].backup[table], row);
        count += !from_backup;
    }
    return count;
}

/** Rows that were there before must be there still, untouched: the same version too. */
static int
rows_touched(const struct fake_world *world, enum table table)
{
    const struct fake_table *now = &world->tables[table];
    int count = 0;

    for (size_t i = 0; i < world->transaction[table].count; i++) {
        const struct fake_row *then = &world->transaction[table].rows[i];
        bool untouched = false;

        for (size_t at = 0; at < now->count && !untouched; at++)
            untouched =
                fake_row_equal(&now->rows[at], then) && now->rows[at].version == then->version;
        count += !untouched;
    }
    return count;
}

static void
land(struct fake_world *world)
{
    for (int i = 0; world->inserted && i < AXDB_TABLES; i++)
        world->violations +=
            rows_from_nowhere(world, (enum table)i) + rows_touched(world, (enum table)i);
    world->in_transaction = false;
}

/** Is it on stable storage that a COMMIT may have been sent? */
static bool
commit_is_on_record(const struct fake_run *run)
{
    const int last = run ? run->journal_count - 1 : -1;

    /* without a run there is no record at all: a contract test */
    return !run || (last >= 0 && strcmp(run->journal[last].step, "commit-sent") == 0 &&
                    run->journal[last].durable);
}

static bool
axdb_commit(struct axdb_store *store, enum commit_state *ret_state, struct err *err)
{
    struct fake_world *world = world_of(store);
    const bool injected = fake_fails(world, ERR_CONNECT, err);

    assert(world->in_transaction);
    world->violations += !commit_is_on_record(world->run);
    *ret_state = injected ? COMMIT_UNKNOWN : world->commit;
    world->commit = COMMIT_DONE;
    if (*ret_state == COMMIT_DONE || (*ret_state == COMMIT_UNKNOWN && world->commit_lands))
        land(world);
    else
        axdb_rollback(store);
    fake_happen(world, FAKE_AFTER_COMMIT);
    if (*ret_state == COMMIT_DONE)
        return true;
    if (!injected)
        (void)err_set(err, world->commit_deadlocks ? ERR_LOCK : ERR_CONNECT,
                      "the connection is gone");
    err->transient = world->commit_deadlocks;
    return false;
}

static int64_t
axdb_locked_ms(const struct axdb_store *store)
{
    const struct fake_world *world = WORLD_OF(store, axdb);

    return 7 + world->waited_ms;
}

static void
axdb_close(struct axdb_store *store)
{
    axdb_rollback(store);
    world_of(store)->exclusion_held = false;
}

static bool
axdb_connect(struct axdb_server *server, const char *run_id, struct axdb_store **ret,
             struct err *err)
{
    static const struct axdb_store_ops ops = {
        .observe = axdb_observe,
        .foresee = axdb_foresee,
        .read_rows = axdb_read_rows,
        .acquire_exclusion = axdb_acquire,
        .release_exclusion = axdb_release,
        .begin_locked = axdb_begin,
        .read_catalog = axdb_read_catalog,
        .delete_all = axdb_delete_all,
        .delete_keys = axdb_delete_keys,
        .begin_insert = axdb_begin_insert,
        .insert = axdb_insert,
        .end_insert = axdb_end_insert,
        .commit = axdb_commit,
        .rollback = axdb_rollback,
        .locked_ms = axdb_locked_ms,
        .close = axdb_close,
    };
    struct fake_world *world = WORLD_OF(server, axdb_server);

    /* nobody waits for a server behind a crash */
    if (fake_fails(world, world->crash_at ? ERR_SIGNIN : ERR_CONNECT, err))
        return false;
    if (world->stopped_at_connect == 1)
        return err_set(err, ERR_INTERRUPTED, "stopped");
    if (++world->axdb_connects > 1 && world->axdb_gone_after)
        return err_set(err, world->gone_code, "the server is gone");
    (void)snprintf(world->connected_as, sizeof world->connected_as, "%s", run_id ? run_id : "");
    world->axdb.ops = &ops;
    *ret = &world->axdb;
    return true;
}

void
fake_axdb_init(struct fake_world *world)
{
    world->axdb_server.connect = axdb_connect;
}
