#include "compare.h"

#include "rows.h"

#include <cjson/cJSON.h>
#include <string.h>

/* What the service stamps on every write. */
static const char *const stamps[] = {"modifiedon", "_modifiedby_value", "versionnumber"};

/* What a new row gets, and who creates it. */
static const char *const created_with[] = {"createdon",
                                           "overriddencreatedon",
                                           "_createdby_value",
                                           "_createdonbehalfby_value",
                                           "_modifiedonbehalfby_value",
                                           "_ownerid_value",
                                           "_owningbusinessunit_value",
                                           "_owningteam_value",
                                           "_owninguser_value",
                                           "statecode",
                                           "statuscode"};

static bool
is_one_of(const struct rows_member *member, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (rows_is_named(member, names[i]))
            return true;
    return false;
}

static bool
counts(const struct rows_member *member, bool created, const struct columns *columns)
{
    const struct table_column *column;

    if (memchr(member->name.data, '@', member->name.size) ||
        is_one_of(member, stamps, sizeof stamps / sizeof stamps[0]))
        return false;
    if (!created)
        return true;
    if (is_one_of(member, created_with, sizeof created_with / sizeof created_with[0]))
        return false;
    column = columns_of_member(columns, member->name);
    return !column || columns_survives(columns, column);
}

static bool
is_null(struct slice value)
{
    return value.size == 0 || slice_equal(value, slice_of_string("null"));
}

/** Numbers are compared as text only: a 64-bit one does not fit into a double. */
static bool
says_the_same(struct slice a, struct slice b)
{
    cJSON *left;
    cJSON *right;
    bool same;

    if (slice_equal(a, b) || (is_null(a) && is_null(b)))
        return true;
    if (is_null(a) || is_null(b) || a.data[0] != '"' || b.data[0] != '"' || rows_hold_nul(a) ||
        rows_hold_nul(b))
        return false;
    left = cJSON_ParseWithLength((const char *)a.data, a.size);
    right = cJSON_ParseWithLength((const char *)b.data, b.size);
    same = cJSON_IsString(left) && cJSON_IsString(right) &&
           strcmp(left->valuestring, right->valuestring) == 0;
    cJSON_Delete(left);
    cJSON_Delete(right);
    return same;
}

static struct slice
find(struct slice object, struct slice name, bool *ret_twice)
{
    struct rows_members members = rows_members_begin(object);
    struct rows_member member;
    struct slice found = {0};

    *ret_twice = false;
    while (rows_members_next(&members, &member))
        if (slice_equal(member.name, name)) {
            *ret_twice = found.size > 0;
            found = member.value;
        }
    return found;
}

/** Every member of `a` that counts says the same in `b`. */
static bool
is_within(struct slice a, struct slice b, bool created, const struct columns *columns)
{
    struct rows_members members = rows_members_begin(a);
    struct rows_member member;
    bool twice;

    while (rows_members_next(&members, &member))
        if (counts(&member, created, columns) &&
            (!says_the_same(member.value, find(b, member.name, &twice)) || twice))
            return false;
    return true;
}

bool
compare_rows(struct slice a, struct slice b, bool created, const struct columns *columns)
{
    return rows_is_object(a) && rows_is_object(b) && is_within(a, b, created, columns) &&
           is_within(b, a, created, columns);
}
