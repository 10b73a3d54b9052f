#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

bool
secret_set(struct secret *ret, const char *bytes, size_t size, struct err *err)
{
    char *copy = malloc(size + 1);

    if (!copy)
        return err_set(err, ERR_INTERNAL, "out of memory");
    memcpy(copy, bytes, size);
    copy[size] = '\0';
    secret_wipe(ret);
    *ret = (struct secret){.bytes = copy, .size = size};
    return true;
}

bool
secret_copy(struct secret *ret, const struct secret *from, struct err *err)
{
    return secret_set(ret, secret_reveal(from), from->size, err);
}

bool
secret_is_set(const struct secret *secret)
{
    return secret->bytes;
}

const char *
secret_reveal(const struct secret *secret)
{
    return secret->bytes ? secret->bytes : "";
}

void
secret_wipe(struct secret *secret)
{
    if (secret->bytes)
        explicit_bzero(secret->bytes, secret->size);
    free(secret->bytes);
    *secret = (struct secret){0};
}

void
secret_clear_memory(void *bytes, size_t size)
{
    explicit_bzero(bytes, size);
}
