-- Load for Hipwise: ten messages to each conversation of the file named by CONVERSATIONS ("id token" a line), then the next.
-- wrk gives every thread its own Lua state; each takes its own stretch of the file.
local threads = 0
function setup(thread)
  thread:set("stretch", threads)
  threads = threads + 1
end

function init(args)
  conversations, messages = {}, {}
  for line in io.lines(os.getenv("CONVERSATIONS")) do
    local id, token = line:match("^(%S+) (%S+)$")
    conversations[#conversations + 1] = { id = id, token = token }
  end
  for line in io.lines(os.getenv("MESSAGES")) do
    messages[#messages + 1] = line
  end
  count = math.floor(#conversations / 2) * stretch * 10
  run = os.getenv("RUN")
end

function request()
  local at = conversations[math.floor(count / 10) % #conversations + 1]
  -- A number makes each message new: one that was asked before has its sentence vector remembered.
  local text = '"' .. run .. count .. " " .. messages[count % #messages + 1]:sub(2)
  count = count + 1
  local body = '{"text": ' .. text .. ', "message_id": "' .. run .. "-" .. stretch .. "-" .. count .. '"}'
  return wrk.format("POST", "/api/v1/conversations/" .. at.id .. "/messages",
    { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. at.token }, body)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('RESULT {"requests": %d, "seconds": %f, "p50": %f, "p90": %f, "p99": %f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(90) / 1e3,
    latency:percentile(99) / 1e3, errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
