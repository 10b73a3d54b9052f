/**
 * Errors as values. A function that can fail returns bool, takes `struct err *err` as its last
 * parameter, and fills it only when it returns false; its `ret_` parameters are then untouched. It
 * never prints: only cli/ prints.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

enum err_code {
#define ERR(code, outcome, text, meaning) code,
#include "base/err.def"
#undef ERR
    ERR_CODES
};

/** One failure, told in three parts. Caller-owned, fixed size, allocates nothing. */
struct err {
    enum err_code code;
    bool transient;    /* true if the same call may succeed later */
    char primary[320]; /* what happened: one line, lower case, no full stop */
    char detail[768];  /* facts for the expert: server error number, HTTP status, request id */
    char hint[512];    /* what to do, as sentences; may be a guess */
};

#define ERR_FMT(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK __attribute__((warn_unused_result))

/** Fill `err` (detail and hint empty) and return false, so that a caller can `return err_set(...)`.
 */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...) ERR_FMT(3, 4);

/** Put what the caller was doing in front of the primary message; returns false. */
bool err_wrap(struct err *err, const char *fmt, ...) ERR_FMT(2, 3);

/** Set the detail (err_detail) or the hint (err_hint), replacing what was there; returns false. */
bool err_detail(struct err *err, const char *fmt, ...) ERR_FMT(2, 3);
bool err_hint(struct err *err, const char *fmt, ...) ERR_FMT(2, 3);

/** Fill `err` for a failed system call: code, "could not <what>: <strerror(errnum)>"; returns
 * false. */
bool err_errno(struct err *err, enum err_code code, int errnum, const char *fmt, ...) ERR_FMT(4, 5);

/* Each returns false: said where they are called, so that the compiler, the analyzer and a
 * measurement of branches know that there is no other way. */
#define err_set(...) (err_set(__VA_ARGS__), false)
#define err_wrap(...) (err_wrap(__VA_ARGS__), false)
#define err_detail(...) (err_detail(__VA_ARGS__), false)
#define err_hint(...) (err_hint(__VA_ARGS__), false)
#define err_errno(...) (err_errno(__VA_ARGS__), false)

/** Process exit status that belongs to `code`, as README.md lists them. Stable: never renumbered.
 */
int err_exit_status(enum err_code code);

/** Stable lower-case name of `code`, as used in JSON output. */
const char *err_name(enum err_code code);

/** What `code` means, for the manual. */
const char *err_meaning(enum err_code code);

#endif
