#include "purge.h"

#include "identifier.h"
#include "send.h"

#include <stdio.h>

enum { WAIT_MS = 200, INTENT_ROWS = 500 };

struct purge {
    const struct definition *definition;
    const struct runtime_ref *rows;
    const struct removal_sink *sink;
};

struct batch_operation
purge_operation(const char *entity_set, const char *key, const char *etag)
{
    return (struct batch_operation){
        .method = BATCH_DELETE, .set = entity_set, .key = key, .if_match = etag};
}

static void
read_operation(void *ctx, size_t row, struct batch_operation *ret)
{
    const struct purge *purge = ctx;

    *ret =
        purge_operation(purge->definition->entity_set, purge->rows[row].key, purge->rows[row].etag);
}

static bool
on_intent(void *ctx, size_t first, size_t count, struct err *err)
{
    const struct purge *purge = ctx;
    const struct runtime_ref *rows[INTENT_ROWS];

    while (count > 0) {
        const size_t some = count < INTENT_ROWS ? count : INTENT_ROWS;

        for (size_t i = 0; i < some; i++)
            rows[i] = &purge->rows[first + i];
        if (!purge->sink->intent(purge->sink->ctx, rows, some, err))
            return false;
        first += some;
        count -= some;
    }
    return true;
}

static bool
on_outcome(void *ctx, const struct sent *sent, struct err *err)
{
    static const enum removal_state states[] = {[SENT_DONE] = REMOVAL_DONE,
                                                [SENT_GONE] = REMOVAL_GONE,
                                                [SENT_CHANGED] = REMOVAL_CHANGED,
                                                [SENT_FAILED] = REMOVAL_FAILED,
                                                [SENT_UNKNOWN] = REMOVAL_UNKNOWN};
    const struct purge *purge = ctx;
    struct removal removal = {.row = &purge->rows[sent->row],
                              .state = states[sent->state],
                              .http_status = sent->http_status};

    (void)snprintf(removal.request_id, sizeof removal.request_id, "%s", sent->request_id);
    if (sent->why)
        removal.why = *sent->why;
    return purge->sink->outcome(purge->sink->ctx, &removal, err);
}

static void
on_progress(void *ctx, const struct runtime_pace *pace)
{
    const struct purge *purge = ctx;

    if (purge->sink->progress)
        purge->sink->progress(purge->sink->ctx, pace);
}

static const struct send_ops send_ops = {.operation = read_operation,
                                         .intent = on_intent,
                                         .outcome = on_outcome,
                                         .progress = on_progress};

/** Keys go into URLs and versions into If-Match: neither may be anything else. */
static bool
check_rows(const struct runtime_ref *rows, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!guid_names_something(rows[i].key))
            return err_set(err, ERR_INTERNAL, "row %zu has a key that is no GUID", i + 1);
        if (!rows[i].etag || !etag_is_valid(rows[i].etag)) {
            (void)err_set(err, ERR_SCHEMA, "row %s has no version", rows[i].key);
            return err_hint(err, "Without one a row that changed meanwhile could be deleted: "
                                 "no runtime configuration was deleted.");
        }
    }
    return true;
}

/** A service that does not compare versions would delete rows that changed. */
static bool
check_table(const struct definition *definition, struct err *err)
{
    if (definition->optimistic_concurrency)
        return true;
    (void)err_set(err, ERR_SCHEMA,
                  "the table does not support row versions (optimistic concurrency is off)");
    return err_hint(err, "Without them a row that changed meanwhile could be deleted: "
                         "no runtime configuration was deleted.");
}

bool
purge_delete_rows(struct session *session, const struct definition *definition,
                  const struct runtime_ref *rows, size_t count, const struct removal_sink *sink,
                  struct err *err)
{
    struct purge purge = {.definition = definition, .rows = rows, .sink = sink};
    const struct send_task task = {
        .definition = definition, .ops = &send_ops, .ctx = &purge, .total = count};
    struct sender *sender;
    bool done;

    if (!check_rows(rows, count, err) || (count > 0 && !check_table(definition, err)) ||
        !send_new(session, &task, &sender, err))
        return false;
    send_offer(sender, count, true);
    while (send_go_on(sender, WAIT_MS) != SEND_OVER)
        continue;
    done = send_finish(sender, err);
    send_free(sender);
    return done;
}
