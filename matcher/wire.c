#include "matcher/wire.h"

#include "core/mp.h"
#include "core/pair.h"

#include <stdio.h>

void xd_wire_question(struct xd_buf *out, uint64_t broker, uint64_t number,
                      const struct xd_question *question)
{
    xd_mp_array(out, 4);
    xd_mp_int(out, XD_WIRE_VERSION);
    xd_mp_uint(out, broker);
    xd_mp_uint(out, number);
    xd_question_pack(question, out);
}

void xd_wire_answer(struct xd_buf *out, uint64_t number, const struct xd_error *error,
                    const struct xd_buf *value)
{
    xd_mp_array(out, 5);
    xd_mp_int(out, XD_WIRE_VERSION);
    xd_mp_uint(out, number);
    xd_mp_int(out, error->code);
    xd_pair_cstr(out, error->field, error->message);
    if (error->code == XD_OK) xd_buf_add(out, value->data, value->len);
}

static bool is_uint(const msgpack_object *object)
{
    return object->type == MSGPACK_OBJECT_POSITIVE_INTEGER;
}

static const msgpack_object *parts_of(const msgpack_object *object, uint32_t count)
{
    if (object->type != MSGPACK_OBJECT_ARRAY || object->via.array.size != count) return NULL;
    const msgpack_object *part = object->via.array.ptr;
    return is_uint(&part[0]) && part[0].via.u64 == XD_WIRE_VERSION ? part : NULL;
}

bool xd_wire_read_question(const msgpack_object *object, uint64_t *broker, uint64_t *number,
                           struct xd_question *out)
{
    const msgpack_object *part = parts_of(object, 4);
    if (!part || !is_uint(&part[1]) || !is_uint(&part[2]) || !xd_question_unpack(&part[3], out)) return false;
    *broker = part[1].via.u64;
    *number = part[2].via.u64;
    return true;
}

bool xd_wire_read_answer(struct xd_str bytes, uint64_t *number, struct xd_error *error, struct xd_str *value)
{
    msgpack_unpacked object;
    size_t at = 0;
    msgpack_unpacked_init(&object);
    bool well = msgpack_unpack_next(&object, bytes.at, bytes.len, &at) == MSGPACK_UNPACK_SUCCESS;
    const msgpack_object *part = well ? parts_of(&object.data, 5) : NULL;
    well = part && is_uint(&part[1]) && is_uint(&part[2]) && part[2].via.u64 < XD_CODE_COUNT &&
           part[3].type == MSGPACK_OBJECT_STR && part[4].type == MSGPACK_OBJECT_STR;
    if (well) {
        char field[XD_ERROR_FIELD_MAX];
        snprintf(field, sizeof(field), "%.*s", (int)part[3].via.str.size, part[3].via.str.ptr);
        *number = part[1].via.u64;
        xd_fail(error, (enum xd_code)part[2].via.u64, field, "%.*s", (int)part[4].via.str.size,
                part[4].via.str.ptr);
        *value = (struct xd_str){bytes.at + at, bytes.len - (uint32_t)at};
    }
    msgpack_unpacked_destroy(&object);
    return well;
}
