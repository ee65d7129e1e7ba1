-- Sends RIG_METHOD RIG_PATH, with the Cookie headers in the lines of the file RIG_COOKIES in turn: with
-- all, or with the first RIG_COOKIES_USED.
local requests = {}
local last = 0

local function add(cookie)
    local headers = { ["Cookie"] = cookie }
    if os.getenv("RIG_METHOD") == "POST" then
        headers["Content-Length"] = "0"
    end
    requests[#requests + 1] = wrk.format(os.getenv("RIG_METHOD"), os.getenv("RIG_PATH"), headers)
end

function init()
    local file = os.getenv("RIG_COOKIES")
    if file then
        local used = tonumber(os.getenv("RIG_COOKIES_USED"))
        for cookie in io.lines(file) do
            if used == 0 or #requests < used then
                add(cookie)
            end
        end
    else
        add(nil)
    end
    math.randomseed(os.time())
    last = math.random(#requests)
end

function request()
    last = last % #requests + 1
    return requests[last]
end

function done(summary, latency)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format(
        'RIG {"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "max": %f, "errors": %d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
        latency:percentile(99) / 1e3, latency.max / 1e3, failed))
end
