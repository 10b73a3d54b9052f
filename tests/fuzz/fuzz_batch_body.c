/* A $batch that is written from hostile keys, tags, names and documents: each line "METHOD SET KEY
 * TAG SELECT DOCUMENT", blanks between. What is written has exactly the operations that were asked
 * for. */
#include "dataverse/batch_body.h"
#include "dataverse/identifier.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPERATIONS_MAX = 8, WORDS = 6 };

static const char boundary[] = "batch_5f0c6d2e-0000-4000-8000-00000000000a";

/** Cut a line into words in place; words that are not there are "". */
static void
cut(char *line, char *words[WORDS])
{
    for (size_t i = 0; i < WORDS; i++) {
        char *blank = i + 1 < WORDS ? strchr(line, ' ') : NULL;
        words[i] = line;
        line += blank ? (size_t)(blank - line) + 1 : strlen(line);
        if (blank)
            *blank = '\0';
    }
}

static struct batch_operation
operation_of(char *words[WORDS])
{
    struct batch_operation operation = {
        .method = (enum batch_method)((unsigned)(unsigned char)words[0][0] % 4),
        .set = words[1],
        .key = words[2],
        .if_match = words[3],
        .select = words[4],
        .only_new = strchr(words[0], 'n') != NULL,
        .document = slice_of_string(words[5]),
    };
    if (!operation.if_match[0])
        operation.if_match = NULL;
    if (!operation.select[0])
        operation.select = NULL;
    return operation;
}

static size_t
count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        count++;
    return count;
}

static void
check(const char *text, const struct batch_operation *operations, size_t count)
{
    static const char *const methods[] = {"GET ", "DELETE ", "PATCH ", "POST "};
    const char *at = text;
    char start[128], line[2048];

    (void)snprintf(start, sizeof(start), "--%s", boundary);
    FUZZ_MUST(count_of(text, start) == count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct batch_operation *operation = &operations[i];
        at = strstr(at, start) + strlen(start);
        FUZZ_MUST(strncmp(at, "\r\n", 2) == 0);
        at = strstr(at, "\r\n\r\n"); /* the head of the part, then the request line */
        FUZZ_MUST(at);
        at += 4;
        (void)snprintf(line, sizeof(line), "%s/api/data/v9.2/%s", methods[operation->method],
                       operation->set);
        FUZZ_MUST(strlen(line) >= sizeof(line) - 1 || strncmp(at, line, strlen(line)) == 0);
        const char *head_end = strstr(at, "\r\n\r\n");
        FUZZ_MUST(head_end);
        if (operation->if_match) {
            const char *tag = strstr(at, "\r\nIf-Match: ");
            FUZZ_MUST(tag && tag < head_end && etag_is_valid(operation->if_match));
            tag += strlen("\r\nIf-Match: ");
            FUZZ_MUST(strncmp(tag, operation->if_match, strlen(operation->if_match)) == 0);
        }
        if (operation->method >= BATCH_PATCH) {
            FUZZ_MUST(strncmp(head_end + 4, (const char *)operation->document.data,
                              operation->document.size) == 0);
        }
    }
    at = strstr(at, start);
    FUZZ_MUST(at && strncmp(at + strlen(start), "--", 2) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct batch_form form = {
        .boundary = boundary, .root = "/api/data/v9.2/", .quoted = true};
    struct fuzz_input input = {data, size};
    struct batch_operation operations[OPERATIONS_MAX];
    char *lines[OPERATIONS_MAX], *words[WORDS];
    size_t count = 0;
    TEXT_SCOPED text = {0};
    struct err err = {0};

    /* a fresh GUID: whoever writes a row does not know it */
    if (memmem(data, size, boundary, strlen(boundary)))
        return 0;
    while (count < OPERATIONS_MAX && (count == 0 || input.left)) {
        lines[count] = fuzz_line(&input);
        cut(lines[count], words);
        operations[count++] = operation_of(words);
    }
    if (batch_body_write(&form, operations, count, &text, &err)) {
        check(text_string(&text), operations, count);
    } else {
        fuzz_must_say(&err);
        FUZZ_MUST(text.used == 0);
    }
    while (count > 0)
        free(lines[--count]);
    return 0;
}
