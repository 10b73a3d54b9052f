/**
 * libarchive, loaded when a tar file is made: with the eleven libraries that it brings along,
 * linking it took a third of the start of every command. The program's note .note.dlopen names it.
 */
#ifndef BACKUP_TAR_LIBRARY_H
#define BACKUP_TAR_LIBRARY_H

#include "base/err.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>

/** What is called of it. */
#define TAR_FUNCTIONS(X)                                                                           \
    X(archive_write_new)                                                                           \
    X(archive_write_set_format_ustar)                                                              \
    X(archive_write_open)                                                                          \
    X(archive_write_header)                                                                        \
    X(archive_write_data)                                                                          \
    X(archive_write_close)                                                                         \
    X(archive_write_fail)                                                                          \
    X(archive_write_free)                                                                          \
    X(archive_error_string)                                                                        \
    X(archive_set_error)                                                                           \
    X(archive_entry_new)                                                                           \
    X(archive_entry_free)                                                                          \
    X(archive_entry_set_pathname)                                                                  \
    X(archive_entry_set_size)                                                                      \
    X(archive_entry_set_filetype)                                                                  \
    X(archive_entry_set_perm)                                                                      \
    X(archive_entry_set_mtime)

/** The functions under their own names: library.archive_write_new(). */
struct tar_library {
    void *handle;
#define TAR_MEMBER(name) __typeof__(&(name)) name; /* NOLINT(bugprone-macro-parentheses) */
    TAR_FUNCTIONS(TAR_MEMBER)
#undef TAR_MEMBER
};

/** Name of the file, as the program was built for it: "libarchive.so.13". */
extern const char tar_library_file[];

/**
 * Load it. ERR_STORAGE: it is not installed, or is another one.
 *
 * @param file  tar_library_file
 * @param ret   tar_library_unload gives it back
 * @param err   filled on failure
 */
MUST_CHECK bool tar_library_load(const char *file, struct tar_library *ret, struct err *err);
void tar_library_unload(struct tar_library *library);

#endif
