#include "tds/rpc.h"

#include "tds/text.h"
#include "tds/type.h"
#include "tds/value.h"

#include <string.h>
#include <strings.h>

enum {
    NAME_IS_NUMBER = 0xFFFF,
    NAME_UNITS_MAX = 1046,
    STATUS_OUTPUT = 0x01,
    NEXT_CALL = 0xFF,
};

static uint16_t
procedure_by_name(const char *name)
{
    static const struct {
        const char *name;
        uint16_t procedure;
    } known[] = {
        {"sp_executesql", TDS_SP_EXECUTESQL}, {"sp_prepare", TDS_SP_PREPARE},
        {"sp_execute", TDS_SP_EXECUTE},       {"sp_prepexec", TDS_SP_PREPEXEC},
        {"sp_unprepare", TDS_SP_UNPREPARE},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(name, known[i].name) == 0)
            return known[i].procedure;
    return TDS_PROCEDURE_BY_NAME;
}

static bool
read_procedure(struct tds_reader *reader, struct tds_rpc *rpc)
{
    size_t units = tds_u16(reader);
    if (units == NAME_IS_NUMBER) {
        rpc->procedure = tds_u16(reader);
        return !reader->failed && rpc->procedure != TDS_PROCEDURE_BY_NAME;
    }
    const unsigned char *name = tds_take(reader, units * 2);
    if (name == NULL || units == 0 || units > NAME_UNITS_MAX)
        return false;
    (void)tds_utf8_from_utf16le(name, units, rpc->name, sizeof rpc->name);
    rpc->procedure = procedure_by_name(rpc->name);
    return true;
}

static bool
read_name(struct tds_reader *reader, struct tds_arena *arena, struct sql_column *column)
{
    size_t units = tds_u8(reader);
    const unsigned char *bytes = tds_take(reader, units * 2);
    if (bytes == NULL)
        return false;
    uint16_t *name = tds_arena_get(arena, units + 1, sizeof *name);
    if (name == NULL)
        return false;
    for (size_t i = 0; i < units; i++)
        name[i] = (uint16_t)(bytes[2 * i] | (bytes[2 * i + 1] << 8));
    column->name = name;
    column->name_units = units;
    return true;
}

static enum tds_rpc_result
read_parameter(struct tds_reader *reader, struct tds_arena *arena, struct sql_parameter *parameter)
{
    struct tds_type type;
    if (!read_name(reader, arena, &parameter->column))
        return TDS_RPC_BROKEN;
    parameter->output = (tds_u8(reader) & STATUS_OUTPUT) != 0;
    if (reader->failed)
        return TDS_RPC_BROKEN;
    if (!tds_type_read(reader, TDS_IN_PARAMETER, &type))
        return reader->failed ? TDS_RPC_BROKEN : TDS_RPC_UNKNOWN_TYPE;
    parameter->column.type = type.info;
    parameter->column.type.nullable = true;
    return tds_value_read(reader, &type, TDS_IN_PARAMETER, arena, &parameter->value)
               ? TDS_RPC_OK
               : TDS_RPC_BROKEN;
}

static bool
at_end_of_call(struct tds_reader *reader)
{
    if (reader->left == 0)
        return true;
    if (reader->at[0] != NEXT_CALL)
        return false;
    (void)tds_u8(reader);
    return true;
}

static struct sql_parameter *
grow(struct tds_arena *arena, const struct tds_rpc *rpc, size_t *capacity)
{
    if (rpc->count < *capacity)
        return rpc->parameters;
    *capacity = *capacity == 0 ? 8 : *capacity * 2;
    struct sql_parameter *grown = tds_arena_get(arena, *capacity, sizeof *grown);
    if (grown != NULL && rpc->count > 0)
        memcpy(grown, rpc->parameters, rpc->count * sizeof *grown);
    return grown;
}

enum tds_rpc_result
tds_rpc_read(struct tds_reader *reader, struct tds_arena *arena, struct tds_rpc *ret)
{
    *ret = (struct tds_rpc){0};
    if (!read_procedure(reader, ret))
        return TDS_RPC_BROKEN;
    (void)tds_u16(reader); /* options: recompile, no metadata */
    size_t capacity = 0;
    while (!reader->failed && !at_end_of_call(reader)) {
        if (ret->count >= TDS_RPC_PARAMETERS_MAX)
            return TDS_RPC_BROKEN;
        struct sql_parameter *grown = grow(arena, ret, &capacity);
        if (grown == NULL)
            return TDS_RPC_BROKEN;
        ret->parameters = grown;
        enum tds_rpc_result result = read_parameter(reader, arena, &ret->parameters[ret->count]);
        if (result != TDS_RPC_OK)
            return result;
        ret->count++;
    }
    return reader->failed ? TDS_RPC_BROKEN : TDS_RPC_OK;
}
