#include "cli/export.h"

#include "base/cancel.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/console.h"
#include "cli/output.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, BUFFER_BYTES = 64 * 1024, PROGRAM_BYTES = 64 };

/** The script on its way out. */
struct sink {
    int fd;
    const char *path; /* as it will be called, for messages */
    char *buffer;     /* BUFFER_BYTES */
    size_t used;
};

/** An export under way. */
struct export
{
    const struct export_job *job;
    struct archived_run *run;
    const struct past_run *past;
    const char *run_id;
    int64_t rows[TABLES];
    char path[PATH_BYTES];           /* "" = stdout */
    char temporary[PATH_BYTES + 16]; /* "" when there is no such file */
    struct sink sink;
    struct undo_script *script;
};

static bool
to_stdout(const struct export_job *job)
{
    return job->path && strcmp(job->path, "-") == 0;
}

bool
export_check(const struct export_job *job, struct err *err)
{
    assert(job && err);
    if (job->sql == job->redact) {
        (void)err_set(err, ERR_USAGE,
                      job->sql ? "--sql and --redact exclude each other"
                               : "what to make of the run is not said");
        return err_hint(err, "There is --sql: a script of INSERTs that puts the AxDB rows of the "
                             "run back, and --redact: a tar file without rows, for a ticket.");
    }
    if (to_stdout(job) && isatty(STDOUT_FILENO) == 1) {
        (void)err_set(err, ERR_USAGE,
                      job->sql ? "the script holds secrets and is not shown on a terminal"
                               : "a tar file is not shown on a terminal");
        return err_hint(err, "Leave out --out, or name a file; or redirect stdout.");
    }
    return true;
}

/* ---- is the backup whole? */

struct counting {
    int64_t rows;
};

static bool
count_row(void *ctx, const struct row *row, struct err *err)
{
    struct counting *counting = ctx;
    (void)row;
    counting->rows++;
    return cancel_check(err);
}

/** Every row of every table is read once before a line is written: files, digests and counts. */
static bool
prove_backup(struct export *export, struct err *err)
{
    int64_t axdb_rows = 0;
    struct digest manifest;
    if (strcmp(export->past->command, "undo") == 0) {
        (void)err_set(err, ERR_STORAGE, "run %s is an undo: it has no backup", export->past->id);
        return err_hint(err, "Name the run that it undid; its report says which.");
    }
    if (!export->run->ops->manifest(export->run, &manifest)) {
        (void)err_set(err, ERR_STORAGE, "run %s has no sealed backup", export->past->id);
        return err_hint(err, "It ended before its backup was complete, so it removed nothing.");
    }
    for (unsigned i = 0; i < TABLES; i++) {
        const enum table table = (enum table)i;
        struct counting counting = {0};
        const struct row_sink sink = {.ctx = &counting, .take = count_row};
        export->rows[i] = export->run->ops->rows(export->run, table);
        if (!export->run->ops->schema(export->run, table))
            continue;
        if (!export->run->ops->read_rows(export->run, table, &sink, err))
            return false;
        if (counting.rows != export->rows[i])
            return err_set(err, ERR_STORAGE,
                           "the backup of run %s has %" PRId64 " of %" PRId64 " rows of %s",
                           export->past->id, counting.rows, export->rows[i], table_name(table));
        axdb_rows += table == TABLE_RUNTIME ? 0 : counting.rows;
    }
    if (axdb_rows > 0)
        return true;
    (void)err_set(err, ERR_STORAGE, "the backup of run %s holds no AxDB rows", export->past->id);
    return err_hint(err, "There is nothing that a script could put back.");
}

/* ---- the file */

static bool
refuse_existing(const char *path, struct err *err)
{
    (void)err_set(err, ERR_STORAGE, "%s is there already", path);
    return err_hint(err, "No file is ever replaced: name another with --out, or remove it.");
}

static bool
open_file(struct export *export, struct err *err)
{
    const char *path = export->job->path;
    struct stat status;
    const int size =
        path ? snprintf(export->path, sizeof(export->path), "%s", path)
             : snprintf(export->path, sizeof(export->path),
                        export->job->sql ? "undo-%s.sql" : "run-%s.tar", export->run_id);
    if (size < 0 || size >= PATH_BYTES)
        return err_set(err, ERR_STORAGE, "the path of --out is too long");
    if (lstat(export->path, &status) == 0)
        return refuse_existing(export->path, err);
    (void)snprintf(export->temporary, sizeof(export->temporary), "%s.XXXXXX", export->path);
    /* 0600 and exclusive, whatever the umask. */
    export->sink.fd = mkostemp(export->temporary, O_CLOEXEC);
    export->sink.path = export->path;
    if (export->sink.fd >= 0)
        return true;
    export->temporary[0] = '\0';
    return err_errno(err, ERR_STORAGE, errno, "create %s", export->path);
}

static bool
open_sink(struct export *export, struct err *err)
{
    export->sink.buffer = malloc(BUFFER_BYTES);
    if (!export->sink.buffer)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (!to_stdout(export->job))
        return open_file(export, err);
    export->sink.fd = STDOUT_FILENO;
    export->sink.path = "stdout";
    return true;
}

static bool
flush(struct sink *sink, struct err *err)
{
    const size_t used = sink->used;
    sink->used = 0;
    return file_write_all(sink->fd, sink->buffer, used, sink->path, err);
}

static bool
write_bytes(void *ctx, const char *bytes, size_t size, struct err *err)
{
    struct sink *sink = ctx;
    if (sink->used + size > BUFFER_BYTES && !flush(sink, err))
        return false;
    if (size > BUFFER_BYTES)
        return file_write_all(sink->fd, bytes, size, sink->path, err);
    memcpy(sink->buffer + sink->used, bytes, size);
    sink->used += size;
    return true;
}

/** Its last name, only where nothing has that name; a rename would replace. */
static bool
take_name(struct export *export, struct err *err)
{
    int status = renameat2(AT_FDCWD, export->temporary, AT_FDCWD, export->path, RENAME_NOREPLACE);
    if (status != 0 && (errno == EINVAL || errno == ENOSYS)) {
        /* a file system without the flag */
        status = link(export->temporary, export->path);
        if (status == 0)
            (void)unlink(export->temporary);
    }
    if (status == 0) {
        export->temporary[0] = '\0';
        return true;
    }
    return errno == EEXIST ? refuse_existing(export->path, err)
                           : err_errno(err, ERR_STORAGE, errno, "name %s", export->path);
}

static bool
sync_directory(const char *path, struct err *err)
{
    char directory[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    (void)snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path) : 1,
                   slash ? path : ".");
    return file_sync_directory(*directory ? directory : "/", err);
}

static bool
close_sink(struct export *export, struct err *err)
{
    if (!flush(&export->sink, err))
        return false;
    if (to_stdout(export->job))
        return true;
    return file_sync(export->sink.fd, export->path, err) && take_name(export, err) &&
           sync_directory(export->path, err);
}

/* ---- the script */

static bool
write_row(void *ctx, const struct row *row, struct err *err)
{
    const struct export *export = ctx;
    return cancel_check(err) && export->script->row(export->script, row, err);
}

static bool
write_table(struct export *export, enum table table, struct err *err)
{
    const struct schema *schema = export->run->ops->schema(export->run, table);
    const struct row_sink sink = {.ctx = export, .take = write_row};
    struct undo_script *script = export->script;
    if (!schema)
        return true;
    return script->begin_table(script, schema, err) &&
           export->run->ops->read_rows(export->run, table, &sink, err) &&
           script->end_table(script, err);
}

static bool
write_script(struct export *export, struct err *err)
{
    char program[PROGRAM_BYTES], manifest_hex[DIGEST_HEX_BYTES];
    struct digest manifest;
    const struct undo_script_out out = {.ctx = &export->sink, .write = write_bytes};
    if (!export->run->ops->manifest(export->run, &manifest))
        return err_set(err, ERR_STORAGE, "the sealed backup of run %s is gone", export->past->id);
    digest_hex(&manifest, manifest_hex);
    (void)snprintf(program, sizeof(program), "dwclean/%s", cli_version());
    struct undo_script_head head = {
        .run_id = export->past->id,
        .server = export->past->plan.server,
        .database = export->past->plan.database,
        .manifest = manifest_hex,
        .program = program,
    };
    for (unsigned i = 0; i < AXDB_TABLES; i++)
        head.rows[i] = export->rows[i];
    if (!export->job->script(&out, &export->script, err) ||
        !export->script->begin(export->script, &head, err))
        return false;
    for (unsigned i = 0; i < AXDB_TABLES; i++) {
        if (!write_table(export, (enum table)i, err))
            return false;
    }
    return export->script->end(export->script, err);
}

/* ---- what was made */

/** Columns that hold keys, passwords or values of the business, by the names that they have. */
static bool
is_secret(const struct column *column)
{
    static const char *const parts[] = {"CONNECTIONSTRING", "ALERTSETTINGS", "SECRET",
                                        "PASSWORD",         "TOKEN",         "CREDENTIAL",
                                        "QUERYFILTER"};
    char name[128];
    size_t used = 0;
    for (const char *p = column->name; *p && used < sizeof(name) - 1; p++)
        name[used++] = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
    name[used] = '\0';
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strstr(name, parts[i]))
            return true;
    }
    return false;
}

static void
tell_secrets(const struct export *export, struct text *ret)
{
    bool any = false;
    for (unsigned i = 0; i < AXDB_TABLES; i++) {
        const enum table table = (enum table)i;
        const struct schema *schema = export->run->ops->schema(export->run, table);
        for (size_t j = 0; schema && j < schema->count; j++) {
            if (export->rows[i] == 0 || !is_secret(&schema->columns[j]))
                continue;
            text_append(ret,
                        any ? "" : "  It holds secrets and values of the business in clear:\n");
            any = true;
            text_printf(ret, "    %s.", table_name(table));
            text_append_shown(ret, schema->columns[j].name, strlen(schema->columns[j].name));
            text_append(ret, "\n");
        }
    }
    text_append(ret, any ? "  Keep it as safe as the backup, and remove it after use.\n"
                         : "  It holds every column of the rows in clear: keep it safe.\n");
}

static const char *
rows_word(int64_t rows)
{
    return rows == 1 ? "row" : "rows";
}

static void
tell_shown(struct text *ret, const char *lead, const char *value)
{
    text_append(ret, lead);
    text_append_shown(ret, value, strlen(value));
}

/** A run of a part left rows in the tables, and the script wants them empty. */
static void
tell_kept(const struct export *export, struct text *ret)
{
    const char *scope = export->past->plan.scope;
    if (strncmp(scope, "map=", 4) != 0 && strncmp(scope, "channels=[", 10) != 0)
        return;
    tell_shown(ret,
               "  The run kept other rows of these tables by choice. The script refuses\n"
               "  while a table that it fills is not empty. What adds rows beside others:\n"
               "    dwclean undo ",
               export->past->id);
    text_append(ret, " --merge\n");
}

/** stdout may have the script itself. */
static void
tell_text(const struct export *export, const struct text *text)
{
    if (*export->path)
        (void)output_print(STDOUT_FILENO, REPORT_TEXT, text);
    else
        console_lines(export->job->console, text_string(text));
}

static void
tell(const struct export *export)
{
    TEXT_SCOPED text = {0};
    tell_shown(&text, "Undo script of run ", export->past->id);
    tell_shown(&text, ": ", *export->path ? export->path : "stdout");
    tell_shown(&text, "\n  for database ", export->past->plan.database);
    tell_shown(&text, " on ", export->past->plan.server);
    text_append(&text, "\n");
    for (unsigned i = 0; i < AXDB_TABLES; i++)
        text_printf(&text, "  %8" PRId64 " %s of %s\n", export->rows[i], rows_word(export->rows[i]),
                    table_name((enum table)i));
    tell_secrets(export, &text);
    text_append(&text,
                "  Running it BRINGS THE STALE LINK BACK: the rows of the other environment.\n");
    tell_kept(export, &text);
    if (export->rows[TABLE_RUNTIME] > 0)
        text_printf(&text, "  Not in it: %" PRId64 " %s of Dataverse, which no SQL can put back.\n",
                    export->rows[TABLE_RUNTIME], rows_word(export->rows[TABLE_RUNTIME]));
    else
        text_append(&text, "  Rows of Dataverse are never in it.\n");
    tell_text(export, &text);
}

static void
release(struct export *export)
{
    if (export->script)
        export->job->script_free(export->script);
    free(export->sink.buffer);
    if (export->sink.fd > STDERR_FILENO)
        (void)close(export->sink.fd);
    if (export->temporary[0])
        (void)unlink(export->temporary);
    if (export->run)
        export->run->ops->close(export->run);
}

bool
export_write(const struct export_job *job, struct err *err)
{
    assert(job && job->archive && job->script && err);
    struct export export = {.job = job, .sink = {.fd = -1}};
    bool ok = job->archive->open(job->archive, job->run, job->arena, &export.run, err);
    if (ok) {
        export.past = export.run->ops->past(export.run);
        export.run_id = export.past->id;
    }
    ok = ok && prove_backup(&export, err) && open_sink(&export, err) &&
         write_script(&export, err) && close_sink(&export, err);
    if (ok)
        tell(&export);
    release(&export);
    return ok;
}

/* ---- --redact */

static void
tell_bundle(const struct export *export)
{
    TEXT_SCOPED text = {0};
    tell_shown(&text, "Bundle of run ", export->run_id);
    tell_shown(&text, ": ", *export->path ? export->path : "stdout");
    text_append(&text, "\n  It holds no rows and no secrets; names of users, hosts and databases "
                       "are in it.\n  Its README.txt says what else.\n");
    tell_text(export, &text);
}

bool
export_bundle(const struct export_job *job, struct err *err)
{
    assert(job && job->history && err);
    struct export export = {.job = job, .sink = {.fd = -1}};
    const struct run_bundle_out out = {.ctx = &export.sink, .write = write_bytes};
    struct run_details details;
    char program[PROGRAM_BYTES];
    (void)snprintf(program, sizeof(program), "dwclean/%s", cli_version());
    bool ok = job->history->details(job->history, job->run, job->arena, &details, err);
    if (ok)
        export.run_id = details.entry.id;
    ok = ok && open_sink(&export, err) &&
         job->history->bundle(job->history, details.entry.path, program, &out, err) &&
         close_sink(&export, err);
    if (ok)
        tell_bundle(&export);
    release(&export);
    return ok;
}
