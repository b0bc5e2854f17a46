/* A book that stands still: 100 offers of the market rest on one side, then requests of the market come one
 * after the other, each matched against those 100 and dropped if it finds none (`fill: now`). What is
 * measured is then the way of an order through the broker, not a book that grows. So that it stands still in
 * what matches too, storage is made deep and within everybody's reach; trucks are full after their first
 * loads and stay in the book, as they would. The requests are encoded beforehand, and sent again and again
 * under new refs, so that the load generator costs next to nothing. */
#ifndef XD_BENCH_BOOK_H
#define XD_BENCH_BOOK_H

#include "clients/bench/market.h"

enum { XD_BOOK_OFFERS = 100, XD_BOOK_REQUESTS = 4096 };

/* Orders of `kind`, or of all kinds as the market mixes them if it is -1. Takes `play` over, and on failure
 * destroys it. `now` is the broker's time. False without memory. */
bool xd_book_source(struct xd_market_play *play, int kind, int64_t now, struct xd_source *out);

#endif
