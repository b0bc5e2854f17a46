/* crossdock log: the ledger as JSON Lines, from the file or from Redis. */
#include "clients/cli/cluster.h"
#include "core/cluster/dump.h"
#include "core/ledger/ledger_sqlite.h"
#include "core/pair.h"
#include "core/record.h"

#include <stdio.h>

enum { LINE_MAX_BYTES = 4 << 20 };

struct dump {
    struct xd_buf bytes; /* used again for each line */
};

/* Prints `head_pairs` pairs that are in `head` and the pairs of the map after it, as one object. */
static void print_joined(struct dump *dump, uint32_t head_pairs, const struct xd_buf *head,
                         const msgpack_object *map)
{
    struct xd_buf *bytes = &dump->bytes;
    xd_buf_clear(bytes);
    xd_mp_map(bytes, head_pairs + map->via.map.size);
    xd_buf_add(bytes, head->data, head->len);
    msgpack_sbuffer rest;
    msgpack_sbuffer_init(&rest);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &rest, msgpack_sbuffer_write);
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        msgpack_pack_object(&packer, map->via.map.ptr[i].key);
        msgpack_pack_object(&packer, map->via.map.ptr[i].val);
    }
    xd_buf_add(bytes, rest.data, rest.size);
    msgpack_sbuffer_destroy(&rest);

    msgpack_unpacked line;
    msgpack_unpacked_init(&line);
    if (!bytes->failed &&
        msgpack_unpack_next(&line, (const char *)bytes->data, bytes->len, NULL) == MSGPACK_UNPACK_SUCCESS)
        xd_cli_json(&line.data);
    msgpack_unpacked_destroy(&line);
}

/* The same, the map being packed. */
static void print_packed(struct dump *dump, uint32_t head_pairs, const struct xd_buf *head,
                         const uint8_t *map, size_t len)
{
    msgpack_unpacked object;
    msgpack_unpacked_init(&object);
    if (msgpack_unpack_next(&object, (const char *)map, len, NULL) == MSGPACK_UNPACK_SUCCESS &&
        object.data.type == MSGPACK_OBJECT_MAP)
        print_joined(dump, head_pairs, head, &object.data);
    msgpack_unpacked_destroy(&object);
}

static void on_record(void *arg, const struct xd_log_entry *entry)
{
    enum { MILLISECONDS = 3 };
    struct xd_buf head, written;
    struct xd_record record;
    xd_buf_init(&head, 256);
    xd_buf_init(&written, LINE_MAX_BYTES);
    xd_pair_uint(&head, "record", entry->offset);
    xd_pair_decimal(&head, "time", entry->time_ms, MILLISECONDS);

    msgpack_unpacked object;
    msgpack_unpacked_init(&object);
    if (msgpack_unpack_next(&object, (const char *)entry->bytes, entry->len, NULL) ==
            MSGPACK_UNPACK_SUCCESS &&
        xd_record_unpack(&object.data, &record))
        xd_record_write(&record, &written);
    msgpack_unpacked_destroy(&object);
    if (!head.failed && !written.failed) print_packed(arg, 2, &head, written.data, written.len);
    xd_buf_free(&written);
    xd_buf_free(&head);
}

static void on_event(void *arg, uint16_t partition, uint32_t generation, const struct xd_event_ref *event)
{
    struct xd_event_id id = {.partition = partition, .generation = generation, .offset = event->offset};
    struct xd_buf head;
    xd_buf_init(&head, 256);
    xd_pair_event_id(&head, "event", id);
    print_packed(arg, 1, &head, event->bytes, event->len);
    xd_buf_free(&head);
}

static enum xd_exit from_redis(struct xd_cli *cli, struct xd_cluster *cluster, void *dump)
{
    struct xd_error error;
    uint16_t partition = (uint16_t)cli->settings.partition;
    if (xd_cluster_dump(cluster, partition, on_record, on_event, dump, &error)) return XD_EXIT_DONE;
    return xd_cli_cluster_error(cli, &error);
}

static enum xd_exit from_file(const struct xd_cli *cli, struct dump *dump)
{
    struct xd_error error;
    if (xd_ledger_dump_sqlite(cli->settings.data, on_record, on_event, dump, &error)) return XD_EXIT_DONE;
    return xd_cli_error(cli, XD_EXIT_REFUSED, xd_code_name(error.code), error.field, error.message);
}

enum xd_exit xd_cli_log(struct xd_cli *cli)
{
    struct dump dump;
    xd_buf_init(&dump.bytes, LINE_MAX_BYTES);
    enum xd_exit status =
        *cli->settings.redis ? xd_cli_with_redis(cli, from_redis, &dump) : from_file(cli, &dump);
    xd_buf_free(&dump.bytes);
    return status;
}
