-- Take waiting intents that are due; they become due again after the lease.
--
-- KEYS  1 waiting hash      2 waiting due sorted set
-- ARGV  1 now, ms      2 how many at most      3 lease, ms
--       4 what is due later than this from now, ms, was written before the clock was set back
-- Returns entry ids and what the hash says of them, in turns.

if redis.call('HLEN', KEYS[1]) ~= redis.call('ZCARD', KEYS[2]) then
  -- A lost index is rebuilt: waiting intents must not wait forever.
  for _, entry_id in ipairs(redis.call('HKEYS', KEYS[1])) do
    redis.call('ZADD', KEYS[2], 'NX', ARGV[1], entry_id)
  end
end
local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
local rest = tonumber(ARGV[2]) - #due
local latest = string.format('(%.0f', tonumber(ARGV[1]) + tonumber(ARGV[4]))
for _, entry_id in ipairs(redis.call('ZREVRANGEBYSCORE', KEYS[2], '+inf', latest, 'LIMIT', 0, rest)) do
  due[#due + 1] = entry_id
end
local found = {}
for _, entry_id in ipairs(due) do
  local text = redis.call('HGET', KEYS[1], entry_id)
  if text then
    redis.call('ZADD', KEYS[2], tonumber(ARGV[1]) + tonumber(ARGV[3]), entry_id)
    found[#found + 1] = entry_id
    found[#found + 1] = text
  else
    redis.call('ZREM', KEYS[2], entry_id)
  end
end
return found
