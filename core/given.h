/* What was given, as an error message shows it: short, on one line, and always UTF-8. */
#ifndef XD_CORE_GIVEN_H
#define XD_CORE_GIVEN_H

#include <msgpack.h>
#include <stddef.h>

/* 60 bytes of text, quotes and dots around them, and the terminator. */
enum { XD_GIVEN_TEXT = 60, XD_GIVEN = XD_GIVEN_TEXT + 8 };

/* Text in double quotes, cut to 60 bytes at a character; control characters and what is not UTF-8 become "?". */
void xd_given_text(const char *text, size_t len, char out[static XD_GIVEN]);

/* The same without quotes, cut to 32 bytes: for the name of a field. */
void xd_given_name(const char *text, size_t len, char out[static XD_GIVEN]);

/* A value: numbers as they are, strings as above, anything else by its kind ("a list"). */
void xd_given_value(const msgpack_object *value, char out[static XD_GIVEN]);

/* The shortest decimal that reads back as the same double (or float). Returns the length. */
size_t xd_given_double(double value, char out[static 32]);
size_t xd_given_float(float value, char out[static 32]);

#endif
