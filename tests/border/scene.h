/* Single scenes over one border of two partitions, for tests. Warehouse floor: requests are at home in the
 * west, offers in the east, 190 km apart. */
#ifndef XD_TESTS_BORDER_SCENE_H
#define XD_TESTS_BORDER_SCENE_H

#include "core/schema.h"
#include "engine/border/border.h"
#include "tests/border/cluster.h"

enum { US = 1000000, NOW = 1893456000, DAY = NOW / 86400 };

extern const struct xd_place west, east;

struct scene {
    struct xd_cluster cluster;
    unsigned p, q; /* partitions: of the requests, of the offers */
    char refs[16][8];
    unsigned orders;
};

static const struct xd_order plain;

void scene_begin(struct scene *scene);
void scene_end(struct scene *scene);

/* An order for warehouse floor; what it does not say is filled in. Returns its id. */
uint64_t scene_submit(struct scene *scene, enum xd_side side, const char *account, int64_t m2,
                      struct xd_order order);
/* Trucks go the other way: the offer in the west reaches the load in the east. */
uint64_t scene_submit_truck(struct scene *scene, enum xd_side side, const char *account);

const struct xd_engine *scene_engine_of(const struct scene *scene, unsigned partition);
/* NULL: it is not there any more. */
const struct xd_slot *scene_slot_of(const struct scene *scene, uint64_t id);

/* A record of an account about an order, or else a match. */
enum xd_code scene_act(struct scene *scene, enum xd_record_type type, const char *account, uint64_t order,
                       uint64_t match);
enum xd_code scene_explain(const struct scene *scene, uint64_t order);

/* All messages that wait from one to the other; how many. */
unsigned scene_pass(struct scene *scene, unsigned from, unsigned to);
/* Delivers until nothing waits, and checks that all books agree. */
void scene_rest(struct scene *scene);

/* The one match that lives at the home of the requests. */
uint64_t scene_only_match(const struct scene *scene);

#endif
