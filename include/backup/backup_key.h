/**
 * The key that the rows of a backup are encrypted with: 32 bytes which the operator keeps, never in
 * the run directory. Whoever loses it loses the backup.
 */
#ifndef BACKUP_BACKUP_KEY_H
#define BACKUP_BACKUP_KEY_H

#include "base/err.h"
#include "base/secret.h"

enum { BACKUP_KEY_BYTES = 32, BACKUP_KEY_ID_BYTES = 17 };

/** Zeroed at first. */
struct backup_key {
    struct secret bytes;
    char id[BACKUP_KEY_ID_BYTES]; /* 16 hex digits, of a hash: tells keys apart, betrays none */
};

/**
 * Read the text of a key: 64 hex digits, or base64 of 32 bytes, as `openssl rand -hex 32` and
 * `openssl rand -base64 32` write them. ERR_CONFIG, without a word of the text.
 *
 * @param text  the text, no line end
 * @param ret   backup_key_done wipes it
 * @param err   filled on failure
 */
MUST_CHECK bool backup_key_parse(const struct secret *text, struct backup_key *ret,
                                 struct err *err);
void backup_key_done(struct backup_key *key);

/** Version of the library that encrypts, "1.0.18". */
const char *backup_key_library(void);

#endif
