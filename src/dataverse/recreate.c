#include "recreate.h"

#include "identifier.h"
#include "rows.h"
#include "send.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WAIT_MS = 200,
    GROUP_ROWS = 100,     /* offered together, so that the first batches are not of one row */
    HELD_ROWS_MAX = 2000, /* without an outcome */
    HELD_BYTES_MAX = 16 * 1024 * 1024,
    BODY_MAX_BYTES = 32 * 1024 * 1024,
    INTENT_ROWS = 500,
};

/** A row that has no outcome yet. */
struct item {
    char key[40];
    size_t size, date; /* of the body; where its last member begins, 0 = it has no date to drop */
    size_t held;       /* bytes that it stands for */
    char body[];
};

struct recreate {
    const struct definition *definition;
    const struct columns *columns;
    const struct return_sink *sink;
    struct sender *sender;
    struct item **items; /* by row; NULL once it has its outcome */
    size_t total, given, offered;
    size_t held, held_bytes;
    bool without_dates; /* the user may not set them */
    bool stopped;
    struct err why;
};

/* ---- bodies ---- */

/** "name@odata.bind":"/set(GUID)" */
static bool
append_lookup(const struct table_column *column, struct slice value, struct text *ret)
{
    char id[64];

    if (!rows_string(value, id, sizeof id) || !guid_normalize(id))
        return false;
    text_printf(ret, ",\"%s@odata.bind\":\"/%s(%s)\"", column->navigation, column->target_set, id);
    return true;
}

static bool
append_member(const struct columns *columns, const struct rows_member *member, struct text *ret)
{
    const struct table_column *column = columns_of_member(columns, member->name);

    if (!column || column->key || !column->create || !columns_survives(columns, column) ||
        strcmp(column->name, "createdon") == 0 ||
        slice_equal(member->value, slice_of_string("null")))
        return true;
    if (column->lookup)
        return append_lookup(column, member->value, ret);
    text_printf(ret, ",\"%s\":", column->name);
    text_append_bytes(ret, member->value.data, member->value.size);
    return true;
}

bool
recreate_body(const struct columns *columns, struct slice document, struct text *ret,
              size_t *ret_date)
{
    const size_t start = ret->used;
    struct rows_members members;
    struct rows_member member;
    struct slice created = {0};
    struct err unused;
    size_t date = 0;

    if (!rows_is_object(document))
        return false;
    members = rows_members_begin(document);
    while (rows_members_next(&members, &member)) {
        if (!append_member(columns, &member, ret))
            return false;
        if (rows_is_named(&member, "createdon"))
            created = member.value;
    }
    if (columns->dates && created.size > 2 && created.data[0] == '"') {
        date = ret->used - start;
        text_append(ret, ",\"overriddencreatedon\":");
        text_append_bytes(ret, created.data, created.size);
    }
    if (ret->used == start)
        text_append(ret, "{");
    text_append(ret, "}");
    if (!text_ok(ret, &unused))
        return false;
    ret->data[start] = '{'; /* in place of the first comma */
    *ret_date = date;
    return true;
}

/* ---- what a sender asks ---- */

static void
read_operation(void *ctx, size_t row, struct batch_operation *ret)
{
    const struct recreate *recreate = ctx;
    struct item *item = recreate->items[row];

    assert(item);
    if (recreate->without_dates && item->date > 0) {
        item->body[item->date] = '}';
        item->size = item->date + 1;
        item->date = 0;
    }
    *ret = (struct batch_operation){.method = BATCH_PATCH,
                                    .set = recreate->definition->entity_set,
                                    .key = item->key,
                                    .only_new = true,
                                    .document = slice_of(item->body, item->size)};
}

static bool
on_intent(void *ctx, size_t first, size_t count, struct err *err)
{
    const struct recreate *recreate = ctx;
    const char *keys[INTENT_ROWS];

    while (count > 0) {
        const size_t some = count < INTENT_ROWS ? count : INTENT_ROWS;

        for (size_t i = 0; i < some; i++)
            keys[i] = recreate->items[first + i]->key;
        if (!recreate->sink->intent(recreate->sink->ctx, keys, some, err))
            return false;
        first += some;
        count -= some;
    }
    return true;
}

static bool
on_outcome(void *ctx, const struct sent *sent, struct err *err)
{
    static const enum return_state states[] = {[SENT_DONE] = RETURN_DONE,
                                               [SENT_GONE] = RETURN_FAILED,
                                               [SENT_CHANGED] = RETURN_THERE,
                                               [SENT_FAILED] = RETURN_FAILED,
                                               [SENT_UNKNOWN] = RETURN_UNKNOWN};
    struct recreate *recreate = ctx;
    struct item *item = recreate->items[sent->row];
    struct returned returned = {
        .key = item->key, .state = states[sent->state], .http_status = sent->http_status};
    bool done;

    (void)snprintf(returned.request_id, sizeof returned.request_id, "%s", sent->request_id);
    if (sent->why && returned.state != RETURN_THERE)
        returned.why = *sent->why;
    done = recreate->sink->outcome(recreate->sink->ctx, &returned, err);
    recreate->held--;
    recreate->held_bytes -= item->held;
    free(item);
    recreate->items[sent->row] = NULL;
    return done;
}

static void
on_progress(void *ctx, const struct runtime_pace *pace)
{
    const struct recreate *recreate = ctx;

    if (recreate->sink->progress)
        recreate->sink->progress(recreate->sink->ctx, pace);
}

/** The right to set the time of creation is a privilege of its own: without it rows come back with
 * another one. */
static bool
amend(void *ctx, size_t row, const struct err *why)
{
    struct recreate *recreate = ctx;

    if (!strstr(why->primary, "prvOverrideCreatedOn") || recreate->items[row]->date == 0)
        return false;
    recreate->without_dates = true;
    return true;
}

static const struct send_ops send_ops = {.operation = read_operation,
                                         .intent = on_intent,
                                         .outcome = on_outcome,
                                         .progress = on_progress,
                                         .amend = amend};

/* ---- the whole ---- */

bool
recreate_new(struct session *session, const struct recreate_task *task, struct recreate **ret,
             struct err *err)
{
    struct recreate *recreate = calloc(1, sizeof *recreate);
    const struct send_task sending = {
        .definition = task->definition, .ops = &send_ops, .ctx = recreate, .total = task->total};

    if (!recreate)
        return err_set(err, ERR_INTERNAL, "out of memory");
    *recreate = (struct recreate){.definition = task->definition,
                                  .columns = task->columns,
                                  .sink = task->sink,
                                  .total = task->total,
                                  .items = calloc(task->total + 1, sizeof(struct item *))};
    if (recreate->items ? send_new(session, &sending, &recreate->sender, err)
                        : err_set(err, ERR_INTERNAL, "out of memory")) {
        *ret = recreate;
        return true;
    }
    recreate_free(recreate);
    return false;
}

void
recreate_free(struct recreate *recreate)
{
    if (!recreate)
        return;
    send_free(recreate->sender);
    for (size_t row = 0; recreate->items && row < recreate->given; row++)
        free(recreate->items[row]);
    free(recreate->items);
    free(recreate);
}

/** It stopped: nothing is in flight any more. */
static bool
stop(struct recreate *recreate, struct err *err)
{
    if (!recreate->stopped) {
        recreate->stopped = true;
        if (send_finish(recreate->sender, &recreate->why))
            (void)err_set(&recreate->why, ERR_INTERNAL, "the return of rows ended early");
    }
    *err = recreate->why;
    return false;
}

static void
offer(struct recreate *recreate, bool last)
{
    recreate->offered = recreate->given;
    send_offer(recreate->sender, recreate->given, last);
}

/** Take what has been answered; wait while too much is held. False when it stopped. */
static bool
pump(struct recreate *recreate, struct err *err)
{
    for (;;) {
        const bool full = recreate->held >= HELD_ROWS_MAX || recreate->held_bytes >= HELD_BYTES_MAX;
        const size_t held = recreate->held;
        enum send_step step;

        if (full && recreate->offered < recreate->given)
            offer(recreate, false);
        step = send_go_on(recreate->sender, full ? WAIT_MS : 0);
        if (step == SEND_OVER && recreate->held > 0)
            return stop(recreate, err);
        if (step != SEND_WORKS || (!full && recreate->held == held))
            return true;
    }
}

static struct item *
make_item(struct recreate *recreate, const char *key, struct slice document, struct err *err)
{
    TEXT_SCOPED body = {.max = BODY_MAX_BYTES};
    struct item *item;
    size_t date;

    if (!recreate_body(recreate->columns, document, &body, &date)) {
        (void)err_set(err, ERR_STORAGE, "the copy of row %s cannot be sent", key);
        return NULL;
    }
    item = calloc(1, sizeof *item + body.used + 1);
    if (!item) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    (void)snprintf(item->key, sizeof item->key, "%s", key);
    item->size = body.used;
    item->date = date;
    item->held = body.used;
    memcpy(item->body, body.data, body.used);
    return item;
}

/** A row that cannot be sent has its outcome at once. */
static bool
tell_unsent(struct recreate *recreate, const char *key, const struct err *why, struct err *err)
{
    struct returned returned = {.key = key, .state = RETURN_FAILED, .why = *why};

    if (recreate->sink->outcome(recreate->sink->ctx, &returned, err))
        return true;
    send_stop(recreate->sender, err);
    while (send_go_on(recreate->sender, WAIT_MS) == SEND_WORKS)
        continue;
    return stop(recreate, err);
}

bool
recreate_row(struct recreate *recreate, const char *key, struct slice document, struct err *err)
{
    struct item *item;
    struct err why = {0};

    if (recreate->stopped)
        return stop(recreate, err);
    if (recreate->given == recreate->total || !guid_names_something(key))
        return err_set(err, ERR_INTERNAL, "a row to be returned was not expected");
    item = make_item(recreate, key, document, &why);
    if (!item)
        return tell_unsent(recreate, key, &why, err);
    recreate->items[recreate->given++] = item;
    recreate->held++;
    recreate->held_bytes += item->size;
    if (recreate->given - recreate->offered >= GROUP_ROWS)
        offer(recreate, false);
    return pump(recreate, err);
}

bool
recreate_end(struct recreate *recreate, struct err *err)
{
    if (recreate->stopped)
        return stop(recreate, err);
    offer(recreate, true);
    while (send_go_on(recreate->sender, WAIT_MS) != SEND_OVER)
        continue;
    return send_finish(recreate->sender, err);
}
