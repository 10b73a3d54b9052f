/** Writes JSON into a text, indented or in one line. Faults show in the text (text_ok), not here.
 */
#ifndef REPORT_JSON_WRITER_H
#define REPORT_JSON_WRITER_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct json_writer {
    struct text *out;
    unsigned depth;
    bool follows; /* a member or item stands before the next one at this depth */
    bool line;    /* no line breaks, and ASCII alone: nothing that a reader takes for the end */
};

/** `name` NULL = an item of an array, or the document itself. `bracket` is '{' or '['. */
void json_open(struct json_writer *json, const char *name, char bracket);
void json_close(struct json_writer *json, char bracket);
void json_string(struct json_writer *json, const char *name, const char *value); /* NULL = null */
void json_bool(struct json_writer *json, const char *name, bool value);
/** A value that is JSON already. */
void json_verbatim(struct json_writer *json, const char *name, const char *value, size_t size);
void json_null(struct json_writer *json, const char *name);
/** A 64-bit number, as a string: other languages' numbers have 53 bits. */
void json_i64(struct json_writer *json, const char *name, int64_t value);
/** The same; a negative number means "not known" and becomes null. */
void json_count(struct json_writer *json, const char *name, int64_t value);
/** A small number, as a number. */
void json_int(struct json_writer *json, const char *name, int value);
/** Milliseconds as seconds with three decimals, a number. */
void json_seconds(struct json_writer *json, const char *name, int64_t ms);
/** Milliseconds since 1970 as ISO 8601; 0 becomes null. */
void json_time(struct json_writer *json, const char *name, int64_t utc_ms);

/** End a document: the line break, and ready for another one. */
void json_end(struct json_writer *json);

#endif
