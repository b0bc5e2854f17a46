/* clock: moves the broker's time, where it is moved by hand. */
#include "broker/method.h"
#include "core/pair.h"
#include "core/when.h"
#include "matcher/owner.h"

#include <stdlib.h>

struct move {
    struct xd_reply reply;
    int64_t time; /* seconds */
};

static void on_settled(void *arg, enum xd_code code)
{
    struct move *move = arg;
    if (code != XD_OK) {
        xd_reply_code(&move->reply, code, NULL);
    } else {
        struct xd_buf *out = xd_reply_begin(&move->reply);
        xd_mp_map(out, 1);
        xd_pair_int(out, "time", move->time);
        xd_reply_send(&move->reply);
    }
    free(move);
}

/* `set` is a time as in orders: seconds or RFC 3339. */
static bool read_set(const struct xd_call *call, int64_t *out, struct xd_error *error)
{
    struct xd_str text;
    if (!xd_mp_get_str(call->params, "set", &text))
        return xd_param_int(call, "set", INT64_MIN, INT64_MAX, 0, out, error);
    if (xd_time_parse(text.at, text.len, out)) return true;
    return xd_fail(error, XD_BAD_PARAMS, "set", "not a time; allowed: seconds or RFC 3339");
}

/* Where the clock is to stand, in seconds. */
static bool read_target(const struct xd_call *call, int64_t now, int64_t *target, struct xd_error *error)
{
    bool set = call->params && xd_mp_get(call->params, "set");
    bool advance = call->params && xd_mp_get(call->params, "advance");
    const char *field = set ? "set" : "advance";
    int64_t value = 0;
    if (set == advance) return xd_fail(error, XD_BAD_PARAMS, NULL, "either set or advance is needed");
    if (set && !read_set(call, &value, error)) return false;
    if (advance && !xd_param_int(call, "advance", INT64_MIN, INT64_MAX, 0, &value, error)) return false;
    if (advance && __builtin_add_overflow(value, now, &value)) value = INT64_MAX;
    if (value < now)
        return xd_fail(error, XD_OUT_OF_RANGE, field, "time does not go back; it is %lld", (long long)now);
    if (value > XD_TIME_MAX) return xd_fail(error, XD_OUT_OF_RANGE, field, "time ends with the year 2199");
    *target = value;
    return true;
}

void xd_method_clock(struct xd_call *call)
{
    struct xd_broker *broker = call->broker;
    int64_t now = xd_ledger_now_ms(broker->ledger) / 1000;
    int64_t target = now;
    struct xd_error error;
    if (!read_target(call, now, &target, &error)) {
        xd_reply_error(&call->reply, &error);
        return;
    }
    struct move *move = malloc(sizeof(*move));
    if (!move) {
        xd_reply_code(&call->reply, XD_NO_MEMORY, NULL);
        return;
    }
    *move = (struct move){.reply = call->reply, .time = target};
    if (broker->clock.now_ms < target * 1000) broker->clock.now_ms = target * 1000;
    xd_owner_clock_moved(broker->owner);
    xd_ledger_settle(broker->ledger, on_settled, move);
}
