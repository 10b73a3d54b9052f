/**
 * A client of the T-SQL engine for tests: an engine in a fresh directory, sessions, and what came
 * back as text, e.g. "[n:int] 1|NULL; done c1 2; error 208 16: Invalid object name 'x'.; ".
 */
#ifndef SANDBOX_TESTS_TSQL_CLIENT_H
#define SANDBOX_TESTS_TSQL_CLIENT_H

#include "tsql/engine.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct client {
    struct session *session;
    struct sql_sink sink;
    struct sql_typeinfo types[1100];
    size_t columns;
    uint64_t rows;      /* of all results since `run` */
    size_t first_bytes; /* length of the first value of the last row */
    int last_error;
    bool quiet; /* count rows, do not print them */
    char *text;
    size_t length, capacity;
};

static char client_directory[64];

__attribute__((format(printf, 2, 3))) static void
client_print(struct client *c, const char *format, ...)
{
    char part[4096];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(part, sizeof part, format, ap);
    va_end(ap);
    size_t add = n < 0 ? 0 : (size_t)n < sizeof part ? (size_t)n : sizeof part - 1;
    if (c->length + add + 1 > c->capacity) {
        c->capacity = (c->length + add + 1) * 2;
        c->text = realloc(c->text, c->capacity);
        if (!c->text)
            abort();
    }
    memcpy(c->text + c->length, part, add + 1);
    c->text[c->length += add] = 0;
}

static const char *const client_types[] = {
    "bit",        "tinyint",        "smallint",      "int",      "bigint",    "decimal",
    "smallmoney", "money",          "real",          "float",    "date",      "time",
    "datetime2",  "datetimeoffset", "smalldatetime", "datetime", "guid",      "char",
    "varchar",    "nchar",          "nvarchar",      "binary",   "varbinary", "rowversion",
    "xml",        "text",           "ntext",         "image",    "variant",
};

static bool
client_columns(void *ctx, const struct sql_column *columns, size_t count)
{
    struct client *c = ctx;
    client_print(c, "[");
    for (size_t i = 0; i < count; i++) {
        c->types[i] = columns[i].type;
        for (size_t k = 0; k < columns[i].name_units; k++)
            client_print(c, "%c", columns[i].name[k] < 127 ? (char)columns[i].name[k] : '?');
        client_print(c, ":%s%s", client_types[columns[i].type.type], i + 1 < count ? "," : "");
    }
    client_print(c, "] ");
    c->columns = count;
    return true;
}

static void
client_bytes(struct client *c, const struct sql_value *v, enum sql_type t)
{
    bool wide = t == SQL_NCHAR || t == SQL_NVARCHAR || t == SQL_NTEXT || t == SQL_XML;
    bool text = wide || t == SQL_CHAR || t == SQL_VARCHAR || t == SQL_TEXT;
    for (size_t i = 0; i < v->length; i += wide ? 2 : 1) {
        unsigned u = v->bytes[i] | (wide ? (unsigned)v->bytes[i + 1] << 8 : 0);
        if (text && u >= ' ' && u < 127)
            client_print(c, "%c", (char)u);
        else
            client_print(c, text ? "<%x>" : "%02x", u);
    }
}

static void
client_value(struct client *c, const struct sql_value *v, const struct sql_typeinfo *t)
{
    if (v->is_null) {
        client_print(c, "NULL");
    } else if (t->type <= SQL_BIGINT || t->type == SQL_MONEY || t->type == SQL_SMALLMONEY) {
        client_print(c, "%lld", (long long)v->integer);
    } else if (t->type == SQL_DECIMAL) {
        client_print(c, "%s%llu/%u", v->negative ? "-" : "",
                     (unsigned long long)v->magnitude[1] << 32 | v->magnitude[0], t->scale);
    } else if (t->type == SQL_REAL || t->type == SQL_FLOAT) {
        client_print(c, "%.15g", v->real);
    } else if (t->type >= SQL_DATE && t->type <= SQL_DATETIME) {
        client_print(c, "%d+%lld", v->days, (long long)v->integer);
    } else {
        client_bytes(c, v, t->type);
    }
}

static bool
client_row(void *ctx, const struct sql_value *values, size_t count)
{
    struct client *c = ctx;
    c->rows++;
    c->first_bytes = values[0].length;
    for (size_t i = 0; i < count && !c->quiet; i++) {
        client_value(c, &values[i], &c->types[i]);
        client_print(c, i + 1 < count ? "|" : "; ");
    }
    return true;
}

static void
client_done(void *ctx, enum sql_done_kind kind, unsigned flags, uint16_t command, uint64_t rows)
{
    struct client *c = ctx;
    client_print(c, "%s%x",
                 kind == SQL_DONE_STATEMENT ? "done "
                 : kind == SQL_DONE_PROC    ? "doneproc "
                                            : "doneinproc ",
                 command);
    if (flags & SQL_DONE_HAS_COUNT)
        client_print(c, " %llu", (unsigned long long)rows);
    client_print(c, "%s%s; ", flags & SQL_DONE_ERROR ? " failed" : "",
                 flags & SQL_DONE_ATTENTION ? " attention" : "");
}

static void /* NOLINTNEXTLINE(readability-function-size): as the interface has it */
client_message(void *ctx, int32_t number, int severity, int state, const char *text,
               const char *procedure, int line)
{
    struct client *c = ctx;
    (void)procedure;
    (void)state;
    if (severity > 10) {
        c->last_error = number;
        client_print(c, "error %d %d line %d: %s; ", number, severity, line, text);
    } else {
        client_print(c, "info %d: %s; ", number, text);
    }
}

static void
client_transaction(void *ctx, int what, uint64_t id)
{
    client_print(ctx, id ? "tran %d; " : "tran %d without id; ", what);
}

static void
client_status(void *ctx, int32_t status)
{
    client_print(ctx, "status %d; ", status);
}

static void
client_output(void *ctx, size_t ordinal, const struct sql_column *as, const struct sql_value *value)
{
    struct client *c = ctx;
    client_print(c, "output %zu=", ordinal);
    client_value(c, value, &as->type);
    client_print(c, "; ");
}

/* Not every test program uses every helper. */
#pragma GCC diagnostic ignored "-Wunused-function"

static struct engine *
client_engine_of(struct faults *faults, bool snapshot, bool utf8)
{
    char why[512] = "";
    (void)snprintf(client_directory, sizeof client_directory, "/tmp/tsql-test-XXXXXX");
    if (!mkdtemp(client_directory))
        abort();
    struct engine_options o = {.directory = client_directory,
                               .server_name = "sandbox",
                               .database = "AxDB",
                               .read_committed_snapshot = snapshot,
                               .utf8 = utf8,
                               .faults = faults};
    struct engine *e = engine_open(&o, why, sizeof why);
    if (!e) {
        (void)fprintf(stderr, "%s\n", why);
        abort();
    }
    (void)engine_add_login(e, "sa", "secret", "all,msdb");
    return e;
}

static struct engine *
client_engine(struct faults *faults, bool snapshot)
{
    return client_engine_of(faults, snapshot, false);
}

static void
client_engine_close(struct engine *e)
{
    engine_close(e);
    DIR *d = opendir(client_directory);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): a directory of its own */
    for (struct dirent *f; d && (f = readdir(d));) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", client_directory, f->d_name);
        (void)unlink(path);
    }
    if (d)
        (void)closedir(d);
    (void)rmdir(client_directory);
}

static struct client *
client_login(struct engine *e, const char *user, const char *password, bool odbc)
{
    struct client *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->sink = (struct sql_sink){c,
                                client_columns,
                                client_row,
                                client_done,
                                client_message,
                                client_transaction,
                                client_status,
                                client_output};
    struct login_request r = {.user = user,
                              .password = password,
                              .database = "AxDB",
                              .application = "test",
                              .workstation = "here",
                              .odbc = odbc};
    client_print(c, "%s", "");
    c->session = engine_login(e, &r, &c->sink);
    return c;
}

static struct client *
client_open(struct engine *e)
{
    return client_login(e, "sa", "secret", true);
}

static void
client_close(struct client *c)
{
    if (c->session)
        session_close(c->session);
    free(c->text);
    free(c);
}

/** Run UTF-8 T-SQL (a code unit a character of it, ASCII only) and answer what came back. */
static const char *
run(struct client *c, const char *sql)
{
    size_t n = strlen(sql);
    unsigned char *wide = calloc(n + 1, 2);
    if (!wide)
        abort();
    for (size_t i = 0; i < n; i++)
        wide[2 * i] = (unsigned char)sql[i];
    c->length = 0;
    c->rows = 0;
    c->last_error = 0;
    c->text[0] = 0;
    session_batch(c->session, wide, n * 2, &c->sink);
    free(wide);
    return c->text;
}

#endif
