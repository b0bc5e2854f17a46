/* A compact multiset of 64-bit fingerprints: open addressing, linear probing, no tombstones. It answers
 * "surely absent" for most refs without a look at the disk; "present" may be by chance. A multiset, so that
 * of two refs that share a fingerprint one can go. */
#ifndef XD_CORE_LEDGER_SQLITE_FINGERPRINTS_H
#define XD_CORE_LEDGER_SQLITE_FINGERPRINTS_H

#include "core/buf.h"

struct xd_fingerprints {
    uint64_t *slots; /* 0: free */
    size_t count;
    size_t capacity; /* a power of 2, or 0 */
};

/* Of (account, ref); never 0. */
uint64_t xd_fingerprint(struct xd_str account, struct xd_str ref);

/* Makes room for `n` more. False without memory. Zero-initialise the set before. */
bool xd_fingerprints_reserve(struct xd_fingerprints *set, size_t n);

/* Room must have been made. */
void xd_fingerprints_add(struct xd_fingerprints *set, uint64_t fingerprint);
void xd_fingerprints_remove(struct xd_fingerprints *set, uint64_t fingerprint);
bool xd_fingerprints_has(const struct xd_fingerprints *set, uint64_t fingerprint);
void xd_fingerprints_free(struct xd_fingerprints *set);

#endif
