/* Times (seconds since 1970-01-01T00:00:00Z) and days (days since 1970-01-01), proleptic Gregorian, UTC, no
 * leap seconds. Years 2000 to 2199. Conversions are days_from_civil and its inverse after H. Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms". */
#ifndef XD_CORE_WHEN_H
#define XD_CORE_WHEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XD_TIME_MIN INT64_C(946684800)  /* 2000-01-01T00:00:00Z */
#define XD_TIME_MAX INT64_C(7258118399) /* 2199-12-31T23:59:59Z */
#define XD_DAY_S    INT64_C(86400)

/* RFC 3339 with seconds and an offset ("2030-01-01T08:00:00+08:00"; a fraction of zeros is taken, any other
 * refused, and so is a leap second) to seconds. False if it is not one. Any year 0000 to 9999 is read, so
 * that a caller can say "out of range" rather than "not a time". */
bool xd_time_parse(const char *text, size_t len, int64_t *out);

/* "YYYY-MM-DD" to days, any year 0000 to 9999. False if it is not a day. */
bool xd_day_parse(const char *text, size_t len, int64_t *out);

/* "2030-01-01T00:00:00Z" and "2030-01-01", terminated. What is outside the years 0000 to 9999 reads as their
 * first or last second or day. */
void xd_time_format(int64_t time, char out[static 32]);
void xd_day_format(int64_t day, char out[static 16]);

#endif
