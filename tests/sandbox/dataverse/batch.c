/** $batch: multipart/mixed, operations in sequence, change sets as one transaction. */
#include "dataverse/call.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { OPERATIONS_MAX = 1000, BOUNDARY_MAX = 128, URL_MAX = 65536 };

static const char too_many[] = "The batch holds more than 1000 operations.";

struct piece {
    const char *text;
    size_t bytes;
};

struct batch {
    struct dv_call *call;
    FILE *out;
    char boundary[BOUNDARY_MAX]; /* of the answer */
    bool go_on;                  /* odata.continue-on-error */
    int first_failure;           /* its status, or 0 */
    bool cut;
    size_t operations;
    const char *problem; /* the whole request is refused */
};

/* ---- taking multipart apart ---- */

static bool
boundary_of(const char *type, char *ret, size_t size)
{
    const char *at = type ? strcasestr(type, "boundary=") : NULL;
    if (!type || strncasecmp(type, "multipart/mixed", 15) != 0 || !at)
        return false;
    at += 9;
    const bool quoted = *at == '"';
    at += quoted;
    size_t bytes = strcspn(at, quoted ? "\"" : "; \t\r\n");
    if (bytes == 0 || bytes >= size || (quoted && at[bytes] != '"'))
        return false;
    memcpy(ret, at, bytes);
    ret[bytes] = '\0';
    return true;
}

/** The next line that is --BOUNDARY, at or behind `from`; NULL when there is none. */
static const char *
find_delimiter(struct piece body, const char *from, const char *boundary)
{
    const char *end = body.text + body.bytes;
    const size_t bytes = strlen(boundary);
    for (const char *at = from; at && at + bytes + 2 <= end;) {
        bool line_start = at == body.text || at[-1] == '\n';
        if (line_start && at[0] == '-' && at[1] == '-' && memcmp(at + 2, boundary, bytes) == 0)
            return at;
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    return NULL;
}

/**
 * The next part behind `*cursor` (a delimiter). 1 a part, 0 the end, -1 malformed: no CRLF where
 * one belongs.
 */
static int
next_part(struct piece body, const char *boundary, const char **cursor, struct piece *ret)
{
    const char *end = body.text + body.bytes;
    const char *start = *cursor + 2 + strlen(boundary);
    if (start + 2 <= end && start[0] == '-' && start[1] == '-')
        return 0;
    if (start + 2 > end || start[0] != '\r' || start[1] != '\n')
        return -1;
    start += 2;
    const char *next = find_delimiter(body, start, boundary);
    if (!next || next - start < 2 || next[-2] != '\r')
        return -1;
    ret->text = start;
    ret->bytes = (size_t)(next - 2 - start);
    *cursor = next;
    return 1;
}

static const char *
find_crlf(struct piece text)
{
    return text.bytes < 2 ? NULL : memmem(text.text, text.bytes, "\r\n", 2);
}

static void
advance(struct piece *text, const char *to)
{
    text->bytes -= (size_t)(to - text->text);
    text->text = to;
}

/** Headers up to and with the blank line; `text` moves behind it. */
static bool
take_headers(struct piece *text, struct http_headers *ret)
{
    for (;;) {
        char line[4096];
        const char *end = find_crlf(*text);
        if (!end || (size_t)(end - text->text) >= sizeof(line))
            return false;
        size_t bytes = (size_t)(end - text->text);
        memcpy(line, text->text, bytes);
        line[bytes] = '\0';
        advance(text, end + 2);
        if (bytes == 0)
            return true;
        char *colon = strchr(line, ':');
        if (!colon)
            return false;
        *colon = '\0';
        http_headers_add(ret, line, colon + 1 + strspn(colon + 1, " \t"));
    }
}

/* ---- one operation ---- */

struct operation {
    char method[16];
    char *target;
    struct http_headers headers;
    char *body; /* NUL-terminated copy */
    size_t body_bytes;
    const char *content_id;
};

static void
operation_done(struct operation *operation)
{
    http_headers_free(&operation->headers);
    free(operation->target);
    free(operation->body);
}

/** An absolute path, a URL of this service, or (when allowed) a path below the service root. */
static char *
resolve(const struct dv_call *call, const char *url, size_t bytes)
{
    char own[512];
    char *result = NULL;
    (void)snprintf(own, sizeof(own), "https://%s/", call->settings->host);
    size_t base = strlen(call->base);
    if (bytes > base && strncmp(url, call->base, base) == 0 && url[base] == '/')
        return strndup(url + base, bytes - base);
    if (bytes > strlen(own) && strncmp(url, own, strlen(own)) == 0)
        return strndup(url + strlen(own) - 1, bytes - strlen(own) + 1);
    if (bytes > 0 && url[0] == '/')
        return strndup(url, bytes);
    if (!call->settings->relative_batch_urls)
        return NULL;
    if (asprintf(&result, "/api/data/%s/%.*s", call->api, (int)bytes, url) < 0)
        return NULL;
    return result;
}

static bool
parse_request_line(const struct dv_call *call, struct piece *text, struct operation *ret)
{
    const char *end = find_crlf(*text);
    const char *space = end ? memchr(text->text, ' ', (size_t)(end - text->text)) : NULL;
    const char *last = end ? memrchr(text->text, ' ', (size_t)(end - text->text)) : NULL;
    if (!space || last == space || (size_t)(space - text->text) >= sizeof(ret->method))
        return false;
    if (end - last < 9 || strncmp(last + 1, "HTTP/1.", 7) != 0 || end - last > URL_MAX)
        return false;
    memcpy(ret->method, text->text, (size_t)(space - text->text));
    ret->method[space - text->text] = '\0';
    ret->target = resolve(call, space + 1, (size_t)(last - space - 1));
    advance(text, end + 2);
    return ret->target != NULL;
}

static const char *
parse_operation(const struct dv_call *call, struct piece text, struct operation *ret)
{
    if (!parse_request_line(call, &text, ret))
        return "Invalid URI or request line: an absolute path and HTTP/1.1 are needed.";
    if (!take_headers(&text, &ret->headers))
        return "The headers of an operation must end with an empty line.";
    ret->body = malloc(text.bytes + 1); /* may hold NULs */
    if (!ret->body)
        return "out of memory";
    memcpy(ret->body, text.text, text.bytes);
    ret->body[text.bytes] = '\0';
    ret->body_bytes = text.bytes;
    return NULL;
}

/* ---- answers ---- */

static void
print_answer(FILE *out, const char *boundary, const struct http_answer *answer,
             const char *content_id)
{
    char id[DV_ID_BYTES];
    dv_uuid(id);
    (void)fprintf(out,
                  "--%s\r\nContent-Type: application/http\r\n"
                  "Content-Transfer-Encoding: binary\r\n",
                  boundary);
    if (content_id)
        (void)fprintf(out, "Content-ID: %s\r\n", content_id);
    (void)fprintf(out, "\r\nHTTP/1.1 %d %s\r\n", answer->status,
                  MHD_get_reason_phrase_for((unsigned)answer->status));
    for (size_t i = 0; i < answer->headers.count; i++)
        (void)fprintf(out, "%s: %s\r\n", answer->headers.items[i].name,
                      answer->headers.items[i].value);
    (void)fprintf(out, "OData-Version: 4.0\r\n");
    if (answer->status >= 400)
        (void)fprintf(out, "REQ_ID: %s\r\n", id);
    (void)fputs("\r\n", out);
    if (answer->body)
        (void)fwrite(answer->body, 1, answer->body_bytes, out);
    (void)fputs("\r\n", out);
}

/** What a fault rule does to a part. True: `call` is answered already. */
static bool
part_fault(struct batch *batch, struct dv_call *call, bool *ret_missing)
{
    struct fault_action action = fault_at(call->faults, "dv.part", call->subject);
    switch (action.what) {
    case FAULT_CUT:
        batch->cut = true;
        return false;
    case FAULT_DELAY:
    case FAULT_FREEZE:
        (void)http_link_wait(batch->call->link, action.arg);
        return false;
    case FAULT_ERROR:
        dv_fault_error(call, &action);
        return true;
    case FAULT_OTHER:
        *ret_missing = strcmp(action.text, "missing") == 0;
        return false;
    case FAULT_NONE:
    case FAULT_SQL:
        return false;
    }
    return false;
}

static void
log_part(struct batch *batch, const struct dv_call *call)
{
    char status[16];
    const char *match = dv_header(call, "If-Match");
    const char *wait = http_headers_get(&call->answer->headers, "Retry-After");
    (void)snprintf(status, sizeof(status), "%d", call->answer->status);
    sandbox_log_add(call->log, "http-part", batch->call->session, "method", call->method, "path",
                    call->target, "status", status, "if_match", match ? match : "", "retry_after",
                    wait ? wait : "", NULL);
}

/** Run one; its answer goes to `out` behind `boundary`. The status. */
static int
run(struct batch *batch, const struct operation *operation, FILE *out, const char *boundary)
{
    struct dv_call call = *batch->call;
    struct http_answer answer = {.status = 500, .cut_after = -1};
    char *subject = NULL;
    bool missing = false;
    call.query.count = 0;
    call.path = NULL;
    call.method = operation->method;
    call.target = operation->target;
    call.headers = &operation->headers;
    call.body = operation->body ? operation->body : "";
    call.body_bytes = operation->body_bytes;
    call.answer = &answer;
    if (asprintf(&subject, "%s %s", operation->method, operation->target) < 0)
        subject = NULL;
    call.subject = subject ? subject : "";
    if (!dv_call_parse(&call))
        dv_error(&call, 404, "0x80060888", "Resource not found for the segment '%s'.",
                 operation->target);
    else if (strcmp(call.path, "$batch") == 0)
        dv_error(&call, 400, "0x80060888", "A batch inside a batch is not supported.");
    else if (!part_fault(batch, &call, &missing))
        dv_execute(&call);
    log_part(batch, &call);
    if (!missing)
        print_answer(out, boundary, &answer, operation->content_id);
    dv_call_done(&call);
    http_answer_free(&answer);
    free(subject);
    return answer.status;
}

/* ---- parts ---- */

static void
note(struct batch *batch, int status)
{
    if (status >= 400 && batch->first_failure == 0)
        batch->first_failure = status;
}

static void
run_single(struct batch *batch, struct piece text)
{
    struct operation operation = {.method = ""};
    batch->operations++;
    batch->problem = parse_operation(batch->call, text, &operation);
    if (!batch->problem)
        note(batch, run(batch, &operation, batch->out, batch->boundary));
    operation_done(&operation);
}

/** One operation of a change set. The status, or 0 when the whole request is malformed. */
static int
run_in_change_set(struct batch *batch, struct piece part, FILE *out, const char *boundary)
{
    struct http_headers headers = {.count = 0};
    struct operation operation = {.method = ""};
    int status = 0;
    batch->operations++;
    if (!take_headers(&part, &headers))
        batch->problem = "The headers of a part must end with an empty line.";
    else
        batch->problem = parse_operation(batch->call, part, &operation);
    if (!batch->problem && strcmp(operation.method, "GET") == 0)
        batch->problem = "A change set cannot hold a GET.";
    if (!batch->problem) {
        operation.content_id = http_headers_get(&headers, "Content-ID");
        status = run(batch, &operation, out, boundary);
    }
    operation_done(&operation);
    http_headers_free(&headers);
    return status;
}

static void
print_change_set(struct batch *batch, const char *boundary, const char *text, int failure)
{
    if (failure == 0) {
        (void)fprintf(batch->out, "--%s\r\nContent-Type: multipart/mixed; boundary=%s\r\n\r\n",
                      batch->boundary, boundary);
        (void)fputs(text, batch->out);
        (void)fprintf(batch->out, "--%s--\r\n", boundary);
        return;
    }
    /* A failed change set answers with the failing operation alone, in its own place. */
    const char *last = text;
    for (const char *at = text; (at = strstr(at, boundary)); at += strlen(boundary))
        last = at + strlen(boundary);
    (void)fprintf(batch->out, "--%s%s", batch->boundary, last);
}

/** The operations of a change set up to the first that fails; its status, or 204. */
static int
run_operations(struct batch *batch, struct piece part, const char *inner, FILE *out,
               const char *boundary)
{
    const char *cursor = find_delimiter(part, part.text, inner);
    struct piece operation;
    int status = 204;
    int more = cursor ? 1 : -1;
    while (more > 0 && status < 400 && !batch->problem) {
        more = next_part(part, inner, &cursor, &operation);
        if (more > 0 && batch->operations >= OPERATIONS_MAX)
            batch->problem = too_many;
        else if (more > 0)
            status = run_in_change_set(batch, operation, out, boundary);
    }
    if (more < 0)
        batch->problem = "The change set is malformed.";
    return status;
}

static void
run_change_set(struct batch *batch, struct piece part, const char *type)
{
    char inner[BOUNDARY_MAX];
    char boundary[BOUNDARY_MAX];
    char id[DV_ID_BYTES];
    char *text = NULL;
    size_t bytes = 0;
    dv_uuid(id);
    (void)snprintf(boundary, sizeof(boundary), "changesetresponse_%s", id);
    FILE *out = boundary_of(type, inner, sizeof(inner)) ? open_memstream(&text, &bytes) : NULL;
    if (!out || !dv_store_begin(batch->call->store)) {
        batch->problem = "The change set is malformed.";
        if (out)
            (void)fclose(out);
        free(text);
        return;
    }
    int status = run_operations(batch, part, inner, out, boundary);
    const bool failed = status >= 400 || batch->problem;
    (void)dv_store_end(batch->call->store, !failed);
    (void)fclose(out);
    if (!batch->problem) {
        print_change_set(batch, boundary, text ? text : "", failed ? status : 0);
        note(batch, status);
    }
    free(text);
}

static void
run_part(struct batch *batch, struct piece part)
{
    struct http_headers headers = {.count = 0};
    if (!take_headers(&part, &headers)) {
        batch->problem = "The headers of a part must end with an empty line.";
        http_headers_free(&headers);
        return;
    }
    const char *type = http_headers_get(&headers, "Content-Type");
    if (type && strncasecmp(type, "application/http", 16) == 0)
        run_single(batch, part);
    else if (type && strncasecmp(type, "multipart/mixed", 15) == 0)
        run_change_set(batch, part, type);
    else
        batch->problem = "A part must be application/http or a change set.";
    http_headers_free(&headers);
}

static void
run_all(struct batch *batch, const char *boundary)
{
    struct piece body = {.text = batch->call->body, .bytes = batch->call->body_bytes};
    const char *cursor = find_delimiter(body, body.text, boundary);
    struct piece part;
    int more = cursor ? 1 : -1;
    while (more > 0 && !batch->problem && !batch->cut) {
        more = next_part(body, boundary, &cursor, &part);
        if (more <= 0)
            break;
        if (batch->operations >= OPERATIONS_MAX) {
            batch->problem = too_many;
            break;
        }
        run_part(batch, part);
        if (batch->first_failure && !batch->go_on)
            break;
    }
    if (more < 0)
        batch->problem = "The multipart body is malformed.";
}

static void
answer(struct batch *batch, char *text, size_t bytes)
{
    struct dv_call *call = batch->call;
    char type[BOUNDARY_MAX + 64];
    if (batch->cut) {
        dv_empty(call, 0);
    } else if (batch->problem) {
        dv_error(call, 400, "0x80060888", "%s", batch->problem);
    } else {
        http_answer_free(call->answer);
        call->answer->status = batch->go_on || !batch->first_failure ? 200 : batch->first_failure;
        call->answer->body = text;
        call->answer->body_bytes = bytes;
        (void)snprintf(type, sizeof(type), "multipart/mixed; boundary=%s", batch->boundary);
        http_headers_add(&call->answer->headers, "Content-Type", type);
        if (batch->go_on)
            http_headers_add(&call->answer->headers, "Preference-Applied",
                             "odata.continue-on-error");
        text = NULL;
    }
    free(text);
}

void
dv_batch(struct dv_call *call)
{
    char boundary[BOUNDARY_MAX];
    char id[DV_ID_BYTES];
    char value[16];
    char *text = NULL;
    size_t bytes = 0;
    struct batch batch = {.call = call};
    if (strcmp(call->method, "POST") != 0) {
        dv_error(call, 405, "0x80060888",
                 "The requested resource does not support http method '%s'.", call->method);
        return;
    }
    if (!boundary_of(dv_header(call, "Content-Type"), boundary, sizeof(boundary))) {
        dv_error(call, 400, "0x80060888",
                 "The Content-Type of a batch must be multipart/mixed with a boundary.");
        return;
    }
    dv_uuid(id);
    (void)snprintf(batch.boundary, sizeof(batch.boundary), "batchresponse_%s", id);
    batch.go_on = dv_preference(call, "odata.continue-on-error", value, sizeof(value)) &&
                  strcmp(value, "false") != 0;
    batch.out = open_memstream(&text, &bytes);
    if (!batch.out) {
        dv_error(call, 500, "", "out of memory");
        return;
    }
    run_all(&batch, boundary);
    (void)fprintf(batch.out, "--%s--\r\n", batch.boundary);
    (void)fclose(batch.out);
    answer(&batch, text, bytes);
}

int64_t
dv_batch_operations(const struct dv_call *call)
{
    int64_t count = 0;
    const char *end = call->body + call->body_bytes;
    static const char mark[] = "application/http";
    for (const char *at = call->body; at < end; at += sizeof(mark) - 1) {
        at = memmem(at, (size_t)(end - at), mark, sizeof(mark) - 1);
        if (!at)
            break;
        count++;
    }
    return count;
}
