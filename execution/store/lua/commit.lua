-- One atomic step of one order, with the position that its new fills change.
--
-- KEYS  1 order hash          2 position hash       3 due sorted set      4 orders sorted set
--       5 live set            6 exchange ids hash   7 hold string         8 signals stream
--       9 positions set      10 unarchived sorted set                  11 halts hash
--      12 position versions hash                  13 epoch string          14 mended string
--      15 accounts set      16 commits counter
--      17 hold string of the address that an attempt goes to
-- ARGV  1 order id            2 version and revision before ("0 ": not there)      3 version after
--       4 state               5 account             6 symbol              7 order as JSON
--       8 created, µs         9 due, ms, or ""     10 "1" while live     11 exchange id field or ""
--      12 stream entry or "" 13 name of the epoch that the writer knows, or "" for any
--      14 "1" if an attempt begins, which must not be while the account or the address is held
--      15 revision after     16 "1" if the order is made of a signal, so that it must be new
--      17 how many commits the writer knows of
--      18 version and revision of the position before, or "" for no change
--      19 version of the position after     20.. fields and values that the position gets
-- Returns "done" and how many commits there were, or "conflict", "held", "halted" or "restarted",
-- each of which has changed nothing.

local function token(key)
  local held = redis.call('HMGET', key, 'version', 'revision')
  return (held[1] or '0') .. ' ' .. (held[2] or '')
end

local is_new = ARGV[2] == '0 '
if token(KEYS[1]) ~= ARGV[2] then
  return 'conflict'
end
if not is_new and redis.call('HEXISTS', KEYS[1], 'doc') == 0 then
  -- The marker of an order that has left is not a record, although it has the same version.
  return 'conflict'
end
local is_lost = is_new and redis.call('ZSCORE', KEYS[4], ARGV[1])
if is_lost and ARGV[16] == '1' then
  -- There was such an order: its record is lost, and must not pass for one that never existed.
  return 'conflict'
end
-- With fewer commits than known, it is the same server restored to an earlier state.
local is_older = tonumber(redis.call('GET', KEYS[16]) or '0') < tonumber(ARGV[17])
if ARGV[13] ~= '' then
  -- A server that was emptied is the same run, and has lost as much as one that restarted.
  local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  local is_of_run = string.sub(ARGV[13], 1, #run_id) == run_id
  if redis.call('GET', KEYS[13]) ~= ARGV[13] or not is_of_run or is_older then
    return 'restarted'
  end
end
if ARGV[14] == '1' then
  if redis.call('HEXISTS', KEYS[11], '*') == 1 or redis.call('HEXISTS', KEYS[11], ARGV[5]) == 1 then
    return 'halted'
  end
  if redis.call('EXISTS', KEYS[7], KEYS[17]) > 0 then
    return 'held'
  end
end
if ARGV[18] ~= '' then
  if token(KEYS[2]) ~= ARGV[18] then
    return 'conflict'
  end
  local written = redis.call('HGET', KEYS[12], KEYS[2])
  if written and written ~= string.match(ARGV[18], '^%d+') then
    -- The position was lost, and now starts from zero: the whole store has to be checked.
    redis.call('DEL', KEYS[14])
  end
  redis.call('HSET', KEYS[2], unpack(ARGV, 20))
  redis.call('SADD', KEYS[9], KEYS[2])
  redis.call('HSET', KEYS[12], KEYS[2], ARGV[19])
end

redis.call('HSET', KEYS[1], 'version', ARGV[3], 'revision', ARGV[15], 'state', ARGV[4],
  'account', ARGV[5], 'symbol', ARGV[6], 'doc', ARGV[7])
if is_lost or is_older then
  -- Its fills are read again, and may be in the position already: the whole store has to be
  -- checked.
  redis.call('DEL', KEYS[14])
end
if is_new then
  redis.call('ZADD', KEYS[4], ARGV[8], ARGV[1])
  if ARGV[12] ~= '' then
    -- The id is from an untrusted message; one of no entry has no effect.
    redis.pcall('XDEL', KEYS[8], ARGV[12])
  end
end
redis.call('ZADD', KEYS[10], ARGV[8], ARGV[1])
if ARGV[9] == '' then
  redis.call('ZREM', KEYS[3], ARGV[1])
else
  redis.call('ZADD', KEYS[3], ARGV[9], ARGV[1])
end
if ARGV[10] == '1' then
  redis.call('SADD', KEYS[5], ARGV[1])
  if redis.call('SADD', KEYS[15], ARGV[5]) == 1 then
    -- The account's first order: from here on the loss of its indexes is detected; see
    -- redis/repair.py.
    redis.call('SADD', KEYS[5], '-')
    redis.call('HSET', KEYS[6], '-', '')
  end
else
  redis.call('SREM', KEYS[5], ARGV[1])
end
if ARGV[11] ~= '' then
  redis.call('HSETNX', KEYS[6], ARGV[11], ARGV[1])
end
return 'done ' .. redis.call('INCR', KEYS[16])
