#include "batch_reply.h"

#include "base/parse.h"
#include "base/text.h"
#include "batch_body.h"
#include "identifier.h"
#include "rows.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    STATUS_MIN = 200,
    STATUS_MAX = 599,
    STATUS_FAILURE = 400,
    RETRY_AFTER_MAX_S = 100 * 1000 * 1000,
    NUMBER_BYTES = 24,
    HTTP_NAME_BYTES = 7, /* "HTTP/1." */
};

static const char too_many[] = "it has more parts than the batch had operations";

struct reader {
    const struct batch_expected *expected;
    struct batch_reply *reply;
    size_t seen, by_id; /* parts so far; those that were placed by their id */
    const char *fault;  /* why it is no reply to this batch */
};

static bool
fail(struct reader *reader, const char *fault)
{
    reader->fault = fault;
    return false;
}

/** What is left of a text; a step takes from its front. */
static void
drop(struct slice *text, size_t size)
{
    text->data += size;
    text->size -= size;
}

static struct slice
trim(struct slice text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        drop(&text, 1);
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t' ||
                             text.data[text.size - 1] == '\r'))
        text.size--;
    return text;
}

/** The next line, without its end; false when nothing is left. `*ret_ended` = it has an end. */
static bool
next_line(struct slice *text, struct slice *ret, bool *ret_ended)
{
    const unsigned char *end;
    size_t size;

    if (text->size == 0)
        return false;
    end = memchr(text->data, '\n', text->size);
    size = end ? (size_t)(end - text->data) : text->size;
    *ret = slice_of(text->data, size);
    *ret_ended = end;
    if (end && size > 0 && ret->data[size - 1] == '\r')
        ret->size--;
    drop(text, end ? size + 1 : size);
    return true;
}

static bool
is_word(struct slice text, const char *word)
{
    return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

/** Copy what stands in front of a separator: visible characters only, else nothing. */
static void
copy_value(struct slice value, const char *separators, char *ret, size_t ret_size)
{
    size_t size = 0;

    value = trim(value);
    while (size < value.size && size + 1 < ret_size && value.data[size] > ' ' &&
           value.data[size] <= '~' && !strchr(separators, value.data[size]))
        size++;
    if (size > 0)
        memcpy(ret, value.data, size);
    ret[size] = '\0';
}

/* ---- the Content-Type of a reply or of a part ---- */

/** The first word of a type. */
static bool
has_media_type(struct slice type, const char *name)
{
    size_t size = 0;

    type = trim(type);
    while (size < type.size && type.data[size] != ';' && type.data[size] != ' ' &&
           type.data[size] != '\t')
        size++;
    return is_word(slice_of(type.data, size), name);
}

/** What a parameter is set to, without its quotes. */
static struct slice
parameter_value(struct slice parameter)
{
    const unsigned char *sign =
        parameter.size > 0 ? memchr(parameter.data, '=', parameter.size) : NULL;
    struct slice value = {0};

    if (!sign)
        return value;
    drop(&parameter, (size_t)(sign - parameter.data) + 1);
    value = trim(parameter);
    if (value.size >= 2 && value.data[0] == '"' && value.data[value.size - 1] == '"')
        value = slice_of(value.data + 1, value.size - 2);
    return value;
}

static bool
is_boundary(struct slice text)
{
    if (text.size == 0 || text.size > BATCH_BOUNDARY_MAX)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < ' ' || text.data[i] > '~' || text.data[i] == '"' || text.data[i] == '\\')
            return false;
    return true;
}

/** Take the next parameter of a type; false when there is none. */
static bool
next_parameter(struct slice *type, struct slice *ret)
{
    const unsigned char *semicolon = type->size > 0 ? memchr(type->data, ';', type->size) : NULL;
    const unsigned char *end = NULL;

    if (!semicolon)
        return false;
    drop(type, (size_t)(semicolon - type->data) + 1);
    if (type->size > 0)
        end = memchr(type->data, ';', type->size);
    *ret = trim(slice_of(type->data, end ? (size_t)(end - type->data) : type->size));
    return true;
}

/** The boundary of a multipart/mixed; size 0 when it is none, or has no usable boundary. */
static struct slice
find_boundary(struct slice type)
{
    static const char name[] = "boundary";
    struct slice parameter;

    if (!has_media_type(type, "multipart/mixed"))
        return (struct slice){0};
    while (next_parameter(&type, &parameter))
        if (parameter.size > strlen(name) && strchr("= \t", parameter.data[strlen(name)]) &&
            is_word(slice_of(parameter.data, strlen(name)), name)) {
            const struct slice value = parameter_value(parameter);

            return is_boundary(value) ? value : (struct slice){0};
        }
    return (struct slice){0};
}

/* ---- headers ---- */

/** What is wanted of the headers of a part, or of the message inside it. */
struct headers {
    struct slice type, content_id, retry_after, service_id, request_id, etag;
};

/** The first of several counts. */
static void
note_header(struct headers *headers, struct slice name, struct slice value)
{
    const struct {
        const char *name;
        struct slice *place;
    } known[] = {
        {"Content-Type", &headers->type},       {"Content-ID", &headers->content_id},
        {"Retry-After", &headers->retry_after}, {"x-ms-service-request-id", &headers->service_id},
        {"REQ_ID", &headers->request_id},       {"ETag", &headers->etag},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (is_word(name, known[i].name) && known[i].place->size == 0)
            *known[i].place = trim(value);
}

/**
 * Take headers up to and with the empty line, or to the end of `text`, which then `*ret_open` says.
 * A line that continues the one before is skipped.
 */
static bool
take_headers(struct slice *text, struct headers *ret, bool *ret_open)
{
    const size_t before = text->size;
    struct slice line;
    bool ended;

    *ret_open = false;
    while (next_line(text, &line, &ended)) {
        const unsigned char *colon;

        if (trim(line).size == 0)
            return true;
        if (before - text->size > BATCH_HEADERS_MAX_BYTES)
            return false;
        if (line.data[0] == ' ' || line.data[0] == '\t')
            continue;
        colon = memchr(line.data, ':', line.size);
        if (!colon)
            return false;
        note_header(ret, trim(slice_of(line.data, (size_t)(colon - line.data))),
                    slice_of(colon + 1, (size_t)(line.data + line.size - colon - 1)));
    }
    *ret_open = true;
    return true;
}

static int64_t
parse_number(struct slice text, int64_t max)
{
    char digits[NUMBER_BYTES];
    int64_t number;

    copy_value(text, "", digits, sizeof digits);
    if (strlen(digits) != trim(text).size || !parse_int(digits, 0, max, &number))
        return -1;
    return number;
}

static void
describe_part(const struct headers *headers, struct batch_part *part)
{
    const struct slice *id =
        headers->service_id.size > 0 ? &headers->service_id : &headers->request_id;

    part->retry_after_s = parse_number(headers->retry_after, RETRY_AFTER_MAX_S);
    copy_value(headers->type, ";", part->content_type, sizeof part->content_type);
    copy_value(*id, ",", part->request_id, sizeof part->request_id);
    copy_value(headers->etag, "", part->etag, sizeof part->etag);
    if (strlen(part->etag) != headers->etag.size || !etag_is_valid(part->etag))
        part->etag[0] = '\0';
}

/* ---- to which operation a part belongs ---- */

static bool
place_part(struct reader *reader, struct slice content_id, const struct batch_part *part)
{
    const int64_t id = reader->expected->content_ids
                           ? parse_number(content_id, (int64_t)reader->expected->count)
                           : -1;
    const size_t at = id > 0 ? (size_t)id - 1 : reader->seen;

    reader->seen++;
    reader->by_id += id > 0;
    if (at >= reader->expected->count)
        return fail(reader, too_many);
    if (reader->reply->parts[at].answered)
        return fail(reader, "it answers an operation twice");
    reader->reply->parts[at] = *part;
    reader->reply->answered++;
    return true;
}

/** Nothing but the last part is a failure. */
static bool
ends_with_first_failure(const struct batch_reply *reply)
{
    for (size_t i = 0; i < reply->answered; i++)
        if ((reply->parts[i].status >= STATUS_FAILURE) != (i + 1 == reply->answered))
            return false;
    return reply->answered > 0;
}

/** Parts that are missing somewhere leave open what the others belong to. */
static void
settle_missing(const struct reader *reader)
{
    struct batch_reply *reply = reader->reply;

    if (!reply->whole || reply->answered == reply->count || reader->by_id == reader->seen ||
        (reader->by_id == 0 && !reader->expected->go_on && ends_with_first_failure(reply)))
        return;
    memset(reply->parts, 0, reply->count * sizeof *reply->parts);
    reply->answered = 0;
}

/* ---- multipart/mixed ---- */

/** "HTTP/1.1 204 No Content"; 0 when it is none. */
static int
parse_status_line(struct slice line)
{
    int64_t status;

    if (line.size < HTTP_NAME_BYTES + 5 || memcmp(line.data, "HTTP/1.", HTTP_NAME_BYTES) != 0 ||
        !isdigit(line.data[HTTP_NAME_BYTES]) || line.data[HTTP_NAME_BYTES + 1] != ' ')
        return 0;
    drop(&line, HTTP_NAME_BYTES + 2);
    if (line.size > 3 && line.data[3] != ' ' && line.data[3] != '\r')
        return 0;
    status = parse_number(slice_of(line.data, 3), STATUS_MAX);
    return status >= STATUS_MIN ? (int)status : 0;
}

/** The HTTP message inside a part. */
static bool
take_message(struct reader *reader, struct slice text, struct slice content_id)
{
    struct batch_part part = {.answered = true};
    struct headers headers = {0};
    struct slice line = {0};
    bool ended = false;

    while (next_line(&text, &line, &ended) && trim(line).size == 0)
        continue;
    part.status = parse_status_line(line);
    if (part.status == 0)
        return fail(reader, "a part of it has no status");
    if (!take_headers(&text, &headers, &ended))
        return fail(reader, "a part of it has headers that cannot be read");
    describe_part(&headers, &part);
    part.body = text;
    return place_part(reader, content_id.size > 0 ? content_id : headers.content_id, &part);
}

static bool take_parts(struct reader *reader, struct slice text, struct slice boundary, bool inner);

static bool
take_part(struct reader *reader, struct slice text, bool inner)
{
    struct headers headers = {0};
    struct slice boundary;
    bool open;

    if (!take_headers(&text, &headers, &open) || open)
        return fail(reader, "a part of it has no end of its headers");
    if (has_media_type(headers.type, "application/http"))
        return take_message(reader, text, headers.content_id);
    boundary = find_boundary(headers.type);
    if (boundary.size == 0 || inner)
        return fail(reader, "a part of it is of an unexpected type");
    return take_parts(reader, text, boundary, true);
}

enum line_kind { LINE_OF_PART, LINE_BETWEEN, LINE_LAST };

/** A line that the end of the reply cut off is never a delimiter. */
static enum line_kind
judge_line(struct slice line, bool ended, struct slice boundary)
{
    if (line.size < boundary.size + 2 || memcmp(line.data, "--", 2) != 0 ||
        memcmp(line.data + 2, boundary.data, boundary.size) != 0)
        return LINE_OF_PART;
    drop(&line, boundary.size + 2);
    if (line.size >= 2 && memcmp(line.data, "--", 2) == 0) {
        drop(&line, 2);
        return trim(line).size == 0 ? LINE_LAST : LINE_OF_PART;
    }
    return trim(line).size == 0 && ended ? LINE_BETWEEN : LINE_OF_PART;
}

/** A part from `start` to the delimiter at `end`, to which the line end in front of it belongs. */
static struct slice
part_between(const unsigned char *start, const unsigned char *end)
{
    if (end > start && end[-1] == '\n')
        end--;
    if (end > start && end[-1] == '\r')
        end--;
    return slice_of(start, (size_t)(end - start));
}

static bool
take_parts(struct reader *reader, struct slice text, struct slice boundary, bool inner)
{
    const unsigned char *start = NULL;
    struct slice line;
    bool ended;

    while (next_line(&text, &line, &ended)) {
        const enum line_kind kind = judge_line(line, ended, boundary);

        if (kind == LINE_OF_PART)
            continue;
        if (start && !take_part(reader, part_between(start, line.data), inner))
            return false;
        start = text.data;
        if (kind == LINE_BETWEEN && reader->seen == reader->expected->count)
            return fail(reader, too_many);
        if (kind == LINE_LAST) {
            reader->reply->whole = reader->reply->whole || !inner;
            return true;
        }
    }
    return inner ? fail(reader, "a change set in it has no end") : true;
}

/* ---- application/json ---- */

/** Headers of a response: names in any case, values texts. `*ret_json` owns what they point to. */
static bool
take_json_headers(struct slice text, struct headers *ret, cJSON **ret_json)
{
    const cJSON *member;

    if (text.size == 0 || is_word(text, "null"))
        return true;
    if (text.data[0] != '{' || text.size > BATCH_HEADERS_MAX_BYTES || rows_hold_nul(text))
        return false;
    *ret_json = cJSON_ParseWithLength((const char *)text.data, text.size);
    if (!cJSON_IsObject(*ret_json))
        return false;
    cJSON_ArrayForEach(member, *ret_json) if (cJSON_IsString(member))
        note_header(ret, slice_of_string(member->string), slice_of_string(member->valuestring));
    return true;
}

/** The id, a text or a number, as it stands there. */
static struct slice
find_id(struct slice response)
{
    bool twice;
    struct slice id = rows_member(response, "id", &twice);

    if (id.size >= 2 && id.data[0] == '"')
        id = slice_of(id.data + 1, id.size - 2);
    return id;
}

static bool
take_response(struct reader *reader, struct slice response)
{
    struct batch_part part = {.answered = true};
    struct headers headers = {0};
    cJSON *json = NULL;
    bool body_twice;
    bool status_twice;
    bool headers_twice;
    const int64_t status = parse_number(rows_member(response, "status", &status_twice), STATUS_MAX);
    const struct slice head = rows_member(response, "headers", &headers_twice);

    part.body = rows_member(response, "body", &body_twice);
    if (is_word(part.body, "null"))
        part.body = (struct slice){0};
    if (status < STATUS_MIN || status_twice || headers_twice || body_twice)
        return fail(reader, "a response of it has no status");
    if (!take_json_headers(head, &headers, &json)) {
        cJSON_Delete(json);
        return fail(reader, "a response of it has headers that cannot be read");
    }
    part.status = (int)status;
    describe_part(&headers, &part);
    cJSON_Delete(json);
    if (!part.content_type[0] && part.body.size > 0)
        (void)snprintf(part.content_type, sizeof part.content_type, "application/json");
    return place_part(reader, find_id(response), &part);
}

static bool
take_responses(struct reader *reader, struct slice text)
{
    bool twice;
    const struct slice list = rows_member(text, "responses", &twice);
    struct rows_cursor cursor;
    struct slice response;
    enum rows_step step;

    if (list.size == 0 || list.data[0] != '[' || twice)
        return fail(reader, "it has no array \"responses\"");
    cursor = rows_begin(list);
    while ((step = rows_next(&cursor, &response)) == ROWS_ROW)
        if (!take_response(reader, response))
            return false;
    reader->reply->whole = true;
    return step == ROWS_END ? true : fail(reader, "its responses are not objects");
}

/* ---- all of it ---- */

bool
batch_reply_is_batch(const char *content_type)
{
    const struct slice type = slice_of_string(content_type);

    return has_media_type(type, "application/json") || find_boundary(type).size > 0;
}

static bool
take_reply(struct reader *reader, struct slice type, struct slice body)
{
    const struct slice boundary = find_boundary(type);

    if (body.size > HTTP_BODY_MAX_BYTES)
        return fail(reader, "it is too large");
    if (boundary.size > 0)
        return take_parts(reader, body, boundary, false);
    if (has_media_type(type, "application/json"))
        return take_responses(reader, body);
    return fail(reader, "it is of an unexpected type");
}

bool
batch_reply_read(const char *content_type, struct slice body, const struct batch_expected *expected,
                 struct batch_reply *ret, struct err *err)
{
    struct batch_reply reply = {.count = expected->count};
    struct reader reader = {.expected = expected, .reply = &reply};

    assert(expected->count > 0 && expected->count <= BATCH_OPERATIONS_MAX);
    reply.parts = calloc(expected->count, sizeof *reply.parts);
    if (!reply.parts)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (!take_reply(&reader, slice_of_string(content_type), body)) {
        char type[BATCH_TYPE_BYTES];

        batch_reply_done(&reply);
        copy_value(slice_of_string(content_type), "", type, sizeof type);
        (void)err_set(err, ERR_SERVER, "the service did not answer a batch as one: %s",
                      reader.fault);
        return err_detail(err, "%s, %zu bytes", type[0] ? type : "no type", body.size);
    }
    settle_missing(&reader);
    *ret = reply;
    return true;
}

void
batch_reply_done(struct batch_reply *reply)
{
    free(reply->parts);
    *reply = (struct batch_reply){0};
}

struct http_answer
batch_part_answer(const struct batch_part *part, const struct http_answer *whole)
{
    struct http_answer answer = {
        .status = part->status, .body = part->body, .retry_after_s = part->retry_after_s};

    assert(part->answered);
    (void)snprintf(answer.content_type, sizeof answer.content_type, "%s", part->content_type);
    (void)snprintf(answer.request_id, sizeof answer.request_id, "%s",
                   part->request_id[0] ? part->request_id : whole->request_id);
    (void)snprintf(answer.client_request_id, sizeof answer.client_request_id, "%s",
                   whole->client_request_id);
    return answer;
}
