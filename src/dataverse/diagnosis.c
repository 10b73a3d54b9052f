#include "diagnosis.h"

#include "identifier.h"
#include "organization_names.h"
#include "rows.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_BYTES = 256, PART_BYTES = DIAGNOSIS_TRACE_BYTES / 2, LEAD_BYTES = 256 };

/** Where the objects of a list go, and how many of them at most. */
struct taker {
    void *ctx;
    size_t max;
    bool (*take)(void *ctx, struct slice object, const cJSON *json, struct err *err);
};

static bool
take_object(const struct taker *taker, struct slice object, struct err *err)
{
    cJSON *json = cJSON_ParseWithLength((const char *)object.data, object.size);
    const bool done = json ? taker->take(taker->ctx, object, json, err)
                           : err_set(err, ERR_SERVER, "an entry of the list is not JSON");

    cJSON_Delete(json);
    return done;
}

/** Give every object of a list away. `ret_more`: there are others. */
static bool
each_object(struct slice body, const struct taker *taker, bool *ret_more, struct err *err)
{
    struct rows_page page;
    struct rows_cursor cursor;
    struct slice object;
    const char *why;
    size_t count = 0;

    if (!rows_page_read(body, NULL, &page, &why, err))
        return err_set(err, ERR_SERVER, "%s", why);
    cursor = rows_begin(page.value);
    for (;;) {
        const enum rows_step step = rows_next(&cursor, &object);

        if (step == ROWS_BROKEN)
            return err_set(err, ERR_SERVER, "an entry of the list is not an object");
        if (step == ROWS_END || count == taker->max) {
            *ret_more = step != ROWS_END || page.next_link.size > 0;
            return true;
        }
        if (!take_object(taker, object, err))
            return false;
        count++;
    }
}

/** A string member, borrowed: "" when it is not there. */
static const char *
string_of(const cJSON *json, const char *member)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, member);

    return cJSON_IsString(item) ? item->valuestring : "";
}

/** A copy of a name that is to be shown; a longer one is cut. */
static const char *
copy_shown(struct arena *arena, const char *text)
{
    return arena_printf(arena, "%.*s", SHOWN_BYTES, text);
}

/* ---- organizations in the rows ---- */

static bool
take_row(void *ctx, struct slice object, const cJSON *json, struct err *err)
{
    (void)json;
    return organization_names_take(ctx, object, err);
}

bool
diagnosis_read_names(struct slice body, struct arena *arena, struct runtime_diagnosis *ret,
                     struct err *err)
{
    struct organization_names names = {.arena = arena};
    const struct taker taker = {.ctx = &names, .max = DIAGNOSIS_ROWS, .take = take_row};
    struct organization_name *list;
    bool more;

    if (!each_object(body, &taker, &more, err))
        return false;
    list = arena_alloc(arena, sizeof names.list);
    if (!list)
        return arena_exhausted(err);
    memcpy(list, names.list, sizeof names.list);
    ret->names = list;
    ret->name_count = names.count;
    ret->more_names = names.more;
    ret->rows_read = names.rows_read;
    ret->rows_scanned = names.rows_scanned;
    return true;
}

/* ---- traces ---- */

/** A part of a long text: around the error that matters most; else the end where a trace ends with
 * what went wrong, the beginning where an exception begins with it. */
static struct slice
part_of(const char *text, bool end)
{
    const char *found = strcasestr(text, "SecureConfig Organization");
    const size_t size = strlen(text);
    size_t from = 0;

    if (size < PART_BYTES)
        return slice_of(text, size);
    if (found)
        from = (size_t)(found - text) > LEAD_BYTES ? (size_t)(found - text) - LEAD_BYTES : 0;
    else if (end)
        from = size - (PART_BYTES - 1);
    return slice_of(text + from, size - from < PART_BYTES ? size - from : PART_BYTES - 1);
}

struct traces {
    struct arena *arena;
    struct plugin_trace *list;
    size_t count;
};

static bool
take_trace(void *ctx, struct slice object, const cJSON *json, struct err *err)
{
    struct traces *traces = ctx;
    struct plugin_trace *trace = &traces->list[traces->count];
    const struct slice exception = part_of(string_of(json, "exceptiondetails"), false);
    const struct slice message = part_of(string_of(json, "messageblock"), true);

    (void)object;
    trace->type_name = copy_shown(traces->arena, string_of(json, "typename"));
    trace->created_on = copy_shown(traces->arena, string_of(json, "createdon"));
    trace->text =
        arena_printf(traces->arena, "%.*s\n%.*s", (int)exception.size, (const char *)exception.data,
                     (int)message.size, (const char *)message.data);
    if (!trace->type_name || !trace->created_on || !trace->text)
        return arena_exhausted(err);
    traces->count++;
    return true;
}

bool
diagnosis_read_traces(struct slice body, struct arena *arena, struct runtime_diagnosis *ret,
                      struct err *err)
{
    struct traces traces = {.arena = arena,
                            .list = arena_alloc(arena, DIAGNOSIS_TRACES * sizeof *traces.list)};
    const struct taker taker = {.ctx = &traces, .max = DIAGNOSIS_TRACES, .take = take_trace};
    bool more;

    if (!traces.list)
        return arena_exhausted(err);
    if (!each_object(body, &taker, &more, err))
        return false;
    ret->traces = traces.list;
    ret->trace_count = traces.count;
    return true;
}

/* ---- companies ---- */

struct companies {
    struct arena *arena;
    struct runtime_company *list;
    size_t count;
};

static bool
take_company(void *ctx, struct slice object, const cJSON *json, struct err *err)
{
    struct companies *companies = ctx;
    struct runtime_company *company = &companies->list[companies->count];
    const cJSON *team = cJSON_GetObjectItemCaseSensitive(json, "_cdm_defaultowningteam_value");
    const cJSON *enabled = cJSON_GetObjectItemCaseSensitive(json, "cdm_isenabledfordualwrite");

    (void)object;
    company->code = copy_shown(companies->arena, string_of(json, "cdm_companycode"));
    company->name = copy_shown(companies->arena, string_of(json, "cdm_name"));
    company->enabled = cJSON_IsTrue(enabled);
    company->has_team = !cJSON_IsNull(team); /* a column that is not told proves nothing */
    if (!company->code || !company->name)
        return arena_exhausted(err);
    companies->count++;
    return true;
}

bool
diagnosis_read_companies(struct slice body, struct arena *arena, struct runtime_diagnosis *ret,
                         struct err *err)
{
    struct companies companies = {
        .arena = arena, .list = arena_alloc(arena, DIAGNOSIS_COMPANIES * sizeof *companies.list)};
    const struct taker taker = {
        .ctx = &companies, .max = DIAGNOSIS_COMPANIES, .take = take_company};
    bool more = false;

    if (!companies.list)
        return arena_exhausted(err);
    if (!each_object(body, &taker, &more, err))
        return false;
    ret->companies = companies.list;
    ret->company_count = companies.count;
    ret->more_companies = more;
    return true;
}

/* ---- plug-ins ---- */

struct ids {
    const char *key;
    struct diagnosis_ids found;
};

static bool
take_id(void *ctx, struct slice object, const cJSON *json, struct err *err)
{
    struct ids *ids = ctx;
    const char *text = string_of(json, ids->key);
    char *id = ids->found.ids[ids->found.count];

    (void)object;
    (void)snprintf(id, DIAGNOSIS_ID_BYTES, "%s", text);
    if (strlen(text) >= DIAGNOSIS_ID_BYTES || !guid_normalize(id))
        return err_set(err, ERR_SERVER, "an entry of the list has no usable key %s", ids->key);
    ids->found.count++;
    return true;
}

bool
diagnosis_read_ids(struct slice body, const char *key, struct diagnosis_ids *ret, struct err *err)
{
    struct ids ids = {.key = key};
    const struct taker taker = {.ctx = &ids, .max = DIAGNOSIS_IDS, .take = take_id};

    if (!each_object(body, &taker, &ids.found.more, err))
        return false;
    *ret = ids.found;
    return true;
}

struct steps {
    struct arena *arena;
    const char **names;
    size_t count, disabled, name_count;
};

static bool
take_step(void *ctx, struct slice object, const cJSON *json, struct err *err)
{
    struct steps *steps = ctx;
    const cJSON *state = cJSON_GetObjectItemCaseSensitive(json, "statecode");

    (void)object;
    if (!cJSON_IsNumber(state))
        return err_set(err, ERR_SERVER, "a plug-in step does not say its state");
    steps->count++;
    if (state->valuedouble == 0)
        return true;
    steps->disabled++;
    if (steps->name_count == DIAGNOSIS_STEP_NAMES)
        return true;
    steps->names[steps->name_count] = copy_shown(steps->arena, string_of(json, "name"));
    return steps->names[steps->name_count++] || arena_exhausted(err);
}

bool
diagnosis_read_steps(struct slice body, struct arena *arena, struct runtime_diagnosis *ret,
                     struct err *err)
{
    struct steps steps = {.arena = arena,
                          .names = arena_alloc(arena, DIAGNOSIS_STEP_NAMES * sizeof *steps.names)};
    const struct taker taker = {.ctx = &steps, .max = DIAGNOSIS_STEPS, .take = take_step};
    bool more = false;

    if (!steps.names)
        return arena_exhausted(err);
    if (!each_object(body, &taker, &more, err))
        return false;
    ret->plugin_steps = steps.count;
    ret->more_steps = more;
    ret->disabled_steps = steps.disabled;
    ret->disabled_names = steps.names;
    ret->disabled_name_count = steps.name_count;
    return true;
}
