#include "tests/bench/engine/scan_vector.h"

#define STORAGE_SLACK_M 4.0f

/* What a part is worth at most, given what a unit of it brings (price less rent) and its least and largest
 * size: the surplus without base and access grows or falls with the size all the way. */
static inline __m256 worth(__m256 per_unit, __m256 least, __m256 most)
{
    return _mm256_max_ps(per_unit * least, per_unit * most);
}

static inline uint32_t storage_offers(const struct xd_scan_book *book, const struct xd_scan_probe *probe,
                                      float at_least, uint32_t row)
{
    __m256 chord = xd_chord_squared(book, SCAN_X, row, probe->at);
    __m256 mask = xd_at_most(chord, xd_all(probe->reach));
    if (!xd_lanes(mask)) return 0;
    mask =
        xd_without(mask, xd_above(xd_wholes(book, SCAN_OFFER_FROM_DAY, row), xd_all_whole(probe->from_day)));
    mask = xd_without(mask,
                      xd_above(xd_all_whole(probe->until_day), xd_wholes(book, SCAN_OFFER_UNTIL_DAY, row)));
    mask = xd_without(mask, xd_above(xd_all_whole(probe->cold), xd_wholes(book, SCAN_COLD, row)));
    mask = xd_without(mask, xd_above(xd_wholes(book, SCAN_WARM, row), xd_all_whole(probe->warm)));
    if (!xd_lanes(mask)) return 0;
    __m256 most = _mm256_min_ps(xd_reals(book, SCAN_OFFER_FREE, row), xd_all(probe->open));
    __m256 least = _mm256_max_ps(xd_reals(book, SCAN_OFFER_LEAST, row), xd_all(probe->least));
    mask = _mm256_and_ps(mask, xd_at_most(least, most));
    float days = (float)(probe->until_day - probe->from_day);
    __m256 per_unit = xd_all(probe->unit_price) - xd_reals(book, SCAN_OFFER_RATE, row) * xd_all(days);
    __m256 surplus = worth(per_unit, least, most) - xd_reals(book, SCAN_OFFER_BASE, row) -
                     xd_metres(chord, probe->factor, STORAGE_SLACK_M) * xd_all(probe->access);
    mask = _mm256_and_ps(mask, xd_at_most(xd_all(at_least - 2 - probe->price * 2e-6f), surplus));
    if (!xd_lanes(mask)) return 0;
    mask = xd_has_features(book, probe, row, mask);
    return xd_rows_among(book, row, xd_lanes(xd_suits(book, probe, row, mask)));
}

uint32_t xd_scan_storage_offers(const struct xd_scan_book *book, const struct xd_scan_probe *probe,
                                float at_least, uint32_t *block)
{
    for (; *block * XD_SCAN_LANES < book->count; ++*block) {
        uint32_t lanes = storage_offers(book, probe, at_least, *block * XD_SCAN_LANES);
        if (lanes) return lanes;
    }
    return 0;
}

static inline uint32_t storage_requests(const struct xd_scan_book *book, const struct xd_scan_probe *probe,
                                        float at_least, uint32_t row)
{
    __m256 chord = xd_chord_squared(book, SCAN_X, row, probe->at);
    __m256 mask = xd_at_most(chord, xd_reals(book, SCAN_WANT_REACH, row));
    if (!xd_lanes(mask)) return 0;
    __m256i from = xd_wholes(book, SCAN_WANT_FROM_DAY, row),
            until = xd_wholes(book, SCAN_WANT_UNTIL_DAY, row);
    mask = xd_without(mask, xd_above(xd_all_whole(probe->from_day), from));
    mask = xd_without(mask, xd_above(until, xd_all_whole(probe->until_day)));
    mask = xd_without(mask, xd_above(xd_wholes(book, SCAN_COLD, row), xd_all_whole(probe->cold)));
    mask = xd_without(mask, xd_above(xd_all_whole(probe->warm), xd_wholes(book, SCAN_WARM, row)));
    if (!xd_lanes(mask)) return 0;
    __m256 most = _mm256_min_ps(xd_reals(book, SCAN_WANT_OPEN, row), xd_all(probe->free));
    __m256 least = _mm256_max_ps(xd_reals(book, SCAN_WANT_LEAST, row), xd_all(probe->least));
    mask = _mm256_and_ps(mask, xd_at_most(least, most));
    __m256 days = _mm256_cvtepi32_ps(_mm256_sub_epi32(until, from));
    __m256 per_unit = xd_reals(book, SCAN_WANT_UNIT_PRICE, row) - xd_all(probe->rate) * days;
    __m256 surplus = worth(per_unit, least, most) - xd_all(probe->base) -
                     xd_metres(chord, probe->factor, STORAGE_SLACK_M) * xd_reals(book, SCAN_WANT_ACCESS, row);
    __m256 rounding = xd_all(2) + xd_reals(book, SCAN_WANT_PRICE, row) * xd_all(2e-6f);
    mask = _mm256_and_ps(mask, xd_at_most(xd_all(at_least), surplus + rounding));
    if (!xd_lanes(mask)) return 0;
    mask = xd_needs_features(book, probe, row, mask);
    return xd_rows_among(book, row, xd_lanes(xd_suits(book, probe, row, mask)));
}

uint32_t xd_scan_storage_requests(const struct xd_scan_book *book, const struct xd_scan_probe *probe,
                                  float at_least, uint32_t *block)
{
    for (; *block * XD_SCAN_LANES < book->count; ++*block) {
        uint32_t lanes = storage_requests(book, probe, at_least, *block * XD_SCAN_LANES);
        if (lanes) return lanes;
    }
    return 0;
}
