#include "batch.h"
#include "sql_text.h"
#include "store.h"

#include <inttypes.h>
#include <string.h>

enum { ARENA_BYTES = 65536, ASK_TIMEOUT_MS = 5000 };

struct blockers {
    struct arena *arena;
    struct text text;
};

static bool
take_blocker(void *ctx, const struct cursor *cursor, struct err *err)
{
    struct blockers *blockers = ctx;
    const char *login = "", *program = "", *host = "";
    int64_t session = 0;

    if (!cursor_is(cursor, "rs_blocker"))
        return true;
    if (!cursor_integer(cursor, 1, 0, &session, err) ||
        !cursor_text(cursor, 2, blockers->arena, &login, err) ||
        !cursor_text(cursor, 3, blockers->arena, &program, err) ||
        !cursor_text(cursor, 4, blockers->arena, &host, err))
        return false;
    text_printf(&blockers->text, "%ssession %" PRId64 " (%.40s, %.60s on %.40s)",
                blockers->text.used > 0 ? ", " : "", session, login, program, host);
    return true;
}

void
mssql_name_blockers(struct mssql_store *store, struct err *err)
{
    TEXT_SCOPED batch = {0};
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct blockers blockers = {.arena = arena};
    struct taker taker = {.ctx = &blockers, .row = take_blocker};
    struct statement statement = {.batch = &batch,
                                  .name = "blockers",
                                  .timeout_ms = ASK_TIMEOUT_MS,
                                  .timeout_code = ERR_CONNECT};
    struct err ignored;
    char detail[sizeof err->detail];

    if (arena == NULL || !batch_expand(sql_blockers, NULL, 0, &batch, &ignored))
        return;
    if (statement_run(store->connection, &statement, &taker, &ignored) &&
        text_ok(&blockers.text, &ignored) && blockers.text.used > 0) {
        memcpy(detail, err->detail, sizeof detail);
        (void)err_detail(err, "%.360s%slocks are held by %s", detail, detail[0] != '\0' ? "; " : "",
                         text_string(&blockers.text));
    }
    text_done(&blockers.text);
}
