/* What the process of one environment sends. 'M': the message itself, its exit status in the next
 * byte. Else a hostile text in an outcome: the message comes back, and so does the report of all.
 */
#include "checkers.h"
#include "fuzz.h"
#include "hostile.h"
#include "report/fleet.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

static void
must_be_believable(const struct fleet_member *member, int exit_status)
{
    FUZZ_MUST(member->settled && member->answered && member->exit_status == exit_status);
    FUZZ_MUST((member->word == OUTCOME_CLEAN || member->word == OUTCOME_READY) ==
              (exit_status == 0));
    FUZZ_MUST(member->axdb_rows >= -1 && member->runtime_rows >= -1);
    FUZZ_MUST(member->err.code < ERR_CODES);
}

static void
report_is_well_formed(struct fleet_member *member, enum report_form form)
{
    const struct fleet fleet = {.command = "verify",
                                .config_file = "c.ini",
                                .options = "",
                                .members = member,
                                .count = 1,
                                .jobs = 1};
    const struct report_place place = {.width = 80};
    TEXT_SCOPED text = {0};
    struct err err = {0};
    if (!fleet_report(&fleet, form, &place, &text, &err)) {
        fuzz_must_say(&err);
        return;
    }
    if (form == REPORT_JSON)
        FUZZ_MUST(check_json(text_string(&text), text.used));
}

static void
any_message(int exit_status, enum report_form form, struct fuzz_input *input)
{
    struct text message = {0};
    struct fleet_member member = {.name = "uat", .class_name = "sandbox"};
    struct fleet fleet = {.members = &member, .count = 1};
    struct err err = {0};
    text_append_bytes(&message, input->at, input->left);
    if (fleet_read_message(&message, exit_status, form, &member, &err)) {
        must_be_believable(&member, exit_status);
        report_is_well_formed(&member, form);
    } else {
        fuzz_must_say(&err);
        FUZZ_MUST(!member.settled && member.verdict.used == 0);
    }
    fleet_done(&fleet);
    text_done(&message);
}

static void
comes_back(uint8_t which, const char *text)
{
    static const enum report_form forms[] = {REPORT_TEXT, REPORT_JSON, REPORT_NDJSON};
    const enum report_form form = forms[which % 3];
    const struct report_place place = {.width = 80};
    struct outcome outcome = hostile_outcome(which / 3, text);
    struct fleet_member member = {.name = "uat", .class_name = "sandbox"};
    struct fleet fleet = {.members = &member, .count = 1};
    TEXT_SCOPED message = {0};
    struct err err = {0};
    outcome.word = OUTCOME_RESIDUE;
    outcome.exit_status = 2;
    FUZZ_MUST(fleet_write_message(&outcome, "uat", form, &place, &message, &err));
    FUZZ_MUST(fleet_read_message(&message, 2, form, &member, &err));
    must_be_believable(&member, 2);
    FUZZ_MUST(!text_is_utf8(text, strlen(text)) || strcmp(text_string(&member.verdict), text) == 0);
    report_is_well_formed(&member, form);
    fleet_done(&fleet);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const uint8_t which = fuzz_byte(&input);

    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* NOLINT(concurrency-mt-unsafe): as main */
    if (which == 'M') {
        const uint8_t status = fuzz_byte(&input);
        any_message(status % 16, status & 16 ? REPORT_JSON : REPORT_TEXT, &input);
    } else {
        char *text = fuzz_rest(&input);
        comes_back(which, text);
        free(text);
    }
    return 0;
}
