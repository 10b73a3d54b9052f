#include "base/text.h"
#include "core/host.h"
#include "needs.h"

#include <string.h>

/** Nobody answered as expected: the need that the failure belongs to is unknown, and all behind it
 * was not looked at. */
static void
need_reached(struct needs *needs)
{
    static const struct {
        enum err_code code;
        const char *check;
    } checks[] = {{ERR_TLS, "C-TLS"},
                  {ERR_SIGNIN, "C-SIGNIN"},
                  {ERR_PERMISSION, "C-SIGNIN"},
                  {ERR_SCHEMA, "C-ENTITY"}};
    const struct err *why = &needs->evidence->runtime_err;
    const char *check = "C-CONNECT";

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (checks[i].code == why->code)
            check = checks[i].check;
    (void)need_unknown(needs, check, true, "Dataverse", why);
}

/** True when the pin holds or is not set. */
static bool
need_pin(struct needs *needs, const char *what, const char *expected, const char *found)
{
    struct observation *seen;

    if (!expected || text_equal_nocase(expected, found))
        return true;
    seen = need(needs, "C-ORG", true, VERDICT_DIFFERS, "%s is %s, expected %s", what,
                found[0] ? found : "not known", expected);
    seen->hint = "This is another organization than the one that was meant: check "
                 "--dataverse-url, or the pin.";
    return false;
}

static void
need_organization(struct needs *needs, const struct runtime_identity *id)
{
    const struct run_request *request = needs->request;
    char expected_host[HOST_BYTES] = "";
    bool holds = true;
    struct observation *seen;

    if (!id->organization_id[0] || !id->unique_name[0]) {
        seen = need(needs, "C-ORG", true, VERDICT_UNKNOWN,
                    "the service does not say which organization it is");
        seen->cause = ERR_REFUSED;
        seen->hint = "Check --dataverse-url; a proxy may have answered.";
        return;
    }
    if (request->expect_dataverse_host)
        host_of_url(request->expect_dataverse_host, expected_host);
    holds &= need_pin(needs, "organization id", request->expect_org_id, id->organization_id);
    holds &= need_pin(needs, "organization name", request->expect_org_name, id->unique_name);
    holds &= need_pin(needs, "organization host",
                      request->expect_dataverse_host ? expected_host : NULL, id->host);
    if (holds)
        (void)need(needs, "C-ORG", true, VERDICT_OK, "organization %s (%s) at %s", id->unique_name,
                   id->organization_id, id->host[0] ? id->host : id->dialled_host);
}

/** The link is evidence, not proof: no run is refused for it. */
static void
need_link(struct needs *needs, const struct runtime_identity *id)
{
    char expected[HOST_BYTES];
    char found[HOST_BYTES] = "";
    struct observation *seen;

    if (!needs->request->expect_fno_url)
        return;
    host_of_url(needs->request->expect_fno_url, expected);
    if (id->linked)
        host_of_url(id->fno_url, found);
    if (!id->link_known) {
        seen = need(needs, "C-LINK", false, VERDICT_UNKNOWN,
                    "the link to finance and operations is not known: %s", id->link_detail);
        seen->cause = ERR_SERVER;
        return;
    }
    seen = need(needs, "C-LINK", false, strcmp(expected, found) == 0 ? VERDICT_OK : VERDICT_DIFFERS,
                "Dataverse reports %s as its finance and operations environment, expected %s",
                found[0] ? found : "none", expected);
    if (seen->verdict == VERDICT_DIFFERS)
        seen->hint = "An old link may survive a copy. Change the pin (expect_fno_url) if it is out "
                     "of date.";
}

/** A right of the application user on the table. One that cannot be asked for stops no run. */
static void
need_privilege(struct needs *needs, const char *check, const char *privilege, enum right right)
{
    static const char table[] = "msdyn_dualwriteruntimeconfig";
    struct observation *seen;

    if (right == RIGHT_HELD) {
        (void)need(needs, check, true, VERDICT_OK, "prv%s%s held, for the whole organization",
                   privilege, table);
        return;
    }
    seen = need(needs, check, right == RIGHT_MISSING,
                right == RIGHT_MISSING ? VERDICT_DIFFERS : VERDICT_UNKNOWN,
                "prv%s%s for the whole organization %s", privilege, table,
                right == RIGHT_MISSING ? "missing" : "not known");
    if (seen->verdict == VERDICT_UNKNOWN)
        seen->cause = ERR_PERMISSION;
    need_hint(needs, seen,
              "In a security role of the application user %s: table Dual Write Runtime "
              "Configuration, privilege %s, level Organization. In administration mode: System "
              "Administrator.",
              needs->evidence->runtime->identity.user_id, privilege);
}

/** What an undo would need; no clean-up waits for it. */
static void
need_create(struct needs *needs, const struct runtime_identity *id)
{
    const enum right right = id->may_create;
    struct observation *seen;

    seen = need(needs, "C-CREATE", false,
                right == RIGHT_HELD      ? VERDICT_OK
                : right == RIGHT_MISSING ? VERDICT_DIFFERS
                                         : VERDICT_UNKNOWN,
                "prvCreatemsdyn_dualwriteruntimeconfig %s%s",
                right == RIGHT_HELD      ? "held"
                : right == RIGHT_MISSING ? "missing"
                                         : "not known",
                right == RIGHT_HELD ? "" : ": undo could not put rows back");
    if (right == RIGHT_HELD)
        return;
    if (right == RIGHT_UNKNOWN)
        seen->cause = ERR_PERMISSION;
    need_hint(needs, seen,
              "Before an undo, in a security role of the application user %s: table Dual Write "
              "Runtime Configuration, privilege Create, any level.",
              id->user_id);
}

static void
need_versions(struct needs *needs, const struct runtime_evidence *runtime)
{
    const size_t without = runtime->rows_without_etag;
    struct observation *seen;

    if (runtime->identity.optimistic_concurrency && !without) {
        (void)need(needs, "C-VERSION", true, VERDICT_OK,
                   "optimistic concurrency: deletes are made for the version that was backed up");
        return;
    }
    if (without)
        seen = need(needs, "C-VERSION", true, VERDICT_DIFFERS,
                    "%zu runtime configurations have no version", without);
    else
        seen = need(needs, "C-VERSION", true, VERDICT_DIFFERS,
                    "the service does not check row versions of this table "
                    "(IsOptimisticConcurrencyEnabled is false)");
    seen->hint = "A row that changes between the look at it and its delete would be lost. "
                 "Microsoft's Reset link clears the same rows; --allow-no-etag --reason TEXT "
                 "compares each row with its backup just before its delete.";
}

void
needs_of_dataverse(struct needs *needs)
{
    const struct runtime_evidence *runtime = needs->evidence->runtime;
    const struct runtime_identity *id;

    if (!runtime) {
        need_reached(needs);
        return;
    }
    id = &runtime->identity;
    (void)need(needs, "C-SIGNIN", true, VERDICT_OK, "signed in to %s as application user %s",
               id->dialled_host, id->user_id);
    need_organization(needs, id);
    need_link(needs, id);
    (void)need(needs, "C-ENTITY", true, VERDICT_OK, "table %s, key %s, %zu rows", id->entity_set,
               id->key_column, runtime->row_count);
    need_privilege(needs, "C-READALL", "Read", id->may_read_all);
    need_privilege(needs, "C-DELETE", "Delete", id->may_delete);
    need_create(needs, id);
    need_versions(needs, runtime);
}
