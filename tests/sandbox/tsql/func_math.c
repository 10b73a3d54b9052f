/* Built-in functions on numbers and dates, and the table of all functions. */
#include "tsql/func.h"

#include <math.h>
#include <sys/random.h>

static bool
put_float(struct ectx *x, const struct expr *e, double d, struct val *out)
{
    struct val v = val_float(d);
    return convert(&x->v, &v, e->type, 0, out);
}

bool
f_abs(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct val zero = val_int(0), v = args[0], r;
    int order = 0;
    if (type_is_char(v.t.type) && !convert(&x->v, &args[0], type_of(SQL_FLOAT), 0, &v))
        return false;
    if (!type_is_number(v.t.type))
        return fail(&x->v, 8116, "Argument data type %s is invalid for argument 1 of %s function.",
                    type_name(v.t.type), e->name);
    if (!compare(&x->v, &v, &zero, &order))
        return false;
    if (same_name(e->name, "ABS")) {
        if (order >= 0)
            return convert(&x->v, &v, e->type, 0, out);
        return arithmetic(x, '-', &zero, &v, &r) && convert(&x->v, &r, e->type, 0, out);
    }
    if (same_name(e->name, "SIGN")) {
        struct val sign = val_int(order);
        return convert(&x->v, &sign, e->type, 0, out);
    }
    if (type_is_int(v.t.type))
        return convert(&x->v, &v, e->type, 0, out);
    struct val d = {0};
    if (!convert(&x->v, &v, type_of(SQL_FLOAT), 0, &d))
        return false;
    return put_float(x, e, same_name(e->name, "FLOOR") ? floor(d.v.real) : ceil(d.v.real), out);
}

static bool
round_decimal(struct ectx *x, const struct expr *e, const struct val *v, int places, bool cut,
              struct val *out)
{
    int scale = v->t.scale;
    u128 m = decimal_magnitude(&v->v);
    if (places < scale) {
        int drop = scale - places;
        u128 unit = drop > 38 ? 0 : decimal_power10(drop);
        u128 rest = unit ? m % unit : m;
        m = unit ? m - rest : 0;
        if (!cut && unit && rest >= unit - rest)
            m += unit;
    }
    struct val r = {.t = type_decimal(38, scale)};
    decimal_set(&r, v->v.negative, m);
    return convert(&x->v, &r, e->type, 0, out);
}

bool
f_round(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct val places, d, cut = val_int(0);
    if (!convert(&x->v, &args[1], type_of(SQL_INT), 0, &places) ||
        (e->count > 2 && !convert(&x->v, &args[2], type_of(SQL_INT), 0, &cut)))
        return false;
    int n = (int)places.v.integer;
    if (type_is_exact(args[0].t.type)) {
        struct sql_typeinfo t = args[0].t.type == SQL_DECIMAL ? args[0].t
                                : type_is_int(args[0].t.type) ? type_decimal(19, 0)
                                                              : type_decimal(19, 4);
        return convert(&x->v, &args[0], t, 0, &d) &&
               round_decimal(x, e, &d, n, cut.v.integer != 0, out);
    }
    if (!convert(&x->v, &args[0], type_of(SQL_FLOAT), 0, &d))
        return false;
    double unit = pow(10, n);
    return put_float(
        x, e, cut.v.integer ? trunc(d.v.real * unit) / unit : round(d.v.real * unit) / unit, out);
}

bool
f_power(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct val a, b = val_float(0.5);
    if (!convert(&x->v, &args[0], type_of(SQL_FLOAT), 0, &a) ||
        (e->count > 1 && !convert(&x->v, &args[1], type_of(SQL_FLOAT), 0, &b)))
        return false;
    double d = pow(a.v.real, b.v.real);
    if (!isfinite(d))
        return fail(&x->v, 3623, "An invalid floating point operation occurred.");
    return put_float(x, e, type_is_int(e->type.type) ? trunc(d) : d, out);
}

bool
f_isnumeric(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct val d = {0};
    (void)e;
    struct sql_error before = *x->v.error;
    out->v = (struct sql_value){.integer = !args[0].v.is_null && args[0].v.length != 0 &&
                                           convert(&x->v, &args[0], type_of(SQL_FLOAT), 0, &d)};
    *x->v.error = before;
    return true;
}

bool
f_newid(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    (void)e;
    (void)args;
    unsigned char *bytes = arena_alloc(x->v.arena, 16);
    if (getrandom(bytes, 16, 0) != 16)
        return fail(&x->v, 1105, "No random numbers.");
    bytes[7] = (unsigned char)((bytes[7] & 0x0F) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
    out->v = (struct sql_value){.bytes = bytes, .length = 16};
    return true;
}

bool
f_now(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    (void)args;
    bool utc = same_name(e->name, "GETUTCDATE") || same_name(e->name, "SYSUTCDATETIME");
    struct sql_typeinfo t = e->type;
    return moment_to_val(moment_now(utc), t, out) || fail(&x->v, 517, "Date out of range.");
}

enum part {
    P_YEAR,
    P_QUARTER,
    P_MONTH,
    P_DAYOFYEAR,
    P_DAY,
    P_WEEK,
    P_WEEKDAY,
    P_HOUR,
    P_MINUTE,
    P_SECOND,
    P_MS,
    P_US,
    P_NS,
    P_OFFSET,
    P_NONE
};

static enum part
part_of(struct ectx *x, const struct val *v)
{
    static const struct {
        const char *name;
        enum part part;
    } names[] = {
        {"year", P_YEAR},       {"yy", P_YEAR},
        {"yyyy", P_YEAR},       {"quarter", P_QUARTER},
        {"qq", P_QUARTER},      {"q", P_QUARTER},
        {"month", P_MONTH},     {"mm", P_MONTH},
        {"m", P_MONTH},         {"dayofyear", P_DAYOFYEAR},
        {"dy", P_DAYOFYEAR},    {"y", P_DAYOFYEAR},
        {"day", P_DAY},         {"dd", P_DAY},
        {"d", P_DAY},           {"week", P_WEEK},
        {"wk", P_WEEK},         {"ww", P_WEEK},
        {"weekday", P_WEEKDAY}, {"dw", P_WEEKDAY},
        {"hour", P_HOUR},       {"hh", P_HOUR},
        {"minute", P_MINUTE},   {"mi", P_MINUTE},
        {"n", P_MINUTE},        {"second", P_SECOND},
        {"ss", P_SECOND},       {"s", P_SECOND},
        {"millisecond", P_MS},  {"ms", P_MS},
        {"microsecond", P_US},  {"mcs", P_US},
        {"nanosecond", P_NS},   {"ns", P_NS},
        {"tzoffset", P_OFFSET}, {"tz", P_OFFSET},
    };
    const char *name = val_utf8_text(x->v.arena, v);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (same_name(names[i].name, name))
            return names[i].part;
    (void)fail(&x->v, 155, "'%s' is not a recognized datepart option.", name);
    return P_NONE;
}

static bool
date_arg(struct ectx *x, const struct val *v, struct val *out)
{
    if (type_is_date(v->t.type)) {
        *out = *v;
        return true;
    }
    return convert(&x->v, v, type_of(type_is_char(v->t.type) ? SQL_DATETIMEOFFSET : SQL_DATETIME),
                   0, out);
}

static int64_t
ticks_per(enum part p)
{
    static const int64_t units[] = {[P_HOUR] = 36000000000,
                                    [P_MINUTE] = 600000000,
                                    [P_SECOND] = 10000000,
                                    [P_MS] = 10000,
                                    [P_US] = 10};
    return p >= P_HOUR && p <= P_US ? units[p] : 1;
}

static void
add_months(struct moment *m, int64_t months)
{
    struct civil c = civil_from_days(m->days);
    int64_t total = (int64_t)c.year * 12 + c.month - 1 + months;
    int year = (int)(total / 12), month = (int)(total % 12) + 1, day = c.day;
    while (day > 28 && !civil_valid(year, month, day))
        day--;
    m->days = days_from_civil(year, month, day);
}

static void
add_ticks(struct moment *m, int64_t ticks)
{
    ticks += m->ticks;
    m->days += (int32_t)(ticks / TICKS_PER_DAY);
    m->ticks = ticks % TICKS_PER_DAY;
    if (m->ticks < 0) {
        m->ticks += TICKS_PER_DAY;
        m->days--;
    }
}

/* False: far out of the calendar. */
static bool
add_part(struct moment *m, enum part p, int64_t k)
{
    static const int months[] = {[P_YEAR] = 12, [P_QUARTER] = 3, [P_MONTH] = 1};
    if (p <= P_MONTH) {
        if (k > 120000 || k < -120000)
            return false;
        add_months(m, k * months[p]);
    } else if (p <= P_WEEKDAY) {
        int64_t days = k * (p == P_WEEK ? 7 : 1);
        if (days > 4000000 || days < -4000000)
            return false;
        m->days += (int32_t)days;
    } else {
        add_ticks(m, p == P_NS ? k / 100 : k * ticks_per(p));
    }
    return true;
}

bool
f_dateadd(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct val d = {0}, n = {0};
    enum part p = part_of(x, &args[0]);
    if (p == P_NONE || !convert(&x->v, &args[1], type_of(SQL_INT), 0, &n) ||
        !date_arg(x, &args[2], &d))
        return false;
    struct moment m = moment_from_val(&d);
    struct sql_typeinfo t = e->type;
    return (add_part(&m, p, n.v.integer) && moment_to_val(m, t, out)) ||
           fail(&x->v, 517, "Adding a value to a '%s' column caused an overflow.",
                type_name(t.type));
}

static int64_t
month_number(const struct moment *m)
{
    struct civil c = civil_from_days(m->days);
    return (int64_t)c.year * 12 + c.month - 1;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool
count_between(enum part p, const struct moment *a, const struct moment *b, int64_t *r)
{
    if (p == P_YEAR)
        *r = month_number(b) / 12 - month_number(a) / 12;
    else if (p == P_QUARTER)
        *r = month_number(b) / 3 - month_number(a) / 3;
    else if (p == P_MONTH)
        *r = month_number(b) - month_number(a);
    else if (p == P_WEEK)
        *r = floor_div((int64_t)b->days + 1, 7) - floor_div((int64_t)a->days + 1, 7);
    else if (p <= P_WEEKDAY)
        *r = (int64_t)b->days - a->days;
    else if (p == P_NS)
        return !__builtin_mul_overflow(
            ((int64_t)b->days - a->days) * TICKS_PER_DAY + b->ticks - a->ticks, 100, r);
    else
        *r = floor_div(((int64_t)b->days - a->days) * (TICKS_PER_DAY / ticks_per(p)) +
                           b->ticks / ticks_per(p) - a->ticks / ticks_per(p),
                       1);
    return true;
}

bool
f_datediff(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct val a = {0}, b = {0};
    int64_t r = 0;
    enum part p = part_of(x, &args[0]);
    if (p == P_NONE || !date_arg(x, &args[1], &a) || !date_arg(x, &args[2], &b))
        return false;
    struct moment from = moment_from_val(&a), to = moment_from_val(&b);
    from.offset = to.offset = 0;
    if (!count_between(p, &from, &to, &r) ||
        (e->type.type == SQL_INT && (r > INT32_MAX || r < INT32_MIN)))
        return fail(&x->v, 535,
                    "The datediff function resulted in an overflow. The number of "
                    "dateparts separating two date/time instances is too large.");
    out->v = (struct sql_value){.integer = r};
    return true;
}

static int64_t
part_value(struct session *s, enum part p, const struct moment *m)
{
    struct civil c = civil_from_days(m->days);
    int64_t seconds = m->ticks / TICKS_PER_SECOND, part = m->ticks % TICKS_PER_SECOND;
    int monday = (int)(((int64_t)m->days % 7 + 7) % 7); /* 1900-01-01 was a Monday */
    int day = m->days - days_from_civil(c.year, 1, 1) + 1;
    int first = (int)(((int64_t)days_from_civil(c.year, 1, 1) % 7 + 7) % 7);
    int shift = s->settings.datefirst - 1;
    switch ((int)p) {
    case P_YEAR:
        return c.year;
    case P_QUARTER:
        return (c.month + 2) / 3;
    case P_MONTH:
        return c.month;
    case P_DAYOFYEAR:
        return day;
    case P_DAY:
        return c.day;
    case P_WEEK:
        return (day - 1 + (first - shift + 7) % 7) / 7 + 1;
    case P_WEEKDAY:
        return (monday - shift + 7) % 7 + 1;
    case P_HOUR:
        return seconds / 3600;
    case P_MINUTE:
        return seconds / 60 % 60;
    case P_SECOND:
        return seconds % 60;
    case P_MS:
        return part / 10000;
    case P_US:
        return part / 10;
    case P_NS:
        return part * 100;
    default:
        return m->offset;
    }
}

bool
f_datepart(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct val d = {0};
    enum part p = part_of(x, &args[0]);
    if (p == P_NONE || !date_arg(x, &args[1], &d))
        return false;
    struct moment m = moment_from_val(&d);
    struct val n = val_bigint(part_value(x->s, p, &m));
    return convert(&x->v, &n, e->type, 0, out);
}

bool
f_year(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct val d = {0};
    if (!date_arg(x, &args[0], &d))
        return false;
    struct moment m = moment_from_val(&d);
    enum part p = same_name(e->name, "YEAR")    ? P_YEAR
                  : same_name(e->name, "MONTH") ? P_MONTH
                                                : P_DAY;
    out->v = (struct sql_value){.integer = part_value(x->s, p, &m)};
    return true;
}

/* ---- the table ---- */

/* Types: i int, b bigint, n nvarchar(4000), N sysname, v varchar(8000), f float, s as argument 1
 * (text), S nvarchar or varchar max when argument 1 is, else 8000 bytes, a as argument 1 (number),
 * d datetime, 2 datetime2(7), o datetimeoffset, g guid, 3 as argument 3 (date), c char(1), C
 * nchar(1), x sql_variant answered as nvarchar or int */
static const struct function functions[] = {
    {"LEN", 1, 1, 'i', false, f_len},
    {"DATALENGTH", 1, 1, 'i', false, f_datalength},
    {"UPPER", 1, 1, 's', false, f_upper},
    {"LOWER", 1, 1, 's', false, f_upper},
    {"LTRIM", 1, 1, 's', false, f_trim},
    {"RTRIM", 1, 1, 's', false, f_trim},
    {"TRIM", 1, 1, 's', false, f_trim},
    {"LEFT", 2, 2, 's', false, f_left},
    {"RIGHT", 2, 2, 's', false, f_left},
    {"SUBSTRING", 3, 3, 's', false, f_substring},
    {"REPLACE", 3, 3, 'S', false, f_replace},
    {"REPLICATE", 2, 2, 'S', false, f_replicate},
    {"SPACE", 1, 1, 'v', false, f_replicate},
    {"CHARINDEX", 2, 3, 'i', false, f_charindex},
    {"CHAR", 1, 1, 'c', false, f_char},
    {"NCHAR", 1, 1, 'C', false, f_char},
    {"ASCII", 1, 1, 'i', false, f_ascii},
    {"UNICODE", 1, 1, 'i', false, f_ascii},
    {"STR", 1, 3, 'v', false, f_str},
    {"CONCAT", 2, 30, 'S', true, f_concat},
    {"QUOTENAME", 1, 2, 'q', false, f_quotename},
    {"REVERSE", 1, 1, 's', false, f_reverse},
    {"STUFF", 4, 4, 'S', true, f_stuff},
    {"ABS", 1, 1, 'a', false, f_abs},
    {"SIGN", 1, 1, 'a', false, f_abs},
    {"FLOOR", 1, 1, 'a', false, f_abs},
    {"CEILING", 1, 1, 'a', false, f_abs},
    {"ROUND", 2, 3, 'a', false, f_round},
    {"POWER", 2, 2, 'a', false, f_power},
    {"SQRT", 1, 1, 'f', false, f_power},
    {"ISNUMERIC", 1, 1, 'i', true, f_isnumeric},
    {"NEWID", 0, 0, 'g', false, f_newid},
    {"GETDATE", 0, 0, 'd', false, f_now},
    {"CURRENT_TIMESTAMP", 0, 0, 'd', false, f_now},
    {"GETUTCDATE", 0, 0, 'd', false, f_now},
    {"SYSDATETIME", 0, 0, '2', false, f_now},
    {"SYSUTCDATETIME", 0, 0, '2', false, f_now},
    {"SYSDATETIMEOFFSET", 0, 0, 'o', false, f_now},
    {"DATEADD", 3, 3, '3', false, f_dateadd},
    {"DATEDIFF", 3, 3, 'i', false, f_datediff},
    {"DATEDIFF_BIG", 3, 3, 'b', false, f_datediff},
    {"DATEPART", 2, 2, 'i', false, f_datepart},
    {"DATENAME", 2, 2, 'n', false, f_datepart},
    {"YEAR", 1, 1, 'i', false, f_year},
    {"MONTH", 1, 1, 'i', false, f_year},
    {"DAY", 1, 1, 'i', false, f_year},
    {"DB_NAME", 0, 1, 'N', false, f_db_name},
    {"DB_ID", 0, 1, 'i', false, f_db_id},
    {"OBJECT_ID", 1, 2, 'i', false, f_object_id},
    {"OBJECT_NAME", 1, 2, 'N', false, f_object_name},
    {"SCHEMA_NAME", 0, 1, 'N', false, f_schema_name},
    {"SCHEMA_ID", 0, 1, 'i', false, f_schema_id},
    {"TYPE_NAME", 1, 1, 'N', false, f_type_name},
    {"COL_NAME", 2, 2, 'N', false, f_col_name},
    {"SUSER_SNAME", 0, 1, 'N', false, f_login_name},
    {"SUSER_NAME", 0, 1, 'N', false, f_login_name},
    {"ORIGINAL_LOGIN", 0, 0, 'N', false, f_login_name},
    {"SYSTEM_USER", 0, 0, 'N', false, f_login_name},
    {"USER_NAME", 0, 1, 'N', false, f_user_name},
    {"CURRENT_USER", 0, 0, 'N', false, f_user_name},
    {"SESSION_USER", 0, 0, 'N', false, f_user_name},
    {"USER", 0, 0, 'N', false, f_user_name},
    {"HOST_NAME", 0, 0, 'N', false, f_host_name},
    {"APP_NAME", 0, 0, 'N', false, f_host_name},
    {"SERVERPROPERTY", 1, 1, 'x', false, f_serverproperty},
    {"DATABASEPROPERTYEX", 2, 2, 'x', false, f_databasepropertyex},
    {"HAS_PERMS_BY_NAME", 3, 5, 'i', true, f_has_perms},
    {"ERROR_NUMBER", 0, 0, 'i', false, f_error},
    {"ERROR_SEVERITY", 0, 0, 'i', false, f_error},
    {"ERROR_STATE", 0, 0, 'i', false, f_error},
    {"ERROR_LINE", 0, 0, 'i', false, f_error},
    {"ERROR_MESSAGE", 0, 0, 'n', false, f_error},
    {"ERROR_PROCEDURE", 0, 0, 'N', false, f_error},
    {"XACT_STATE", 0, 0, 'i', false, f_xact_state},
    {"SCOPE_IDENTITY", 0, 0, '0', false, f_scope_identity},
    {"ROWCOUNT_BIG", 0, 0, 'b', false, f_rowcount_big},
    {"APPLOCK_MODE", 3, 3, 'N', false, f_applock_mode},
};

const struct function *
function_find(const char *name)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (same_name(functions[i].name, name))
            return &functions[i];
    return NULL;
}

static struct sql_typeinfo
text_type(struct sql_typeinfo t, bool widest)
{
    if (type_is_binary(t.type)) {
        t.type = SQL_VARBINARY;
        return t;
    }
    if (!type_is_char(t.type))
        return type_chars(SQL_VARCHAR, 8000);
    bool max = type_is_max(&t);
    uint32_t bytes = t.max_bytes;
    t = type_of(type_is_nchar(t.type) ? SQL_NVARCHAR : SQL_VARCHAR);
    t.max_bytes = max ? SQL_MAX_LENGTH : widest ? 8000 : bytes;
    return t;
}

static struct sql_typeinfo
number_type(struct sql_typeinfo t)
{
    if (t.type == SQL_BIT || t.type == SQL_TINYINT || t.type == SQL_SMALLINT)
        return type_of(SQL_INT);
    return type_is_number(t.type) && t.type != SQL_REAL ? t : type_of(SQL_FLOAT);
}

/* SERVERPROPERTY and its like give sql_variant; here it is the text or the number itself. */
static struct sql_typeinfo
property_type(const struct expr *e)
{
    static const char *const numbers[] = {"EngineEdition", "IsIntegratedSecurityOnly",
                                          "IsClustered",   "IsHadrEnabled",
                                          "ProcessID",     "IsSingleUser"};
    const struct expr *a = e->args[e->count - 1];
    if (a->kind == EX_LITERAL && a->literal.v.bytes) {
        struct arena arena = {0};
        const char *name = val_utf8_text(&arena, &a->literal);
        bool number = false;
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
            number = number || same_name(numbers[i], name);
        arena_free(&arena);
        if (number)
            return type_of(SQL_INT);
    }
    return type_chars(SQL_NVARCHAR, 128);
}

static struct sql_typeinfo
argument_type(const struct function *f, const struct expr *e)
{
    struct sql_typeinfo t = e->args[f->type == '3' ? 2 : 0]->type;
    if (f->type == '3')
        t = type_is_date(t.type) ? t : type_of(SQL_DATETIME);
    else if (f->type == 'a')
        t = number_type(t);
    else
        t = text_type(t, f->type == 'S');
    for (int i = 1; f->type == 'S' && i < e->count; i++)
        if (type_is_nchar(e->args[i]->type.type) && t.type == SQL_VARCHAR)
            t.type = SQL_NVARCHAR;
    t.identity = t.computed = false;
    t.nullable = true;
    return t;
}

struct sql_typeinfo
function_type(const struct function *f, const struct expr *e)
{
    switch (f->type) {
    case 'i':
        return type_of(SQL_INT);
    case 'b':
        return type_of(SQL_BIGINT);
    case 'n':
        return type_chars(SQL_NVARCHAR, 4000);
    case 'N':
        return type_chars(SQL_NVARCHAR, 128);
    case 'q':
        return type_chars(SQL_NVARCHAR, 258);
    case 'v':
        return type_chars(SQL_VARCHAR, 8000);
    case 'f':
        return type_of(SQL_FLOAT);
    case 'd':
        return type_of(SQL_DATETIME);
    case '2':
        return type_of(SQL_DATETIME2);
    case 'o':
        return type_of(SQL_DATETIMEOFFSET);
    case 'g':
        return type_of(SQL_UNIQUEIDENTIFIER);
    case 'c':
        return type_chars(SQL_CHAR, 1);
    case 'C':
        return type_chars(SQL_NCHAR, 1);
    case '0':
        return type_decimal(38, 0);
    case 'x':
        return property_type(e);
    default:
        return argument_type(f, e);
    }
}
