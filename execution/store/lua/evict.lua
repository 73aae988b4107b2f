-- Remove an archived order; its id is remembered for a while, so that a repeated signal does not
-- make a second order.
--
-- KEYS  1 order hash      2 unarchived sorted set     3 leaving sorted set     4 orders sorted set
--       5 due sorted set  6 live set                  7 exchange ids hash
-- ARGV  1 order id      2 field among the exchange ids, or ""      3 how long it is remembered, s
-- Returns 1 if it left, 0 if it has changed since it was archived.

redis.call('ZREM', KEYS[3], ARGV[1])
if redis.call('ZSCORE', KEYS[2], ARGV[1]) or redis.call('SISMEMBER', KEYS[6], ARGV[1]) == 1 then
  return 0
end
redis.call('HDEL', KEYS[1], 'doc', 'account', 'symbol', 'state')
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
if ARGV[2] ~= '' then
  redis.call('HDEL', KEYS[7], ARGV[2])
end
return 1
