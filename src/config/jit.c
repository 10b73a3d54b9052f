#include "config/jit.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 64, ADDRESS_BYTES = 16, LEAST_PREFIX = 8, MOST_ADDRESSES = 1 << 24 };

/* ---- the address ---- */

/** Dotted decimal, all four parts, of exactly `size` bytes. */
static bool
read_address(const char *text, size_t size, uint32_t *ret)
{
    char copy[ADDRESS_BYTES];
    struct in_addr address;

    if (size >= sizeof copy)
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    if (inet_pton(AF_INET, copy, &address) != 1)
        return false;
    *ret = ntohl(address.s_addr);
    return *ret != 0; /* 0.0.0.0 means something else to a firewall: every service of the cloud */
}

/** A number without sign and leading zeroes. */
static bool
read_prefix(const char *text)
{
    const size_t digits = strspn(text, "0123456789");
    int number = 0;

    if (digits < 1 || digits > 2 || text[digits] || text[0] == '0')
        return false;
    for (size_t i = 0; i < digits; i++)
        number = number * 10 + (text[i] - '0');
    return number >= LEAST_PREFIX && number <= 32;
}

static bool
is_address(const char *text)
{
    const size_t size = strcspn(text, "/-");
    uint32_t first, last;

    if (!read_address(text, size, &first))
        return false;
    if (text[size] == '/')
        return read_prefix(text + size + 1);
    if (text[size] == '-')
        return read_address(text + size + 1, strlen(text + size + 1), &last) && first <= last &&
               last - first < MOST_ADDRESSES; /* as many as a /8 */
    return true;
}

bool
jit_check_address(const char *text, struct err *err)
{
    if (is_address(text))
        return true;
    (void)err_set(err, ERR_USAGE, "--jit-ip: \"%.60s\" is no IPv4 address, range or CIDR", text);
    return err_hint(
        err,
        "Give the address that the server will see: 203.0.113.7, 203.0.113.0/28 "
        "(/8 to /32) or 203.0.113.1-203.0.113.9 (no more than a /8). dwclean asks nobody outside for "
        "it.");
}

/* ---- what else was said ---- */

static bool
is_said(enum option_id id, const struct setting *setting)
{
    return setting->set && (option_spec(id)->kind != OPTION_FLAG || setting->number != 0);
}

/** Another way to sign in: from argv and variables it contradicts; a file's [defaults] do not, nor
 * does a section when --jit is on the command line. */
static bool
refuse_beside(struct settings *settings, enum option_id id, enum config_rank jit_rank,
              struct err *err)
{
    const struct option_spec *spec = option_spec(id);
    char name[NAME_BYTES];

    for (unsigned rank = RANK_DEFAULTS; rank < RANKS; rank++) {
        const struct setting *other = &settings->at[rank][id];
        const bool weaker = rank < RANK_TOOL_VARIABLE && rank < (unsigned)jit_rank;

        if (!is_said(id, other) || weaker)
            continue;
        (void)err_set(err, ERR_USAGE, "%s (%s) beside --jit, which brings its own login",
                      spec->kind == OPTION_SECRET ? "a password"
                                                  : option_shown(spec, name, sizeof name),
                      other->source);
        return err_hint(err, "%s",
                        rank == RANK_ARGV ? "Leave one of them out."
                        : rank >= RANK_TOOL_VARIABLE
                            ? "Unset the variable for this command, or leave --jit out."
                            : "Take it out of the file, or leave axdb = jit out.");
    }
    settings_drop(settings, id);
    return true;
}

static bool
refuse_others(struct settings *settings, enum config_rank jit_rank, struct err *err)
{
    static const enum option_id others[] = {OPT_USER, OPT_INTEGRATED, OPT_PASSWORD,
                                            OPT_PASSWORD_FILE, OPT_PASSWORD_COMMAND};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (!refuse_beside(settings, others[i], jit_rank, err))
            return false;
    return true;
}

static bool
check_ip(const struct settings *settings, struct err *err)
{
    const struct setting *address = settings_get(settings, OPT_JIT_IP, NULL);

    if (address)
        return jit_check_address(address->text, err);
    (void)err_set(err, ERR_USAGE, "--jit without --jit-ip");
    return err_hint(err, "Give the IPv4 address, range or CIDR that this machine connects from, as "
                         "the server sees it: --jit-ip 203.0.113.7. dwclean asks nobody outside "
                         "for it.");
}

static bool
check_role(enum command command, enum jit_role role, struct err *err)
{
    const struct command_spec *spec = command_spec(command);

    if (role != JIT_READER || !spec->writes)
        return true;
    (void)err_set(err, ERR_USAGE, "--jit reader: %s needs writer", spec->name);
    return err_hint(err, "A Reader may not delete or insert, and even a dry run looks whether the "
                         "login may. Pass --jit writer.");
}

/** --jit of the command line, else `axdb = jit` of the file. */
static enum jit_role
find_role(const struct settings *settings, enum command command, enum config_rank *ret_rank)
{
    const struct setting *role = settings_get(settings, OPT_JIT, ret_rank);
    const struct setting *way = NULL;

    if (role)
        return strcmp(role->text, "writer") == 0 ? JIT_WRITER : JIT_READER;
    way = settings_get(settings, OPT_AXDB, ret_rank);
    if (!way || strcmp(way->text, "jit") != 0)
        return JIT_NONE;
    return command_spec(command)->writes ? JIT_WRITER : JIT_READER;
}

bool
jit_rules(struct settings *settings, enum command command, bool axdb, enum jit_role *ret,
          struct err *err)
{
    assert(settings && ret && err);
    enum config_rank rank = RANK_BUILTIN;
    const enum jit_role role = find_role(settings, command, &rank);
    const bool named = settings->at[RANK_ARGV][OPT_JIT].set;

    if (role == JIT_NONE && settings->at[RANK_ARGV][OPT_JIT_IP].set)
        return err_set(err, ERR_USAGE, "--jit-ip without --jit");
    if (named && !axdb)
        return err_set(err, ERR_USAGE,
                       "--jit asks for a login of AxDB: --dataverse-only needs none");
    if (role != JIT_NONE && axdb &&
        (!check_role(command, role, err) || !check_ip(settings, err) ||
         !refuse_others(settings, rank, err)))
        return false;
    *ret = axdb ? role : JIT_NONE;
    return true;
}
