/* Asks a broker for room on a truck: the smallest useful program on libcrossdock.
 *
 *     cc hello.c $(pkg-config --cflags --libs crossdock) -o hello && ./hello tcp://127.0.0.1:7400 */
#include <crossdock.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void put_text(msgpack_packer *packer, const char *text)
{
    msgpack_pack_str(packer, strlen(text));
    msgpack_pack_str_body(packer, text, strlen(text));
}

static void put(msgpack_packer *packer, const char *key, const char *value)
{
    put_text(packer, key);
    put_text(packer, value);
}

static void put_number(msgpack_packer *packer, const char *key, int64_t value)
{
    put_text(packer, key);
    msgpack_pack_int64(packer, value);
}

static void put_place(msgpack_packer *packer, const char *key, double lat, double lon)
{
    put_text(packer, key);
    msgpack_pack_map(packer, 2);
    put_text(packer, "lat");
    msgpack_pack_double(packer, lat);
    put_text(packer, "lon");
    msgpack_pack_double(packer, lon);
}

/* 2 pallets from Suzhou to Nanjing, tomorrow or the day after. */
static void put_order(msgpack_packer *packer)
{
    int64_t day = 86400, now = (int64_t)time(NULL);
    msgpack_pack_map(packer, 11);
    put(packer, "side", "request");
    put(packer, "kind", "truck");
    put(packer, "ref", "hello-1");
    put_place(packer, "from", 31.30, 120.58);
    put_place(packer, "to", 32.06, 118.80);
    put_number(packer, "pallets", 2);
    put_number(packer, "kg", 800);
    put_number(packer, "pickup_from", now + day);
    put_number(packer, "pickup_until", now + 2 * day);
    put_number(packer, "deliver_until", now + 3 * day);
    put(packer, "max_price", "900.50");
}

static void print_value(const char *label, const msgpack_object *map, const char *key)
{
    for (uint32_t i = 0; map->type == MSGPACK_OBJECT_MAP && i < map->via.map.size; i++) {
        const msgpack_object_kv *pair = &map->via.map.ptr[i];
        if (pair->key.via.str.size == strlen(key) && memcmp(pair->key.via.str.ptr, key, strlen(key)) == 0)
            printf("%s %.*s\n", label, (int)pair->val.via.str.size, pair->val.via.str.ptr);
    }
}

int main(int argc, char **argv)
{
    xd_client_options options = {.url = argc > 1 ? argv[1] : NULL, .account = "hello"};
    xd_client_error error;
    xd_client *client = xd_client_connect(&options, &error);
    if (!client) {
        fprintf(stderr, "%s (%s)\n", error.message, error.code);
        return 1;
    }

    msgpack_sbuffer params;
    msgpack_packer packer;
    msgpack_sbuffer_init(&params);
    msgpack_packer_init(&packer, &params, msgpack_sbuffer_write);
    put_order(&packer);

    xd_client_reply reply;
    if (xd_client_request(client, "submit", params.data, params.size, &reply)) {
        print_value("order", &reply.result, "id");
        print_value("refused:", &reply.error, "message");
        xd_client_reply_free(&reply);
    } else {
        fprintf(stderr, "%s\n", xd_client_why(client)->message);
    }
    msgpack_sbuffer_destroy(&params);
    xd_client_close(client);
    return 0;
}
