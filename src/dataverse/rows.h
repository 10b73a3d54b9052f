/**
 * The bytes of a page of rows: where each row lies, uncopied and unconverted. A general JSON reader
 * would turn 64-bit numbers into doubles and rewrite escapes; a backup keeps the service's own
 * bytes. The scanner accepts JSON as RFC 8259 has it and nothing else.
 */
#ifndef DATAVERSE_ROWS_H
#define DATAVERSE_ROWS_H

#include "base/err.h"
#include "base/slice.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum { ROWS_DEPTH_MAX = 64 };

struct rows_members;

/** Who takes the rows of a page while it is read, each by walking its members to the last. */
struct rows_taker {
    void *ctx;
    bool (*take)(void *ctx, struct rows_members *members, struct err *err);
};

/** A page: {"value":[...], "@odata.nextLink":"..."}. Slices point into it. */
struct rows_page {
    struct slice value;     /* the array, brackets included */
    struct slice next_link; /* the string, quotes included; size 0 when there is none */
};

/**
 * False when the text is not one JSON object with an array "value", of rows if there is a `taker`;
 * `*ret_why` (static) says why. NULL there: the taker failed, and filled `err`. Rows that were
 * given away are worth nothing then: what is behind them was not looked at yet.
 */
MUST_CHECK bool rows_page_read(struct slice text, const struct rows_taker *taker,
                               struct rows_page *ret, const char **ret_why, struct err *err);

/** Walks the objects of an array that rows_page_read accepted. */
struct rows_cursor {
    struct slice rest;
    bool started;
};

struct rows_cursor rows_begin(struct slice value);

enum rows_step { ROWS_ROW, ROWS_END, ROWS_BROKEN /* an element is not an object */ };
enum rows_step rows_next(struct rows_cursor *cursor, struct slice *ret_row);

/** The value of a member at the top level of an object (as text, quotes included); size 0 when it
 * is not there. `*ret_twice` is set when it is there more than once. */
struct slice rows_member(struct slice object, const char *name, bool *ret_twice);

/** Is the whole text one well-formed JSON object? */
bool rows_is_object(struct slice text);

/** Walks the members of an object, in its order. */
struct rows_members {
    struct slice rest; /* may reach beyond the object */
    unsigned depth;    /* of its values */
    bool started, ended;
    bool unusual; /* a member held what JSON allows and cJSON may not take: half of a surrogate
                     pair, a number of more than 63 digits */
    bool wide;    /* a member may hold bytes above ASCII; if not, it is UTF-8 */
};

struct rows_member {
    struct slice name;  /* without its quotes, escapes as they are */
    struct slice value; /* as text, quotes included */
    struct slice whole; /* from the name's quote to the end of the value */
};

struct rows_members rows_members_begin(struct slice object);
bool rows_members_next(struct rows_members *members, struct rows_member *ret);

/** After the last member: did the object end there? Moves `rest` behind it. */
MUST_CHECK bool rows_members_end(struct rows_members *members);

/** Is this the member's name? Plain ASCII names only. */
static inline bool
rows_is_named(const struct rows_member *member, const char *name)
{
    return slice_equal(member->name, slice_of_string(name));
}

/**
 * Does a JSON text have an escape for U+0000? cJSON decodes it to a byte that ends the string
 * early.
 */
bool rows_hold_nul(struct slice text);

/** Decode a JSON string (quotes included) into `ret`; false when it is none, is longer than
 * `ret_size` - 1 bytes, or holds U+0000. */
MUST_CHECK bool rows_string(struct slice text, char *ret, size_t ret_size);

#endif
