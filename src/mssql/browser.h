/**
 * SQL Server Browser: which TCP port a named instance listens on. FreeTDS asks 16 times a second
 * each outside of its login timeout and hears no signal, so the question is asked here.
 * https://learn.microsoft.com/openspecs/windows_protocols/mc-sqlr
 */
#ifndef MSSQL_BROWSER_H
#define MSSQL_BROWSER_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Ask UDP port 1434 of every address of `host`, once a second, until `deadline_ms` (monotonic) or
 * five times. Answers that were not asked for are ignored. ERR_CONNECT, ERR_INTERRUPTED.
 */
MUST_CHECK bool browser_ask(const char *host, const char *instance, int64_t deadline_ms,
                            uint16_t *ret_port, struct err *err);

enum browser_answer { BROWSER_MALFORMED, BROWSER_NO_TCP, BROWSER_PORT };

/** Read an answer about `instance`; `ret_port` is set with BROWSER_PORT only. */
enum browser_answer browser_parse(const unsigned char *bytes, size_t size, const char *instance,
                                  uint16_t *ret_port);

#endif
