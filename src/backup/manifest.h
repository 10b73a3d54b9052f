/** manifest.json and SEALED.json of a backup (src/backup/README.md). */
#ifndef BACKUP_MANIFEST_H
#define BACKUP_MANIFEST_H

#include "backup/backup_key.h"
#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/text.h"
#include "port/table.h"
#include "stored_schema.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

enum { MANIFEST_MAX_BYTES = 16 * 1024 * 1024, BACKUP_NAME_BYTES = 32 };

/** First members of the manifest, and of the first line of a table's file. */
#define BACKUP_FORMAT "dwclean-backup"
#define BACKUP_TABLE_FORMAT "dwclean-backup-table"
#define BACKUP_SEAL_FORMAT "dwclean-backup-seal"
#define BACKUP_FORMAT_VERSION "1"

/** The file of one table. */
struct manifest_table {
    bool present;
    char file[BACKUP_NAME_BYTES]; /* "project.ndjson.zst" */
    uint64_t bytes;
    struct digest digest; /* SHA-256 of the file */
    int64_t rows;
    struct stored_schema schema; /* when read */
    const char *schema_text;     /* when written: stored_schema_append */
};

struct manifest {
    char key_id[BACKUP_KEY_ID_BYTES]; /* of the key that the files are encrypted with; "" = none */
    struct manifest_table tables[TABLES];
};

/** Append the JSON text. */
void manifest_append(struct text *text, const struct manifest *manifest, const char *program);

/** Read and check a manifest; what it holds lives in `arena`. ERR_STORAGE names `path`. */
MUST_CHECK bool manifest_parse(struct slice bytes, const char *path, struct arena *arena,
                               struct manifest *ret, struct err *err);

/** Append the seal of a manifest with this digest. */
void seal_append(struct text *text, const struct digest *manifest);

/** The digest that a seal holds. ERR_STORAGE names `path`. */
MUST_CHECK bool seal_parse(struct slice bytes, const char *path, struct digest *ret_manifest,
                           struct err *err);

/** True when the object says that it is `format`, version 1. */
bool format_is(const cJSON *json, const char *format);

#endif
