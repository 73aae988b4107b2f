-- Say since when this very server has been running, as far as our data is concerned.
--
-- A server that is not the one that wrote the epoch has restarted, or taken over, and may have lost
-- what was written last. A server without any orders is new, and has nothing to have lost.
--
-- KEYS  1 epoch string       2 orders sorted set
-- ARGV  1 now, ms
-- Returns the run id and the epoch's begin in ms, 0 for a server that never restarted.

local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local known = redis.call('GET', KEYS[1])
if known then
  local known_id, since = string.match(known, '(%x+) (%d+)')
  if known_id == run_id then
    return { run_id, since }
  end
end
local since = '0'
if known or redis.call('EXISTS', KEYS[2]) == 1 then
  since = ARGV[1]
end
redis.call('SET', KEYS[1], run_id .. ' ' .. since)
return { run_id, since }
