#include "config/sign_in.h"

#include "base/command.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 64, WAYS_MAX = 16 };

/** What a variable of azure-identity may leave of its chain. */
enum chain { CHAIN_ENVIRONMENT = 1, CHAIN_WORKLOAD = 2, CHAIN_IDENTITY = 4, CHAIN_CLI = 8 };

/** The ways, in the order of azure-identity where it knows them. */
static const struct way {
    enum sign_in_kind kind;
    enum option_id option;
    unsigned chain; /* part of it that reads the option's AZURE_* variable; 0 = there is none */
} ways[] = {
    {SIGN_IN_SECRET, OPT_CLIENT_SECRET, CHAIN_ENVIRONMENT},
    {SIGN_IN_SECRET, OPT_CLIENT_SECRET_FILE, 0},
    {SIGN_IN_SECRET, OPT_CLIENT_SECRET_COMMAND, 0},
    {SIGN_IN_CERTIFICATE, OPT_CLIENT_CERTIFICATE, CHAIN_ENVIRONMENT},
    {SIGN_IN_FEDERATED, OPT_FEDERATED_TOKEN_FILE, CHAIN_WORKLOAD},
    {SIGN_IN_IDENTITY, OPT_MANAGED_IDENTITY, 0},
    {SIGN_IN_COMMAND, OPT_TOKEN_COMMAND, 0},
    {SIGN_IN_TOKEN_FILE, OPT_TOKEN_FILE, 0},
    {SIGN_IN_TOKEN, OPT_TOKEN, 0},
    {SIGN_IN_DEVICE_CODE, OPT_DEVICE_CODE, 0},
};

enum { WAYS = sizeof ways / sizeof ways[0] };

static const char *const names[] = {
    [SIGN_IN_SECRET] = "client secret",
    [SIGN_IN_CERTIFICATE] = "client certificate",
    [SIGN_IN_FEDERATED] = "workload identity (federated token file)",
    [SIGN_IN_IDENTITY] = "managed identity",
    [SIGN_IN_COMMAND] = "token command",
    [SIGN_IN_TOKEN_FILE] = "token file",
    [SIGN_IN_TOKEN] = "token",
    [SIGN_IN_DEVICE_CODE] = "device code",
};

const char *
sign_in_name(enum sign_in_kind kind)
{
    return names[kind];
}

/* ---- AZURE_TOKEN_CREDENTIALS */

/** The values of azure-identity for .NET, Java, JavaScript, Python and Go. */
static const struct {
    const char *value;
    unsigned chain;
} chains[] = {
    {"prod", CHAIN_ENVIRONMENT | CHAIN_WORKLOAD | CHAIN_IDENTITY},
    {"dev", CHAIN_CLI},
    {"EnvironmentCredential", CHAIN_ENVIRONMENT},
    {"WorkloadIdentityCredential", CHAIN_WORKLOAD},
    {"ManagedIdentityCredential", CHAIN_IDENTITY},
    {"AzureCliCredential", CHAIN_CLI},
};

static const struct setting *
credentials(const struct settings *settings)
{
    return settings_get(settings, OPT_TOKEN_CREDENTIALS, NULL);
}

/** All of the chain when the variable is not set. */
static bool
find_chain(const struct settings *settings, unsigned *ret, struct err *err)
{
    const struct setting *asked = credentials(settings);

    *ret = CHAIN_ENVIRONMENT | CHAIN_WORKLOAD | CHAIN_IDENTITY | CHAIN_CLI;
    if (!asked)
        return true;
    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
        if (!text_equal_nocase(asked->text, chains[i].value))
            continue;
        *ret = chains[i].chain;
        return true;
    }
    (void)err_set(err, ERR_CONFIG,
                  "AZURE_TOKEN_CREDENTIALS names a credential that is not known: %.60s",
                  asked->text);
    return err_hint(err, "Known are prod, dev, EnvironmentCredential, WorkloadIdentityCredential, "
                         "ManagedIdentityCredential and AzureCliCredential. Any other tool that "
                         "writes a token can be named with --token-command.");
}

/* ---- which one */

/** The value of this rank, unless it is a flag that is off or that a stronger source turns off. */
static const struct setting *
given(const struct settings *settings, const struct way *way, enum config_rank rank)
{
    const struct option_spec *spec = option_spec(way->option);
    const struct setting *setting = &settings->at[rank][way->option];
    enum config_rank strongest = RANK_BUILTIN;

    if (!setting->set)
        return NULL;
    (void)settings_get(settings, way->option, &strongest);
    return spec->kind == OPTION_FLAG && (strongest != rank || !setting->number) ? NULL : setting;
}

static void
take(const struct settings *settings, const struct way *way, enum config_rank rank,
     struct sign_in *ret)
{
    const struct setting *setting = &settings->at[rank][way->option];

    *ret = (struct sign_in){
        .kind = way->kind,
        .option = way->option,
        .source = setting->source,
        .command = way->kind == SIGN_IN_COMMAND ? setting->text : NULL,
    };
}

static bool
two_ways(const struct settings *settings, const struct way *a, const struct way *b,
         enum config_rank rank, struct err *err)
{
    char shown[2][NAME_BYTES];
    const bool argv = rank == RANK_ARGV;
    const struct setting *set_a = &settings->at[rank][a->option];
    const struct setting *set_b = &settings->at[rank][b->option];
    const char *first = argv && !set_a->in_hand
                            ? option_shown(option_spec(a->option), shown[0], NAME_BYTES)
                            : set_a->source;
    const char *second = argv && !set_b->in_hand
                             ? option_shown(option_spec(b->option), shown[1], NAME_BYTES)
                             : set_b->source;

    (void)err_set(err, argv ? ERR_USAGE : ERR_CONFIG, "%s and %s exclude each other", first,
                  second);
    return err_hint(err, argv ? "Leave one of them out: there is one way to sign in to Dataverse."
                              : "Unset one of them.");
}

/** The one that this source names. `ret_found` false: none. */
static bool
find_at(const struct settings *settings, enum config_rank rank, unsigned chain, struct sign_in *ret,
        bool *ret_found, struct err *err)
{
    const bool tools = rank == RANK_TOOL_VARIABLE;
    const struct way *found = NULL;

    for (const struct way *way = ways; way < ways + WAYS; way++) {
        if (!given(settings, way, rank) || (tools && !(way->chain & chain)))
            continue;
        if (!found)
            found = way;
        else if (!tools)
            return two_ways(settings, found, way, rank, err);
    }
    *ret_found = found != NULL;
    if (found)
        take(settings, found, rank, ret);
    return true;
}

/** Nothing is named: what the platform or AZURE_TOKEN_CREDENTIALS says; else a secret, which may be
 * asked for. */
static bool
find_ambient(const struct settings *settings, unsigned chain, struct sign_in *ret, struct err *err)
{
    const struct setting *asked = credentials(settings);
    const struct setting *endpoint = settings_get(settings, OPT_IDENTITY_ENDPOINT, NULL);
    const struct setting *header = settings_get(settings, OPT_IDENTITY_HEADER, NULL);

    *ret = (struct sign_in){.kind = SIGN_IN_SECRET, .option = OPTIONS};
    if ((chain & CHAIN_IDENTITY) && ((endpoint && header) || asked)) {
        ret->kind = SIGN_IN_IDENTITY;
        ret->source = endpoint && header ? endpoint->source : asked->source;
    } else if (asked && (chain & CHAIN_CLI)) {
        ret->kind = SIGN_IN_COMMAND;
        ret->source = asked->source;
        ret->command = "az account get-access-token --output json --resource {resource}";
    } else if (asked) {
        (void)err_set(err, ERR_CONFIG,
                      "AZURE_TOKEN_CREDENTIALS asks for %.40s, and its variables "
                      "are not set",
                      asked->text);
        return err_hint(err, "EnvironmentCredential wants AZURE_CLIENT_SECRET or "
                             "AZURE_CLIENT_CERTIFICATE_PATH, WorkloadIdentityCredential wants "
                             "AZURE_FEDERATED_TOKEN_FILE.");
    }
    return true;
}

static bool
wants_client_id(enum sign_in_kind kind)
{
    return kind == SIGN_IN_SECRET || kind == SIGN_IN_CERTIFICATE || kind == SIGN_IN_FEDERATED ||
           kind == SIGN_IN_DEVICE_CODE;
}

static bool
check(const struct settings *settings, const struct sign_in *sign_in, const char *leave_out,
      struct err *err)
{
    if (sign_in->command && !command_check(sign_in->command, err))
        return err_wrap(err, "token command (%s)", sign_in->source);
    if (!wants_client_id(sign_in->kind) || settings_get(settings, OPT_CLIENT_ID, NULL))
        return true;
    (void)err_set(err, ERR_USAGE, "no application: --client-id is missing");
    return err_hint(err,
                    "Give --client-id (or AZURE_CLIENT_ID) of an application user%s%s; or sign in "
                    "with --managed-identity, --token-command or --token-file.",
                    *leave_out ? ", or " : "", leave_out);
}

bool
sign_in_choose(const struct settings *settings, const char *leave_out, struct sign_in *ret,
               struct err *err)
{
    struct sign_in sign_in = {.option = OPTIONS};
    unsigned chain;
    bool found = false;

    if (!find_chain(settings, &chain, err))
        return false;
    for (unsigned rank = RANKS; rank-- > RANK_DEFAULTS && !found;)
        if (!find_at(settings, (enum config_rank)rank, chain, &sign_in, &found, err))
            return false;
    if ((!found && !find_ambient(settings, chain, &sign_in, err)) ||
        !check(settings, &sign_in, leave_out, err))
        return false;
    *ret = sign_in;
    return true;
}
