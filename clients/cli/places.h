/* Places read from a file, for `crossdock cluster init --places`. */
#ifndef XD_CLIENTS_CLI_PLACES_H
#define XD_CLIENTS_CLI_PLACES_H

#include "core/error.h"
#include "core/geo.h"

#include <stddef.h>

enum { XD_PLACES_MAX = 1000000 };

/* Lines of "lat,lon", or CSV whose first line names the columns, `lat` and `lon` among them; empty lines are
 * passed over. False and *error, which names the line; else the caller frees *out. */
bool xd_places_read(const char *path, struct xd_place **out, size_t *count, struct xd_error *error);

#endif
