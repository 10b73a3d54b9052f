/**
 * Stop signals. SIGINT, SIGTERM and SIGHUP set a
 * flag that adapters poll; a second one ends the process at once. SIGPIPE is ignored.
 */
#ifndef BASE_CANCEL_H
#define BASE_CANCEL_H

#include "base/err.h"

/** Install the handlers. Once, from main, before anything else. */
void cancel_init(void);

/** The pending stop signal, or 0. */
int cancel_signal(void);

/** False with ERR_INTERRUPTED when a stop signal is pending: `if (!cancel_check(err)) return
 * false;` */
MUST_CHECK bool cancel_check(struct err *err);

/**
 * From now on something durable has changed on a target: a signal that ends the process at once
 * then ends it with status 3, no longer with 128 + signal.
 */
void cancel_note_changed(void);

/** Take that back: the change is proven not to have happened, and nothing else had. */
void cancel_note_unchanged(void);

/** Whatever has changed, a signal that ends the process at once ends it with this status: what asks
 * knows only few of them (a monitoring system). */
void cancel_end_with(int status);

/** While on, the first stop signal ends the process at once: for calls that cannot be interrupted
 * (name resolution, dbopen). */
void cancel_immediate_begin(void);
void cancel_immediate_end(void);

/** A process group that is ended, too, when a stop signal ends the process at once; 0 = none. */
void cancel_take_along(long group);

/**
 * From BEGIN to the end of a transaction: stop signals are remembered but not acted on by us
 * (cancel_check still reports them), and SIGTSTP, SIGTTIN, SIGTTOU are blocked, because a stopped
 * process would keep its locks.
 */
void cancel_hold_begin(void);
void cancel_hold_end(void);

#endif
