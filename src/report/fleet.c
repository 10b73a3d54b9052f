#include "report/fleet.h"

#include "fleet_parts.h"

#include <assert.h>
#include <string.h>

void
fleet_done(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++) {
        text_done(&fleet->members[i].verdict);
        text_done(&fleet->members[i].report);
    }
}

/* ---- status */

/** 0 is the worst. */
static unsigned
rank_of(int status)
{
    static const int order[] = {6, 3, 1, 2, 14, 13, 12, 11, 10, 5, 4, 0};
    enum { RANK_OF_FAILED = 2 };
    for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (order[i] == status)
            return i;
    }
    return RANK_OF_FAILED;
}

/** As it counts among others. */
static int
counted(int status)
{
    return status != 1 && rank_of(status) == rank_of(1) ? 1 : status;
}

int
fleet_worse_status(int a, int b)
{
    return rank_of(a) <= rank_of(b) ? counted(a) : counted(b);
}

static const struct fleet_member *
worst(const struct fleet *fleet)
{
    const struct fleet_member *found = &fleet->members[0];
    for (size_t i = 1; i < fleet->count; i++) {
        if (rank_of(fleet->members[i].exit_status) < rank_of(found->exit_status))
            found = &fleet->members[i];
    }
    return found;
}

int
fleet_exit_status(const struct fleet *fleet)
{
    int status = 0;
    for (size_t i = 0; i < fleet->count; i++)
        status = fleet_worse_status(status, fleet->members[i].exit_status);
    return fleet->signal ? 128 + fleet->signal : status;
}

enum outcome_word
fleet_word(const struct fleet *fleet)
{
    assert(fleet->count > 0);
    return fleet->signal ? OUTCOME_INTERRUPTED : worst(fleet)->word;
}

bool
fleet_is_well(const struct fleet_member *member)
{
    return member->exit_status == 0;
}

void
fleet_verdict(const struct fleet *fleet, struct text *ret)
{
    const char *good =
        outcome_word_name(strcmp(fleet->command, "check") == 0 ? OUTCOME_READY : OUTCOME_CLEAN);
    size_t counts[OUTCOME_INTERRUPTED + 1] = {0};
    size_t well = 0;
    const char *lead = "; ";
    for (size_t i = 0; i < fleet->count; i++) {
        const bool fine = fleet_is_well(&fleet->members[i]);
        well += fine ? 1 : 0;
        counts[fleet->members[i].word] += fine ? 0 : 1;
    }
    text_printf(ret, "%zu of %zu environments %s %s", well, fleet->count, well == 1 ? "is" : "are",
                good);
    for (unsigned word = 0; word <= OUTCOME_INTERRUPTED; word++) {
        if (counts[word] == 0)
            continue;
        text_printf(ret, "%s%zu %s", lead, counts[word],
                    outcome_word_name((enum outcome_word)word));
        lead = ", ";
    }
}

void
fleet_settle_without(struct fleet_member *member, enum outcome_word word, const struct err *err,
                     int exit_status)
{
    member->settled = true;
    member->answered = false;
    member->word = word;
    member->exit_status = exit_status;
    member->err = *err;
    member->axdb_rows = -1;
    member->runtime_rows = -1;
    for (unsigned i = 0; i < TABLES; i++)
        member->rows[i] = -1;
    text_reset(&member->verdict);
    text_append(&member->verdict, err->primary);
    text_reset(&member->report);
}

/* ---- forms */

/** What a form consists of. A form with `whole` is written by that; any other one is a head, the
 * items that the processes sent, one after another, and a tail. */
struct fleet_form {
    /** What each process sends of its own outcome, NULL = the summary is enough. */
    bool (*item)(const struct outcome *outcome, const struct report_place *place, struct text *ret,
                 struct err *err);
    bool (*whole)(const struct fleet *fleet, const struct report_place *place, struct text *ret,
                  struct err *err);
    bool (*head)(const struct fleet *fleet, const struct report_place *place, struct text *ret,
                 struct err *err);
    bool (*tail)(const struct fleet *fleet, const struct report_place *place, struct text *ret,
                 struct err *err);
};

static bool
json_item(const struct outcome *outcome, const struct report_place *place, struct text *ret,
          struct err *err)
{
    (void)place;
    return report_json(outcome, ret, err);
}

static bool
ndjson_item(const struct outcome *outcome, const struct report_place *place, struct text *ret,
            struct err *err)
{
    (void)place;
    return report_ndjson_item(outcome, ret, err);
}

static bool
csv_head(const struct fleet *fleet, const struct report_place *place, struct text *ret,
         struct err *err)
{
    (void)fleet;
    (void)place;
    return report_csv_head(ret, err);
}

static bool
csv_item(const struct outcome *outcome, const struct report_place *place, struct text *ret,
         struct err *err)
{
    (void)place;
    return report_csv_item(outcome, ret, err);
}

static bool
junit_head(const struct fleet *fleet, const struct report_place *place, struct text *ret,
           struct err *err)
{
    (void)fleet;
    (void)place;
    return report_junit_head(ret, err);
}

static bool
junit_tail(const struct fleet *fleet, const struct report_place *place, struct text *ret,
           struct err *err)
{
    (void)fleet;
    (void)place;
    return report_junit_tail(ret, err);
}

/** The table of all of them stands above the reports of each. */
static bool
html_head(const struct fleet *fleet, const struct report_place *place, struct text *ret,
          struct err *err)
{
    (void)place;
    report_html_head("dwclean: several environments", ret);
    fleet_html_summary(fleet, ret);
    return text_ok(ret, err);
}

static bool
html_item(const struct outcome *outcome, const struct report_place *place, struct text *ret,
          struct err *err)
{
    return report_html_item(outcome, place->index, ret, err);
}

static bool
html_tail(const struct fleet *fleet, const struct report_place *place, struct text *ret,
          struct err *err)
{
    (void)fleet;
    (void)place;
    report_html_tail(ret);
    return text_ok(ret, err);
}

static const struct fleet_form forms[REPORT_FORMS] = {
    [REPORT_TEXT] = {.whole = fleet_text},
    [REPORT_JSON] = {.item = json_item, .whole = fleet_json},
    [REPORT_NDJSON] = {.item = ndjson_item, .tail = fleet_ndjson_tail},
    [REPORT_CSV] = {.head = csv_head, .item = csv_item},
    [REPORT_JUNIT] = {.head = junit_head, .item = report_junit_item, .tail = junit_tail},
    [REPORT_HTML] = {.head = html_head, .item = html_item, .tail = html_tail},
};

bool
fleet_has_form(enum report_form form)
{
    return forms[form].whole || forms[form].item;
}

bool
fleet_write_item(const struct outcome *outcome, enum report_form form,
                 const struct report_place *place, struct text *ret, struct err *err)
{
    return !forms[form].item || forms[form].item(outcome, place, ret, err);
}

void
fleet_outcome(const struct fleet *fleet, const struct fleet_member *member, struct outcome *ret)
{
    *ret = (struct outcome){
        .command = fleet->command,
        .word = member->word,
        .exit_status = member->exit_status,
        .err = member->err,
        .verdict = text_string(&member->verdict),
        .started_utc_ms = fleet->started_utc_ms,
        .ended_utc_ms = fleet->started_utc_ms + member->duration_ms,
        .environment = member->name,
        .environment_class = member->class_name,
        .locked_ms = -1,
    };
    for (unsigned i = 0; i < TABLES; i++)
        ret->tables[i] = (struct table_outcome){.table = (enum table)i,
                                                .asked = member->rows[i] >= 0,
                                                .before_rows = member->rows[i],
                                                .planned_rows = -1,
                                                .backed_up_rows = -1,
                                                .deleted_rows = -1,
                                                .after_rows = -1,
                                                .kept_rows = -1,
                                                .restored_rows = -1};
}

static bool
write_items(const struct fleet *fleet, enum report_form form, const struct report_place *place,
            struct text *ret, struct err *err)
{
    for (size_t i = 0; i < fleet->count; i++) {
        const struct fleet_member *member = &fleet->members[i];
        struct report_place there = *place;
        there.index = i;
        struct outcome missing;
        if (member->answered) {
            text_append_bytes(ret, text_string(&member->report), member->report.used);
            continue;
        }
        fleet_outcome(fleet, member, &missing);
        if (!fleet_write_item(&missing, form, &there, ret, err))
            return false;
    }
    return true;
}

bool
fleet_report(const struct fleet *fleet, enum report_form form, const struct report_place *place,
             struct text *ret, struct err *err)
{
    assert(fleet && fleet->count > 0 && place && ret && err);
    const struct fleet_form *made = &forms[form];
    if (!fleet_has_form(form))
        return err_set(err, ERR_INTERNAL, "several environments have no report in this form");
    const bool ok = made->whole ? made->whole(fleet, place, ret, err)
                                : (!made->head || made->head(fleet, place, ret, err)) &&
                                      write_items(fleet, form, place, ret, err) &&
                                      (!made->tail || made->tail(fleet, place, ret, err));
    return ok && text_ok(ret, err);
}
