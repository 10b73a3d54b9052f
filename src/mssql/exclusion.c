#include "sql_text.h"
#include "store.h"

struct answer {
    bool given;
    int64_t result;
};

static bool
take_result(void *ctx, const struct cursor *cursor, struct err *err)
{
    struct answer *answer = ctx;

    if (!cursor_is(cursor, "rs_applock"))
        return true;
    answer->given = true;
    return cursor_integer(cursor, 1, -999, &answer->result, err);
}

static bool
ask(struct axdb_store *store, const char *name, const char *sql, int64_t *ret, struct err *err)
{
    struct answer answer = {0};
    struct taker taker = {.ctx = &answer, .row = take_result};

    if (!mssql_store_run_sql(mssql_store_of(store), name, sql, &taker, err))
        return false;
    if (!answer.given)
        return err_set(err, ERR_SERVER, "the server did not answer about the application lock");
    *ret = answer.result;
    return true;
}

/**
 * What the server said when it refused, among it that the login may not: the right is public's by
 * default, and HAS_PERMS_BY_NAME is no sure answer about a procedure of the system, so that only
 * the call itself tells.
 */
static void
note_missing_right(const struct connection *connection, struct err *err)
{
    const struct verdict *verdict = &connection->verdict;
    bool missing = false, transient;

    if (!statement_was_refused(connection))
        return;
    for (size_t i = 0; i < verdict->message_count; i++)
        missing =
            missing || verdict_code(verdict->messages[i].number, &transient) == ERR_PERMISSION;
    if (!missing)
        return;
    err->code = ERR_PERMISSION;
    (void)err_hint(err, "USE master; GRANT EXECUTE ON sys.sp_getapplock TO public; (the server's "
                        "default)");
}

bool
mssql_acquire_exclusion(struct axdb_store *store, bool *ret_granted, struct err *err)
{
    int64_t result = -999;

    if (!ask(store, "acquire_exclusion", sql_acquire_exclusion, &result, err)) {
        note_missing_right(mssql_store_of(store)->connection, err);
        return err_wrap(err, "could not ask for the application lock");
    }
    if (result < -1) {
        (void)err_set(err, ERR_SERVER, "the server could not give the application lock");
        return err_detail(err, "sp_getapplock returned %lld", (long long)result);
    }
    *ret_granted = result >= 0;
    return true;
}

bool
mssql_release_exclusion(struct axdb_store *store, struct err *err)
{
    int64_t result = -999;

    if (!ask(store, "release_exclusion", sql_release_exclusion, &result, err))
        return err_wrap(err, "could not give back the application lock");
    if (result >= 0)
        return true;
    (void)err_set(err, ERR_SERVER, "the application lock was not held any more");
    return err_detail(err, "sp_releaseapplock returned %lld", (long long)result);
}
