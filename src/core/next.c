#include "next.h"

#include "base/text.h"
#include "core/guard.h"

#include <stddef.h>
#include <string.h>

enum { MAX_STEPS = 10 };

struct steps {
    const char **list;
    size_t count;
};

static bool
is_command(const struct outcome *outcome, const char *command)
{
    return strcmp(outcome->command, command) == 0;
}

static void
add(struct steps *steps, const char *step)
{
    if (step && steps->list && steps->count < MAX_STEPS)
        steps->list[steps->count++] = step;
}

/** Both ways to relink, with what each loses. Source: Microsoft, "Unlink and relink dual-write
 *  environments" (2021, 2026) and "Reset dual-write connections" (2023). */
static void
add_relink(struct steps *steps)
{
    add(steps, "Relink in the browser, one of two ways:");
    add(steps,
        "(a) unlink and link again: keeps the mappings; nothing is promised about integration "
        "keys.");
    add(steps, "(b) Reset link: starts from scratch; maps leave the link, and integration keys, "
               "company mapping, alerts, logs and sync history are removed.");
    add(steps,
        "Then run the maps; without running them, finance and operations stays silent towards "
        "Dataverse.");
}

/* ---- command lines ---- */

/** " OPTION 'value'", as a shell takes it; nothing without a value. */
static void
append_option(struct text *ret, const char *option, const char *value)
{
    if (!value || !*value)
        return;
    text_append(ret, option);
    text_append(ret, "'");
    for (const char *p = value; *p; p++) {
        if (*p == '\'')
            text_append(ret, "'\\''");
        else
            text_append_bytes(ret, p, 1);
    }
    text_append(ret, "'");
}

/** Target and halves of this command, as far as options can say it again without secrets. */
static void
append_place(struct text *ret, const struct run_request *request)
{
    append_option(ret, " --env ", request->environment);
    if (!request->environment) {
        append_option(ret, " -S ", request->axdb ? request->server : NULL);
        append_option(ret, " -d ", request->axdb ? request->database : NULL);
        append_option(ret, " --dataverse-url ",
                      request->dataverse || request->jit ? request->dataverse_url : NULL);
        append_option(ret, " --jit ", request->jit);
        append_option(ret, " --jit-ip ", request->jit_ip);
        append_option(ret, " --expect-dataverse-host ", request->expect_dataverse_host);
        text_append(ret, " --class ");
        text_append(ret, env_class_name(request->env_class));
    }
    if (!request->axdb || !request->dataverse)
        text_append(ret, request->axdb ? " --axdb-only" : " --dataverse-only");
}

/** The same for a command that writes. */
static void
append_target(struct text *ret, const struct run_request *request)
{
    char name[256];

    append_place(ret, request);
    if (request->env_class != CLASS_PRODUCTION)
        return;
    guard_target_name(request, name, sizeof name);
    append_option(ret, " --allow-production ", name);
    append_option(ret, " --reason ", request->reason ? request->reason : "TEXT");
}

static void
append_channels(struct text *ret, const struct run_request *request)
{
    if (request->channels_all)
        text_append(ret, " --channels all");
    for (size_t i = 0; i < request->channel_count; i++)
        append_option(ret, " --channel ", request->channels[i]);
}

/** Where the run lies: a later command looks for it there. */
static void
append_runs_dir(struct text *ret, const char *run_path, struct arena *arena)
{
    const char *slash = run_path ? strrchr(run_path, '/') : NULL;

    if (slash && slash > run_path)
        append_option(ret, " --runs-dir ",
                      arena_printf(arena, "%.*s", (int)(slash - run_path), run_path));
}

const char *
next_finishing_command(const struct run_request *request, struct arena *arena, const char *run_id,
                       const char *run_path, const char *undoes)
{
    TEXT_SCOPED text = {0};

    text_append(&text, undoes ? "dwclean undo " : "dwclean resume ");
    text_append(&text, undoes ? undoes : run_id);
    text_append(&text, undoes ? " --merge" : "");
    append_target(&text, request);
    if (!undoes)
        append_channels(&text, request);
    append_runs_dir(&text, run_path, arena);
    return text.broken ? NULL : arena_string(arena, text_string(&text));
}

/** The command that executes a saved plan; without a file, how to save one. */
static void
add_apply(struct steps *steps, const struct run_request *request, struct arena *arena,
          const struct outcome *outcome)
{
    TEXT_SCOPED text = {0};

    if (!outcome->plan_path) {
        add(steps, "Nothing was saved: give --out FILE for a plan that dwclean apply executes.");
        return;
    }
    add(steps, "Read it again, with every batch and request, or have it read:");
    append_option(&text, "dwclean show ", outcome->plan_path);
    text_append(&text, " --statements");
    add(steps, text.broken ? NULL : arena_string(arena, text_string(&text)));
    add(steps, "Execute it, with the same sign-in options; at a terminal it asks:");
    text_reset(&text);
    append_option(&text, "dwclean apply ", outcome->plan_path);
    append_target(&text, request);
    add(steps, text.broken ? NULL : arena_string(arena, text_string(&text)));
    add(steps, "In a pipeline, add:");
    add(steps, arena_printf(arena, "--maps-are-stopped --yes --plan-id %s --runs-dir DIRECTORY",
                            outcome->plan_id ? outcome->plan_id : "?"));
    if (request->env_class == CLASS_PRODUCTION && !request->environment)
        add(steps, "Without --env or --class the target counts as production. If it is none: plan "
                   "and apply with --class sandbox or --class dev.");
}

/** The rest of the command line that turns this dry run into a change. */
static void
add_planned(struct steps *steps, const struct run_request *request, struct arena *arena,
            const struct outcome *outcome)
{
    char name[256];

    if (is_command(outcome, "plan")) {
        add_apply(steps, request, arena, outcome);
        return;
    }
    add(steps, "At a terminal, run the same command without --dry-run: it shows this and asks.");
    add(steps, "In a pipeline, put this in the place of --dry-run:");
    add(steps, arena_printf(arena, "--maps-are-stopped --yes --plan-id %s --runs-dir DIRECTORY",
                            outcome->plan_id ? outcome->plan_id : "?"));
    if (request->env_class != CLASS_PRODUCTION)
        return;
    guard_target_name(request, name, sizeof name);
    add(steps, "Without --env or --class this target counts as production. If it is one, add:");
    if (request->removes && !request->applies)
        add(steps, arena_printf(arena,
                                "dwclean plan --out FILE, then dwclean apply FILE "
                                "--allow-production='%s' --reason TEXT",
                                name));
    else
        add(steps, arena_printf(arena, "--allow-production='%s' --reason TEXT", name));
}

/** Rows may be those of a working link: the target's own organization has to be known first. */
static bool
owner_is_unknown(const struct evidence *seen)
{
    return seen->axdb && !seen->own_host;
}

/** After a relink the situation above says what to do; dwclean clean would remove a link. */
static void
add_bad_link(struct steps *steps)
{
    add(steps, "Do not clean: that would remove the rows of the maps that work. See above what "
               "remains to be done.");
}

static void
add_residue(struct steps *steps, const struct run_request *request, const struct outcome *outcome)
{
    const struct evidence *seen = &outcome->before;

    for (size_t i = 0; i < seen->observation_count; i++) {
        const struct observation *check = &seen->observations[i];

        if (strcmp(check->check, "D-ORG") == 0 && check->verdict == VERDICT_DIFFERS) {
            add(steps, "This is not the environment that was meant: check --dataverse-url and the "
                       "pins before anything else.");
            return;
        }
    }
    for (size_t i = 0; request->expect == EXPECT_PRE_RELINK && i < seen->host_count; i++) {
        if (seen->hosts[i].own) {
            add(steps, "Do not clean before you know whose rows these are. If only Dataverse was "
                       "restored: --dataverse-only.");
            return;
        }
    }
    if (request->expect == EXPECT_POST_RELINK)
        add_bad_link(steps);
    else if (outcome->err.code != ERR_NONE)
        add(steps, "Mend the access to the other side first (see the error above), then verify "
                   "again.");
    else if (owner_is_unknown(seen))
        add(steps, "Whose rows these are is not known: give --expect-dataverse-host or both halves "
                   "first; do not clean before.");
    else
        add(steps, "Stop the maps, then see what would go: dwclean clean --dry-run with the same "
                   "target.");
}

/** Event rows without project rows: left by choice, or another feature's, or dual-write's. */
static void
add_unowned_events(struct steps *steps)
{
    add(steps, "If a clean with --channel kept these event rows by choice, verify with the same "
               "channels: dwclean verify --channel NAME with the same target.");
    add(steps, "Else look at the channels above. If the event rows are dual-write's: dwclean clean "
               "--channels all --dry-run.");
}

static void
add_refused(struct steps *steps, const struct outcome *outcome)
{
    if (is_command(outcome, "resume")) {
        /* resumed: its first part changed something */
        add(steps, outcome->resumed ? "This command changed nothing. Keep the directory of the "
                                      "run: it holds the only copy of what the run removed."
                                    : "This command changed nothing.");
        return;
    }
    if (is_command(outcome, "explain") || is_command(outcome, "env"))
        return;
    if (is_command(outcome, "check")) {
        add(steps, "Mend the access first (see the error above), then check again.");
        return;
    }
    if (is_command(outcome, "verify")) {
        if (outcome->before.family_count && outcome->word == OUTCOME_FAILED)
            add_unowned_events(steps);
        return;
    }
    if (outcome->word == OUTCOME_STALE && is_command(outcome, "apply"))
        add(steps, "The plan cannot be applied any more: plan again, and have it read again.");
    add(steps, outcome->run_path ? "Nothing was changed on the target. The run directory holds no "
                                   "copy that is needed: it may be deleted."
                                 : "Nothing was changed on the target.");
}

static void
add_clean(struct steps *steps, const struct run_request *request, const struct outcome *outcome)
{
    if (request->expect == EXPECT_POST_RELINK) {
        add(steps, "Nothing is left to do here. A map without rows does not run yet: run it in the "
                   "browser.");
        return;
    }
    if (outcome->tables[TABLE_EVENTS].kept_rows > 0)
        add(steps, "Event rows of other channels are kept by choice; the relink adds dual-write's "
                   "own again.");
    add(steps, request->axdb && request->dataverse
                   ? "Both sides are clean: the environment can be linked again."
                   : "Only one half was asked for: verify the other one before linking.");
}

static void
add_done(struct steps *steps, const struct run_request *request, const struct outcome *outcome)
{
    if (is_command(outcome, "undo")) {
        add(steps, "The old link is back: do not start maps or the application server before you "
                   "know that this is what you want.");
        add(steps, "To remove the rows again: dwclean clean with the same target.");
        return;
    }
    if (outcome->resumed && outcome->tables[TABLE_PROJECT].asked &&
        !outcome->tables[TABLE_EVENTS].asked) {
        /* the second part of a repair-map: its look knows the rows of the backup only */
        add(steps, "Whether the map has other rows now is not known. See with the same target: "
                   "dwclean repair-map INTERNAL:EXTERNAL --dry-run.");
        return;
    }
    if (outcome->map_row_count || is_command(outcome, "repair-map")) {
        add(steps, "Start the map in the browser (Data management, Dual-write): that writes its "
                   "rows anew.");
        return;
    }
    if (!request->axdb || !request->dataverse)
        add(steps, "Only one half was cleaned: verify the other one before linking.");
    if (request->axdb)
        add(steps, "Start the application server, or restart it if it ran during the "
                   "clean-up.");
    add_relink(steps);
}

/** Everything that was planned has left; what is missing is the look that proves it. */
static bool
only_proof_is_missing(const struct outcome *outcome)
{
    for (int i = 0; i < TABLES; i++) {
        const struct table_outcome *table = &outcome->tables[i];

        if (table->asked &&
            (table->planned_rows < 0 || table->backed_up_rows < table->planned_rows ||
             table->deleted_rows + table->gone_rows < table->planned_rows))
            return false;
    }
    return !outcome->after_taken || outcome->after.axdb_err.code != ERR_NONE ||
           outcome->after.runtime_err.code != ERR_NONE;
}

/** Looking changes nothing, whatever the run is said to be. */
static void
add_verify(struct steps *steps, const struct run_request *request, struct arena *arena)
{
    TEXT_SCOPED text = {0};

    text_append(&text, "dwclean verify");
    append_place(&text, request);
    append_channels(&text, request);
    add(steps, "Every planned row was deleted; only the look that proves it is missing. See:");
    add(steps, text.broken ? NULL : arena_string(arena, text_string(&text)));
}

/** Is all that is left what a resume leaves too: rows that changed, or came, after the plan? */
static bool
only_a_new_plan_helps(const struct outcome *outcome)
{
    const struct table_outcome *runtime = &outcome->tables[TABLE_RUNTIME];

    return outcome->after_taken && runtime->asked && runtime->planned_rows >= 0 &&
           runtime->deleted_rows >= 0 && runtime->changed_rows + runtime->new_rows > 0 &&
           runtime->failed_rows + runtime->unknown_rows == 0 &&
           runtime->planned_rows ==
               runtime->deleted_rows + runtime->gone_rows + runtime->changed_rows;
}

static void
add_unfinished(struct steps *steps, const struct run_request *request, struct arena *arena,
               const struct outcome *outcome)
{
    const bool undo = is_command(outcome, "undo");

    if (!outcome->changed) {
        add(steps, "Nothing was changed on the target: run the command again.");
        return;
    }
    add(steps, "Something changed, or may have. Keep the run directory: it holds the backup.");
    if (!outcome->run_id)
        return;
    if (!undo && only_a_new_plan_helps(outcome)) {
        add(steps, "What is left was changed or written after the plan: something still writes. "
                   "This run does not remove it, and a resume would not.");
        add(steps, "Stop the maps, then plan again: dwclean clean --dry-run with the same target.");
        return;
    }
    if (!undo && !is_command(outcome, "repair-map") && only_proof_is_missing(outcome))
        add_verify(steps, request, arena);
    add(steps, undo ? "Put back what is still missing, with the same sign-in options:"
                    : "Find out what is left and finish it, with the same sign-in options:");
    add(steps, next_finishing_command(request, arena, outcome->run_id, outcome->run_path,
                                      undo ? outcome->undoes : NULL));
    if (!undo && outcome->plan_id)
        add(steps, arena_printf(arena,
                                "At a terminal it asks. In a pipeline, add: --maps-are-stopped "
                                "--yes --plan-id %s",
                                outcome->plan_id));
}

static void
add_ready(struct steps *steps, const struct run_request *request)
{
    if (request->env_class == CLASS_PRODUCTION)
        add(steps, "This target counts as production: clean will ask for --allow-production and "
                   "--reason. If it is none: --class sandbox or --class dev.");
    add(steps, "See what would go: dwclean clean --dry-run with the same target.");
}

static void
add_missing(struct steps *steps)
{
    add(steps, "Run the statements above as somebody who may, or pass them on to whoever may; "
               "then check again.");
}

void
next_steps(const struct run_request *request, struct arena *arena, struct outcome *outcome)
{
    struct steps steps = {.list = arena_alloc(arena, MAX_STEPS * sizeof *steps.list)};

    switch (outcome->word) {
    case OUTCOME_CLEAN:
        if (!is_command(outcome, "repair-map") && !request->map)
            add_clean(&steps, request, outcome);
        break;
    case OUTCOME_READY:
        if (!is_command(outcome, "env"))
            add_ready(&steps, request);
        break;
    case OUTCOME_EXPLAINED:
        break; /* each symptom has its own steps */
    case OUTCOME_MISSING:
        add_missing(&steps);
        break;
    case OUTCOME_DONE:
        add_done(&steps, request, outcome);
        break;
    case OUTCOME_PLANNED:
        add_planned(&steps, request, arena, outcome);
        break;
    case OUTCOME_RESIDUE:
        if (is_command(outcome, "verify") || is_command(outcome, "explain"))
            add_residue(&steps, request, outcome);
        else
            add(&steps, "Find out what writes (maps, application server), stop it, and run the "
                        "command again.");
        break;
    case OUTCOME_PARTIAL:
    case OUTCOME_UNKNOWN:
        add_unfinished(&steps, request, arena, outcome);
        break;
    case OUTCOME_REFUSED:
    case OUTCOME_STALE:
    case OUTCOME_NO_ACCESS:
    case OUTCOME_FAILED:
    case OUTCOME_INTERRUPTED:
    default:
        add_refused(&steps, outcome);
        break;
    }
    outcome->next = steps.list;
    outcome->next_count = steps.count;
}
