#include "manifest.h"

#include "base/clock.h"
#include "crypt_file.h"
#include "storage.h"

#include <inttypes.h>
#include <string.h>

static void
append_table(struct text *text, enum table table, const struct manifest_table *entry)
{
    char digest[DIGEST_HEX_BYTES];

    digest_hex(&entry->digest, digest);
    text_printf(text,
                "{\"table\":\"%s\",\"file\":\"%s\",\"bytes\":\"%" PRIu64
                "\",\"sha256\":\"%s\",\"rows\":\"%" PRId64 "\",\"schema\":",
                table_key(table), entry->file, entry->bytes, digest, entry->rows);
    text_append(text, entry->schema_text);
    text_append(text, "}");
}

void
manifest_append(struct text *text, const struct manifest *manifest, const char *program)
{
    char stamp[CLOCK_STAMP_BYTES];
    bool first = true;

    clock_stamp(clock_utc_ms(), stamp);
    text_printf(text, "{\"format\":\"%s\",\"version\":\"%s\",\"program\":", BACKUP_FORMAT,
                BACKUP_FORMAT_VERSION);
    text_append_json(text, program, strlen(program));
    text_printf(text, ",\"created_utc\":\"%s\"", stamp);
    if (manifest->key_id[0])
        text_printf(text, ",\"encryption\":\"%s\",\"key_id\":\"%s\"", CRYPT_METHOD,
                    manifest->key_id);
    text_append(text, ",\"tables\":[");
    for (int i = 0; i < TABLES; i++) {
        if (!manifest->tables[i].present)
            continue;
        text_append(text, first ? "\n" : ",\n");
        append_table(text, (enum table)i, &manifest->tables[i]);
        first = false;
    }
    text_append(text, "\n]}\n");
}

static struct slice
without_newline(struct slice bytes)
{
    while (bytes.size > 0 && bytes.data[bytes.size - 1] == '\n')
        bytes.size--;
    return bytes;
}

bool
format_is(const cJSON *json, const char *format)
{
    const char *name = storage_json_string(json, "format");
    const char *version = storage_json_string(json, "version");
    return name && version && strcmp(name, format) == 0 &&
           strcmp(version, BACKUP_FORMAT_VERSION) == 0;
}

/* A name without a directory: a manifest cannot point out of its backup. */
static bool
parse_file(const cJSON *json, char ret[BACKUP_NAME_BYTES])
{
    const char *file = storage_json_string(json, "file");
    if (!file || !*file || *file == '.' || strchr(file, '/') || strlen(file) >= BACKUP_NAME_BYTES)
        return false;
    memcpy(ret, file, strlen(file) + 1);
    return true;
}

static bool
parse_table(const cJSON *json, struct arena *arena, struct manifest *manifest)
{
    struct manifest_table entry = {.present = true};
    const char *key = storage_json_string(json, "table");
    const char *digest = storage_json_string(json, "sha256");
    enum table table = TABLE_FIELD;
    int64_t bytes = 0;

    if (!key || !table_from_key(key, &table) || manifest->tables[table].present)
        return false;
    if (!parse_file(json, entry.file) || !digest || !digest_from_hex(digest, &entry.digest) ||
        !storage_json_number(json, "bytes", INT64_MAX, &bytes) ||
        !storage_json_number(json, "rows", INT64_MAX, &entry.rows))
        return false;
    if (!stored_schema_parse(cJSON_GetObjectItemCaseSensitive(json, "schema"), arena,
                             &entry.schema) ||
        entry.schema.schema.table != table)
        return false;
    entry.bytes = (uint64_t)bytes;
    manifest->tables[table] = entry;
    return true;
}

/* Not encrypted, or in the one way that is known. */
static bool
parse_encryption(const cJSON *json, char ret[BACKUP_KEY_ID_BYTES])
{
    const char *method = storage_json_string(json, "encryption");
    const char *id = storage_json_string(json, "key_id");

    if (!cJSON_GetObjectItemCaseSensitive(json, "encryption"))
        return true;
    if (!method || strcmp(method, CRYPT_METHOD) != 0 || !id ||
        strlen(id) != BACKUP_KEY_ID_BYTES - 1 ||
        strspn(id, "0123456789abcdef") != BACKUP_KEY_ID_BYTES - 1)
        return false;
    memcpy(ret, id, BACKUP_KEY_ID_BYTES);
    return true;
}

bool
manifest_parse(struct slice bytes, const char *path, struct arena *arena, struct manifest *ret,
               struct err *err)
{
    struct manifest manifest = {0};
    const cJSON *item = NULL;
    bytes = without_newline(bytes);
    STORAGE_SCOPED_JSON json = storage_parse_json((const char *)bytes.data, bytes.size);
    const cJSON *tables = cJSON_GetObjectItemCaseSensitive(json, "tables");

    if (!format_is(json, BACKUP_FORMAT) || !cJSON_IsArray(tables))
        return err_set(err, ERR_STORAGE, "%s is not the manifest of a backup of format %s", path,
                       BACKUP_FORMAT_VERSION);
    if (!parse_encryption(json, manifest.key_id))
        return err_set(err, ERR_STORAGE, "%s is encrypted in a way that is not known", path);
    cJSON_ArrayForEach(item, tables)
    {
        if (!parse_table(item, arena, &manifest))
            return err_set(err, ERR_STORAGE, "%s describes a table that cannot be read", path);
    }
    *ret = manifest;
    return true;
}

void
seal_append(struct text *text, const struct digest *manifest)
{
    char stamp[CLOCK_STAMP_BYTES];
    char digest[DIGEST_HEX_BYTES];

    clock_stamp(clock_utc_ms(), stamp);
    digest_hex(manifest, digest);
    text_printf(text,
                "{\"format\":\"%s\",\"version\":\"%s\",\"sealed_utc\":\"%s\","
                "\"manifest_sha256\":\"%s\"}\n",
                BACKUP_SEAL_FORMAT, BACKUP_FORMAT_VERSION, stamp, digest);
}

bool
seal_parse(struct slice bytes, const char *path, struct digest *ret_manifest, struct err *err)
{
    bytes = without_newline(bytes);
    STORAGE_SCOPED_JSON json = storage_parse_json((const char *)bytes.data, bytes.size);
    const char *digest = storage_json_string(json, "manifest_sha256");

    if (!format_is(json, BACKUP_SEAL_FORMAT) || !digest || !digest_from_hex(digest, ret_manifest))
        return err_set(err, ERR_STORAGE, "%s is not the seal of a backup of format %s", path,
                       BACKUP_FORMAT_VERSION);
    return true;
}
