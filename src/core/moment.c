#include "moment.h"

#include <string.h>

/** A number of exactly `digits` digits within [min, max]; moves `at` behind it. */
static bool
take_number(const char **at, int digits, int min, int max)
{
    int number = 0;

    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        number = number * 10 + (**at - '0');
    }
    return number >= min && number <= max;
}

static bool
take_char(const char **at, const char *any)
{
    if (!**at || !strchr(any, **at))
        return false;
    (*at)++;
    return true;
}

static bool
take_date(const char **at)
{
    return take_number(at, 4, 1, 9999) && take_char(at, "-") && take_number(at, 2, 1, 12) &&
           take_char(at, "-") && take_number(at, 2, 1, 31);
}

/** Up to seven digits of a second. */
static bool
take_fraction(const char **at)
{
    const size_t digits = strspn(*at, "0123456789");

    *at += digits;
    return digits >= 1 && digits <= 7;
}

/** HH:MM, then what there is of seconds. */
static bool
take_clock(const char **at)
{
    if (!take_number(at, 2, 0, 23) || !take_char(at, ":") || !take_number(at, 2, 0, 59))
        return false;
    if (!take_char(at, ":"))
        return true;
    if (!take_number(at, 2, 0, 59))
        return false;
    return !take_char(at, ".") || take_fraction(at);
}

bool
moment_parse(const char *text, char ret[MOMENT_BYTES])
{
    static const char first[] = "0001-01-01T00:00:00.0000000";
    const char *at = text;

    if (!take_date(&at) || (*at && (!take_char(&at, "T ") || !take_clock(&at))) || *at)
        return false;
    memcpy(ret, first, sizeof first);
    memcpy(ret, text, (size_t)(at - text));
    ret[10] = 'T';
    return true;
}
