#include "tds/prepared.h"

#include <stdlib.h>
#include <string.h>

enum { STATEMENTS_MAX = 1000 };

static unsigned char *
copy(const unsigned char *bytes, size_t count)
{
    unsigned char *copied = malloc(count + 1);
    if (copied != NULL && count > 0)
        memcpy(copied, bytes, count);
    return copied;
}

static void
free_statement(struct tds_statement *statement)
{
    free(statement->sql);
    free(statement->declarations);
    free(statement);
}

int32_t
tds_prepared_add(struct tds_prepared *prepared, const struct tds_statement *sizes,
                 const unsigned char *sql, const unsigned char *declarations)
{
    if (prepared->count >= STATEMENTS_MAX || prepared->last_handle == INT32_MAX)
        return 0;
    struct tds_statement *statement = calloc(1, sizeof *statement);
    if (statement == NULL)
        return 0;
    *statement = *sizes;
    statement->sql = copy(sql, sizes->sql_bytes);
    statement->declarations = copy(declarations, sizes->declarations_bytes);
    if (statement->sql == NULL || statement->declarations == NULL) {
        free_statement(statement);
        return 0;
    }
    statement->handle = ++prepared->last_handle;
    statement->next = prepared->first;
    prepared->first = statement;
    prepared->count++;
    return statement->handle;
}

const struct tds_statement *
tds_prepared_find(const struct tds_prepared *prepared, int32_t handle)
{
    const struct tds_statement *at = prepared->first;
    while (at != NULL && at->handle != handle)
        at = at->next;
    return at;
}

bool
tds_prepared_remove(struct tds_prepared *prepared, int32_t handle)
{
    for (struct tds_statement **at = &prepared->first; *at != NULL; at = &(*at)->next) {
        struct tds_statement *found = *at;
        if (found->handle != handle)
            continue;
        *at = found->next;
        free_statement(found);
        prepared->count--;
        return true;
    }
    return false;
}

void
tds_prepared_clear(struct tds_prepared *prepared)
{
    while (prepared->first != NULL)
        (void)tds_prepared_remove(prepared, prepared->first->handle);
}
