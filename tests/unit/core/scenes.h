/** Every command in a world that is ready for it, and what each of them promises. Private to the
 * tests of core. */
#ifndef UNIT_CORE_SCENES_H
#define UNIT_CORE_SCENES_H

#include "core/run.h"
#include "fake_plan.h"
#include "fake_world.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

struct scene {
    struct fake_world world;
    struct fake_plan plan;
    struct run_request request;
    char run_id[RUN_ID_BYTES];
    char plan_id[128];
};

typedef void run_function(const struct run_request *request, const struct run_ports *ports,
                          struct arena *arena, struct outcome *ret);

/** A command in a world that is ready for it. */
struct command {
    const char *name;
    run_function *run;
    void (*prepare)(struct scene *scene, struct arena *arena);
    bool removes, returns; /* rows */
};

/** The dry run's plan-id, kept where no arena takes it away. */
static void
confirm(struct scene *scene, run_function *run, struct arena *arena)
{
    struct outcome dry;

    scene->request.dry_run = true;
    run(&scene->request, &scene->world.ports, arena, &dry);
    scene->request.dry_run = false;
    assert_non_null(dry.plan_id);
    (void)snprintf(scene->plan_id, sizeof scene->plan_id, "%s", dry.plan_id);
    scene->request.plan_id = scene->plan_id;
    fake_world_next(&scene->world);
}

static void
prepare_look(struct scene *scene, struct arena *arena)
{
    (void)arena;
    fake_world_init(&scene->world);
    scene->request = fake_request();
}

static void
prepare_explain(struct scene *scene, struct arena *arena)
{
    static const char text[] =
        "SecureConfig Organization (A) does not match actual CRM Organization (B); DWFOEV1004";

    prepare_look(scene, arena);
    scene->request.text = text;
    scene->request.text_size = sizeof text - 1;
}

/** An environment that tells much of what is wrong with it. */
static void
tell_all(struct scene *scene)
{
    static const struct organization_name names[] = {
        {"ProjOpsTest4", 1, true},
        {"https://prod.crm4.dynamics.com/x?y", 1, true},
        {"USMF", 1, false}};
    static const struct plugin_trace traces[] = {
        {"PreCommmitPlugin", "2026-11-20T09:15:00Z",
         "SecureConfig Organization (ProjOpsTest4) does not match actual CRM Organization (UAT)"},
        {"PostCommitPlugin", "2026-11-20T09:14:00Z",
         "failed to process entity account - (A connection attempt failed because"},
        {"PostCommitPlugin", "2026-11-20T09:13:00Z",
         "failed to process entity contact - (A connection attempt failed because"},
        {"PreCommmitPlugin", "2025-11-20T09:15:00Z", "of the source"}};
    static const char *const steps[] = {"Update of account", "", "a", "b", "c", "d"};
    static const struct runtime_company companies[] = {
        {"USMF", "Contoso", true, false}, {"usmf ", "", true, true}, {"", "contoso", true, false}};
    static const struct runtime_diagnosis diagnosis = {
        .names_part = {.known = true},
        .names = names,
        .name_count = 3,
        .rows_read = 2,
        .rows_scanned = 1,
        .traces_part = {.known = true},
        .traces = traces,
        .trace_count = 4,
        .plugins_part = {.known = true},
        .plugin_steps = 9,
        .disabled_steps = 7,
        .disabled_names = steps,
        .disabled_name_count = 6,
        .companies_part = {.known = true},
        .companies = companies,
        .company_count = 3,
    };

    scene->world.diagnosis = &diagnosis;
    scene->request.restored_at = "2026-11-19T00:00:00";
}

static void
prepare_diagnosis(struct scene *scene, struct arena *arena)
{
    prepare_look(scene, arena);
    tell_all(scene);
}

static void
prepare_explain_all(struct scene *scene, struct arena *arena)
{
    static const char text[] =
        "SecureConfig Organization (Another) does not match actual CRM Organization (UAT); "
        "SecureConfig Organization (ProjOpsTest4) does not match actual CRM Organization (UAT)";

    prepare_diagnosis(scene, arena);
    scene->request.text = text;
    scene->request.text_size = sizeof text - 1;
}

static void
prepare_explain_id(struct scene *scene, struct arena *arena)
{
    prepare_diagnosis(scene, arena);
    scene->request.text = "S24";
    scene->request.text_size = 3;
}

static void
prepare_check_of_little(struct scene *scene, struct arena *arena)
{
    prepare_diagnosis(scene, arena);
    scene->world.may_delete = scene->world.may_insert = scene->world.may_applock = RIGHT_MISSING;
    scene->world.may_read_all = RIGHT_MISSING;
    scene->world.trigger = "TR_AUDIT";
    scene->world.policy = "events_by_user";
    scene->world.link_unknown = true;
}

static void
prepare_clean(struct scene *scene, struct arena *arena)
{
    prepare_look(scene, arena);
    confirm(scene, run_clean, arena);
}

static void
prepare_some_channels(struct scene *scene, struct arena *arena)
{
    static const char *const channels[] = {"DualWrite"};

    prepare_look(scene, arena);
    scene->world.other_channel = "Synapse";
    scene->request.channels = channels;
    scene->request.channel_count = 1;
    confirm(scene, run_clean, arena);
}

static void
prepare_repair(struct scene *scene, struct arena *arena)
{
    prepare_look(scene, arena);
    scene->request.map = "Customers V3:accounts";
    confirm(scene, run_repair_map, arena);
}

static void
finish_clean(struct scene *scene, struct arena *arena, int status)
{
    struct outcome outcome;

    run_clean(&scene->request, &scene->world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, status);
    (void)snprintf(scene->run_id, sizeof scene->run_id, "%s", scene->world.runs[0].id);
    scene->request.run = scene->run_id;
    fake_world_next(&scene->world);
}

static void
prepare_undo(struct scene *scene, struct arena *arena)
{
    prepare_clean(scene, arena);
    finish_clean(scene, arena, 0);
    confirm(scene, run_undo, arena);
}

/** The COMMIT happened, its answer was lost: resume settles it and purges. */
static void
prepare_resume(struct scene *scene, struct arena *arena)
{
    prepare_clean(scene, arena);
    scene->world.commit = COMMIT_UNKNOWN;
    scene->world.commit_lands = true;
    scene->world.axdb_gone_after = true;
    scene->world.gone_code = ERR_SIGNIN;
    finish_clean(scene, arena, 6);
    scene->world.axdb_gone_after = false;
    scene->world.commit = COMMIT_DONE;
}

static void
prepare_plan(struct scene *scene, struct arena *arena)
{
    prepare_look(scene, arena);
    fake_plan_init(&scene->plan, &scene->world);
    scene->world.ports.plan_out = &scene->plan.file;
    scene->world.ports.plan_out_path = "plan.ndjson";
}

static void
prepare_apply(struct scene *scene, struct arena *arena)
{
    static const struct fact option = {"database", "argv"};
    struct outcome planned;

    prepare_plan(scene, arena);
    run_make_plan(&scene->request, &scene->world.ports, arena, &planned);
    assert_int_equal(planned.exit_status, 0);
    scene->world.ports.plan_out = NULL;
    scene->world.ports.plan_out_path = NULL;
    fake_world_next(&scene->world);
    scene->world.ports.saved = &scene->plan.saved;
    scene->request.plan_id = scene->plan.id;
    scene->request.options = &option;
    scene->request.option_count = 1;
}

static void
drop_column(struct axdb_evidence *axdb)
{
    axdb->tables[TABLE_PROJECT].schema.count--;
}

/** A row is gone, one is new, one has changed, and a column is gone since the plan. */
static void
prepare_apply_stale(struct scene *scene, struct arena *arena)
{
    struct fake_table *field, *runtime, *events;

    prepare_apply(scene, arena);
    field = &scene->world.tables[TABLE_FIELD];
    runtime = &scene->world.tables[TABLE_RUNTIME];
    events = &scene->world.tables[TABLE_EVENTS];
    scene->world.patch_axdb = drop_column;
    field->rows[0].content++;
    field->rows[1].recid = 77;
    runtime->count--;
    events->rows[3] = events->rows[0];
    events->rows[0].recid = 0;
    for (int i = 1; i < 4; i++)
        events->rows[i].recid = i;
    events->count++;
}

static void
prepare_repair_projects(struct scene *scene, struct arena *arena)
{
    static const char *const projects[] = {"DWM-1"};

    prepare_look(scene, arena);
    scene->request.map = "Customers V3:accounts";
    scene->request.projects = projects;
    scene->request.project_count = 1;
    confirm(scene, run_repair_map, arena);
}

/** Some of the rows are back when they are to be put back. */
static void
prepare_undo_merge(struct scene *scene, struct arena *arena)
{
    prepare_look(scene, arena);
    confirm(scene, run_clean, arena);
    const struct fake_table field = scene->world.tables[TABLE_FIELD];
    const struct fake_table runtime = scene->world.tables[TABLE_RUNTIME];

    finish_clean(scene, arena, 0);
    scene->world.tables[TABLE_FIELD] = field;
    scene->world.tables[TABLE_FIELD].rows[0].content++;
    scene->world.tables[TABLE_FIELD].count = 1;
    scene->world.tables[TABLE_RUNTIME].rows[0] = runtime.rows[1];
    scene->world.tables[TABLE_RUNTIME].count = 1;
    scene->request.merge = true;
    confirm(scene, run_undo, arena);
}

/** The connection to Dataverse was lost behind the COMMIT: resume sends the rows. */
static void
prepare_resume_purge(struct scene *scene, struct arena *arena)
{
    prepare_clean(scene, arena);
    scene->world.removal = REMOVAL_FAILED;
    finish_clean(scene, arena, 3);
    scene->world.removal = REMOVAL_DONE;
}

/** A row is stamped twice before it goes. */
static void
prepare_stamped(struct scene *scene, struct arena *arena)
{
    prepare_clean(scene, arena);
    scene->world.stamps = 2;
}

/** Each row is compared just before its delete; one is stamped then. */
static void
prepare_unversioned(struct scene *scene, struct arena *arena)
{
    prepare_look(scene, arena);
    scene->world.no_versions = true;
    scene->request.allow_no_etag = true;
    confirm(scene, run_clean, arena);
    scene->world.change_at = FAKE_BEFORE_LOOK;
    scene->world.change_table = TABLE_RUNTIME;
    scene->world.change = FAKE_STAMPS;
}

/** Triggers that may reach the event rows, which stay: they are watched. */
static void
prepare_watched(struct scene *scene, struct arena *arena)
{
    prepare_look(scene, arena);
    scene->world.trigger = "TR_AUDIT";
    scene->request.allow_triggers = true;
    scene->request.map = "Customers V3:accounts";
    confirm(scene, run_repair_map, arena);
}

/** A row of Dataverse does not leave. */
static void
prepare_refused_row(struct scene *scene, struct arena *arena)
{
    prepare_clean(scene, arena);
    scene->world.removal = REMOVAL_FAILED;
}

/** A row of Dataverse does not come back, and its service says little of it. */
static void
prepare_undo_refused(struct scene *scene, struct arena *arena)
{
    prepare_undo(scene, arena);
    scene->world.return_state = RETURN_FAILED;
}

/** One row of Dataverse changes in earnest, the other is stamped: both are looked at again. */
static struct fake_world *changing;

static void
change_both(enum fake_moment moment)
{
    struct fake_table *rows = &changing->tables[TABLE_RUNTIME];

    if (moment != FAKE_BEFORE_PURGE || rows->rows[0].content >= 1000 || rows->count < 2)
        return;
    rows->rows[0].content += 1000;
    rows->rows[0].version++;
    rows->rows[1].version++;
}

static void
prepare_changed(struct scene *scene, struct arena *arena)
{
    prepare_clean(scene, arena);
    changing = &scene->world;
    scene->world.happens = change_both;
}

/** AxDB by a grant: the run is named after the host of Dataverse. */
static void
prepare_granted(struct scene *scene, struct arena *arena)
{
    prepare_look(scene, arena);
    scene->request.server = scene->request.database = NULL;
    scene->request.jit = "writer";
    confirm(scene, run_clean, arena);
}

/** A run of before on the same target was cut off late, and one after it early. */
static bool
list_open_runs(struct run_history *history, struct arena *arena, struct run_list *ret,
               struct err *err)
{
    static const struct plan_header plan = {.server = "sql01,1433",
                                            .database = "AxDB",
                                            .database_created = "2026-11-20T10:00:00",
                                            .recovery_fork = "",
                                            .organization_id = "11111111-0000",
                                            .organization_name = "",
                                            .organization_host = "",
                                            .scope = ""};
    static struct run_entry runs[2];

    (void)history;
    (void)arena;
    (void)err;
    for (int i = 0; i < 2; i++)
        runs[i] =
            (struct run_entry){.id = i ? "20261121T214429Z-uat-0001" : "20261121T214429Z-uat-0002",
                               .path = "/runs/x",
                               .past = {.id = "20261121T214429Z-uat-0001",
                                        .path = "/runs/x",
                                        .command = "clean",
                                        .environment = "uat",
                                        .started_utc = "",
                                        .user = "dba",
                                        .host = "ops01",
                                        .program = "",
                                        .has_plan = true,
                                        .plan = plan,
                                        .progress = {.last_step = i ? "committed" : "backup-sealed",
                                                     .last_utc = "2026-11-21T21:44:29.123Z",
                                                     .outcome = "",
                                                     .undoes = "",
                                                     .backup_sealed = true,
                                                     .commit_sent = i == 1,
                                                     .committed = i == 1}}};
    *ret = (struct run_list){.runs_dir = "/runs", .exists = true, .runs = runs, .count = 2};
    return true;
}

static void
prepare_open_runs(struct scene *scene, struct arena *arena)
{
    static struct run_history history = {.list = list_open_runs};

    prepare_look(scene, arena);
    scene->world.ports.history = &history;
    confirm(scene, run_clean, arena);
}

/** The row that was stamped is gone when it is looked at again. */
static void
prepare_gone(struct scene *scene, struct arena *arena)
{
    prepare_clean(scene, arena);
    scene->world.stamps = 1;
    scene->world.change_at = FAKE_BEFORE_LOOK;
    scene->world.change_table = TABLE_RUNTIME;
    scene->world.change = FAKE_REMOVES;
}

static void
prepare_repair_dry(struct scene *scene, struct arena *arena)
{
    prepare_repair(scene, arena);
    scene->request.dry_run = true;
}

/** Rows of Dataverse that are new behind the plan. */
static void
prepare_written_since(struct scene *scene, struct arena *arena)
{
    prepare_clean(scene, arena);
    scene->world.change_at = FAKE_BEFORE_PURGE;
    scene->world.change_table = TABLE_RUNTIME;
    scene->world.change = FAKE_ADDS;
}

static const struct command every_command[] = {
    {"verify", run_verify, prepare_look, false, false},
    {"check", run_check, prepare_look, false, false},
    {"explain", run_explain, prepare_explain, false, false},
    {"plan", run_make_plan, prepare_plan, false, false},
    {"apply", run_apply, prepare_apply, true, false},
    {"clean", run_clean, prepare_clean, true, false},
    {"clean of some channels", run_clean, prepare_some_channels, true, false},
    {"repair-map", run_repair_map, prepare_repair, true, false},
    {"resume", run_resume, prepare_resume, true, false},
    {"undo", run_undo, prepare_undo, false, true},
    {"resume in a purge", run_resume, prepare_resume_purge, true, false},
    {"clean of stamped rows", run_clean, prepare_stamped, true, false},
    {"clean without versions", run_clean, prepare_unversioned, true, false},
    {"verify and diagnose", run_verify, prepare_diagnosis, false, false},
    {"explain and diagnose", run_explain, prepare_explain_all, false, false},
    {"explain of an id", run_explain, prepare_explain_id, false, false},
    {"check of few rights", run_check, prepare_check_of_little, false, false},
    {"apply of a stale plan", run_apply, prepare_apply_stale, false, false},
    {"repair-map of a project", run_repair_map, prepare_repair_projects, true, false},
    {"undo, merged", run_undo, prepare_undo_merge, false, true},
    {"repair-map, watched", run_repair_map, prepare_watched, true, false},
    {"clean, a row refused", run_clean, prepare_refused_row, true, false},
    {"clean, rows changed", run_clean, prepare_changed, true, false},
    {"clean after others", run_clean, prepare_open_runs, true, false},
    {"clean, a row gone", run_clean, prepare_gone, true, false},
    {"repair-map, dry", run_repair_map, prepare_repair_dry, false, false},
    {"clean, granted", run_clean, prepare_granted, true, false},
    {"clean, a row written", run_clean, prepare_written_since, true, true},
    {"undo, a row refused", run_undo, prepare_undo_refused, false, true},
    {"env test", run_test_target, prepare_look, false, false},
};

/** What holds however a command was disturbed: nothing is destroyed without a sealed copy, rows
 * that changed are told of, and no status says that all is well where it is not. */
static void
assert_promises(const struct scene *scene, const struct command *command,
                const struct outcome *outcome, size_t rows_at_first)
{
    const size_t rows = fake_world_rows(&scene->world);

    assert_int_equal(scene->world.violations, 0);
    assert_true(command->removes || rows >= rows_at_first);
    assert_true(command->returns || rows <= rows_at_first);
    if (rows != rows_at_first)
        assert_true(outcome->changed);
    if (outcome->changed)
        assert_true(outcome->exit_status == 0 || outcome->exit_status == 3 ||
                    outcome->exit_status == 6);
    /* what a report and a script read is there, however little there was to work with */
    assert_non_null(outcome->command);
    assert_true(outcome->exit_status == 0 || outcome->err.code != ERR_NONE || outcome->verdict);
}

#endif
