#include "backup/plan_ndjson.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "storage.h"
#include "stored_schema.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLUSH_BYTES = 256 * 1024 };

enum stage { STAGE_NEW, STAGE_OPEN, STAGE_ENDED, STAGE_FAILED };

struct plan_ndjson {
    struct plan_file port; /* first: the port is the plan */
    char *directory;
    char *path;
    char *temporary;
    int fd;
    bool out; /* the operator's: nothing is replaced, and no half of it stays */
    enum stage stage;
    int64_t rows;
    struct text buffer;
    struct digest_stream *digest;
};

static struct plan_ndjson *
plan_of(struct plan_file *plan)
{
    return (struct plan_ndjson *)plan;
}

static bool
fail(struct plan_ndjson *plan)
{
    plan->stage = STAGE_FAILED;
    return false;
}

static bool
check_stage(const struct plan_ndjson *plan, enum stage stage, struct err *err)
{
    if (plan->stage == STAGE_FAILED)
        return err_set(err, ERR_STORAGE, "%s is unusable after an earlier failure", plan->path);
    return plan->stage == stage || err_set(err, ERR_INTERNAL, "%s out of turn", plan->path);
}

static bool
flush(struct plan_ndjson *plan, struct err *err)
{
    if (!text_ok(&plan->buffer, err))
        return false;
    digest_add(plan->digest, text_string(&plan->buffer), plan->buffer.used);
    if (!file_write_all(plan->fd, text_string(&plan->buffer), plan->buffer.used, plan->temporary,
                        err))
        return false;
    text_reset(&plan->buffer);
    return true;
}

static bool
flush_when_large(struct plan_ndjson *plan, struct err *err)
{
    if (plan->buffer.used < FLUSH_BYTES && !plan->buffer.broken)
        return true;
    return flush(plan, err) || fail(plan);
}

static void
append_member(struct text *text, const char *name, const char *value)
{
    text_append(text, ",\"");
    text_append(text, name);
    text_append(text, "\":");
    text_append_json(text, value ? value : "", value ? strlen(value) : 0);
}

/* Beside a file of the operator's another process may write one too: its own name for each. */
static bool
create(struct plan_ndjson *plan, struct err *err)
{
    if (!plan->out)
        return storage_create(plan->temporary, &plan->fd, err);
    plan->fd = mkostemp(plan->temporary, O_CLOEXEC); /* 0600, whatever the umask */
    if (plan->fd >= 0)
        return true;
    plan->out = false; /* nothing is there to be removed */
    return err_errno(err, ERR_STORAGE, errno, "create %s", plan->path);
}

static bool
begin(struct plan_file *port, const struct plan_header *header, struct err *err)
{
    struct plan_ndjson *plan = plan_of(port);
    struct text *text = &plan->buffer;
    char created[CLOCK_STAMP_BYTES];
    char expires[CLOCK_STAMP_BYTES];

    if (!check_stage(plan, STAGE_NEW, err))
        return false;
    if (!create(plan, err))
        return fail(plan);
    plan->stage = STAGE_OPEN;
    clock_stamp(header->created_utc_ms, created);
    clock_stamp(header->expires_utc_ms, expires);
    text_append(text, "{\"format\":\"dwclean-plan\",\"version\":\"1\"");
    append_member(text, "server", header->server);
    append_member(text, "database", header->database);
    append_member(text, "database_created", header->database_created);
    append_member(text, "recovery_fork", header->recovery_fork);
    append_member(text, "organization_id", header->organization_id);
    append_member(text, "organization_name", header->organization_name);
    append_member(text, "organization_host", header->organization_host);
    append_member(text, "scope", header->scope);
    append_member(text, "created_utc", created);
    append_member(text, "expires_utc", expires);
    text_printf(text, ",\"created_utc_ms\":\"%" PRId64 "\",\"expires_utc_ms\":\"%" PRId64 "\"}\n",
                header->created_utc_ms, header->expires_utc_ms);
    return flush_when_large(plan, err);
}

static bool
add_schema(struct plan_file *port, const struct schema *schema, struct err *err)
{
    struct plan_ndjson *plan = plan_of(port);

    if (!check_stage(plan, STAGE_OPEN, err))
        return false;
    text_append(&plan->buffer, "{\"schema\":");
    stored_schema_append(&plan->buffer, schema);
    text_append(&plan->buffer, "}\n");
    return flush_when_large(plan, err);
}

static bool
add(struct plan_file *port, const struct row_id *row, struct err *err)
{
    struct plan_ndjson *plan = plan_of(port);
    struct text *text = &plan->buffer;
    char digest[DIGEST_HEX_BYTES];

    if (!check_stage(plan, STAGE_OPEN, err))
        return false;
    digest_hex(&row->digest, digest);
    text_append(text, "{\"table\":\"");
    text_append(text, table_key(row->table));
    text_append(text, "\"");
    append_member(text, "key", row->key);
    append_member(text, "digest", digest);
    append_member(text, "version", row->version);
    text_append(text, "}\n");
    plan->rows++;
    return flush_when_large(plan, err);
}

static bool
finish(struct plan_ndjson *plan, const char *plan_id, struct err *err)
{
    char hex[DIGEST_HEX_BYTES];

    if (!flush(plan, err))
        return false;
    const struct digest digest = digest_finish(plan->digest);
    digest_hex(&digest, hex);
    text_printf(&plan->buffer, "{\"plan_id\":\"%s\",\"rows\":\"%" PRId64 "\",\"sha256\":\"%s\"}\n",
                plan_id, plan->rows, hex);
    if (!flush(plan, err) || !file_sync(plan->fd, plan->temporary, err))
        return false;
    file_close(&plan->fd);
    if (plan->out ? !file_rename_new(plan->temporary, plan->path, err)
                  : rename(plan->temporary, plan->path) != 0 &&
                        !err_errno(err, ERR_STORAGE, errno, "rename %s", plan->temporary))
        return false;
    return file_sync_directory(plan->directory, err);
}

static bool
end(struct plan_file *port, const char *plan_id, struct err *err)
{
    struct plan_ndjson *plan = plan_of(port);
    struct digest parsed;

    if (!check_stage(plan, STAGE_OPEN, err))
        return false;
    if (!digest_from_hex(plan_id, &parsed)) {
        (void)fail(plan);
        return err_set(err, ERR_INTERNAL, "a plan id is 64 hexadecimal digits");
    }
    if (!finish(plan, plan_id, err))
        return fail(plan);
    plan->stage = STAGE_ENDED;
    return true;
}

static const struct plan_file_ops ops = {
    .begin = begin, .add_schema = add_schema, .add = add, .end = end};

static bool
make(const char *path, bool out, struct plan_file **ret, struct err *err)
{
    struct plan_ndjson *plan = calloc(1, sizeof(*plan));
    if (!plan)
        return storage_no_memory(err);
    plan->port.ops = &ops;
    plan->fd = -1;
    plan->out = out;
    const char *slash = strrchr(path, '/');
    plan->directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    plan->path = strdup(path);
    plan->digest = digest_new();
    if (asprintf(&plan->temporary, out ? "%s.XXXXXX" : "%s.tmp", path) < 0)
        plan->temporary = NULL;
    if (!plan->directory || !plan->path || !plan->digest || !plan->temporary) {
        plan_ndjson_free(&plan->port);
        return storage_no_memory(err);
    }
    *ret = &plan->port;
    return true;
}

bool
plan_ndjson_new(const char *path, struct plan_file **ret, struct err *err)
{
    return make(path, false, ret, err);
}

bool
plan_ndjson_new_out(const char *path, struct plan_file **ret, struct err *err)
{
    struct stat status;

    if (lstat(path, &status) != 0)
        return make(path, true, ret, err);
    (void)err_set(err, ERR_STORAGE, "%s is there already", path);
    return err_hint(err, "A plan never replaces a file: name another with --out, or remove it.");
}

void
plan_ndjson_free(struct plan_file *port)
{
    if (!port)
        return;
    struct plan_ndjson *plan = plan_of(port);
    file_close(&plan->fd);
    if (plan->out && (plan->stage == STAGE_OPEN || plan->stage == STAGE_FAILED))
        (void)unlink(plan->temporary);
    text_done(&plan->buffer);
    digest_free(plan->digest);
    free(plan->directory);
    free(plan->path);
    free(plan->temporary);
    free(plan);
}
