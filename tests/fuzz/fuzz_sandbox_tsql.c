/* The sandbox's T-SQL: any text is parsed or refused with an error of SQL Server's. */
#include "fuzz.h"
#include "tds/request.h"
#include "tsql/session.h"

#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct arena arena = {0};
    struct sql_error error = {0};
    struct vctx context = {.arena = &arena, .error = &error};
    struct batch batch = {0};
    struct declaration *declarations = NULL;
    int count = 0;
    char *text = fuzz_rest(&input);
    const struct units source = units_from_utf8(&arena, text);

    if (!parse_batch(&context, source, true, &batch))
        FUZZ_MUST(error.number != 0 && error.text[0]);
    error = (struct sql_error){0};
    if (!parse_declarations(&context, source, &declarations, &count))
        FUZZ_MUST(error.number != 0);
    (void)tds_is_commit(text);
    arena_free(&arena);
    free(text);
    return 0;
}
