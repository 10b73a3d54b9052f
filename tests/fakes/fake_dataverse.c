/* The Dataverse half of the fake world. */
#include "fake_parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static void
key_of(const struct fake_row *row, char ret[ROW_KEY_BYTES])
{
    (void)snprintf(ret, ROW_KEY_BYTES, "00000000-0000-0000-0000-%012d", row->recid);
}

static void
etag_of(const struct fake_row *row, char ret[ROW_VERSION_BYTES])
{
    (void)snprintf(ret, ROW_VERSION_BYTES, "W/\"%d\"", row->version);
}

static struct fake_row *
row_with_key(struct fake_world *world, const char *key)
{
    struct fake_table *table = &world->tables[TABLE_RUNTIME];
    char own[ROW_KEY_BYTES];

    for (size_t i = 0; i < table->count; i++) {
        key_of(&table->rows[i], own);
        if (strcmp(own, key) == 0)
            return &table->rows[i];
    }
    return NULL;
}

/* ---- looking ---- */

/** Rows that nothing else knows, behind the others; once more where the list is begun anew. */
static bool
list_besides(const struct fake_world *world, const struct runtime_row_sink *sink, struct err *err)
{
    for (int i = 0; i < world->listed_besides * (world->lists_anew ? 2 : 1); i++) {
        const struct fake_row from = {.recid = 10000 + i % world->listed_besides};
        char key[ROW_KEY_BYTES];
        struct runtime_row row = {.etag = "W/\"1\"",
                                  .name = "besides",
                                  .internal_entity = "",
                                  .external_entity = "",
                                  .created_on = "",
                                  .modified_on = ""};

        key_of(&from, key);
        row.key = key;
        if (!sink->take(sink->ctx, &row, err))
            return false;
    }
    return true;
}

static bool
list_rows(struct fake_world *world, struct arena *arena, const struct runtime_row_sink *sink,
          struct runtime_evidence *ret, struct err *err)
{
    const struct fake_table table = world->tables[TABLE_RUNTIME];
    struct runtime_row *kept = arena_alloc(arena, (table.count + 1) * sizeof *kept);

    if (!kept)
        return arena_exhausted(err);
    for (size_t i = 0; i < table.count; i++) {
        char key[ROW_KEY_BYTES];
        char etag[ROW_VERSION_BYTES];

        key_of(&table.rows[i], key);
        etag_of(&table.rows[i], etag);
        kept[i] = (struct runtime_row){.key = arena_string(arena, key),
                                       .etag = arena_string(arena, etag),
                                       .name = "name",
                                       .internal_entity = "account",
                                       .external_entity = "Customers V3",
                                       .created_on = "2026-01-01T00:00:00Z",
                                       .modified_on = "",
                                       .active = true};
        if (!kept[i].key || !kept[i].etag)
            return arena_exhausted(err);
        if (sink && !sink->take(sink->ctx, &kept[i], err))
            return false;
    }
    if (sink && !list_besides(world, sink, err))
        return false;
    ret->rows = kept;
    ret->row_count = table.count;
    ret->kept_count = table.count < RUNTIME_ROWS_KEPT ? table.count : RUNTIME_ROWS_KEPT;
    ret->first_created = ret->last_created = table.count ? kept[0].created_on : "";
    return true;
}

static bool
runtime_observe(struct runtime_store *store, struct arena *arena,
                const struct runtime_row_sink *sink, struct runtime_evidence *ret, struct err *err)
{
    struct fake_world *world = WORLD_OF(store, runtime);

    if (fake_fails(world, ERR_CONNECT, err))
        return false;
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
                     .may_delete = RIGHT_HELD,
                     .may_create = RIGHT_HELD}};
    if (!list_rows(world, arena, sink, ret, err))
        return false;
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
    world->reading_dataverse = true;
    const bool ok =
        fake_send_rows(world, runtime_schema(), &world->tables[TABLE_RUNTIME], sink, err);
    world->reading_dataverse = false;
    return ok;
}

static bool
runtime_read_row(struct runtime_store *store, const char *key, const struct row_sink *sink,
                 bool *ret_found, struct err *err)
{
    struct fake_world *world = WORLD_OF(store, runtime);
    struct fake_table one = {.count = 1};
    const struct fake_row *row;

    if (fake_fails(world, ERR_CONNECT, err))
        return false;
    fake_happen(world, FAKE_BEFORE_LOOK);
    row = row_with_key(world, key);
    *ret_found = row != NULL;
    if (!row)
        return true;
    one.rows[0] = *row;
    world->reading_dataverse = true;
    const bool ok = fake_send_rows(world, runtime_schema(), &one, sink, err);
    world->reading_dataverse = false;
    return ok;
}

/** "content 10 stamp 3": the stamp is the service's. */
static bool
runtime_same_row(struct runtime_store *store, struct slice a, struct slice b, bool created)
{
    const char *a_stamp = memchr(a.data, 's', a.size);
    const char *b_stamp = memchr(b.data, 's', b.size);
    const size_t size = a_stamp ? (size_t)(a_stamp - (const char *)a.data) : 0;

    (void)store;
    (void)created;
    return a_stamp && b_stamp && size == (size_t)(b_stamp - (const char *)b.data) &&
           memcmp(a.data, b.data, size) == 0;
}

/* ---- diagnosis ---- */

static void
answer_part(struct diagnosis_part *part, unsigned asked)
{
    part->asked = asked != 0;
    part->known = part->known && asked;
    if (!part->known && part->why.code == ERR_NONE)
        (void)err_set(&part->why, ERR_PERMISSION, "no right to read that");
}

/** Advisory: not one of the calls that are counted and made to fail in turn. */
static bool
runtime_diagnose(struct runtime_store *store, struct arena *arena, unsigned parts,
                 struct runtime_diagnosis *ret, struct err *err)
{
    struct fake_world *world = WORLD_OF(store, runtime);

    (void)arena;
    world->diagnoses++;
    world->diagnosed |= parts;
    if (world->diagnosis_fails != ERR_NONE)
        return err_set(err, world->diagnosis_fails, "the diagnosis fails");
    *ret = world->diagnosis ? *world->diagnosis : (struct runtime_diagnosis){0};
    answer_part(&ret->names_part, parts & DIAGNOSE_NAMES);
    answer_part(&ret->traces_part, parts & DIAGNOSE_TRACES);
    answer_part(&ret->plugins_part, parts & DIAGNOSE_PLUGINS);
    answer_part(&ret->companies_part, parts & DIAGNOSE_COMPANIES);
    return true;
}

/* ---- deleting ---- */

/** The server's side of one conditional delete. */
static enum removal_state
remove_row(struct fake_world *world, const struct runtime_ref *ref, bool last)
{
    struct fake_table *table = &world->tables[TABLE_RUNTIME];
    struct fake_row *row = row_with_key(world, ref->key);
    char etag[ROW_VERSION_BYTES];

    if (!row)
        return REMOVAL_GONE;
    if (last && world->removal != REMOVAL_DONE)
        return world->removal;
    etag_of(row, etag);
    if (strcmp(etag, ref->etag) != 0)
        return REMOVAL_CHANGED;
    fake_destroyed(world, TABLE_RUNTIME, row);
    memmove(row, row + 1, (size_t)(table->rows + --table->count - row) * sizeof *row);
    return REMOVAL_DONE;
}

/** Something stamps a row each time before rows are sent. */
static void
stamp_row(struct fake_world *world)
{
    struct fake_table *table = &world->tables[TABLE_RUNTIME];

    if (world->stamps > 0 && table->count) {
        world->stamps--;
        table->rows[table->count - 1].version = world->next_version++;
    }
}

/** One row, and what is said of it. */
static bool
remove_and_tell(struct fake_world *world, const struct removal_sink *sink, struct removal *removal,
                bool last, struct err *err)
{
    removal->state = remove_row(world, removal->row, last);
    if (world->forgets_row && last)
        return true;
    if (removal->state != REMOVAL_DONE && removal->state != REMOVAL_GONE)
        (void)err_set(&removal->why, ERR_SERVER, "refused");
    return (!world->tells_twice || sink->outcome(sink->ctx, removal, err)) &&
           sink->outcome(sink->ctx, removal, err);
}

static bool
runtime_remove(struct runtime_store *store, const struct runtime_ref *rows, size_t count,
               const struct removal_sink *sink, struct err *err)
{
    struct fake_world *world = WORLD_OF(store, runtime);

    world->passes++;
    fake_happen(world, FAKE_BEFORE_PURGE);
    stamp_row(world);
    for (size_t i = 0; i < count; i++) {
        const struct runtime_ref *row = &rows[i];
        struct removal removal = {.row = row, .http_status = 204};
        const struct runtime_pace pace = {.done = (int64_t)i,
                                          .total = (int64_t)count,
                                          .ms_per_row_x10 = 1000,
                                          .throttled = 2,
                                          .paused_until_utc_ms = world->pauses ? INT64_MAX : 0};

        if (!sink->intent(sink->ctx, &row, 1, err) || fake_fails(world, ERR_CONNECT, err))
            return false;
        if (!remove_and_tell(world, sink, &removal, i + 1 == count, err))
            return false;
        if (sink->progress)
            sink->progress(sink->ctx, &pace);
    }
    return true;
}

static bool
runtime_remove_as_it_is(struct runtime_store *store, const struct runtime_ref *row, unsigned tries,
                        struct removal *ret, bool *ret_again, struct err *err)
{
    struct fake_world *world = WORLD_OF(store, runtime);
    struct fake_table *table = &world->tables[TABLE_RUNTIME];
    struct fake_row *found = row_with_key(world, row->key);

    if (fake_fails(world, ERR_CONNECT, err))
        return false;
    if (tries <= world->lost_answers) {
        if (world->lost_is_done && found) {
            fake_destroyed(world, TABLE_RUNTIME, found);
            memmove(found, found + 1,
                    (size_t)(table->rows + --table->count - found) * sizeof *found);
        }
        *ret_again = true;
        return true;
    }
    *ret = (struct removal){.row = row, .state = REMOVAL_GONE, .http_status = 404};
    *ret_again = false;
    if (!found)
        return true;
    fake_destroyed(world, TABLE_RUNTIME, found);
    memmove(found, found + 1, (size_t)(table->rows + --table->count - found) * sizeof *found);
    ret->state = REMOVAL_DONE;
    ret->http_status = 204;
    return true;
}

/* ---- creating again ---- */

static bool
runtime_lost_columns(struct runtime_store *store, struct arena *arena, struct runtime_columns *ret,
                     struct err *err)
{
    static const char *const names[] = {"createdon", "ownerid"};

    (void)arena;
    if (fake_fails(WORLD_OF(store, runtime), ERR_CONNECT, err))
        return false;
    *ret = (struct runtime_columns){.names = names,
                                    .count = WORLD_OF(store, runtime)->loses_nothing ? 0 : 2};
    return true;
}

static bool
runtime_return_begin(struct runtime_store *store, size_t total, const struct return_sink *sink,
                     struct err *err)
{
    struct fake_world *world = WORLD_OF(store, runtime);

    if (fake_fails(world, ERR_CONNECT, err))
        return false;
    fake_happen(world, FAKE_BEFORE_RETURN);
    world->returning = *sink;
    world->return_total = total;
    world->return_count = 0;
    return true;
}

/** The server's side of one upsert that only creates. */
static enum return_state
create_row(struct fake_world *world, const struct fake_row *row, bool last)
{
    struct fake_row created = *row;

    if (fake_find(&world->tables[TABLE_RUNTIME], row->recid))
        return RETURN_THERE;
    if (last && world->return_state != RETURN_DONE && !world->return_lands)
        return world->return_state;
    fake_put_back(world, row);
    created.version = world->next_version++;
    fake_insert(&world->tables[TABLE_RUNTIME], &created);
    return last ? world->return_state : RETURN_DONE;
}

static bool
runtime_return_row(struct runtime_store *store, const char *key, struct slice document,
                   struct err *err)
{
    struct fake_world *world = WORLD_OF(store, runtime);
    const struct return_sink *sink = &world->returning;
    const struct runtime_pace pace = {.done = (int64_t)world->return_count,
                                      .total = (int64_t)world->return_total};
    struct returned returned = {.key = key, .http_status = 204};
    struct fake_row row = {0};

    assert(world->return_count < world->return_total);
    world->return_count++;
    if (!sink->intent(sink->ctx, &key, 1, err) || fake_fails(world, ERR_CONNECT, err))
        return false;
    if (!fake_parse_document(key, document, &row))
        return err_set(err, ERR_SERVER, "%s is no row of this world", key);
    returned.state = create_row(world, &row, world->return_count == world->return_total);
    if (!world->tells_nothing &&
        (returned.state == RETURN_FAILED || returned.state == RETURN_UNKNOWN))
        (void)err_set(&returned.why, ERR_SERVER, "refused");
    if (world->returns_paced)
        sink->progress(sink->ctx, &pace);
    if (world->forgets_row && world->return_count == world->return_total)
        return true;
    return (!world->tells_twice || sink->outcome(sink->ctx, &returned, err)) &&
           sink->outcome(sink->ctx, &returned, err);
}

static bool
runtime_return_end(struct runtime_store *store, struct err *err)
{
    return !fake_fails(WORLD_OF(store, runtime), ERR_CONNECT, err);
}

/* ---- the port ---- */

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
                                                 .remove_as_it_is = runtime_remove_as_it_is,
                                                 .read_row = runtime_read_row,
                                                 .same_row = runtime_same_row,
                                                 .lost_columns = runtime_lost_columns,
                                                 .return_begin = runtime_return_begin,
                                                 .return_row = runtime_return_row,
                                                 .return_end = runtime_return_end,
                                                 .diagnose = runtime_diagnose,
                                                 .close = runtime_close};
    struct fake_world *world = WORLD_OF(server, runtime_server);

    if (fake_fails(world, ERR_SIGNIN, err))
        return false;
    if (world->stopped_at_connect == 2)
        return err_set(err, ERR_INTERRUPTED, "stopped");
    world->runtime_connects++;
    if (world->runtime_gone_after && world->runtime_connects > 1)
        return err_set(err, ERR_CONNECT, "Dataverse is away");
    world->runtime.ops = &ops;
    *ret = &world->runtime;
    return true;
}

void
fake_dataverse_init(struct fake_world *world)
{
    world->runtime_server.connect = runtime_connect;
}
