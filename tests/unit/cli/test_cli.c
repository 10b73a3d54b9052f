/*
 * The whole program over a world in memory: argv to exit status, stdout and stderr in files.
 */
#include "base/file.h"
#include "cli/cli.h"
#include "fake_world.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

/* A test has one thread. NOLINTBEGIN(concurrency-mt-unsafe) */

enum { MAX_WORDS = 48, MAX_BYTES = 1 << 20, ALL_ROWS = 9 };

#define TARGET "-S sql01 -d AxDB -U u --dataverse-url https://uat.crm4.dynamics.com --client-id c"
#define NO_PLAN "0000000000000000000000000000000000000000000000000000000000000000"
#define SURE "--class sandbox --maps-are-stopped --reason test --yes --runs-dir /srv/runs"

static struct fake_world world;
static char folder[64];

/** Stands in for the C library's: every path lies on this kind of file system. */
static long file_system = EXT4_SUPER_MAGIC;

int
statfs(const char *path, struct statfs *ret)
{
    if (access(path, F_OK) != 0)
        return -1;
    *ret = (struct statfs){0};
    ret->f_type = file_system;
    return 0;
}

/* ---- adapters of the world in memory */

/** Of the grant that AxDB was made with; "" = of none. */
static char granted_as[AXDB_GRANT_NAME_BYTES];

static bool
make_axdb(const struct config *config, const struct axdb_grant *grant, struct observer *observer,
          struct axdb_server **ret, struct err *err)
{
    (void)err;
    assert_non_null(observer->say);
    granted_as[0] = '\0';
    if (grant)
        (void)snprintf(granted_as, sizeof granted_as, "%s", grant->user);
    else if (!config_flag(config, OPT_INTEGRATED))
        assert_string_equal(secret_reveal(config_secret(config, CONFIG_PASSWORD)), "hunter2");
    *ret = &world.axdb_server;
    return true;
}

static bool
make_runtime(const struct config *config, struct observer *observer, struct runtime_server **ret,
             struct err *err)
{
    (void)err;
    assert_non_null(observer);
    assert_string_equal(secret_reveal(config_secret(config, CONFIG_CLIENT_SECRET)), "s3cret");
    *ret = &world.runtime_server;
    return true;
}

/** The run directory of the world in memory, with the one call that it leaves out. */
static struct run_dir_ops dir_ops;
static char files_written[128];

static bool
write_file(struct run_dir *dir, const char *name, const void *bytes, size_t size, struct err *err)
{
    const size_t used = strlen(files_written);
    (void)dir;
    (void)err;
    assert_true(size > 0 && memchr(bytes, '\n', size));
    (void)snprintf(files_written + used, sizeof(files_written) - used, "%s ", name);
    return true;
}

static bool
create_run(struct run_store *store, const struct run_info *info, uint64_t expected_bytes,
           struct run_dir **ret, struct err *err)
{
    (void)store;
    if (!world.run_store.create(&world.run_store, info, expected_bytes, ret, err))
        return false;
    for (size_t i = 0; i < info->fact_count; i++)
        assert_null(strstr(info->facts[i].value, "hunter2"));
    assert_string_equal(info->facts[0].name, "argv");
    dir_ops = *(*ret)->ops;
    dir_ops.write_file = write_file;
    (*ret)->ops = &dir_ops;
    return true;
}

/** Where runs are expected to be kept. */
static const char *runs_dir;

static bool
new_id(struct run_store *store, const char *environment, char ret[RUN_ID_BYTES], struct err *err)
{
    (void)store;
    return world.run_store.new_id(&world.run_store, environment, ret, err);
}

static bool
probe(struct run_store *store, uint64_t expected_bytes, struct run_place *ret, struct err *err)
{
    (void)store;
    return world.run_store.probe(&world.run_store, expected_bytes, ret, err);
}

static bool
reopen(struct run_store *store, const char *id, struct run_dir **ret, struct err *err)
{
    (void)store;
    return world.run_store.reopen(&world.run_store, id, ret, err);
}

static struct run_store run_store = {
    .create = create_run, .new_id = new_id, .probe = probe, .reopen = reopen};
static bool no_place; /* a runs directory cannot be told */

static bool
make_runs(const struct config *config, struct run_store **ret, struct err *err)
{
    const char *path = NULL;
    if (no_place)
        return err_set(err, ERR_CONFIG, "there is no home directory for the runs");
    assert_true(config_runs_dir(config, &path, err));
    assert_string_equal(path, runs_dir);
    *ret = &run_store;
    return true;
}

static bool
make_archive(const struct config *config, struct run_archive **ret, struct err *err)
{
    (void)config;
    (void)err;
    *ret = &world.run_archive;
    return true;
}

static void
free_archive(struct run_archive *archive)
{
    assert_ptr_equal(archive, &world.run_archive);
}

static bool
make_script(const struct undo_script_out *out, struct undo_script **ret, struct err *err)
{
    (void)out;
    (void)ret;
    return err_set(err, ERR_INTERNAL, "no script here");
}

static void
free_axdb(struct axdb_server *server)
{
    assert_ptr_equal(server, &world.axdb_server);
}

static void
free_runtime(struct runtime_server *server)
{
    assert_ptr_equal(server, &world.runtime_server);
}

static void
free_runs(struct run_store *store)
{
    assert_ptr_equal(store, &run_store);
}

static const struct fact *
libraries(size_t *ret_count)
{
    static const struct fact facts[] = {{"library", "1"}, {"\"other\"", "2"}};
    *ret_count = sizeof(facts) / sizeof(facts[0]);
    return facts;
}

/* ---- calling it */

struct call {
    int status;
    char *out, *err; /* freed by done */
};

static int
redirect(int fd, const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    const int was = dup(fd);
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(was >= 0 && file >= 0);
    assert_true(dup2(file, fd) == fd);
    (void)close(file);
    return was;
}

static char *
restore(int fd, int was, const char *name)
{
    char path[128];
    char *bytes = NULL;
    size_t size = 0;
    struct err err;
    assert_true(dup2(was, fd) == fd);
    (void)close(was);
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_true(file_read(path, MAX_BYTES, &bytes, &size, &err));
    return bytes;
}

static struct call
run(const char *line)
{
    static const struct cli_adapters adapters = {.axdb = make_axdb,
                                                 .axdb_free = free_axdb,
                                                 .runtime = make_runtime,
                                                 .runtime_free = free_runtime,
                                                 .runs = make_runs,
                                                 .runs_free = free_runs,
                                                 .archive = make_archive,
                                                 .archive_free = free_archive,
                                                 .undo_script = make_script,
                                                 .libraries = libraries};
    char copy[4096];
    char *words[MAX_WORDS + 1] = {NULL};
    int count = 0;
    (void)snprintf(copy, sizeof(copy), "dwclean %s", line);
    for (char *p = copy; *p && count < MAX_WORDS;) {
        words[count++] = p;
        p += strcspn(p, " ");
        if (*p)
            *p++ = '\0';
        p += strspn(p, " ");
    }
    for (int i = 0; i < count; i++) /* "~" stands for a blank inside a word */
        for (char *p = strchr(words[i], '~'); p; p = strchr(p, '~'))
            *p = ' ';
    (void)fflush(NULL);
    const int out = redirect(STDOUT_FILENO, "out");
    const int err = redirect(STDERR_FILENO, "err");
    struct call call = {.status = cli_main(count, words, &adapters)};
    call.err = restore(STDERR_FILENO, err, "err");
    call.out = restore(STDOUT_FILENO, out, "out");
    return call;
}

static void
done(struct call *call)
{
    free(call->out);
    free(call->err);
}

static int
start(void **state)
{
    (void)state;
    /* Nobody is there to ask, also when a person runs this test at a terminal. */
    const int nobody = open("/dev/null", O_RDONLY);
    if (nobody < 0 || dup2(nobody, STDIN_FILENO) != STDIN_FILENO)
        return -1;
    (void)close(nobody);
    (void)snprintf(folder, sizeof(folder), "/tmp/dwclean-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int
end(void **state)
{
    static const char *const names[] = {"out", "err", "report.json"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    return rmdir(folder);
}

static int
fresh(void **state)
{
    (void)state;
    fake_world_init(&world);
    file_system = EXT4_SUPER_MAGIC;
    runs_dir = "/srv/runs";
    no_place = false;
    files_written[0] = '\0';
    /* the program takes the secrets out of the environment, each time */
    assert_int_equal(setenv("DWCLEAN_PASSWORD", "hunter2", 1), 0);
    assert_int_equal(setenv("AZURE_CLIENT_SECRET", "s3cret", 1), 0);
    (void)unsetenv("DWCLEAN_CONFIG");
    (void)unsetenv("TF_BUILD");
    (void)unsetenv("GITHUB_ACTIONS");
    (void)setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    return 0;
}

/* ---- tests */

static void
a_bare_call_prints_help_and_changes_nothing(void **state)
{
    struct call call = run("");
    (void)state;
    assert_int_equal(call.status, 0);
    assert_non_null(strstr(call.out, "usage: dwclean COMMAND"));
    assert_string_equal(call.err, "");
    assert_int_equal(world.calls, 0);
    done(&call);
    call = run("version");
    assert_int_equal(call.status, 0);
    assert_non_null(strstr(call.out, "library 1\n"));
    done(&call);
    call = run("version --format json");
    assert_int_equal(call.status, 0);
    assert_non_null(strstr(call.out, "\"name\": \"\\\"other\\\"\",\n      \"version\": \"2\""));
    done(&call);
}

static void
verify_reports_residue_on_stdout(void **state)
{
    struct call call = run("verify " TARGET);
    (void)state;
    assert_int_equal(call.status, 2);
    assert_int_equal(strncmp(call.out, "RESIDUE  ", 9), 0);
    assert_int_equal(fake_world_rows(&world), ALL_ROWS);
    done(&call);
}

static char *
plan_id(void)
{
    static char id[80];
    struct call call = run("clean " TARGET " --dry-run --format json --class sandbox");
    assert_int_equal(call.status, 0);
    cJSON *json = cJSON_Parse(call.out);
    assert_non_null(json);
    const char *found = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "plan_id"));
    assert_non_null(found);
    (void)snprintf(id, sizeof(id), "%s", found);
    cJSON_Delete(json);
    done(&call);
    (void)setenv("DWCLEAN_PASSWORD", "hunter2", 1);
    (void)setenv("AZURE_CLIENT_SECRET", "s3cret", 1);
    return id;
}

static void
a_confirmed_clean_removes_the_rows_and_writes_its_reports(void **state)
{
    char line[1024];
    (void)state;
    (void)snprintf(line, sizeof(line), "clean " TARGET " " SURE " --plan-id %s", plan_id());
    struct call call = run(line);
    assert_int_equal(call.status, 0);
    assert_int_equal(strncmp(call.out, "DONE  ", 6), 0);
    assert_int_equal(fake_world_rows(&world), 0);
    assert_int_equal(world.violations, 0);
    assert_string_equal(files_written, "report.txt report.html report.json ");
    done(&call);
}

static void
without_a_terminal_nothing_is_asked_and_the_place_of_runs_must_be_named(void **state)
{
    (void)state;
    struct call call = run("clean " TARGET " --class sandbox --reason r");
    assert_int_equal(call.status, 64);
    assert_non_null(strstr(call.err, "--runs-dir"));
    assert_string_equal(call.out, "");
    assert_int_equal(world.calls, 0);
    done(&call);
    (void)fresh(NULL);
    call = run("clean " TARGET " --class sandbox --reason r --runs-dir /srv/runs");
    assert_int_equal(call.status, 4);
    assert_int_equal(fake_world_rows(&world), ALL_ROWS);
    assert_int_equal(world.answered, 0);
    done(&call);
}

static void
a_usage_error_in_json_is_one_report(void **state)
{
    struct call call = run("verify --format json -S sql01 -d AxDB");
    (void)state;
    assert_int_equal(call.status, 64);
    assert_int_equal(strncmp(call.err, "dwclean: error: ", 16), 0);
    cJSON *json = cJSON_Parse(call.out);
    assert_non_null(json);
    assert_int_equal(
        (int)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(json, "exit_status")), 64);
    cJSON_Delete(json);
    done(&call);
}

static void
the_report_goes_to_the_file_of_o(void **state)
{
    char line[1024], path[128];
    char *bytes = NULL;
    size_t size = 0;
    struct err err;
    (void)state;
    (void)snprintf(path, sizeof(path), "%s/report.json", folder);
    (void)snprintf(line, sizeof(line), "verify " TARGET " --format json -o %s", path);
    struct call call = run(line);
    assert_int_equal(call.status, 2);
    assert_string_equal(call.out, "");
    /* whoever waits for it sees how it came out, and where to read on */
    (void)snprintf(line, sizeof(line), "; report in %s\n", path);
    assert_int_equal(strncmp(call.err, "dwclean: RESIDUE  ", 18), 0);
    assert_non_null(strstr(call.err, line));
    assert_true(file_read(path, MAX_BYTES, &bytes, &size, &err));
    cJSON *json = cJSON_ParseWithLength(bytes, size);
    assert_non_null(json);
    cJSON_Delete(json);
    free(bytes);
    done(&call);

    (void)fresh(NULL);
    call = run("verify " TARGET " -o /nonexistent/report");
    assert_int_equal(call.status, 78);
    assert_int_equal(world.calls, 0);
    done(&call);
}

static void
a_missing_password_without_a_terminal_is_said(void **state)
{
    (void)state;
    (void)unsetenv("DWCLEAN_PASSWORD");
    struct call call = run("verify " TARGET);
    assert_int_equal(call.status, 78);
    assert_non_null(strstr(call.err, "DWCLEAN_PASSWORD"));
    assert_int_equal(world.calls, 0);
    done(&call);
}

static void
secrets_leave_the_environment_and_appear_nowhere(void **state)
{
    struct call call = run("verify -v " TARGET);
    (void)state;
    assert_null(getenv("DWCLEAN_PASSWORD"));
    assert_null(getenv("AZURE_CLIENT_SECRET"));
    assert_null(strstr(call.out, "hunter2"));
    assert_null(strstr(call.err, "hunter2"));
    assert_null(strstr(call.out, "s3cret"));
    assert_null(strstr(call.err, "s3cret"));
    done(&call);
}

static void
an_ignored_target_is_said_before_the_run(void **state)
{
    (void)state;
    (void)setenv("SQLCMDSERVER", "other", 1);
    struct call call = run("clean -n " TARGET " --class sandbox");
    (void)unsetenv("SQLCMDSERVER");
    assert_int_equal(call.status, 0);
    assert_non_null(strstr(call.err, "variable SQLCMDSERVER (other) is ignored"));
    done(&call);
}

static void
a_full_stdout_changes_no_status(void **state)
{
    (void)state;
    const int was = dup(STDOUT_FILENO);
    static const struct cli_adapters adapters = {.axdb = make_axdb,
                                                 .axdb_free = free_axdb,
                                                 .runtime = make_runtime,
                                                 .runtime_free = free_runtime,
                                                 .libraries = libraries};
    char words[][64] = {"dwclean", "verify",      "-S", "sql01", "-d",
                        "AxDB",    "--axdb-only", "-U", "u",     "--expect-dataverse-host=x.y"};
    char *argv[11] = {NULL};
    for (size_t i = 0; i < 10; i++)
        argv[i] = words[i];
    const int full = open("/dev/full", O_WRONLY);
    assert_true(full >= 0 && was >= 0);
    (void)fflush(NULL);
    (void)dup2(full, STDOUT_FILENO);
    const int err = redirect(STDERR_FILENO, "err");
    const int status = cli_main(10, argv, &adapters);
    char *said = restore(STDERR_FILENO, err, "err");
    (void)dup2(was, STDOUT_FILENO);
    (void)close(was);
    (void)close(full);
    assert_int_equal(status, 2);
    assert_non_null(strstr(said, "could not write the report"));
    free(said);
}

static void
an_empty_plan_id_is_a_usage_error(void **state)
{
    struct call call = run("clean " TARGET " " SURE " --plan-id=");
    (void)state;
    assert_int_equal(call.status, 64);
    assert_non_null(strstr(call.err, "the value of --plan-id is empty"));
    assert_int_equal(world.calls, 0);
    done(&call);
}

static void
a_runs_directory_on_an_overlay_is_warned_of_when_something_is_written(void **state)
{
    static const char warning[] = "warning: the runs directory lies on an overlay file system";
    struct call call = {0};
    (void)state;
    file_system = OVERLAYFS_SUPER_MAGIC;
    call = run("clean " TARGET " " SURE " --plan-id " NO_PLAN "");
    assert_non_null(strstr(call.err, warning));
    done(&call);
    (void)fresh(NULL);
    file_system = OVERLAYFS_SUPER_MAGIC;
    call = run("clean " TARGET " --dry-run --class sandbox");
    assert_null(strstr(call.err, warning));
    done(&call);
    /* A directory that is not there yet, right under the root of a container. */
    (void)fresh(NULL);
    file_system = OVERLAYFS_SUPER_MAGIC;
    runs_dir = "/no-such-directory-of-dwclean";
    call = run("clean " TARGET " " SURE " --plan-id " NO_PLAN
               " --runs-dir /no-such-directory-of-dwclean");
    assert_non_null(strstr(call.err, warning));
    done(&call);
    (void)fresh(NULL);
    call = run("clean " TARGET " " SURE " --plan-id " NO_PLAN "");
    assert_null(strstr(call.err, warning));
    done(&call);
}

/* ---- check, repair-map, undo, resume, export */

#define AXDB "-S sql01 -d AxDB -U u --expect-dataverse-host uat.crm4.dynamics.com"

/** The next command in the same world: rows and runs stay. */
static struct call
run_next(const char *line)
{
    fake_world_next(&world);
    (void)setenv("DWCLEAN_PASSWORD", "hunter2", 1);
    (void)setenv("AZURE_CLIENT_SECRET", "s3cret", 1);
    return run(line);
}

static cJSON *
report_of(const struct call *call)
{
    cJSON *json = cJSON_Parse(call->out);
    if (!json)
        fail_msg("no report: %s%s", call->out, call->err);
    return json;
}

static const char *
member(const cJSON *json, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    return text ? text : "";
}

static void
check_lists_what_a_run_needs_and_changes_nothing(void **state)
{
    (void)state;
    struct call call = run("check " TARGET " --class sandbox --runs-dir /srv/runs");
    assert_non_null(strstr(call.out, "\nWhat a run needs\n"));
    assert_null(strstr(call.out, "\nRows\n"));
    assert_in_range(call.status, 0, 2);
    assert_int_equal(fake_world_rows(&world), ALL_ROWS);
    assert_int_equal(world.files_created, 0);
    done(&call);

    world.may_delete = RIGHT_MISSING;
    call = run_next("check " TARGET " --class sandbox --runs-dir /srv/runs --format json");
    assert_int_equal(call.status, 2);
    cJSON *json = report_of(&call);
    assert_string_equal(member(json, "outcome"), "missing");
    assert_non_null(strstr(call.out, "\"missing\""));
    cJSON_Delete(json);
    done(&call);
}

static void
check_goes_on_without_a_place_for_runs(void **state)
{
    (void)state;
    no_place = true;
    struct call call = run("check " TARGET " --class sandbox");
    assert_non_null(strstr(call.err, "warning: there is no home directory"));
    assert_non_null(strstr(call.out, "\nWhat a run needs\n"));
    done(&call);
}

/** A clean of AxDB alone, and the plan-id that `line` shows in its dry run. */
static void
clean_axdb(void)
{
    char line[1024];
    struct call call = run_next("clean " AXDB " --axdb-only --class sandbox -n --format json");
    cJSON *json = report_of(&call);
    (void)snprintf(line, sizeof(line), "clean " AXDB " --axdb-only " SURE " --plan-id %s",
                   member(json, "plan_id"));
    cJSON_Delete(json);
    done(&call);
    call = run_next(line);
    if (call.status != 0)
        fail_msg("%s%s", call.out, call.err);
    done(&call);
}

static void
undo_puts_back_what_clean_removed(void **state)
{
    char line[1024];
    (void)state;
    clean_axdb();
    assert_int_equal(fake_world_rows(&world), 2);
    struct call call = run_next("undo last " AXDB " --class sandbox --dry-run --format json");
    cJSON *json = report_of(&call);
    assert_int_equal(call.status, 0);
    assert_string_equal(member(json, "outcome"), "planned");
    assert_true(*member(json, "undoes"));
    assert_int_equal(fake_world_rows(&world), 2);
    (void)snprintf(line, sizeof(line), "undo last " AXDB " " SURE " --plan-id %s",
                   member(json, "plan_id"));
    cJSON_Delete(json);
    done(&call);

    call = run_next(line);
    assert_int_equal(call.status, 0);
    assert_int_equal(fake_world_rows(&world), ALL_ROWS);
    assert_int_equal(world.violations, 0);
    assert_non_null(strstr(call.out, "  undoes run    "));
    assert_non_null(strstr(call.out, "  PUT BACK  AFTER\n"));
    done(&call);
}

static void
undo_and_resume_of_no_run_say_so(void **state)
{
    static const char *const commands[] = {"undo", "resume"};
    char line[1024];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(line, sizeof(line), "%s nothing " AXDB " " SURE " --plan-id " NO_PLAN,
                       commands[i]);
        struct call call = run_next(line);
        assert_int_equal(call.status, 64);
        assert_int_equal(fake_world_rows(&world), ALL_ROWS);
        done(&call);
    }
}

static void
a_finished_run_is_not_resumed(void **state)
{
    (void)state;
    clean_axdb();
    struct call call = run_next("resume last " AXDB " " SURE " --plan-id " NO_PLAN);
    assert_int_equal(call.status, 4);
    assert_non_null(strstr(call.out, "nothing to resume"));
    done(&call);
}

static void
repair_map_shows_the_rows_of_the_map_and_removes_no_event(void **state)
{
    static const char map[] = "repair-map " AXDB " --map Customers~V3:accounts";
    char line[1024];
    const size_t events = world.tables[TABLE_EVENTS].count;
    (void)state;
    struct call call = run_next("repair-map " AXDB " --map no:map --class sandbox --dry-run");
    assert_int_equal(call.status, 4);
    done(&call);
    (void)snprintf(line, sizeof(line), "%s --class sandbox --dry-run --format json", map);
    call = run_next(line);
    cJSON *json = report_of(&call);
    assert_int_equal(call.status, 0);
    assert_true(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(json, "map_rows")) > 0);
    assert_true(*member(json, "scope"));
    (void)snprintf(line, sizeof(line), "%s " SURE " --plan-id %s", map, member(json, "plan_id"));
    cJSON_Delete(json);
    done(&call);

    call = run_next(line);
    assert_int_equal(call.status, 0);
    assert_int_equal(world.tables[TABLE_EVENTS].count, events);
    assert_true(fake_world_rows(&world) < ALL_ROWS);
    assert_int_equal(world.violations, 0);
    assert_non_null(strstr(call.out, "\nProject rows of the map\n"));
    assert_non_null(strstr(call.out, "  KEPT  AFTER\n"));
    done(&call);
}

static void
an_export_asks_for_no_password_and_makes_no_connection(void **state)
{
    (void)state;
    clean_axdb();
    fake_world_next(&world);
    (void)unsetenv("DWCLEAN_PASSWORD");
    struct call call = run("export last --out -");
    assert_int_equal(call.status, 64);
    assert_non_null(strstr(call.err, "--sql"));
    done(&call);
    call = run("export last --sql --out -");
    assert_non_null(strstr(call.err, "no script here"));
    assert_int_equal(world.axdb_connects, 0);
    done(&call);
}

static int jit_asks;

static bool
give_login(struct runtime_server *server, const struct axdb_grant_request *request,
           struct axdb_grant *ret, struct err *err)
{
    assert_ptr_equal(server, &world.runtime_server);
    assert_string_equal(request->address, "203.0.113.7");
    assert_string_equal(request->reason, "dwclean verify");
    assert_false(request->writer);
    jit_asks++;
    *ret = (struct axdb_grant){.server = "sql01", .database = "AxDB", .user = "JIT-1"};
    return secret_set(&ret->password, "canary-1", 8, err);
}

static void
a_login_just_in_time_is_asked_of_dataverse_also_for_axdb_alone(void **state)
{
    static const char *const halves[] = {"", "--axdb-only --expect-dataverse-host h.contoso.com"};
    (void)state;
    for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++) {
        char line[512];
        (void)fresh(NULL);
        (void)unsetenv("DWCLEAN_PASSWORD");
        world.runtime_server.grant_axdb = give_login;
        jit_asks = 0;
        (void)snprintf(line, sizeof(line),
                       "verify %s --jit reader --jit-ip 203.0.113.7 --client-id c --dataverse-url "
                       "https://contoso-uat.crm4.dynamics.com",
                       halves[i]);
        struct call call = run(line);
        assert_int_equal(call.status, 2);
        assert_string_equal(granted_as, "JIT-1");
        assert_int_equal(jit_asks, 1);
        assert_int_equal(world.axdb_connects, 1);
        assert_int_equal(world.runtime_connects, i == 0);
        assert_null(strstr(call.out, "canary-1"));
        assert_null(strstr(call.err, "canary-1"));
        done(&call);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_bare_call_prints_help_and_changes_nothing, fresh),
        cmocka_unit_test_setup(verify_reports_residue_on_stdout, fresh),
        cmocka_unit_test_setup(a_confirmed_clean_removes_the_rows_and_writes_its_reports, fresh),
        cmocka_unit_test_setup(
            without_a_terminal_nothing_is_asked_and_the_place_of_runs_must_be_named, fresh),
        cmocka_unit_test_setup(a_usage_error_in_json_is_one_report, fresh),
        cmocka_unit_test_setup(the_report_goes_to_the_file_of_o, fresh),
        cmocka_unit_test_setup(a_missing_password_without_a_terminal_is_said, fresh),
        cmocka_unit_test_setup(secrets_leave_the_environment_and_appear_nowhere, fresh),
        cmocka_unit_test_setup(an_ignored_target_is_said_before_the_run, fresh),
        cmocka_unit_test_setup(a_full_stdout_changes_no_status, fresh),
        cmocka_unit_test_setup(an_empty_plan_id_is_a_usage_error, fresh),
        cmocka_unit_test_setup(
            a_runs_directory_on_an_overlay_is_warned_of_when_something_is_written, fresh),
        cmocka_unit_test_setup(check_lists_what_a_run_needs_and_changes_nothing, fresh),
        cmocka_unit_test_setup(check_goes_on_without_a_place_for_runs, fresh),
        cmocka_unit_test_setup(undo_puts_back_what_clean_removed, fresh),
        cmocka_unit_test_setup(undo_and_resume_of_no_run_say_so, fresh),
        cmocka_unit_test_setup(a_finished_run_is_not_resumed, fresh),
        cmocka_unit_test_setup(repair_map_shows_the_rows_of_the_map_and_removes_no_event, fresh),
        cmocka_unit_test_setup(a_login_just_in_time_is_asked_of_dataverse_also_for_axdb_alone,
                               fresh),
        cmocka_unit_test_setup(an_export_asks_for_no_password_and_makes_no_connection, fresh),
    };
    return cmocka_run_group_tests(tests, start, end);
}

/* NOLINTEND(concurrency-mt-unsafe) */
