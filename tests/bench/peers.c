/**
 * peers WAY SCALE [SETTINGS]: deletes all rows of a sandbox's table the way another client does,
 * and says how long it took on the sandbox's clock, which is SCALE times as fast as ours. SETTINGS
 * are made (PATCH /dataverse/settings) when the rows have been listed, before the first delete.
 *
 * The rules are those of tests/model/client.c. No backup, no etags, no journal: as these clients
 * do. Anything but 204 and 429 ends it with status 1.
 */
#include "../model/client.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ROWS_MAX = 200000,
    KEY_BYTES = 37,
    BATCH_MAX = 100,
    BODY_BYTES = 32 * 1024,
    HEADER_BYTES = 4096,
    ANSWER_MAX_BYTES = 16 * 1024 * 1024,
    POLL_MS = 1000,
};

static const char root[] = "/api/data/v9.2/";
static const char set_name[] = "msdyn_dualwriteruntimeconfigs";
static const char boundary[] = "batch_6f1c9c0e-7d0b-4f57-9d0c-000000000001";

static _Noreturn void
fail(const char *what, const char *detail)
{
    (void)fprintf(stderr, "peers: %s: %s\n", what, detail);
    exit(1); /* one thread. NOLINT(concurrency-mt-unsafe) */
}

static const char *
variable(const char *name)
{
    const char *value = getenv(name); /* one thread. NOLINT(concurrency-mt-unsafe) */

    if (!value)
        fail(name, "not set: run this beside a sandbox");
    return value;
}

static double
now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- one request ---- */

struct bytes {
    char *data; /* always ends with a NUL */
    size_t used, size;
};

static size_t
take_bytes(char *data, size_t one, size_t count, void *ctx)
{
    struct bytes *bytes = ctx;

    (void)one;
    if (bytes->used + count > ANSWER_MAX_BYTES)
        return 0;
    if (bytes->used + count + 1 > bytes->size) {
        const size_t size = 2 * (bytes->used + count + 1);
        char *more = realloc(bytes->data, size);

        if (!more)
            return 0;
        bytes->data = more;
        bytes->size = size;
    }
    memcpy(bytes->data + bytes->used, data, count);
    bytes->used += count;
    bytes->data[bytes->used] = '\0';
    return count;
}

static const char *
string_of(const struct bytes *bytes)
{
    return bytes->data ? bytes->data : "";
}

static void
set(CURL *curl, CURLcode code)
{
    (void)curl;
    if (code != CURLE_OK)
        fail("curl", curl_easy_strerror(code));
}

static CURL *
new_request(struct bytes *answer)
{
    CURL *curl = curl_easy_init();

    if (!curl)
        fail("curl", "out of memory");
    set(curl, curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L));
    set(curl, curl_easy_setopt(curl, CURLOPT_NOPROXY, "*"));
    set(curl, curl_easy_setopt(curl, CURLOPT_CAINFO, variable("SANDBOX_CA")));
    set(curl, curl_easy_setopt(curl, CURLOPT_TIMEOUT, 300L));
    set(curl, curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes));
    set(curl, curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer));
    return curl;
}

static struct curl_slist *
add_header(struct curl_slist *headers, const char *name, const char *value)
{
    char text[HEADER_BYTES];
    struct curl_slist *added;

    if ((size_t)snprintf(text, sizeof text, "%s: %s", name, value) >= sizeof text)
        fail(name, "too long");
    added = curl_slist_append(headers, text);
    if (!added)
        fail("curl", "out of memory");
    return added;
}

static long
status_of(CURL *curl)
{
    long status = 0;

    set(curl, curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status));
    return status;
}

/** Does it, and fails unless the answer is 2xx. */
static void
perform(CURL *curl, const char *what, const struct bytes *answer)
{
    set(curl, curl_easy_perform(curl));
    if (status_of(curl) / 100 != 2)
        fail(what, string_of(answer));
}

static void
control(const char *method, const char *path, const char *body)
{
    struct bytes answer = {0};
    CURL *curl = new_request(&answer);
    char url[512];

    (void)snprintf(url, sizeof url, "%s%s", variable("SANDBOX_CONTROL"), path);
    set(curl, curl_easy_setopt(curl, CURLOPT_URL, url));
    if (body)
        set(curl, curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body));
    set(curl, curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method));
    perform(curl, path, &answer);
    curl_easy_cleanup(curl);
    free(answer.data);
}

/* ---- sign-in and the list of rows ---- */

struct table {
    char authorization[HEADER_BYTES];
    char (*keys)[KEY_BYTES];
    size_t count;
    long hint;
};

static void
append_form(CURL *curl, char *form, size_t size, const char *name, const char *value)
{
    const size_t used = strlen(form);
    char *escaped = curl_easy_escape(curl, value, 0);

    if (!escaped ||
        (size_t)snprintf(form + used, size - used, "&%s=%s", name, escaped) >= size - used)
        fail(name, "too long");
    curl_free(escaped);
}

static void
sign_in(struct table *table)
{
    struct bytes answer = {0};
    CURL *curl = new_request(&answer);
    char form[HEADER_BYTES] = "grant_type=client_credentials";
    char text[HEADER_BYTES];
    cJSON *json;
    const char *token;

    (void)snprintf(text, sizeof text, "%s/.default", variable("SANDBOX_DATAVERSE_URL"));
    append_form(curl, form, sizeof form, "scope", text);
    append_form(curl, form, sizeof form, "client_id", variable("SANDBOX_CLIENT_ID"));
    append_form(curl, form, sizeof form, "client_secret", variable("SANDBOX_CLIENT_SECRET"));
    (void)snprintf(text, sizeof text, "%s/%s/oauth2/v2.0/token", variable("SANDBOX_AUTHORITY"),
                   variable("SANDBOX_TENANT"));
    set(curl, curl_easy_setopt(curl, CURLOPT_URL, text));
    set(curl, curl_easy_setopt(curl, CURLOPT_POSTFIELDS, form));
    perform(curl, "sign-in", &answer);
    json = cJSON_ParseWithLength(string_of(&answer), answer.used);
    token = cJSON_GetStringValue(cJSON_GetObjectItem(json, "access_token"));
    if (!token || (size_t)snprintf(table->authorization, sizeof table->authorization, "Bearer %s",
                                   token) >= sizeof table->authorization)
        fail("sign-in", "no token");
    cJSON_Delete(json);
    curl_easy_cleanup(curl);
    free(answer.data);
}

/** Takes a page; where the next one is, or NULL. */
static char *
take_page(struct table *table, const struct bytes *answer)
{
    cJSON *json = cJSON_ParseWithLength(string_of(answer), answer->used);
    const char *link = cJSON_GetStringValue(cJSON_GetObjectItem(json, "@odata.nextLink"));
    char *next = link ? strdup(link) : NULL;
    const cJSON *row;

    if (!cJSON_IsArray(cJSON_GetObjectItem(json, "value")))
        fail("list", "not a page");
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(json, "value"))
    {
        const char *key =
            cJSON_GetStringValue(cJSON_GetObjectItem(row, "msdyn_dualwriteruntimeconfigid"));

        if (!key || strlen(key) != KEY_BYTES - 1 || table->count == ROWS_MAX)
            fail("list", "a row without key, or too many rows");
        memcpy(table->keys[table->count++], key, KEY_BYTES);
    }
    cJSON_Delete(json);
    return next;
}

static void
read_keys(struct table *table)
{
    struct curl_slist *headers = add_header(NULL, "Authorization", table->authorization);
    char first[1024];
    char *url;

    headers = add_header(headers, "Prefer", "odata.maxpagesize=5000");
    (void)snprintf(first, sizeof first, "%s%s%s?$select=msdyn_dualwriteruntimeconfigid",
                   variable("SANDBOX_DATAVERSE_URL"), root, set_name);
    url = strdup(first);
    while (url) {
        struct bytes answer = {0};
        CURL *curl = new_request(&answer);
        struct curl_header *hint = NULL;

        set(curl, curl_easy_setopt(curl, CURLOPT_URL, url));
        set(curl, curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers));
        perform(curl, "list", &answer);
        if (curl_easy_header(curl, "x-ms-dop-hint", 0, CURLH_HEADER, -1, &hint) == CURLHE_OK)
            table->hint = strtol(hint->value, NULL, 10);
        free(url);
        url = take_page(table, &answer);
        curl_easy_cleanup(curl);
        free(answer.data);
    }
    curl_slist_free_all(headers);
}

/* ---- the deletes ---- */

struct flight {
    CURL *curl;
    struct curl_slist *headers;
    struct bytes answer;
    char body[BODY_BYTES];
    size_t rows[BATCH_MAX];
    size_t count; /* 0 = free */
    double sent_s;
};

struct purge {
    const struct table *table;
    double scale, start_s;
    CURLM *multi;
    struct flight flights[CLIENT_SLOTS];
    size_t fresh;     /* rows before this one were taken */
    size_t *returned; /* rows that go first */
    size_t returned_count;
    size_t requests, throttled, deleted;
};

/** On the sandbox's clock. */
static double
purge_now(const struct purge *purge)
{
    return (now_s() - purge->start_s) * purge->scale;
}

static void
write_batch(const struct purge *purge, struct flight *flight)
{
    size_t used = 0;

    for (size_t i = 0; i < flight->count; i++)
        used += (size_t)snprintf(
            flight->body + used, BODY_BYTES - used,
            "--%s\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
            "DELETE %s%s(%s) HTTP/1.1\r\nAccept: application/json\r\n\r\n\r\n",
            boundary, root, set_name, purge->table->keys[flight->rows[i]]);
    used += (size_t)snprintf(flight->body + used, BODY_BYTES - used, "--%s--\r\n", boundary);
    if (used >= BODY_BYTES)
        fail("batch", "too long");
}

static void
depart(struct purge *purge, size_t slot, size_t count)
{
    struct flight *flight = &purge->flights[slot];
    char text[1024];

    if (count > BATCH_MAX)
        fail("batch", "too many rows");
    for (flight->count = 0; flight->count < count; flight->count++)
        flight->rows[flight->count] =
            purge->returned_count > 0 ? purge->returned[--purge->returned_count] : purge->fresh++;
    if (!flight->curl)
        flight->curl = new_request(&flight->answer);
    flight->answer.used = 0;
    flight->headers = add_header(NULL, "Authorization", purge->table->authorization);
    if (count == 1) {
        (void)snprintf(text, sizeof text, "%s%s%s(%s)", variable("SANDBOX_DATAVERSE_URL"), root,
                       set_name, purge->table->keys[flight->rows[0]]);
        set(flight->curl, curl_easy_setopt(flight->curl, CURLOPT_HTTPGET, 1L));
        set(flight->curl, curl_easy_setopt(flight->curl, CURLOPT_CUSTOMREQUEST, "DELETE"));
    } else {
        write_batch(purge, flight);
        flight->headers = add_header(flight->headers, "Prefer", "odata.continue-on-error");
        (void)snprintf(text, sizeof text, "multipart/mixed; boundary=\"%s\"", boundary);
        flight->headers = add_header(flight->headers, "Content-Type", text);
        (void)snprintf(text, sizeof text, "%s%s$batch", variable("SANDBOX_DATAVERSE_URL"), root);
        set(flight->curl, curl_easy_setopt(flight->curl, CURLOPT_CUSTOMREQUEST, NULL));
        set(flight->curl, curl_easy_setopt(flight->curl, CURLOPT_POSTFIELDS, flight->body));
    }
    set(flight->curl, curl_easy_setopt(flight->curl, CURLOPT_URL, text));
    set(flight->curl, curl_easy_setopt(flight->curl, CURLOPT_HTTPHEADER, flight->headers));
    set(flight->curl, curl_easy_setopt(flight->curl, CURLOPT_PRIVATE, flight));
    if (curl_multi_add_handle(purge->multi, flight->curl) != CURLM_OK)
        fail("curl", "add");
    purge->requests++;
    flight->sent_s = purge_now(purge);
}

/** Every part must say 204: nobody else deletes here, and no row is deleted twice. */
static void
take_success(struct purge *purge, const struct flight *flight, long status)
{
    static const char line[] = "HTTP/1.1 204";
    size_t parts = 0;

    for (const char *at = strstr(string_of(&flight->answer), line); at; at = strstr(at + 1, line))
        parts++;
    if (flight->count == 1 ? status != 204 : status != 200 || parts != flight->count)
        fail("a delete failed", string_of(&flight->answer));
    purge->deleted += flight->count;
}

static void
take_throttled(struct purge *purge, const struct flight *flight, double *ret_wait_s)
{
    curl_off_t wait_s = 0;

    set(flight->curl, curl_easy_getinfo(flight->curl, CURLINFO_RETRY_AFTER, &wait_s));
    if (wait_s <= 0)
        fail("429", "without Retry-After");
    *ret_wait_s = (double)wait_s;
    purge->throttled++;
    for (size_t i = flight->count; i-- > 0;)
        purge->returned[purge->returned_count++] = flight->rows[i];
}

static void
arrive(struct purge *purge, struct client *client, const CURLMsg *message)
{
    struct flight *flight = NULL;
    struct reply reply = {0};
    long status;

    set(message->easy_handle,
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&flight));
    set(message->easy_handle, message->data.result);
    status = status_of(flight->curl);
    reply = (struct reply){.slot = (size_t)(flight - purge->flights),
                           .rows = flight->count,
                           .elapsed_s = purge_now(purge) - flight->sent_s};
    if (status == 429)
        take_throttled(purge, flight, &reply.retry_after_s);
    else
        take_success(purge, flight, status);
    if (curl_multi_remove_handle(purge->multi, flight->curl) != CURLM_OK)
        fail("curl", "remove");
    curl_slist_free_all(flight->headers);
    flight->headers = NULL;
    flight->count = 0;
    client->answered(client->self, purge_now(purge), &reply);
}

static size_t
find_free(const struct purge *purge)
{
    for (size_t i = 0; i < CLIENT_SLOTS; i++)
        if (purge->flights[i].count == 0)
            return i;
    fail("a client", "too much at once");
}

/** Takes what has come; waits only when nothing has. */
static void
wait_for_answers(struct purge *purge, struct client *client, double until_s)
{
    const double left_ms = ceil((until_s - purge_now(purge)) * 1000 / purge->scale);
    const CURLMsg *message;
    bool arrived = false;
    int unused = 0;

    if (curl_multi_perform(purge->multi, &unused) != CURLM_OK)
        fail("curl", "perform");
    while ((message = curl_multi_info_read(purge->multi, &unused))) {
        arrive(purge, client, message);
        arrived = true;
    }
    if (!arrived && curl_multi_poll(purge->multi, NULL, 0, (int)fmax(0, fmin(POLL_MS, left_ms)),
                                    NULL) != CURLM_OK)
        fail("curl", "poll");
}

static double
run(struct purge *purge, struct client *client)
{
    purge->start_s = now_s();
    for (;;) {
        const size_t slot = find_free(purge);
        const struct move move = client->move(client->self, purge_now(purge), slot);

        if (move.over)
            return purge_now(purge);
        if (move.rows > 0)
            depart(purge, slot, move.rows);
        else
            wait_for_answers(purge, client, move.until_s);
    }
}

/* ---- which client ---- */

static const struct way {
    const char *name;
    enum { FIXED, SQL4CDS } kind;
    size_t width, batch; /* width 0 = the service's hint */
} ways[] = {
    {"singles-hint", FIXED, 0, 1},  {"singles-50", FIXED, 50, 1},
    {"batch10-hint", FIXED, 0, 10}, {"batch100-hint", FIXED, 0, 100},
    {"sql4cds-10", SQL4CDS, 10, 0}, {"sql4cds-hint", SQL4CDS, 0, 0},
};

static struct client
new_client(const char *name, const struct table *table)
{
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        const struct way *way = &ways[i];
        const size_t width =
            way->width > 0 ? way->width : (size_t)(table->hint > 0 ? table->hint : 5);

        if (strcmp(way->name, name) != 0)
            continue;
        return way->kind == FIXED ? client_fixed(table->count, width, way->batch)
                                  : client_sql4cds(table->count, width);
    }
    fail(name, "no such client");
}

static void
done(struct purge *purge)
{
    for (size_t i = 0; i < CLIENT_SLOTS; i++) {
        curl_easy_cleanup(purge->flights[i].curl);
        free(purge->flights[i].answer.data);
    }
    (void)curl_multi_cleanup(purge->multi);
    free(purge->returned);
    free(purge);
}

int
main(int argc, char **argv)
{
    struct table table = {.keys = calloc(ROWS_MAX, sizeof *table.keys)};
    struct purge *purge = calloc(1, sizeof *purge);
    struct client client;
    double seconds;

    if (argc < 3 || argc > 4 || strtol(argv[2], NULL, 10) < 1)
        fail("usage", "peers WAY SCALE [SETTINGS]");
    if (!table.keys || !purge || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        fail("start", "out of memory");
    sign_in(&table);
    read_keys(&table);
    client = new_client(argv[1], &table);
    purge->table = &table;
    purge->scale = (double)strtol(argv[2], NULL, 10);
    purge->multi = curl_multi_init();
    purge->returned = calloc(table.count + 1, sizeof *purge->returned);
    if (!purge->multi || !purge->returned)
        fail("start", "out of memory");
    if (argc == 4)
        control("PATCH", "/dataverse/settings", argv[3]);
    control("DELETE", "/log", NULL);
    seconds = run(purge, &client);
    (void)printf("%s rows=%zu seconds=%.2f requests=%zu throttled=%zu\n", argv[1], purge->deleted,
                 seconds, purge->requests, purge->throttled);
    client.done(client.self);
    done(purge);
    free(table.keys);
    curl_global_cleanup();
    return 0;
}
