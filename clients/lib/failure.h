/* How the library says why something failed. */
#ifndef XD_CLIENTS_LIB_FAILURE_H
#define XD_CLIENTS_LIB_FAILURE_H

#include "clients/include/crossdock.h"

/* Sets *error and returns false. What is too long is cut; what is not UTF-8 becomes "?". */
bool xd_client_fail(xd_client_error *error, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Copies the broker's error map {code, message, field}. */
void xd_client_fail_map(xd_client_error *error, const msgpack_object *map);

#endif
