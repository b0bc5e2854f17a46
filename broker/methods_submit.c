/* submit: orders are read and checked, their refs reserved, their records appended; the answer goes out when
 * the last order of the call has its result. */
#include "broker/method.h"
#include "broker/route.h"
#include "core/pair.h"
#include "core/record.h"

#include <stdlib.h>
#include <string.h>

/* What an order needs when it cannot be appended at once. */
struct later {
    struct xd_digest digest;
    struct xd_buf order; /* in the ledger's form */
    uint16_t partition;
    uint8_t account_len;
    char account[XD_ACCOUNT_MAX];
};

struct item {
    struct submit *submit;
    uint64_t id;
    enum xd_code code;
    enum xd_durability reached;
    struct xd_error *error; /* says more than `code`; may be NULL */
    struct later *later;
    uint8_t ref_len; /* 0: it had none that could be read */
    char ref[XD_REF_MAX];
};

struct submit {
    struct xd_reply reply;
    bool batch;
    uint32_t count;
    uint32_t waiting; /* items without a result */
    size_t held;
    struct item items[];
};

static struct xd_broker *broker_of(const struct item *item)
{
    return item->submit->reply.session->broker;
}

/* --- the answer --- */

/* The field that a code is about, or NULL. */
static const char *field_of(enum xd_code code)
{
    return code == XD_LAPSED ? "valid_until" : code == XD_REF_CONFLICT ? "ref" : NULL;
}

static void explain(const struct item *item, struct xd_error *error)
{
    if (item->error)
        *error = *item->error;
    else
        xd_fail(error, item->code, field_of(item->code), "%s", xd_code_meaning(item->code));
}

static void write_ref(struct xd_buf *out, const struct item *item)
{
    xd_mp_cstr(out, "ref");
    if (item->ref_len > 0)
        xd_mp_str(out, item->ref, item->ref_len);
    else
        xd_mp_nil(out);
}

static void write_accepted(struct xd_buf *out, const struct item *item)
{
    char id[XD_ID_TEXT];
    xd_order_id_format(item->id, id);
    xd_mp_map(out, 4);
    write_ref(out, item);
    xd_pair_cstr(out, "id", id);
    xd_pair_cstr(out, "status", "accepted");
    xd_pair_cstr(out, "durability", xd_durability_name(item->reached));
}

static void write_refused(struct xd_buf *out, const struct item *item)
{
    struct xd_error error;
    explain(item, &error);
    xd_mp_map(out, 2);
    write_ref(out, item);
    xd_mp_cstr(out, "error");
    xd_mp_error(out, &error);
}

static void answer_batch(const struct submit *submit)
{
    struct xd_buf *out = xd_reply_begin(&submit->reply);
    xd_mp_map(out, 1);
    xd_mp_cstr(out, "results");
    xd_mp_array(out, submit->count);
    for (uint32_t i = 0; i < submit->count; i++) {
        const struct item *item = &submit->items[i];
        if (item->code == XD_OK)
            write_accepted(out, item);
        else
            write_refused(out, item);
    }
    xd_reply_send(&submit->reply);
}

static void answer_one(const struct submit *submit)
{
    const struct item *item = submit->items;
    struct xd_error error;
    if (item->code != XD_OK) {
        explain(item, &error);
        xd_reply_error(&submit->reply, &error);
        return;
    }
    write_accepted(xd_reply_begin(&submit->reply), item);
    xd_reply_send(&submit->reply);
}

/* Memory that lives until the call is answered. */
static void hold(struct submit *submit, size_t bytes)
{
    submit->held += bytes;
    xd_session_hold(submit->reply.session, bytes);
}

static void drop(struct later *later)
{
    if (!later) return;
    xd_buf_free(&later->order);
    free(later);
}

/* One item more has its result, or all have been begun. */
static void one_less(struct submit *submit)
{
    if (--submit->waiting > 0) return;
    xd_session_let_go(submit->reply.session, submit->held);
    if (submit->batch)
        answer_batch(submit);
    else
        answer_one(submit);
    for (uint32_t i = 0; i < submit->count; i++) {
        free(submit->items[i].error);
        drop(submit->items[i].later);
    }
    free(submit);
}

static void finish(struct item *item, enum xd_code code)
{
    item->code = code;
    one_less(item->submit);
}

/* --- to the ledger --- */

static void on_appended(void *arg, const struct xd_append_result *result)
{
    struct item *item = arg;
    item->reached = result->reached;
    xd_broker_stored(broker_of(item));
    finish(item, result->code == XD_OK && result->outcome_known ? result->outcome : result->code);
}

static void append(struct item *item, uint16_t partition, struct xd_str account, const struct xd_order *order)
{
    struct xd_broker *broker = broker_of(item);
    struct xd_record record = {.type = XD_RECORD_ORDER,
                               .account = account,
                               .order_id = item->id,
                               .credit = XD_CREDIT_UNKNOWN,
                               .order = *order};
    xd_buf_clear(&broker->record);
    xd_record_pack(&record, &broker->record);
    if (broker->record.failed) {
        finish(item, XD_NO_MEMORY);
        return;
    }
    xd_ledger_append(broker->ledger, partition, item->id, broker->record.data, broker->record.len,
                     on_appended, item);
    xd_broker_appended(broker);
}

/* Goes on with an order that was put aside. */
static void append_later(struct item *item)
{
    const struct later *later = item->later;
    msgpack_zone zone;
    if (!msgpack_zone_init(&zone, 1024)) {
        finish(item, XD_NO_MEMORY);
        return;
    }
    msgpack_object packed;
    size_t offset = 0;
    struct xd_order order;
    bool whole = msgpack_unpack((const char *)later->order.data, later->order.len, &offset, &zone, &packed) ==
                     MSGPACK_UNPACK_SUCCESS &&
                 xd_order_unpack(&packed, &order);
    if (whole)
        append(item, later->partition, (struct xd_str){later->account, later->account_len}, &order);
    else
        finish(item, XD_INTERNAL);
    msgpack_zone_destroy(&zone);
}

static void on_reserved(void *arg, enum xd_code code, uint64_t order_id)
{
    struct item *item = arg;
    item->id = order_id;
    if (code != XD_OK)
        finish(item, code);
    else if (!item->later)
        finish(item, XD_NO_MEMORY);
    else
        append_later(item);
}

static bool put_aside(struct item *item, uint16_t partition, struct xd_str account,
                      const struct xd_order *order)
{
    struct later *later = malloc(sizeof(*later));
    if (!later) return false;
    later->digest = xd_order_digest(order);
    later->partition = partition;
    later->account_len = (uint8_t)account.len;
    memcpy(later->account, account.at, account.len);
    xd_buf_init(&later->order, 64 << 10);
    xd_order_pack(order, &later->order);
    if (later->order.failed) {
        drop(later);
        return false;
    }
    item->later = later;
    hold(item->submit, sizeof(*later) + later->order.cap);
    return true;
}

static void reserve_later(struct item *item)
{
    const struct later *later = item->later;
    enum xd_code code = XD_OK;
    uint64_t id = 0;
    if (xd_ledger_reserve(broker_of(item)->ledger, later->partition,
                          (struct xd_str){later->account, later->account_len},
                          (struct xd_str){item->ref, item->ref_len}, later->digest, &code, &id, on_reserved,
                          item) == XD_RESERVE_NOW)
        on_reserved(item, code, id);
}

/* A lapsed order is refused, unless it is a retry of one that was taken before it lapsed. */
static void on_found(void *arg, enum xd_code code, uint64_t order_id)
{
    (void)order_id;
    struct item *item = arg;
    if (code == XD_OK)
        reserve_later(item);
    else
        finish(item, code == XD_NOT_FOUND ? XD_LAPSED : code);
}

static void take(struct item *item, struct xd_str account, const struct xd_order *order)
{
    struct xd_ledger *ledger = broker_of(item)->ledger;
    uint16_t partition = xd_route_order(broker_of(item), order);
    item->submit->waiting++;
    if (order->valid_until <= xd_ledger_now_ms(ledger) / 1000) {
        if (!put_aside(item, partition, account, order))
            finish(item, XD_NO_MEMORY);
        else
            xd_ledger_find_ref(ledger, account, order->ref, on_found, item);
        return;
    }
    enum xd_code code = xd_ledger_room(ledger, partition);
    if (code != XD_OK) {
        finish(item, code);
        return;
    }
    if (xd_ledger_reserve(ledger, partition, account, order->ref, xd_order_digest(order), &code, &item->id,
                          on_reserved, item) == XD_RESERVE_LATER) {
        put_aside(item, partition, account, order); /* on_reserved sees whether it was */
        return;
    }
    if (code == XD_OK)
        append(item, partition, account, order);
    else
        finish(item, code);
}

/* --- from the client --- */

static bool is_account_key(const msgpack_object *key)
{
    return key->type == MSGPACK_OBJECT_STR &&
           xd_str_equal((struct xd_str){key->via.str.ptr, key->via.str.size}, xd_str_of("account"));
}

/* An operator's orders, and all where clients do not authenticate, may say whose they are: takes `account` out of
 * the map, whose other pairs move to memory of the zone. */
static bool take_account(struct xd_broker *broker, msgpack_object *map, struct xd_str *account,
                         struct xd_error *error)
{
    const msgpack_object *named = xd_mp_get(map, "account");
    if (!named) return true;
    if (named->type != MSGPACK_OBJECT_STR)
        return xd_fail(error, XD_BAD_TYPE, "account", "account is a string");
    struct xd_str text = {named->via.str.ptr, named->via.str.size};
    if (!xd_account_valid(text))
        return xd_fail(error, XD_BAD_VALUE, "account", "not an account; allowed: 1 to %d of A-Za-z0-9._:@-",
                       XD_ACCOUNT_MAX);
    uint32_t size = map->via.map.size, kept = 0;
    msgpack_object_kv *pairs = msgpack_zone_malloc(&broker->zone, size * sizeof(*pairs));
    if (!pairs) return xd_fail(error, XD_NO_MEMORY, NULL, "%s", xd_code_meaning(XD_NO_MEMORY));
    for (uint32_t i = 0; i < size; i++)
        if (!is_account_key(&map->via.map.ptr[i].key)) pairs[kept++] = map->via.map.ptr[i];
    if (kept + 1 != size) return xd_fail(error, XD_DUPLICATE_FIELD, "account", "account is given twice");
    map->via.map.ptr = pairs;
    map->via.map.size = kept;
    *account = text;
    return true;
}

bool xd_param_order(const struct xd_session *session, msgpack_object map, struct xd_str *account,
                    struct xd_order *order, struct xd_error *error)
{
    struct xd_broker *broker = session->broker;
    if (map.type != MSGPACK_OBJECT_MAP) return xd_fail(error, XD_BAD_TYPE, NULL, "an order is a map");
    *account = xd_session_account(session);
    bool may_name = session->is_operator || !xd_settings_authenticated(broker->settings);
    if (may_name && !take_account(broker, &map, account, error))
        return false;
    if (!xd_order_read(&map, &broker->market, order, error)) return false;
    if (session->is_operator && account->at == session->account)
        return xd_fail(error, XD_MISSING_FIELD, "account",
                       "an operator's connection has to say whose order it is");
    return true;
}

static void begin_item(struct item *item, const msgpack_object *map)
{
    const struct xd_session *session = item->submit->reply.session;
    struct xd_str ref, account;
    struct xd_order order;
    struct xd_error error;
    if (map->type == MSGPACK_OBJECT_MAP && xd_mp_get_str(map, "ref", &ref) && xd_ref_valid(ref)) {
        item->ref_len = (uint8_t)ref.len;
        memcpy(item->ref, ref.at, ref.len);
    }
    if (xd_param_order(session, *map, &account, &order, &error)) {
        take(item, account, &order);
        return;
    }
    item->code = error.code;
    item->error = malloc(sizeof(error));
    if (!item->error) return;
    *item->error = error;
    hold(item->submit, sizeof(error));
}

static bool find_orders(const struct xd_call *call, const msgpack_object **orders, uint32_t *count,
                        bool *batch, struct xd_error *error)
{
    if (!call->params) return xd_fail(error, XD_BAD_PARAMS, NULL, "an order is missing");
    const msgpack_object *list = xd_mp_get(call->params, "orders");
    *batch = list != NULL;
    *orders = call->params;
    *count = 1;
    if (!list) return true;
    if (call->params->via.map.size != 1 || list->type != MSGPACK_OBJECT_ARRAY)
        return xd_fail(error, XD_BAD_PARAMS, "orders",
                       "orders is a list of orders, and no other parameter is beside it");
    if (list->via.array.size > XD_SUBMIT_ORDERS)
        return xd_fail(error, XD_TOO_MANY_ORDERS, "orders", "%u orders are more than %d in one call",
                       list->via.array.size, XD_SUBMIT_ORDERS);
    *orders = list->via.array.ptr;
    *count = list->via.array.size;
    return true;
}

void xd_method_submit(struct xd_call *call)
{
    enum xd_code state = xd_broker_state(call->broker);
    const msgpack_object *orders = NULL;
    uint32_t count = 0;
    bool batch = false;
    struct xd_error error;
    if (state != XD_OK) {
        xd_reply_code(&call->reply, state, NULL);
        return;
    }
    if (!find_orders(call, &orders, &count, &batch, &error)) {
        xd_reply_error(&call->reply, &error);
        return;
    }
    struct submit *submit = calloc(1, sizeof(*submit) + count * sizeof(*submit->items));
    if (!submit) {
        xd_reply_code(&call->reply, XD_NO_MEMORY, NULL);
        return;
    }
    *submit = (struct submit){.reply = call->reply, .batch = batch, .count = count, .waiting = 1};
    hold(submit, sizeof(*submit) + count * sizeof(*submit->items));
    for (uint32_t i = 0; i < count; i++) {
        submit->items[i].submit = submit;
        begin_item(&submit->items[i], &orders[i]);
    }
    one_less(submit);
}
