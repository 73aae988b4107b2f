-- One atomic step of one arbitrage, with the orders that it journals: all of it or nothing.
--
-- KEYS  1 arbitrage hash       2 arbitrages sorted set     3 arbitrages due sorted set
--       4 signals stream       5 halts hash                6 orders due sorted set
--       7 orders sorted set    8 unarchived sorted set     9 epoch string
--      10 accounts set       11 commits counter
--      12.. for each order: its hash, its account's live set and exchange ids hash, its account's
--           hold string, and the hold string of the address that it is sent to
-- ARGV  1 arbitrage id         2 version and revision before ("0 ": not there)
--       3 version after        4 revision after            5 state        6 arbitrage as JSON
--       7 created, µs          8 due, ms, or ""            9 stream entry or ""
--      10 name of the epoch that the writer knows, or "" for any
--      11 how long the record is kept from now, s, or "" for ever
--      12 how many orders      13 how many commits the writer knows of
--      14.. for each order: id, version, revision, state, account, symbol, order as JSON,
--           created µs, due ms, "1" if an attempt begins
-- Returns "done" and how many commits there were, or "conflict", "held", "halted" or "restarted",
-- each of which has changed nothing.

local ORDER_KEYS, ORDER_ARGS = 5, 10
local held = redis.call('HMGET', KEYS[1], 'version', 'revision')
if (held[1] or '0') .. ' ' .. (held[2] or '') ~= ARGV[2] then
  return 'conflict'
end
if ARGV[10] ~= '' then
  local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  local is_of_run = string.sub(ARGV[10], 1, #run_id) == run_id
  if redis.call('GET', KEYS[9]) ~= ARGV[10] or not is_of_run
    or tonumber(redis.call('GET', KEYS[11]) or '0') < tonumber(ARGV[13]) then
    return 'restarted'
  end
end
local orders = {}
for i = 1, tonumber(ARGV[12]) do
  local key, arg = 12 + (i - 1) * ORDER_KEYS, 14 + (i - 1) * ORDER_ARGS
  orders[i] = { hash = KEYS[key], live = KEYS[key + 1], arg = arg,
    exchange_ids = KEYS[key + 2], account_hold = KEYS[key + 3], address_hold = KEYS[key + 4] }
end
for _, order in ipairs(orders) do
  if redis.call('EXISTS', order.hash) == 1 or redis.call('ZSCORE', KEYS[7], ARGV[order.arg]) then
    return 'conflict'
  end
  if ARGV[order.arg + 9] == '1' then
    local account = ARGV[order.arg + 4]
    if redis.call('HEXISTS', KEYS[5], '*') == 1 or redis.call('HEXISTS', KEYS[5], account) == 1 then
      return 'halted'
    end
    if redis.call('EXISTS', order.account_hold, order.address_hold) > 0 then
      return 'held'
    end
  end
end

redis.call('HSET', KEYS[1], 'version', ARGV[3], 'revision', ARGV[4], 'state', ARGV[5], 'doc',
  ARGV[6])
redis.call('ZADD', KEYS[2], ARGV[7], ARGV[1])
if ARGV[8] == '' then
  redis.call('ZREM', KEYS[3], ARGV[1])
else
  redis.call('ZADD', KEYS[3], ARGV[8], ARGV[1])
end
if ARGV[9] ~= '' then
  -- The id is from an untrusted message; one of no entry has no effect.
  redis.pcall('XDEL', KEYS[4], ARGV[9])
end
if ARGV[11] == '' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('EXPIRE', KEYS[1], ARGV[11])
end
for _, order in ipairs(orders) do
  local arg = order.arg
  redis.call('HSET', order.hash, 'version', ARGV[arg + 1], 'revision', ARGV[arg + 2],
    'state', ARGV[arg + 3], 'account', ARGV[arg + 4], 'symbol', ARGV[arg + 5],
    'doc', ARGV[arg + 6])
  redis.call('ZADD', KEYS[7], ARGV[arg + 7], ARGV[arg])
  redis.call('ZADD', KEYS[8], ARGV[arg + 7], ARGV[arg])
  redis.call('ZADD', KEYS[6], ARGV[arg + 8], ARGV[arg])
  redis.call('SADD', order.live, ARGV[arg])
  if redis.call('SADD', KEYS[10], ARGV[arg + 4]) == 1 then
    -- The account's first order: from here on the loss of its indexes is detected; see
    -- redis/repair.py.
    redis.call('SADD', order.live, '-')
    redis.call('HSET', order.exchange_ids, '-', '')
  end
end
return 'done ' .. redis.call('INCR', KEYS[11])
