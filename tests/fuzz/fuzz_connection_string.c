/* Connection strings: any text; and a password, quoted as ADO.NET quotes it, comes back as it was
 * and in no message. */
#include "base/arena.h"
#include "base/text.h"
#include "config/connection_string.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 1 << 20 };

static struct settings settings;

static bool
read_string(const char *text, struct secret *ret, struct err *err)
{
    const struct connection_string string = {
        .text = text,
        .kind = connection_string_kind(text),
        .origin = {RANK_VARIABLE, ERR_CONFIG, "variable X"},
        .command = COMMAND_VERIFY,
    };
    settings = (struct settings){.arena = arena_new(ARENA_BYTES)};
    FUZZ_MUST(settings.arena);
    const bool ok = connection_string_read(&string, &settings, ret, err);
    for (unsigned id = 0; ok && id < OPTIONS; id++) {
        const struct setting *setting = &settings.at[RANK_VARIABLE][id];
        FUZZ_MUST(!setting->set || strcmp(setting->source, "variable X") == 0);
    }
    arena_free(settings.arena);
    return ok;
}

static void
any_text(const char *text)
{
    SECRET_SCOPED secret = {0};
    struct err err = {0};
    if (!read_string(text, &secret, &err)) {
        fuzz_must_say(&err);
        FUZZ_MUST(err.code == ERR_CONFIG);
    }
}

static void
append_quoted(struct text *out, char quote, const char *value)
{
    text_append_bytes(out, &quote, 1);
    for (; *value; value++) {
        text_append_bytes(out, value, 1);
        if (*value == quote)
            text_append_bytes(out, value, 1);
    }
    text_append_bytes(out, &quote, 1);
}

static bool
shows(const struct err *err, const char *secret)
{
    return strstr(err->primary, secret) || strstr(err->detail, secret) || strstr(err->hint, secret);
}

static void
quoted_password(char quote, const char *password, const char *rest)
{
    TEXT_SCOPED string = {0};
    SECRET_SCOPED secret = {0};
    struct err err = {0};
    text_append(&string, "Server=sql01;Database=AxDB;User ID=u;Password=");
    append_quoted(&string, quote, password);
    text_printf(&string, ";%s", rest);
    if (read_string(text_string(&string), &secret, &err))
        FUZZ_MUST(strcmp(secret_is_set(&secret) ? secret_reveal(&secret) : "", password) == 0);
    else /* words of our own messages have fewer letters in a row */
        FUZZ_MUST(strlen(password) < 24 || strstr(rest, password) || !shows(&err, password));
    if (!*rest)
        FUZZ_MUST(string.used > CONNECTION_STRING_MAX_BYTES || secret_is_set(&secret) ||
                  !*password);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const uint8_t kind = fuzz_byte(&input);

    if (kind == '"' || kind == '\'') {
        char *password = fuzz_line(&input), *rest = fuzz_rest(&input);
        quoted_password((char)kind, password, rest);
        free(password);
        free(rest);
    } else {
        char *text = fuzz_rest(&input);
        any_text(text);
        free(text);
    }
    return 0;
}
