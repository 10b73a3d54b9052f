/** print_assertion FILE CLIENT AUDIENCE [rs256] [chain]: a client assertion on stdout, for another
 * make to judge. A password comes in the variable PASSWORD. */
#include "../../src/dataverse/assertion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
take_words(int argc, char **argv, struct assertion_source *source)
{
    for (int i = 4; i < argc; i++) {
        if (strcmp(argv[i], "rs256") == 0)
            source->rs256 = true;
        else if (strcmp(argv[i], "chain") == 0)
            source->send_chain = true;
        else
            return false;
    }
    return argc >= 4;
}

int
main(int argc, char **argv)
{
    const char *given = getenv("PASSWORD"); /* one thread. NOLINT(concurrency-mt-unsafe) */
    SECRET_SCOPED assertion = {0};
    SECRET_SCOPED password = {0};
    struct assertion_source source = {.password = &password};
    struct err err = {0};

    if (!take_words(argc, argv, &source)) {
        (void)fputs("usage: print_assertion FILE CLIENT AUDIENCE [rs256] [chain]\n", stderr);
        return 64;
    }
    source.certificate_file = argv[1];
    if ((given && !secret_set(&password, given, strlen(given), &err)) ||
        !assertion_make(&source, argv[2], argv[3], &assertion, &err)) {
        (void)fprintf(stderr, "%s\n%s\n", err.primary, err.hint);
        return 1;
    }
    return puts(secret_reveal(&assertion)) < 0;
}
