/* crossdock submit: orders from JSON Lines, any number of them in bounded memory.
 *
 * A ring of batches: the oldest is printed when its answer has come, the newest is being filled. A batch is
 * sent when it is full, or when no more input is there at the moment, so a program may write one order and
 * wait for its line.
 *
 *      printed | sent | sent | done | filling | free ...
 *                ^ first              ^ filling
 */
#include "clients/cli/batch.h"
#include "clients/cli/cli.h"
#include "clients/cli/lines.h"
#include "core/json.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WINDOW = 8, ZONE_CHUNK = 8 << 10, FRAME_ROOM = 256, ELEMENT_ROOM = 16, DEPTH_ROOM = 4 };

struct xd_submit {
    struct xd_cli *cli;
    struct xd_lines lines;
    struct xd_mp_limits limits; /* of one order */
    uint32_t max_orders;        /* in a call */
    struct xd_batch ring[WINDOW];
    unsigned first, used; /* used: those that are not free, the one being filled included */
    struct xd_buf order;  /* the line at hand, packed */
    msgpack_zone *zone;
    bool refused;
    bool lost;           /* the connection has ended */
    enum xd_exit failed; /* XD_EXIT_DONE, or why else it ends early; it has been told */
};

static struct xd_batch *filling(struct xd_submit *submit)
{
    return submit->used > 0 ? &submit->ring[(submit->first + submit->used - 1) % WINDOW] : NULL;
}

/* --- sending -------------------------------------------------------------------------------------------- */

static void on_reply(void *arg, const msgpack_object *error, const msgpack_object *result)
{
    xd_batch_answer(arg, error, result);
}

static void send_batch(struct xd_submit *submit)
{
    struct xd_batch *batch = filling(submit);
    if (!batch || batch->state != XD_BATCH_FILLING || batch->line_count == 0) return;
    if (batch->order_count == 0) {
        static const msgpack_object nothing = {.type = MSGPACK_OBJECT_NIL};
        xd_batch_answer(batch, &nothing, &nothing);
        return;
    }
    struct xd_buf params;
    xd_buf_init(&params, batch->orders.limit);
    xd_batch_params(batch, &params);
    batch->state = XD_BATCH_SENT;
    bool sent = !params.failed &&
                xd_client_call(submit->cli->client, "submit", params.data, params.len, on_reply, batch);
    xd_buf_free(&params);
    if (!sent) submit->lost = true;
    if (!sent) xd_batch_give_up(batch, "connection", xd_client_why(submit->cli->client)->message);
}

/* The batch that the next line goes into, or NULL while the window is full. An order of `len` bytes must fit
 * in. */
static struct xd_batch *batch_for(struct xd_submit *submit, size_t len)
{
    struct xd_batch *batch = filling(submit);
    if (batch && batch->state == XD_BATCH_FILLING) {
        if (xd_batch_has_room(batch, len, submit->max_orders)) return batch;
        send_batch(submit);
    }
    if (submit->used == WINDOW) return NULL;
    submit->used++;
    batch = filling(submit);
    xd_batch_clear(batch);
    return batch;
}

/* --- lines ---------------------------------------------------------------------------------------------- */

/* The order's ref, where it has one that is text. Lives until the next line. */
static bool find_ref(struct xd_submit *submit, struct xd_str *ref, bool *is_map)
{
    msgpack_object object;
    msgpack_zone_clear(submit->zone);
    *is_map = false;
    if (msgpack_unpack((const char *)submit->order.data, submit->order.len, NULL, submit->zone, &object) !=
        MSGPACK_UNPACK_SUCCESS)
        return false;
    *is_map = object.type == MSGPACK_OBJECT_MAP;
    return xd_mp_get_str(&object, "ref", ref);
}

/* Reads a line into submit->order. False and *error if it is no order at all. */
static bool read_line(struct xd_submit *submit, enum xd_line kind, struct xd_str line, struct xd_error *error)
{
    xd_buf_clear(&submit->order);
    if (kind == XD_LINE_TOO_LONG)
        return xd_fail(error, XD_TOO_LONG, NULL, "a line of more than %d bytes", XD_LINE_MAX);
    return xd_json_read(line.at, line.len, &submit->limits, &submit->order, error);
}

static bool is_blank(struct xd_str line)
{
    for (uint32_t i = 0; i < line.len; i++)
        if (line.at[i] != ' ' && line.at[i] != '\t') return false;
    return true;
}

static void take_line(struct xd_submit *submit, enum xd_line kind, struct xd_str line)
{
    struct xd_error error;
    struct xd_str ref;
    bool is_map = false;
    bool good = read_line(submit, kind, line, &error);
    bool has_ref = good && find_ref(submit, &ref, &is_map);
    if (good && !is_map) good = xd_fail(&error, XD_BAD_TYPE, NULL, "an order is a JSON object");

    struct xd_batch *batch = batch_for(submit, good ? submit->order.len : 0);
    if (!batch) return; /* take_lines has made sure that there is a free one */
    if (good)
        xd_batch_order(batch, &submit->order, has_ref ? &ref : NULL);
    else
        xd_batch_refuse(batch, &error);
    if (!xd_batch_good(batch))
        submit->failed =
            xd_cli_error(submit->cli, XD_EXIT_NO_CONNECTION, "no_memory", "", "no memory for a batch");
}

/* Takes lines while there is room; a line that does not fit into the last batch needs a free one. */
static enum xd_line take_lines(struct xd_submit *submit)
{
    enum xd_line kind = XD_LINE_NONE;
    while (submit->used < WINDOW && submit->failed == XD_EXIT_DONE && !submit->lost) {
        struct xd_str line;
        kind = xd_lines_next(&submit->lines, &line);
        if (kind == XD_LINE_NONE || kind == XD_LINE_END) break;
        if (kind == XD_LINE_TOO_LONG || !is_blank(line)) take_line(submit, kind, line);
    }
    return kind;
}

/* --- the loop ------------------------------------------------------------------------------------------- */

/* Prints the oldest batches that are done. False if there was none. */
static bool print_done(struct xd_submit *submit)
{
    bool printed = false;
    while (submit->used > 0 && submit->ring[submit->first].state == XD_BATCH_DONE) {
        struct xd_batch *batch = &submit->ring[submit->first];
        fwrite(batch->out.data, 1, batch->out.len, stdout);
        printed = true;
        submit->refused = submit->refused || batch->refused;
        if (batch->out.failed && submit->failed == XD_EXIT_DONE)
            submit->failed =
                xd_cli_error(submit->cli, XD_EXIT_NO_CONNECTION, "no_memory", "", "no memory for results");
        submit->first = (submit->first + 1) % WINDOW;
        submit->used--;
    }
    if (printed && fflush(stdout) != 0) submit->failed = XD_EXIT_REFUSED;
    return printed;
}

static bool read_more(struct xd_submit *submit)
{
    if (xd_lines_read(&submit->lines)) return true;
    submit->failed = xd_cli_error(submit->cli, XD_EXIT_USAGE, "input", "", strerror(errno));
    return false;
}

/* Waits for input, if it is wanted, and for the broker. */
static void wait_for_either(struct xd_submit *submit, bool want_input)
{
    xd_client *client = submit->cli->client;
    int taken = xd_client_run(client, 0);
    if (taken < 0) submit->lost = true;
    if (taken != 0) return;

    struct pollfd waited[2] = {
        {.fd = xd_client_fd(client),
         .events = (short)(POLLIN | (xd_client_wants_write(client) ? POLLOUT : 0))},
        {.fd = want_input ? submit->lines.fd : -1, .events = POLLIN},
    };
    if (poll(waited, 2, -1) > 0 && want_input && waited[1].revents) read_more(submit);
}

/* The connection has ended: every line that was read is told so, and then stderr. */
static enum xd_exit give_up(struct xd_submit *submit)
{
    for (unsigned i = 0; i < submit->used; i++) {
        struct xd_batch *batch = &submit->ring[(submit->first + i) % WINDOW];
        if (batch->state != XD_BATCH_DONE)
            xd_batch_give_up(batch, "connection", xd_client_why(submit->cli->client)->message);
    }
    print_done(submit);
    return submit->failed == XD_EXIT_DONE ? xd_cli_lost(submit->cli) : submit->failed;
}

static enum xd_exit run(struct xd_submit *submit)
{
    while (submit->failed == XD_EXIT_DONE && !submit->lost) {
        enum xd_line kind = take_lines(submit);
        bool dry = kind == XD_LINE_NONE && submit->used < WINDOW;
        if (kind == XD_LINE_END || dry) send_batch(submit);
        bool more_room = print_done(submit);
        if (kind == XD_LINE_END && submit->used == 0) break;
        if (!more_room && !submit->lost) wait_for_either(submit, dry);
    }
    if (submit->lost) return give_up(submit);
    if (submit->failed != XD_EXIT_DONE) return submit->failed;
    return submit->refused ? XD_EXIT_REFUSED : XD_EXIT_DONE;
}

/* --- beginning and end ---------------------------------------------------------------------------------- */

static int64_t limit_of(const struct xd_submit *submit, const char *name, int64_t fallback)
{
    int64_t value = fallback;
    xd_mp_get_int(xd_mp_get(xd_client_hello(submit->cli->client), "limits"), name, &value);
    return value > 0 && value < fallback ? value : fallback;
}

/* What an order may be so that the message that it goes in breaks no limit of the broker's. */
static void learn_limits(struct xd_submit *submit)
{
    enum { BYTES = 1 << 20, DEPTH = 16, ELEMENTS = 1 << 16 };
    submit->max_orders = (uint32_t)limit_of(submit, "orders", XD_BATCH_ORDERS);
    submit->limits = (struct xd_mp_limits){
        .bytes = (size_t)limit_of(submit, "message_bytes", BYTES) - FRAME_ROOM,
        .depth = (uint32_t)limit_of(submit, "depth", DEPTH) - DEPTH_ROOM,
        .elements = (uint32_t)limit_of(submit, "elements", ELEMENTS) - ELEMENT_ROOM,
    };
}

static bool set_up(struct xd_submit *submit, int fd)
{
    for (unsigned i = 0; i < WINDOW; i++)
        xd_batch_init(&submit->ring[i]);
    submit->zone = msgpack_zone_new(ZONE_CHUNK);
    bool lines = xd_lines_init(&submit->lines, fd);
    learn_limits(submit);
    xd_buf_init(&submit->order, submit->limits.bytes);
    return submit->zone && lines;
}

static void tear_down(struct xd_submit *submit)
{
    for (unsigned i = 0; i < WINDOW; i++)
        xd_batch_free(&submit->ring[i]);
    xd_lines_free(&submit->lines);
    xd_buf_free(&submit->order);
    if (submit->zone) msgpack_zone_free(submit->zone);
}

static enum xd_exit submit_from(struct xd_cli *cli, int fd)
{
    enum xd_exit status = xd_cli_connect(cli, NULL, NULL);
    if (status != XD_EXIT_DONE) return status;
    struct xd_submit submit = {.cli = cli};
    if (set_up(&submit, fd))
        status = run(&submit);
    else
        status = xd_cli_error(cli, XD_EXIT_NO_CONNECTION, "no_memory", "", "no memory for a submit");
    /* Whatever is still under way is told into batches that are about to go. */
    xd_client_close(cli->client);
    cli->client = NULL;
    tear_down(&submit);
    return status;
}

enum xd_exit xd_cli_submit(struct xd_cli *cli)
{
    const char *path = cli->arg_count > 0 ? cli->args[0] : "-";
    if (strcmp(path, "-") == 0) return submit_from(cli, STDIN_FILENO);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return xd_cli_usage(cli, path, "%s", strerror(errno));
    enum xd_exit status = submit_from(cli, fd);
    close(fd);
    return status;
}
