/* What the forms for programs share. */
#include "parts.h"
#include "report/words.h"

static const char *
known(const char *value)
{
    return value && *value ? value : NULL;
}

static struct parts_target
axdb_target(const struct evidence *seen)
{
    const struct axdb_identity *identity = seen->axdb ? &seen->axdb->identity : NULL;
    const char *name = identity ? known(identity->server_name) : NULL;
    return (struct parts_target){
        .half = "axdb",
        .is_axdb = true,
        .reached = identity != NULL,
        .why = &seen->axdb_err,
        .server = name       ? name
                  : identity ? known(identity->dialled)
                             : NULL,
        .database = identity ? known(identity->database) : NULL,
    };
}

static struct parts_target
runtime_target(const struct evidence *seen)
{
    const struct runtime_identity *identity = seen->runtime ? &seen->runtime->identity : NULL;
    const char *host = identity ? known(identity->host) : NULL;
    return (struct parts_target){
        .half = "dataverse",
        .reached = identity != NULL,
        .why = &seen->runtime_err,
        .server = host       ? host
                  : identity ? known(identity->dialled_host)
                             : NULL,
        .organization = identity ? known(identity->unique_name) : NULL,
        .organization_id = identity ? known(identity->organization_id) : NULL,
    };
}

size_t
parts_targets(const struct outcome *outcome, struct parts_target ret[2])
{
    size_t count = 0;
    if (outcome->before.axdb_asked)
        ret[count++] = axdb_target(&outcome->before);
    if (outcome->before.runtime_asked)
        ret[count++] = runtime_target(&outcome->before);
    return count;
}

bool
parts_row_at(const struct outcome *outcome, size_t index, struct parts_row *ret)
{
    if (index < outcome->removal_count) {
        const struct removal *removal = &outcome->removals[index];
        *ret = (struct parts_row){.key = removal->row ? removal->row->key : NULL,
                                  .state = removal_state_name(removal->state),
                                  .http_status = removal->http_status,
                                  .request_id = removal->request_id,
                                  .why = removal->why.code == ERR_NONE ? NULL : &removal->why};
        return true;
    }
    index -= outcome->removal_count;
    if (index < outcome->return_count) {
        const struct returned *returned = &outcome->returns[index];
        *ret = (struct parts_row){.key = returned->key,
                                  .state = return_state_name(returned->state),
                                  .http_status = returned->http_status,
                                  .request_id = returned->request_id,
                                  .why = returned->why.code == ERR_NONE ? NULL : &returned->why};
        return true;
    }
    index -= outcome->return_count;
    if (index >= outcome->written_after_count)
        return false;
    *ret = (struct parts_row){.key = outcome->written_after[index].key, .state = "new"};
    return true;
}

bool
parts_has_tables(const struct outcome *outcome)
{
    return (outcome->before.axdb_asked || outcome->before.runtime_asked) &&
           !parts_is_command(outcome, "check") && !parts_is_command(outcome, "env");
}

int64_t
parts_took_ms(const struct outcome *outcome)
{
    const int64_t ms = outcome->ended_utc_ms - outcome->started_utc_ms;
    return ms > 0 ? ms : 0;
}
