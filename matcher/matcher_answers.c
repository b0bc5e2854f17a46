/* Questions about what this member owns: read from the engine at once, answered when what they were read from
 * is durable. A question that comes for what is not owned (any more) gets no answer: the broker says so after
 * its wait. */
#include "matcher/matcher.h"

#include "core/ledger/ledger_redis.h"
#include "matcher/wire.h"

#include <stdlib.h>
#include <string.h>

enum { VALUE_MAX = 16 << 20 };

struct answer {
    struct xd_matcher *matcher;
    uint64_t broker, number;
    struct xd_error error;
    struct xd_buf value;
};

void xd_matcher_ask_channel(const struct xd_matcher *matcher, uint16_t partition,
                            char out[static XD_REDIS_CHANNEL_MAX + 1])
{
    xd_cluster_channel_of(matcher->cluster, "ask", partition, out);
}

static void drop(struct answer *answer)
{
    xd_buf_free(&answer->value);
    free(answer);
}

static void on_settled(void *arg, enum xd_code code)
{
    struct answer *answer = arg;
    struct xd_buf out;
    char channel[XD_REDIS_CHANNEL_MAX + 1];
    xd_buf_init(&out, VALUE_MAX + 4096);
    if (code != XD_OK) xd_fail(&answer->error, code, NULL, "%s", xd_code_meaning(code));
    if (answer->value.failed)
        xd_fail(&answer->error, XD_NO_MEMORY, NULL, "%s", xd_code_meaning(XD_NO_MEMORY));
    xd_wire_answer(&out, answer->number, &answer->error, &answer->value);
    xd_cluster_channel_of(answer->matcher->cluster, "answer", answer->broker, channel);
    if (!out.failed) xd_cluster_publish(answer->matcher->cluster, channel, out.data, out.len, NULL, NULL);
    xd_buf_free(&out);
    drop(answer);
}

static bool find_station(const struct xd_matcher *matcher, const char *channel, uint16_t *partition)
{
    char name[XD_REDIS_CHANNEL_MAX + 1];
    for (uint16_t i = 0; i < matcher->partition_count; i++) {
        xd_matcher_ask_channel(matcher, i, name);
        if (strcmp(name, channel) != 0) continue;
        *partition = i;
        return xd_station_engine(matcher->crew.stations[i]) != NULL;
    }
    return false;
}

static void ask(struct xd_matcher *matcher, uint16_t partition, const msgpack_object *object)
{
    struct xd_question question;
    struct xd_station *station = matcher->crew.stations[partition];
    struct answer *answer = calloc(1, sizeof(*answer));
    if (!answer) return;
    answer->matcher = matcher;
    xd_buf_init(&answer->value, VALUE_MAX);
    if (!xd_wire_read_question(object, &answer->broker, &answer->number, &question)) {
        drop(answer);
        return;
    }
    bool well =
        xd_question_answer(&question, xd_station_engine(station), partition, xd_station_position(station),
                           xd_ledger_now_ms(matcher->ledger) / 1000, &answer->value, &answer->error);
    if (well) xd_fail(&answer->error, XD_OK, NULL, "%s", "");
    xd_ledger_settle(matcher->ledger, on_settled, answer);
}

void xd_matcher_answer(struct xd_matcher *matcher, const char *channel, const char *bytes, size_t len)
{
    uint16_t partition;
    msgpack_unpacked object;
    if (matcher->leaving || !find_station(matcher, channel, &partition)) return;
    msgpack_unpacked_init(&object);
    if (msgpack_unpack_next(&object, bytes, len, NULL) == MSGPACK_UNPACK_SUCCESS)
        ask(matcher, partition, &object.data);
    msgpack_unpacked_destroy(&object);
}
