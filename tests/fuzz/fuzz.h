/**
 * What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput; what must hold of
 * any input is a FUZZ_MUST in it, so that a wrong answer is found like a crash.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Called by libFuzzer, or by replay.c for the files of the corpus. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Ends the process with the place when it does not hold: libFuzzer keeps the input. */
#define FUZZ_MUST(condition) ((condition) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #condition))
void fuzz_broken(const char *file, int line, const char *what) __attribute__((noreturn));

/** What is left of an input. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

/** The next byte; 0 at the end. */
uint8_t fuzz_byte(struct fuzz_input *input);

/** The next line without its end, or all that is left, as a string: cut at a byte 0. The caller
 * frees. */
char *fuzz_line(struct fuzz_input *input);

/** The same of all that is left. The block is exactly as long as the string. */
char *fuzz_rest(struct fuzz_input *input);

/** All that is left, in a block of exactly its size, and its size. The caller frees. */
uint8_t *fuzz_bytes(struct fuzz_input *input, size_t *ret_size);

/**
 * Damage as the rest of the input says: 6 bytes each name what is done (a bit turned, bytes cut
 * out, put in, copied elsewhere, or the end cut off), where, and how much. `bytes` is malloc'd.
 *
 * @param input  taken to its end
 * @param bytes  replaced
 * @param size   of it
 */
void fuzz_damage(struct fuzz_input *input, uint8_t **bytes, size_t *size);

/** A scratch directory of this process, removed at its end. */
const char *fuzz_directory(void);

/** "directory/name" of the scratch directory; valid until the next but seven. */
const char *fuzz_path(const char *name);

/** Create or replace a file there, mode 0600. */
void fuzz_write(const char *path, const void *bytes, size_t size);

/** Make a directory there, mode 0700. */
void fuzz_make_directory(const char *path);

/** A whole file, a NUL behind it. The caller frees. */
char *fuzz_read(const char *path, size_t *ret_size);

/** Every fault of dwclean must say what it is: fails on an err that was filled without a code or a
 * text. */
struct err;
void fuzz_must_say(const struct err *err);

#endif
