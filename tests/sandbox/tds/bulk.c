#include "tds/bulk.h"

#include "tds/token.h"
#include "tds/value.h"

static bool
read_column(struct tds_reader *reader, struct tds_arena *arena, struct sql_column *column,
            struct tds_type *type)
{
    (void)tds_u32(reader); /* user type */
    uint16_t flags = tds_u16(reader);
    if (reader->failed || !tds_type_read(reader, TDS_IN_BULK, type))
        return false;
    size_t units = tds_u8(reader);
    const unsigned char *bytes = tds_take(reader, units * 2);
    uint16_t *name = tds_arena_get(arena, units + 1, sizeof *name);
    if (bytes == NULL || name == NULL)
        return false;
    for (size_t i = 0; i < units; i++)
        name[i] = (uint16_t)(bytes[2 * i] | (bytes[2 * i + 1] << 8));
    type->info.nullable = (flags & 1) != 0;
    *column = (struct sql_column){.name = name, .name_units = units, .type = type->info};
    return true;
}

bool
tds_bulk_columns(struct tds_reader *reader, struct tds_arena *arena, struct tds_bulk *ret)
{
    if (tds_u8(reader) != TDS_TOKEN_COLMETADATA)
        return false;
    struct tds_bulk bulk = {.count = tds_u16(reader)};
    if (reader->failed || bulk.count == 0 || bulk.count > TDS_BULK_COLUMNS_MAX)
        return false;
    bulk.columns = tds_arena_get(arena, bulk.count, sizeof *bulk.columns);
    bulk.types = tds_arena_get(arena, bulk.count, sizeof *bulk.types);
    if (bulk.columns == NULL || bulk.types == NULL)
        return false;
    for (size_t i = 0; i < bulk.count; i++)
        if (!read_column(reader, arena, &bulk.columns[i], &bulk.types[i]))
            return false;
    *ret = bulk;
    return true;
}

enum tds_bulk_result
tds_bulk_row(struct tds_reader *reader, const struct tds_bulk *bulk, struct tds_arena *arena,
             struct sql_value *values)
{
    if (reader->left == 0)
        return TDS_BULK_END;
    uint8_t token = tds_u8(reader);
    if (token == TDS_TOKEN_DONE)
        return TDS_BULK_END;
    if (token != TDS_TOKEN_ROW)
        return TDS_BULK_BROKEN;
    for (size_t i = 0; i < bulk->count; i++)
        if (!tds_value_read(reader, &bulk->types[i], TDS_IN_BULK, arena, &values[i]))
            return TDS_BULK_BROKEN;
    return TDS_BULK_ROW;
}
