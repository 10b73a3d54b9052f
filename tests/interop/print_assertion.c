/** print_assertion FILE CLIENT AUDIENCE: a client assertion on stdout, for another make to judge.
 */
#include "../../src/dataverse/assertion.h"

#include <stdio.h>

int
main(int argc, char **argv)
{
    SECRET_SCOPED assertion = {0};
    struct err err = {0};

    if (argc != 4) {
        (void)fputs("usage: print_assertion FILE CLIENT AUDIENCE\n", stderr);
        return 64;
    }
    if (!assertion_make(argv[1], argv[2], argv[3], &assertion, &err)) {
        (void)fprintf(stderr, "%s\n%s\n", err.primary, err.hint);
        return 1;
    }
    return puts(secret_reveal(&assertion)) < 0;
}
