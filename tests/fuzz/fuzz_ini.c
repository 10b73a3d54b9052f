/* The configuration file. What is accepted and written down again is accepted with the same
 * meaning. */
#include "base/text.h"
#include "config/ini_file.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

/** What was accepted, as a file; the items of a list stand together. */
struct seen {
    struct text file;
    const struct option_spec *last; /* of this section */
};

static bool
take_section(void *ctx, const char *environment, int line, struct err *err)
{
    struct seen *seen = ctx;
    (void)err;
    FUZZ_MUST(line > 0);
    seen->last = NULL;
    if (environment)
        text_printf(&seen->file, "\n[env \"%s\"]", environment);
    else
        text_append(&seen->file, "\n[defaults]");
    return true;
}

static bool
take_value(void *ctx, const char *environment, const struct option_spec *spec, const char *text,
           int line, struct err *err)
{
    struct seen *seen = ctx;
    struct option_value value;
    (void)environment;
    FUZZ_MUST(line > 0 && spec->ini && spec->kind != OPTION_SECRET);
    FUZZ_MUST(option_parse(spec, text, ERR_CONFIG, &value, err));
    FUZZ_MUST(option_is_plain(text));
    if (spec == seen->last)
        text_printf(&seen->file, ",%s", text);
    else
        text_printf(&seen->file, "\n%s=%s", spec->ini, text);
    seen->last = spec;
    return true;
}

static bool
parse(const char *text, struct seen *seen, struct err *err)
{
    const struct ini_file_sink sink = {.ctx = seen, .section = take_section, .value = take_value};
    return ini_file_parse("config.ini", text, &sink, err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct seen first = {0}, again = {0};
    struct err err = {0};
    char *text = fuzz_rest(&input);

    if (!parse(text, &first, &err)) {
        fuzz_must_say(&err);
        FUZZ_MUST(err.code == ERR_CONFIG);
    } else {
        FUZZ_MUST(parse(text_string(&first.file), &again, &err));
        FUZZ_MUST(strcmp(text_string(&first.file), text_string(&again.file)) == 0);
    }
    text_done(&first.file);
    text_done(&again.file);
    free(text);
    return 0;
}
