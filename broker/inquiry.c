#include "broker/inquiry.h"

#include "core/cluster/cluster.h"
#include "matcher/owner.h"
#include "matcher/wire.h"

#include <event2/event.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_MAX = 16 << 20, BUCKETS = 1024, QUESTION_MAX = 64 << 10 };

struct inquiry {
    struct inquiry *next; /* of the same bucket */
    struct xd_broker *broker;
    uint64_t number; /* asked of another process; 0: of this one */
    struct event *timer;
    struct xd_error error;
    struct xd_buf value;
    xd_inquiry_cb *callback;
    void *arg;
};

struct xd_inquiries {
    struct xd_broker *broker;
    uint64_t id; /* this broker's, as answers are addressed to it */
    uint64_t last;
    struct inquiry *buckets[BUCKETS];
};

static struct inquiry **place_of(struct xd_inquiries *inquiries, uint64_t number)
{
    struct inquiry **at = &inquiries->buckets[number % BUCKETS];
    while (*at && (*at)->number != number)
        at = &(*at)->next;
    return at;
}

static void drop(struct inquiry *inquiry)
{
    if (inquiry->timer) event_free(inquiry->timer);
    xd_buf_free(&inquiry->value);
    free(inquiry);
}

static struct inquiry *make(struct xd_broker *broker, xd_inquiry_cb *callback, void *arg)
{
    struct inquiry *inquiry = calloc(1, sizeof(*inquiry));
    if (!inquiry) return NULL;
    inquiry->broker = broker;
    inquiry->callback = callback;
    inquiry->arg = arg;
    xd_buf_init(&inquiry->value, VALUE_MAX);
    return inquiry;
}

static void answer(struct inquiry *inquiry, struct xd_str value)
{
    inquiry->callback(inquiry->arg, &inquiry->error, value);
    drop(inquiry);
}

static void set_code(struct inquiry *inquiry, enum xd_code code)
{
    xd_fail(&inquiry->error, code, NULL, "%s", xd_code_meaning(code));
}

/* --- of this process ------------------------------------------------------------------------------------ */

static void on_settled(void *arg, enum xd_code code)
{
    struct inquiry *inquiry = arg;
    if (code != XD_OK) set_code(inquiry, code);
    if (inquiry->value.failed) set_code(inquiry, XD_NO_MEMORY);
    answer(inquiry, (struct xd_str){(const char *)inquiry->value.data, (uint32_t)inquiry->value.len});
}

static void ask_here(struct inquiry *inquiry, const struct xd_question *question)
{
    struct xd_broker *broker = inquiry->broker;
    struct xd_engine *engine = xd_owner_engine(broker->owner);
    enum xd_code state = xd_broker_state(broker);
    if (state == XD_OK && !engine) state = XD_OVERLOADED;
    set_code(inquiry, state);
    if (state == XD_OK) {
        struct xd_error error;
        int64_t now = xd_ledger_now_ms(broker->ledger) / 1000;
        if (!xd_question_answer(question, engine, 0, xd_owner_position(broker->owner), now, &inquiry->value,
                                &error))
            inquiry->error = error;
    }
    xd_ledger_settle(broker->ledger, on_settled, inquiry);
}

/* --- of a partition's owner ------------------------------------------------------------------------------
 */

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct inquiry *inquiry = arg;
    *place_of(inquiry->broker->inquiries, inquiry->number) = inquiry->next;
    set_code(inquiry, XD_NO_OWNER);
    answer(inquiry, (struct xd_str){0});
}

struct hearing {
    struct xd_broker *broker;
    uint64_t number;
};

/* Nobody listens: the wait is over. Where it is not known, it goes on. */
static void on_published(void *arg, int64_t receivers)
{
    struct hearing hearing = *(struct hearing *)arg;
    free(arg);
    struct xd_inquiries *inquiries = hearing.broker->inquiries;
    struct inquiry *inquiry = inquiries ? *place_of(inquiries, hearing.number) : NULL;
    if (inquiry && receivers == 0) event_active(inquiry->timer, EV_TIMEOUT, 0);
}

static bool publish(struct inquiry *inquiry, uint16_t partition, const struct xd_question *question)
{
    struct xd_broker *broker = inquiry->broker;
    struct xd_buf bytes;
    char channel[XD_REDIS_CHANNEL_MAX + 1];
    struct hearing *hearing = malloc(sizeof(*hearing));
    if (!hearing) return false;
    *hearing = (struct hearing){broker, inquiry->number};
    xd_buf_init(&bytes, QUESTION_MAX);
    xd_wire_question(&bytes, broker->inquiries->id, inquiry->number, question);
    xd_cluster_channel_of(broker->cluster, "ask", partition, channel);
    bool sent = !bytes.failed && xd_cluster_publish(broker->cluster, channel, bytes.data, bytes.len,
                                                    on_published, hearing) == XD_OK;
    xd_buf_free(&bytes);
    if (!sent) free(hearing);
    return sent;
}

static bool ask_there(struct inquiry *inquiry, uint16_t partition, const struct xd_question *question)
{
    const struct timeval wait = {.tv_sec = XD_INQUIRY_MS / 1000}, now = {0};
    struct xd_inquiries *inquiries = inquiry->broker->inquiries;
    inquiry->number = ++inquiries->last;
    inquiry->timer = evtimer_new(inquiry->broker->base, on_timer, inquiry);
    if (!inquiry->timer) return false;
    bool sent = publish(inquiry, partition, question);
    event_add(inquiry->timer, sent ? &wait : &now);
    struct inquiry **bucket = &inquiries->buckets[inquiry->number % BUCKETS];
    inquiry->next = *bucket;
    *bucket = inquiry;
    return true;
}

static void on_heard(void *arg, const char *channel, const char *bytes, size_t len)
{
    (void)channel;
    struct xd_inquiries *inquiries = arg;
    struct xd_error error;
    struct xd_str value;
    uint64_t number;
    if (len > UINT32_MAX ||
        !xd_wire_read_answer((struct xd_str){bytes, (uint32_t)len}, &number, &error, &value))
        return;
    struct inquiry **at = place_of(inquiries, number), *inquiry = *at;
    if (!inquiry) return; /* it came too late */
    *at = inquiry->next;
    inquiry->error = error;
    answer(inquiry, value);
}

/* --- making and ending ---------------------------------------------------------------------------------- */

bool xd_inquire(struct xd_broker *broker, uint16_t partition, const struct xd_question *question,
                xd_inquiry_cb *callback, void *arg)
{
    struct inquiry *inquiry = make(broker, callback, arg);
    if (!inquiry) return false;
    if (!broker->cluster) {
        ask_here(inquiry, question);
        return true;
    }
    if (ask_there(inquiry, partition, question)) return true;
    drop(inquiry);
    return false;
}

struct xd_inquiries *xd_inquiries_create(struct xd_broker *broker)
{
    struct xd_inquiries *inquiries = calloc(1, sizeof(*inquiries));
    if (!inquiries) return NULL;
    inquiries->broker = broker;
    if (!broker->cluster) return inquiries;
    const struct xd_redis_channels_events events = {.heard = on_heard, .arg = inquiries};
    char channel[XD_REDIS_CHANNEL_MAX + 1];
    bool made = RAND_bytes((unsigned char *)&inquiries->id, sizeof(inquiries->id)) == 1;
    xd_cluster_channel_of(broker->cluster, "answer", inquiries->id, channel);
    made = made && xd_cluster_open_channels(broker->cluster, &events) &&
           xd_cluster_listen(broker->cluster, channel);
    if (made) return inquiries;
    free(inquiries);
    return NULL;
}

void xd_inquiries_destroy(struct xd_inquiries *inquiries)
{
    if (!inquiries) return;
    for (int i = 0; i < BUCKETS; i++) {
        while (inquiries->buckets[i]) {
            struct inquiry *inquiry = inquiries->buckets[i];
            inquiries->buckets[i] = inquiry->next;
            set_code(inquiry, XD_DRAINING);
            answer(inquiry, (struct xd_str){0});
        }
    }
    inquiries->broker->inquiries = NULL;
    free(inquiries);
}
