/* The pages of docs/ that are made from tables, so that they cannot go stale. */
#ifndef XD_CORE_TOOLS_DOCS_H
#define XD_CORE_TOOLS_DOCS_H

#include <stdbool.h>
#include <stdio.h>

/* docs/ORDERS.md. False, with why on stderr, where an example is not a good order. */
bool xd_docs_orders(FILE *out);

/* docs/ERRORS.md. */
bool xd_docs_errors(FILE *out);

#endif
