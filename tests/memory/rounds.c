/*
 * memory_rounds ROUNDS STATUS NAME [ARGUMENT...]: dwclean's own main, called as NAME, ROUNDS times
 * in this one process, and after each round a look at what the process holds. Each round has to
 * end with STATUS. Writes one line of JSON; what the rounds print on stdout is not kept.
 */
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int dwclean_main(int argc, char **argv);

enum { ROUNDS_MAX = 100 * 1000, ARGUMENTS_MAX = 64, VARIABLE_BYTES = 512 };

/* Between rounds: what stays. Resident size is that of memory without a file behind it. */
struct holding {
    long descriptors, heap_bytes, resident_kb;
};

/* The program takes secrets out of the environment and wipes them where they lie. */
static struct secret_variable {
    const char *name;
    char kept[VARIABLE_BYTES], line[VARIABLE_BYTES];
} secrets[] = {{.name = "DWCLEAN_PASSWORD"}, {.name = "DWCLEAN_CLIENT_SECRET"}};

static const size_t secret_count = sizeof secrets / sizeof secrets[0];

static void
keep_secrets(void)
{
    for (size_t i = 0; i < secret_count; i++) {
        struct secret_variable *secret = &secrets[i];
        const char *value = getenv(secret->name); /* NOLINT(concurrency-mt-unsafe): one thread */
        if (value)
            (void)snprintf(secret->kept, sizeof secret->kept, "%s=%s", secret->name, value);
    }
}

static void
give_secrets(void)
{
    for (size_t i = 0; i < secret_count; i++) {
        if (!*secrets[i].kept)
            continue;
        memcpy(secrets[i].line, secrets[i].kept, sizeof secrets[i].line);
        (void)putenv(secrets[i].line); /* NOLINT(concurrency-mt-unsafe): one thread */
    }
}

static long
count_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    long count = 0;

    if (!directory)
        return -1;
    while (readdir(directory)) /* NOLINT(concurrency-mt-unsafe): one thread */
        count++;
    (void)closedir(directory);
    return count - 3; /* ., .., and the directory itself */
}

static long
resident_kb(void)
{
    static char text[8192]; /* not on the heap, which is measured */
    const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    const ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        (void)close(fd);
    text[size > 0 ? size : 0] = '\0';
    const char *line = strstr(text, "RssAnon:");
    return line ? strtol(line + strlen("RssAnon:"), NULL, 10) : -1;
}

static struct holding
look(void)
{
    const struct mallinfo2 heap = mallinfo2();

    return (struct holding){
        .descriptors = count_descriptors(),
        .heap_bytes = (long)(heap.uordblks + heap.hblkhd),
        .resident_kb = resident_kb(),
    };
}

static int
run_once(int argc, char **argv)
{
    char *copy[ARGUMENTS_MAX + 1]; /* getopt moves words about */

    memcpy(copy, argv, (size_t)argc * sizeof *argv);
    copy[argc] = NULL;
    give_secrets();
    return dwclean_main(argc, copy);
}

static void
print_series(FILE *out, const char *name, const long *values, long count)
{
    (void)fprintf(out, "\"%s\":[", name);
    for (long i = 0; i < count; i++)
        (void)fprintf(out, i ? ",%ld" : "%ld", values[i]);
    (void)fprintf(out, "]");
}

/* All rounds; the looks go into three series of `rounds` numbers each. */
static long
run_rounds(long rounds, int status, int argc, char **argv, long *series)
{
    for (long i = 0; i < rounds; i++) {
        const int ended = run_once(argc, argv);
        if (ended != status) {
            (void)fprintf(stderr, "round %ld ended with %d, not with %d\n", i + 1, ended, status);
            return i;
        }
        const struct holding now = look();
        series[i] = now.descriptors;
        series[rounds + i] = now.heap_bytes;
        series[2 * rounds + i] = now.resident_kb;
    }
    return rounds;
}

int
main(int argc, char **argv)
{
    const long rounds = argc > 3 ? strtol(argv[1], NULL, 10) : 0;
    const int status = argc > 3 ? (int)strtol(argv[2], NULL, 10) : 0;
    if (rounds < 1 || rounds > ROUNDS_MAX || argc - 3 > ARGUMENTS_MAX) {
        (void)fprintf(stderr, "usage: memory_rounds ROUNDS STATUS NAME [ARGUMENT...]\n");
        return 64;
    }
    long *series = calloc((size_t)rounds * 3, sizeof *series);
    FILE *out = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), "w");
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (!series || !out || nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0)
        return 1;

    keep_secrets();
    const long done = run_rounds(rounds, status, argc - 3, argv + 3, series);
    (void)fprintf(out, "{\"rounds\":%ld,", done);
    print_series(out, "descriptors", series, done);
    (void)fprintf(out, ",");
    print_series(out, "heap_bytes", series + rounds, done);
    (void)fprintf(out, ",");
    print_series(out, "resident_kb", series + 2 * rounds, done);
    (void)fprintf(out, "}\n");
    free(series);
    (void)close(nowhere);
    return fclose(out) == 0 && done == rounds ? 0 : 1;
}
