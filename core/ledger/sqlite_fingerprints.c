#include "core/ledger/sqlite_fingerprints.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { FIRST_CAPACITY = 1024, KEY_MAX = 160 };

uint64_t xd_fingerprint(struct xd_str account, struct xd_str ref)
{
    /* Neither holds a 0 (xd_account_valid, xd_ref_valid), so one between them keeps (ab, c) from (a, bc). */
    char key[KEY_MAX];
    size_t account_len = account.len < KEY_MAX / 2 ? account.len : KEY_MAX / 2 - 1;
    size_t ref_len = ref.len < KEY_MAX / 2 ? ref.len : KEY_MAX / 2;
    memcpy(key, account.at, account_len);
    key[account_len] = '\0';
    memcpy(key + account_len + 1, ref.at, ref_len);
    uint64_t fingerprint = XXH3_64bits(key, account_len + 1 + ref_len);
    return fingerprint ? fingerprint : 1;
}

static void place(uint64_t *slots, size_t capacity, uint64_t fingerprint)
{
    size_t at = fingerprint & (capacity - 1);
    while (slots[at])
        at = (at + 1) & (capacity - 1);
    slots[at] = fingerprint;
}

static bool grow(struct xd_fingerprints *set)
{
    size_t capacity = set->capacity ? 2 * set->capacity : FIRST_CAPACITY;
    uint64_t *slots = calloc(capacity, sizeof *slots);
    if (!slots) return false;
    for (size_t i = 0; i < set->capacity; i++) {
        if (set->slots[i]) place(slots, capacity, set->slots[i]);
    }
    free(set->slots);
    set->slots = slots;
    set->capacity = capacity;
    return true;
}

bool xd_fingerprints_reserve(struct xd_fingerprints *set, size_t n)
{
    while (4 * (set->count + n) > 3 * set->capacity) {
        if (!grow(set)) return false;
    }
    return true;
}

void xd_fingerprints_add(struct xd_fingerprints *set, uint64_t fingerprint)
{
    place(set->slots, set->capacity, fingerprint);
    set->count++;
}

/* Where it is, or a free slot. */
static size_t find(const struct xd_fingerprints *set, uint64_t fingerprint)
{
    size_t at = fingerprint & (set->capacity - 1);
    while (set->slots[at] && set->slots[at] != fingerprint)
        at = (at + 1) & (set->capacity - 1);
    return at;
}

bool xd_fingerprints_has(const struct xd_fingerprints *set, uint64_t fingerprint)
{
    return set->capacity && set->slots[find(set, fingerprint)] == fingerprint;
}

void xd_fingerprints_remove(struct xd_fingerprints *set, uint64_t fingerprint)
{
    if (!xd_fingerprints_has(set, fingerprint)) return;
    size_t mask = set->capacity - 1;
    size_t hole = find(set, fingerprint);
    set->slots[hole] = 0;
    set->count--;
    /* Close the hole: an entry moves into it unless its own place lies (cyclically) between the hole and
     * itself. */
    for (size_t at = (hole + 1) & mask; set->slots[at]; at = (at + 1) & mask) {
        size_t home = set->slots[at] & mask;
        if (((at - home) & mask) < ((at - hole) & mask)) continue;
        set->slots[hole] = set->slots[at];
        set->slots[at] = 0;
        hole = at;
    }
}

void xd_fingerprints_free(struct xd_fingerprints *set)
{
    free(set->slots);
    memset(set, 0, sizeof *set);
}
