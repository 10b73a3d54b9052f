#include "base/command.h"
#include "base/private_file.h"
#include "config/config.h"
#include "config/secret_file.h"
#include "config_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SECRET_PLACES = 3,
    NAME_BYTES = 64,
    SOURCE_BYTES = 512,
    STRING_FILE_BYTES = 2 * CONNECTION_STRING_MAX_BYTES
};

/** Where a secret may be; OPTIONS = nowhere. */
struct secret_place {
    enum option_id variable, file, command;
    bool optional;
};

static const struct secret_place secret_places[CONFIG_SECRETS] = {
    [CONFIG_PASSWORD] = {OPT_PASSWORD, OPT_PASSWORD_FILE, OPT_PASSWORD_COMMAND, false},
    [CONFIG_CLIENT_SECRET] = {OPT_CLIENT_SECRET, OPT_CLIENT_SECRET_FILE, OPT_CLIENT_SECRET_COMMAND,
                              false},
    [CONFIG_CERTIFICATE_PASSWORD] = {OPT_CERTIFICATE_PASSWORD, OPTIONS, OPTIONS, true},
    [CONFIG_TOKEN] = {OPT_TOKEN, OPTIONS, OPTIONS, false},
    [CONFIG_IDENTITY_HEADER] = {OPT_IDENTITY_HEADER, OPTIONS, OPTIONS, true},
    [CONFIG_BACKUP_KEY] = {OPT_BACKUP_KEY, OPT_BACKUP_KEY_FILE, OPT_BACKUP_KEY_COMMAND, true},
};

static bool
is_needed(const struct config *config, enum config_secret which)
{
    static const enum sign_in_kind kinds[CONFIG_SECRETS] = {
        [CONFIG_CLIENT_SECRET] = SIGN_IN_SECRET,
        [CONFIG_CERTIFICATE_PASSWORD] = SIGN_IN_CERTIFICATE,
        [CONFIG_TOKEN] = SIGN_IN_TOKEN,
        [CONFIG_IDENTITY_HEADER] = SIGN_IN_IDENTITY,
    };
    const bool jit = config->target.jit != JIT_NONE;

    if (which == CONFIG_BACKUP_KEY)
        return option_applies(option_spec(OPT_BACKUP_KEY_FILE), config->command);
    if (which == CONFIG_PASSWORD)
        return config->target.axdb && !jit && !config_flag(config, OPT_INTEGRATED);
    return (config->target.dataverse || jit) && config->target.sign_in.kind == kinds[which];
}

/** What was found of the places of a secret. */
struct secret_find {
    enum option_id id;
    enum config_rank rank;
    const struct setting *setting; /* NULL = nothing yet */
};

/** As it was given: the option on the command line, else the source. */
static const char *
shown(const struct secret_find *find, char ret[NAME_BYTES])
{
    const bool option = find->rank == RANK_ARGV && !find->setting->in_hand;
    return option ? option_shown(option_spec(find->id), ret, NAME_BYTES) : find->setting->source;
}

static bool
exclude_each_other(const struct secret_find *a, const struct secret_find *b, struct err *err)
{
    char names[2][NAME_BYTES];
    const bool argv = a->rank == RANK_ARGV;
    (void)err_set(err, argv ? ERR_USAGE : ERR_CONFIG, "%s and %s exclude each other",
                  shown(a, names[0]), shown(b, names[1]));
    return err_hint(err, argv ? "Leave one of them out." : "Unset one of them.");
}

/** The strongest place; two of the same strength are an error. */
static bool
find_secret(const struct config *config, const struct secret_place *place, struct secret_find *ret,
            struct err *err)
{
    const enum option_id ids[SECRET_PLACES] = {place->variable, place->file, place->command};
    struct secret_find best = {.id = OPTIONS, .rank = RANK_BUILTIN};
    struct secret_find rival = {.id = OPTIONS, .rank = RANK_BUILTIN};

    for (size_t i = 0; i < SECRET_PLACES; i++) {
        struct secret_find found = {.id = ids[i], .rank = RANK_BUILTIN};
        if (ids[i] != OPTIONS)
            found.setting = settings_get(&config->settings, ids[i], &found.rank);
        if (!found.setting)
            continue;
        if (!best.setting || found.rank > best.rank)
            best = found;
        else if (found.rank == best.rank)
            rival = found;
    }
    if (rival.setting && rival.rank == best.rank)
        return exclude_each_other(&best, &rival, err);
    *ret = best;
    return true;
}

static bool
read_secret(struct config *config, enum config_secret which, bool *ret_missing, struct err *err)
{
    const struct secret_place *place = &secret_places[which];
    struct secret_find found = {.id = OPTIONS};

    if (!find_secret(config, place, &found, err))
        return false;
    *ret_missing = !found.setting && !place->optional;
    if (!found.setting)
        return true;
    if (found.setting->in_hand)
        return secret_copy(
            &config->secrets[which],
            &config->of_strings[which == CONFIG_PASSWORD ? CONNECTION_AXDB : CONNECTION_DATAVERSE]
                               [found.rank],
            err);
    if (found.id == place->file)
        return secret_file_read(found.setting->text, &config->secrets[which], err);
    if (found.id == place->command) {
        config->commands[which] = found.setting->text;
        return command_check(found.setting->text, err) ||
               err_wrap(err, "%s", found.setting->source);
    }

    const char *value = config_variable(config, found.setting->text);
    if (!value)
        return err_set(err, ERR_CONFIG, "%s is gone", found.setting->source);
    return secret_set(&config->secrets[which], value, strlen(value), err);
}

/** Looked at now, so that a fault is told before anything is asked; it is checked at each use. */
static bool
read_client_certificate(struct config *config, struct err *err)
{
    const char *path = config_text(config, OPT_CLIENT_CERTIFICATE);
    if (!is_needed(config, CONFIG_CERTIFICATE_PASSWORD))
        return true;
    config->client_certificate = path;
    return secret_file_check(path, err);
}

bool
config_read_secrets(struct config *config, bool ret_missing[CONFIG_SECRETS], struct err *err)
{
    bool missing[CONFIG_SECRETS] = {false};
    for (unsigned i = 0; i < CONFIG_SECRETS; i++) {
        const enum config_secret which = (enum config_secret)i;
        if (is_needed(config, which) && !read_secret(config, which, &missing[i], err))
            return false;
    }
    if (!read_client_certificate(config, err))
        return false;
    memcpy(ret_missing, missing, sizeof(missing));
    return true;
}

bool
config_run_commands(struct config *config, void (*said)(void *ctx, const char *line), void *ctx,
                    struct err *err)
{
    static const char *const names[CONFIG_SECRETS] = {
        [CONFIG_PASSWORD] = "password command",
        [CONFIG_CLIENT_SECRET] = "client secret command",
        [CONFIG_BACKUP_KEY] = "backup key command",
    };
    for (unsigned i = 0; i < CONFIG_SECRETS; i++) {
        const struct command_line command = {
            .text = config->commands[i],
            .what = names[i],
            .code = ERR_CONFIG,
            .said = said,
            .ctx = ctx,
        };
        if (command.text && !command_first_line(&command, &config->secrets[i], err))
            return false;
    }
    return true;
}

bool
config_give_secret(struct config *config, enum config_secret which, const char *bytes, size_t size,
                   struct err *err)
{
    return secret_set(&config->secrets[which], bytes, size, err);
}

const struct secret *
config_secret(const struct config *config, enum config_secret which)
{
    return secret_is_set(&config->secrets[which]) ? &config->secrets[which] : NULL;
}

const char *
config_client_certificate(const struct config *config)
{
    return config->client_certificate;
}

/* ---- connection strings */

static bool
read_string(struct config *config, const char *text, enum connection_kind kind,
            const struct settings_origin *origin, struct err *err)
{
    const struct connection_string string = {
        .text = text, .kind = kind, .origin = *origin, .command = config->command};
    return connection_string_read(&string, &config->settings,
                                  &config->of_strings[kind][origin->rank], err);
}

/** One string a line, at most one of each side. Cuts `text` up. */
static bool
read_lines(struct config *config, char *text, const struct settings_origin *origin, struct err *err)
{
    bool seen[CONNECTION_KINDS] = {false};
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (!line[strspn(line, " \t\r")])
            continue;
        const enum connection_kind kind = connection_string_kind(line);
        if (seen[kind])
            return err_set(err, ERR_CONFIG, "%s: two strings of one side", origin->source);
        seen[kind] = true;
        if (!read_string(config, line, kind, origin, err))
            return false;
    }
    return seen[CONNECTION_AXDB] || seen[CONNECTION_DATAVERSE] ||
           err_set(err, ERR_CONFIG, "%s: the file is empty", origin->source);
}

static bool
read_string_file(struct config *config, struct err *err)
{
    const char *path = config_text(config, OPT_CONNECTION_STRING_FILE);
    char source[SOURCE_BYTES], *bytes = NULL;
    size_t size = 0;
    if (!path)
        return true;
    (void)snprintf(source, sizeof(source), "--connection-string-file %.400s", path);
    const struct settings_origin origin = {RANK_ARGV, ERR_CONFIG, source};
    if (!private_file_read(path, STRING_FILE_BYTES, &bytes, &size, err))
        return false;
    bool ok = !memchr(bytes, '\0', size) || err_set(err, ERR_CONFIG, "%s is not a text file", path);
    ok = ok && read_lines(config, bytes, &origin, err);
    secret_clear_memory(bytes, size);
    free(bytes);
    return ok;
}

static bool
read_string_variable(struct config *config, enum option_id id, enum connection_kind kind,
                     struct err *err)
{
    const struct setting *setting = settings_get(&config->settings, id, NULL);
    const char *text = setting ? config_variable(config, setting->text) : NULL;
    if (!text)
        return true;
    const struct settings_origin origin = {RANK_VARIABLE, ERR_CONFIG, setting->source};
    return read_string(config, text, kind, &origin, err) &&
           connection_string_agrees(&config->settings, RANK_VARIABLE, setting->source, err);
}

bool
config_read_connection_strings(struct config *config, struct err *err)
{
    return read_string_file(config, err) &&
           read_string_variable(config, OPT_CONNECTION_STRING, CONNECTION_AXDB, err) &&
           read_string_variable(config, OPT_DATAVERSE_CONNECTION_STRING, CONNECTION_DATAVERSE, err);
}
