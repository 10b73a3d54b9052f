#include "config/connection_string.h"

#include "base/text.h"
#include "config/rules.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 64, NAME_BYTES = 64, KEYS_MAX = 64 };

/* ---- the form */

/** KEY=VALUE;... in a copy that is cut up in place. */
struct pairs {
    char *next;
    char key[KEY_BYTES]; /* small letters, without blanks */
    char *value;         /* unquoted; "" = as if the key were not there */
};

static const char blanks[] = " \t\r\n";

/** A key up to its '='; "==" is one of its characters. NULL = there is no '='. */
static char *
end_of_key(char *p)
{
    for (; *p && *p != ';'; p++) {
        if (*p == '=' && p[1] == '=')
            p++;
        else if (*p == '=')
            return p;
    }
    return NULL;
}

static void
fold_key(const char *key, size_t size, char ret[KEY_BYTES])
{
    size_t used = 0;
    for (size_t i = 0; i < size && used < KEY_BYTES - 1; i++) {
        if (!strchr(" \t\r\n_", key[i]))
            ret[used++] = (char)tolower((unsigned char)key[i]);
    }
    ret[used] = '\0';
}

/** A value in quotes; only blanks may follow before the ';'. */
static bool
cut_quoted(struct pairs *pairs, char *start)
{
    const char quote = *start;
    char *to = start, *from = start + 1;
    for (; *from; from++) {
        if (*from == quote && from[1] != quote)
            break;
        if (*from == quote)
            from++;
        *to++ = *from;
    }
    if (*from != quote)
        return false;
    from++;
    from += strspn(from, blanks);
    if (*from && *from != ';')
        return false;
    pairs->next = from + (*from ? 1 : 0);
    *to = '\0';
    pairs->value = start;
    return true;
}

static void
cut_plain(struct pairs *pairs, char *start)
{
    char *end = start + strcspn(start, ";");
    pairs->next = end + (*end ? 1 : 0);
    while (end > start && strchr(blanks, end[-1]))
        end--;
    *end = '\0';
    pairs->value = start;
}

/** The next pair; `*ret_end` when there is none. */
static bool
next_pair(struct pairs *pairs, bool *ret_end, const char **ret_fault)
{
    char *start = pairs->next + strspn(pairs->next, " \t\r\n;");
    *ret_end = !*start;
    if (*ret_end)
        return true;
    char *equals = end_of_key(start);
    if (!equals) {
        *ret_fault = "a part has no '='";
        return false;
    }
    fold_key(start, (size_t)(equals - start), pairs->key);
    if (!*pairs->key) {
        *ret_fault = "a key is empty";
        return false;
    }
    start = equals + 1 + strspn(equals + 1, blanks);
    if (*start != '"' && *start != '\'') {
        cut_plain(pairs, start);
        return true;
    }
    if (cut_quoted(pairs, start))
        return true;
    *ret_fault = "a quoted value has no end, or something stands behind it";
    return false;
}

/* ---- the keys */

/** What a key becomes. */
struct connection_key {
    const char *name; /* as fold_key leaves it */
    enum option_id option;
};

enum { IGNORED = OPTIONS, AUTHENTICATION, AUTH_TYPE, REFUSED };

static const struct connection_key axdb_keys[] = {
    {"server", OPT_SERVER},
    {"datasource", OPT_SERVER},
    {"address", OPT_SERVER},
    {"addr", OPT_SERVER},
    {"networkaddress", OPT_SERVER},
    {"database", OPT_DATABASE},
    {"initialcatalog", OPT_DATABASE},
    {"userid", OPT_USER},
    {"uid", OPT_USER},
    {"user", OPT_USER},
    {"password", OPT_PASSWORD},
    {"pwd", OPT_PASSWORD},
    {"integratedsecurity", OPT_INTEGRATED},
    {"trustedconnection", OPT_INTEGRATED},
    {"encrypt", OPT_ENCRYPT},
    {"trustservercertificate", OPT_TRUST},
    {"hostnameincertificate", OPT_CERTIFICATE_HOST},
    {"servercertificate", OPT_SERVER_CERTIFICATE},
    {"connecttimeout", OPT_LOGIN_TIMEOUT},
    {"connectiontimeout", OPT_LOGIN_TIMEOUT},
    {"timeout", OPT_LOGIN_TIMEOUT},
    {"commandtimeout", OPT_QUERY_TIMEOUT},
    {"applicationintent", OPT_APPLICATION_INTENT},
    {"workstationid", OPT_WORKSTATION},
    {"wsid", OPT_WORKSTATION},
    {"packetsize", OPT_PACKET_SIZE},
    {"authentication", (enum option_id)AUTHENTICATION},
    {"applicationname", (enum option_id)IGNORED},
    {"app", (enum option_id)IGNORED},
    {"connectretrycount", (enum option_id)IGNORED},
    {"connectretryinterval", (enum option_id)IGNORED},
    {"connectionlifetime", (enum option_id)IGNORED},
    {"enlist", (enum option_id)IGNORED},
    {"loadbalancetimeout", (enum option_id)IGNORED},
    {"maxpoolsize", (enum option_id)IGNORED},
    {"minpoolsize", (enum option_id)IGNORED},
    {"multipleactiveresultsets", (enum option_id)IGNORED},
    {"multisubnetfailover", (enum option_id)IGNORED},
    {"persistsecurityinfo", (enum option_id)IGNORED},
    {"pooling", (enum option_id)IGNORED},
    {NULL, OPT_SERVER},
};

static const struct connection_key dataverse_keys[] = {
    {"authtype", (enum option_id)AUTH_TYPE},
    {"authenticationtype", (enum option_id)AUTH_TYPE},
    {"url", OPT_DATAVERSE_URL},
    {"serviceuri", OPT_DATAVERSE_URL},
    {"clientid", OPT_CLIENT_ID},
    {"appid", OPT_CLIENT_ID},
    {"applicationid", OPT_CLIENT_ID},
    {"clientsecret", OPT_CLIENT_SECRET},
    {"secret", OPT_CLIENT_SECRET},
    {"tenantid", OPT_TENANT_ID},
    {"username", (enum option_id)REFUSED},
    {"userid", (enum option_id)REFUSED},
    {"password", (enum option_id)REFUSED},
    {"thumbprint", (enum option_id)REFUSED},
    {"certificatethumbprint", (enum option_id)REFUSED},
    {"certthumbprint", (enum option_id)REFUSED},
    {"loginprompt", (enum option_id)IGNORED},
    {"redirecturi", (enum option_id)IGNORED},
    {"replyurl", (enum option_id)IGNORED},
    {"requirenewinstance", (enum option_id)IGNORED},
    {"skipdiscovery", (enum option_id)IGNORED},
    {"tokencachestorepath", (enum option_id)IGNORED},
    {NULL, OPT_SERVER},
};

static const struct connection_key *
find_key(enum connection_kind kind, const char *name)
{
    const struct connection_key *key = kind == CONNECTION_AXDB ? axdb_keys : dataverse_keys;
    while (key->name && strcmp(key->name, name) != 0)
        key++;
    return key->name ? key : NULL;
}

enum connection_kind
connection_string_kind(const char *text)
{
    char *copy = strdup(text);
    struct pairs pairs = {.next = copy};
    enum connection_kind kind = CONNECTION_AXDB;
    const char *ignored = NULL;
    bool end = false;
    while (copy && kind == CONNECTION_AXDB && next_pair(&pairs, &end, &ignored) && !end) {
        if (strcmp(pairs.key, "authtype") == 0 || strcmp(pairs.key, "url") == 0 ||
            strcmp(pairs.key, "serviceuri") == 0)
            kind = CONNECTION_DATAVERSE;
    }
    if (copy)
        secret_clear_memory(copy, strlen(text));
    free(copy);
    return kind;
}

/* ---- what they mean */

/** One string while it is read. */
struct reading {
    const struct connection_string *string;
    struct settings *settings;
    struct secret *secret;
    bool seen[OPTIONS + 4];
    bool behind_secret; /* what comes next may be the rest of a password with a ';' in it */
};

/** One of a list of words, without case and blanks. */
static bool
is_one_of(const char *value, const char *words)
{
    char folded[KEY_BYTES];
    fold_key(value, strlen(value), folded);
    const size_t size = strlen(folded);
    for (const char *p = words; *p; p += strcspn(p, " "), p += strspn(p, " ")) {
        if (size > 0 && strcspn(p, " ") == size && strncmp(p, folded, size) == 0)
            return true;
    }
    return false;
}

/** The value as the option spells it; ADO.NET says "true" where sqlcmd says "mandatory". */
static const char *
translate(enum option_id id, const char *value)
{
    const bool yes = is_one_of(value, "true yes sspi"), no = is_one_of(value, "false no");
    if (id == OPT_ENCRYPT)
        return yes ? "mandatory" : no ? "optional" : value;
    if (id == OPT_INTEGRATED || id == OPT_TRUST)
        return yes ? "yes" : no ? "no" : value;
    return value;
}

static bool
refuse_entra(const struct reading *reading, const char *value, struct err *err)
{
    if (is_one_of(value, "sqlpassword notspecified"))
        return true;
    (void)err_set(err, reading->string->origin.code,
                  "Authentication asks for another sign-in than SqlPassword");
    return err_hint(err, "No version of FreeTDS can sign in to SQL Server with Entra. Use a SQL "
                         "login, or Integrated Security=true for Kerberos.");
}

static bool
refuse_auth_type(const struct reading *reading, const char *value, struct err *err)
{
    if (is_one_of(value, "clientsecret"))
        return true;
    (void)err_set(err, reading->string->origin.code, "AuthType is not ClientSecret");
    return err_hint(err, "Other ways to sign in have options: --client-certificate, "
                         "--managed-identity, --token-command, --device-code.");
}

static bool
refuse_key(const struct reading *reading, const char *key, struct err *err)
{
    (void)err_set(err, reading->string->origin.code, "%s signs in in a way that is not supported",
                  key);
    return err_hint(err, "Use AuthType=ClientSecret with ClientId and ClientSecret; a certificate "
                         "is named by --client-certificate FILE.");
}

static bool
unknown_key(const struct reading *reading, const char *key, struct err *err)
{
    TEXT_SCOPED shown = {0};
    text_append_shown(&shown, key, strlen(key));
    if (reading->behind_secret)
        (void)err_set(err, reading->string->origin.code,
                      "the key behind the password is not known, and may be a piece of it: it is "
                      "not shown");
    else
        (void)err_set(err, reading->string->origin.code, "key \"%s\" is not known",
                      text_string(&shown));
    return err_hint(err, "A value with ';' or with blanks at its ends stands in quotes: "
                         "Password=\"a;b\"; a quote in it is doubled.");
}

/** Does the same source say something else already? */
static bool
contradicts(const struct setting *there, const struct option_spec *spec,
            const struct option_value *value)
{
    if (spec->kind == OPTION_FLAG || spec->kind == OPTION_DURATION || spec->kind == OPTION_NUMBER)
        return there->number != value->number;
    if (spec->traits & OPTION_IS_TARGET)
        return !rules_same_value(spec->id, there->text, value->text);
    return strlen(there->text) != value->size ||
           strncmp(there->text, value->text, value->size) != 0;
}

static bool
two_sources(const struct reading *reading, const struct setting *there,
            const struct option_spec *spec, struct err *err)
{
    char name[NAME_BYTES];
    const struct settings_origin *origin = &reading->string->origin;
    const bool argv = strcmp(there->source, "argv") == 0;
    (void)err_set(err, origin->rank == RANK_ARGV ? ERR_USAGE : origin->code,
                  "%s and %s contradict each other",
                  argv ? option_shown(spec, name, sizeof(name)) : there->source, origin->source);
    return err_hint(err, "Leave one of them out: both say what %s is.",
                    spec->name ? spec->name : "the secret");
}

static bool
put_secret(struct reading *reading, const struct option_spec *spec, const char *value,
           struct err *err)
{
    const struct settings_origin *origin = &reading->string->origin;
    struct setting *setting = &reading->settings->at[origin->rank][spec->id];
    if (setting->set)
        return two_sources(reading, setting, spec, err);
    if (!settings_put(reading->settings, spec, origin->source, origin, err) ||
        !secret_set(reading->secret, value, strlen(value), err))
        return false;
    setting->in_hand = true;
    return true;
}

static bool
put_value(struct reading *reading, const struct option_spec *spec, const char *key,
          const char *value, struct err *err)
{
    const struct settings_origin *origin = &reading->string->origin;
    const struct setting *there = &reading->settings->at[origin->rank][spec->id];
    struct option_value parsed = {0};
    struct err why;
    if (!option_applies(spec, reading->string->command))
        return true;
    value = translate(spec->id, value);
    if (!option_parse(spec, value, origin->code, &parsed, &why)) {
        /* the message of the option would show the value */
        (void)err_set(err, origin->code, "the value of %s cannot be used", key);
        return err_hint(err, "%s", why.hint);
    }
    if (there->set && contradicts(there, spec, &parsed))
        return two_sources(reading, there, spec, err);
    return there->set || settings_put(reading->settings, spec, value, origin, err);
}

static bool
take_pair(struct reading *reading, const struct pairs *pairs, struct err *err)
{
    const struct connection_key *key = find_key(reading->string->kind, pairs->key);
    if (!key)
        return unknown_key(reading, pairs->key, err);
    const unsigned id = (unsigned)key->option;
    reading->behind_secret = false;
    if (reading->seen[id] && id != IGNORED)
        return err_set(err, reading->string->origin.code,
                       "key \"%s\" comes twice, or beside another name of it", pairs->key);
    reading->seen[id] = true;
    if (id == IGNORED || !*pairs->value)
        return true;
    if (id == AUTHENTICATION)
        return refuse_entra(reading, pairs->value, err);
    if (id == AUTH_TYPE)
        return refuse_auth_type(reading, pairs->value, err);
    if (id == REFUSED)
        return refuse_key(reading, pairs->key, err);
    const struct option_spec *spec = option_spec(key->option);
    reading->behind_secret = spec->kind == OPTION_SECRET;
    return spec->kind == OPTION_SECRET ? put_secret(reading, spec, pairs->value, err)
                                       : put_value(reading, spec, pairs->key, pairs->value, err);
}

static bool
take_all(struct reading *reading, struct pairs *pairs, struct err *err)
{
    for (;;) {
        const char *fault = NULL;
        bool end = false;
        if (!next_pair(pairs, &end, &fault))
            return err_set(err, reading->string->origin.code, "the connection string: %s", fault);
        if (end)
            return true;
        if (!take_pair(reading, pairs, err))
            return false;
    }
}

bool
connection_string_read(const struct connection_string *string, struct settings *settings,
                       struct secret *ret_secret, struct err *err)
{
    assert(string && settings && ret_secret && err);
    struct reading reading = {.string = string, .settings = settings, .secret = ret_secret};
    const size_t size = strlen(string->text);
    if (size > CONNECTION_STRING_MAX_BYTES)
        return err_set(err, string->origin.code, "%s: longer than %d bytes", string->origin.source,
                       CONNECTION_STRING_MAX_BYTES);
    char *copy = strdup(string->text);
    if (!copy)
        return err_set(err, ERR_INTERNAL, "out of memory");
    struct pairs pairs = {.next = copy};
    const bool ok = take_all(&reading, &pairs, err) || err_wrap(err, "%s", string->origin.source);
    secret_clear_memory(copy, size);
    free(copy);
    return ok;
}

/* ---- against the command line */

bool
connection_string_agrees(const struct settings *settings, enum config_rank rank, const char *source,
                         struct err *err)
{
    static const enum option_id targets[] = {OPT_SERVER, OPT_DATABASE, OPT_DATAVERSE_URL};
    assert(settings && source && err);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        const struct setting *argv = &settings->at[RANK_ARGV][targets[i]];
        const struct setting *own = &settings->at[rank][targets[i]];
        char name[NAME_BYTES];
        if (!argv->set || !own->set || argv == own || strcmp(own->source, source) != 0 ||
            rules_same_value(targets[i], argv->text, own->text))
            continue;
        (void)err_set(err, ERR_USAGE, "%s and %s name two targets",
                      option_shown(option_spec(targets[i]), name, sizeof(name)), source);
        (void)err_detail(err, "%s; %s", argv->text, own->text);
        return err_hint(err, "The login of the string belongs to its own target: leave one of "
                             "them out.");
    }
    return true;
}
