/**
 * libsmartcols, loaded for reports in text (base/library.h). To be included in place of
 * <libsmartcols.h>.
 */
#ifndef REPORT_COLUMNS_LIBRARY_H
#define REPORT_COLUMNS_LIBRARY_H

#include "base/library.h"

#include <libsmartcols.h>

/** What is called of it. */
#define COLUMNS_FUNCTIONS(X)                                                                       \
    X(scols_get_library_version)                                                                   \
    X(scols_line_set_data)                                                                         \
    X(scols_new_table)                                                                             \
    X(scols_print_table_to_string)                                                                 \
    X(scols_table_enable_noencoding)                                                               \
    X(scols_table_new_column)                                                                      \
    X(scols_table_new_line)                                                                        \
    X(scols_table_set_column_separator)                                                            \
    X(scols_table_set_termforce)                                                                   \
    X(scols_table_set_termwidth)                                                                   \
    X(scols_unref_table)

struct columns_functions {
/* NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define COLUMNS_MEMBER(name) __typeof__(&(name)) p_##name;
    COLUMNS_FUNCTIONS(COLUMNS_MEMBER)
#undef COLUMNS_MEMBER
};

/** The library; its functions, once it is loaded. */
extern struct library columns_library;
extern struct columns_functions columns_functions;

/** The functions; the library is loaded for the first call. */
static inline const struct columns_functions *
columns_use(void)
{
    library_use(&columns_library);
    return &columns_functions;
}

/* clang-format off */
#define scols_get_library_version columns_use()->p_scols_get_library_version
#define scols_line_set_data columns_use()->p_scols_line_set_data
#define scols_new_table columns_use()->p_scols_new_table
#define scols_print_table_to_string columns_use()->p_scols_print_table_to_string
#define scols_table_enable_noencoding columns_use()->p_scols_table_enable_noencoding
#define scols_table_new_column columns_use()->p_scols_table_new_column
#define scols_table_new_line columns_use()->p_scols_table_new_line
#define scols_table_set_column_separator columns_use()->p_scols_table_set_column_separator
#define scols_table_set_termforce columns_use()->p_scols_table_set_termforce
#define scols_table_set_termwidth columns_use()->p_scols_table_set_termwidth
#define scols_unref_table columns_use()->p_scols_unref_table
/* clang-format on */

#endif
