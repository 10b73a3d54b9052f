#include "rights.h"

#include "base/text.h"

#include <cjson/cJSON.h>
#include <string.h>

/** How far one role carries a privilege: far enough? */
static enum right
judge_depth(const cJSON *depth, enum rights_reach reach)
{
    enum { RECORD_FILTER = 3 }; /* some rows only, whosever they are */
    static const char *const lower[] = {"Basic", "Local", "Deep", [RECORD_FILTER] = "RecordFilter"};

    if (!cJSON_IsString(depth))
        return RIGHT_UNKNOWN;
    if (strcmp(depth->valuestring, "Global") == 0)
        return RIGHT_HELD;
    for (size_t i = 0; i < sizeof lower / sizeof lower[0]; i++)
        if (strcmp(depth->valuestring, lower[i]) == 0)
            return reach == RIGHTS_OWN_ROWS && i < RECORD_FILTER ? RIGHT_HELD : RIGHT_MISSING;
    return RIGHT_UNKNOWN;
}

/** An entry that names another privilege says nothing about ours. */
static enum right
judge_entry(const cJSON *entry, const char *privilege, enum rights_reach reach)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(entry, "PrivilegeName");

    if (cJSON_IsString(name) && name->valuestring[0] &&
        !text_equal_nocase(name->valuestring, privilege))
        return RIGHT_UNKNOWN;
    return judge_depth(cJSON_GetObjectItemCaseSensitive(entry, "Depth"), reach);
}

enum right
rights_judge(struct slice body, const char *privilege, enum rights_reach reach)
{
    cJSON *json = body.size > 0 ? cJSON_ParseWithLength((const char *)body.data, body.size) : NULL;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "RolePrivileges");
    enum right right = cJSON_IsArray(list) ? RIGHT_MISSING : RIGHT_UNKNOWN;
    const cJSON *entry;

    cJSON_ArrayForEach(entry, list)
    {
        const enum right one = judge_entry(entry, privilege, reach);

        /* One role that carries it far enough is enough; else doubt is stronger than a no. */
        if (one == RIGHT_HELD || (one == RIGHT_UNKNOWN && right == RIGHT_MISSING))
            right = one;
    }
    cJSON_Delete(json);
    return right;
}

static enum right
judge_fetch(const struct fetch *fetch, const char *privilege, enum rights_reach reach)
{
    if (!fetch->answer || fetch->judgement.verdict != VERDICT_OK || fetch->answer->status != 200)
        return RIGHT_UNKNOWN;
    return rights_judge(fetch->answer->body, privilege, reach);
}

const char *
rights_url(struct arena *arena, const char *root, const char *user_id, const char *privilege)
{
    return arena_printf(arena,
                        "%ssystemusers(%s)/Microsoft.Dynamics.CRM."
                        "RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='%s')",
                        root, user_id, privilege);
}

bool
rights_fetch(struct session *session, struct arena *arena, const struct definition *definition,
             struct runtime_identity *ret, struct fetch *beside, struct err *err)
{
    const struct {
        const char *privilege;
        enum rights_reach reach;
        enum right *ret;
    } asked[] = {{definition->read_privilege, RIGHTS_ALL_ROWS, &ret->may_read_all},
                 {definition->delete_privilege, RIGHTS_ALL_ROWS, &ret->may_delete},
                 {definition->create_privilege, RIGHTS_OWN_ROWS, &ret->may_create}};
    enum { ASKED = sizeof asked / sizeof asked[0] };
    struct fetch fetches[ASKED + 1] = {[ASKED] = *beside};
    struct err why = {0};

    for (size_t i = 0; i < ASKED; i++)
        *asked[i].ret = RIGHT_UNKNOWN;
    for (size_t i = 0; i < ASKED; i++)
        if (!asked[i].privilege[0])
            return true;
    for (size_t i = 0; i < ASKED; i++) {
        fetches[i].may_fail = true;
        fetches[i].url = rights_url(arena, session->root, ret->user_id, asked[i].privilege);
        if (!fetches[i].url)
            return arena_exhausted(err);
    }
    if (!session_fetch(session, fetches, ASKED + 1, &why)) {
        if (why.code != ERR_INTERRUPTED && why.code != ERR_INTERNAL)
            return true;
        *err = why;
        return false;
    }
    for (size_t i = 0; i < ASKED; i++)
        *asked[i].ret = judge_fetch(&fetches[i], asked[i].privilege, asked[i].reach);
    *beside = fetches[ASKED];
    return true;
}
