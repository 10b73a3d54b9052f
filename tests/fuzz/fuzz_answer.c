/* What an answer means: "STATUS RETRY_AFTER FAILURE TYPE", then the body. Only a status of success
 * is one, and a row is gone only where the service itself says so. */
#include "dataverse/answer.h"
#include "dataverse/definition.h"
#include "dataverse/odata.h"
#include "dataverse/rights.h"
#include "dataverse/sql_login.h"
#include "fuzz.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
read_head(const char *head, struct http_answer *ret)
{
    char *at = NULL;
    ret->status = (int)((unsigned long)strtol(head, &at, 10) % 1000);
    ret->retry_after_s = strtoll(at, &at, 10);
    ret->failure = (enum http_failure)((unsigned long)strtol(at, &at, 10) % 5);
    at += *at == ' ';
    (void)snprintf(ret->content_type, sizeof(ret->content_type), "%s", at);
    if (ret->failure != HTTP_ANSWERED)
        (void)err_set(&ret->why, ERR_CONNECT, "no answer");
}

static void
judge(const struct http_answer *answer)
{
    const struct judgement judgement = answer_judge(answer);
    const bool good = answer->failure == HTTP_ANSWERED && answer->status / 100 == 2;
    int64_t wait_ms = -1;

    FUZZ_MUST((judgement.verdict == VERDICT_OK) == good);
    if (!good)
        fuzz_must_say(&judgement.err);
    FUZZ_MUST(judgement.verdict != VERDICT_GONE || (answer->status == 404 && judgement.odata));
    FUZZ_MUST(judgement.verdict != VERDICT_CHANGED || answer->status == 412 ||
              answer->status == 409);
    FUZZ_MUST(memchr(judgement.code, 0, sizeof(judgement.code)));
    for (unsigned tries = 1; tries <= ANSWER_TRIES; tries++)
        if (answer_wait(answer, tries, &wait_ms))
            FUZZ_MUST(wait_ms >= 1000 && wait_ms <= ANSWER_WAIT_MAX_MS + 2000);
}

static void
read_grant(const struct http_answer *answer)
{
    struct axdb_grant grant = {0};
    struct err err = {0};
    if (sql_login_parse(answer, &grant, &err)) {
        FUZZ_MUST(answer->status == 200);
        secret_wipe(&grant.password);
    } else {
        fuzz_must_say(&err);
    }
}

static void
read_others(const struct http_answer *answer)
{
    struct fetch fetch = {.answer = answer};
    struct definition definition;
    struct err err = {0};
    if (answer->failure != HTTP_ANSWERED)
        return;
    if (!definition_read(&fetch, &definition, &err))
        fuzz_must_say(&err);
    if (!odata_definition_read(answer->body, &definition, &err))
        fuzz_must_say(&err);
    (void)rights_judge(answer->body, "prvReadmsdyn_dualwriteruntimeconfig", RIGHTS_ALL_ROWS);
    cJSON *json = answer_json(answer);
    FUZZ_MUST(!json || answer->status == 200);
    cJSON_Delete(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct http_answer answer = {.retry_after_s = -1};
    char *head = fuzz_line(&input);
    char *body = malloc(input.left + 1); /* a NUL is behind every body */

    FUZZ_MUST(body);
    if (input.left)
        memcpy(body, input.at, input.left);
    body[input.left] = '\0';
    answer.body = slice_of(body, input.left);
    read_head(head, &answer);
    judge(&answer);
    read_grant(&answer);
    read_others(&answer);
    free(body);
    free(head);
    return 0;
}
