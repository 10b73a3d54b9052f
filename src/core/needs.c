#include "needs.h"

#include "core/evidence.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool
needs_begin(const struct run_request *request, const struct evidence *evidence, struct arena *arena,
            struct needs *ret)
{
    *ret = (struct needs){.request = request,
                          .evidence = evidence,
                          .arena = arena,
                          .list = arena_alloc(arena, NEEDS_MAX * sizeof *ret->list)};
    return ret->list != NULL;
}

static const char *format(struct needs *needs, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/** "" when memory is out. */
static const char *
format(struct needs *needs, const char *fmt, va_list ap)
{
    va_list again;
    char *text;
    int size;

    va_copy(again, ap);
    size = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    assert(size >= 0);
    text = arena_alloc(needs->arena, (size_t)size + 1);
    if (text) {
        (void)vsnprintf(text, (size_t)size + 1, fmt, ap);
        return text;
    }
    needs->exhausted = true;
    return "";
}

struct observation *
need(struct needs *needs, const char *check, bool required, enum verdict verdict, const char *fmt,
     ...)
{
    struct observation *seen;
    va_list ap;

    assert(needs->count < NEEDS_MAX);
    seen = &needs->list[needs->count++];
    *seen = (struct observation){.check = check, .required = required, .verdict = verdict};
    va_start(ap, fmt);
    seen->text = format(needs, fmt, ap);
    va_end(ap);
    return seen;
}

void
need_hint(struct needs *needs, struct observation *seen, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    seen->hint = format(needs, fmt, ap);
    va_end(ap);
}

struct observation *
need_unknown(struct needs *needs, const char *check, bool required, const char *what,
             const struct err *why)
{
    struct observation *seen =
        need(needs, check, required, VERDICT_UNKNOWN, "%s: %s", what, why->primary);

    seen->cause = why->code;
    if (why->hint[0])
        need_hint(needs, seen, "%s", why->hint);
    return seen;
}

/** `open`, the text with every `twice` in it doubled, `close`. */
static const char *
quote(struct needs *needs, const char *open, const char *text, char twice, const char *close)
{
    char *quoted = arena_alloc(needs->arena, strlen(open) + 2 * strlen(text) + strlen(close) + 1);
    char *at = quoted;

    if (!quoted) {
        needs->exhausted = true;
        return "";
    }
    for (const char *from = open; *from; from++)
        *at++ = *from;
    for (const char *from = text; *from; from++) {
        *at++ = *from;
        if (*from == twice)
            *at++ = twice;
    }
    for (const char *from = close; *from; from++)
        *at++ = *from;
    *at = '\0';
    return quoted;
}

const char *
need_name(struct needs *needs, const char *name)
{
    return quote(needs, "[", name, ']', "]");
}

const char *
need_literal(struct needs *needs, const char *text)
{
    return quote(needs, "N'", text, '\'', "'");
}

const char *
need_grantee(struct needs *needs)
{
    const struct axdb_identity *id = &needs->evidence->axdb->identity;

    return need_name(needs, id->user && id->user[0] ? id->user : id->login);
}

static uint64_t
megabytes(uint64_t bytes)
{
    return bytes / UINT64_C(1048576);
}

void
needs_of_runs(struct needs *needs, struct run_store *runs)
{
    const uint64_t expected = evidence_backup_bytes(needs->evidence);
    struct run_place place = {0};
    struct err err = {0};
    struct observation *seen;

    if (!runs || !runs->probe) {
        seen = need(needs, "C-RUNS", true, VERDICT_UNKNOWN,
                    "the runs directory was not looked at: none is named");
        seen->cause = ERR_STORAGE;
        need_hint(needs, seen,
                  "Name one with --runs-dir: it will hold the only copy of what a run removes.");
    } else if (runs->probe(runs, expected, &place, &err)) {
        (void)need(needs, "C-RUNS", true, VERDICT_OK,
                   "runs directory %s: writable, it lasts, %" PRIu64 " MB free, %" PRIu64
                   " MB expected",
                   place.path, megabytes(place.free_bytes), megabytes(expected));
    } else if (err.code == ERR_STORAGE) {
        seen = need(needs, "C-RUNS", true, VERDICT_DIFFERS, "runs directory %s: %s", place.path,
                    err.primary);
        need_hint(needs, seen, "%s",
                  err.hint[0] ? err.hint : "Name another directory with --runs-dir.");
    } else {
        (void)need_unknown(needs, "C-RUNS", true, "runs directory", &err);
    }
}
