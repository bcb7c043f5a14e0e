"""Calls of `rsmq` as scripts of Redis: each does in one step what the package does in two exchanges.

So no queue can vanish between the two, and no message is left behind by a queue that did. KEYS are the sorted set of a queue and its hash.
"""

_ATTRIBUTES = """
local q = redis.call('HMGET', KEYS[2], 'vt', 'delay', 'maxsize')
if not (q[1] and q[2] and q[3]) then return redis.error_reply('queueNotFound') end
local t = redis.call('TIME')
local us = string.format('%06d', t[2])
local now = tonumber(t[1] .. string.sub(us, 1, 3))
"""

_VISIBLE = (
    _ATTRIBUTES
    + """
local msg = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, 1)
if #msg == 0 then
    local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
    return {first[2] and string.format('%.0f', tonumber(first[2]) - now) or ''}
end
local id = msg[1]
redis.call('HINCRBY', KEYS[2], 'totalrecv', 1)
local body = redis.call('HGET', KEYS[2], id)
local rc = redis.call('HINCRBY', KEYS[2], id .. ':rc', 1)
local fr = string.format('%.0f', now)
if rc ~= 1 then fr = redis.call('HGET', KEYS[2], id .. ':fr') end
"""
)

# ARGV: the delay or '', the random part of the id, the body, its size in UTF-16 units, the channel of news or ''.
SEND = (
    _ATTRIBUTES
    + """
if tonumber(q[3]) ~= -1 and tonumber(ARGV[4]) > tonumber(q[3]) then return redis.error_reply('messageTooLong') end
local n, digits, uid = tonumber(t[1] .. us), '0123456789abcdefghijklmnopqrstuvwxyz', ''
while n > 0 do
    local d = n % 36
    uid = string.sub(digits, d + 1, d + 1) .. uid
    n = (n - d) / 36
end
uid = uid .. ARGV[2]
local delay = ARGV[1] ~= '' and tonumber(ARGV[1]) or tonumber(q[2])
redis.call('ZADD', KEYS[1], string.format('%.0f', now + delay * 1000), uid)
redis.call('HSET', KEYS[2], uid, ARGV[3])
redis.call('HINCRBY', KEYS[2], 'totalsent', 1)
if ARGV[5] ~= '' then redis.call('PUBLISH', ARGV[5], redis.call('ZCARD', KEYS[1])) end
return uid
"""
)

# ARGV: the visibility time-out or ''.
RECEIVE = (
    _VISIBLE
    + """
local vt = ARGV[1] ~= '' and tonumber(ARGV[1]) or tonumber(q[1])
redis.call('ZADD', KEYS[1], string.format('%.0f', now + vt * 1000), id)
if rc == 1 then redis.call('HSET', KEYS[2], id .. ':fr', fr) end
return {id, body, rc, fr}
"""
)

POP = (
    _VISIBLE
    + """
redis.call('ZREM', KEYS[1], id)
redis.call('HDEL', KEYS[2], id, id .. ':rc', id .. ':fr')
return {id, body, rc, fr}
"""
)

# ARGV: the id, the visibility time-out.
CHANGE_VISIBILITY = (
    _ATTRIBUTES
    + """
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[2]) * 1000), ARGV[1])
return 1
"""
)

DELETE = """
local found = redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1], ARGV[1] .. ':rc', ARGV[1] .. ':fr')
return found
"""

# KEYS: also the set of queues. ARGV: name, vt, delay, maxsize.
CREATE = """
if redis.call('HSETNX', KEYS[2], 'vt', ARGV[2]) == 0 then return redis.error_reply('queueExists') end
local now = redis.call('TIME')[1]
redis.call('HSET', KEYS[2], 'delay', ARGV[3], 'maxsize', ARGV[4], 'created', now, 'modified', now)
redis.call('SADD', KEYS[3], ARGV[1])
return 1
"""

DROP = """
local found = redis.call('DEL', KEYS[2], KEYS[1])
redis.call('SREM', KEYS[3], ARGV[1])
if found == 0 then return redis.error_reply('queueNotFound') end
return 1
"""

# ARGV: names and values in turn.
SET_ATTRIBUTES = (
    _ATTRIBUTES
    + """
redis.call('HSET', KEYS[2], 'modified', t[1], unpack(ARGV))
return 1
"""
)

ATTRIBUTES = (
    _ATTRIBUTES
    + """
local a = redis.call('HMGET', KEYS[2], 'vt', 'delay', 'maxsize', 'totalrecv', 'totalsent', 'created', 'modified')
a[8] = redis.call('ZCARD', KEYS[1])
a[9] = redis.call('ZCOUNT', KEYS[1], t[1] .. '000', '+inf')
for i = 4, 5 do a[i] = a[i] or '0' end
return a
"""
)
