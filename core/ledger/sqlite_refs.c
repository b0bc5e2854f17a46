#include "core/ledger/sqlite_refs.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The buckets are as many as can usefully wait; appended ones are bounded by the backlog. */
enum { BUCKETS = 1 << 16, WAITING_MAX = 1 << 17, WAITING_MS = 60 * 1000 };

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static size_t id_bucket(uint64_t id)
{
    return (id ^ id >> 40) & (BUCKETS - 1);
}

static size_t ref_bucket(uint64_t fingerprint)
{
    return fingerprint & (BUCKETS - 1);
}

bool xd_refs_init(struct xd_refs *refs)
{
    memset(refs, 0, sizeof *refs);
    refs->by_id = calloc(BUCKETS, sizeof(struct xd_reservation *));
    refs->by_ref = calloc(BUCKETS, sizeof(struct xd_reservation *));
    if (refs->by_id && refs->by_ref) return true;
    xd_refs_free(refs);
    return false;
}

void xd_refs_free(struct xd_refs *refs)
{
    xd_refs_give_up_reserved(refs);
    while (refs->first_stored) {
        struct xd_reservation *next = refs->first_stored->newer;
        free(refs->first_stored);
        refs->first_stored = next;
    }
    free(refs->by_id);
    free(refs->by_ref);
    xd_fingerprints_free(&refs->durable);
    memset(refs, 0, sizeof *refs);
}

struct xd_reservation *xd_refs_find(const struct xd_refs *refs, struct xd_str account, struct xd_str ref,
                                    uint64_t fingerprint)
{
    struct xd_reservation *found = refs->by_ref[ref_bucket(fingerprint)];
    while (found &&
           (found->fingerprint != fingerprint || !xd_str_equal(xd_reservation_account(found), account) ||
            !xd_str_equal(xd_reservation_ref(found), ref)))
        found = found->next_by_ref;
    return found;
}

struct xd_reservation *xd_refs_find_id(const struct xd_refs *refs, uint64_t id)
{
    struct xd_reservation *found = refs->by_id[id_bucket(id)];
    while (found && found->id != id)
        found = found->next_by_id;
    return found;
}

static void enlist(struct xd_refs *refs, struct xd_reservation *r)
{
    r->older = refs->newest;
    r->newer = NULL;
    *(r->older ? &r->older->newer : &refs->oldest) = r;
    refs->newest = r;
    refs->waiting++;
}

static void delist(struct xd_refs *refs, struct xd_reservation *r)
{
    *(r->older ? &r->older->newer : &refs->oldest) = r->newer;
    *(r->newer ? &r->newer->older : &refs->newest) = r->older;
    refs->waiting--;
}

void xd_refs_hide(struct xd_refs *refs, struct xd_reservation *r)
{
    struct xd_reservation **at = &refs->by_id[id_bucket(r->id)];
    while (*at && *at != r)
        at = &(*at)->next_by_id;
    if (*at) *at = r->next_by_id;
    if (!r->by_ref) return;
    at = &refs->by_ref[ref_bucket(r->fingerprint)];
    while (*at && *at != r)
        at = &(*at)->next_by_ref;
    if (*at) *at = r->next_by_ref;
    r->by_ref = false;
}

static void show_by_id(struct xd_refs *refs, struct xd_reservation *r)
{
    r->next_by_id = refs->by_id[id_bucket(r->id)];
    refs->by_id[id_bucket(r->id)] = r;
}

static void show_by_ref(struct xd_refs *refs, struct xd_reservation *r)
{
    r->by_ref = true;
    r->next_by_ref = refs->by_ref[ref_bucket(r->fingerprint)];
    refs->by_ref[ref_bucket(r->fingerprint)] = r;
}

static void give_up(struct xd_refs *refs, struct xd_reservation *r)
{
    delist(refs, r);
    xd_refs_hide(refs, r);
    if (r->state == XD_REF_RESERVED) refs->pending--;
    free(r);
}

void xd_refs_give_up_reserved(struct xd_refs *refs)
{
    while (refs->oldest)
        give_up(refs, refs->oldest);
}

struct xd_reservation *xd_refs_add(struct xd_refs *refs, enum xd_reservation_state state,
                                   struct xd_str account, struct xd_str ref, struct xd_digest digest,
                                   uint64_t id)
{
    int64_t now = monotonic_ms();
    while (refs->oldest && (refs->waiting >= WAITING_MAX || now - refs->oldest->given_ms > WAITING_MS))
        give_up(refs, refs->oldest);
    /* Room for its fingerprint is made now, where lack of memory can be told. */
    if (!xd_fingerprints_reserve(&refs->durable, refs->pending + 1)) return NULL;
    struct xd_reservation *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->state = state;
    r->id = id;
    r->fingerprint = xd_fingerprint(account, ref);
    r->digest = digest;
    r->given_ms = now;
    r->account_len = (uint8_t)account.len;
    r->ref_len = (uint8_t)ref.len;
    memcpy(r->account, account.at, account.len);
    memcpy(r->ref, ref.at, ref.len);
    enlist(refs, r);
    show_by_id(refs, r);
    if (state == XD_REF_RESERVED) {
        show_by_ref(refs, r);
        refs->pending++;
    }
    return r;
}

void xd_refs_append(struct xd_refs *refs, struct xd_reservation *r)
{
    delist(refs, r);
    r->state = XD_REF_APPENDED;
}

void xd_refs_drop(struct xd_refs *refs, struct xd_reservation *r)
{
    xd_refs_hide(refs, r);
    refs->pending--;
    free(r);
}

void xd_refs_store(struct xd_refs *refs, struct xd_reservation *r, uint64_t serial)
{
    if (r->freed) {
        xd_refs_drop(refs, r);
        return;
    }
    r->state = XD_REF_STORED;
    r->batch = NULL;
    r->serial = serial;
    r->newer = NULL;
    *(refs->first_stored ? &refs->last_stored->newer : &refs->first_stored) = r;
    refs->last_stored = r;
}

/* A ref that took the place of one past its time leaves a second fingerprint, as one freed since leaves one:
 * both cost a look at the disk at most. */
void xd_refs_folded(struct xd_refs *refs, uint64_t serial)
{
    while (refs->first_stored && refs->first_stored->serial <= serial) {
        struct xd_reservation *r = refs->first_stored;
        refs->first_stored = r->newer;
        xd_fingerprints_add(&refs->durable, r->fingerprint);
        xd_refs_drop(refs, r);
    }
}

void xd_refs_show_stored(struct xd_refs *refs)
{
    for (struct xd_reservation *r = refs->first_stored; r; r = r->newer) {
        if (r->by_ref) continue;
        show_by_id(refs, r);
        show_by_ref(refs, r);
    }
}
