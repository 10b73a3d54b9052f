/* What a pasted text means, and which of the described situations this is. */
#include "core/symptom.h"
#include "html.h"
#include "html_parts.h"

#include <stdio.h>
#include <string.h>

static void
write_list(struct text *out, const char *own_list, const char *const *items, size_t count)
{
    if (count == 0)
        return;
    text_printf(out, "<%s>\n", own_list);
    for (size_t i = 0; i < count; i++) {
        text_append(out, "<li>");
        html_value(out, items[i]);
        text_append(out, "</li>\n");
    }
    text_printf(out, "</%s>\n", own_list);
}

/** The titles of keys of symptom_source, separated by blanks; anything else as it is. */
static void
write_sources(struct text *out, const char *keys)
{
    while (keys && *keys) {
        char key[16];
        const size_t size = strcspn(keys, " ");
        (void)snprintf(key, sizeof(key), "%.*s", (int)size, keys);
        const char *title = symptom_source(key);
        if (!title) {
            html_pair(out, "Source", keys);
            return;
        }
        html_pair(out, "Source", title);
        keys += size + strspn(keys + size, " ");
    }
}

static void
write_title(struct text *out, const char *id, const char *title)
{
    text_append(out, "<h4>");
    html_value(out, id);
    text_append(out, ": ");
    html_value(out, title);
    text_append(out, "</h4>\n");
}

static void
write_symptom(struct text *out, const struct explained *explained)
{
    static const char *const confirmations[] = {"", "Confirmed", "Points that way", "Not here",
                                                "Not decided"};
    const struct symptom_match *match = explained->match;
    const struct symptom *symptom = match->symptom;
    size_t steps = 0;
    while (steps < SYMPTOM_STEPS && symptom->steps[steps])
        steps++;
    write_title(out, symptom->id, symptom->title);
    html_list_open(out);
    html_pair(out, "Text", match->excerpt);
    html_pair(out, "Made in", match->configured);
    html_pair(out, "Raised in", match->actual);
    html_pair(out, "Cause", symptom->cause);
    if (explained->confirmation != CONFIRMATION_NONE)
        html_pair(out, confirmations[explained->confirmation], explained->evidence);
    html_pair(out, "Checks", symptom->checks);
    write_sources(out, symptom->source);
    html_list_close(out);
    write_list(out, "ol", symptom->steps, steps);
}

void
html_write_explained(struct text *out, const struct outcome *outcome)
{
    if (outcome->explained_count == 0)
        return;
    html_section_open(out, "What the text shows");
    for (size_t i = 0; i < outcome->explained_count; i++)
        write_symptom(out, &outcome->explained[i]);
    html_section_close(out);
}

void
html_write_situations(struct text *out, const struct outcome *outcome)
{
    if (outcome->situation_count == 0)
        return;
    html_section_open(out, "Situation, and what remains to be done");
    for (size_t i = 0; i < outcome->situation_count; i++) {
        const struct situation *situation = &outcome->situations[i];
        write_title(out, situation->id, situation->title);
        html_list_open(out);
        html_pair(out, "Evidence", situation->evidence);
        html_pair(out, "Certainty", situation->likely ? "likely, not proven" : NULL);
        write_sources(out, situation->source);
        html_list_close(out);
        write_list(out, "ol", situation->remains, situation->remain_count);
    }
    html_section_close(out);
}

void
html_write_next(struct text *out, const struct outcome *outcome)
{
    if (outcome->next_count == 0)
        return;
    html_section_open(out, "Next steps");
    write_list(out, "ul", outcome->next, outcome->next_count);
    html_section_close(out);
}
