#include "count.h"

#include "list.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

enum { PAGE_ROWS = 5000 };

/** {"value":[{"rows":17}]}; -1 when it is not that. */
static int64_t
read_aggregate(const struct http_answer *answer)
{
    cJSON *json = answer_json(answer);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "value");
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(list, 0), "rows");
    int64_t count = -1;

    if (cJSON_IsNumber(rows) && rows->valuedouble >= 0 && rows->valuedouble <= LIST_ROWS_MAX &&
        cJSON_GetArraySize(list) == 1)
        count = (int64_t)rows->valuedouble;
    cJSON_Delete(json);
    return count;
}

static bool
count_pages(struct session *session, const struct definition *definition, int64_t *ret,
            struct err *err)
{
    char path[3 * DEFINITION_NAME_BYTES + 64];
    struct list list;
    struct rows_page page;
    int64_t count = 0;
    bool more = true;
    bool done;

    (void)snprintf(path, sizeof path, "%s?$select=%s&$orderby=%s%%20asc", definition->entity_set,
                   definition->key_column, definition->key_column);
    if (!list_open(&list, session, path, PAGE_ROWS, err))
        return false;
    while ((done = list_next(&list, NULL, &page, &more, err)) && more) {
        struct rows_cursor cursor = rows_begin(page.value);
        struct slice object;

        while (rows_next(&cursor, &object) == ROWS_ROW)
            count++;
    }
    list_close(&list);
    if (done)
        *ret = count;
    return done;
}

void
count_url(const char *root, const char *entity_set, char *ret, size_t size)
{
    (void)snprintf(ret, size, "%s%s?$apply=aggregate($count%%20as%%20rows)", root, entity_set);
}

void
count_ask(struct count_question *question, const struct session *session,
          const struct definition *definition)
{
    count_url(session->root, definition->entity_set, question->url, sizeof question->url);
    question->fetch = (struct fetch){.url = question->url, .may_fail = true};
}

bool
count_answered(struct session *session, const struct definition *definition,
               const struct fetch *fetch, int64_t *ret, struct err *err)
{
    int64_t count;

    if (fetch->judgement.verdict != VERDICT_OK) {
        /* 0x8004E023 beyond 50 000 rows; some services do not aggregate at all. */
        if (fetch->judgement.odata && fetch->answer->status != 403)
            return count_pages(session, definition, ret, err);
        *err = fetch->judgement.err;
        return false;
    }
    count = read_aggregate(fetch->answer);
    if (count < 0)
        return answer_malformed(fetch->answer, "the service does not say how many rows there are",
                                err);
    *ret = count;
    return true;
}

bool
count_rows(struct session *session, const struct definition *definition, int64_t *ret,
           struct err *err)
{
    struct count_question question;

    count_ask(&question, session, definition);
    return session_fetch(session, &question.fetch, 1, err) &&
           count_answered(session, definition, &question.fetch, ret, err);
}

bool
count_agrees(struct session *session, const struct definition *definition, int64_t before,
             int64_t listed, struct err *err)
{
    int64_t after = -1;

    if (listed == before)
        return true;
    if (!count_rows(session, definition, &after, err))
        return false;
    if (listed == after)
        return true;
    (void)err_set(err, ERR_SERVER,
                  "the list of rows has %" PRId64 " rows where the service counts %" PRId64
                  ", and %" PRId64 " before",
                  listed, after, before);
    err->transient = true;
    return err_hint(err, "Something may still write: stop the maps, then try again.");
}
