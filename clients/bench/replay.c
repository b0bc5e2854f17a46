#include "clients/bench/replay.h"

#include "clients/bench/encode.h"
#include "core/json.h"
#include "core/pair.h"
#include "core/schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REF_LEN = XD_LOAD_REF - 1 };

static const char no_ref[XD_LOAD_REF] = "------------------";
static const struct xd_mp_limits limits = {.bytes = 1 << 16, .depth = 16, .elements = 4096};

#define FILE_BYTES_MAX  (UINT64_C(1) << 30)
#define ORDERS_MAX_SIZE (sizeof(struct line) * 20 * 1000 * 1000)

/* An order of the file: bytes[at .. at + order.len) are its map, its ref at `ref_at` in it. Its account is
 * kept as a place in `accounts` until all are read. */
struct line {
    struct xd_load_order order;
    size_t at, ref_at, account_at;
};

struct replay {
    struct xd_buf bytes;
    struct xd_buf accounts; /* C strings */
    struct xd_buf lines;    /* struct line */
    size_t count, next;
};

static void destroy(void *state)
{
    struct replay *replay = state;
    if (!replay) return;
    xd_buf_free(&replay->bytes);
    xd_buf_free(&replay->accounts);
    xd_buf_free(&replay->lines);
    free(replay);
}

static bool is_key(const msgpack_object_kv *pair, const char *name)
{
    struct xd_str key = {pair->key.via.str.ptr, pair->key.via.str.size};
    return pair->key.type == MSGPACK_OBJECT_STR && xd_str_equal(key, xd_str_of(name));
}

/* The map again with `ref` replaced, and without `account`, which goes another way. */
static void copy_order(const msgpack_object *map, struct xd_str account, struct xd_buf *out)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < map->via.map.size; i++)
        kept += !is_key(&map->via.map.ptr[i], "ref") && !is_key(&map->via.map.ptr[i], "account");
    msgpack_packer packer;
    msgpack_sbuffer packed;
    msgpack_sbuffer_init(&packed);
    msgpack_packer_init(&packer, &packed, msgpack_sbuffer_write);
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object_kv *pair = &map->via.map.ptr[i];
        if (is_key(pair, "ref") || is_key(pair, "account")) continue;
        if (msgpack_pack_object(&packer, pair->key) || msgpack_pack_object(&packer, pair->val))
            out->failed = true;
    }
    xd_mp_map(out, kept + 2);
    xd_pair_str(out, "account", account);
    xd_pair_cstr(out, "ref", no_ref);
    xd_buf_add(out, packed.data, packed.size);
    msgpack_sbuffer_destroy(&packed);
}

/* What the verification wants to know, as far as the order can be read; the broker refuses it otherwise. */
static void read_facts(const msgpack_object *map, struct xd_load_order *order)
{
    static const struct xd_market market = {.currency = 0, .road_factor_e4 = 12500};
    struct xd_order read;
    struct xd_error error;
    struct xd_str side;
    if (xd_mp_get_str(map, "side", &side) && xd_str_equal(side, xd_str_of("request")))
        order->side = XD_REQUEST;
    if (!xd_order_read(map, &market, &read, &error)) return;
    order->kind = (uint8_t)read.kind;
    order->amount = read.amount[xd_main_dim((enum xd_kind)read.kind)];
    order->manual = read.confirm == XD_CONFIRM_MANUAL;
    order->splits = read.side == XD_REQUEST && read.min_part > 0;
}

/* The map without its account, which is no field of an order. In place: the object is this line's own. */
static void take_account(msgpack_object *map, struct xd_str *account)
{
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        msgpack_object_kv *pair = &map->via.map.ptr[i];
        if (!is_key(pair, "account") || pair->val.type != MSGPACK_OBJECT_STR) continue;
        *account = (struct xd_str){pair->val.via.str.ptr, pair->val.via.str.size};
        *pair = map->via.map.ptr[--map->via.map.size];
        return;
    }
}

static bool add_order(struct replay *replay, msgpack_object *map)
{
    struct line line = {.at = replay->bytes.len, .account_at = replay->accounts.len};
    struct xd_str account = {NULL, 0};
    take_account(map, &account);
    read_facts(map, &line.order);
    if (!account.at) account = xd_str_of(line.order.side == XD_REQUEST ? "replay-request" : "replay-offer");
    xd_buf_add(&replay->accounts, account.at, account.len);
    xd_buf_add(&replay->accounts, "", 1);
    copy_order(map, account, &replay->bytes);
    if (replay->bytes.failed || replay->accounts.failed) return false;
    line.order.len = replay->bytes.len - line.at;
    line.ref_at = xd_encode_find(replay->bytes.data + line.at, line.order.len, no_ref);
    xd_buf_add(&replay->lines, &line, sizeof line);
    replay->count++;
    return !replay->lines.failed;
}

static bool add_line(struct replay *replay, const char *text, size_t len, struct xd_error *error)
{
    struct xd_buf packed;
    xd_buf_init(&packed, limits.bytes);
    bool done = xd_json_read(text, len, &limits, &packed, error);
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    if (done) {
        done = msgpack_unpack_next(&unpacked, (const char *)packed.data, packed.len, NULL) ==
               MSGPACK_UNPACK_SUCCESS;
        if (!done || unpacked.data.type != MSGPACK_OBJECT_MAP) {
            done = xd_fail(error, XD_BAD_JSON, NULL, "not a JSON object");
        } else if (!add_order(replay, &unpacked.data)) {
            done = xd_fail(error, XD_NO_MEMORY, NULL, "too many orders, or no memory for them");
        }
    }
    msgpack_unpacked_destroy(&unpacked);
    xd_buf_free(&packed);
    return done;
}

static bool read_lines(struct replay *replay, FILE *file, const char *path,
                       char message[static XD_REPLAY_MESSAGE])
{
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    bool good = true;
    struct xd_error error;
    for (unsigned long number = 1; good && (len = getline(&text, &room, file)) >= 0; number++) {
        size_t end = (size_t)len;
        while (end > 0 && strchr(" \t\r\n", text[end - 1]))
            end--;
        if (end == 0) continue;
        good = add_line(replay, text, end, &error);
        if (!good) snprintf(message, XD_REPLAY_MESSAGE, "%s, line %lu: %s", path, number, error.message);
    }
    if (good && ferror(file)) {
        good = false;
        snprintf(message, XD_REPLAY_MESSAGE, "%s: %s", path, strerror(errno));
    }
    free(text);
    return good;
}

static bool next(void *state, const char *ref, int64_t now, struct xd_load_order *out)
{
    struct replay *replay = state;
    (void)now;
    if (replay->next == replay->count) return false;
    const struct line *line = (const struct line *)(const void *)replay->lines.data + replay->next++;
    uint8_t *bytes = replay->bytes.data + line->at;
    memcpy(bytes + line->ref_at, ref, REF_LEN);
    *out = line->order;
    out->bytes = bytes;
    out->account = (const char *)replay->accounts.data + line->account_at;
    return true;
}

bool xd_replay_source(const char *path, struct xd_source *out, char message[static XD_REPLAY_MESSAGE])
{
    struct replay *replay = calloc(1, sizeof *replay);
    if (!replay) {
        snprintf(message, XD_REPLAY_MESSAGE, "no memory for %s", path);
        return false;
    }
    xd_buf_init(&replay->bytes, FILE_BYTES_MAX);
    xd_buf_init(&replay->accounts, FILE_BYTES_MAX);
    xd_buf_init(&replay->lines, ORDERS_MAX_SIZE);
    FILE *file = fopen(path, "r");
    if (!file) snprintf(message, XD_REPLAY_MESSAGE, "%s: %s", path, strerror(errno));
    bool good = file && read_lines(replay, file, path, message);
    if (file) fclose(file);
    if (!good) {
        destroy(replay);
        return false;
    }
    *out = (struct xd_source){.state = replay, .next = next, .destroy = destroy, .total = replay->count};
    return true;
}
