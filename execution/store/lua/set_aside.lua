-- Move an intent from the stream to the waiting ones, or change the reason of a waiting one.
--
-- KEYS  1 signals stream      2 waiting hash      3 waiting due sorted set
-- ARGV  1 entry id     2 since when, ms     3 intent and reason as JSON     4 due, ms
-- Returns 1, or 0 if there is no such intent any more.

local held = redis.call('HGET', KEYS[2], ARGV[1])
local since = ARGV[2]
if held then
  since = string.match(held, '^%d+')
elseif #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[1], since .. ' ' .. ARGV[3])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
redis.call('XDEL', KEYS[1], ARGV[1])
return 1
