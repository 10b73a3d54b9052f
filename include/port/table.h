/**
 * The four tables that dwclean may touch, and what a row of them is, whichever server it came from.
 */
#ifndef PORT_TABLE_H
#define PORT_TABLE_H

#include "base/digest.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The AxDB tables stand in the order in which they are locked, always; then the Dataverse table.
 */
enum table {
    TABLE_FIELD,   /* dbo.DUALWRITEPROJECTFIELDCONFIGURATION */
    TABLE_PROJECT, /* dbo.DUALWRITEPROJECTCONFIGURATION */
    TABLE_EVENTS,  /* dbo.BUSINESSEVENTSDEFINITION */
    TABLE_RUNTIME, /* Dataverse "Dual Write Runtime Configurations", msdyn_dualwriteruntimeconfig */
};
enum { AXDB_TABLES = TABLE_RUNTIME, TABLES = TABLE_RUNTIME + 1 };

/** Name as the server writes it, without schema: "DUALWRITEPROJECTCONFIGURATION", ... */
const char *table_name(enum table table);
/** Short stable name for files and JSON: "field", "project", "events", "runtime". */
const char *table_key(enum table table);
bool table_from_key(const char *key, enum table *ret);

/** A column as the server's catalog describes it. Strings live as long as the schema's owner says.
 */
struct column {
    const char *name;      /* UTF-8, as in the catalog */
    const char *type_name; /* "nvarchar", "bigint", "timestamp", ...; "json" for a Dataverse row */
    int32_t max_length;    /* bytes, -1 for (max) */
    uint8_t precision;
    uint8_t scale;
    const char *collation; /* NULL for other than character types */
    bool nullable;
    bool identity;
    bool computed;
    bool generated; /* rowversion (timestamp), period columns: the server fills them, always */
};

enum { SCHEMA_MAX_COLUMNS = 1024 }; /* SQL Server's limit for a table without sparse columns */

/** Columns in catalog order, at most SCHEMA_MAX_COLUMNS. Rows carry one field for each column, in
 * the same order. */
struct schema {
    enum table table;
    const struct column *columns;
    size_t count;
    bool unique_key; /* a unique index covers exactly PARTITION, RECID (Dataverse: always) */
    bool utf8_text;  /* the bytes of nchar and nvarchar are UTF-8, not UTF-16LE: engines that the
                        test switch lets in */
};

/** True when both have the same columns in the same order, with every attribute alike. */
bool schema_equal(const struct schema *a, const struct schema *b);

/** True when the column can be written back: not computed, not generated. */
bool column_insertable(const struct column *column);

/** One value in its canonical form; src/mssql/value.h says which for each type. */
struct field {
    bool is_null;
    struct slice bytes; /* canonical text (ASCII) for numbers, dates, guid; stored bytes for
                           character and binary */
};

/** A right, as the server answers when asked. */
enum right { RIGHT_UNKNOWN, RIGHT_MISSING, RIGHT_HELD };

enum { ROW_KEY_BYTES = 64, ROW_VERSION_BYTES = 160 };

/** What names a row, and what tells two versions of it apart. */
struct row_id {
    enum table table;
    char key[ROW_KEY_BYTES];         /* AxDB "PARTITION:RECID"; Dataverse the GUID, lower case */
    struct digest digest;            /* row_digest: over the insertable columns */
    char version[ROW_VERSION_BYTES]; /* AxDB: hex SHA-256 over the other columns; Dataverse: the
                                        etag */
};

/** A row on its way past: everything in it is borrowed until the call that brought it returns. */
struct row {
    struct row_id id;
    const struct field *fields; /* one for each column of the schema */
    size_t count;
};

/** Compare keys: AxDB as two signed 64-bit numbers, Dataverse as bytes. */
int row_key_compare(enum table table, const char *a, const char *b);

/** The key of an AxDB row as numbers. */
struct axdb_key {
    int64_t partition, recid;
};

/** False when it is not "PARTITION:RECID", two signed 64-bit numbers. */
bool axdb_key_parse(const char *key, struct axdb_key *ret);

/** Negative, zero or positive, in the order of PARTITION, RECID. */
int axdb_key_compare(const struct axdb_key *a, const struct axdb_key *b);

/** Index of the column with this name, without case; `schema->count` when there is none. */
size_t schema_find(const struct schema *schema, const char *name);

/** Where a stream of rows goes. A false ends the stream; `err` then goes to the caller. */
struct row_sink {
    void *ctx;
    bool (*take)(void *ctx, const struct row *row, struct err *err);
};

#endif
