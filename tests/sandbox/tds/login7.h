/** The login message ([MS-TDS] 2.2.6.4): who, to which database, with which wishes. */
#ifndef SANDBOX_TDS_LOGIN7_H
#define SANDBOX_TDS_LOGIN7_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 128 characters of at most 3 bytes (a surrogate pair is two characters and 4 bytes), and the NUL.
 */
#define TDS_LOGIN7_FIELD 385

enum { TDS_LOGIN7_MAX = 128 * 1024 };

struct tds_login7 {
    uint32_t tds_version, packet_size;
    bool odbc, integrated, read_only, new_password;
    bool utf8_asked;      /* feature 0x0A */
    bool federated_asked; /* feature 0x02 */
    char host[TDS_LOGIN7_FIELD], user[TDS_LOGIN7_FIELD], password[TDS_LOGIN7_FIELD];
    char application[TDS_LOGIN7_FIELD], server[TDS_LOGIN7_FIELD], library[TDS_LOGIN7_FIELD];
    char language[TDS_LOGIN7_FIELD], database[TDS_LOGIN7_FIELD];
};

/** False when a length or an offset leaves the message, a field is too long or a feature list has
 * no end. */
bool tds_login7_parse(const unsigned char *bytes, size_t length, struct tds_login7 *ret);

/** Overwrite the password. */
void tds_login7_wipe(struct tds_login7 *login);

#endif
