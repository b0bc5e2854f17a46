/* The names of features, one bit each; ATP classes imply lower ones. */
#ifndef XD_CORE_FEATURES_H
#define XD_CORE_FEATURES_H

#include <stddef.h>
#include <stdint.h>

enum { XD_FEATURE_COUNT = 36, XD_FEATURE_ATP = 32 /* the bit of the lowest ATP class; the others follow */ };

/* The name of bit `bit` (< XD_FEATURE_COUNT). */
const char *xd_feature_name(unsigned bit);

/* The bit of a name, or -1. */
int xd_feature_bit(const char *name, size_t len);

/* All the names in one line, for people ("adr_1..adr_9" for the nine). */
extern const char xd_features_text[];

/* What an offer with these features can serve: frc adds frb, fra, fna; frb adds fra, fna; fra adds fna. */
uint64_t xd_features_implied(uint64_t features);

#endif
