#include "core/when.h"

/* Days from 0000-01-01 to 9999-12-31: what four digits of a year can say. */
#define DAY_FIRST INT64_C(-719528)
#define DAY_LAST  INT64_C(2932896)

struct civil {
    int year, month, day;
};

static int64_t days_from_civil(struct civil date)
{
    int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t month_from_march = (date.month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static struct civil civil_from_days(int64_t day)
{
    day += 719468;
    int64_t era = (day >= 0 ? day : day - 146096) / 146097;
    int64_t day_of_era = day - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2);
    return (struct civil){
        .year = (int)year,
        .month = (int)month,
        .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
    };
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Text being read from the left; a step that does not fit leaves it where it was. */
struct reader {
    const char *at;
    const char *end;
};

static bool take_char(struct reader *in, char upper)
{
    if (in->at == in->end) return false;
    char c = *in->at;
    bool lower = upper >= 'A' && upper <= 'Z' && c == upper + ('a' - 'A');
    if (c != upper && !lower) return false;
    in->at++;
    return true;
}

static bool take_digits(struct reader *in, int count, int max, int *out)
{
    if (in->end - in->at < count) return false;
    int value = 0;
    for (int i = 0; i < count; i++) {
        char c = in->at[i];
        if (c < '0' || c > '9') return false;
        value = value * 10 + (c - '0');
    }
    if (value > max) return false;
    in->at += count;
    *out = value;
    return true;
}

static bool take_day(struct reader *in, int64_t *out)
{
    struct civil date;
    if (!take_digits(in, 4, 9999, &date.year) || !take_char(in, '-') ||
        !take_digits(in, 2, 12, &date.month) || !take_char(in, '-') || !take_digits(in, 2, 31, &date.day))
        return false;
    if (date.month < 1 || date.day < 1 || date.day > days_in_month(date.year, date.month)) return false;
    *out = days_from_civil(date);
    return true;
}

static bool take_zero_fraction(struct reader *in)
{
    if (!take_char(in, '.')) return true;
    if (!take_char(in, '0')) return false;
    while (take_char(in, '0'))
        ;
    return true;
}

static bool take_offset(struct reader *in, int64_t *seconds)
{
    *seconds = 0;
    if (take_char(in, 'Z')) return true;
    int sign = take_char(in, '-') ? -1 : 1;
    if (sign > 0 && !take_char(in, '+')) return false;
    int hours, minutes;
    if (!take_digits(in, 2, 23, &hours) || !take_char(in, ':') || !take_digits(in, 2, 59, &minutes))
        return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool xd_time_parse(const char *text, size_t len, int64_t *out)
{
    struct reader in = {text, text + len};
    int64_t day, offset;
    int hour, minute, second;
    if (!take_day(&in, &day) || !take_char(&in, 'T') || !take_digits(&in, 2, 23, &hour) ||
        !take_char(&in, ':') || !take_digits(&in, 2, 59, &minute) || !take_char(&in, ':') ||
        !take_digits(&in, 2, 59, &second) || !take_zero_fraction(&in) || !take_offset(&in, &offset) ||
        in.at != in.end)
        return false;
    *out = day * XD_DAY_S + hour * 3600 + minute * 60 + second - offset;
    return true;
}

bool xd_day_parse(const char *text, size_t len, int64_t *out)
{
    struct reader in = {text, text + len};
    int64_t day;
    if (!take_day(&in, &day) || in.at != in.end) return false;
    *out = day;
    return true;
}

static char *put(char *at, int value, int digits, char after)
{
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    at[digits] = after;
    return at + digits + 1;
}

static char *put_day(char *at, int64_t day, char after)
{
    struct civil date = civil_from_days(day);
    at = put(at, date.year, 4, '-');
    at = put(at, date.month, 2, '-');
    return put(at, date.day, 2, after);
}

static int64_t clamp(int64_t value, int64_t min, int64_t max)
{
    if (value < min) return min;
    return value > max ? max : value;
}

void xd_time_format(int64_t time, char out[static 32])
{
    time = clamp(time, DAY_FIRST * XD_DAY_S, DAY_LAST * XD_DAY_S + XD_DAY_S - 1);
    int64_t day = time / XD_DAY_S - (time % XD_DAY_S < 0);
    int second = (int)(time - day * XD_DAY_S);
    char *at = put_day(out, day, 'T');
    at = put(at, second / 3600, 2, ':');
    at = put(at, second / 60 % 60, 2, ':');
    at = put(at, second % 60, 2, 'Z');
    *at = '\0';
}

void xd_day_format(int64_t day, char out[static 16])
{
    put_day(out, clamp(day, DAY_FIRST, DAY_LAST), '\0');
}
