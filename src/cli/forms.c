#include "cli/forms.h"

#include "base/text.h"

#include <assert.h>
#include <string.h>

bool
forms_have(unsigned forms, enum report_form form, const char *what, struct err *err)
{
    assert(what && err);
    TEXT_SCOPED names = {0};
    if (forms & 1U << form)
        return true;
    for (unsigned i = 0; i < REPORT_FORMS; i++) {
        if (forms & 1U << i)
            text_printf(&names, "%s%s", names.used ? ", " : "",
                        report_form_name((enum report_form)i));
    }
    (void)err_set(err, ERR_USAGE, "%s has no form %s", what, report_form_name(form));
    return err_hint(err, "The forms that it has: %s.", text_string(&names));
}

bool
forms_check(const struct config *config, enum report_form form, struct err *err)
{
    const enum command command = config_command(config);
    const char *operand = config_operand(config);
    const bool lists = command == COMMAND_RUNS || command == COMMAND_PRUNE;
    const bool tells = command == COMMAND_SHOW ||
                       (command == COMMAND_ENV && operand && strcmp(operand, "test") != 0);
    return forms_have(lists   ? FORMS_LIST
                      : tells ? FORMS_DOCUMENT
                              : FORMS_RUN,
                      form, command_spec(command)->name, err);
}
