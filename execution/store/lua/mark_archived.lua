-- Record that the ledger has the current version of an order. One that has changed since stays on
-- the list, or is put on it again: the change may have been archived before this older version.
--
-- KEYS  1 order hash         2 unarchived sorted set            3 leaving sorted set
-- ARGV  1 order id      2 version and revision that the ledger has      3 when it may leave, ms, or ""
--       4 created, µs
-- Returns 1 if it was still that order.

local held = redis.call('HMGET', KEYS[1], 'version', 'revision')
if (held[1] or '0') .. ' ' .. (held[2] or '') ~= ARGV[2] then
  if redis.call('HEXISTS', KEYS[1], 'doc') == 1 then
    redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
  end
  return 0
end
redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[3] == '' then
  redis.call('ZREM', KEYS[3], ARGV[1])
else
  redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
end
return 1
