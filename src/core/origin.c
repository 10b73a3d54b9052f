#include "core/origin.h"

#include "base/text.h"
#include "core/host.h"
#include "moment.h"

#include <assert.h>
#include <string.h>

enum { TO_THE_SECOND = sizeof "2026-11-21T20:00:00" - 1 };

/* ---- the live organization ---- */

static bool
is_name(const char *known, const char *name)
{
    return known && known[0] && text_equal_nocase(known, name);
}

/** Its host, as it stands, in a URL, or by its first label alone. */
static bool
is_host(const char *own, const char *name)
{
    const size_t label = strcspn(own, ".");
    char host[HOST_BYTES];

    if (!own[0])
        return false;
    if (strlen(name) == label && strncasecmp(name, own, label) == 0)
        return true;
    host_of_url(name, host);
    return strcmp(host, own) == 0;
}

bool
organization_is_live(const struct runtime_identity *identity, const char *name)
{
    char own[HOST_BYTES];

    host_of_url(identity->host, own);
    return is_name(identity->unique_name, name) || is_name(identity->url_name, name) ||
           is_name(identity->friendly_name, name) || is_name(identity->organization_id, name) ||
           is_host(own, name);
}

/* ---- what the rows name ---- */

static const struct organization_name *
weigh_names(const struct evidence *evidence, struct origin *origin)
{
    const struct runtime_diagnosis *diagnosis = evidence->diagnosis;
    const struct organization_name *foreign = NULL;
    bool own = false;

    if (!diagnosis->names_part.known || !evidence->runtime->identity.unique_name[0])
        return NULL;
    for (size_t i = 0; i < diagnosis->name_count; i++) {
        const struct organization_name *name = &diagnosis->names[i];

        if (!name->sure)
            continue;
        if (organization_is_live(&evidence->runtime->identity, name->name))
            own = true;
        else if (!foreign)
            foreign = name;
    }
    origin->rows = own && foreign ? ORIGIN_CONTRADICTED
                   : foreign      ? ORIGIN_FOREIGN
                   : own          ? ORIGIN_OWN
                                  : ORIGIN_UNKNOWN;
    return foreign;
}

/* ---- what the traces say ---- */

/** Stamps of the service are in UTC and of one form. */
static bool
is_older(const char *stamp, const char *than)
{
    return strncmp(stamp, than, TO_THE_SECOND) < 0;
}

static void
keep_first(struct origin_trace *place, const struct symptom_match *match,
           const struct plugin_trace *trace)
{
    if (!place->match)
        *place = (struct origin_trace){.match = match, .created_on = trace->created_on};
}

static void
weigh_pair(const struct runtime_evidence *runtime, const struct symptom_match *match,
           const struct plugin_trace *trace, struct origin *origin)
{
    const struct runtime_identity *identity = &runtime->identity;

    const bool named = match->actual && match->configured;

    if (named && !organization_is_live(identity, match->actual))
        keep_first(&origin->elsewhere, match, trace);
    else if (!named || organization_is_live(identity, match->configured))
        keep_first(&origin->vague, match, trace);
    else if (runtime->row_count == 0 || is_older(trace->created_on, runtime->first_created))
        keep_first(&origin->outlived, match, trace);
    else
        keep_first(&origin->foreign, match, trace);
}

static void
note_symptom(const struct symptom *symptom, struct origin *origin)
{
    for (size_t i = 0; i < origin->symptom_count; i++)
        if (origin->symptoms[i] == symptom)
            return;
    if (origin->symptom_count < ORIGIN_SYMPTOMS)
        origin->symptoms[origin->symptom_count++] = symptom;
}

static bool
weigh_trace(const struct runtime_evidence *runtime, const struct plugin_trace *trace,
            struct arena *arena, struct origin *origin, struct err *err)
{
    struct symptom_match *matches = arena_alloc(arena, SYMPTOM_MATCHES * sizeof *matches);
    size_t count = 0;

    if (!matches)
        return arena_exhausted(err);
    if (!symptom_find(trace->text, strlen(trace->text), arena, matches, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(matches[i].symptom->id, "S01") == 0)
            weigh_pair(runtime, &matches[i], trace, origin);
        else
            note_symptom(matches[i].symptom, origin);
    }
    return true;
}

static bool
weigh_traces(const struct run_request *request, const struct evidence *evidence,
             struct arena *arena, struct origin *origin, struct err *err)
{
    const struct runtime_diagnosis *diagnosis = evidence->diagnosis;
    char copied[MOMENT_BYTES];
    const bool dated = request->restored_at && moment_parse(request->restored_at, copied);

    if (!diagnosis->traces_part.known)
        return true;
    for (size_t i = 0; i < diagnosis->trace_count; i++) {
        const struct plugin_trace *trace = &diagnosis->traces[i];

        if (dated && is_older(trace->created_on, copied)) {
            origin->traces_older++;
            continue;
        }
        if (origin->traces_taken++ == 0)
            origin->newest = trace->created_on;
        if (!weigh_trace(evidence->runtime, trace, arena, origin, err))
            return false;
    }
    origin->traces = origin->elsewhere.match ? ORIGIN_CONTRADICTED
                     : origin->foreign.match ? ORIGIN_FOREIGN
                                             : ORIGIN_UNKNOWN;
    return true;
}

/* ---- both ---- */

static enum origin_verdict
weigh_both(const struct origin *origin)
{
    const bool foreign = origin->rows == ORIGIN_FOREIGN || origin->traces == ORIGIN_FOREIGN;

    if (origin->rows == ORIGIN_CONTRADICTED || origin->traces == ORIGIN_CONTRADICTED)
        return ORIGIN_CONTRADICTED;
    if (foreign && origin->rows == ORIGIN_OWN)
        return ORIGIN_CONTRADICTED;
    return foreign ? ORIGIN_FOREIGN : origin->rows;
}

bool
origin_find(const struct run_request *request, const struct evidence *evidence, struct arena *arena,
            struct origin *ret, struct err *err)
{
    struct origin origin = {.newest = ""};
    const struct organization_name *named = weigh_names(evidence, &origin);
    const char *live = evidence->runtime->identity.unique_name;

    if (!weigh_traces(request, evidence, arena, &origin, err))
        return false;
    origin.whole = weigh_both(&origin);
    if (origin.whole == ORIGIN_FOREIGN && named) {
        origin.name = named->name;
        origin.how = arena_printf(
            arena, "%zu runtime %s %s; the live organization is %s", named->rows,
            named->rows == 1 ? "configuration names" : "configurations name", named->name, live);
    } else if (origin.whole == ORIGIN_FOREIGN) {
        assert(origin.foreign.match); /* who else says so? */
        origin.name = origin.foreign.match->configured;
        origin.how = arena_printf(arena,
                                  "a plug-in trace of %s says that the runtime configuration is "
                                  "that of %.128s; the live organization is %s",
                                  origin.foreign.created_on, origin.name, live);
    }
    if (origin.whole == ORIGIN_FOREIGN && !origin.how)
        return arena_exhausted(err);
    *ret = origin;
    return true;
}
