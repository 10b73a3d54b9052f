#include "port/row_digest.h"

#include "base/text.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* Behind the name and type of a column: NULL flag and length. */
enum { MARK_BYTES = 9, SHORT_BYTES = 256 };

/** A column's name and type, as they are hashed. */
struct piece {
    size_t column, start, size;
};

struct row_digester {
    struct digest_stream *stream;
    struct text constant; /* the table's name, then every piece */
    size_t head_bytes;
    struct piece *pieces; /* those of the insertable columns first, each part in name order */
    size_t count, insertable;
    enum table table;
    unsigned char *buffer; /* holds a row whose values have SHORT_BYTES at most */
};

static void
put_u64(unsigned char *at, uint64_t number)
{
    const uint64_t turned = htobe64(number);

    memcpy(at, &turned, sizeof turned);
}

/** As digest_add_slice adds it. */
static void
append_slice(struct text *out, const char *string)
{
    unsigned char size[8];

    put_u64(size, strlen(string));
    text_append_bytes(out, size, sizeof size);
    text_append(out, string);
}

/** By name, ASCII without case, then by bytes, then by position. */
static bool
in_order(const struct schema *schema, size_t a, size_t b)
{
    const char *left = schema->columns[a].name;
    const char *right = schema->columns[b].name;
    int compared = text_compare_nocase(left, right);

    if (compared == 0)
        compared = strcmp(left, right);
    return compared < 0 || (compared == 0 && a < b);
}

/** Insert the column among the pieces behind `from`. */
static void
insert_column(struct row_digester *digester, const struct schema *schema, size_t from,
              size_t column)
{
    size_t at = digester->count++;

    for (; at > from && in_order(schema, column, digester->pieces[at - 1].column); at--)
        digester->pieces[at] = digester->pieces[at - 1];
    digester->pieces[at].column = column;
}

static void
order_columns(struct row_digester *digester, const struct schema *schema)
{
    for (size_t i = 0; i < schema->count; i++)
        if (column_insertable(&schema->columns[i]))
            insert_column(digester, schema, 0, i);
    digester->insertable = digester->count;
    for (size_t i = 0; i < schema->count; i++)
        if (!column_insertable(&schema->columns[i]))
            insert_column(digester, schema, digester->insertable, i);
}

static bool
lay_out(struct row_digester *digester, const struct schema *schema)
{
    struct text *constant = &digester->constant;

    order_columns(digester, schema);
    append_slice(constant, table_name(schema->table));
    digester->head_bytes = constant->used;
    for (size_t i = 0; i < digester->count; i++) {
        struct piece *piece = &digester->pieces[i];

        piece->start = constant->used;
        append_slice(constant, schema->columns[piece->column].name);
        append_slice(constant, schema->columns[piece->column].type_name);
        piece->size = constant->used - piece->start;
    }
    digester->buffer = malloc(constant->used + digester->count * (MARK_BYTES + SHORT_BYTES));
    return !constant->broken && digester->buffer;
}

struct row_digester *
row_digester_new(const struct schema *schema)
{
    struct row_digester *digester = calloc(1, sizeof *digester);

    if (!digester)
        return NULL;
    digester->table = schema->table;
    digester->stream = digest_new();
    digester->pieces = calloc(schema->count + 1, sizeof *digester->pieces);
    if (digester->stream && digester->pieces && lay_out(digester, schema))
        return digester;
    row_digester_free(digester);
    return NULL;
}

void
row_digester_free(struct row_digester *digester)
{
    if (!digester)
        return;
    digest_free(digester->stream);
    text_done(&digester->constant);
    free(digester->pieces);
    free(digester->buffer);
    free(digester);
}

/** Over the pieces `from` to before `to`, gathered so that most rows are hashed in one go. */
static struct digest
digest_part(struct row_digester *digester, const struct row *row, size_t from, size_t to)
{
    const char *constant = digester->constant.data;
    unsigned char *buffer = digester->buffer;
    size_t used = digester->head_bytes;

    memcpy(buffer, constant, used);
    for (size_t i = from; i < to; i++) {
        const struct piece *piece = &digester->pieces[i];
        const struct field *field = &row->fields[piece->column];
        const size_t size = field->is_null ? 0 : field->bytes.size;

        memcpy(buffer + used, constant + piece->start, piece->size);
        used += piece->size;
        buffer[used] = field->is_null ? 'N' : 'V';
        put_u64(buffer + used + 1, size);
        used += MARK_BYTES;
        if (size > SHORT_BYTES) {
            digest_add(digester->stream, buffer, used);
            digest_add(digester->stream, field->bytes.data, size);
            used = 0;
        } else if (size > 0) {
            memcpy(buffer + used, field->bytes.data, size);
            used += size;
        }
    }
    digest_add(digester->stream, buffer, used);
    return digest_finish(digester->stream);
}

void
row_digest(struct row_digester *digester, struct row *row)
{
    assert(row->count == digester->count);

    row->id.digest = digest_part(digester, row, 0, digester->insertable);
    if (digester->table == TABLE_RUNTIME)
        return;
    row->id.version[0] = '\0';
    if (digester->insertable < digester->count) {
        const struct digest version =
            digest_part(digester, row, digester->insertable, digester->count);

        digest_hex(&version, row->id.version);
    }
}
