-- Take due orders; they become due again after the lease, since the process that takes them may
-- end.
--
-- KEYS  1 due sorted set
-- ARGV  1 now, ms      2 how many at most      3 lease, ms
--       4 what is due later than this from now, ms, was written before the clock was set back
-- Returns the order ids.

local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
local rest = tonumber(ARGV[2]) - #due
local latest = string.format('(%.0f', tonumber(ARGV[1]) + tonumber(ARGV[4]))
-- The member that is never due marks that the set was not lost.
for _, order_id in ipairs(redis.call('ZREVRANGEBYSCORE', KEYS[1], '(+inf', latest, 'LIMIT', 0, rest)) do
  due[#due + 1] = order_id
end
for _, order_id in ipairs(due) do
  redis.call('ZADD', KEYS[1], 'XX', tonumber(ARGV[1]) + tonumber(ARGV[3]), order_id)
end
return due
