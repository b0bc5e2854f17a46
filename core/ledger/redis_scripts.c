#include "core/ledger/redis_scripts.h"

/* The server draws a replication id when it starts, when it is made master, and for its first replica. The
 * state has the one that the last check found: under any other nothing is written before the partition has
 * been checked. So a fail-over is noticed before anything is built on what it lost, and a caller of a former
 * line of history writes nothing into this one. */
#define CHANGED                                                                                              \
    "local function changed(replid, line, known)\n"                                                          \
    "  if line == known and\n"                                                                               \
    "    replid == string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') then return end\n" \
    "  return redis.error_reply('CHANGED since ' .. known)\n"                                                \
    "end\n"

/* KEYS: state. */
static const char init[] =
    "if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end\n"
    "local replid = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')\n"
    "redis.call('HSET', KEYS[1], 'epoch', 0, 'nonce', '0', 'records', 0, 'last', 0, 'committed', 0, "
    "'events', 0,"
    " 'orders', 0, 'generation', 1, 'oldest', 0, 'log_first', 0, 'replid', replid, 'line', '', 'snapshots', "
    "0,"
    " 'closed', '0-0')\n"
    "return 1\n";

/* KEYS: state, log. ARGV: the line that the caller knows ('': none) and its generation; of the events of that
 * line, how many it has told; who it is, and its last entry that it knows to be stored (0: none); whether the
 * server syncs every write; its address as sentinels name it (''); the time in ms, '' for the server's; the
 * generation that ARGV[10] is of; the record that begins it, as an entry has it. LATER: it is to be of
 * another.
 *
 * A server that was made master since it started has a second replication id. One that has none, whose id is
 * another than it was, has started again, or got its first replica. */
static const char check[] =
    "local s = redis.call('HMGET', KEYS[1], 'generation', 'records', 'committed', 'events', 'oldest', "
    "'last', "
    "'line', 'replid', 'synced', 'place', 'a:' .. ARGV[4])\n"
    "if not s[1] then return redis.error_reply('GONE the partition is not there') end\n"
    "local info = redis.call('INFO', 'replication')\n"
    "if not string.find(info, 'role:master', 1, true) then return redis.error_reply('READONLY it is no "
    "master') end\n"
    "local replid, second = string.match(info, 'master_replid:(%x+)'), string.match(info, "
    "'master_replid2:(%x+)')\n"
    "local before, line = s[8] or '', s[7] or ''\n"
    "local lost = false\n"
    "if before ~= '' and before ~= replid then\n"
    "  lost = not (s[9] == '1' and s[10] == ARGV[7] and string.find(second, '^0*$'))\n"
    "end\n"
    "local stored = s[11] and tonumber(string.match(s[11], '^%d+')) or 0\n"
    "if stored < tonumber(ARGV[5]) then lost = true end\n"
    "if ARGV[1] == line and tonumber(s[4]) < tonumber(ARGV[3]) then lost = true end\n"
    "if ARGV[1] ~= '' and ARGV[1] ~= line and tonumber(ARGV[2]) >= tonumber(s[1]) then lost = true end\n"
    "local t = redis.call('TIME')\n"
    "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
    "if lost then\n"
    "  local next = math.max(tonumber(s[1]), tonumber(ARGV[2])) + 1\n"
    "  if tonumber(ARGV[9]) ~= next then return redis.error_reply('LATER ' .. next) end\n"
    "  local ms = math.max(tonumber(ARGV[8]) or now, tonumber(s[6]))\n"
    "  redis.call('XADD', KEYS[2], string.format('%.0f-%.0f', ms, tonumber(s[2])), 'n', 1, 'b', ARGV[10])\n"
    "  s[1], s[2], s[6], line = next, tonumber(s[2]) + 1, ms, ''\n"
    "  redis.call('HSET', KEYS[1], 'generation', next, 'records', string.format('%.0f', s[2]), 'last',"
    " string.format('%.0f', ms))\n"
    /* numbers that were given out and forgotten are not given again */
    "  redis.call('HINCRBY', KEYS[1], 'orders', 16777216)\n"
    "  redis.call('HINCRBY', KEYS[1], 'snapshots', 16777216)\n"
    "end\n"
    "if line == '' then line = string.format('%.0f-%s', tonumber(s[1]), string.sub(replid, 1, 8)) end\n"
    "if before ~= replid or line ~= s[7] or s[9] ~= ARGV[6] or s[10] ~= ARGV[7] then\n"
    "  redis.call('HSET', KEYS[1], 'replid', replid, 'line', line, 'synced', ARGV[6], 'place', ARGV[7])\n"
    "end\n"
    "return {tonumber(s[1]), tonumber(s[2]), tonumber(s[3]), tonumber(s[4]), tonumber(s[5]), tonumber(s[6]), "
    "now, line}\n";

/* KEYS: state, log. ARGV: who appends; its serial, which rises; number of records; the time in ms, '' for the
 * server's; the records; the line. An appender has one batch under way at a time, so the last serial that it
 * stored tells whether this one is stored already. The first record's offset, its time, and the bytes of the
 * outbox. */
static const char append[] = CHANGED
    "local me = 'a:' .. ARGV[1]\n"
    "local s = redis.call('HMGET', KEYS[1], 'records', 'last', me, 'replid', 'line', 'posted', 'trimmed')\n"
    "if not s[1] then return redis.error_reply('GONE the partition is not there') end\n"
    "local c = changed(s[4], s[5], ARGV[6])\n"
    "if c then return c end\n"
    "local unseen = (s[6] or 0) - (s[7] or 0)\n"
    "if s[3] then\n"
    "  local serial, first, ms = string.match(s[3], '^(%d+) (%d+) (%d+)$')\n"
    "  if tonumber(serial) >= tonumber(ARGV[2]) then return {tonumber(first), tonumber(ms), unseen} end\n"
    "end\n"
    "local ms = tonumber(ARGV[4])\n"
    "if not ms then\n"
    "  local t = redis.call('TIME')\n"
    "  ms = t[1] * 1000 + math.floor(t[2] / 1000)\n"
    "end\n"
    "local first, last = tonumber(s[1]), tonumber(s[2])\n"
    "if ms < last then ms = last end\n"
    "redis.call('XADD', KEYS[2], string.format('%.0f-%.0f', ms, first), 'n', ARGV[3], 'b', ARGV[5])\n"
    "redis.call('HSET', KEYS[1], 'records', string.format('%.0f', first + tonumber(ARGV[3])), 'last',"
    " string.format('%.0f', ms), me, string.format('%s %.0f %.0f', ARGV[2], first, ms))\n"
    "return {first, ms, unseen}\n";

/* KEYS: state, out, outbox, seen, the marks that the events' go into (all are named, so that a cluster whose
 * slot is moving refuses before anything is written). ARGV: epoch, nonce, records committed before and after,
 * events before and after, time of the last record, outcomes, closed refs, the events' marks, the events as a
 * block, the last commit whose closed refs are done, the messages ('': none), what was seen of whom
 * ("partition=generation generation number;" ...), the line, the refusals. FENCED, or done: now, or when it
 * was sent before (nobody else can have committed under this epoch). */
static const char commit[] = CHANGED
    "local s = redis.call('HMGET', KEYS[1], 'epoch', 'nonce', 'committed', 'events', 'records', 'replid', "
    "'line')\n"
    "if not s[1] then return redis.error_reply('GONE the partition is not there') end\n"
    "local c = changed(s[6], s[7], ARGV[15])\n"
    "if c then return c end\n"
    "if s[1] ~= ARGV[1] or s[2] ~= ARGV[2] then return redis.error_reply('FENCED by epoch ' .. s[1]) end\n"
    "if s[3] == ARGV[4] and s[4] == ARGV[6] then return 0 end\n"
    "if s[3] ~= ARGV[3] or s[4] ~= ARGV[5] then return redis.error_reply('FENCED at record ' .. s[3]) end\n"
    "if tonumber(ARGV[4]) > tonumber(s[5]) then return redis.error_reply('FENCED: the log ends before') end\n"
    "redis.call('XADD', KEYS[2], ARGV[6] .. '-' .. ARGV[4], 'p', ARGV[3], 'f', ARGV[5], 't', ARGV[7], 'o', "
    "ARGV[8],"
    " 'c', ARGV[9], 'b', ARGV[11], 'g', ARGV[15], 'r', ARGV[16])\n"
    "if ARGV[13] ~= '' then\n"
    "  local posted = redis.call('HINCRBY', KEYS[1], 'posted', #ARGV[13]) - #ARGV[13]\n"
    "  redis.call('XADD', KEYS[3], ARGV[4] .. '-0', 'm', ARGV[13], 'a', string.format('%.0f', posted))\n"
    "end\n"
    "for from, seen in string.gmatch(ARGV[14], '(%d+)=([%d ]+);') do redis.call('HSET', KEYS[4], from, seen) "
    "end\n"
    "local event, at = ARGV[5] % 65536, 1\n"
    "for i = 5, #KEYS do\n"
    "  local past = at + 4 * (65536 - event)\n"
    "  redis.call('SETRANGE', KEYS[i], 4 * event, string.sub(ARGV[10], at, past - 1))\n"
    "  event, at = 0, past\n"
    "end\n"
    "redis.call('HSET', KEYS[1], 'committed', ARGV[4], 'events', ARGV[6], 'closed', ARGV[12])\n"
    "return 1\n";

/* KEYS: state, lease. ARGV: the process, the lease's length in ms, the nonce, the line. What appenders left
 * an hour ago is removed. */
static const char acquire[] = CHANGED
    "local s = redis.call('HMGET', KEYS[1], 'records', 'committed', 'events', 'last', 'closed', 'replid', "
    "'line')\n"
    "if not s[1] then return redis.error_reply('GONE the partition is not there') end\n"
    "local c = changed(s[6], s[7], ARGV[4])\n"
    "if c then return c end\n"
    "local holder = redis.call('GET', KEYS[2])\n"
    "if holder and holder ~= ARGV[1] then return {0, redis.call('PTTL', KEYS[2])} end\n"
    "redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])\n"
    "local fields = redis.call('HGETALL', KEYS[1])\n"
    "for i = 1, #fields, 2 do\n"
    "  local ms = string.sub(fields[i], 1, 2) == 'a:' and string.match(fields[i + 1], '(%d+)$')\n"
    "  if ms and tonumber(ms) < tonumber(s[4]) - 3600000 then redis.call('HDEL', KEYS[1], fields[i]) end\n"
    "end\n"
    "redis.call('HSET', KEYS[1], 'nonce', ARGV[3])\n"
    "return {redis.call('HINCRBY', KEYS[1], 'epoch', 1), tonumber(s[1]), tonumber(s[2]), tonumber(s[3]), "
    "tonumber(s[4]), s[5]}\n";

/* KEYS: state, lease. ARGV: the process, the lease's length in ms, epoch, nonce. The server's time in ms; 0: it is not
 * the caller's. */
static const char renew[] = "local s = redis.call('HMGET', KEYS[1], 'epoch', 'nonce')\n"
                            "if s[1] ~= ARGV[3] or s[2] ~= ARGV[4] then return 0 end\n"
                            "redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])\n"
                            "local t = redis.call('TIME')\n"
                            "return t[1] * 1000 + math.floor(t[2] / 1000)\n";

/* KEYS: state, lease. ARGV: epoch, nonce, the channel that is told ('': none), what it is told. */
static const char release[] = "local s = redis.call('HMGET', KEYS[1], 'epoch', 'nonce')\n"
                              "if s[1] ~= ARGV[1] or s[2] ~= ARGV[2] then return 0 end\n"
                              "redis.call('HSET', KEYS[1], 'nonce', '0')\n"
                              "redis.call('DEL', KEYS[2])\n"
                              "if ARGV[3] ~= '' then redis.call('PUBLISH', ARGV[3], ARGV[4]) end\n"
                              "return 1\n";

/* KEYS: state, log. ARGV: the entry to begin with, the first record wanted, bytes. Entries, after four
 * numbers and the line. */
static const char read_log[] =
    "local s = redis.call('HMGET', KEYS[1], 'committed', 'events', 'log_first', 'records', 'line')\n"
    "if not s[1] then return redis.error_reply('GONE the partition is not there') end\n"
    "local result = {tonumber(s[1]), tonumber(s[2]), tonumber(s[3]), tonumber(s[4]), s[5] or ''}\n"
    "local start, from, max, bytes, seen = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), 0, 0\n"
    "while bytes < max and seen < 65536 do\n"
    "  local entries = redis.call('XRANGE', KEYS[2], start, '+', 'COUNT', 16)\n"
    "  for _, e in ipairs(entries) do\n"
    "    local ms, first = string.match(e[1], '^(%d+)-(%d+)$')\n"
    "    seen = seen + 1\n"
    "    if first + e[2][2] > from and bytes < max then\n"
    "      bytes = bytes + #e[2][4]\n"
    "      table.insert(result, ms); table.insert(result, first)\n"
    "      table.insert(result, e[2][2]); table.insert(result, e[2][4])\n"
    "    end\n"
    "    start = '(' .. e[1]\n"
    "  end\n"
    "  if #entries < 16 then break end\n"
    "end\n"
    "return result\n";

/* KEYS: state, out. ARGV: the first event wanted, bytes, the account's mark ('': all accounts), the prefix of
 * the marks, the first event that is not to be told yet ('': none is). Oldest, head, where to go on, the
 * line, then of each commit that has such an event the first event and the block. As many commits as have so
 * many bytes before they are compressed, and the marks of four strings, are looked at. */
static const char read_events[] =
    "local s = redis.call('HMGET', KEYS[1], 'oldest', 'events', 'line')\n"
    "if not s[1] then return redis.error_reply('GONE the partition is not there') end\n"
    "local oldest, head, max, mark = tonumber(s[1]), tonumber(s[2]), tonumber(ARGV[2]), ARGV[3]\n"
    "local marks, base, past, read = '', 0, 0, 0\n" /* the marks of the events from base until past */
    "local function find(event)\n"
    "  while event < head do\n"
    "    if event >= past then\n"
    "      if read == 4 then return event, false end\n"
    "      base, past, read = event, event - event % 65536 + 65536, read + 1\n"
    "      local key = string.format('%s%.0f', ARGV[4], past / 65536 - 1)\n"
    "      marks = redis.call('GETRANGE', key, 4 * (event % 65536), -1)\n"
    "    end\n"
    "    local at = string.find(marks, mark, 4 * (event - base) + 1, true)\n"
    "    event = at and base + math.ceil((at - 1) / 4) or past\n"
    "    if at and at % 4 == 1 and event < head then return event, true end\n"
    "  end\n"
    "  return head, false\n"
    "end\n"
    "local event, bytes, found = math.max(tonumber(ARGV[1]), oldest), 0, true\n"
    "local result = {oldest, head, 0, s[3] or ''}\n"
    "head = math.min(head, tonumber(ARGV[5]) or head)\n"
    "while bytes < max and event < head do\n"
    "  if mark ~= '' then event, found = find(event) end\n"
    "  if not found then break end\n"
    "  local e = redis.call('XRANGE', KEYS[2], string.format('%.0f-0', event + 1), '+', 'COUNT', 1)[1]\n"
    "  if not e then break end\n"
    "  local f = {}\n"
    "  for i = 1, #e[2], 2 do f[e[2][i]] = e[2][i + 1] end\n"
    "  table.insert(result, tonumber(f.f)); table.insert(result, f.b)\n"
    "  bytes, event = bytes + struct.unpack('<I4', f.b), tonumber(string.match(e[1], '^%d+'))\n"
    "end\n"
    "result[3] = event\n"
    "return result\n";

/* KEYS: state, log, out. ARGV: epoch, nonce, number, records and events before it, bytes, pieces, whether the
 * log is kept, the prefix of pieces, the line. Pieces expire unless this keeps them. The commit at or before
 * the snapshot says when the last record before it was. */
static const char save_snapshot[] = CHANGED
    "local s = redis.call('HMGET', KEYS[1], 'epoch', 'nonce', 'committed', 'snap', 'snap_pieces', "
    "'snap_record', 'replid', 'line')\n"
    "if not s[1] then return redis.error_reply('GONE the partition is not there') end\n"
    "local c = changed(s[7], s[8], ARGV[10])\n"
    "if c then return c end\n"
    "if s[1] ~= ARGV[1] or s[2] ~= ARGV[2] then return redis.error_reply('FENCED by epoch ' .. s[1]) end\n"
    "if tonumber(s[3]) < tonumber(ARGV[4]) or tonumber(s[6] or '0') > tonumber(ARGV[4]) then\n"
    "  return redis.error_reply('FENCED at record ' .. s[3])\n"
    "end\n"
    "for i = 0, ARGV[7] - 1 do\n"
    "  if redis.call('PERSIST', ARGV[9] .. ARGV[3] .. ':' .. i) == 0 then\n"
    "    return redis.error_reply('LATE: a piece has expired')\n"
    "  end\n"
    "end\n"
    "local ms, mark = '0', '0'\n"
    "local e = redis.call('XREVRANGE', KEYS[3], ARGV[5] .. '-' .. ARGV[4], '-', 'COUNT', 1)[1]\n"
    "if e then\n"
    "  mark = string.match(e[1], '-(%d+)$')\n"
    "  for i = 1, #e[2], 2 do if e[2][i] == 't' then ms = e[2][i + 1] end end\n"
    "end\n"
    "redis.call('HSET', KEYS[1], 'snap', ARGV[3], 'snap_record', ARGV[4], 'snap_event', ARGV[5], "
    "'snap_bytes', ARGV[6],"
    " 'snap_pieces', ARGV[7], 'snap_ms', ms, 'snap_mark', mark)\n"
    "if ARGV[8] == '0' and ms ~= '0' then\n"
    "  redis.call('XTRIM', KEYS[2], 'MINID', ms .. '-' .. mark)\n"
    "  local left = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]\n"
    "  local first = left and string.match(left[1], '-(%d+)$') or redis.call('HGET', KEYS[1], 'records')\n"
    "  redis.call('HSET', KEYS[1], 'log_first', first)\n"
    "end\n"
    "if s[4] and s[4] ~= ARGV[3] then\n"
    "  for i = 0, s[5] - 1 do redis.call('UNLINK', ARGV[9] .. s[4] .. ':' .. i) end\n"
    "end\n"
    "return 1\n";

/* KEYS: state, out. ARGV: events whose last record is older than this ms go; the prefix of the marks. Up to
 * 16 commits. */
static const char trim_events[] =
    "local last\n"
    "for _, e in ipairs(redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 16)) do\n"
    "  local f = {}\n"
    "  for i = 1, #e[2], 2 do f[e[2][i]] = e[2][i + 1] end\n"
    "  if tonumber(f.t) >= tonumber(ARGV[1]) then break end\n"
    "  last = e[1]\n"
    "end\n"
    "if not last then return -1 end\n"
    "local events, records = string.match(last, '^(%d+)-(%d+)$')\n"
    "redis.call('XTRIM', KEYS[2], 'MINID', string.format('%s-%.0f', events, records + 1))\n"
    "local oldest = redis.call('HGET', KEYS[1], 'oldest')\n"
    "for i = math.floor(oldest / 65536), math.floor(events / 65536) - 1 do\n"
    "  redis.call('UNLINK', string.format('%s%.0f', ARGV[2], i))\n"
    "end\n"
    "redis.call('HSET', KEYS[1], 'oldest', events)\n"
    "return tonumber(events)\n";

/* KEYS: state. ARGV: the line, what is counted, how many are taken. The last of them. */
static const char count[] = CHANGED "local s = redis.call('HMGET', KEYS[1], 'replid', 'line')\n"
                                    "local c = changed(s[1], s[2], ARGV[1])\n"
                                    "return c or redis.call('HINCRBY', KEYS[1], ARGV[2], ARGV[3])\n";

/* KEYS: state. ARGV: the line. */
static const char look[] = CHANGED "local s = redis.call('HMGET', KEYS[1], 'replid', 'line')\n"
                                   "return changed(s[1], s[2], ARGV[1]) or 1\n";

/* KEYS: state, outbox. ARGV: the line, the first entry that stays. */
static const char trim_outbox[] =
    CHANGED "local s = redis.call('HMGET', KEYS[1], 'replid', 'line', 'posted')\n"
            "local c = changed(s[1], s[2], ARGV[1])\n"
            "if c then return c end\n"
            "local gone = redis.call('XTRIM', KEYS[2], 'MINID', ARGV[2])\n"
            "local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]\n"
            "local at = first and first[2][4] or not first and s[3]\n"
            "if at then redis.call('HSET', KEYS[1], 'trimmed', at) end\n"
            "return gone\n";

/* KEYS: the ref. ARGV: the order's id, as the ref holds it. */
static const char free_ref[] =
    "local v = redis.call('GET', KEYS[1])\n"
    "if v and string.sub(v, 1, 8) == ARGV[1] then return redis.call('DEL', KEYS[1]) end\n"
    "return 0\n";

void xd_redis_scripts_init(struct xd_redis_scripts *scripts)
{
    xd_redis_script_init(&scripts->init, init);
    xd_redis_script_init(&scripts->check, check);
    xd_redis_script_init(&scripts->append, append);
    xd_redis_script_init(&scripts->commit, commit);
    xd_redis_script_init(&scripts->acquire, acquire);
    xd_redis_script_init(&scripts->renew, renew);
    xd_redis_script_init(&scripts->release, release);
    xd_redis_script_init(&scripts->read_log, read_log);
    xd_redis_script_init(&scripts->read_events, read_events);
    xd_redis_script_init(&scripts->save_snapshot, save_snapshot);
    xd_redis_script_init(&scripts->trim_events, trim_events);
    xd_redis_script_init(&scripts->count, count);
    xd_redis_script_init(&scripts->look, look);
    xd_redis_script_init(&scripts->trim_outbox, trim_outbox);
    xd_redis_script_init(&scripts->free_ref, free_ref);
}
