#include "tds/login7.h"

#include "tds/bytes.h"
#include "tds/text.h"

#include <openssl/crypto.h>
#include <string.h>

enum {
    FIXED_BYTES = 94,
    FIELD_UNITS_MAX = 128,
    FILE_UNITS_MAX = 260,
    AT_TDS_VERSION = 4,
    AT_PACKET_SIZE = 8,
    AT_FLAGS_2 = 25,
    AT_TYPE_FLAGS = 26,
    AT_FLAGS_3 = 27,
    AT_EXTENSION = 56,
    AT_SSPI = 78,
    AT_FILE = 82,
    AT_NEW_PASSWORD = 86,
    AT_SSPI_LONG = 90,
    FLAG_ODBC = 0x02,
    FLAG_INTEGRATED = 0x80,
    FLAG_READ_ONLY = 0x20,
    FLAG_EXTENSION = 0x10,
    FEATURE_FEDERATED = 0x02,
    FEATURE_UTF8 = 0x0A,
    FEATURE_END = 0xFF,
    FEATURES_MAX = 64,
};

static uint32_t
number_at(const unsigned char *bytes, size_t at, size_t width)
{
    struct tds_reader reader = tds_reader_of(bytes + at, width);
    return (uint32_t)tds_unsigned(&reader, width);
}

/* The variable part that a pair of offset and length points to; NULL when it leaves the message. */
static const unsigned char *
part(const unsigned char *bytes, size_t length, size_t pair_at, size_t part_bytes)
{
    size_t offset = number_at(bytes, pair_at, 2);
    if (part_bytes == 0)
        return bytes;
    if (offset < FIXED_BYTES || offset > length || part_bytes > length - offset)
        return NULL;
    return bytes + offset;
}

static bool
text_at(const unsigned char *bytes, size_t length, size_t pair_at, char ret[TDS_LOGIN7_FIELD])
{
    size_t units = number_at(bytes, pair_at + 2, 2);
    const unsigned char *text = part(bytes, length, pair_at, units * 2);
    if (units > FIELD_UNITS_MAX || text == NULL)
        return false;
    (void)tds_utf8_from_utf16le(text, units, ret, TDS_LOGIN7_FIELD);
    return true;
}

static bool
password_at(const unsigned char *bytes, size_t length, size_t pair_at, char ret[TDS_LOGIN7_FIELD])
{
    size_t units = number_at(bytes, pair_at + 2, 2);
    const unsigned char *text = part(bytes, length, pair_at, units * 2);
    if (units > FIELD_UNITS_MAX || text == NULL)
        return false;
    unsigned char clear[2 * FIELD_UNITS_MAX];
    for (size_t i = 0; i < units * 2; i++) {
        unsigned plain = text[i] ^ 0xA5u;
        clear[i] = (unsigned char)((plain << 4) | (plain >> 4));
    }
    (void)tds_utf8_from_utf16le(clear, units, ret, TDS_LOGIN7_FIELD);
    OPENSSL_cleanse(clear, sizeof clear);
    return true;
}

static bool
features_at(const unsigned char *bytes, size_t length, struct tds_login7 *login)
{
    const unsigned char *pointer = part(bytes, length, AT_EXTENSION, 4);
    if (number_at(bytes, AT_EXTENSION + 2, 2) != 4 || pointer == NULL)
        return false;
    size_t offset = number_at(pointer, 0, 4);
    if (offset < FIXED_BYTES || offset >= length)
        return false;
    struct tds_reader reader = tds_reader_of(bytes + offset, length - offset);
    for (size_t i = 0; i < FEATURES_MAX; i++) {
        uint8_t id = tds_u8(&reader);
        if (reader.failed || id == FEATURE_END)
            return !reader.failed;
        (void)tds_take(&reader, tds_u32(&reader));
        login->utf8_asked = login->utf8_asked || id == FEATURE_UTF8;
        login->federated_asked = login->federated_asked || id == FEATURE_FEDERATED;
    }
    return false;
}

static bool
unused_parts_fit(const unsigned char *bytes, size_t length, struct tds_login7 *login)
{
    size_t sspi = number_at(bytes, AT_SSPI + 2, 2);
    if (sspi == UINT16_MAX && number_at(bytes, AT_SSPI_LONG, 4) != 0)
        sspi = number_at(bytes, AT_SSPI_LONG, 4);
    size_t file = number_at(bytes, AT_FILE + 2, 2);
    size_t changed = number_at(bytes, AT_NEW_PASSWORD + 2, 2);
    login->new_password = changed > 0;
    return file <= FILE_UNITS_MAX && changed <= FIELD_UNITS_MAX &&
           part(bytes, length, AT_SSPI, sspi) != NULL &&
           part(bytes, length, AT_FILE, file * 2) != NULL &&
           part(bytes, length, AT_NEW_PASSWORD, changed * 2) != NULL;
}

static bool
all_text(const unsigned char *bytes, size_t length, struct tds_login7 *login)
{
    return text_at(bytes, length, 36, login->host) && text_at(bytes, length, 40, login->user) &&
           password_at(bytes, length, 44, login->password) &&
           text_at(bytes, length, 48, login->application) &&
           text_at(bytes, length, 52, login->server) &&
           text_at(bytes, length, 60, login->library) &&
           text_at(bytes, length, 64, login->language) &&
           text_at(bytes, length, 68, login->database);
}

bool
tds_login7_parse(const unsigned char *bytes, size_t length, struct tds_login7 *ret)
{
    if (length < FIXED_BYTES || length > TDS_LOGIN7_MAX || number_at(bytes, 0, 4) != length)
        return false;
    struct tds_login7 login = {
        .tds_version = number_at(bytes, AT_TDS_VERSION, 4),
        .packet_size = number_at(bytes, AT_PACKET_SIZE, 4),
        .odbc = (bytes[AT_FLAGS_2] & FLAG_ODBC) != 0,
        .integrated = (bytes[AT_FLAGS_2] & FLAG_INTEGRATED) != 0,
        .read_only = (bytes[AT_TYPE_FLAGS] & FLAG_READ_ONLY) != 0,
    };
    bool ok = all_text(bytes, length, &login) && unused_parts_fit(bytes, length, &login);
    if (ok && (bytes[AT_FLAGS_3] & FLAG_EXTENSION) != 0)
        ok = features_at(bytes, length, &login);
    if (ok)
        *ret = login;
    tds_login7_wipe(&login);
    return ok;
}

void
tds_login7_wipe(struct tds_login7 *login)
{
    OPENSSL_cleanse(login->password, sizeof login->password);
}
