#include "tds/token.h"

#include "tds/text.h"

enum {
    USER_TYPE_ROWVERSION = 80,
    FLAG_NULLABLE = 0x01,
    FLAG_UPDATE_UNKNOWN = 0x08,
    FLAG_IDENTITY = 0x10,
    FLAG_COMPUTED = 0x20,
};

/* A token with a length of two bytes behind its first: begin here, end with `end_token`. */
static size_t
begin_token(struct tds_buffer *buffer, enum tds_token token)
{
    tds_put_u8(buffer, token);
    tds_put_u16(buffer, 0);
    return buffer->length;
}

static void
end_token(struct tds_buffer *buffer, size_t begin)
{
    if (!buffer->failed)
        tds_patch_u16(buffer, begin - 2, buffer->length - begin);
}

void
tds_put_message(struct tds_buffer *buffer, const struct tds_message *message)
{
    size_t begin = begin_token(buffer, message->severity > 10 ? TDS_TOKEN_ERROR : TDS_TOKEN_INFO);
    tds_put_u32(buffer, (uint32_t)message->number);
    tds_put_u8(buffer, (unsigned)message->state & 0xFF);
    tds_put_u8(buffer, (unsigned)message->severity & 0xFF);
    tds_put_us_varchar(buffer, message->text != NULL ? message->text : "");
    tds_put_b_varchar(buffer, TDS_SERVER_NAME);
    tds_put_b_varchar(buffer, message->procedure != NULL ? message->procedure : "");
    tds_put_u32(buffer, (uint32_t)message->line);
    end_token(buffer, begin);
}

void
tds_put_done(struct tds_buffer *buffer, uint8_t token, unsigned status, uint16_t command,
             uint64_t rows)
{
    tds_put_u8(buffer, token);
    tds_put_u16(buffer, status);
    tds_put_u16(buffer, command);
    tds_put_u64(buffer, rows);
}

void
tds_put_env_text(struct tds_buffer *buffer, enum tds_envchange type, const char *now,
                 const char *before)
{
    size_t begin = begin_token(buffer, TDS_TOKEN_ENVCHANGE);
    tds_put_u8(buffer, type);
    tds_put_b_varchar(buffer, now);
    tds_put_b_varchar(buffer, before);
    end_token(buffer, begin);
}

void
tds_put_env_collation(struct tds_buffer *buffer)
{
    size_t begin = begin_token(buffer, TDS_TOKEN_ENVCHANGE);
    tds_put_u8(buffer, TDS_ENV_COLLATION);
    tds_put_u8(buffer, sizeof tds_collation);
    tds_put(buffer, tds_collation, sizeof tds_collation);
    tds_put_u8(buffer, 0);
    end_token(buffer, begin);
}

void
tds_put_env_transaction(struct tds_buffer *buffer, enum tds_envchange type, uint64_t id)
{
    size_t begin = begin_token(buffer, TDS_TOKEN_ENVCHANGE);
    tds_put_u8(buffer, type);
    if (type != TDS_ENV_BEGIN)
        tds_put_u8(buffer, 0);
    tds_put_u8(buffer, sizeof id);
    tds_put_u64(buffer, id);
    if (type == TDS_ENV_BEGIN)
        tds_put_u8(buffer, 0);
    end_token(buffer, begin);
}

void
tds_put_env_reset(struct tds_buffer *buffer)
{
    size_t begin = begin_token(buffer, TDS_TOKEN_ENVCHANGE);
    tds_put_u8(buffer, TDS_ENV_RESET);
    tds_put_u16(buffer, 0); /* two empty values */
    end_token(buffer, begin);
}

void
tds_put_env_routing(struct tds_buffer *buffer, const char *host, uint16_t port)
{
    size_t begin = begin_token(buffer, TDS_TOKEN_ENVCHANGE);
    tds_put_u8(buffer, TDS_ENV_ROUTING);
    size_t value = buffer->length;
    tds_put_u16(buffer, 0);
    tds_put_u8(buffer, 0); /* protocol: TCP */
    tds_put_u16(buffer, port);
    tds_put_us_varchar(buffer, host);
    if (!buffer->failed)
        tds_patch_u16(buffer, value, buffer->length - value - 2);
    tds_put_u16(buffer, 0); /* the old value */
    end_token(buffer, begin);
}

void
tds_put_login_ack(struct tds_buffer *buffer, uint32_t version)
{
    static const unsigned char product_version[4] = {0x0F, 0x00, 0x07, 0xD0};
    size_t begin = begin_token(buffer, TDS_TOKEN_LOGINACK);
    tds_put_u8(buffer, 1); /* interface: T-SQL */
    tds_put_u32_big(buffer, version);
    tds_put_b_varchar(buffer, "Microsoft SQL Server"); /* clients ask for this very name */
    tds_put(buffer, product_version, sizeof product_version);
    end_token(buffer, begin);
}

void
tds_put_feature_ack(struct tds_buffer *buffer)
{
    tds_put_u8(buffer, TDS_TOKEN_FEATUREEXTACK);
    tds_put_u8(buffer, 0x0A);
    tds_put_u32(buffer, 1);
    tds_put_u8(buffer, 0);
    tds_put_u8(buffer, 0xFF);
}

static void
put_column(struct tds_buffer *buffer, const struct sql_column *column, const struct tds_type *type)
{
    unsigned flags = FLAG_UPDATE_UNKNOWN;
    if (column->type.nullable)
        flags |= FLAG_NULLABLE;
    if (column->type.identity)
        flags = (flags & ~(unsigned)FLAG_UPDATE_UNKNOWN) | FLAG_IDENTITY;
    if (column->type.computed)
        flags = (flags & ~(unsigned)FLAG_UPDATE_UNKNOWN) | FLAG_COMPUTED;
    tds_put_u32(buffer, column->type.type == SQL_ROWVERSION ? USER_TYPE_ROWVERSION : 0);
    tds_put_u16(buffer, flags);
    tds_type_write(buffer, type, TDS_IN_RESULT);
}

static void
put_name(struct tds_buffer *buffer, const struct sql_column *column)
{
    size_t units = column->name_units < UINT8_MAX ? column->name_units : UINT8_MAX;
    tds_put_u8(buffer, (unsigned)units);
    for (size_t i = 0; i < units; i++)
        tds_put_u16(buffer, column->name[i]);
}

void
tds_put_columns(struct tds_buffer *buffer, const struct sql_column *columns,
                const struct tds_type *types, size_t count)
{
    tds_put_u8(buffer, TDS_TOKEN_COLMETADATA);
    tds_put_u16(buffer, (unsigned)count);
    for (size_t i = 0; i < count; i++) {
        put_column(buffer, &columns[i], &types[i]);
        put_name(buffer, &columns[i]);
    }
}

static void
put_null_bitmap(struct tds_buffer *buffer, const struct sql_value *values, size_t count)
{
    for (size_t i = 0; i < count; i += 8) {
        unsigned bits = 0;
        for (size_t k = i; k < count && k < i + 8; k++)
            bits |= values[k].is_null ? 1u << (k - i) : 0;
        tds_put_u8(buffer, bits);
    }
}

static bool
has_own_length(const struct tds_type *type, const struct sql_value *value)
{
    return !value->is_null && (type->shape == TDS_SHAPE_SHORT || type->shape == TDS_SHAPE_CHUNKS);
}

bool
tds_put_row(struct tds_buffer *buffer, const struct tds_type *types, const struct sql_value *values,
            size_t count, struct tds_row_format format, size_t *ret_bad)
{
    bool absurd = format.absurd_length;
    tds_put_u8(buffer, format.nulls_in_bitmap ? TDS_TOKEN_NBCROW : TDS_TOKEN_ROW);
    if (format.nulls_in_bitmap)
        put_null_bitmap(buffer, values, count);
    for (size_t i = 0; i < count; i++) {
        if (format.nulls_in_bitmap && values[i].is_null)
            continue;
        format.absurd_length = absurd && has_own_length(&types[i], &values[i]);
        absurd = absurd && !format.absurd_length;
        if (!tds_value_write(buffer, &types[i], &values[i], &format)) {
            *ret_bad = i;
            return false;
        }
    }
    return true;
}

void
tds_put_return_status(struct tds_buffer *buffer, int32_t status)
{
    tds_put_u8(buffer, TDS_TOKEN_RETURNSTATUS);
    tds_put_u32(buffer, (uint32_t)status);
}

bool
tds_put_return_value(struct tds_buffer *buffer, size_t ordinal, const struct sql_column *column,
                     const struct sql_value *value)
{
    const struct tds_type type = tds_type_of(&column->type, true);
    const struct tds_row_format format = {0};
    tds_put_u8(buffer, TDS_TOKEN_RETURNVALUE);
    tds_put_u16(buffer, (unsigned)(ordinal & 0xFFFF));
    put_name(buffer, column);
    tds_put_u8(buffer, 1); /* an output parameter */
    tds_put_u32(buffer, 0);
    tds_put_u16(buffer, FLAG_NULLABLE);
    tds_type_write(buffer, &type, TDS_IN_PARAMETER);
    return tds_value_write(buffer, &type, value, &format);
}
