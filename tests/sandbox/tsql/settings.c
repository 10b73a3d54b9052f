/* SET options. */
#include "tsql/dialect.h"
#include "tsql/session.h"

static const struct {
    const char *name;
    uint32_t bits;
} bit_options[] = {
    {"IMPLICIT_TRANSACTIONS", OPT_IMPLICIT_TRANSACTIONS},
    {"CURSOR_CLOSE_ON_COMMIT", OPT_CURSOR_CLOSE_ON_COMMIT},
    {"ANSI_WARNINGS", OPT_ANSI_WARNINGS},
    {"ANSI_PADDING", OPT_ANSI_PADDING},
    {"ANSI_NULLS", OPT_ANSI_NULLS},
    {"ARITHABORT", OPT_ARITHABORT},
    {"ARITHIGNORE", OPT_ARITHIGNORE},
    {"QUOTED_IDENTIFIER", OPT_QUOTED_IDENTIFIER},
    {"NOCOUNT", OPT_NOCOUNT},
    {"ANSI_NULL_DFLT_ON", OPT_ANSI_NULL_DFLT_ON},
    {"ANSI_NULL_DFLT_OFF", OPT_ANSI_NULL_DFLT_OFF},
    {"CONCAT_NULL_YIELDS_NULL", OPT_CONCAT_NULL_YIELDS_NULL},
    {"NUMERIC_ROUNDABORT", OPT_NUMERIC_ROUNDABORT},
    {"XACT_ABORT", OPT_XACT_ABORT},
    {"ANSI_DEFAULTS", OPT_ANSI_WARNINGS | OPT_ANSI_PADDING | OPT_ANSI_NULLS |
                          OPT_QUOTED_IDENTIFIER | OPT_ANSI_NULL_DFLT_ON |
                          OPT_IMPLICIT_TRANSACTIONS | OPT_CURSOR_CLOSE_ON_COMMIT},
};

void
settings_reset(struct session *s)
{
    uint32_t ansi = OPT_ANSI_WARNINGS | OPT_ANSI_PADDING | OPT_ANSI_NULLS | OPT_QUOTED_IDENTIFIER |
                    OPT_ANSI_NULL_DFLT_ON | OPT_CONCAT_NULL_YIELDS_NULL;
    s->settings = (struct settings){
        .options = s->odbc ? ansi : 0,
        .textsize = s->odbc ? 2147483647 : 4096,
        .lock_timeout = -1,
        .datefirst = 7,
        .isolation = ISO_READ_COMMITTED,
        .dateformat = "mdy",
        .language = "us_english",
    };
}

static bool
set_flag(struct session *s, const char *name, bool on)
{
    static const char *const ignored[] = {"STATISTICS",   "FORCEPLAN",
                                          "SHOWPLAN_ALL", "SHOWPLAN_TEXT",
                                          "SHOWPLAN_XML", "REMOTE_PROC_TRANSACTIONS"};
    struct settings *set = &s->settings;
    const struct {
        const char *name;
        bool *flag;
    } modes[] = {
        {"FMTONLY", &set->fmtonly}, {"NOEXEC", &set->noexec}, {"PARSEONLY", &set->parseonly}};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (same_name(modes[i].name, name)) {
            *modes[i].flag = on;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof bit_options / sizeof bit_options[0]; i++) {
        if (!same_name(bit_options[i].name, name))
            continue;
        set->options =
            on ? set->options | bit_options[i].bits : set->options & ~bit_options[i].bits;
        return true;
    }
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        if (same_name(ignored[i], name))
            return true;
    return session_fail(s, 195, "'%s' is not a recognized SET option.", name);
}

static bool
option_number(struct session *s, struct expr *e, int64_t low, int64_t high, int64_t *out)
{
    struct val v = {0}, n = {0};
    struct vctx c = session_vctx(s, s->statement_arena);
    if (!eval_alone(s, s->statement_arena, e, &v) || !convert(&c, &v, type_of(SQL_BIGINT), 0, &n))
        return false;
    if (n.v.is_null || n.v.integer < low || n.v.integer > high)
        return session_fail(s, 1077, "The value given to SET is out of range.");
    *out = n.v.integer;
    return true;
}

static bool
set_priority(struct session *s, struct expr *e)
{
    struct val v = {0};
    int64_t n = 0;
    if (!eval_alone(s, s->statement_arena, e, &v))
        return false;
    if (type_is_char(v.t.type) && !v.v.is_null) {
        const char *word = val_utf8_text(s->statement_arena, &v);
        if (!same_name(word, "LOW") && !same_name(word, "NORMAL") && !same_name(word, "HIGH"))
            return session_fail(s, 102, "Incorrect syntax near '%s'.", word);
        n = same_name(word, "LOW") ? -5 : same_name(word, "HIGH") ? 5 : 0;
    } else if (!option_number(s, e, -10, 10, &n)) {
        return false;
    }
    s->settings.deadlock_priority = (int)n;
    return true;
}

static bool
set_word(struct session *s, const char *name, struct expr *e)
{
    struct val v = {0};
    if (!eval_alone(s, s->statement_arena, e, &v) || v.v.is_null || !type_is_char(v.t.type))
        return session_fail(s, 102, "Incorrect syntax near '%s'.", name);
    const char *word = val_utf8_text(s->statement_arena, &v);
    if (same_name(name, "LANGUAGE")) {
        if (!same_name(word, "us_english") && !same_name(word, "English"))
            return session_fail(s, 2741,
                                "SET LANGUAGE failed because '%s' is not an official language "
                                "name or a language alias on this server.",
                                word);
        text_format(s->settings.language, sizeof s->settings.language, "us_english");
        text_format(s->settings.dateformat, sizeof s->settings.dateformat, "mdy");
        s->settings.datefirst = 7;
        return true;
    }
    static const char *const formats[] = {"mdy", "dmy", "ymd", "ydm", "myd", "dym"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (same_name(formats[i], word)) {
            text_format(s->settings.dateformat, sizeof s->settings.dateformat, "%s", formats[i]);
            return true;
        }
    }
    return session_fail(s, 2741, "SET DATEFORMAT date order '%s' is invalid.", word);
}

static bool
set_number(struct session *s, const char *name, struct expr *e)
{
    static const struct {
        const char *name;
        int64_t low, high;
    } ranges[] = {{"DATEFIRST", 1, 7},
                  {"LOCK_TIMEOUT", -1, INT32_MAX},
                  {"TEXTSIZE", -1, INT32_MAX},
                  {"ROWCOUNT", 0, INT32_MAX},
                  {"QUERY_GOVERNOR_COST_LIMIT", 0, INT32_MAX}};
    struct settings *set = &s->settings;
    size_t i = 0;
    int64_t n = 0;
    while (i < 4 && !same_name(ranges[i].name, name))
        i++;
    if (!option_number(s, e, ranges[i].low, ranges[i].high, &n))
        return false;
    if (i == 0)
        set->datefirst = (int)n;
    else if (i == 1)
        set->lock_timeout = (int)n;
    else if (i == 2)
        set->textsize = n == 0 ? 4096 : n < 0 ? INT32_MAX : (int)n;
    else if (i == 3)
        set->rowcount = n;
    return true;
}

static bool
set_value(struct session *s, const char *name, struct expr *e)
{
    if (same_name(name, "DEADLOCK_PRIORITY"))
        return set_priority(s, e);
    if (same_name(name, "LANGUAGE") || same_name(name, "DATEFORMAT"))
        return set_word(s, name, e);
    return same_name(name, "CONTEXT_INFO") || set_number(s, name, e);
}

static bool
set_isolation(struct session *s, const char *level)
{
    if (same_name(level, "SNAPSHOT"))
        return session_fail(s, 3952,
                            "Snapshot isolation transaction failed accessing database '%s' "
                            "because snapshot isolation is not allowed in this database.",
                            s->engine->database);
    s->settings.isolation = same_name(level, "READ UNCOMMITTED") ? ISO_READ_UNCOMMITTED
                            : same_name(level, "READ COMMITTED") ? ISO_READ_COMMITTED
                            : same_name(level, "SERIALIZABLE")   ? ISO_SERIALIZABLE
                                                                 : ISO_REPEATABLE;
    return true;
}

static bool
set_identity_insert(struct session *s, const struct stmt *st)
{
    const struct table *t = catalog_find(s, &st->target);
    if (!t || (!t->temp && !session_allowed(s, "alter", t->name)))
        return session_fail(s, 1088,
                            "Cannot find the object \"%s\" because it does not exist or you "
                            "do not have permissions.",
                            st->target.object);
    if (!t->identity)
        return session_fail(s, 8106,
                            "Table '%s' does not have the identity property. Cannot perform "
                            "SET operation.",
                            t->name);
    if (st->on && s->settings.identity_insert && s->settings.identity_insert != t->id)
        return session_fail(s, 8107,
                            "IDENTITY_INSERT is already ON for another table. Cannot perform "
                            "SET operation for table '%s'.",
                            t->name);
    s->settings.identity_insert = st->on ? t->id : 0;
    return true;
}

bool
exec_set_option(struct session *s, const struct stmt *st)
{
    if (dialect_utf8(s) && dialect_lacks(st->words[0]))
        return session_fail(s, 195, "'%s' is not currently supported", st->words[0]);
    if (same_name(st->words[0], "TRANSACTION ISOLATION LEVEL"))
        return set_isolation(s, st->word);
    if (same_name(st->words[0], "IDENTITY_INSERT"))
        return set_identity_insert(s, st);
    if (st->value)
        return set_value(s, st->words[0], st->value);
    for (int i = 0; i < st->word_count; i++)
        if (!set_flag(s, st->words[i], st->on))
            return false;
    return true;
}
