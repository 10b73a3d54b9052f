/* The smaller files of a run, by the first byte: run.json, SHA256SUMS, the text of a backup key,
 * a report or a journal that is redacted for somebody else's eyes. */
#include "backup/backup_key.h"
#include "backup/redact.h"
#include "backup/run_record.h"
#include "backup/sums.h"
#include "base/arena.h"
#include "fuzz.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static void
record(struct fuzz_input *input)
{
    ARENA_SCOPED arena = arena_new((size_t)RUN_RECORD_ARENA_BYTES);
    struct past_run past = {0};
    struct err err = {0};
    FUZZ_MUST(arena);
    fuzz_write(fuzz_path("run.json"), input->at, input->left);
    if (run_record_load(fuzz_directory(), arena, &past, &err)) {
        FUZZ_MUST(past.id && past.command && past.environment && past.started_utc && past.user);
        FUZZ_MUST(past.host && past.program && run_record_is_id(past.id));
    } else {
        fuzz_must_say(&err);
    }
}

static void
list_of_sums(struct fuzz_input *input)
{
    SUMS_SCOPED sums = {0};
    struct digest digest;
    struct err err = {0};
    fuzz_write(fuzz_path("SHA256SUMS"), input->at, input->left);
    if (!sums_load(fuzz_directory(), &sums, &err)) {
        fuzz_must_say(&err);
        return;
    }
    for (const char *line = sums.text; line && *line;) {
        size_t size = 0;
        const char *name = sums_line(line, &digest, &size);
        FUZZ_MUST(name && name[size] == '\n');
        line = name + size + 1;
    }
    (void)sums_find(&sums, "journal.ndjson", &digest);
    (void)!sums_check(&sums, fuzz_directory(), "run.json", &err);
}

static void
text_of_key(struct fuzz_input *input)
{
    SECRET_SCOPED text = {0};
    struct backup_key key = {0};
    struct err err = {0};
    char *string = fuzz_rest(input);
    if (*string && secret_set(&text, string, strlen(string), &err)) {
        if (backup_key_parse(&text, &key, &err))
            FUZZ_MUST(key.bytes.size == BACKUP_KEY_BYTES && strlen(key.id) == 16);
        else
            FUZZ_MUST(strlen(string) < 24 || !strstr(err.primary, string));
        backup_key_done(&key);
    }
    free(string);
}

/** A value that must not be seen, then texts: it is not in what comes out. */
static void
quotes(struct fuzz_input *input)
{
    static const char mark[] = "[left out]";
    struct scrub *scrub = scrub_new();
    struct err err = {0};
    char *value = fuzz_line(input), *text = fuzz_rest(input);
    TEXT_SCOPED out = {0};
    FUZZ_MUST(scrub);
    scrub_watch(scrub, text);
    FUZZ_MUST(scrub_value(scrub, value, strlen(value), &err));
    scrub_append(scrub, text, &out);
    /* a value that our own mark completes was not quoted */
    if (strlen(value) >= 6 && !strpbrk(value, mark))
        FUZZ_MUST(!strstr(text_string(&out), value));
    scrub_free(scrub);
    free(value);
    free(text);
}

static void
redacted_report(struct fuzz_input *input)
{
    const char *path = fuzz_path("report.json");
    struct scrub *scrub = scrub_new();
    TEXT_SCOPED out = {0};
    struct err err = {0};
    FUZZ_MUST(scrub);
    fuzz_write(path, input->at, input->left);
    if (redact_watch_report(path, scrub, &err) &&
        scrub_value(scrub, "CANARY-8f2b6d1c", strlen("CANARY-8f2b6d1c"), &err) &&
        redact_append_report(path, scrub, &out, &err)) {
        cJSON *json = cJSON_Parse(text_string(&out));
        FUZZ_MUST(json);
        cJSON_Delete(json);
    } else {
        fuzz_must_say(&err);
    }
    scrub_free(scrub);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};

    switch (fuzz_byte(&input)) {
    case 'r':
        record(&input);
        break;
    case 's':
        list_of_sums(&input);
        break;
    case 'k':
        text_of_key(&input);
        break;
    case 'q':
        quotes(&input);
        break;
    default:
        redacted_report(&input);
        break;
    }
    return 0;
}
