-- One atomic step of one order, with the position that its new fills move.
--
-- KEYS  1 order hash          2 position hash       3 due sorted set      4 orders sorted set
--       5 live set            6 exchange ids hash   7 hold string         8 signals stream
--       9 positions set
-- ARGV  1 order id            2 version before (0: not there)             3 version after
--       4 state               5 account             6 symbol              7 order as JSON
--       8 created, µs         9 due, ms, or ""     10 "1" while live     11 exchange id field or ""
--      12 stream entry or "" 13 run id of the server that the writer knows, or "": when given, an
--                                attempt begins, so the server must be that one, and not held
--      14 position version before, or "" for no change of the position
--      15.. fields and values of the position hash
-- Returns "done", "conflict", "held" or "restarted"; anything but "done" has changed nothing.

local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
if version ~= tonumber(ARGV[2]) then
  return 'conflict'
end
if ARGV[13] ~= '' then
  local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  if run_id ~= ARGV[13] then
    return 'restarted'
  end
  if redis.call('EXISTS', KEYS[7]) == 1 then
    return 'held'
  end
end
if ARGV[14] ~= '' then
  local held = tonumber(redis.call('HGET', KEYS[2], 'version') or '0')
  if held ~= tonumber(ARGV[14]) then
    return 'conflict'
  end
  redis.call('HSET', KEYS[2], unpack(ARGV, 15))
  if held == 0 then
    redis.call('SADD', KEYS[9], KEYS[2])
  end
end

redis.call('HSET', KEYS[1], 'version', ARGV[3], 'state', ARGV[4], 'account', ARGV[5],
  'symbol', ARGV[6], 'doc', ARGV[7])
if version == 0 then
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
