#include "broker/rpc.h"

#include "core/pair.h"

enum { REQUEST = 0, RESPONSE = 1, NOTIFICATION = 2 };

static bool read_params(const msgpack_object *params, struct xd_rpc *out)
{
    if (params->type != MSGPACK_OBJECT_ARRAY || params->via.array.size > 1) return false;
    if (params->via.array.size == 0) return true;
    const msgpack_object *map = params->via.array.ptr;
    if (map->type != MSGPACK_OBJECT_MAP) return false;
    out->params = map;
    return true;
}

enum xd_code xd_rpc_read(const msgpack_object *message, struct xd_rpc *out)
{
    *out = (struct xd_rpc){0};
    if (message->type != MSGPACK_OBJECT_ARRAY || message->via.array.size < 3) return XD_BAD_FRAME;
    const msgpack_object *part = message->via.array.ptr;
    if (part->type != MSGPACK_OBJECT_POSITIVE_INTEGER) return XD_BAD_FRAME;
    uint64_t type = part->via.u64;
    if (message->via.array.size != (type == REQUEST ? 4 : 3) || (type != REQUEST && type != NOTIFICATION))
        return XD_BAD_FRAME;
    part++;
    out->wants_answer = type == REQUEST;
    if (out->wants_answer) {
        if (part->type != MSGPACK_OBJECT_POSITIVE_INTEGER || part->via.u64 > UINT32_MAX) return XD_BAD_FRAME;
        out->msgid = (uint32_t)part->via.u64;
        part++;
    }
    if (part->type != MSGPACK_OBJECT_STR) return XD_BAD_FRAME;
    out->method = (struct xd_str){part->via.str.ptr, part->via.str.size};
    return read_params(part + 1, out) ? XD_OK : XD_BAD_PARAMS;
}

void xd_rpc_result(struct xd_buf *out, uint32_t msgid)
{
    xd_mp_array(out, 4);
    xd_mp_uint(out, RESPONSE);
    xd_mp_uint(out, msgid);
    xd_mp_nil(out);
}

void xd_rpc_error(struct xd_buf *out, uint32_t msgid, const struct xd_error *error)
{
    xd_mp_array(out, 4);
    xd_mp_uint(out, RESPONSE);
    xd_mp_uint(out, msgid);
    xd_mp_error(out, error);
    xd_mp_nil(out);
}

static void notification(struct xd_buf *out, const char *method)
{
    xd_mp_array(out, 3);
    xd_mp_uint(out, NOTIFICATION);
    xd_mp_cstr(out, method);
    xd_mp_array(out, 1);
}

void xd_rpc_event(struct xd_buf *out)
{
    notification(out, "event");
}

void xd_rpc_notice(struct xd_buf *out, enum xd_code code, const char *message)
{
    notification(out, "notice");
    xd_mp_map(out, 2);
    xd_pair_cstr(out, "code", xd_code_name(code));
    xd_pair_cstr(out, "message", message);
}
