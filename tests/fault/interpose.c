/*
 * A library to preload (LD_PRELOAD) before dwclean: it counts the system calls that matter for a
 * run's safety, and at a chosen one ends the process, lets the call fail, or sends a signal. Never
 * linked into the product. What it obeys:
 *
 *   FAULT_ROOT   files and directories below this path count (a directory, without / at its end)
 *   FAULT_KIND   kinds of call, separated by commas; send, recv, connect = to, from, of an internet
 *                socket; poll = any; malloc = what dwclean's own code allocates (not its libraries)
 *   FAULT_MATCH  only calls whose path holds this text, or whose bytes do (writes)
 *   FAULT_AT     the first call that is acted on, from 1; without it nothing is done
 *   FAULT_TIMES  how many calls in a row (1 without it); 0: all from then on, whatever they match
 *   FAULT_DO     kill-before, kill-after (the call is carried out, but never returns), short,
 *                signal-N (N is sent to the process, then the call is carried out),
 *                end (recv: the other side has closed), or an error by its name (see below)
 *   FAULT_LOG    a line is added here for every call that counts: KIND PATH, and "HIT KIND PATH"
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Straight to the kernel: what another library wraps (a sanitizer does) is neither needed nor
 * harmed. */
static long
kernel(long number, long a, long b, long c, long d)
{
    return syscall(number, a, b, c, d);
}

/* ---- which calls, and what is done to them ---- */

struct order {
    bool read;
    const char *root, *kinds, *match, *action, *log;
    long at, times;
    long counted;
    bool forever; /* begun, and without an end */
};

static struct order order;

static const char *
variable(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody changes the environment */
}

static long
number_of(const char *name, long otherwise)
{
    const char *text = variable(name);

    return text ? strtol(text, NULL, 10) : otherwise;
}

static void
read_order(void)
{
    if (order.read)
        return;
    order.read = true;
    order.root = variable("FAULT_ROOT");
    order.kinds = variable("FAULT_KIND");
    order.match = variable("FAULT_MATCH");
    order.action = variable("FAULT_DO");
    order.log = variable("FAULT_LOG");
    order.at = number_of("FAULT_AT", 0);
    order.times = number_of("FAULT_TIMES", 1);
}

static bool
kind_is_asked(const char *kind)
{
    const size_t size = strlen(kind);

    for (const char *at = order.kinds; at && *at;) {
        const size_t part = strcspn(at, ",");

        if (part == size && strncmp(at, kind, size) == 0)
            return true;
        at += part + (at[part] == ',');
    }
    return false;
}

static bool
below_root(const char *path)
{
    const size_t size = order.root ? strlen(order.root) : 0;

    return size && strncmp(path, order.root, size) == 0 && (!path[size] || path[size] == '/');
}

static void
log_call(const char *front, const char *kind, const char *path)
{
    char line[PATH_MAX + 64];
    const int size = snprintf(line, sizeof line, "%s%s %s\n", front, kind, path);
    long fd;

    if (!order.log || size < 0 || size >= (int)sizeof line)
        return;
    fd = kernel(SYS_openat, AT_FDCWD, (long)order.log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
                0600);
    if (fd < 0)
        return;
    (void)kernel(SYS_write, fd, (long)line, size, 0);
    (void)kernel(SYS_close, fd, 0, 0, 0);
}

/** A call, as this library sees it. */
struct call {
    const char *kind;
    const char *path;  /* "" for a socket, +OFFSET in the program for memory */
    const void *bytes; /* that are written, or NULL */
    size_t size;
};

enum what { PASS, DIE_BEFORE, DIE_AFTER, SHORT, END, FAIL };

struct verdict {
    enum what what;
    int error; /* FAIL */
};

static bool
matches(const struct call *call)
{
    return !order.match || strstr(call->path, order.match) ||
           (call->bytes && memmem(call->bytes, call->size, order.match, strlen(order.match)));
}

static struct verdict
verdict_of_action(void)
{
    static const struct {
        const char *name;
        struct verdict verdict;
    } actions[] = {
        {"kill-before", {DIE_BEFORE, 0}},
        {"kill-after", {DIE_AFTER, 0}},
        {"short", {SHORT, 0}},
        {"end", {END, 0}},
        /* errors: */
        {"EIO", {FAIL, EIO}},
        {"ENOSPC", {FAIL, ENOSPC}},
        {"EINTR", {FAIL, EINTR}},
        {"EMFILE", {FAIL, EMFILE}},
        {"EOPNOTSUPP", {FAIL, EOPNOTSUPP}},
        {"ENOMEM", {FAIL, ENOMEM}},
        {"ECONNRESET", {FAIL, ECONNRESET}},
        {"ECONNREFUSED", {FAIL, ECONNREFUSED}},
        {"ETIMEDOUT", {FAIL, ETIMEDOUT}},
        {"EPIPE", {FAIL, EPIPE}},
    };

    for (size_t i = 0; order.action && i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(order.action, actions[i].name) == 0)
            return actions[i].verdict;
    if (order.action && strncmp(order.action, "signal-", 7) == 0)
        (void)kill(getpid(), (int)strtol(order.action + 7, NULL, 10));
    return (struct verdict){PASS, 0};
}

static struct verdict
judge(const struct call *call)
{
    const struct verdict pass = {PASS, 0};
    const int kept = errno;
    struct verdict verdict = pass;

    read_order();
    if (!kind_is_asked(call->kind) ||
        (*call->path && *call->path != '+' && !below_root(call->path)) ||
        (!order.forever && !matches(call)))
        return pass;
    order.counted++;
    if (order.at && order.counted >= order.at &&
        (order.times == 0 || order.counted < order.at + order.times)) {
        order.forever = order.times == 0;
        log_call("HIT ", call->kind, call->path);
        verdict = verdict_of_action();
    } else {
        log_call("", call->kind, call->path);
    }
    if (verdict.what == DIE_BEFORE)
        (void)kill(getpid(), SIGKILL);
    errno = verdict.what == FAIL ? verdict.error : kept;
    return verdict;
}

/** The call was carried out: hand its result on, or die before that. */
static long
done(struct verdict verdict, long result)
{
    if (verdict.what == DIE_AFTER)
        (void)kill(getpid(), SIGKILL);
    return result;
}

static bool
is_internet(int fd)
{
    int family = 0;
    socklen_t size = sizeof family;

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 &&
           (family == AF_INET || family == AF_INET6);
}

/** The path of a descriptor; false: no file. */
static bool
path_of(int fd, char ret[PATH_MAX])
{
    char link[64];
    long size;

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    size = kernel(SYS_readlinkat, AT_FDCWD, (long)link, (long)ret, PATH_MAX - 1);
    ret[size < 0 ? 0 : size] = '\0';
    return size > 0 && ret[0] == '/';
}

static struct verdict
judge_fd(const char *kind, int fd, const void *bytes, size_t size)
{
    char path[PATH_MAX];
    const struct verdict pass = {PASS, 0};
    const int kept = errno;
    const bool file = path_of(fd, path);

    errno = kept;
    if (file)
        return judge(&(struct call){kind, path, bytes, size});
    if (strcmp(kind, "write") == 0)
        kind = "send";
    if (strcmp(kind, "read") == 0)
        kind = "recv";
    if ((strcmp(kind, "send") != 0 && strcmp(kind, "recv") != 0 && strcmp(kind, "connect") != 0) ||
        !is_internet(fd)) {
        errno = kept;
        return pass;
    }
    errno = kept;
    return judge(&(struct call){kind, "", NULL, 0});
}

static struct verdict
judge_path(const char *kind, const char *path)
{
    return judge(&(struct call){kind, path, NULL, 0});
}

/* ---- the calls. Their names are given by label: headers rename or decorate some of them. ---- */

ssize_t fault_write(int fd, const void *bytes, size_t size) __asm__("write");
ssize_t
fault_write(int fd, const void *bytes, size_t size)
{
    const struct verdict verdict = judge_fd("write", fd, bytes, size);
    const size_t part = verdict.what == SHORT && size > 1 ? size / 2 : size;

    if (verdict.what == FAIL)
        return -1;
    return done(verdict, kernel(SYS_write, fd, (long)bytes, (long)part, 0));
}

/** What reading gives where the verdict is about it; -2: read, this many bytes at most. */
static long
instead_of_reading(struct verdict verdict, size_t size, size_t *ret_part)
{
    *ret_part = verdict.what == SHORT && size > 1 ? size / 2 : size;
    if (verdict.what == END)
        return 0;
    return verdict.what == FAIL ? -1 : -2;
}

ssize_t fault_read(int fd, void *bytes, size_t size) __asm__("read");
ssize_t
fault_read(int fd, void *bytes, size_t size)
{
    const struct verdict verdict = judge_fd("read", fd, NULL, 0);
    size_t part;
    const long instead = instead_of_reading(verdict, size, &part);

    return instead != -2 ? instead
                         : done(verdict, kernel(SYS_read, fd, (long)bytes, (long)part, 0));
}

ssize_t fault_recv(int fd, void *bytes, size_t size, int flags) __asm__("recv");
ssize_t
fault_recv(int fd, void *bytes, size_t size, int flags)
{
    const struct verdict verdict = judge_fd("recv", fd, NULL, 0);
    size_t part;
    const long instead = instead_of_reading(verdict, size, &part);

    return instead != -2 ? instead
                         : done(verdict, syscall(SYS_recvfrom, fd, bytes, part, flags, NULL, NULL));
}

int fault_connect(int fd, const struct sockaddr *address, socklen_t size) __asm__("connect");
int
fault_connect(int fd, const struct sockaddr *address, socklen_t size)
{
    const struct verdict verdict = judge_fd("connect", fd, NULL, 0);

    return verdict.what == FAIL
               ? -1
               : (int)done(verdict, kernel(SYS_connect, fd, (long)address, (long)size, 0));
}

int fault_poll(struct pollfd *waited, nfds_t count, int timeout_ms) __asm__("poll");
int
fault_poll(struct pollfd *waited, nfds_t count, int timeout_ms)
{
    const struct verdict verdict = judge(&(struct call){"poll", "", NULL, 0});

    return verdict.what == FAIL
               ? -1
               : (int)done(verdict, kernel(SYS_poll, (long)waited, (long)count, timeout_ms, 0));
}

ssize_t fault_send(int fd, const void *bytes, size_t size, int flags) __asm__("send");
ssize_t
fault_send(int fd, const void *bytes, size_t size, int flags)
{
    const struct verdict verdict = judge_fd("send", fd, NULL, 0);
    const size_t part = verdict.what == SHORT && size > 1 ? size / 2 : size;

    if (verdict.what == FAIL)
        return -1;
    return done(verdict, syscall(SYS_sendto, fd, bytes, part, flags, NULL, 0));
}

ssize_t fault_sendmsg(int fd, const struct msghdr *message, int flags) __asm__("sendmsg");
ssize_t
fault_sendmsg(int fd, const struct msghdr *message, int flags)
{
    const struct verdict verdict = judge_fd("send", fd, NULL, 0);

    if (verdict.what == FAIL)
        return -1;
    return done(verdict, kernel(SYS_sendmsg, fd, (long)message, flags, 0));
}

ssize_t fault_writev(int fd, const struct iovec *parts, int count) __asm__("writev");
ssize_t
fault_writev(int fd, const struct iovec *parts, int count)
{
    const struct verdict verdict = judge_fd("write", fd, NULL, 0);

    if (verdict.what == FAIL)
        return -1;
    return done(verdict, kernel(SYS_writev, fd, (long)parts, count, 0));
}

int fault_fsync(int fd) __asm__("fsync");
int
fault_fsync(int fd)
{
    const struct verdict verdict = judge_fd("fsync", fd, NULL, 0);

    return verdict.what == FAIL ? -1 : (int)done(verdict, kernel(SYS_fsync, fd, 0, 0, 0));
}

int fault_fdatasync(int fd) __asm__("fdatasync");
int
fault_fdatasync(int fd)
{
    const struct verdict verdict = judge_fd("fdatasync", fd, NULL, 0);

    return verdict.what == FAIL ? -1 : (int)done(verdict, kernel(SYS_fdatasync, fd, 0, 0, 0));
}

/* As Linux does it: also a close that fails has closed. */
int fault_close(int fd) __asm__("close");
int
fault_close(int fd)
{
    const struct verdict verdict = judge_fd("close", fd, NULL, 0);
    const int error = errno;
    const long result = kernel(SYS_close, fd, 0, 0, 0);

    if (verdict.what == FAIL) {
        errno = error;
        return -1;
    }
    return (int)done(verdict, result);
}

static int
cut(int fd, off_t size)
{
    const struct verdict verdict = judge_fd("ftruncate", fd, NULL, 0);

    return verdict.what == FAIL ? -1 : (int)done(verdict, kernel(SYS_ftruncate, fd, size, 0, 0));
}

int fault_ftruncate(int fd, off_t size) __asm__("ftruncate");
int
fault_ftruncate(int fd, off_t size)
{
    return cut(fd, size);
}

int fault_ftruncate64(int fd, off_t size) __asm__("ftruncate64");
int
fault_ftruncate64(int fd, off_t size)
{
    return cut(fd, size);
}

static int
reserve(int fd, int mode, off_t offset, off_t size)
{
    const struct verdict verdict = judge_fd("fallocate", fd, NULL, 0);

    return verdict.what == FAIL ? -1
                                : (int)done(verdict, kernel(SYS_fallocate, fd, mode, offset, size));
}

int fault_fallocate(int fd, int mode, off_t offset, off_t size) __asm__("fallocate");
int
fault_fallocate(int fd, int mode, off_t offset, off_t size)
{
    return reserve(fd, mode, offset, size);
}

int fault_fallocate64(int fd, int mode, off_t offset, off_t size) __asm__("fallocate64");
int
fault_fallocate64(int fd, int mode, off_t offset, off_t size)
{
    return reserve(fd, mode, offset, size);
}

int fault_rename(const char *from, const char *to) __asm__("rename");
int
fault_rename(const char *from, const char *to)
{
    const struct verdict verdict = judge_path("rename", to);

    return verdict.what == FAIL
               ? -1
               : (int)done(verdict, kernel(SYS_rename, (long)from, (long)to, 0, 0));
}

int fault_renameat2(int from_fd, const char *from, int to_fd, const char *to,
                    unsigned flags) __asm__("renameat2");
int
fault_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    const struct verdict verdict = judge_path("rename", to);

    return verdict.what == FAIL
               ? -1
               : (int)done(verdict, syscall(SYS_renameat2, from_fd, from, to_fd, to, flags));
}

int fault_link(const char *from, const char *to) __asm__("link");
int
fault_link(const char *from, const char *to)
{
    const struct verdict verdict = judge_path("link", to);

    return verdict.what == FAIL ? -1
                                : (int)done(verdict, kernel(SYS_link, (long)from, (long)to, 0, 0));
}

int fault_unlink(const char *path) __asm__("unlink");
int
fault_unlink(const char *path)
{
    const struct verdict verdict = judge_path("unlink", path);

    return verdict.what == FAIL ? -1 : (int)done(verdict, kernel(SYS_unlink, (long)path, 0, 0, 0));
}

int fault_mkdir(const char *path, mode_t mode) __asm__("mkdir");
int
fault_mkdir(const char *path, mode_t mode)
{
    const struct verdict verdict = judge_path("mkdir", path);

    return verdict.what == FAIL ? -1
                                : (int)done(verdict, kernel(SYS_mkdir, (long)path, mode, 0, 0));
}

static int
open_file(int at, const char *path, int flags, va_list rest)
{
    const struct verdict verdict = judge_path("open", path);
    const mode_t mode =
        (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0;

    return verdict.what == FAIL
               ? -1
               : (int)done(verdict, kernel(SYS_openat, at, (long)path, flags, (long)mode));
}

#define OPEN(name, label)                                                                          \
    int name(const char *path, int flags, ...) __asm__(label);                                     \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        const int fd = open_file(AT_FDCWD, path, flags, rest);                                     \
        va_end(rest);                                                                              \
        return fd;                                                                                 \
    }

#define OPENAT(name, label)                                                                        \
    int name(int at, const char *path, int flags, ...) __asm__(label);                             \
    int name(int at, const char *path, int flags, ...)                                             \
    {                                                                                              \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        const int fd = open_file(at, path, flags, rest);                                           \
        va_end(rest);                                                                              \
        return fd;                                                                                 \
    }

OPEN(fault_open, "open")
OPEN(fault_open64, "open64")
OPENAT(fault_openat, "openat")
OPENAT(fault_openat64, "openat64")

/* ---- memory. A call counts when its caller lies in the program itself. ---- */

static struct {
    bool found;
    uintptr_t base, from, to; /* where it was loaded; its code */
} program;

/** The first object is the program. */
static int
find_program(struct dl_phdr_info *info, size_t size, void *ctx)
{
    (void)size;
    (void)ctx;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];

        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
            continue;
        program.base = info->dlpi_addr;
        program.from = program.base + part->p_vaddr;
        program.to = program.from + part->p_memsz;
    }
    return 1;
}

/* Before main, as it allocates itself. */
__attribute__((constructor)) static void
look_at_program(void)
{
    (void)dl_iterate_phdr(find_program, NULL);
    program.found = true;
}

/** false: there is no memory for this caller. */
static bool
memory_is_given(const void *caller)
{
    const uintptr_t at = (uintptr_t)caller;
    struct verdict verdict;
    char place[32];

    if (!program.found || at < program.from || at >= program.to)
        return true;
    read_order();
    if (!kind_is_asked("malloc"))
        return true;
    (void)snprintf(place, sizeof place, "+0x%zx", (size_t)(at - program.base));
    verdict = judge_path("malloc", place);
    if (verdict.what == FAIL)
        errno = ENOMEM;
    return verdict.what != FAIL;
}

/* What the search for the next library's functions (a sanitizer's, where there is one) allocates.
 */
static char early[16384] __attribute__((aligned(16)));
static size_t early_size;

static void *
early_memory(size_t size)
{
    const size_t whole = (size + 15) & ~(size_t)15;

    if (size > sizeof early || whole > sizeof early - early_size)
        return NULL;
    early_size += whole;
    return early + early_size - whole;
}

static bool
is_early(const void *at)
{
    return (const char *)at >= early && (const char *)at < early + sizeof early;
}

static struct {
    enum { UNKNOWN, SEARCHING, KNOWN } state;
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
    char *(*strdup)(const char *);
    char *(*strndup)(const char *, size_t);
    int (*vasprintf)(char **, const char *, va_list);
} next;

/** ISO C knows no way from an object to a function. */
static void
find_next(void *ret, const char *name)
{
    void *const found = dlsym(RTLD_NEXT, name);

    memcpy(ret, &found, sizeof found);
}

static bool
next_is_known(void)
{
    if (next.state == UNKNOWN) {
        next.state = SEARCHING;
        find_next(&next.malloc, "malloc");
        find_next(&next.calloc, "calloc");
        find_next(&next.realloc, "realloc");
        find_next(&next.free, "free");
        find_next(&next.strdup, "strdup");
        find_next(&next.strndup, "strndup");
        find_next(&next.vasprintf, "vasprintf");
        next.state = KNOWN;
    }
    return next.state == KNOWN;
}

void *fault_malloc(size_t size) __asm__("malloc");
void *
fault_malloc(size_t size)
{
    if (!next_is_known())
        return early_memory(size);
    return memory_is_given(__builtin_return_address(0)) ? next.malloc(size) : NULL;
}

void *fault_calloc(size_t count, size_t size) __asm__("calloc");
void *
fault_calloc(size_t count, size_t size)
{
    if (!next_is_known())
        return early_memory(count * size); /* never given twice, so it is zero */
    return memory_is_given(__builtin_return_address(0)) ? next.calloc(count, size) : NULL;
}

void *fault_realloc(void *old, size_t size) __asm__("realloc");
void *
fault_realloc(void *old, size_t size)
{
    if (!next_is_known())
        return old ? NULL : early_memory(size);
    return memory_is_given(__builtin_return_address(0)) ? next.realloc(old, size) : NULL;
}

void fault_free(void *at) __asm__("free");
void
fault_free(void *at)
{
    if (at && !is_early(at) && next_is_known())
        next.free(at);
}

char *fault_strdup(const char *text) __asm__("strdup");
char *
fault_strdup(const char *text)
{
    return next_is_known() && memory_is_given(__builtin_return_address(0)) ? next.strdup(text)
                                                                           : NULL;
}

char *fault_strndup(const char *text, size_t size) __asm__("strndup");
char *
fault_strndup(const char *text, size_t size)
{
    return next_is_known() && memory_is_given(__builtin_return_address(0))
               ? next.strndup(text, size)
               : NULL;
}

int fault_asprintf(char **ret, const char *format, ...) __asm__("asprintf");
int
fault_asprintf(char **ret, const char *format, ...)
{
    va_list rest;
    int size;

    if (!next_is_known() || !memory_is_given(__builtin_return_address(0)))
        return -1;
    va_start(rest, format);
    size = next.vasprintf(ret, format, rest);
    va_end(rest);
    return size;
}
