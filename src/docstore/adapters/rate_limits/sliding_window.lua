-- Take from a bucket, or give back to it, in one step that nothing comes between.
--
-- KEYS[1]  the bucket
-- ARGV[1]  cost; below zero: that much is given back
-- ARGV[2]  limit
-- ARGV[3]  window, in seconds
-- ARGV[4]  slots of a window
-- ARGV[5]  the time in seconds; empty: this server's
--
-- Returns the time and, as at, count, at, count, ..., what counted before. Whoever asked knows from
-- that what was decided here: docstore.domain.rates has the same rules.

local cost, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local slots, now = tonumber(ARGV[4]), tonumber(ARGV[5])
local TICK = 1e-6  -- what a sum of seconds may be off

if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) + tonumber(time[2]) / 1e6
end

local function text(number)
    return string.format('%.17g', number)
end

local function slot_of(at)
    return math.floor(at * slots / window)
end

local taken, sum = {}, 0
for at, count in string.gmatch(redis.call('GET', KEYS[1]) or '', '(%S+) (%S+)') do
    at, count = tonumber(at), tonumber(count)
    if at <= now and now - at < window - TICK then
        taken[#taken + 1] = {at, count}
        sum = sum + count
    end
end

local answer = {text(now)}
for _, each in ipairs(taken) do
    answer[#answer + 1] = text(each[1])
    answer[#answer + 1] = text(each[2])
end

local function keep()
    local entries = {}
    for _, each in ipairs(taken) do
        entries[#entries + 1] = text(each[1]) .. ' ' .. text(each[2])
    end
    redis.call('SET', KEYS[1], table.concat(entries, ' '), 'PX', math.ceil(window * 1000))
end

if cost > 0 and sum + cost <= limit then
    local last = taken[#taken]
    if last and slot_of(last[1]) == slot_of(now) then
        last[1], last[2] = now, last[2] + cost
    else
        taken[#taken + 1] = {now, cost}
    end
    keep()
elseif cost < 0 then
    local back = -cost
    while back > 0 and #taken > 0 do
        local last = taken[#taken]
        local less = math.min(back, last[2])
        last[2], back = last[2] - less, back - less
        if last[2] == 0 then
            taken[#taken] = nil
        end
    end
    keep()
end

return answer
