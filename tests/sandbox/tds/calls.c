#include "tds/calls.h"

#include "tds/request.h"
#include "tds/rpc.h"
#include "tds/text.h"
#include "tds/work.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* What a call comes down to: a text with parameters, or a procedure by name. */
struct call {
    const struct tds_rpc *rpc;
    const unsigned char *sql, *declarations; /* UTF-16LE; sql NULL = by name */
    size_t sql_bytes, declarations_bytes;
    size_t first; /* parameter that belongs to the text */
};

/* ---- parameters of the system procedures ---- */

static bool
text_parameter(const struct tds_rpc *rpc, size_t index, struct tds_arena *arena,
               const unsigned char **ret, size_t *ret_bytes)
{
    if (index >= rpc->count || rpc->parameters[index].value.is_null)
        return false;
    const struct sql_value *value = &rpc->parameters[index].value;
    enum sql_type type = rpc->parameters[index].column.type.type;
    if (type == SQL_NVARCHAR || type == SQL_NCHAR || type == SQL_NTEXT) {
        *ret = value->bytes;
        *ret_bytes = value->length;
        return true;
    }
    if (type != SQL_VARCHAR && type != SQL_CHAR && type != SQL_TEXT)
        return false;
    *ret = tds_utf16le_from_cp1252(arena, value->bytes, value->length);
    *ret_bytes = value->length * 2;
    return *ret != NULL;
}

static void
refuse_text(struct tds_reply *reply, const char *parameter)
{
    char text[128];
    (void)snprintf(text, sizeof text,
                   "Procedure expects parameter '%s' of type 'ntext/nchar/nvarchar'.", parameter);
    tds_reply_message(reply, 214, 16, text);
}

static bool
handle_parameter(const struct tds_rpc *rpc, int32_t *ret)
{
    if (rpc->count == 0 || rpc->parameters[0].value.is_null ||
        rpc->parameters[0].column.type.type > SQL_BIGINT)
        return false;
    *ret = (int32_t)rpc->parameters[0].value.integer;
    return true;
}

/* ---- running ---- */

static void
run_call(struct tds_work *work)
{
    const struct call *call = work->argument;
    const struct tds_rpc *rpc = call->rpc;
    struct session *session = work->connection->session;
    work->reply->ordinal_offset = call->first;
    if (call->sql == NULL)
        session_call(session, rpc->name, rpc->parameters, rpc->count, &work->reply->sink);
    else
        session_execute(session, call->sql, call->sql_bytes, call->declarations,
                        call->declarations_bytes, rpc->parameters + call->first,
                        rpc->count - call->first, &work->reply->sink);
}

static void
do_call(struct tds_work *work, const struct call *call, const char *name)
{
    char *text = call->sql != NULL ? tds_utf8_new(call->sql, call->sql_bytes / 2) : NULL;
    tds_log(work->connection, "rpc",
            (const char *const[]){"name", name, "sql", text != NULL ? text : "", NULL});
    work->text = text != NULL ? text : name;
    work->commit = text != NULL && tds_is_commit(text);
    work->run = run_call;
    work->argument = call;
    work->reply->subject = work->text;
    tds_work_do(work);
    work->reply->subject = NULL;
    free(text);
}

static void
execute_sql(struct tds_work *work, const struct tds_rpc *rpc, struct tds_arena *arena)
{
    struct call call = {.rpc = rpc, .first = rpc->count < 2 ? rpc->count : 2};
    if (!text_parameter(rpc, 0, arena, &call.sql, &call.sql_bytes)) {
        refuse_text(work->reply, "@statement");
        return;
    }
    bool declared = rpc->count > 1 && !rpc->parameters[1].value.is_null;
    if (declared && !text_parameter(rpc, 1, arena, &call.declarations, &call.declarations_bytes)) {
        refuse_text(work->reply, "@params");
        return;
    }
    do_call(work, &call, "sp_executesql");
}

/* The text of sp_prepare and sp_prepexec becomes a statement; NULL when it was refused. */
static const struct tds_statement *
prepare(struct tds_work *work, const struct tds_rpc *rpc, struct tds_arena *arena)
{
    const unsigned char *sql = NULL, *declarations = NULL;
    size_t sql_bytes = 0, declarations_bytes = 0;
    bool declared = rpc->count > 1 && !rpc->parameters[1].value.is_null;
    if (declared && !text_parameter(rpc, 1, arena, &declarations, &declarations_bytes)) {
        refuse_text(work->reply, "@params");
        return NULL;
    }
    if (!text_parameter(rpc, 2, arena, &sql, &sql_bytes)) {
        refuse_text(work->reply, "@stmt");
        return NULL;
    }
    struct tds_statement texts = {.sql_bytes = sql_bytes, .declarations_bytes = declarations_bytes};
    struct tds_prepared *prepared = &work->connection->prepared;
    int32_t handle = tds_prepared_add(prepared, &texts, sql, declarations);
    if (handle == 0) {
        tds_reply_message(work->reply, 701, 17,
                          "There is insufficient memory for another prepared statement.");
        return NULL;
    }
    work->reply->handle = handle;
    work->reply->handle_column = &rpc->parameters[0].column;
    return tds_prepared_find(prepared, handle);
}

static struct call
call_of(const struct tds_statement *statement, const struct tds_rpc *rpc, size_t first)
{
    return (struct call){
        .rpc = rpc,
        .sql = statement->sql,
        .sql_bytes = statement->sql_bytes,
        .declarations = statement->declarations,
        .declarations_bytes = statement->declarations_bytes,
        .first = first < rpc->count ? first : rpc->count,
    };
}

static void
prepare_only(struct tds_work *work, const struct tds_rpc *rpc, struct tds_arena *arena)
{
    const struct tds_statement *statement = prepare(work, rpc, arena);
    if (statement == NULL)
        return;
    char *text = tds_utf8_new(statement->sql, statement->sql_bytes / 2);
    tds_log(work->connection, "rpc",
            (const char *const[]){"name", "sp_prepare", "sql", text != NULL ? text : "", NULL});
    free(text);
    tds_reply_return_status(work->reply, 0);
}

static void
execute_prepared(struct tds_work *work, const struct tds_rpc *rpc)
{
    int32_t handle = 0;
    bool given = handle_parameter(rpc, &handle);
    const struct tds_statement *found = tds_prepared_find(&work->connection->prepared, handle);
    if (!given || found == NULL) {
        char text[96];
        (void)snprintf(text, sizeof text,
                       "Could not find prepared statement with handle %" PRId32 ".", handle);
        tds_reply_message(work->reply, 8179, 16, text);
        return;
    }
    if (rpc->procedure == TDS_SP_EXECUTE) {
        const struct call call = call_of(found, rpc, 1);
        do_call(work, &call, "sp_execute");
        return;
    }
    tds_log(work->connection, "rpc",
            (const char *const[]){"name", "sp_unprepare", "sql", "", NULL});
    (void)tds_prepared_remove(&work->connection->prepared, handle);
    tds_reply_return_status(work->reply, 0);
}

static void
dispatch_call(struct tds_work *work, const struct tds_rpc *rpc, struct tds_arena *arena)
{
    const struct tds_statement *statement;
    struct call call = {.rpc = rpc};
    switch (rpc->procedure) {
    case TDS_SP_EXECUTESQL:
        execute_sql(work, rpc, arena);
        break;
    case TDS_SP_PREPARE:
        prepare_only(work, rpc, arena);
        break;
    case TDS_SP_PREPEXEC:
        statement = prepare(work, rpc, arena);
        if (statement != NULL) {
            call = call_of(statement, rpc, 3);
            do_call(work, &call, "sp_prepexec");
        }
        break;
    case TDS_SP_EXECUTE:
    case TDS_SP_UNPREPARE:
        execute_prepared(work, rpc);
        break;
    case TDS_PROCEDURE_BY_NAME:
        do_call(work, &call, rpc->name);
        break;
    default: {
        char text[96];
        (void)snprintf(text, sizeof text, "Could not find stored procedure number %u.",
                       (unsigned)rpc->procedure);
        tds_reply_message(work->reply, 2812, 16, text);
    }
    }
}

static void
refuse_type(struct tds_reply *reply, const struct tds_rpc *rpc)
{
    char text[192];
    (void)snprintf(text, sizeof text,
                   "The incoming tabular data stream (TDS) remote procedure call (RPC) protocol "
                   "stream is incorrect. Parameter %zu: the data type is unknown.",
                   rpc->count + 1);
    tds_reply_message(reply, 8009, 16, text);
}

bool
tds_calls_do(struct tds_connection *connection, struct tds_reply *reply, struct tds_reader *reader,
             uint64_t transaction)
{
    enum tds_rpc_result result = TDS_RPC_OK;
    reply->procedure = true;
    do {
        struct tds_arena arena;
        struct tds_rpc rpc;
        tds_arena_init(&arena, 2 * (size_t)TDS_REQUEST_MAX);
        result = tds_rpc_read(reader, &arena, &rpc);
        struct tds_work work = {
            .connection = connection, .reply = reply, .transaction = transaction};
        if (result == TDS_RPC_OK)
            dispatch_call(&work, &rpc, &arena);
        else if (result == TDS_RPC_UNKNOWN_TYPE)
            refuse_type(reply, &rpc);
        else
            tds_refuse_stream(reply);
        tds_reply_end_call(reply);
        tds_arena_free(&arena);
    } while (result == TDS_RPC_OK && reader->left > 0 && !reply->broken && !reply->silent);
    return result != TDS_RPC_BROKEN;
}
