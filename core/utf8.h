/* Text as clients give it: UTF-8, and nothing that only looks like it. */
#ifndef XD_CORE_UTF8_H
#define XD_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length of the UTF-8 character that `text` begins with, 1 to 4, or 0 if it is not a whole one (overlong
 * forms, surrogates and what lies beyond U+10FFFF are none). */
size_t xd_utf8_char(const char *text, size_t len);

/* Whether all of it is such characters; an empty text is. */
bool xd_utf8_valid(const char *text, size_t len);

#endif
