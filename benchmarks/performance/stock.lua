-- Load for stock Rasa's REST channel: the same messages, ten to each sender.
local threads = 0
function setup(thread)
  thread:set("stretch", threads)
  threads = threads + 1
end

function init(args)
  messages = {}
  for line in io.lines(os.getenv("MESSAGES")) do
    messages[#messages + 1] = line
  end
  count = 0
  run = os.getenv("RUN")
end

function request()
  local sender = run .. "-" .. stretch .. "-" .. math.floor(count / 10)
  local text = '"' .. run .. count .. " " .. messages[count % #messages + 1]:sub(2)
  local body = '{"sender": "' .. sender .. '", "message": ' .. text .. "}"
  count = count + 1
  return wrk.format("POST", "/webhooks/rest/webhook", { ["Content-Type"] = "application/json" }, body)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('RESULT {"requests": %d, "seconds": %f, "p50": %f, "p90": %f, "p99": %f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(90) / 1e3,
    latency:percentile(99) / 1e3, errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
