-- Creates, polls and looks at pictures at an even pace, from several accounts:
-- wrk ... -s soak.lua URL -- CONNECTIONS RATE PREFIX KEY PREFIX KEY ...
-- RATE is requests a second, 0 as fast as it goes; PREFIX is what the ids of KEY's tasks begin with.
local CREATIONS, BALANCES, PICTURES = 250, 50, 2 -- of 1,000 requests; the rest are polls
local KEPT = 500
local pause_ms = 0
local keys, key_of = {}, {}
local known, place = {}, 0 -- the newest tasks' ids
local pictures = {} -- paths of pictures that are there

function init(arguments)
  local connections, rate = tonumber(arguments[1]), tonumber(arguments[2])
  math.randomseed(os.time())
  if rate > 0 then pause_ms = 1000 * connections / rate end
  for index = 3, #arguments, 2 do
    key_of[arguments[index]] = arguments[index + 1]
    keys[#keys + 1] = arguments[index + 1]
  end
end

-- Even pauses would let all connections ask at once; only their mean is the rate's.
function delay()
  return math.floor(math.random() * 2 * pause_ms + 0.5)
end

local function get(path, key)
  return wrk.format("GET", path, {["Authorization"] = "Bearer " .. key})
end

function request()
  local draw, key = math.random(1000), keys[math.random(#keys)]
  if draw <= PICTURES and #pictures > 0 then
    return wrk.format("GET", table.remove(pictures))
  elseif draw <= PICTURES + BALANCES then
    return get("/v1/credits/balance", key)
  elseif draw <= PICTURES + BALANCES + CREATIONS or #known == 0 then
    local headers = {["Authorization"] = "Bearer " .. key, ["Content-Type"] = "application/json"}
    local body = '{"model": "gpt-image-2", "prompt": "A small coffee roaster at dawn"}'
    return wrk.format("POST", "/v1/images/generations", headers, body)
  end
  local id = known[math.random(#known)]
  return get("/v1/tasks/" .. id, key_of[id:sub(1, 17)])
end

function response(status, headers, body)
  local id = status == 202 and body:match('"task_id": ?"(task_%x+)"')
  if id then
    place = place % KEPT + 1
    known[place] = id
  elseif status == 200 and #pictures < 20 then
    pictures[#pictures + 1] = body:match('"url": ?"http://[^/]+(/media/[^"]+)"')
  end
end

function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('\nRESULT {"requests": %d, "microseconds": %d, "broken": %d, '
    .. '"refused": %d, "p50": %d, "p99": %d}\n', summary.requests, summary.duration, broken,
    errors.status, latency:percentile(50), latency:percentile(99)))
end
