#include "core/features.h"

#include <assert.h>
#include <string.h>

enum { ATP_FNA = XD_FEATURE_ATP, ATP_FRA, ATP_FRB, ATP_FRC };

static const char *const names[] = {
    "tail_lift", "pallet_jack", "forklift",     "air_ride", "box_body",      "curtain_side",
    "flatbed",   "pre_cool",    "gps_tracking", "temp_log", "food_grade",    "halal",
    "haccp",     "pharma_gdp",  "bonded",       "racking",  "dock_leveller", "blast_freezing",
    "sprinkler", "cctv",        "guarded",      "open_24h", "value_added",   "adr_1",
    "adr_2",     "adr_3",       "adr_4",        "adr_5",    "adr_6",         "adr_7",
    "adr_8",     "adr_9",       "atp_fna",      "atp_fra",  "atp_frb",       "atp_frc",
};
static_assert(sizeof names / sizeof names[0] == XD_FEATURE_COUNT, "a name for each bit");

const char xd_features_text[] =
    "tail_lift pallet_jack forklift air_ride box_body curtain_side flatbed pre_cool gps_tracking temp_log "
    "food_grade halal haccp pharma_gdp bonded racking dock_leveller blast_freezing sprinkler cctv guarded "
    "open_24h value_added adr_1..adr_9 atp_fna atp_fra atp_frb atp_frc";

const char *xd_feature_name(unsigned bit)
{
    return names[bit];
}

int xd_feature_bit(const char *name, size_t len)
{
    for (int bit = 0; bit < XD_FEATURE_COUNT; bit++) {
        if (strlen(names[bit]) == len && memcmp(names[bit], name, len) == 0) return bit;
    }
    return -1;
}

uint64_t xd_features_implied(uint64_t features)
{
    for (unsigned bit = ATP_FRC; bit > ATP_FNA; bit--) {
        if (features >> bit & 1) features |= UINT64_C(1) << (bit - 1);
    }
    return features;
}
