-- Replays whole requests from a file, each once: wrk -s replay.lua URL -- PREFIX
-- Thread n reads PREFIX.n: a 4-byte big-endian length before each request. At the end it prints one line of JSON.

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init(args)
  requests, sent = {}, 0
  local file = assert(io.open(args[1] .. "." .. number, "rb"))
  while true do
    local head = file:read(4)
    if not head then break end
    local a, b, c, d = head:byte(1, 4)
    table.insert(requests, file:read(((a * 256 + b) * 256 + c) * 256 + d))
  end
  file:close()
  count = #requests
end

function request()
  sent = sent + 1
  return requests[(sent - 1) % count + 1]
end

function done(summary, latency, _)
  local used = 0
  for _, thread in ipairs(threads) do
    used = math.max(used, thread:get("sent") / thread:get("count"))
  end
  io.write(string.format(
    '{"answers": %d, "seconds": %f, "refused": %d, "broken": %d, "used": %f, "p50": %f, "p99": %f}\n',
    summary.requests, summary.duration / 1e6, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    used, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
