/* Every file of a corpus through a target, in a build without libFuzzer: PROGRAM DIRECTORY... */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/** Of a directory; returns how many files it has. */
static int
replay_directory(const char *directory)
{
    struct dirent **entries = NULL;
    const int count = scandir(directory, &entries, is_shown, alphasort);
    for (int i = 0; i < count; i++) {
        char path[4096];
        size_t size = 0;
        FUZZ_MUST(snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name) <
                  (int)sizeof(path));
        free(entries[i]);
        /* what stays in the log when the target ends the process */
        (void)fprintf(stderr, "%s\n", path);
        char *bytes = fuzz_read(path, &size);
        uint8_t *exact = malloc(size ? size : 1);
        FUZZ_MUST(exact);
        memcpy(exact, bytes, size);
        free(bytes);
        FUZZ_MUST(LLVMFuzzerTestOneInput(exact, size) == 0);
        free(exact);
    }
    free(entries);
    return count;
}

int
main(int argc, char **argv)
{
    int files = 0;
    for (int i = 1; i < argc; i++) {
        const int count = replay_directory(argv[i]);
        if (count <= 0) {
            (void)fprintf(stderr, "%s: no corpus\n", argv[i]);
            return 1;
        }
        files += count;
    }
    FUZZ_MUST(LLVMFuzzerTestOneInput((const uint8_t *)"", 0) == 0);
    (void)printf("%d files\n", files);
    return files == 0;
}
