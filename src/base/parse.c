#include "base/parse.h"

#include <string.h>

/** Digits at the front as a number; `ret_end` behind them. False without digits or on overflow. */
static bool
parse_digits(const char *string, int64_t *ret, const char **ret_end)
{
    const bool negative = string[0] == '-';
    const char *at = string + (negative ? 1 : 0);
    int64_t number = 0; /* below zero, where there is one more */

    if (*at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_sub_overflow(number, *at - '0', &number))
            return false;
    if (!negative && number == INT64_MIN)
        return false;
    *ret = negative ? number : -number;
    *ret_end = at;
    return true;
}

bool
parse_int(const char *string, int64_t min, int64_t max, int64_t *ret)
{
    const char *end;
    int64_t number;

    if (!parse_digits(string, &number, &end) || *end || number < min || number > max)
        return false;
    *ret = number;
    return true;
}

bool
parse_duration_ms(const char *string, int64_t max_ms, int64_t *ret_ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"", 1000},     {"ms", 1},       {"s", 1000},     {"m", 60000},
                 {"h", 3600000}, {"d", 86400000}, {"w", 604800000}};
    const char *end;
    int64_t number;

    if (!parse_digits(string, &number, &end) || number < 0)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].name) != 0)
            continue;
        if (number > max_ms / units[i].ms)
            return false;
        *ret_ms = number * units[i].ms;
        return true;
    }
    return false;
}
