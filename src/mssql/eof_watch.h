/**
 * The end of a connection that FreeTDS does not see. When a server closes TLS in good order
 * (close_notify, then FIN), GnuTLS says "nothing more", FreeTDS up to 1.3.17 takes that for "not
 * yet", and asks again without a pause: no time limit and no stop signal reaches it there. So a
 * timer looks from outside, and gives FreeTDS a descriptor in the socket's place on which poll(2)
 * reports an error.
 *
 * One watch at a time; SIGALRM and ITIMER_REAL are this module's. A read of ours that a tick
 * interrupts is restarted; poll(2) is not.
 */
#ifndef MSSQL_EOF_WATCH_H
#define MSSQL_EOF_WATCH_H

enum { EOF_WATCH_NEW_SOCKETS = -1 };

/**
 * Look from `first_ms` on, every second. A connection that has been at its end for two looks is
 * taken away. `fd`: the socket, or EOF_WATCH_NEW_SOCKETS for those that are opened from now on.
 * Between the first look and the end FreeTDS's own count of seconds stands still, since a tick ends
 * its wait: whoever watches a statement has a deadline of its own.
 */
void eof_watch_begin(int fd, int first_ms);
void eof_watch_end(void);

#endif
