#include "core/evidence.h"

#include "base/clock.h"
#include "checks.h"
#include "core/host.h"
#include "core/origin.h"

#include <stdlib.h>
#include <string.h>

void
connections_close(struct connections *connections)
{
    if (connections->axdb)
        connections->axdb->ops->close(connections->axdb);
    if (connections->runtime)
        connections->runtime->ops->close(connections->runtime);
    *connections = (struct connections){0};
}

const struct schema *
row_source_schema(const struct row_source *source, enum table table)
{
    return table == TABLE_RUNTIME ? runtime_schema()
                                  : &source->evidence->axdb->tables[table].schema;
}

void
row_source_foresee(const struct row_source *source, const bool tables[TABLES])
{
    struct axdb_store *axdb = source->connections->axdb;
    struct axdb_foresight foresight = {0};

    if (!axdb)
        return;
    for (int i = 0; i < AXDB_TABLES; i++)
        if (tables[i])
            foresight.tables[foresight.table_count++] = row_source_schema(source, (enum table)i);
    axdb->ops->foresee(axdb, &foresight);
}

/** Rows on their way through the scope. */
struct chooser {
    const struct row_source *source;
    const struct schema *schema;
    const struct row_sink *sink;
    int64_t kept;
};

static bool
choose_row(void *ctx, const struct row *row, struct err *err)
{
    struct chooser *chooser = ctx;

    if (scope_takes(chooser->source->scope, chooser->schema, row))
        return chooser->sink->take(chooser->sink->ctx, row, err);
    chooser->kept++;
    return true;
}

bool
row_source_read(const struct row_source *source, const struct schema *schema,
                const struct row_sink *sink, int64_t *ret_kept, struct err *err)
{
    struct axdb_store *axdb = source->connections->axdb;
    struct runtime_store *runtime = source->connections->runtime;
    struct chooser chooser = {.source = source, .schema = schema, .sink = sink};
    const struct row_sink chosen = {.ctx = &chooser, .take = choose_row};

    if (schema->table == TABLE_RUNTIME ? !runtime->ops->read_rows(runtime, &chosen, err)
                                       : !axdb->ops->read_rows(axdb, schema, &chosen, err))
        return false;
    *ret_kept = chooser.kept;
    return true;
}

/** 0 rows by COUNT against rows in the partitions: something hides rows, or a writer is just
 * committing. */
static bool
counts_disagree(const struct axdb_evidence *axdb)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct axdb_table_evidence *table = &axdb->tables[i];

        if (table->fresh.known && table->fresh.rows == 0 && table->partitions.known &&
            table->partitions.rows > 0)
            return true;
    }
    return false;
}

static bool
names_equal(const char *const *a, size_t a_count, const char *const *b, size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return true;
}

bool
named_list_equal(const struct named_list *a, const struct named_list *b)
{
    return a->known == b->known && names_equal(a->names, a->count, b->names, b->count) &&
           names_equal(a->disabled, a->disabled_count, b->disabled, b->disabled_count);
}

static bool
same_value(const char *what, const char *before, const char *now, struct err *err)
{
    if (strcmp(before, now) == 0)
        return true;
    (void)err_set(err, ERR_STALE, "the fresh look reached another target: %s is %s, it was %s",
                  what, now[0] ? now : "not known", before[0] ? before : "not known");
    return err_hint(err, "Something between here and the server changed. Run verify again.");
}

bool
evidence_same_target(const struct evidence *before, const struct evidence *now, struct err *err)
{
    if (before->axdb && now->axdb) {
        const struct axdb_identity *a = &before->axdb->identity;
        const struct axdb_identity *b = &now->axdb->identity;

        if (!same_value("database", a->database, b->database, err) ||
            !same_value("creation time of the database", a->created, b->created, err) ||
            !same_value("recovery fork", a->recovery_fork, b->recovery_fork, err))
            return false;
    }
    return !before->runtime || !now->runtime ||
           same_value("organization", before->runtime->identity.organization_id,
                      now->runtime->identity.organization_id, err);
}

static bool
look_at_axdb(const struct look *look, struct axdb_store **ret_store, struct axdb_evidence **ret,
             struct err *err)
{
    struct axdb_server *server = look->ports->axdb;
    struct axdb_evidence *axdb = arena_alloc(look->arena, sizeof *axdb);
    struct axdb_store *store;

    if (!axdb)
        return arena_exhausted(err);
    if (!server->connect(server, look->request->run_id, &store, err))
        return false;
    /* asked twice before "0 rows" is doubted: the second answer is the one that counts */
    for (int round = 0; round < 2; round++) {
        if (!store->ops->observe(store, look->arena, axdb, err)) {
            store->ops->close(store);
            return false;
        }
        if (!counts_disagree(axdb))
            break;
    }
    *ret_store = store;
    *ret = axdb;
    return true;
}

/** What came of a look at Dataverse: `evidence` NULL = nothing, `why` says why. */
struct runtime_look {
    const struct look *look;
    struct arena *arena; /* holds all of it */
    struct runtime_store *store;
    struct runtime_evidence *evidence;
    struct err why;
    struct runtime_diagnosis *diagnosis; /* NULL = not asked */
    struct err not_diagnosed;            /* ERR_NONE = it was */
};

static bool
look_at_runtime(struct runtime_look *seen, struct err *err)
{
    const struct look *look = seen->look;
    struct runtime_server *server = look->ports->runtime;
    struct runtime_evidence *runtime = arena_alloc(seen->arena, sizeof *runtime);
    struct runtime_diagnosis *diagnosis =
        look->diagnose ? arena_alloc(seen->arena, sizeof *diagnosis) : NULL;

    if (!runtime || (look->diagnose && !diagnosis))
        return arena_exhausted(err);
    if (!server->connect(server, &seen->store, err))
        return false;
    if (!seen->store->ops->observe(seen->store, seen->arena, look->rows, runtime, err)) {
        seen->store->ops->close(seen->store);
        seen->store = NULL;
        return false;
    }
    seen->evidence = runtime;
    seen->diagnosis = diagnosis;
    if (diagnosis && seen->store->ops->diagnose(seen->store, seen->arena, look->diagnose, diagnosis,
                                                &seen->not_diagnosed))
        seen->not_diagnosed = (struct err){0};
    return true;
}

/** By somebody else: the connection ends with the look. */
static void
look_aside(void *ctx)
{
    struct runtime_look *seen = ctx;

    if (look_at_runtime(seen, &seen->why))
        seen->why = (struct err){0};
    if (seen->store)
        seen->store->ops->close(seen->store);
    seen->store = NULL;
}

/** No answer at all: every part says the same. */
static void
not_diagnosed(unsigned parts, const struct err *why, struct runtime_diagnosis *ret)
{
    const struct {
        unsigned part;
        struct diagnosis_part *place;
    } places[] = {{DIAGNOSE_NAMES, &ret->names_part},
                  {DIAGNOSE_TRACES, &ret->traces_part},
                  {DIAGNOSE_PLUGINS, &ret->plugins_part},
                  {DIAGNOSE_COMPANIES, &ret->companies_part}};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (parts & places[i].part)
            *places[i].place = (struct diagnosis_part){.asked = true, .why = *why};
}

/** What Dataverse said of itself, weighed. */
static bool
weigh(const struct look *look, const struct runtime_look *seen, struct evidence *evidence,
      struct err *err)
{
    struct origin *origin;

    if (!seen->diagnosis)
        return true;
    if (seen->not_diagnosed.code == ERR_INTERRUPTED || seen->not_diagnosed.code == ERR_INTERNAL) {
        *err = seen->not_diagnosed;
        return false;
    }
    if (seen->not_diagnosed.code != ERR_NONE)
        not_diagnosed(look->diagnose, &seen->not_diagnosed, seen->diagnosis);
    evidence->diagnosis = seen->diagnosis;
    origin = arena_alloc(look->arena, sizeof *origin);
    if (!origin)
        return arena_exhausted(err);
    if (!origin_find(look->request, evidence, look->arena, origin, err))
        return false;
    evidence->origin = origin;
    return true;
}

/** The target's own organization's host, as Dataverse reports it; else the pin. */
static void
find_own_host(const struct run_request *request, struct evidence *evidence, struct arena *arena)
{
    char host[HOST_BYTES] = "";

    if (evidence->runtime && evidence->runtime->identity.host[0]) {
        host_of_url(evidence->runtime->identity.host, host);
        evidence->own_host_source = "Dataverse";
    } else if (request->expect_dataverse_host) {
        host_of_url(request->expect_dataverse_host, host);
        evidence->own_host_source = "pin";
    }
    if (host[0])
        evidence->own_host = arena_string(arena, host);
}

static int
by_rows_then_host(const void *a, const void *b)
{
    const struct host_count *left = a;
    const struct host_count *right = b;

    if (left->rows != right->rows)
        return left->rows < right->rows ? 1 : -1;
    return strcmp(left->host, right->host);
}

static bool
group_hosts(struct evidence *evidence, struct arena *arena)
{
    const struct axdb_evidence *axdb = evidence->axdb;
    struct host_count *hosts = arena_alloc(arena, (axdb->url_count + 1) * sizeof *hosts);
    size_t count = 0;

    if (!hosts)
        return false;
    for (size_t i = 0; i < axdb->url_count; i++) {
        char host[HOST_BYTES];
        size_t at = 0;

        host_of_url(axdb->urls[i].url, host);
        const bool own = evidence->own_host && host_is_named(axdb->urls[i].url, evidence->own_host);

        while (at < count && (hosts[at].own != own || strcmp(hosts[at].host, host) != 0))
            at++;
        if (at == count) {
            hosts[count].host = arena_string(arena, host);
            hosts[count].own = own;
            if (!hosts[count++].host)
                return false;
        }
        hosts[at].rows += axdb->urls[i].rows;
    }
    qsort(hosts, count, sizeof *hosts, by_rows_then_host);
    evidence->hosts = hosts;
    evidence->host_count = count;
    return true;
}

static bool
group_channels(struct evidence *evidence, struct arena *arena)
{
    const struct axdb_evidence *axdb = evidence->axdb;
    struct channel_family *families =
        arena_alloc(arena, (axdb->channel_count + 1) * sizeof *families);
    size_t count = 0;

    if (!families)
        return false;
    for (size_t i = 0; i < axdb->channel_count; i++) {
        char family[HOST_BYTES];
        size_t at = 0;

        channel_family_of(axdb->channels[i].channel, family, sizeof family);
        while (at < count && strcmp(families[at].family, family) != 0)
            at++;
        if (at == count) {
            families[count].family = arena_string(arena, family);
            families[count].foreign = channel_is_foreign(family);
            if (!families[count++].family)
                return false;
        }
        families[at].rows += axdb->channels[i].rows;
    }
    evidence->families = families;
    evidence->family_count = count;
    return true;
}

/** A stop signal is no finding: what was seen until then is half of a look. */
static bool
was_stopped(const struct evidence *evidence, struct err *err)
{
    if (evidence->axdb_err.code != ERR_INTERRUPTED && evidence->runtime_err.code != ERR_INTERRUPTED)
        return false;
    *err = evidence->axdb_err.code == ERR_INTERRUPTED ? evidence->axdb_err : evidence->runtime_err;
    return true;
}

/** Look at both halves; a half that fails is evidence too: its error makes its checks unknown. NULL
 * when memory ran out. */
static struct runtime_look *
look_at_both(const struct look *look, struct axdb_store **ret_axdb, struct evidence *evidence)
{
    const struct run_request *request = look->request;
    struct aside *aside =
        look->apart && request->axdb && request->dataverse ? look->ports->aside : NULL;
    struct arena *arena = aside ? aside->arena : look->arena;
    struct runtime_look *seen = arena_alloc(arena, sizeof *seen);

    if (!seen)
        return NULL;
    *seen = (struct runtime_look){.look = look, .arena = arena};
    const bool apart = aside && aside->begin(aside, look_aside, seen);

    if (request->axdb && look_at_axdb(look, ret_axdb, &evidence->axdb, &evidence->axdb_err))
        evidence->axdb_err = (struct err){0};
    if (request->dataverse && !apart && look_at_runtime(seen, &seen->why))
        seen->why = (struct err){0};
    if (apart && !aside->end(aside, &evidence->runtime_err))
        return seen; /* what it left is not believed */
    evidence->runtime = seen->evidence;
    evidence->runtime_err = seen->why;
    return seen;
}

bool
evidence_collect(const struct look *look, struct connections *ret_conn, struct evidence *ret,
                 struct err *err)
{
    const struct run_request *request = look->request;
    struct arena *arena = look->arena;
    struct runtime_look *seen;

    *ret_conn = (struct connections){0};
    *ret = (struct evidence){.axdb_asked = request->axdb,
                             .runtime_asked = request->dataverse,
                             .taken_utc_ms = clock_utc_ms()};
    seen = look_at_both(look, &ret_conn->axdb, ret);
    if (!seen)
        return arena_exhausted(err);
    ret_conn->runtime = seen->store;
    if (was_stopped(ret, err))
        return false;
    if (ret->runtime && !weigh(look, seen, ret, err))
        return false;
    find_own_host(request, ret, arena);
    if (ret->axdb && (!group_hosts(ret, arena) || !group_channels(ret, arena)))
        return arena_exhausted(err);
    if (!checks_make(request, ret, arena))
        return arena_exhausted(err);
    return true;
}

int
evidence_status(const struct evidence *evidence, const struct observation **ret_why)
{
    const struct observation *unknown = NULL;

    *ret_why = NULL;
    for (size_t i = 0; i < evidence->observation_count; i++) {
        const struct observation *seen = &evidence->observations[i];

        if (!seen->required)
            continue;
        if (seen->verdict == VERDICT_DIFFERS) {
            *ret_why = seen;
            return 2;
        }
        if (seen->verdict == VERDICT_UNKNOWN && !unknown)
            unknown = seen;
    }
    *ret_why = unknown;
    return unknown ? err_exit_status(unknown->cause) : 0;
}

size_t
evidence_count(const struct evidence *evidence, bool required, enum verdict verdict)
{
    size_t count = 0;

    for (size_t i = 0; i < evidence->observation_count; i++)
        if (evidence->observations[i].required == required &&
            evidence->observations[i].verdict == verdict)
            count++;
    return count;
}

bool
evidence_is_running(int64_t status)
{
    return status == 0 || status == 4;
}

int64_t
evidence_rows(const struct evidence *evidence, enum table table)
{
    if (table == TABLE_RUNTIME)
        return evidence->runtime ? (int64_t)evidence->runtime->row_count : -1;
    if (!evidence->axdb || !evidence->axdb->tables[table].fresh.known)
        return -1;
    return evidence->axdb->tables[table].fresh.rows;
}

/** Event rows whose channel is named, or is not. */
static int64_t
event_rows(const struct run_request *request, const struct evidence *evidence, bool named)
{
    const struct axdb_evidence *axdb = evidence->axdb;
    int64_t rows = 0;

    if (!axdb || !axdb->channels_known || !axdb->tables[TABLE_EVENTS].fresh.known)
        return -1;
    for (size_t i = 0; i < axdb->channel_count; i++)
        if (scope_names_channel(request, axdb->channels[i].channel) == named)
            rows += axdb->channels[i].rows;
    return rows;
}

int64_t
evidence_kept_events(const struct run_request *request, const struct evidence *evidence)
{
    return event_rows(request, evidence, false);
}

int64_t
evidence_named_events(const struct run_request *request, const struct evidence *evidence)
{
    return event_rows(request, evidence, true);
}

const char *
evidence_nearly_named(const struct run_request *request, const struct evidence *evidence)
{
    const struct axdb_evidence *axdb = evidence->axdb;

    for (size_t i = 0; axdb && i < axdb->channel_count; i++) {
        const char *channel = axdb->channels[i].channel;

        if (scope_names_channel(request, channel))
            continue;
        for (size_t j = 0; j < request->channel_count; j++)
            if (names_are_alike(channel, request->channels[j]))
                return channel;
    }
    return NULL;
}

uint64_t
evidence_backup_bytes(const struct evidence *evidence)
{
    enum { PER_ROW = 4096, MARGIN = 16 * 1024 * 1024 };
    uint64_t rows = 0;

    for (int i = 0; i < TABLES; i++) {
        const int64_t known = evidence_rows(evidence, (enum table)i);

        rows += known > 0 ? (uint64_t)known : 0;
    }
    return rows * PER_ROW + MARGIN;
}

void
evidence_grantee(const struct axdb_identity *identity, char *ret, size_t size)
{
    const char *name = identity->user && identity->user[0] ? identity->user : identity->login;
    size_t used = 0;

    if (size < 4)
        return;
    ret[used++] = '[';
    for (; *name && used + 3 < size; name++) {
        if (*name == ']')
            ret[used++] = ']';
        ret[used++] = *name;
    }
    ret[used++] = ']';
    ret[used] = '\0';
}

bool
evidence_without_versions(const struct runtime_evidence *runtime)
{
    return runtime->row_count > 0 &&
           (!runtime->identity.optimistic_concurrency || runtime->rows_without_etag > 0);
}
