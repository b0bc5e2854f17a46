#include "tests/differential/script.h"

#include "core/id.h"
#include "core/json.h"
#include "tests/differential/grow.h"

#include <string.h>

enum { BYTES_MAX = 1 << 30, LINE_MAX_BYTES = 1 << 20 };

void xd_script_init(struct xd_script *script, const struct xd_twin_options *options)
{
    *script = (struct xd_script){.options = *options};
    xd_buf_init(&script->bytes, BYTES_MAX);
}

void xd_script_free(struct xd_script *script)
{
    xd_buf_free(&script->bytes);
    free(script->steps);
    script->steps = NULL;
    script->count = 0;
}

static void add_step(struct xd_script *script, const struct xd_step *step)
{
    script->steps = xd_grown(script->steps, script->count, sizeof *script->steps);
    script->steps[script->count++] = *step;
    if (script->bytes.failed) xd_needed(NULL);
}

void xd_script_add(struct xd_script *script, int64_t at, const struct xd_record *record, uint64_t offer_id,
                   uint64_t request_id)
{
    struct xd_step step = {
        .at = at, .start = (uint32_t)script->bytes.len, .offer_id = offer_id, .request_id = request_id};
    xd_record_pack(record, &script->bytes);
    step.len = (uint32_t)script->bytes.len - step.start;
    add_step(script, &step);
}

void xd_script_add_restore(struct xd_script *script)
{
    add_step(script, &(struct xd_step){.restore = true});
}

void xd_script_copy(struct xd_script *script, const struct xd_script *from, uint32_t step)
{
    struct xd_step copy = from->steps[step];
    copy.start = (uint32_t)script->bytes.len;
    xd_buf_add(&script->bytes, from->bytes.data + from->steps[step].start, copy.len);
    add_step(script, &copy);
}

bool xd_script_record(const struct xd_script *script, uint32_t step, msgpack_unpacked *object,
                      struct xd_record *out)
{
    const char *bytes = (const char *)script->bytes.data + script->steps[step].start;
    size_t at = 0;
    return msgpack_unpack_next(object, bytes, script->steps[step].len, &at) == MSGPACK_UNPACK_SUCCESS &&
           xd_record_unpack(&object->data, out);
}

/* --- as text -------------------------------------------------------------------------------------------- */

/* Writes MessagePack as a line of JSON. */
static bool print_line(const struct xd_buf *message, FILE *file)
{
    msgpack_unpacked object;
    struct xd_buf text;
    msgpack_unpacked_init(&object);
    xd_buf_init(&text, LINE_MAX_BYTES);
    bool good = !message->failed && msgpack_unpack_next(&object, (const char *)message->data, message->len,
                                                        NULL) == MSGPACK_UNPACK_SUCCESS;
    if (good) xd_json_write(&object.data, &text);
    good =
        good && !text.failed && fwrite(text.data, 1, text.len, file) == text.len && fputc('\n', file) != EOF;
    xd_buf_free(&text);
    msgpack_unpacked_destroy(&object);
    return good;
}

static void write_options(const struct xd_twin_options *options, struct xd_buf *out)
{
    char currency[4];
    xd_currency_format(options->market.currency, currency);
    xd_mp_map(out, 4);
    xd_mp_cstr(out, "partition");
    xd_mp_int(out, options->partition);
    xd_mp_cstr(out, "max_orders");
    xd_mp_int(out, options->max_orders);
    xd_mp_cstr(out, "road_factor_e4");
    xd_mp_int(out, options->market.road_factor_e4);
    xd_mp_cstr(out, "currency");
    xd_mp_cstr(out, currency);
}

static bool write_step(const struct xd_script *script, uint32_t i, struct xd_buf *out)
{
    const struct xd_step *step = &script->steps[i];
    xd_mp_map(out, step->restore ? 1 : 2);
    if (step->restore) {
        xd_mp_cstr(out, "restore");
        xd_mp_bool(out, true);
        return true;
    }
    msgpack_unpacked object;
    struct xd_record record;
    msgpack_unpacked_init(&object);
    bool good = xd_script_record(script, i, &object, &record);
    if (good) {
        xd_mp_cstr(out, "at");
        xd_mp_int(out, step->at);
        xd_mp_cstr(out, "record");
        xd_record_write(&record, out);
    }
    msgpack_unpacked_destroy(&object);
    return good;
}

bool xd_script_print(const struct xd_script *script, FILE *file)
{
    struct xd_buf line;
    xd_buf_init(&line, LINE_MAX_BYTES);
    write_options(&script->options, &line);
    bool good = print_line(&line, file);
    for (uint32_t i = 0; good && i < script->count; i++) {
        xd_buf_clear(&line);
        good = write_step(script, i, &line) && print_line(&line, file);
    }
    xd_buf_free(&line);
    return good;
}

static bool read_options(const msgpack_object *map, struct xd_twin_options *out, struct xd_error *error)
{
    struct xd_str currency;
    int64_t partition, max_orders, road_factor_e4;
    bool good =
        xd_mp_get_int(map, "partition", &partition) && xd_mp_get_int(map, "max_orders", &max_orders) &&
        xd_mp_get_int(map, "road_factor_e4", &road_factor_e4) && xd_mp_get_str(map, "currency", &currency);
    if (!good) return xd_fail(error, XD_MISSING_FIELD, NULL, "the first line is not the options");
    *out = (struct xd_twin_options){.partition = (uint16_t)partition,
                                    .max_orders = (uint32_t)max_orders,
                                    .market = {.currency = xd_currency(currency.at, currency.len),
                                               .road_factor_e4 = (int32_t)road_factor_e4}};
    return true;
}

static bool read_type(const msgpack_object *map, enum xd_record_type *out)
{
    struct xd_str name;
    if (!xd_mp_get_str(map, "type", &name)) return false;
    for (unsigned type = 0; type < XD_RECORD_TYPE_COUNT; type++) {
        *out = (enum xd_record_type)type;
        if (xd_str_equal(name, xd_str_of(xd_record_type_name(*out)))) return true;
    }
    return false;
}

static bool read_record(const msgpack_object *map, const struct xd_market *market, struct xd_record *out,
                        struct xd_error *error)
{
    struct xd_str id;
    *out = (struct xd_record){0};
    if (!read_type(map, &out->type)) return xd_fail(error, XD_BAD_VALUE, "type", "not a type of record");
    xd_mp_get_str(map, "account", &out->account);
    xd_mp_get_int(map, "credit", &out->credit);
    if (xd_mp_get_str(map, "id", &id) && !xd_order_id_parse(id.at, id.len, &out->order_id)) {
        return xd_fail(error, XD_BAD_VALUE, "id", "not the id of an order");
    }
    if (xd_mp_get_str(map, "match", &id) && !xd_match_id_parse(id.at, id.len, &out->match_id)) {
        return xd_fail(error, XD_BAD_VALUE, "match", "not the id of a match");
    }
    const msgpack_object *changes = xd_mp_get(map, "changes"), *order = xd_mp_get(map, "order");
    if (out->type == XD_RECORD_AMEND) return changes && xd_amendment_read(changes, &out->amendment, error);
    return out->type != XD_RECORD_ORDER || (order && xd_order_read(order, market, &out->order, error));
}

static bool read_line(struct xd_script *script, const msgpack_object *map, bool first, struct xd_error *error)
{
    struct xd_twin_options options = {0};
    struct xd_record record;
    int64_t at;
    if (first) {
        if (!read_options(map, &options, error)) return false;
        xd_script_init(script, &options);
        return true;
    }
    if (xd_mp_get(map, "restore")) {
        xd_script_add_restore(script);
        return true;
    }
    const msgpack_object *inner = xd_mp_get(map, "record");
    if (!inner || !xd_mp_get_int(map, "at", &at)) {
        return xd_fail(error, XD_MISSING_FIELD, NULL, "neither a record nor a restore");
    }
    if (!read_record(inner, &script->options.market, &record, error)) return false;
    xd_script_add(script, at, &record, 0, 0);
    return true;
}

bool xd_script_read(struct xd_script *script, FILE *file, struct xd_error *error, unsigned *line)
{
    const struct xd_mp_limits limits = {LINE_MAX_BYTES, XD_MP_MAX_DEPTH, 1 << 16};
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    struct xd_buf bytes;
    msgpack_unpacked object;
    bool good = true;
    xd_script_init(script, &(struct xd_twin_options){0});
    xd_buf_init(&bytes, LINE_MAX_BYTES);
    msgpack_unpacked_init(&object);
    for (*line = 0; good && (len = getline(&text, &room, file)) > 0;) {
        if (text[0] == '\n' || text[0] == '#') continue;
        xd_buf_clear(&bytes);
        good = xd_json_read(text, (size_t)len, &limits, &bytes, error) &&
               msgpack_unpack_next(&object, (const char *)bytes.data, bytes.len, NULL) ==
                   MSGPACK_UNPACK_SUCCESS &&
               read_line(script, &object.data, *line == 0, error);
        ++*line;
    }
    if (good && *line == 0) good = xd_fail(error, XD_MISSING_FIELD, NULL, "nothing in it");
    msgpack_unpacked_destroy(&object);
    xd_buf_free(&bytes);
    free(text);
    return good;
}
