/* amend: new terms for an open order. Its fields are read and checked here as far as they can be without the order, the
 * engine does the rest, and what it says is the answer. */
#include "broker/method.h"
#include "broker/route.h"
#include "core/pair.h"
#include "core/record.h"

#include <stdlib.h>
#include <string.h>

enum { CHANGES_MAX = 64 << 10 };

struct amend {
    struct xd_reply reply;
    const char *given; /* the parameter that named the order */
    uint64_t id;
    struct xd_buf changes; /* in the ledger's form */
    char account[XD_ACCOUNT_MAX + 1];
};

static size_t held(const struct amend *amend)
{
    return sizeof *amend + amend->changes.cap;
}

static void discard(struct amend *amend)
{
    xd_buf_free(&amend->changes);
    free(amend);
}

static void answer(const struct amend *amend, const struct xd_append_result *result)
{
    char id[XD_ID_TEXT];
    bool unchanged = result->note == XD_AMENDED_NOTHING;
    xd_order_id_format(amend->id, id);
    struct xd_buf *out = xd_reply_begin(&amend->reply);
    xd_mp_map(out, 4);
    xd_pair_cstr(out, "id", id);
    xd_pair_cstr(out, "status", unchanged ? "unchanged" : "amended");
    xd_pair_bool(out, "kept_priority", result->note != XD_AMENDED_LOST);
    xd_pair_cstr(out, "durability", xd_durability_name(result->reached));
    xd_reply_send(&amend->reply);
}

/* The answer ends the call: the session may be gone after it. */
static void refuse(struct amend *amend, enum xd_code code)
{
    xd_session_let_go(amend->reply.session, held(amend));
    bool about_order = code == XD_NOT_FOUND || code == XD_WRONG_STATE;
    xd_reply_code(&amend->reply, code, about_order ? amend->given : NULL);
    discard(amend);
}

static void on_appended(void *arg, const struct xd_append_result *result)
{
    struct amend *amend = arg;
    xd_broker_stored(amend->reply.session->broker);
    enum xd_code outcome = result->outcome_known ? result->outcome : XD_UNSETTLED;
    enum xd_code code = result->code == XD_OK ? outcome : result->code;
    if (code != XD_OK && !result->refusal) {
        refuse(amend, code);
        return;
    }
    xd_session_let_go(amend->reply.session, held(amend));
    if (code == XD_OK)
        answer(amend, result);
    else
        xd_reply_error(&amend->reply, result->refusal);
    discard(amend);
}

/* The record in broker->record. False without memory. */
static bool make_record(struct xd_broker *broker, const struct amend *amend)
{
    struct xd_record record = {
        .type = XD_RECORD_AMEND, .account = xd_str_of(amend->account), .order_id = amend->id};
    msgpack_unpacked changes;
    msgpack_unpacked_init(&changes);
    bool good = msgpack_unpack_next(&changes, (const char *)amend->changes.data, amend->changes.len, NULL) ==
                    MSGPACK_UNPACK_SUCCESS &&
                xd_amendment_unpack(&changes.data, &record.amendment);
    xd_buf_clear(&broker->record);
    if (good) xd_record_pack(&record, &broker->record);
    msgpack_unpacked_destroy(&changes);
    return good && !broker->record.failed;
}

static void append(struct amend *amend)
{
    struct xd_broker *broker = amend->reply.session->broker;
    uint16_t partition = 0;
    if (!xd_route_id(broker, amend->id, &partition)) {
        refuse(amend, XD_NOT_FOUND);
        return;
    }
    enum xd_code code = xd_ledger_room(broker->ledger, partition);
    if (code != XD_OK) {
        refuse(amend, code);
        return;
    }
    if (!make_record(broker, amend)) {
        refuse(amend, XD_NO_MEMORY);
        return;
    }
    xd_ledger_append(broker->ledger, partition, 0, broker->record.data, broker->record.len, on_appended, amend);
    xd_broker_appended(broker);
}

static void on_found(void *arg, enum xd_code code, uint64_t order_id)
{
    struct amend *amend = arg;
    amend->id = order_id;
    if (code == XD_OK)
        append(amend);
    else
        refuse(amend, code);
}

/* --- reading the call --- */

static bool names_once(const msgpack_object *params, const char *name, struct xd_error *error)
{
    uint32_t times = 0;
    for (uint32_t i = 0; i < params->via.map.size; i++) {
        const msgpack_object *key = &params->via.map.ptr[i].key;
        if (key->type != MSGPACK_OBJECT_STR) continue;
        times += xd_str_equal((struct xd_str){key->via.str.ptr, key->via.str.size}, xd_str_of(name));
    }
    return times <= 1 || xd_fail(error, XD_BAD_PARAMS, name, "given twice");
}

/* Which order: *id, or *ref and *id as it was. */
static bool read_order(const struct xd_call *call, struct xd_str *ref, uint64_t *id, struct xd_error *error)
{
    if (!call->params) return xd_fail(error, XD_BAD_PARAMS, NULL, "either ref or id is needed");
    return names_once(call->params, "ref", error) && names_once(call->params, "id", error) &&
           names_once(call->params, "account", error) && xd_param_order_name(call, ref, id, error);
}

static bool read_changes(const struct xd_call *call, struct xd_buf *out, struct xd_error *error)
{
    struct xd_amendment amendment;
    if (!xd_amendment_read(call->params, &amendment, error)) return false;
    xd_amendment_pack(&amendment, out);
    return !out->failed || xd_fail(error, XD_NO_MEMORY, NULL, "%s", xd_code_meaning(XD_NO_MEMORY));
}

void xd_method_amend(struct xd_call *call)
{
    enum xd_code state = xd_broker_state(call->broker);
    struct xd_str account, ref;
    struct xd_error error;
    if (state != XD_OK) {
        xd_reply_code(&call->reply, state, NULL);
        return;
    }
    struct amend *amend = calloc(1, sizeof *amend);
    if (!amend) {
        xd_reply_code(&call->reply, XD_NO_MEMORY, NULL);
        return;
    }
    amend->reply = call->reply;
    xd_buf_init(&amend->changes, CHANGES_MAX);
    bool good = read_order(call, &ref, &amend->id, &error) && xd_param_account(call, &account, &error) &&
                read_changes(call, &amend->changes, &error);
    if (!good) {
        xd_reply_error(&call->reply, &error);
        discard(amend);
        return;
    }
    xd_session_hold(call->session, held(amend));
    memcpy(amend->account, account.at, account.len);
    amend->given = amend->id ? "id" : "ref";
    if (amend->id) {
        append(amend);
    } else {
        xd_ledger_find_ref(call->broker->ledger, account, ref, on_found, amend);
    }
}
