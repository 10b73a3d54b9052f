/**
 * A script that puts the rows of a backup back with any SQL tool: for a DBA to read and to run by
 * hand. Implemented by mssql/, which knows the literals, and by tests/fakes/.
 */
#ifndef PORT_UNDO_SCRIPT_H
#define PORT_UNDO_SCRIPT_H

#include "base/err.h"
#include "port/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the head of the script says. Strings borrowed, UTF-8. */
struct undo_script_head {
    const char *run_id;
    const char *server, *database; /* where the rows came from */
    const char *manifest;          /* SHA-256 of the backup, 64 hex digits */
    const char *program;
    int64_t rows[AXDB_TABLES];
};

/** Where the text goes, in pieces; UTF-8. */
struct undo_script_out {
    void *ctx;
    bool (*write)(void *ctx, const char *bytes, size_t size, struct err *err);
};

/** Calls in this order: begin; for each table begin_table, row for each row, end_table; end. */
struct undo_script {
    bool (*begin)(struct undo_script *script, const struct undo_script_head *head, struct err *err);
    bool (*begin_table)(struct undo_script *script, const struct schema *schema, struct err *err);
    bool (*row)(struct undo_script *script, const struct row *row, struct err *err);
    bool (*end_table)(struct undo_script *script, struct err *err);
    bool (*end)(struct undo_script *script, struct err *err);
};

#endif
