#include "batch_body.h"

#include "identifier.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 256, ROOT_MAX_BYTES = 512 };

/** One to `max` letters and digits of ASCII, and characters of `others`. */
static bool
is_made_of(const char *text, const char *others, size_t max)
{
    size_t size = 0;

    for (; text[size]; size++)
        if (size == max || !isascii((unsigned char)text[size]) ||
            (!isalnum((unsigned char)text[size]) && !strchr(others, text[size])))
            return false;
    return size > 0;
}

static bool
is_given(const char *text)
{
    return text && text[0];
}

static bool
has_document(enum batch_method method)
{
    return method == BATCH_PATCH || method == BATCH_POST;
}

void
batch_content_type(const struct batch_form *form, char *ret)
{
    const char *quote = form->quoted ? "\"" : "";

    assert(strlen(form->boundary) <= BATCH_BOUNDARY_MAX);
    (void)snprintf(ret, BATCH_TYPE_BYTES, "multipart/mixed; boundary=%s%s%s", quote, form->boundary,
                   quote);
}

/** Faults of the program, not of what a server said. */
static bool
check_form(const struct batch_form *form, size_t count, struct err *err)
{
    if (!is_made_of(form->boundary, "_-", BATCH_BOUNDARY_MAX))
        return err_set(err, ERR_INTERNAL, "a batch has a boundary that cannot be sent");
    if (form->root[0] && !is_made_of(form->root, "/:._-[]", ROOT_MAX_BYTES))
        return err_set(err, ERR_INTERNAL, "a batch has a root that cannot be sent");
    if (count == 0 || count > BATCH_OPERATIONS_MAX)
        return err_set(err, ERR_INTERNAL, "a batch of %zu operations", count);
    return true;
}

static bool
check_target(const struct batch_operation *operation, size_t number, struct err *err)
{
    const bool keyed = operation->method != BATCH_POST;

    if (!is_made_of(operation->set, "_.", NAME_MAX_BYTES))
        return err_set(err, ERR_INTERNAL, "operation %zu of a batch has no set", number);
    if (keyed != is_given(operation->key))
        return err_set(err, ERR_INTERNAL, "operation %zu of a batch has %s", number,
                       keyed ? "no key" : "a key and creates one");
    if (keyed && !is_made_of(operation->key, "_-", NAME_MAX_BYTES))
        return err_set(err, ERR_SCHEMA, "row %zu of a batch has a key that cannot be sent", number);
    if (!is_given(operation->select))
        return true;
    if (operation->method != BATCH_GET || !is_made_of(operation->select, "_", NAME_MAX_BYTES))
        return err_set(err, ERR_INTERNAL, "operation %zu of a batch selects no column", number);
    return true;
}

/** Conditions and the document: a boundary inside it would end its part. */
static bool
check_content(const struct batch_form *form, const struct batch_operation *operation, size_t number,
              struct err *err)
{
    const struct slice document = operation->document;

    if (is_given(operation->if_match) && !etag_is_valid(operation->if_match))
        return err_set(err, ERR_SCHEMA, "row %zu of a batch has a version that cannot be sent",
                       number);
    if (operation->only_new && (operation->method != BATCH_PATCH || is_given(operation->if_match)))
        return err_set(err, ERR_INTERNAL, "operation %zu of a batch contradicts itself", number);
    if (has_document(operation->method) != (document.size > 0))
        return err_set(err, ERR_INTERNAL, "operation %zu of a batch has %s document", number,
                       document.size > 0 ? "a" : "no");
    if (document.size > 0 &&
        (memchr(document.data, '\0', document.size) ||
         memmem(document.data, document.size, form->boundary, strlen(form->boundary))))
        return err_set(err, ERR_SCHEMA, "row %zu of a batch has a document that cannot be sent",
                       number);
    return true;
}

static const char *
method_name(enum batch_method method)
{
    switch (method) {
    case BATCH_GET:
        return "GET";
    case BATCH_DELETE:
        return "DELETE";
    case BATCH_PATCH:
        return "PATCH";
    case BATCH_POST:
        return "POST";
    }
    return "";
}

static void
append_three(struct text *ret, const char *before, const char *text, const char *behind)
{
    text_append(ret, before);
    text_append(ret, text);
    text_append(ret, behind);
}

static void
append_operation(const struct batch_form *form, const struct batch_operation *operation,
                 size_t number, struct text *ret)
{
    append_three(ret, "--", form->boundary,
                 "\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n");
    if (form->content_ids)
        text_printf(ret, "Content-ID: %zu\r\n", number);
    append_three(ret, "\r\n", method_name(operation->method), " ");
    append_three(ret, form->root, operation->set, "");
    if (is_given(operation->key))
        append_three(ret, "(", operation->key, ")");
    if (is_given(operation->select))
        append_three(ret, "?$select=", operation->select, "");
    text_append(ret, " HTTP/1.1\r\nAccept: application/json\r\n");
    if (is_given(operation->if_match))
        append_three(ret, "If-Match: ", operation->if_match, "\r\n");
    if (operation->only_new)
        text_append(ret, "If-None-Match: *\r\n");
    if (has_document(operation->method))
        text_append(ret, "Content-Type: application/json\r\n");
    text_append(ret, "\r\n");
    if (operation->document.size > 0)
        text_append_bytes(ret, operation->document.data, operation->document.size);
    text_append(ret, "\r\n");
}

bool
batch_body_write(const struct batch_form *form, const struct batch_operation *operations,
                 size_t count, struct text *ret, struct err *err)
{
    if (!check_form(form, count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!check_target(&operations[i], i + 1, err) ||
            !check_content(form, &operations[i], i + 1, err))
            return false;
    for (size_t i = 0; i < count; i++)
        append_operation(form, &operations[i], i + 1, ret);
    text_printf(ret, "--%s--\r\n", form->boundary);
    return text_ok(ret, err);
}
