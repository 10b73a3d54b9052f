/** The tokens of a server's answer ([MS-TDS] 2.2.7). Each function puts one whole token. */
#ifndef SANDBOX_TDS_TOKEN_H
#define SANDBOX_TDS_TOKEN_H

#include "tds/bytes.h"
#include "tds/type.h"
#include "tds/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tds_token {
    TDS_TOKEN_RETURNSTATUS = 0x79,
    TDS_TOKEN_COLMETADATA = 0x81,
    TDS_TOKEN_ERROR = 0xAA,
    TDS_TOKEN_INFO = 0xAB,
    TDS_TOKEN_RETURNVALUE = 0xAC,
    TDS_TOKEN_LOGINACK = 0xAD,
    TDS_TOKEN_FEATUREEXTACK = 0xAE,
    TDS_TOKEN_ROW = 0xD1,
    TDS_TOKEN_NBCROW = 0xD2,
    TDS_TOKEN_ENVCHANGE = 0xE3,
    TDS_TOKEN_DONE = 0xFD,
    TDS_TOKEN_DONEPROC = 0xFE,
    TDS_TOKEN_DONEINPROC = 0xFF,
};

enum { /* status of the DONE tokens */
       TDS_DONE_MORE = 0x01,
       TDS_DONE_ERROR = 0x02,
       TDS_DONE_IN_TRANSACTION = 0x04,
       TDS_DONE_COUNT = 0x10,
       TDS_DONE_ATTENTION = 0x20,
};

enum tds_envchange {
    TDS_ENV_DATABASE = 1,
    TDS_ENV_LANGUAGE = 2,
    TDS_ENV_PACKET_SIZE = 4,
    TDS_ENV_COLLATION = 7,
    TDS_ENV_BEGIN = 8,
    TDS_ENV_COMMIT = 9,
    TDS_ENV_ROLLBACK = 10,
    TDS_ENV_RESET = 18,
    TDS_ENV_ROUTING = 20,
};

struct tds_message {
    int32_t number;
    int severity, state;
    const char *text, *procedure; /* UTF-8 */
    int line;
};

/** The server's name in messages; the engine is opened with the same one for @@SERVERNAME. */
#define TDS_SERVER_NAME "SANDBOX-SQL"

/** ERROR above severity 10, else INFO. */
void tds_put_message(struct tds_buffer *buffer, const struct tds_message *message);
void tds_put_done(struct tds_buffer *buffer, uint8_t token, unsigned status, uint16_t command,
                  uint64_t rows);
/** ENVCHANGE with texts as values: database, language, packet size. */
void tds_put_env_text(struct tds_buffer *buffer, enum tds_envchange type, const char *now,
                      const char *before);
void tds_put_env_collation(struct tds_buffer *buffer);
/** Begin: `id` is the new value; commit and rollback: the old one. */
void tds_put_env_transaction(struct tds_buffer *buffer, enum tds_envchange type, uint64_t id);
void tds_put_env_reset(struct tds_buffer *buffer);
void tds_put_env_routing(struct tds_buffer *buffer, const char *host, uint16_t port);
void tds_put_login_ack(struct tds_buffer *buffer, uint32_t version);
/** Answers the UTF-8 feature: there are no UTF-8 collations here. */
void tds_put_feature_ack(struct tds_buffer *buffer);
void tds_put_columns(struct tds_buffer *buffer, const struct sql_column *columns,
                     const struct tds_type *types, size_t count);
/** False when a value does not fit its column; `ret_bad` then says which. */
bool tds_put_row(struct tds_buffer *buffer, const struct tds_type *types,
                 const struct sql_value *values, size_t count, struct tds_row_format format,
                 size_t *ret_bad);
void tds_put_return_status(struct tds_buffer *buffer, int32_t status);
bool tds_put_return_value(struct tds_buffer *buffer, size_t ordinal,
                          const struct sql_column *column, const struct sql_value *value);

#endif
