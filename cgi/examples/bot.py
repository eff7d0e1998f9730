#!/usr/bin/python3
"""A bot that stays and remembers.  In the replies file: { "on": "text", "coproc": ["./bot.py"] }

pagehook writes one JSON object a line to our standard input, we write one a line to our standard
output: first a hello each, then an answer for each event.  Described in pagehook-handler(7).
This one also counts in memory, asks for more time ("retry") and gives up for good ("dead").
"""
# SPDX-License-Identifier: ISC
import json
import sys

turns = {}      # person -> how often they wrote; forgotten when this program ends
answered = {}   # person -> the last event and its answer


def tell(line):
    print(json.dumps(line), flush=True)     # not flushed, pagehook would wait in vain


def think(event):
    text = event.get("text") or ""
    if text == "later" and event.get("attempt", 1) < 2:
        return {"retry": 5}                 # ask me again in 5 seconds
    if text == "spam":
        return {"dead": "spam"}             # never again; this word stands in `pagehook queue`
    person = event.get("psid")
    turns[person] = turns.get(person, 0) + 1
    return {"reply": f"You said: {text}\nThat makes {turns[person]}."}


def answer(event):
    """The same event can be asked twice, with the same id: it gets the same answer, counted once."""
    person = event.get("psid")
    known, said = answered.get(person, (None, None))
    if known != event["id"]:
        said = think(event)
        if "retry" not in said:
            answered[person] = (event["id"], said)
    return said


greeted = False
for line in sys.stdin.buffer:
    message = json.loads(line)
    if "hello" in message:
        if not greeted:
            tell({"pagehook": 1, "hello": {"name": "bot.py", "inflight": 4}})
        greeted = True
    elif "id" in message:                   # whatever else may come one day is not for us
        tell({"id": message["id"], **answer(message)})
# End of file: pagehook wants us to leave.
