/* Pairs of a MessagePack map: a key and its value at once. As with core/mp.h, failures stay in buf->failed. */
#ifndef XD_CORE_PAIR_H
#define XD_CORE_PAIR_H

#include "core/id.h"
#include "core/mp.h"

static inline void xd_pair_str(struct xd_buf *buf, const char *key, struct xd_str text)
{
    xd_mp_cstr(buf, key);
    xd_mp_str(buf, text.at, text.len);
}

static inline void xd_pair_cstr(struct xd_buf *buf, const char *key, const char *text)
{
    xd_mp_cstr(buf, key);
    xd_mp_cstr(buf, text);
}

static inline void xd_pair_int(struct xd_buf *buf, const char *key, int64_t value)
{
    xd_mp_cstr(buf, key);
    xd_mp_int(buf, value);
}

static inline void xd_pair_uint(struct xd_buf *buf, const char *key, uint64_t value)
{
    xd_mp_cstr(buf, key);
    xd_mp_uint(buf, value);
}

static inline void xd_pair_bool(struct xd_buf *buf, const char *key, bool value)
{
    xd_mp_cstr(buf, key);
    xd_mp_bool(buf, value);
}

/* value x 10^-scale, as xd_mp_decimal writes it. */
static inline void xd_pair_decimal(struct xd_buf *buf, const char *key, int64_t value, int scale)
{
    xd_mp_cstr(buf, key);
    xd_mp_decimal(buf, value, scale);
}

/* What has a form for people, in that form. */
void xd_pair_day(struct xd_buf *buf, const char *key, int64_t day);
void xd_pair_currency(struct xd_buf *buf, const char *key, int64_t currency);
void xd_pair_order_id(struct xd_buf *buf, const char *key, uint64_t id);
void xd_pair_match_id(struct xd_buf *buf, const char *key, uint64_t id);
void xd_pair_event_id(struct xd_buf *buf, const char *key, struct xd_event_id id);

#endif
