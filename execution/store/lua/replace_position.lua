-- Replace a position by a recomputed one.
--
-- KEYS  1 position hash      2 positions set      3 position versions hash
-- ARGV  1 version and revision before ("0 ": not there)      2 version after
--       3.. fields and values of the position
-- Returns 1 if the position still was as it was before, else 0 and nothing is changed.

local held = redis.call('HMGET', KEYS[1], 'version', 'revision')
if (held[1] or '0') .. ' ' .. (held[2] or '') ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('SADD', KEYS[2], KEYS[1])
redis.call('HSET', KEYS[3], KEYS[1], ARGV[2])
return 1
