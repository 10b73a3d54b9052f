/** GET of an entity set: pages, counts, aggregation. */
#include "dataverse/call.h"
#include "dataverse/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ORDER_MAX = 8, SORTED_MAX = 200000, COOKIE_MAX_BYTES = 8192 };

struct order {
    const char *property;
    bool descending;
};

struct listing {
    struct dv_call *call;
    const struct dv_table *table;
    struct dv_select select;
    struct filter *filter;
    struct order order[ORDER_MAX];
    size_t order_count;
    int64_t page; /* rows of this page at most */
    bool paged;   /* a further page may follow */
    bool key_only;
    int64_t page_number;
    cJSON *cookie; /* NULL on the first page */
    cJSON *value;  /* array of the answer */
    int64_t taken;
    bool more;
    cJSON *last; /* cookie of the last row taken */
    cJSON **sorted;
    size_t sorted_count, sorted_size;
};

static void
listing_done(struct listing *list)
{
    filter_free(list->filter);
    free(list->select.text);
    cJSON_Delete(list->cookie);
    cJSON_Delete(list->value);
    cJSON_Delete(list->last);
    for (size_t i = 0; i < list->sorted_count; i++)
        cJSON_Delete(list->sorted[i]);
    free(list->sorted);
}

/* ---- options ---- */

static void
unknown_property(struct dv_call *call, const struct dv_table *table, const char *name)
{
    dv_error(call, 400, "0x80060888",
             "Could not find a property named '%s' on type 'Microsoft.Dynamics.CRM.%s'.", name,
             table->logical_name);
}

bool
dv_select_parse(struct dv_call *call, const struct dv_table *table, struct dv_select *ret)
{
    const char *text = dv_option(call, "$select");
    char *copy = text && *text && strcmp(text, "*") != 0 ? strdup(text) : NULL;
    char *save = NULL;
    if (!copy)
        return true;
    for (char *name = strtok_r(copy, ", ", &save); name; name = strtok_r(NULL, ", ", &save)) {
        const struct dv_attribute *attribute = dv_property(table, name);
        if (!attribute || ret->count == DV_SELECT_MAX) {
            unknown_property(call, table, name);
            free(copy);
            return false;
        }
        ret->items[ret->count++] = attribute;
    }
    free(copy);
    ret->text = strdup(text);
    return true;
}

static bool
parse_order_item(struct listing *list, char *item)
{
    char *save = NULL;
    const char *name = strtok_r(item, " ", &save);
    const char *direction = strtok_r(NULL, " ", &save);
    const struct dv_attribute *attribute = name ? dv_property(list->table, name) : NULL;
    bool descending = direction && strcmp(direction, "desc") == 0;
    if (!attribute || list->order_count == ORDER_MAX ||
        (direction && !descending && strcmp(direction, "asc") != 0)) {
        unknown_property(list->call, list->table, name ? name : "");
        return false;
    }
    list->order[list->order_count++] =
        (struct order){.property = attribute->property, .descending = descending};
    return true;
}

static bool
parse_order(struct listing *list)
{
    const char *text = dv_option(list->call, "$orderby");
    char *copy = text ? strdup(text) : NULL;
    char *save = NULL;
    bool ok = true;
    if (!copy)
        return true;
    for (char *item = strtok_r(copy, ",", &save); ok && item; item = strtok_r(NULL, ",", &save))
        ok = parse_order_item(list, item);
    free(copy);
    /* Rows lie in the order of their keys anyway. */
    if (ok && list->order_count == 1 && !list->order[0].descending &&
        strcmp(list->order[0].property, list->table->key) == 0)
        list->order_count = 0;
    return ok;
}

static bool
parse_filter(struct listing *list, const char *text)
{
    char why[512];
    if (!text)
        return true;
    list->filter = filter_parse(list->table, text, why, sizeof(why));
    if (!list->filter)
        dv_error(list->call, 400, "0x80060888", "%s", why);
    return list->filter != NULL;
}

static bool
parse_count(struct listing *list, const char *text, int64_t *ret)
{
    char *end = NULL;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || value < 1) {
        dv_error(list->call, 400, "0x80060888",
                 "Invalid value '%s' for $top query option found. The $top query option requires "
                 "a non-negative integer value.",
                 text);
        return false;
    }
    *ret = value;
    return true;
}

static bool
parse_page(struct listing *list)
{
    char preferred[32];
    const char *top = dv_option(list->call, "$top");
    list->page = list->call->settings->page_cap;
    list->paged = true;
    if (dv_preference(list->call, "odata.maxpagesize", preferred, sizeof(preferred))) {
        long long asked = strtoll(preferred, NULL, 10);
        if (asked > 0 && asked < list->page)
            list->page = asked;
        return true;
    }
    int64_t rows = 0;
    if (!top)
        return true;
    if (!parse_count(list, top, &rows))
        return false;
    if (rows <= list->page) {
        list->page = rows;
        list->paged = false;
    }
    return true;
}

/* ---- cookies ---- */

/** <cookie pagenumber="2" pagingcookie="HEX" istracking="False" />, HEX of {"id":..,"v":[..]} */
static bool
parse_cookie(struct listing *list)
{
    char json[COOKIE_MAX_BYTES];
    const char *text = dv_option(list->call, "$skiptoken");
    list->page_number = 1;
    if (!text)
        return true;
    const char *number = strstr(text, "pagenumber=\"");
    const char *hex = strstr(text, "pagingcookie=\"");
    size_t bytes = 0;
    if (number && hex) {
        list->page_number = strtoll(number + 12, NULL, 10);
        bytes = dv_unhex(hex + 14, json, sizeof(json));
        list->cookie = cJSON_ParseWithLength(json, bytes);
    }
    if (list->page_number < 1 || list->page_number > 1000000 ||
        !cJSON_IsString(cJSON_GetObjectItem(list->cookie, "id")) ||
        !cJSON_IsArray(cJSON_GetObjectItem(list->cookie, "v"))) {
        dv_error(list->call, 400, "0x80060888", "Malformed XML in the Paging Cookie");
        return false;
    }
    return true;
}

static cJSON *
cookie_of(const struct listing *list, const cJSON *row)
{
    cJSON *cookie = cJSON_CreateObject();
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(row, list->table->key);
    (void)cJSON_AddStringToObject(cookie, "id", cJSON_IsString(id) ? id->valuestring : "");
    cJSON *values = cJSON_AddArrayToObject(cookie, "v");
    for (size_t i = 0; i < list->order_count; i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(row, list->order[i].property);
        (void)cJSON_AddItemToArray(values,
                                   value ? cJSON_Duplicate(value, true) : cJSON_CreateNull());
    }
    return cookie;
}

/** The request's own URL without its $skiptoken, and the new one; malloc'd. */
static char *
next_link(const struct listing *list)
{
    const struct dv_call *call = list->call;
    char *json = cJSON_PrintUnformatted(list->last);
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = json ? open_memstream(&text, &bytes) : NULL;
    if (!out) {
        cJSON_free(json);
        return NULL;
    }
    (void)fprintf(out, "%s/api/data/%s/%s?", call->base, call->api, list->table->set);
    for (size_t i = 0; i < call->query.count; i++) {
        if (strcmp(call->query.items[i].name, "$skiptoken") != 0)
            (void)fprintf(out, "%.*s&", (int)call->query.items[i].raw_bytes,
                          call->query.items[i].raw);
    }
    (void)fprintf(out, "$skiptoken=%%3Ccookie%%20pagenumber=%%22%lld%%22%%20pagingcookie=%%22",
                  (long long)list->page_number + 1);
    for (const char *c = json; *c; c++)
        (void)fprintf(out, "%02x", (unsigned)(unsigned char)*c);
    (void)fputs("%22%20istracking=%22False%22%20/%3E", out);
    cJSON_free(json);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* ---- gathering rows ---- */

static cJSON *
full_row(const struct listing *list, const struct dv_row *row)
{
    static const struct dv_select everything = {.count = 0};
    cJSON *object = list->key_only
                        ? dv_row_json(list->table, row, cJSON_CreateObject(), &list->select)
                        : dv_row_json(list->table, row, NULL, &everything);
    if (!list->call->settings->etags)
        cJSON_DeleteItemFromObject(object, "@odata.etag");
    return object;
}

/** What the client asked to see of a full row. */
static cJSON *
narrow(const struct listing *list, cJSON *row)
{
    if (list->select.count == 0 || list->key_only)
        return row;
    cJSON *result = cJSON_CreateObject();
    cJSON *etag = cJSON_DetachItemFromObject(row, "@odata.etag");
    if (etag)
        cJSON_AddItemToObject(result, "@odata.etag", etag);
    for (size_t i = 0; i < list->select.count; i++) {
        const char *property = list->select.items[i]->property;
        cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(row, property);
        if (item)
            cJSON_AddItemToObject(result, property, item);
    }
    cJSON *key = cJSON_DetachItemFromObjectCaseSensitive(row, list->table->key);
    if (key)
        cJSON_AddItemToObject(result, list->table->key, key);
    cJSON_Delete(row);
    return result;
}

/** Into the page; takes the row. False: the page is full. */
static bool
take_row(struct listing *list, cJSON *row)
{
    if (list->taken == list->page) {
        list->more = true;
        cJSON_Delete(row);
        return false;
    }
    list->taken++;
    if (list->taken == list->page) {
        cJSON_Delete(list->last);
        list->last = cookie_of(list, row);
    }
    cJSON_AddItemToArray(list->value, narrow(list, row));
    return true;
}

/** No traces while tracing is off. */
static bool
is_off(const struct listing *list)
{
    return !list->call->settings->tracing && strcmp(list->table->set, DV_TRACE_SET) == 0;
}

static bool
sees_all(const struct listing *list)
{
    if (is_off(list))
        return false;
    return list->table->is_system || strcmp(list->call->settings->read_depth, "Global") == 0;
}

/** Rows that the right to read does not reach are left out without a word. */
static bool
sees(const struct listing *list, const struct dv_row *stored)
{
    const struct dv_settings *settings = list->call->settings;
    const bool own = strcmp(settings->read_depth, "Basic") == 0;
    if (is_off(list))
        return false;
    if (sees_all(list))
        return true;
    cJSON *columns = cJSON_Parse(stored->columns);
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(
        columns, own ? "_ownerid_value" : "_owningbusinessunit_value");
    bool seen =
        cJSON_IsString(item) &&
        strcasecmp(item->valuestring, own ? settings->user_id : settings->business_unit_id) == 0;
    cJSON_Delete(columns);
    return seen;
}

static bool
visit_in_key_order(void *ctx, const struct dv_row *stored)
{
    struct listing *list = ctx;
    if (!sees(list, stored))
        return true;
    cJSON *row = full_row(list, stored);
    if (list->filter && !filter_matches(list->filter, row)) {
        cJSON_Delete(row);
        return true;
    }
    return take_row(list, row);
}

static bool
visit_to_sort(void *ctx, const struct dv_row *stored)
{
    struct listing *list = ctx;
    if (!sees(list, stored))
        return true;
    cJSON *row = full_row(list, stored);
    if (list->filter && !filter_matches(list->filter, row)) {
        cJSON_Delete(row);
        return true;
    }
    if (list->sorted_count == list->sorted_size) {
        size_t size = list->sorted_size ? list->sorted_size * 2 : 256;
        void *grown = size > SORTED_MAX ? NULL : realloc(list->sorted, size * sizeof(cJSON *));
        if (!grown) {
            cJSON_Delete(row);
            return false;
        }
        list->sorted = grown;
        list->sorted_size = size;
    }
    list->sorted[list->sorted_count++] = row;
    return true;
}

static int
compare_ids(const cJSON *a, const cJSON *b)
{
    return dv_store_order(a->valuestring, b->valuestring);
}

static int
compare_values(const cJSON *a, const cJSON *b)
{
    bool a_null = !a || cJSON_IsNull(a);
    bool b_null = !b || cJSON_IsNull(b);
    if (a_null || b_null)
        return (int)b_null - (int)a_null;
    if (cJSON_IsString(a) && cJSON_IsString(b))
        return strcasecmp(a->valuestring, b->valuestring);
    return (a->valuedouble > b->valuedouble) - (a->valuedouble < b->valuedouble);
}

static int
compare_rows(const void *left, const void *right, void *ctx)
{
    const struct listing *list = ctx;
    const cJSON *a = *(cJSON *const *)left;
    const cJSON *b = *(cJSON *const *)right;
    for (size_t i = 0; i < list->order_count; i++) {
        const char *property = list->order[i].property;
        int order = compare_values(cJSON_GetObjectItemCaseSensitive(a, property),
                                   cJSON_GetObjectItemCaseSensitive(b, property));
        if (order != 0)
            return list->order[i].descending ? -order : order;
    }
    return compare_ids(cJSON_GetObjectItemCaseSensitive(a, list->table->key),
                       cJSON_GetObjectItemCaseSensitive(b, list->table->key));
}

/** The cookie as a row that sorts where the last page ended. */
static cJSON *
cookie_row(const struct listing *list)
{
    cJSON *row = cJSON_CreateObject();
    const cJSON *values = cJSON_GetObjectItem(list->cookie, "v");
    for (size_t i = 0; i < list->order_count; i++) {
        const cJSON *value = cJSON_GetArrayItem(values, (int)i);
        cJSON_AddItemToObject(row, list->order[i].property,
                              value ? cJSON_Duplicate(value, true) : cJSON_CreateNull());
    }
    (void)cJSON_AddStringToObject(row, list->table->key,
                                  cJSON_GetObjectItem(list->cookie, "id")->valuestring);
    return row;
}

static bool
gather_sorted(struct listing *list)
{
    if (!dv_store_each(list->call->store, list->table->set, NULL, visit_to_sort, list))
        return false;
    if (list->sorted_count > 0)
        qsort_r(list->sorted, list->sorted_count, sizeof(cJSON *), compare_rows, list);
    cJSON *start = list->cookie ? cookie_row(list) : NULL;
    bool room = true;
    for (size_t i = 0; room && i < list->sorted_count; i++) {
        if (start && compare_rows(&list->sorted[i], &start, list) <= 0)
            continue;
        cJSON *row = list->sorted[i];
        list->sorted[i] = NULL;
        room = take_row(list, row);
    }
    cJSON_Delete(start);
    return true;
}

static int
compare_texts(const void *left, const void *right)
{
    return dv_store_order(*(const char *const *)left, *(const char *const *)right);
}

/** Rows of named keys, without a look at all the others. */
static bool
gather_keys(struct listing *list, const cJSON *keys)
{
    const cJSON *cookie = cJSON_GetObjectItem(list->cookie, "id");
    const cJSON *item = NULL;
    size_t count = 0;
    const char **texts = calloc((size_t)cJSON_GetArraySize(keys) + 1, sizeof(*texts));
    bool room = texts != NULL;
    cJSON_ArrayForEach(item, keys)
    {
        if (texts)
            texts[count++] = item->valuestring;
    }
    if (count > 1)
        qsort(texts, count, sizeof(*texts), compare_texts);
    for (size_t i = 0; room && i < count; i++) {
        struct dv_row row;
        if ((i > 0 && strcmp(texts[i - 1], texts[i]) == 0) ||
            (cookie && dv_store_order(texts[i], cookie->valuestring) <= 0) ||
            dv_store_get(list->call->store, list->table->set, texts[i], &row) != 1)
            continue;
        room = visit_in_key_order(list, &row);
        free(row.columns);
    }
    free(texts);
    return true;
}

static bool
gather(struct listing *list)
{
    const cJSON *keys = list->filter ? filter_keys(list->filter, list->table->key) : NULL;
    list->value = cJSON_CreateArray();
    if (keys && list->order_count == 0)
        return gather_keys(list, keys);
    if (list->order_count > 0)
        return gather_sorted(list);
    const char *after = list->cookie ? cJSON_GetObjectItem(list->cookie, "id")->valuestring : NULL;
    return dv_store_each(list->call->store, list->table->set, after, visit_in_key_order, list);
}

/* ---- counting ---- */

struct counting {
    const struct listing *list;
    int64_t count;
};

static bool
visit_to_count(void *ctx, const struct dv_row *stored)
{
    struct counting *counting = ctx;
    static const struct dv_select everything = {.count = 0};
    if (!sees(counting->list, stored))
        return true;
    cJSON *row = dv_row_json(counting->list->table, stored, NULL, &everything);
    if (!counting->list->filter || filter_matches(counting->list->filter, row))
        counting->count++;
    cJSON_Delete(row);
    return counting->count <= DV_AGGREGATE_CAP;
}

static int64_t
count_matching(const struct listing *list)
{
    struct counting counting = {.list = list};
    if (!list->filter && sees_all(list))
        return dv_store_count(list->call->store, list->table->set);
    (void)dv_store_each(list->call->store, list->table->set, NULL, visit_to_count, &counting);
    return counting.count;
}

static bool
wants_annotation(const struct dv_call *call)
{
    char asked[512];
    return dv_preference(call, "odata.include-annotations", asked, sizeof(asked)) &&
           (strstr(asked, "*") || strstr(asked, "totalrecordcount"));
}

static void
add_count(const struct listing *list, cJSON *answer)
{
    const char *option = dv_option(list->call, "$count");
    if (!option || strcmp(option, "true") != 0)
        return;
    int64_t count = count_matching(list);
    int64_t shown = count > DV_COUNT_CAP ? DV_COUNT_CAP : count;
    (void)cJSON_AddNumberToObject(answer, "@odata.count", (double)shown);
    if (!wants_annotation(list->call))
        return;
    (void)cJSON_AddNumberToObject(answer, "@Microsoft.Dynamics.CRM.totalrecordcount",
                                  (double)shown);
    (void)cJSON_AddBoolToObject(answer, "@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded",
                                count > DV_COUNT_CAP);
}

void
dv_list_count(struct dv_call *call, const struct dv_table *table)
{
    struct listing list = {.call = call, .table = table};
    char text[32];
    if (!dv_may(call, table, "Read") || !parse_filter(&list, dv_option(call, "$filter"))) {
        listing_done(&list);
        return;
    }
    int64_t count = count_matching(&list);
    (void)snprintf(text, sizeof(text), "%lld",
                   (long long)(count > DV_COUNT_CAP ? DV_COUNT_CAP : count));
    http_answer_text(call->answer, 200, "text/plain", text);
    listing_done(&list);
}

/** aggregate($count as NAME), or filter(...)/aggregate($count as NAME) */
static void
aggregate(struct listing *list, const char *apply)
{
    char filter[2048];
    char name[64];
    int used = 0;
    const char *tail = apply;
    if (strncmp(apply, "filter(", 7) == 0) {
        const char *end = strstr(apply, ")/aggregate(");
        size_t bytes = end ? (size_t)(end - apply - 7) : sizeof(filter);
        if (bytes < sizeof(filter)) {
            memcpy(filter, apply + 7, bytes);
            filter[bytes] = '\0';
            tail = end + 2;
            if (!parse_filter(list, filter))
                return;
        }
    }
    if (sscanf(tail, "aggregate($count as %63[A-Za-z0-9_])%n", name, &used) != 1 || used == 0 ||
        tail[used] != '\0') {
        dv_error(list->call, 400, "0x80060888", "The $apply expression '%s' is not supported.",
                 apply);
        return;
    }
    int64_t count = count_matching(list);
    if (count > DV_AGGREGATE_CAP) {
        dv_error(list->call, 400, "0x8004E023",
                 "AggregateQueryRecordLimit exceeded. Cannot perform this operation.");
        return;
    }
    cJSON *answer = cJSON_CreateObject();
    dv_add_context(list->call, answer, list->table->set);
    cJSON *row = cJSON_CreateObject();
    (void)cJSON_AddNumberToObject(row, name, (double)count);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(answer, "value"), row);
    dv_json(list->call, 200, answer);
}

/* ---- the answer ---- */

static void
apply_fault(const struct listing *list, cJSON *answer, const struct fault_action *action)
{
    struct dv_call *call = list->call;
    char link[4096];
    if (strcmp(action->text, "no-value") == 0)
        cJSON_DeleteItemFromObject(answer, "value");
    if (strcmp(action->text, "short") == 0) {
        cJSON *value = cJSON_GetObjectItem(answer, "value");
        cJSON_DeleteItemFromArray(value, cJSON_GetArraySize(value) - 1);
    }
    if (strcmp(action->text, "repeat-nextlink") == 0)
        (void)snprintf(link, sizeof(link), "%s%s", call->base, call->target);
    else if (strcmp(action->text, "foreign-nextlink") == 0)
        (void)snprintf(link, sizeof(link), "https://elsewhere.invalid/api/data/%s/%s?$skiptoken=1",
                       call->api, list->table->set);
    else
        return;
    cJSON_DeleteItemFromObject(answer, "@odata.nextLink");
    (void)cJSON_AddStringToObject(answer, "@odata.nextLink", link);
}

/** True: the answer is another one than the list. */
static bool
replace_by_fault(struct dv_call *call, struct fault_action *action)
{
    if (action->what == FAULT_OTHER && strcmp(action->text, "html") == 0)
        action->arg = 200;
    else if (action->what != FAULT_ERROR)
        return false;
    dv_fault_error(call, action);
    return true;
}

static void
finish(struct listing *list)
{
    struct dv_call *call = list->call;
    struct fault_action action = fault_at(call->faults, "dv.list", call->subject);
    char rest[2048];
    char size[32];
    cJSON *answer = cJSON_CreateObject();
    (void)snprintf(rest, sizeof(rest), list->select.text ? "%s(%s)" : "%s%s", list->table->set,
                   list->select.text ? list->select.text : "");
    dv_add_context(call, answer, rest);
    add_count(list, answer);
    cJSON_AddItemToObject(answer, "value", list->value);
    list->value = NULL;
    char *link = list->more && list->paged ? next_link(list) : NULL;
    if (link)
        (void)cJSON_AddStringToObject(answer, "@odata.nextLink", link);
    free(link);
    if (action.what == FAULT_OTHER)
        apply_fault(list, answer, &action);
    dv_json(call, 200, answer);
    if (replace_by_fault(call, &action))
        return;
    if (action.what == FAULT_OTHER && strcmp(action.text, "truncated-json") == 0)
        call->answer->body_bytes /= 2;
    if (dv_preference(call, "odata.maxpagesize", size, sizeof(size))) {
        char applied[64];
        (void)snprintf(applied, sizeof(applied), "odata.maxpagesize=%lld", (long long)list->page);
        http_headers_add(&call->answer->headers, "Preference-Applied", applied);
    }
}

static bool
options_known(struct dv_call *call)
{
    static const char *const known[] = {"$select", "$filter", "$orderby",   "$top",
                                        "$count",  "$apply",  "$skiptoken", NULL};
    for (size_t i = 0; i < call->query.count; i++) {
        const char *name = call->query.items[i].name;
        bool ok = name[0] != '$';
        for (size_t k = 0; !ok && known[k]; k++)
            ok = strcmp(known[k], name) == 0;
        if (ok)
            continue;
        if (strcmp(name, "$skip") == 0)
            dv_error(call, 400, "0x80060888", "Skip Clause is not supported in CRM");
        else
            dv_error(call, 400, "0x80060888", "The query option '%s' is not supported.", name);
        return false;
    }
    return true;
}

static bool
select_is_key_only(const struct listing *list)
{
    for (size_t i = 0; i < list->select.count; i++) {
        if (strcmp(list->select.items[i]->property, list->table->key) != 0)
            return false;
    }
    return list->select.count > 0 && !list->filter && list->order_count == 0;
}

void
dv_list(struct dv_call *call, const struct dv_table *table)
{
    struct listing list = {.call = call, .table = table};
    const char *apply = dv_option(call, "$apply");
    if (!dv_may(call, table, "Read") || !options_known(call))
        return;
    if (apply) {
        aggregate(&list, apply);
    } else if (dv_select_parse(call, table, &list.select) &&
               parse_filter(&list, dv_option(call, "$filter")) && parse_order(&list) &&
               parse_page(&list) && parse_cookie(&list)) {
        list.key_only = select_is_key_only(&list);
        if (gather(&list))
            finish(&list);
        else
            dv_error(call, 500, "0x80044150", "Generic SQL error.");
    }
    listing_done(&list);
}
