-- One storage request takes the best offer of those within its radius: the whole search and the taking, in
-- one script. KEYS[1]: the offers' places. ARGV: lon lat radius_m from_day until_day cold warm features_low
-- features_high pallets kg max_price per_access_km account credit min_credit. Returns the offer's id, or
-- false.
local lon, lat, radius = ARGV[1], ARGV[2], ARGV[3]
local from_day, until_day = tonumber(ARGV[4]), tonumber(ARGV[5])
local cold, warm = tonumber(ARGV[6]), tonumber(ARGV[7])
local low, high = tonumber(ARGV[8]), tonumber(ARGV[9])
local pallets, kg = tonumber(ARGV[10]), tonumber(ARGV[11])
local max_price, per_access_km = tonumber(ARGV[12]), tonumber(ARGV[13])
local account, credit, min_credit = ARGV[14], tonumber(ARGV[15]), tonumber(ARGV[16])
local days = until_day - from_day

local best, best_cost
local near = redis.call('GEOSEARCH', KEYS[1], 'FROMLONLAT', lon, lat, 'BYRADIUS', radius, 'm', 'WITHDIST')
for i = 1, #near do
    local id = near[i][1]
    local access = math.floor(per_access_km * math.floor(near[i][2] * 1.25 + 0.5) / 100000 + 0.5)
    if access <= max_price then
        local o = redis.call('HMGET', id, 'from_day', 'until_day', 'cold', 'warm', 'low', 'high', 'pallets',
                             'kg', 'min_part', 'base', 'rate', 'account', 'credit', 'min_credit')
        local quote = math.floor((o[10] * 10000 + o[11] * pallets * days + 5000) / 10000)
        local cost = quote + access
        local better = not best or cost < best_cost or (cost == best_cost and tonumber(id) < tonumber(best))
        if cost <= max_price and better
            and tonumber(o[1]) <= from_day and tonumber(o[2]) >= until_day
            and tonumber(o[3]) >= cold and tonumber(o[4]) <= warm
            and bit.band(o[5], low) == low and bit.band(o[6], high) == high
            and tonumber(o[7]) >= pallets and tonumber(o[9]) <= pallets
            and (o[8] == '' or tonumber(o[8]) >= kg)
            and o[12] ~= account and tonumber(o[13]) >= min_credit and credit >= tonumber(o[14]) then
            best, best_cost = id, cost
        end
    end
end
if not best then return false end
redis.call('HINCRBY', best, 'pallets', -pallets)
if kg > 0 and redis.call('HGET', best, 'kg') ~= '' then redis.call('HINCRBY', best, 'kg', -kg) end
return best
