/** A remote procedure call ([MS-TDS] 2.2.6.6): a procedure by name or number, and typed parameters.
 */
#ifndef SANDBOX_TDS_RPC_H
#define SANDBOX_TDS_RPC_H

#include "tds/arena.h"
#include "tds/bytes.h"
#include "tsql/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tds_procedure {
    TDS_PROCEDURE_BY_NAME = 0,
    TDS_SP_EXECUTESQL = 10,
    TDS_SP_PREPARE = 11,
    TDS_SP_EXECUTE = 12,
    TDS_SP_PREPEXEC = 13,
    TDS_SP_UNPREPARE = 15,
};

enum { TDS_RPC_PARAMETERS_MAX = 2100, TDS_RPC_NAME = 1047 * 3 + 1 };

struct tds_rpc {
    uint16_t procedure; /* enum tds_procedure, also when it was called by its name */
    char name[TDS_RPC_NAME];
    struct sql_parameter *parameters; /* from the arena */
    size_t count;
};

enum tds_rpc_result {
    TDS_RPC_OK,
    TDS_RPC_BROKEN,       /* not a call: the stream is out of step */
    TDS_RPC_UNKNOWN_TYPE, /* parameter `count` is of a type not served, `procedure` of no meaning */
};

/** The next call of a message, which may hold several. */
enum tds_rpc_result tds_rpc_read(struct tds_reader *reader, struct tds_arena *arena,
                                 struct tds_rpc *ret);

#endif
