/**
 * Passwords and tokens. A secret is never formatted (there is no printf form), never copied but by
 * secret_copy, and wiped when it is released. Only the adapters that sign in look inside.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/err.h"

#include <stddef.h>

struct secret {
    char *bytes; /* NUL-terminated; private: use secret_reveal */
    size_t size;
};

/** `struct secret` that wipes itself at the end of its scope: SECRET_SCOPED s = {0}; */
#define SECRET_SCOPED __attribute__((cleanup(secret_wipe))) struct secret

/** Take a copy of `size` bytes. ERR_INTERNAL when out of memory. The caller wipes its own copy. */
MUST_CHECK bool secret_set(struct secret *ret, const char *bytes, size_t size, struct err *err);
MUST_CHECK bool secret_copy(struct secret *ret, const struct secret *from, struct err *err);
bool secret_is_set(const struct secret *secret);

/** The text, for the call that signs in; borrowed. */
const char *secret_reveal(const struct secret *secret);
void secret_wipe(struct secret *secret);

/** Overwrite memory that held a secret, in a way that is not optimised away. */
void secret_clear_memory(void *bytes, size_t size);

#endif
