#include "fake_parts.h"

#include <stdio.h>
#include <string.h>

bool
fake_fails(struct fake_world *world, enum err_code code, struct err *err)
{
    ++world->calls;
    if (world->calls != world->fail_at && (!world->crash_at || world->calls < world->crash_at))
        return false;
    (void)err_set(err, code, "injected failure at call %d", world->calls);
    return true;
}

void
fake_happen(struct fake_world *world, enum fake_moment moment)
{
    struct fake_table *table = &world->tables[world->change_table];
    const size_t at = world->change_row;

    if (world->happens)
        world->happens(moment);
    if (world->change_at != moment || world->change_skip-- > 0)
        return;
    world->change_at = FAKE_NEVER;
    switch (world->change) {
    case FAKE_ADDS:
        fake_insert(table,
                    &(struct fake_row){.recid = world->change_recid ? world->change_recid : 1000,
                                       .content = 77,
                                       .group = world->change_group,
                                       .project = world->change_project});
        break;
    case FAKE_CHANGES:
        if (at < table->count) {
            table->rows[at].content += 1000;
            table->rows[at].version++;
        }
        break;
    case FAKE_STAMPS:
        if (at < table->count)
            table->rows[at].version = world->next_version++;
        break;
    case FAKE_REMOVES:
        if (at < table->count)
            memmove(&table->rows[at], &table->rows[at + 1],
                    (--table->count - at) * sizeof table->rows[at]);
        break;
    }
}

/** Is this runtime row, in this version, in one of the run's sealed backups? */
static bool
has_version(const struct fake_run *run, const struct fake_row *row)
{
    const struct fake_row *kept = fake_find(&run->backup[TABLE_RUNTIME], row->recid);

    if (kept && kept->content == row->content && kept->version == row->version)
        return true;
    for (int i = 0; i < run->again_count; i++) {
        kept = run->again[i].sealed ? fake_find(&run->again[i].rows, row->recid) : NULL;
        if (kept && kept->content == row->content && kept->version == row->version)
            return true;
    }
    return false;
}

void
fake_destroyed(struct fake_world *world, enum table table, const struct fake_row *row)
{
    const struct fake_run *run = world->run;
    bool sealed = run && run->sealed;

    if (sealed && table == TABLE_RUNTIME)
        sealed = has_version(run, row);
    else if (sealed)
        sealed = fake_is_in(&run->backup[table], row);
    world->violations += !sealed;
}

void
fake_put_back(struct fake_world *world, const struct fake_row *row)
{
    for (int i = 0; i < world->run_count; i++) {
        const struct fake_row *newest = fake_newest(&world->runs[i], row->recid);

        if (newest && newest->content == row->content && newest->version == row->version)
            return;
    }
    world->violations++;
}

const struct fake_row *
fake_newest(const struct fake_run *run, int recid)
{
    const struct fake_row *row = run->sealed ? fake_find(&run->backup[TABLE_RUNTIME], recid) : NULL;

    for (int i = 0; i < run->again_count; i++)
        if (run->again[i].sealed && fake_find(&run->again[i].rows, recid))
            row = fake_find(&run->again[i].rows, recid);
    return row;
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
    if (fake_fails(world, ERR_INTERRUPTED, err))
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
    struct fake_world *world = WORLD_OF(observer, observer);

    (void)snprintf(world->progress, sizeof world->progress, "%d of %d %s", (int)done, (int)total,
                   what);
}

static bool
write_reports(void *ctx, const struct outcome *outcome, struct run_dir *dir, struct err *err)
{
    struct fake_world *world = ctx;

    (void)dir;
    if (fake_fails(world, ERR_STORAGE, err))
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
        table->rows[i] = (struct fake_row){
            .recid = (int)i + 1, .content = (int)i * 10, .version = 1, .group = i + 1 == count};
}

void
fake_world_init(struct fake_world *world)
{
    *world = (struct fake_world){
        .url = "https://contoso-prod.crm4.dynamics.com/",
        .own_host = "contoso-uat.crm4.dynamics.com",
        .channel = "DualWrite",
        .state = "ONLINE",
        .created = "2026-11-20T10:00:00",
        .may_delete = RIGHT_HELD,
        .may_insert = RIGHT_HELD,
        .may_applock = RIGHT_HELD,
        .may_read_all = RIGHT_HELD,
        .commit = COMMIT_DONE,
        .gone_code = ERR_CONNECT,
        .removal = REMOVAL_DONE,
        .return_state = RETURN_DONE,
        .next_version = 100,
        .observer = {.say = observer_say, .progress = observer_progress},
        .op = {.show = op_show, .ask = op_ask},
    };
    fill(&world->tables[TABLE_FIELD], 2);
    fill(&world->tables[TABLE_PROJECT], 2);
    fill(&world->tables[TABLE_EVENTS], 3);
    fill(&world->tables[TABLE_RUNTIME], 2);
    world->tables[TABLE_RUNTIME].rows[1].group = 0;
    fake_axdb_init(world);
    fake_dataverse_init(world);
    fake_runs_init(world);
    world->ports = (struct run_ports){.axdb = &world->axdb_server,
                                      .runtime = &world->runtime_server,
                                      .runs = &world->run_store,
                                      .archive = &world->run_archive,
                                      .observer = &world->observer,
                                      .op = &world->op,
                                      .write_reports = write_reports,
                                      .write_reports_ctx = world};
}

void
fake_world_next(struct fake_world *world)
{
    world->calls = world->fail_at = world->crash_at = 0;
    world->axdb_connects = world->runtime_connects = world->observations = world->answered = 0;
    world->passes = 0;
    world->files_created = 0;
    world->reports_written = world->finished = false;
    world->shown[0] = '\0';
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
    for (int i = 0; world->run && i < world->run->journal_count; i++)
        if (strcmp(world->run->journal[i].step, step) == 0)
            return true;
    return false;
}
