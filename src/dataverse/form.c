#include "form.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/** Percent-encode; returns where it ends. The caller has made room for 3 bytes a byte. */
static char *
put_encoded(char *at, const char *value)
{
    static const char digits[] = "0123456789ABCDEF";

    for (const unsigned char *byte = (const unsigned char *)value; *byte; byte++) {
        if (isalnum(*byte) || strchr("-._~", *byte)) {
            *at++ = (char)*byte;
        } else {
            *at++ = '%';
            *at++ = digits[*byte >> 4];
            *at++ = digits[*byte & 15];
        }
    }
    return at;
}

bool
form_write(const struct form_field *fields, size_t count, struct secret *ret, struct err *err)
{
    size_t capacity = 1;
    char *form;
    char *end;
    bool done;

    for (size_t i = 0; i < count; i++)
        if (fields[i].value)
            capacity += strlen(fields[i].name) + 3 * strlen(fields[i].value) + 2;
    form = calloc(1, capacity);
    if (!form)
        return err_set(err, ERR_INTERNAL, "out of memory");
    end = form;
    for (size_t i = 0; i < count; i++) {
        if (!fields[i].value)
            continue;
        if (end != form)
            *end++ = '&';
        end = stpcpy(end, fields[i].name);
        *end++ = '=';
        end = put_encoded(end, fields[i].value);
    }
    done = secret_set(ret, form, (size_t)(end - form), err);
    secret_clear_memory(form, capacity);
    free(form);
    return done;
}
