/** Names and texts in a script that tools and people read: printable ASCII, nothing that acts. */
#ifndef MSSQL_SCRIPT_TEXT_H
#define MSSQL_SCRIPT_TEXT_H

#include "base/text.h"

/**
 * Append a name from a server to a line of comment. It cannot end the line or a comment around it,
 * and says nothing to sqlcmd, which reads $( in comments too. Long ones are cut.
 */
void script_append_name(struct text *out, const char *name);

/** The same inside quotes: each ' is doubled. */
void script_append_quoted_name(struct text *out, const char *name);

/** Append the UTF-16LE bytes of well-formed UTF-8, as hexadecimal digits behind 0x. */
void script_append_utf16_hex(struct text *out, const char *utf8);

/** Append a name as a value to compare with: N'...', or its bytes where a tool could misread it. */
void script_append_name_value(struct text *out, const char *name);

#endif
