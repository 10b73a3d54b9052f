#include "base/command.h"
#include "base/text.h"
#include "grant.h"
#include "outside_token.h"
#include "port/observer.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

/** Forget the texts of a JSON value that held a token. */
static void
wipe(cJSON *item)
{
    if (cJSON_IsString(item))
        secret_clear_memory(item->valuestring, strlen(item->valuestring));
}

/** {"accessToken": "...", "expires_on": 1763780000}, as the Azure CLI writes it; expiresOn has no
 * time zone and is left alone. */
static bool
take_object(cJSON *json, struct outside_origin *origin, const struct token_source *source,
            struct token *token, struct err *err)
{
    cJSON *text = cJSON_GetObjectItemCaseSensitive(json, "accessToken");
    const cJSON *expires = cJSON_GetObjectItemCaseSensitive(json, "expires_on");
    bool done;

    if (!text)
        text = cJSON_GetObjectItemCaseSensitive(json, "access_token");
    if (cJSON_IsNumber(expires) && expires->valuedouble >= 1 && expires->valuedouble < 1e11)
        origin->expires_s = (int64_t)expires->valuedouble;
    done = cJSON_IsString(text)
               ? outside_token_take(text->valuestring, origin, source, token, err)
               : err_set(err, ERR_SIGNIN, "the JSON of the token command holds no accessToken");
    wipe(text);
    return done;
}

/** A token on the first line, a JSON text, or a JSON object. */
static bool
take_output(const struct secret *output, const struct token_source *source, struct token *token,
            struct err *err)
{
    struct outside_origin origin = {
        .what = "the token command's token",
        .hint = "Run the command yourself: it must write a token, or JSON with accessToken.",
    };
    const char *text = secret_reveal(output);
    SECRET_SCOPED line = {0};
    bool done;

    text += strspn(text, " \t\r\n");
    if (*text == '{' || *text == '"') {
        cJSON *json = cJSON_ParseWithLength(text, strlen(text));

        if (cJSON_IsString(json)) {
            done = outside_token_take(json->valuestring, &origin, source, token, err);
            wipe(json);
        } else {
            done = take_object(json, &origin, source, token, err);
        }
        cJSON_Delete(json);
        return done;
    }
    return secret_set(&line, text, strcspn(text, " \t\r\n"), err) &&
           outside_token_take(secret_reveal(&line), &origin, source, token, err);
}

static void
say(void *ctx, const char *line)
{
    struct observer *observer = ctx;
    char text[300];

    (void)snprintf(text, sizeof text, "token command: %s", line);
    if (observer)
        observer->say(observer, LOG_LEVEL_DEBUG, text);
}

bool
grant_command(struct token *token, const struct token_source *source,
              struct http_exchange *exchange, struct err *err)
{
    char resource[URL_ORIGIN_BYTES];
    SECRET_SCOPED output = {0};
    const struct command_line command = {
        .text = source->options->token_command,
        .what = "token command",
        .mark = "{resource}",
        .value = resource,
        .code = ERR_SIGNIN,
        .said = say,
        .ctx = source->options->observer,
    };

    (void)exchange;
    url_resource(source->target, resource);
    return command_output(&command, &output, err) && take_output(&output, source, token, err);
}
