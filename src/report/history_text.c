/* The list of runs, and a prune, for a person. */
#include "history_parts.h"
#include "parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { COMMAND_COLUMN = 12, STATE_COLUMN = 17, NARROW = 72, INDENT = 4 };

/** Where a list goes. */
struct listing {
    struct layout layout;
    bool narrow; /* too narrow for the size of the backup */
};

static struct listing
listing_of(const struct history_style *style, struct text *ret)
{
    const unsigned width = style->width ? style->width : LAYOUT_WIDTH;

    return (struct listing){
        .layout = {.out = ret,
                   .width = width < LAYOUT_MIN_WIDTH ? LAYOUT_MIN_WIDTH : width,
                   .colour = style->colour},
        .narrow = width < NARROW,
    };
}

static void
flow(const struct listing *listing, const char *text)
{
    text_printf(listing->layout.out, "%*s", INDENT, "");
    layout_flow(&listing->layout, INDENT, text);
}

static void
write_head(const struct listing *listing)
{
    text_printf(listing->layout.out, "  %-21s%-*s%-*s%7s%s\n", "STARTED (UTC)", COMMAND_COLUMN,
                "COMMAND", STATE_COLUMN, "STATE", "ROWS", listing->narrow ? "" : "      BACKUP");
}

static void
write_columns(const struct listing *listing, const struct run_entry *entry)
{
    const enum history_state state = history_state_of(entry);
    const int64_t rows = history_rows(entry);
    struct text *out = listing->layout.out;
    char stamp[HISTORY_STAMP_BYTES];
    char size[HISTORY_SIZE_BYTES];
    char number[PARTS_NUMBER_BYTES];
    TEXT_SCOPED command = {0};

    text_append_shown(&command, entry->past.command, strnlen(entry->past.command, COMMAND_COLUMN));
    text_printf(out, "  %-21s%-*s", history_stamp(entry->past.started_utc, stamp), COMMAND_COLUMN,
                command.used ? text_string(&command) : "?");
    layout_word(&listing->layout, history_state_name(state), STATE_COLUMN, history_colour(state));
    text_printf(out, "%7s", parts_number(rows, number));
    if (!listing->narrow)
        text_printf(out, "%12s",
                    entry->backup_bytes ? history_size(entry->backup_bytes, size) : "-");
    text_append(out, "\n");
}

/** Who, what for; of a run that is damaged, why. */
static void
write_rest(const struct listing *listing, const struct run_list *list,
           const struct run_entry *entry)
{
    const struct run_entry *undo = history_undone_by(list, entry);
    TEXT_SCOPED target = {0};
    TEXT_SCOPED who = {0};
    char size[HISTORY_SIZE_BYTES];

    flow(listing, entry->id);
    history_target(entry, &target);
    if (target.used)
        flow(listing, text_string(&target));
    text_printf(&who, "by %s on %s", *entry->past.user ? entry->past.user : "?",
                *entry->past.host ? entry->past.host : "?");
    if (listing->narrow && entry->backup_bytes)
        text_printf(&who, "; backup %s", history_size(entry->backup_bytes, size));
    if (*entry->past.progress.undoes)
        text_printf(&who, "; undoes %s", entry->past.progress.undoes);
    if (undo)
        text_printf(&who, "; undone by %s", undo->id);
    flow(listing, text_string(&who));
    if (entry->damage)
        flow(listing, entry->damage);
}

static void
write_sum(const struct listing *listing, const struct run_list *list, size_t runs, size_t damaged)
{
    TEXT_SCOPED line = {0};

    text_append(listing->layout.out, "\n");
    text_printf(&line, "%zu %s in ", runs, runs == 1 ? "run" : "runs");
    text_append(&line, list->runs_dir);
    if (damaged)
        text_printf(&line, ", %zu damaged", damaged);
    if (list->leftover_count)
        text_printf(&line, "; left by an interrupted prune: %zu, which dwclean prune removes",
                    list->leftover_count);
    text_append(&line, ". One of them: dwclean show RUN.");
    layout_flow(&listing->layout, 0, text_string(&line));
}

static void
write_none(const struct listing *listing, const struct run_list *list, const char *environment)
{
    TEXT_SCOPED line = {0};

    text_append(&line, "no runs");
    if (environment) {
        text_append(&line, " of ");
        text_append(&line, environment);
    }
    text_append(&line, " in ");
    text_append(&line, list->runs_dir);
    text_append(&line, list->exists ? "" : ": there is no such directory");
    layout_flow(&listing->layout, 0, text_string(&line));
}

bool
history_runs_text(const struct run_list *list, const char *environment,
                  const struct history_style *style, struct text *ret, struct err *err)
{
    const struct listing listing = listing_of(style, ret);
    size_t runs = 0;
    size_t damaged = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct run_entry *entry = &list->runs[i];

        if (!history_is_of(entry, environment))
            continue;
        if (runs++ == 0)
            write_head(&listing);
        write_columns(&listing, entry);
        write_rest(&listing, list, entry);
        damaged += entry->damage != NULL;
    }
    if (runs)
        write_sum(&listing, list, runs, damaged);
    else
        write_none(&listing, list, environment);
    return text_ok(ret, err);
}

/* ---- prune ---- */

static const char *
word_of(const struct history_prune_line *line)
{
    if (line->keep)
        return "stays";
    return line->fault ? "FAILED" : line->removed ? "removed" : "WOULD go";
}

static void
write_line(const struct listing *listing, const struct history_prune_line *line)
{
    TEXT_SCOPED text = {0};
    char size[HISTORY_SIZE_BYTES];

    text_append(listing->layout.out, "  ");
    layout_word(&listing->layout, word_of(line), 10,
                line->fault  ? COLOUR_BAD
                : line->keep ? COLOUR_NONE
                             : COLOUR_WARNING);
    text_append(&text, line->entry->id);
    if (line->keep)
        text_printf(&text, ": %s", line->keep);
    else
        text_printf(&text, " (%s, %s)", history_state_name(history_state_of(line->entry)),
                    history_size(line->entry->bytes, size));
    if (line->only_copies)
        text_printf(&text, ": the ONLY COPY of %" PRId64 " %s", line->only_copies,
                    parts_rows(line->only_copies));
    if (line->fault)
        text_printf(&text, ": %s", line->fault);
    layout_flow(&listing->layout, 12, text_string(&text));
}

static size_t
count_removed(const struct history_prune *prune)
{
    size_t removed = 0;

    for (size_t i = 0; i < prune->count; i++)
        removed += prune->lines[i].removed;
    return removed;
}

static void
write_prune_sum(const struct listing *listing, const struct history_prune *prune)
{
    const bool would = prune->dry_run || !prune->confirmed;
    TEXT_SCOPED line = {0};
    char size[HISTORY_SIZE_BYTES];

    text_append(listing->layout.out, prune->count ? "\n" : "");
    if (prune->going == 0)
        text_append(&line, "nothing to prune in ");
    else if (would)
        text_printf(&line, "%zu %s WOULD go, %s, from ", prune->going,
                    prune->going == 1 ? "run" : "runs", history_size(prune->bytes, size));
    else
        text_printf(&line, "%zu of %zu %s removed from ", count_removed(prune), prune->going,
                    prune->going == 1 ? "run" : "runs");
    text_append(&line, prune->list->runs_dir);
    if (prune->only_copies)
        text_printf(&line, "; with them %s the only copies of %" PRId64 " %s",
                    would ? "go" : "went", prune->only_copies, parts_rows(prune->only_copies));
    if (prune->list->leftover_count)
        text_printf(&line, "; left by an interrupted prune: %zu, %s", prune->list->leftover_count,
                    would ? "WOULD go too" : "removed too");
    layout_flow(&listing->layout, 0, text_string(&line));
}

bool
history_prune_text(const struct history_prune *prune, const struct history_style *style,
                   struct text *ret, struct err *err)
{
    const struct listing listing = listing_of(style, ret);

    for (size_t i = 0; i < prune->count; i++)
        write_line(&listing, &prune->lines[i]);
    write_prune_sum(&listing, prune);
    return text_ok(ret, err);
}
