-- Load for `batch-run simulate`: chat requests of 300 bytes, spread over three keys. For wrk:
--   taskset -c 0 ./batch-run simulate --port 9900 --reply words:34 --quiet
--   taskset -c 1 wrk -t1 -c64 -d5 -s tests/bench/simulate.lua http://127.0.0.1:9900/v1/chat/completions
local keys = {"sim-key-1-910a2dec89025cc1", "sim-key-2-975835de1c9756ce", "sim-key-3-1d0b14e4db018fed"}
local start = '{"model":"simulate-1","messages":[{"role":"user","content":"'
local finish = '"}]}'
local body = start .. string.rep("a", 300 - #start - #finish) .. finish
local requests, next_key = {}, 0

function init()
  for i, key in ipairs(keys) do
    requests[i] = wrk.format("POST", nil,
      {["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. key}, body)
  end
end

function request()
  next_key = next_key % #requests + 1
  return requests[next_key]
end

function done(summary)
  local failed = summary.errors.status
  if failed > 0 then io.write("answers with an error status: ", failed, "\n") end
end
