#include "rights.h"

#include "base/text.h"

#include <cjson/cJSON.h>
#include <string.h>

/** How far one role carries a privilege. */
static enum right
judge_depth(const cJSON *depth)
{
    static const char *const lower[] = {"Basic", "Local", "Deep", "RecordFilter"};

    if (!cJSON_IsString(depth))
        return RIGHT_UNKNOWN;
    if (strcmp(depth->valuestring, "Global") == 0)
        return RIGHT_HELD;
    for (size_t i = 0; i < sizeof lower / sizeof lower[0]; i++)
        if (strcmp(depth->valuestring, lower[i]) == 0)
            return RIGHT_MISSING;
    return RIGHT_UNKNOWN;
}

/** An entry that names another privilege says nothing about ours. */
static enum right
judge_entry(const cJSON *entry, const char *privilege)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(entry, "PrivilegeName");

    if (cJSON_IsString(name) && name->valuestring[0] &&
        !text_equal_nocase(name->valuestring, privilege))
        return RIGHT_UNKNOWN;
    return judge_depth(cJSON_GetObjectItemCaseSensitive(entry, "Depth"));
}

enum right
rights_judge(struct slice body, const char *privilege)
{
    cJSON *json = body.size > 0 ? cJSON_ParseWithLength((const char *)body.data, body.size) : NULL;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "RolePrivileges");
    enum right right = cJSON_IsArray(list) ? RIGHT_MISSING : RIGHT_UNKNOWN;
    const cJSON *entry;

    cJSON_ArrayForEach(entry, list)
    {
        const enum right one = judge_entry(entry, privilege);

        /* One role that carries it far enough is enough; else doubt is stronger than a no. */
        if (one == RIGHT_HELD || (one == RIGHT_UNKNOWN && right == RIGHT_MISSING))
            right = one;
    }
    cJSON_Delete(json);
    return right;
}

static enum right
judge_fetch(const struct fetch *fetch, const char *privilege)
{
    if (!fetch->answer || fetch->judgement.verdict != VERDICT_OK || fetch->answer->status != 200)
        return RIGHT_UNKNOWN;
    return rights_judge(fetch->answer->body, privilege);
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
             struct runtime_identity *ret, struct err *err)
{
    const char *const privileges[] = {definition->read_privilege, definition->delete_privilege};
    struct fetch fetches[] = {{.may_fail = true}, {.may_fail = true}};
    struct err why = {0};

    ret->may_read_all = RIGHT_UNKNOWN;
    ret->may_delete = RIGHT_UNKNOWN;
    if (!privileges[0][0] || !privileges[1][0])
        return true;
    for (size_t i = 0; i < 2; i++) {
        fetches[i].url = rights_url(arena, session->root, ret->user_id, privileges[i]);
        if (!fetches[i].url)
            return arena_exhausted(err);
    }
    if (!session_fetch(session, fetches, 2, &why)) {
        if (why.code != ERR_INTERRUPTED && why.code != ERR_INTERNAL)
            return true;
        *err = why;
        return false;
    }
    ret->may_read_all = judge_fetch(&fetches[0], privileges[0]);
    ret->may_delete = judge_fetch(&fetches[1], privileges[1]);
    return true;
}
