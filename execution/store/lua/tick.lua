-- Record that a scheduled task has run, by the server's own clock.
-- KEYS  1 the hash of ticks
-- ARGV  1 the name of the schedule  2 what ended the run by an error, or nothing
-- Returns nothing.

local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', ms) .. ' ' .. ARGV[2])
