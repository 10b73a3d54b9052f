/* The Dataverse half of the fake world. */
#include "fake_parts.h"

#include <stdio.h>
#include <string.h>

static bool
runtime_observe(struct runtime_store *store, struct arena *arena, struct runtime_evidence *ret,
                struct err *err)
{
    struct fake_world *world = WORLD_OF(store, runtime);
    const struct fake_table *table = &world->tables[TABLE_RUNTIME];
    struct runtime_row *rows = arena_alloc(arena, (table->count + 1) * sizeof *rows);

    if (fake_fails(world, ERR_CONNECT, err))
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
                     .organization_id =
                         world->other_target_after && world->run ? "another" : "11111111-0000",
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

    if (fake_fails(world, ERR_CONNECT, err))
        return false;
    return fake_send_rows(world, runtime_schema(), &world->tables[TABLE_RUNTIME], sink, err);
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
        fake_destroyed(world, TABLE_RUNTIME, &table->rows[i]);
        memmove(&table->rows[i], &table->rows[i + 1], (--table->count - i) * sizeof table->rows[i]);
        return REMOVAL_DONE;
    }
    return REMOVAL_GONE;
}

static bool
runtime_remove(struct runtime_store *store, const struct row_id *rows, size_t count,
               const struct removal_sink *sink, struct err *err)
{
    struct fake_world *world = WORLD_OF(store, runtime);

    fake_happen(world, FAKE_BEFORE_PURGE);
    for (size_t i = 0; i < count; i++) {
        const struct row_id *row = &rows[i];
        struct removal removal = {.row = row, .http_status = 204};

        if (!sink->intent(sink->ctx, &row, 1, err) || fake_fails(world, ERR_CONNECT, err))
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

    if (fake_fails(world, ERR_SIGNIN, err))
        return false;
    world->runtime.ops = &ops;
    *ret = &world->runtime;
    return true;
}

void
fake_dataverse_init(struct fake_world *world)
{
    world->runtime_server.connect = runtime_connect;
}
