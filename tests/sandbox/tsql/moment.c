/* Dates and times: the calendar, text forms, rounding to each type. */
#include "tsql/value.h"

/* Days since 1900-01-01 in the proleptic Gregorian calendar (Howard Hinnant's algorithm). */
int32_t
days_from_civil(int year, int month, int day)
{
    year -= month <= 2;
    int era = (year >= 0 ? year : year - 399) / 400;
    int yoe = year - era * 400;
    int doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 693901;
}

struct civil
civil_from_days(int32_t days)
{
    int z = days + 693901;
    int era = (z >= 0 ? z : z - 146096) / 146097;
    int doe = z - era * 146097;
    int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int mp = (5 * doy + 2) / 153;
    int month = mp + (mp < 10 ? 3 : -9);
    return (struct civil){yoe + era * 400 + (month <= 2), month, doy - (153 * mp + 2) / 5 + 1};
}

bool
civil_valid(int year, int month, int day)
{
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    struct civil c = civil_from_days(days_from_civil(year, month, day));
    return c.month == month && c.day == day;
}

struct moment
moment_now(bool utc)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    struct tm local = {0};
    int64_t seconds = now.tv_sec;
    if (!utc && localtime_r(&now.tv_sec, &local))
        seconds += local.tm_gmtoff;
    struct moment m = {.days = (int32_t)(seconds / 86400) + 25567,
                       .ticks = seconds % 86400 * TICKS_PER_SECOND + now.tv_nsec / 100,
                       .offset = utc ? 0 : (int)(local.tm_gmtoff / 60)};
    return m;
}

static void
carry(struct moment *m)
{
    while (m->ticks >= TICKS_PER_DAY) {
        m->ticks -= TICKS_PER_DAY;
        m->days++;
    }
    while (m->ticks < 0) {
        m->ticks += TICKS_PER_DAY;
        m->days--;
    }
}

struct moment
moment_from_val(const struct val *v)
{
    struct moment m = {v->v.days, v->v.integer, 0};
    if (v->t.type == SQL_DATETIME) {
        m.ticks = (v->v.integer * 10 + 1) / 3 * 10000;
    } else if (v->t.type == SQL_SMALLDATETIME) {
        m.ticks = v->v.integer * 60 * TICKS_PER_SECOND;
    } else if (v->t.type == SQL_DATETIMEOFFSET) {
        m.offset = v->v.offset_minutes;
        m.ticks += (int64_t)m.offset * 60 * TICKS_PER_SECOND;
        carry(&m);
    } else if (v->t.type == SQL_DATE) {
        m.ticks = 0;
    } else if (v->t.type == SQL_TIME) {
        m.days = 0;
    }
    return m;
}

static void
round_ticks(struct moment *m, int scale)
{
    int64_t unit = 1;
    for (int i = scale; i < 7; i++)
        unit *= 10;
    m->ticks = (m->ticks + unit / 2) / unit * unit;
}

static bool
in_range(const struct moment *m, enum sql_type t)
{
    int32_t low = t == SQL_SMALLDATETIME ? 0 : t == SQL_DATETIME ? -53690 : -693595;
    int32_t high = t == SQL_SMALLDATETIME ? 65535 : 2958463;
    return m->days >= low && m->days <= high;
}

static void
to_classic(struct moment *m, struct val *out)
{
    if (out->t.type == SQL_DATETIME) {
        int64_t ticks = (m->ticks * 3 + 50000) / 100000;
        if (ticks >= INT64_C(25920000)) {
            ticks = 0;
            m->days++;
        }
        out->v.integer = ticks;
    } else {
        int64_t minutes = (m->ticks + 30 * TICKS_PER_SECOND) / (60 * TICKS_PER_SECOND);
        if (minutes >= 1440) {
            minutes = 0;
            m->days++;
        }
        out->v.integer = minutes;
    }
}

bool
moment_to_val(struct moment m, struct sql_typeinfo t, struct val *out)
{
    *out = (struct val){.t = t};
    if (t.type == SQL_DATETIME || t.type == SQL_SMALLDATETIME) {
        to_classic(&m, out);
    } else if (t.type == SQL_DATE) {
        out->v.integer = 0;
    } else {
        round_ticks(&m, t.scale);
        if (t.type == SQL_TIME) {
            out->v.integer = m.ticks % TICKS_PER_DAY;
            return true;
        }
        if (t.type == SQL_DATETIMEOFFSET) {
            out->v.offset_minutes = (int16_t)m.offset;
            m.ticks -= (int64_t)m.offset * 60 * TICKS_PER_SECOND;
        }
        carry(&m);
        out->v.integer = m.ticks;
    }
    out->v.days = m.days;
    return in_range(&m, t.type);
}

/* ---- text to moment ---- */

struct scan {
    const char *p;
};

static void
blanks(struct scan *s)
{
    while (*s->p == ' ' || *s->p == '\t')
        s->p++;
}

static int
number(struct scan *s, int max_digits, int *ret_digits)
{
    int n = 0, v = 0;
    while (n < max_digits && *s->p >= '0' && *s->p <= '9') {
        v = v * 10 + (*s->p++ - '0');
        n++;
    }
    *ret_digits = n;
    return v;
}

static bool
fraction(struct scan *s, int64_t *ticks)
{
    int64_t unit = TICKS_PER_SECOND / 10;
    int digits = 0;
    for (s->p++; *s->p >= '0' && *s->p <= '9'; s->p++, digits++) {
        *ticks += unit * (*s->p - '0');
        unit /= 10;
    }
    return digits > 0 && digits <= 9;
}

static bool
meridian(struct scan *s, int *hour)
{
    blanks(s);
    bool pm = *s->p == 'P' || *s->p == 'p', am = *s->p == 'A' || *s->p == 'a';
    if (!pm && !am)
        return true;
    if ((s->p[1] | 0x20) != 'm' || *hour < 1 || *hour > 12)
        return false;
    s->p += 2;
    *hour = *hour % 12 + (pm ? 12 : 0);
    return true;
}

static bool
parse_time(struct scan *s, struct moment *m)
{
    int d, hour = number(s, 2, &d), minute = 0, second = 0;
    int64_t part = 0;
    if (!d)
        return false;
    if (*s->p == ':') {
        s->p++;
        minute = number(s, 2, &d);
        if (!d)
            return false;
        if (*s->p == ':') {
            s->p++;
            second = number(s, 2, &d);
            if (!d || (*s->p == '.' && !fraction(s, &part)))
                return false;
        }
    }
    if (!meridian(s, &hour) || hour > 23 || minute > 59 || second > 59)
        return false;
    m->ticks = ((int64_t)hour * 3600 + (int64_t)minute * 60 + second) * TICKS_PER_SECOND + part;
    return true;
}

static bool
parse_offset(struct scan *s, struct moment *m)
{
    blanks(s);
    if (*s->p == 'Z') {
        s->p++;
        return true;
    }
    if (*s->p != '+' && *s->p != '-')
        return true;
    int sign = *s->p++ == '-' ? -1 : 1, d, hour = number(s, 2, &d), minute = 0;
    if (*s->p == ':') {
        s->p++;
        minute = number(s, 2, &d);
    }
    m->offset = sign * (hour * 60 + minute);
    return d > 0 && hour <= 14 && minute < 60;
}

static bool
month_name(struct scan *s, int *month)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    char low[4] = {0};
    for (int i = 0; i < 3 && s->p[i]; i++)
        low[i] = (char)(s->p[i] | 0x20);
    for (int i = 0; i < 12; i++) {
        if (memcmp(names + (size_t)3 * (size_t)i, low, 3) == 0) {
            *month = i + 1;
            while ((*s->p | 0x20) >= 'a' && (*s->p | 0x20) <= 'z')
                s->p++;
            return true;
        }
    }
    return false;
}

static int
full_year(int year, int digits)
{
    return digits > 2 ? year : year < 50 ? 2000 + year : 1900 + year;
}

/* "Nov 21 2026" */
static bool
parse_named_date(struct scan *s, struct moment *m)
{
    int month = 0, d = 0;
    if (!month_name(s, &month))
        return false;
    blanks(s);
    int day = number(s, 2, &d);
    if (*s->p == ',')
        s->p++;
    blanks(s);
    int year = full_year(number(s, 4, &d), d);
    if (!d || !civil_valid(year, month, day))
        return false;
    m->days = days_from_civil(year, month, day);
    return true;
}

static bool
date_order(const char *format, const int parts[3], const int digits[3], struct moment *m)
{
    int year = 0, month = 0, day = 0;
    const char *order = digits[0] == 4 ? "ymd" : format;
    for (int i = 0; i < 3; i++) {
        if (order[i] == 'y')
            year = full_year(parts[i], digits[i]);
        else if (order[i] == 'm')
            month = parts[i];
        else
            day = parts[i];
    }
    if (!civil_valid(year, month, day))
        return false;
    m->days = days_from_civil(year, month, day);
    return true;
}

static bool
parse_date(struct scan *s, const char *format, struct moment *m)
{
    int parts[3], digits[3] = {0};
    if (*s->p < '0' || *s->p > '9')
        return parse_named_date(s, m);
    int first = number(s, 8, &digits[0]);
    if (digits[0] == 8 || digits[0] == 6) {
        int year = digits[0] == 8 ? first / 10000 : full_year(first / 10000, 2);
        if (!civil_valid(year, first / 100 % 100, first % 100))
            return false;
        m->days = days_from_civil(year, first / 100 % 100, first % 100);
        return true;
    }
    char separator = *s->p;
    parts[0] = first;
    for (int i = 1; i < 3; i++) {
        if (*s->p != separator || (separator != '-' && separator != '/' && separator != '.'))
            return false;
        s->p++;
        parts[i] = number(s, 4, &digits[i]);
        if (!digits[i])
            return false;
    }
    return date_order(format, parts, digits, m);
}

static bool
parse_calendar(struct scan *s, const char *dateformat, struct moment *out)
{
    if (!parse_date(s, dateformat, out))
        return false;
    if (*s->p == 'T')
        s->p++;
    else
        blanks(s);
    return *s->p < '0' || *s->p > '9' || parse_time(s, out);
}

bool
moment_parse(const char *text, const char *dateformat, struct moment *out)
{
    struct scan s = {text};
    *out = (struct moment){0};
    blanks(&s);
    if (!*s.p)
        return true; /* blank is 1900-01-01 */
    bool clock_only = s.p[strspn(s.p, "0123456789")] == ':';
    if (clock_only ? !parse_time(&s, out) : !parse_calendar(&s, dateformat, out))
        return false;
    if (!parse_offset(&s, out))
        return false;
    blanks(&s);
    return !*s.p;
}

/* ---- moment to text ---- */

static void
append(char *to, size_t size, size_t *at, const char *text)
{
    size_t n = strlen(text);
    if (*at + n >= size)
        n = size - *at - 1;
    memcpy(to + *at, text, n);
    *at += n;
    to[*at] = 0;
}

static void
clock_text(const struct val *v, struct moment m, char *to, size_t size)
{
    int64_t seconds = m.ticks / TICKS_PER_SECOND;
    int scale = v->t.scale;
    if (v->t.type == SQL_DATETIME)
        scale = 3;
    if (v->t.type == SQL_SMALLDATETIME)
        scale = 0;
    text_format(to, size, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60),
                (int)(seconds % 60));
    if (scale) {
        char part[9];
        text_format(part, sizeof part, "%07d", (int)(m.ticks % TICKS_PER_SECOND));
        part[scale] = 0;
        size_t at = strlen(to);
        append(to, size, &at, ".");
        append(to, size, &at, part);
    }
}

static void
classic_text(struct moment m, bool with_time, char *to, size_t size)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil c = civil_from_days(m.days);
    int minutes = (int)(m.ticks / TICKS_PER_SECOND / 60), hour = minutes / 60;
    text_format(to, size, "%s %2d %04d", months[c.month - 1], c.day, c.year);
    if (with_time) {
        char clock[16];
        text_format(clock, sizeof clock, " %2d:%02d%s", hour % 12 ? hour % 12 : 12, minutes % 60,
                    hour < 12 ? "AM" : "PM");
        size_t at = strlen(to);
        append(to, size, &at, clock);
    }
}

static bool
short_style(struct civil c, int style, char *to, size_t size)
{
    switch (style) {
    case 101:
        text_format(to, size, "%02d/%02d/%04d", c.month, c.day, c.year);
        return true;
    case 103:
        text_format(to, size, "%02d/%02d/%04d", c.day, c.month, c.year);
        return true;
    case 104:
        text_format(to, size, "%02d.%02d.%04d", c.day, c.month, c.year);
        return true;
    case 112:
        text_format(to, size, "%04d%02d%02d", c.year, c.month, c.day);
        return true;
    case 23:
        text_format(to, size, "%04d-%02d-%02d", c.year, c.month, c.day);
        return true;
    default:
        return false;
    }
}

static bool
whole_seconds(const struct val *v, struct moment m, int style)
{
    if (style == 120 || style == 20 || style == 8 || style == 108)
        return true;
    return (style == 126 || style == 127) && v->t.type == SQL_DATETIME &&
           m.ticks % TICKS_PER_SECOND == 0;
}

static void
zone_text(struct moment m, const char *blank, char *to, size_t size)
{
    int o = m.offset < 0 ? -m.offset : m.offset;
    text_format(to, size, "%s%c%02d:%02d", blank, m.offset < 0 ? '-' : '+', o / 60, o % 60);
}

static void
iso_text(const struct val *v, struct moment m, int style, char *to, size_t size)
{
    struct civil c = civil_from_days(m.days);
    bool t = style == 126 || style == 127,
         clock_only = v->t.type == SQL_TIME || style == 8 || style == 108;
    char clock[24], date[24], zone[24] = "";
    clock_text(v, m, clock, sizeof clock);
    if (whole_seconds(v, m, style))
        clock[8] = 0;
    text_format(date, sizeof date, "%04d-%02d-%02d", c.year, c.month, c.day);
    if (v->t.type == SQL_DATETIMEOFFSET)
        zone_text(m, t ? "" : " ", zone, sizeof zone);
    if (v->t.type == SQL_DATE)
        text_format(to, size, "%s", date);
    else if (clock_only)
        text_format(to, size, "%s%s", clock, zone);
    else
        text_format(to, size, "%s%s%s%s", date, t ? "T" : " ", clock, zone);
}

size_t
moment_text(const struct val *v, int style, char *to, size_t size)
{
    struct moment m = moment_from_val(v);
    bool classic = v->t.type == SQL_DATETIME || v->t.type == SQL_SMALLDATETIME;
    if ((style == 0 && classic) || style == 100)
        classic_text(m, v->t.type != SQL_DATE, to, size);
    else if (v->t.type == SQL_TIME || !short_style(civil_from_days(m.days), style, to, size))
        iso_text(v, m, style, to, size);
    return strlen(to);
}
