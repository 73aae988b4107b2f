-- Make the live orders of one account due sooner, in the order in which they wait.
--
-- KEYS  1 live set      2 due sorted set
-- ARGV  1 now, ms      2 orders that are due later than this are brought forward, ms
--       3 how far apart, ms: many orders at once would hold up those of other accounts
-- Returns how many wait.

local waiting = {}
for _, order_id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local due_ms = redis.call('ZSCORE', KEYS[2], order_id)
  -- The member that is never due marks that the set was not lost.
  if due_ms and due_ms ~= 'inf' and tonumber(due_ms) > tonumber(ARGV[2]) then
    waiting[#waiting + 1] = { tonumber(due_ms), order_id }
  end
end
table.sort(waiting, function(a, b)
  return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2])
end)
for place, each in ipairs(waiting) do
  redis.call('ZADD', KEYS[2], 'LT', tonumber(ARGV[1]) + (place - 1) * tonumber(ARGV[3]), each[2])
end
return #waiting
