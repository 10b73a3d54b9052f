#include "run_record.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { STAMP_BYTES = 17, USER_BYTES = 16 * 1024, HOST_BYTES = 256 };

/* "2026-11-21T21:44:29.123Z" -> "20261121T214429Z" */
static void
short_stamp(char ret[STAMP_BYTES])
{
    char stamp[CLOCK_STAMP_BYTES];
    size_t used = 0;

    clock_stamp(clock_utc_ms(), stamp);
    for (const char *at = stamp; *at && *at != '.' && used + 2 < STAMP_BYTES; at++)
        if (*at != '-' && *at != ':')
            ret[used++] = *at;
    ret[used++] = 'Z';
    ret[used] = '\0';
}

static char
plain(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-')
        return c;
    return '-';
}

bool
run_record_id(const char *environment, char ret[RUN_ID_BYTES], struct err *err)
{
    char name[RUN_ENVIRONMENT_MAX + 1] = "unnamed";
    char stamp[STAMP_BYTES];
    unsigned char random[2];

    for (size_t i = 0; environment && environment[i] && i < RUN_ENVIRONMENT_MAX; i++) {
        name[i] = plain(environment[i]);
        name[i + 1] = '\0';
    }
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return err_errno(err, ERR_INTERNAL, errno, "get a random number");
    short_stamp(stamp);
    (void)snprintf(ret, RUN_ID_BYTES, "%s-%s-%02x%02x", stamp, name, random[0], random[1]);
    return true;
}

static void
append_member(struct text *text, const char *name, const char *value)
{
    text_append(text, ",\n ");
    text_append_json(text, name, strlen(name));
    text_append(text, ":");
    if (value)
        text_append_json(text, value, strlen(value));
    else
        text_append(text, "null");
}

static void
append_facts(struct text *text, const char *name, const struct fact *facts, size_t count)
{
    text_printf(text, ",\n \"%s\":{", name);
    for (size_t i = 0; i < count; i++) {
        text_append(text, i ? ",\n  " : "\n  ");
        text_append_json(text, facts[i].name, strlen(facts[i].name));
        text_append(text, ":");
        if (facts[i].value)
            text_append_json(text, facts[i].value, strlen(facts[i].value));
        else
            text_append(text, "null");
    }
    text_append(text, "}");
}

static void
append_user(struct text *text)
{
    char buffer[USER_BYTES];
    char uid[24];
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwuid_r(getuid(), &entry, buffer, sizeof(buffer), &found) != 0)
        found = NULL;
    (void)snprintf(uid, sizeof(uid), "%ju", (uintmax_t)getuid());
    append_member(text, "user", found ? found->pw_name : NULL);
    append_member(text, "uid", uid);
    append_member(text, "sudo_user", getenv("SUDO_USER")); /* NOLINT(concurrency-mt-unsafe) */
}

static void
append_machine(struct text *text)
{
    char host[HOST_BYTES] = "";
    char pid[24];

    if (gethostname(host, sizeof(host) - 1) != 0)
        host[0] = '\0';
    (void)snprintf(pid, sizeof(pid), "%jd", (intmax_t)getpid());
    append_member(text, "host", host);
    append_member(text, "pid", pid);
}

bool
run_record_append(struct text *text, const struct run_record *record, struct err *err)
{
    char stamp[CLOCK_STAMP_BYTES];

    clock_stamp(clock_utc_ms(), stamp);
    text_append(text, "{\"format\":\"dwclean-run\",\n \"version\":\"1\"");
    append_member(text, "id", record->id);
    append_member(text, "command", record->info->command);
    append_member(text, "environment", record->info->environment);
    append_member(text, "started_utc", stamp);
    append_user(text);
    append_machine(text);
    append_member(text, "program", record->program);
    append_facts(text, "versions", record->versions, record->version_count);
    append_facts(text, "facts", record->info->facts, record->info->fact_count);
    text_append(text, "}\n");
    return text_ok(text, err);
}
