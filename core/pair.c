#include "core/pair.h"

#include "core/id.h"
#include "core/order.h"
#include "core/when.h"

void xd_pair_day(struct xd_buf *buf, const char *key, int64_t day)
{
    char text[16];
    xd_day_format(day, text);
    xd_pair_cstr(buf, key, text);
}

void xd_pair_currency(struct xd_buf *buf, const char *key, int64_t currency)
{
    char text[4];
    xd_currency_format(currency, text);
    xd_pair_cstr(buf, key, text);
}

void xd_pair_order_id(struct xd_buf *buf, const char *key, uint64_t id)
{
    char text[XD_ID_TEXT];
    xd_mp_cstr(buf, key);
    xd_mp_str(buf, text, xd_order_id_format(id, text));
}

void xd_pair_match_id(struct xd_buf *buf, const char *key, uint64_t id)
{
    char text[XD_ID_TEXT];
    xd_mp_cstr(buf, key);
    xd_mp_str(buf, text, xd_match_id_format(id, text));
}

void xd_pair_event_id(struct xd_buf *buf, const char *key, struct xd_event_id id)
{
    char text[XD_ID_TEXT];
    xd_mp_cstr(buf, key);
    xd_mp_str(buf, text, xd_event_id_format(id, text));
}
