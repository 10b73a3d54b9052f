#include "parts.h"

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
