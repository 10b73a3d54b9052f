#include "outside_token.h"

#include "base/clock.h"
#include "base/private_file.h"
#include "grant.h"
#include "jwt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** A token is not shown to a service that it was not made for. An audience may also be an id, which
 * says nothing here. */
static bool
check_audience(const struct jwt_claims *claims, const struct outside_origin *origin,
               const struct token_source *source, struct err *err)
{
    char theirs[URL_HOST_BYTES], ours[URL_HOST_BYTES];

    if (!url_own_host(claims->audience, theirs, err) ||
        !url_own_host(source->target->origin, ours, err))
        return false;
    if (strncmp(claims->audience, "https://", 8) != 0 || strcmp(theirs, ours) == 0)
        return true;
    (void)err_set(err, ERR_SIGNIN, "%s is for %s, not for %s: it was not sent", origin->what,
                  theirs[0] ? theirs : "another service", ours);
    return err_hint(err, "Ask for one whose resource is %s.", source->target->origin);
}

static bool
expired(int64_t expires_s, const struct outside_origin *origin, struct err *err)
{
    char stamp[CLOCK_STAMP_BYTES];

    clock_stamp(expires_s * 1000, stamp);
    (void)err_set(err, ERR_SIGNIN, "%s has expired at %s", origin->what, stamp);
    return err_hint(err, "%s", origin->hint);
}

bool
outside_token_take(const char *text, const struct outside_origin *origin,
                   const struct token_source *source, struct token *token, struct err *err)
{
    const int64_t now_s = clock_utc_ms() / 1000;
    struct jwt_claims claims = {0};
    int64_t expires_s = origin->expires_s;
    int64_t life_s = origin->final ? TOKEN_LIFE_MAX_S : TOKEN_LIFE_UNKNOWN_S;

    if (!token_is_sendable(text)) {
        (void)err_set(err, ERR_SIGNIN, "%s is no token: it is empty, too long, or holds blanks",
                      origin->what);
        return err_hint(err, "%s", origin->hint);
    }
    if (jwt_read(text, &claims) && claims.expires_s)
        expires_s = claims.expires_s;
    if (expires_s && expires_s <= now_s)
        return expired(expires_s, origin, err);
    if (!check_audience(&claims, origin, source, err) ||
        !secret_set(&token->bearer, text, strlen(text), err))
        return false;
    if (expires_s)
        life_s = expires_s - now_s < TOKEN_LIFE_MAX_S ? expires_s - now_s : TOKEN_LIFE_MAX_S;
    token->refresh_at_ms =
        clock_monotonic_ms() + (origin->final ? life_s * 1000 : token_use_ms(life_s));
    return true;
}

/** Cut blanks and line ends behind it. */
static void
trim(char *text)
{
    size_t size = strlen(text);

    while (size > 0 && strchr(" \t\r\n", text[size - 1]))
        text[--size] = '\0';
}

static bool
take_file(struct token *token, const struct token_source *source, const char *path, struct err *err)
{
    char what[512];
    const struct outside_origin origin = {
        .what = what,
        .hint = "Write a fresh one into the file: it is read again whenever one is needed.",
    };
    char *bytes = NULL;
    size_t size = 0;
    bool done;

    (void)snprintf(what, sizeof what, "the token in %.400s", path);
    if (!private_file_read(path, TOKEN_MAX_BYTES, &bytes, &size, err))
        return err_wrap(err, "token file");
    trim(bytes);
    done = strlen(bytes) <= size && outside_token_take(bytes, &origin, source, token, err);
    secret_clear_memory(bytes, size);
    free(bytes);
    return done;
}

bool
grant_outside(struct token *token, const struct token_source *source,
              struct http_exchange *exchange, struct err *err)
{
    static const struct outside_origin variable = {
        .what = "the token in DWCLEAN_TOKEN",
        .hint =
            "Set it to a fresh one. A long run wants --token-file or --token-command, which are "
            "asked again.",
        .final = true,
    };

    (void)exchange;
    if (source->options->token_file)
        return take_file(token, source, source->options->token_file, err);
    return outside_token_take(secret_reveal(source->options->token), &variable, source, token, err);
}
