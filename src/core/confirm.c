#include "core/confirm.h"

#include "base/text.h"
#include "core/guard.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 512 };

static void
append_shown(struct text *text, const char *string)
{
    text_append_shown(text, string, strlen(string));
}

void
confirm_describe_axdb(const struct axdb_identity *id, struct text *text)
{
    text_append(text, "AxDB database  ");
    append_shown(text, id->database);
    text_append(text, " on ");
    append_shown(text, id->dialled);
    text_append(text, " (server calls itself ");
    append_shown(text, id->server_name);
    text_append(text, ")\n");
    if (id->restore_known && id->restored_at[0]) {
        text_append(text, "  restored ");
        append_shown(text, id->restored_at);
        text_append(text, " from ");
        append_shown(text, id->restored_from_database);
        text_append(text, " on ");
        append_shown(text, id->restored_from_server);
        text_append(text, ", backup of ");
        append_shown(text, id->backup_finished_at);
        text_append(text, "\n");
    } else {
        text_append(text, id->restore_known ? "  no restore on record\n"
                                            : "  the restore history is not readable\n");
    }
}

static const char *
rows_word(int64_t rows)
{
    return rows == 1 ? "row" : "rows";
}

/** Event rows by everything that tells features apart, and whether they go. */
static void
describe_channels(const struct run_request *request, const struct axdb_evidence *axdb,
                  struct text *text)
{
    enum { SHOWN = 20 };

    for (size_t i = 0; i < axdb->channel_count && i < SHOWN; i++) {
        const struct axdb_channel_count *group = &axdb->channels[i];
        const bool stays = request->channel_count && !scope_names_channel(request, group->channel);

        text_printf(text, "           %s %" PRId64 " of channel \"",
                    stays ? "there stay" : "of these", group->rows);
        append_shown(text, group->channel);
        text_printf(text,
                    "\", direction %" PRId64 ", handler class %" PRId64 ", enabled %" PRId64 "\n",
                    group->direction, group->handler_class, group->enabled);
    }
    if (axdb->channel_count > SHOWN)
        text_printf(text, "           and %zu further groups of event rows\n",
                    axdb->channel_count - SHOWN);
}

/** The hosts of all project rows; of a part of them the caller tells the hosts. */
static void
describe_hosts(const struct evidence *evidence, struct text *text)
{
    for (size_t i = 0; i < evidence->host_count; i++) {
        const struct host_count *host = &evidence->hosts[i];

        text_printf(text, "           of these %" PRId64 " %s ", host->rows,
                    host->rows == 1 ? "names" : "name");
        append_shown(text, host->host[0] ? host->host : "no host");
        text_append(text, host->own ? " (its own organization!)\n" : "\n");
    }
}

static void
describe_rows(const struct run_request *request, const struct evidence *evidence,
              const struct plan *plan, const struct scope *scope, struct text *text)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        if (scope->parts[i] == SCOPE_NOTHING)
            continue;
        text_printf(text, "  %8" PRId64 " %s of %s", plan->states[i].rows,
                    rows_word(plan->states[i].rows), table_name((enum table)i));
        if (plan->kept_rows[i])
            text_printf(text, "; %" PRId64 " %s", plan->kept_rows[i],
                        plan->kept_rows[i] == 1 ? "other stays" : "others stay");
        text_append(text, "\n");
        if (i == TABLE_PROJECT && scope->parts[i] == SCOPE_WHOLE)
            describe_hosts(evidence, text);
        if (i == TABLE_EVENTS)
            describe_channels(request, evidence->axdb, text);
    }
}

static void
describe_doubts(const struct evidence *evidence, struct text *text)
{
    if (!evidence->axdb->sessions_known)
        text_append(text, "  application server sessions: not checked\n");
    else if (evidence->axdb->aos_sessions)
        text_printf(text, "  %" PRId64 " %s like an application server\n",
                    evidence->axdb->aos_sessions,
                    evidence->axdb->aos_sessions == 1 ? "session looks" : "sessions look");
    for (int i = 0; i < AXDB_TABLES; i++)
        if (!evidence->axdb->tables[i].triggers.known ||
            !evidence->axdb->tables[i].foreign_keys.known ||
            !evidence->axdb->tables[i].policies.known)
            text_printf(text, "  triggers, foreign keys and policies of %s: not checked\n",
                        table_name((enum table)i));
}

/** What nobody need fear for, by what the scope leaves alone. */
static void
describe_rest(const struct scope *scope, struct text *text)
{
    text_append(text, "\nWhat stays: ");
    if (scope->parts[TABLE_PROJECT] == SCOPE_SOME)
        text_append(text, "event rows, the rows of other maps, ");
    else if (scope->parts[TABLE_EVENTS] == SCOPE_SOME)
        text_append(text, "event rows of other channels, ");
    text_append(text, "map definitions, solutions, companies, every other table.\n");
}

void
confirm_describe(const struct run_request *request, const struct evidence *evidence,
                 const struct plan *plan, const struct scope *scope, struct text *text)
{
    text_append(text, "\nThese rows will be backed up, then deleted:\n\n");
    if (evidence->axdb) {
        confirm_describe_axdb(&evidence->axdb->identity, text);
        describe_rows(request, evidence, plan, scope, text);
        describe_doubts(evidence, text);
    }
    if (evidence->runtime && scope->parts[TABLE_RUNTIME] != SCOPE_NOTHING) {
        text_append(text, "Dataverse organization  ");
        append_shown(text, evidence->runtime->identity.unique_name);
        text_append(text, " at ");
        append_shown(text, evidence->runtime->identity.host);
        text_printf(text, "\n  %8" PRId64 " Dual Write Runtime Configuration%s\n",
                    plan->states[TABLE_RUNTIME].rows,
                    plan->states[TABLE_RUNTIME].rows == 1 ? "" : "s");
        if (evidence_without_versions(evidence->runtime))
            text_append(text, "           deleted without a version: each is compared with its "
                              "backup just before,\n           and a change in that moment is "
                              "lost\n");
    }
    describe_rest(scope, text);
    text_printf(text, "class: %s\nplan-id: %s\n\n", env_class_name(request->env_class), plan->id);
}

/** Ask, and refuse any answer but `expected`. */
static bool
ask_for(struct operator_port *op, const char *question, const char *expected, struct err *err)
{
    char answer[NAME_BYTES];

    if (!op->ask(op, question, answer, sizeof answer, err))
        return false;
    if (strcmp(answer, expected) == 0)
        return true;
    (void)err_set(err, ERR_REFUSED, "not confirmed: the answer was not \"%s\"", expected);
    return err_hint(err, "Nothing was changed. Run the command again when you are sure.");
}

static bool
ask_stopped(const struct run_request *request, struct operator_port *op, struct err *err)
{
    char name[NAME_BYTES];
    char question[NAME_BYTES + 64];

    guard_target_name(request, name, sizeof name);
    (void)snprintf(question, sizeof question,
                   "Maps of %s stopped or unreachable? Type STOPPED: ", name);
    return ask_for(op, question, "STOPPED", err);
}

static bool
ask_names(const struct run_request *request, const struct evidence *evidence,
          const struct plan *plan, struct operator_port *op, struct err *err)
{
    char name[NAME_BYTES];

    if (request->environment)
        return ask_for(op, "Type the name of the environment to go on: ", request->environment,
                       err);
    if (request->axdb) {
        guard_target_name(request, name, sizeof name);
        if (!ask_for(op,
                     request->server && request->database
                         ? "Type the target's name as above (DATABASE@SERVER) to go on: "
                         : "Type the host of the Dataverse URL to go on: ",
                     name, err))
            return false;
    }
    /* an undo looks at Dataverse, and writes nothing there */
    return !plan->asked[TABLE_RUNTIME] ||
           ask_for(op, "Type the unique name of the Dataverse organization to go on: ",
                   evidence->runtime->identity.unique_name, err);
}

bool
confirm_plan_id(const struct run_request *request, const struct plan *plan, struct err *err)
{
    if (!request->plan_id || text_equal_nocase(request->plan_id, plan->id))
        return true;
    (void)err_set(err, ERR_STALE, "the plan is not the one that was confirmed");
    (void)err_detail(err, "confirmed %s, found %s", request->plan_id, plan->id);
    return err_hint(err, "Rows, schema, target or scope changed since the dry run. Run --dry-run "
                         "again and compare.");
}

bool
confirm_plan(const struct run_request *request, const struct evidence *evidence,
             const struct plan *plan, const char *what, struct operator_port *op, struct err *err)
{
    if (!confirm_plan_id(request, plan, err))
        return false;
    if (!request->yes || !request->maps_are_stopped)
        op->show(op, what);
    if (!request->maps_are_stopped && !ask_stopped(request, op, err))
        return false;
    return request->yes || ask_names(request, evidence, plan, op, err);
}
