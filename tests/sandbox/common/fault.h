/**
 * Faults on demand. A rule waits at a named point of a server ("tds.commit.after", "dv.delete") and
 * says what happens there. Rules are set through the control interface and shared by all servers of
 * the process; every function here is thread-safe.
 *
 * Points that exist are listed in tests/sandbox/README.md. A server asks at each point, before it
 * acts:
 *
 *     struct fault_action act = fault_at(faults, "tds.commit.before", NULL);
 */
#ifndef SANDBOX_COMMON_FAULT_H
#define SANDBOX_COMMON_FAULT_H

#include <stdbool.h>
#include <stdint.h>

struct faults;

enum fault_do {
    FAULT_NONE,   /* go on */
    FAULT_CUT,    /* close the connection at once; at a byte point: after `arg` bytes */
    FAULT_FREEZE, /* stop answering for `arg` milliseconds (0 = until the client goes away) */
    FAULT_DELAY,  /* wait `arg` milliseconds, then go on */
    FAULT_ERROR, /* answer with the error `arg` (server error number or HTTP status), text in `text`
                  */
    FAULT_SQL,   /* run the T-SQL of `text` on another session with all rights, then go on */
    FAULT_OTHER, /* what the point itself says it does with `arg` and `text` */
};

struct fault_action {
    enum fault_do what;
    int64_t arg;
    char text[1024]; /* e.g. error text, error code of Dataverse, or T-SQL */
};

struct faults *faults_new(void);
void faults_free(struct faults *);

/**
 * Ask at a point. `subject` is what the point is about (statement text, URL path; may be NULL); a
 * rule may carry a substring that it must contain. Uses up one hit of the first rule that matches:
 * rules have `skip` (hits that pass unharmed first) and `times` (hits that act then; 0 = for ever).
 */
struct fault_action fault_at(struct faults *, const char *point, const char *subject);

/** Are there rules at all? Where there are none, a subject need not be made. */
bool faults_any(struct faults *);

/** Add a rule. Shape:
 * {"at":POINT,"match":SUBSTRING?,"skip":N?,"times":N?,"do":"cut|freeze|delay|error|sql|other",
 *  "arg":N?,"text":TEXT?}. False when it is not such an object; `ret_why` (borrowed, static) says
 * why. */
bool faults_add_json(struct faults *, const char *json, const char **ret_why);

/** Forget all rules. */
void faults_clear(struct faults *);

#endif
