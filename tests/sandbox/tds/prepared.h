/** The prepared statements of one connection: text and declarations under a number. */
#ifndef SANDBOX_TDS_PREPARED_H
#define SANDBOX_TDS_PREPARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tds_statement {
    struct tds_statement *next;
    int32_t handle;
    unsigned char *sql, *declarations; /* UTF-16LE, owned */
    size_t sql_bytes, declarations_bytes;
};

struct tds_prepared {
    struct tds_statement *first;
    size_t count;
    int32_t last_handle;
};

/** Copies both texts, whose lengths `sizes` says; 0 when there are too many or memory is short. */
int32_t tds_prepared_add(struct tds_prepared *prepared, const struct tds_statement *sizes,
                         const unsigned char *sql, const unsigned char *declarations);
const struct tds_statement *tds_prepared_find(const struct tds_prepared *prepared, int32_t handle);
bool tds_prepared_remove(struct tds_prepared *prepared, int32_t handle);
void tds_prepared_clear(struct tds_prepared *prepared);

#endif
