/* What the owner made of records, on its way: one commit at a time, all that comes meanwhile joins the next.
 * A commit is sent again until Redis says that it is stored or that another owns the partition. */
#include "core/ledger/redis_ledger.h"

#include "core/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    JOINED_BYTES = 512 << 10, /* commits join while they are smaller */
    OUTPUT_LIMIT = 256 << 20,
    COMMITS_FULL = 8 << 20,
    COMMIT_KEYS = 4 /* state, out, outbox, seen */
};

struct xd_commit_node {
    struct xd_commit_node *next;
    struct xd_lease lease;
    uint64_t from, to; /* records */
    uint64_t first_event, next_event;
    int64_t time_ms;
    bool sent;
    size_t cost;
    struct xd_output output;
};

static void node_free(struct xd_commit_node *node)
{
    xd_output_free(&node->output);
    free(node);
}

bool xd_redis_commits_full(const struct xd_rpart *p)
{
    return p->commits_cost > COMMITS_FULL;
}

static void account_for(struct xd_rpart *p, struct xd_commit_node *node)
{
    size_t cost = node->output.events.len + node->output.outcomes.len + node->output.closed.len +
                  node->output.messages.len + node->output.refusals.len;
    p->ledger->backlog += cost - node->cost;
    p->commits_cost += cost - node->cost;
    node->cost = cost;
}

static void take_first(struct xd_rpart *p)
{
    struct xd_commit_node *node = p->commits;
    p->commits = node->next;
    p->ledger->backlog -= node->cost;
    p->commits_cost -= node->cost;
    node_free(node);
}

void xd_redis_forget_commits(struct xd_rpart *p)
{
    while (p->commits)
        take_first(p);
    p->committing = false;
    p->commit_serial++;
    p->made = p->out_records;
    p->made_events = p->out_events;
}

/* --- from the owner ------------------------------------------------------------------------------------- */

struct losing {
    struct xd_put_off put_off;
    struct xd_rpart *p;
    uint64_t serial;
    enum xd_code code;
};

static void losing_run(struct xd_put_off *put_off)
{
    struct losing *losing = (struct losing *)put_off;
    if (losing->p->follow.serial == losing->serial) xd_redis_lose(losing->p, losing->code);
    free(losing);
}

/* Not from within the owner's call. */
static void lose_soon(struct xd_rpart *p, enum xd_code code)
{
    struct losing *losing = malloc(sizeof *losing);
    p->refused = code;
    if (!losing) return;
    *losing = (struct losing){.put_off.run = losing_run, .p = p, .serial = p->follow.serial, .code = code};
    xd_redis_put_off(p->ledger, &losing->put_off);
}

/* The node that takes the commit: the last that was not sent, or a new one. NULL without memory. */
static struct xd_commit_node *open_node(struct xd_rpart *p, const struct xd_commit *commit)
{
    if (p->commits && !p->last_commit->sent && p->last_commit->cost < JOINED_BYTES) return p->last_commit;
    struct xd_commit_node *node = calloc(1, sizeof *node);
    if (!node) return NULL;
    *node = (struct xd_commit_node){.lease = commit->lease,
                                    .from = commit->previous,
                                    .to = commit->previous,
                                    .first_event = commit->first_event,
                                    .next_event = commit->first_event};
    xd_output_init(&node->output, OUTPUT_LIMIT);
    *(p->commits ? &p->last_commit->next : &p->commits) = node;
    p->last_commit = node;
    return node;
}

static void join_messages(struct xd_output *output, const struct xd_output *more)
{
    for (uint32_t i = 0; i < xd_output_message_count(more); i++) {
        struct xd_str bytes;
        struct xd_message message = xd_output_message(more, i, &bytes);
        xd_buf_add(&output->messages, bytes.at, bytes.len);
        xd_output_end_message(output, message);
    }
    xd_buf_add(&output->seen, more->seen.data, more->seen.len);
}

/* `records`: of the commits that it joins. */
static void join_refusals(struct xd_output *output, const struct xd_output *more, uint32_t records)
{
    const struct xd_refusal *refusals = (const struct xd_refusal *)(const void *)more->refusals.data;
    for (size_t i = 0; i < more->refusals.len / sizeof *refusals; i++) {
        struct xd_refusal refusal = refusals[i];
        refusal.record += records;
        xd_buf_add(&output->refusals, &refusal, sizeof refusal);
    }
}

static bool join(struct xd_commit_node *node, const struct xd_commit *commit)
{
    const struct xd_output *more = commit->output;
    const size_t *ends = (const size_t *)(const void *)more->ends.data;
    struct xd_output *output = &node->output;
    size_t before = output->events.len;
    uint32_t records = (uint32_t)(node->to - node->from);
    xd_buf_add(&output->events, more->events.data, more->events.len);
    for (size_t i = 0; i < xd_output_event_count(more); i++) {
        size_t end = before + ends[i];
        xd_buf_add(&output->ends, &end, sizeof end);
    }
    xd_buf_add(&output->outcomes, more->outcomes.data, more->outcomes.len);
    xd_buf_add(&output->closed, more->closed.data, more->closed.len);
    join_refusals(output, more, records);
    join_messages(output, more);
    node->to = commit->next;
    node->next_event += xd_output_event_count(more);
    return !xd_output_failed(output);
}

static enum xd_code may_commit(const struct xd_rpart *p, const struct xd_commit *commit)
{
    if (commit->previous != p->made || commit->first_event != p->made_events) return XD_FENCED;
    if (xd_output_failed(commit->output)) return XD_NO_MEMORY;
    if (commit->next < commit->previous ||
        commit->output->outcomes.len != (commit->next - commit->previous) * sizeof(uint16_t))
        return XD_INTERNAL;
    return XD_OK;
}

void xd_redis_commit(struct xd_ledger *base, const struct xd_commit *commit)
{
    struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    struct xd_rpart *p = xd_rpart_of(ledger, commit->lease.partition);
    /* An owner without the lease has been told so already. */
    if (!xd_rpart_holds(p, &commit->lease) || p->refused != XD_OK) return;
    enum xd_code code = may_commit(p, commit);
    if (code == XD_OK && commit->next == commit->previous && xd_output_event_count(commit->output) == 0)
        return;
    struct xd_commit_node *node = code == XD_OK ? open_node(p, commit) : NULL;
    if (code == XD_OK && (!node || !join(node, commit))) code = XD_NO_MEMORY;
    if (code != XD_OK) {
        lose_soon(p, code);
        return;
    }
    node->time_ms = p->given_ms;
    account_for(p, node);
    p->made = node->to;
    p->made_events = node->next_event;
    xd_redis_wake(ledger);
}

/* --- its events ----------------------------------------------------------------------------------------- */

static void add_le32(struct xd_buf *out, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                        (uint8_t)(value >> 24)};
    xd_buf_add(out, bytes, sizeof bytes);
}

/* A commit as Redis holds it: the events compressed, each behind its length, the mark of each, and the rest.
 */
struct block {
    struct xd_buf events, marks, closed, refusals;
    struct xd_redis_post post;
};

static void pack_events(struct block *block, const struct xd_output *output)
{
    const size_t *ends = (const size_t *)(const void *)output->ends.data;
    uint32_t count = xd_output_event_count(output);
    struct xd_buf plain;
    xd_buf_init(&plain, 2 * (size_t)OUTPUT_LIMIT);
    for (size_t i = 0, at = 0; i < count; at = ends[i++]) {
        const uint8_t *event = output->events.data + at;
        size_t len = ends[i] - at;
        add_le32(&plain, (uint32_t)len);
        xd_buf_add(&plain, event, len);
        add_le32(&block->marks, xd_redis_mark(xd_event_account(event, len)));
    }
    xd_redis_compress(&block->events, &plain);
    xd_buf_free(&plain);
}

static bool block_make(struct block *block, const struct xd_output *output)
{
    xd_buf_init(&block->events, 2 * (size_t)OUTPUT_LIMIT);
    xd_buf_init(&block->marks, OUTPUT_LIMIT);
    xd_buf_init(&block->closed, OUTPUT_LIMIT);
    xd_buf_init(&block->refusals, OUTPUT_LIMIT);
    pack_events(block, output);
    xd_redis_pack_closed(&block->closed, &output->closed);
    xd_redis_pack_refusals(&block->refusals, &output->refusals);
    xd_redis_pack_post(&block->post, output);
    return !block->events.failed && !block->marks.failed && !block->closed.failed &&
           !block->refusals.failed && !block->post.letters.failed && !block->post.seen.failed;
}

static void block_free(struct block *block)
{
    xd_buf_free(&block->events);
    xd_buf_free(&block->marks);
    xd_buf_free(&block->closed);
    xd_buf_free(&block->refusals);
    xd_redis_free_post(&block->post);
}

/* How many strings the marks go into. */
static uint32_t marks_keys(const struct xd_commit_node *node)
{
    if (node->next_event == node->first_event) return 0;
    return (uint32_t)((node->next_event - 1) / XD_MARKS_AT_ONCE - node->first_event / XD_MARKS_AT_ONCE + 1);
}

/* --- to Redis ---------------------------------------------------------------------------------------------
 */

struct sending {
    struct xd_rpart *p;
    uint64_t serial;
};

static void committed(struct xd_rpart *p)
{
    struct xd_commit_node *node = p->commits;
    char id[48];
    snprintf(id, sizeof id, "%llu-%llu", (unsigned long long)node->next_event, (unsigned long long)node->to);
    if (node->to > p->committed) p->committed = node->to;
    if (node->next_event > p->events) p->events = node->next_event;
    xd_redis_close_refs(p, id, node->output.closed.data, node->output.closed.len);
    if (p->ledger->options.owner_only) {
        p->out_records = node->to;
        p->out_events = node->next_event;
        xd_redis_settled(p->ledger, XD_OK);
    }
    bool grew = xd_output_message_count(&node->output) > 0;
    take_first(p);
    p->ledger->full_until_ms = 0;
    if (grew && p->ledger->options.outbox_grew) p->ledger->options.outbox_grew(p->ledger->options.outbox_arg, p->id);
}

static void on_committed(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct sending sending = *(struct sending *)arg;
    struct xd_rpart *p = sending.p;
    struct xd_redis_ledger *ledger = p->ledger;
    free(arg);
    xd_redis_answered(ledger);
    if (sending.serial != p->commit_serial) return;
    p->committing = false;
    if (*reply && (*reply)->type == REDIS_REPLY_INTEGER) {
        committed(p);
    } else if (xd_reply_is_error(*reply, "FENCED")) {
        xd_redis_lose(p, XD_FENCED);
    } else if (xd_redis_code(*reply) == XD_STORAGE_FULL) {
        ledger->full_until_ms = xd_redis_monotonic() + 1000;
        xd_redis_wake_later(ledger);
        return;
    } else {
        xd_redis_suspect(p, *reply);
    }
    xd_redis_wake(ledger);
}

/* All but the keys of the marks. */
static void put_node(const struct xd_rpart *p, const struct xd_commit_node *node, const struct block *block,
                     struct xd_args *args, char nonce[static 24])
{
    snprintf(nonce, 24, "%016llx", (unsigned long long)node->lease.nonce);
    xd_args_uint(args, COMMIT_KEYS + marks_keys(node));
    xd_args_text(args, p->state_key);
    xd_args_text(args, p->out_key);
    xd_args_text(args, p->outbox_key);
    xd_args_text(args, p->seen_key);
    xd_args_uint(args, node->lease.epoch);
    xd_args_text(args, nonce);
    xd_args_uint(args, node->from);
    xd_args_uint(args, node->to);
    xd_args_uint(args, node->first_event);
    xd_args_uint(args, node->next_event);
    xd_args_uint(args, (uint64_t)node->time_ms);
    xd_args_bytes(args, node->output.outcomes.data, node->output.outcomes.len);
    xd_args_bytes(args, block->closed.data, block->closed.len);
    xd_args_bytes(args, block->marks.data, block->marks.len);
    xd_args_bytes(args, block->events.data, block->events.len);
    xd_args_text(args, p->closed);
    xd_args_bytes(args, block->post.letters.data, block->post.letters.len);
    xd_args_bytes(args, block->post.seen.data, block->post.seen.len);
    xd_args_text(args, p->line);
    xd_args_bytes(args, block->refusals.data, block->refusals.len);
}

/* The arguments, the keys of the marks behind the other keys. */
static enum xd_code send_all(struct xd_rpart *p, const struct xd_args *args, uint64_t first_event,
                             uint32_t keys, struct sending *sending)
{
    enum { HEAD = 1 + COMMIT_KEYS, KEY = sizeof p->marks_key + 20 };
    size_t count = (size_t)args->count + keys, rest = (size_t)args->count - HEAD;
    const char **at = malloc(count * (sizeof *at + sizeof(size_t)) + (size_t)keys * KEY);
    if (!at) return XD_NO_MEMORY;
    size_t *len = (size_t *)(void *)(at + count);
    char *key = (char *)(len + count);
    memcpy(at, args->at, HEAD * sizeof *at);
    memcpy(len, args->len, HEAD * sizeof *len);
    for (uint32_t i = 0; i < keys; i++, key += KEY) {
        at[HEAD + i] = key;
        len[HEAD + i] = (size_t)snprintf(key, KEY, "%s%llu", p->marks_key,
                                         (unsigned long long)(first_event / XD_MARKS_AT_ONCE + i));
    }
    memcpy(at + HEAD + keys, args->at + HEAD, rest * sizeof *at);
    memcpy(len + HEAD + keys, args->len + HEAD, rest * sizeof *len);
    struct xd_redis_to to = {
        .lane = XD_REDIS_WRITES, .slot = p->slot, .script = &p->ledger->scripts.commit, .durable = true};
    enum xd_code code = xd_redis_ask_all(p->ledger, &to, (int)count, at, len, on_committed, sending);
    free(at);
    return code;
}

static enum xd_code send_node(struct xd_rpart *p, struct xd_commit_node *node)
{
    struct block block;
    struct xd_args args = {0};
    char nonce[24];
    bool made = block_make(&block, &node->output);
    struct sending *sending = malloc(sizeof *sending);
    enum xd_code code = XD_NO_MEMORY;
    if (sending && made) {
        *sending = (struct sending){.p = p, .serial = p->commit_serial};
        put_node(p, node, &block, &args, nonce);
        code = send_all(p, &args, node->first_event, marks_keys(node), sending);
    }
    if (code != XD_OK) free(sending);
    block_free(&block);
    return code;
}

void xd_redis_go_on_committing(struct xd_rpart *p)
{
    if (p->committing || !p->commits) return;
    struct xd_commit_node *node = p->commits;
    node->sent = true; /* and may be stored, whatever becomes of the answer: nothing joins it any more */
    p->committing = send_node(p, node) == XD_OK;
    if (!p->committing) xd_redis_suspect(p, NULL);
}
