#include "dataverse/trace.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HASH_BYTES = 32 };

static void
hash_text(const char *text, char ret[HASH_BYTES * 2 + 1])
{
    unsigned char hash[EVP_MAX_MD_SIZE] = {0};
    (void)EVP_Digest(text, strlen(text), hash, NULL, EVP_sha256(), NULL);
    for (size_t i = 0; i < HASH_BYTES; i++)
        (void)snprintf(ret + i * 2, 3, "%02x", hash[i]);
}

void
dv_trace_row(const struct dv_call *call, const struct dv_table *table, const struct dv_row *row,
             const char *what)
{
    static const struct dv_select everything = {.count = 0};
    char hash[HASH_BYTES * 2 + 1];
    char etag[40];
    cJSON *contents = dv_row_json(table, row, NULL, &everything);
    cJSON_DeleteItemFromObjectCaseSensitive(contents, "@odata.etag");
    char *text = dv_print_json(contents);
    cJSON_Delete(contents);
    if (!text)
        return;
    hash_text(text, hash);
    free(text);
    (void)snprintf(etag, sizeof(etag), "W/\"%lld\"", (long long)row->version);
    sandbox_log_add(call->log, "row", call->session, "what", what, "id", row->id, "etag", etag,
                    "sha256", hash, NULL);
}

void
dv_trace_stored(const struct dv_call *call, const struct dv_table *table, const char *id,
                const char *what)
{
    struct dv_row row;
    if (dv_store_get(call->store, table->set, id, &row) != 1)
        return;
    dv_trace_row(call, table, &row, what);
    free(row.columns);
}
