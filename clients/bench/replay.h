/* A file of orders as a load: JSON Lines, as `crossdock submit` reads them. All of it is read and encoded
 * beforehand.
 *
 * Each order gets a ref of the load in place of its own, so that a file can be played any number of times;
 * times are sent as they are. A line without `account` is posted by "replay-offer" or "replay-request".
 * Orders that the broker will refuse are sent like all others. */
#ifndef XD_BENCH_REPLAY_H
#define XD_BENCH_REPLAY_H

#include "clients/bench/source.h"

enum { XD_REPLAY_MESSAGE = 400 };

/* False if the file cannot be read, a line is no JSON object, or there is no memory: `message` says which. */
bool xd_replay_source(const char *path, struct xd_source *out, char message[static XD_REPLAY_MESSAGE]);

#endif
