-- Restore an order from the ledger, unless there is a record of it.
--
-- KEYS  1 order hash      2 leaving sorted set        3 orders sorted set      4 due sorted set
--       5 live set        6 exchange ids hash       7 mended string        8 accounts set
-- ARGV  1 order id        2 version        3 revision       4 state      5 account      6 symbol
--       7 order as JSON   8 created, µs    9 "1" while live, to be looked at now
--      10 now, ms        11 field among the exchange ids, or ""       12 when it may leave, ms, or ""
-- Returns 1 if it was restored.

if redis.call('HEXISTS', KEYS[1], 'doc') == 1 then
  return 0
end
if redis.call('ZSCORE', KEYS[3], ARGV[1]) then
  -- It did not leave: its record was lost, perhaps with fills that are in the position but not in
  -- the ledger. The whole store has to be checked.
  redis.call('DEL', KEYS[7])
end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'revision', ARGV[3], 'state', ARGV[4],
  'account', ARGV[5], 'symbol', ARGV[6], 'doc', ARGV[7])
redis.call('PERSIST', KEYS[1])
redis.call('ZADD', KEYS[3], ARGV[8], ARGV[1])
if ARGV[9] == '1' then
  redis.call('SADD', KEYS[5], ARGV[1])
  if redis.call('SADD', KEYS[8], ARGV[5]) == 1 then
    -- The account's first order: from here on the loss of its indexes is detected; see
    -- redis/repair.py.
    redis.call('SADD', KEYS[5], '-')
    redis.call('HSET', KEYS[6], '-', '')
  end
  redis.call('ZADD', KEYS[4], ARGV[10], ARGV[1])
end
if ARGV[11] ~= '' then
  redis.call('HSETNX', KEYS[6], ARGV[11], ARGV[1])
end
if ARGV[12] ~= '' then
  redis.call('ZADD', KEYS[2], ARGV[12], ARGV[1])
end
return 1
