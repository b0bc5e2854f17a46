/* Orders, matches and events of the broker's, in short pieces of text for people. Each writes into `out` and
 * returns it; what is missing reads as "". */
#ifndef XD_CLIENTS_CLI_VIEW_H
#define XD_CLIENTS_CLI_VIEW_H

#include <msgpack.h>

enum { XD_VIEW = 160 };

/* The value of a key as it is: text, or a number. */
const char *xd_view(const msgpack_object *map, const char *key, char out[static XD_VIEW]);

/* A time in seconds as RFC 3339. */
const char *xd_view_time(const msgpack_object *map, const char *key, char out[static XD_VIEW]);

/* Money with its two decimals, "1234.00 CNY". */
const char *xd_view_money(const msgpack_object *match, const char *key, char out[static XD_VIEW]);

/* An order's amount or what is open of it, "14 pallets". */
const char *xd_view_amount(const msgpack_object *order, const char *key, char out[static XD_VIEW]);

/* A match's amounts, "5 pallets 1000 kg". */
const char *xd_view_amounts(const msgpack_object *match, char out[static XD_VIEW]);

/* A party of a match, "acme/r1". */
const char *xd_view_party(const msgpack_object *match, const char *side, char out[static XD_VIEW]);

/* When a match begins and ends: its first and last stop, or its days. */
const char *xd_view_when(const msgpack_object *match, char out[static XD_VIEW]);

/* An event on one line, without its end. */
void xd_view_print_event(const msgpack_object *event);

#endif
