#include "base/text.h"
#include "batch.h"
#include "insert.h"
#include "mssql/mssql.h"
#include "script_text.h"
#include "undo_check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_ROW_BYTES = 1024 * 1024 * 1024, /* of text */
};

struct mssql_undo_script {
    struct undo_script port; /* first: the port hands out its address */
    struct undo_script_out out;
    int64_t expected[AXDB_TABLES]; /* rows that the head announced */
    int64_t written[AXDB_TABLES];
    bool identity[AXDB_TABLES];
    const struct schema *schema; /* of the table that is open, else NULL */
    struct text head;            /* INSERT up to the values */
    struct text text;            /* what was not handed over yet */
};

/* ---- words in comments ---- */

static void
append_fact(struct text *out, const char *what, const char *name)
{
    text_printf(out, "--   %-10s ", what);
    script_append_name(out, name[0] != '\0' ? name : "(not recorded)");
    text_append(out, "\n");
}

/** Columns that hold secrets by what is known of them, or by their names. */
static bool
looks_secret(const char *name)
{
    static const char *const parts[] = {"SECRET",        "PASSWORD", "PASSWD",    "TOKEN",
                                        "CONNECTIONSTR", "CREDENT",  "SIGNATURE", "QUERYFILTER",
                                        "ALERTSETTINGS", "APIKEY",   "ACCESSKEY", "SASURL"};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const size_t size = strlen(parts[i]);

        for (const char *at = name; strlen(at) >= size; at++) {
            size_t same = 0;

            while (same < size && (at[same] & ~0x20) == parts[i][same])
                same++;
            if (same == size)
                return true;
        }
    }
    return false;
}

/* ---- the text ---- */

static bool
hand_over(struct mssql_undo_script *self, struct err *err)
{
    if (!text_ok(&self->text, err) ||
        !self->out.write(self->out.ctx, text_string(&self->text), self->text.used, err))
        return false;
    text_reset(&self->text);
    return true;
}

static void
append_explanation(struct text *out, const struct undo_script_head *head)
{
    text_append(out,
                "-- UNDO SCRIPT: puts rows back that a run of dwclean removed from AxDB.\n--\n");
    append_fact(out, "run", head->run_id);
    append_fact(out, "server", head->server);
    append_fact(out, "database", head->database);
    append_fact(out, "backup", head->manifest);
    append_fact(out, "program", head->program);
    for (int i = 0; i < AXDB_TABLES; i++)
        text_printf(out, "--   %-10s dbo.%s %" PRId64 "\n", "rows", table_name((enum table)i),
                    head->rows[i]);
    text_append(
        out,
        "--\n"
        "-- THIS BRINGS THE STALE LINK BACK. After it the tables name the environments again that\n"
        "-- they named before the run, and Finance and Operations may write to them. Run it only\n"
        "-- when the run was a mistake, before maps are linked or started anew, and prefer\n"
        "-- `dwclean undo`, which compares every row with the backup before it commits.\n"
        "--\n"
        "-- THIS FILE HOLDS ROW CONTENTS IN CLEAR. Columns that look like secrets are named above\n"
        "-- the rows of each table. Keep it as you keep passwords, and delete it after use.\n"
        "--\n"
        "-- How: sign in to that database with a login that may SELECT, INSERT and VIEW DEFINITION (and\n"
        "-- ALTER, for a table with an identity column), and run all of it as one batch:\n"
        "--   SSMS    open it, choose the database, Execute\n"
        "--   sqlcmd  sqlcmd -b -x -I -S SERVER -d DATABASE -U LOGIN -i FILE\n"
        "--   tsql    (cat FILE; echo; echo GO) | tsql -S SERVER -D DATABASE -U LOGIN\n"
        "-- It refuses to run in another database, inside an open transaction, and when a table that\n"
        "-- it fills is not empty, is not what it was, or has enabled triggers. It stops without\n"
        "-- effect at the first fault. It has worked only if the last line says so.\n"
        "-- One batch of tens of thousands of rows needs much memory in the server and in the tool;\n"
        "-- when either gives up, nothing is done.\n\n");
}

/**
 * XACT_ABORT comes behind the first two questions: with it a THROW would roll back the transaction
 * that somebody has open.
 */
static void
append_refusals(struct text *out, const char *database)
{
    text_append(out, "SET XACT_ABORT OFF;\n"
                     "SET IMPLICIT_TRANSACTIONS OFF;\n"
                     "SET NOCOUNT ON;\n"
                     "IF @@TRANCOUNT <> 0 THROW 51000, N'dwclean: a transaction is open in this "
                     "session. Nothing was changed.', 1;\n"
                     "IF CONVERT(varbinary(512), DB_NAME()) <> ");
    script_append_utf16_hex(out, database);
    text_append(out, " THROW 51000, N'dwclean: the rows of this script belong to another "
                     "database. Nothing was changed.', 1;\n"
                     "SET XACT_ABORT ON;\n"
                     "SET QUOTED_IDENTIFIER ON;\n"
                     "SET ANSI_NULLS ON;\n"
                     "SET ANSI_PADDING ON;\n"
                     "SET ANSI_WARNINGS ON;\n"
                     "SET CONCAT_NULL_YIELDS_NULL ON;\n"
                     "SET ARITHABORT ON;\n"
                     "SET NUMERIC_ROUNDABORT OFF;\n"
                     "SET ROWCOUNT 0;\n"
                     "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;\n"
                     "SET LOCK_TIMEOUT 10000;\n"
                     "DECLARE @rows bigint;\n"
                     "DECLARE @identity int;\n"
                     "SET @identity = 0;\n\n"
                     "BEGIN TRY\n"
                     "BEGIN TRANSACTION;\n");
}

/** Lock every table first, always in this order, and see that it is empty. */
static void
append_locks(struct text *out, const int64_t rows[AXDB_TABLES])
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        const char *name = table_name((enum table)i);

        if (rows[i] > 0)
            text_printf(out,
                        "SELECT @rows = CONVERT(bigint, COUNT(*)) FROM dbo.[%s] WITH (TABLOCKX, "
                        "HOLDLOCK);\n"
                        "IF @rows <> 0 THROW 51000, N'dwclean: dbo.%s is not empty. Nothing was "
                        "changed.', 1;\n",
                        name, name);
    }
}

static bool
begin_script(struct undo_script *script, const struct undo_script_head *head, struct err *err)
{
    struct mssql_undo_script *self = (struct mssql_undo_script *)(void *)script;

    if (head->database[0] == '\0' || !text_is_utf8(head->database, strlen(head->database)))
        return err_set(err, ERR_STORAGE,
                       "the run does not say which database its rows are from: an undo script "
                       "could not refuse another");
    memcpy(self->expected, head->rows, sizeof self->expected);
    append_explanation(&self->text, head);
    append_refusals(&self->text, head->database);
    append_locks(&self->text, head->rows);
    return hand_over(self, err);
}

static void
append_secrets(struct text *out, const struct schema *schema)
{
    const char *between = "-- These columns look like secrets: ";

    for (size_t i = 0; i < schema->count; i++) {
        if (!column_insertable(&schema->columns[i]) || !looks_secret(schema->columns[i].name))
            continue;
        text_append(out, between);
        script_append_name(out, schema->columns[i].name);
        between = ", ";
    }
    if (between[0] == ',')
        text_append(out, "\n");
}

/** Names cannot be written in hexadecimal: misread, they fail before anything runs. */
static void
append_encoding(struct text *out, const struct text *head)
{
    for (size_t i = 0; i < head->used; i++) {
        if ((unsigned char)text_string(head)[i] > 0x7E) {
            text_append(out, "-- Its columns have names outside ASCII: read this file as UTF-8 "
                             "(sqlcmd -f 65001).\n");
            return;
        }
    }
}

/**
 * @identity is the table, counted from 1, whose IDENTITY_INSERT is on: switched off where it is
 * not, by a login without ALTER, it is an error of its own, and the fault that led there is lost.
 */
static bool
append_identity(enum table table, bool on, struct text *out, struct err *err)
{
    if (!insert_append_identity(table, on, out, err))
        return false;
    text_printf(out, "\nSET @identity = %d;\n", on ? (int)table + 1 : 0);
    return text_ok(out, err);
}

static bool
begin_table(struct undo_script *script, const struct schema *schema, struct err *err)
{
    struct mssql_undo_script *self = (struct mssql_undo_script *)(void *)script;
    const enum table table = schema->table;

    if (self->schema != NULL || table >= TABLE_RUNTIME || self->written[table] != 0)
        return err_set(err, ERR_INTERNAL, "a table of the undo script came at the wrong time");
    self->schema = schema;
    self->identity[table] = insert_has_identity(schema) && self->expected[table] > 0;
    text_reset(&self->head);
    if (!insert_append_head(schema, &self->head, err))
        return false;
    if (self->expected[table] == 0)
        return true;
    text_printf(&self->text, "\n-- dbo.%s: %" PRId64 " rows.\n", table_name(table),
                self->expected[table]);
    append_secrets(&self->text, schema);
    append_encoding(&self->text, &self->head);
    if (!undo_check_append(schema, &self->text, err))
        return false;
    if (self->identity[table] && !append_identity(table, true, &self->text, err))
        return false;
    return hand_over(self, err);
}

/** Behind a row with values that a server may change silently: see that it has not. */
static bool
append_proof(struct mssql_undo_script *self, const struct row *row, struct err *err)
{
    const char *name = table_name(self->schema->table);
    TEXT_SCOPED conditions = {.max = MAX_ROW_BYTES};
    struct axdb_key key;
    bool any = false;

    for (size_t i = 0; i < self->schema->count; i++) {
        bool one = false;

        if (column_insertable(&self->schema->columns[i]) &&
            !literal_append_proof(&self->schema->columns[i], &row->fields[i], &conditions, &one,
                                  err))
            return false;
        any = any || one;
    }
    if (!any)
        return true;
    if (!axdb_key_parse(row->id.key, &key))
        return err_set(err, ERR_INTERNAL, "a row of %s has no key", name);
    text_printf(&self->text,
                "IF NOT EXISTS (SELECT 1 FROM dbo.[%s] WHERE [PARTITION] = %" PRId64
                " AND [RECID] = %" PRId64,
                name, key.partition, key.recid);
    text_append_bytes(&self->text, text_string(&conditions), conditions.used);
    text_printf(&self->text,
                ") THROW 51000, N'dwclean: the server changed a value of row %" PRId64 ":%" PRId64
                " of dbo.%s. Nothing was changed.', 1;\n",
                key.partition, key.recid, name);
    return text_ok(&conditions, err);
}

static bool
add_row(struct undo_script *script, const struct row *row, struct err *err)
{
    static const struct literal_style style = {.portable = true};
    struct mssql_undo_script *self = (struct mssql_undo_script *)(void *)script;

    if (self->schema == NULL)
        return err_set(err, ERR_INTERNAL, "a row of the undo script belongs to no table");
    text_append_bytes(&self->text, text_string(&self->head), self->head.used);
    if (!insert_append_values(self->schema, row, &style, &self->text, err))
        return false;
    text_append(&self->text, "\n");
    if (!append_proof(self, row, err))
        return false;
    self->written[self->schema->table]++;
    return hand_over(self, err);
}

static bool
end_table(struct undo_script *script, struct err *err)
{
    struct mssql_undo_script *self = (struct mssql_undo_script *)(void *)script;
    enum table table;

    if (self->schema == NULL)
        return err_set(err, ERR_INTERNAL, "no table of the undo script is open");
    table = self->schema->table;
    self->schema = NULL;
    if (self->written[table] != self->expected[table])
        return err_set(err, ERR_STORAGE,
                       "%" PRId64 " rows of %s were announced for the undo script, %" PRId64
                       " came",
                       self->expected[table], table_name(table), self->written[table]);
    if (self->expected[table] == 0)
        return true;
    if (self->identity[table] && !append_identity(table, false, &self->text, err))
        return false;
    text_printf(&self->text,
                "SELECT @rows = CONVERT(bigint, COUNT(*)) FROM dbo.[%s];\n"
                "IF @rows <> %" PRId64 " THROW 51000, N'dwclean: dbo.%s does not hold the %" PRId64
                " rows of the backup. Nothing was changed.', 1;\n",
                table_name(table), self->expected[table], table_name(table), self->expected[table]);
    return hand_over(self, err);
}

static bool
end_script(struct undo_script *script, struct err *err)
{
    struct mssql_undo_script *self = (struct mssql_undo_script *)(void *)script;
    int64_t sum = 0;

    text_append(&self->text, "\nCOMMIT TRANSACTION;\n"
                             "END TRY\n"
                             "BEGIN CATCH\n"
                             "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;\n");
    for (int i = 0; i < AXDB_TABLES; i++) {
        sum += self->expected[i];
        if (self->written[i] != self->expected[i])
            return err_set(err, ERR_INTERNAL, "the undo script lacks rows of %s",
                           table_name((enum table)i));
        if (!self->identity[i])
            continue;
        text_printf(&self->text, "IF @identity = %d ", i + 1);
        if (!insert_append_identity((enum table)i, false, &self->text, err))
            return false;
        text_append(&self->text, "\n");
    }
    text_printf(&self->text,
                "THROW;\n"
                "END CATCH;\n"
                "SELECT N'dwclean: done, %" PRId64 " rows are back.' AS result;\n",
                sum);
    return hand_over(self, err);
}

bool
mssql_undo_script_new(const struct undo_script_out *out, struct undo_script **ret, struct err *err)
{
    struct mssql_undo_script *self = calloc(1, sizeof *self);

    if (self == NULL)
        return err_set(err, ERR_INTERNAL, "out of memory");
    self->port = (struct undo_script){.begin = begin_script,
                                      .begin_table = begin_table,
                                      .row = add_row,
                                      .end_table = end_table,
                                      .end = end_script};
    self->out = *out;
    self->text.max = MAX_ROW_BYTES;
    *ret = &self->port;
    return true;
}

void
mssql_undo_script_free(struct undo_script *script)
{
    struct mssql_undo_script *self = (struct mssql_undo_script *)(void *)script;

    if (self == NULL)
        return;
    text_done(&self->head);
    text_done(&self->text);
    free(self);
}
