#include "hostile.h"

#include "report/sample.h"

#include <string.h>

enum { NAMES = 3 };

/** Every member that a text of somebody else stands in. */
struct hostile {
    struct axdb_evidence axdb;
    struct runtime_evidence runtime;
    struct host_count hosts[2];
    struct channel_family families[2];
    struct axdb_channel_count channels[1];
    struct axdb_url_count urls[1];
    struct runtime_row rows[1];
    struct observation checks[2];
    const char *names[NAMES], *next[1];
    struct map_row map_rows[1];
    struct runtime_ref refs[1];
    struct removal removals[1];
    struct returned returns[1];
};

static void
fill_axdb(struct hostile *h, const char *text)
{
    h->axdb = sample_axdb;
    struct axdb_identity *identity = &h->axdb.identity;
    identity->dialled = identity->server_name = identity->machine_name = text;
    identity->product = identity->database = identity->login = identity->client = text;
    identity->state = identity->user_access = identity->created = identity->recovery_fork = text;
    identity->restored_at = identity->restored_from_server = text;
    identity->restored_from_database = identity->backup_finished_at = text;
    h->urls[0] = (struct axdb_url_count){text, 0, 1};
    h->channels[0] = (struct axdb_channel_count){text, 1, 2, 3, 4};
    h->axdb.urls = h->urls;
    h->axdb.channels = h->channels;
    h->axdb.url_count = h->axdb.channel_count = 1;
    h->axdb.tables[0].exists = true;
    h->axdb.tables[0].fault = text;
    h->axdb.tables[0].triggers =
        (struct named_list){.known = true, .names = h->names, .count = NAMES};
}

static void
fill_runtime(struct hostile *h, const char *text)
{
    h->runtime = sample_runtime;
    struct runtime_identity *identity = &h->runtime.identity;
    identity->dialled_host = identity->unique_name = identity->friendly_name = text;
    identity->environment_id = identity->version = identity->host = identity->user_id = text;
    identity->organization_id = identity->fno_url = identity->link_detail = text;
    h->rows[0] = (struct runtime_row){text, text, text, text, text, text, text, false};
    h->runtime.rows = h->rows;
    h->runtime.first_created = h->runtime.last_created = text;
}

static void
fill_changes(struct hostile *h, struct outcome *outcome, const char *text)
{
    (void)snprintf(h->refs[0].key, sizeof(h->refs[0].key), "%s", text);
    h->removals[0] = (struct removal){.row = &h->refs[0],
                                      .state = REMOVAL_CHANGED,
                                      .http_status = 412,
                                      .why = {.code = ERR_STALE}};
    h->returns[0] =
        (struct returned){.key = text, .state = RETURN_FAILED, .why = {.code = ERR_SERVER}};
    (void)snprintf(h->removals[0].why.primary, sizeof(h->removals[0].why.primary), "%s", text);
    (void)snprintf(h->returns[0].why.primary, sizeof(h->returns[0].why.primary), "%s", text);
    if (outcome->removal_count)
        outcome->removals = h->removals;
    if (outcome->return_count)
        outcome->returns = h->returns;
    h->map_rows[0] = (struct map_row){text, text, -1, false, true};
    if (outcome->map_row_count) {
        outcome->map_rows = h->map_rows;
        outcome->map_row_count = 1;
    }
    if (outcome->written_after_count)
        outcome->written_after = h->rows;
}

static void
fill_evidence(struct hostile *h, struct evidence *evidence, const char *text)
{
    evidence->axdb = evidence->axdb ? &h->axdb : NULL;
    evidence->runtime = evidence->runtime ? &h->runtime : NULL;
    evidence->hosts = h->hosts;
    evidence->families = h->families;
    evidence->host_count = evidence->family_count = 2;
    evidence->observations = h->checks;
    evidence->observation_count = 2;
    evidence->own_host = text;
}

static struct outcome (*const samples[])(void) = {
    sample_residue,    sample_dry_run, sample_done,         sample_partial, sample_part,
    sample_repair_map, sample_undo,    sample_undo_partial, sample_settled, sample_check,
};

size_t
hostile_count(void)
{
    return sizeof(samples) / sizeof(samples[0]);
}

struct outcome
hostile_outcome(size_t which, const char *text)
{
    static struct hostile h;
    struct outcome outcome = samples[which % hostile_count()]();
    for (size_t i = 0; i < NAMES; i++)
        h.names[i] = text;
    h.next[0] = text;
    fill_axdb(&h, text);
    fill_runtime(&h, text);
    for (size_t i = 0; i < 2; i++) {
        h.hosts[i] = (struct host_count){text, 1, i == 1};
        h.families[i] = (struct channel_family){text, 1, i == 1};
        h.checks[i] = (struct observation){
            i ? "D-ROWS" : "A-ROWS",  true, i ? VERDICT_UNKNOWN : VERDICT_DIFFERS, text, text, text,
            i ? ERR_SERVER : ERR_NONE};
    }
    fill_changes(&h, &outcome, text);
    fill_evidence(&h, &outcome.before, text);
    if (outcome.after_taken)
        fill_evidence(&h, &outcome.after, text);
    outcome.next = h.next;
    outcome.next_count = 1;
    outcome.verdict = outcome.reason = outcome.scope = outcome.run_path = text;
    outcome.environment = text;
    if (outcome.undoes)
        outcome.undoes = text;
    if (outcome.exit_status) {
        outcome.err = (struct err){.code = ERR_SERVER};
        (void)snprintf(outcome.err.primary, sizeof(outcome.err.primary), "%s", text);
        (void)snprintf(outcome.err.detail, sizeof(outcome.err.detail), "%s", text);
        (void)snprintf(outcome.err.hint, sizeof(outcome.err.hint), "%s", text);
    }
    return outcome;
}
