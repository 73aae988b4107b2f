-- Say how long this very server has been the one that holds our data.
--
-- A server that is not the one that wrote the epoch has restarted, or taken over, and may have lost
-- what was written last. A server without any orders is new and has nothing to have lost, unless the
-- asker knew another one before it. Times are the server's own, so that the hosts that ask may
-- have clocks that differ.
--
-- KEYS  1 epoch string       2 orders sorted set
-- ARGV  1 "1" if the asker knew another run of the server
-- Returns the run id and the epoch's age in ms, -1 for a server that never restarted.

local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local known = redis.call('GET', KEYS[1])
if known then
  local known_id, since = string.match(known, '^(%x+) (%d+)$')
  if known_id == run_id then
    if since == '0' then
      return { run_id, -1 }
    end
    return { run_id, now - tonumber(since) }
  end
end
if known or ARGV[1] == '1' or redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('SET', KEYS[1], run_id .. ' ' .. string.format('%.0f', now))
  return { run_id, 0 }
end
redis.call('SET', KEYS[1], run_id .. ' 0')
return { run_id, -1 }
