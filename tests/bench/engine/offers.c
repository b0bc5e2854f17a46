#include "tests/bench/engine/offers.h"

#include "clients/bench/histogram.h"
#include "core/id.h"
#include "core/schema.h"
#include "tests/bench/engine/orders.h"
#include "tests/bench/engine/snapshot.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SHARE 0.4
#define GAIN  0.05

static const int64_t now_s = 1900000000;

enum { OUTPUT_BYTES = 1 << 20 };

struct run {
    const struct xd_offers_work *work;
    struct xd_order_maker maker;
    struct xd_engine *engine;
    struct xd_output output;
    uint64_t next, matches, spent_ns;
    struct xd_histogram latency;
};

/* --- the files --- */

static FILE *open_csv(const char *directory, const char *name, const char *columns)
{
    static const char common[] =
        "id,account,credit,min_credit,lat,lon,from_day,until_day,cold,warm,features,pallets,kg";
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    if (file) fprintf(file, "%s,%s\n", common, columns);
    return file;
}

/* Amounts, money and temperatures in the table's units; kg 0 where it is not stated. */
static void write_common(FILE *csv, const struct xd_record *record)
{
    const struct xd_order *order = &record->order;
    fprintf(csv, "%" PRIu64 ",%.*s,%" PRId64 ",%" PRId64 ",%.7f,%.7f", xd_id_number(record->order_id),
            (int)record->account.len, record->account.at, record->credit, order->min_credit,
            (double)order->at.lat_e7 / XD_E7, (double)order->at.lon_e7 / XD_E7);
    fprintf(csv, ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRIu64 ",%" PRId64 ",%" PRId64,
            order->from_day, order->until_day, order->temp.min, order->temp.max, order->features,
            order->amount[XD_PALLETS], order->amount[XD_KG]);
}

static void write_order(FILE *csv, const struct xd_record *record)
{
    const struct xd_order *order = &record->order;
    write_common(csv, record);
    if (order->side == XD_OFFER) {
        fprintf(csv, ",%" PRId64 ",%" PRId64 ",%" PRId64 "\n", order->min_part, order->base,
                order->per_unit_day);
    } else {
        fprintf(csv, ",%" PRId64 ",%" PRId64 ",%" PRId64 "\n", order->radius_m, order->max_price,
                order->per_access_km);
    }
}

/* --- the work --- */

static void make(struct run *run, enum xd_side side, struct xd_record *record, char name[static 24],
                 char ref[static 24])
{
    enum { ACCOUNTS = 2000 };
    int64_t account = xd_random_between(&run->maker.random, 0, ACCOUNTS - 1);
    xd_make_order(&run->maker, side, now_s, &record->order);
    if (side == XD_REQUEST) {
        record->order.fill = XD_FILL_NOW;
        record->order.min_part = 0;
        record->order.given |= UINT64_C(1) << XD_F_FILL;
        record->order.given &= ~(UINT64_C(1) << XD_F_MIN_PART);
    }
    snprintf(name, 24, "%s-%04" PRId64, side == XD_OFFER ? "store" : "shipper", account);
    snprintf(ref, 24, "r%" PRIu64, run->next);
    record->type = XD_RECORD_ORDER;
    record->account = xd_str_of(name);
    record->order.ref = xd_str_of(ref);
    record->order_id = xd_id(0, run->next++);
    record->credit = 420 + account * 37 % 480;
}

static bool apply(struct run *run, const struct xd_record *record)
{
    xd_output_clear(&run->output);
    uint64_t began = xd_clock_ns();
    bool good = xd_engine_apply(run->engine, now_s, record, &run->output);
    uint64_t spent = xd_clock_ns() - began;
    run->spent_ns += spent;
    xd_histogram_add(&run->latency, spent);
    return good && *(const uint16_t *)(const void *)run->output.outcomes.data == XD_OK;
}

static void note(struct run *run, bool found)
{
    run->matches += found;
    run->maker.level *= exp(GAIN * (SHARE - found));
}

static bool post(struct run *run, enum xd_side side, uint64_t count, FILE *csv)
{
    bool good = true;
    xd_histogram_clear(&run->latency);
    run->spent_ns = 0;
    for (uint64_t i = 0; i < count && good; i++) {
        char name[24], ref[24];
        struct xd_record record = {0};
        struct xd_engine_stats before, after;
        make(run, side, &record, name, ref);
        if (csv) write_order(csv, &record);
        xd_engine_stats(run->engine, &before);
        good = apply(run, &record);
        xd_engine_stats(run->engine, &after);
        if (side == XD_REQUEST) note(run, after.matches > before.matches);
    }
    return good;
}

static bool post_all(struct run *run, enum xd_side side, uint64_t count, const char *file,
                     const char *columns)
{
    if (!run->work->export) return post(run, side, count, NULL);
    FILE *csv = open_csv(run->work->export, file, columns);
    bool good = csv && post(run, side, count, csv);
    return csv && fclose(csv) == 0 && good;
}

static void tell(const struct run *run)
{
    const struct xd_offers_work *work = run->work;
    printf("{\"offers\": %" PRIu64 ", \"requests\": %" PRIu64 ", \"seed\": %" PRIu64
           ", \"matches\": %" PRIu64,
           work->offers, work->requests, work->seed, run->matches);
    printf(", \"rate\": %.3f, \"p50_us\": %.3f, \"p99_us\": %.3f}\n",
           (double)work->requests / ((double)run->spent_ns / 1e9),
           (double)xd_histogram_quantile(&run->latency, 0.5) / 1e3,
           (double)xd_histogram_quantile(&run->latency, 0.99) / 1e3);
}

bool xd_measure_offers(const struct xd_offers_work *work)
{
    struct xd_engine_options options = xd_snapshot_options(work->offers + work->requests);
    struct xd_places *places = xd_places_create();
    struct run *run = calloc(1, sizeof *run);
    if (run) {
        *run = (struct run){.work = work, .engine = xd_engine_create(&options), .next = 1};
        run->maker = (struct xd_order_maker){
            .level = 0.8, .cold = 1, .places = places, .currency = options.market.currency};
        xd_random_seed(&run->maker.random, work->seed);
        xd_output_init(&run->output, OUTPUT_BYTES);
    }
    bool good = places && run && run->engine &&
                post_all(run, XD_OFFER, work->offers, "offers.csv", "min_part,base,rate") &&
                post_all(run, XD_REQUEST, work->requests, "requests.csv", "radius_m,max_price,per_access_km");
    if (good) tell(run);
    if (run) {
        xd_output_free(&run->output);
        xd_engine_destroy(run->engine);
    }
    free(run);
    xd_places_destroy(places);
    return good;
}
