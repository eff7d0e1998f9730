-- post -- what wrk sends: whole requests from a file, each once; and what it saw, as JSON.
-- Called by tests/bench/Load.pm as `wrk .. -s post.lua URL -- FILE LENGTH`; all have that length.
-- Lives in one thread of wrk's.
-- SPDX-License-Identifier: ISC
local sender

function setup(thread) sender = thread end

function init(args)
	file = assert(io.open(args[1], "rb"))
	length = tonumber(args[2])
	rounds = 0
end

function request()
	local whole = file:read(length)
	if not whole then		-- the same again: only who keeps nothing may be measured so
		rounds = rounds + 1
		file:seek("set", 0)
		whole = file:read(length)
	end
	return whole
end

function done(summary, latency, requests)
	local e = summary.errors
	io.write(string.format('{"n":%d,"us":%d,"p50_us":%.0f,"p99_us":%.0f,"max_us":%.0f,"rounds":%d,' ..
	    '"closed":%d,"failed":%d}\n', summary.requests, summary.duration, latency:percentile(50),
	    latency:percentile(99), latency.max, sender:get("rounds"),
	    e.read, e.connect + e.write + e.status + e.timeout))
end
