#include "tests/differential/duel.h"

#include "core/json.h"
#include "tests/differential/grow.h"
#include "tests/differential/twin_state.h"

#include <string.h>

enum { OUTPUT_MAX = 1 << 28, SNAPSHOT_MAX = 1 << 30 };

void xd_duel_begin(struct xd_duel *duel, const struct xd_twin_options *options)
{
    *duel = (struct xd_duel){.options = {.partition = options->partition,
                                         .market = options->market,
                                         .max_orders = options->max_orders}};
    duel->engine = xd_needed(xd_engine_create(&duel->options));
    duel->twin = xd_twin_create(options);
    xd_output_init(&duel->fast, OUTPUT_MAX);
    xd_output_init(&duel->naive, OUTPUT_MAX);
    msgpack_unpacked_init(&duel->object);
}

void xd_duel_end(struct xd_duel *duel)
{
    xd_engine_destroy(duel->engine);
    xd_twin_destroy(duel->twin);
    xd_output_free(&duel->fast);
    xd_output_free(&duel->naive);
    msgpack_unpacked_destroy(&duel->object);
}

static bool same(const struct xd_buf *a, const struct xd_buf *b)
{
    return a->len == b->len && (a->len == 0 || !memcmp(a->data, b->data, a->len));
}

/* --- restoring ------------------------------------------------------------------------------------------ */

typedef uint32_t listing_function(const struct xd_engine *engine, const struct xd_listing *listing,
                                  struct xd_buf *out, uint64_t *last, bool *more);

/* Page by page. */
static void list_all(const struct xd_duel *duel, listing_function *list, struct xd_str account,
                     struct xd_buf *out)
{
    struct xd_listing listing = {
        .account = account, .state = -1, .limit = 1 + (uint32_t)(duel->applied % 50)};
    bool more = true;
    while (more) {
        list(duel->engine, &listing, out, &listing.after, &more);
    }
}

static bool same_stats(const struct xd_duel *duel)
{
    const struct xd_twin *twin = duel->twin;
    struct xd_engine_stats stats;
    uint64_t proposals = 0;
    for (uint32_t i = 0; i < twin->match_count; i++) {
        proposals += twin->matches[i]->state == XD_MATCH_PROPOSED;
    }
    xd_engine_stats(duel->engine, &stats);
    return stats.orders == twin->order_count && stats.proposals == proposals &&
           stats.matches == twin->match_count - proposals;
}

static bool same_listings(const struct xd_duel *duel, struct xd_str account)
{
    struct xd_buf fast, naive;
    xd_buf_init(&fast, OUTPUT_MAX);
    xd_buf_init(&naive, OUTPUT_MAX);
    list_all(duel, xd_engine_list_orders, account, &fast);
    list_all(duel, xd_engine_list_matches, account, &fast);
    xd_twin_list_orders(duel->twin, account, &naive);
    xd_twin_list_matches(duel->twin, account, &naive);
    bool equal = same(&fast, &naive);
    xd_buf_free(&fast);
    xd_buf_free(&naive);
    return equal;
}

static const char *restore(struct xd_duel *duel)
{
    if (!same_stats(duel)) return "the counts of orders and matches";
    if (!same_listings(duel, xd_str_of("*"))) return "listings";
    const struct xd_twin *twin = duel->twin;
    struct xd_str account =
        twin->order_count ? twin->orders[duel->applied % twin->order_count]->account : xd_str_of("a1");
    if (!same_listings(duel, account)) return "an account's listings";
    struct xd_buf state;
    xd_buf_init(&state, SNAPSHOT_MAX);
    bool saved = xd_engine_save(duel->engine, &state);
    struct xd_engine *loaded = saved ? xd_engine_load(&duel->options, state.data, state.len) : NULL;
    xd_buf_free(&state);
    if (!loaded) return "a snapshot that cannot be loaded";
    bool equal = xd_engine_state_hash(loaded) == xd_engine_state_hash(duel->engine);
    xd_engine_destroy(duel->engine);
    duel->engine = loaded;
    return equal ? NULL : "the state hash after a restore";
}

/* --- records -------------------------------------------------------------------------------------------- */

/* The id of the latest match of a pair, or `otherwise`. */
static uint64_t latest_match(const struct xd_twin *twin, const struct xd_step *step, uint64_t otherwise)
{
    for (uint32_t i = twin->match_count; step->offer_id && i-- > 0;) {
        const struct twin_match *match = twin->matches[i];
        if (match->offer->id == step->offer_id && match->request->id == step->request_id) return match->id;
    }
    return otherwise;
}

/* The twin has no words for it. */
static bool same_refusals(const struct xd_buf *fast, const struct xd_buf *naive)
{
    const struct xd_refusal *a = (const struct xd_refusal *)(const void *)fast->data;
    const struct xd_refusal *b = (const struct xd_refusal *)(const void *)naive->data;
    bool equal = fast->len == naive->len;
    for (size_t i = 0; equal && i < fast->len / sizeof *a; i++) {
        equal = a[i].record == b[i].record && a[i].error.code == b[i].error.code &&
                strcmp(a[i].error.field, b[i].error.field) == 0;
    }
    return equal;
}

const char *xd_duel_step(struct xd_duel *duel, const struct xd_script *script, uint32_t step,
                         struct xd_script *resolved)
{
    const struct xd_step *is = &script->steps[step];
    struct xd_record record;
    xd_output_clear(&duel->fast);
    xd_output_clear(&duel->naive);
    if (is->restore) {
        if (resolved) xd_script_add_restore(resolved);
        return restore(duel);
    }
    if (!xd_script_record(script, step, &duel->object, &record)) return "a record that is not valid";
    record.match_id = latest_match(duel->twin, is, record.match_id);
    if (resolved) xd_script_add(resolved, is->at, &record, 0, 0);
    duel->applied++;
    xd_twin_apply(duel->twin, is->at, &record, &duel->naive);
    if (!xd_engine_apply(duel->engine, is->at, &record, &duel->fast)) return "memory";
    if (!same(&duel->fast.events, &duel->naive.events) || !same(&duel->fast.ends, &duel->naive.ends))
        return "events";
    if (!same(&duel->fast.outcomes, &duel->naive.outcomes)) return "the outcome";
    if (!same_refusals(&duel->fast.refusals, &duel->naive.refusals)) return "what refused it";
    if (!same(&duel->fast.closed, &duel->naive.closed)) return "the refs that closed";
    if (xd_engine_next_deadline(duel->engine) > xd_twin_next_deadline(duel->twin)) return "the next deadline";
    return NULL;
}

uint32_t xd_duel_play(const struct xd_script *script, const char **what)
{
    struct xd_duel duel;
    uint32_t step = 0;
    xd_duel_begin(&duel, &script->options);
    for (*what = NULL; step < script->count; step++) {
        if ((*what = xd_duel_step(&duel, script, step, NULL))) break;
    }
    xd_duel_end(&duel);
    return step;
}

/* --- explaining ----------------------------------------------------------------------------------------- */

struct span {
    const uint8_t *at;
    size_t len;
};

static struct span event_of(const struct xd_output *output, uint32_t i)
{
    const size_t *ends = (const size_t *)(const void *)output->ends.data;
    if (i >= xd_output_event_count(output)) return (struct span){0};
    size_t start = i ? ends[i - 1] : 0;
    return (struct span){output->events.data + start, ends[i] - start};
}

static void print_event(const char *who, struct span event, FILE *file)
{
    msgpack_unpacked object;
    struct xd_buf text;
    msgpack_unpacked_init(&object);
    xd_buf_init(&text, 1 << 20);
    if (event.len &&
        msgpack_unpack_next(&object, (const char *)event.at, event.len, NULL) == MSGPACK_UNPACK_SUCCESS) {
        xd_json_write(&object.data, &text);
    }
    fprintf(file, "# %s: %.*s\n", who, (int)text.len, text.len ? (const char *)text.data : "");
    xd_buf_free(&text);
    msgpack_unpacked_destroy(&object);
}

static void print_outcome(const char *who, const struct xd_output *output, int64_t deadline, FILE *file)
{
    uint16_t outcome = 0;
    if (output->outcomes.len >= sizeof outcome) memcpy(&outcome, output->outcomes.data, sizeof outcome);
    fprintf(file, "# %s: outcome %s, %u events, %zu refs closed, next deadline %lld\n", who,
            xd_code_name(xd_outcome_code(outcome)), xd_output_event_count(output),
            output->closed.len / sizeof(struct xd_closed_ref), (long long)deadline);
}

void xd_duel_explain(const struct xd_duel *duel, FILE *file)
{
    uint32_t fast = xd_output_event_count(&duel->fast), naive = xd_output_event_count(&duel->naive);
    uint32_t more = fast > naive ? fast : naive, i = 0;
    while (i < more) {
        struct span one = event_of(&duel->fast, i), other = event_of(&duel->naive, i);
        if (one.len != other.len || memcmp(one.at, other.at, one.len) != 0) break;
        i++;
    }
    print_outcome("twin  ", &duel->naive, xd_twin_next_deadline(duel->twin), file);
    print_outcome("engine", &duel->fast, xd_engine_next_deadline(duel->engine), file);
    if (i == more) return;
    fprintf(file, "# the first event that differs is number %u:\n", i + 1);
    print_event("twin  ", event_of(&duel->naive, i), file);
    print_event("engine", event_of(&duel->fast, i), file);
}
