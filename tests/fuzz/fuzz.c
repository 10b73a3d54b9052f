#include "fuzz.h"

#include "base/err.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
fuzz_broken(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

uint8_t
fuzz_byte(struct fuzz_input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

static char *
string_of(const uint8_t *bytes, size_t size)
{
    const uint8_t *end = size ? memchr(bytes, 0, size) : NULL;
    const size_t length = end ? (size_t)(end - bytes) : size;
    char *string = malloc(length + 1);
    FUZZ_MUST(string);
    if (length)
        memcpy(string, bytes, length);
    string[length] = '\0';
    return string;
}

char *
fuzz_line(struct fuzz_input *input)
{
    const uint8_t *end = input->left ? memchr(input->at, '\n', input->left) : NULL;
    const size_t size = end ? (size_t)(end - input->at) : input->left;
    char *line = string_of(input->at, size);
    input->at += size + (end ? 1 : 0);
    input->left -= size + (end ? 1 : 0);
    return line;
}

char *
fuzz_rest(struct fuzz_input *input)
{
    char *rest = string_of(input->at, input->left);
    input->at += input->left;
    input->left = 0;
    return rest;
}

uint8_t *
fuzz_bytes(struct fuzz_input *input, size_t *ret_size)
{
    uint8_t *bytes = malloc(input->left ? input->left : 1);
    FUZZ_MUST(bytes);
    if (input->left)
        memcpy(bytes, input->at, input->left);
    *ret_size = input->left;
    input->at += input->left;
    input->left = 0;
    return bytes;
}

/** Put `count` bytes in at `at`. */
static void
put_in(uint8_t **bytes, size_t *size, size_t at, const uint8_t *what, size_t count)
{
    uint8_t *longer = malloc(*size + count + 1);
    FUZZ_MUST(longer);
    memcpy(longer, *bytes, at);
    memcpy(longer + at, what, count);
    memcpy(longer + at + count, *bytes + at, *size - at);
    free(*bytes);
    *bytes = longer;
    *size += count;
}

static void
cut_out(uint8_t *bytes, size_t *size, size_t at, size_t count)
{
    count = count < *size - at ? count : *size - at;
    memmove(bytes + at, bytes + at + count, *size - at - count);
    *size -= count;
}

/** `from` and `count` lie in the bytes; the copy goes to `at`. */
static void
copy_within(uint8_t **bytes, size_t *size, size_t from, size_t count, size_t at)
{
    uint8_t piece[256];
    count = count < *size - from ? count : *size - from;
    memcpy(piece, *bytes + from, count);
    put_in(bytes, size, at, piece, count);
}

void
fuzz_damage(struct fuzz_input *input, uint8_t **bytes, size_t *size)
{
    while (input->left >= 6) {
        const uint8_t what = fuzz_byte(input), amount = fuzz_byte(input);
        const size_t at = ((size_t)fuzz_byte(input) << 8 | fuzz_byte(input)) % (*size + 1);
        const size_t to = ((size_t)fuzz_byte(input) << 8 | fuzz_byte(input)) % (*size + 1);
        if (what % 5 == 0 && at < *size)
            (*bytes)[at] ^= amount;
        else if (what % 5 == 1)
            cut_out(*bytes, size, at, amount);
        else if (what % 5 == 2)
            put_in(bytes, size, at, &amount, 1);
        else if (what % 5 == 3)
            copy_within(bytes, size, at, amount, to);
        else if (what % 5 == 4)
            cut_out(*bytes, size, at, *size);
    }
}

static char scratch[64];
static pid_t scratch_owner;

static int
remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

static void
remove_scratch(void)
{
    if (getpid() == scratch_owner)
        /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
        (void)nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

const char *
fuzz_directory(void)
{
    if (!scratch[0]) {
        /* in memory where there is such a place: a million small files otherwise wear a disk */
        (void)snprintf(scratch, sizeof(scratch), "%s/dwclean-fuzz-XXXXXX",
                       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        FUZZ_MUST(mkdtemp(scratch));
        scratch_owner = getpid();
        FUZZ_MUST(atexit(remove_scratch) == 0);
    }
    return scratch;
}

const char *
fuzz_path(const char *name)
{
    static char paths[8][PATH_MAX];
    static size_t turn;
    char *path = paths[turn++ % 8];
    FUZZ_MUST(snprintf(path, PATH_MAX, "%s/%s", fuzz_directory(), name) < PATH_MAX);
    return path;
}

void
fuzz_write(const char *path, const void *bytes, size_t size)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_MUST(fd >= 0);
    for (const char *at = bytes; size > 0;) {
        const ssize_t wrote = write(fd, at, size);
        FUZZ_MUST(wrote > 0);
        at += wrote;
        size -= (size_t)wrote;
    }
    FUZZ_MUST(close(fd) == 0);
}

void
fuzz_make_directory(const char *path)
{
    FUZZ_MUST(mkdir(path, 0700) == 0);
}

char *
fuzz_read(const char *path, size_t *ret_size)
{
    struct stat status;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    FUZZ_MUST(fd >= 0 && fstat(fd, &status) == 0);
    const size_t size = (size_t)status.st_size;
    char *bytes = malloc(size + 1);
    FUZZ_MUST(bytes);
    for (size_t used = 0; used < size;) {
        const ssize_t got = read(fd, bytes + used, size - used);
        FUZZ_MUST(got > 0);
        used += (size_t)got;
    }
    bytes[size] = '\0';
    (void)close(fd);
    *ret_size = size;
    return bytes;
}

void
fuzz_must_say(const struct err *err)
{
    FUZZ_MUST(err->code != ERR_NONE && err->code < ERR_CODES);
    FUZZ_MUST(err->primary[0]);
    FUZZ_MUST(memchr(err->primary, 0, sizeof(err->primary)));
    FUZZ_MUST(memchr(err->detail, 0, sizeof(err->detail)));
    FUZZ_MUST(memchr(err->hint, 0, sizeof(err->hint)));
}
