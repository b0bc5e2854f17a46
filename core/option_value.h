/* One option's value: from text to what the program keeps, and what is allowed in words. For options.c. */
#ifndef XD_CORE_OPTION_VALUE_H
#define XD_CORE_OPTION_VALUE_H

#include "core/options.h"

/* Stores the value of `text` at `out`, as the option's type says. False if it is not allowed: `problem` (of
 * `size` bytes) says what was given and what is allowed; *out is untouched. */
bool xd_option_store(const struct xd_option *option, const char *text, void *out, char *problem, size_t size);

/* What is allowed, "" where that goes without saying. */
void xd_option_allowed(const struct xd_option *option, char *out, size_t size);

#endif
