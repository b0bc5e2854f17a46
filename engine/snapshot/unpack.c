/* Reading what a snapshot says, element by element. */
#include "engine/snapshot/unpack.h"

#include "core/mp.h"

struct xd_reader xd_read_array(const msgpack_object *object)
{
    if (object && object->type == MSGPACK_OBJECT_ARRAY) {
        return (struct xd_reader){.at = object->via.array.ptr, .left = object->via.array.size};
    }
    return (struct xd_reader){.bad = true};
}

const msgpack_object *xd_read_next(struct xd_reader *reader)
{
    if (reader->bad || !reader->left) {
        reader->bad = true;
        return NULL;
    }
    reader->left--;
    return reader->at++;
}

int64_t xd_read_int(struct xd_reader *reader)
{
    const msgpack_object *object = xd_read_next(reader);
    if (object && object->type == MSGPACK_OBJECT_POSITIVE_INTEGER) return (int64_t)object->via.u64;
    if (object && object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) return object->via.i64;
    reader->bad = true;
    return 0;
}

uint64_t xd_read_uint(struct xd_reader *reader)
{
    return (uint64_t)xd_read_int(reader);
}

double xd_read_double(struct xd_reader *reader)
{
    const msgpack_object *object = xd_read_next(reader);
    if (object && object->type == MSGPACK_OBJECT_FLOAT64) return object->via.f64;
    reader->bad = true;
    return 0;
}

struct xd_str xd_read_bytes(struct xd_reader *reader)
{
    const msgpack_object *object = xd_read_next(reader);
    if (object && object->type == MSGPACK_OBJECT_STR)
        return (struct xd_str){object->via.str.ptr, object->via.str.size};
    if (object && object->type == MSGPACK_OBJECT_BIN)
        return (struct xd_str){object->via.bin.ptr, object->via.bin.size};
    reader->bad = true;
    return (struct xd_str){"", 0};
}

void xd_read_amounts(struct xd_reader *reader, int64_t amount[XD_DIMS])
{
    for (unsigned d = 0; d < XD_DIMS; d++) {
        amount[d] = xd_read_int(reader);
    }
}

void xd_write_amounts(struct xd_buf *out, const int64_t amount[XD_DIMS])
{
    for (unsigned d = 0; d < XD_DIMS; d++) {
        xd_mp_int(out, amount[d]);
    }
}
