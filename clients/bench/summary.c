#include "clients/bench/summary.h"

#include "clients/bench/places.h"
#include "core/decimal.h"
#include "core/schema.h"

#include <stdio.h>

/* "2.5 t, 4 pallets  Suzhou -> Nanjing  890.98 CNY" */
static void describe_truck(const struct xd_told_match *match, const char *price,
                           char out[static XD_SUMMARY_LINE])
{
    char pallets[32];
    xd_decimal_format(match->amount[XD_PALLETS], 2, pallets);
    snprintf(out, XD_SUMMARY_LINE, "%.1f t, %s %s  %s -> %s  %s", (double)match->amount[XD_KG] / 1000,
             pallets, xd_dim_unit(XD_PALLETS, pallets), xd_places_name(match->from_lat, match->from_lon),
             xd_places_name(match->to_lat, match->to_lon), price);
}

/* "12 pallets, 30 days  cold store in Suzhou  890.98 CNY" */
static void describe_storage(const struct xd_told_match *match, const char *place, const char *price,
                             char out[static XD_SUMMARY_LINE])
{
    char amount[32];
    bool cold = match->kind == XD_COLD;
    enum xd_dim dim = xd_main_dim(match->kind);
    xd_decimal_format(match->amount[dim], 2, amount);
    snprintf(out, XD_SUMMARY_LINE, "%s %s, %lld day%s  %s%s%s  %s", amount, xd_dim_unit(dim, amount),
             (long long)match->days, match->days == 1 ? "" : "s", cold ? "cold store" : "warehouse",
             place ? " in " : "", place ? place : "", price);
}

static void keep_line(struct xd_summary *summary, const struct xd_load *load,
                      const struct xd_told_match *match, const struct xd_verified *verified)
{
    char price[64];
    char *out = summary->latest[summary->latest_count++ % XD_SUMMARY_LATEST];
    snprintf(price, sizeof price, "%lld.%02lld %.3s", (long long)(match->price / 100),
             (long long)(match->price % 100), match->currency.len == 3 ? match->currency.at : "");
    if (match->kind == XD_TRUCK) {
        describe_truck(match, price, out);
        return;
    }
    uint64_t where = verified->offer != XD_VERIFY_NONE ? verified->offer : verified->request;
    describe_storage(match, xd_verify_order(xd_load_verify(load), where)->place, price, out);
}

void xd_summary_told(void *arg, const struct xd_load *load, const struct xd_told *told,
                     const struct xd_verified *verified)
{
    struct xd_summary *summary = arg;
    const struct xd_told_match *match = &told->match;
    if (told->type != XD_EVENT_MATCH_CONFIRMED || !verified->first) return;
    summary->confirmed++;
    if (match->kind == XD_TRUCK) {
        summary->kg += match->amount[XD_KG];
        summary->pallets += match->amount[XD_PALLETS];
        summary->saved_m += match->km_m - match->added_m;
    } else if (match->kind == XD_COLD) {
        summary->pallet_days += match->amount[XD_PALLETS] * match->days;
    } else {
        summary->m2_days += match->amount[XD_M2] * match->days;
    }
    keep_line(summary, load, match, verified);
}
