/** The first message both ways: options, above all whether to encrypt ([MS-TDS] 2.2.6.5). */
#ifndef SANDBOX_TDS_PRELOGIN_H
#define SANDBOX_TDS_PRELOGIN_H

#include "tds/bytes.h"
#include "tds/server.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TDS_ENCRYPT_OFF = 0, TDS_ENCRYPT_ON = 1, TDS_ENCRYPT_NOT_SUP = 2, TDS_ENCRYPT_REQ = 3 };

struct tds_prelogin {
    uint8_t version[6];
    uint8_t encryption; /* TDS_ENCRYPT_NOT_SUP when the client did not say */
    bool mars;
    bool has_federated;
    uint8_t federated; /* FEDAUTHREQUIRED */
};

/** False for anything whose offsets leave the message, or without an end mark. */
bool tds_prelogin_parse(const unsigned char *bytes, size_t length, struct tds_prelogin *ret);

/** What the server answers to the client's byte; false when the client's byte means nothing. */
bool tds_prelogin_negotiate(enum tds_encryption policy, uint8_t client, uint8_t *ret);

void tds_prelogin_write(struct tds_buffer *buffer, const struct tds_prelogin *client,
                        uint8_t encryption);

#endif
