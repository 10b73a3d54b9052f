/* What the store sends, as text: the same URLs, headers and bodies, made by the same functions.
 * What the service answers with is not known here: names in capitals stand for it. */
#include "authority.h"
#include "base/arena.h"
#include "batch_body.h"
#include "count.h"
#include "dataverse/dataverse.h"
#include "definition.h"
#include "documents.h"
#include "http.h"
#include "list.h"
#include "observe.h"
#include "ordered.h"
#include "pace.h"
#include "purge.h"
#include "rights.h"
#include "send.h"
#include "session.h"

#include <stdio.h>
#include <string.h>

#define ORIGIN "https://HOST"

enum { ARENA_BYTES = 64 * 1024, URL_BYTES = 1024 };

static const char root[] = ORIGIN SESSION_API_PATH;

/** The table as it is not known yet. */
static const struct definition unknown = {.entity_set = "ENTITY_SET",
                                          .key_column = "KEY_COLUMN",
                                          .read_privilege = "READ_PRIVILEGE",
                                          .delete_privilege = "DELETE_PRIVILEGE",
                                          .create_privilege = "CREATE_PRIVILEGE",
                                          .has = {true, true, true, true, true, true}};

static bool
show(const struct statement_sink *sink, struct shown_statement statement,
     const struct http_request *request, struct err *err)
{
    TEXT_SCOPED text = {0};

    http_request_text(request, &text);
    statement.text = text_string(&text);
    return text_ok(&text, err) && sink->take(sink->ctx, &statement, err);
}

/** A read under the root, with a token. */
static bool
show_get(const struct statement_sink *sink, struct shown_statement statement, const char *path,
         struct err *err)
{
    static const struct secret token;
    char url[URL_BYTES];
    const struct http_request request = {.method = HTTP_GET, .url = url, .bearer = &token};

    (void)snprintf(url, sizeof url, "%s%s", root, path);
    return show(sink, statement, &request, err);
}

static bool
show_connect(const struct statement_sink *sink, struct err *err)
{
    static const char form[] = "SIGN_IN_FORM";
    char url[URL_BYTES];
    const struct http_request question = {.method = HTTP_GET, .url = url};
    const struct http_request post = {
        .method = HTTP_POST, .url = url, .plain = true, .body = slice_of(form, sizeof form - 1)};

    (void)snprintf(url, sizeof url, "%s%s", ORIGIN, authority_question_path);
    if (!show(sink,
              (struct shown_statement){.purpose = "who gives tokens: asked without one",
                                       .only_when = "tenant and authority are not both given"},
              &question, err))
        return false;
    (void)snprintf(url, sizeof url, "https://AUTHORITY/TENANT%s", authority_token_path);
    return show(
        sink,
        (struct shown_statement){
            .purpose = "sign in",
            .note =
                "again when a token is over; the form has the application, the scope and its secret or assertion, and is never shown; other ways to sign in have other forms"},
        &post, err);
}

/** The list's first page, after the count of its rows. */
static bool
show_list(const struct statement_sink *sink, const struct ordered_query *query, const char *note,
          struct err *err)
{
    static const struct secret token;
    TEXT_SCOPED path = {0};
    char url[URL_BYTES];
    char prefer[LIST_PREFER_BYTES];
    const struct http_request list = {
        .method = HTTP_GET, .url = url, .prefer = prefer, .bearer = &token};
    const struct http_request count = {.method = HTTP_GET, .url = url, .bearer = &token};

    count_url(root, query->entity_set, url, sizeof url);
    if (!show(
            sink,
            (struct shown_statement){
                .purpose = "how many rows there are",
                .note =
                    "again when the list has another length; where the service cannot count, it lists the keys"},
            &count, err))
        return false;
    ordered_path(query, query->select, &path);
    if (!text_ok(&path, err))
        return false;
    (void)snprintf(url, sizeof url, "%s%s", root, text_string(&path));
    list_prefer(query->page_rows, prefer);
    return show(sink, (struct shown_statement){.purpose = "the list of rows", .note = note}, &list,
                err);
}

static bool
show_questions(struct arena *arena, const struct statement_sink *sink, struct err *err)
{
    static const char *const purposes[OBSERVE_PATHS] = {
        "which organization this is", "which user signs in",
        "which finance and operations environment is linked", "the table, its columns and rights"};
    const struct {
        const char *privilege, *purpose;
    } rights[] = {{unknown.read_privilege, "may the user read every row"},
                  {unknown.delete_privilege, "may the user delete rows"},
                  {unknown.create_privilege, "may the user create rows, as an undo does"}};

    for (size_t i = 0; i < OBSERVE_PATHS; i++)
        if (!show_get(sink, (struct shown_statement){.purpose = purposes[i]}, observe_paths[i],
                      err))
            return false;
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++) {
        const char *path = rights_url(arena, "", "USER_ID", rights[i].privilege);

        if (!path)
            return arena_exhausted(err);
        if (!show_get(sink,
                      (struct shown_statement){.purpose = rights[i].purpose,
                                               .only_when = "the table names its privileges"},
                      path, err))
            return false;
    }
    return true;
}

static bool
show_observe(const struct statement_sink *sink, struct err *err)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct ordered_query query;

    if (!arena)
        return arena_exhausted(err);
    query = observe_query(arena, &unknown);
    if (!query.select)
        return arena_exhausted(err);
    return show_questions(arena, sink, err) &&
           show_list(sink, &query,
                     "without columns that the table does not have; then each next page that the "
                     "answer links to on the same host; the first rows of a long list that is not "
                     "in key order are read by their keys",
                     err);
}

static bool
show_read_rows(const struct statement_sink *sink, struct err *err)
{
    const struct ordered_query query = documents_query(&unknown);

    return show_list(sink, &query,
                     "then each next page that the answer links to on the same host; a long list "
                     "that is not in key order is read by its keys",
                     err);
}

/** One request with some of the rows: how many, is decided while they are sent. */
static bool
show_batch(const struct batch_operation *operations, size_t count,
           const struct statement_sink *sink, struct err *err)
{
    static const struct secret token;
    static const struct batch_form form = {
        .boundary = "batch_BOUNDARY", .root = SESSION_API_PATH, .quoted = true};
    TEXT_SCOPED body = {0};
    char url[URL_BYTES];
    char type[BATCH_TYPE_BYTES];
    struct http_request request = {.url = url, .bearer = &token};

    if (!batch_body_write(&form, operations, count, &body, err))
        return false;
    batch_content_type(&form, type);
    send_batch_request(type, &request);
    (void)snprintf(url, sizeof url, "%s$batch", root);
    request.body = slice_of(body.data, body.used);
    return show(
        sink,
        (struct shown_statement){
            .purpose = "DELETE rows, each in the version that is backed up",
            .note =
                "rows go in groups, several at once, as large and as many as the service advises; what is throttled or gets no answer is sent again with the same If-Match; where $batch is not usable each row is a DELETE of its own; a row that was only stamped is read, backed up again and deleted in that version"},
        &request, err);
}

static bool
show_remove(const struct row_stream *rows, const struct statement_sink *sink, struct err *err)
{
    struct row_id ids[PACE_ROWS_MAX];
    struct batch_operation operations[PACE_ROWS_MAX];
    size_t count = 0;
    bool end = false;

    while (!end) {
        if (!rows->next(rows->ctx, &ids[count], &end, err))
            return false;
        if (!end) {
            operations[count] =
                purge_operation(unknown.entity_set, ids[count].key, ids[count].version);
            count++;
        }
        if (count > 0 && (end || count == PACE_ROWS_MAX)) {
            if (!show_batch(operations, count, sink, err))
                return false;
            count = 0;
        }
    }
    return true;
}

const struct runtime_statements dataverse_statements = {.connect = show_connect,
                                                        .observe = show_observe,
                                                        .read_rows = show_read_rows,
                                                        .remove = show_remove};
