/* An export of a run in memory, into files of a folder of its own. */
#include "base/file.h"
#include "base/text.h"
#include "cli/export.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A test has one thread. NOLINTBEGIN(concurrency-mt-unsafe) */

enum { MAX_BYTES = 1 << 20, ROWS = 3 };

#define RUN_ID "20261121T220000Z-uat-ab12"

static char folder[64], was_here[4096];
static struct arena *arena;

/* ---- a run in memory */

static const struct column columns[] = {{.name = "PROJECTNAME"},
                                        {.name = "ServiceBusConnectionString"},
                                        {.name = "QUERYFILTEREXPRESSION"}};

static struct memory_run {
    struct archived_run port; /* first: the port is the run */
    struct past_run past;
    struct schema schemas[TABLES];
    bool sealed, has[TABLES];
    int64_t rows[TABLES], rows_read;
    int damaged_at; /* read number that fails; 0 = none */
    int reads, opened;
} memory;

static const struct past_run *
past(const struct archived_run *run)
{
    return &((const struct memory_run *)run)->past;
}

static const struct schema *
schema(const struct archived_run *run, enum table table)
{
    const struct memory_run *of = (const struct memory_run *)run;
    return of->sealed && of->has[table] ? &of->schemas[table] : NULL;
}

static int64_t
rows(const struct archived_run *run, enum table table)
{
    return ((const struct memory_run *)run)->rows[table];
}

static bool
manifest(const struct archived_run *run, struct digest *ret)
{
    memset(ret->bytes, 0xab, sizeof(ret->bytes));
    return ((const struct memory_run *)run)->sealed;
}

static bool
read_rows(struct archived_run *run, enum table table, const struct row_sink *sink, struct err *err)
{
    struct memory_run *of = (struct memory_run *)run;
    if (++of->reads == of->damaged_at)
        return err_set(err, ERR_STORAGE, "the backup is damaged");
    for (int64_t i = 0; i < of->rows_read && i < of->rows[table]; i++) {
        const struct row row = {.id = {.table = table}};
        if (!sink->take(sink->ctx, &row, err))
            return false;
    }
    return true;
}

static void
close_run(struct archived_run *run)
{
    ((struct memory_run *)run)->opened--;
}

static bool
open_run(struct run_archive *archive, const char *name, struct arena *in, struct archived_run **ret,
         struct err *err)
{
    (void)archive;
    assert_ptr_equal(in, arena);
    if (strcmp(name, RUN_ID) != 0)
        return err_set(err, ERR_USAGE, "no run %s", name);
    memory.opened++;
    *ret = &memory.port;
    return true;
}

static struct run_archive archive = {.open = open_run};

/* ---- a script that only counts */

static struct counting_script {
    struct undo_script port; /* first: the port is the script */
    struct undo_script_out out;
    int made;
    size_t row_bytes;
} script;

static bool
put(const char *text, struct err *err)
{
    return script.out.write(script.out.ctx, text, strlen(text), err);
}

static bool
begin(struct undo_script *of, const struct undo_script_head *head, struct err *err)
{
    char line[512];
    (void)of;
    (void)snprintf(line, sizeof(line), "-- %s %s %s %.4s %s %d %d %d\n", head->run_id, head->server,
                   head->database, head->manifest, head->program, (int)head->rows[0],
                   (int)head->rows[1], (int)head->rows[2]);
    return put(line, err);
}

static bool
begin_table(struct undo_script *of, const struct schema *of_table, struct err *err)
{
    (void)of;
    return put(table_key(of_table->table), err) && put("\n", err);
}

static bool
put_row(struct undo_script *of, const struct row *row, struct err *err)
{
    (void)of;
    (void)row;
    char *bytes = malloc(script.row_bytes);
    assert_non_null(bytes);
    memset(bytes, 'r', script.row_bytes);
    const bool ok = script.out.write(script.out.ctx, bytes, script.row_bytes, err);
    free(bytes);
    return ok && put("\n", err);
}

static bool
end_table(struct undo_script *of, struct err *err)
{
    (void)of;
    return put(".\n", err);
}

static bool
end(struct undo_script *of, struct err *err)
{
    (void)of;
    return put("COMMIT\n", err);
}

static bool
make_script(const struct undo_script_out *out, struct undo_script **ret, struct err *err)
{
    (void)err;
    script.port = (struct undo_script){begin, begin_table, put_row, end_table, end};
    script.out = *out;
    script.made++;
    *ret = &script.port;
    return true;
}

static void
free_script(struct undo_script *of)
{
    assert_ptr_equal(of, &script.port);
    script.made--;
}

/* ---- calling it */

static const struct archived_run_ops ops = {.past = past,
                                            .schema = schema,
                                            .rows = rows,
                                            .manifest = manifest,
                                            .read_rows = read_rows,
                                            .close = close_run};

static int
fresh(void **state)
{
    (void)state;
    memory = (struct memory_run){
        .port = {.ops = &ops},
        .past = {.id = RUN_ID,
                 .command = "clean",
                 .plan = {.server = "sql01,1433", .database = "Ax\x1b[2JDB", .scope = ""}},
        .sealed = true,
        .rows = {ROWS, ROWS, ROWS, 17},
        .rows_read = 17,
    };
    for (unsigned i = 0; i < TABLES; i++) {
        memory.has[i] = true;
        memory.schemas[i] =
            (struct schema){.table = (enum table)i, .columns = columns, .count = i == 1 ? 1 : 3};
    }
    script = (struct counting_script){.row_bytes = 4};
    return 0;
}

static struct export_job
job_of(const char *path)
{
    static struct console console;
    console_init(&console, STDERR_FILENO, LOG_LEVEL_INFO);
    return (struct export_job){.run = RUN_ID,
                               .console = &console,
                               .sql = true,
                               .path = path,
                               .archive = &archive,
                               .script = make_script,
                               .script_free = free_script,
                               .arena = arena};
}

/** With stdout in the file "told". */
static bool
export_to(const char *path, char **ret_told, struct err *err)
{
    const struct export_job job = job_of(path);
    size_t size = 0;
    (void)fflush(NULL);
    const int was = dup(STDOUT_FILENO);
    const int file = open("told", O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(was >= 0 && file >= 0 && dup2(file, STDOUT_FILENO) >= 0);
    *err = (struct err){0};
    const bool ok = export_check(&job, err) && export_write(&job, err);
    assert_true(dup2(was, STDOUT_FILENO) >= 0);
    (void)close(was);
    (void)close(file);
    struct err ignored;
    assert_true(file_read("told", MAX_BYTES, ret_told, &size, &ignored));
    (void)unlink("told");
    assert_int_equal(memory.opened, 0);
    assert_int_equal(script.made, 0);
    return ok;
}

static void
expect_failure(const char *path, enum err_code code, const char *says)
{
    char *told = NULL;
    struct err err;
    assert_false(export_to(path, &told, &err));
    assert_int_equal(err.code, code);
    if (!strstr(err.primary, says) && !strstr(err.hint, says))
        fail_msg("%s; %s", err.primary, err.hint);
    assert_string_equal(told, "");
    free(told);
}

/** Nothing of an export that failed may lie around. */
static void
expect_empty_folder(void)
{
    assert_int_equal(chdir(".."), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(chdir(folder), 0);
}

static char *
contents(const char *path)
{
    char *bytes = NULL;
    size_t size = 0;
    struct err err;
    assert_true(file_read(path, MAX_BYTES, &bytes, &size, &err));
    return bytes;
}

/* ---- tests */

static void
the_script_lies_in_a_file_for_its_owner_and_what_it_is_is_told(void **state)
{
    char *told = NULL;
    struct err err;
    struct stat status;
    (void)state;
    const mode_t mask = umask(0);
    assert_true(export_to(NULL, &told, &err));
    (void)umask(mask);
    assert_int_equal(stat("undo-" RUN_ID ".sql", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    char *text = contents("undo-" RUN_ID ".sql");
    assert_non_null(strstr(text, "-- " RUN_ID " sql01,1433 Ax\x1b[2JDB abab dwclean/"));
    assert_non_null(strstr(text, " 3 3 3\nfield\nrrrr\nrrrr\nrrrr\n.\nproject\n"));
    assert_non_null(strstr(text, ".\nCOMMIT\n"));
    assert_null(strstr(text, "runtime"));
    free(text);
    assert_non_null(strstr(told, "undo-" RUN_ID ".sql"));
    assert_non_null(strstr(told, "3 rows of BUSINESSEVENTSDEFINITION"));
    assert_non_null(strstr(told, "DUALWRITEPROJECTFIELDCONFIGURATION.ServiceBusConnectionString"));
    assert_null(strstr(told, "DUALWRITEPROJECTCONFIGURATION.ServiceBus"));
    assert_non_null(strstr(told, "QUERYFILTEREXPRESSION"));
    assert_non_null(strstr(told, "BRINGS THE STALE LINK BACK"));
    assert_non_null(strstr(told, "17 rows of Dataverse"));
    assert_null(strstr(told, "by choice"));
    assert_null(strchr(told, '\x1b'));
    free(told);
    (void)unlink("undo-" RUN_ID ".sql");
    expect_empty_folder();
}

static void
rows_larger_than_the_buffer_come_out_whole(void **state)
{
    char *told = NULL;
    struct err err;
    (void)state;
    script.row_bytes = 100000;
    assert_true(export_to("big.sql", &told, &err));
    free(told);
    char *text = contents("big.sql");
    size_t count = 0;
    for (const char *p = text; *p; p++)
        count += *p == 'r';
    /* and three in "project", "runtime" is not there */
    assert_int_equal(count, 9 * 100000 + 1);
    assert_non_null(strstr(text, "\nCOMMIT\n"));
    free(text);
    (void)unlink("big.sql");
}

/** Rows that a run of a part kept are in the way of the script. */
static void
a_run_of_a_part_says_that_the_script_refuses_beside_other_rows(void **state)
{
    static const char *const scopes[] = {"channels=[\"DualWrite\"]", "map=\"a\":\"b\";projects=[]"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char *told = NULL;
        struct err err;
        memory.past.plan.scope = scopes[i];
        assert_true(export_to("x.sql", &told, &err));
        assert_non_null(
            strstr(told, "The script refuses\n  while a table that it fills is not empty"));
        assert_non_null(strstr(told, "dwclean undo " RUN_ID " --merge\n"));
        free(told);
        (void)unlink("x.sql");
    }
}

static void
a_file_that_is_there_is_never_replaced(void **state)
{
    struct err err;
    (void)state;
    assert_true(file_replace("mine.sql", "mine", 4, 0644, &err));
    expect_failure("mine.sql", ERR_STORAGE, "there already");
    char *text = contents("mine.sql");
    assert_string_equal(text, "mine");
    free(text);
    (void)unlink("mine.sql");
    assert_int_equal(symlink("nowhere", "link.sql"), 0);
    expect_failure("link.sql", ERR_STORAGE, "there already");
    (void)unlink("link.sql");
    expect_failure("no/such/folder.sql", ERR_STORAGE, "no/such/folder.sql");
    expect_empty_folder();
}

static void
a_damaged_backup_leaves_no_file(void **state)
{
    (void)state;
    /* four tables are proven, three are written */
    for (int read = 1; read <= 7; read++) {
        (void)fresh(NULL);
        memory.damaged_at = read;
        expect_failure("x.sql", ERR_STORAGE, "damaged");
        expect_empty_folder();
    }
    (void)fresh(NULL);
    memory.rows_read = 2;
    expect_failure("x.sql", ERR_STORAGE, "2 of 3 rows");
    expect_empty_folder();
}

static void
a_run_without_backup_or_without_axdb_rows_has_nothing_to_export(void **state)
{
    (void)state;
    memory.sealed = false;
    expect_failure(NULL, ERR_STORAGE, "no sealed backup");
    (void)fresh(NULL);
    memory.rows[0] = memory.rows[1] = memory.rows[2] = 0;
    expect_failure(NULL, ERR_STORAGE, "no AxDB rows");
    (void)fresh(NULL);
    memory.past.command = "undo";
    expect_failure(NULL, ERR_STORAGE, "is an undo");
    expect_empty_folder();
}

static void
an_unknown_run_and_a_missing_form_are_usage_errors(void **state)
{
    struct export_job job = job_of(NULL);
    struct err err;
    (void)state;
    job.run = "last-year";
    assert_false(export_write(&job, &err));
    assert_int_equal(err.code, ERR_USAGE);
    job.sql = false;
    assert_false(export_check(&job, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.hint, "--sql"));
    expect_empty_folder();
}

static void
stdout_gets_the_script_only_when_it_is_asked_for_by_name(void **state)
{
    char *told = NULL;
    struct err err;
    (void)state;
    assert_true(export_to("-", &told, &err));
    assert_int_equal(strncmp(told, "-- " RUN_ID, 10), 0);
    assert_non_null(strstr(told, "\nCOMMIT\n"));
    assert_null(strstr(told, "STALE"));
    free(told);
    expect_empty_folder();
}

static void
a_terminal_is_never_shown_the_script(void **state)
{
    const struct export_job job = job_of("-");
    char name[128];
    struct err err = {0};
    (void)state;
    const int person = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(person >= 0 && grantpt(person) == 0 && unlockpt(person) == 0);
    assert_int_equal(ptsname_r(person, name, sizeof(name)), 0);
    const int end_of_it = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    (void)fflush(NULL);
    const int was = dup(STDOUT_FILENO);
    assert_true(end_of_it >= 0 && was >= 0 && dup2(end_of_it, STDOUT_FILENO) >= 0);
    const bool ok = export_check(&job, &err);
    assert_true(dup2(was, STDOUT_FILENO) >= 0);
    (void)close(was);
    (void)close(end_of_it);
    (void)close(person);
    assert_false(ok);
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.primary, "secrets"));
}

static int
start(void **state)
{
    (void)state;
    arena = arena_new(1 << 20);
    (void)snprintf(folder, sizeof(folder), "/tmp/dwclean-test-XXXXXX");
    return arena && getcwd(was_here, sizeof(was_here)) && mkdtemp(folder) && chdir(folder) == 0
               ? 0
               : -1;
}

static int
finish(void **state)
{
    (void)state;
    arena_free(arena);
    return chdir(was_here) == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_script_lies_in_a_file_for_its_owner_and_what_it_is_is_told,
                               fresh),
        cmocka_unit_test_setup(rows_larger_than_the_buffer_come_out_whole, fresh),
        cmocka_unit_test_setup(a_run_of_a_part_says_that_the_script_refuses_beside_other_rows,
                               fresh),
        cmocka_unit_test_setup(a_file_that_is_there_is_never_replaced, fresh),
        cmocka_unit_test_setup(a_damaged_backup_leaves_no_file, fresh),
        cmocka_unit_test_setup(a_run_without_backup_or_without_axdb_rows_has_nothing_to_export,
                               fresh),
        cmocka_unit_test_setup(an_unknown_run_and_a_missing_form_are_usage_errors, fresh),
        cmocka_unit_test_setup(stdout_gets_the_script_only_when_it_is_asked_for_by_name, fresh),
        cmocka_unit_test_setup(a_terminal_is_never_shown_the_script, fresh),
    };
    return cmocka_run_group_tests(tests, start, finish);
}

/* NOLINTEND(concurrency-mt-unsafe) */
