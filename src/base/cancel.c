#include "base/cancel.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t pending;   /* the first stop signal */
static volatile sig_atomic_t immediate; /* end at the first one */
static volatile sig_atomic_t changed;   /* a target is not what it was */
static volatile sig_atomic_t held;      /* a transaction is open */
static volatile sig_atomic_t instead;   /* the status of the end; 0 = as the signal says */
static volatile sig_atomic_t group;     /* of a command of the operator's, while it runs */

enum { STATUS_INCOMPLETE = 3 };

static void
end_at_once(int number)
{
    if (group > 1)
        (void)kill((pid_t)-group, SIGKILL);
    _exit(instead ? (int)instead : changed ? STATUS_INCOMPLETE : 128 + number);
}

static void
on_stop(int number)
{
    if (immediate || (pending && !held))
        end_at_once(number);
    if (!pending)
        pending = number;
}

void
cancel_init(void)
{
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_stop};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    (void)sigemptyset(&action.sa_mask);
    (void)sigemptyset(&ignore.sa_mask);
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++)
        (void)sigaction(stops[i], &action, NULL); /* no SA_RESTART: waits end */
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

int
cancel_signal(void)
{
    return (int)pending;
}

bool
cancel_check(struct err *err)
{
    if (!pending)
        return true;
    return err_set(err, ERR_INTERRUPTED, "stopped by signal %d", (int)pending);
}

void
cancel_note_changed(void)
{
    changed = 1;
}

void
cancel_note_unchanged(void)
{
    changed = 0;
}

void
cancel_end_with(int status)
{
    instead = status;
}

void
cancel_immediate_begin(void)
{
    immediate = 1;
    if (pending)
        end_at_once((int)pending);
}

void
cancel_immediate_end(void)
{
    immediate = 0;
}

void
cancel_take_along(long taken)
{
    group = (sig_atomic_t)taken;
}

static void
block_terminal_stops(int how)
{
    sigset_t stops;

    (void)sigemptyset(&stops);
    (void)sigaddset(&stops, SIGTSTP);
    (void)sigaddset(&stops, SIGTTIN);
    (void)sigaddset(&stops, SIGTTOU);
    (void)pthread_sigmask(how, &stops, NULL);
}

void
cancel_hold_begin(void)
{
    held = 1;
    block_terminal_stops(SIG_BLOCK);
}

void
cancel_hold_end(void)
{
    held = 0;
    block_terminal_stops(SIG_UNBLOCK);
}
