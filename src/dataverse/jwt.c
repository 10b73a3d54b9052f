#include "jwt.h"

#include "base/secret.h"
#include "openssl_library.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLAIMS_MAX_BYTES = 64 * 1024 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool
jwt_is_shaped(const char *text)
{
    for (int part = 0; part < 3; part++) {
        const size_t size = strspn(text, alphabet);

        if (size == 0)
            return false;
        text += size;
        if (part < 2 && *text++ != '.')
            return false;
    }
    return *text == '\0';
}

/** Padded standard base64 of the part; malloc'd. */
static unsigned char *
pad(const char *part, size_t size)
{
    const size_t padded = (size + 3) / 4 * 4;
    unsigned char *text = malloc(padded + 1);

    if (!text)
        return NULL;
    for (size_t i = 0; i < padded; i++)
        text[i] = i >= size        ? '='
                  : part[i] == '-' ? '+'
                  : part[i] == '_' ? '/'
                                   : (unsigned char)part[i];
    text[padded] = '\0';
    return text;
}

static cJSON *
decode(const char *part, size_t size)
{
    unsigned char *text = size % 4 == 1 || size > CLAIMS_MAX_BYTES ? NULL : pad(part, size);
    unsigned char *bytes = text ? malloc(size + 4) : NULL;
    const int count = bytes ? EVP_DecodeBlock(bytes, text, (int)((size + 3) / 4 * 4)) : -1;
    const int padding = (int)((4 - size % 4) % 4);
    cJSON *json = NULL;

    if (count > padding)
        json = cJSON_ParseWithLength((const char *)bytes, (size_t)(count - padding));
    if (bytes)
        secret_clear_memory(bytes, size + 4);
    if (text)
        secret_clear_memory(text, (size + 3) / 4 * 4);
    free(bytes);
    free(text);
    return json;
}

bool
jwt_read(const char *text, struct jwt_claims *ret)
{
    const char *claims = jwt_is_shaped(text) ? strchr(text, '.') + 1 : NULL;
    cJSON *json = claims ? decode(claims, strcspn(claims, ".")) : NULL;
    const cJSON *expires = cJSON_GetObjectItemCaseSensitive(json, "exp");
    const cJSON *audience = cJSON_GetObjectItemCaseSensitive(json, "aud");
    const bool read = cJSON_IsObject(json);

    if (read) {
        *ret = (struct jwt_claims){0};
        if (cJSON_IsNumber(expires) && expires->valuedouble >= 1 && expires->valuedouble < 1e11)
            ret->expires_s = (int64_t)expires->valuedouble;
        if (cJSON_IsString(audience) && strlen(audience->valuestring) < sizeof ret->audience)
            (void)snprintf(ret->audience, sizeof ret->audience, "%s", audience->valuestring);
    }
    cJSON_Delete(json);
    return read;
}
