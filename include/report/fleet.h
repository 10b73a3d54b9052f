/**
 * Several environments in one report. Each is looked at in a process of its own, which sends what
 * came of it as one message: a small summary, and its report in the form that was asked for.
 */
#ifndef REPORT_FLEET_H
#define REPORT_FLEET_H

#include "base/err.h"
#include "base/text.h"
#include "core/outcome.h"
#include "report/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** No message is longer; nothing of one that is is believed. */
enum { FLEET_MESSAGE_MAX_BYTES = 16 * 1024 * 1024 };

/** One environment, and what came of it. Strings of `name` and `class_name` are borrowed. */
struct fleet_member {
    const char *name, *class_name; /* as the configuration says */
    int64_t deadline_ms;
    bool settled;  /* it is known what came of it: the rest is filled */
    bool answered; /* by a message of its own process; else `err` says why there is none */
    enum outcome_word word;
    int exit_status;
    struct err err; /* code ERR_NONE when nothing failed */
    struct text verdict;
    int64_t axdb_rows, runtime_rows; /* that its scope is about; -1 = not known or not asked */
    int64_t rows[TABLES];            /* as report/verified.h has them */
    int64_t duration_ms;
    struct text report; /* its own, in the form that was asked for; empty without an answer */
};

struct fleet {
    const char *command;     /* "verify" */
    const char *config_file; /* that names them */
    const char *options;     /* between command and --env, to see one alone: "", "--config 'F' " */
    struct fleet_member *members; /* in the order asked for */
    size_t count;
    unsigned jobs;
    int signal; /* that stopped it; 0 = none */
    int64_t started_utc_ms, ended_utc_ms, duration_ms;
};

/** Free the texts of the members, not the members. */
void fleet_done(struct fleet *fleet);

/** Of two exit statuses the worse one: the first of 6 3 1 2 14 13 12 11 10 5 4 0. What is none of
 * these (64, 78, 129, 130, 143, or no status at all) counts as 1. */
int fleet_worse_status(int a, int b);

/** Of the process: the worst of all; 128 + signal when it was stopped. */
int fleet_exit_status(const struct fleet *fleet);

/** The word of the worst environment; OUTCOME_INTERRUPTED when it was stopped. */
enum outcome_word fleet_word(const struct fleet *fleet);

/** "3 of 5 environments are clean; 1 residue, 1 no-access". */
void fleet_verdict(const struct fleet *fleet, struct text *ret);

/** Can several environments be reported in this form? */
bool fleet_has_form(enum report_form form);

/**
 * The message of the process that looked at one environment.
 *
 * @param outcome its exit status is that of the process
 * @param name    of the environment
 * @param form    that was asked for
 * @param place   where it will be read
 * @param ret     the message
 * @param err     ERR_INTERNAL
 */
MUST_CHECK bool fleet_write_message(const struct outcome *outcome, const char *name,
                                    enum report_form form, const struct report_place *place,
                                    struct text *ret, struct err *err);

/**
 * Read it. Everything in it is checked: frame, sizes, types, that it is about this environment,
 * that word and status fit each other and the status of the process, and that a report in JSON is
 * JSON and says the same.
 *
 * @param message     every byte that came
 * @param exit_status of the process that sent it
 * @param form        that was asked for
 * @param ret         name is given; settled and filled when it is believed, else untouched
 * @param err         ERR_INTERNAL: what is wrong with it
 */
MUST_CHECK bool fleet_read_message(const struct text *message, int exit_status,
                                   enum report_form form, struct fleet_member *ret,
                                   struct err *err);

/** There is no message that could be believed: `err` says why, and gives the status. */
void fleet_settle_without(struct fleet_member *member, enum outcome_word word,
                          const struct err *err, int exit_status);

/** What is known of one environment as an outcome without evidence; borrows from both. */
void fleet_outcome(const struct fleet *fleet, const struct fleet_member *member,
                   struct outcome *ret);

/** All of it in the form asked for. ERR_INTERNAL. */
MUST_CHECK bool fleet_report(const struct fleet *fleet, enum report_form form,
                             const struct report_place *place, struct text *ret, struct err *err);

#endif
