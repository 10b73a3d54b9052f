#include "core/symptom.h"
#include "parts.h"

#include <stdio.h>
#include <string.h>

/** One line with a mark before it; the following ones are indented below its text. */
static void
write_item(const struct layout *layout, const char *mark, const char *text)
{
    text_printf(layout->out, "      %s", mark);
    layout_flow(layout, (unsigned)(6 + strlen(mark)), text);
}

static void
write_sources(const struct layout *layout, const char *keys)
{
    while (*keys) {
        char key[16];
        const size_t size = strcspn(keys, " ");
        const char *title;

        (void)snprintf(key, sizeof(key), "%.*s", (int)size, keys);
        title = symptom_source(key);
        write_item(layout, "source: ", title ? title : key);
        keys += size + strspn(keys + size, " ");
    }
}

static const char *
confirmation_text(enum confirmation confirmation)
{
    static const char *const texts[] = {
        "", "confirmed: ", "points that way: ", "not here: ", "not decided: "};

    return texts[confirmation];
}

static void
write_symptom(const struct layout *layout, const struct explained *explained)
{
    const struct symptom_match *match = explained->match;
    const struct symptom *symptom = match->symptom;

    text_printf(layout->out, "  %s  ", symptom->id);
    layout_flow(layout, (unsigned)strlen(symptom->id) + 4, symptom->title);
    write_item(layout, "text: ", match->excerpt);
    if (match->configured)
        write_item(layout, "made in: ", match->configured);
    if (match->actual)
        write_item(layout, "raised in: ", match->actual);
    write_item(layout, "cause: ", symptom->cause);
    if (explained->confirmation != CONFIRMATION_NONE)
        write_item(layout, confirmation_text(explained->confirmation), explained->evidence);
    for (size_t i = 0; i < SYMPTOM_STEPS && symptom->steps[i]; i++)
        write_item(layout, "- ", symptom->steps[i]);
    write_item(layout, "checks: ", symptom->checks);
    write_sources(layout, symptom->source);
}

void
parts_write_explained(const struct layout *layout, const struct outcome *outcome)
{
    if (outcome->explained_count == 0)
        return;
    layout_heading(layout, "What the text shows");
    for (size_t i = 0; i < outcome->explained_count; i++)
        write_symptom(layout, &outcome->explained[i]);
}

void
parts_write_situations(const struct layout *layout, const struct outcome *outcome)
{
    if (outcome->situation_count == 0)
        return;
    layout_heading(layout, "Situation");
    for (size_t i = 0; i < outcome->situation_count; i++) {
        const struct situation *situation = &outcome->situations[i];

        text_printf(layout->out, "  %s  ", situation->id);
        layout_flow(layout, 6, situation->title);
        text_append(layout->out, "      ");
        layout_flow(layout, 6, situation->evidence);
        if (situation->likely) {
            text_append(layout->out, "      ");
            layout_flow(layout, 6, "Likely, not proven.");
        }
        for (size_t k = 0; k < situation->remain_count; k++) {
            text_append(layout->out, "      - ");
            layout_flow(layout, 8, situation->remains[k]);
        }
    }
}
