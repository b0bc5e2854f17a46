#include "core/cluster/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* KEYS: members, names, draining. Id, name, age and whether it drains, of each. */
static const char members_script[] =
    "local t = redis.call('TIME')\n"
    "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
    "local result, list = {}, redis.call('ZRANGE', KEYS[1], 0, 63, 'WITHSCORES')\n"
    "for i = 1, #list, 2 do\n"
    "  table.insert(result, list[i]); table.insert(result, redis.call('HGET', KEYS[2], list[i]) or '')\n"
    "  table.insert(result, now - list[i + 1]); table.insert(result, redis.call('SISMEMBER', KEYS[3], "
    "list[i]))\n"
    "end\n"
    "return result\n";

/* KEYS: state, lease, log, out (of the ledger: redis_scripts.h). The record behind the last committed one has
 * waited longest; the time of the last commit says where to look for it. */
static const char partition_script[] =
    "local s = redis.call('HMGET', KEYS[1], 'epoch', 'generation', 'records', 'committed', 'events')\n"
    "local lag = 0\n"
    "if s[3] and s[3] ~= s[4] then\n"
    "  local start = '-'\n"
    "  local e = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)[1]\n"
    "  if e then for i = 1, #e[2], 2 do if e[2][i] == 't' then start = e[2][i + 1] .. '-' .. s[4] end end "
    "end\n"
    "  local r = redis.call('XRANGE', KEYS[3], start, '+', 'COUNT', 1)[1]\n"
    "  local t = redis.call('TIME')\n"
    "  if r then lag = t[1] * 1000 + math.floor(t[2] / 1000) - string.match(r[1], '^%d+') end\n"
    "end\n"
    "return {redis.call('GET', KEYS[2]) or '', redis.call('PTTL', KEYS[2]), s[1] or '0', s[2] or '0', s[3] "
    "or '0',"
    " s[4] or '0', s[5] or '0', lag}\n";

/* KEYS: members, draining. ARGV: the member, the channel that tells of it. */
static const char drain_script[] = "if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end\n"
                                   "redis.call('SADD', KEYS[2], ARGV[1])\n"
                                   "redis.call('PUBLISH', ARGV[2], 'members')\n"
                                   "return 1\n";

static const char *text_at(const redisReply *reply, size_t i)
{
    return i < reply->elements && reply->element[i]->type == REDIS_REPLY_STRING ? reply->element[i]->str : "";
}

static int64_t number_at(const redisReply *reply, size_t i)
{
    return i < reply->elements && reply->element[i]->type == REDIS_REPLY_INTEGER ? reply->element[i]->integer
                                                                                 : 0;
}

int xd_cluster_member_status(struct xd_cluster *cluster, struct xd_member_status out[static XD_MEMBERS_MAX],
                             struct xd_error *error)
{
    const char *argv[] = {"EVAL", members_script, "3", "{xd}:members", "{xd}:names", "{xd}:draining"};
    redisReply *reply = xd_cluster_ask(cluster, "{xd}:members", 6, argv, error);
    if (!reply) return -1;
    int count = 0;
    for (size_t i = 0; i + 3 < reply->elements && count < XD_MEMBERS_MAX; i += 4) {
        struct xd_member_status *member = &out[count++];
        member->id = strtoull(text_at(reply, i), NULL, 16);
        snprintf(member->name, sizeof(member->name), "%s", text_at(reply, i + 1));
        member->age_ms = number_at(reply, i + 2);
        member->draining = number_at(reply, i + 3) != 0;
    }
    freeReplyObject(reply);
    return count;
}

bool xd_cluster_partition_status(struct xd_cluster *cluster, uint16_t partition,
                                 struct xd_partition_status *out, struct xd_error *error)
{
    static const char *const names[] = {"state", "lease", "log", "out"};
    char keys[4][32];
    const char *argv[] = {"EVAL", partition_script, "4", keys[0], keys[1], keys[2], keys[3]};
    for (int i = 0; i < 4; i++)
        snprintf(keys[i], sizeof(keys[i]), "xd:{p%u}:%s", (unsigned)partition, names[i]);
    redisReply *reply = xd_cluster_ask(cluster, keys[0], 7, argv, error);
    if (!reply) return false;
    *out = (struct xd_partition_status){.owner = strtoull(text_at(reply, 0), NULL, 16),
                                        .lease_ms = number_at(reply, 1),
                                        .epoch = strtoull(text_at(reply, 2), NULL, 10),
                                        .generation = (uint32_t)strtoul(text_at(reply, 3), NULL, 10),
                                        .records = strtoull(text_at(reply, 4), NULL, 10),
                                        .committed = strtoull(text_at(reply, 5), NULL, 10),
                                        .events = strtoull(text_at(reply, 6), NULL, 10),
                                        .lag_ms = number_at(reply, 7)};
    freeReplyObject(reply);
    return true;
}

bool xd_cluster_drain(struct xd_cluster *cluster, uint64_t member, struct xd_error *error)
{
    char id[24], channel[XD_REDIS_CHANNEL_MAX + 1];
    snprintf(id, sizeof(id), "%016" PRIx64, member);
    xd_cluster_channel(cluster, "members", channel);
    const char *argv[] = {"EVAL", drain_script, "2", "{xd}:members", "{xd}:draining", id, channel};
    redisReply *reply = xd_cluster_ask(cluster, "{xd}:members", 7, argv, error);
    if (!reply) return false;
    bool found = reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
    freeReplyObject(reply);
    return found || xd_fail(error, XD_NOT_FOUND, "member", "there is no such member");
}
