#include "tds/prelogin.h"

#include <string.h>

enum {
    OPTION_VERSION = 0,
    OPTION_ENCRYPTION = 1,
    OPTION_INSTANCE = 2,
    OPTION_THREAD = 3,
    OPTION_MARS = 4,
    OPTION_FEDERATED = 6,
    OPTION_END = 0xFF,
    OPTIONS_MAX = 64,
};

static bool
take_option(uint8_t token, const unsigned char *value, size_t length, struct tds_prelogin *prelogin)
{
    switch (token) {
    case OPTION_VERSION:
        if (length != sizeof prelogin->version)
            return false;
        memcpy(prelogin->version, value, length);
        return true;
    case OPTION_ENCRYPTION:
        if (length != 1)
            return false;
        prelogin->encryption = value[0];
        return true;
    case OPTION_MARS:
        prelogin->mars = length == 1 && value[0] == 1;
        return length == 1;
    case OPTION_FEDERATED:
        if (length != 1)
            return false;
        prelogin->has_federated = true;
        prelogin->federated = value[0];
        return true;
    default: /* instance, thread, trace id, nonce: nothing to decide */
        return true;
    }
}

bool
tds_prelogin_parse(const unsigned char *bytes, size_t length, struct tds_prelogin *ret)
{
    struct tds_prelogin prelogin = {.encryption = TDS_ENCRYPT_NOT_SUP};
    struct tds_reader reader = tds_reader_of(bytes, length);
    for (size_t i = 0; i < OPTIONS_MAX; i++) {
        uint8_t token = tds_u8(&reader);
        if (reader.failed)
            return false;
        if (token == OPTION_END) {
            *ret = prelogin;
            return true;
        }
        size_t offset = tds_u16_big(&reader);
        size_t option_length = tds_u16_big(&reader);
        if (reader.failed || offset > length || option_length > length - offset)
            return false;
        if (!take_option(token, bytes + offset, option_length, &prelogin))
            return false;
    }
    return false;
}

bool
tds_prelogin_negotiate(enum tds_encryption policy, uint8_t client, uint8_t *ret)
{
    /* By the server's policy, then by the client's byte: OFF, ON, NOT_SUP, REQ. */
    static const uint8_t answers[3][4] = {
        [TDS_ENCRYPTION_NONE] = {TDS_ENCRYPT_NOT_SUP, TDS_ENCRYPT_NOT_SUP, TDS_ENCRYPT_NOT_SUP,
                                 TDS_ENCRYPT_NOT_SUP},
        [TDS_ENCRYPTION_OPTIONAL] = {TDS_ENCRYPT_OFF, TDS_ENCRYPT_ON, TDS_ENCRYPT_NOT_SUP,
                                     TDS_ENCRYPT_ON},
        [TDS_ENCRYPTION_REQUIRED] = {TDS_ENCRYPT_REQ, TDS_ENCRYPT_ON, TDS_ENCRYPT_REQ,
                                     TDS_ENCRYPT_ON},
    };
    if (client > TDS_ENCRYPT_REQ)
        return false;
    *ret = answers[policy][client];
    return true;
}

void
tds_prelogin_write(struct tds_buffer *buffer, const struct tds_prelogin *client, uint8_t encryption)
{
    /* 15.0.2000: the number of a product that clients know. @@VERSION says what this really is. */
    static const unsigned char version[6] = {0x0F, 0x00, 0x07, 0xD0, 0x00, 0x00};
    const unsigned char encryption_byte = encryption, zero = 0, federated = client->federated;
    const struct {
        uint8_t token;
        uint8_t length;
        const unsigned char *value;
    } options[] = {
        {OPTION_VERSION, sizeof version, version},
        {OPTION_ENCRYPTION, 1, &encryption_byte},
        {OPTION_INSTANCE, 1, &zero},
        {OPTION_THREAD, 0, NULL},
        {OPTION_MARS, 1, &zero},
        {OPTION_FEDERATED, 1, &federated},
    };
    size_t count = sizeof options / sizeof *options - (client->has_federated ? 0 : 1);
    unsigned offset = (unsigned)(count * 5 + 1);
    for (size_t i = 0; i < count; i++) {
        tds_put_u8(buffer, options[i].token);
        tds_put_u16_big(buffer, offset);
        tds_put_u16_big(buffer, options[i].length);
        offset += options[i].length;
    }
    tds_put_u8(buffer, OPTION_END);
    for (size_t i = 0; i < count; i++)
        tds_put(buffer, options[i].value, options[i].length);
}
