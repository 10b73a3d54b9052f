#include "backup/backup_key.h"

#include <sodium.h>
#include <string.h>

_Static_assert(BACKUP_KEY_BYTES == crypto_secretstream_xchacha20poly1305_KEYBYTES, "size of a key");

enum { ID_BYTES = crypto_generichash_BYTES_MIN };

static bool
decode(const char *text, size_t size, unsigned char ret[BACKUP_KEY_BYTES])
{
    size_t got = 0;
    const char *end = NULL;

    if (size == (size_t)2 * BACKUP_KEY_BYTES)
        return sodium_hex2bin(ret, BACKUP_KEY_BYTES, text, size, NULL, &got, &end) == 0 &&
               got == BACKUP_KEY_BYTES && end == text + size;
    return sodium_base642bin(ret, BACKUP_KEY_BYTES, text, size, NULL, &got, &end,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           got == BACKUP_KEY_BYTES && end == text + size;
}

/** A hash with a name of its own: it is on record beside every backup. */
static void
name_key(const unsigned char key[BACKUP_KEY_BYTES], char ret[BACKUP_KEY_ID_BYTES])
{
    static const unsigned char label[] = "dwclean-backup-key-id";
    unsigned char hash[ID_BYTES];

    (void)crypto_generichash(hash, sizeof(hash), label, sizeof(label) - 1, key, BACKUP_KEY_BYTES);
    (void)sodium_bin2hex(ret, BACKUP_KEY_ID_BYTES, hash, (BACKUP_KEY_ID_BYTES - 1) / 2);
}

bool
backup_key_parse(const struct secret *text, struct backup_key *ret, struct err *err)
{
    struct backup_key key = {0};
    unsigned char bytes[BACKUP_KEY_BYTES];

    if (sodium_init() < 0)
        return err_set(err, ERR_INTERNAL, "libsodium could not be started");
    bool done = decode(secret_reveal(text), text->size, bytes);
    if (!done) {
        (void)err_set(err, ERR_CONFIG, "the backup key is not a key");
        (void)err_hint(err, "A key is 64 hex digits or base64 of 32 bytes, on one line: openssl "
                            "rand -hex 32. Keep it where the backups are not.");
    } else {
        name_key(bytes, key.id);
        done = secret_set(&key.bytes, (const char *)bytes, sizeof(bytes), err);
    }
    secret_clear_memory(bytes, sizeof(bytes));
    if (done)
        *ret = key;
    return done;
}

void
backup_key_done(struct backup_key *key)
{
    secret_wipe(&key->bytes);
    *key = (struct backup_key){0};
}

const char *
backup_key_library(void)
{
    return sodium_version_string();
}
