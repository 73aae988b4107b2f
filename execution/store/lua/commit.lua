-- One atomic step of one order, with the position that its new fills move.
--
-- KEYS  1 order hash          2 position hash       3 due sorted set      4 orders sorted set
--       5 live set            6 exchange ids hash   7 hold string         8 signals stream
--       9 positions set
-- ARGV  1 order id            2 version and revision before ("0 ": not there)      3 version after
--       4 state               5 account             6 symbol              7 order as JSON
--       8 created, µs         9 due, ms, or ""     10 "1" while live     11 exchange id field or ""
--      12 stream entry or "" 13 run id of the server that the writer knows, or "" for any
--      14 "1" if an attempt begins, which must not be while the account is held
--      15 revision after     16 version and revision of the position before, or "" for no change
--      17.. fields and values that the position gets
-- Returns "done", "conflict", "held" or "restarted"; anything but "done" has changed nothing.

local function token(key)
  local held = redis.call('HMGET', key, 'version', 'revision')
  return (held[1] or '0') .. ' ' .. (held[2] or '')
end

local is_new = ARGV[2] == '0 '
if token(KEYS[1]) ~= ARGV[2] then
  return 'conflict'
end
if ARGV[13] ~= '' and string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') ~= ARGV[13] then
  return 'restarted'
end
if ARGV[14] == '1' and redis.call('EXISTS', KEYS[7]) == 1 then
  return 'held'
end
if ARGV[16] ~= '' then
  if token(KEYS[2]) ~= ARGV[16] then
    return 'conflict'
  end
  redis.call('HSET', KEYS[2], unpack(ARGV, 17))
  redis.call('SADD', KEYS[9], KEYS[2])
end

redis.call('HSET', KEYS[1], 'version', ARGV[3], 'revision', ARGV[15], 'state', ARGV[4],
  'account', ARGV[5], 'symbol', ARGV[6], 'doc', ARGV[7])
if is_new then
  redis.call('ZADD', KEYS[4], ARGV[8], ARGV[1])
  if ARGV[12] ~= '' then
    -- The id came with a message that anybody may have written; one that names nothing is nothing.
    redis.pcall('XDEL', KEYS[8], ARGV[12])
  end
end
if ARGV[9] == '' then
  redis.call('ZREM', KEYS[3], ARGV[1])
else
  redis.call('ZADD', KEYS[3], ARGV[9], ARGV[1])
end
if ARGV[10] == '1' then
  redis.call('SADD', KEYS[5], ARGV[1])
else
  redis.call('SREM', KEYS[5], ARGV[1])
end
if ARGV[11] ~= '' then
  redis.call('HSETNX', KEYS[6], ARGV[11], ARGV[1])
end
return 'done'
