/* MessagePack-RPC: the shape of messages, both ways. */
#ifndef XD_BROKER_RPC_H
#define XD_BROKER_RPC_H

#include "core/mp.h"

struct xd_rpc {
    bool wants_answer; /* a request, not a notification */
    uint32_t msgid;
    struct xd_str method;
    const msgpack_object *params; /* the one map, or NULL where there is none */
};

/* Reads a message's shape. XD_OK; XD_BAD_PARAMS: all but the params is there; XD_BAD_FRAME: neither a request
 * nor a notification. */
enum xd_code xd_rpc_read(const msgpack_object *message, struct xd_rpc *out);

/* Append to `out`. After _result the result's value is to follow. */
void xd_rpc_result(struct xd_buf *out, uint32_t msgid);
void xd_rpc_error(struct xd_buf *out, uint32_t msgid, const struct xd_error *error);

/* After _event the event's map is to follow. */
void xd_rpc_event(struct xd_buf *out);
void xd_rpc_notice(struct xd_buf *out, enum xd_code code, const char *message);

#endif
