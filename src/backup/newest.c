#include "newest.h"

#include <string.h>

void
backups_done(struct backups *backups)
{
    while (backups->count > 0)
        backup_reader_free(backups->list[--backups->count]);
}

void
newest_done(struct newest *newest)
{
    for (size_t i = 0; i < newest->count; i++)
        backup_cursor_free(newest->parts[i].cursor);
    newest->count = 0;
}

/* Read on in each part whose row has been given out. */
static bool
fill(struct newest *newest, struct err *err)
{
    for (size_t i = 0; i < newest->count; i++) {
        struct newest_part *part = &newest->parts[i];
        bool end = false;

        if (!part->cursor || !part->taken)
            continue;
        if (!backup_cursor_next(part->cursor, &part->row, &end, err))
            return false;
        part->taken = false;
        if (!end)
            continue;
        backup_cursor_free(part->cursor);
        part->cursor = NULL;
    }
    return true;
}

bool
newest_begin(struct newest *ret, const struct backups *backups, enum table table, const char *path,
             struct err *err)
{
    *ret = (struct newest){.path = path, .table = table};
    for (size_t i = 0; i < backups->count; i++) {
        struct newest_part *part = &ret->parts[ret->count];

        if (i > 0 && !backup_reader_schema(backups->list[i], table))
            continue;
        if (!backup_cursor_open(backups->list[i], table, &part->cursor, err))
            return false;
        part->taken = true;
        ret->count++;
    }
    return true;
}

/* The part with the smallest key, the newest of those that share it; NULL at the end. */
static struct newest_part *
choose(struct newest *newest)
{
    struct newest_part *chosen = NULL;

    for (size_t i = 0; i < newest->count; i++) {
        struct newest_part *part = &newest->parts[i];

        if (part->cursor &&
            (!chosen || row_key_compare(newest->table, part->row.id.key, chosen->row.id.key) <= 0))
            chosen = part;
    }
    return chosen;
}

static bool
check_order(struct newest *newest, const char *key, struct err *err)
{
    const int order = newest->begun ? row_key_compare(newest->table, newest->key, key) : -1;

    /* rows that share a key, possible without a unique index, stand in the first backup alone */
    if (order > 0 || (order == 0 && newest->count > 1))
        return err_set(err, ERR_STORAGE, "the backup in %s is out of order: %s of %s after %s",
                       newest->path, key, table_name(newest->table), newest->key);
    newest->begun = true;
    memmove(newest->key, key, strlen(key) + 1);
    return true;
}

bool
newest_next(struct newest *newest, struct row *ret, bool *ret_end, struct err *err)
{
    const struct newest_part *first = &newest->parts[0];
    const struct newest_part *chosen;
    const char *key;

    if (!fill(newest, err))
        return false;
    chosen = choose(newest);
    *ret_end = !chosen;
    if (!chosen)
        return true;
    key = chosen->row.id.key;
    if (!first->cursor || strcmp(first->row.id.key, key) != 0)
        return err_set(err, ERR_STORAGE, "%s: %s was backed up again, but not before", newest->path,
                       key);
    if (!check_order(newest, key, err))
        return false;
    *ret = chosen->row;
    for (size_t i = 0; i < newest->count; i++) {
        struct newest_part *part = &newest->parts[i];

        part->taken = part->cursor && strcmp(part->row.id.key, newest->key) == 0;
    }
    return true;
}
