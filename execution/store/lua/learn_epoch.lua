-- Tell how long this server has been the one that holds our data. A server that is not the one that
-- wrote the epoch has restarted, or taken over, and may have lost what was written last. A server
-- without any orders is new and has lost nothing, unless the caller knew another one before it.
-- Times are the server's own, so that clocks of the callers' hosts may differ. A new epoch also
-- begins when a process has found a loss, and when the caller knows of more commits than there
-- were: the same server was restored to an earlier state. The counter is set to the caller's
-- number, so that other processes with the same number do not begin another epoch.
--
-- KEYS  1 epoch string       2 orders sorted set     3 mended string     4 commits counter
-- ARGV  1 "1" if the caller knew another run of the server     2 "1" to begin a new one
--       3 how many commits the caller knows of
-- Returns the epoch's name, its age in ms (-1 for a server that never restarted), 1 if the store was
-- found whole in it, and how many commits there were.

local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local known = redis.call('GET', KEYS[1])
local known_id, since = string.match(known or '', '^(%x+) (%d+)$')
local commits = tonumber(redis.call('GET', KEYS[4]) or '0')
local is_older = commits < tonumber(ARGV[3])
if is_older then
  commits = tonumber(ARGV[3])
  redis.call('SET', KEYS[4], ARGV[3])
end
local begins = ARGV[2] == '1' or is_older
if known_id ~= run_id or begins then
  local may_have_lost = known or ARGV[1] == '1' or begins
  since = '0'
  if may_have_lost or redis.call('EXISTS', KEYS[2]) == 1 then
    since = string.format('%.0f', now)
  end
  redis.call('SET', KEYS[1], run_id .. ' ' .. since)
end
local name = run_id .. ' ' .. since
local age = -1
if since ~= '0' then
  age = now - tonumber(since)
end
return { name, age, redis.call('GET', KEYS[3]) == name and 1 or 0, commits }
