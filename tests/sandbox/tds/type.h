/** How a SQL type is described on the wire, TYPE_INFO of [MS-TDS] 2.2.5.4 to 2.2.5.6, both ways. */
#ifndef SANDBOX_TDS_TYPE_H
#define SANDBOX_TDS_TYPE_H

#include "tds/bytes.h"
#include "tsql/engine.h"

#include <stdbool.h>
#include <stdint.h>

/* Windows locale 0x0409, sort id 0x34: SQL_Latin1_General_CP1_CI_AS. */
extern const unsigned char tds_collation[5];

enum tds_shape {
    TDS_SHAPE_FIXED,   /* always there, always as wide */
    TDS_SHAPE_BYTE,    /* u8 length, 0 = NULL */
    TDS_SHAPE_SHORT,   /* u16 length, 0xFFFF = NULL */
    TDS_SHAPE_LONG,    /* text, ntext, image */
    TDS_SHAPE_CHUNKS,  /* the (max) types and xml: "PLP" */
    TDS_SHAPE_VARIANT, /* u32 length, 0 = NULL */
};

/** Where a description or value stands: the old large types differ. */
enum tds_place {
    TDS_IN_RESULT,    /* COLMETADATA and ROW that a server sends */
    TDS_IN_PARAMETER, /* RPC parameters */
    TDS_IN_BULK,      /* COLMETADATA and ROW that a client sends for a bulk load */
};

struct tds_type {
    uint8_t token;
    enum tds_shape shape;
    uint32_t width; /* bytes: fixed and byte-length types; decimal with its sign */
    struct sql_typeinfo info;
};

/** How this server sends `info`; `variable` asks for a form that can be NULL even if it may not be.
 */
struct tds_type tds_type_of(const struct sql_typeinfo *info, bool variable);

/** False for a type that is not known or a description that makes no sense. */
bool tds_type_read(struct tds_reader *reader, enum tds_place place, struct tds_type *ret);

void tds_type_write(struct tds_buffer *buffer, const struct tds_type *type, enum tds_place place);

/** Bytes of a time of this scale, without date: 3, 4 or 5. */
uint32_t tds_time_bytes(uint8_t scale);
/** Bytes of a decimal of this precision with its sign: 5, 9, 13 or 17. */
uint32_t tds_decimal_bytes(uint8_t precision);

#endif
