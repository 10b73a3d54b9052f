/** The bodies of requests: the headers before them, transaction manager requests, what a text is.
 */
#ifndef SANDBOX_TDS_REQUEST_H
#define SANDBOX_TDS_REQUEST_H

#include "tds/bytes.h"

#include <stdbool.h>
#include <stdint.h>

/** Takes ALL_HEADERS from the front of a batch, RPC or transaction request. False when they are not
 *  well-formed. `ret_transaction` is 0 when no descriptor is among them. */
bool tds_headers_read(struct tds_reader *reader, uint64_t *ret_transaction);

enum tds_manager_kind {
    TDS_MANAGER_BEGIN = 5,
    TDS_MANAGER_COMMIT = 7,
    TDS_MANAGER_ROLLBACK = 8,
    TDS_MANAGER_SAVE = 9,
};

struct tds_manager_request {
    uint16_t kind;     /* enum tds_manager_kind, or one that is not served */
    uint8_t isolation; /* begin: 0 = as it is, 1 to 5 */
    bool begin_next;   /* commit and rollback: begin another one at once */
    uint8_t next_isolation;
    char name[256 * 3]; /* UTF-8 */
};

bool tds_manager_read(struct tds_reader *reader, struct tds_manager_request *ret);

/** T-SQL for an isolation level of a transaction manager request, "" for 0, NULL for one unknown.
 */
const char *tds_isolation_sql(uint8_t level);

/** Does this text, after blanks and comments, begin with the word COMMIT? */
bool tds_is_commit(const char *sql);

#endif
