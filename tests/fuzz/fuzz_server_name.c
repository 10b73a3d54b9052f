/* -S and what LCS shows: what is accepted is written down and read again as the same server. */
#include "config/jit.h"
#include "config/server_name.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { DATABASE_BYTES = 129 };

static void
must_come_back(const struct server_name *name)
{
    char text[SERVER_NAME_TEXT_BYTES];
    struct server_name again;
    struct err err = {0};
    FUZZ_MUST(name->host[0] && (name->port || name->instance[0]));
    server_name_text(name, text);
    FUZZ_MUST(server_name_parse(text, &again, &err));
    FUZZ_MUST(server_name_equal(name, &again) && strcmp(name->host, again.host) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    char *text = fuzz_rest(&input);
    char database[DATABASE_BYTES] = "";
    struct server_name name;
    struct err err = {0};

    if (server_name_parse(text, &name, &err))
        must_come_back(&name);
    else
        fuzz_must_say(&err);
    if (server_name_parse_lcs(text, &name, database, sizeof(database), &err)) {
        FUZZ_MUST(memchr(database, 0, sizeof(database)));
        must_come_back(&name);
    } else {
        fuzz_must_say(&err);
    }
    if (!jit_check_address(text, &err))
        fuzz_must_say(&err);
    free(text);
    return 0;
}
