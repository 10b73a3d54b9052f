/*
 * A tool of the build, not installed: writes one manual page or completion script.
 *
 * dwclean-docs manual TEMPLATE DATE FILE      the page, by the template's name
 * dwclean-docs completion bash|zsh|fish FILE
 */
#include "base/file.h"
#include "cli/completion.h"
#include "cli/manual.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TEMPLATE_BYTES = 1024 * 1024, DATE_BYTES = 16 };

/** SOURCE_DATE_EPOCH as a date, where it is set: https://reproducible-builds.org/specs/ */
static const char *
date_of_sources(const char *fallback, char ret[DATE_BYTES])
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH"); /* NOLINT(concurrency-mt-unsafe) */
    char *end = NULL;
    struct tm day;
    const time_t seconds = epoch ? (time_t)strtoll(epoch, &end, 10) : 0;
    if (!epoch || !*epoch || *end || !gmtime_r(&seconds, &day) ||
        strftime(ret, DATE_BYTES, "%Y-%m-%d", &day) == 0)
        return fallback;
    return ret;
}

static bool
make_manual(const char *path, const char *date, struct text *ret, struct err *err)
{
    static const char config[] = "dwclean-config.5.in";
    const size_t size = strlen(path);
    const bool is_config =
        size >= sizeof(config) - 1 && strcmp(path + size - (sizeof(config) - 1), config) == 0;
    char *template = NULL, day[DATE_BYTES];
    size_t template_size = 0;
    const struct manual_about about = {.version = DWCLEAN_VERSION,
                                       .date = date_of_sources(date, day)};
    if (!file_read(path, TEMPLATE_BYTES, &template, &template_size, err))
        return false;
    const bool ok =
        manual_write(is_config ? MANUAL_CONFIG : MANUAL_COMMAND, template, &about, ret, err);
    free(template);
    return ok;
}

static bool
make_completion(const char *name, struct text *ret, struct err *err)
{
    enum shell shell = SHELL_BASH;
    return completion_shell(name, &shell) ? completion_script(shell, ret, err)
                                          : err_set(err, ERR_USAGE, "no such shell: %s", name);
}

static bool
write_to(const char *path, const struct text *text, struct err *err)
{
    enum { MODE = 0644 };
    return file_replace(path, text_string(text), text->used, MODE, err);
}

int
main(int argc, char **argv)
{
    TEXT_SCOPED text = {0};
    struct err err;
    bool ok = false;
    if (argc == 5 && strcmp(argv[1], "manual") == 0)
        ok = make_manual(argv[2], argv[3], &text, &err) && write_to(argv[4], &text, &err);
    else if (argc == 4 && strcmp(argv[1], "completion") == 0)
        ok = make_completion(argv[2], &text, &err) && write_to(argv[3], &text, &err);
    else
        (void)err_set(&err, ERR_USAGE, "wrong arguments");
    if (!ok)
        (void)fprintf(stderr, "dwclean-docs: %s\n", err.primary);
    return ok ? 0 : 1;
}
